/* SPDX-License-Identifier: Apache-2.0 */
/* What Windows hands to a program, which need not be valid UTF-16, in bytes. Used on Windows only. */
#ifndef WSMAUTHZ_CLI_WIDE_TEXT_H
#define WSMAUTHZ_CLI_WIDE_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <wchar.h>

/* Of one unit, and of the two of a pair. */
#define WIDE_TEXT_UNIT_BYTES 3

/**
 * UTF-8. Half of a surrogate pair becomes three bytes that are not UTF-8, so that whoever checks a name refuses it, and it stands
 * for no other one.
 *
 * @param out  room for WIDE_TEXT_UNIT_BYTES * count bytes; no terminator is written.
 * @return how many bytes.
 */
size_t wide_text_into(const wchar_t *units, size_t count, char *out);

/** The same of a NUL-terminated string; owned by the caller (memory_free). NULL: no memory. */
char *wide_text(const wchar_t *units);

#endif
