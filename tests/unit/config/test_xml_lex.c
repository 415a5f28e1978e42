/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include <config/xml_lex.h>
#include <stdio.h>
#include <string.h>

/* The pieces as letters with their lines: "S1 T2 C2". Nothing-pieces are left out. */
static void trace(const char *document, char *out, size_t size)
{
	static const char letters[] = {
	    [XML_PIECE_START] = 'S', [XML_PIECE_EMPTY] = 'E',   [XML_PIECE_CLOSE] = 'C',
	    [XML_PIECE_TEXT] = 'T',  [XML_PIECE_NOTHING] = '-', [XML_PIECE_DECLARATION] = '!',
	};
	struct xml_lex lex;
	size_t length = 0;

	out[0] = '\0';
	xml_lex_start(&lex, document, strlen(document));
	while (xml_lex_next(&lex) != XML_PIECE_END && length < size) {
		if (lex.piece == XML_PIECE_NOTHING)
			continue;
		length += (size_t)snprintf(out + length, size - length, "%s%c%u", length == 0 ? "" : " ",
					   letters[lex.piece], lex.line);
	}
}

static void xml_lex_next__documents__gives_their_pieces_and_lines(void **state)
{
	static const struct {
		const char *document;
		const char *expected;
	} rows[] = {
	    {"", ""},
	    {" \n\t", ""},
	    {"<a/>", "E1"},
	    {"<a></a>", "S1 C1"},
	    {"<?xml version='1.0'?>\n<a>\n</a>", "S2 C3"},
	    {"<a\n\nb='1'\n>\n</a>", "S1 C5"},
	    {"<a b='>' c=\"/>\"/>", "E1"},
	    {"<a b='\"' c=\"'\">", "S1"},
	    {"<a b='\n'/><c/>", "E1 E2"},
	    {"<a>\n\n  text\n</a>", "S1 T3 C4"},
	    {"<a>&#32;</a>", "S1 T1 C1"},
	    {"<a><!-- <b> \n --></a>", "S1 C2"},
	    {"<a><!----></a>", "S1 C1"},
	    {"<a><!--></a>", "S1"},
	    {"<a><![CDATA[<b>]]]]></a>", "S1 T1 C1"},
	    {"<a><?p <b> ?></a>", "S1 C1"},
	    {"<!DOCTYPE a><a/>", "!1 T1 E1"},
	    {"<a><!ELEMENT", "S1 !1 T1"},
	    {"<a><!-", "S1 !1 T1"},
	    {"<a b='", ""},
	    {"<a><", "S1"},
	    {"<a></", "S1"},
	    {"<a><!-- ", "S1"},
	    {"<a><![CDATA[ ]]", "S1"},
	    {"<a><? >", "S1"},
	};
	char pieces[128];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		trace(rows[i].document, pieces, sizeof(pieces));
		if (strcmp(pieces, rows[i].expected) != 0)
			print_error("got \"%s\"\n", pieces);
		assert_row(rows[i].document, strcmp(pieces, rows[i].expected) == 0);
	}
}

static void xml_lex_next__a_tag__counts_values_and_measures_the_longest(void **state)
{
	struct xml_lex lex;

	(void)state;
	xml_lex_start(&lex, "<a b='12' c=\"\" d='1\"'/><e/>", 27);

	assert_int_equal(xml_lex_next(&lex), XML_PIECE_EMPTY);
	assert_int_equal(lex.attribute_count, 3);
	assert_int_equal(lex.longest_value, 2);
	assert_int_equal(lex.length, 23);
	assert_int_equal(xml_lex_next(&lex), XML_PIECE_EMPTY);
	assert_int_equal(lex.attribute_count, 0);
	assert_int_equal(lex.longest_value, 0);
	assert_int_equal(xml_lex_next(&lex), XML_PIECE_END);
	assert_int_equal(xml_lex_next(&lex), XML_PIECE_END);
}

/* Every prefix of a document, in a block of exactly its size: reading behind it shows under a sanitizer. */
static void xml_lex_next__every_prefix__ends(void **state)
{
	static const char document[] = "<?x y?><a b='c'>t<!--d--><![CDATA[e]]><f/></a><!DOCTYPE g>";

	(void)state;
	for (size_t length = 0; length < sizeof(document); length++) {
		char *copy = test_malloc(length + 1);
		struct xml_lex lex;
		size_t pieces = 0;

		memcpy(copy + 1, document, length);
		xml_lex_start(&lex, copy + 1, length);
		while (xml_lex_next(&lex) != XML_PIECE_END)
			pieces++;
		test_free(copy);
		assert_in_range(pieces, 0, 10);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(xml_lex_next__documents__gives_their_pieces_and_lines),
	    cmocka_unit_test(xml_lex_next__a_tag__counts_values_and_measures_the_longest),
	    cmocka_unit_test(xml_lex_next__every_prefix__ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
