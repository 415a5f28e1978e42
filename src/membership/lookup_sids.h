/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A user's direct groups on Active Directory: the SIDs in the extended DNs of the entry's memberOf, and the primary group, which
 * neither memberOf nor the group's member shows. No further search.
 *
 * Private to the membership module.
 * Sources: MS-ADTS 3.1.1.4.5.19 (what a token holds), MS-SAMR 2.2.7.1 and MS-ADA3 (primaryGroupID: the last part of the group's SID).
 */
#ifndef WSMAUTHZ_MEMBERSHIP_LOOKUP_SIDS_H
#define WSMAUTHZ_MEMBERSHIP_LOOKUP_SIDS_H

#include <base/compiler.h>
#include <base/sid.h>
#include <membership/membership.h>

/** The attributes of a user's entry, NULL-terminated. With DIR_SEARCH_EXTENDED_DN. */
extern const char *const lookup_sid_attributes[];

/** MEMBERSHIP_DONE; or MEMBERSHIP_UNKNOWN and lookup->error: what is needed was not shown. */
enum membership_next lookup_by_sid(struct membership_lookup *lookup, const struct dir_entry *user);

/** The SID of the user's primary group. @return false: the entry does not show it. */
NODISCARD bool lookup_primary_group(const struct dir_entry *user, struct sid *sid_out);

#endif
