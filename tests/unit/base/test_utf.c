/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include <base/memory.h>
#include <base/utf.h>
#include <string.h>
#include <support/memory_failing.h>

static void utf8_next__every_code_point__comes_back(void **state)
{
	uint32_t code_point;
	const char *at;
	char bytes[4];
	size_t length;

	(void)state;
	for (code_point = 0; code_point <= 0x10FFFF; code_point++) {
		if (code_point == 0xD800)
			code_point = 0xE000;
		length = utf8_put(code_point, bytes);
		at = bytes;
		assert_int_equal(utf8_next(&at, bytes + length), code_point);
		assert_ptr_equal(at, bytes + length);
	}
}

static void utf8_next__not_utf8__steps_one_byte(void **state)
{
	static const char *const rows[] = {
	    "\x80", /* a continuation alone */
	    "\xBF",
	    "\xC0\x80", /* overlong NUL */
	    "\xC0\xAF", /* overlong slash */
	    "\xC1\xBF",
	    "\xE0\x80\xAF",
	    "\xE0\x9F\xBF",
	    "\xF0\x80\x80\xAF",
	    "\xF0\x8F\xBF\xBF",
	    "\xED\xA0\x80", /* surrogates */
	    "\xED\xBF\xBF",
	    "\xF4\x90\x80\x80", /* above U+10FFFF */
	    "\xF5\x80\x80\x80",
	    "\xF7\xBF\xBF\xBF",
	    "\xF8\x88\x80\x80\x80",
	    "\xFC\x84\x80\x80\x80\x80",
	    "\xFE",
	    "\xFF",
	    "\xC3", /* cut off */
	    "\xE2\x82",
	    "\xF0\x9F\x98",
	    "\xC3z", /* interrupted */
	    "\xE2\x82z",
	    "\xE2z\x82",
	    "\xF0\x9F\x98z",
	    "\xC3\xC3\xA4",
	};
	const char *at;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT_OF(rows); i++) {
		at = rows[i];
		assert_row(rows[i], utf8_next(&at, rows[i] + strlen(rows[i])) == UTF_INVALID);
		assert_row(rows[i], at == rows[i] + 1);
		assert_row(rows[i], !utf8_is_valid(rows[i], strlen(rows[i])));
	}
}

static void utf8_is_valid__well_formed__is_true(void **state)
{
	static const char *const rows[] = {
	    "",
	    "abc",
	    "\xC2\x80",
	    "\xDF\xBF",
	    "\xE0\xA0\x80",
	    "\xED\x9F\xBF",
	    "\xEE\x80\x80",
	    "\xEF\xBF\xBF",
	    "\xF0\x90\x80\x80",
	    "\xF4\x8F\xBF\xBF",
	    "a\xC3\xA4z\xE2\x82\xAC\xF0\x9F\x98\x80",
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT_OF(rows); i++)
		assert_row(rows[i], utf8_is_valid(rows[i], strlen(rows[i])));
	assert_true(utf8_is_valid("a\0b", 3));
}

static void utf8_whole_length__cut_at_each_byte__ends_between_characters(void **state)
{
	static const char text[] = "a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80";
	static const size_t expected[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT_OF(expected); i++)
		assert_int_equal(utf8_whole_length(text, i), expected[i]);
}

static void utf8_whole_length__not_utf8__keeps_it(void **state)
{
	(void)state;
	assert_int_equal(utf8_whole_length("\x80\x80", 2), 2);
	assert_int_equal(utf8_whole_length("\x80\x80\x80\x80\x80", 5), 5);
	assert_int_equal(utf8_whole_length("a\xFF", 2), 2);
	assert_int_equal(utf8_whole_length("\xC3\xA4\x80", 3), 3);
}

