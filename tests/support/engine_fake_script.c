/* SPDX-License-Identifier: Apache-2.0 */
#include <base/ascii.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support/engine_fake_script.h>
#include <wsmauthz/wsman.h>

#define SCRIPT_MAX_BYTES 65536
#define INLINE_SCRIPT    "script:"

/* Split off a word in place, or NULL at the end of the line. */
static char *next_word(char **cursor)
{
	char *word = *cursor + strspn(*cursor, " \t\r");
	size_t length = strcspn(word, " \t\r");

	if (length == 0)
		return NULL;
	*cursor = word + length + (word[length] != '\0');
	word[length] = '\0';
	for (size_t i = 0; i < length; i++)
		if (word[i] == '_')
			word[i] = ' ';
	return word;
}

/* A script that cannot be read is a mistake in the test. */
static void die(const char *word)
{
	(void)fprintf(stderr, "engine_fake: '%s' in the script is not understood\n", word);
	abort();
}

static enum wa_verdict parse_verdict(const char *word)
{
	static const struct {
		const char *word;
		enum wa_verdict verdict;
	} rows[] = {{"authorize", WA_AUTHORIZE}, {"deny", WA_DENY}, {"redirect", WA_REDIRECT}, {"error", WA_ERROR}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(rows[i].word, word) == 0)
			return rows[i].verdict;
	die(word);
	return WA_DENY;
}

static enum wa_reason parse_reason(const char *word)
{
	for (unsigned i = 0; i < (unsigned)WA_REASON_COUNT; i++)
		if (strcmp(wa_reason_word((enum wa_reason)i), word) == 0)
			return (enum wa_reason)i;
	die(word);
	return WA_REASON_NONE;
}

static uint32_t code_of(enum wa_verdict verdict)
{
	switch (verdict) {
	case WA_AUTHORIZE:
		return WSMAUTHZ_NO_ERROR;
	case WA_REDIRECT:
		return WSMAUTHZ_REDIRECT_REQUESTED;
	case WA_DENY:
		return WSMAUTHZ_ACCESS_DENIED;
	case WA_ERROR:
		return WSMAUTHZ_PLUGIN_FAILED;
	}
	return WSMAUTHZ_PLUGIN_FAILED;
}

static void parse_path(struct script_answer *answer, char *text)
{
	while (text != NULL && answer->path_count < SCRIPT_MAX_PATH) {
		char *end = strchr(text, '|');

		answer->path[answer->path_count++] = text;
		if (end != NULL)
			*end++ = '\0';
		text = end;
	}
}

static void parse_quota(struct script_answer *answer, char *text)
{
	uint32_t *const fields[] = {&answer->quota.max_shells, &answer->quota.max_operations, &answer->quota.timeslot_s,
				    &answer->quota.max_operations_per_timeslot};

	for (size_t i = 0; i < 4; i++) {
		*fields[i] = (uint32_t)strtoul(text, &text, 10);
		if (*text == ',')
			text++;
	}
}

static char *value_of(char *word, const char *name)
{
	size_t length = strlen(name);

	return strncmp(word, name, length) == 0 && word[length] == '=' ? word + length + 1 : NULL;
}

static bool parse_flag(struct script_answer *answer, const char *word)
{
	const struct {
		const char *word;
		bool *flag;
	} flags[] = {
	    {"administrator", &answer->is_administrator},
	    {"cached", &answer->is_cached},
	    {"never", &answer->is_never},
	    {"lost", &answer->is_lost},
	    {"refuse", &answer->is_refused},
	    {"zeroed", &answer->is_zeroed},
	    {"instant", &answer->is_instant},
	    {"mute", &answer->is_mute},
	};

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if (strcmp(flags[i].word, word) == 0) {
			*flags[i].flag = true;
			return true;
		}
	}
	return false;
}

