/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>
#include <support/memory_failing.h>

#include <config/xml_reader.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define TRACE_BYTES 512

static void add(char *out, const char *format, ...) PRINTF_LIKE(2, 3);

static void add(char *out, const char *format, ...)
{
	size_t length = strlen(out);
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(out + length, TRACE_BYTES - length, format, arguments);
	va_end(arguments);
}

static void add_node(char *out, const struct xml_reader *reader)
{
	switch (xml_reader_node(reader)) {
	case XML_ELEMENT_START:
		add(out, "<%u:{%s}%s", xml_reader_line(reader), xml_reader_namespace(reader), xml_reader_name(reader));
		for (size_t i = 0; i < xml_reader_attribute_count(reader); i++)
			add(out, " {%s}%s=[%s]", xml_reader_attribute_namespace(reader, i),
			    xml_reader_attribute_name(reader, i), xml_reader_attribute_value(reader, i));
		add(out, ">");
		break;
	case XML_ELEMENT_END:
		add(out, "</%u:%s>", xml_reader_line(reader), xml_reader_name(reader));
		break;
	case XML_TEXT:
		add(out, "%u:[%s]", xml_reader_line(reader), xml_reader_text(reader));
		break;
	case XML_NONE:
	case XML_END:
		add(out, ".");
		break;
	}
}

/* Read a document to its end; `out` gets what was shown. */
static enum status read_all(const char *data, size_t length, char *out, struct error *error)
{
	struct xml_reader *reader = NULL;
	enum status status = xml_reader_open(data, length, "doc.xml", &reader, error);

	out[0] = '\0';
	if (status != STATUS_OK) {
		assert_null(reader);
		return status;
	}
	do {
		status = xml_reader_next(reader, error);
		if (status == STATUS_OK)
			add_node(out, reader);
	} while (status == STATUS_OK && xml_reader_node(reader) != XML_END);
	/* It stays where it is: at the end, or failed. */
	assert_int_equal(xml_reader_next(reader, NULL), status);
	xml_reader_close(&reader);
	assert_null(reader);
	return status;
}

static void xml_reader_next__documents__shows_their_nodes(void **state)
{
	static const struct {
		const char *document;
		const char *expected;
	} rows[] = {
	    {"<a/>", "<1:{}a></1:a>."},
	    {"<a></a>", "<1:{}a></1:a>."},
	    {"\xef\xbb\xbf<a/>", "<1:{}a></1:a>."},
	    {"<?xml version=\"1.0\"?>\n<a>\n</a>\n", "<2:{}a></3:a>."},
	    {"<?xml version='1.0' encoding='utf-8'?><a/>", "<1:{}a></1:a>."},
	    {"<?xml version='1.0' encoding = \"UTF-8\" standalone='yes'?><a/>", "<1:{}a></1:a>."},
	    {"<a\nb='1'\nc=\"2\"\n/>", "<1:{}a {}b=[1] {}c=[2]></1:a>."},
	    {"<a><b/>\n<c>\n\nd</c></a>", "<1:{}a><1:{}b></1:b><2:{}c>4:[\n\nd]</4:c></4:a>."},
	    {"<a><!-- c -->\n<?p i?>\n<b/></a>", "<1:{}a><3:{}b></3:b></3:a>."},
	    {"<a><![CDATA[ ]]></a>", "<1:{}a></1:a>."},
	    {"<a>x<![CDATA[<y>]]>\nz</a>", "<1:{}a>1:[x]1:[<y>]2:[\nz]</2:a>."},
	    {"<a>&#32;&#9;</a>", "<1:{}a></1:a>."},
	    {"<a b='&lt;&amp;&gt;&quot;&apos;&#65;&#x42;'/>", "<1:{}a {}b=[<&>\"'AB]></1:a>."},
	    {"<a b=' \t\n1 '/>", "<1:{}a {}b=[   1 ]></1:a>."},
	    {"<a b=''/>", "<1:{}a {}b=[]></1:a>."},
	    {"<a b='\xc3\xa9'/>", "<1:{}a {}b=[\xc3\xa9]></1:a>."},
	    {"<a xmlns='urn:x' b='1'/>", "<1:{urn:x}a {}b=[1]></1:a>."},
	    {"<x:a xmlns:x='urn:x' x:b='1' b='2'><c/></x:a>", "<1:{urn:x}a {urn:x}b=[1] {}b=[2]><1:{}c></1:c></1:a>."},
	    {"<a xmlns='urn:x'><b xmlns=''/></a>", "<1:{urn:x}a><1:{}b></1:b></1:a>."},
	    {"<a xml:lang='en'/>", "<1:{}a {http://www.w3.org/XML/1998/namespace}lang=[en]></1:a>."},
	    {"<a/><!-- behind -->\n", "<1:{}a></1:a>."},
	};
	char out[TRACE_BYTES];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct error error = {.status = STATUS_OK};
		enum status status = read_all(rows[i].document, strlen(rows[i].document), out, &error);

		assert_status(status, STATUS_OK, &error);
		if (strcmp(out, rows[i].expected) != 0)
			print_error("got %s\n", out);
		assert_row(rows[i].document, strcmp(out, rows[i].expected) == 0);
	}
}

