/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The members of one group: digests of their names, sorted. Shared by reference, immutable once sealed.
 *
 * Threads: one builder, then any.
 */
#ifndef WSMAUTHZ_MEMBERSHIP_MEMBER_SET_H
#define WSMAUTHZ_MEMBERSHIP_MEMBER_SET_H

#include <base/compiler.h>
#include <base/digest.h>
#include <base/error.h>
#include <stdbool.h>
#include <stddef.h>

struct member_set;

/** An empty set. NULL when memory ran out. */
NODISCARD struct member_set *member_set_new(void);
struct member_set *member_set_ref(struct member_set *set);
/** NULL-safe; sets the pointer to NULL. */
void member_set_unref(struct member_set **set);

/** Add; the same one may be added twice. False when memory ran out. */
NODISCARD bool member_set_add(struct member_set *set, struct digest member);
/** Sort, drop doubles. */
void member_set_seal(struct member_set *set);

bool member_set_has(const struct member_set *set, struct digest member);
size_t member_set_count(const struct member_set *set);
size_t member_set_bytes(const struct member_set *set);

/**
 * Add to `difference` (not sealed) what is in one of two sealed sets and not in the other.
 * @return false when memory ran out.
 */
NODISCARD bool member_set_differ(const struct member_set *a, const struct member_set *b, struct member_set *difference);
/** In order; borrowed. */
const struct digest *member_set_digests(const struct member_set *set);

#endif
