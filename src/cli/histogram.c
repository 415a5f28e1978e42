/* SPDX-License-Identifier: Apache-2.0 */
#include <cli/histogram.h>

#define WHOLE     100000u
#define MAX_VALUE ((UINT64_C(1) << HISTOGRAM_VALUE_BITS) - 1)

/* How far a value is shifted so that HISTOGRAM_PART_BITS + 1 bits of it are left: these name its bucket. */
static unsigned shift_of(uint64_t value)
{
	unsigned shift = 0;

	while (value >> (shift + HISTOGRAM_PART_BITS + 1) != 0)
		shift++;
	return shift;
}

static size_t bucket_of(uint64_t value)
{
	unsigned shift = shift_of(value);

	return ((size_t)shift << HISTOGRAM_PART_BITS) + (size_t)(value >> shift);
}

/* The largest value of a bucket. */
static uint64_t end_of(size_t bucket)
{
	size_t part = (size_t)1 << HISTOGRAM_PART_BITS;
	unsigned shift = bucket < 2 * part ? 0 : (unsigned)(bucket / part - 1);
	uint64_t top = bucket - ((uint64_t)shift << HISTOGRAM_PART_BITS);

	return ((top + 1) << shift) - 1;
}

void histogram_add(struct histogram *histogram, uint64_t value)
{
	if (value > MAX_VALUE)
		value = MAX_VALUE;
	histogram->counts[bucket_of(value)]++;
	histogram->count++;
	if (value > histogram->max)
		histogram->max = value;
}

void histogram_merge(struct histogram *to, const struct histogram *from)
{
	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
		to->counts[i] += from->counts[i];
	to->count += from->count;
	if (from->max > to->max)
		to->max = from->max;
}

/* The rank, counted from 1, of the value that is looked for: rounded up. */
static uint64_t rank_of(uint64_t count, unsigned per_100000)
{
	uint64_t rank = count / WHOLE * per_100000 + (count % WHOLE * per_100000 + WHOLE - 1) / WHOLE;

	return rank > 0 ? rank : 1;
}

uint64_t histogram_percentile(const struct histogram *histogram, unsigned per_100000)
{
	uint64_t rank = rank_of(histogram->count, per_100000), seen = 0;

	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		seen += histogram->counts[i];
		if (seen >= rank)
			return end_of(i) < histogram->max ? end_of(i) : histogram->max;
	}
	return histogram->max;
}
