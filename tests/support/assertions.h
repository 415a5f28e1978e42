/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmocka with what it needs before it, and the few assertions that it lacks. Every unit test
 * includes this and never <cmocka.h> itself.
 *
 *	for (i = 0; i < COUNT_OF(rows); i++)
 *		assert_row(rows[i].input, is_blank(rows[i].input) == rows[i].expected);
 */
#ifndef WSMAUTHZ_TESTS_SUPPORT_ASSERTIONS_H
#define WSMAUTHZ_TESTS_SUPPORT_ASSERTIONS_H

/* cmocka.h wants these four first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <base/compiler.h>
#include <base/error.h>

/** A row of a table holds; prints the row's text when it does not. */
#define assert_row(row, condition)                                                                                     \
	do {                                                                                                           \
		if (!(condition))                                                                                      \
			fail_msg("row \"%s\": %s", (row), #condition);                                                 \
	} while (0)

/** A status is as expected; prints both words, and the error's text (`error` may be NULL). */
#define assert_status(actual, expected, error) assert_status_at((actual), (expected), (error), __FILE__, __LINE__)

static inline void assert_status_at(enum status actual, enum status expected, const struct error *error,
				    const char *file, int line)
{
	if (actual == expected)
		return;
	print_error("status '%s', expected '%s'%s%s\n", status_word(actual), status_word(expected),
		    error != NULL && actual != STATUS_OK ? ": " : "",
		    error != NULL && actual != STATUS_OK ? error->what : "");
	_fail(file, line);
}

/** `part` stands somewhere in `text`. */
#define assert_contains(text, part) assert_contains_at((text), (part), __FILE__, __LINE__)

static inline void assert_contains_at(const char *text, const char *part, const char *file, int line)
{
	const char *at, *t, *p;

	for (at = text; at != NULL; at = *at != '\0' ? at + 1 : NULL) {
		for (t = at, p = part; *p != '\0' && *t == *p; t++)
			p++;
		if (*p == '\0')
			return;
	}
	print_error("\"%s\" does not contain \"%s\"\n", text != NULL ? text : "(null)", part);
	_fail(file, line);
}

#endif
