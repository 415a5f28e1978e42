/* SPDX-License-Identifier: Apache-2.0 */
#include <base/utf.h>
#include <cli/shown.h>

void shown_add_code_point(struct text *out, uint32_t code_point)
{
	char bytes[4];

	if (code_point == UTF_INVALID || utf_is_control(code_point))
		code_point = SHOWN_REPLACEMENT;
	text_add_bytes(out, bytes, utf8_put(code_point, bytes));
}

void shown_add(struct text *out, const char *data, size_t length)
{
	const char *end = data + length;

	while (data < end)
		shown_add_code_point(out, utf8_next(&data, end));
}

size_t shown_columns(const char *data, size_t length)
{
	const char *end = data + length;
	size_t count = 0;

	for (; data < end; count++)
		(void)utf8_next(&data, end);
	return count;
}

size_t shown_first_part(const char *dn)
{
	size_t length = 0;

	while (dn[length] != '\0' && dn[length] != ',')
		length += dn[length] == '\\' && dn[length + 1] != '\0' ? 2 : 1;
	return length;
}