#define BOMB                                                                                                           \
	"<!DOCTYPE a [<!ENTITY l \"lol\"><!ENTITY m \"&l;&l;&l;&l;&l;&l;&l;&l;&l;&l;\">"                               \
	"<!ENTITY n \"&m;&m;&m;&m;&m;&m;&m;&m;&m;&m;\"><!ENTITY o \"&n;&n;&n;&n;&n;&n;&n;&n;&n;&n;\">"                 \
	"<!ENTITY p \"&o;&o;&o;&o;&o;&o;&o;&o;&o;&o;\"><!ENTITY q \"&p;&p;&p;&p;&p;&p;&p;&p;&p;&p;\">]>"

struct refused_row {
	const char *document;
	const char *what;
};

static void xml_reader_next__hostile_or_broken_documents__are_refused_with_their_line(void **state)
{
	static const struct refused_row rows[] = {
	    {"", "not well-formed"},
	    {"   ", "not well-formed"},
	    {"a", "doc.xml:1: not well-formed"},
	    {"<a>", "doc.xml:1: <a> of line 1 is not closed"},
	    {"<a>\n<b\n><c/><d></d>\n", "doc.xml:4: <b> of line 2 is not closed"},
	    {"<a><b></a>", "doc.xml:1: not well-formed XML: Opening and ending tag mismatch"},
	    {"<a><b></bb>", "doc.xml:1: not well-formed XML: Opening and ending tag mismatch"},
	    {"<a><b", "doc.xml:1: not well-formed"},
	    {"<a><b</a>", "doc.xml:1: not well-formed"},
	    {"<a><b c='</a>'>", "doc.xml:1: not well-formed"},
	    {"<a></b>", "doc.xml:1: not well-formed XML: Opening and ending tag mismatch"},
	    {"<a>\n<b>\n</a>", "doc.xml:3: not well-formed XML: Opening and ending tag mismatch"},
	    {"<a/><b/>", "doc.xml:1: not well-formed"},
	    {"<a b='1' b='2'/>", "doc.xml:1: not well-formed XML: Attribute b redefined"},
	    {"<a xmlns:x='u' xmlns:y='u' x:b='1' y:b='2'/>", "doc.xml:1: not well-formed XML: Namespaced Attribute b"},
	    {"<a b=1/>", "doc.xml:1: not well-formed"},
	    {"<a b='<'/>", "doc.xml:1: not well-formed"},
	    {"<a b='\x01'/>", "doc.xml:1: not well-formed"},
	    {"<a>&#0;</a>", "doc.xml:1: not well-formed"},
	    {"<a>&#xFFFF;</a>", "doc.xml:1: not well-formed"},
	    {"<a b='&x;'/>", "doc.xml:1: not well-formed XML: Entity 'x' not defined"},
	    {"<a>&x;</a>", "doc.xml:1: not well-formed XML: Entity 'x' not defined"},
	    {"<x:a/>", "doc.xml:1: not well-formed XML: Namespace prefix x"},
	    {"<a>\n<b x:c='1'/></a>", "doc.xml:2: not well-formed XML: Namespace prefix x"},
	    {"<a><!-- -- --></a>", "doc.xml:1: not well-formed"},
	    {"<a>]]></a>", "doc.xml:1: not well-formed"},
	    {"<a \"><!DOCTYPE a [<!ENTITY l \"x\">]><a>&l;</a>", "doc.xml:1: not well-formed"},
	    {"<!DOCTYPE a><a/>", "doc.xml:1: document type declarations are not taken"},
	    {"<!-- c -->\n<!DOCTYPE a SYSTEM 'http://127.0.0.1:9/x.dtd'>\n<a/>", "doc.xml:2: document type"},
	    {"\n<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>", "doc.xml:2: document type"},
	    {"<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a b='1'>&x;</a>", "doc.xml:1: document type"},
	    {"<!DOCTYPE a [<!ENTITY % x SYSTEM 'file:///etc/passwd'> %x;]><a/>", "doc.xml:1: document type"},
	    {BOMB "<a>&q;</a>", "doc.xml:1: document type"},
	    {BOMB "<a b='&q;'/>", "doc.xml:1: document type"},
	    {"<a/><!DOCTYPE a>", "doc.xml:1: document type"},
	    {"<?xml version='1.0' encoding='ISO-8859-1'?><a/>", "doc.xml:1: the document says that it is in another"},
	    {"<?xml version='1.0' encoding='UTF-7'?><a/>", "doc.xml:1: the document says that it is in another"},
	    {"<?xml version='1.0' encoding='UTF-16'?><a/>", "doc.xml:1: the document says that it is in another"},
	    {"<?xml version='1.0' encoding=''?><a/>", "doc.xml:1: the document says that it is in another"},
	    {"\xef\xbb\xbf<?xml version='1.0' encoding='latin1'?><a/>", "doc.xml:1: the document says"},
	    {"<a>\n\xff</a>", "doc.xml:2: the bytes here are not UTF-8"},
	    {"<a b='\xc0\xaf'/>", "doc.xml:1: the bytes here are not UTF-8"},
	    {"<a b='\xed\xa0\x80'/>", "doc.xml:1: the bytes here are not UTF-8"},
	};
	char out[TRACE_BYTES];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct error error = {.status = STATUS_OK};
		enum status status = read_all(rows[i].document, strlen(rows[i].document), out, &error);

		if (strstr(error.what, rows[i].what) == NULL)
			print_error("got \"%s\"\n", error.what);
		assert_row(rows[i].document, status == STATUS_INVALID && error.status == STATUS_INVALID);
		assert_row(rows[i].document, strstr(error.what, rows[i].what) != NULL);
		assert_row(rows[i].document, strchr(error.what, '\n') == NULL);
	}
}

