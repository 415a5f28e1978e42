/* SPDX-License-Identifier: Apache-2.0 */
#include <support/fake_text.h>

#include <base/ascii.h>
#include <base/utf.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct buffer {
	char *data;
	size_t length, capacity;
};

/* Lower-case accented letters U+00E0 to U+00FF as their base letter and combining mark; 0: has no decomposition. */
static const struct {
	char letter;
	uint16_t mark;
} latin_parts[32] = {
    {'a', 0x300}, {'a', 0x301}, {'a', 0x302}, {'a', 0x303}, {'a', 0x308}, {'a', 0x30A}, {0, 0},       {'c', 0x327},
    {'e', 0x300}, {'e', 0x301}, {'e', 0x302}, {'e', 0x308}, {'i', 0x300}, {'i', 0x301}, {'i', 0x302}, {'i', 0x308},
    {0, 0},       {'n', 0x303}, {'o', 0x300}, {'o', 0x301}, {'o', 0x302}, {'o', 0x303}, {'o', 0x308}, {0, 0},
    {0, 0},       {'u', 0x300}, {'u', 0x301}, {'u', 0x302}, {'u', 0x308}, {'y', 0x301}, {0, 0},       {'y', 0x308},
};

static const struct {
	const char *other, *name;
} type_names[] = {
    {"2.5.4.3", "cn"},         {"commonName", "cn"},
    {"2.5.4.11", "ou"},        {"organizationalUnitName", "ou"},
    {"2.5.4.10", "o"},         {"0.9.2342.19200300.100.1.1", "uid"},
    {"userid", "uid"},         {"0.9.2342.19200300.100.1.25", "dc"},
    {"domainComponent", "dc"}, {"2.5.4.7", "l"},
    {"localityName", "l"},
};

static void out_of_memory(void)
{
	(void)fputs("a test's fake ran out of memory\n", stderr);
	abort();
}

void *fake_new(size_t count, size_t size)
{
	void *block = calloc(count > 0 ? count : 1, size);

	if (block == NULL)
		out_of_memory();
	return block;
}

void *fake_reserve(void *array, size_t *capacity, size_t needed, size_t size)
{
	size_t more = *capacity > 0 ? *capacity : 4;
	void *moved;

	if (needed <= *capacity)
		return array;
	while (more < needed)
		more *= 2;
	moved = realloc(array, more * size);
	if (moved == NULL)
		out_of_memory();
	*capacity = more;
	return moved;
}

char *fake_copy(const char *data, size_t length)
{
	char *copy = fake_new(length + 1, 1);

	if (length > 0)
		memcpy(copy, data, length);
	return copy;
}

char *fake_format(const char *format, ...)
{
	va_list arguments, again;
	char *text;
	int length;

	va_start(arguments, format);
	va_copy(again, arguments);
	length = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	if (length < 0)
		out_of_memory();
	text = fake_new((size_t)length + 1, 1);
	(void)vsnprintf(text, (size_t)length + 1, format, again);
	va_end(again);
	return text;
}

static void put_bytes(struct buffer *out, const char *data, size_t length)
{
	out->data = fake_reserve(out->data, &out->capacity, out->length + length + 1, 1);
	memcpy(out->data + out->length, data, length);
	out->length += length;
	out->data[out->length] = '\0';
}

static void put_code_point(struct buffer *out, uint32_t code_point)
{
	char bytes[4];

	put_bytes(out, bytes, utf8_put(code_point, bytes));
}

static char *take(struct buffer *buffer)
{
	char *data = buffer->data != NULL ? buffer->data : fake_copy("", 0);

	memset(buffer, 0, sizeof(*buffer));
	return data;
}

static bool is_blank(uint32_t c)
{
	return c == ' ' || (c >= 0x09 && c <= 0x0D) || c == 0xA0 || (c >= 0x2000 && c <= 0x200A) || c == 0x3000;
}

static uint32_t lower(uint32_t c)
{
	if (c >= 0xFF01 && c <= 0xFF5E)
		c -= 0xFEE0;
	if ((c >= 'A' && c <= 'Z') || (c >= 0xC0 && c <= 0xDE && c != 0xD7) || (c >= 0x391 && c <= 0x3A9) ||
	    (c >= 0x410 && c <= 0x42F))
		return c + 0x20;
	if (c >= 0x400 && c <= 0x40F)
		return c + 0x50;
	/* Latin Extended-A comes in pairs; U+0130 (dotted I) and its dotless sibling stay themselves. */
	if ((c >= 0x100 && c <= 0x12F) || (c >= 0x132 && c <= 0x137) || (c >= 0x14A && c <= 0x177))
		return c | 1;
	if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17E))
		return c + (c & 1);
	return c;
}

