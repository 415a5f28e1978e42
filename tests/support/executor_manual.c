/* SPDX-License-Identifier: Apache-2.0 */
#include <support/executor_manual.h>

#include <base/memory.h>
#include <os/clock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support/clock_manual.h>

struct executor {
	struct executor *next; /* in the list of those that are open */
	struct task *first, *last;
	struct timer **timers; /* in the order in which they were set */
	size_t count, capacity;
	unsigned depth; /* of calls on "its thread" */
};

static struct executor *open_executors;
static const struct timer *refused;

static void check_steps(size_t steps)
{
	if (steps < EXECUTOR_MANUAL_MAX_STEPS)
		return;
	(void)fprintf(stderr, "executor_manual: %zu steps and no rest: a task or a timer restarts itself\n", steps);
	abort();
}

static void check_current(const struct executor *executor, const char *what)
{
	if (executor->depth > 0)
		return;
	(void)fprintf(stderr, "executor_manual: %s outside the executor's tasks and timers\n", what);
	abort();
}

static bool run_task(struct executor *executor)
{
	struct task *task = executor->first;

	if (task == NULL)
		return false;
	executor->first = task->next;
	if (executor->first == NULL)
		executor->last = NULL;
	executor_manual_call(executor, task->run, task->context);
	return true;
}

static void remove_timer(struct executor *executor, struct timer *timer)
{
	size_t at = timer->slot - 1;

	timer->slot = 0;
	for (executor->count--; at < executor->count; at++) {
		executor->timers[at] = executor->timers[at + 1];
		executor->timers[at]->slot = at + 1;
	}
}

/* The earliest timer, and of several the one that was set first; NULL when none is set. */
static struct timer *earliest(const struct executor *executor)
{
	struct timer *found = NULL;
	size_t i;

	for (i = 0; i < executor->count; i++)
		if (found == NULL || executor->timers[i]->due_ms < found->due_ms)
			found = executor->timers[i];
	return found;
}

/* The executors to run: `only`, or all when that is NULL. */
static struct executor *first_of(struct executor *only)
{
	return only != NULL ? only : open_executors;
}

static struct executor *next_of(struct executor *only, struct executor *executor)
{
	return only != NULL ? NULL : executor->next;
}

static size_t run_tasks(struct executor *only)
{
	struct executor *executor;
	size_t steps = 0, before;

	do {
		before = steps;
		for (executor = first_of(only); executor != NULL; executor = next_of(only, executor))
			for (; run_task(executor); steps++)
				check_steps(steps);
	} while (steps > before);
	return steps;
}

/* Run the earliest timer that is due at `end_ms`, at its own time; false when there is none. */
static bool run_timer(struct executor *only, uint64_t end_ms)
{
	struct executor *executor, *owner = NULL;
	struct timer *timer, *found = NULL;

	for (executor = first_of(only); executor != NULL; executor = next_of(only, executor)) {
		timer = earliest(executor);
		if (timer != NULL && timer->due_ms <= end_ms && (found == NULL || timer->due_ms < found->due_ms)) {
			found = timer;
			owner = executor;
		}
	}
	if (found == NULL)
		return false;
	clock_manual_set_ms(found->due_ms);
	remove_timer(owner, found);
	executor_manual_call(owner, found->run, found->context);
	return true;
}

static size_t advance(struct executor *only, uint64_t ms)
{
	const uint64_t end_us = clock_monotonic_us() + ms * 1000;
	size_t steps = run_tasks(only);

	while (run_timer(only, end_us / 1000)) {
		steps += 1 + run_tasks(only);
		check_steps(steps);
	}
	if (end_us > clock_monotonic_us())
		clock_manual_advance_us(end_us - clock_monotonic_us());
	return steps;
}

size_t executor_manual_run(struct executor *executor)
{
	return run_tasks(executor);
}

size_t executor_manual_run_all(void)
{
	return run_tasks(NULL);
}

size_t executor_manual_advance(struct executor *executor, uint64_t ms)
{
	return advance(executor, ms);
}

size_t executor_manual_advance_all(uint64_t ms)
{
	return advance(NULL, ms);
}

void executor_manual_call(struct executor *executor, void (*function)(void *context), void *context)
{
	executor->depth++;
	function(context);
	executor->depth--;
}

void executor_manual_refuse_timer(const struct timer *timer)
{
	refused = timer;
}

size_t executor_manual_timer_count(const struct executor *executor)
{
	return executor->count;
}

enum status executor_open(const char *name, struct executor **executor_out, struct error *error)
{
	struct executor *executor = memory_new(sizeof(*executor));

	(void)name;
	if (executor == NULL)
		return error_no_memory(error);
	executor->next = open_executors;
	open_executors = executor;
	*executor_out = executor;
	return STATUS_OK;
}

void executor_close(struct executor **executor)
{
	struct executor *closing = *executor, **link;

	if (closing == NULL)
		return;
	(void)run_tasks(closing);
	while (closing->count > 0)
		remove_timer(closing, closing->timers[closing->count - 1]);
	for (link = &open_executors; *link != closing;)
		link = &(*link)->next;
	*link = closing->next;
	memory_free(closing->timers);
	memory_free(closing);
	*executor = NULL;
}

void executor_post(struct executor *executor, struct task *task)
{
	task->next = NULL;
	if (executor->last != NULL)
		executor->last->next = task;
	else
		executor->first = task;
	executor->last = task;
}

enum status executor_timer_set(struct executor *executor, struct timer *timer, uint64_t due_ms)
{
	check_current(executor, "executor_timer_set");
	if (timer == refused)
		return STATUS_NO_MEMORY;
	/* Room first: a timer that is set already must stay so when memory ran out. */
	if (timer->slot == 0 && !ARRAY_RESERVE(&executor->timers, &executor->capacity, executor->count + 1))
		return STATUS_NO_MEMORY;
	if (timer->slot != 0)
		remove_timer(executor, timer);
	executor->timers[executor->count++] = timer;
	timer->slot = executor->count;
	timer->due_ms = due_ms;
	return STATUS_OK;
}

void executor_timer_clear(struct executor *executor, struct timer *timer)
{
	check_current(executor, "executor_timer_clear");
	if (timer->slot != 0)
		remove_timer(executor, timer);
}

bool executor_is_current(const struct executor *executor)
{
	return executor->depth > 0;
}
