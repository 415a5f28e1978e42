/* SPDX-License-Identifier: Apache-2.0 */
#include <base/ascii.h>
#include <base/memory.h>
#include <base/utf.h>
#include <config/config_value.h>
#include <config/xml_gate.h>
#include <config/xml_lex.h>
#include <config/xml_reader.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static enum status check_utf8(const char *data, size_t length, const char *name, struct error *error)
{
	const char *end = data + length;
	unsigned line = 1;

	while (data < end) {
		uint32_t code_point = utf8_next(&data, end);

		if (code_point == UTF_INVALID || code_point == 0)
			return error_hint(
			    error,
			    error_set(error, STATUS_INVALID, "%s:%u: the bytes here are not UTF-8 text", name, line),
			    "save the file as UTF-8, and write encoding=\"UTF-8\" where it names one");
		if (code_point == '\n')
			line++;
	}
	return STATUS_OK;
}

static enum status decode_utf16(const char *data, size_t length, const char *name, char **text_out, size_t *length_out,
				struct error *error)
{
	bool big_endian = data[0] == '\xfe';
	size_t count = length / 2 - 1;
	uint16_t *units;
	int result = -1;

	if (length % 2 != 0)
		return error_set(error, STATUS_INVALID, "%s: half a UTF-16 character stands at the end", name);
	units = memory_new_array(count, sizeof(*units));
	if (units == NULL)
		return error_no_memory(error);
	for (size_t i = 0; i < count; i++) {
		const unsigned char *unit = (const unsigned char *)data + 2 + 2 * i;

		units[i] = (uint16_t)(big_endian ? unit[0] << 8 | unit[1] : unit[1] << 8 | unit[0]);
	}
	result = utf16_to_utf8(units, count, text_out, length_out);
	memory_free(units);
	if (result == -2)
		return error_no_memory(error);
	if (result != 0)
		return error_set(error, STATUS_INVALID, "%s: it is not UTF-16, although its byte-order mark says so",
				 name);
	return STATUS_OK;
}

enum status xml_gate_decode(const char *data, size_t length, const char *name, const char **document_out,
			    size_t *length_out, char **owned_out, struct error *error)
{
	const char *document = data;
	char *owned = NULL;
	enum status status;

	if (length > XML_MAX_DOCUMENT_BYTES)
		return error_set(error, STATUS_LIMIT, "%s: the document is larger than %zu bytes", name,
				 XML_MAX_DOCUMENT_BYTES);
	if (length >= 2 && (memcmp(data, "\xff\xfe", 2) == 0 || memcmp(data, "\xfe\xff", 2) == 0)) {
		status = decode_utf16(data, length, name, &owned, &length, error);
		if (status != STATUS_OK)
			return status;
		document = owned;
	} else if (length >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0) {
		document += 3;
		length -= 3;
	}
	status = check_utf8(document, length, name, error);
	if (status != STATUS_OK) {
		memory_free(owned);
		return status;
	}
	*document_out = document;
	*length_out = length;
	*owned_out = owned;
	return STATUS_OK;
}

/* The value of `encoding` in an XML declaration; false when it names none. */
static bool find_encoding(const char *declaration, size_t length, const char **value_out, size_t *length_out)
{
	static const char word[] = "encoding";
	const char *end = declaration + length;
	const char *at = declaration;
	const char *close;

	while ((size_t)(end - at) >= sizeof(word) && memcmp(at, word, sizeof(word) - 1) != 0)
		at++;
	if ((size_t)(end - at) < sizeof(word))
		return false;
	for (at += sizeof(word) - 1; at < end && (ascii_is_blank(*at) || *at == '='); at++)
		;
	if (at == end || (*at != '"' && *at != '\''))
		return false;
	close = memchr(at + 1, *at, (size_t)(end - at) - 1);
	if (close == NULL)
		return false;
	*value_out = at + 1;
	*length_out = (size_t)(close - at) - 1;
	return true;
}

static enum status check_encoding(const struct xml_lex *lex, const char *name, bool was_utf16, struct error *error)
{
	const char *expected = was_utf16 ? "UTF-16" : "UTF-8";
	const char *encoding;
	size_t length;
	enum status status;

	if (lex->length < 6 || memcmp(lex->start, "<?xml", 5) != 0 || !ascii_is_blank(lex->start[5]))
		return STATUS_OK;
	if (!find_encoding(lex->start, lex->length, &encoding, &length) ||
	    ascii_equal_nocase_n(encoding, length, expected, strlen(expected)))
		return STATUS_OK;
	status = error_set(error, STATUS_INVALID, "%s:1: the document says that it is in another encoding than %s",
			   name, expected);
	return error_hint(error, status, "save the file as UTF-8 and write encoding=\"UTF-8\"");
}

