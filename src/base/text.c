/* SPDX-License-Identifier: Apache-2.0 */
#include <base/text.h>

#include <base/memory.h>
#include <stdio.h>
#include <string.h>

/* Room for `more` bytes and the NUL. */
static bool make_room(struct text *text, size_t more)
{
	if (text->failed)
		return false;
	if (more > TEXT_MAX_BYTES - text->length ||
	    !ARRAY_RESERVE(&text->data, &text->capacity, text->length + more + 1)) {
		text->failed = true;
		return false;
	}
	return true;
}

void text_init(struct text *text)
{
	memset(text, 0, sizeof(*text));
}

void text_done(struct text *text)
{
	memory_free(text->data);
	text_init(text);
}

void text_clear(struct text *text)
{
	text->length = 0;
	text->failed = false;
	if (text->data != NULL)
		text->data[0] = '\0';
}

void text_add(struct text *text, const char *string)
{
	text_add_bytes(text, string, strlen(string));
}

void text_add_bytes(struct text *text, const void *data, size_t length)
{
	if (length == 0 || !make_room(text, length))
		return;
	memcpy(text->data + text->length, data, length);
	text->length += length;
	text->data[text->length] = '\0';
}

void text_add_char(struct text *text, char c)
{
	text_add_bytes(text, &c, 1);
}

void text_vprintf(struct text *text, const char *format, va_list arguments)
{
	va_list again;
	int length;

	va_copy(again, arguments);
	length = vsnprintf(NULL, 0, format, arguments);
	if (length < 0)
		text->failed = true;
	else if (make_room(text, (size_t)length)) {
		length = vsnprintf(text->data + text->length, (size_t)length + 1, format, again);
		if (length < 0)
			text->failed = true;
		else
			text->length += (size_t)length;
		text->data[text->length] = '\0';
	}
	va_end(again);
}

void text_printf(struct text *text, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	text_vprintf(text, format, arguments);
	va_end(arguments);
}

bool text_failed(const struct text *text)
{
	return text->failed;
}

const char *text_string(const struct text *text)
{
	return text->data != NULL ? text->data : "";
}

char *text_take(struct text *text)
{
	char *taken = NULL;

	if (!text->failed && text->data != NULL) {
		taken = text->data;
		text->data = NULL;
	} else if (!text->failed) {
		taken = memory_copy_text("");
	}
	text_done(text);
	return taken;
}
