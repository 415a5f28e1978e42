/* SPDX-License-Identifier: Apache-2.0 */
/*
 * os/clock.h with a clock that stands still until the test moves it. Linked as an object, it
 * replaces clock_posix.c of the library. One clock a test program; it begins at 1 000 000 ms, wall
 * time 2026-01-01T00:00:00Z, and moving it moves the wall time too.
 *
 * Threads: any.
 */
#ifndef WSMAUTHZ_TESTS_SUPPORT_CLOCK_MANUAL_H
#define WSMAUTHZ_TESTS_SUPPORT_CLOCK_MANUAL_H

#include <stdint.h>

/** Set the monotonic clock; not backwards. */
void clock_manual_set_ms(uint64_t now_ms);

/** Move it forward. */
void clock_manual_advance_us(uint64_t us);

/** Set the wall clock, in seconds since 1970, forward or backward. */
void clock_manual_set_wall_s(int64_t now_s);

#endif
