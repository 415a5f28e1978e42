/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The phases of a benchmark, each with an engine of its own.
 *
 *	cold   an engine without a cache; by turns with the floor, if that is wanted too
 *	warm   an engine as a service has it: everybody is asked for once, then those who are authorized again and again
 *	       and the plug-in, likewise, through its entry points
 *
 * Threads: the main thread.
 */
#ifndef WSMAUTHZ_CLI_BENCH_PHASES_H
#define WSMAUTHZ_CLI_BENCH_PHASES_H

#include <base/compiler.h>
#include <base/error.h>
#include <cli/bench_options.h>
#include <cli/bench_result.h>
#include <cli/bench_senders.h>
#include <cli/progress.h>
#include <wsmauthz/engine.h>

/* Everybody once, at most so long; whoever was not asked for by then is not among the users of the warm lines. */
#define BENCH_WARM_UP_MS (UINT64_C(300) * 1000)

/* The first question, which waits for the groups to be loaded, has this time and the policy's. */
#define BENCH_FIRST_MS 1000

struct bench {
	struct bench_settings settings;
	struct wa_log log;
	struct senders senders;
	struct progress progress;
	struct bench_result *result; /* owned */
};

/** Together, in milliseconds; the warm-up at a guess. */
uint64_t bench_phases_ms(const struct bench_settings *settings, size_t senders);

/**
 * The floor, the cold phase, or both by turns.
 * @return STATUS_OK; STATUS_INVALID (the policy is unusable); what load_run and floor_* say.
 */
NODISCARD enum status bench_run_cold(struct bench *bench, struct error *error);

/** @return STATUS_OK (also when nobody is authorized: there is nothing to measure then); as above. */
NODISCARD enum status bench_run_warm(struct bench *bench, struct error *error);

/** An engine as this phase wants it. @return STATUS_OK, STATUS_INVALID. */
NODISCARD enum status bench_open_engine(const struct bench *bench, bool no_cache, struct wa_engine **engine_out,
					struct error *error);

#endif
