/* SPDX-License-Identifier: Apache-2.0 */
/* What a benchmark is asked to do: the command line of `bench` as a struct. */
#ifndef WSMAUTHZ_CLI_BENCH_OPTIONS_H
#define WSMAUTHZ_CLI_BENCH_OPTIONS_H

#include <base/compiler.h>
#include <base/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wsmauthz/engine.h>

struct arguments;

#define BENCH_MAX_THREADS 1024
/* Below what the engine takes before it answers "overload". */
#define BENCH_MAX_OUTSTANDING 8192
#define BENCH_MAX_RATE        1000000
#define BENCH_MAX_DURATION_MS (UINT64_C(3600) * 1000)

struct bench_settings {
	const char *policy;       /* borrowed from the command line, as all strings here */
	const char *senders_path; /* "-": standard input */
	size_t users_limit;       /* senders that are taken from it */
	unsigned threads;         /* that ask */
	size_t outstanding;       /* decisions under way in the cold phase, in all */
	uint64_t rate;            /* decisions a second in the cold phase; 0: as many as are answered */
	uint64_t duration_ms;     /* of each line of the table */
	size_t working_set;       /* senders of the small warm lines */
	bool wants_cold, wants_warm, wants_floor;
	bool wants_api, wants_entry_points; /* of the warm lines */
	bool is_json;
	enum wa_log_level log_level;
};

/** @return STATUS_OK, STATUS_INVALID. */
NODISCARD enum status bench_options_read(const struct arguments *arguments, struct bench_settings *settings_out,
					 struct error *error);

#endif
