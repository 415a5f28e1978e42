/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include <base/sid.h>
#include <string.h>

#define FIFTEEN "-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15"
#define SIXTEEN "S-1-5-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15-16"

static void sid_parse_text__valid__formats_to_the_same(void **state)
{
	static const struct {
		const char *text, *formatted;
	} rows[] = {
	    {"S-1-1-0", "S-1-1-0"},
	    {"S-1-5-18", "S-1-5-18"},
	    {"s-1-5-32-544", "S-1-5-32-544"},
	    {"S-1-5-21-3623811015-3361044348-30300820-1013", "S-1-5-21-3623811015-3361044348-30300820-1013"},
	    {"S-1-5-21-0-4294967295", "S-1-5-21-0-4294967295"},
	    {"S-1-4294967295-1", "S-1-4294967295-1"},
	    {"S-1-0x000100000000-1", "S-1-0x000100000000-1"},
	    {"S-1-0xFFFFFFFFFFFF-1", "S-1-0xFFFFFFFFFFFF-1"},
	    {"S-1-0Xabcdef012345-1", "S-1-0xABCDEF012345-1"},
	    {"S-1-5" FIFTEEN, "S-1-5" FIFTEEN},
	};
	char text[SID_TEXT_BYTES];
	struct sid sid;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT_OF(rows); i++) {
		assert_row(rows[i].text, sid_parse_text(rows[i].text, strlen(rows[i].text), &sid));
		sid_format(&sid, text);
		assert_string_equal(text, rows[i].formatted);
	}
}

static void sid_parse_text__invalid__is_refused(void **state)
{
	static const char *const rows[] = {
	    "",
	    "S",
	    "S-",
	    "S-1",
	    "S-1-",
	    "S-1-5",
	    "S-1-5-",
	    "X-1-5-18",
	    "S-2-5-18",
	    "S-0-5-18",
	    "S-01-5-18",
	    "S-1-05-18",
	    "S-1-5-018",
	    "S-1-5-00",
	    "S-1-5-4294967296",
	    "S-1-5-99999999999999999999",
	    "S-1-4294967296-1",
	    "S-1--5-18",
	    "S-1-5--18",
	    "S-1-5-+18",
	    "S-1-5- 18",
	    " S-1-5-18",
	    "S-1-5-18 ",
	    "S-1-5-18\n",
	    "S-1-5-18-",
	    "S-1-5-18x",
	    "S-1-5-0x12",
	    "S-1-0x5-18",
	    "S-1-0x000000000005-18",
	    "S-1-0x0000FFFFFFFF-1",
	    "S-1-0x1000000000000-1",
	    "S-1-0x00010000000-1",
	    "S-1-0x00010000000g-1",
	    "S-1-0x",
	    "S-1-0x000100000000",
	    "S_1_5_18",
	    "BA",
	    SIXTEEN,
	    "S-1-5-\xD9\xA1",
	    "S\xE2\x88\x92-5-18",
	};
	struct sid sid, before;
	size_t i;

	(void)state;
	memset(&before, 0x5A, sizeof(before));
	sid = before;
	for (i = 0; i < COUNT_OF(rows); i++) {
		assert_row(rows[i], !sid_parse_text(rows[i], strlen(rows[i]), &sid));
		assert_memory_equal(&sid, &before, sizeof(sid));
	}
}

static void sid_parse_text__nul_behind__is_refused(void **state)
{
	struct sid sid;

	(void)state;
	assert_false(sid_parse_text("S-1-5-18", 9, &sid));
	assert_false(sid_parse_text("S-1-5-1\0008", 9, &sid));
}

static void sid_parse_text__length_ends_inside__reads_no_further(void **state)
{
	struct sid sid;
	char text[SID_TEXT_BYTES];

	(void)state;
	assert_true(sid_parse_text("S-1-5-32-544", 10, &sid));
	sid_format(&sid, text);
	assert_string_equal(text, "S-1-5-32-5");
	assert_false(sid_parse_text("S-1-0x000100000000-1", 12, &sid));
}

/* The example of MS-DTYP 2.4.2.4: BUILTIN\Administrators. */
static void sid_parse_binary__administrators__is_read(void **state)
{
	static const uint8_t data[] = {1, 2, 0, 0, 0, 0, 0, 5, 0x20, 0, 0, 0, 0x20, 2, 0, 0};
	char text[SID_TEXT_BYTES];
	uint8_t encoded[SID_BINARY_BYTES];
	struct sid sid;

	(void)state;
	assert_true(sid_parse_binary(data, sizeof(data), &sid));
	sid_format(&sid, text);
	assert_string_equal(text, "S-1-5-32-544");
	assert_int_equal(sid_encode(&sid, encoded), sizeof(data));
	assert_memory_equal(encoded, data, sizeof(data));
}

