/* SPDX-License-Identifier: Apache-2.0 */
#include <base/ascii.h>

#include <string.h>

bool ascii_is_alnum(char c)
{
	return ascii_is_digit(c) || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z');
}

bool ascii_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool ascii_is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

char ascii_lower(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (char)(c - 'A' + 'a');
	return c;
}

bool ascii_equal_nocase(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	for (; ascii_lower(*a) == ascii_lower(*b); a++, b++)
		if (*a == '\0')
			return true;
	return false;
}

bool ascii_equal_nocase_n(const char *a, size_t a_length, const char *b, size_t b_length)
{
	size_t i;

	if (a_length != b_length)
		return false;
	for (i = 0; i < a_length; i++)
		if (ascii_lower(a[i]) != ascii_lower(b[i]))
			return false;
	return true;
}

const char *ascii_next_word(const char **cursor, size_t *length_out)
{
	const char *start = *cursor, *end;

	while (ascii_is_blank(*start))
		start++;
	for (end = start; *end != '\0' && !ascii_is_blank(*end);)
		end++;
	*cursor = end;
	if (start == end)
		return NULL;
	*length_out = (size_t)(end - start);
	return start;
}
