/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When something last changed, for everything that a cached verdict depends on.
 *
 * Changes are numbered. A thing (a name, an entry's id, a member's DN) is known by a hash, and hashes share a fixed number of
 * buckets; a bucket remembers the number of the last change of anything in it. What was learned when the number was N is
 * out of date once a bucket that it depends on shows a greater one: two things in one bucket cost a needless question now and then, never a stale answer.
 *
 *	as_of = epochs_now(epochs)         before the directory is asked
 *	epochs_touch(epochs, hash)         when the directory tells of a change
 *	epochs_holds(epochs, bucket, as_of)
 *
 * Threads: epochs_touch* from one thread (the executor); the others any. A reader sees a change at once that was touched before
 * something else that it has seen. A lookup that begins while a change is being touched counts as older than the change.
 */
#ifndef WSMAUTHZ_AUTHORIZER_EPOCHS_H
#define WSMAUTHZ_AUTHORIZER_EPOCHS_H

#include <base/compiler.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define EPOCHS_BUCKETS 65536

struct epochs {
	_Atomic uint64_t now;        /* the number of the last change */
	char apart[64];              /* every change writes `now`; who asks for something else should not feel it */
	_Atomic uint64_t everything; /* of the last change of everything */
	_Atomic uint64_t last[EPOCHS_BUCKETS];
};

/** NULL when memory ran out. Freed by memory_free. */
NODISCARD struct epochs *epochs_new(void);

static inline uint16_t epochs_bucket(uint64_t hash)
{
	return (uint16_t)(hash >> 48);
}

static inline uint64_t epochs_now(const struct epochs *epochs)
{
	return atomic_load_explicit(&epochs->now, memory_order_acquire);
}

/** What has this hash has changed. */
void epochs_touch(struct epochs *epochs, uint64_t hash);
/** Anything may have changed. */
void epochs_touch_everything(struct epochs *epochs);

/** Whether nothing in the bucket has changed since `as_of`, nor everything. */
static inline bool epochs_holds(const struct epochs *epochs, uint16_t bucket, uint64_t as_of)
{
	return atomic_load_explicit(&epochs->last[bucket], memory_order_acquire) <= as_of;
}

static inline bool epochs_all_hold(const struct epochs *epochs, uint64_t as_of)
{
	return atomic_load_explicit(&epochs->everything, memory_order_acquire) <= as_of;
}

#endif
