/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include <base/memory.h>
#include <base/text.h>
#include <identity/dn.h>
#include <string.h>
#include <support/memory_failing.h>
#include <unit/identity/mutate.h>

static const char *const SEEDS[] = {
    "uid=alice,ou=people,dc=corp,dc=example",
    "CN=Smith\\, John,OU=Users,DC=corp,DC=example",
    "cn=a\\2Cb+sn=\\23x,dc=x",
    "cn = A  B , o = \\ c\\ ,c=DE",
    "2.5.4.3=#04024869,dc=x",
    "cn=M\xC3\xBCller,dc=x",
};

static const struct {
	const char *dn;
	enum dn_kind kind;
	const char *key;
} DNS[] = {
    {"uid=alice,ou=people,dc=x", DN_PLAIN, "uid=alice,ou=people,dc=x"},
    {"CN=WinRM Users,OU=Groups,DC=corp,DC=example", DN_PLAIN, "cn=winrm users,ou=groups,dc=corp,dc=example"},
    {"dc=x", DN_PLAIN, "dc=x"},
    {" cn = A   B  ,  dc=x ", DN_PLAIN, "cn=a b,dc=x"},
    {"GIVENNAME=A,serialnumber=B-1,Street=C 2,title=D,description=E,mail=a@b,c=DE,l=F,st=G,sn=H,o=I", DN_PLAIN,
     "givenname=a,serialnumber=b-1,street=c 2,title=d,description=e,mail=a@b,c=de,l=f,st=g,sn=h,o=i"},
    {"cn=a!$%&'()*-./:@[]^_`{|}~b,dc=x", DN_PLAIN, "cn=a!$%&'()*-./:@[]^_`{|}~b,dc=x"},
    /* well-formed, but only the server knows */
    {"cn=a\\,b,dc=x", DN_FOREIGN, NULL},
    {"cn=a\\2cb,dc=x", DN_FOREIGN, NULL},
    {"cn=\\61,dc=x", DN_FOREIGN, NULL},
    {"cn=a\\ ,dc=x", DN_FOREIGN, NULL},
    {"cn=a\\20,dc=x", DN_FOREIGN, NULL},
    {"cn=a\\?,dc=x", DN_FOREIGN, NULL},
    {"cn=a?,dc=x", DN_FOREIGN, NULL},
    {"cn=a=b,dc=x", DN_FOREIGN, NULL},
    {"cn=a#b,dc=x", DN_FOREIGN, NULL},
    {"uid=a,dc=x#'0101'B", DN_FOREIGN, NULL},
    {"cn=#0401,dc=x", DN_FOREIGN, NULL},
    {"cn=#0401 , dc=x", DN_FOREIGN, NULL},
    {"cn=a+uid=b,dc=x", DN_FOREIGN, NULL},
    {"cn=,dc=x", DN_FOREIGN, NULL},
    {"cn=  ,dc=x", DN_FOREIGN, NULL},
    {"cn=", DN_FOREIGN, NULL},
    {"cn=a\tb,dc=x", DN_FOREIGN, NULL},
    {"cn=a\x7F,dc=x", DN_FOREIGN, NULL},
    {"cn=M\xC3\xBCller,dc=x", DN_FOREIGN, NULL},
    {"cn=\xEF\xBC\xA1,dc=x", DN_FOREIGN, NULL},
    {"cn=a\xC2\xA0,dc=x", DN_FOREIGN, NULL},
    {"commonName=a,dc=x", DN_FOREIGN, NULL},
    {"2.5.4.3=a,dc=x", DN_FOREIGN, NULL},
    {"telephoneNumber=1-2,dc=x", DN_FOREIGN, NULL},
    {"krbPrincipalName=a@X,dc=x", DN_FOREIGN, NULL},
    {"memberUid=a,dc=x", DN_FOREIGN, NULL},
    {"cn=a,domainComponent=x", DN_FOREIGN, NULL},
    /* no DN */
    {"", DN_INVALID, NULL},
    {" ", DN_INVALID, NULL},
    {"alice", DN_INVALID, NULL},
    {"=a", DN_INVALID, NULL},
    {"cn", DN_INVALID, NULL},
    {"cn=a,", DN_INVALID, NULL},
    {"cn=a, ", DN_INVALID, NULL},
    {"cn=a+", DN_INVALID, NULL},
    {",cn=a", DN_INVALID, NULL},
    {"cn=a,,dc=x", DN_INVALID, NULL},
    {"cn=a,b", DN_INVALID, NULL},
    {"cn=a;dc=x", DN_INVALID, NULL},
    {"cn=\"a,b\",dc=x", DN_INVALID, NULL},
    {"cn=a<b,dc=x", DN_INVALID, NULL},
    {"cn=a>b,dc=x", DN_INVALID, NULL},
    {"cn=a\\,dc=x\\", DN_INVALID, NULL},
    {"cn=a\\zb,dc=x", DN_INVALID, NULL},
    {"cn=a\\2,dc=x", DN_INVALID, NULL},
    {"cn=#,dc=x", DN_INVALID, NULL},
    {"cn=#0,dc=x", DN_INVALID, NULL},
    {"cn=#040,dc=x", DN_INVALID, NULL},
    {"cn=#04x,dc=x", DN_INVALID, NULL},
    {"cn=#04 05,dc=x", DN_INVALID, NULL},
    {"cn x=a,dc=x", DN_INVALID, NULL},
    {"c_n=a,dc=x", DN_INVALID, NULL},
    {"cn;lang-de=a,dc=x", DN_INVALID, NULL},
    {"OID.2.5.4.3=a,dc=x", DN_INVALID, NULL},
    {"2.5.04.3=a,dc=x", DN_INVALID, NULL},
    {"2=a,dc=x", DN_INVALID, NULL},
    {"<SID=S-1-5-21-1>", DN_INVALID, NULL},
    {"<GUID=00>;<SID=00>;cn=a,dc=x", DN_INVALID, NULL},
    {"cn=a\xFF,dc=x", DN_INVALID, NULL},
    {"cn=a\xC3,dc=x", DN_INVALID, NULL},
};

