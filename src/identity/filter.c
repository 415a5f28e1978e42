/* SPDX-License-Identifier: Apache-2.0 */
#include <identity/filter.h>

#include <base/ascii.h>
#include <base/utf.h>
#include <identity/attribute.h>
#include <identity/hex.h>
#include <string.h>

void filter_add_value(struct text *filter, const void *value, size_t length)
{
	static const char hex[] = "0123456789abcdef";
	const unsigned char *bytes = value;
	char escape[3] = {'\\'};
	size_t i;

	for (i = 0; i < length; i++) {
		if (ascii_is_alnum((char)bytes[i])) {
			text_add_char(filter, (char)bytes[i]);
			continue;
		}
		escape[1] = hex[bytes[i] >> 4];
		escape[2] = hex[bytes[i] & 15];
		text_add_bytes(filter, escape, sizeof(escape));
	}
}

void filter_add_equality(struct text *filter, const char *attribute, const void *value, size_t length)
{
	text_add_char(filter, '(');
	text_add(filter, attribute);
	text_add_char(filter, '=');
	filter_add_value(filter, value, length);
	text_add_char(filter, ')');
}

bool filter_is_attribute(const char *attribute)
{
	return attribute != NULL && attribute_is_description(attribute, strlen(attribute));
}

/* A filter while it is read. Its end is its NUL, which no rule of the grammar takes. */
struct reader {
	const char *start, *at;
	unsigned depth;
	struct error *error;
};

static enum status refuse_at(const struct reader *reader, const char *at, const char *why)
{
	return error_set(reader->error, STATUS_INVALID, "the filter is malformed at byte offset %zu: %s",
			 (size_t)(at - reader->start), why);
}

static enum status refuse(const struct reader *reader, const char *why)
{
	return refuse_at(reader, reader->at, why);
}

/* assertionvalue, and the '*' of substrings and presence where `stars` says they may stand. */
static enum status take_value(struct reader *reader, bool stars)
{
	bool after_star = false;

	for (; *reader->at != ')'; reader->at++) {
		switch (*reader->at) {
		case '\0':
			return refuse(reader, "the value has no end; ')' is missing");
		case '(':
			return refuse(reader, "'(' in a value must be written '\\28'");
		case '*':
			if (!stars)
				return refuse(reader, "'*' may stand behind '=' only; as a character it is '\\2a'");
			if (after_star)
				return refuse(reader, "two '*' with nothing between them");
			after_star = true;
			continue;
		case '\\':
			if (!hex_is_digit(reader->at[1]) || !hex_is_digit(reader->at[2]))
				return refuse(reader,
					      "'\\' needs two hex digits behind it; as a character it is '\\5c'");
			reader->at += 2;
			break;
		}
		after_star = false;
	}
	return STATUS_OK;
}

/* Skips what a name consists of; its length. */
static size_t skip_name(struct reader *reader, bool options)
{
	const char *start = reader->at;

	while (attribute_is_type_char(*reader->at) || (options && *reader->at == ';'))
		reader->at++;
	return (size_t)(reader->at - start);
}

/* [":dn"] [":" rule] ":=" value; reader->at is the first ':'. */
static enum status take_extensible(struct reader *reader, bool has_attribute)
{
	bool has_dn = false, has_rule = false;
	const char *name;
	size_t length;

	while (reader->at[1] != '=') {
		name = ++reader->at;
		length = skip_name(reader, false);
		if (!has_dn && !has_rule && ascii_equal_nocase_n(name, length, "dn", 2))
			has_dn = true;
		else if (!has_rule && attribute_is_type(name, length))
			has_rule = true;
		else
			return refuse_at(reader, name, "this is no matching rule");
		if (*reader->at != ':')
			return refuse(reader, "':=' is expected here");
	}
	if (!has_attribute && !has_rule)
		return refuse(reader, "':=' needs an attribute or a matching rule before it");
	reader->at += 2;
	return take_value(reader, false);
}

static enum status take_item(struct reader *reader)
{
	const char *name = reader->at;
	size_t length = skip_name(reader, true);

	if (*reader->at == ':' && length == 0)
		return take_extensible(reader, false);
	if (!attribute_is_description(name, length))
		return refuse_at(reader, name,
				 length == 0 ? "an attribute, '&', '|' or '!' is expected here"
					     : "this is no attribute name");
	if (*reader->at == ':')
		return take_extensible(reader, true);
	if (*reader->at == '=') {
		reader->at++;
		return take_value(reader, true);
	}
	if (*reader->at == '\0' || strchr("~<>", *reader->at) == NULL || reader->at[1] != '=')
		return refuse(reader, "'=', '~=', '>=', '<=' or ':=' is expected here");
	reader->at += 2;
	return take_value(reader, false);
}

static enum status take_filter(struct reader *reader);

static enum status take_list(struct reader *reader)
{
	enum status status;

	reader->at++;
	do {
		status = take_filter(reader);
	} while (status == STATUS_OK && *reader->at == '(');
	return status;
}

/* Recursion, at most FILTER_MAX_DEPTH deep. */
static enum status take_filter(struct reader *reader)
{
	enum status status;

	if (*reader->at != '(')
		return refuse(reader, "'(' is expected here");
	if (++reader->depth > FILTER_MAX_DEPTH)
		return error_set(reader->error, STATUS_LIMIT,
				 "the filter is nested more than %d deep at byte offset %zu", FILTER_MAX_DEPTH,
				 (size_t)(reader->at - reader->start));
	reader->at++;
	switch (*reader->at) {
	case '&':
	case '|':
		status = take_list(reader);
		break;
	case '!':
		reader->at++;
		status = take_filter(reader);
		break;
	default:
		status = take_item(reader);
	}
	if (status != STATUS_OK)
		return status;
	if (*reader->at != ')')
		return refuse(reader, "')' is expected here");
	reader->at++;
	reader->depth--;
	return STATUS_OK;
}

enum status filter_check(const char *filter, struct error *error)
{
	struct reader reader = {.start = filter, .at = filter, .error = error};
	const char *end = filter + strlen(filter), *next;
	enum status status;

	for (next = filter; next < end; reader.at = next) {
		if (utf8_next(&next, end) == UTF_INVALID)
			return refuse(&reader, "this is not UTF-8");
	}
	reader.at = filter;
	status = take_filter(&reader);
	if (status != STATUS_OK)
		return status;
	return *reader.at == '\0' ? STATUS_OK : refuse(&reader, "nothing may stand behind the filter");
}
