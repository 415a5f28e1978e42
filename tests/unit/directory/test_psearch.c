/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include <directory/dir_psearch.h>
#include <stdlib.h>
#include <string.h>
#include <support/memory_failing.h>

/* Bytes of a value, with how many there are; NULs may be among them. */
#define BYTES(text) (text), sizeof(text) - 1

/* A copy that ends where the value ends, so that the address sanitizer sees a step beyond. */
static char *copy_exactly(const char *data, size_t length)
{
	char *copy = malloc(length > 0 ? length : 1);

	assert_non_null(copy);
	memcpy(copy, data, length);
	return copy;
}

static bool is_span(struct dir_span span, const char *data, size_t length)
{
	return data == NULL ? span.data == NULL : span.length == length && memcmp(span.data, data, length) == 0;
}

static void request__always__asks_for_changes_of_every_kind(void **state)
{
	static const char expected[] = "\x30\x09\x02\x01\x0f\x01\x01\xff\x01\x01\xff";

	(void)state;
	assert_true(is_span(dir_psearch_request(), BYTES(expected)));
}

static void decode_notice__good_values__are_read(void **state)
{
	static const struct {
		const char *data;
		size_t length;
		enum dir_psearch_change change;
		const char *previous;
		const char *number;
		size_t number_length;
	} rows[] = {
	    {BYTES("\x30\x03\x0a\x01\x01"), DIR_PSEARCH_ADD, NULL, NULL, 0},
	    {BYTES("\x30\x03\x0a\x01\x02"), DIR_PSEARCH_DELETE, NULL, NULL, 0},
	    {BYTES("\x30\x03\x0a\x01\x04"), DIR_PSEARCH_MODIFY, NULL, NULL, 0},
	    {BYTES("\x30\x03\x0a\x01\x08"), DIR_PSEARCH_RENAME, NULL, NULL, 0},
	    {BYTES("\x30\x0a\x0a\x01\x08\x04\x05"
		   "uid=a"),
	     DIR_PSEARCH_RENAME, "uid=a", NULL, 0},
	    {BYTES("\x30\x05\x0a\x01\x08\x04\x00"), DIR_PSEARCH_RENAME, "", NULL, 0},
	    {BYTES("\x30\x06\x0a\x01\x04\x02\x01\x07"), DIR_PSEARCH_MODIFY, NULL, BYTES("\x07")},
	    {BYTES("\x30\x0e\x0a\x01\x08\x04\x05"
		   "uid=a\x02\x02\x01\x00"),
	     DIR_PSEARCH_RENAME, "uid=a", BYTES("\x01\x00")},
	    /* BER, not DER: a length may be longer than it need be. */
	    {BYTES("\x30\x84\x00\x00\x00\x04\x0a\x81\x01\x01"), DIR_PSEARCH_ADD, NULL, NULL, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct dir_psearch_notice notice;
		char *data = copy_exactly(rows[i].data, rows[i].length);

		assert_true(dir_psearch_decode_notice(data, rows[i].length, &notice));
		assert_int_equal(notice.change, rows[i].change);
		assert_true(is_span(notice.previous_dn, rows[i].previous,
				    rows[i].previous == NULL ? 0 : strlen(rows[i].previous)));
		assert_true(is_span(notice.change_number, rows[i].number, rows[i].number_length));
		free(data);
	}
}

static void decode_notice__bad_values__are_refused(void **state)
{
	static const struct {
		const char *row, *data;
		size_t length;
	} rows[] = {
	    {"nothing", BYTES("")},
	    {"no change", BYTES("\x30\x00")},
	    {"change 0", BYTES("\x30\x03\x0a\x01\x00")},
	    {"two changes in one", BYTES("\x30\x03\x0a\x01\x03")},
	    {"change 16", BYTES("\x30\x03\x0a\x01\x10")},
	    {"change -1", BYTES("\x30\x03\x0a\x01\xff")},
	    {"change of two octets", BYTES("\x30\x04\x0a\x02\x00\x01")},
	    {"change of none", BYTES("\x30\x02\x0a\x00")},
	    {"change as an INTEGER", BYTES("\x30\x03\x02\x01\x01")},
	    {"a SET", BYTES("\x31\x03\x0a\x01\x01")},
	    {"previous DN of one that was not renamed", BYTES("\x30\x06\x0a\x01\x04\x04\x01x")},
	    {"previous DN longer than the sequence", BYTES("\x30\x06\x0a\x01\x08\x04\x02x")},
	    {"number of no octets", BYTES("\x30\x05\x0a\x01\x04\x02\x00")},
	    {"number of nine octets", BYTES("\x30\x0e\x0a\x01\x04\x02\x09"
					    "123456789")},
	    {"number before the previous DN", BYTES("\x30\x09\x0a\x01\x08\x02\x01\x07\x04\x01x")},
	    {"number twice", BYTES("\x30\x09\x0a\x01\x04\x02\x01\x07\x02\x01\x07")},
	    {"something behind the number", BYTES("\x30\x08\x0a\x01\x04\x02\x01\x07\x05\x00")},
	    {"something behind the sequence", BYTES("\x30\x03\x0a\x01\x01\x05\x00")},
	    {"sequence longer than the value", BYTES("\x30\x04\x0a\x01\x01")},
	    {"sequence too short for the change", BYTES("\x30\x02\x0a\x01\x01")},
	    {"indefinite length", BYTES("\x30\x80\x0a\x01\x01\x00\x00")},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct dir_psearch_notice notice = {.change = DIR_PSEARCH_RENAME, .change_number = {"as it was", 9}};
		char *data = copy_exactly(rows[i].data, rows[i].length);

		assert_row(rows[i].row, !dir_psearch_decode_notice(data, rows[i].length, &notice));
		assert_row(rows[i].row, notice.change == DIR_PSEARCH_RENAME && notice.change_number.length == 9);
		free(data);
	}
}

/* An entry of single values. */
struct dse {
	struct dir_value values[4];
	struct dir_attribute attributes[4];
	struct dir_entry entry;
};

static struct dse *make_dse(struct dse *dse, const char *const (*pairs)[2], size_t count)
{
	*dse = (struct dse){.entry = {.dn = "", .attributes = dse->attributes, .attribute_count = count}};
	for (size_t i = 0; i < count; i++) {
		dse->values[i] = (struct dir_value){pairs[i][1], strlen(pairs[i][1])};
		dse->attributes[i] = (struct dir_attribute){pairs[i][0], &dse->values[i], 1};
	}
	return dse;
}

static void server__root_dse__names_it(void **state)
{
	static const char *const good[][2] = {{"netscapemdsuffix", "cn=ldap://dc=a:389"}, {"dataversion", "0201"}};
	static const char *const empty[][2] = {{"netscapemdsuffix", ""}, {"dataversion", "0201"}};
	struct text server;
	struct dse dse;

	(void)state;
	text_init(&server);
	assert_int_equal(dir_psearch_server(&make_dse(&dse, good, 2)->entry, &server), STATUS_OK);
	assert_string_equal(text_string(&server), "server: cn=ldap://dc=a:389 0201");
	assert_true(dir_psearch_is_server(text_string(&server)));
	assert_false(dir_psearch_is_server("20260101000000.000001Z#000000#001#000000"));
	assert_int_equal(dir_psearch_server(&make_dse(&dse, good, 1)->entry, &server), STATUS_NOT_FOUND);
	assert_int_equal(dir_psearch_server(&make_dse(&dse, empty, 2)->entry, &server), STATUS_NOT_FOUND);
	make_dse(&dse, good, 2)->values[0].length = 30; /* with a NUL in it */
	assert_int_equal(dir_psearch_server(&dse.entry, &server), STATUS_NOT_FOUND);
	make_dse(&dse, good, 2)->attributes[1].value_count = 2;
	assert_int_equal(dir_psearch_server(&dse.entry, &server), STATUS_NOT_FOUND);
	assert_int_equal(dir_psearch_server(NULL, &server), STATUS_NOT_FOUND);
	text_done(&server);
}

static void server__no_memory__is_said(void **state)
{
	static const char *const good[][2] = {{"netscapemdsuffix", "cn=ldap://dc=a:389"}, {"dataversion", "0201"}};
	struct text server;
	struct dse dse;

	(void)state;
	text_init(&server);
	memory_fail_at(1);
	assert_int_equal(dir_psearch_server(&make_dse(&dse, good, 2)->entry, &server), STATUS_NO_MEMORY);
	memory_fail_at(0);
	text_done(&server);
	assert_int_equal(memory_live_count(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(request__always__asks_for_changes_of_every_kind),
	    cmocka_unit_test(decode_notice__good_values__are_read),
	    cmocka_unit_test(decode_notice__bad_values__are_refused),
	    cmocka_unit_test(server__root_dse__names_it),
	    cmocka_unit_test(server__no_memory__is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
