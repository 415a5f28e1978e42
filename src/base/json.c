/* SPDX-License-Identifier: Apache-2.0 */
#include <base/json.h>

#include <base/utf.h>
#include <inttypes.h>
#include <string.h>

#define REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD */

static void add_comma(struct text *out, char opening)
{
	if (out->length > 0 && out->data[out->length - 1] != opening)
		text_add_char(out, ',');
}

static void add_name(struct text *out, const char *name)
{
	add_comma(out, '{');
	json_add_string(out, name, strlen(name));
	text_add_char(out, ':');
}

static void add_code_point(struct text *out, uint32_t code_point, const char *bytes, size_t length)
{
	if (code_point == UTF_INVALID)
		text_add(out, REPLACEMENT);
	else if (code_point == '"' || code_point == '\\')
		text_printf(out, "\\%c", (char)code_point);
	else if (utf_is_control(code_point))
		text_printf(out, "\\u%04" PRIx32, code_point);
	else
		text_add_bytes(out, bytes, length);
}

void json_begin(struct text *out)
{
	text_add_char(out, '{');
}

void json_end(struct text *out)
{
	text_add_char(out, '}');
}

void json_text(struct text *out, const char *name, const char *value)
{
	if (value == NULL)
		json_null(out, name);
	else
		json_bytes(out, name, value, strlen(value));
}

void json_bytes(struct text *out, const char *name, const char *value, size_t length)
{
	add_name(out, name);
	json_add_string(out, value, length);
}

void json_number(struct text *out, const char *name, uint64_t value)
{
	add_name(out, name);
	text_printf(out, "%" PRIu64, value);
}

void json_bool(struct text *out, const char *name, bool value)
{
	add_name(out, name);
	text_add(out, value ? "true" : "false");
}

void json_null(struct text *out, const char *name)
{
	add_name(out, name);
	text_add(out, "null");
}

void json_text_array(struct text *out, const char *name, const char *const *values, size_t count)
{
	size_t i;

	add_name(out, name);
	text_add_char(out, '[');
	for (i = 0; i < count; i++) {
		add_comma(out, '[');
		json_add_string(out, values[i], strlen(values[i]));
	}
	text_add_char(out, ']');
}

void json_signed(struct text *out, const char *name, int64_t value)
{
	add_name(out, name);
	text_printf(out, "%" PRId64, value);
}

void json_begin_member(struct text *out, const char *name)
{
	add_name(out, name);
	text_add_char(out, '{');
}

void json_begin_array(struct text *out, const char *name)
{
	add_name(out, name);
	text_add_char(out, '[');
}

void json_next(struct text *out)
{
	add_comma(out, '[');
}

void json_end_array(struct text *out)
{
	text_add_char(out, ']');
}

void json_add_string(struct text *out, const char *value, size_t length)
{
	const char *at = value, *end = value + length, *start;
	uint32_t code_point;

	text_add_char(out, '"');
	while (at < end) {
		start = at;
		code_point = utf8_next(&at, end);
		add_code_point(out, code_point, start, (size_t)(at - start));
	}
	text_add_char(out, '"');
}
