/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include <config/xml_strict.h>
#include <string.h>

struct row {
	const char *document;
	const char *what; /* NULL: it is taken */
};

static void xml_strict_check__documents__as_expected(void **state)
{
	static const struct row rows[] = {
	    {"<a b='&lt;&amp;&gt;&quot;&apos;&#65;&#x42;&#x10FFFF;'>&#9;&#xa;&#13;</a>", NULL},
	    {"<a>x<!-- & &y; - -->]]<?p & ?><![CDATA[&x; & ]]></a>", NULL},
	    {"<a><!----></a>", NULL},
	    {"<a b=']]>'/>", NULL},
	    {"<a>\n&x;</a>", "doc.xml:2: not well-formed XML: Entity 'x' not defined"},
	    {"<a>\n\ntext\n &x;</a>", "doc.xml:4: not well-formed XML: Entity 'x' not defined"},
	    {"<a\nb='&x;'/>", "doc.xml:2: not well-formed XML: Entity 'x' not defined"},
	    {"<a>&AMP;</a>", "Entity 'AMP' not defined"},
	    {"<a>a & b</a>", "doc.xml:1: not well-formed XML: a & without the ;"},
	    {"<a b='x&'/>", "a & without the ;"},
	    {"<a b='&amp'/>", "a & without the ;"},
	    {"<a>&;</a>", "a & without the name"},
	    {"<a>&#;</a>", "no character"},
	    {"<a>&#x;</a>", "no character"},
	    {"<a>&#0;</a>", "no character"},
	    {"<a>&#xD800;</a>", "no character"},
	    {"<a>&#xFFFE;</a>", "no character"},
	    {"<a>&#x110000;</a>", "no character"},
	    {"<a>&#99999999999999999999;</a>", "no character"},
	    {"<a>&#6g;</a>", "no character"},
	    {"<a>&#X41;</a>", "no character"},
	    {"<a>]]></a>", "doc.xml:1: not well-formed XML: ]]> stands in a text"},
	    {"<a>\n<!-- -- --></a>", "doc.xml:2: not well-formed XML: -- stands in a comment"},
	    {"<a><!-- ---></a>", "-- stands in a comment"},
	    {"<a>\n\x01</a>", "doc.xml:2: not well-formed XML: a character that XML does not have"},
	    {"<a>\xef\xbf\xbf</a>", "a character that XML does not have"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct error error = {.what = ""};
		const enum status status =
		    xml_strict_check(rows[i].document, strlen(rows[i].document), "doc.xml", &error);

		assert_row(rows[i].document, status == (rows[i].what == NULL ? STATUS_OK : STATUS_INVALID));
		if (rows[i].what != NULL && strstr(error.what, rows[i].what) == NULL)
			print_error("got \"%s\"\n", error.what);
		assert_row(rows[i].document, rows[i].what == NULL || strstr(error.what, rows[i].what) != NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(xml_strict_check__documents__as_expected),
	};

	return cmocka_run_group_tests_name("config/xml_strict", tests, NULL, NULL);
}
