/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The progress bar of `bench`, on standard error where that is a terminal:
 *
 *	cold, 64 outstanding       [############----------------]  43 %   21 s to go
 *
 * Threads: the main thread.
 */
#ifndef WSMAUTHZ_CLI_BENCH_PROGRESS_H
#define WSMAUTHZ_CLI_BENCH_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

/* How often whoever waits for a phase should call progress_show. */
#define PROGRESS_STEP_MS 100

struct progress {
	bool is_shown;
	uint64_t total_ms; /* what all steps together are expected to take */
	uint64_t done_ms;  /* of the steps that are over */
	const char *name;
	uint64_t step_ms, began_ms; /* of the step under way */
};

void progress_begin(struct progress *progress, uint64_t total_ms);
/** A step begins, the one before is over. `name` is borrowed. */
void progress_step(struct progress *progress, const char *name, uint64_t step_ms);
void progress_show(const struct progress *progress);
/** Take the bar away. */
void progress_end(const struct progress *progress);

#endif
