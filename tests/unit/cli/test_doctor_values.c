/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include <cli/doctor_values.h>
#include <stdio.h>
#include <string.h>
#include <support/memory_failing.h>

static bool count(struct doctor_values *values, const char *value, const char *dn)
{
	const struct dir_value one = {value, strlen(value)};

	return doctor_values_count(values, &one, dn);
}

static void doctor_values_text__counted_values__the_most_frequent_first(void **state)
{
	struct doctor doctor = {.arena = arena_new(1 << 20)};
	struct doctor_values values = {.count = 0};

	(void)state;
	assert_true(count(&values, "Mars", "uid=a") && count(&values, "Moon", "uid=b") &&
		    count(&values, "MOON", "uid=c"));
	assert_string_equal(doctor_values_text(&values, &doctor),
			    "'Moon' of 2 users (uid=b for one), 'Mars' of 1 user (uid=a)");
	doctor_values_done(&values);
	assert_string_equal(doctor_values_text(&values, &doctor), "");
	arena_free(&doctor.arena);
}

static void doctor_values_text__more_than_are_named_or_counted__says_how_many(void **state)
{
	struct doctor doctor = {.arena = arena_new(1 << 20)};
	struct doctor_values values = {.count = 0};
	char value[16];

	(void)state;
	for (int i = 0; i < DOCTOR_NAMED_VALUES + 3; i++) {
		(void)snprintf(value, sizeof(value), "value %d", i);
		assert_true(count(&values, value, "uid=a"));
	}
	assert_non_null(strstr(doctor_values_text(&values, &doctor), ", and 3 other values"));
	for (int i = 0; i < DOCTOR_MAX_VALUES + 5; i++) {
		(void)snprintf(value, sizeof(value), "value %d", i);
		assert_true(count(&values, value, "uid=a"));
	}
	assert_int_equal(values.count, DOCTOR_MAX_VALUES);
	assert_int_equal(values.others, 5);
	assert_non_null(strstr(doctor_values_text(&values, &doctor), "more than 190 other values"));
	doctor_values_done(&values);
	arena_free(&doctor.arena);
}

static void doctor_values_count__nth_allocation_fails__is_not_counted(void **state)
{
	const size_t before = memory_live_count();

	(void)state;
	for (size_t n = 1;; n++) {
		struct doctor_values values = {.count = 0};
		bool counted;

		memory_fail_at(n);
		counted = count(&values, "Moon", "uid=a");
		memory_fail_at(0);
		assert_int_equal(values.count, counted ? 1 : 0);
		doctor_values_done(&values);
		assert_int_equal(memory_live_count(), before);
		if (counted) {
			assert_true(n > 3);
			break;
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(doctor_values_text__counted_values__the_most_frequent_first),
	    cmocka_unit_test(doctor_values_text__more_than_are_named_or_counted__says_how_many),
	    cmocka_unit_test(doctor_values_count__nth_allocation_fails__is_not_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
