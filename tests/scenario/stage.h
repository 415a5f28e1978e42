/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stage of a scenario: a fake directory, the policy, the engine on a manual executor, what it
 * logged, and the questions asked so far. One scenario, one stage, one thread.
 */
#ifndef TESTS_SCENARIO_STAGE_H
#define TESTS_SCENARIO_STAGE_H

#include <base/compiler.h>
#include <scenario/script.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <support/fake_directory.h>
#include <wsmauthz/engine.h>

/* Virtual time after which a question that has no answer will not get one: twice the longest timeout of a policy. */
#define STAGE_PATIENCE_MS 120000

/* A decision, kept after the engine took it back. */
struct kept_decision {
	enum wa_verdict verdict;
	enum wa_reason reason;
	uint32_t code;
	char *redirect_uri, *rule, *dn, *path, *detail; /* NULL: none; path: DNs with "; " between */
	bool administrator, cached;
	struct wa_quota quota;
	unsigned searches;
	uint64_t elapsed_us;
};

/* One question that was asked. */
struct asked {
	struct stage *stage;
	char *name; /* NULL: it was waited for at once */
	unsigned answers;
	bool answered_inside; /* of wa_engine_decide, which is not allowed */
	struct kept_decision decision;
	struct asked *next;
};

/* An attribute of the policy's frame: <wsmauthz>, <directory>, <users>, <groups>. */
struct option {
	char *element, *name, *value;
};

struct stage {
	const char *path;
	unsigned line;
	bool failed;

	struct fake_directory *directory;
	char *policy; /* what stands inside <wsmauthz> besides <directory> */
	struct option *options;
	size_t option_count, option_capacity;

	struct wa_engine *engine;
	bool asking; /* inside wa_engine_decide */
	struct asked *asked;
	char *last_uri; /* of the last redirect that was looked at */

	char **log;
	size_t log_count, log_capacity;
	char **traffic; /* the searches of the last question, for reports */
	size_t traffic_count, traffic_capacity;
	uint64_t requests_before; /* of the pool, when the last question was asked */
};

void stage_init(struct stage *stage, const char *path);
/** Closes the engine, if it still runs; complains of questions with no or several answers. */
void stage_done(struct stage *stage);

/** "file:line: ..." and what happened until here, the first time. Marks the scenario as failed. */
void stage_fail(struct stage *stage, const char *format, ...) PRINTF_LIKE(2, 3);

void stage_set_option(struct stage *stage, const char *element, const char *name, const char *value);
/** The policy as XML: the frame's options, and stage->policy. Owned by the caller. */
char *stage_policy(const struct stage *stage);

/** Start the engine; `refusal` not NULL: the policy must be refused with words that contain it. */
void stage_start(struct stage *stage, const char *refusal);
/** The policy as it is now takes the place of the one in force, once its groups are read. */
void stage_reload(struct stage *stage);
void stage_stop(struct stage *stage);

/** Let virtual time pass. */
void stage_pass(struct stage *stage, uint64_t ms);

/** Ask; the answer comes as time passes. `name` NULL: none. NULL when it could not be asked. */
struct asked *stage_ask(struct stage *stage, const char *name, const struct wa_question *question);
/** Let time pass until it is answered. False (and a complaint) when that never happens. */
bool stage_await(struct stage *stage, struct asked *asked);
struct asked *stage_find_asked(struct stage *stage, const char *name);

#endif
