/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `host` prints: a line for each call of the plug-in, for each completion, and for what the host itself does
 * (a user record that times out, an expectation that is not met), each with its time since the start and its thread.
 *
 *	0.021406 t0  AuthzUser               CORP\alice  Negotiate
 *	0.022218 t0  AuthzUserComplete       CORP\alice  authorize, in 0.812 ms, inside the call
 *
 * Threads: any. Threads get the numbers t0, t1, ... in the order in which they are first seen.
 */
#ifndef WSMAUTHZ_CLI_HOST_TRACE_H
#define WSMAUTHZ_CLI_HOST_TRACE_H

#include <base/error.h>
#include <base/text.h>
#include <os/thread.h>
#include <stdbool.h>
#include <stdint.h>

/* So many threads have numbers of their own; those after them share the last. */
#define HOST_TRACE_MAX_THREADS 1024

struct host_trace {
	struct mutex lock; /* guards what follows but for is_json, is_quiet, begin_us; held while a line is written */
	bool is_json;
	bool is_quiet;     /* only what went wrong, and the sum */
	uint64_t begin_us; /* clock_monotonic_us() */
	uintptr_t threads[HOST_TRACE_MAX_THREADS];
	unsigned thread_count;
	bool is_broken; /* nobody reads, or writing failed: nothing more is written */
	struct error error;
};

void host_trace_init(struct host_trace *trace, bool is_json, bool is_quiet);
void host_trace_done(struct host_trace *trace);

/** STATUS_OK, or why nothing is written any more: STATUS_CANCELLED (the reader has gone), STATUS_UNREACHABLE, STATUS_NO_MEMORY. */
NODISCARD enum status host_trace_state(struct host_trace *trace, struct error *error);

/* What a line tells; strings are borrowed. */
struct host_event {
	const char *name;           /* "AuthzUser" */
	bool is_important;          /* printed also when quiet */
	bool is_at_time;            /* time_us and thread are those below; else now and this thread */
	uint64_t time_us;           /* clock_monotonic_us() */
	uintptr_t thread;           /* host_thread_id() */
	const char *subject;        /* the sender; NULL */
	const char *text;           /* for people, behind it; NULL */
	const struct text *members; /* JSON members instead of `text`; NULL: it is one */
};

void host_trace_add(struct host_trace *trace, const struct host_event *event);

/** A line of the host's own, about a sender or NULL. */
void host_trace_note(struct host_trace *trace, bool is_important, const char *name, const char *subject,
		     const char *format, ...) PRINTF_LIKE(5, 6);

#endif
