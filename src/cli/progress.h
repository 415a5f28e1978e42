/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How far a long command has got, on standard error where that is a terminal:
 *
 *	cold, 64 outstanding       [############----------------]  43 %   21 s to go
 *	looking at users           [------------####------------]  123456, 41000 a second, 3 s
 *
 * The first where it is known how long it takes, the second where things are counted and nobody knows how many there are.
 *
 * Threads: the main thread.
 */
#ifndef WSMAUTHZ_CLI_PROGRESS_H
#define WSMAUTHZ_CLI_PROGRESS_H

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
	uint64_t shown_ms;          /* when a count was shown; 0: never */
};

void progress_begin(struct progress *progress, uint64_t total_ms);
/** A step begins, the one before is over. `name` is borrowed. */
void progress_step(struct progress *progress, const char *name, uint64_t step_ms);
void progress_show(const struct progress *progress);

/** Begin to count. `name` is borrowed. */
void progress_begin_count(struct progress *progress, const char *name);
/** There are so many now. May be called as often as one likes: it is shown every PROGRESS_STEP_MS. */
void progress_count(struct progress *progress, uint64_t count);

/** Take the bar away. */
void progress_end(const struct progress *progress);

#endif