static void xml_reader_open__a_nul__is_refused(void **state)
{
	struct xml_reader *reader = NULL;
	struct error error = {.status = STATUS_OK};

	(void)state;
	assert_status(xml_reader_open("<a/>\0<b/>", 9, "doc.xml", &reader, &error), STATUS_INVALID, &error);
	assert_null(reader);
	assert_contains(error.what, "doc.xml:1: the bytes here are not UTF-8");
}

/* `head`, then `unit` so many times, then `tail`. */
static char *repeated(const char *head, const char *unit, size_t count, const char *tail)
{
	size_t unit_length = strlen(unit);
	char *document = test_malloc(strlen(head) + unit_length * count + strlen(tail) + 1);
	char *at = document + sprintf(document, "%s", head);

	for (size_t i = 0; i < count * unit_length; i++)
		*at++ = unit[i % unit_length];
	(void)sprintf(at, "%s", tail);
	return document;
}

static void check_bound(const char *head, const char *unit, size_t count, const char *tail, enum status expected)
{
	char *document = repeated(head, unit, count, tail);
	struct error error = {.status = STATUS_OK};
	static char out[TRACE_BYTES];
	enum status status = read_all(document, strlen(document), out, &error);

	test_free(document);
	if (status != expected)
		print_error("%s (%s) x %zu: %s\n", head, unit, count, error.what);
	assert_int_equal(status, expected);
}

/* Many comments: one that is as large as a document makes XmlLite of Wine 8 read where it must not. */
static void check_document_bound(void)
{
	enum { UNIT = 4096, COUNT = XML_MAX_DOCUMENT_BYTES / UNIT - 1 };
	char unit[UNIT + 1], head[UNIT + 1];

	memset(unit, 'x', UNIT);
	memcpy(unit, "<!--", 4);
	memcpy(unit + UNIT - 3, "-->", 4);
	memset(head, ' ', UNIT);
	memcpy(head, "<a", 2);
	memcpy(head + UNIT - 5, ">", 2); /* "</a>" is the rest */
	check_bound(head, unit, COUNT, "</a>", STATUS_OK);
	check_bound(head, unit, COUNT, "</a> ", STATUS_LIMIT);
}

static void xml_reader_open__at_and_over_each_bound__takes_and_refuses(void **state)
{
	char attributes[64 * 16] = "<a";
	size_t length = 2;

	(void)state;
	check_bound("<a b='", "x", XML_MAX_VALUE_BYTES, "'/>", STATUS_OK);
	check_bound("<a b='", "x", XML_MAX_VALUE_BYTES + 1, "'/>", STATUS_LIMIT);
	check_bound("<a>", "x", XML_MAX_VALUE_BYTES, "</a>", STATUS_OK);
	check_bound("<a>", "x", XML_MAX_VALUE_BYTES + 1, "</a>", STATUS_LIMIT);
	check_document_bound();
	/* Open elements only: refused by depth where that comes first, else as unfinished. */
	check_bound("", "<a>", XML_MAX_DEPTH, "", STATUS_INVALID);
	check_bound("", "<a>", XML_MAX_DEPTH + 1, "", STATUS_LIMIT);
	check_bound("", "<a>", XML_MAX_DEPTH, "<b/>", STATUS_LIMIT);
	check_bound("<a>", "<b/>", 100000, "</a>", STATUS_OK);
	check_bound("<a>", "<b></b>", 100000, "</a>", STATUS_OK);
	for (int i = 0; i < XML_MAX_ATTRIBUTES; i++)
		length += (size_t)sprintf(attributes + length, " a%d=''", i);
	check_bound(attributes, "", 0, "/>", STATUS_OK);
	check_bound(attributes, " b=''", 1, "/>", STATUS_LIMIT);
	check_bound(attributes, " xmlns='urn:x'", 1, "/>", STATUS_LIMIT);
}

