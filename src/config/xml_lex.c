/* SPDX-License-Identifier: Apache-2.0 */
#include <base/ascii.h>
#include <config/xml_lex.h>
#include <stdbool.h>
#include <string.h>

static bool begins_with(const struct xml_lex *lex, const char *prefix)
{
	size_t length = strlen(prefix);

	return (size_t)(lex->end - lex->at) >= length && memcmp(lex->at, prefix, length) == 0;
}

/* Move over `count` bytes, which are there. */
static void move(struct xml_lex *lex, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (lex->at[i] == '\n')
			lex->next_line++;
	lex->at += count;
}

static enum xml_piece stop(struct xml_lex *lex)
{
	move(lex, (size_t)(lex->end - lex->at));
	return XML_PIECE_END;
}

/* A piece that begins with `opening` (which is there) and runs behind the next `closing`. */
static enum xml_piece take_until(struct xml_lex *lex, const char *opening, const char *closing, enum xml_piece piece)
{
	size_t closing_length = strlen(closing);

	for (const char *at = lex->at + strlen(opening); (size_t)(lex->end - at) >= closing_length; at++) {
		if (memcmp(at, closing, closing_length) == 0) {
			move(lex, (size_t)(at - lex->at) + closing_length);
			return piece;
		}
	}
	return stop(lex);
}

static enum xml_piece take_text(struct xml_lex *lex)
{
	enum xml_piece piece = XML_PIECE_NOTHING;

	for (; lex->at < lex->end && *lex->at != '<'; move(lex, 1)) {
		if (piece == XML_PIECE_NOTHING && !ascii_is_blank(*lex->at)) {
			piece = XML_PIECE_TEXT;
			lex->line = lex->next_line;
		}
	}
	return piece;
}

/* A start tag: '>' and '<' inside quotes do not count. */
static enum xml_piece take_tag(struct xml_lex *lex)
{
	const char *value = NULL;
	char quote = 0;

	for (const char *at = lex->at + 1; at < lex->end; at++) {
		if (quote != 0) {
			if (*at != quote)
				continue;
			if ((size_t)(at - value) > lex->longest_value)
				lex->longest_value = (size_t)(at - value);
			quote = 0;
		} else if (*at == '"' || *at == '\'') {
			quote = *at;
			value = at + 1;
			lex->attribute_count++;
		} else if (*at == '>') {
			bool empty = at[-1] == '/';

			move(lex, (size_t)(at - lex->at) + 1);
			return empty ? XML_PIECE_EMPTY : XML_PIECE_START;
		}
	}
	return stop(lex);
}

static enum xml_piece take_piece(struct xml_lex *lex)
{
	if (lex->at == lex->end)
		return XML_PIECE_END;
	if (*lex->at != '<')
		return take_text(lex);
	if (begins_with(lex, "<!--"))
		return take_until(lex, "<!--", "-->", XML_PIECE_NOTHING);
	if (begins_with(lex, "<![CDATA["))
		return take_until(lex, "<![CDATA[", "]]>", XML_PIECE_TEXT);
	if (begins_with(lex, "<?"))
		return take_until(lex, "<?", "?>", XML_PIECE_NOTHING);
	if (begins_with(lex, "</"))
		return take_until(lex, "</", ">", XML_PIECE_CLOSE);
	if (begins_with(lex, "<!")) {
		move(lex, 2);
		return XML_PIECE_DECLARATION;
	}
	return take_tag(lex);
}

void xml_lex_start(struct xml_lex *lex, const char *data, size_t length)
{
	memset(lex, 0, sizeof(*lex));
	lex->start = lex->at = data;
	lex->end = data + length;
	lex->next_line = 1;
}

enum xml_piece xml_lex_next(struct xml_lex *lex)
{
	lex->start = lex->at;
	lex->line = lex->next_line;
	lex->attribute_count = 0;
	lex->longest_value = 0;
	lex->piece = take_piece(lex);
	lex->length = (size_t)(lex->at - lex->start);
	return lex->piece;
}
