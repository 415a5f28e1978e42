/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Latencies, counted in buckets of which each is 1/64 as wide as where it stands: percentiles are right to 1.6 %, however
 * many values there are, in 19 KB. The largest value is kept as it is.
 *
 *	0 1 2 ... 127 | 128,129  130,131 ... | 256-259 260-263 ... | ...      one bucket each
 *
 * Threads: one at a time; each thread has its own, and they are merged in the end.
 */
#ifndef WSMAUTHZ_CLI_HISTOGRAM_H
#define WSMAUTHZ_CLI_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

#define HISTOGRAM_PART_BITS 6
/* Values are cut at 2^40: of nanoseconds that is 18 minutes. */
#define HISTOGRAM_VALUE_BITS 40
#define HISTOGRAM_BUCKETS    ((size_t)(HISTOGRAM_VALUE_BITS - HISTOGRAM_PART_BITS + 1) << HISTOGRAM_PART_BITS)

/* All zero is empty. */
struct histogram {
	uint64_t counts[HISTOGRAM_BUCKETS];
	uint64_t count, max;
};

void histogram_add(struct histogram *histogram, uint64_t value);
void histogram_merge(struct histogram *to, const struct histogram *from);

/**
 * A value that `per_100000` of 100,000 values do not exceed: 50000 is the median, 99900 the 99.9th percentile.
 * @return the upper end of that value's bucket, or the maximum where that is less; 0 when there is no value.
 */
uint64_t histogram_percentile(const struct histogram *histogram, unsigned per_100000);

#endif
