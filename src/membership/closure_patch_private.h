/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A patch from inside.
 *
 *	closure_patch.c        its life: round trips, what ends it
 *	closure_patch_group.c  the groups that are read: their members, what of them is new
 *	closure_patch_sids.c   Active Directory: whether the closure still holds
 */
#ifndef WSMAUTHZ_MEMBERSHIP_CLOSURE_PATCH_PRIVATE_H
#define WSMAUTHZ_MEMBERSHIP_CLOSURE_PATCH_PRIVATE_H

#include <base/arena.h>
#include <base/text.h>
#include <membership/closure_entry.h>
#include <membership/closure_patch.h>

/* What one patch may keep of names and groups. */
#define CLOSURE_PATCH_MAX_BYTES ((size_t)16 * 1024 * 1024)

/* A group that is read. */
struct patch_group {
	struct closure_patch *patch;
	uint32_t number;
	const char *dn, *id;
	bool is_new; /* it enters the closure */
	bool is_renamed;
	bool is_read, is_there;
	struct member_set *before; /* its members as the closure has them; NULL: not known */
	struct member_set *names;  /* all DNs that it lists, sealed once read */
	struct member_set *uids;
	struct member_set *members; /* what of them is no group */
	uint32_t *children;
	size_t child_count, child_capacity;
};

/* A name that a group lists and that may be a group's. */
struct patch_name {
	struct digest name;
	const char *dn;
	bool is_asked;
	uint32_t group; /* once asked; CLOSURE_NONE: no group's */
};

enum patch_stage { PATCH_READ = 0, PATCH_ASK, PATCH_COMPARE };

struct closure_patch {
	struct dir_pool *pool;
	struct executor *executor;
	const struct closure_plan *plan;
	struct closure *base;
	struct closure_concern concern;
	const char *mark_base, *at_least, *domain_base;
	unsigned search_flags;
	closure_patch_done_fn *done;
	void *context;
	struct arena *arena;
	struct text scratch; /* of whichever thread has the turn */
	uint64_t began_us, deadline_ms;
	struct task begin;
	struct timer lag;
	bool rests; /* until the server has caught up */
	bool is_stopped;

	enum patch_stage stage;
	struct dir_request request;
	struct dir_search *found; /* [CLOSURE_LOAD_BATCH + 1]; the last of a round trip asks for the mark */
	void **subjects;          /* likewise: what each is about */
	size_t count;

	struct patch_group *groups; /* [CLOSURE_PATCH_MAX_GROUPS] */
	size_t group_count;
	struct patch_name *names; /* [CLOSURE_PATCH_MAX_NAMES] */
	size_t name_count;
	unsigned kinds;
	size_t invalid_count;
	bool whole;        /* it is too much, or a server's to compare */
	enum status taken; /* the first failure of an on_entry */
	uint32_t next_number;
	bool is_compared;
};

/** Make the next search of this round trip: of one entry, unless changed. NULL: no memory. */
NODISCARD struct dir_search *patch_add_search(struct closure_patch *patch, const char *base, const char *filter,
					      const char *const *attributes, void *subject);

/** A group to be read. @return NULL: too many (patch->whole), or no memory (patch->taken). */
struct patch_group *patch_add_group(struct closure_patch *patch, uint32_t number, const char *dn, const char *id);

/** What the closure has as the members of the groups that were added. @return STATUS_OK, STATUS_NO_MEMORY. */
NODISCARD enum status patch_know_before(struct closure_patch *patch);

/** Its entry: on_entry of a READ. */
enum status patch_take_entry(void *group, const struct dir_entry *entry);

/** What the server said of a name: the group's entry, or NULL. @return STATUS_OK, STATUS_NO_MEMORY. */
NODISCARD enum status patch_resolve(struct closure_patch *patch, struct patch_name *name,
				    const struct dir_entry *entry);

/** Everything is read and asked: the closure that follows. */
NODISCARD enum status patch_derive(struct closure_patch *patch, struct closure **derived_out, bool *everything_out,
				   struct member_set *touched);

/** By SID: ask all that the concern is about, in one round trip (or patch->whole). False: no memory. */
NODISCARD bool patch_sids_ask(struct closure_patch *patch);
/** Its answers are there: the closure still holds, or patch->whole. */
void patch_sids_settle(struct closure_patch *patch);

void patch_groups_done(struct closure_patch *patch);

#endif
