/* SPDX-License-Identifier: Apache-2.0 */
/*
 * os/executor.h without threads. Linked as an object (with clock_manual), it replaces executor.c of
 * the library: tasks and timers run on the test's thread, when the test says so, in one order.
 *
 *	executor_manual_run(executor);             what was posted
 *	executor_manual_advance(executor, 500);    half a second, with every timer at its own time
 *
 * executor_is_current() is true inside a task, a timer and executor_manual_call(), and false in the
 * test around them. What never comes to rest within EXECUTOR_MANUAL_MAX_STEPS ends the program.
 *
 * Threads: one, the test's.
 */
#ifndef WSMAUTHZ_TESTS_SUPPORT_EXECUTOR_MANUAL_H
#define WSMAUTHZ_TESTS_SUPPORT_EXECUTOR_MANUAL_H

#include <os/executor.h>
#include <stddef.h>
#include <stdint.h>

/* No test needs more in one call: beyond it, a task or a timer restarts itself for ever. */
#define EXECUTOR_MANUAL_MAX_STEPS 1000000

/** Run posted tasks, and what they post, until none is left. Timers do not run. Returns how many ran. */
size_t executor_manual_run(struct executor *executor);

/** The same for every executor that is open, in turns, until none has a task left. */
size_t executor_manual_run_all(void);

/**
 * Move the manual clock forward by `ms`, stopping at each timer that is due on the way (timers due at
 * one time run in the order in which they were set) and running the tasks before and after it.
 * Returns how many tasks and timers ran. An `ms` of 0 runs what is due now.
 */
size_t executor_manual_advance(struct executor *executor, uint64_t ms);

/** The same for every executor that is open. */
size_t executor_manual_advance_all(uint64_t ms);

/** There is no memory to set this one; NULL: there is for all. */
void executor_manual_refuse_timer(const struct timer *timer);

/** Call a function as if on the executor's thread. */
void executor_manual_call(struct executor *executor, void (*function)(void *context), void *context);

/** How many timers are set. */
size_t executor_manual_timer_count(const struct executor *executor);

#endif
