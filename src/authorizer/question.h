/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a question to the search that finds the user, and from the answer to the one entry that is
 * the user. Pure.
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
#include <config/config.h>
#include <directory/dir_search.h>
#include <identity/sender.h>
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

/**
 * The filter that finds the sender; with `extra` (a filter of the policy) as a further condition when it is not "".
 * @return in the arena; NULL when memory ran out.
 */
NODISCARD const char *question_filter(const struct config_directory *directory, const struct sender *sender,
				      const char *extra, struct arena *arena);

/**
 * The user among the entries that came.
 * @return WA_REASON_NONE and the entry; WA_REASON_NO_SUCH_USER, WA_REASON_AMBIGUOUS_USER.
 */
enum wa_reason question_pick(const struct config_directory *directory, const struct sender *sender,
			     const struct dir_search *search, const struct dir_entry **user_out);

#endif
