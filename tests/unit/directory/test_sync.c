/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include <base/memory.h>
#include <directory/dir_sync.h>
#include <stdlib.h>
#include <string.h>
#include <support/memory_failing.h>

/* Bytes of a value, with how many there are; NULs may be among them. */
#define BYTES(text) (text), sizeof(text) - 1

#define UUID_1      "\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff"
#define UUID_1_TEXT "00112233-4455-6677-8899-aabbccddeeff"
#define UUID_2      "\xfe\xdc\xba\x98\x76\x54\x32\x10\x01\x23\x45\x67\x89\xab\xcd\xef"
#define UUID_2_TEXT "fedcba98-7654-3210-0123-456789abcdef"

#define CSN_A       "20260101000000.000001Z#000000#001#000000"
#define CSN_B       "20260101000000.000002Z#000000#000#000000"

#define ENTRY_ADD   "\x30\x15\x0a\x01\x01\x04\x10" UUID_1
#define ENTRY_DELETE_COOKIE                                                                                            \
	"\x30\x1a\x0a\x01\x03\x04\x10" UUID_2 "\x04\x03"                                                               \
	"rid"
#define INFO_NEW_COOKIE "\x80\x03rid"
#define INFO_DELETE_END "\xa1\x00"
#define INFO_PRESENT_GOES_ON                                                                                           \
	"\xa2\x08\x04\x03"                                                                                             \
	"rid"                                                                                                          \
	"\x01\x01\x00"
#define INFO_IDS_GONE                                                                                                  \
	"\xa3\x2e\x04\x03"                                                                                             \
	"rid"                                                                                                          \
	"\x01\x01\xff\x31\x24\x04\x10" UUID_1 "\x04\x10" UUID_2
#define INFO_IDS_PRESENT "\xa3\x14\x31\x12\x04\x10" UUID_1
#define INFO_NO_IDS      "\xa3\x02\x31\x00"
#define DONE_DELETES                                                                                                   \
	"\x30\x08\x04\x03"                                                                                             \
	"rid"                                                                                                          \
	"\x01\x01\xff"

/* A copy that ends where the value ends, so that the address sanitizer sees a step beyond. */
static char *copy_exactly(const char *data, size_t length)
{
	char *copy = malloc(length > 0 ? length : 1);

	assert_non_null(copy);
	memcpy(copy, data, length);
	return copy;
}

static bool is_span(struct dir_span span, const char *expected)
{
	if (expected == NULL)
		return span.data == NULL;
	return span.length == strlen(expected) && memcmp(span.data, expected, span.length) == 0;
}

