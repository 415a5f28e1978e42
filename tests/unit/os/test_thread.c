/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include <os/clock.h>
#include <os/thread.h>
#include <string.h>

#define THREADS 4
#define ROUNDS  20000

struct shared {
	struct mutex lock; /* guards: the rest */
	struct condition changed;
	unsigned counter;
	bool is_ready, is_seen;
};

static void shared_init(struct shared *shared)
{
	memset(shared, 0, sizeof(*shared));
	mutex_init(&shared->lock);
	condition_init(&shared->changed);
}

static void shared_done(struct shared *shared)
{
	condition_done(&shared->changed);
	mutex_done(&shared->lock);
}

static void count(void *context)
{
	struct shared *shared = context;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		mutex_lock(&shared->lock);
		shared->counter++;
		mutex_unlock(&shared->lock);
	}
}

static void mutex_lock__many_threads__counts_exactly(void **state)
{
	struct thread threads[THREADS] = {0};
	struct shared shared;
	int i;

	(void)state;
	shared_init(&shared);
	for (i = 0; i < THREADS; i++)
		assert_status(thread_start(&threads[i], "count", count, &shared, NULL), STATUS_OK, NULL);
	for (i = 0; i < THREADS; i++)
		thread_join(&threads[i]);
	assert_int_equal(shared.counter, THREADS * ROUNDS);
	shared_done(&shared);
}

static void answer(void *context)
{
	struct shared *shared = context;

	mutex_lock(&shared->lock);
	while (!shared->is_ready)
		condition_wait(&shared->changed, &shared->lock);
	shared->is_seen = true;
	condition_broadcast(&shared->changed);
	mutex_unlock(&shared->lock);
}

static void condition_wait__signalled__wakes(void **state)
{
	const uint64_t due_ms = clock_monotonic_ms() + 30000;
	struct thread thread = {0};
	struct shared shared;
	bool is_seen;

	(void)state;
	shared_init(&shared);
	assert_status(thread_start(&thread, "answer", answer, &shared, NULL), STATUS_OK, NULL);
	mutex_lock(&shared.lock);
	shared.is_ready = true;
	condition_signal(&shared.changed);
	while (!shared.is_seen && condition_wait_until(&shared.changed, &shared.lock, due_ms))
		;
	is_seen = shared.is_seen;
	mutex_unlock(&shared.lock);
	thread_join(&thread);
	assert_true(is_seen);
	shared_done(&shared);
}

static void condition_wait_until__nobody_signals__ends_in_time(void **state)
{
	const uint64_t due_ms = clock_monotonic_ms() + 50;
	struct shared shared;

	(void)state;
	shared_init(&shared);
	mutex_lock(&shared.lock);
	while (condition_wait_until(&shared.changed, &shared.lock, due_ms))
		;
	mutex_unlock(&shared.lock);
	/* Not a wall clock's time, nor minutes for seconds: the upper bound leaves room for a busy machine. */
	assert_in_range(clock_monotonic_ms(), due_ms, due_ms + 20000);
	shared_done(&shared);
}

static void condition_wait_until__time_has_passed__returns_at_once(void **state)
{
	struct shared shared;
	bool was_signalled;

	(void)state;
	shared_init(&shared);
	mutex_lock(&shared.lock);
	was_signalled = condition_wait_until(&shared.changed, &shared.lock, 1);
	mutex_unlock(&shared.lock);
	assert_false(was_signalled);
	shared_done(&shared);
}

static void condition_wait_until__end_of_time__waits(void **state)
{
	const uint64_t start_ms = clock_monotonic_ms();
	struct thread thread = {0};
	struct shared shared;
	bool is_seen = true;

	(void)state;
	shared_init(&shared);
	assert_status(thread_start(&thread, "answer", answer, &shared, NULL), STATUS_OK, NULL);
	mutex_lock(&shared.lock);
	shared.is_ready = true;
	condition_broadcast(&shared.changed);
	while (!shared.is_seen && is_seen && clock_monotonic_ms() < start_ms + 30000)
		is_seen = condition_wait_until(&shared.changed, &shared.lock, UINT64_MAX);
	is_seen = shared.is_seen;
	mutex_unlock(&shared.lock);
	thread_join(&thread);
	assert_true(is_seen);
	shared_done(&shared);
}

struct inside {
	struct thread *thread;
	bool is_current;
	struct mutex lock; /* held until `thread` is written */
};

static void look_around(void *context)
{
	struct inside *inside = context;

	mutex_lock(&inside->lock);
	inside->is_current = thread_is_current(inside->thread);
	mutex_unlock(&inside->lock);
}

static void run_look_around(struct inside *inside, struct thread *thread)
{
	mutex_init(&inside->lock);
	inside->thread = thread;
	mutex_lock(&inside->lock);
	assert_status(thread_start(thread, "a-name-that-is-too-long", look_around, inside, NULL), STATUS_OK, NULL);
	assert_false(thread_is_current(thread));
	mutex_unlock(&inside->lock);
	thread_join(thread);
	mutex_done(&inside->lock);
}

static void thread_start__inside__is_current(void **state)
{
	struct thread thread = {0};
	struct inside inside = {0};

	(void)state;
	run_look_around(&inside, &thread);
	assert_true(inside.is_current);
}

static void thread_join__never_started_or_joined_before__does_nothing(void **state)
{
	struct thread thread = {0};
	struct inside inside = {0};

	(void)state;
	thread_join(&thread);
	run_look_around(&inside, &thread);
	thread_join(&thread);
	assert_false(thread.started);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(mutex_lock__many_threads__counts_exactly),
	    cmocka_unit_test(condition_wait__signalled__wakes),
	    cmocka_unit_test(condition_wait_until__nobody_signals__ends_in_time),
	    cmocka_unit_test(condition_wait_until__time_has_passed__returns_at_once),
	    cmocka_unit_test(condition_wait_until__end_of_time__waits),
	    cmocka_unit_test(thread_start__inside__is_current),
	    cmocka_unit_test(thread_join__never_started_or_joined_before__does_nothing),
	};

	return cmocka_run_group_tests_name("os/thread", tests, NULL, NULL);
}