static void parse_option(struct script_answer *answer, char *word)
{
	char *value;

	if (parse_flag(answer, word))
		return;
	if ((value = value_of(word, "delay")) != NULL)
		answer->delay_ms = strtoul(value, NULL, 10);
	else if ((value = value_of(word, "code")) != NULL)
		answer->code = (uint32_t)strtoul(value, NULL, 10);
	else if ((value = value_of(word, "uri")) != NULL)
		answer->uri = value;
	else if ((value = value_of(word, "rule")) != NULL)
		answer->rule = value;
	else if ((value = value_of(word, "path")) != NULL)
		parse_path(answer, value);
	else if ((value = value_of(word, "quota")) != NULL)
		parse_quota(answer, value);
	else
		die(word);
}

static void parse_answer(struct script *script, char *cursor)
{
	struct script_answer *answer = &script->answers[script->count];
	char *sender = next_word(&cursor), *verdict = next_word(&cursor), *reason = next_word(&cursor), *word;

	if (reason == NULL || script->count == SCRIPT_MAX_ANSWERS) {
		die("answer");
		return;
	}
	answer->sender = sender;
	answer->verdict = parse_verdict(verdict);
	answer->reason = parse_reason(reason);
	answer->code = code_of(answer->verdict);
	answer->quota = (struct wa_quota){UINT32_MAX, UINT32_MAX, 0, UINT32_MAX};
	while ((word = next_word(&cursor)) != NULL)
		parse_option(answer, word);
	script->count++;
}

/* False: the policy is unusable, for the rest of the line. */
static bool parse_line(struct script *script, char *line, char *why, size_t why_size)
{
	char *cursor = line, *word = next_word(&cursor);

	if (word == NULL)
		return true;
	if (strcmp(word, "unusable") == 0) {
		(void)snprintf(why, why_size, "%s", cursor);
		return false;
	}
	if (strcmp(word, "asynchronous") == 0)
		script->is_asynchronous = true;
	else if (strcmp(word, "allow-null-token") == 0)
		script->allows_null_token = true;
	else if (strcmp(word, "by-name") == 0)
		script->is_by_name = true;
	else if (strcmp(word, "timeout") == 0)
		script->timeout_ms = (uint32_t)strtoul(cursor, NULL, 10);
	else if (strcmp(word, "answer") == 0)
		parse_answer(script, cursor);
	else
		die(word);
	return true;
}

static char *read_all(const char *path)
{
	FILE *file;
	char *text;

	if (strncmp(path, INLINE_SCRIPT, strlen(INLINE_SCRIPT)) == 0)
		return strdup(path + strlen(INLINE_SCRIPT));
	file = fopen(path, "r");
	text = file != NULL ? calloc(1, SCRIPT_MAX_BYTES + 1) : NULL;

	if (text != NULL)
		(void)!fread(text, 1, SCRIPT_MAX_BYTES, file);
	if (file != NULL)
		(void)fclose(file);
	return text;
}

bool script_read(const char *path, struct script *script, char *why, size_t why_size)
{
	char *line, *end;

	script->text = read_all(path);
	script->timeout_ms = 2000;
	if (script->text == NULL) {
		(void)snprintf(why, why_size, "could not open '%s'", path);
		return false;
	}
	for (line = script->text; line != NULL; line = end) {
		end = strchr(line, '\n');
		if (end != NULL)
			*end++ = '\0';
		if (!parse_line(script, line, why, why_size)) {
			script_done(script);
			return false;
		}
	}
	return true;
}

void script_done(struct script *script)
{
	free(script->text);
	script->text = NULL;
}

struct script_answer script_find(const struct script *script, const char *sender, size_t length)
{
	static const struct script_answer none = {.verdict = WA_DENY,
						  .reason = WA_REASON_NOT_A_MEMBER,
						  .code = WSMAUTHZ_ACCESS_DENIED,
						  .quota = {UINT32_MAX, UINT32_MAX, 0, UINT32_MAX}};

	for (size_t i = 0; i < script->count; i++) {
		const struct script_answer *answer = &script->answers[i];

		if (strcmp(answer->sender, "*") == 0 ||
		    ascii_equal_nocase_n(answer->sender, strlen(answer->sender), sender, length))
			return *answer;
	}
	return none;
}
