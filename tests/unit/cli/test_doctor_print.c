/* SPDX-License-Identifier: Apache-2.0 */
#include <cli/doctor_print.h>
#include <support/assertions.h>
#include <support/memory_failing.h>

static const struct doctor_line well = {.id = "dns", .group = "servers", .level = DOCTOR_OK, .text = "1 address"};
static const struct doctor_line hostile = {.id = "bind",
					   .group = "servers",
					   .level = DOCTOR_ERROR,
					   .subject = "ldap://dc1",
					   .text = "said \"no\"\n\x1B[31m and \xFF",
					   .remedy = "see\r<bind>"};

static const struct {
	const struct doctor_line *line;
	const char *text, *json;
} rows[] = {
    {&well, "  ok         dns                 1 address\n",
     "{\"id\":\"dns\",\"group\":\"servers\",\"level\":\"ok\",\"subject\":null,\"text\":\"1 "
     "address\",\"remedy\":null}\n"},
    {&hostile,
     "  error      bind                ldap://dc1: said \"no\"\xEF\xBF\xBD\xEF\xBF\xBD[31m and \xEF\xBF\xBD\n"
     "                                 -> see\xEF\xBF\xBD<bind>\n",
     "{\"id\":\"bind\",\"group\":\"servers\",\"level\":\"error\",\"subject\":\"ldap://dc1\","
     "\"text\":\"said \\\"no\\\"\\u000a\\u001b[31m and \xEF\xBF\xBD\",\"remedy\":\"see\\u000d<bind>\"}\n"},
};

static void doctor_print_add_text__lines__stay_lines_whatever_is_in_them(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct text text;

		text_init(&text);
		doctor_print_add_text(&text, rows[i].line);
		assert_string_equal(text_string(&text), rows[i].text);
		text_done(&text);
	}
}

static void doctor_print_add_json__lines__are_objects(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct text text;

		text_init(&text);
		doctor_print_add_json(&text, rows[i].line);
		assert_string_equal(text_string(&text), rows[i].json);
		text_done(&text);
	}
}

static void doctor_print_add__without_memory__fails_and_leaks_nothing(void **state)
{
	(void)state;
	for (size_t nth = 1;; nth++) {
		struct text text;
		bool failed;

		text_init(&text);
		memory_fail_at(nth);
		doctor_print_add_text(&text, &hostile);
		doctor_print_add_json(&text, &hostile);
		failed = memory_fail_count() >= nth;
		memory_fail_at(0);
		assert_int_equal(text_failed(&text), failed);
		text_done(&text);
		if (!failed)
			break;
	}
	assert_int_equal(memory_live_count(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(doctor_print_add_text__lines__stay_lines_whatever_is_in_them),
	    cmocka_unit_test(doctor_print_add_json__lines__are_objects),
	    cmocka_unit_test(doctor_print_add__without_memory__fails_and_leaks_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
