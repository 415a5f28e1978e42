/* SPDX-License-Identifier: Apache-2.0 */
#include <base/ascii.h>
#include <base/utf.h>
#include <config/config_value.h>
#include <config/xml_lex.h>
#include <config/xml_strict.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define AMPERSAND_HINT "write &amp; for &, and &lt; for <"
#define CDATA          "<![CDATA["
#define COMMENT        "<!--"
#define COMMENT_END    "-->"

/* XML's Char: what may stand in a document, as it is or by number. */
static bool is_character(uint32_t code_point)
{
	return code_point == 0x9 || code_point == 0xA || code_point == 0xD ||
	       (code_point >= 0x20 && code_point <= 0xD7FF) || (code_point >= 0xE000 && code_point <= 0xFFFD) ||
	       (code_point >= 0x10000 && code_point <= 0x10FFFF);
}

/* The lexer notes a text's line behind its leading blanks; a tag's is where it begins. */
static unsigned line_at(const struct xml_lex *lex, const char *at)
{
	unsigned line = lex->line;
	const char *from = lex->start;

	while (lex->piece == XML_PIECE_TEXT && from < at && ascii_is_blank(*from))
		from++;
	for (; from < at; from++)
		if (*from == '\n')
			line++;
	return line;
}

static enum status refuse(const char *name, unsigned line, const char *what, const char *hint, struct error *error)
{
	const enum status status = error_set(error, STATUS_INVALID, "%s:%u: not well-formed XML: %s", name, line, what);

	return hint != NULL ? error_hint(error, status, "%s", hint) : status;
}

static unsigned digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : 16;
}

/* "#65" or "#x41"; the length without "&" and ";". */
static bool is_good_number(const char *at, size_t length)
{
	const unsigned base = length > 1 && at[1] == 'x' ? 16 : 10;
	uint32_t number = 0;
	size_t i = base == 16 ? 2 : 1;

	if (i >= length)
		return false;
	for (; i < length && number <= 0x10FFFF; i++) {
		const unsigned digit = digit_of(at[i]);

		if (digit >= base)
			return false;
		number = number * base + digit;
	}
	return i == length && is_character(number);
}

static bool is_known(const char *at, size_t length)
{
	static const char *const names[] = {"amp", "lt", "gt", "quot", "apos"};

	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (length == strlen(names[i]) && memcmp(at, names[i], length) == 0)
			return true;
	return false;
}

static enum status check_reference(const char *at, size_t length, const char *name, unsigned line, struct error *error)
{
	struct config_shown shown;

	if (length == 0)
		return refuse(name, line, "a & without the name of an entity behind it", AMPERSAND_HINT, error);
	if (at[0] == '#')
		return is_good_number(at, length)
			   ? STATUS_OK
			   : refuse(name, line, "a number that is no character of XML", NULL, error);
	if (is_known(at, length))
		return STATUS_OK;
	config_show(&shown, at, length);
	(void)error_set(error, STATUS_INVALID, "%s:%u: not well-formed XML: Entity '%s' not defined", name, line,
			shown.text);
	return error_hint(error, STATUS_INVALID, AMPERSAND_HINT);
}

/* Of "&name;", in a text or a tag. */
static enum status check_references(const struct xml_lex *lex, const char *name, struct error *error)
{
	const char *end = lex->start + lex->length;
	enum status status = STATUS_OK;
	const char *at = lex->start;

	while (status == STATUS_OK && (at = memchr(at, '&', (size_t)(end - at))) != NULL) {
		const char *start = ++at;

		while (at < end && *at != ';' && strchr("&<>\"' \t\r\n", *at) == NULL)
			at++;
		status =
		    at < end && *at == ';'
			? check_reference(start, (size_t)(at - start), name, line_at(lex, start), error)
			: refuse(name, line_at(lex, start), "a & without the ; behind its name", AMPERSAND_HINT, error);
	}
	return status;
}

static bool begins_with(const struct xml_lex *lex, const char *prefix)
{
	return lex->length >= strlen(prefix) && memcmp(lex->start, prefix, strlen(prefix)) == 0;
}

/* `text` within the piece, without its first and last bytes. */
static const char *find(const struct xml_lex *lex, size_t first, size_t last, const char *text)
{
	const size_t length = strlen(text);

	for (size_t i = first; i + length + last <= lex->length; i++)
		if (memcmp(lex->start + i, text, length) == 0)
			return lex->start + i;
	return NULL;
}

static enum status check_text(const struct xml_lex *lex, const char *name, struct error *error)
{
	const char *end = find(lex, 0, 0, "]]>");

	if (end != NULL)
		return refuse(name, line_at(lex, end), "]]> stands in a text", "write ]]&gt;", error);
	return check_references(lex, name, error);
}

static enum status check_piece(const struct xml_lex *lex, const char *name, struct error *error)
{
	/* "--" may not stand in a comment, nor "-" before its end. */
	if (begins_with(lex, COMMENT))
		return find(lex, strlen(COMMENT), 2, "--") == NULL
			   ? STATUS_OK
			   : refuse(name, lex->line, "-- stands in a comment", NULL, error);
	if (begins_with(lex, CDATA))
		return STATUS_OK;
	if (lex->piece == XML_PIECE_TEXT)
		return check_text(lex, name, error);
	return lex->piece == XML_PIECE_START || lex->piece == XML_PIECE_EMPTY ? check_references(lex, name, error)
									      : STATUS_OK;
}

static enum status check_characters(const char *document, size_t length, const char *name, struct error *error)
{
	const char *end = document + length;
	unsigned line = 1;

	while (document < end) {
		const uint32_t code_point = utf8_next(&document, end);

		if (!is_character(code_point))
			return refuse(name, line, "a character that XML does not have", NULL, error);
		if (code_point == '\n')
			line++;
	}
	return STATUS_OK;
}

enum status xml_strict_check(const char *document, size_t length, const char *name, struct error *error)
{
	enum status status = check_characters(document, length, name, error);
	struct xml_lex lex;

	xml_lex_start(&lex, document, length);
	while (status == STATUS_OK && xml_lex_next(&lex) != XML_PIECE_END)
		status = check_piece(&lex, name, error);
	return status;
}
