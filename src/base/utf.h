/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UTF-8 is what we speak inside; UTF-16 is what WinRM speaks. Strict both ways: no overlong
 * forms, no surrogates in UTF-8, no unpaired surrogates in UTF-16, nothing above U+10FFFF.
 *
 * Sources: RFC 3629; RFC 2781.
 */
#ifndef WSMAUTHZ_BASE_UTF_H
#define WSMAUTHZ_BASE_UTF_H

#include <base/compiler.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Returned by utf8_next for bytes that are not UTF-8. */
#define UTF_INVALID UINT32_MAX

/**
 * Decode one code point.
 *
 * @param data    moved behind the code point; behind one byte when that byte is not UTF-8.
 * @param end     behind the last byte; *data < end.
 * @return the code point, or UTF_INVALID.
 */
uint32_t utf8_next(const char **data, const char *end);

bool utf8_is_valid(const char *data, size_t length);

/** The length without the sequence that was cut off at its end, if one was: where a text may be truncated. */
size_t utf8_whole_length(const char *data, size_t length);

/**
 * What must not reach a log line or a terminal as it is: C0 and C1 controls, DEL, the line and paragraph
 * separators (U+2028, U+2029) and the bidirectional controls (U+061C, U+200E, U+200F, U+202A-202E, U+2066-2069),
 * which can show a name as another one.
 */
bool utf_is_control(uint32_t code_point);

/** Append a code point in UTF-8; returns how many bytes (1 to 4). `code_point` must be valid. */
size_t utf8_put(uint32_t code_point, char out[4]);

/**
 * UTF-16 to UTF-8.
 *
 * @param units      host byte order.
 * @param count      code units, without a terminator; a NUL among them is an ordinary code point.
 * @param text_out   NUL-terminated; owned by the caller (memory_free).
 * @param length_out bytes, without the terminator; may be NULL.
 * @return 0; -1 an unpaired surrogate; -2 no memory. Outputs untouched unless 0.
 */
NODISCARD int utf16_to_utf8(const uint16_t *units, size_t count, char **text_out, size_t *length_out);

/**
 * The same into a buffer of the caller's, which must have room for 3 * count bytes; no terminator is written.
 * @return false: an unpaired surrogate.
 */
NODISCARD bool utf16_to_utf8_into(const uint16_t *units, size_t count, char *out, size_t *length_out);

/** UTF-8 to UTF-16, NUL-terminated; the same results (-1: not UTF-8). */
NODISCARD int utf8_to_utf16(const char *data, size_t length, uint16_t **units_out, size_t *count_out);

#endif
