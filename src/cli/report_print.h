/* SPDX-License-Identifier: Apache-2.0 */
/* A report for the terminal, and as JSON. Pure. */
#ifndef WSMAUTHZ_CLI_REPORT_PRINT_H
#define WSMAUTHZ_CLI_REPORT_PRINT_H

#include <base/text.h>
#include <cli/report_row.h>
#include <cli/report_tally.h>
#include <stdint.h>

void report_print_heading(struct text *out);
/** A line of the table. */
void report_print_row(struct text *out, const struct report_row *row);
/** The numbers, and what looks wrong. */
void report_print_summary(struct text *out, const struct tally *tally, uint64_t took_ms);

/** One object, one line: type "user". @param findings  tally_findings_of. */
void report_print_json_row(struct text *out, const struct report_row *row, unsigned findings);
/** The last line: type "summary". Where it is missing, the report is not whole. */
void report_print_json_summary(struct text *out, const struct tally *tally, uint64_t took_ms);

#endif