static void utf_is_control__table__as_expected(void **state)
{
	static const struct {
		uint32_t first, last;
		bool expected;
	} rows[] = {
	    {0, 0x1F, true},        {0x20, 0x7E, false},     {0x7F, 0x9F, true},     {0xA0, 0x61B, false},
	    {0x61C, 0x61C, true},   {0x61D, 0x200D, false},  {0x200E, 0x200F, true}, {0x2010, 0x2027, false},
	    {0x2028, 0x202E, true}, {0x202F, 0x2065, false}, {0x2066, 0x2069, true}, {0x206A, 0x10FFFF, false},
	};
	uint32_t code_point;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT_OF(rows); i++)
		for (code_point = rows[i].first; code_point <= rows[i].last; code_point++)
			assert_int_equal(utf_is_control(code_point), rows[i].expected);
}

static void utf16_to_utf8__well_formed__and_back__is_the_same(void **state)
{
	static const uint16_t units[] = {'a', 0, 0xE4, 0x20AC, 0xD83D, 0xDE00, 0xD7FF, 0xE000, 0xFFFF, 0xDBFF, 0xDFFF};
	static const char expected[] = "a\0\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF"
				       "\xF4\x8F\xBF\xBF";
	char *text = NULL;
	uint16_t *again = NULL;
	size_t length = 0, count = 0;

	(void)state;
	assert_int_equal(utf16_to_utf8(units, COUNT_OF(units), &text, &length), 0);
	assert_int_equal(length, sizeof(expected) - 1);
	assert_memory_equal(text, expected, sizeof(expected));
	assert_int_equal(utf8_to_utf16(text, length, &again, &count), 0);
	assert_int_equal(count, COUNT_OF(units));
	assert_memory_equal(again, units, sizeof(units));
	assert_int_equal(again[count], 0);
	memory_free(text);
	memory_free(again);
}

static void utf16_to_utf8__empty__gives_an_empty_string(void **state)
{
	char *text = NULL;
	uint16_t *units = NULL;

	(void)state;
	assert_int_equal(utf16_to_utf8(NULL, 0, &text, NULL), 0);
	assert_string_equal(text, "");
	assert_int_equal(utf8_to_utf16("", 0, &units, NULL), 0);
	assert_int_equal(units[0], 0);
	memory_free(text);
	memory_free(units);
}

static void utf16_to_utf8__all_units_of_three_bytes__have_room(void **state)
{
	uint16_t units[100];
	char *text = NULL;
	size_t length = 0, i;

	(void)state;
	for (i = 0; i < COUNT_OF(units); i++)
		units[i] = 0xFFFD;
	assert_int_equal(utf16_to_utf8(units, COUNT_OF(units), &text, &length), 0);
	assert_int_equal(length, 300);
	assert_int_equal(strlen(text), 300);
	memory_free(text);
}

static void utf16_to_utf8__unpaired_surrogate__is_refused(void **state)
{
	static const struct {
		const char *row;
		size_t count;
		uint16_t units[4];
	} rows[] = {
	    {"high at the end", 2, {'a', 0xD83D}},
	    {"high before a letter", 3, {0xD83D, 'a', 'b'}},
	    {"low alone", 1, {0xDE00}},
	    {"low, then high", 2, {0xDE00, 0xD83D}},
	    {"two highs", 3, {0xD83D, 0xD83D, 0xDE00}},
	    {"pair, then low", 3, {0xD83D, 0xDE00, 0xDE00}},
	    {"the low one is not within the count", 1, {0xD83D, 0xDE00}},
	};
	char untouched = 'x', *text = &untouched;
	size_t length = 77, i;

	(void)state;
	for (i = 0; i < COUNT_OF(rows); i++) {
		assert_row(rows[i].row, utf16_to_utf8(rows[i].units, rows[i].count, &text, &length) == -1);
		assert_row(rows[i].row, text == &untouched && length == 77);
	}
}

