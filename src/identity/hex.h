/* SPDX-License-Identifier: Apache-2.0 */
/* Hex digits, as DNs, filters and URIs write escaped bytes. Used within identity. */
#ifndef WSMAUTHZ_IDENTITY_HEX_H
#define WSMAUTHZ_IDENTITY_HEX_H

#include <base/ascii.h>
#include <stdbool.h>

/** 0 to 15; -1 when `c` is no hex digit. */
static inline int hex_value(char c)
{
	c = ascii_lower(c);
	if (ascii_is_digit(c))
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static inline bool hex_is_digit(char c)
{
	return hex_value(c) >= 0;
}

#endif
