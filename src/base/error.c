/* SPDX-License-Identifier: Apache-2.0 */
#include <base/error.h>

#include <base/utf.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A prefix longer than this is cut, so that the cause behind it is not. */
#define PREFIX_BYTES (ERROR_TEXT_BYTES / 2)

/*
 * Format by way of a buffer of its own, since arguments may point into the error that is being
 * written; and cut what is too long between two characters.
 */
static void put(char *out, size_t size, const char *format, va_list arguments) PRINTF_LIKE(3, 0);

static void put(char *out, size_t size, const char *format, va_list arguments)
{
	char buffer[ERROR_TEXT_BYTES];
	size_t length;
	int wanted;

	wanted = vsnprintf(buffer, size, format, arguments);
	if (wanted < 0)
		buffer[0] = '\0';
	length = strlen(buffer);
	if (wanted >= 0 && (size_t)wanted > length)
		length = utf8_whole_length(buffer, length);
	memcpy(out, buffer, length);
	out[length] = '\0';
}

enum status error_set(struct error *error, enum status status, const char *format, ...)
{
	va_list arguments;

	if (error == NULL)
		return status;
	va_start(arguments, format);
	put(error->what, sizeof(error->what), format, arguments);
	va_end(arguments);
	error->status = status;
	error->origin = ERROR_ORIGIN_NONE;
	error->native = 0;
	error->hint[0] = '\0';
	return status;
}

enum status error_no_memory(struct error *error)
{
	return error_set(error, STATUS_NO_MEMORY, "out of memory");
}

enum status error_hint(struct error *error, enum status status, const char *format, ...)
{
	va_list arguments;

	if (error == NULL)
		return status;
	va_start(arguments, format);
	put(error->hint, sizeof(error->hint), format, arguments);
	va_end(arguments);
	return status;
}

void error_native(struct error *error, enum error_origin origin, long native)
{
	if (error == NULL)
		return;
	error->origin = origin;
	error->native = native;
}

/* put() with its arguments at hand, not in a list. */
static void put_formatted(char *out, size_t size, const char *format, ...) PRINTF_LIKE(3, 4);

static void put_formatted(char *out, size_t size, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	put(out, size, format, arguments);
	va_end(arguments);
}

void error_prefix(struct error *error, const char *format, ...)
{
	char prefix[PREFIX_BYTES];
	va_list arguments;

	if (error == NULL)
		return;
	va_start(arguments, format);
	put(prefix, sizeof(prefix), format, arguments);
	va_end(arguments);
	put_formatted(error->what, sizeof(error->what), "%s: %s", prefix, error->what);
}

const char *status_word(enum status status)
{
	switch (status) {
	case STATUS_OK:
		return "ok";
	case STATUS_NO_MEMORY:
		return "no-memory";
	case STATUS_INVALID:
		return "invalid";
	case STATUS_LIMIT:
		return "limit";
	case STATUS_TIMEOUT:
		return "timeout";
	case STATUS_UNREACHABLE:
		return "unreachable";
	case STATUS_REFUSED:
		return "refused";
	case STATUS_NOT_FOUND:
		return "not-found";
	case STATUS_CANCELLED:
		return "cancelled";
	case STATUS_INTERNAL:
		return "internal";
	}
	return "unknown";
}
