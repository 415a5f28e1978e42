/* SPDX-License-Identifier: Apache-2.0 */
#include <base/memory.h>
#include <cli/sender_units.h>
#include <plugin/plugin.h>
#include <plugin/plugin_text.h>
#include <string.h>
#include <support/assertions.h>
#include <support/memory_failing.h>

/* What the plug-in makes of the units is what counts: the same text, or a refusal. */
static void sender_units__whole_and_broken_names__come_through_or_are_refused(void **state)
{
	static const struct {
		const char *label, *name;
		size_t length;
		bool is_whole;
	} rows[] = {
	    {"empty", "", 0, true},
	    {"ASCII", "alice", 5, true},
	    {"two bytes", "J\xC3\xB6rg", 5, true},
	    {"three bytes", "\xE2\x82\xAC", 3, true},
	    {"four bytes", "\xF0\x9F\x98\x80!", 5, true},
	    {"the last code point", "\xF4\x8F\xBF\xBF", 4, true},
	    {"U+FFFD itself", "\xEF\xBF\xBD", 3, true},
	    {"NUL inside", "alice\0x", 7, false},
	    {"NUL at the end", "alice\0", 6, false},
	    {"NUL alone", "\0", 1, false},
	    {"a stray byte", "ali\xFF", 4, false},
	    {"a cut sequence", "J\xC3", 2, false},
	    {"overlong", "\xC0\xAF", 2, false},
	    {"a surrogate in UTF-8", "\xED\xA0\x80", 3, false},
	    {"a pair of surrogates in UTF-8", "\xED\xA0\xBD\xED\xB8\x80", 6, false},
	    {"above Unicode", "\xF4\x90\x80\x80", 4, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		WCHAR *units = sender_units(rows[i].name, rows[i].length);
		char *text = NULL;
		enum status status;

		assert_non_null(units);
		status = plugin_text_read(units, PLUGIN_MAX_NAME_UNITS, &text, NULL);
		assert_row(rows[i].label, status == (rows[i].is_whole ? STATUS_OK : STATUS_INVALID));
		assert_row(rows[i].label, !rows[i].is_whole || strcmp(text, rows[i].name) == 0);
		memory_free(text);
		memory_free(units);
	}
}

static void sender_units__no_memory__gives_null(void **state)
{
	(void)state;
	memory_fail_at(1);
	assert_null(sender_units_of("alice"));
	memory_fail_at(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sender_units__whole_and_broken_names__come_through_or_are_refused),
	    cmocka_unit_test(sender_units__no_memory__gives_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
