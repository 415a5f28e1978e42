/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include <os/clock.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static void clock_monotonic__asked_again_and_again__never_goes_back(void **state)
{
	uint64_t before = clock_monotonic_us(), now;
	int i;

	(void)state;
	assert_true(before > 0);
	for (i = 0; i < 100000; i++) {
		now = clock_monotonic_us();
		assert_true(now >= before);
		before = now;
	}
}

static void clock_monotonic_ms__between_two_us__is_between(void **state)
{
	const uint64_t before_us = clock_monotonic_us(), ms = clock_monotonic_ms(), after_us = clock_monotonic_us();

	(void)state;
	assert_true(ms >= before_us / 1000);
	assert_true(ms <= after_us / 1000);
}

static void clock_coarse_ms__beside_the_other_clock__is_behind_and_not_far(void **state)
{
	uint64_t before_ms = clock_monotonic_ms(), coarse_ms, last_ms = 0;
	int i;

	(void)state;
	for (i = 0; i < 100000; i++) {
		coarse_ms = clock_coarse_ms();
		assert_true(coarse_ms >= last_ms);
		/* Far more than a tick: a machine that is held up is not what is tested here. */
		assert_true(coarse_ms + 1000 >= before_ms);
		before_ms = clock_monotonic_ms();
		assert_true(coarse_ms <= before_ms);
		last_ms = coarse_ms;
	}
}

static void clock_wall_s__now__is_the_systems(void **state)
{
	const time_t before = time(NULL);
	const int64_t now = clock_wall_s();

	(void)state;
	/* time() may lag behind by its coarser tick. */
	assert_true(now >= (int64_t)before);
	assert_true(now <= (int64_t)time(NULL) + 1);
}

static void clock_wall_stamp__now__has_the_form_of_rfc_3339(void **state)
{
	static const char form[] = "dddd-dd-ddTdd:dd:dd.dddZ";
	char stamp[CLOCK_STAMP_BYTES];
	size_t i;

	(void)state;
	clock_wall_stamp(stamp);
	assert_int_equal(strlen(stamp), strlen(form));
	for (i = 0; i < strlen(form); i++)
		assert_true(form[i] == 'd' ? stamp[i] >= '0' && stamp[i] <= '9' : stamp[i] == form[i]);
}

static void clock_wall_stamp__now__is_the_time_in_utc(void **state)
{
	const time_t before = (time_t)clock_wall_s();
	char stamp[CLOCK_STAMP_BYTES], earliest[CLOCK_STAMP_BYTES], latest[CLOCK_STAMP_BYTES];
	time_t after;
	struct tm utc;

	(void)state;
	clock_wall_stamp(stamp);
	after = (time_t)clock_wall_s();
	assert_int_not_equal(strftime(earliest, sizeof(earliest), "%Y-%m-%dT%H:%M:%S", gmtime_r(&before, &utc)), 0);
	assert_int_not_equal(strftime(latest, sizeof(latest), "%Y-%m-%dT%H:%M:%S", gmtime_r(&after, &utc)), 0);
	assert_true(strncmp(stamp, earliest, strlen(earliest)) >= 0);
	assert_true(strncmp(stamp, latest, strlen(latest)) <= 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(clock_monotonic__asked_again_and_again__never_goes_back),
	    cmocka_unit_test(clock_monotonic_ms__between_two_us__is_between),
	    cmocka_unit_test(clock_coarse_ms__beside_the_other_clock__is_behind_and_not_far),
	    cmocka_unit_test(clock_wall_s__now__is_the_systems),
	    cmocka_unit_test(clock_wall_stamp__now__has_the_form_of_rfc_3339),
	    cmocka_unit_test(clock_wall_stamp__now__is_the_time_in_utc),
	};

	return cmocka_run_group_tests_name("os/clock", tests, NULL, NULL);
}
