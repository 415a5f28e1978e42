/* SPDX-License-Identifier: Apache-2.0 */
/* What is written is read again, byte by byte, and no spreadsheet takes it for more than text. */
#include "report_rig.h"

#include <cli/report_csv.h>
#include <cli/report_csv_read.h>
#include <stdlib.h>
#include <support/memory_failing.h>
#include <unistd.h>

static const struct {
	const char *value, *field;
} rows[] = {
    {"", ""},
    {"alice", "alice"},
    {"a b", "a b"},
    {"O'Brien", "O'Brien"},
    {"a,b", "\"a,b\""},
    {"say \"no\"", "\"say \"\"no\"\"\""},
    {"two\nlines", "\"two\nlines\""},
    {"two\r\nlines", "\"two\r\nlines\""},
    {"=1+1", "'=1+1"},
    {"+cmd", "'+cmd"},
    {"-2", "'-2"},
    {"@SUM(A1)", "'@SUM(A1)"},
    {"\tx", "'\tx"},
    {"\n=1", "\"'\n=1\""},
    {"'quoted", "''quoted"},
    {"=a,b", "\"'=a,b\""},
    {"\xEF\xBC\x9D"
     "1",
     "'\xEF\xBC\x9D"
     "1"},
    {"b\xFC", "b\xEF\xBF\xBD"},
    {"\xE5\xB1\xB1", "\xE5\xB1\xB1"},
    {"a=1", "a=1"},
    {"\xE2\x80\xAEgnp", "\xE2\x80\xAEgnp"},
};

static void report_csv_add_field__values__are_quoted_and_no_formula(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct text text;

		text_init(&text);
		report_csv_add_field(&text, rows[i].value);
		assert_string_equal(text_string(&text), rows[i].field);
		text_done(&text);
	}
}

static void report_csv_add_row__row__has_the_fixed_columns(void **state)
{
	struct report_row row = rig_row("CORP\\alice");
	struct text text;

	(void)state;
	text_init(&text);
	report_csv_add_row(&text, &row);
	assert_string_equal(text_string(&text), "CORP\\alice,\"uid=alice,dc=x\",authorize,\"allow cn=ops,dc=x\",AMER,,"
						"\"uid=alice,dc=x -> cn=ops,dc=x\"\r\n");
	text_done(&text);
}

static void report_csv_add_row__without_memory__fails_and_leaks_nothing(void **state)
{
	struct report_row row = rig_row("CORP\\alice");
	bool failed = true;

	(void)state;
	for (size_t nth = 1; failed; nth++) {
		const size_t before = memory_live_count();
		struct text text;

		text_init(&text);
		memory_fail_at(nth);
		report_csv_add_row(&text, &row);
		failed = memory_fail_count() >= nth;
		memory_fail_at(0);
		assert_int_equal(text_failed(&text), failed);
		text_done(&text);
		assert_int_equal(memory_live_count(), before);
	}
}

/* Reading */

static const char *write_file(const char *content, size_t length)
{
	static char path[] = "/tmp/wsmauthz-csv-XXXXXX";
	int fd;

	memcpy(path + sizeof(path) - 7, "XXXXXX", 6);
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, (unsigned)length), (ssize_t)length);
	assert_int_equal(close(fd), 0);
	return path;
}

static enum status open_text(struct csv_reader *reader, const char *content, struct error *error)
{
	return csv_reader_open(reader, write_file(content, strlen(content)), error);
}

static void close_and_remove(struct csv_reader *reader)
{
	const char *path = reader->path; /* write_file's */

	csv_reader_close(reader);
	assert_int_equal(unlink(path), 0);
}

