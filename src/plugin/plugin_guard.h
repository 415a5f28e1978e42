/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The last resort of asynchronous completion: the host is answered even if the engine breaks its
 * promise and is never heard of again. Calls stand in a list in the order of their last moments,
 * which is nearly always the order in which they began; one timer stands for all of them.
 *
 * The guard holds a reference of whatever its entries are part of: guard_forget returns true to the
 * one who now has it, and `expired` gets it otherwise. Exactly one of the two happens.
 */
#ifndef WSMAUTHZ_PLUGIN_PLUGIN_GUARD_H
#define WSMAUTHZ_PLUGIN_PLUGIN_GUARD_H

#include <os/executor.h>
#include <os/thread.h>
#include <stdbool.h>
#include <stdint.h>

struct guard_entry {
	struct guard_entry *next, *previous;
	uint64_t due_ms;
	bool is_watched;
};

struct plugin_guard {
	struct executor *executor; /* borrowed */
	void (*expired)(struct guard_entry *entry);
	struct task task;
	struct timer timer; /* the executor's thread only */
	struct mutex lock;  /* guards: first, last, their links, is_posted, is_over */
	struct guard_entry *first, *last;
	bool is_posted, is_over;
};

/** @param expired  runs on the executor's thread, under no lock; the entry is no longer watched. */
void guard_init(struct plugin_guard *guard, struct executor *executor, void (*expired)(struct guard_entry *entry));
/** After the executor was closed. */
void guard_done(struct plugin_guard *guard);

/** Watch an entry until `due_ms` of clock_monotonic_ms(). Threads: any. */
void guard_watch(struct plugin_guard *guard, struct guard_entry *entry, uint64_t due_ms);

/** Stop watching. True when the entry was watched: its reference is the caller's. Threads: any. */
NODISCARD bool guard_forget(struct plugin_guard *guard, struct guard_entry *entry);

/** Let everything that is still watched expire, on the executor, soon. */
void guard_end(struct plugin_guard *guard);

#endif