static void dn_classify__table__kind_and_key(void **state)
{
	struct text key;
	size_t i;

	(void)state;
	text_init(&key);
	for (i = 0; i < COUNT_OF(DNS); i++) {
		text_add(&key, "left over");
		assert_row(DNS[i].dn, dn_classify(DNS[i].dn, strlen(DNS[i].dn), &key) == DNS[i].kind);
		assert_string_equal(text_string(&key), DNS[i].key != NULL ? DNS[i].key : "");
		assert_row(DNS[i].dn, dn_classify(DNS[i].dn, strlen(DNS[i].dn), NULL) == DNS[i].kind);
		assert_row(DNS[i].dn,
			   dn_check(DNS[i].dn, NULL) == (DNS[i].kind == DN_INVALID ? STATUS_INVALID : STATUS_OK));
	}
	text_done(&key);
}

static void dn_classify__nul_within__is_no_dn(void **state)
{
	(void)state;
	assert_int_equal(dn_classify("cn=a\0b,dc=x", 11, NULL), DN_INVALID);
	assert_int_equal(dn_classify("cn=a\0", 5, NULL), DN_INVALID);
	assert_int_equal(dn_classify("c\0n=a", 5, NULL), DN_INVALID);
	assert_int_equal(dn_classify("cn=a\\\0,dc=x", 11, NULL), DN_INVALID);
}

static void dn_check__bad_dn__says_where_and_what(void **state)
{
	static const struct {
		const char *dn, *what;
	} rows[] = {
	    {"", "is empty"},
	    {"WinRM Users", "byte offset 6: '=' is expected"},
	    {"cn=a,,dc=x", "byte offset 5: an attribute type is expected"},
	    {"cn=a, c_n=b", "byte offset 7: '=' is expected"},
	    {"cn=a;dc=x", "byte offset 4: this character must have a '\\' before it"},
	    {"cn=a\\zb", "byte offset 5: two hex digits"},
	    {"cn=#04zz", "byte offset 6: ',' is expected"},
	    {"cn=a\xFF", "byte offset 4: this is not UTF-8"},
	    {"cn=a,", "byte offset 5: an attribute type is expected"},
	};
	struct error error;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT_OF(rows); i++) {
		assert_row(rows[i].dn, dn_check(rows[i].dn, &error) == STATUS_INVALID);
		assert_contains(error.what, rows[i].what);
	}
}

static void dn_check__longer_than_the_limit__is_refused(void **state)
{
	char dn[DN_MAX_BYTES + 2] = "cn=";
	struct error error;

	(void)state;
	memset(dn + 3, 'a', DN_MAX_BYTES - 3);
	assert_status(dn_check(dn, &error), STATUS_OK, &error);

	dn[DN_MAX_BYTES] = 'a';
	assert_status(dn_check(dn, &error), STATUS_LIMIT, &error);
}

static void dn_parent__table__behind_the_first_separator(void **state)
{
	static const struct {
		const char *dn, *parent;
	} rows[] = {
	    {"uid=a\\,b,ou=people,dc=x", "ou=people,dc=x"},
	    {"ou=people,dc=x", "dc=x"},
	    {"dc=x", NULL},
	    {"", NULL},
	    {"cn=a ,  dc=x", "dc=x"},
	    {"cn=a\\\\,dc=x", "dc=x"},
	    {"cn=a\\\\\\,b,dc=x", "dc=x"},
	    {"cn=a\\2C,dc=x", "dc=x"},
	    {"cn=a\\2c\\2C", NULL},
	    {"cn=a+sn=b,dc=x", "dc=x"},
	    {"cn=a,", NULL},
	    {"cn=a, ", NULL},
	    {"cn=a\\", NULL},
	    {"cn=a\\,", NULL},
	};
	const char *parent;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT_OF(rows); i++) {
		parent = dn_parent(rows[i].dn);
		assert_row(rows[i].dn, (parent == NULL) == (rows[i].parent == NULL));
		if (parent != NULL)
			assert_string_equal(parent, rows[i].parent);
	}
}