static size_t to_utf16(const char *text, unsigned char *out, bool big_endian)
{
	size_t length = 0;

	for (const char *at = text; *at != '\0'; at++) {
		out[length + (big_endian ? 1 : 0)] = (unsigned char)*at;
		out[length + (big_endian ? 0 : 1)] = 0;
		length += 2;
	}
	return length;
}

static void xml_reader_open__utf16_of_both_orders__is_read(void **state)
{
	static const char document[] = "<?xml version='1.0' encoding='utf-16'?>\n<a b='1'/>";
	static const unsigned char marks[2][2] = {{0xff, 0xfe}, {0xfe, 0xff}};
	unsigned char bytes[2 * sizeof(document) + 2];
	char out[TRACE_BYTES];
	struct error error = {.status = STATUS_OK};

	(void)state;
	for (int order = 0; order < 2; order++) {
		size_t length = 2;

		memcpy(bytes, marks[order], 2);
		length += to_utf16(document, bytes + 2, order == 1);
		assert_status(read_all((const char *)bytes, length, out, &error), STATUS_OK, &error);
		assert_string_equal(out, "<2:{}a {}b=[1]></2:a>.");
		assert_int_equal(read_all((const char *)bytes, length - 1, out, &error), STATUS_INVALID);
		assert_int_equal(read_all((const char *)bytes, 2, out, &error), STATUS_INVALID);
	}
}

static void xml_reader_open__utf16_that_is_none__is_refused(void **state)
{
	char out[TRACE_BYTES];
	unsigned char bytes[256] = {0xff, 0xfe};
	struct error error = {.status = STATUS_OK};
	size_t length = 2 + to_utf16("<?xml version='1.0' encoding='UTF-8'?><a/>", bytes + 2, false);

	(void)state;
	assert_status(read_all((const char *)bytes, length, out, &error), STATUS_INVALID, &error);
	assert_contains(error.what, "another encoding than UTF-16");
	/* An unpaired surrogate. */
	assert_status(read_all("\xff\xfe\x00\xd8<\0", 6, out, &error), STATUS_INVALID, &error);
	assert_contains(error.what, "it is not UTF-16");
}

static void xml_reader_next__errors__do_not_repeat_the_document_unescaped(void **state)
{
	static const char document[] = "<a><b\xc3\xa9\xe2\x80\xae></a>";
	char out[TRACE_BYTES];
	struct error error = {.status = STATUS_OK};

	(void)state;
	assert_status(read_all(document, sizeof(document) - 1, out, &error), STATUS_INVALID, &error);
	for (const char *at = error.what; *at != '\0'; at++)
		assert_in_range(*at, ' ', '~');
}

static void xml_reader__each_allocation_failing__says_no_memory_and_leaks_nothing(void **state)
{
	static const char document[] = "\xff\xfe<\0a\0 \0b\0=\0'\0c\0'\0>\0d\0<\0/\0a\0>\0";
	size_t before = memory_live_count();
	enum status status = STATUS_NO_MEMORY;
	char out[TRACE_BYTES];
	size_t n = 0;

	(void)state;
	while (status != STATUS_OK) {
		struct error error = {.status = STATUS_OK};

		memory_fail_at(++n);
		status = read_all(document, sizeof(document) - 1, out, &error);
		assert_int_equal(memory_live_count(), before);
		if (status != STATUS_OK)
			assert_status(status, STATUS_NO_MEMORY, &error);
		assert_int_equal(status == STATUS_OK, memory_fail_count() < n);
	}
	memory_fail_at(0);
	assert_string_equal(out, "<1:{}a {}b=[c]>1:[d]</1:a>.");
	assert_in_range(n, 5, 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(xml_reader_next__documents__shows_their_nodes),
	    cmocka_unit_test(xml_reader_next__hostile_or_broken_documents__are_refused_with_their_line),
	    cmocka_unit_test(xml_reader_open__a_nul__is_refused),
	    cmocka_unit_test(xml_reader_open__at_and_over_each_bound__takes_and_refuses),
	    cmocka_unit_test(xml_reader_open__utf16_of_both_orders__is_read),
	    cmocka_unit_test(xml_reader_open__utf16_that_is_none__is_refused),
	    cmocka_unit_test(xml_reader_next__errors__do_not_repeat_the_document_unescaped),
	    cmocka_unit_test(xml_reader__each_allocation_failing__says_no_memory_and_leaks_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
