/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include <directory/dir_guard.h>
#include <os/clock.h>
#include <stdatomic.h>

/* Long enough to be sure that nothing happens, and short enough to wait for. */
#define MOMENT_MS 50
#define LONG_MS   60000

struct bench {
	struct dir_guard guard;
	atomic_uint cuts;
};

static void cut(void *context)
{
	struct bench *bench = context;

	atomic_fetch_add(&bench->cuts, 1);
}

static int setup(void **state)
{
	static struct bench bench;

	atomic_init(&bench.cuts, 0);
	assert_int_equal(dir_guard_start(&bench.guard, cut, &bench, NULL), STATUS_OK);
	*state = &bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	dir_guard_end(&bench->guard);
	return 0;
}

static void await_cuts(struct bench *bench, unsigned count)
{
	const uint64_t end_ms = clock_monotonic_ms() + LONG_MS;

	while (atomic_load(&bench->cuts) < count && clock_monotonic_ms() < end_ms)
		thread_pause(1);
	assert_int_equal(atomic_load(&bench->cuts), count);
}

static void arm__a_deadline_that_passes__cuts_once(void **state)
{
	struct bench *bench = *state;

	dir_guard_arm(&bench->guard, clock_monotonic_ms() + 1);
	await_cuts(bench, 1);

	thread_pause(MOMENT_MS);
	assert_int_equal(atomic_load(&bench->cuts), 1);
}

static void arm__one_that_has_passed_already__cuts(void **state)
{
	struct bench *bench = *state;

	dir_guard_arm(&bench->guard, 0);

	await_cuts(bench, 1);
}

static void disarm__before_the_deadline__does_not_cut(void **state)
{
	struct bench *bench = *state;

	dir_guard_arm(&bench->guard, clock_monotonic_ms() + MOMENT_MS);
	dir_guard_disarm(&bench->guard);

	thread_pause(3 * MOMENT_MS);
	assert_int_equal(atomic_load(&bench->cuts), 0);
}

/* It sleeps until the first one then, and has to be woken for the second. */
static void arm__an_earlier_deadline_than_the_one_before__cuts_in_time(void **state)
{
	struct bench *bench = *state;

	dir_guard_arm(&bench->guard, clock_monotonic_ms() + 2 * (uint64_t)LONG_MS);
	thread_pause(MOMENT_MS);
	dir_guard_disarm(&bench->guard);
	dir_guard_arm(&bench->guard, clock_monotonic_ms() + 1);

	await_cuts(bench, 1);
}

/* ... and for this one it looks by itself. */
static void arm__a_later_deadline_than_the_one_before__cuts_when_that_has_passed(void **state)
{
	struct bench *bench = *state;
	const uint64_t due_ms = clock_monotonic_ms() + 2 * MOMENT_MS;

	dir_guard_arm(&bench->guard, clock_monotonic_ms() + MOMENT_MS);
	dir_guard_disarm(&bench->guard);
	dir_guard_arm(&bench->guard, due_ms);

	await_cuts(bench, 1);
	assert_true(clock_monotonic_ms() >= due_ms);
}

static void end__while_armed__ends_without_a_cut(void **state)
{
	struct bench *bench = *state;

	dir_guard_arm(&bench->guard, clock_monotonic_ms() + 2 * (uint64_t)LONG_MS);
	dir_guard_end(&bench->guard);
	dir_guard_end(&bench->guard);

	assert_int_equal(atomic_load(&bench->cuts), 0);
}

#define GUARD_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    GUARD_TEST(arm__a_deadline_that_passes__cuts_once),
	    GUARD_TEST(arm__one_that_has_passed_already__cuts),
	    GUARD_TEST(disarm__before_the_deadline__does_not_cut),
	    GUARD_TEST(arm__an_earlier_deadline_than_the_one_before__cuts_in_time),
	    GUARD_TEST(arm__a_later_deadline_than_the_one_before__cuts_when_that_has_passed),
	    GUARD_TEST(end__while_armed__ends_without_a_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
