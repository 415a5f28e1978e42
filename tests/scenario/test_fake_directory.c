/* SPDX-License-Identifier: Apache-2.0 */
/* The fake directory answers as slapd does, where the two were compared. */
#include <support/assertions.h>

#include <stdlib.h>
#include <string.h>
#include <support/fake_directory.h>
#include <support/fake_filter.h>
#include <support/fake_text.h>

static struct fake_directory *make_directory(void)
{
	struct fake_directory *directory = fake_directory_new("dc=x");

	assert_true(fake_directory_add(directory, "ou=people,dc=x"));
	assert_true(fake_directory_add(directory, "uid=alice,ou=people,dc=x"));
	assert_true(fake_directory_gain(directory, "uid=alice,ou=people,dc=x", "objectClass", "inetOrgPerson"));
	assert_true(fake_directory_gain(directory, "uid=alice,ou=people,dc=x", "l", "New York"));
	assert_true(fake_directory_gain(directory, "uid=alice,ou=people,dc=x", "memberUid", "Alice"));
	assert_true(fake_directory_add(directory, "cn=ops,dc=x"));
	assert_true(fake_directory_gain(directory, "cn=ops,dc=x", "objectClass", "groupOfUniqueNames"));
	assert_true(fake_directory_gain(directory, "cn=ops,dc=x", "uniqueMember", "uid=alice,ou=people,dc=x#'0101'B"));
	assert_true(fake_directory_gain(directory, "cn=ops,dc=x", "member", "UID=Alice, ou=People,dc=x"));
	return directory;
}

static void search(struct fake_directory *directory, const char *base, enum dir_scope scope, const char *filter,
		   const char *const *attributes, struct dir_search *search_out)
{
	static const struct fake_fault none = {.kind = FAKE_FAULT_NONE};

	assert_status(dir_search_init(search_out, NULL), STATUS_OK, NULL);
	search_out->base = base;
	search_out->scope = scope;
	search_out->filter = filter;
	search_out->attributes = attributes;
	fake_directory_answer(directory, &none, search_out);
}

