/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include <base/json.h>
#include <string.h>
#include <support/memory_failing.h>

static void json_add_string__hostile__is_one_pure_line(void **state)
{
	static const struct {
		const char *value, *expected;
	} rows[] = {
	    {"", "\"\""},
	    {"plain", "\"plain\""},
	    {"CORP\\alice", "\"CORP\\\\alice\""},
	    {"\"},{\"verdict\":\"authorize", "\"\\\"},{\\\"verdict\\\":\\\"authorize\""},
	    {"\\", "\"\\\\\""},
	    {"\\\"", "\"\\\\\\\"\""},
	    {"a\nb\r\tc", "\"a\\u000ab\\u000d\\u0009c\""},
	    {"\x01\x1f\x7f", "\"\\u0001\\u001f\\u007f\""},
	    {"\xC2\x80\xC2\x85\xC2\x9F", "\"\\u0080\\u0085\\u009f\""},
	    {"\xC2\xA0", "\"\xC2\xA0\""},
	    {"\xE2\x80\xA8\xE2\x80\xA9", "\"\\u2028\\u2029\""},
	    {"\xE2\x80\x8E\xE2\x80\x8F\xE2\x80\xAA\xE2\x80\xAE", "\"\\u200e\\u200f\\u202a\\u202e\""},
	    {"\xE2\x81\xA6\xE2\x81\xA9\xD8\x9C", "\"\\u2066\\u2069\\u061c\""},
	    {"\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80", "\"\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80\""},
	    {"a\xFFz", "\"a\xEF\xBF\xBDz\""},
	    {"\xC0\xA2", "\"\xEF\xBF\xBD\xEF\xBF\xBD\""}, /* an overlong quote is no quote */
	    {"\xED\xA0\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
	    {"cut\xE2\x82", "\"cut\xEF\xBF\xBD\xEF\xBF\xBD\""},
	    {"\xE2\x82\"", "\"\xEF\xBF\xBD\xEF\xBF\xBD\\\"\""}, /* a cut character does not swallow the quote */
	    {"</script>", "\"</script>\""},
	    {"%s%n", "\"%s%n\""},
	};
	struct text text;
	size_t i;

	(void)state;
	text_init(&text);
	for (i = 0; i < COUNT_OF(rows); i++) {
		text_clear(&text);
		json_add_string(&text, rows[i].value, strlen(rows[i].value));
		assert_row(rows[i].expected, strcmp(text_string(&text), rows[i].expected) == 0);
	}
	text_done(&text);
}

static void json_bytes__nul_inside__is_escaped(void **state)
{
	struct text text;

	(void)state;
	text_init(&text);
	json_begin(&text);
	json_bytes(&text, "sender", "a\0b", 3);
	json_end(&text);
	assert_string_equal(text_string(&text), "{\"sender\":\"a\\u0000b\"}");
	text_done(&text);
}

static void add_all(struct text *text)
{
	static const char *const path[] = {"uid=alice", "cn=[1", "cn=x"};

	json_begin(text);
	json_text(text, "sender", "CORP\\alice");
	json_text(text, "dn", NULL);
	json_number(text, "code", UINT64_MAX);
	json_number(text, "zero", 0);
	json_bool(text, "administrator", true);
	json_bool(text, "cached", false);
	json_null(text, "redirect_uri");
	json_text_array(text, "path", path, COUNT_OF(path));
	json_text_array(text, "none", NULL, 0);
	json_end(text);
}

#define ALL                                                                                                            \
	"{\"sender\":\"CORP\\\\alice\",\"dn\":null,\"code\":18446744073709551615,\"zero\":0,\"administrator\":true,"   \
	"\"cached\":false,\"redirect_uri\":null,\"path\":[\"uid=alice\",\"cn=[1\",\"cn=x\"],\"none\":[]}"

static void json_object__each_kind_of_member__has_its_commas(void **state)
{
	struct text text;

	(void)state;
	text_init(&text);
	add_all(&text);
	assert_string_equal(text_string(&text), ALL);
	text_done(&text);
}

static void json_object__empty__has_no_comma(void **state)
{
	struct text text;

	(void)state;
	text_init(&text);
	json_begin(&text);
	json_end(&text);
	assert_string_equal(text_string(&text), "{}");
	text_done(&text);
}

static void json_object__value_ends_in_a_brace__next_member_has_its_comma(void **state)
{
	struct text text;

	(void)state;
	text_init(&text);
	json_begin(&text);
	json_text(&text, "{", "{");
	json_text(&text, "[", "[");
	json_end(&text);
	assert_string_equal(text_string(&text), "{\"{\":\"{\",\"[\":\"[\"}");
	text_done(&text);
}

static void json_object__each_allocation_failing__is_told(void **state)
{
	const size_t before = memory_live_count();
	struct text text;
	size_t n = 0;

	(void)state;
	do {
		memory_fail_at(++n);
		text_init(&text);
		add_all(&text);
		assert_int_equal(text_failed(&text), memory_fail_count() >= n);
		if (!text_failed(&text))
			assert_string_equal(text_string(&text), ALL);
		text_done(&text);
		assert_int_equal(memory_live_count(), before);
	} while (memory_fail_count() >= n);
	assert_true(n > 2);
	memory_fail_at(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(json_add_string__hostile__is_one_pure_line),
	    cmocka_unit_test(json_bytes__nul_inside__is_escaped),
	    cmocka_unit_test(json_object__each_kind_of_member__has_its_commas),
	    cmocka_unit_test(json_object__empty__has_no_comma),
	    cmocka_unit_test(json_object__value_ends_in_a_brace__next_member_has_its_comma),
	    cmocka_unit_test(json_object__each_allocation_failing__is_told),
	};

	return cmocka_run_group_tests_name("base/json", tests, NULL, NULL);
}