static void sid_parse_binary__byte_orders__authority_big_subs_little(void **state)
{
	static const uint8_t data[] = {1, 1, 1, 2, 3, 4, 5, 6, 0x78, 0x56, 0x34, 0xF2};
	struct sid sid;

	(void)state;
	assert_true(sid_parse_binary(data, sizeof(data), &sid));
	assert_true(sid.authority == 0x010203040506);
	assert_int_equal(sid.sub[0], 0xF2345678u);
}

static void sid_parse_binary__largest__survives_all_forms(void **state)
{
	uint8_t data[SID_BINARY_BYTES], encoded[SID_BINARY_BYTES];
	char text[SID_TEXT_BYTES];
	struct sid sid, again;

	(void)state;
	memset(data, 0xFF, sizeof(data));
	data[0] = 1;
	data[1] = SID_MAX_SUBS;
	assert_true(sid_parse_binary(data, sizeof(data), &sid));
	sid_format(&sid, text);
	assert_int_equal(strlen(text), strlen("S-1-0xFFFFFFFFFFFF") + 15 * strlen("-4294967295"));
	assert_true(sid_parse_text(text, strlen(text), &again));
	assert_true(sid_is_equal(&sid, &again));
	assert_int_equal(sid_encode(&again, encoded), sizeof(data));
	assert_memory_equal(encoded, data, sizeof(data));
}

static void sid_parse_binary__wrong__is_refused(void **state)
{
	uint8_t data[SID_BINARY_BYTES + 8] = {1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0};
	struct sid sid = {.authority = 77};
	size_t length;

	(void)state;
	for (length = 0; length < 20; length++)
		assert_int_equal(sid_parse_binary(data, length, &sid), length == 12);
	data[0] = 2;
	assert_false(sid_parse_binary(data, 12, &sid));
	data[0] = 1;
	data[1] = 0;
	assert_false(sid_parse_binary(data, 8, &sid));
	data[1] = 16;
	assert_false(sid_parse_binary(data, 8 + 4 * 16, &sid));
}

static void sid_format__no_sid__is_empty(void **state)
{
	static const struct sid none, wild = {.sub_count = 200};
	uint8_t encoded[SID_BINARY_BYTES];
	char text[SID_TEXT_BYTES] = "x";

	(void)state;
	sid_format(&none, text);
	assert_string_equal(text, "");
	sid_format(&wild, text);
	assert_string_equal(text, "");
	assert_int_equal(sid_encode(&none, encoded), 0);
	assert_int_equal(sid_encode(&wild, encoded), 0);
}

static void sid_is_equal__each_part__counts(void **state)
{
	const struct sid sid = {.authority = 5, .sub_count = 2, .sub = {32, 544}};
	struct sid other = sid;

	(void)state;
	/* What lies behind the last sub-authority does not. */
	other.sub[2] = 1;
	assert_true(sid_is_equal(&sid, &other));
	other.sub[1] = 545;
	assert_false(sid_is_equal(&sid, &other));
	other = sid;
	other.authority = 6;
	assert_false(sid_is_equal(&sid, &other));
	other = sid;
	other.sub_count = 1;
	assert_false(sid_is_equal(&sid, &other));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sid_parse_text__valid__formats_to_the_same),
	    cmocka_unit_test(sid_parse_text__invalid__is_refused),
	    cmocka_unit_test(sid_parse_text__nul_behind__is_refused),
	    cmocka_unit_test(sid_parse_text__length_ends_inside__reads_no_further),
	    cmocka_unit_test(sid_parse_binary__administrators__is_read),
	    cmocka_unit_test(sid_parse_binary__byte_orders__authority_big_subs_little),
	    cmocka_unit_test(sid_parse_binary__largest__survives_all_forms),
	    cmocka_unit_test(sid_parse_binary__wrong__is_refused),
	    cmocka_unit_test(sid_format__no_sid__is_empty),
	    cmocka_unit_test(sid_is_equal__each_part__counts),
	};

	return cmocka_run_group_tests_name("base/sid", tests, NULL, NULL);
}
