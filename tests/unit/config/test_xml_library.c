/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What libxml2 does with us, and we with it: its own allocations failing, many threads at once, and nothing
 * printed. A process of its own, because the library's allocator is global.
 */
#include <support/assertions.h>

#include <config/xml_reader.h>
#include <libxml/xmlerror.h>
#include <libxml/xmlmemory.h>
#include <os/thread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define THREADS 4
#define ROUNDS  200

static const char document[] = "<?xml version='1.0'?><a xmlns='urn:x' xmlns:y='urn:y' b='1 &amp; 2' y:c='3'>\n"
			       "<!-- d --><e f='g'/>text<![CDATA[more]]><h>\n</h></a>";

static const char shown[] = "<a\n:urn:x\n@b\n:\n=1 & 2\n@c\n:urn:y\n=3\n<e\n:urn:x\n@f\n:\n=g\n>e\ntext\nmore\n"
			    "<h\n:urn:x\n>h\n>a\n";

static atomic_size_t asked, fail_at, fail_to, live;

static bool must_fail(void)
{
	size_t number = atomic_fetch_add(&asked, 1) + 1;

	return number >= atomic_load(&fail_at) && number <= atomic_load(&fail_to);
}

static void *library_malloc(size_t size)
{
	void *block = must_fail() ? NULL : malloc(size);

	if (block != NULL)
		atomic_fetch_add(&live, 1);
	return block;
}

static void *library_realloc(void *old, size_t size)
{
	void *block = must_fail() ? NULL : realloc(old, size);

	if (block != NULL && old == NULL)
		atomic_fetch_add(&live, 1);
	return block;
}

static void library_free(void *block)
{
	if (block != NULL)
		atomic_fetch_sub(&live, 1);
	free(block);
}

static char *library_strdup(const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = library_malloc(size);

	return copy != NULL ? memcpy(copy, text, size) : NULL;
}

/* Everything that was shown, as one string; the buffer is for the longest document below. */
struct trace {
	char text[16384];
	size_t length;
};

static void add(struct trace *trace, const char *kind, const char *text)
{
	int added = snprintf(trace->text + trace->length, sizeof(trace->text) - trace->length, "%s%s\n", kind, text);

	assert_in_range(added, 0, sizeof(trace->text) - trace->length - 1);
	trace->length += (size_t)added;
}

static void add_node(struct trace *trace, const struct xml_reader *reader)
{
	switch (xml_reader_node(reader)) {
	case XML_ELEMENT_START:
		add(trace, "<", xml_reader_name(reader));
		add(trace, ":", xml_reader_namespace(reader));
		for (size_t i = 0; i < xml_reader_attribute_count(reader); i++) {
			add(trace, "@", xml_reader_attribute_name(reader, i));
			add(trace, ":", xml_reader_attribute_namespace(reader, i));
			add(trace, "=", xml_reader_attribute_value(reader, i));
		}
		break;
	case XML_ELEMENT_END:
		add(trace, ">", xml_reader_name(reader));
		break;
	case XML_TEXT:
		add(trace, "", xml_reader_text(reader));
		break;
	case XML_NONE:
	case XML_END:
		break;
	}
}

static enum status read_all(const char *text, struct trace *trace)
{
	struct xml_reader *reader = NULL;
	enum status status = xml_reader_open(text, strlen(text), "doc.xml", &reader, NULL);

	trace->length = 0;
	trace->text[0] = '\0';
	while (status == STATUS_OK && (status = xml_reader_next(reader, NULL)) == STATUS_OK &&
	       xml_reader_node(reader) != XML_END)
		add_node(trace, reader);
	xml_reader_close(&reader);
	return status;
}

struct reading {
	struct thread thread;
	unsigned good;
};

static void read_often(void *context)
{
	struct reading *reading = context;
	struct trace trace;

	for (int i = 0; i < ROUNDS; i++)
		if (read_all(document, &trace) == STATUS_OK && strcmp(trace.text, shown) == 0 &&
		    read_all("<a><b></a>", &trace) == STATUS_INVALID)
			reading->good++;
}

/* First in this process, so that the threads meet in the library's own start. */
static void xml_reader__many_threads_from_the_start__each_reads_its_own(void **state)
{
	struct reading readings[THREADS] = {0};
	struct error error;

	(void)state;
	for (size_t i = 0; i < THREADS; i++)
		assert_status(thread_start(&readings[i].thread, "xml-test", read_often, &readings[i], &error),
			      STATUS_OK, &error);
	for (size_t i = 0; i < THREADS; i++)
		thread_join(&readings[i].thread);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(readings[i].good, ROUNDS);
}

/* What the library would say on stderr where no handler of ours is asked. */
static unsigned said;

static void count_said(void *context, const char *format, ...)
{
	(void)context;
	(void)format;
	said++;
}

