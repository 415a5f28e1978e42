/* SPDX-License-Identifier: Apache-2.0 */
#include <cli/histogram.h>
#include <stdlib.h>
#include <string.h>
#include <support/assertions.h>

static int make(void **state)
{
	*state = calloc(1, sizeof(struct histogram));
	return *state == NULL ? -1 : 0;
}

static int drop(void **state)
{
	free(*state);
	return 0;
}

static void histogram_percentile__no_values__is_0(void **state)
{
	assert_int_equal(histogram_percentile(*state, 50000), 0);
}

static void histogram_percentile__small_values__are_exact(void **state)
{
	static const struct {
		unsigned per_100000;
		uint64_t expected;
	} rows[] = {{0, 1},      {1000, 1},   {1001, 2},    {50000, 50},  {50001, 51},
		    {90000, 90}, {99000, 99}, {99900, 100}, {100000, 100}};
	struct histogram *histogram = *state;

	for (uint64_t value = 100; value >= 1; value--)
		histogram_add(histogram, value);

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_int_equal(histogram_percentile(histogram, rows[i].per_100000), rows[i].expected);
	assert_int_equal(histogram->count, 100);
}

/* Each value alone: the maximum is known as it is, so a second, far larger one shows the bucket's end. */
static void histogram_percentile__any_value__is_right_to_a_sixty_fourth(void **state)
{
	struct histogram *histogram = *state;

	for (uint64_t value = 1; value < UINT64_C(1) << 39; value += value / 3 + 1) {
		uint64_t found;

		memset(histogram, 0, sizeof(*histogram));
		histogram_add(histogram, value);
		histogram_add(histogram, (UINT64_C(1) << HISTOGRAM_VALUE_BITS) - 1);
		found = histogram_percentile(histogram, 50000);
		assert_true(found >= value && found - value <= value / 64);
	}
}

/* The ends of one bucket and the beginning of the next. */
static void histogram_add__neighbours_around_each_power_of_two__stay_in_order(void **state)
{
	struct histogram *histogram = *state;

	for (unsigned bits = 7; bits < HISTOGRAM_VALUE_BITS; bits++) {
		uint64_t power = UINT64_C(1) << bits;

		memset(histogram, 0, sizeof(*histogram));
		histogram_add(histogram, power - 1);
		histogram_add(histogram, power);
		assert_int_equal(histogram_percentile(histogram, 50000), power - 1);
		assert_int_equal(histogram_percentile(histogram, 100000), power);
	}
}

static void histogram_add__huge_value__is_cut(void **state)
{
	struct histogram *histogram = *state;

	histogram_add(histogram, UINT64_MAX);

	assert_int_equal(histogram->max, (UINT64_C(1) << HISTOGRAM_VALUE_BITS) - 1);
	assert_int_equal(histogram_percentile(histogram, 50000), histogram->max);
}

static void histogram_merge__two_halves__are_the_whole(void **state)
{
	struct histogram *whole = *state, *odd = calloc(1, sizeof(*odd)), *even = calloc(1, sizeof(*even));

	assert_true(odd != NULL && even != NULL);
	for (uint64_t value = 0; value < 100000; value += 7) {
		histogram_add(whole, value * value);
		histogram_add(value % 2 == 0 ? even : odd, value * value);
	}

	histogram_merge(even, odd);

	assert_memory_equal(even, whole, sizeof(*whole));
	free(odd);
	free(even);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(histogram_percentile__no_values__is_0, make, drop),
	    cmocka_unit_test_setup_teardown(histogram_percentile__small_values__are_exact, make, drop),
	    cmocka_unit_test_setup_teardown(histogram_percentile__any_value__is_right_to_a_sixty_fourth, make, drop),
	    cmocka_unit_test_setup_teardown(histogram_add__neighbours_around_each_power_of_two__stay_in_order, make,
					    drop),
	    cmocka_unit_test_setup_teardown(histogram_add__huge_value__is_cut, make, drop),
	    cmocka_unit_test_setup_teardown(histogram_merge__two_halves__are_the_whole, make, drop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
