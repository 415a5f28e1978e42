/* SPDX-License-Identifier: Apache-2.0 */
#include <identity/attribute.h>

#include <base/ascii.h>
#include <string.h>

bool attribute_is_type_char(char c)
{
	return ascii_is_alnum(c) || c == '-' || c == '.';
}

/* keystring = leadkeychar *keychar, or an option when it may begin with any keychar. */
static bool is_keychars(const char *text, size_t length)
{
	size_t i;

	for (i = 0; i < length; i++) {
		if (!ascii_is_alnum(text[i]) && text[i] != '-')
			return false;
	}
	return length > 0;
}

/* number *( DOT number ), with one dot at least; no number has leading zeros. */
static bool is_numericoid(const char *text, size_t length)
{
	size_t i, start = 0, dots = 0;

	for (i = 0; i <= length; i++) {
		if (i < length && ascii_is_digit(text[i]))
			continue;
		if (i < length && text[i] != '.')
			return false;
		if (i == start || (text[start] == '0' && i - start > 1))
			return false;
		dots += i < length;
		start = i + 1;
	}
	return dots > 0;
}

bool attribute_is_type(const char *text, size_t length)
{
	if (length == 0 || text[0] == '-')
		return false;
	return ascii_is_digit(text[0]) ? is_numericoid(text, length) : is_keychars(text, length);
}

bool attribute_is_description(const char *text, size_t length)
{
	const char *end = text + length;
	const char *semicolon = memchr(text, ';', length);

	if (!attribute_is_type(text, semicolon != NULL ? (size_t)(semicolon - text) : length))
		return false;
	while (semicolon != NULL) {
		text = semicolon + 1;
		semicolon = memchr(text, ';', (size_t)(end - text));
		if (!is_keychars(text, (size_t)((semicolon != NULL ? semicolon : end) - text)))
			return false;
	}
	return true;
}
