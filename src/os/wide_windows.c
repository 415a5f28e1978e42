/* SPDX-License-Identifier: Apache-2.0 */
#include <os/wide_windows.h>

#include <base/utf.h>
#include <stdint.h>
#include <string.h>

_Static_assert(sizeof(wchar_t) == sizeof(uint16_t), "Windows speaks UTF-16");

enum status wide_from_utf8(const char *text, wchar_t **text_out, struct error *error)
{
	uint16_t *units = NULL;
	size_t count = 0;
	int result = utf8_to_utf16(text, strlen(text), &units, &count);

	if (result == -2)
		return error_no_memory(error);
	if (result != 0)
		return error_set(error, STATUS_INVALID, "a path or name is not UTF-8");
	*text_out = (wchar_t *)units;
	return STATUS_OK;
}
