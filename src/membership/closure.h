/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The closure of the configured groups: every group nested beneath them, at any depth.
 *
 * A group that a rule names is a root. For each root and each group of the closure we keep the next
 * hop on a shortest way up to that root. So a decision looks up the user's *direct* groups and has its answer, and the path
 * that explains it, without asking the directory again: depth costs nothing. Cycles and diamonds are
 * ordinary graphs here.
 *
 * A closure is a snapshot: immutable once finished, shared by reference. When some groups have changed, another one is
 * derived from it (closure_derive), which shares the rest: the graph unless that changed too, and the member index,
 * over which it lays the members of the changed groups.
 *
 * Built by closure_load.c: closure_new, closure_add_group, closure_add_edge, closure_set_root,
 * closure_finish.
 */
#ifndef WSMAUTHZ_MEMBERSHIP_CLOSURE_H
#define WSMAUTHZ_MEMBERSHIP_CLOSURE_H

#include <base/arena.h>
#include <base/compiler.h>
#include <base/digest.h>
#include <base/error.h>
#include <membership/member_index.h>
#include <membership/member_set.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Far above any real policy (a typical closure has 1 to 500 groups); refused loudly beyond. */
#define CLOSURE_MAX_GROUPS 200000
/* For names and nesting of one closure, without the member index. */
#define CLOSURE_MAX_BYTES ((size_t)256 * 1024 * 1024)
/* roots x groups x 8 bytes of next hops. */
#define CLOSURE_MAX_HOP_BYTES ((size_t)256 * 1024 * 1024)

/* Groups whose members lie over the index; with more, or larger ones, it is time for a new index. */
#define CLOSURE_MAX_OVERLAYS 64

#define CLOSURE_NONE         UINT32_MAX

/* Which attributes the closure's groups name their members by. */
enum closure_kind {
	CLOSURE_KIND_MEMBER = 1,        /* groupOfNames: member */
	CLOSURE_KIND_UNIQUE_MEMBER = 2, /* groupOfUniqueNames: uniqueMember */
	CLOSURE_KIND_MEMBER_UID = 4,    /* posixGroup: memberUid */
};

struct closure;

/** An empty closure. NULL when memory ran out. */
NODISCARD struct closure *closure_new(size_t root_count, const struct digest_key *key);

struct closure *closure_ref(struct closure *closure);
/** NULL-safe; sets the pointer to NULL. Threads: any. */
void closure_unref(struct closure **closure);

/* Building: one thread. Each returns STATUS_OK, STATUS_NO_MEMORY, or STATUS_LIMIT. */

/**
 * @param dn         the group's own DN; copied.
 * @param id         its stable id (entryUUID) as the server gives it; copied.
 * @param group_out  its number in this closure.
 */
NODISCARD enum status closure_add_group(struct closure *closure, const char *dn, const char *id, uint32_t *group_out);
/** `child` is a direct member of `parent`. The same edge may be added twice. */
NODISCARD enum status closure_add_edge(struct closure *closure, uint32_t child, uint32_t parent);
void closure_set_root(struct closure *closure, size_t root, uint32_t group);
/** `kinds`: of enum closure_kind, or'ed. */
void closure_add_kinds(struct closure *closure, unsigned kinds);
/** The index becomes the closure's; NULL: there is none (beyond its budget, or not wanted). */
void closure_give_index(struct closure *closure, struct member_index *index);
/** Compute the hops; after this the closure only answers. May be tried again when memory ran out. */
NODISCARD enum status closure_finish(struct closure *closure);

/** Its server keeps to the schema: a group whose class demands members and shows none is hidden from us. */
void closure_demand_members(struct closure *closure);
bool closure_demands_members(const struct closure *closure);
/**
 * Its groups are Active Directory's, and their ids SIDs: users show which groups hold them, by SID; there is no member index.
 * Nobody is told who entered or left a group, only that it changed.
 */
void closure_set_by_sid(struct closure *closure);
bool closure_is_by_sid(const struct closure *closure);
/** It lists names that only the server could resolve, and that were nobody's: an entry may come that they are of. */
void closure_has_dead_names(struct closure *closure);
bool closure_lists_dead_names(const struct closure *closure);

