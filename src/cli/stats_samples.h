/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading OpenMetrics text: the samples of a file of ours, which may be anybody's by the time that it is read.
 *
 * Threads: one at a time.
 */
#ifndef WSMAUTHZ_CLI_STATS_SAMPLES_H
#define WSMAUTHZ_CLI_STATS_SAMPLES_H

#include <base/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of one file; ours has some hundred. */
#define SAMPLES_MAX       4096
#define SAMPLES_MAX_BYTES ((size_t)1 << 20)
/* Of one sample; ours has two. */
#define SAMPLE_MAX_LABELS 4

struct sample {
	const char *name;
	struct sample_label {
		const char *name, *value;
	} labels[SAMPLE_MAX_LABELS];
	size_t label_count;
	const char *text; /* the value as written: digits, and a point among them perhaps */
	double value;
};

struct samples {
	struct sample *list; /* owned; the strings are the data's */
	size_t count;
};

/**
 * @param data  the whole text; is changed, and borrowed by *samples_out.
 * @return STATUS_OK; STATUS_INVALID (no such text: names, labels and values of ours only, "# EOF" at its end); STATUS_LIMIT;
 *         STATUS_NO_MEMORY.
 */
NODISCARD enum status samples_parse(char *data, struct samples *samples_out, struct error *error);
void samples_done(struct samples *samples);

/** The value of the only sample of this name, or the sum of all that have it; 0: there is none. */
double samples_value(const struct samples *samples, const char *name);

/** "" when it has no such label. */
const char *sample_label(const struct sample *sample, const char *name);

#endif
