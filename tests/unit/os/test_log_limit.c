/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include <os/log_limit.h>
#include <stdio.h>

/* Each test has a time of its own, so that what another one has said is over. */
#define AT(test) ((uint64_t)(test)*1000 * LOG_LIMIT_MS)

static void log_limit_pass__the_same_line__is_counted_behind_the_burst(void **state)
{
	uint64_t left_out = 99;

	(void)state;
	for (unsigned i = 0; i < LOG_LIMIT_BURST; i++) {
		assert_true(log_limit_pass("one", AT(1) + i, &left_out));
		assert_int_equal(left_out, 0);
	}
	for (unsigned i = 0; i < 1000; i++)
		assert_false(log_limit_pass("one", AT(1) + LOG_LIMIT_MS - 1, &left_out));
	assert_true(log_limit_pass("two", AT(1) + 10, &left_out));
	assert_int_equal(left_out, 0);
	assert_true(log_limit_pass("one", AT(1) + LOG_LIMIT_MS, &left_out));
	assert_int_equal(left_out, 1000);
	assert_true(log_limit_pass("one", AT(1) + LOG_LIMIT_MS, &left_out));
	assert_int_equal(left_out, 0);
}

/* What finds no place is written: a line is lost only if it was said before. */
static void log_limit_pass__many_lines__each_is_written_at_first(void **state)
{
	uint64_t left_out;
	char line[32];

	(void)state;
	for (unsigned i = 0; i < 5000; i++) {
		(void)snprintf(line, sizeof(line), "line %u", i);
		assert_true(log_limit_pass(line, AT(2), &left_out));
	}
}

static void log_limit_pass__many_lines_before__does_not_keep_their_places(void **state)
{
	uint64_t left_out;
	unsigned passed = 0;

	(void)state;
	for (unsigned i = 0; i < 1000; i++)
		passed += log_limit_pass("after them", AT(3), &left_out) ? 1 : 0;
	assert_int_equal(passed, LOG_LIMIT_BURST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(log_limit_pass__the_same_line__is_counted_behind_the_burst),
	    cmocka_unit_test(log_limit_pass__many_lines__each_is_written_at_first),
	    cmocka_unit_test(log_limit_pass__many_lines_before__does_not_keep_their_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
