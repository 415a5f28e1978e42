/* SPDX-License-Identifier: Apache-2.0 */
#include <base/memory.h>
#include <plugin/plugin_text.h>
#include <string.h>
#include <support/assertions.h>

#define LIMIT 4

static void plugin_text_read__strings_of_a_host__are_bounded_and_checked(void **state)
{
	static const struct {
		const char *name;
		WCHAR units[8];
		enum status expected;
		const char *text;
	} rows[] = {
	    {"empty", {0}, STATUS_OK, ""},
	    {"ASCII", {'a', 'b', 0}, STATUS_OK, "ab"},
	    {"exactly the limit", {'a', 'b', 'c', 'd', 0}, STATUS_OK, "abcd"},
	    {"one above the limit", {'a', 'b', 'c', 'd', 'e', 0}, STATUS_LIMIT, NULL},
	    {"two bytes", {0xE9, 0}, STATUS_OK, "\xC3\xA9"},
	    {"a pair", {0xD83D, 0xDE00, 0}, STATUS_OK, "\xF0\x9F\x98\x80"},
	    {"high alone", {0xD83D, 'a', 0}, STATUS_INVALID, NULL},
	    {"high at the end", {'a', 0xD83D, 0}, STATUS_INVALID, NULL},
	    {"low alone", {0xDE00, 0}, STATUS_INVALID, NULL},
	    {"low before high", {0xDE00, 0xD83D, 0}, STATUS_INVALID, NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char *text = NULL;
		size_t length = 99;

		assert_row(rows[i].name, plugin_text_read(rows[i].units, LIMIT, &text, &length) == rows[i].expected);
		if (rows[i].text == NULL) {
			assert_row(rows[i].name, text == NULL && length == 99);
			continue;
		}
		assert_row(rows[i].name, text != NULL && strcmp(text, rows[i].text) == 0);
		assert_row(rows[i].name, length == strlen(rows[i].text));
		memory_free(text);
	}
}

static void plugin_text_read__no_string__gives_no_string(void **state)
{
	char untouched = 'x', *text = &untouched;
	size_t length = 99;

	(void)state;
	assert_status(plugin_text_read(NULL, LIMIT, &text, &length), STATUS_OK, NULL);
	assert_null(text);
	assert_int_equal(length, 0);
}

/* Under the address sanitizer, a read behind the block ends the test. */
static void plugin_text_read__no_terminator_within_the_limit__reads_one_unit_more_and_stops(void **state)
{
	WCHAR *units = memory_new_array(LIMIT + 1, sizeof(*units));
	char *text = NULL;

	(void)state;
	assert_non_null(units);
	for (size_t i = 0; i <= LIMIT; i++)
		units[i] = 'a';
	assert_status(plugin_text_read(units, LIMIT, &text, NULL), STATUS_LIMIT, NULL);
	assert_null(text);
	memory_free(units);
}

static void plugin_text_write__utf8__gives_terminated_units(void **state)
{
	static const WCHAR expected[] = {'h', 0xE9, 0xD83D, 0xDE00, 0};
	WCHAR *units = NULL;

	(void)state;
	assert_status(plugin_text_write("h\xC3\xA9\xF0\x9F\x98\x80", &units), STATUS_OK, NULL);
	assert_memory_equal(units, expected, sizeof(expected));
	memory_free(units);
}

static void plugin_text_write__bytes_that_are_not_utf8__are_refused(void **state)
{
	WCHAR *units = NULL;

	(void)state;
	assert_status(plugin_text_write("a\xFFz", &units), STATUS_INVALID, NULL);
	assert_null(units);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(plugin_text_read__strings_of_a_host__are_bounded_and_checked),
	    cmocka_unit_test(plugin_text_read__no_string__gives_no_string),
	    cmocka_unit_test(plugin_text_read__no_terminator_within_the_limit__reads_one_unit_more_and_stops),
	    cmocka_unit_test(plugin_text_write__utf8__gives_terminated_units),
	    cmocka_unit_test(plugin_text_write__bytes_that_are_not_utf8__are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
