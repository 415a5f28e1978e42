/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time. Deadlines, ages and back-offs are monotonic; wall time is for the audit line and for
 * account expiry, nothing else. Tests replace this file (tests/support/clock_manual.c).
 *
 * Threads: any.
 */
#ifndef WSMAUTHZ_OS_CLOCK_H
#define WSMAUTHZ_OS_CLOCK_H

#include <stdint.h>

/** Microseconds of a clock that never jumps. Never 0. */
uint64_t clock_monotonic_us(void);

/** The same in milliseconds. */
uint64_t clock_monotonic_ms(void);

/**
 * The same, cheaper, never ahead, and as far behind as the system's tick: ten milliseconds at most, but more while a virtual machine
 * is held up. For ages of seconds.
 */
uint64_t clock_coarse_ms(void);

/** Seconds since 1970-01-01 UTC. */
int64_t clock_wall_s(void);

#define CLOCK_STAMP_BYTES 32
/** Wall time as RFC 3339 in UTC with milliseconds: "2026-11-24T06:00:00.123Z". */
void clock_wall_stamp(char out[CLOCK_STAMP_BYTES]);

#endif
