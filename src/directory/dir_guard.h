/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thread that looks after another one's deadline, where a library's calls have none of their own: what is to be done when it has passed (cutting
 * the connection, so that the call returns) is done by the guard.
 *
 *	dir_guard_arm(guard, due_ms);  ... the call ...  dir_guard_disarm(guard);
 *
 * Arming costs a lock; the guard is woken for it only when it would sleep too long.
 *
 * Threads: arm and disarm by one; the rest by whoever owns it.
 */
#ifndef WSMAUTHZ_DIRECTORY_DIR_GUARD_H
#define WSMAUTHZ_DIRECTORY_DIR_GUARD_H

#include <base/compiler.h>
#include <base/error.h>
#include <os/thread.h>
#include <stdbool.h>
#include <stdint.h>

struct dir_guard {
	void (*cut)(void *context);
	void *context;
	struct thread thread;
	bool is_started;

	struct mutex lock; /* guards what follows */
	struct condition changed;
	uint64_t due_ms;   /* UINT64_MAX: not armed */
	uint64_t looks_ms; /* it looks again by itself then */
	bool is_ending;
};

/**
 * @param cut  what to do when a deadline has passed: once for each arming, on the guard's thread.
 * @return STATUS_OK; STATUS_NO_MEMORY or STATUS_LIMIT: no thread.
 */
NODISCARD enum status dir_guard_start(struct dir_guard *guard, void (*cut)(void *context), void *context,
				      struct error *error);

/** Waits for a `cut` under way. Nothing when it was never started. */
void dir_guard_end(struct dir_guard *guard);

void dir_guard_arm(struct dir_guard *guard, uint64_t due_ms);
/** A `cut` may be under way still. */
void dir_guard_disarm(struct dir_guard *guard);

#endif
