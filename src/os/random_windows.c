/* SPDX-License-Identifier: Apache-2.0 */
#include <os/random.h>

#include <os/clock.h>
/* Before bcrypt.h, which wants it. */
#include <windows.h>

#include <bcrypt.h>

enum status random_fill(void *out, size_t length, struct error *error)
{
	unsigned char *at = out;
	NTSTATUS result;
	ULONG part;

	while (length > 0) {
		part = length < MAXLONG ? (ULONG)length : MAXLONG;
		result = BCryptGenRandom(NULL, at, part, BCRYPT_USE_SYSTEM_PREFERRED_RNG);
		if (result != 0)
			return error_set(error, STATUS_INTERNAL, "the system gave no random bytes: status 0x%08lx",
					 (unsigned long)result);
		at += part;
		length -= part;
	}
	return STATUS_OK;
}

uint32_t random_below(uint32_t bound)
{
	uint32_t number;

	/* The clock's microseconds differ between machines too, which is all that jitter is for. */
	if (random_fill(&number, sizeof(number), NULL) != STATUS_OK)
		number = (uint32_t)clock_monotonic_us() * 2654435761u;
	return (uint32_t)((uint64_t)number * bound >> 32);
}
