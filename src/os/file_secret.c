/* SPDX-License-Identifier: Apache-2.0 */
#include <os/file_secret.h>

#include <string.h>

#define BYTE_ORDER_MARK "\xEF\xBB\xBF"

static size_t length_without_line_end(const char *data, size_t length)
{
	if (length > 0 && data[length - 1] == '\n')
		length--;
	else
		return length;
	return length > 0 && data[length - 1] == '\r' ? length - 1 : length;
}

static enum status check_secret(const char *data, size_t length, const char *path, struct error *error)
{
	if (length == 0)
		return error_set(error, STATUS_INVALID, "the secret in '%s' is empty", path);
	if (length >= strlen(BYTE_ORDER_MARK) && memcmp(data, BYTE_ORDER_MARK, strlen(BYTE_ORDER_MARK)) == 0) {
		(void)error_set(error, STATUS_INVALID, "'%s' begins with a byte order mark", path);
		return error_hint(error, STATUS_INVALID, "save it as UTF-8 without a byte order mark");
	}
	if (memchr(data, '\0', length) != NULL || memchr(data, '\n', length) != NULL ||
	    memchr(data, '\r', length) != NULL) {
		(void)error_set(error, STATUS_INVALID, "'%s' holds more than one line, or a NUL", path);
		return error_hint(error, STATUS_INVALID, "write the secret alone into it, on one line, as UTF-8");
	}
	return STATUS_OK;
}

enum status file_secret_take(const char *data, size_t length, const char *path, struct secret **secret_out,
			     struct error *error)
{
	const size_t used = length_without_line_end(data, length);
	enum status status = check_secret(data, used, path, error);
	struct secret *secret;

	if (status != STATUS_OK)
		return status;
	secret = secret_new(data, used);
	if (secret == NULL)
		return error_no_memory(error);
	*secret_out = secret;
	return STATUS_OK;
}
