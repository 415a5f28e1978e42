/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include <directory/dir_renewal.h>

#define NOW   UINT64_C(1000000)
#define AHEAD UINT64_C(600000)
#define AGAIN UINT64_C(30000)
#define TRIES 1000

static void due__no_ticket__never(void **state)
{
	(void)state;

	assert_true(dir_renewal_due_ms(UINT64_MAX, NOW, AHEAD, AGAIN) == UINT64_MAX);
}

static void due__ticket_has_ended__soon_but_not_at_once(void **state)
{
	(void)state;

	assert_true(dir_renewal_due_ms(NOW, NOW, AHEAD, AGAIN) == NOW + AGAIN);
	assert_true(dir_renewal_due_ms(0, NOW, AHEAD, AGAIN) == NOW + AGAIN);
}

static void due__ticket_of_hours__ten_to_fifteen_minutes_before(void **state)
{
	const uint64_t end = NOW + UINT64_C(36000000);

	(void)state;
	for (int i = 0; i < TRIES; i++) {
		const uint64_t due = dir_renewal_due_ms(end, NOW, AHEAD, AGAIN);

		assert_true(due <= end - AHEAD);
		assert_true(due >= end - AHEAD - AHEAD / 2);
	}
}

static void due__short_ticket__in_its_last_third(void **state)
{
	const uint64_t life = 5000;

	(void)state;
	for (int i = 0; i < TRIES; i++) {
		const uint64_t due = dir_renewal_due_ms(NOW + life, NOW, AHEAD, AGAIN);

		assert_true(due <= NOW + life - life / 5);
		assert_true(due >= NOW + life - life * 3 / 10);
	}
}

static void due__ticket_ends_within_a_moment__not_before_now(void **state)
{
	(void)state;

	for (uint64_t left = 1; left < 20; left++)
		assert_true(dir_renewal_due_ms(NOW + left, NOW, AHEAD, AGAIN) >= NOW);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(due__no_ticket__never),
	    cmocka_unit_test(due__ticket_has_ended__soon_but_not_at_once),
	    cmocka_unit_test(due__ticket_of_hours__ten_to_fifteen_minutes_before),
	    cmocka_unit_test(due__short_ticket__in_its_last_third),
	    cmocka_unit_test(due__ticket_ends_within_a_moment__not_before_now),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
