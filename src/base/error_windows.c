/* SPDX-License-Identifier: Apache-2.0 */
/* The part of base/error.h that needs the system's texts. */
#include <base/error.h>

#include <stdarg.h>
#include <stdio.h>
#include <windows.h>

#define REASON_BYTES 128

/* The system's text for a number of GetLastError(), in UTF-8, on one line without the full stop. */
static void describe(int number, char reason[REASON_BYTES])
{
	WCHAR text[REASON_BYTES];
	DWORD length =
	    FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS | FORMAT_MESSAGE_MAX_WIDTH_MASK,
			   NULL, (DWORD)number, 0, text, REASON_BYTES, NULL);
	int bytes;

	while (length > 0 && (text[length - 1] == L' ' || text[length - 1] == L'.'))
		length--;
	bytes =
	    length == 0 ? 0 : WideCharToMultiByte(CP_UTF8, 0, text, (int)length, reason, REASON_BYTES - 1, NULL, NULL);
	if (bytes > 0)
		reason[bytes] = '\0';
	else
		(void)snprintf(reason, REASON_BYTES, "error %d", number);
}

enum status error_system(struct error *error, enum status status, int number, const char *format, ...)
{
	/* Shorter than error->what, so that a long name does not push the reason out. */
	char what[ERROR_TEXT_BYTES - REASON_BYTES];
	char reason[REASON_BYTES];
	va_list arguments;

	if (error == NULL)
		return status;
	va_start(arguments, format);
	if (vsnprintf(what, sizeof(what), format, arguments) < 0)
		what[0] = '\0';
	va_end(arguments);
	describe(number, reason);
	error_set(error, status, "%s: %s", what, reason);
	error_native(error, ERROR_ORIGIN_SYSTEM, number);
	return status;
}