static void csv_reader_next__what_was_written__is_read_again(void **state)
{
	struct error error = {.status = STATUS_OK};
	struct csv_reader reader;
	struct text text;
	bool is_there = false;

	(void)state;
	text_init(&text);
	text_add(&text, REPORT_CSV_HEADER);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct report_row row = rig_row(rows[i].value);

		row.site = rows[i].value;
		report_csv_add_row(&text, &row);
	}
	assert_status(csv_reader_open(&reader, write_file(text.data, text.length), &error), STATUS_OK, &error);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		/* What is not UTF-8 is the only thing that is not kept. */
		const char *kept = strcmp(rows[i].value, "b\xFC") == 0 ? "b\xEF\xBF\xBD" : rows[i].value;

		assert_status(csv_reader_next(&reader, &is_there, &error), STATUS_OK, &error);
		assert_true(is_there);
		assert_string_equal(reader.fields[0], kept);
		assert_string_equal(reader.fields[4], kept);
	}
	assert_status(csv_reader_next(&reader, &is_there, &error), STATUS_OK, &error);
	assert_false(is_there);
	close_and_remove(&reader);
	text_done(&text);
}

static void csv_reader_open__saved_by_a_spreadsheet__is_read(void **state)
{
	struct error error = {.status = STATUS_OK};
	struct csv_reader reader;
	bool is_there = false;
	uint64_t began;

	(void)state;
	assert_status(
	    open_text(&reader,
		      "\xEF\xBB\xBF\"sender\",dn,verdict,rule,site,target,path\n\"a\",b,\"c\",d,e,f,g\nA,B,C,D,E,F,",
		      &error),
	    STATUS_OK, &error);
	assert_status(csv_reader_next(&reader, &is_there, &error), STATUS_OK, &error);
	began = reader.began;
	assert_string_equal(reader.fields[0], "a");
	assert_string_equal(reader.fields[6], "g");
	assert_status(csv_reader_next(&reader, &is_there, &error), STATUS_OK, &error);
	assert_string_equal(reader.fields[5], "F");
	assert_string_equal(reader.fields[6], "");
	assert_status(csv_reader_at(&reader, began, &error), STATUS_OK, &error);
	assert_string_equal(reader.fields[2], "c");
	close_and_remove(&reader);
}

static void csv_reader__broken_files__are_refused_with_their_line(void **state)
{
	static const struct {
		const char *content, *words;
	} broken[] = {
	    {"", "line 1: the first line is not"},
	    {"sender,dn\n", "line 1: there are not seven fields"},
	    {"sender,dn,verdict,rule,site,target,way\n", "line 1: the first line is not"},
	    {REPORT_CSV_HEADER "a,b,c\n", "line 2: there are not seven fields"},
	    {REPORT_CSV_HEADER "a,b,c,d,e,f,g,h\n", "line 2: there are not seven fields"},
	    {REPORT_CSV_HEADER "a,\"b\nb\",c,d,e,f,g\r\na,b\"c,d,e,f,g\n", "line 4: a quote is not where it may be"},
	    {REPORT_CSV_HEADER "a,\"b\"x,c,d,e,f,g\n", "line 2: a quote is not where it may be"},
	    {REPORT_CSV_HEADER "a,\"b,c,d,e,f,g\n", "line 2: a quote is not where it may be"},
	    {REPORT_CSV_HEADER "a,b\rc,d,e,f,g,h\n", "line 2: a quote is not where it may be"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(broken); i++) {
		struct error error = {.status = STATUS_OK};
		struct csv_reader reader;
		bool is_there = true;
		enum status status = open_text(&reader, broken[i].content, &error);
		const bool is_open = status == STATUS_OK;
		const char *path;

		while (status == STATUS_OK && is_there)
			status = csv_reader_next(&reader, &is_there, &error);
		assert_row(broken[i].words, status == STATUS_INVALID);
		assert_row(broken[i].words, strstr(error.what, broken[i].words) != NULL);
		path = reader.path;
		if (is_open)
			csv_reader_close(&reader);
		assert_int_equal(unlink(path), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(report_csv_add_field__values__are_quoted_and_no_formula),
	    cmocka_unit_test(report_csv_add_row__row__has_the_fixed_columns),
	    cmocka_unit_test(report_csv_add_row__without_memory__fails_and_leaks_nothing),
	    cmocka_unit_test(csv_reader_next__what_was_written__is_read_again),
	    cmocka_unit_test(csv_reader_open__saved_by_a_spreadsheet__is_read),
	    cmocka_unit_test(csv_reader__broken_files__are_refused_with_their_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
