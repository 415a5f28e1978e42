/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include <base/memory.h>
#include <base/text.h>
#include <string.h>
#include <support/memory_failing.h>

static void text_add__each_kind__appends(void **state)
{
	struct text text;

	(void)state;
	text_init(&text);
	assert_string_equal(text_string(&text), "");
	text_add(&text, "(uid=");
	text_add_bytes(&text, "a\0b", 3);
	text_add_char(&text, ')');
	text_printf(&text, "%s%d", "x", 7);
	text_add(&text, "");
	text_printf(&text, "%s", "");
	assert_false(text_failed(&text));
	assert_int_equal(text.length, 11);
	assert_memory_equal(text_string(&text), "(uid=a\0b)x7\0", 12);
	text_done(&text);
	assert_null(text.data);
}

static void text_add__many_times__keeps_all(void **state)
{
	struct text text;
	size_t i;

	(void)state;
	text_init(&text);
	for (i = 0; i < 10000; i++)
		text_add_char(&text, (char)('a' + i % 26));
	assert_int_equal(text.length, 10000);
	assert_int_equal(strlen(text_string(&text)), 10000);
	for (i = 0; i < 10000; i++)
		assert_int_equal(text_string(&text)[i], 'a' + i % 26);
	text_done(&text);
}

static void text_clear__after_use__empties_and_forgets_failure(void **state)
{
	struct text text;

	(void)state;
	text_init(&text);
	text_add(&text, "abc");
	memory_fail_at(1);
	text_printf(&text, "%0100d", 1);
	assert_true(text_failed(&text));
	text_clear(&text);
	assert_false(text_failed(&text));
	assert_string_equal(text_string(&text), "");
	text_add(&text, "d");
	assert_string_equal(text_string(&text), "d");
	text_done(&text);
}

static void text_add__after_a_failure__adds_nothing_more(void **state)
{
	struct text text;

	(void)state;
	text_init(&text);
	text_add(&text, "(deny)");
	memory_fail_at(1);
	text_printf(&text, "%0100d", 1);
	memory_fail_at(0);
	/* A filter with its middle missing would be another filter. */
	text_add(&text, "x");
	text_add_char(&text, 'y');
	text_printf(&text, "%d", 1);
	assert_true(text_failed(&text));
	assert_string_equal(text_string(&text), "(deny)");
	assert_null(text_take(&text));
	assert_null(text.data);
	assert_false(text_failed(&text));
	text_done(&text);
}

static void text_add__beyond_the_limit__fails(void **state)
{
	static char block[TEXT_MAX_BYTES / 4];
	struct text text;
	int i;

	(void)state;
	memset(block, 'x', sizeof(block));
	text_init(&text);
	for (i = 0; i < 4; i++)
		text_add_bytes(&text, block, sizeof(block));
	assert_false(text_failed(&text));
	text_add_char(&text, 'x');
	assert_true(text_failed(&text));
	text_clear(&text);
	text_add_bytes(&text, block, SIZE_MAX);
	assert_true(text_failed(&text));
	text_done(&text);
}

static void text_take__some_text__hands_it_over(void **state)
{
	const size_t before = memory_live_count();
	struct text text;
	char *taken;

	(void)state;
	text_init(&text);
	text_add(&text, "abc");
	taken = text_take(&text);
	assert_string_equal(taken, "abc");
	assert_string_equal(text_string(&text), "");
	memory_free(taken);
	text_done(&text);
	assert_int_equal(memory_live_count(), before);
}

static void text_take__nothing_added__gives_an_empty_string(void **state)
{
	struct text text;
	char *taken;

	(void)state;
	text_init(&text);
	taken = text_take(&text);
	assert_non_null(taken);
	assert_string_equal(taken, "");
	memory_free(taken);
	memory_fail_at(1);
	assert_null(text_take(&text));
	memory_fail_at(0);
}

static void text__each_allocation_failing__leaks_nothing(void **state)
{
	const size_t before = memory_live_count();
	struct text text;
	char *taken;
	size_t n = 0;

	(void)state;
	do {
		memory_fail_at(++n);
		text_init(&text);
		text_add(&text, "abc");
		text_printf(&text, "%0100d", 1);
		text_add_char(&text, 'x');
		taken = text_take(&text);
		assert_int_equal(taken != NULL, memory_fail_count() < n);
		memory_free(taken);
		assert_int_equal(memory_live_count(), before);
	} while (memory_fail_count() >= n);
	assert_true(n > 2);
	memory_fail_at(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(text_add__each_kind__appends),
	    cmocka_unit_test(text_add__many_times__keeps_all),
	    cmocka_unit_test(text_clear__after_use__empties_and_forgets_failure),
	    cmocka_unit_test(text_add__after_a_failure__adds_nothing_more),
	    cmocka_unit_test(text_add__beyond_the_limit__fails),
	    cmocka_unit_test(text_take__some_text__hands_it_over),
	    cmocka_unit_test(text_take__nothing_added__gives_an_empty_string),
	    cmocka_unit_test(text__each_allocation_failing__leaks_nothing),
	};

	return cmocka_run_group_tests_name("base/text", tests, NULL, NULL);
}
