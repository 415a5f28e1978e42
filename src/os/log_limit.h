/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The system's log is not filled by one line that is said again and again: of what is the same, word for word, LOG_LIMIT_BURST in
 * LOG_LIMIT_MS are written; the rest is counted, and the next one that is written tells how many there were.
 *
 * One table for the process, of fixed size, without a lock: what finds no place in it is written.
 *
 * Threads: any.
 */
#ifndef WSMAUTHZ_OS_LOG_LIMIT_H
#define WSMAUTHZ_OS_LOG_LIMIT_H

#include <base/compiler.h>
#include <stdbool.h>
#include <stdint.h>

#define LOG_LIMIT_MS    60000
#define LOG_LIMIT_BURST 5

/**
 * A line is to be written.
 * @param now_ms        clock_monotonic_ms().
 * @param left_out_out  how many like it were left out since one was written.
 * @return whether it is to be written.
 */
NODISCARD bool log_limit_pass(const char *line, uint64_t now_ms, uint64_t *left_out_out);

#endif
