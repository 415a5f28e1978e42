/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine from inside: what its files share, and a door for tests that bring their own
 * configuration.
 *
 *	engine.c    opening, closing; which policy is in force, and how another one takes its place
 *	regime.c    all that stands and falls with one policy: connections, groups, cached verdicts
 *	instant.c   answers from the cache, on the caller's thread
 *	request.c   the way of one question
 *	inquiry.c   the way of one look into the directory, for all who ask the same
 *	review.c    answers for who looks the policy over
 *	explain.c   one answer, and all that it was made of
 *	record.c    audit records of answers that the engine was not asked for
 *	figures.c   repeated authorizations, and what the engine can say about itself
 *	metrics.c   the thread that writes that to a file (measures.c: how it is written)
 *
 * One executor runs everything: requests, the load of the closure, answers of the pool. So nothing
 * here needs a lock but what callers' threads look at: the count of questions under way, the regime in force (engine->gate), and
 * the list of regimes, which the thread that closes the engine goes through.
 */
#ifndef WSMAUTHZ_AUTHORIZER_ENGINE_PRIVATE_H
#define WSMAUTHZ_AUTHORIZER_ENGINE_PRIVATE_H

#include <authorizer/measures.h>
#include <authorizer/metrics.h>
#include <authorizer/policy_watch.h>
#include <authorizer/regime.h>
#include <base/digest.h>
#include <base/error.h>
#include <base/log.h>
#include <config/config.h>
#include <os/executor.h>
#include <os/gate.h>
#include <os/thread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <wsmauthz/engine.h>

/* Questions that may be under way at once; a host that asks more has lost its directory: it is answered "overload". */
#define ENGINE_MAX_QUESTIONS 16384
/* Those that are answered so are held for a moment too. More than this, and there is not even that answer. */
#define ENGINE_MAX_REFUSALS ((size_t)4 * ENGINE_MAX_QUESTIONS)
/* Repeated authorizations are counted, and the count goes to the audit record so often. */
#define ENGINE_REPEATS_MS 60000
/* A new policy whose groups cannot be read is tried again after this time; the old one is in force meanwhile. */
#define ENGINE_TRY_POLICY_MS 1000

/* Answers from the cache, counted by the gate's stripes so that threads do not share the counter. */
struct repeats {
	_Atomic uint64_t count;
	char padding[GATE_STRIPE_BYTES - sizeof(uint64_t)];
};

/* What the engine can say about itself, as it is counted. Relaxed: each figure is right, but they are not of one moment. */
struct figures {
	/* But for those of `repeats`. */
	_Atomic uint64_t outcomes[MEASURES_VERDICTS][WA_REASON_COUNT];
	_Atomic uint64_t cached, refused;
	_Atomic uint64_t cold[MEASURES_BOUNDS + 1], cold_us;
	_Atomic uint64_t closure_loads, closure_load_failures, changes, changes_of_everything;
	_Atomic uint64_t policies_taken, policies_refused;
	atomic_bool policy_is_stale; /* the file says something else than what is in force */
	/* Of the regime in force, brought up to date by engine_show_figures. */
	_Atomic uint64_t closure_load_us, closure_groups, memberships, closure_bytes, cached_users, cached_bytes;
	_Atomic uint64_t watch_lag_us, missing_changes, proven_us;
	atomic_bool watched;
	int64_t started_s; /* wall time */
};

struct explaining;
struct findings;
struct trace;

struct wa_engine {
	struct log log;
	struct wa_log sink;
	bool dry_run, no_cache;
	struct executor *executor;
	struct digest_key form_key;
	struct policy_watch *policy_watch; /* NULL: a test's engine, whose policy is no file */

	struct gate gate;                /* who reads `regime` on a thread of his own is inside */
	_Atomic(struct regime *) regime; /* in force; only the executor changes it */
	struct regime *coming;           /* to be in force once its groups are read; NULL: none */
	struct membership_waiter coming_waiter;
	struct timer coming_timer;
	struct mutex lock;          /* guards `regimes`, `gone` and is_closing */
	struct regime *regimes;     /* all that are not freed */
	struct dir_pool_stats gone; /* the counters of those that were, together */
	bool is_closing;

	struct task stop;
	bool stopping;           /* on the executor: no new round trips */
	atomic_size_t questions; /* under way */
	struct repeats repeats[GATE_STRIPES];
	uint64_t repeats_told, repeats_told_ms; /* how many, and when */
	struct figures figures;
	struct audit_counts audit_counts;
	struct metrics *metrics; /* NULL: dry run */

	struct explaining *explaining; /* on the executor: explanations that wait for the watch */

	_Atomic uint32_t timeout_ms; /* of the policy in force */
	atomic_bool allows_null_token, wants_token_sid;
	bool asynchronous; /* of the first policy: the host is told once */
};

/**
 * As wa_engine_open, with a configuration that is there already, and is not looked at again.
 * @param config  a reference of its own is taken.
 * @return STATUS_OK, STATUS_NO_MEMORY, STATUS_LIMIT (no threads), STATUS_INTERNAL.
 */
NODISCARD enum status engine_open_with(const struct config *config, const struct wa_options *options,
				       struct wa_engine **engine_out, struct error *error);

/** Another policy: it is in force as soon as its groups are read. Threads: the executor. */
void engine_take_policy(struct wa_engine *engine, const struct config *config);

/** Nobody holds this regime any more, and it is not in force. Threads: the executor. */
void engine_retire(struct wa_engine *engine, struct regime *regime);

/** The regime in force. Threads: the executor. */
struct regime *engine_regime(const struct wa_engine *engine);

/** Count one more authorization that is not written down. `stripe`: of the gate's ticket, or any. */
void engine_count_repeat(struct wa_engine *engine, unsigned stripe);
/** Write the count down when it is time, or when `now`. Threads: the executor. */
void engine_tell_repeats(struct wa_engine *engine, bool now);

/** Count a decision that was not told to engine_count_repeat. Threads: any. */
void engine_count_decision(struct wa_engine *engine, const struct wa_decision *decision);

/** One more of a figure. Threads: any. */
void engine_count(_Atomic uint64_t *figure);

/** Bring the figures of this regime up to date. Threads: the executor. */
void engine_show_figures(struct wa_engine *engine, struct regime *regime);

/** What is counted by a pool that goes now. Threads: the executor, under the engine's lock. */
void engine_keep_figures_locked(struct wa_engine *engine, const struct regime *regime) REQUIRES(engine->lock);

/** All of it. Threads: any. */
void engine_measure(struct wa_engine *engine, struct measures *measures_out);

/** What the metrics' thread is given. Threads: as metrics_source says. */
struct metrics_source engine_metrics_source(struct wa_engine *engine);

/** Begin a question: engine and question as wa_engine_decide has them. False when memory ran out. */
NODISCARD bool request_start(struct wa_engine *engine, const struct wa_question *question, wa_decided_fn *decided,
			     void *context);

/** Instead of wa_decided_fn, for who wants to know more. @param findings  NULL: nothing was looked up. */
typedef void request_reviewed_fn(void *context, struct regime *regime, const struct wa_decision *decision,
				 const struct findings *findings);
/** As request_start. @param trace  what is waited for is told there, until `reviewed` has run; NULL: nobody wants to know. */
NODISCARD bool request_start_review(struct wa_engine *engine, const struct wa_question *question, struct trace *trace,
				    request_reviewed_fn *reviewed, void *context);

#endif
