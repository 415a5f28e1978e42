/* SPDX-License-Identifier: Apache-2.0 */
#include <base/memory.h>
#include <cli/bench_senders.h>
#include <cli/console.h>
#include <cli/lines.h>
#include <cli/sender_units.h>
#include <errno.h>
#include <plugin/plugin.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* In UTF-8 a unit of UTF-16 takes three bytes at most. */
#define SENDER_MAX_BYTES ((size_t)PLUGIN_MAX_NAME_UNITS * 3)
#define READ_SIZE_BYTES  65536

struct reading {
	struct senders *senders;
	size_t limit;
	size_t line;
};

static size_t units_of(const WCHAR *units)
{
	size_t count = 0;

	while (units[count] != 0)
		count++;
	return count;
}

static bool reserve(struct senders *s, size_t bytes, size_t units)
{
	return ARRAY_RESERVE(&s->bytes, &s->byte_room, s->byte_starts[s->count] + bytes) &&
	       ARRAY_RESERVE(&s->units, &s->unit_room, s->unit_starts[s->count] + units) &&
	       ARRAY_RESERVE(&s->byte_starts, &s->byte_start_room, s->count + 2) &&
	       ARRAY_RESERVE(&s->unit_starts, &s->unit_start_room, s->count + 2);
}

static bool append(struct senders *s, const char *name, size_t length, const WCHAR *units)
{
	size_t unit_count = units_of(units);

	if (!reserve(s, length + 1, unit_count + 1))
		return false;
	memcpy(s->bytes + s->byte_starts[s->count], name, length);
	s->bytes[s->byte_starts[s->count] + length] = '\0';
	memcpy(s->units + s->unit_starts[s->count], units, (unit_count + 1) * sizeof(*units));
	s->byte_starts[s->count + 1] = s->byte_starts[s->count] + length + 1;
	s->unit_starts[s->count + 1] = s->unit_starts[s->count] + unit_count + 1;
	s->count++;
	return true;
}

static enum status take_line(void *context, const char *line, size_t length, struct error *error)
{
	struct reading *reading = context;
	WCHAR *units;
	bool is_kept;

	reading->line++;
	if (length == 0 || reading->senders->count >= reading->limit)
		return STATUS_OK;
	if (length > SENDER_MAX_BYTES)
		return error_set(error, STATUS_INVALID, "line %zu is longer than any sender's name", reading->line);
	units = sender_units(line, length);
	is_kept = units != NULL && append(reading->senders, line, length, units);
	memory_free(units);
	return is_kept ? STATUS_OK : error_no_memory(error);
}

static enum status read_piece(FILE *file, char *buffer, size_t *length_out, struct error *error)
{
	if (file == NULL)
		return console_read(buffer, READ_SIZE_BYTES, length_out, error);
	*length_out = fread(buffer, 1, READ_SIZE_BYTES, file);
	if (*length_out == 0 && ferror(file))
		return error_system(error, STATUS_UNREACHABLE, errno, "could not read the senders");
	return STATUS_OK;
}

static enum status read_lines(FILE *file, struct reading *reading, struct error *error)
{
	struct lines lines;
	char *buffer = memory_new(READ_SIZE_BYTES);
	size_t length = 1;
	enum status status = STATUS_OK;

	if (buffer == NULL)
		return error_no_memory(error);
	lines_init(&lines, SENDER_MAX_BYTES, take_line, reading);
	while (status == STATUS_OK && length > 0 && reading->senders->count < reading->limit) {
		status = read_piece(file, buffer, &length, error);
		if (status == STATUS_OK)
			status = length > 0 ? lines_feed(&lines, buffer, length, error) : lines_end(&lines, error);
	}
	lines_done(&lines);
	memory_free(buffer);
	return status;
}

static bool begin(struct senders *senders)
{
	if (!ARRAY_RESERVE(&senders->byte_starts, &senders->byte_start_room, 1) ||
	    !ARRAY_RESERVE(&senders->unit_starts, &senders->unit_start_room, 1))
		return false;
	senders->byte_starts[0] = senders->unit_starts[0] = 0;
	return true;
}

enum status senders_read(const char *path, size_t limit, struct senders *senders, struct error *error)
{
	struct reading reading = {senders, limit < SENDERS_MAX ? limit : SENDERS_MAX, 0};
	bool is_stdin = strcmp(path, "-") == 0;
	FILE *file = is_stdin ? NULL : fopen(path, "rb");
	enum status status;

	if (!is_stdin && file == NULL)
		return error_system(error, errno == ENOENT ? STATUS_NOT_FOUND : STATUS_UNREACHABLE, errno,
				    "could not open '%s'", path);
	status = begin(senders) ? read_lines(file, &reading, error) : error_no_memory(error);
	if (file != NULL)
		(void)fclose(file);
	if (status == STATUS_OK && senders->count == 0)
		return error_set(error, STATUS_INVALID, "'%s' names no sender", path);
	if (status != STATUS_OK)
		error_prefix(error, "%s", path);
	return status;
}

void senders_done(struct senders *senders)
{
	memory_free(senders->bytes);
	memory_free(senders->units);
	memory_free(senders->byte_starts);
	memory_free(senders->unit_starts);
	memset(senders, 0, sizeof(*senders));
}
