/* SPDX-License-Identifier: Apache-2.0 */
#include <base/utf.h>
#include <cli/report_html.h>
#include <cli/shown.h>
#include <stdbool.h>
#include <string.h>

#define REPLACEMENT 0xFFFDU

static const char *reference_of(uint32_t code_point)
{
	switch (code_point) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

static void add_code_point(struct text *out, uint32_t code_point, bool is_attribute)
{
	const char *reference = reference_of(code_point);
	char bytes[4];

	if (reference != NULL) {
		text_add(out, reference);
	} else if (code_point == '\n' && is_attribute) {
		text_add(out, "&#10;");
	} else if (code_point != UTF_INVALID && utf_is_control(code_point)) {
		text_printf(out, is_attribute ? "[U+%04lX]" : "<span class=\"control\">[U+%04lX]</span>",
			    (unsigned long)code_point);
	} else {
		text_add_bytes(out, bytes, utf8_put(code_point == UTF_INVALID ? REPLACEMENT : code_point, bytes));
	}
}

static void add(struct text *out, const char *value, size_t length, bool is_attribute)
{
	const char *at = value, *end = value + length;

	while (at < end)
		add_code_point(out, utf8_next(&at, end), is_attribute);
}

void html_add(struct text *out, const char *value)
{
	add(out, value, strlen(value), false);
}

void html_add_bytes(struct text *out, const char *value, size_t length)
{
	add(out, value, length, false);
}

void html_add_attribute(struct text *out, const char *value)
{
	add(out, value, strlen(value), true);
}

void html_add_name(struct text *out, const char *value)
{
	text_add(out, "<bdi>");
	html_add(out, value);
	text_add(out, "</bdi>");
}

void html_add_long_name(struct text *out, const char *value)
{
	const char *at = value;

	text_add(out, "<bdi>");
	for (size_t length = strcspn(at, ",:/"); at[length] != '\0'; length = strcspn(at, ",:/")) {
		add(out, at, length + 1, false);
		text_add(out, "<wbr>");
		at += length + 1;
	}
	html_add(out, at);
	text_add(out, "</bdi>");
}

void html_add_short(struct text *out, const char *dn)
{
	const size_t length = shown_first_part(dn);
	const char *equals = memchr(dn, '=', length);
	const size_t skipped = equals == NULL ? 0 : (size_t)(equals - dn) + 1;

	add(out, dn + skipped, length - skipped, false);
}

void html_add_number(struct text *out, uint64_t number)
{
	uint64_t divisor = 1;

	while (number / divisor >= 1000)
		divisor *= 1000;
	text_printf(out, "%llu", (unsigned long long)(number / divisor));
	for (divisor /= 1000; divisor > 0; divisor /= 1000)
		text_printf(out, ",%03llu", (unsigned long long)(number / divisor % 1000));
}
