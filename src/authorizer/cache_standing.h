/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A standing as one word, for a table that holds millions of them. What does not fit, the quota, is kept once for all who have
 * it: rules are few, and so are the sums of their quotas.
 *
 *	bits   0-10   11-21   22-25   26-37   38-45    46              47      48          62      63
 *	       rule   site    uri     quota   reason   administrator   fresh   authorize   is kept  left to the holder
 *
 * Zero is no standing. until_s needs a word of its own.
 *
 * Threads: cache_standing_pack from one; cache_standing_unpack from any that has seen the word after it was packed.
 */
#ifndef WSMAUTHZ_AUTHORIZER_CACHE_STANDING_H
#define WSMAUTHZ_AUTHORIZER_CACHE_STANDING_H

#include <base/compiler.h>
#include <policy/policy.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CACHE_STANDING_IS_KEPT (UINT64_C(1) << 62)
#define CACHE_STANDING_MARK    (UINT64_C(1) << 63)

struct cache_standings {
	struct wa_quota *quotas; /* owned; only ever appended to */
	size_t quota_count;
};

/** @return false: memory ran out. */
NODISCARD bool cache_standings_init(struct cache_standings *standings);
void cache_standings_done(struct cache_standings *standings);

/**
 * @param word_out  never 0; CACHE_STANDING_MARK is clear.
 * @return false: it cannot be kept: neither an authorize nor a deny, no rule or site of `config`, or too many quotas.
 */
NODISCARD bool cache_standing_pack(struct cache_standings *standings, const struct config *config,
				   const struct policy_standing *standing, uint64_t *word_out);

void cache_standing_unpack(const struct cache_standings *standings, uint64_t word, int64_t until_s,
			   struct policy_standing *standing_out);

#endif
