/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Turning entries into a closure: no I/O, only what follows from what was read.
 *
 * The builder knows every group of the directory by name and id (the listing), but reads only those
 * that turn out to lie beneath a root. A member value that may not be compared by us (identity/dn.h: DN_FOREIGN)
 * waits in a list until the server has said whose name it is.
 *
 * Threads: one at a time.
 */
#ifndef WSMAUTHZ_MEMBERSHIP_CLOSURE_BUILD_H
#define WSMAUTHZ_MEMBERSHIP_CLOSURE_BUILD_H

#include <base/compiler.h>
#include <base/digest.h>
#include <base/error.h>
#include <directory/dir_search.h>
#include <membership/closure.h>
#include <membership/closure_entry.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Groups that a directory may have in all; each costs about 200 bytes while a closure is built. */
#define CLOSURE_MAX_LISTED 2000000
/* Member values that only the server can resolve, in one closure; each costs one base read. */
#define CLOSURE_MAX_FOREIGN 1000000
/* Names and ids of listed groups and foreign values while building. */
#define CLOSURE_BUILD_MAX_BYTES ((size_t)1024 * 1024 * 1024)

struct closure_builder;

/**
 * @param index_budget_bytes  for the member index; 0: no index is wanted.
 * @return NULL when memory ran out.
 */
NODISCARD struct closure_builder *closure_builder_new(size_t root_count, const struct digest_key *key,
						      uint64_t index_budget_bytes);
void closure_builder_free(struct closure_builder **builder);

/** A group of the directory: from the listing. @return STATUS_OK, STATUS_LIMIT, STATUS_NO_MEMORY. */
NODISCARD enum status closure_builder_list_group(struct closure_builder *builder, const char *dn, const char *id);

/* Active Directory: closure_nest.h says which groups hold which. */
void closure_builder_set_by_sid(struct closure_builder *builder);
/** The number among the listed of the group that was listed last. */
uint32_t closure_builder_last_listed(const struct closure_builder *builder);
/** The digest of a group's id. */
struct digest closure_builder_digest_id(const struct closure_builder *builder, const char *id);
const char *closure_builder_group_id(const struct closure_builder *builder, uint32_t group);
/** A listed group is a direct member of a group of the closure. @return STATUS_OK, STATUS_LIMIT, STATUS_NO_MEMORY. */
NODISCARD enum status closure_builder_add_child(struct closure_builder *builder, uint32_t listed, uint32_t group);
/** The group with the id of this digest holds these, if it is in the closure. @return whether it is. */
bool closure_builder_add_holding(struct closure_builder *builder, struct digest id, unsigned holding);
/** Whether the group with this id is in the closure. */
bool closure_builder_holds_id(const struct closure_builder *builder, const char *id);

/** The DN of a listed group by its id, or NULL. */
const char *closure_builder_find_id(const struct closure_builder *builder, const char *id);

/** `dn` (own) is root number `root`; it becomes part of the closure, listed or not. */
NODISCARD enum status closure_builder_set_root(struct closure_builder *builder, size_t root, const char *dn,
					       const char *id);

/**
 * From now on a group whose class demands members (RFC 4519 3.5, 3.6) but shows none is an error: an ACL hides them. For
 * servers that keep to the schema (OpenLDAP); 389 Directory Server lets such groups be empty.
 */
void closure_builder_demand_members(struct closure_builder *builder);

/** The next group of the closure that was not read yet, or CLOSURE_NONE; each is given once. */
uint32_t closure_builder_next_unread(struct closure_builder *builder);
const char *closure_builder_group_dn(const struct closure_builder *builder, uint32_t group);

/**
 * The entry of a group of the closure: its members become memberships and edges.
 * @return STATUS_OK; STATUS_REFUSED (closure_builder_demand_members); STATUS_LIMIT; STATUS_NO_MEMORY.
 */
NODISCARD enum status closure_builder_take_group(struct closure_builder *builder, uint32_t group,
						 const struct dir_entry *entry);

/**
 * The next foreign value that nobody asked the server about yet.
 * @return its number (each is given once), or CLOSURE_NONE; the DN in *dn_out.
 */
uint32_t closure_builder_next_foreign(struct closure_builder *builder, const char **dn_out);

/** What the server said of it: the entry's own DN, or NULL when there is no such entry. */
NODISCARD enum status closure_builder_resolve(struct closure_builder *builder, uint32_t foreign, const char *own_dn);

/**
 * Whether an entry that changed while its directory was read can make a difference: groups of the closure, groups that
 * are new or have another name, and what is neither a person nor a leaf (when it is renamed, so are the groups beneath).
 * The other groups do not count: to let one in, a group of the closure would have to change as well.
 */
bool closure_builder_concerns(struct closure_builder *builder, const struct dir_entry *entry);
/**
 * Sort and number what was read, which takes a second for millions of memberships: on whatever thread can wait. Nothing
 * may be added afterwards. closure_builder_finish does it when nobody has.
 *
 * @return STATUS_OK, STATUS_INTERNAL (foreign values are unresolved), STATUS_LIMIT, STATUS_NO_MEMORY.
 */
NODISCARD enum status closure_builder_seal(struct closure_builder *builder);

/** The finished closure, the caller's; STATUS_INTERNAL when foreign values are unresolved, STATUS_LIMIT, STATUS_NO_MEMORY. */
NODISCARD enum status closure_builder_finish(struct closure_builder *builder, struct closure **closure_out);

/** Member values that were not distinguished names at all, and count for nobody. */
size_t closure_builder_invalid_count(const struct closure_builder *builder);

#endif