static void fake_dn_key__two_spellings__equal_as_slapd_says(void **state)
{
	static const struct {
		const char *a, *b;
		bool same;
	} rows[] = {
	    {"uid=alice,dc=x", "UID = Alice , DC=X", true},
	    {"cn=Smith\\, John,dc=x", "cn=smith\\2C john,dc=x", true},
	    {"cn=J\xC3\xBCrgen,dc=x", "2.5.4.3=j\xC3\x9Crgen,dc=x", true},
	    {"cn=J\xC3\xBCrgen,dc=x", "cn=Ju\xCC\x88rgen,dc=x", true},
	    {"cn=J\xC3\xBCrgen,dc=x", "commonName=J\\C3\\BCrgen,dc=x", true},
	    {"cn=alice,dc=x", "cn=\xEF\xBD\x81lice,dc=x", true},
	    {"cn=a b,dc=x", "cn=a  b,dc=x", true},
	    {"cn=a b,dc=x",
	     "cn=a\xC2\xA0"
	     "b,dc=x",
	     true},
	    {"cn=a+uid=b,dc=x", "uid=B+cn=A,dc=x", true},
	    {"cn=stra\xC3\x9F"
	     "e,dc=x",
	     "cn=strasse,dc=x", false},
	    {"cn=\xC4\xB0,dc=x", "cn=i,dc=x", false},
	    {"cn=\xCF\x82,dc=x", "cn=\xCF\x83,dc=x", false},
	    {"cn=a\\,dc=y,dc=x", "cn=a,dc=y,dc=x", false},
	    {"cn=ab,dc=x", "cn=a b,dc=x", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char *a = fake_dn_key(rows[i].a, strlen(rows[i].a)), *b = fake_dn_key(rows[i].b, strlen(rows[i].b));

		assert_row(rows[i].b, a != NULL && b != NULL && (strcmp(a, b) == 0) == rows[i].same);
		free(a);
		free(b);
	}
}

static void fake_dn_key__no_dn__null(void **state)
{
	static const char *const rows[] = {"alice", "cn=",        "cn=a,",     ",cn=a", "cn=a\\",
					   "=a",    "cn=a,,dc=x", "cn=a;dc=x", "cn=#04"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char *key = fake_dn_key(rows[i], strlen(rows[i]));

		assert_row(rows[i], key == NULL);
	}
}

static void fake_dn_is_within__names__by_whole_rdns(void **state)
{
	static const struct {
		const char *key, *base;
		bool within;
	} rows[] = {
	    {"uid=a,dc=x", "dc=x", true}, {"dc=x", "dc=x", true},        {"uid=a,dc=x", "", true},
	    {"abcdc=x", "dc=x", false},   {"dc=x", "uid=a,dc=x", false}, {"uid=a,dc=x", "dc=y", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_row(rows[i].key, fake_dn_is_within(rows[i].key, rows[i].base) == rows[i].within);
}

static void fake_filter_matches__each_kind__as_rfc_4511_says(void **state)
{
	static const struct {
		const char *filter;
		bool alice, ops;
	} rows[] = {
	    {"(uid=ALICE)", true, false},
	    {"(uid=\\61lice)", true, false},
	    {"(uid= alice )", true, false},
	    {"(uid=\xEF\xBD\x81lice)", true, false},
	    {"(l=new  york)", true, false},
	    {"(memberUid=Alice)", true, false},
	    {"(memberUid=alice)", false, false},
	    {"(objectClass=person)", true, false},
	    {"(objectClass=top)", true, true},
	    {"(objectClass=*)", true, true},
	    {"(mail=*)", false, false},
	    {"(member=uid=alice,ou=people,dc=x)", false, true},
	    {"(member=not a name)", false, false},
	    {"(!(member=not a name))", false, false},
	    {"(uniqueMember=uid=alice,ou=people,dc=x)", false, false},
	    {"(uniqueMember=uid=alice,ou=people,dc=x#'0101'B)", false, true},
	    {"(&(uid=alice)(l=New York))", true, false},
	    {"(&(uid=alice)(l=Rome))", false, false},
	    {"(|(uid=alice)(cn=ops))", true, true},
	    {"(!(uid=alice))", false, true},
	    {"(&)", true, true},
	    {"(|)", false, false},
	    {"(member:1.2.840.113556.1.4.1941:=uid=alice,ou=people,dc=x)", false, false},
	    {"(!(member:1.2.840.113556.1.4.1941:=uid=alice,ou=people,dc=x))", false, false},
	    {"(entryCSN>=20260101000000.000001Z#000000#000#000000)", true, true},
	    {"(entryCSN>=20270101000000.000001Z#000000#000#000000)", false, false},
	    {"(entryCSN<=20270101000000.000001Z#000000#000#000000)", true, true},
	};
	struct fake_directory *directory = make_directory();

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct fake_filter *filter = fake_filter_parse(rows[i].filter);

		assert_row(rows[i].filter, filter != NULL);
		assert_row(rows[i].filter,
			   fake_filter_matches(filter, fake_directory_entry(directory, "uid=alice,ou=people,dc=x")) ==
			       rows[i].alice);
		assert_row(rows[i].filter,
			   fake_filter_matches(filter, fake_directory_entry(directory, "cn=ops,dc=x")) == rows[i].ops);
		fake_filter_free(&filter);
	}
	fake_directory_free(&directory);
}

static void fake_filter_parse__no_filter_or_substrings__null(void **state)
{
	static const char *const rows[] = {"",          "uid=a",      "(uid=a",        "(uid=a))", "(uid=a*)", "(=a)",
					   "(uid=\\4)", "(uid=\\zz)", "(!(a=b)(c=d))", "(!)",      "(&(a=b)",  "(uid)"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct fake_filter *filter = fake_filter_parse(rows[i]);

		assert_row(rows[i], filter == NULL);
	}
}

static void fake_directory_answer__scopes__only_what_is_in_them(void **state)
{
	static const struct {
		const char *base;
		enum dir_scope scope;
		enum dir_outcome outcome;
		size_t count;
	} rows[] = {
	    {"dc=x", DIR_SCOPE_BASE, DIR_OUTCOME_OK, 1},
	    {"DC = X", DIR_SCOPE_ONE, DIR_OUTCOME_OK, 2},
	    {"dc=x", DIR_SCOPE_SUBTREE, DIR_OUTCOME_OK, 4},
	    {"ou=people,dc=x", DIR_SCOPE_SUBTREE, DIR_OUTCOME_OK, 2},
	    {"ou=none,dc=x", DIR_SCOPE_SUBTREE, DIR_OUTCOME_NO_SUCH_OBJECT, 0},
	    {"", DIR_SCOPE_BASE, DIR_OUTCOME_OK, 1},
	};
	struct fake_directory *directory = make_directory();

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct dir_search answer;

		search(directory, rows[i].base, rows[i].scope, "(objectClass=*)", NULL, &answer);
		/* ou=people was made without a class: the fake keeps no schema, and presence wants a value. */
		assert_row(rows[i].base, answer.outcome == rows[i].outcome);
		dir_search_done(&answer);
		search(directory, rows[i].base, rows[i].scope, "(!(mail=*))", NULL, &answer);
		assert_row(rows[i].base, answer.entry_count == rows[i].count);
		dir_search_done(&answer);
	}
	fake_directory_free(&directory);
}

static void fake_directory_answer__attributes__operational_only_when_asked(void **state)
{
	static const char *const named[] = {"l", "ENTRYUUID", NULL}, *const none[] = {"1.1", NULL},
				 *const all[] = {"*", "+", NULL};
	struct fake_directory *directory = make_directory();
	struct dir_search answer;

	(void)state;
	search(directory, "uid=alice,ou=people,dc=x", DIR_SCOPE_BASE, "(objectClass=*)", NULL, &answer);
	assert_null(dir_entry_attribute(answer.entries, "entryUUID"));
	assert_non_null(dir_entry_attribute(answer.entries, "L"));
	dir_search_done(&answer);
	search(directory, "uid=alice,ou=people,dc=x", DIR_SCOPE_BASE, "(objectClass=*)", named, &answer);
	assert_int_equal(answer.entries->attribute_count, 2);
	assert_non_null(dir_entry_attribute(answer.entries, "entryUUID"));
	dir_search_done(&answer);
	search(directory, "uid=alice,ou=people,dc=x", DIR_SCOPE_BASE, "(objectClass=*)", none, &answer);
	assert_int_equal(answer.entries->attribute_count, 0);
	dir_search_done(&answer);
	search(directory, "uid=alice,ou=people,dc=x", DIR_SCOPE_BASE, "(objectClass=*)", all, &answer);
	assert_non_null(dir_entry_attribute(answer.entries, "entryCSN"));
	assert_non_null(dir_entry_attribute(answer.entries, "uid"));
	dir_search_done(&answer);
	fake_directory_free(&directory);
}

static void fake_directory_answer__hidden_attribute__neither_shown_nor_matched(void **state)
{
	struct fake_directory *directory = make_directory();
	struct dir_search answer;

	(void)state;
	assert_true(fake_directory_hide(directory, "cn=ops,dc=x", "member", true));
	search(directory, "dc=x", DIR_SCOPE_SUBTREE, "(member=*)", NULL, &answer);
	assert_int_equal(answer.outcome, DIR_OUTCOME_OK);
	assert_int_equal(answer.entry_count, 0);
	dir_search_done(&answer);
	search(directory, "cn=ops,dc=x", DIR_SCOPE_BASE, "(cn=*)", NULL, &answer);
	assert_null(dir_entry_attribute(answer.entries, "member"));
	dir_search_done(&answer);
	fake_directory_free(&directory);
}

static void fake_directory_answer__size_limits__cut_and_say_so(void **state)
{
	struct fake_directory *directory = make_directory();
	struct fake_fault limit = {.kind = FAKE_FAULT_LIMIT, .entries = 2};
	struct dir_search answer;

	(void)state;
	assert_status(dir_search_init(&answer, NULL), STATUS_OK, NULL);
	answer.base = "dc=x";
	answer.scope = DIR_SCOPE_SUBTREE;
	answer.filter = "(!(mail=*))";
	answer.page_size = 1;
	fake_directory_answer(directory, &limit, &answer);
	assert_int_equal(answer.outcome, DIR_OUTCOME_LIMIT);
	assert_int_equal(answer.code, 4);
	assert_int_equal(answer.entry_count, 2);
	dir_search_done(&answer);
	fake_directory_free(&directory);
}

static void fake_directory_rename__with_children__same_uuid_new_names(void **state)
{
	static const char *const uuid[] = {"entryUUID", NULL};
	struct fake_directory *directory = make_directory();
	struct dir_search before, after;

	(void)state;
	search(directory, "uid=alice,ou=people,dc=x", DIR_SCOPE_BASE, "(uid=*)", uuid, &before);
	assert_true(fake_directory_rename(directory, "OU=People,dc=x", "ou=staff,dc=x"));
	search(directory, "uid=alice,ou=staff,dc=x", DIR_SCOPE_BASE, "(uid=*)", uuid, &after);
	assert_string_equal(after.entries->dn, "uid=alice,ou=staff,dc=x");
	assert_string_equal(dir_entry_single(after.entries, "entryUUID")->data,
			    dir_entry_single(before.entries, "entryUUID")->data);
	assert_null(fake_directory_entry(directory, "uid=alice,ou=people,dc=x"));
	dir_search_done(&before);
	dir_search_done(&after);
	fake_directory_free(&directory);
}

static void fake_directory_delete__and_made_anew__another_uuid_and_csn(void **state)
{
	static const char *const named[] = {"entryUUID", "contextCSN", NULL};
	struct fake_directory *directory = make_directory();
	struct dir_search before, after, suffix[2];

	(void)state;
	search(directory, "cn=ops,dc=x", DIR_SCOPE_BASE, "(cn=*)", named, &before);
	search(directory, "dc=x", DIR_SCOPE_BASE, "(dc=*)", named, &suffix[0]);
	assert_true(fake_directory_delete(directory, "cn=ops,dc=x"));
	search(directory, "dc=x", DIR_SCOPE_BASE, "(dc=*)", named, &suffix[1]);
	assert_true(fake_directory_add(directory, "cn=ops,dc=x"));
	search(directory, "cn=ops,dc=x", DIR_SCOPE_BASE, "(cn=*)", named, &after);
	assert_string_not_equal(dir_entry_single(before.entries, "entryUUID")->data,
				dir_entry_single(after.entries, "entryUUID")->data);
	assert_string_not_equal(dir_entry_single(suffix[0].entries, "contextCSN")->data,
				dir_entry_single(suffix[1].entries, "contextCSN")->data);
	dir_search_done(&before);
	dir_search_done(&after);
	dir_search_done(&suffix[0]);
	dir_search_done(&suffix[1]);
	fake_directory_free(&directory);
}

static void fake_directory_strike__counted_fault__is_used_up(void **state)
{
	struct fake_directory *directory = make_directory();
	struct fake_fault hang = {.kind = FAKE_FAULT_HANG, .when = (char[]){"uid="}, .times = 2};
	struct dir_search matching = {.base = "dc=x", .filter = "(uid=a)"},
			  other = {.base = "dc=x", .filter = "(cn=a)"};

	(void)state;
	fake_directory_add_fault(directory, &hang);
	assert_int_equal(fake_directory_strike(directory, &other).kind, FAKE_FAULT_NONE);
	assert_int_equal(fake_directory_strike(directory, &matching).kind, FAKE_FAULT_HANG);
	assert_int_equal(fake_directory_strike(directory, &matching).kind, FAKE_FAULT_HANG);
	assert_int_equal(fake_directory_strike(directory, &matching).kind, FAKE_FAULT_NONE);
	fake_directory_free(&directory);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(fake_dn_key__two_spellings__equal_as_slapd_says),
	    cmocka_unit_test(fake_dn_key__no_dn__null),
	    cmocka_unit_test(fake_dn_is_within__names__by_whole_rdns),
	    cmocka_unit_test(fake_filter_matches__each_kind__as_rfc_4511_says),
	    cmocka_unit_test(fake_filter_parse__no_filter_or_substrings__null),
	    cmocka_unit_test(fake_directory_answer__scopes__only_what_is_in_them),
	    cmocka_unit_test(fake_directory_answer__attributes__operational_only_when_asked),
	    cmocka_unit_test(fake_directory_answer__hidden_attribute__neither_shown_nor_matched),
	    cmocka_unit_test(fake_directory_answer__size_limits__cut_and_say_so),
	    cmocka_unit_test(fake_directory_rename__with_children__same_uuid_new_names),
	    cmocka_unit_test(fake_directory_delete__and_made_anew__another_uuid_and_csn),
	    cmocka_unit_test(fake_directory_strike__counted_fault__is_used_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
