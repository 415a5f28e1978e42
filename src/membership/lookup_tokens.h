/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A user's groups as the domain controller itself counts them: tokenGroups, the SIDs that his token would hold, at any depth and of
 * every domain of the forest.
 *
 * It is the answer where the forest has several domains: a group of another domain that lies between the user and a configured group
 * is in no closure that one domain controller shows. It takes a round trip of its own, since a search that is not of base scope and
 * asks for it fails as a whole; and nobody tells of changes in other domains, so what it says is kept no longer than without a watch.
 * Elsewhere it is the cross-check: membership_token.c.
 *
 * Private to the membership module.
 * Sources: MS-ADTS 3.1.1.4.5.19 (tokenGroups: base scope only; absent where no global catalog can be reached).
 */
#ifndef WSMAUTHZ_MEMBERSHIP_LOOKUP_TOKENS_H
#define WSMAUTHZ_MEMBERSHIP_LOOKUP_TOKENS_H

#include <directory/dir_forest.h>
#include <membership/membership.h>

/** Whether a domain controller can count this one's groups: not those of another forest's users (foreign security principals). */
bool lookup_has_token(const struct dir_entry *user);

/** Whether the closure of one domain controller may lack groups between a user and a configured one. */
bool lookup_needs_tokens(const struct dir_forest *forest);

/** Fill in the question about the one with this SID; `attributes` NULL-terminated, with tokenGroups. @return false when memory ran out. */
NODISCARD bool lookup_ask_token(struct arena *arena, const char *sid, const char *const *attributes,
				struct dir_search *search);

/**
 * The closure's groups among those of an answer.
 *
 * @param groups_out  room for as many as tokenGroups has values, in the arena.
 * @return STATUS_OK; STATUS_REFUSED: the answer shows no tokenGroups; STATUS_NO_MEMORY.
 */
NODISCARD enum status lookup_take_token(const struct closure *closure, const struct dir_entry *user,
					struct arena *arena, uint32_t **groups_out, size_t *count_out);

/** MEMBERSHIP_ASK, then MEMBERSHIP_DONE; or MEMBERSHIP_UNKNOWN and lookup->error. @param ttl_ms  how long it may be kept. */
enum membership_next lookup_by_token(struct membership_lookup *lookup, const struct dir_entry *user, uint64_t ttl_ms);

#endif
