/* SPDX-License-Identifier: Apache-2.0 */
#include <base/utf.h>

#include <base/memory.h>

#define LAST_CODE_POINT 0x10FFFFu

static bool is_surrogate(uint32_t unit)
{
	return unit >= 0xD800 && unit <= 0xDFFF;
}

/* How many bytes the sequence has that begins with `lead`; 0 when none does. */
static size_t sequence_length(unsigned char lead)
{
	if (lead < 0x80)
		return 1;
	if (lead >= 0xC2 && lead <= 0xDF)
		return 2;
	if (lead >= 0xE0 && lead <= 0xEF)
		return 3;
	if (lead >= 0xF0 && lead <= 0xF4)
		return 4;
	return 0;
}

static bool is_continuation(char byte)
{
	return ((unsigned char)byte & 0xC0) == 0x80;
}

uint32_t utf8_next(const char **data, const char *end)
{
	/* The least code point that needs so many bytes: below it, the form is overlong. */
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	static const unsigned char lead_bits[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
	const char *at = *data;
	size_t length = sequence_length((unsigned char)*at), i;
	uint32_t code_point;

	*data = at + 1;
	if (length == 0 || length > (size_t)(end - at))
		return UTF_INVALID;
	code_point = (unsigned char)*at & lead_bits[length];
	for (i = 1; i < length; i++) {
		if (!is_continuation(at[i]))
			return UTF_INVALID;
		code_point = code_point << 6 | ((unsigned char)at[i] & 0x3F);
	}
	if (code_point < least[length] || code_point > LAST_CODE_POINT || is_surrogate(code_point))
		return UTF_INVALID;
	*data = at + length;
	return code_point;
}

bool utf8_is_valid(const char *data, size_t length)
{
	const char *at = data, *end = data + length;

	while (at < end)
		if (utf8_next(&at, end) == UTF_INVALID)
			return false;
	return true;
}

size_t utf8_whole_length(const char *data, size_t length)
{
	size_t behind = 0;

	while (behind < 3 && behind < length && is_continuation(data[length - 1 - behind]))
		behind++;
	if (behind == length)
		return length;
	return sequence_length((unsigned char)data[length - 1 - behind]) > behind + 1 ? length - 1 - behind : length;
}

bool utf_is_control(uint32_t code_point)
{
	return code_point < 0x20 || (code_point >= 0x7F && code_point <= 0x9F) || code_point == 0x61C ||
	       code_point == 0x200E || code_point == 0x200F || (code_point >= 0x2028 && code_point <= 0x202E) ||
	       (code_point >= 0x2066 && code_point <= 0x2069);
}

size_t utf8_put(uint32_t code_point, char out[4])
{
	if (code_point < 0x80) {
		out[0] = (char)code_point;
		return 1;
	}
	if (code_point < 0x800) {
		out[0] = (char)(0xC0 | code_point >> 6);
		out[1] = (char)(0x80 | (code_point & 0x3F));
		return 2;
	}
	if (code_point < 0x10000) {
		out[0] = (char)(0xE0 | code_point >> 12);
		out[1] = (char)(0x80 | (code_point >> 6 & 0x3F));
		out[2] = (char)(0x80 | (code_point & 0x3F));
		return 3;
	}
	out[0] = (char)(0xF0 | code_point >> 18);
	out[1] = (char)(0x80 | (code_point >> 12 & 0x3F));
	out[2] = (char)(0x80 | (code_point >> 6 & 0x3F));
	out[3] = (char)(0x80 | (code_point & 0x3F));
	return 4;
}

/* The code point at *units, moved behind it; UTF_INVALID for an unpaired surrogate. */
static uint32_t utf16_next(const uint16_t **units, const uint16_t *end)
{
	uint32_t high = *(*units)++, low;

	if (!is_surrogate(high))
		return high;
	if (high >= 0xDC00 || *units == end)
		return UTF_INVALID;
	low = **units;
	if (low < 0xDC00 || low > 0xDFFF)
		return UTF_INVALID;
	(*units)++;
	return 0x10000 + ((high - 0xD800) << 10 | (low - 0xDC00));
}

bool utf16_to_utf8_into(const uint16_t *units, size_t count, char *out, size_t *length_out)
{
	const uint16_t *at = units, *end = units + count;
	size_t length = 0;

	while (at < end) {
		if (*at < 0x80) {
			out[length++] = (char)*at++;
			continue;
		}
		const uint32_t code_point = utf16_next(&at, end);

		if (code_point == UTF_INVALID)
			return false;
		length += utf8_put(code_point, out + length);
	}
	*length_out = length;
	return true;
}

int utf16_to_utf8(const uint16_t *units, size_t count, char **text_out, size_t *length_out)
{
	size_t length;
	char *text;

	if (count > SIZE_MAX / 3 - 1)
		return -2;
	/* A unit becomes at most three bytes; a pair, four. */
	text = memory_new(3 * count + 1);
	if (text == NULL)
		return -2;
	if (!utf16_to_utf8_into(units, count, text, &length)) {
		memory_free(text);
		return -1;
	}
	*text_out = text;
	if (length_out != NULL)
		*length_out = length;
	return 0;
}

static size_t utf16_put(uint32_t code_point, uint16_t *out)
{
	if (code_point < 0x10000) {
		out[0] = (uint16_t)code_point;
		return 1;
	}
	code_point -= 0x10000;
	out[0] = (uint16_t)(0xD800 | code_point >> 10);
	out[1] = (uint16_t)(0xDC00 | (code_point & 0x3FF));
	return 2;
}

int utf8_to_utf16(const char *data, size_t length, uint16_t **units_out, size_t *count_out)
{
	const char *at = data, *end;
	size_t count = 0;
	uint32_t code_point;
	uint16_t *units;

	if (length == SIZE_MAX)
		return -2;
	/* A byte becomes at most one unit. */
	units = memory_new_array(length + 1, sizeof(*units));
	if (units == NULL)
		return -2;
	end = data + length;
	while (at < end) {
		code_point = utf8_next(&at, end);
		if (code_point == UTF_INVALID) {
			memory_free(units);
			return -1;
		}
		count += utf16_put(code_point, units + count);
	}
	*units_out = units;
	if (count_out != NULL)
		*count_out = count;
	return 0;
}
