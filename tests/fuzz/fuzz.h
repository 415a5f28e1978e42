/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a target is: fuzz_one() takes any bytes, and calls abort() when something is not as it must be.
 *
 * The first byte of an input is not the target's (fuzz_main.c): it says which allocation fails. So the fuzzer finds out by itself
 * which failures lead to code that it has not seen yet. Whatever happened, no block may be left when fuzz_one returns.
 */
#ifndef WSMAUTHZ_TESTS_FUZZ_FUZZ_H
#define WSMAUTHZ_TESTS_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

void fuzz_one(const uint8_t *data, size_t size);

/** From here on no allocation fails: for a target that builds a world of its own. */
void fuzz_let_memory_be(void);

static inline void fuzz_check(bool condition)
{
	if (!condition)
		abort();
}

#endif
