/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a question to the search that finds the user, and from the answer to the entries that are
 * the user's. Pure.
 *
 * The domain must be one of the directory's; a plain name needs the policy's default domain; a
 * client certificate counts only when the policy lists its issuer, and then its subject name is
 * the sender. What the directory returns is compared again with what was asked for.
 */
#ifndef WSMAUTHZ_AUTHORIZER_QUESTION_H
#define WSMAUTHZ_AUTHORIZER_QUESTION_H

#include <base/arena.h>
#include <base/compiler.h>
#include <base/error.h>
#include <base/text.h>
#include <config/config.h>
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
 * Who is asked about.
 *
 * @param sender_out  for WA_REASON_NONE.
 * @param error       words for administrators otherwise.
 * @return WA_REASON_NONE; WA_REASON_BAD_SENDER_NAME, WA_REASON_FOREIGN_DOMAIN, WA_REASON_NO_MEMORY.
 */
enum wa_reason question_identify(const struct config *config, const struct wa_question *question, struct arena *arena,
				 struct sender *sender_out, struct error *error);

/** Append the condition that names the sender, one component of a filter: "(uid=alice)". */
void question_add_identity(const struct config_directory *directory, const struct sender *sender, struct text *filter);

/**
 * The filter that finds users.
 * @param identity  whom: what question_add_identity wrote for one sender, or for several, joined by "(|" and ")".
 * @param extra     a filter of the policy as a further condition; "": none.
 * @return owned by the caller (memory_free); NULL when memory ran out.
 */
NODISCARD char *question_filter(const struct config_directory *directory, const char *identity, const char *extra);

/** Whether an entry that came is the sender's: it shows the very name (or SID) that was asked for. */
bool question_is_sender(const struct config_directory *directory, const struct sender *sender,
			const struct dir_entry *entry);

#endif
