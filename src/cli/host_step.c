/* SPDX-License-Identifier: Apache-2.0 */
#include <base/ascii.h>
#include <base/memory.h>
#include <base/utf.h>
#include <cli/host_step.h>
#include <config/config.h>
#include <string.h>

#define MAX_WAIT_MS ((uint64_t)24 * 3600 * 1000)

static const char *const verbs[] = {
    [HOST_STEP_NOTHING] = "",    [HOST_STEP_CONNECT] = "connect", [HOST_STEP_OPERATE] = "operate",
    [HOST_STEP_QUOTA] = "quota", [HOST_STEP_REFRESH] = "refresh", [HOST_STEP_LEAVE] = "leave",
    [HOST_STEP_WAIT] = "wait",   [HOST_STEP_EXPECT] = "expect",   [HOST_STEP_TOGETHER] = "together",
    [HOST_STEP_END] = "end",
};

/* The words of a line, while they are read. */
struct reading {
	const char *words[HOST_MAX_WORDS];
	size_t count, next;
	struct host_step *step;
	struct error *error;
};

const char *host_step_word(enum host_verb verb)
{
	return verbs[verb];
}

bool host_step_has_user(const struct host_step *step)
{
	return step->verb >= HOST_STEP_CONNECT && step->verb <= HOST_STEP_LEAVE;
}

void host_step_done(struct host_step *step)
{
	memory_free(step->words);
	memset(step, 0, sizeof(*step));
}

static enum status invalid(const struct reading *r, const char *what, const char *hint)
{
	error_set(r->error, STATUS_INVALID, "%s", what);
	return error_hint(r->error, STATUS_INVALID, "%s", hint);
}

/* The end of the word at `at`, which stays in place; a quoted one is moved over its quote. */
static enum status cut_word(struct reading *r, char **at)
{
	bool is_quoted = **at == '"';
	char *end = *at + 1;

	r->words[r->count++] = is_quoted ? *at + 1 : *at;
	while (*end != '\0' && (is_quoted ? *end != '"' : !ascii_is_blank(*end)))
		end++;
	if (is_quoted && *end == '\0')
		return invalid(r, "a quotation mark is not closed", "write \"Domain\\A user\"");
	if (is_quoted && end[1] != '\0' && !ascii_is_blank(end[1]))
		return invalid(r, "a word goes on behind its closing quotation mark",
			       "quote the whole word: \"Domain\\A user\"");
	*at = *end != '\0' ? end + 1 : end;
	*end = '\0';
	return STATUS_OK;
}

static enum status split(struct reading *r, char *line)
{
	enum status status = STATUS_OK;

	while (status == STATUS_OK) {
		while (ascii_is_blank(*line))
			line++;
		if (*line == '\0' || *line == '#')
			break;
		if (r->count == HOST_MAX_WORDS)
			return invalid(r, "there are too many words", "a line has 32 at most");
		status = cut_word(r, &line);
	}
	return status;
}

static const char *next_word(struct reading *r)
{
	return r->next < r->count ? r->words[r->next++] : NULL;
}

static bool takes(struct reading *r, const char *word)
{
	if (r->next == r->count || strcmp(r->words[r->next], word) != 0)
		return false;
	r->next++;
	return true;
}

/* A number, decimal or behind 0x; "unlimited" where the caller allows it. */
static bool parse_number(const char *word, DWORD *number_out)
{
	unsigned base = 10;
	uint64_t number = 0;

	if (word == NULL)
		return false;
	if (word[0] == '0' && word[1] == 'x') {
		base = 16;
		word += 2;
	}
	if (*word == '\0')
		return false;
	for (; *word != '\0'; word++) {
		char c = ascii_lower(*word);
		unsigned digit = ascii_is_digit(c)        ? (unsigned)(c - '0')
				 : (c >= 'a' && c <= 'f') ? (unsigned)(c - 'a') + 10
							  : 16;

		if (digit >= base)
			return false;
		number = number * base + digit;
		if (number > MAXDWORD)
			return false;
	}
	*number_out = (DWORD)number;
	return true;
}

