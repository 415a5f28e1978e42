/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine from inside: what its files share, and a door for tests that bring their own
 * configuration.
 *
 * One executor runs everything: requests, the load of the closure, answers of the pool. So nothing
 * here needs a lock but the count of questions under way, which callers' threads look at.
 */
#ifndef WSMAUTHZ_AUTHORIZER_ENGINE_PRIVATE_H
#define WSMAUTHZ_AUTHORIZER_ENGINE_PRIVATE_H

#include <authorizer/audit.h>
#include <base/error.h>
#include <base/log.h>
#include <config/config.h>
#include <directory/dir_pool.h>
#include <membership/membership.h>
#include <os/executor.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <wsmauthz/engine.h>

/* Questions that may be under way at once; a host that asks more has lost its directory: it is answered "overload". */
#define ENGINE_MAX_QUESTIONS 16384
/* Those that are answered so are held for a moment too. More than this, and there is not even that answer. */
#define ENGINE_MAX_REFUSALS ((size_t)4 * ENGINE_MAX_QUESTIONS)

struct wa_engine {
	const struct config *config;
	struct log log;
	struct wa_log sink;
	struct executor *executor;
	struct dir_pool *pool;
	struct membership *membership;
	struct audit *audit; /* NULL: dry run */
	struct task stop;
	const char **group_names;     /* [rule_count + site_count]: what membership calls roots; borrowed names */
	const char **user_attributes; /* what every user search asks for */
	bool stopping;                /* on the executor: no new round trips */
	atomic_size_t questions;      /* under way */
};

/**
 * As wa_engine_open, with a configuration that is there already.
 * @param config  a reference of its own is taken.
 * @return STATUS_OK, STATUS_NO_MEMORY, STATUS_LIMIT (no threads), STATUS_INTERNAL.
 */
NODISCARD enum status engine_open_with(const struct config *config, const struct wa_options *options,
				       struct wa_engine **engine_out, struct error *error);

/** Begin a question: engine and question as wa_engine_decide has them. False when memory ran out. */
NODISCARD bool request_start(struct wa_engine *engine, const struct wa_question *question, wa_decided_fn *decided,
			     void *context);

#endif
