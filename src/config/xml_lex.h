/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the pieces of an XML document begin and end, seen without a parser. Two things need it:
 *
 *   before the parser  what must not even be parsed (a DTD, whose entities a parser expands before it shows
 *                      the first element; thousands of attributes) is found and refused,
 *   beside the parser  the line in which a tag begins; parsers know only the line in which it ends.
 *
 * It does not say whether a document is well-formed: that is the parser's part. Of a well-formed document
 * without a DTD the pieces are exact, because only '<' begins one and quotes, "-->", "?>" and "]]>" end as
 * the grammar says.
 *
 *	struct xml_lex lex;
 *
 *	xml_lex_start(&lex, data, length);
 *	while (xml_lex_next(&lex) != XML_PIECE_END)
 *		... lex.piece, lex.line, lex.attribute_count ...
 *
 * Sources: XML 1.0 (fifth edition) productions 15, 16, 18, 40, 42, 44 and section 2.4.
 */
#ifndef WSMAUTHZ_CONFIG_XML_LEX_H
#define WSMAUTHZ_CONFIG_XML_LEX_H

#include <stddef.h>

enum xml_piece {
	XML_PIECE_END = 0,     /* the end, or a piece that has none */
	XML_PIECE_START,       /* <a ...> */
	XML_PIECE_EMPTY,       /* <a .../> */
	XML_PIECE_CLOSE,       /* </a> */
	XML_PIECE_TEXT,        /* text that is not only white space, or a CDATA section */
	XML_PIECE_NOTHING,     /* white space, a comment, a processing instruction, the XML declaration */
	XML_PIECE_DECLARATION, /* <!DOCTYPE, or any other <! that is neither a comment nor CDATA */
};

struct xml_lex {
	enum xml_piece piece;
	const char *start; /* borrowed from the document */
	size_t length;
	unsigned line;          /* where the piece begins; of text: its first character that is not blank */
	size_t attribute_count; /* of START and EMPTY: quoted values, namespace declarations included */
	size_t longest_value;   /* of START and EMPTY: bytes of the longest quoted value, as written */
	const char *at, *end;   /* private: what is left */
	unsigned next_line;     /* private: the line of `at` */
};

/** Begin at the start of a UTF-8 document, which is borrowed. */
void xml_lex_start(struct xml_lex *lex, const char *data, size_t length);

/** Go to the next piece. */
enum xml_piece xml_lex_next(struct xml_lex *lex);

#endif