static void dn_add_value__table__is_escaped(void **state)
{
	static const struct {
		const char *value;
		size_t length;
		const char *escaped;
	} rows[] = {
	    {"alice", 5, "alice"},
	    {"", 0, ""},
	    {",+\"\\<>;=", 8, "\\,\\+\\\"\\\\\\<\\>\\;\\="},
	    {"#a#", 3, "\\#a#"},
	    {" a b ", 5, "\\ a b\\ "},
	    {" ", 1, "\\ "},
	    {"  ", 2, "\\ \\ "},
	    {"a\0b", 3, "a\\00b"},
	    {"a\r\nb\x7F", 5, "a\\0D\\0Ab\\7F"},
	    {"M\xC3\xBCller", 7, "M\xC3\xBCller"},
	    {"M\xFCller", 6, "M\\FCller"},
	    {"\xC3", 1, "\\C3"},
	    {"a,ou=admins", 11, "a\\,ou\\=admins"},
	};
	struct text dn;
	size_t i;

	(void)state;
	text_init(&dn);
	for (i = 0; i < COUNT_OF(rows); i++) {
		text_clear(&dn);
		text_add(&dn, "cn=");
		dn_add_value(&dn, rows[i].value, rows[i].length);
		assert_string_equal(text_string(&dn) + 3, rows[i].escaped);
		assert_row(rows[i].escaped, dn_check(text_string(&dn), NULL) == STATUS_OK);
	}
	text_done(&dn);
}

/* Whatever bytes a value has, it stays one value of one RDN. */
static void dn_add_value__any_bytes__stay_in_their_rdn(void **state)
{
	struct mutator mutator = {.state = 5, .seeds = SEEDS, .seed_count = COUNT_OF(SEEDS), .pieces = ",+=\\\"#;<> "};
	struct text dn;
	size_t round, length;
	char *value;

	(void)state;
	text_init(&dn);
	for (round = 0; round < MUTATE_ROUNDS / 4; round++) {
		value = mutate_bytes(&mutator, &length);
		text_clear(&dn);
		text_add(&dn, "cn=");
		dn_add_value(&dn, value, length);
		text_add(&dn, ",dc=x");
		assert_int_equal(dn_check(text_string(&dn), NULL), STATUS_OK);
		assert_string_equal(dn_parent(text_string(&dn)), "dc=x");
		memory_free(value);
	}
	text_done(&dn);
}

static void dn_check__mutated_dns__agrees_with_classify(void **state)
{
	struct mutator mutator = {
	    .state = 6, .seeds = SEEDS, .seed_count = COUNT_OF(SEEDS), .pieces = ",+=\\\"#;<> 0aF\xC3\xBC"};
	size_t round, good = 0;
	const char *parent;
	enum dn_kind kind;
	char *dn;

	(void)state;
	for (round = 0; round < MUTATE_ROUNDS; round++) {
		dn = mutate_text(&mutator);
		kind = dn_classify(dn, strlen(dn), NULL);
		assert_int_equal(dn_check(dn, NULL), kind == DN_INVALID ? STATUS_INVALID : STATUS_OK);
		parent = dn_parent(dn);
		if (kind != DN_INVALID && parent != NULL)
			assert_int_equal(dn_check(parent, NULL), STATUS_OK);
		good += kind != DN_INVALID;
		memory_free(dn);
	}
	assert_in_range(good, MUTATE_ROUNDS / 20, MUTATE_ROUNDS - MUTATE_ROUNDS / 20);
}

static void dn_add_value__no_memory__text_has_failed(void **state)
{
	size_t before = memory_live_count();
	struct text dn;

	(void)state;
	text_init(&dn);
	memory_fail_from(1);
	dn_add_value(&dn, "a,b\xFF", 4);
	memory_fail_from(0);
	assert_true(text_failed(&dn));
	text_done(&dn);
	assert_int_equal(memory_live_count(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(dn_classify__table__kind_and_key),
	    cmocka_unit_test(dn_classify__nul_within__is_no_dn),
	    cmocka_unit_test(dn_check__bad_dn__says_where_and_what),
	    cmocka_unit_test(dn_check__longer_than_the_limit__is_refused),
	    cmocka_unit_test(dn_parent__table__behind_the_first_separator),
	    cmocka_unit_test(dn_add_value__table__is_escaped),
	    cmocka_unit_test(dn_add_value__any_bytes__stay_in_their_rdn),
	    cmocka_unit_test(dn_check__mutated_dns__agrees_with_classify),
	    cmocka_unit_test(dn_add_value__no_memory__text_has_failed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