static void put_folded(struct buffer *out, uint32_t c)
{
	c = lower(c);
	if (c >= 0xE0 && c <= 0xFF && latin_parts[c - 0xE0].letter != 0) {
		put_code_point(out, (unsigned char)latin_parts[c - 0xE0].letter);
		put_code_point(out, latin_parts[c - 0xE0].mark);
		return;
	}
	put_code_point(out, c);
}

char *fake_fold(const char *data, size_t length)
{
	const char *end = data + length;
	struct buffer out = {0};
	bool blank = false;

	while (data < end) {
		const char *start = data;
		uint32_t c = utf8_next(&data, end);

		if (c != UTF_INVALID && is_blank(c)) {
			blank = true;
			continue;
		}
		if (blank && out.length > 0)
			put_bytes(&out, " ", 1);
		blank = false;
		if (c == UTF_INVALID)
			put_bytes(&out, start, (size_t)(data - start));
		else
			put_folded(&out, c);
	}
	return take(&out);
}

char *fake_type_name(const char *type, size_t length)
{
	if (length > 4 && ascii_equal_nocase_n(type, 4, "oid.", 4)) {
		type += 4;
		length -= 4;
	}
	for (size_t i = 0; i < COUNT_OF(type_names); i++) {
		if (ascii_equal_nocase_n(type, length, type_names[i].other, strlen(type_names[i].other)))
			return fake_copy(type_names[i].name, strlen(type_names[i].name));
		if (ascii_equal_nocase_n(type, length, type_names[i].name, strlen(type_names[i].name)))
			return fake_copy(type_names[i].name, strlen(type_names[i].name));
	}
	return fake_copy(type, length);
}

static int hex_digit(char c)
{
	if (ascii_is_digit(c))
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One "type=value" of a DN, from *cursor to the separator behind it. */
struct naming {
	char *type;
	struct buffer value; /* unescaped */
	char separator;      /* ',', '+' or NUL at the end */
};

static bool read_escape(const char **cursor, const char *end, struct buffer *value)
{
	const char *c = *cursor + 1;
	char byte;

	if (c >= end)
		return false;
	if (end - c >= 2 && hex_digit(c[0]) >= 0 && hex_digit(c[1]) >= 0) {
		byte = (char)(hex_digit(c[0]) * 16 + hex_digit(c[1]));
		*cursor = c + 2;
	} else {
		byte = *c;
		*cursor = c + 1;
	}
	put_bytes(value, &byte, 1);
	return true;
}

static bool read_type(const char **cursor, const char *end, char **type_out)
{
	const char *start = *cursor, *c;
	size_t length;

	while (start < end && *start == ' ')
		start++;
	for (c = start; c < end && (ascii_is_alnum(*c) || *c == '-' || *c == '.'); c++) {
	}
	length = (size_t)(c - start);
	while (c < end && *c == ' ')
		c++;
	if (length == 0 || c >= end || *c != '=')
		return false;
	*type_out = fake_type_name(start, length);
	*cursor = c + 1;
	return true;
}

static bool read_value(const char **cursor, const char *end, struct naming *naming)
{
	const char *c = *cursor;
	size_t kept = 0;

	while (c < end && *c == ' ')
		c++;
	if (c < end && *c == '#')
		return false;
	while (c < end && *c != ',' && *c != '+') {
		if (*c == '"' || *c == ';' || *c == '<' || *c == '>')
			return false;
		if (*c == '\\') {
			if (!read_escape(&c, end, &naming->value))
				return false;
			kept = naming->value.length;
			continue;
		}
		put_bytes(&naming->value, c, 1);
		if (*c != ' ')
			kept = naming->value.length;
		c++;
	}
	naming->value.length = kept;
	if (naming->value.data != NULL)
		naming->value.data[kept] = '\0';
	naming->separator = '\0';
	if (c < end)
		naming->separator = *c++;
	*cursor = c;
	return kept > 0;
}

static void naming_done(struct naming *naming)
{
	free(naming->type);
	free(naming->value.data);
	memset(naming, 0, sizeof(*naming));
}

static bool read_naming(const char **cursor, const char *end, struct naming *naming)
{
	memset(naming, 0, sizeof(*naming));
	if (read_type(cursor, end, &naming->type) && read_value(cursor, end, naming))
		return true;
	naming_done(naming);
	return false;
}

static void put_escaped(struct buffer *out, const char *value, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		bool edge = (i == 0 && (value[i] == ' ' || value[i] == '#')) || (i + 1 == length && value[i] == ' ');
		char escaped[4];

		if (!edge && strchr(",+\"\\<>;=", value[i]) == NULL) {
			put_bytes(out, &value[i], 1);
			continue;
		}
		(void)snprintf(escaped, sizeof(escaped), "\\%02X", (unsigned)(unsigned char)value[i]);
		put_bytes(out, escaped, 3);
	}
}