/* Long enough that the library reads it in several pieces, with every form that a value may have. */
static char *long_document(void)
{
	char *text = test_malloc(16384);
	int length = sprintf(text, "<p xmlns='urn:p' xmlns:q='urn:q'>\n");

	for (int i = 0; i < 12; i++)
		length += sprintf(text + length, "<deny q:n='%d' group='cn=a&amp;b,&#100;c=%d&#xe9;&lt;x' o='%0*d'/>\n",
				  i, i, i * 40, 7);
	length += sprintf(text + length, "<allow>some &amp; more&#10;<![CDATA[and]]></allow>");
	(void)sprintf(text + length, "</p>");
	return text;
}

/* Let the n-th allocation fail, and `more` behind it, for each n. */
static void check_each_allocation(const char *text, size_t more)
{
	static struct trace whole, trace;
	unsigned failed = 0;
	size_t n = 0;

	assert_int_equal(read_all(text, &whole), STATUS_OK);
	do {
		enum status status;

		atomic_store(&asked, 0);
		atomic_store(&fail_at, ++n);
		atomic_store(&fail_to, n + more);
		status = read_all(text, &trace);
		atomic_store(&fail_to, 0);
		if (status == STATUS_OK)
			assert_string_equal(trace.text, whole.text);
		else
			failed++;
	} while (atomic_load(&asked) >= n);
	assert_in_range(failed, 10, n);
	assert_int_equal(read_all(text, &trace), STATUS_OK);
}

/*
 * A document is read whole or not at all. libxml2 2.9.14 goes on without a node or half a value when memory runs
 * out: a policy must not lose a deny rule that way.
 */
static void xml_reader__each_allocation_of_the_library_failing__reads_all_or_fails(void **state)
{
	char *text = long_document();

	(void)state;
	xmlSetGenericErrorFunc(NULL, count_said);
	for (size_t more = 0; more < 4; more++) {
		check_each_allocation(document, more);
		check_each_allocation(text, more);
	}
	check_each_allocation(document, 100000);
	check_each_allocation(text, 100000);
	xmlSetGenericErrorFunc(NULL, NULL);
	assert_int_equal(said, 0);
	test_free(text);
}

static void xml_reader__documents_read_and_refused__leaves_none_of_the_library_s_memory(void **state)
{
	struct trace nodes;
	size_t before;

	(void)state;
	assert_int_equal(read_all(document, &nodes), STATUS_OK);
	/* The library keeps a thread's last error; the second is as long as the first. */
	assert_int_equal(read_all("<a><b></a>", &nodes), STATUS_INVALID);
	before = atomic_load(&live);
	assert_int_equal(read_all(document, &nodes), STATUS_OK);
	assert_int_equal(read_all("<a><b></a>", &nodes), STATUS_INVALID);
	assert_int_equal(atomic_load(&live), before);
}

static void xml_reader__documents_of_all_kinds__prints_nothing(void **state)
{
	static const char *const documents[] = {"<a><b></a>",    "", "<a>&x;</a>", "<x:a/>", "<a b='1' b='2'/>",
						"<a xmlns='x'/>"};
	FILE *caught = tmpfile();
	int kept = dup(STDERR_FILENO);
	struct trace nodes;
	long printed;

	(void)state;
	assert_true(caught != NULL && kept >= 0);
	assert_true(dup2(fileno(caught), STDERR_FILENO) >= 0);
	for (size_t i = 0; i < COUNT_OF(documents); i++)
		(void)!read_all(documents[i], &nodes);
	(void)fflush(stderr);
	(void)dup2(kept, STDERR_FILENO);
	(void)close(kept);
	(void)fseek(caught, 0, SEEK_END);
	printed = ftell(caught);
	(void)fclose(caught);
	assert_int_equal(printed, 0);
}

static void ignore_error(void *context, xmlErrorPtr error)
{
	(void)context;
	(void)error;
}

/* The thread is the host's: what it had set is there again, also after a failure. */
static void xml_reader__documents_read_and_refused__puts_the_thread_s_handlers_back(void **state)
{
	static struct trace trace;
	int mine = 0;

	(void)state;
	xmlSetStructuredErrorFunc(&mine, ignore_error);
	xmlSetGenericErrorFunc(&mine, count_said);
	assert_int_equal(read_all(document, &trace), STATUS_OK);
	assert_int_equal(read_all("<a><b></a>", &trace), STATUS_INVALID);
	assert_true(xmlStructuredError == ignore_error && xmlStructuredErrorContext == &mine);
	assert_true(xmlGenericError == count_said && xmlGenericErrorContext == &mine);
	xmlSetStructuredErrorFunc(NULL, NULL);
	xmlSetGenericErrorFunc(NULL, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(xml_reader__many_threads_from_the_start__each_reads_its_own),
	    cmocka_unit_test(xml_reader__documents_read_and_refused__leaves_none_of_the_library_s_memory),
	    cmocka_unit_test(xml_reader__documents_of_all_kinds__prints_nothing),
	    cmocka_unit_test(xml_reader__documents_read_and_refused__puts_the_thread_s_handlers_back),
	    cmocka_unit_test(xml_reader__each_allocation_of_the_library_failing__reads_all_or_fails),
	};

	if (xmlMemSetup(library_free, library_malloc, library_realloc, library_strdup) != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
