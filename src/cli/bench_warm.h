/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is asked again and again: each thread asks for one sender after the other, at random, and waits for each answer,
 * which a warm cache gives at once.
 *
 *	WARM_API           wa_engine_decide_cached; where that has no answer, wa_engine_decide, and wait
 *	WARM_ENTRY_POINTS  WSManPluginAuthzOperation: UTF-16 in, completion out
 *	WARM_PROBE         the floor of the first: a digest of the sender and one probe of a table of as many senders
 *	WARM_COPY          the floor of the second: the sender's UTF-16 is measured and copied
 *
 * Every WARM_SAMPLE-th call is timed by itself for the latencies: reading the clock takes as long as some of these calls.
 *
 * What is asked and never answered is the engine's until it is closed, so a `warm` is closed after its engine, or its plug-in.
 *
 * Threads: the main thread calls; one run at a time.
 */
#ifndef WSMAUTHZ_CLI_BENCH_WARM_H
#define WSMAUTHZ_CLI_BENCH_WARM_H

#include <base/compiler.h>
#include <base/error.h>
#include <cli/bench_senders.h>
#include <cli/histogram.h>
#include <cli/progress.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wsmauthz/engine.h>

#define WARM_SAMPLE 64

enum warm_kind { WARM_API = 0, WARM_ENTRY_POINTS, WARM_PROBE, WARM_COPY };

struct warm;

struct warm_plan {
	enum warm_kind kind;
	unsigned threads;
	uint64_t duration_ms; /* with `once`: at most */
	bool once;            /* each of the set once, in their order; nothing is sampled */
};

struct warm_result {
	struct histogram latency; /* nanoseconds */
	uint64_t calls, elapsed_ns;
	uint64_t authorized, denied, failed; /* a redirect counts as denied: no operation is redirected */
	uint64_t missed;                     /* WARM_API: not answered by the cache alone */
};

/** What is asked; of these only those that the kind needs. All borrowed until warm_close. */
struct warm_subject {
	struct wa_engine *engine;
	void *plugin; /* its context */
	const struct senders *senders;
	const uint32_t *set; /* indices of senders */
	size_t set_count;    /* at least 1 */
};

/** @return STATUS_OK, STATUS_NO_MEMORY. */
NODISCARD enum status warm_open(const struct warm_subject *subject, struct warm **warm_out, struct error *error);

/**
 * @param result  everything is added to what is there; first all zero.
 * @return STATUS_OK; STATUS_NO_MEMORY, STATUS_LIMIT (no thread); STATUS_TIMEOUT: a question was never answered.
 */
NODISCARD enum status warm_run(struct warm *warm, const struct warm_plan *plan, const struct progress *progress,
			       struct warm_result *result, struct error *error);

/** NULL-safe; sets the pointer to NULL. */
void warm_close(struct warm **warm);

#endif
