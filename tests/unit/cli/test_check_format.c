/* SPDX-License-Identifier: Apache-2.0 */
#include <cli/check_format.h>
#include <string.h>
#include <support/assertions.h>
#include <support/memory_failing.h>

static const char *const path[] = {"uid=alice,dc=x", "cn=a\\,b,dc=x", "CN=WinRM Users,dc=x"};

static const struct wa_decision authorized = {
    .verdict = WA_AUTHORIZE,
    .reason = WA_REASON_MEMBER,
    .rule = "allow CN=WinRM Users,dc=x",
    .dn = "uid=alice,dc=x",
    .path = path,
    .path_count = COUNT_OF(path),
    .administrator = true,
    .searches = 1,
    .elapsed_us = 812,
};
static const struct wa_decision redirected = {
    .verdict = WA_REDIRECT,
    .reason = WA_REASON_SITE_ELSEWHERE,
    .code = 0x80338199,
    .redirect_uri = "https://emea.corp.example:5986/wsman",
    .path = path,
    .path_count = COUNT_OF(path),
    .cached = true,
};
static const struct wa_decision failed = {
    .verdict = WA_ERROR,
    .reason = WA_REASON_DIRECTORY_UNAVAILABLE,
    .code = 0x80338083,
    .detail = "could not connect to 'dc1'\nand \x1B[31mthis is red",
};
static const struct wa_decision ruled_out = {
    .verdict = WA_DENY, .reason = WA_REASON_DENIED_GROUP, .code = 5, .rule = "deny CN=Leavers,dc=x"};
static const struct wa_decision nobody = {.verdict = WA_DENY, .reason = WA_REASON_NO_SUCH_USER, .code = 5};
static const struct wa_decision foreign = {
    .verdict = WA_DENY, .reason = WA_REASON_FOREIGN_DOMAIN, .code = 5, .detail = "no domain"};
static const struct wa_decision unknown = {.verdict = WA_DENY, .reason = WA_REASON_NOT_A_MEMBER, .code = 5};

