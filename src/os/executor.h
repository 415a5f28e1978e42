/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An executor: one thread that runs tasks in the order of posting, and timers when they are due.
 * What runs on one executor needs no lock among itself; it is how the engine stays free of them.
 *
 * Tasks and timers are embedded in the caller's objects, so posting allocates nothing and cannot
 * fail: a completion can always be delivered.
 *
 * Tests replace this file (tests/support/executor_manual.c) and run everything on their own
 * thread under a clock they set.
 */
#ifndef WSMAUTHZ_OS_EXECUTOR_H
#define WSMAUTHZ_OS_EXECUTOR_H

#include <base/compiler.h>
#include <base/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct executor;

struct task {
	void (*run)(void *context);
	void *context;
	struct task *next; /* private */
};

/* All zero but `run` and `context` when it is made. While it is set it must live, unless the executor is closed. */
struct timer {
	void (*run)(void *context);
	void *context;
	uint64_t due_ms; /* private */
	size_t slot;     /* private: 1 + its place in the heap; 0 when not set */
};

/** Start the thread. @return STATUS_OK, STATUS_NO_MEMORY, STATUS_LIMIT. */
NODISCARD enum status executor_open(const char *name, struct executor **executor_out, struct error *error);

/**
 * Run what was posted until now and what that posts, drop the timers, end the thread.
 * Not from a task of this executor. NULL-safe; sets the pointer to NULL.
 */
void executor_close(struct executor **executor);

/**
 * Run `task` later, exactly once, never inside this call. The task must not be posted already and
 * must live until it runs. Threads: any.
 */
void executor_post(struct executor *executor, struct task *task);

/**
 * Run `timer` once at `due_ms` of clock_monotonic_ms() or soon after; moves it when it is set
 * already. Threads: only the executor's own (its tasks and timers).
 *
 * @return STATUS_OK, or STATUS_NO_MEMORY (the timer is not set then).
 */
NODISCARD enum status executor_timer_set(struct executor *executor, struct timer *timer, uint64_t due_ms);

/** Forget the timer; nothing when it is not set. Threads: only the executor's own. */
void executor_timer_clear(struct executor *executor, struct timer *timer);

/** True on the executor's own thread. */
bool executor_is_current(const struct executor *executor);

#endif
