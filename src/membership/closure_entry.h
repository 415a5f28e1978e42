/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an entry says as far as groups are concerned: whether it is one, which members it names. Pure.
 *
 * Sources: RFC 4519 3.5, 3.6 (groupOfNames, groupOfUniqueNames); RFC 2307 (posixGroup); RFC 4517 3.3.21 (Name And Optional UID);
 * RFC 3672; 389 Directory Server's schema (02common.ldif).
 */
#ifndef WSMAUTHZ_MEMBERSHIP_CLOSURE_ENTRY_H
#define WSMAUTHZ_MEMBERSHIP_CLOSURE_ENTRY_H

#include <base/compiler.h>
#include <base/digest.h>
#include <base/error.h>
#include <base/text.h>
#include <directory/dir_search.h>
#include <membership/closure.h>
#include <stdbool.h>
#include <stddef.h>

/** Whether an entry's objectClass is one whose members we know how to read. */
bool closure_entry_is_group(const struct dir_entry *entry);
/** Whether it is one of people. */
bool closure_entry_is_person(const struct dir_entry *entry);
/** Whether it says what other entries show: roles and classes of service of 389 Directory Server, subentries (RFC 3672). */
bool closure_entry_governs_others(const struct dir_entry *entry);

/** The filter that lists groups. */
extern const char closure_group_filter[];
/** The attributes that closure_entry_members needs. */
extern const char *const closure_group_attributes[];
/** The attributes that tell what a changed entry is. */
extern const char *const closure_change_attributes[];

enum closure_member_kind {
	CLOSURE_MEMBER_DN = 0,  /* `digest` of the DN's key */
	CLOSURE_MEMBER_UID,     /* `digest` of the uid */
	CLOSURE_MEMBER_FOREIGN, /* only the server can say whose name `value` is */
};

struct closure_member {
	enum closure_member_kind kind;
	struct digest digest;
	const struct dir_value *value;
};

typedef enum status closure_member_fn(void *context, const struct closure_member *member);

/**
 * Go through the members that a group's entry names.
 *
 * @param closure        whose digests are used; closure_demands_members of it is heeded.
 * @param scratch        room for a key.
 * @param kinds          gets the kinds of members that such an entry may have (|=).
 * @param invalid_count  goes up by the values that are nobody's name.
 * @return STATUS_OK; STATUS_REFUSED: its class demands members and it shows none: an access rule hides them;
 *         STATUS_NO_MEMORY; what `take` returned, when that was not STATUS_OK.
 */
NODISCARD enum status closure_entry_members(const struct closure *closure, const struct dir_entry *entry,
					    struct text *scratch, unsigned *kinds, size_t *invalid_count,
					    closure_member_fn *take, void *context);

#endif
