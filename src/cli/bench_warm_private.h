/* SPDX-License-Identifier: Apache-2.0 */
/* What bench_warm.c (threads and time) and bench_warm_ask.c (one call) share. */
#ifndef WSMAUTHZ_CLI_BENCH_WARM_PRIVATE_H
#define WSMAUTHZ_CLI_BENCH_WARM_PRIVATE_H

#include <base/digest_map.h>
#include <cli/bench_warm.h>
#include <cli/completion.h>
#include <os/thread.h>
#include <plugin/plugin.h>
#include <stdatomic.h>

struct warm {
	struct warm_subject subject;
	struct warm_plan plan;
	struct digest_map probe; /* the set's digests */
	WCHAR *mechanism, *url;  /* owned: as the host gives them to the plug-in */
	struct warm_thread
	    *threads; /* owned; of all runs: who answers may still be at the end of it when the run is over */
	uint64_t end_ns, patience_ms; /* patience: for an answer */
	atomic_size_t cursor;         /* `once`: the next of the set */
	struct mutex lock;            /* guards: running, is_stuck */
	struct condition ended;
	unsigned running;
	bool is_stuck; /* a question was not answered */
};

struct warm_thread {
	struct completion completion; /* first: the key that the plug-in is asked with */
	struct warm *warm;
	struct warm_thread *next;
	struct thread thread;
	uint64_t random;
	bool has_waited; /* the last call did: look at the clock */
	bool is_stuck;   /* the last call was never answered */
	bool is_counted; /* its run is over */
	struct warm_result result;
	WCHAR copy[PLUGIN_MAX_NAME_UNITS + 1];

	/* The answer may come on another thread, and nearly never does: nobody locks anything where it came inside the call. */
	atomic_bool is_answered, is_waiting;
	struct mutex lock; /* for the one who waits */
	struct condition answered;
};

/** Make one call for this sender, wait for its answer, and count it. */
void warm_ask(struct warm_thread *thread, size_t sender);

/** The digest by which the probe knows a sender. */
struct digest warm_digest(const struct senders *senders, size_t sender);

#endif
