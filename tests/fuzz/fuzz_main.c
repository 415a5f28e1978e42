/* SPDX-License-Identifier: Apache-2.0 */
/* libFuzzer's entry, for every target: see fuzz.h. */
#include "fuzz.h"

#include <support/memory_failing.h>

/* Of the first byte: 0 nothing fails, below this the allocation of that number, from it on all from a number on. */
#define FROM_THEN_ON 128

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void plan(uint8_t byte)
{
	if (byte < FROM_THEN_ON)
		memory_fail_at(byte);
	else
		memory_fail_from(byte - FROM_THEN_ON + 1);
}

void fuzz_let_memory_be(void)
{
	memory_fail_at(0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const size_t before = memory_live_count();

	if (size == 0)
		return 0;
	plan(data[0]);
	fuzz_one(data + 1, size - 1);
	fuzz_let_memory_be();
	fuzz_check(memory_live_count() == before);
	return 0;
}
