/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One look into the directory: who is this sender, which groups hold him, what does the policy say of him? All who ask about one
 * sender at one time share one inquiry.
 *
 *	begin      is there a closure to begin with? A wait for it, or
 *	seek       the user's entry, and what membership needs with it: one round trip
 *	found      the one entry that is the user                  -> end, or
 *	advance    which groups? Another round trip, a wait for the closure, `seek` once more, or
 *	rate       what the policy says; for how long is a user locked who is? Another round trip, and rate again
 *	end        keep it in the cache, tell all who asked, free: the only place where an inquiry ends
 *
 * Threads: the executor's, all functions.
 */
#ifndef WSMAUTHZ_AUTHORIZER_INQUIRY_H
#define WSMAUTHZ_AUTHORIZER_INQUIRY_H

#include <authorizer/regime.h>
#include <base/compiler.h>
#include <base/digest.h>
#include <identity/sender.h>
#include <policy/policy.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wsmauthz/engine.h>

/* What came of it; borrowed while an asker is told. */
struct findings {
	const struct policy_standing *standing; /* verdict WA_ERROR: it is not known */
	const char *dn;                         /* NULL: no entry was found */
	const char *const *path;                /* NULL: none */
	size_t path_count;
	const char *detail; /* one line for administrators, or NULL */
	/* What the policy was told of the user, and which groups hold him; NULL: it was not asked. */
	const struct policy_facts *facts;
	const struct membership_lookup *lookup;
	unsigned searches; /* round trips */
	bool is_late;      /* the time of who asked first is over */
};

struct trace;

/* Somebody who asks. */
struct asker {
	void (*told)(struct asker *asker, const struct findings *findings); /* once, later, never inside inquiry_join */
	uint64_t deadline_ms;
	struct trace *trace; /* what is waited for is told there; NULL: nobody wants to know */
	struct asker *next;  /* private */
};

/**
 * Ask about `sender`, who is known by `form`, together with whoever does already.
 * @return STATUS_OK; STATUS_NO_MEMORY: the asker will not be told.
 */
NODISCARD enum status inquiry_join(struct regime *regime, struct digest form, const struct sender *sender,
				   struct asker *asker);

/** Why an answer is UNKNOWN, in the words that administrators know. */
enum wa_reason inquiry_reason_of(enum status status);

#endif
