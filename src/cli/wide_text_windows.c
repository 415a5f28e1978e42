/* SPDX-License-Identifier: Apache-2.0 */
#include <base/memory.h>
#include <base/utf.h>
#include <cli/wide_text.h>
#include <stdbool.h>

static bool is_high(wchar_t unit)
{
	return unit >= 0xD800 && unit < 0xDC00;
}

static bool is_low(wchar_t unit)
{
	return unit >= 0xDC00 && unit < 0xE000;
}

/* The form of three bytes that UTF-8 has for other code points of this size. */
static size_t put_half(wchar_t unit, char out[3])
{
	out[0] = (char)(0xE0 | unit >> 12);
	out[1] = (char)(0x80 | (unit >> 6 & 0x3F));
	out[2] = (char)(0x80 | (unit & 0x3F));
	return 3;
}

size_t wide_text_into(const wchar_t *units, size_t count, char *out)
{
	size_t used = 0;

	for (size_t i = 0; i < count; i++) {
		if (is_high(units[i]) && i + 1 < count && is_low(units[i + 1])) {
			const uint32_t high = units[i] - 0xD800u, low = units[i + 1] - 0xDC00u;

			used += utf8_put(0x10000u + (high << 10 | low), out + used);
			i++;
		} else if (is_high(units[i]) || is_low(units[i])) {
			used += put_half(units[i], out + used);
		} else {
			used += utf8_put(units[i], out + used);
		}
	}
	return used;
}

char *wide_text(const wchar_t *units)
{
	const size_t count = wcslen(units);
	char *text = memory_new_array(count + 1, WIDE_TEXT_UNIT_BYTES);

	if (text != NULL)
		text[wide_text_into(units, count, text)] = '\0';
	return text;
}
