/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A regime: one policy, and all that stands and falls with it. A question keeps the regime that it began with; when another policy
 * comes, a new regime is built beside the old one, put into force whole, and the old one goes when its last question is answered.
 *
 * Threads: the executor, unless a function says otherwise.
 */
#ifndef WSMAUTHZ_AUTHORIZER_REGIME_H
#define WSMAUTHZ_AUTHORIZER_REGIME_H

#include <authorizer/audit.h>
#include <authorizer/cache.h>
#include <authorizer/epochs.h>
#include <authorizer/finder.h>
#include <base/compiler.h>
#include <base/digest.h>
#include <base/error.h>
#include <config/config.h>
#include <directory/dir_forest.h>
#include <directory/dir_pool.h>
#include <membership/membership.h>
#include <os/executor.h>
#include <stdatomic.h>
#include <stdbool.h>

/* Questions under way are found by their form: chains of a table. */
#define REGIME_CHAINS 1024
/* Who finds the lease old asks for a new one, at most so often. */
#define REGIME_RENEW_MS 250

struct inquiry;
struct wa_engine;

struct regime {
	struct wa_engine *engine;
	const struct config *config;
	const char **group_names;     /* [rule_count + site_count]: what membership calls roots; borrowed names */
	const char **user_attributes; /* what every user search asks for */
	const char **ad_attributes;   /* the same of Active Directory */
	struct config_directory
	    ad_directory; /* the policy's, as it is if the server is Active Directory's (question_adapt) */
	struct config_directory directory; /* the policy's, adapted to what the server is */
	struct audit *audit;               /* NULL: dry run */
	struct dir_pool *pool;
	struct membership *membership;
	struct finder *finder;
	const struct dir_forest
	    *forest; /* one reference; NULL: the server is no Active Directory, or was not asked yet */
	struct epochs *epochs;
	struct cache *cache; /* NULL: nothing is cached */
	struct inquiry *inquiries[REGIME_CHAINS];

	_Atomic uint64_t lease_until_ms; /* what is cached may be served until then without asking */
	_Atomic uint64_t renew_after_ms; /* nobody asks for a new lease before */
	atomic_bool renewing;            /* `renewal` is posted */
	struct task renewal;

	uint64_t load_failures; /* of the groups, that the engine's figures have */
	size_t holders;         /* questions */
	bool is_retired;        /* not in force any more */
	struct task retirement;
	struct regime *next; /* engine->regimes */
};

/**
 * Build: connections and the first load of the groups go on behind this call.
 * Threads: any, before the engine is open; then the executor.
 * @return STATUS_OK, STATUS_NO_MEMORY, STATUS_LIMIT (no threads), STATUS_INTERNAL; what audit_open says.
 */
NODISCARD enum status regime_open(struct wa_engine *engine, const struct config *config, struct regime **regime_out,
				  struct error *error);

/** End its threads, which the executor's own thread cannot: whatever is under way ends with an error. Twice is allowed. Threads: any other. */
void regime_stop(struct regime *regime);

/** Stopped: whether nothing of it is under way any more; until then it goes on by tasks of the executor that were posted before. */
bool regime_has_ended(const struct regime *regime);

/** It has ended, or everything posted has run. NULL-safe; sets the pointer to NULL. */
void regime_free(struct regime **regime);

void regime_hold(struct regime *regime);
/** The last one lets a retired regime go. */
void regime_release(struct regime *regime);

/** The digest by which a question's sender is known. Threads: any. */
struct digest regime_form(const struct regime *regime, const struct wa_question *question);

/** The same for a sender who is known by his name, and the SID of his token (NULL: none), alone. */
struct digest regime_form_of_name(const struct regime *regime, const char *name, size_t length, const char *token_sid,
				  bool allow_sid);

enum regime_use {
	REGIME_USE_NO = 0, /* not known, changed, or too old */
	REGIME_USE_YES,    /* it may be used */
	REGIME_USE_LEASED, /* it may, once there is a lease */
};

/** Whether what was found may be used now. Threads: any. */
enum regime_use regime_may_use(const struct regime *regime, const struct cache_hit *hit, uint64_t now_ms);

/** Ask for a new lease when the one that there is will soon be over. Threads: any. */
void regime_keep_leased(struct regime *regime, uint64_t now_ms);

#endif
