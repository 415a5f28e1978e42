/* SPDX-License-Identifier: Apache-2.0 */
#include <os/random.h>

#include <errno.h>
#include <os/clock.h>
#include <sys/random.h>

enum status random_fill(void *out, size_t length, struct error *error)
{
	unsigned char *at = out;
	ssize_t got;

	while (length > 0) {
		got = getrandom(at, length, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return error_system(error, STATUS_INTERNAL, errno, "the system gave no random bytes");
		at += got;
		length -= (size_t)got;
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
