/* SPDX-License-Identifier: Apache-2.0 */
#include <os/clock.h>

#include <stdio.h>
#include <time.h>

uint64_t clock_monotonic_us(void)
{
	struct timespec now = {0};
	uint64_t us;

	/* It cannot fail for this clock. */
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	us = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
	return us > 0 ? us : 1;
}

uint64_t clock_monotonic_ms(void)
{
	return clock_monotonic_us() / 1000;
}

/* Linux (2.6.32) has it: it reads the moment of the last tick rather than the processor's counter. */
#ifdef CLOCK_MONOTONIC_COARSE
#define COARSE_CLOCK CLOCK_MONOTONIC_COARSE
#else
#define COARSE_CLOCK CLOCK_MONOTONIC
#endif

uint64_t clock_coarse_ms(void)
{
	struct timespec now = {0};

	(void)clock_gettime(COARSE_CLOCK, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

int64_t clock_wall_s(void)
{
	struct timespec now = {0};

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec;
}

void clock_wall_stamp(char out[CLOCK_STAMP_BYTES])
{
	struct timespec now = {0};
	struct tm utc = {0};
	size_t length;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	(void)gmtime_r(&now.tv_sec, &utc);
	length = strftime(out, CLOCK_STAMP_BYTES, "%Y-%m-%dT%H:%M:%S", &utc);
	(void)snprintf(out + length, CLOCK_STAMP_BYTES - length, ".%03ldZ", now.tv_nsec / 1000000);
}
