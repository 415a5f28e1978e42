/* SPDX-License-Identifier: Apache-2.0 */
#include <base/digest.h>

/*
 * Every decision from the cache digests the sender's name, and loading a closure digests each member: so the state is four words in
 * registers, rounds are written out, and words are loaded whole.
 */
struct state {
	uint64_t a, b, c, d;
};

static inline uint64_t rotate(uint64_t word, unsigned bits)
{
	return word << bits | word >> (64 - bits);
}

static inline struct state mix(struct state v)
{
	v.a += v.b;
	v.c += v.d;
	v.b = rotate(v.b, 13) ^ v.a;
	v.d = rotate(v.d, 16) ^ v.c;
	v.a = rotate(v.a, 32) + v.d;
	v.c += v.b;
	v.d = rotate(v.d, 21) ^ v.a;
	v.b = rotate(v.b, 17) ^ v.c;
	v.c = rotate(v.c, 32);
	return v;
}

static inline struct state absorb(struct state v, uint64_t word)
{
	v.d ^= word;
	v = mix(mix(v));
	v.a ^= word;
	return v;
}

/* Little-endian; compilers make one load of it where that is what the machine has. */
static inline uint64_t load_word(const unsigned char *at)
{
	return (uint64_t)at[0] | (uint64_t)at[1] << 8 | (uint64_t)at[2] << 16 | (uint64_t)at[3] << 24 |
	       (uint64_t)at[4] << 32 | (uint64_t)at[5] << 40 | (uint64_t)at[6] << 48 | (uint64_t)at[7] << 56;
}

/* The last `left` bytes (less than eight) of `length` that end at `end`. */
static inline uint64_t load_rest(const unsigned char *end, size_t left, size_t length)
{
	uint64_t word = 0;

	if (left == 0)
		return 0;
	if (length >= 8) /* together with those before them, which are shifted out again */
		return load_word(end - 8) >> (64 - 8 * left);
	for (size_t i = 1; i <= left; i++)
		word = word << 8 | end[-(ptrdiff_t)i];
	return word;
}

struct digest digest_of(const struct digest_key *key, const void *data, size_t length)
{
	const unsigned char *at = data;
	size_t left = length;
	struct digest digest;
	/* The constants spell "somepseudorandomlygeneratedbytes"; 0xEE marks the 128-bit variant. */
	struct state v = {
	    key->k0 ^ 0x736F6D6570736575u,
	    key->k1 ^ 0x646F72616E646F6Du ^ 0xEE,
	    key->k0 ^ 0x6C7967656E657261u,
	    key->k1 ^ 0x7465646279746573u,
	};

	for (; left >= 8; left -= 8, at += 8)
		v = absorb(v, load_word(at));
	v = absorb(v, (uint64_t)length << 56 | load_rest(at + left, left, length));
	v.c ^= 0xEE;
	v = mix(mix(mix(mix(v))));
	digest.high = v.a ^ v.b ^ v.c ^ v.d;
	v.b ^= 0xDD;
	v = mix(mix(mix(mix(v))));
	digest.low = v.a ^ v.b ^ v.c ^ v.d;
	return digest;
}

int digest_compare(const struct digest *a, const struct digest *b)
{
	if (a->high != b->high)
		return a->high < b->high ? -1 : 1;
	if (a->low != b->low)
		return a->low < b->low ? -1 : 1;
	return 0;
}
