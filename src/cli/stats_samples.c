/* SPDX-License-Identifier: Apache-2.0 */
#include <cli/stats_samples.h>

#include <base/ascii.h>
#include <base/compiler.h>
#include <base/memory.h>
#include <stdlib.h>
#include <string.h>

/* More digits are no number of ours, and would not be one of JSON's readers. */
#define MAX_VALUE_BYTES 40

static bool is_name_char(char c)
{
	return ascii_is_alnum(c) || c == '_' || c == ':';
}

/* End the word at `at`; NULL: there is none. */
static char *end_of_name(char *at)
{
	char *end = at;

	while (is_name_char(*end))
		end++;
	return end == at ? NULL : end;
}

/* name="value"; the values that we write need no escape. @return behind it; NULL: it is none. */
static char *take_label(struct sample *sample, char *at)
{
	char *end = end_of_name(at);
	struct sample_label *label;

	if (end == NULL || end[0] != '=' || end[1] != '"' || sample->label_count == SAMPLE_MAX_LABELS)
		return NULL;
	label = &sample->labels[sample->label_count++];
	label->name = at;
	*end = '\0';
	label->value = end + 2;
	end = end + 2 + strcspn(end + 2, "\"\\\n");
	if (*end != '"')
		return NULL;
	*end = '\0';
	return end + 1;
}

/* @return behind the brace that closes. */
static char *take_labels(struct sample *sample, char *at)
{
	while (at != NULL && *at != '}') {
		at = take_label(sample, at);
		if (at != NULL && *at == ',')
			at++;
	}
	return at == NULL ? NULL : at + 1;
}

static bool is_number(const char *text)
{
	size_t digits = strspn(text, "0123456789");

	if (digits == 0 || strlen(text) > MAX_VALUE_BYTES || (digits > 1 && text[0] == '0'))
		return false;
	text += digits;
	if (*text == '\0')
		return true;
	return *text == '.' && text[1] != '\0' && text[1 + strspn(text + 1, "0123456789")] == '\0';
}

/* A whole line, without its end. */
static bool take_sample(struct sample *sample, char *line)
{
	char *at = end_of_name(line);

	if (at == NULL)
		return false;
	sample->name = line;
	if (*at == '{') {
		*at = '\0';
		at = take_labels(sample, at + 1);
	}
	if (at == NULL || *at != ' ')
		return false;
	*at = '\0';
	sample->text = at + 1;
	sample->value = strtod(sample->text, NULL);
	return is_number(sample->text);
}

static size_t count_lines(const char *data)
{
	size_t count = 0;

	for (; (data = strchr(data, '\n')) != NULL; data++)
		count++;
	return count;
}

/* "# EOF" is to be the last line: what has none was cut. */
static enum status take_lines(struct samples *samples, char *data)
{
	bool has_ended = false;
	char *end;

	for (; (end = strchr(data, '\n')) != NULL; data = end + 1) {
		struct sample sample = {.label_count = 0};

		*end = '\0';
		if (has_ended)
			return STATUS_INVALID;
		has_ended = strcmp(data, "# EOF") == 0;
		if (*data == '#')
			continue;
		if (!take_sample(&sample, data))
			return STATUS_INVALID;
		samples->list[samples->count++] = sample;
	}
	return has_ended && *data == '\0' ? STATUS_OK : STATUS_INVALID;
}

enum status samples_parse(char *data, struct samples *samples_out, struct error *error)
{
	struct samples samples = {.count = 0};
	const size_t lines = count_lines(data);

	if (lines > SAMPLES_MAX)
		return error_set(error, STATUS_LIMIT, "it has more than %d lines", SAMPLES_MAX);
	samples.list = memory_new_array(lines + 1, sizeof(*samples.list));
	if (samples.list == NULL)
		return error_no_memory(error);
	if (take_lines(&samples, data) != STATUS_OK) {
		samples_done(&samples);
		return error_set(error, STATUS_INVALID, "it is not a metrics file of wsmauthz, or was cut");
	}
	*samples_out = samples;
	return STATUS_OK;
}

void samples_done(struct samples *samples)
{
	memory_free(samples->list);
	*samples = (struct samples){.count = 0};
}

double samples_value(const struct samples *samples, const char *name)
{
	double sum = 0;

	for (size_t i = 0; i < samples->count; i++)
		if (strcmp(samples->list[i].name, name) == 0)
			sum += samples->list[i].value;
	return sum;
}

const char *sample_label(const struct sample *sample, const char *name)
{
	for (size_t i = 0; i < sample->label_count; i++)
		if (strcmp(sample->labels[i].name, name) == 0)
			return sample->labels[i].value;
	return "";
}
