/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two reports compared: who has got in, who does not any more, and what has become otherwise for those who are in both.
 *
 * People are known by their sender names, which are what WinRM is told; a user without one by the DN. Of the files, which may hold those who
 * are let in or everybody, only who is let in counts: a denial is as good as no row.
 *
 *	gained    let in now
 *	lost      was let in
 *	moved     let in both times, and another rule, site or target, or redirected once and not the other time
 *
 * Takes some 80 bytes a row of the old file; neither is kept. Threads: the caller's.
 */
#ifndef WSMAUTHZ_CLI_REPORT_DIFF_H
#define WSMAUTHZ_CLI_REPORT_DIFF_H

#include <base/compiler.h>
#include <base/error.h>
#include <base/text.h>
#include <stdbool.h>
#include <stdint.h>

/* Of one file; some gigabytes of memory. */
#define DIFF_MAX_ROWS 20000000U

struct diff_counts {
	uint64_t before, after; /* who is let in */
	uint64_t gained, lost, moved;
};

/**
 * @param write  gets the lines: the changes as they are found (gained and moved in the order of the new file, then lost in the order of the
 *               old one), then the numbers.
 * @return STATUS_OK; what csv_reader_open says; STATUS_INVALID: one name stands twice in a file; STATUS_LIMIT; STATUS_NO_MEMORY; what
 *         `write` returned.
 */
NODISCARD enum status report_diff(const char *before, const char *after, bool is_json,
				  enum status (*write)(void *context, struct text *lines, struct error *error),
				  void *context, struct diff_counts *counts_out, struct error *error);

#endif
