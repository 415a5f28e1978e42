/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All ways from a user up to the configured groups, for who wants them explained. Decisions need none of this: a shortest way is in
 * the closure already.
 *
 *	closure_ways_new     the groups above those that hold the user directly, and which of them lie in a ring
 *	closure_ways_find    the ways to one root: shortest first, each without a group twice
 *
 * There may be exponentially many ways. Some are told one by one; the others are counted, exactly where no group lies in a ring (they are
 * summed up), else as far as CLOSURE_WAYS_MAX_STEPS go.
 *
 * Threads: one at a time.
 */
#ifndef WSMAUTHZ_MEMBERSHIP_CLOSURE_WAYS_H
#define WSMAUTHZ_MEMBERSHIP_CLOSURE_WAYS_H

#include <base/arena.h>
#include <base/compiler.h>
#include <base/error.h>
#include <membership/closure.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Steps from group to group that the search for the ways to one root may take: some milliseconds. */
#define CLOSURE_WAYS_MAX_STEPS 200000

struct closure_ways;

/* Groups by the closure's numbers: one that holds the user directly, ..., the root's. */
struct closure_way {
	const uint32_t *groups;
	size_t count;
};

struct closure_ways_found {
	struct closure_way *ways;
	size_t count;
	uint64_t more; /* beyond these; UINT64_MAX: that many or more */
	bool is_least; /* there may be more than `more` */
};

/**
 * @param closure  a reference is taken.
 * @param direct   groups that hold the user; may name one twice.
 * @return STATUS_OK, STATUS_NO_MEMORY.
 */
NODISCARD enum status closure_ways_new(struct closure *closure, const uint32_t *direct, size_t count,
				       struct closure_ways **ways_out);
/** NULL-safe; sets the pointer to NULL. */
void closure_ways_free(struct closure_ways **ways);

/** How many groups are above the user, the direct ones among them; and which, the nearest to him first. */
size_t closure_ways_group_count(const struct closure_ways *ways);
uint32_t closure_ways_group(const struct closure_ways *ways, size_t i);

/** The number of the ring that a group lies in, from 1; 0: in none, or not above the user. */
uint32_t closure_ways_ring(const struct closure_ways *ways, uint32_t group);

/** Whether the group holds the user directly. */
bool closure_ways_is_direct(const struct closure_ways *ways, uint32_t group);

/**
 * @param limit      ways that are told one by one.
 * @param arena      gets them.
 * @return STATUS_OK, STATUS_NO_MEMORY (memory ran out, or the arena is full).
 */
NODISCARD enum status closure_ways_find(struct closure_ways *ways, size_t root, size_t limit, struct arena *arena,
					struct closure_ways_found *found_out);

#endif
