/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a group of Active Directory may hold beside people and groups of the forest: foreign security principals, entries that have a SID
 * and nothing else.
 *
 *	SID                                         is                                    CLOSURE_HOLDS_
 *	S-1-5-21-x-y-z-rid                          somebody of another forest, or a      FOREIGN
 *	                                            group there: the entry does not show which, and who is in it is not known here
 *	Everyone, Authenticated Users, NETWORK,     everybody who comes through WinRM     EVERYBODY
 *	This Organization
 *	ANONYMOUS, SELF, IUSR, SYSTEM and services  nobody who has an entry               (nothing)
 *	any other                                   whoever's token has it (NTLM Authentication, INTERACTIVE, ...): no   UNTOLD
 *	                                            attribute of anybody shows it
 *
 * Sources: MS-ADTS 6.1.1.4.10 (ForeignSecurityPrincipals), 5.1.3.2 and MS-DTYP 2.4.2.4 (well-known SIDs).
 */
#ifndef WSMAUTHZ_MEMBERSHIP_CLOSURE_PRINCIPAL_H
#define WSMAUTHZ_MEMBERSHIP_CLOSURE_PRINCIPAL_H

#include <directory/dir_search.h>
#include <membership/closure.h>
#include <stdbool.h>

/** Such entries that are in some group. */
extern const char closure_principal_filter[];

bool closure_principal_is(const struct dir_entry *entry);

/** What a group holds that holds this entry: of CLOSURE_HOLDS_*; 0: nothing that matters. One whose SID is not shown may be anything. */
unsigned closure_principal_holding(const struct dir_entry *entry);

#endif
