/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The metrics' file: a thread that writes what the engine can say about itself into the policy's <metrics file="..."/>, at once
 * and then every `interval`. No decision waits for it: what only the executor knows it is asked for by a task.
 *
 * A file that cannot be written is told to the log once, counted, and tried again each time. While nobody wants a file there is no
 * thread. When the engine ends in good order the file goes: an old one would be taken for the figures of a service that runs.
 *
 * A file system that hangs hangs this thread, and whoever stops it.
 */
#ifndef WSMAUTHZ_AUTHORIZER_METRICS_H
#define WSMAUTHZ_AUTHORIZER_METRICS_H

#include <base/compiler.h>
#include <base/error.h>
#include <base/log.h>
#include <base/text.h>
#include <config/config.h>
#include <os/executor.h>

/* For what the executor alone knows is waited so long; then the figures of before do. */
#define METRICS_PATIENCE_MS 1000

struct metrics;

/* Who is asked for the text. */
struct metrics_source {
	void (*refresh)(void *context); /* on the executor: bring up to date what others may read */
	/* On the metrics' thread, after that. `failures`: how often the file could not be written. */
	void (*format)(void *context, uint64_t failures, uint64_t interval_ms, struct text *out);
	void *context;
};

/**
 * Start nothing yet.
 * @param executor, log  borrowed until metrics_close.
 * @return NULL when memory ran out.
 */
NODISCARD struct metrics *metrics_open(struct executor *executor, const struct log *log,
				       const struct metrics_source *source);

/**
 * Write what this policy says, to where it says it, from now on. Where that cannot be begun (no thread, no memory) it is logged,
 * and what was written before is not written on.
 * Threads: one at a time, before the engine is open or the executor.
 */
void metrics_follow(struct metrics *metrics, const struct config *config);

/** End the thread, remove the file. Not from the executor. Twice is allowed. */
void metrics_stop(struct metrics *metrics);

/** metrics_stop, then free. The executor has run what was posted. NULL-safe; sets the pointer to NULL. */
void metrics_close(struct metrics **metrics);

#endif
