/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_conn_wldap32.h>

#include <base/utf.h>
#include <string.h>

enum status dir_conn_widen(const char *text, WCHAR **wide_out)
{
	uint16_t *units = NULL;
	size_t count;

	switch (utf8_to_utf16(text, strlen(text), &units, &count)) {
	case 0:
		*wide_out = units;
		return STATUS_OK;
	case -2:
		return STATUS_NO_MEMORY;
	default:
		return STATUS_INVALID;
	}
}

enum status dir_conn_narrow(const WCHAR *wide, char **text_out)
{
	switch (utf16_to_utf8(wide, wcslen(wide), text_out, NULL)) {
	case 0:
		return STATUS_OK;
	case -2:
		return STATUS_NO_MEMORY;
	default:
		return STATUS_INVALID;
	}
}
