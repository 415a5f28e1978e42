/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a question to the search that finds the user, and from the answer to the entries that are
 * the user's. Pure.
 *
 * The domain must be one of the directory's; a plain name needs the policy's default domain; a
 * client certificate counts only when the policy lists its issuer, and then its subject name is
 * the sender. What the directory returns is compared again with what was asked for.
 *
 * On Active Directory (a forest is given; NULL: the server is none) the domains are the forest's:
 *
 *	token's SID       instead of the name, unless the policy says identity="name": found by objectSid alone
 *	SID               of the home domain, or a foreign security principal of one that is trusted
 *	DOMAIN\user       by a NetBIOS or DNS name of the home domain: sAMAccountName
 *	user@suffix       by a suffix of the forest: userPrincipalName; by a name of the home domain also sAMAccountName
 *	user              by the policy's default domain, which must be the home domain
 *
 * Where the policy gives domains, a name's must be among them besides. Computers (and managed service accounts) are found by a name
 * that ends with '$', never by one that does not: a domain controller would try "name$" for "name", and whoever may create
 * computers could then pass for others (CVE-2021-42278). Accounts of trusts are never found.
 *
 * Sources: MS-ADTS 5.1.1.1 (names), MS-ADA3 (sAMAccountName, userPrincipalName), MS-KILE 3.3.5.6.1; MS-ADTS 2.2.16 (userAccountControl).
 */
#ifndef WSMAUTHZ_AUTHORIZER_QUESTION_H
#define WSMAUTHZ_AUTHORIZER_QUESTION_H

#include <base/arena.h>
#include <base/compiler.h>
#include <base/error.h>
#include <base/text.h>
#include <config/config.h>
#include <directory/dir_forest.h>
#include <directory/dir_search.h>
#include <identity/sender.h>
#include <stdbool.h>
#include <wsmauthz/engine.h>

/* Entries asked for: one is the user; the others are look-alikes by the server's own matching. */
#define QUESTION_MAX_MATCHES 8
/* A sender name longer than this is refused without being looked at (bytes; the longest valid one has 1,024 UTF-16 units). */
#define QUESTION_MAX_NAME_BYTES 4096

/**
 * A copy of a question, strings and all, in the arena. A name over the limit is cut (and refused later).
 * @return NULL when memory ran out.
 */
NODISCARD struct wa_question *question_copy(const struct wa_question *question, struct arena *arena);

/**
 * The directory as it is to be asked: what the policy does not say is as Active Directory has it, where a forest is given. All
 * functions below that take a directory want this one; so does whoever reads users' names.
 *
 * @param adapted_out  borrows all that `given` holds.
 */
void question_adapt(const struct config_directory *given, const struct dir_forest *forest,
		    struct config_directory *adapted_out);

/**
 * Who is asked about.
 *
 * @param forest      NULL: the server is no Active Directory.
 * @param sender_out  for WA_REASON_NONE.
 * @param error       words for administrators otherwise.
 * @return WA_REASON_NONE; WA_REASON_BAD_SENDER_NAME, WA_REASON_FOREIGN_DOMAIN, WA_REASON_NO_TOKEN (identity="token", and the question
 *         has none), WA_REASON_NO_MEMORY.
 */
enum wa_reason question_identify(const struct config *config, const struct dir_forest *forest,
				 const struct wa_question *question, struct arena *arena, struct sender *sender_out,
				 struct error *error);

/** Append the condition that names the sender, one component of a filter: "(uid=alice)". */
void question_add_identity(const struct config_directory *directory, const struct dir_forest *forest,
			   const struct sender *sender, struct text *filter);

/**
 * The filter that finds users.
 * @param identity  whom: what question_add_identity wrote for one sender, or for several, joined by "(|" and ")".
 * @param extra     a filter of the policy as a further condition; "": none.
 * @return owned by the caller (memory_free); NULL when memory ran out.
 */
NODISCARD char *question_filter(const struct config_directory *directory, const char *identity, const char *extra);

/**
 * The filter that lists everybody who can be found by some name or SID.
 * @return owned by the caller (memory_free); NULL when memory ran out.
 */
NODISCARD char *question_list_filter(const struct config_directory *directory, const struct dir_forest *forest);

/**
 * Whether an entry that came is the sender's: it shows the very name (or SID) that was asked for; and a name of a domain is not
 * that of an entry whose SID is another domain's.
 */
bool question_is_sender(const struct config_directory *directory, const struct dir_forest *forest,
			const struct sender *sender, const struct dir_entry *entry);

#endif
