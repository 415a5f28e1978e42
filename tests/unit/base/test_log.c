/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include <base/log.h>
#include <base/utf.h>
#include <string.h>

struct capture {
	unsigned count;
	enum log_level level;
	char line[LOG_LINE_BYTES * 2];
};

static void capture_line(void *context, enum log_level level, const char *line)
{
	struct capture *capture = context;

	capture->count++;
	capture->level = level;
	assert_true(strlen(line) < LOG_LINE_BYTES);
	memcpy(capture->line, line, strlen(line) + 1);
}

static void log_levels__each_limit__drops_what_is_more_detailed(void **state)
{
	struct capture capture;
	struct log log = {.write = capture_line, .context = &capture};
	int level;

	(void)state;
	for (level = LOG_LEVEL_ERROR; level <= LOG_LEVEL_DEBUG; level++) {
		log.level = (enum log_level)level;
		memset(&capture, 0, sizeof(capture));
		log_error(&log, "e%d", 1);
		log_warning(&log, "w");
		log_info(&log, "i");
		log_debug(&log, "d");
		assert_int_equal(capture.count, level + 1);
		assert_int_equal(capture.level, level);
	}
}

static void log_error__no_log_or_no_sink__takes_nothing(void **state)
{
	const struct log none = {0};

	(void)state;
	log_error(NULL, "x");
	log_error(&none, "x");
}

static void log_info__hostile_text__comes_out_harmless(void **state)
{
	static const struct {
		const char *text, *expected;
	} rows[] = {
	    {"plain", "plain"},
	    {"a\nb", "a?b"},
	    {"a\r\nb", "a??b"},
	    {"\x1b[31mred", "?[31mred"},
	    {"\x7f", "?"},
	    {"tab\there", "tab?here"},
	    {"\xC2\x85", "?"},                        /* next line, a C1 control */
	    {"\xC2\x9B", "?"},                        /* CSI in one byte */
	    {"a\xE2\x80\xA8z\xE2\x80\xA9z", "a?z?z"}, /* U+2028, U+2029 */
	    {"\xE2\x80\xAE", "?"},                    /* right-to-left override */
	    {"\xE2\x81\xA6\xE2\x81\xA9", "??"},       /* isolates */
	    {"\xE2\x80\x8E\xD8\x9C", "??"},           /* LRM, ALM */
	    {"\xC3\xA4\xE2\x82\xAC", "\xC3\xA4\xE2\x82\xAC"},
	    {"\xF0\x9F\x98\x80", "\xF0\x9F\x98\x80"},
	    {"a\xFFz", "a\xEF\xBF\xBDz"},
	    {"\xC0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD"},
	    {"cut\xE2\x82", "cut\xEF\xBF\xBD\xEF\xBF\xBD"},
	};
	struct capture capture = {0};
	const struct log log = {.level = LOG_LEVEL_INFO, .write = capture_line, .context = &capture};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT_OF(rows); i++) {
		log_info(&log, "%s", rows[i].text);
		assert_row(rows[i].expected, strcmp(capture.line, rows[i].expected) == 0);
	}
}

/* Around the limit, for characters of three bytes at each offset. */
static void log_info__too_long__is_cut_between_characters_and_marked(void **state)
{
	struct capture capture = {0};
	const struct log log = {.level = LOG_LEVEL_INFO, .write = capture_line, .context = &capture};
	char text[LOG_LINE_BYTES + 64];
	size_t length, i;

	(void)state;
	for (length = LOG_LINE_BYTES - 16; length < LOG_LINE_BYTES + 16; length++) {
		memset(text, 'x', length);
		for (i = length % 5; i + 3 <= length; i += 3)
			memcpy(text + i, "\xE2\x82\xAC", 3);
		text[length] = '\0';
		log_info(&log, "%s", text);
		assert_true(utf8_is_valid(capture.line, strlen(capture.line)));
		if (strlen(capture.line) != length)
			assert_string_equal(capture.line + strlen(capture.line) - 3, "...");
	}
	assert_true(strlen(capture.line) > LOG_LINE_BYTES - 8);
}

static void log_info__bytes_that_grow__stay_within_the_line(void **state)
{
	struct capture capture = {0};
	const struct log log = {.level = LOG_LEVEL_INFO, .write = capture_line, .context = &capture};
	char text[LOG_LINE_BYTES * 3];

	(void)state;
	memset(text, 0xFF, sizeof(text));
	text[sizeof(text) - 1] = '\0';
	log_info(&log, "%s", text);
	assert_true(utf8_is_valid(capture.line, strlen(capture.line)));
	assert_string_equal(capture.line + strlen(capture.line) - 3, "...");
}

