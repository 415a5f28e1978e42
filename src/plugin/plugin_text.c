/* SPDX-License-Identifier: Apache-2.0 */
#include <base/utf.h>
#include <plugin/plugin_text.h>
#include <string.h>

_Static_assert(sizeof(WCHAR) == sizeof(uint16_t), "the host speaks UTF-16");

/* The number of units before the terminator, or limit + 1 when none was found within the limit. */
static size_t units_length(PCWSTR units, size_t limit)
{
	size_t length = 0;

	while (length <= limit && units[length] != 0)
		length++;
	return length;
}

enum status plugin_text_read(PCWSTR units, size_t limit_units, char **text_out, size_t *length_out)
{
	size_t length;
	int result;

	if (units == NULL) {
		*text_out = NULL;
		if (length_out != NULL)
			*length_out = 0;
		return STATUS_OK;
	}
	length = units_length(units, limit_units);
	if (length > limit_units)
		return STATUS_LIMIT;
	result = utf16_to_utf8((const uint16_t *)units, length, text_out, length_out);
	if (result == 0)
		return STATUS_OK;
	return result == -1 ? STATUS_INVALID : STATUS_NO_MEMORY;
}

enum status plugin_text_write(const char *text, WCHAR **units_out)
{
	uint16_t *units;
	int result = utf8_to_utf16(text, strlen(text), &units, NULL);

	if (result != 0)
		return result == -1 ? STATUS_INVALID : STATUS_NO_MEMORY;
	*units_out = (WCHAR *)units;
	return STATUS_OK;
}
