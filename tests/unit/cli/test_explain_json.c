/* SPDX-License-Identifier: Apache-2.0 */
#include "explain_sample.h"

#include <support/assertions.h>

#include <cli/explain_json.h>
#include <string.h>
#include <support/memory_failing.h>

static const struct check_sender alice = {"CORP\\alice", 10, false};

/* tests/unit/cli/test_explain.py parses what the program prints; here are the bytes of the difficult parts. */
static void explain_json__everything__is_one_pure_line(void **state)
{
	static const char *const parts[] = {
	    "{\"sender\":\"CORP\\\\alice\",\"verdict\":\"redirect\",\"code\":2150859161,",
	    "\"elapsed_us\":13250,\"detail\":null,\"quota\":{\"max_shells\":null,",
	    "\"identity\":{\"form\":\"domain-user\",\"by_token\":false,\"user\":\"alice\",\"domain\":\"CORP\",\"sid\":"
	    "null,",
	    "\"holds\":\"yes\",\"part\":\"decided\",\"note\":null,\"group\":3,\"paths\":[[\"cn=ops,ou=Groups,dc=x\","
	    "\"cn=WinRM "
	    "Users,ou=Groups,dc=x\"],[\"cn=ops,ou=Groups,dc=x\",\"cn=<b>\\u001b[31m\\u202egro\\\"up&,ou=Groups,"
	    "dc=x\",\"cn=b,ou=Groups,dc=x\",\"cn=WinRM "
	    "Users,ou=Groups,dc=x\"]],\"more_paths\":3,\"more_is_least\":false}",
	    "\"group\":null,\"paths\":[],\"more_paths\":0",
	    "{\"check\":\"password-expired\",\"denies\":false,\"state\":\"failed\",\"decided\":false}",
	    "\"evidence\":[\"userAccountControl: 512\",\"accountExpires: 0\"],\"changes_at\":null}",
	    "\"redirect\":{\"place\":\"site\",\"attribute\":\"l\",\"values\":[\"EMEA\",\"\\u001b]0;title\\u0007\"]",
	    "\"edges\":[[0,3],[0,1],[1,2],[2,1],[2,3],[4,5]]",
	    "\"steps\":[{\"step\":\"groups\",\"began_us\":0,\"elapsed_us\":12345,\"server\":null,\"extra\":false,"
	    "\"searches\":[]},{\"step\":\"round-trip\"",
	    "\"extra_searches\":1,\"cache\":{\"state\":\"absent\",\"kept\":true,\"ttl_ms\":300000},"
	    "\"watch\":{\"state\":\"behind\",",
	    "\"incomplete\":false}\n",
	};
	struct text out;

	(void)state;
	text_init(&out);
	explain_json(&out, &alice, &sample_decision, &sample_explanation);
	assert_false(text_failed(&out));
	for (size_t i = 0; i < COUNT_OF(parts); i++)
		if (strstr(text_string(&out), parts[i]) == NULL)
			fail_msg("not in\n%s\n%s", text_string(&out), parts[i]);
	assert_ptr_equal(strchr(text_string(&out), '\n'), text_string(&out) + out.length - 1);
	text_done(&out);
}

static void explain_json__nth_allocation_fails__says_so(void **state)
{
	bool is_over = false;

	(void)state;
	for (size_t n = 1; !is_over; n++) {
		struct text out;

		memory_fail_at(n);
		text_init(&out);
		explain_json(&out, &alice, &sample_decision, &sample_explanation);
		is_over = memory_fail_count() < n;
		assert_true(text_failed(&out) != is_over);
		memory_fail_at(0);
		text_done(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(explain_json__everything__is_one_pure_line),
	    cmocka_unit_test(explain_json__nth_allocation_fails__says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
