/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A report as one page of HTML: nothing is fetched from anywhere, and its own policy (Content-Security-Policy) lets nothing be run but the
 * script that was written with it, by a number that nobody could know before.
 *
 *	report_page.c           the frame, the numbers at the top
 *	report_page_chart.c     users by site and verdict
 *	report_page_findings.c  what looks wrong
 *	report_page_tree.c      the groups, with how many they hold
 *	report_page_rows.c      the table of users
 *	page/report.css, .js    how it looks, and what makes the table searchable
 *
 * The numbers are of everybody; the table has the first REPORT_PAGE_ROWS, and says so. Without a script all rows are there.
 *
 * Sources: the HTML standard; Content Security Policy Level 3; WCAG 2.2 (1.4.3, 2.1.1).
 */
#ifndef WSMAUTHZ_CLI_REPORT_PAGE_H
#define WSMAUTHZ_CLI_REPORT_PAGE_H

#include <base/compiler.h>
#include <base/error.h>
#include <base/text.h>
#include <cli/report_row.h>
#include <cli/report_tally.h>
#include <os/file_new.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* More rows than these a browser still shows, but nobody reads; they take some 10 MB. */
#define REPORT_PAGE_ROWS 10000
/* Nor more than this of rows, however long their names are. */
#define REPORT_PAGE_MAX_BYTES ((size_t)32 * 1024 * 1024)
/* Bars of the chart, the longest ones. */
#define REPORT_PAGE_BARS 24
/* Lines of the tree of groups, and how deep it goes. */
#define REPORT_TREE_LINES 3000
#define REPORT_TREE_DEPTH 48

struct page {
	struct text rows;
	size_t kept;     /* rows */
	uint64_t wanted; /* rows that there would be */
};

struct page_facts {
	const char *policy; /* its path */
	const char *url;    /* where users come to; NULL: not known */
	bool is_all;        /* rows for everybody */
	int64_t now_s;      /* wall time */
	uint64_t took_ms;
};

void page_init(struct page *page);
void page_done(struct page *page);

/** A row of the table. @return STATUS_OK, STATUS_NO_MEMORY. */
NODISCARD enum status page_take(struct page *page, const struct tally *tally, const struct report_row *row);

/** After tally_end. @return STATUS_OK, STATUS_NO_MEMORY, STATUS_INTERNAL (no random numbers); as file_new_write. */
NODISCARD enum status page_write(const struct page *page, const struct tally *tally, const struct page_facts *facts,
				 struct file_new *file, struct error *error);

/* Parts */

/** The table's head and its filters, up to the rows; and what follows them. */
void page_add_table_begin(struct text *out, const struct page *page, const struct tally *tally,
			  const struct page_facts *facts);
void page_add_table_end(struct text *out);
void page_add_chart(struct text *out, const struct tally *tally);
void page_add_findings(struct text *out, const struct tally *tally);
/** @return STATUS_OK, STATUS_NO_MEMORY. */
NODISCARD enum status page_add_tree(struct text *out, const struct tally *tally);

/** "site-3", "site-here", ...: what rows and filters call a place. */
void page_add_place_id(struct text *out, const struct tally *tally, size_t place);
/** Its name, as the content of an element; at most so many letters of it. */
void page_add_place_name(struct text *out, const struct tally *tally, size_t place, size_t letters);

/* page/report.css and page/report.js, as the build embeds them. */
extern const char page_style[], page_script[];

#endif
