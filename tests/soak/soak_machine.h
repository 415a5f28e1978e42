/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What this process has, and what can be taken from it: memory for the plug-in's own allocations, descriptors, the right time.
 *
 * soak_machine_faults.c takes the place of malloc(3) and clock_gettime(2) and their kind for everything that is loaded.
 */
#ifndef SOAK_MACHINE_H
#define SOAK_MACHINE_H

#include <stddef.h>
#include <stdint.h>

struct machine_figures {
	uint64_t heap_bytes;  /* given out by malloc and not freed */
	uint64_t resident_kb; /* without what is mapped from files */
	size_t descriptors, threads;
};

struct machine_figures machine_figures(void);

/** From now on so many of a thousand allocations that the code of the loaded file `path` makes fail. */
void machine_fail_memory(const char *path, unsigned per_thousand);
/** How many have failed. */
uint64_t machine_memory_failures(void);
/** How many of the open and new descriptors there may be: `spare` more than now; 0 with `is_limited` false: as before. */
void machine_limit_descriptors(int is_limited, unsigned spare);
/** The wall clock is so far off. The monotonic one never is. */
void machine_shift_clock(int64_t seconds);

#endif