static void decode_entry__good_values__are_read(void **state)
{
	static const struct {
		const char *data;
		size_t length;
		enum dir_sync_state state;
		const char *id, *cookie;
	} rows[] = {
	    {BYTES("\x30\x15\x0a\x01\x00\x04\x10" UUID_1), DIR_SYNC_PRESENT, UUID_1_TEXT, NULL},
	    {BYTES(ENTRY_ADD), DIR_SYNC_ADD, UUID_1_TEXT, NULL},
	    {BYTES("\x30\x17\x0a\x01\x02\x04\x10" UUID_1 "\x04\x00"), DIR_SYNC_MODIFY, UUID_1_TEXT, ""},
	    {BYTES(ENTRY_DELETE_COOKIE), DIR_SYNC_DELETE, UUID_2_TEXT, "rid"},
	    /* BER, not DER: a length may be longer than it need be. */
	    {BYTES("\x30\x81\x15\x0a\x01\x01\x04\x10" UUID_1), DIR_SYNC_ADD, UUID_1_TEXT, NULL},
	    {BYTES("\x30\x84\x00\x00\x00\x17\x0a\x82\x00\x01\x01\x04\x10" UUID_1), DIR_SYNC_ADD, UUID_1_TEXT, NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct dir_sync_entry entry;
		char *data = copy_exactly(rows[i].data, rows[i].length);

		assert_true(dir_sync_decode_entry(data, rows[i].length, &entry));
		assert_int_equal(entry.state, rows[i].state);
		assert_string_equal(entry.id, rows[i].id);
		assert_true(is_span(entry.cookie, rows[i].cookie));
		free(data);
	}
}

static void decode_entry__bad_values__are_refused(void **state)
{
	static const struct {
		const char *row, *data;
		size_t length;
	} rows[] = {
	    {"nothing", BYTES("")},
	    {"no state", BYTES("\x30\x12\x04\x10" UUID_1)},
	    {"no id", BYTES("\x30\x03\x0a\x01\x01")},
	    {"state 4", BYTES("\x30\x15\x0a\x01\x04\x04\x10" UUID_1)},
	    {"state -1", BYTES("\x30\x15\x0a\x01\xff\x04\x10" UUID_1)},
	    {"state of two octets", BYTES("\x30\x16\x0a\x02\x00\x01\x04\x10" UUID_1)},
	    {"state of none", BYTES("\x30\x14\x0a\x00\x04\x10" UUID_1)},
	    {"state as an INTEGER", BYTES("\x30\x15\x02\x01\x01\x04\x10" UUID_1)},
	    {"id of 15 octets", BYTES("\x30\x14\x0a\x01\x01\x04\x0f" UUID_1)},
	    {"id of 17 octets", BYTES("\x30\x16\x0a\x01\x01\x04\x11" UUID_1 "x")},
	    {"something behind the sequence", BYTES(ENTRY_ADD "\x04\x00")},
	    {"something behind the cookie", BYTES("\x30\x19\x0a\x01\x01\x04\x10" UUID_1 "\x04\x00\x04\x00")},
	    {"a boolean instead of a cookie", BYTES("\x30\x18\x0a\x01\x01\x04\x10" UUID_1 "\x01\x01\xff")},
	    {"sequence too short for the id", BYTES("\x30\x14\x0a\x01\x01\x04\x10" UUID_1)},
	    {"sequence longer than the value", BYTES("\x30\x16\x0a\x01\x01\x04\x10" UUID_1)},
	    {"indefinite length", BYTES("\x30\x80\x0a\x01\x01\x04\x10" UUID_1 "\x00\x00")},
	    {"a length of nine octets",
	     BYTES("\x30\x89\x00\x00\x00\x00\x00\x00\x00\x00\x15\x0a\x01\x01\x04\x10" UUID_1)},
	    {"a length that wraps", BYTES("\x30\x84\xff\xff\xff\xff\x0a\x01\x01\x04\x10" UUID_1)},
	    {"a SET", BYTES("\x31\x15\x0a\x01\x01\x04\x10" UUID_1)},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct dir_sync_entry entry = {.id = "as it was"};
		char *data = copy_exactly(rows[i].data, rows[i].length);

		assert_row(rows[i].row, !dir_sync_decode_entry(data, rows[i].length, &entry));
		assert_row(rows[i].row, strcmp(entry.id, "as it was") == 0);
		free(data);
	}
}

static void decode_done__values__are_read_or_refused(void **state)
{
	static const struct {
		const char *row, *data;
		size_t length;
		bool is_good;
		const char *cookie;
		bool deletes;
	} rows[] = {
	    {"empty", BYTES("\x30\x00"), true, NULL, false},
	    {"all", BYTES(DONE_DELETES), true, "rid", true},
	    {"only the flag", BYTES("\x30\x03\x01\x01\x00"), true, NULL, false},
	    {"wrong order", BYTES("\x30\x08\x01\x01\xff\x04\x03rid"), false, NULL, false},
	    {"flag of two octets", BYTES("\x30\x04\x01\x02\x00\x00"), false, NULL, false},
	    {"flag of none", BYTES("\x30\x02\x01\x00"), false, NULL, false},
	    {"flag twice", BYTES("\x30\x06\x01\x01\x00\x01\x01\x00"), false, NULL, false},
	    {"nothing", BYTES(""), false, NULL, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct dir_sync_done done = {.refresh_deletes = false};
		char *data = copy_exactly(rows[i].data, rows[i].length);

		assert_row(rows[i].row, dir_sync_decode_done(data, rows[i].length, &done) == rows[i].is_good);
		assert_row(rows[i].row,
			   is_span(done.cookie, rows[i].cookie) && done.refresh_deletes == rows[i].deletes);
		free(data);
	}
}

static void decode_info__good_values__are_read(void **state)
{
	static const struct {
		const char *row, *data;
		size_t length;
		enum dir_sync_info_kind kind;
		const char *cookie;
		bool done, deletes;
		size_t ids;
	} rows[] = {
	    {"new cookie", BYTES(INFO_NEW_COOKIE), DIR_SYNC_NEW_COOKIE, "rid", false, false, 0},
	    {"new, empty cookie", BYTES("\x80\x00"), DIR_SYNC_NEW_COOKIE, "", false, false, 0},
	    {"end of deletes, by default", BYTES(INFO_DELETE_END), DIR_SYNC_REFRESH_DELETE, NULL, true, false, 0},
	    {"end of deletes", BYTES("\xa1\x03\x01\x01\xff"), DIR_SYNC_REFRESH_DELETE, NULL, true, false, 0},
	    {"goes on", BYTES(INFO_PRESENT_GOES_ON), DIR_SYNC_REFRESH_PRESENT, "rid", false, false, 0},
	    {"gone", BYTES(INFO_IDS_GONE), DIR_SYNC_ID_SET, "rid", false, true, 2},
	    {"present", BYTES(INFO_IDS_PRESENT), DIR_SYNC_ID_SET, NULL, false, false, 1},
	    {"no ids", BYTES(INFO_NO_IDS), DIR_SYNC_ID_SET, NULL, false, false, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		static const char *const expected[] = {UUID_1_TEXT, UUID_2_TEXT};
		char *data = copy_exactly(rows[i].data, rows[i].length), id[DIR_SYNC_ID_BYTES];
		struct dir_sync_info info;
		size_t count = 0;

		assert_row(rows[i].row, dir_sync_decode_info(data, rows[i].length, &info));
		assert_row(rows[i].row, info.kind == rows[i].kind && is_span(info.cookie, rows[i].cookie));
		assert_row(rows[i].row, info.refresh_done == rows[i].done && info.refresh_deletes == rows[i].deletes);
		for (; dir_sync_next_id(&info, id); count++)
			assert_row(rows[i].row, count < rows[i].ids && strcmp(id, expected[count]) == 0);
		assert_row(rows[i].row, count == rows[i].ids);
		free(data);
	}
}

static void decode_info__bad_values__are_refused(void **state)
{
	static const struct {
		const char *row, *data;
		size_t length;
	} rows[] = {
	    {"nothing", BYTES("")},
	    {"another choice", BYTES("\xa4\x00")},
	    {"primitive refreshDelete", BYTES("\x81\x00")},
	    {"constructed cookie", BYTES("\xa0\x00")},
	    {"EXPLICIT tags", BYTES("\xa1\x02\x30\x00")},
	    {"cookie behind the flag", BYTES("\xa1\x08\x01\x01\xff\x04\x03rid")},
	    {"no set", BYTES("\xa3\x00")},
	    {"a SEQUENCE of ids", BYTES("\xa3\x14\x30\x12\x04\x10" UUID_1)},
	    {"an id of 15 octets", BYTES("\xa3\x13\x31\x11\x04\x0f" UUID_1)},
	    {"an id that is cut", BYTES("\xa3\x26\x31\x24\x04\x10" UUID_1 "\x04\x10" UUID_2 "\x00")},
	    {"something among the ids", BYTES("\xa3\x16\x31\x14\x04\x10" UUID_1 "\x05\x00")},
	    {"something behind the set", BYTES("\xa3\x16\x31\x12\x04\x10" UUID_1 "\x05\x00")},
	    {"something behind the value", BYTES(INFO_NO_IDS "\x05\x00")},
	    {"a set beyond the value", BYTES("\xa3\x02\x31\x12\x04\x10" UUID_1)},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct dir_sync_info info = {.kind = DIR_SYNC_ID_SET};
		char *data = copy_exactly(rows[i].data, rows[i].length);

		assert_row(rows[i].row, !dir_sync_decode_info(data, rows[i].length, &info));
		assert_row(rows[i].row, info.kind == DIR_SYNC_ID_SET && info.ids.data == NULL);
		free(data);
	}
}

static const struct {
	const char *data;
	size_t length;
} seeds[] = {
    {BYTES(ENTRY_ADD)},     {BYTES(ENTRY_DELETE_COOKIE)},  {BYTES(INFO_NEW_COOKIE)},  {BYTES(INFO_DELETE_END)},
    {BYTES(INFO_IDS_GONE)}, {BYTES(INFO_PRESENT_GOES_ON)}, {BYTES(INFO_IDS_PRESENT)}, {BYTES(DONE_DELETES)},
};

static bool is_within(struct dir_span span, const char *data, size_t length)
{
	return span.data == NULL || (span.data >= data && span.data + span.length <= data + length);
}

/* Whatever comes: no step outside, spans inside. How many of the three take it. */
static size_t decode_all(const char *data, size_t length)
{
	struct dir_sync_entry entry;
	struct dir_sync_done done;
	struct dir_sync_info info;
	char id[DIR_SYNC_ID_BYTES];
	size_t taken = 0;

	if (dir_sync_decode_entry(data, length, &entry)) {
		taken++;
		assert_true(entry.state <= DIR_SYNC_DELETE && strlen(entry.id) == DIR_SYNC_ID_BYTES - 1);
		assert_true(is_within(entry.cookie, data, length));
	}
	if (dir_sync_decode_done(data, length, &done)) {
		taken++;
		assert_true(is_within(done.cookie, data, length));
	}
	if (dir_sync_decode_info(data, length, &info)) {
		taken++;
		assert_true(is_within(info.cookie, data, length) && is_within(info.ids, data, length));
		while (dir_sync_next_id(&info, id))
			assert_int_equal(strlen(id), DIR_SYNC_ID_BYTES - 1);
		assert_int_equal(info.ids.length, 0);
	}
	return taken;
}

static void decode__every_truncation__is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(seeds); i++) {
		for (size_t length = 0; length < seeds[i].length; length++) {
			char *data = copy_exactly(seeds[i].data, length);

			assert_int_equal(decode_all(data, length), 0);
			free(data);
		}
		assert_int_equal(decode_all(seeds[i].data, seeds[i].length), 1);
	}
}

/* A number below `limit` (xorshift64). */
static size_t random_number(uint64_t *random, size_t limit)
{
	*random ^= *random << 13;
	*random ^= *random >> 7;
	*random ^= *random << 17;
	return (size_t)(*random % limit);
}

static void decode__random_accidents__stay_inside(void **state)
{
	uint64_t random = 1;

	(void)state;
	for (size_t round = 0; round < 300000; round++) {
		const size_t seed = random_number(&random, COUNT_OF(seeds));
		const size_t length = random_number(&random, 8) == 0 ? random_number(&random, seeds[seed].length + 1)
								     : seeds[seed].length;
		char *data = copy_exactly(seeds[seed].data, length);

		for (size_t edits = random_number(&random, 4); edits > 0 && length > 0; edits--)
			data[random_number(&random, length)] = (char)random_number(&random, 256);
		(void)decode_all(data, length);
		free(data);
	}
}

static void encode_request__a_cookie__refresh_and_persist(void **state)
{
	static const char expected[] = "\x30\x84\x00\x00\x00\x10\x0a\x01\x03\x04\x84\x00\x00\x00\x07"
				       "rid=000";
	struct text value;

	(void)state;
	text_init(&value);
	assert_status(dir_sync_encode_request("rid=000", &value), STATUS_OK, NULL);
	assert_int_equal(value.length, sizeof(expected) - 1);
	assert_memory_equal(value.data, expected, sizeof(expected) - 1);
	text_done(&value);
}

static void mark_of_cookie__cookies__the_csns_sorted(void **state)
{
	static const struct {
		const char *cookie;
		enum status status;
		const char *mark;
	} rows[] = {
	    {"rid=000,csn=" CSN_A, STATUS_OK, CSN_A},
	    {"rid=000,sid=001,csn=" CSN_A, STATUS_OK, CSN_A},
	    {"rid=000,sid=001,csn=" CSN_B ";" CSN_A, STATUS_OK, CSN_A " " CSN_B},
	    {"rid=000,csn=" CSN_A ";" CSN_B ",delcsn=" CSN_B, STATUS_OK, CSN_A " " CSN_B},
	    {"csn=" CSN_A ",rid=000", STATUS_OK, CSN_A},
	    {"", STATUS_NOT_FOUND, "before"},
	    {"rid=000", STATUS_NOT_FOUND, "before"},
	    {"rid=000,sid=001", STATUS_NOT_FOUND, "before"},
	    {"rid=000,delcsn=" CSN_A, STATUS_NOT_FOUND, "before"},
	    {"host:389#cn=x:dc=x:(objectClass=*)#17", STATUS_NOT_FOUND, "before"},
	    {"rid=000,csn=", STATUS_INVALID, "before"},
	    {"rid=000,csn=" CSN_A ";", STATUS_INVALID, "before"},
	    {"rid=000,csn=;" CSN_A, STATUS_INVALID, "before"},
	    {"rid=000,csn=" CSN_A " " CSN_B, STATUS_INVALID, "before"},
	    {"rid=000,csn=" CSN_A "\n", STATUS_INVALID, "before"},
	};
	struct text mark;

	(void)state;
	text_init(&mark);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct dir_span cookie = {rows[i].cookie, strlen(rows[i].cookie)};

		text_clear(&mark);
		text_add(&mark, "before");
		assert_row(rows[i].cookie, dir_sync_mark_of_cookie(cookie, &mark) == rows[i].status);
		assert_string_equal(text_string(&mark), rows[i].mark);
	}
	assert_status(dir_sync_mark_of_cookie((struct dir_span){NULL, 0}, &mark), STATUS_NOT_FOUND, NULL);
	assert_status(dir_sync_mark_of_cookie((struct dir_span){"rid=0,csn=1\0", 12}, &mark), STATUS_INVALID, NULL);
	text_done(&mark);
}

