/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keyed 128-bit digests (SipHash-2-4-128) of names: a million member DNs in 16 bytes each.
 * The key is random per process, so nobody who may write to the directory can construct two
 * names with one digest; among 10^9 honest names a collision has probability below 10^-20.
 *
 * Sources: Aumasson, Bernstein: "SipHash: a fast short-input PRF" (2012), and its 128-bit variant.
 */
#ifndef WSMAUTHZ_BASE_DIGEST_H
#define WSMAUTHZ_BASE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

struct digest_key {
	uint64_t k0, k1;
};

struct digest {
	uint64_t high, low;
};

struct digest digest_of(const struct digest_key *key, const void *data, size_t length);

/** <0, 0, >0: an order for sorting and searching. */
int digest_compare(const struct digest *a, const struct digest *b);

#endif
