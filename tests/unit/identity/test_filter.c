/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include <base/memory.h>
#include <base/text.h>
#include <base/utf.h>
#include <identity/filter.h>
#include <stdbool.h>
#include <string.h>
#include <support/memory_failing.h>
#include <unit/identity/mutate.h>

static void filter_add_value__every_byte__is_a_letter_a_digit_or_escaped(void **state)
{
	struct text filter;
	unsigned char byte;
	unsigned value;
	int c;

	(void)state;
	text_init(&filter);
	for (c = 0; c < 256; c++) {
		byte = (unsigned char)c;
		text_clear(&filter);
		filter_add_value(&filter, &byte, 1);
		if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')) {
			assert_int_equal(filter.length, 1);
			assert_int_equal(filter.data[0], c);
			continue;
		}
		assert_int_equal(filter.length, 3);
		assert_int_equal(filter.data[0], '\\');
		value = (unsigned)(strchr("0123456789abcdef", filter.data[1]) - "0123456789abcdef") << 4 |
			(unsigned)(strchr("0123456789abcdef", filter.data[2]) - "0123456789abcdef");
		assert_int_equal(value, c);
	}
	text_done(&filter);
}

static void filter_add_equality__value_from_outside__stays_a_value(void **state)
{
	struct text filter;

	(void)state;
	text_init(&filter);
	filter_add_equality(&filter, "uid", "a*)(uid=*", 9);
	assert_string_equal(text_string(&filter), "(uid=a\\2a\\29\\28uid\\3d\\2a)");
	text_clear(&filter);
	filter_add_equality(&filter, "objectSid", "\x01\x05\x00\xFF", 4);
	assert_string_equal(text_string(&filter), "(objectSid=\\01\\05\\00\\ff)");
	text_clear(&filter);
	filter_add_equality(&filter, "uid", "", 0);
	assert_string_equal(text_string(&filter), "(uid=)");
	text_done(&filter);
}

static void filter_add_equality__any_bytes__filter_is_well_formed(void **state)
{
	static const char *const seeds[] = {"alice", "a*)(uid=*", "\\2a", "M\xC3\xBCller"};
	struct mutator mutator = {.state = 3, .seeds = seeds, .seed_count = COUNT_OF(seeds), .pieces = "()*\\&|!=\xFF"};
	struct text filter;
	size_t round, length;
	char *value;

	(void)state;
	text_init(&filter);
	for (round = 0; round < MUTATE_ROUNDS / 4; round++) {
		value = mutate_bytes(&mutator, &length);
		text_clear(&filter);
		filter_add_equality(&filter, "uid", value, length);
		assert_int_equal(filter_check(text_string(&filter), NULL), STATUS_OK);
		assert_ptr_equal(strchr(filter.data, ')'), filter.data + filter.length - 1);
		memory_free(value);
	}
	text_done(&filter);
}

static void filter_is_attribute__table(void **state)
{
	static const struct {
		const char *name;
		bool expected;
	} rows[] = {{"uid", true},
		    {"sAMAccountName", true},
		    {"msDS-User-Account-Control-Computed", true},
		    {"a", true},
		    {"a1-", true},
		    {"2.5.4.3", true},
		    {"0.9.2342", true},
		    {"cn;lang-de", true},
		    {"cn;a;b-1;2", true},
		    {"2.5.4.3;x", true},
		    {"", false},
		    {" uid", false},
		    {"uid ", false},
		    {"1uid", false},
		    {"-uid", false},
		    {"u_id", false},
		    {"u id", false},
		    {"uid)", false},
		    {"uid=", false},
		    {"uid*", false},
		    {"*", false},
		    {"2", false},
		    {"2.", false},
		    {".2", false},
		    {"2..5", false},
		    {"2.05", false},
		    {"2.5.a", false},
		    {"cn;", false},
		    {"cn;;a", false},
		    {";a", false},
		    {"cn;a_b", false},
		    {"cn:dn", false},
		    {"member;range=0-9", false},
		    {"u\xC3\xBC", false}};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT_OF(rows); i++)
		assert_row(rows[i].name, filter_is_attribute(rows[i].name) == rows[i].expected);
	assert_false(filter_is_attribute(NULL));
}

