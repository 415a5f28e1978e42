/* SPDX-License-Identifier: Apache-2.0 */
/* What `bench` wants to know of the machine and of its own process, and standard error as somebody sees it. */
#ifndef WSMAUTHZ_CLI_MACHINE_H
#define WSMAUTHZ_CLI_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Nanoseconds of a clock that never jumps; the same clock as clock_monotonic_us(). Threads: any. */
uint64_t machine_ns(void);

/** Bytes of this process that are in memory now; 0 where the system does not say. */
uint64_t machine_resident_bytes(void);

/** Processors that are on line; at least 1. */
unsigned machine_processors(void);

/** Whether standard error is a terminal. */
bool machine_has_viewer(void);

/** Write to standard error as it is; what cannot be written is lost. */
void machine_show(const char *data, size_t length);

#endif
