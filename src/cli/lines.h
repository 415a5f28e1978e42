/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stream of bytes cut into lines, in bounded memory. A line ends with LF or CR LF; a last line
 * without an end counts; an empty line is a line. Of a line that is too long the beginning is kept.
 * A byte-order mark in front of the first line is not part of it (files made on Windows have one).
 */
#ifndef WSMAUTHZ_CLI_LINES_H
#define WSMAUTHZ_CLI_LINES_H

#include <base/error.h>
#include <base/text.h>
#include <stdbool.h>
#include <stddef.h>

/** @return STATUS_OK to go on; anything else is handed back by lines_feed and lines_end. */
typedef enum status line_fn(void *context, const char *line, size_t length, struct error *error);

struct lines {
	size_t limit_bytes; /* of a line, without its end */
	line_fn *line;
	void *context;
	struct text pending; /* the beginning of a line whose end has not been seen */
	bool has_begun;      /* something of a line was seen */
	bool is_past_first;  /* the first line was given */
};

/** @param line  called with at most `limit_bytes` bytes, and one more when the line is longer than that. */
void lines_init(struct lines *lines, size_t limit_bytes, line_fn *line, void *context);
void lines_done(struct lines *lines);

/** Any piece of the stream. @return STATUS_OK, STATUS_NO_MEMORY, or what `line` returned. */
NODISCARD enum status lines_feed(struct lines *lines, const char *data, size_t length, struct error *error);

/** The stream is over. @return as above. */
NODISCARD enum status lines_end(struct lines *lines, struct error *error);

#endif
