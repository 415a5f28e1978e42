/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one question waited for, step by step, for who wants it explained. Every function takes NULL for a question that nobody
 * wants explained, which is all but a few, and then does nothing.
 *
 *	trace_begin(trace, WA_STEP_ROUND_TRIP)
 *	    ... the answer is there
 *	trace_add(trace, "user", search)
 *	trace_end(trace, server)
 *
 * What does not fit is left out, and that is noted. Threads: the executor's.
 */
#ifndef WSMAUTHZ_AUTHORIZER_TRACE_H
#define WSMAUTHZ_AUTHORIZER_TRACE_H

#include <base/arena.h>
#include <base/compiler.h>
#include <directory/dir_search.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wsmauthz/explanation.h>

/* Of one question; far more than any way has. */
#define TRACE_MAX_STEPS    64
#define TRACE_MAX_SEARCHES 256

struct trace_search {
	struct wa_explained_search search;
	struct trace_search *next;
};

struct trace_step {
	struct wa_explained_step step;
	struct trace_search *searches, **searches_end;
	struct trace_step *next;
};

struct trace {
	struct arena *arena; /* borrowed */
	uint64_t began_us;   /* clock_monotonic_us() of the question */
	struct trace_step *steps, **end;
	struct trace_step *open; /* the step that goes on; NULL: none */
	size_t step_count, search_count;
	bool is_extra;      /* what is added is behind the decision */
	bool is_incomplete; /* something was left out */
	enum wa_cache_state cache;
};

/** @param arena  gets what is told; borrowed, and outlives it. */
void trace_init(struct trace *trace, struct arena *arena, uint64_t began_us);

/** A step begins. One that still goes on ends here. */
void trace_begin(struct trace *trace, enum wa_step_kind kind);

/** A search of that step, once it was answered. */
void trace_add(struct trace *trace, const char *purpose, const struct dir_search *search);

/** The step has ended. @param server  that answered; NULL: none did, or it is not known. */
void trace_end(struct trace *trace, const char *server);

/** What the cache did. */
void trace_cache(struct trace *trace, enum wa_cache_state state);

/** The steps as an array. @return NULL when memory ran out; the count is 0 then. */
const struct wa_explained_step *trace_list(const struct trace *trace, size_t *count_out);

/** Round trips that came behind the decision. */
unsigned trace_extra_searches(const struct trace *trace);

#endif
