/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The floor of a cold decision: plain searches, as the engine sends them (same server, same security, same base, one user a search, same
 * attributes), and nothing done with their answers. As many connections as the policy gives the engine, each with a
 * thread of its own and DIR_CONN_WINDOW searches in flight; or one connection with one.
 *
 * What any program could do as well is left out of the measured time: filters are written before. The floor asks for the
 * first FLOOR_MAX_SENDERS senders, which favours it.
 *
 * A run ends on time also when the server hangs: each search has the policy's time-out.
 *
 * Threads: the main thread calls.
 */
#ifndef WSMAUTHZ_CLI_BENCH_FLOOR_H
#define WSMAUTHZ_CLI_BENCH_FLOOR_H

#include <base/compiler.h>
#include <base/error.h>
#include <cli/bench_senders.h>
#include <cli/histogram.h>
#include <cli/progress.h>
#include <stddef.h>
#include <stdint.h>

/* Filters that are kept: 10 MB. */
#define FLOOR_MAX_SENDERS 65536

struct floor;

struct floor_result {
	struct histogram latency; /* nanoseconds; of one search at a time only */
	uint64_t searches, elapsed_ns;
	uint64_t found; /* searches that found an entry */
};

/**
 * Read the policy and connect.
 * @param senders  borrowed until floor_close.
 * @return STATUS_OK; what config_load and dir_conn_open say; STATUS_NO_MEMORY, STATUS_LIMIT (no thread).
 */
NODISCARD enum status floor_open(const char *policy_path, const struct senders *senders, struct floor **floor_out,
				 struct error *error);

/** Connections of a pipelined run. */
unsigned floor_connections(const struct floor *floor);

/**
 * One search after the other on one connection.
 * @param result  everything is added to what is there; first all zero.
 * @return STATUS_OK, STATUS_NO_MEMORY; STATUS_TIMEOUT, STATUS_UNREACHABLE (the connection broke); STATUS_REFUSED (the server does not answer such a search).
 */
NODISCARD enum status floor_run_single(struct floor *floor, uint64_t duration_ms, const struct progress *progress,
				       struct floor_result *result, struct error *error);

/** As many as the server answers. Results as above; STATUS_LIMIT (no thread). */
NODISCARD enum status floor_run_pipelined(struct floor *floor, uint64_t duration_ms, const struct progress *progress,
					  struct floor_result *result, struct error *error);

/** NULL-safe; sets the pointer to NULL. */
void floor_close(struct floor **floor);

#endif
