/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include <config/config.h>
#include <config/config_value.h>
#include <string.h>

/* Left where a function must not touch its output. */
#define UNTOUCHED UINT64_C(0xfeedface)

struct number_row {
	const char *text;
	bool taken;
	uint64_t value;
};

static void config_parse_duration__texts__gives_milliseconds_or_refuses(void **state)
{
	static const struct number_row rows[] = {
	    {"0s", true, 0},
	    {"0ms", true, 0},
	    {"500ms", true, 500},
	    {"3s", true, 3000},
	    {"5m", true, 300000},
	    {"2h", true, 7200000},
	    {"007s", true, 7000},
	    {"2400h", true, CONFIG_MAX_DURATION_MS},
	    {"8640000000ms", true, CONFIG_MAX_DURATION_MS},
	    {"8640000001ms", false, 0},
	    {"2401h", false, 0},
	    {"18446744073709551615ms", false, 0},
	    {"18446744073709551616ms", false, 0},
	    {"99999999999999999999999h", false, 0},
	    {"", false, 0},
	    {"s", false, 0},
	    {"5", false, 0},
	    {"0", false, 0},
	    {"5 s", false, 0},
	    {" 5s", false, 0},
	    {"5s ", false, 0},
	    {"5S", false, 0},
	    {"5d", false, 0},
	    {"5sec", false, 0},
	    {"-5s", false, 0},
	    {"+5s", false, 0},
	    {"1.5s", false, 0},
	    {"1e3s", false, 0},
	    {"0x5s", false, 0},
	    {"5m30s", false, 0},
	    {"\xd9\xa5s", false, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		uint64_t value = UNTOUCHED;

		assert_row(rows[i].text, config_parse_duration(rows[i].text, &value) == rows[i].taken);
		assert_row(rows[i].text, value == (rows[i].taken ? rows[i].value : UNTOUCHED));
	}
}

static void config_parse_size__texts__gives_bytes_or_refuses(void **state)
{
	static const struct number_row rows[] = {
	    {"0B", true, 0},
	    {"4096B", true, 4096},
	    {"64KB", true, 65536},
	    {"0", false, 0},
	    {"4096", false, 0},
	    {"64b", false, 0},
	    {"128MB", true, UINT64_C(134217728)},
	    {"1GB", true, UINT64_C(1073741824)},
	    {"17179869183GB", true, UINT64_C(17179869183) << 30},
	    {"17179869184GB", false, 0},
	    {"18446744073709551615B", true, UINT64_MAX},
	    {"18446744073709551616B", false, 0},
	    {"", false, 0},
	    {"B", false, 0},
	    {"KB", false, 0},
	    {"64kb", false, 0},
	    {"64K", false, 0},
	    {"64KiB", false, 0},
	    {"64 KB", false, 0},
	    {"-1", false, 0},
	    {"1TB", false, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		uint64_t value = UNTOUCHED;

		assert_row(rows[i].text, config_parse_size(rows[i].text, &value) == rows[i].taken);
		assert_row(rows[i].text, value == (rows[i].taken ? rows[i].value : UNTOUCHED));
	}
}

static void config_parse_number__texts__gives_numbers_up_to_the_maximum(void **state)
{
	static const struct number_row rows[] = {
	    {"0", true, 0}, {"8", true, 8},   {"9", false, 0},  {"10", false, 0},
	    {"", false, 0}, {" 1", false, 0}, {"1 ", false, 0}, {"1KB", false, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		uint64_t value = UNTOUCHED;

		assert_row(rows[i].text, config_parse_number(rows[i].text, 8, &value) == rows[i].taken);
		assert_row(rows[i].text, value == (rows[i].taken ? rows[i].value : UNTOUCHED));
	}
}

#define LABEL_63 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz12345678901"

static void config_is_domain_name__names__takes_netbios_and_dns_names(void **state)
{
	static const struct {
		const char *name;
		bool expected;
	} rows[] = {
	    {"CORP", true},
	    {"corp.example", true},
	    {"a.b.c", true},
	    {"my_corp", true},
	    {"3com", true},
	    {"R&D", true},
	    {LABEL_63, true},
	    {LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_63, false},
	    {LABEL_63 "2", false},
	    {"R&D-but-far-too-long", false},
	    {"", false},
	    {".", false},
	    {"corp.", false},
	    {".corp", false},
	    {"a..b", false},
	    {"CO RP", false},
	    {"CO\\RP", false},
	    {"corp@example", false},
	    {"corp/example", false},
	    {"corp:1", false},
	    {"k\xc3\xb6ln", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_row(rows[i].name, config_is_domain_name(rows[i].name, strlen(rows[i].name)) == rows[i].expected);
	assert_false(config_is_domain_name("CO\0RP", 5));
}

static void config_is_comma_list__words__tells_lists_from_commas_in_a_path(void **state)
{
	static const struct {
		const char *word;
		bool expected;
	} rows[] = {
	    {"", false},
	    {"https://a:1/x", false},
	    {"https://a:1/x,y", false},
	    {"https://a:1/x,y:/z", false},
	    {"https://a:1/x,", true},
	    {",https://a:1/x", true},
	    {"https://a:1/x,https://b:1/x", true},
	    {"https://a:1/x,y,https://b:1/x", true},
	    {",", true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_row(rows[i].word, config_is_comma_list(rows[i].word, strlen(rows[i].word)) == rows[i].expected);
	assert_false(config_is_comma_list("https://a:1/x,", 13));
}

static void config_is_thumbprint__texts__takes_forty_digits(void **state)
{
	static const char digits[] = "0123456789abcdefABCDEF012345678901234567";

	(void)state;
	assert_true(config_is_thumbprint(digits, 40));
	assert_false(config_is_thumbprint(digits, 39));
	assert_false(config_is_thumbprint("0123456789abcdefABCDEF0123456789012345678", 41));
	assert_false(config_is_thumbprint("0123456789abcdefABCDEF01234567890123456g", 40));
	assert_false(config_is_thumbprint("01 23 45 67 89 ab cd ef 01 23 45 67 89 a", 40));
	assert_false(config_is_thumbprint("", 0));
}

static void config_show__values__cuts_at_a_character_and_hides_controls(void **state)
{
	char long_value[128];
	struct config_shown shown;

	(void)state;
	assert_string_equal(config_show(&shown, "", 0), "");
	assert_string_equal(config_show(&shown, "caf\xc3\xa9", 5), "caf\xc3\xa9");
	assert_string_equal(config_show(&shown, "a\r\nb\x1b[0m", 8), "a??b?[0m");
	assert_string_equal(config_show(&shown,
					"a\xe2\x80\xae"
					"b",
					5),
			    "a?b");
	assert_string_equal(config_show(&shown,
					"a\xff"
					"b\0",
					4),
			    "a?b?");
	memset(long_value, 'x', sizeof(long_value));
	long_value[CONFIG_SHOWN_BYTES - 1] = '\xc3';
	long_value[CONFIG_SHOWN_BYTES] = '\xa9';
	config_show(&shown, long_value, CONFIG_SHOWN_BYTES);
	assert_int_equal(strlen(shown.text), CONFIG_SHOWN_BYTES);
	config_show(&shown, long_value, sizeof(long_value));
	assert_int_equal(strlen(shown.text), CONFIG_SHOWN_BYTES - 1 + 3);
	assert_string_equal(shown.text + CONFIG_SHOWN_BYTES - 2, "x...");
}

static void config_hint_names__wrong_names__suggests_the_near_one_or_all(void **state)
{
	static const char *const names[] = {"group", "max-shells", "max-operations", "administrator", "fresh"};
	static const struct {
		const char *wrong;
		const char *expected;
	} rows[] = {
	    {"max-shell", "did you mean 'max-shells'?"},
	    {"maxShells", "did you mean 'max-shells'?"},
	    {"MAX-SHELLS", "did you mean 'max-shells'?"},
	    {"max-shelsl", "did you mean 'max-shells'?"},
	    {"gruop", "did you mean 'group'?"},
	    {"fersh", "did you mean 'fresh'?"},
	    {"admin", "allowed here: group, max-shells, max-operations, administrator, fresh"},
	    {"", "allowed here: group, max-shells, max-operations, administrator, fresh"},
	    {"a-name-that-is-longer-than-any-of-ours-can-be", "allowed here: group, max-shells, max-operations, "
							      "administrator, fresh"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct error error = {.status = STATUS_OK};
		enum status status = config_hint_names(&error, STATUS_INVALID, rows[i].wrong, names, COUNT_OF(names));

		if (strcmp(error.hint, rows[i].expected) != 0)
			print_error("got \"%s\"\n", error.hint);
		assert_row(rows[i].wrong, strcmp(error.hint, rows[i].expected) == 0);
		assert_int_equal(status, STATUS_INVALID);
	}
}

static void config_hint_names__more_names_than_fit__are_cut(void **state)
{
	static const char name[] = "a-name-of-some-length-for-the-hint";
	const char *names[32];
	struct error error = {.status = STATUS_OK};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(names); i++)
		names[i] = name;

	assert_int_equal(config_hint_names(&error, STATUS_LIMIT, "zzz", names, COUNT_OF(names)), STATUS_LIMIT);
	assert_contains(error.hint, "allowed here: a-name-of-some-length-for-the-hint, a-name");
	assert_in_range(strlen(error.hint), 400, ERROR_TEXT_BYTES - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(config_parse_duration__texts__gives_milliseconds_or_refuses),
	    cmocka_unit_test(config_parse_size__texts__gives_bytes_or_refuses),
	    cmocka_unit_test(config_parse_number__texts__gives_numbers_up_to_the_maximum),
	    cmocka_unit_test(config_is_domain_name__names__takes_netbios_and_dns_names),
	    cmocka_unit_test(config_is_comma_list__words__tells_lists_from_commas_in_a_path),
	    cmocka_unit_test(config_is_thumbprint__texts__takes_forty_digits),
	    cmocka_unit_test(config_show__values__cuts_at_a_character_and_hides_controls),
	    cmocka_unit_test(config_hint_names__wrong_names__suggests_the_near_one_or_all),
	    cmocka_unit_test(config_hint_names__more_names_than_fit__are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