static bool parse_limit(const char *word, DWORD *number_out)
{
	if (word != NULL && strcmp(word, "unlimited") == 0) {
		*number_out = MAXDWORD;
		return true;
	}
	return parse_number(word, number_out);
}

static enum status read_times(struct reading *r)
{
	DWORD times = 0;

	if (!parse_number(next_word(r), &times) || times == 0 || times > HOST_MAX_TIMES)
		return invalid(r, "'times' wants a number from 1 to 10000000", "write it as times 100");
	r->step->times = times;
	return STATUS_OK;
}

/* Where the value behind such a word goes; NULL: it has no place in this step. */
static const char **member_named(struct host_step *step, const char *word)
{
	bool asks = step->verb != HOST_STEP_LEAVE, is_operate = step->verb == HOST_STEP_OPERATE;
	const struct {
		const char *word;
		const char **value;
		bool is_taken;
	} members[] = {
	    {"mechanism", &step->mechanism, true},
	    {"url", &step->url, asks},
	    {"token", &step->token, asks},
	    {"subject", &step->subject, asks},
	    {"issuer", &step->issuer, asks},
	    {"thumbprint", &step->thumbprint, asks},
	    {"subject-name", &step->subject_name, asks},
	    {"action", &step->action, is_operate},
	    {"resource", &step->resource, is_operate},
	};

	for (size_t i = 0; i < COUNT_OF(members); i++)
		if (members[i].is_taken && strcmp(members[i].word, word) == 0)
			return members[i].value;
	return NULL;
}

static enum status refuse_word(const struct reading *r, const char *word)
{
	const char *more = " [mechanism M]";

	if (r->step->verb == HOST_STEP_OPERATE)
		more = " [mechanism M] [url U] [action URI] [resource URI] [times N]";
	else if (r->step->verb != HOST_STEP_LEAVE)
		more = " [mechanism M] [url U] [times N]";
	error_set(r->error, STATUS_INVALID, "'%s' is not understood here", word);
	return error_hint(r->error, STATUS_INVALID, "a name with blanks stands in quotation marks; '%s NAME%s'",
			  verbs[r->step->verb], more);
}

static enum status read_member(struct reading *r, const char *word)
{
	const char **value = member_named(r->step, word);

	if (value == NULL)
		return refuse_word(r, word);
	if (*value != NULL)
		return error_set(r->error, STATUS_INVALID, "'%s' is said twice", word);
	*value = next_word(r);
	if (*value == NULL)
		return error_set(r->error, STATUS_INVALID, "'%s' has no value behind it", word);
	if (value == &r->step->token && strcmp(*value, "none") != 0)
		return invalid(r, "'token' wants the word none: without it there is one", "write it as token none");
	return STATUS_OK;
}

static enum status read_user(struct reading *r)
{
	enum status status = STATUS_OK;

	r->step->name = next_word(r);
	if (r->step->name == NULL)
		return invalid(r, "whose? a name is missing", "write it as connect CORP\\alice");
	while (status == STATUS_OK && r->next < r->count) {
		const char *word = next_word(r);
		bool is_times = strcmp(word, "times") == 0 && r->step->verb != HOST_STEP_LEAVE && r->step->times == 0;

		status = is_times ? read_times(r) : read_member(r, word);
	}
	return status;
}

static enum status read_wait(struct reading *r)
{
	const char *word = next_word(r);

	if (word == NULL || !config_parse_duration(word, &r->step->wait_ms) || r->step->wait_ms > MAX_WAIT_MS)
		return invalid(r, "'wait' wants a duration of a day at most",
			       "write it as wait 500ms, wait 3s or wait 5m");
	return STATUS_OK;
}

static enum status read_quota(struct reading *r, WSMAN_AUTHZ_QUOTA *quota)
{
	bool is_whole = parse_limit(next_word(r), &quota->maxAllowedConcurrentShells) &&
			parse_limit(next_word(r), &quota->maxAllowedConcurrentOperations);

