/* SPDX-License-Identifier: Apache-2.0 */
#include <os/clock.h>

#include <stdio.h>
#include <windows.h>

/* FILETIME: from 1601 to 1970, and its unit. */
#define TICKS_TO_1970   116444736000000000
#define TICKS_A_SECOND  10000000

#define MICROS_A_SECOND 1000000u

uint64_t clock_monotonic_us(void)
{
	LARGE_INTEGER frequency, counter;
	uint64_t count, rate, us;

	/* Neither fails since Windows XP. In two parts, since a whole count times a million would overflow after days. */
	(void)QueryPerformanceFrequency(&frequency);
	(void)QueryPerformanceCounter(&counter);
	count = (uint64_t)counter.QuadPart;
	rate = (uint64_t)frequency.QuadPart;
	us = count / rate * MICROS_A_SECOND + count % rate * MICROS_A_SECOND / rate;
	return us > 0 ? us : 1;
}

uint64_t clock_monotonic_ms(void)
{
	return clock_monotonic_us() / 1000;
}

/*
 * The same clock. GetTickCount64() would be cheaper, but it steps by up to 16 ms and counts from another moment than the counter,
 * so it can be ahead of it; and the counter is read without a system call.
 */
uint64_t clock_coarse_ms(void)
{
	return clock_monotonic_ms();
}

/* Ticks of a FILETIME since 1970. */
static int64_t wall_ticks(void)
{
	FILETIME now;

	GetSystemTimeAsFileTime(&now);
	return (int64_t)((uint64_t)now.dwHighDateTime << 32 | now.dwLowDateTime) - TICKS_TO_1970;
}

int64_t clock_wall_s(void)
{
	return wall_ticks() / TICKS_A_SECOND;
}

void clock_wall_stamp(char out[CLOCK_STAMP_BYTES])
{
	SYSTEMTIME utc;

	GetSystemTime(&utc);
	(void)snprintf(out, CLOCK_STAMP_BYTES, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ", (unsigned)utc.wYear % 10000u,
		       (unsigned)utc.wMonth % 100u, (unsigned)utc.wDay % 100u, (unsigned)utc.wHour % 100u,
		       (unsigned)utc.wMinute % 100u, (unsigned)utc.wSecond % 100u, (unsigned)utc.wMilliseconds % 1000u);
}
