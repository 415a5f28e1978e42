/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The member index: who is a direct member of which group, a million memberships in 24 bytes each.
 *
 * A membership is a pair (digest of the member's name, number of the group). Built once, in any
 * order, then sorted; afterwards it only answers. Digests are keyed and uniform, so a table of
 * fences over their leading bits leads straight to the right few pairs.
 *
 * Threads: one builder, then any number of readers.
 */
#ifndef WSMAUTHZ_MEMBERSHIP_MEMBER_INDEX_H
#define WSMAUTHZ_MEMBERSHIP_MEMBER_INDEX_H

#include <base/compiler.h>
#include <base/digest.h>
#include <base/error.h>
#include <stddef.h>
#include <stdint.h>

struct member_pair {
	struct digest member;
	uint32_t group;
};

struct member_index;

/** An empty index that may hold `budget_bytes` of pairs. NULL when memory ran out. */
NODISCARD struct member_index *member_index_new(uint64_t budget_bytes);
void member_index_free(struct member_index **index);

/**
 * Add a membership; the same one may be added twice.
 * @return STATUS_OK; STATUS_LIMIT when the budget is used up; STATUS_NO_MEMORY.
 */
NODISCARD enum status member_index_add(struct member_index *index, struct digest member, uint32_t group);

/** Sort, drop doubles, build the fences. After this, no more adding. @return STATUS_OK, STATUS_NO_MEMORY. */
NODISCARD enum status member_index_seal(struct member_index *index);

/**
 * The groups that hold a member directly.
 *
 * @param count_out  how many pairs there are, from the returned one on.
 * @return the first of them, ordered by group; borrowed for the life of the index.
 */
const struct member_pair *member_index_find(const struct member_index *index, struct digest member, size_t *count_out);

/** Every membership, ordered by member; borrowed. */
const struct member_pair *member_index_pairs(const struct member_index *index);
size_t member_index_count(const struct member_index *index);
size_t member_index_bytes(const struct member_index *index);

#endif
