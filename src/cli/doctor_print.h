/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `doctor` prints: a line as soon as it is known, under the heading of its group, with the remedy on a line of its own below;
 * or one JSON object a line. On a terminal it shows what it is doing, on standard error.
 *
 *	network
 *	  ok         tcp          ldap://dc1: connected to 10.0.0.1 in 0.4 ms
 *	  error      dns          ldap://dc2: could not find the address of 'dc2'
 *	                          -> check the host name in directory/@uri, and this machine's DNS
 *
 * Threads: the main one.
 */
#ifndef WSMAUTHZ_CLI_DOCTOR_PRINT_H
#define WSMAUTHZ_CLI_DOCTOR_PRINT_H

#include <base/error.h>
#include <base/text.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum doctor_level { DOCTOR_OK = 0, DOCTOR_NOT_TRIED, DOCTOR_WARNING, DOCTOR_ERROR };
#define DOCTOR_LEVELS 4

struct doctor_line {
	const char *id, *group;
	enum doctor_level level;
	const char *subject; /* NULL: none */
	const char *text;
	const char *remedy; /* NULL: none */
};

struct doctor_print {
	bool is_json;
	bool has_viewer;   /* standard error is a terminal */
	bool is_shown;     /* ... and has a line of progress now */
	uint64_t shown_ms; /* since then */
	const char *group; /* whose heading was printed last */
	size_t counts[DOCTOR_LEVELS];
	enum status status; /* what came of writing; the first failure sticks */
	struct error error;
};

/** "ok", "warning", "error", "not-tried". Never NULL. */
const char *doctor_level_word(enum doctor_level level);

void doctor_print_begin(struct doctor_print *print, bool is_json);
void doctor_print_line(struct doctor_print *print, const struct doctor_line *line);
/** "checking: <doing>", on a terminal. As often as one likes. */
void doctor_print_progress(struct doctor_print *print, const char *doing);
/** The sums. */
void doctor_print_end(struct doctor_print *print);

/** A line as it is printed, without heading. */
void doctor_print_add_text(struct text *out, const struct doctor_line *line);
void doctor_print_add_json(struct text *out, const struct doctor_line *line);

#endif
