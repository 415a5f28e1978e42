/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records that say the same again and again: somebody who is denied a thousand times a second must not fill the disk with it. Of what is the
 * same (sender, mechanism, kind, verdict, reason, rule) the first AUDIT_REPEATS_BURST in AUDIT_REPEATS_MS are written one by one; the rest is counted, and
 * the count is written.
 *
 * Threads: one at a time.
 */
#ifndef WSMAUTHZ_AUTHORIZER_AUDIT_REPEATS_H
#define WSMAUTHZ_AUTHORIZER_AUDIT_REPEATS_H

#include <base/compiler.h>
#include <base/digest.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wsmauthz/engine.h>

#define AUDIT_REPEATS_MS    60000
#define AUDIT_REPEATS_BURST 10
/* Different records that are counted at once; another one that needs a place ends the counting of the one there. */
#define AUDIT_REPEATS_SLOTS 1024
/* Of a sender, in a line that tells how often; a name that is longer is cut. */
#define AUDIT_REPEATS_SENDER_BYTES 256

struct audit_repeats;

/* What was counted and not written. */
struct audit_repeat {
	struct digest key;
	uint64_t since_ms; /* clock_monotonic_ms(): the first of the burst */
	unsigned written;  /* of the burst; 0: the place is free */
	uint64_t count;    /* behind the burst */
	enum wa_kind kind;
	enum wa_verdict verdict;
	enum wa_reason reason;
	char sender[AUDIT_REPEATS_SENDER_BYTES];
};

/** @return NULL when memory ran out. */
NODISCARD struct audit_repeats *audit_repeats_new(void);
void audit_repeats_free(struct audit_repeats **repeats);

/**
 * A record is to be written.
 *
 * @param told_out  set to what was counted in its place before, and is to be written first; NULL: nothing is. Valid until the next call.
 * @return whether it is to be written itself.
 */
bool audit_repeats_take(struct audit_repeats *repeats, const struct wa_question *question,
			const struct wa_decision *decision, uint64_t now_ms, const struct audit_repeat **told_out);

/** Whether anything is counted that is not written. */
bool audit_repeats_has_counts(const struct audit_repeats *repeats);

/** One of the counts, which begins anew; NULL: there is none any more. Valid until the next call. */
const struct audit_repeat *audit_repeats_next(struct audit_repeats *repeats);

#endif