static void check_format_json__decisions__have_all_members_in_order(void **state)
{
	static const struct {
		struct check_sender sender;
		const struct wa_decision *decision;
		const char *expected;
	} rows[] = {
	    {{"CORP\\alice", 10, false},
	     &authorized,
	     "{\"sender\":\"CORP\\\\alice\",\"verdict\":\"authorize\",\"code\":0,\"redirect_uri\":null,"
	     "\"rule\":\"allow CN=WinRM Users,dc=x\",\"reason\":\"member\",\"dn\":\"uid=alice,dc=x\","
	     "\"path\":[\"uid=alice,dc=x\",\"cn=a\\\\,b,dc=x\",\"CN=WinRM Users,dc=x\"],\"administrator\":true,"
	     "\"searches\":1,\"cached\":false,\"elapsed_us\":812}\n"},
	    {{"bob", 3, false},
	     &redirected,
	     "{\"sender\":\"bob\",\"verdict\":\"redirect\",\"code\":2150859161,"
	     "\"redirect_uri\":\"https://emea.corp.example:5986/wsman\",\"rule\":null,\"reason\":\"site-elsewhere\","
	     "\"dn\":null,\"path\":[\"uid=alice,dc=x\",\"cn=a\\\\,b,dc=x\",\"CN=WinRM Users,dc=x\"],"
	     "\"administrator\":false,\"searches\":0,\"cached\":true,\"elapsed_us\":0}\n"},
	    {{"a\xFF\0\n", 4, true},
	     &unknown,
	     "{\"sender\":\"a\xEF\xBF\xBD\\u0000\\u000a\xEF\xBF\xBD\",\"verdict\":\"deny\",\"code\":5,\"redirect_uri\":"
	     "null,"
	     "\"rule\":null,\"reason\":\"not-a-member\",\"dn\":null,\"path\":null,\"administrator\":false,"
	     "\"searches\":0,\"cached\":false,\"elapsed_us\":0}\n"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct text out;

		text_init(&out);
		check_format_json(&out, &rows[i].sender, rows[i].decision);
		assert_false(text_failed(&out));
		assert_string_equal(text_string(&out), rows[i].expected);
		text_done(&out);
	}
}

static void check_format_text__decisions__are_one_clean_line(void **state)
{
	static const struct {
		struct check_sender sender;
		const struct wa_decision *decision;
		const char *expected;
	} rows[] = {
	    {{"alice", 5, false},
	     &authorized,
	     "alice   authorize  member          via uid=alice -> cn=a\\,b -> CN=WinRM Users\n"},
	    {{"bob", 3, false},
	     &redirected,
	     "bob     redirect   site-elsewhere  to https://emea.corp.example:5986/wsman\n"},
	    {{"J\xC3\xB6rg", 5, false},
	     &ruled_out,
	     "J\xC3\xB6rg    deny       denied-group    by deny CN=Leavers,dc=x\n"},
	    {{"mallory", 7, false}, &unknown, "mallory  deny       not-a-member\n"},
	    {{"a\tb\x1B\xFF", 5, false},
	     &failed,
	     "a\xEF\xBF\xBD"
	     "b\xEF\xBF\xBD\xEF\xBF\xBD   error      directory-unavailable  could not connect to 'dc1'\xEF\xBF\xBD"
	     "and \xEF\xBF\xBD[31mthis is red\n"},
	    {{"\xE2\x80\xAE"
	      "evil",
	      7, true},
	     &unknown,
	     "\xEF\xBF\xBD"
	     "evil\xEF\xBF\xBD   deny       not-a-member\n"},
	    {{"", 0, false}, &unknown, "        deny       not-a-member\n"},
	    {{"", 0, false}, &nobody, "        deny       no-such-user\n"},
	    {{"C/al", 4, false}, &nobody, "C/al    deny       no-such-user    did you mean C\\al?\n"},
	    {{"C/al", 4, false}, &foreign, "C/al    deny       foreign-domain  no domain; did you mean C\\al?\n"},
	    {{"C/a\x1B", 4, false},
	     &nobody,
	     "C/a\xEF\xBF\xBD    deny       no-such-user    did you mean C\\a\xEF\xBF\xBD?\n"},
	    {{"C/al", 4, false}, &unknown, "C/al    deny       not-a-member\n"},
	    {{"C/", 2, false}, &nobody, "C/      deny       no-such-user\n"},
	    {{"/al", 3, false}, &nobody, "/al     deny       no-such-user\n"},
	    {{"a/b@c", 5, false}, &nobody, "a/b@c   deny       no-such-user\n"},
	    {{"C\\a/b", 5, false}, &nobody, "C\\a/b   deny       no-such-user\n"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct text out;

		text_init(&out);
		check_format_text(&out, &rows[i].sender, rows[i].decision, 6);
		assert_false(text_failed(&out));
		assert_string_equal(text_string(&out), rows[i].expected);
		text_done(&out);
	}
}

static void check_format_json__the_nth_allocation_fails__is_seen(void **state)
{
	static const struct check_sender sender = {"alice", 5, true};
	bool has_failed = true;
	size_t before = memory_live_count(), n = 1;

	(void)state;
	for (; has_failed && n < 50; n++) {
		struct text out;

		text_init(&out);
		memory_fail_at(n);
		check_format_json(&out, &sender, &authorized);
		has_failed = memory_fail_count() >= n;
		memory_fail_at(0);
		assert_int_equal(text_failed(&out), has_failed);
		text_done(&out);
		assert_int_equal(memory_live_count(), before);
	}
	assert_false(has_failed);
	assert_true(n > 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(check_format_json__decisions__have_all_members_in_order),
	    cmocka_unit_test(check_format_text__decisions__are_one_clean_line),
	    cmocka_unit_test(check_format_json__the_nth_allocation_fails__is_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
