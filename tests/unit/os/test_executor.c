/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include <os/clock.h>
#include <os/executor.h>
#include <os/thread.h>
#include <stdatomic.h>
#include <string.h>
#include <support/memory_failing.h>

#define WAIT_MS  30000
#define POSTERS  4
#define TASKS    2000
#define TIMERS   300
#define LOG_SIZE 1000

static struct executor *open_executor(void)
{
	struct executor *executor = NULL;
	struct error error;

	assert_status(executor_open("test", &executor, &error), STATUS_OK, &error);
	assert_non_null(executor);
	return executor;
}

/* Something that a task or timer announces and the test waits for. */
struct event {
	struct mutex lock; /* guards: happened */
	struct condition changed;
	bool happened;
};

static void event_init(struct event *event)
{
	memset(event, 0, sizeof(*event));
	mutex_init(&event->lock);
	condition_init(&event->changed);
}

static void event_raise(void *context)
{
	struct event *event = context;

	mutex_lock(&event->lock);
	event->happened = true;
	condition_signal(&event->changed);
	mutex_unlock(&event->lock);
}

/* Wait for it and end it. */
static bool event_await(struct event *event)
{
	const uint64_t due_ms = clock_monotonic_ms() + WAIT_MS;
	bool happened;

	mutex_lock(&event->lock);
	while (!event->happened && condition_wait_until(&event->changed, &event->lock, due_ms))
		;
	happened = event->happened;
	mutex_unlock(&event->lock);
	condition_done(&event->changed);
	mutex_done(&event->lock);
	return happened;
}

/* Run `function` on the executor and wait until it has run. */
static void run_on(struct executor *executor, void (*function)(void *context), void *context)
{
	struct task task = {.run = function, .context = context}, last;
	struct event event;

	event_init(&event);
	last = (struct task){.run = event_raise, .context = &event};
	executor_post(executor, &task);
	executor_post(executor, &last);
	assert_true(event_await(&event));
}

struct numbered {
	struct task task;
	struct executor *executor;
	unsigned *order;
	size_t *count;
	unsigned number;
};

static void note_number(void *context)
{
	struct numbered *numbered = context;

	numbered->order[(*numbered->count)++] = numbered->number;
}

static void executor_post__one_poster__runs_in_order(void **state)
{
	static struct numbered numbered[LOG_SIZE];
	static unsigned order[LOG_SIZE];
	struct executor *executor = open_executor();
	size_t count = 0, i;

	(void)state;
	for (i = 0; i < LOG_SIZE; i++) {
		numbered[i] =
		    (struct numbered){{note_number, &numbered[i], NULL}, executor, order, &count, (unsigned)i};
		executor_post(executor, &numbered[i].task);
	}
	executor_close(&executor);
	assert_null(executor);
	assert_int_equal(count, LOG_SIZE);
	for (i = 0; i < LOG_SIZE; i++)
		assert_int_equal(order[i], i);
}

struct poster {
	struct executor *executor;
	struct thread thread;
	struct task tasks[TASKS];
	unsigned *counter; /* the executor's thread alone counts */
};

static void count_up(void *context)
{
	++*(unsigned *)context;
}

static void post_all(void *context)
{
	struct poster *poster = context;
	size_t i;

	for (i = 0; i < TASKS; i++) {
		poster->tasks[i] = (struct task){.run = count_up, .context = poster->counter};
		executor_post(poster->executor, &poster->tasks[i]);
	}
}

static void executor_post__many_threads__runs_each_once(void **state)
{
	static struct poster posters[POSTERS];
	struct executor *executor = open_executor();
	unsigned counter = 0;
	size_t i;

	(void)state;
	for (i = 0; i < POSTERS; i++) {
		posters[i].executor = executor;
		posters[i].counter = &counter;
		assert_status(thread_start(&posters[i].thread, "post", post_all, &posters[i], NULL), STATUS_OK, NULL);
	}
	for (i = 0; i < POSTERS; i++)
		thread_join(&posters[i].thread);
	executor_close(&executor);
	assert_int_equal(counter, POSTERS * TASKS);
}

struct chain {
	struct task task;
	struct executor *executor;
	unsigned left, inside;
	bool ran_inside;
};

static void run_chain(void *context)
{
	struct chain *chain = context;

	chain->ran_inside |= chain->inside++ > 0;
	if (chain->left-- > 0)
		executor_post(chain->executor, &chain->task);
	chain->inside--;
}

static void executor_close__tasks_that_post__runs_them_all(void **state)
{
	struct executor *executor = open_executor();
	struct chain chain = {{run_chain, &chain, NULL}, executor, 1000, 0, false};

	(void)state;
	executor_post(executor, &chain.task);
	executor_close(&executor);
	assert_int_equal(chain.left, UINT32_MAX);
	/* Never inside executor_post(). */
	assert_false(chain.ran_inside);
}