static void log_failure__with_and_without_hint__is_one_line(void **state)
{
	struct capture capture = {0};
	const struct log log = {.level = LOG_LEVEL_WARNING, .write = capture_line, .context = &capture};
	struct error error;

	(void)state;
	(void)error_set(&error, STATUS_REFUSED, "it is\nrefused");
	log_failure(&log, LOG_LEVEL_WARNING, "policy", &error);
	assert_string_equal(capture.line, "policy: it is?refused");
	(void)error_hint(&error, error.status, "chmod");
	log_failure(&log, LOG_LEVEL_WARNING, "policy", &error);
	assert_string_equal(capture.line, "policy: it is?refused (chmod)");
	log_failure(&log, LOG_LEVEL_DEBUG, "dropped", &error);
	assert_int_equal(capture.count, 2);
}

struct events {
	unsigned count;
	enum log_level level;
	enum log_event event;
	char line[LOG_LINE_BYTES];
};

static void take_event(void *context, enum log_level level, enum log_event event, const char *line)
{
	struct events *events = context;

	events->count++;
	events->level = level;
	events->event = event;
	memcpy(events->line, line, strlen(line) + 1);
}

static void log_event__a_sink_that_knows_events__gets_each_with_its_number(void **state)
{
	struct events events = {0};
	const struct log log = {.level = LOG_LEVEL_ERROR, .context = &events, .write_event = take_event};
	struct error error;

	(void)state;
	(void)error_set(&error, STATUS_REFUSED, "line %d", 5);
	log_event(&log, LOG_EVENT_DIRECTORY_FOUND, "it is\n%s", "back");
	assert_int_equal(events.event, LOG_EVENT_DIRECTORY_FOUND);
	assert_int_equal(events.level, LOG_LEVEL_INFO);
	assert_string_equal(events.line, "it is?back");
	log_event_failure(&log, LOG_EVENT_POLICY_REFUSED, "refused", &error);
	assert_int_equal(events.event, LOG_EVENT_POLICY_REFUSED);
	assert_int_equal(events.level, LOG_LEVEL_ERROR);
	assert_string_equal(events.line, "refused: line 5");
	log_warning(&log, "no event");
	assert_int_equal(events.count, 2);
}

static void log_event__any_other_sink__gets_lines_of_its_level(void **state)
{
	struct capture capture = {0};
	const struct log log = {.level = LOG_LEVEL_WARNING, .write = capture_line, .context = &capture};

	(void)state;
	log_event(&log, LOG_EVENT_STARTED, "info");
	assert_int_equal(capture.count, 0);
	log_event(&log, LOG_EVENT_WATCH_LOST, "lost");
	assert_int_equal(capture.count, 1);
	assert_string_equal(capture.line, "lost");
	log_event(NULL, LOG_EVENT_WATCH_LOST, "nobody");
}

static void log_level_parse__words__are_those_of_log_level_word(void **state)
{
	enum log_level parsed = LOG_LEVEL_INFO;
	int level;

	(void)state;
	for (level = LOG_LEVEL_ERROR; level <= LOG_LEVEL_DEBUG; level++) {
		assert_true(log_level_parse(log_level_word((enum log_level)level), &parsed));
		assert_int_equal(parsed, level);
	}
	assert_true(log_level_parse("WARNING", &parsed));
	assert_int_equal(parsed, LOG_LEVEL_WARNING);
	assert_false(log_level_parse("", &parsed));
	assert_false(log_level_parse("warnings", &parsed));
	assert_false(log_level_parse(NULL, &parsed));
	assert_int_equal(parsed, LOG_LEVEL_WARNING);
	assert_string_equal(log_level_word((enum log_level)17), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(log_levels__each_limit__drops_what_is_more_detailed),
	    cmocka_unit_test(log_error__no_log_or_no_sink__takes_nothing),
	    cmocka_unit_test(log_info__hostile_text__comes_out_harmless),
	    cmocka_unit_test(log_info__too_long__is_cut_between_characters_and_marked),
	    cmocka_unit_test(log_info__bytes_that_grow__stay_within_the_line),
	    cmocka_unit_test(log_failure__with_and_without_hint__is_one_line),
	    cmocka_unit_test(log_event__a_sink_that_knows_events__gets_each_with_its_number),
	    cmocka_unit_test(log_event__any_other_sink__gets_lines_of_its_level),
	    cmocka_unit_test(log_level_parse__words__are_those_of_log_level_word),
	};

	return cmocka_run_group_tests_name("base/log", tests, NULL, NULL);
}