	quota->maxAllowedOperationsPerTimeslot = MAXDWORD;
	if (is_whole && r->next < r->count)
		is_whole = parse_number(next_word(r), &quota->maxAllowedOperationsPerTimeslot) &&
			   parse_number(next_word(r), &quota->timeslotSize);
	if (!is_whole)
		return invalid(
		    r, "'expect quota' wants the numbers of shells and of operations",
		    "write it as expect quota 5 unlimited, or expect quota 5 15 100 60: 100 operations in 60 s");
	return STATUS_OK;
}

static enum status read_expectation(struct reading *r)
{
	struct host_expectation *expected = &r->step->expected;

	if (takes(r, "authorize")) {
		expected->what = HOST_EXPECT_AUTHORIZE;
		expected->administrator = takes(r, "administrator");
		expected->remembered = takes(r, "remembered");
	} else if (takes(r, "deny")) {
		expected->what = HOST_EXPECT_DENY;
	} else if (takes(r, "redirect")) {
		expected->what = HOST_EXPECT_REDIRECT;
		expected->redirect = next_word(r);
	} else if (takes(r, "error")) {
		expected->what = HOST_EXPECT_ERROR;
		expected->has_code = r->next < r->count;
		if (expected->has_code && !parse_number(next_word(r), &expected->code))
			return invalid(r, "'expect error' wants a number", "write it as expect error 0x80338083");
	} else if (takes(r, "quota")) {
		expected->what = HOST_EXPECT_QUOTA;
		return read_quota(r, &expected->quota);
	} else {
		return invalid(
		    r, "'expect' wants to know what",
		    "one of authorize [administrator] [remembered], deny, redirect [URI], error [CODE], quota "
		    "SHELLS OPERATIONS [NUMBER SECONDS]");
	}
	return STATUS_OK;
}

static enum status read_verb(struct reading *r)
{
	const char *word = next_word(r);

	for (int verb = HOST_STEP_CONNECT; verb <= HOST_STEP_END; verb++) {
		if (strcmp(verbs[verb], word) == 0) {
			r->step->verb = (enum host_verb)verb;
			return STATUS_OK;
		}
	}
	error_set(r->error, STATUS_INVALID, "'%s' is no step", word);
	return error_hint(r->error, STATUS_INVALID,
			  "one of connect, operate, quota, refresh, leave, wait, expect, together, end");
}

static enum status read_step(struct reading *r)
{
	enum status status = STATUS_OK;

	if (r->count == 0)
		return STATUS_OK;
	status = read_verb(r);
	if (status == STATUS_OK && host_step_has_user(r->step))
		status = read_user(r);
	else if (status == STATUS_OK && r->step->verb == HOST_STEP_WAIT)
		status = read_wait(r);
	else if (status == STATUS_OK && r->step->verb == HOST_STEP_EXPECT)
		status = read_expectation(r);
	if (status == STATUS_OK && r->next < r->count)
		status = error_set(r->error, STATUS_INVALID, "'%s' is not understood behind '%s'", r->words[r->next],
				   verbs[r->step->verb]);
	return status;
}

enum status host_step_parse(const char *line, size_t length, unsigned number, struct host_step *step_out,
			    struct error *error)
{
	struct host_step step = {.line = number};
	struct reading reading = {.step = &step, .error = error};
	enum status status;

	if (length > HOST_LINE_MAX_BYTES)
		return error_set(error, STATUS_INVALID, "the line is longer than %zu bytes", HOST_LINE_MAX_BYTES);
	if (memchr(line, '\0', length) != NULL || !utf8_is_valid(line, length))
		return error_set(error, STATUS_INVALID, "the line is not UTF-8 text");
	step.words = memory_copy_bytes(line, length);
	if (step.words == NULL)
		return error_no_memory(error);
	status = split(&reading, step.words);
	if (status == STATUS_OK)
		status = read_step(&reading);
	if (status != STATUS_OK) {
		host_step_done(&step);
		return status;
	}
	if (step.times == 0)
		step.times = 1;
	*step_out = step;
	return STATUS_OK;
}