static void mark_of_cookie__too_many_values__limit(void **state)
{
	struct text cookie, mark;

	(void)state;
	text_init(&cookie);
	text_init(&mark);
	text_add(&cookie, "csn=1");
	for (size_t i = 0; i < DIR_SYNC_MAX_VALUES; i++)
		text_add(&cookie, ";1");
	assert_status(dir_sync_mark_of_cookie((struct dir_span){text_string(&cookie), cookie.length}, &mark),
		      STATUS_LIMIT, NULL);
	text_done(&cookie);
	text_done(&mark);
}

static void join_values__values__sorted_as_text(void **state)
{
	const struct dir_value values[] = {{CSN_B, strlen(CSN_B)}, {CSN_A, strlen(CSN_A)}};
	struct text mark;

	(void)state;
	text_init(&mark);
	assert_status(dir_sync_join_values(values, 0, &mark), STATUS_NOT_FOUND, NULL);
	assert_status(dir_sync_join_values(values, 1, &mark), STATUS_OK, NULL);
	assert_string_equal(text_string(&mark), CSN_B);
	assert_status(dir_sync_join_values(values, 2, &mark), STATUS_OK, NULL);
	assert_string_equal(text_string(&mark), CSN_A " " CSN_B);
	text_done(&mark);
}

static void cookie_of_mark__a_mark__comes_back_from_the_cookie(void **state)
{
	struct text cookie, mark;

	(void)state;
	text_init(&cookie);
	text_init(&mark);
	assert_status(dir_sync_cookie_of_mark(CSN_A " " CSN_B, &cookie), STATUS_OK, NULL);
	assert_string_equal(text_string(&cookie), "rid=000,csn=" CSN_A ";" CSN_B);
	assert_status(dir_sync_mark_of_cookie((struct dir_span){text_string(&cookie), cookie.length}, &mark), STATUS_OK,
		      NULL);
	assert_string_equal(text_string(&mark), CSN_A " " CSN_B);
	text_done(&cookie);
	text_done(&mark);
}

