/* SPDX-License-Identifier: Apache-2.0 */
#include <support/clock_manual.h>

#include <os/clock.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#define START_US     UINT64_C(1000000000)
#define START_WALL_S 1767225600

static _Atomic uint64_t now_us = START_US;
/* What the wall clock shows when the other one shows 0. */
static _Atomic int64_t wall_offset_us = INT64_C(1000000) * START_WALL_S - (int64_t)START_US;

void clock_manual_set_ms(uint64_t now_ms)
{
	const uint64_t us = now_ms * 1000;

	if (us > atomic_load(&now_us))
		atomic_store(&now_us, us);
}

void clock_manual_advance_us(uint64_t us)
{
	atomic_fetch_add(&now_us, us);
}

void clock_manual_set_wall_s(int64_t now_s)
{
	atomic_store(&wall_offset_us, now_s * 1000000 - (int64_t)atomic_load(&now_us));
}

uint64_t clock_monotonic_us(void)
{
	return atomic_load(&now_us);
}

uint64_t clock_monotonic_ms(void)
{
	return atomic_load(&now_us) / 1000;
}

static int64_t wall_us(void)
{
	return atomic_load(&wall_offset_us) + (int64_t)atomic_load(&now_us);
}

uint64_t clock_coarse_ms(void)
{
	return clock_monotonic_ms();
}

int64_t clock_wall_s(void)
{
	return wall_us() / 1000000;
}

void clock_wall_stamp(char out[CLOCK_STAMP_BYTES])
{
	const int64_t us = wall_us();
	const time_t seconds = (time_t)(us / 1000000);
	struct tm utc = {0};
	size_t length;

	(void)gmtime_r(&seconds, &utc);
	length = strftime(out, CLOCK_STAMP_BYTES, "%Y-%m-%dT%H:%M:%S", &utc);
	(void)snprintf(out + length, CLOCK_STAMP_BYTES - length, ".%03dZ", (int)(us / 1000 % 1000));
}
