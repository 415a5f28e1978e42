/* SPDX-License-Identifier: Apache-2.0 */
/* Random bytes of the system's generator: keys for digests, jitter. Threads: any. */
#ifndef WSMAUTHZ_OS_RANDOM_H
#define WSMAUTHZ_OS_RANDOM_H

#include <base/compiler.h>
#include <base/error.h>
#include <stddef.h>
#include <stdint.h>

/** @return STATUS_OK or STATUS_INTERNAL. */
NODISCARD enum status random_fill(void *out, size_t length, struct error *error);

/** A number below `bound` (not 0), good enough for jitter, never failing. */
uint32_t random_below(uint32_t bound);

#endif