/* What a group holds beside people and groups of its forest; see closure_principal.h. */
#define CLOSURE_HOLDS_FOREIGN   0x1U
#define CLOSURE_HOLDS_EVERYBODY 0x2U
#define CLOSURE_HOLDS_UNTOLD    0x4U
#define CLOSURE_HOLDINGS        3

/** The group holds these itself, besides what was said before. */
void closure_add_holding(struct closure *closure, uint32_t group, unsigned holding);
/** What the group holds itself. */
unsigned closure_holding(const struct closure *closure, uint32_t group);

/* Deriving: one thread. */

/* A group as it is now. */
struct closure_change {
	uint32_t group;             /* its number; of newcomers the numbers that follow, in order */
	bool gone;                  /* it is no group any more, or nobody lists it */
	const char *dn;             /* of newcomers and renamed ones; NULL: as it was */
	const char *id;             /* of newcomers */
	struct member_set *members; /* NULL: there is no member index; a reference is taken */
	const uint32_t *children;   /* sorted, without doubles */
	size_t child_count;
};

/**
 * The closure after these changes.
 *
 * @param changes  in the order of their numbers.
 * @param kinds    that came with them.
 * @return STATUS_OK; STATUS_LIMIT; STATUS_NO_MEMORY.
 */
NODISCARD enum status closure_derive(struct closure *base, const struct closure_change *changes, size_t count,
				     unsigned kinds, struct closure **derived_out);

/** So much lies over the index that loading the closure anew is better. */
bool closure_wants_rebuild(const struct closure *closure);

/* Asking: any thread. */

size_t closure_group_count(const struct closure *closure);
size_t closure_root_count(const struct closure *closure);
/** The configured group's number, or CLOSURE_NONE when it does not exist. */
uint32_t closure_root_group(const struct closure *closure, size_t root);
const char *closure_group_dn(const struct closure *closure, uint32_t group);
/** The digest of its DN's key. */
struct digest closure_group_name(const struct closure *closure, uint32_t group);
const char *closure_group_id(const struct closure *closure, uint32_t group);
unsigned closure_kinds(const struct closure *closure);
/** NULL when there is none. */
const struct member_index *closure_index(const struct closure *closure);

/** A group by the key of its own DN (identity/dn.h), or by its id; CLOSURE_NONE when it is not in the closure. */
uint32_t closure_find_name(const struct closure *closure, const char *key, size_t length);
uint32_t closure_find_id(const struct closure *closure, const char *id, size_t length);

/** The same by the digest of its DN's key. */
uint32_t closure_find_digest(const struct closure *closure, struct digest name);

/** The groups of which this group is a direct member. Appended to `parents`, which has room for all groups. @return how many. */
size_t closure_parents(const struct closure *closure, uint32_t group, uint32_t *parents);
/** Its direct members that are groups; borrowed. */
const uint32_t *closure_children(const struct closure *closure, uint32_t group, size_t *count_out);

/**
 * The members of some groups that are no groups themselves. Goes once through the whole index.
 *
 * @param groups    different ones.
 * @param sets_out  [count]; sealed, the caller's; NULL each when there is no index.
 * @return STATUS_OK, STATUS_NO_MEMORY.
 */
NODISCARD enum status closure_members(const struct closure *closure, const uint32_t *groups, size_t count,
				      struct member_set **sets_out);

/**
 * The groups that list a member (not a group) directly.
 * @param room    what fits into `groups`.
 * @return how many there are, also when they do not fit.
 */
size_t closure_find_member(const struct closure *closure, struct digest member, uint32_t *groups, size_t room);

/** The digest of a member's name, in the two kinds that do not mix: DN keys and uid values. */
struct digest closure_digest_dn(const struct closure *closure, const char *key, size_t length);
struct digest closure_digest_uid(const struct closure *closure, const char *uid, size_t length);

/** How many hops from `group` up to `root`: 0 for the root's own group; CLOSURE_NONE when it is not beneath it. */
uint32_t closure_distance(const struct closure *closure, size_t root, uint32_t group);

/** The group beneath the root, or the root's own, that is nearest to it and holds this; CLOSURE_NONE: none does. @param holding  one of CLOSURE_HOLDS_*. */
uint32_t closure_find_holder(const struct closure *closure, size_t root, unsigned holding);

/** The next group on a shortest way up to `root`; CLOSURE_NONE at the root, or when there is none. */
uint32_t closure_next_hop(const struct closure *closure, size_t root, uint32_t group);

#endif
