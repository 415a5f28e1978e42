/* SPDX-License-Identifier: Apache-2.0 */
#include <identity/group_name.h>

#include <base/compiler.h>
#include <string.h>
#include <support/assertions.h>

#define LONG_50  "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwx"
#define LONG_250 LONG_50 LONG_50 LONG_50 LONG_50 LONG_50

static void group_name_parse__each_form__is_told_apart(void **state)
{
	static const struct {
		const char *text;
		enum group_name_form form;
		const char *domain, *account;
	} rows[] = {
	    {"CN=WinRM Users,OU=Groups,DC=corp,DC=example", GROUP_NAME_DN, "", NULL},
	    {"cn=a\\, b\\\\c,dc=x", GROUP_NAME_DN, "", NULL},
	    {"2.5.4.3=ops,dc=x", GROUP_NAME_DN, "", NULL},
	    {"s=-1-5,dc=x", GROUP_NAME_DN, "", NULL},
	    {"S-1-5-21-1-2-3-1104", GROUP_NAME_SID, "", NULL},
	    {"s-1-5-32-544", GROUP_NAME_SID, "", NULL},
	    {"S-1-5-21-4294967295-4294967295-4294967295-4294967295", GROUP_NAME_SID, "", NULL},
	    {"CORP\\WinRM Users", GROUP_NAME_ACCOUNT, "CORP", "WinRM Users"},
	    {"BUILTIN\\Administrators", GROUP_NAME_ACCOUNT, "BUILTIN", "Administrators"},
	    {"corp.example\\j\xc3\xbcrgen's (all) #1 & more!", GROUP_NAME_ACCOUNT, "corp.example",
	     "j\xc3\xbcrgen's (all) #1 & more!"},
	    {"S\\-1-5", GROUP_NAME_ACCOUNT, "S", "-1-5"},
	    {LONG_250 "abcde\\x", GROUP_NAME_ACCOUNT, LONG_250 "abcde", "x"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct group_name name;
		struct error error;

		assert_row(rows[i].text, group_name_parse(rows[i].text, &name, &error) == STATUS_OK);
		assert_row(rows[i].text, name.form == rows[i].form);
		assert_row(rows[i].text, strcmp(name.domain, rows[i].domain) == 0);
		assert_row(rows[i].text,
			   rows[i].account == NULL ? name.account == NULL : strcmp(name.account, rows[i].account) == 0);
	}
}

static void group_name_parse__a_sid__is_taken(void **state)
{
	struct group_name name;
	char text[SID_TEXT_BYTES];

	(void)state;
	assert_int_equal(group_name_parse("s-1-5-21-1-2-3-1104", &name, NULL), STATUS_OK);
	sid_format(&name.sid, text);
	assert_string_equal(text, "S-1-5-21-1-2-3-1104");
}

/* What is refused leaves the output alone, and says why; also to nobody. */
static void group_name_parse__what_is_none__is_refused(void **state)
{
	static const char *const rows[] = {
	    "",
	    "ops",
	    "WinRM Users",
	    "\\",
	    "\\ops",
	    "CORP\\",
	    "CORP\\ops\\more",
	    "CORP\\ ops",
	    "CORP\\ops ",
	    " CORP\\ops",
	    "CORP \\ops",
	    "CORP\\cn=ops",
	    "CORP\\ops*",
	    "CORP\\a\tb",
	    "CORP\\a\x7f",
	    "CORP\\a\"b",
	    "CORP\\<ops>",
	    "CORP\\ops@corp",
	    "CO/RP\\ops",
	    "ops@corp.example",
	    "cn=ops,",
	    "=ops",
	    "cn=ops,dc",
	    "<SID=S-1-5-21-1-2-3-1104>",
	    "S-1-",
	    "S-1-5",
	    "S-1-5-",
	    "S-1-5-21-1-2-3-4294967296",
	    "S-1-5-21-1-2-3--1",
	    "S-1-5-21-1-2-3-1104 ",
	    "S-1-5-21-01",
	    "S-1-5-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15-16",
	    "S-1-5-21\\ops",
	    "S-1-5=x,dc=x",
	    LONG_250 "abcdef\\x",
	};
	const struct group_name untouched = {.form = GROUP_NAME_SID, .domain = "before", .account = "before"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct group_name name = untouched;
		struct error error = {.status = STATUS_OK};

		assert_row(rows[i], group_name_parse(rows[i], &name, &error) == STATUS_INVALID);
		assert_row(rows[i], error.status == STATUS_INVALID && error.what[0] != '\0');
		assert_row(rows[i], name.form == untouched.form && strcmp(name.domain, untouched.domain) == 0 &&
					name.account == untouched.account);
		assert_row(rows[i], group_name_parse(rows[i], &name, NULL) == STATUS_INVALID);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(group_name_parse__each_form__is_told_apart),
	    cmocka_unit_test(group_name_parse__a_sid__is_taken),
	    cmocka_unit_test(group_name_parse__what_is_none__is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
