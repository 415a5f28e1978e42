/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Characters and comparisons that know no locale. LDAP, URIs and Windows names compare the 26
 * ASCII letters without case and leave every other byte alone; so do we.
 */
#ifndef WSMAUTHZ_BASE_ASCII_H
#define WSMAUTHZ_BASE_ASCII_H

#include <stdbool.h>
#include <stddef.h>

bool ascii_is_alnum(char c);
bool ascii_is_digit(char c);
bool ascii_is_blank(char c); /* space, tab, CR, LF: XML's white space */
char ascii_lower(char c);

/** Equal without regard to the case of A-Z. NULL equals only NULL. */
bool ascii_equal_nocase(const char *a, const char *b);

/** The same for counted strings. */
bool ascii_equal_nocase_n(const char *a, size_t a_length, const char *b, size_t b_length);

/**
 * The next blank-separated word of a list.
 *
 * @param cursor  address of a pointer into the list; moved behind the word.
 * @return the word's start (its length in *length_out), or NULL at the end.
 */
const char *ascii_next_word(const char **cursor, size_t *length_out);

#endif
