/* SPDX-License-Identifier: Apache-2.0 */
/* One decision as a line: for people, or as JSON. What came from outside cannot break the line or the terminal. */
#ifndef WSMAUTHZ_CLI_CHECK_FORMAT_H
#define WSMAUTHZ_CLI_CHECK_FORMAT_H

#include <base/text.h>
#include <stddef.h>
#include <wsmauthz/engine.h>

/* A sender as it was given: any bytes. */
struct check_sender {
	const char *name;
	size_t length;
	bool is_cut; /* it was longer than is kept: shown with U+FFFD at its end */
};

/** The object whose members and their order are fixed, with a line end. */
void check_format_json(struct text *out, const struct check_sender *sender, const struct wa_decision *decision);

/** Its members alone, within an object that was begun. */
void check_format_members(struct text *out, const struct check_sender *sender, const struct wa_decision *decision);

/**
 * "alice  authorize  member  via uid=alice -> cn=g1 -> CN=WinRM Users", with a line end.
 * @param columns  how wide the column of senders is.
 */
void check_format_text(struct text *out, const struct check_sender *sender, const struct wa_decision *decision,
		       size_t columns);

/** How many columns a sender takes: its code points. */
size_t check_format_columns(const char *name, size_t length);

#endif
