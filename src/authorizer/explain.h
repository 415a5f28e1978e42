/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A decision explained (include/wsmauthz/explanation.h).
 *
 *	explain.c         the way of an explanation: the question is asked as ever, with a trace; then what was seen is written
 *	                  down, and, once the watch has said what it is, told
 *	explain_groups.c  groups and the ways between them
 *	explain_rules.c   rules, the account's state, the place
 *	trace.h           what was waited for
 *
 * Threads: the executor's.
 */
#ifndef WSMAUTHZ_AUTHORIZER_EXPLAIN_H
#define WSMAUTHZ_AUTHORIZER_EXPLAIN_H

#include <authorizer/inquiry.h>
#include <authorizer/review.h>
#include <base/arena.h>
#include <base/compiler.h>
#include <membership/closure.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wsmauthz/explanation.h>

/* What one explanation may take. */
#define EXPLAIN_MAX_BYTES ((size_t)32 * 1024 * 1024)

struct regime;
struct wa_engine;

/* What an explanation is written from, while it is. */
struct explain_source {
	const struct regime *regime;
	const struct wa_question *question;
	const struct findings *findings; /* NULL: nothing was looked up */
	struct review review;            /* facts NULL: the policy was not asked */
	struct closure *closure;         /* borrowed; NULL: no groups are known */
	struct arena *arena;             /* gets everything */
};

/** The engine closes: tell what waits. */
void explain_tell_all(struct wa_engine *engine);

/**
 * Groups, edges, and the paths of rules and sites, whose arrays are there already.
 * @param rules  [explanation->rule_count]; @param sites  [explanation->redirect.site_count]: the explanation's, to be written.
 * @return false: no memory for all of it.
 */
NODISCARD bool explain_groups(const struct explain_source *source, struct wa_explained_rule *rules,
			      struct wa_explained_site *sites, struct wa_explanation *explanation);

/** Rules and sites but for their groups and paths, account, redirect. @return false: no memory for all of it. */
NODISCARD bool explain_rules(const struct explain_source *source, struct wa_explained_rule **rules_out,
			     struct wa_explained_site **sites_out, struct wa_explanation *explanation);

/** A copy; NULL stays NULL. *good becomes false when memory ran out. */
const char *explain_copy(struct arena *arena, const char *text, bool *good);

#endif