static const char *const GOOD[] = {
    "(objectClass=inetOrgPerson)",
    "(cn=Babs Jensen)",
    "(!(cn=Tim Howes))",
    "(&(objectClass=Person)(|(sn=Jensen)(cn=Babs J*)))",
    "(o=univ*of*mich*)",
    "(seeAlso=)",
    "(cn=*)",
    "(cn=a*)",
    "(cn=*a)",
    "(cn=*a*)",
    "(cn=*a*b*c)",
    "(cn=a*b)",
    "(age>=5)",
    "(age<=5)",
    "(cn~=x)",
    "(cn~=)",
    "(cn:caseExactMatch:=Fred Flintstone)",
    "(cn:=Betty Rubble)",
    "(sn:dn:2.4.6.8.10:=Barney Rubble)",
    "(o:dn:=Ace Industry)",
    "(o:DN:=Ace Industry)",
    "(:1.2.3:=Wilma Flintstone)",
    "(:DN:2.4.6.8.10:=Dino)",
    "(cn;lang-de:dn:2.4.6:=x)",
    "(memberOf:1.2.840.113556.1.4.1941:=CN=G,DC=x)",
    "(userAccountControl:1.2.840.113556.1.4.803:=2)",
    "(o=Parens R Us \\28for all your parenthetical needs\\29)",
    "(cn=*\\2A*)",
    "(filename=C:\\5cMyFile)",
    "(bin=\\00\\00\\00\\04)",
    "(sn=Lu\\c4\\8di\\c4\\87)",
    "(sn=M\xC3\xBCller)",
    "(1.3.6.1.4.1.1466.0=\\04\\02\\48\\69)",
    "(cn=a=b&c|d!e)",
    "(cn= a )",
    "(cn;x-1=a)",
    "(&(a=b))",
    "(|(a=b)(c=d)(e=f))",
    "(!(!(a=b)))",
};

static void filter_check__good_filter__passes(void **state)
{
	struct error error;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT_OF(GOOD); i++)
		assert_row(GOOD[i], filter_check(GOOD[i], &error) == STATUS_OK);
}

static const struct {
	const char *filter, *what;
} BAD[] = {
    {"", "offset 0: '(' is expected"},
    {"cn=a", "offset 0: '(' is expected"},
    {" (cn=a)", "offset 0: '(' is expected"},
    {"(cn=a", "offset 5: the value has no end"},
    {"(", "offset 1: an attribute, '&', '|' or '!' is expected"},
    {"()", "offset 1: an attribute, '&', '|' or '!' is expected"},
    {"((cn=a))", "offset 1: an attribute"},
    {"(cn=a))", "offset 6: nothing may stand behind"},
    {"(cn=a) ", "offset 6: nothing may stand behind"},
    {"(cn=a)(sn=b)", "offset 6: nothing may stand behind"},
    {"(&)", "offset 2: '(' is expected"},
    {"(|)", "offset 2: '(' is expected"},
    {"(!)", "offset 2: '(' is expected"},
    {"(!(a=b)(c=d))", "offset 7: ')' is expected"},
    {"(& (a=b))", "offset 2: '(' is expected"},
    {"(&(a=b) (c=d))", "offset 7: ')' is expected"},
    {"(&(a=b)", "offset 7: ')' is expected"},
    {"(&(a=b)c)", "offset 7: ')' is expected"},
    {"(&cn=a)", "offset 2: '(' is expected"},
    {"(=a)", "offset 1: an attribute"},
    {"(c n=a)", "offset 2: '=', '~='"},
    {"( cn=a)", "offset 1: an attribute"},
    {"(cn =a)", "offset 3: '=', '~='"},
    {"(cn)", "offset 3: '=', '~='"},
    {"(cn~a)", "offset 3: '=', '~='"},
    {"(cn>a)", "offset 3: '=', '~='"},
    {"(cn<a)", "offset 3: '=', '~='"},
    {"(1cn=a)", "offset 1: this is no attribute name"},
    {"(c_n=a)", "offset 2: '=', '~='"},
    {"(cn;=a)", "offset 1: this is no attribute name"},
    {"(2.5.=a)", "offset 1: this is no attribute name"},
    {"(cn=a(b)", "offset 5: '(' in a value"},
    {"(cn=a\\)", "offset 5: '\\' needs two hex digits"},
    {"(cn=a\\2)", "offset 5: '\\' needs two hex digits"},
    {"(cn=a\\zz)", "offset 5: '\\' needs two hex digits"},
    {"(cn=a\\", "offset 5: '\\' needs two hex digits"},
    {"(cn=a**b)", "offset 6: two '*'"},
    {"(cn=**)", "offset 5: two '*'"},
    {"(cn>=*)", "offset 5: '*' may stand behind '=' only"},
    {"(cn~=a*)", "offset 6: '*' may stand behind '=' only"},
    {"(cn:=a*)", "offset 6: '*' may stand behind '=' only"},
    {"(:=a)", "offset 1: ':=' needs an attribute or a matching rule"},
    {"(:dn:=a)", "offset 4: ':=' needs an attribute or a matching rule"},
    {"(cn:)", "offset 4: this is no matching rule"},
    {"(cn:x)", "offset 5: ':=' is expected"},
    {"(cn:x=a)", "offset 5: ':=' is expected"},
    {"(cn::=a)", "offset 4: this is no matching rule"},
    {"(cn:dn:dn:=a)", NULL},
    {"(cn:x:y:=a)", "offset 6: this is no matching rule"},
    {"(cn:x:dn:=a)", "offset 6: this is no matching rule"},
    {"(cn:1.:=a)", "offset 4: this is no matching rule"},
    {"(cn:", "offset 4: this is no matching rule"},
    {"(sn=M\xFC)", "offset 5: this is not UTF-8"},
    {"(s\xC3=a)", "offset 2: this is not UTF-8"},
};

