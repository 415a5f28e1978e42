/* SPDX-License-Identifier: Apache-2.0 */
/* The part of base/error.h that needs the system's texts. */
#include <base/error.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define REASON_BYTES 128

enum status error_system(struct error *error, enum status status, int number, const char *format, ...)
{
	/* Shorter than error->what, so that a long name does not push the reason out. */
	char what[ERROR_TEXT_BYTES - REASON_BYTES];
	char reason[REASON_BYTES] = "";
	va_list arguments;

	if (error == NULL)
		return status;
	va_start(arguments, format);
	if (vsnprintf(what, sizeof(what), format, arguments) < 0)
		what[0] = '\0';
	va_end(arguments);
	if (strerror_r(number, reason, sizeof(reason)) != 0 && reason[0] == '\0')
		(void)snprintf(reason, sizeof(reason), "error %d", number);
	error_set(error, status, "%s: %s", what, reason);
	error_native(error, ERROR_ORIGIN_SYSTEM, number);
	return status;
}
