/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include <cli/probe.h>
#include <string.h>

static void probe_read_body__bodies__tell_who_answers(void **state)
{
	static const struct {
		const char *body;
		bool is_identify;
		const char *product;
	} rows[] = {
	    {"", false, ""},
	    {"<html>It works!</html>", false, ""},
	    {"<w:ProductVersion>OS</w:ProductVersion>", false, ""},
	    {"<w:IdentifyResponse/>", true, ""},
	    {"<w:IdentifyResponse><w:ProductVendor>V</w:ProductVendor><w:ProductVersion>OS: 1 Stack: "
	     "3.0</w:ProductVersion>",
	     true, "OS: 1 Stack: 3.0"},
	    {"<x:IdentifyResponse><x:ProductVendor>Openwsman</x:ProductVendor>", true, "Openwsman"},
	    {"<IdentifyResponse><ProductVersion>cut", true, "cut"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct probe_answer answer = {.code = 200};

		probe_read_body(rows[i].body, &answer);
		assert_int_equal(answer.is_identify, rows[i].is_identify);
		assert_string_equal(answer.product, rows[i].product);
	}
}

static void probe_read_body__long_product__is_cut(void **state)
{
	static char body[2000] = "<IdentifyResponse><ProductVersion>";
	struct probe_answer answer = {.code = 200};

	(void)state;
	memset(body + strlen(body), 'x', sizeof(body) - strlen(body) - 1);
	probe_read_body(body, &answer);
	assert_int_equal(strlen(answer.product), PROBE_TEXT_BYTES - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(probe_read_body__bodies__tell_who_answers),
	    cmocka_unit_test(probe_read_body__long_product__is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
