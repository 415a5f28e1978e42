/* SPDX-License-Identifier: Apache-2.0 */
#include <base/memory.h>
#include <base/utf.h>
#include <cli/wide_text.h>
#include <string.h>
#include <support/assertions.h>

static void wide_text__arguments__are_utf8(void **state)
{
	static const struct {
		const wchar_t *units;
		const char *expected;
	} rows[] = {
	    {L"", ""},
	    {L"CORP\\alice", "CORP\\alice"},
	    {L"J\x00FCrgen \x20AC", "J\xC3\xBCrgen \xE2\x82\xAC"},
	    {L"\xD83D\xDE00", "\xF0\x9F\x98\x80"},
	    {L"\xFFFF", "\xEF\xBF\xBF"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char *text = wide_text(rows[i].units);

		assert_non_null(text);
		assert_row(rows[i].expected, strcmp(text, rows[i].expected) == 0);
		memory_free(text);
	}
}

/* Two names that are not the same stay two, and neither can be one that a directory has. */
static void wide_text__half_a_pair__is_not_utf8(void **state)
{
	static const wchar_t *const rows[] = {L"a\xD800",
					      L"\xDC00"
					      L"b",
					      L"\xD800\xD800", L"\xDC00\xD800", L"\xDBFFx"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char *text = wide_text(rows[i]);

		assert_non_null(text);
		assert_false(utf8_is_valid(text, strlen(text)));
		assert_int_equal(strlen(text), wcslen(rows[i]) + 2 * (size_t)(i == 2 || i == 3 ? 2 : 1));
		memory_free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(wide_text__arguments__are_utf8),
	    cmocka_unit_test(wide_text__half_a_pair__is_not_utf8),
	};

	return cmocka_run_group_tests_name("cli/wide_text", tests, NULL, NULL);
}
