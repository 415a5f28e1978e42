/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looking a policy over: what an administrator wants to know of a user beyond the decision, and what has to be known before users can
 * be listed at all.
 *
 *	review_ground   once: the groups are read, and it is known what kind of server it is
 *	review_user     a decision like any other (request.c), and what it was made of
 *
 * Nothing here decides: the verdict is the one of wa_engine_decide.
 */
#ifndef WSMAUTHZ_AUTHORIZER_REVIEW_H
#define WSMAUTHZ_AUTHORIZER_REVIEW_H

#include <base/compiler.h>
#include <config/config.h>
#include <directory/dir_forest.h>
#include <membership/closure.h>
#include <policy/account.h>
#include <policy/policy.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wsmauthz/engine.h>

/* Whose users are to be listed, and how they are called. All borrowed; good until the callback returns. */
struct review_ground {
	enum wa_reason reason;       /* WA_REASON_NONE: all is there; else why the groups could not be read */
	const char *detail;          /* ... in words */
	const struct config *config; /* the policy in force */
	const struct config_directory *directory; /* as the server is to be asked (question_adapt) */
	const struct dir_forest *forest;          /* NULL: no Active Directory */
	struct closure *closure;                  /* NULL: not known any more */
};

typedef void review_ground_fn(void *context, const struct review_ground *ground);

/**
 * Wait for the groups, however long their load takes, and tell.
 * @param told  on the engine's thread, once, never inside this call.
 * @return false: out of memory, and `told` will not be called.
 * Threads: any. The engine may not be closed before `told` has run.
 */
NODISCARD bool review_ground(struct wa_engine *engine, review_ground_fn *told, void *context);

/* A user who was decided about. All borrowed; good until the callback returns. */
struct review {
	const struct wa_decision *decision;
	const struct config *config; /* the policy that decided: another one may come into force in between */

	/* What follows is there when the policy was asked: when `facts` is not NULL. */
	const struct policy_facts *facts;
	const struct policy_standing *standing;
	bool has_account; /* the state of the account could be read */
	struct account_state account;
	size_t site;            /* where he belongs, whether or not he is let in; or POLICY_NO_SITE */
	const char *site_value; /* the first value of the redirect's attribute; NULL: none */
	size_t site_values;
	bool is_here;            /* a value of his is served on this host */
	struct closure *closure; /* what the numbers below are of */
	const uint32_t *direct;  /* the groups that list him */
	size_t direct_count;
};

typedef void review_fn(void *context, const struct review *review);

/**
 * As wa_engine_decide.
 * @param reviewed  on the engine's thread, once, never inside this call.
 */
NODISCARD bool review_user(struct wa_engine *engine, const struct wa_question *question, review_fn *reviewed,
			   void *context);

struct findings;
struct regime;

/** What is told of a decision. @param findings  what it was made of; NULL: nothing was looked up. */
void review_fill(const struct regime *regime, const struct wa_decision *decision, const struct findings *findings,
		 struct review *review_out);

#endif