static void filter_check__bad_filter__says_where_and_what(void **state)
{
	struct error error;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT_OF(BAD); i++) {
		/* A second "dn" may only be a rule of that name, which the grammar allows. */
		if (BAD[i].what == NULL) {
			assert_row(BAD[i].filter, filter_check(BAD[i].filter, &error) == STATUS_OK);
			continue;
		}
		assert_row(BAD[i].filter, filter_check(BAD[i].filter, &error) == STATUS_INVALID);
		if (strstr(error.what, BAD[i].what) == NULL)
			fail_msg("row \"%s\": \"%s\" lacks \"%s\"", BAD[i].filter, error.what, BAD[i].what);
	}
}

static void filter_check__nesting__is_bounded(void **state)
{
	struct text filter;
	struct error error;
	size_t depth, i;

	(void)state;
	text_init(&filter);
	for (depth = FILTER_MAX_DEPTH; depth <= FILTER_MAX_DEPTH + 1; depth++) {
		text_clear(&filter);
		for (i = 1; i < depth; i++)
			text_add(&filter, i % 2 == 0 ? "(!" : "(&");
		text_add(&filter, "(a=b)");
		for (i = 1; i < depth; i++)
			text_add(&filter, ")");
		assert_status(filter_check(text_string(&filter), &error),
			      depth <= FILTER_MAX_DEPTH ? STATUS_OK : STATUS_LIMIT, &error);
	}
	assert_contains(error.what, "nested more than 32 deep");
	text_clear(&filter);
	text_add(&filter, "(|");
	for (i = 0; i < (size_t)2 * FILTER_MAX_DEPTH; i++)
		text_add(&filter, "(!(a=b))");
	text_add(&filter, ")");
	assert_status(filter_check(text_string(&filter), &error), STATUS_OK, &error);
	text_clear(&filter);
	for (i = 0; i < 100000; i++)
		text_add(&filter, "(&");
	assert_status(filter_check(text_string(&filter), &error), STATUS_LIMIT, &error);
	text_done(&filter);
}

static size_t count(const char *text, char c)
{
	size_t found = 0;

	for (; *text != '\0'; text++)
		found += *text == c;
	return found;
}

/* What every well-formed filter must be, looked at in another way; and no prefix of one is another. */
static void filter_check__mutated_filters__accepts_only_balanced_ones(void **state)
{
	static const char *const seeds[] = {"(&(objectClass=Person)(|(sn=Jensen)(cn=Babs J*)))",
					    "(memberOf:1.2.840.113556.1.4.1941:=CN=G\\28,DC=x)",
					    "(sn:dn:2.4.6:=Barney)",
					    "(!(cn=*a*b))",
					    "(age>=5)",
					    "(sn=M\xC3\xBCller)"};
	struct mutator mutator = {
	    .state = 11, .seeds = seeds, .seed_count = COUNT_OF(seeds), .pieces = "()*\\&|!=:;~<>0a"};
	size_t round, length, good = 0;
	enum status status;
	char *filter;

	(void)state;
	for (round = 0; round < MUTATE_ROUNDS; round++) {
		filter = mutate_text(&mutator);
		status = filter_check(filter, NULL);
		length = strlen(filter);
		if (status == STATUS_OK) {
			assert_int_equal(filter[0], '(');
			assert_int_equal(filter[length - 1], ')');
			assert_int_equal(count(filter, '('), count(filter, ')'));
			assert_true(utf8_is_valid(filter, length));
			filter[length - 1] = '\0';
			assert_int_equal(filter_check(filter, NULL), STATUS_INVALID);
			good++;
		} else {
			assert_int_equal(status, STATUS_INVALID);
		}
		memory_free(filter);
	}
	assert_in_range(good, MUTATE_ROUNDS / 20, MUTATE_ROUNDS - MUTATE_ROUNDS / 20);
}

static void filter_add_equality__no_memory__text_has_failed(void **state)
{
	size_t before = memory_live_count(), n;
	struct text filter;

	(void)state;
	for (n = 1;; n++) {
		text_init(&filter);
		memory_fail_at(n);
		filter_add_equality(&filter, "objectClassOfSomeLength", "a value that needs room", 23);
		if (memory_fail_count() < n)
			break;
		assert_true(text_failed(&filter));
		text_done(&filter);
	}
	assert_true(n > 1);
	memory_fail_at(0);
	assert_false(text_failed(&filter));
	text_done(&filter);
	assert_int_equal(memory_live_count(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(filter_add_value__every_byte__is_a_letter_a_digit_or_escaped),
	    cmocka_unit_test(filter_add_equality__value_from_outside__stays_a_value),
	    cmocka_unit_test(filter_add_equality__any_bytes__filter_is_well_formed),
	    cmocka_unit_test(filter_is_attribute__table),
	    cmocka_unit_test(filter_check__good_filter__passes),
	    cmocka_unit_test(filter_check__bad_filter__says_where_and_what),
	    cmocka_unit_test(filter_check__nesting__is_bounded),
	    cmocka_unit_test(filter_check__mutated_filters__accepts_only_balanced_ones),
	    cmocka_unit_test(filter_add_equality__no_memory__text_has_failed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
