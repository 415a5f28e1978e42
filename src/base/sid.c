/* SPDX-License-Identifier: Apache-2.0 */
#include <base/sid.h>

#include <base/ascii.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define REVISION       1
#define HEADER_BYTES   8
#define AUTHORITY_BITS 48
#define HEX_DIGITS     (AUTHORITY_BITS / 4)

/* What is still to be parsed. */
struct cursor {
	const char *at, *end;
};

static bool take_char(struct cursor *cursor, char c)
{
	if (cursor->at == cursor->end || ascii_lower(*cursor->at) != c)
		return false;
	cursor->at++;
	return true;
}

/* A decimal number below 2^32 without leading zeros. */
static bool take_decimal(struct cursor *cursor, uint32_t *number_out)
{
	const char *start = cursor->at;
	uint64_t number = 0;

	while (cursor->at < cursor->end && ascii_is_digit(*cursor->at)) {
		number = number * 10 + (uint64_t)(*cursor->at++ - '0');
		if (number > UINT32_MAX)
			return false;
	}
	if (cursor->at == start || (*start == '0' && cursor->at - start > 1))
		return false;
	*number_out = (uint32_t)number;
	return true;
}

static int hex_value(char c)
{
	c = ascii_lower(c);
	if (ascii_is_digit(c))
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The 12 digits behind "0x". */
static bool take_hex(struct cursor *cursor, uint64_t *number_out)
{
	uint64_t number = 0;
	int i, digit;

	if (cursor->end - cursor->at < HEX_DIGITS)
		return false;
	for (i = 0; i < HEX_DIGITS; i++) {
		digit = hex_value(*cursor->at++);
		if (digit < 0)
			return false;
		number = number << 4 | (uint64_t)digit;
	}
	*number_out = number;
	return number > UINT32_MAX;
}

static bool take_authority(struct cursor *cursor, uint64_t *authority_out)
{
	uint32_t small;

	if (cursor->end - cursor->at >= 2 && cursor->at[0] == '0' && ascii_lower(cursor->at[1]) == 'x') {
		cursor->at += 2;
		return take_hex(cursor, authority_out);
	}
	if (!take_decimal(cursor, &small))
		return false;
	*authority_out = small;
	return true;
}

bool sid_parse_text(const char *text, size_t length, struct sid *sid_out)
{
	struct cursor cursor = {text, text + length};
	struct sid sid = {0};

	if (!take_char(&cursor, 's') || !take_char(&cursor, '-') || !take_char(&cursor, '1') ||
	    !take_char(&cursor, '-') || !take_authority(&cursor, &sid.authority))
		return false;
	while (cursor.at < cursor.end) {
		if (sid.sub_count == SID_MAX_SUBS || !take_char(&cursor, '-') ||
		    !take_decimal(&cursor, &sid.sub[sid.sub_count]))
			return false;
		sid.sub_count++;
	}
	if (sid.sub_count == 0)
		return false;
	*sid_out = sid;
	return true;
}

bool sid_parse_binary(const uint8_t *data, size_t length, struct sid *sid_out)
{
	struct sid sid = {0};
	size_t i;

	if (length < HEADER_BYTES || data[0] != REVISION || data[1] == 0 || data[1] > SID_MAX_SUBS ||
	    length != HEADER_BYTES + 4 * (size_t)data[1])
		return false;
	sid.sub_count = data[1];
	/* The authority is big-endian, the sub-authorities are little-endian. */
	for (i = 2; i < HEADER_BYTES; i++)
		sid.authority = sid.authority << 8 | data[i];
	for (i = 0; i < sid.sub_count; i++) {
		const uint8_t *sub = data + HEADER_BYTES + 4 * i;

		sid.sub[i] = sub[0] | (uint32_t)sub[1] << 8 | (uint32_t)sub[2] << 16 | (uint32_t)sub[3] << 24;
	}
	*sid_out = sid;
	return true;
}

void sid_format(const struct sid *sid, char out[SID_TEXT_BYTES])
{
	size_t at = 0, i;
	int length;

	out[0] = '\0';
	if (sid->sub_count == 0 || sid->sub_count > SID_MAX_SUBS)
		return;
	if (sid->authority <= UINT32_MAX)
		length = snprintf(out, SID_TEXT_BYTES, "S-1-%" PRIu64, sid->authority);
	else
		length = snprintf(out, SID_TEXT_BYTES, "S-1-0x%012" PRIX64, sid->authority);
	/* SID_TEXT_BYTES has room for the longest SID, so nothing is ever cut. */
	for (i = 0; length > 0 && i < sid->sub_count; i++) {
		at += (size_t)length;
		length = snprintf(out + at, SID_TEXT_BYTES - at, "-%" PRIu32, sid->sub[i]);
	}
}

size_t sid_encode(const struct sid *sid, uint8_t out[SID_BINARY_BYTES])
{
	size_t i;

	if (sid->sub_count == 0 || sid->sub_count > SID_MAX_SUBS)
		return 0;
	out[0] = REVISION;
	out[1] = sid->sub_count;
	for (i = 0; i < 6; i++)
		out[2 + i] = (uint8_t)(sid->authority >> (8 * (5 - i)));
	for (i = 0; i < 4 * (size_t)sid->sub_count; i++)
		out[HEADER_BYTES + i] = (uint8_t)(sid->sub[i / 4] >> (8 * (i % 4)));
	return HEADER_BYTES + 4 * (size_t)sid->sub_count;
}

bool sid_is_equal(const struct sid *a, const struct sid *b)
{
	return a->authority == b->authority && a->sub_count == b->sub_count &&
	       memcmp(a->sub, b->sub, a->sub_count * sizeof(a->sub[0])) == 0;
}
