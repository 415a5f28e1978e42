/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include <authorizer/epochs.h>
#include <base/memory.h>
#include <support/memory_failing.h>

/* A hash that falls into this bucket. */
static uint64_t hash_in(uint16_t bucket)
{
	return (uint64_t)bucket << 48 | 0xABCDEF;
}

static void epochs_holds__nothing_was_touched__holds_since_the_beginning(void **state)
{
	struct epochs *epochs = epochs_new();

	(void)state;
	assert_non_null(epochs);
	assert_int_equal(epochs_now(epochs), 0);
	for (uint32_t bucket = 0; bucket < EPOCHS_BUCKETS; bucket++)
		assert_true(epochs_holds(epochs, (uint16_t)bucket, 0));
	assert_true(epochs_all_hold(epochs, 0));
	memory_free(epochs);
}

static void epochs_bucket__hash__every_bucket_is_reached(void **state)
{
	(void)state;
	assert_int_equal(epochs_bucket(0), 0);
	assert_int_equal(epochs_bucket(UINT64_MAX), EPOCHS_BUCKETS - 1);
	assert_int_equal(epochs_bucket(hash_in(4711)), 4711);
}

static void epochs_touch__a_bucket__what_was_learned_before_is_out_of_date(void **state)
{
	struct epochs *epochs = epochs_new();
	uint64_t before = epochs_now(epochs), after;

	(void)state;
	assert_non_null(epochs);
	epochs_touch(epochs, hash_in(7));
	after = epochs_now(epochs);

	assert_true(after > before);
	assert_false(epochs_holds(epochs, 7, before));
	assert_true(epochs_holds(epochs, 7, after));
	assert_true(epochs_holds(epochs, 6, before));
	assert_true(epochs_holds(epochs, 8, before));
	assert_true(epochs_all_hold(epochs, before));
	memory_free(epochs);
}

static void epochs_touch__twice__what_was_learned_between_is_out_of_date(void **state)
{
	struct epochs *epochs = epochs_new();
	uint64_t between;

	(void)state;
	assert_non_null(epochs);
	epochs_touch(epochs, hash_in(7));
	between = epochs_now(epochs);
	epochs_touch(epochs, hash_in(7));

	assert_false(epochs_holds(epochs, 7, between));
	assert_true(epochs_holds(epochs, 7, epochs_now(epochs)));
	memory_free(epochs);
}

static void epochs_touch__another_bucket_later__the_first_still_shows_its_own_change(void **state)
{
	struct epochs *epochs = epochs_new();
	uint64_t after_first;

	(void)state;
	assert_non_null(epochs);
	epochs_touch(epochs, hash_in(0));
	after_first = epochs_now(epochs);
	epochs_touch(epochs, hash_in(EPOCHS_BUCKETS - 1));

	assert_true(epochs_holds(epochs, 0, after_first));
	assert_false(epochs_holds(epochs, 0, after_first - 1));
	assert_false(epochs_holds(epochs, EPOCHS_BUCKETS - 1, after_first));
	memory_free(epochs);
}

static void epochs_touch_everything__later_lookups__hold(void **state)
{
	struct epochs *epochs = epochs_new();
	uint64_t before = epochs_now(epochs), after;

	(void)state;
	assert_non_null(epochs);
	epochs_touch_everything(epochs);
	after = epochs_now(epochs);

	assert_true(after > before);
	assert_false(epochs_all_hold(epochs, before));
	assert_true(epochs_all_hold(epochs, after));
	assert_true(epochs_holds(epochs, 7, before));
	memory_free(epochs);
}

static void epochs_new__no_memory__is_null(void **state)
{
	(void)state;
	memory_fail_at(1);
	assert_null(epochs_new());
	memory_fail_at(0);
	assert_int_equal(memory_live_count(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(epochs_holds__nothing_was_touched__holds_since_the_beginning),
	    cmocka_unit_test(epochs_bucket__hash__every_bucket_is_reached),
	    cmocka_unit_test(epochs_touch__a_bucket__what_was_learned_before_is_out_of_date),
	    cmocka_unit_test(epochs_touch__twice__what_was_learned_between_is_out_of_date),
	    cmocka_unit_test(epochs_touch__another_bucket_later__the_first_still_shows_its_own_change),
	    cmocka_unit_test(epochs_touch_everything__later_lookups__hold),
	    cmocka_unit_test(epochs_new__no_memory__is_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