static enum status there_and_back(void)
{
	struct text cookie, mark, value;
	enum status status;

	text_init(&cookie);
	text_init(&mark);
	text_init(&value);
	status = dir_sync_cookie_of_mark(CSN_B " " CSN_A, &cookie);
	if (status == STATUS_OK)
		status = dir_sync_encode_request(text_string(&cookie), &value);
	if (status == STATUS_OK)
		status = dir_sync_mark_of_cookie((struct dir_span){text_string(&cookie), cookie.length}, &mark);
	text_done(&cookie);
	text_done(&mark);
	text_done(&value);
	return status;
}

static void marks__no_memory__is_said(void **state)
{
	const size_t before = memory_live_count();

	(void)state;
	for (size_t n = 1;; n++) {
		enum status status;

		memory_fail_at(n);
		status = there_and_back();
		if (memory_fail_count() < n)
			break;
		assert_status(status, STATUS_NO_MEMORY, NULL);
		assert_int_equal(memory_live_count(), before);
	}
	memory_fail_at(0);
	assert_int_equal(memory_live_count(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(decode_entry__good_values__are_read),
	    cmocka_unit_test(decode_entry__bad_values__are_refused),
	    cmocka_unit_test(decode_done__values__are_read_or_refused),
	    cmocka_unit_test(decode_info__good_values__are_read),
	    cmocka_unit_test(decode_info__bad_values__are_refused),
	    cmocka_unit_test(decode__every_truncation__is_refused),
	    cmocka_unit_test(decode__random_accidents__stay_inside),
	    cmocka_unit_test(encode_request__a_cookie__refresh_and_persist),
	    cmocka_unit_test(mark_of_cookie__cookies__the_csns_sorted),
	    cmocka_unit_test(mark_of_cookie__too_many_values__limit),
	    cmocka_unit_test(join_values__values__sorted_as_text),
	    cmocka_unit_test(cookie_of_mark__a_mark__comes_back_from_the_cookie),
	    cmocka_unit_test(marks__no_memory__is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
