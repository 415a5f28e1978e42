/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inputs for parsers, made from good ones by small accidents. The seed is fixed: a failure comes back.
 *
 *	struct mutator mutator = {.state = 1, .seeds = seeds, .seed_count = COUNT_OF(seeds), .pieces = "(&|!)=*\\"};
 *
 *	for (round = 0; round < MUTATE_ROUNDS; round++) {
 *		input = mutate_bytes(&mutator, &length);
 *		... look at the parser's answer ...
 *		memory_free(input);
 *	}
 *
 * The block ends with the input, so that the address sanitizer sees a step beyond.
 */
#ifndef WSMAUTHZ_TESTS_UNIT_IDENTITY_MUTATE_H
#define WSMAUTHZ_TESTS_UNIT_IDENTITY_MUTATE_H

#include <base/memory.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define MUTATE_ROUNDS    200000
#define MUTATE_MAX_BYTES 160
#define MUTATE_MAX_EDITS 4

struct mutator {
	uint64_t state; /* not 0 */
	const char *const *seeds;
	size_t seed_count;
	const char *pieces; /* characters that mean something to the parser */
};

/** A number below `limit` (xorshift64). */
static inline size_t mutate_below(struct mutator *mutator, size_t limit)
{
	mutator->state ^= mutator->state << 13;
	mutator->state ^= mutator->state >> 7;
	mutator->state ^= mutator->state << 17;
	return (size_t)(mutator->state % limit);
}

static inline char mutate_char(struct mutator *mutator)
{
	if (mutate_below(mutator, 3) == 0)
		return (char)mutate_below(mutator, 256);
	return mutator->pieces[mutate_below(mutator, strlen(mutator->pieces))];
}

/** One accident: a byte changed, put in or lost, or a stretch said twice. */
static inline size_t mutate_edit(struct mutator *mutator, char *data, size_t length)
{
	size_t at = mutate_below(mutator, length + 1), more;

	switch (mutate_below(mutator, 4)) {
	case 0:
		if (at < length)
			data[at] = mutate_char(mutator);
		return length;
	case 1:
		if (at == length)
			return length;
		memmove(data + at, data + at + 1, length - at - 1);
		return length - 1;
	case 2:
		if (length >= MUTATE_MAX_BYTES)
			return length;
		memmove(data + at + 1, data + at, length - at);
		data[at] = mutate_char(mutator);
		return length + 1;
	default:
		more = length == 0 ? 0 : mutate_below(mutator, length - (at < length ? at : length - 1)) + 1;
		if (at >= length || length + more > MUTATE_MAX_BYTES)
			return length;
		memmove(data + at + more, data + at, length - at);
		return length + more;
	}
}

/** `extra` bytes of room behind the input; the caller frees it (memory_free). */
static inline char *mutate(struct mutator *mutator, size_t extra, size_t *length_out)
{
	const char *seed = mutator->seeds[mutate_below(mutator, mutator->seed_count)];
	size_t edits = mutate_below(mutator, MUTATE_MAX_EDITS + 1), length = strlen(seed);
	char data[MUTATE_MAX_BYTES], *block;

	memcpy(data, seed, length);
	while (edits-- > 0)
		length = mutate_edit(mutator, data, length);
	block = memory_new(length + extra);
	memcpy(block, data, length);
	*length_out = length;
	return block;
}

static inline char *mutate_bytes(struct mutator *mutator, size_t *length_out)
{
	return mutate(mutator, 0, length_out);
}

/** NUL-terminated; a NUL within cuts it. */
static inline char *mutate_text(struct mutator *mutator)
{
	size_t length;

	return mutate(mutator, 1, &length);
}

#endif