static void executor_close__null_or_idle__returns(void **state)
{
	struct executor *none = NULL, *idle = open_executor();

	(void)state;
	executor_close(&none);
	executor_close(&idle);
	assert_null(idle);
}

struct timed {
	struct timer timer;
	struct executor *executor;
	struct event *event;
	uint64_t due_ms, ran_ms;
	unsigned times;
};

static void note_time(void *context)
{
	struct timed *timed = context;

	timed->ran_ms = clock_monotonic_ms();
	timed->times++;
	if (timed->event != NULL)
		event_raise(timed->event);
}

static void set_timed(void *context)
{
	struct timed *timed = context;

	assert_status(executor_timer_set(timed->executor, &timed->timer, timed->due_ms), STATUS_OK, NULL);
}

static void executor_timer_set__a_time__runs_once_and_not_before(void **state)
{
	struct executor *executor = open_executor();
	struct event event;
	struct timed timed = {.timer = {.run = note_time, .context = &timed}, .executor = executor, .event = &event};

	(void)state;
	event_init(&event);
	timed.due_ms = clock_monotonic_ms() + 30;
	run_on(executor, set_timed, &timed);
	assert_true(event_await(&event));
	executor_close(&executor);
	assert_int_equal(timed.times, 1);
	assert_true(timed.ran_ms >= timed.due_ms);
	assert_int_equal(timed.timer.slot, 0);
}

struct many {
	struct executor *executor;
	struct event event;
	struct timed timed[TIMERS];
	uint64_t last_due_ms;
	unsigned count, wanted;
	bool is_wrong;
};

static struct many many;

static void note_order(void *context)
{
	struct timed *timed = context;

	many.is_wrong |= timed->due_ms < many.last_due_ms || clock_monotonic_ms() < timed->due_ms || timed->times++ > 0;
	many.last_due_ms = timed->due_ms;
	if (++many.count == many.wanted)
		event_raise(&many.event);
}

/* A sequence that goes everywhere below 2^31 and is the same each time. */
static uint32_t scramble(uint32_t number)
{
	return (number * 1103515245u + 12345u) & 0x7FFFFFFFu;
}

/* Set all in a wild order, move half of them, clear a third. */
static void set_many(void *context)
{
	const uint64_t start_ms = clock_monotonic_ms() + 20;
	uint32_t number = 1;
	size_t i;

	(void)context;
	for (i = 0; i < TIMERS; i++) {
		number = scramble(number);
		many.timed[i].timer = (struct timer){.run = note_order, .context = &many.timed[i]};
		many.timed[i].due_ms = start_ms + (number >> 8) % 60;
		assert_status(executor_timer_set(many.executor, &many.timed[i].timer, many.timed[i].due_ms), STATUS_OK,
			      NULL);
	}
	for (i = 0; i < TIMERS; i += 2) {
		number = scramble(number);
		many.timed[i].due_ms = start_ms + (number >> 8) % 60;
		assert_status(executor_timer_set(many.executor, &many.timed[i].timer, many.timed[i].due_ms), STATUS_OK,
			      NULL);
	}
	many.wanted = TIMERS;
	for (i = 0; i < TIMERS; i += 3, many.wanted--) {
		executor_timer_clear(many.executor, &many.timed[i].timer);
		executor_timer_clear(many.executor, &many.timed[i].timer);
	}
}

static void executor_timer_set__many_moved_and_cleared__run_in_order_of_time(void **state)
{
	size_t i;

	(void)state;
	memset(&many, 0, sizeof(many));
	many.executor = open_executor();
	event_init(&many.event);
	run_on(many.executor, set_many, NULL);
	assert_true(event_await(&many.event));
	executor_close(&many.executor);
	assert_false(many.is_wrong);
	assert_int_equal(many.count, TIMERS - TIMERS / 3);
	for (i = 0; i < TIMERS; i++)
		assert_int_equal(many.timed[i].times, i % 3 != 0);
}

static void executor_close__timers_set__drops_them(void **state)
{
	struct executor *executor = open_executor();
	struct timed timed = {.timer = {.run = note_time, .context = &timed}, .executor = executor};

	(void)state;
	timed.due_ms = clock_monotonic_ms() + 3600000;
	run_on(executor, set_timed, &timed);
	assert_int_not_equal(timed.timer.slot, 0);
	executor_close(&executor);
	assert_int_equal(timed.times, 0);
	assert_int_equal(timed.timer.slot, 0);
}

