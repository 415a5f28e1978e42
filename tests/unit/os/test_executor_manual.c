/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include <os/clock.h>
#include <string.h>
#include <support/clock_manual.h>
#include <support/executor_manual.h>
#include <support/memory_failing.h>

static struct executor *open_executor(void)
{
	struct executor *executor = NULL;

	assert_status(executor_open("test", &executor, NULL), STATUS_OK, NULL);
	return executor;
}

/* A timer that writes its letter and the time into a trace. */
struct mark {
	struct timer timer;
	struct task task;
	struct executor *executor;
	char *trace;
	uint64_t in_ms, ran_ms;
	char letter;
};

static void write_mark(void *context)
{
	struct mark *mark = context;
	const size_t length = strlen(mark->trace);

	mark->trace[length] = mark->letter;
	mark->trace[length + 1] = '\0';
	mark->ran_ms = clock_monotonic_ms();
}

static void set_mark(void *context)
{
	struct mark *mark = context;

	mark->timer = (struct timer){.run = write_mark, .context = mark, .slot = mark->timer.slot};
	assert_status(executor_timer_set(mark->executor, &mark->timer, clock_monotonic_ms() + mark->in_ms), STATUS_OK,
		      NULL);
}

static void mark_set(struct mark *mark, struct executor *executor, char *trace, char letter, uint64_t in_ms)
{
	memset(mark, 0, sizeof(*mark));
	mark->executor = executor;
	mark->trace = trace;
	mark->in_ms = in_ms;
	mark->letter = letter;
	executor_manual_call(executor, set_mark, mark);
}

static void executor_manual_run__tasks__run_in_order_when_told(void **state)
{
	struct executor *executor = open_executor();
	char trace[10] = "";
	struct mark a = {.task = {write_mark, &a, NULL}, .trace = trace, .letter = 'a'};
	struct mark b = {.task = {write_mark, &b, NULL}, .trace = trace, .letter = 'b'};

	(void)state;
	executor_post(executor, &a.task);
	executor_post(executor, &b.task);
	assert_string_equal(trace, "");
	assert_int_equal(executor_manual_run(executor), 2);
	assert_string_equal(trace, "ab");
	assert_int_equal(executor_manual_run(executor), 0);
	executor_close(&executor);
}

static void executor_manual_advance__timers__run_at_their_own_times(void **state)
{
	struct executor *executor = open_executor();
	const uint64_t start_ms = clock_monotonic_ms();
	struct mark marks[4];
	char trace[10] = "";

	(void)state;
	mark_set(&marks[0], executor, trace, 'c', 30);
	mark_set(&marks[1], executor, trace, 'a', 10);
	mark_set(&marks[2], executor, trace, 'b', 10);
	mark_set(&marks[3], executor, trace, 'd', 31);
	assert_int_equal(executor_manual_advance(executor, 9), 0);
	assert_int_equal(executor_manual_advance(executor, 21), 3);
	assert_string_equal(trace, "abc");
	assert_int_equal(clock_monotonic_ms(), start_ms + 30);
	assert_int_equal(marks[1].ran_ms, start_ms + 10);
	assert_int_equal(marks[0].ran_ms, start_ms + 30);
	assert_int_equal(executor_manual_timer_count(executor), 1);
	executor_close(&executor);
	assert_int_equal(marks[3].timer.slot, 0);
	assert_string_equal(trace, "abc");
}

static void executor_manual_advance_all__two_executors__share_one_time(void **state)
{
	struct executor *one = open_executor(), *two = open_executor();
	struct mark marks[3];
	char trace[10] = "";

	(void)state;
	mark_set(&marks[0], one, trace, 'a', 10);
	mark_set(&marks[1], two, trace, 'b', 20);
	mark_set(&marks[2], one, trace, 'c', 30);
	assert_int_equal(executor_manual_advance_all(100), 3);
	assert_string_equal(trace, "abc");
	executor_close(&one);
	executor_close(&two);
}

static void executor_timer__moved_or_cleared__runs_accordingly(void **state)
{
	struct executor *executor = open_executor();
	struct mark marks[3];
	char trace[10] = "";

	(void)state;
	mark_set(&marks[0], executor, trace, 'a', 10);
	mark_set(&marks[1], executor, trace, 'b', 20);
	mark_set(&marks[2], executor, trace, 'c', 15);
	marks[0].in_ms = 25;
	executor_manual_call(executor, set_mark, &marks[0]);
	assert_int_equal(executor_manual_timer_count(executor), 3);
	(void)executor_manual_advance(executor, 100);
	assert_string_equal(trace, "cba");
	executor_close(&executor);
}

static void look(void *context)
{
	struct executor **executor = context;

	assert_true(executor_is_current(*executor));
	*executor = NULL;
}

static void executor_is_current__task_and_test__tells_them_apart(void **state)
{
	struct executor *executor = open_executor(), *seen = executor;
	struct task task = {.run = look, .context = &seen};

	(void)state;
	assert_false(executor_is_current(executor));
	executor_post(executor, &task);
	executor_close(&executor);
	assert_null(seen);
}

static void clock_manual__set_and_moved__shows_it(void **state)
{
	const uint64_t start_us = clock_monotonic_us();
	char stamp[CLOCK_STAMP_BYTES];

	(void)state;
	clock_manual_set_wall_s(1795500000);
	clock_manual_advance_us(1234567);
	assert_true(clock_monotonic_us() == start_us + 1234567);
	assert_true(clock_wall_s() == 1795500001);
	clock_wall_stamp(stamp);
	assert_string_equal(stamp, "2026-11-24T06:00:01.234Z");
	clock_manual_set_ms(1);
	assert_true(clock_monotonic_us() == start_us + 1234567);
	clock_manual_set_ms(clock_monotonic_ms() + 5);
	assert_true(clock_monotonic_ms() == (start_us + 1234567) / 1000 + 5);
}

static void executor_open__no_memory__is_told(void **state)
{
	struct executor *executor = NULL;

	(void)state;
	memory_fail_at(1);
	assert_status(executor_open("test", &executor, NULL), STATUS_NO_MEMORY, NULL);
	memory_fail_at(0);
	assert_null(executor);
	assert_int_equal(memory_live_count(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(executor_manual_run__tasks__run_in_order_when_told),
	    cmocka_unit_test(executor_manual_advance__timers__run_at_their_own_times),
	    cmocka_unit_test(executor_manual_advance_all__two_executors__share_one_time),
	    cmocka_unit_test(executor_timer__moved_or_cleared__runs_accordingly),
	    cmocka_unit_test(executor_is_current__task_and_test__tells_them_apart),
	    cmocka_unit_test(clock_manual__set_and_moved__shows_it),
	    cmocka_unit_test(executor_open__no_memory__is_told),
	};

	return cmocka_run_group_tests_name("support/executor_manual", tests, NULL, NULL);
}
