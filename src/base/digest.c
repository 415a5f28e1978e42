/* SPDX-License-Identifier: Apache-2.0 */
#include <base/digest.h>

#define ROUNDS_PER_WORD 2
#define ROUNDS_AT_END   4

static uint64_t rotate(uint64_t word, unsigned bits)
{
	return word << bits | word >> (64 - bits);
}

static void mix(uint64_t v[4], unsigned rounds)
{
	while (rounds-- > 0) {
		v[0] += v[1];
		v[1] = rotate(v[1], 13) ^ v[0];
		v[0] = rotate(v[0], 32);
		v[2] += v[3];
		v[3] = rotate(v[3], 16) ^ v[2];
		v[0] += v[3];
		v[3] = rotate(v[3], 21) ^ v[0];
		v[2] += v[1];
		v[1] = rotate(v[1], 17) ^ v[2];
		v[2] = rotate(v[2], 32);
	}
}

static void absorb(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	mix(v, ROUNDS_PER_WORD);
	v[0] ^= word;
}

/* Up to eight bytes, little-endian. */
static uint64_t load(const unsigned char *data, size_t length)
{
	uint64_t word = 0;

	while (length-- > 0)
		word = word << 8 | data[length];
	return word;
}

struct digest digest_of(const struct digest_key *key, const void *data, size_t length)
{
	const unsigned char *at = data;
	size_t left = length;
	struct digest digest;
	/* The constants spell "somepseudorandomlygeneratedbytes"; 0xEE marks the 128-bit variant. */
	uint64_t v[4] = {
	    key->k0 ^ 0x736F6D6570736575u,
	    key->k1 ^ 0x646F72616E646F6Du ^ 0xEE,
	    key->k0 ^ 0x6C7967656E657261u,
	    key->k1 ^ 0x7465646279746573u,
	};

	for (; left >= 8; left -= 8, at += 8)
		absorb(v, load(at, 8));
	absorb(v, (uint64_t)length << 56 | load(at, left));
	v[2] ^= 0xEE;
	mix(v, ROUNDS_AT_END);
	digest.high = v[0] ^ v[1] ^ v[2] ^ v[3];
	v[1] ^= 0xDD;
	mix(v, ROUNDS_AT_END);
	digest.low = v[0] ^ v[1] ^ v[2] ^ v[3];
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
