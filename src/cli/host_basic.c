/* SPDX-License-Identifier: Apache-2.0 */
#include <base/ascii.h>
#include <base/memory.h>
#include <base/utf.h>
#include <cli/host_basic.h>
#include <string.h>

#define SCHEME "Basic"

static int digit_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

/* Strict: whole groups of four, padding only at the end, no bits left over. */
static bool decode(const char *text, size_t length, char *out, size_t *length_out)
{
	size_t padding = length >= 2 && text[length - 2] == '=' ? 2 : length >= 1 && text[length - 1] == '=' ? 1 : 0;
	unsigned long bits = 0;
	size_t count = 0;

	if (length == 0 || length % 4 != 0)
		return false;
	for (size_t i = 0; i < length; i++) {
		int digit = i < length - padding ? digit_of(text[i]) : text[i] == '=' ? 0 : -1;

		if (digit < 0)
			return false;
		bits = (bits << 6 | (unsigned long)digit) & 0xFFFFFF;
		if (i % 4 == 3) {
			out[count++] = (char)(bits >> 16);
			out[count++] = (char)(bits >> 8);
			out[count++] = (char)bits;
		}
	}
	*length_out = count - padding;
	return true;
}

static bool is_name(const char *name, size_t length)
{
	const char *end = name + length;

	while (name < end) {
		uint32_t code_point = utf8_next(&name, end);

		if (code_point == UTF_INVALID || utf_is_control(code_point))
			return false;
	}
	return length > 0;
}

static enum status take(const char *pair, size_t length, struct host_credentials *credentials)
{
	const char *colon = memchr(pair, ':', length);
	size_t name_length = colon != NULL ? (size_t)(colon - pair) : 0;
	size_t password_length = colon != NULL ? length - name_length - 1 : 0;

	if (colon == NULL || password_length == 0 || !is_name(pair, name_length) ||
	    memchr(colon + 1, '\0', password_length) != NULL)
		return STATUS_INVALID;
	credentials->name = memory_copy_bytes(pair, name_length);
	credentials->password = secret_new(colon + 1, password_length);
	if (credentials->name == NULL || credentials->password == NULL) {
		host_credentials_done(credentials);
		return STATUS_NO_MEMORY;
	}
	return STATUS_OK;
}

enum status host_basic_read(const char *header, struct host_credentials *credentials_out)
{
	char pair[HOST_BASIC_MAX_BYTES];
	struct host_credentials credentials = {.name = NULL};
	size_t scheme = sizeof(SCHEME) - 1, length = 0;
	enum status status = STATUS_INVALID;

	if (header == NULL || !ascii_equal_nocase_n(header, strnlen(header, scheme), SCHEME, scheme) ||
	    header[scheme] != ' ')
		return STATUS_NOT_FOUND;
	for (header += scheme; *header == ' '; header++)
		;
	if (strlen(header) < sizeof(pair) && decode(header, strlen(header), pair, &length))
		status = take(pair, length, &credentials);
	memory_wipe(pair, sizeof(pair));
	if (status == STATUS_OK)
		*credentials_out = credentials;
	return status;
}

void host_credentials_done(struct host_credentials *credentials)
{
	memory_free(credentials->name);
	secret_free(&credentials->password);
	credentials->name = NULL;
}
