/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The three ways to a user's direct groups, once the closure is fresh and the user's entry is there.
 *
 *	index     the member index of the closure: no search
 *	search    "which groups have this member?": asked together with the user's own search when the DN
 *	          could be guessed right, else by a second one
 *	memberof  the entry's memberOf values: where the policy trusts them
 *
 * Private to the membership module.
 */
#ifndef WSMAUTHZ_MEMBERSHIP_LOOKUP_GROUPS_H
#define WSMAUTHZ_MEMBERSHIP_LOOKUP_GROUPS_H

#include <config/config.h>
#include <membership/membership.h>

/* Closure groups asked about by one search, when the server would not list all of a user's groups. */
#define LOOKUP_BATCH_GROUPS 50
/* And such searches in one round trip; beyond that the answer is UNKNOWN. */
#define LOOKUP_MAX_BATCHES 64

/* The attributes that the answer to a groups search must have. */
extern const char *const lookup_group_attributes[];

/**
 * Fill `search` with the question for the groups that have this member.
 *
 * @param dn    the member's DN.
 * @param uids  the member's uid values.
 * @return false when memory ran out.
 */
NODISCARD bool lookup_ask_groups(const struct config_directory *directory, unsigned kinds, struct arena *arena,
				 const char *dn, const struct dir_attribute *uids, struct dir_search *search);

enum membership_next lookup_by_index(struct membership_lookup *lookup, const struct dir_entry *user);
enum membership_next lookup_by_search(const struct config_directory *directory, struct membership_lookup *lookup,
				      const struct dir_entry *user);
enum membership_next lookup_by_memberof(struct membership_lookup *lookup, const struct dir_entry *user);

/** Free the searches of the last ASK. */
void lookup_drop_asked(struct membership_lookup *lookup);

/** Give up on a user with more than MEMBERSHIP_MAX_DIRECT groups; returns MEMBERSHIP_UNKNOWN. */
enum membership_next lookup_too_many(struct membership_lookup *lookup, const struct dir_entry *user);

/** Give up for want of memory; returns MEMBERSHIP_UNKNOWN. */
enum membership_next lookup_no_memory(struct membership_lookup *lookup);

#endif
