/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A string under construction. Appending never fails visibly: a failure sticks, and is asked for
 * once at the end with text_failed(). What is there is always NUL-terminated.
 *
 *	struct text filter;
 *
 *	text_init(&filter);
 *	text_add(&filter, "(uid=");
 *	filter_add_value(&filter, name, length);
 *	text_add(&filter, ")");
 *	if (text_failed(&filter)) ...
 *	text_done(&filter);
 *
 * Threads: one at a time.
 */
#ifndef WSMAUTHZ_BASE_TEXT_H
#define WSMAUTHZ_BASE_TEXT_H

#include <base/compiler.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* No string of ours is this long (the largest, a filter of 50 names, has some 100 KB): beyond it something runs away. */
#define TEXT_MAX_BYTES ((size_t)64 * 1024 * 1024)

struct text {
	char *data; /* owned; NULL while nothing was added */
	size_t length;
	size_t capacity;
	bool failed;
};

void text_init(struct text *text);
void text_done(struct text *text);

/** Empty it and forget a failure, keeping the memory. */
void text_clear(struct text *text);

void text_add(struct text *text, const char *string);
void text_add_bytes(struct text *text, const void *data, size_t length);
void text_add_char(struct text *text, char c);
void text_printf(struct text *text, const char *format, ...) PRINTF_LIKE(2, 3);
void text_vprintf(struct text *text, const char *format, va_list arguments) PRINTF_LIKE(2, 0);

/** True when any append failed since text_init or text_clear. */
bool text_failed(const struct text *text);

/** The string so far; "" when empty; borrowed until the next change. */
const char *text_string(const struct text *text);

/** Hand the string over (free with memory_free) and empty the text; NULL when it had failed. */
NODISCARD char *text_take(struct text *text);

#endif
