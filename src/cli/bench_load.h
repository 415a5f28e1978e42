/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Load on an engine, from several threads: decisions that are asked by wa_engine_decide and answered later.
 *
 *	closed loop   so many decisions are kept under way: who is answered asks the next question, on the engine's thread
 *	open loop     so many questions a second, whatever the pace of the answers; one that had to wait for room counts from when it was due
 *	limited       so many senders from the first on, once each, then the end; what was decided can be kept
 *
 * A run ends on time also when nothing is answered any more: at the latest twice an engine's time-out after the last answer, or after its end. The questions
 * that are still under way then are the engine's until it is closed, so a load is closed after its engine.
 *
 * Threads: the main thread calls; one run at a time.
 */
#ifndef WSMAUTHZ_CLI_BENCH_LOAD_H
#define WSMAUTHZ_CLI_BENCH_LOAD_H

#include <base/compiler.h>
#include <base/error.h>
#include <cli/bench_senders.h>
#include <cli/histogram.h>
#include <cli/progress.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wsmauthz/engine.h>

/* Room for questions of the open loop that wait for their answers. */
#define LOAD_OPEN_OUTSTANDING 4096
/* How much longer than its time-out an engine may take before it counts as hung. */
#define LOAD_GRACE_MS     1000

#define LOAD_DETAIL_BYTES 256

struct load;

struct load_plan {
	unsigned threads;
	size_t outstanding;   /* of all threads together */
	uint64_t rate;        /* a second; 0: closed loop */
	uint64_t duration_ms; /* with a limit: at most */
	size_t limit;         /* questions; 0: none */
	unsigned char
	    *authorized; /* [senders]: set to 1 for who is authorized; may be NULL. Until the engine is closed */
};

struct load_result {
	struct histogram latency; /* nanoseconds from question (or from when it was due) to answer */
	uint64_t elapsed_ns;
	uint64_t answered;               /* within elapsed_ns */
	uint64_t missed;                 /* open loop: due, and not asked for want of room */
	uint64_t verdicts[WA_ERROR + 1]; /* of all answers */
	uint64_t waited_for;             /* round trips that the decisions waited for */
	uint64_t cached;
	char first_error[LOAD_DETAIL_BYTES]; /* "reason: detail" of the first error; "" for none */
};

/** @param engine, senders  borrowed until load_close. @return NULL when memory ran out. */
NODISCARD struct load *load_open(struct wa_engine *engine, const struct senders *senders);

/**
 * @param result  everything is added to what is there; first all zero.
 * @return STATUS_OK; STATUS_NO_MEMORY, STATUS_LIMIT (no thread); STATUS_TIMEOUT: questions were never answered.
 */
NODISCARD enum status load_run(struct load *load, const struct load_plan *plan, const struct progress *progress,
			       struct load_result *result, struct error *error);

/** After the engine was closed. NULL-safe; sets the pointer to NULL. */
void load_close(struct load **load);

/** The question that every phase asks: an operation of a user whom Windows has authenticated, at the usual address. */
struct wa_question load_question(const struct senders *senders, size_t index);
#define LOAD_MECHANISM "Negotiate"
#define LOAD_URL       "https://localhost:5986/wsman"

#endif