static int compare_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The parts of one RDN, in the order in which a comparison wants them. */
struct rdn {
	char **parts;
	size_t count, capacity;
};

static void rdn_add(struct rdn *rdn, const struct naming *naming, bool folded)
{
	struct buffer part = {0};
	char *value = folded ? fake_fold(naming->value.data, naming->value.length)
			     : fake_copy(naming->value.data, naming->value.length);
	/* A value made of blanks alone folds to nothing; one blank keeps it apart from no value. */
	const char *shown = value[0] != '\0' ? value : " ";

	for (const char *c = naming->type; *c != '\0'; c++) {
		char typed = *c;

		if (folded)
			typed = ascii_lower(typed);
		put_bytes(&part, &typed, 1);
	}
	put_bytes(&part, "=", 1);
	put_escaped(&part, shown, strlen(shown));
	free(value);
	rdn->parts = fake_reserve(rdn->parts, &rdn->capacity, rdn->count + 1, sizeof(*rdn->parts));
	rdn->parts[rdn->count++] = take(&part);
}

static void rdn_flush(struct rdn *rdn, struct buffer *out, bool sorted)
{
	if (sorted && rdn->count > 1)
		qsort(rdn->parts, rdn->count, sizeof(*rdn->parts), compare_text);
	if (out->length > 0)
		put_bytes(out, ",", 1);
	for (size_t i = 0; i < rdn->count; i++) {
		if (i > 0)
			put_bytes(out, "+", 1);
		put_bytes(out, rdn->parts[i], strlen(rdn->parts[i]));
		free(rdn->parts[i]);
	}
	rdn->count = 0;
}

static char *rewrite(const char *dn, size_t length, bool folded)
{
	const char *end = dn + length;
	struct buffer out = {0};
	struct rdn rdn = {0};
	struct naming naming;
	char separator = length > 0 ? ',' : '\0';

	while (separator != '\0' && read_naming(&dn, end, &naming)) {
		rdn_add(&rdn, &naming, folded);
		separator = naming.separator;
		if (separator != '+')
			rdn_flush(&rdn, &out, folded);
		naming_done(&naming);
	}
	for (size_t i = 0; i < rdn.count; i++)
		free(rdn.parts[i]);
	free(rdn.parts);
	if (separator == '\0')
		return take(&out);
	free(out.data);
	return NULL;
}

char *fake_dn_key(const char *dn, size_t length)
{
	return rewrite(dn, length, true);
}

char *fake_dn_pretty(const char *dn, size_t length)
{
	return rewrite(dn, length, false);
}

bool fake_dn_naming(const char *dn, char **attribute_out, char **value_out)
{
	const char *cursor = dn;
	struct naming naming;

	if (!read_naming(&cursor, dn + strlen(dn), &naming))
		return false;
	*attribute_out = naming.type;
	*value_out = take(&naming.value);
	return true;
}

bool fake_dn_is_within(const char *key, const char *base)
{
	size_t length = strlen(key), base_length = strlen(base);

	if (base_length == 0 || length < base_length || strcmp(key + length - base_length, base) != 0)
		return base_length == 0;
	return length == base_length || key[length - base_length - 1] == ',';
}

const char *fake_dn_parent(const char *key)
{
	/* A comma inside a value is \2C in a key, so every comma is a boundary. */
	const char *comma = strchr(key, ',');

	return comma != NULL ? comma + 1 : "";
}