/* A timer that sets itself for now again and again, and a task chain that never ends: both must go on. */
struct busy {
	struct executor *executor;
	struct timer timer;
	struct task task;
	struct event *event;
	unsigned timer_runs, task_runs;
	bool is_over;
};

static void busy_check(struct busy *busy)
{
	if (busy->timer_runs < 100 || busy->task_runs < 100 || busy->is_over)
		return;
	busy->is_over = true;
	event_raise(busy->event);
}

static void busy_timer(void *context)
{
	struct busy *busy = context;

	busy->timer_runs++;
	if (!busy->is_over)
		assert_status(executor_timer_set(busy->executor, &busy->timer, 1), STATUS_OK, NULL);
	busy_check(busy);
}

static void busy_task(void *context)
{
	struct busy *busy = context;

	busy->task_runs++;
	if (!busy->is_over)
		executor_post(busy->executor, &busy->task);
	busy_check(busy);
}

static void executor__busy_timer_and_busy_tasks__starve_nobody(void **state)
{
	struct executor *executor = open_executor();
	struct event event;
	struct busy busy = {.executor = executor, .event = &event};

	(void)state;
	event_init(&event);
	busy.timer = (struct timer){.run = busy_timer, .context = &busy};
	busy.task = (struct task){.run = busy_task, .context = &busy};
	run_on(executor, busy_timer, &busy);
	executor_post(executor, &busy.task);
	assert_true(event_await(&event));
	executor_close(&executor);
}

struct here {
	struct executor *executor, *other;
	bool on_own, on_other;
};

static void look(void *context)
{
	struct here *here = context;

	here->on_own = executor_is_current(here->executor);
	here->on_other = executor_is_current(here->other);
}

static void executor_is_current__inside_and_outside__tells_them_apart(void **state)
{
	struct here here = {.executor = open_executor(), .other = open_executor()};

	(void)state;
	here.on_other = true;
	run_on(here.executor, look, &here);
	assert_true(here.on_own);
	assert_false(here.on_other);
	assert_false(executor_is_current(here.executor));
	executor_close(&here.executor);
	executor_close(&here.other);
}

static void executor_open__each_allocation_failing__leaks_nothing(void **state)
{
	const size_t before = memory_live_count();
	struct executor *executor = NULL;
	struct error error;
	enum status status;
	size_t n = 0;

	(void)state;
	do {
		memory_fail_at(++n);
		status = executor_open("test", &executor, &error);
		memory_fail_at(0);
		if (status == STATUS_OK)
			break;
		assert_status(status, STATUS_NO_MEMORY, &error);
		assert_null(executor);
		assert_int_equal(memory_live_count(), before);
	} while (n < 100);
	assert_int_equal(n, 3);
	executor_close(&executor);
	assert_int_equal(memory_live_count(), before);
}

struct starved {
	struct executor *executor;
	struct timer timer;
	enum status first, second;
};

static void set_without_memory(void *context)
{
	struct starved *starved = context;

	memory_fail_at(1);
	starved->first = executor_timer_set(starved->executor, &starved->timer, 1);
	memory_fail_at(0);
	executor_timer_clear(starved->executor, &starved->timer);
	starved->second = executor_timer_set(starved->executor, &starved->timer, UINT64_MAX);
	executor_timer_clear(starved->executor, &starved->timer);
}

static void executor_timer_set__no_memory__is_told_and_not_set(void **state)
{
	struct executor *executor = open_executor();
	struct starved starved = {.executor = executor};

	(void)state;
	run_on(executor, set_without_memory, &starved);
	executor_close(&executor);
	assert_status(starved.first, STATUS_NO_MEMORY, NULL);
	assert_status(starved.second, STATUS_OK, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(executor_post__one_poster__runs_in_order),
	    cmocka_unit_test(executor_post__many_threads__runs_each_once),
	    cmocka_unit_test(executor_close__tasks_that_post__runs_them_all),
	    cmocka_unit_test(executor_close__null_or_idle__returns),
	    cmocka_unit_test(executor_timer_set__a_time__runs_once_and_not_before),
	    cmocka_unit_test(executor_timer_set__many_moved_and_cleared__run_in_order_of_time),
	    cmocka_unit_test(executor_close__timers_set__drops_them),
	    cmocka_unit_test(executor__busy_timer_and_busy_tasks__starve_nobody),
	    cmocka_unit_test(executor_is_current__inside_and_outside__tells_them_apart),
	    cmocka_unit_test(executor_open__each_allocation_failing__leaks_nothing),
	    cmocka_unit_test(executor_timer_set__no_memory__is_told_and_not_set),
	};

	return cmocka_run_group_tests_name("os/executor", tests, NULL, NULL);
}
