/* SPDX-License-Identifier: Apache-2.0 */
#include <base/memory.h>
#include <base/utf.h>
#include <cli/sender_units.h>
#include <string.h>

#define LONE_SURROGATE  0xDC80u
#define FIRST_SURROGATE 0xD800u
#define LOW_SURROGATE   0xDC00u
#define FIRST_PAIRED    0x10000u

WCHAR *sender_units(const char *name, size_t length)
{
	const char *end = name + length;
	WCHAR *units;
	size_t count = 0;

	/* A byte gives one unit at most: four bytes give two, fewer give one. */
	if (length == SIZE_MAX)
		return NULL;
	units = memory_new_array(length + 1, sizeof(*units));
	if (units == NULL)
		return NULL;
	while (name < end) {
		uint32_t code_point = utf8_next(&name, end);

		if (code_point == UTF_INVALID || code_point == 0) {
			units[count++] = (WCHAR)LONE_SURROGATE;
		} else if (code_point >= FIRST_PAIRED) {
			code_point -= FIRST_PAIRED;
			units[count++] = (WCHAR)(FIRST_SURROGATE + (code_point >> 10));
			units[count++] = (WCHAR)(LOW_SURROGATE + (code_point & 0x3FF));
		} else {
			units[count++] = (WCHAR)code_point;
		}
	}
	return units;
}

WCHAR *sender_units_of(const char *text)
{
	return sender_units(text, strlen(text));
}