static enum status over(const struct xml_lex *lex, const char *name, const char *what, unsigned limit,
			struct error *error)
{
	return error_set(error, STATUS_LIMIT, "%s:%u: %s (the limit is %u)", name, lex->line, what, limit);
}

static enum status check_piece(const struct xml_lex *lex, unsigned depth, const char *name, struct error *error)
{
	if (lex->piece == XML_PIECE_DECLARATION) {
		enum status status = error_set(error, STATUS_INVALID, "%s:%u: document type declarations are not taken",
					       name, lex->line);
		return error_hint(error, status, "remove what begins with <!DOCTYPE");
	}
	if (depth > XML_MAX_DEPTH)
		return over(lex, name, "elements are nested too deeply", XML_MAX_DEPTH, error);
	if (lex->attribute_count > XML_MAX_ATTRIBUTES)
		return over(lex, name, "an element has too many attributes", XML_MAX_ATTRIBUTES, error);
	if (lex->longest_value > XML_MAX_VALUE_BYTES)
		return over(lex, name, "an attribute has too many bytes", XML_MAX_VALUE_BYTES, error);
	if (lex->piece == XML_PIECE_TEXT && lex->length > XML_MAX_VALUE_BYTES)
		return over(lex, name, "a text has too many bytes", XML_MAX_VALUE_BYTES, error);
	return STATUS_OK;
}

/* The start tags that wait for their end, as far as the pieces tell. */
struct open_tags {
	struct xml_lex tags[XML_MAX_DEPTH + 1];
	unsigned depth;
	bool fit; /* each end so far had the name of its start, and no tag swallowed another */
};

/* The name of a start tag (`skip` 1) or an end tag (2). */
static size_t name_of(const struct xml_lex *lex, size_t skip, const char **name_out)
{
	size_t length = 0;

	*name_out = lex->start + skip;
	while (skip + length < lex->length && !ascii_is_blank(lex->start[skip + length]) &&
	       strchr("/>", lex->start[skip + length]) == NULL)
		length++;
	return length;
}

static void follow_tags(struct open_tags *open, const struct xml_lex *lex)
{
	const char *start, *end;
	size_t length;

	if ((lex->piece == XML_PIECE_START || lex->piece == XML_PIECE_EMPTY) &&
	    memchr(lex->start + 1, '<', lex->length - 1) != NULL)
		open->fit = false;
	if (lex->piece == XML_PIECE_START && open->depth < COUNT_OF(open->tags))
		open->tags[open->depth++] = *lex;
	if (lex->piece != XML_PIECE_CLOSE || open->depth == 0)
		return;
	length = name_of(&open->tags[--open->depth], 1, &start);
	if (length != name_of(lex, 2, &end) || memcmp(start, end, length) != 0)
		open->fit = false;
}

/* Of a document that only breaks off the parser says other things than that. */
static enum status check_closed(const struct open_tags *open, const struct xml_lex *lex, const char *name,
				struct error *error)
{
	struct config_shown shown;
	const struct xml_lex *tag;
	const char *tag_name;
	size_t length;
	enum status status;

	/* An end with bytes is a piece that has none, and the parser's matter. */
	if (open->depth == 0 || !open->fit || lex->length != 0)
		return STATUS_OK;
	tag = &open->tags[open->depth - 1];
	length = name_of(tag, 1, &tag_name);
	config_show(&shown, tag_name, length);
	status = error_set(error, STATUS_INVALID, "%s:%u: <%s> of line %u is not closed", name, lex->line, shown.text,
			   tag->line);
	return error_hint(error, status, "write </%s> at its end", shown.text);
}

enum status xml_gate_check(const char *document, size_t length, const char *name, int was_utf16, struct error *error)
{
	struct open_tags open = {.fit = true};
	struct xml_lex lex;
	bool first = true;

	xml_lex_start(&lex, document, length);
	while (xml_lex_next(&lex) != XML_PIECE_END) {
		enum status status = first ? check_encoding(&lex, name, was_utf16 != 0, error) : STATUS_OK;

		first = false;
		follow_tags(&open, &lex);
		if (status == STATUS_OK)
			status = check_piece(&lex, open.depth + (lex.piece == XML_PIECE_EMPTY ? 1u : 0u), name, error);
		if (status != STATUS_OK)
			return status;
	}
	return check_closed(&open, &lex, name, error);
}
