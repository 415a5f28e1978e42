/* SPDX-License-Identifier: Apache-2.0 */
#include <os/executor.h>

#include <assert.h>
#include <base/memory.h>
#include <os/clock.h>
#include <os/thread.h>

struct executor {
	struct mutex lock;     /* guards: first, last, is_closing */
	struct condition wake; /* a task was posted, or is_closing was set */
	struct thread thread;
	struct task *first;
	struct task *last;
	bool is_closing;

	/* A binary heap with the earliest timer on top. Only the executor's own thread touches it. */
	struct timer **heap; /* owned; the timers are borrowed */
	size_t count, capacity;
};

static void place(struct executor *executor, size_t at, struct timer *timer)
{
	executor->heap[at] = timer;
	timer->slot = at + 1;
}

/* Move the timer at `at` towards the top until its parent is not later. */
static void sift_up(struct executor *executor, size_t at)
{
	struct timer *timer = executor->heap[at];
	size_t parent;

	for (; at > 0; at = parent) {
		parent = (at - 1) / 2;
		if (executor->heap[parent]->due_ms <= timer->due_ms)
			break;
		place(executor, at, executor->heap[parent]);
	}
	place(executor, at, timer);
}

/* Move the timer at `at` away from the top until no child is earlier. */
static void sift_down(struct executor *executor, size_t at)
{
	struct timer *timer = executor->heap[at];
	size_t child;

	for (; 2 * at + 1 < executor->count; at = child) {
		child = 2 * at + 1;
		if (child + 1 < executor->count && executor->heap[child + 1]->due_ms < executor->heap[child]->due_ms)
			child++;
		if (timer->due_ms <= executor->heap[child]->due_ms)
			break;
		place(executor, at, executor->heap[child]);
	}
	place(executor, at, timer);
}

static void restore_order(struct executor *executor, size_t at)
{
	struct timer *timer = executor->heap[at];

	sift_up(executor, at);
	sift_down(executor, timer->slot - 1);
}

static void remove_timer(struct executor *executor, struct timer *timer)
{
	const size_t at = timer->slot - 1;
	struct timer *last = executor->heap[--executor->count];

	timer->slot = 0;
	if (last == timer)
		return;
	place(executor, at, last);
	restore_order(executor, at);
}

/* At most as many as are set now, so that a timer which sets itself anew for now does not keep tasks waiting. */
static void run_due_timers(struct executor *executor)
{
	const uint64_t now_ms = clock_monotonic_ms();
	struct timer *timer;
	size_t left;

	for (left = executor->count; left > 0 && executor->count > 0; left--) {
		timer = executor->heap[0];
		if (timer->due_ms > now_ms)
			break;
		remove_timer(executor, timer);
		timer->run(timer->context);
	}
}

static void drop_timers(struct executor *executor)
{
	while (executor->count > 0)
		executor->heap[--executor->count]->slot = 0;
}

static void run_tasks(struct task *task)
{
	struct task *next;

	for (; task != NULL; task = next) {
		/* A task that runs may be posted again, or be freed. */
		next = task->next;
		task->run(task->context);
	}
}

/*
 * Wait for tasks, a due timer, or the end.
 *
 * @param tasks_out  all that were posted, NULL for none.
 * @return false when the executor is closing and nothing is left to run.
 */
static bool next_turn(struct executor *executor, struct task **tasks_out, bool *is_closing_out)
{
	bool goes_on;

	mutex_lock(&executor->lock);
	while (executor->first == NULL && !executor->is_closing) {
		if (executor->count == 0)
			condition_wait(&executor->wake, &executor->lock);
		else if (!condition_wait_until(&executor->wake, &executor->lock, executor->heap[0]->due_ms))
			break;
	}
	*tasks_out = executor->first;
	*is_closing_out = executor->is_closing;
	goes_on = executor->first != NULL || !executor->is_closing;
	executor->first = NULL;
	executor->last = NULL;
	mutex_unlock(&executor->lock);
	return goes_on;
}

static void run_executor(void *context)
{
	struct executor *executor = context;
	struct task *tasks;
	bool is_closing;

	while (next_turn(executor, &tasks, &is_closing)) {
		run_tasks(tasks);
		if (!is_closing)
			run_due_timers(executor);
	}
	drop_timers(executor);
}

static void destroy(struct executor *executor)
{
	condition_done(&executor->wake);
	mutex_done(&executor->lock);
	memory_free(executor->heap);
	memory_free(executor);
}

enum status executor_open(const char *name, struct executor **executor_out, struct error *error)
{
	struct executor *executor = memory_new(sizeof(*executor));
	enum status status;

	if (executor == NULL)
		return error_no_memory(error);
	mutex_init(&executor->lock);
	condition_init(&executor->wake);
	/* The new thread waits for the lock, so it sees `thread` written, which executor_is_current() reads there. */
	mutex_lock(&executor->lock);
	status = thread_start(&executor->thread, name, run_executor, executor, error);
	mutex_unlock(&executor->lock);
	if (status != STATUS_OK) {
		destroy(executor);
		return status;
	}
	*executor_out = executor;
	return STATUS_OK;
}

void executor_close(struct executor **executor)
{
	struct executor *closing = *executor;

	if (closing == NULL)
		return;
	assert(!executor_is_current(closing));
	mutex_lock(&closing->lock);
	closing->is_closing = true;
	condition_signal(&closing->wake);
	mutex_unlock(&closing->lock);
	thread_join(&closing->thread);
	destroy(closing);
	*executor = NULL;
}

void executor_post(struct executor *executor, struct task *task)
{
	task->next = NULL;
	mutex_lock(&executor->lock);
	if (executor->last != NULL)
		executor->last->next = task;
	else
		executor->first = task;
	executor->last = task;
	/* Under the lock, since the task may lead to executor_close() as soon as it can run. */
	condition_signal(&executor->wake);
	mutex_unlock(&executor->lock);
}

enum status executor_timer_set(struct executor *executor, struct timer *timer, uint64_t due_ms)
{
	assert(executor_is_current(executor));
	if (timer->slot == 0) {
		if (!ARRAY_RESERVE(&executor->heap, &executor->capacity, executor->count + 1))
			return STATUS_NO_MEMORY;
		place(executor, executor->count++, timer);
	}
	timer->due_ms = due_ms;
	restore_order(executor, timer->slot - 1);
	return STATUS_OK;
}

void executor_timer_clear(struct executor *executor, struct timer *timer)
{
	assert(executor_is_current(executor));
	if (timer->slot != 0)
		remove_timer(executor, timer);
}

bool executor_is_current(const struct executor *executor)
{
	return thread_is_current(&executor->thread);
}
