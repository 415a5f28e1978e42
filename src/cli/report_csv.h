/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A report as CSV (RFC 4180): records end with CR LF; a field with a comma, a quote or a line end stands in quotes, and a quote
 * within is doubled. UTF-8 without a byte-order mark; bytes that are not UTF-8 become U+FFFD, one each.
 *
 * Spreadsheet programs take a field that begins with =, +, - or @ (or a wide form of these, or a tab or line end before them) for a
 * formula. Such a field, and one that begins with an apostrophe, gets an apostrophe in front: a spreadsheet then shows text. It is
 * the only change: who takes one apostrophe off the front of a field that begins with it has what the directory has, always.
 *
 * The header is fixed: sender,dn,verdict,rule,site,target,path. The path is DNs joined by " -> ", which no DN holds (RFC 4514
 * escapes '>').
 *
 * Sources: RFC 4180; OWASP, "CSV Injection".
 */
#ifndef WSMAUTHZ_CLI_REPORT_CSV_H
#define WSMAUTHZ_CLI_REPORT_CSV_H

#include <base/text.h>
#include <cli/report_row.h>

#define REPORT_CSV_HEADER  "sender,dn,verdict,rule,site,target,path\r\n"
#define REPORT_CSV_COLUMNS 7

void report_csv_add_field(struct text *out, const char *value);
void report_csv_add_row(struct text *out, const struct report_row *row);

#endif
