/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Windows security identifiers.
 * Sources: MS-DTYP 2.4.2 (text form 2.4.2.1, binary form 2.4.2.2).
 */
#ifndef WSMAUTHZ_BASE_SID_H
#define WSMAUTHZ_BASE_SID_H

#include <base/compiler.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SID_MAX_SUBS 15
/* "S-1-0x123456789ABC-4294967295..." with 15 sub-authorities, and the NUL. */
#define SID_TEXT_BYTES   192
#define SID_BINARY_BYTES (8 + 4 * SID_MAX_SUBS)

struct sid {
	uint64_t authority; /* 48 bits */
	uint8_t sub_count;  /* 0: no SID (a valid one has 1 to 15 here) */
	uint32_t sub[SID_MAX_SUBS];
};

/**
 * Parse "S-1-5-21-...": revision 1, 1 to 15 sub-authorities, no sign, no blanks, no leading zeros, nothing behind.
 * The "S" may be small. An authority of 2^32 or more is "0x" and 12 hexadecimal digits, a smaller one decimal,
 * so that each SID has one text but for the case of letters.
 */
NODISCARD bool sid_parse_text(const char *text, size_t length, struct sid *sid_out);

/** Parse the binary form as the objectSid attribute holds it; the length must match exactly. */
NODISCARD bool sid_parse_binary(const uint8_t *data, size_t length, struct sid *sid_out);

/** The text form, as sid_parse_text takes it; "" for a struct that holds no SID. */
void sid_format(const struct sid *sid, char out[SID_TEXT_BYTES]);

/** The binary form; returns its length in bytes, 0 for a struct that holds no SID. */
size_t sid_encode(const struct sid *sid, uint8_t out[SID_BINARY_BYTES]);

bool sid_is_equal(const struct sid *a, const struct sid *b);

#endif
