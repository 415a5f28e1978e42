/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include <base/ascii.h>
#include <string.h>

static void ascii_classes__every_byte__only_the_ascii_ones(void **state)
{
	int i;
	char c;

	(void)state;
	for (i = 0; i < 256; i++) {
		c = (char)i;
		assert_int_equal(ascii_is_digit(c), i >= '0' && i <= '9');
		assert_int_equal(ascii_is_alnum(c),
				 (i >= '0' && i <= '9') || (i >= 'a' && i <= 'z') || (i >= 'A' && i <= 'Z'));
		assert_int_equal(ascii_is_blank(c), i == ' ' || i == '\t' || i == '\r' || i == '\n');
		assert_int_equal((unsigned char)ascii_lower(c), i >= 'A' && i <= 'Z' ? i + 32 : i);
	}
}

static void ascii_equal_nocase__table__as_expected(void **state)
{
	static const struct {
		const char *a, *b;
		bool expected;
	} rows[] = {
	    {"", "", true},
	    {"uid", "UID", true},
	    {"uid", "uidx", false},
	    {"uidx", "uid", false},
	    {"a[", "A{", false}, /* the bytes around the letters differ by 32 too */
	    {"a@", "A`", false},
	    {"\xC3\x84", "\xC3\xA4", false}, /* umlauts are no ASCII letters */
	    {"k", "\xE2\x84\xAA", false},    /* nor is the Kelvin sign a k */
	    {"stra\xC3\x9F"
	     "e",
	     "STRASSE", false},
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT_OF(rows); i++)
		assert_row(rows[i].a, ascii_equal_nocase(rows[i].a, rows[i].b) == rows[i].expected);
}

static void ascii_equal_nocase__null__equals_only_null(void **state)
{
	(void)state;
	assert_true(ascii_equal_nocase(NULL, NULL));
	assert_false(ascii_equal_nocase(NULL, ""));
	assert_false(ascii_equal_nocase("", NULL));
}

static void ascii_equal_nocase_n__nul_inside__is_compared(void **state)
{
	(void)state;
	assert_true(ascii_equal_nocase_n("a\0B", 3, "A\0b", 3));
	assert_false(ascii_equal_nocase_n("a\0b", 3, "a\0c", 3));
	assert_false(ascii_equal_nocase_n("a\0b", 3, "a", 1));
}

static void ascii_next_word__list__gives_each_word(void **state)
{
	const char *cursor = " \t one\r\ntwo  three";
	size_t length = 0;
	const char *word;

	(void)state;
	word = ascii_next_word(&cursor, &length);
	assert_int_equal(length, 3);
	assert_memory_equal(word, "one", 3);
	word = ascii_next_word(&cursor, &length);
	assert_int_equal(length, 3);
	assert_memory_equal(word, "two", 3);
	word = ascii_next_word(&cursor, &length);
	assert_int_equal(length, 5);
	assert_memory_equal(word, "three", 5);
	assert_null(ascii_next_word(&cursor, &length));
	assert_null(ascii_next_word(&cursor, &length));
}

static void ascii_next_word__blanks_only__gives_none(void **state)
{
	const char *cursor = " \t\r\n";
	size_t length = 77;

	(void)state;
	assert_null(ascii_next_word(&cursor, &length));
	assert_int_equal(length, 77);
	assert_string_equal(cursor, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(ascii_classes__every_byte__only_the_ascii_ones),
	    cmocka_unit_test(ascii_equal_nocase__table__as_expected),
	    cmocka_unit_test(ascii_equal_nocase__null__equals_only_null),
	    cmocka_unit_test(ascii_equal_nocase_n__nul_inside__is_compared),
	    cmocka_unit_test(ascii_next_word__list__gives_each_word),
	    cmocka_unit_test(ascii_next_word__blanks_only__gives_none),
	};

	return cmocka_run_group_tests_name("base/ascii", tests, NULL, NULL);
}
