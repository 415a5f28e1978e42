/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A scenario file as commands: one a line, words separated by blanks. "..." keeps blanks together; in it \" is
 * a quote and \xHH a byte, every other backslash stands for itself (so that DNs need no second escaping). A word that begins
 * with '#' begins a comment. `command <<WORD` takes the lines until WORD as text.
 */
#ifndef TESTS_SCENARIO_SCRIPT_H
#define TESTS_SCENARIO_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>

struct word {
	char *text; /* NUL-terminated; may hold NULs before its end */
	size_t length;
};

struct command {
	unsigned line;
	struct word *words;
	size_t count, capacity;
	char *block; /* the text behind <<WORD; NULL: none */
};

struct script {
	const char *path;
	struct command *commands;
	size_t count, capacity;
};

/** Read a file. Prints what is wrong and returns false. */
bool script_read(const char *path, struct script *script_out);
void script_done(struct script *script);

#endif