static void utf16_to_utf8_into__ascii_and_others_mixed__fills_what_it_says_and_no_more(void **state)
{
	static const struct {
		const char *expected;
		size_t count;
		uint16_t units[6];
	} rows[] = {
	    {"", 0, {'x'}},
	    {"abc", 3, {'a', 'b', 'c', 'd'}},
	    {"a\xC3\xA4z", 3, {'a', 0xE4, 'z'}},
	    {"\xC3\xA4"
	     "b\xE2\x82\xAC",
	     3,
	     {0xE4, 'b', 0x20AC}},
	    {"\xF0\x9F\x98\x80z", 3, {0xD83D, 0xDE00, 'z'}},
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT_OF(rows); i++) {
		char out[20];
		size_t length = 77;

		memset(out, '~', sizeof(out));
		assert_row(rows[i].expected, utf16_to_utf8_into(rows[i].units, rows[i].count, out, &length));
		assert_row(rows[i].expected, length == strlen(rows[i].expected));
		assert_row(rows[i].expected, memcmp(out, rows[i].expected, length) == 0 && out[length] == '~');
	}
}

static void utf16_to_utf8_into__unpaired_surrogate__is_refused(void **state)
{
	static const uint16_t units[] = {'a', 0xD83D, 'b'};
	char out[9];
	size_t length = 77;

	(void)state;
	assert_false(utf16_to_utf8_into(units, COUNT_OF(units), out, &length));
	assert_int_equal(length, 77);
}

static void utf8_to_utf16__not_utf8__is_refused(void **state)
{
	uint16_t untouched = 'x', *units = &untouched;
	size_t count = 77;

	(void)state;
	assert_int_equal(utf8_to_utf16("a\xED\xA0\x80", 4, &units, &count), -1);
	assert_int_equal(utf8_to_utf16("a\xC0\x80", 3, &units, &count), -1);
	assert_ptr_equal(units, &untouched);
	assert_int_equal(count, 77);
}

static void utf_conversions__no_memory_or_overflow__are_told(void **state)
{
	static const uint16_t units[] = {'a'};
	const size_t before = memory_live_count();
	char *text = NULL;
	uint16_t *converted = NULL;

	(void)state;
	memory_fail_at(1);
	assert_int_equal(utf16_to_utf8(units, 1, &text, NULL), -2);
	memory_fail_at(1);
	assert_int_equal(utf8_to_utf16("a", 1, &converted, NULL), -2);
	memory_fail_at(0);
	assert_int_equal(utf16_to_utf8(units, SIZE_MAX / 3, &text, NULL), -2);
	assert_int_equal(utf8_to_utf16("a", SIZE_MAX, &converted, NULL), -2);
	assert_int_equal(utf8_to_utf16("a", SIZE_MAX / 2, &converted, NULL), -2);
	assert_null(text);
	assert_null(converted);
	assert_int_equal(memory_live_count(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(utf8_next__every_code_point__comes_back),
	    cmocka_unit_test(utf8_next__not_utf8__steps_one_byte),
	    cmocka_unit_test(utf8_is_valid__well_formed__is_true),
	    cmocka_unit_test(utf8_whole_length__cut_at_each_byte__ends_between_characters),
	    cmocka_unit_test(utf8_whole_length__not_utf8__keeps_it),
	    cmocka_unit_test(utf_is_control__table__as_expected),
	    cmocka_unit_test(utf16_to_utf8__well_formed__and_back__is_the_same),
	    cmocka_unit_test(utf16_to_utf8__empty__gives_an_empty_string),
	    cmocka_unit_test(utf16_to_utf8__all_units_of_three_bytes__have_room),
	    cmocka_unit_test(utf16_to_utf8__unpaired_surrogate__is_refused),
	    cmocka_unit_test(utf16_to_utf8_into__ascii_and_others_mixed__fills_what_it_says_and_no_more),
	    cmocka_unit_test(utf16_to_utf8_into__unpaired_surrogate__is_refused),
	    cmocka_unit_test(utf8_to_utf16__not_utf8__is_refused),
	    cmocka_unit_test(utf_conversions__no_memory_or_overflow__are_told),
	};

	return cmocka_run_group_tests_name("base/utf", tests, NULL, NULL);
}
