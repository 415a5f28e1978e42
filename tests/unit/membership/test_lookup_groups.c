/* SPDX-License-Identifier: Apache-2.0 */
#include <membership/lookup_groups.h>

#include <base/compiler.h>
#include <stdio.h>
#include <string.h>
#include <support/assertions.h>
#include <support/entry_builder.h>
#include <support/memory_failing.h>

#define ALICE "uid=alice,ou=people,dc=x"
/* As filters have it: identity/filter.h escapes all but letters and digits. */
#define ALICE_ESCAPED "uid\\3dalice\\2cou\\3dpeople\\2cdc\\3dx"

static const struct config_directory directory = {.base = "dc=x", .group_base = "ou=groups,dc=x"};

/* A lookup in a closure of `groups` groups below ou=groups, the first of which is the only root. */
struct fixture {
	struct membership_lookup lookup;
	struct dir_search first[MEMBERSHIP_FIRST_SEARCHES];
	struct dir_entry *user;
	struct arena *arena;
};

static void begin(struct fixture *fixture, size_t groups, const char *id_format)
{
	static const struct digest_key key = {1, 2};
	struct closure *closure = closure_new(1, &key);

	memset(fixture, 0, sizeof(*fixture));
	assert_non_null(closure);
	for (size_t i = 0; i < groups; i++) {
		char dn[64], id[64];
		uint32_t number = 0;

		(void)snprintf(dn, sizeof(dn), "cn=g%zu,ou=groups,dc=x", i);
		(void)snprintf(id, sizeof(id), "%s%zu", id_format, i);
		assert_int_equal(closure_add_group(closure, dn, strcmp(id_format, "dn") == 0 ? dn : id, &number),
				 STATUS_OK);
	}
	closure_set_root(closure, 0, 0);
	closure_add_kinds(closure, CLOSURE_KIND_MEMBER);
	assert_int_equal(closure_finish(closure), STATUS_OK);
	fixture->arena = arena_new((size_t)4 * 1024 * 1024);
	fixture->user = build_entry(fixture->arena, ALICE, "uid=alice");
	fixture->lookup.arena = fixture->arena;
	fixture->lookup.user = "alice";
	fixture->lookup.first = fixture->first;
	fixture->lookup.searches = fixture->first;
	fixture->lookup.closure = closure;
}

static void end(struct fixture *fixture)
{
	membership_done(&fixture->lookup);
	arena_free(&fixture->arena);
}

/* The guess at the user's DN, asked and answered. */
static void guess(struct fixture *fixture, const char *dn, unsigned kinds, enum dir_outcome outcome)
{
	fixture->lookup.guess = dn;
	fixture->lookup.guess_kinds = kinds;
	assert_true(lookup_ask_groups(&directory, kinds, fixture->arena, dn, NULL, &fixture->first[0]));
	fixture->lookup.groups = &fixture->first[0];
	fixture->lookup.search_count = 1;
	fixture->first[0].outcome = outcome;
}

static void give(struct dir_search *search, const char *dn, const char *attributes)
{
	struct dir_entry *entry = build_entry(search->arena, dn, attributes);

	entry->next = search->entries;
	search->entries = entry;
	search->entry_count++;
	search->outcome = DIR_OUTCOME_OK;
}

static void lookup_by_search__the_right_guess__is_the_answer(void **state)
{
	struct fixture fixture;

	(void)state;
	begin(&fixture, 3, "id");
	guess(&fixture, "UID=Alice, ou=people,dc=x", CLOSURE_KIND_MEMBER, DIR_OUTCOME_OK);
	give(&fixture.first[0], "cn=g2,ou=groups,dc=x", "entryUUID=id2");
	give(&fixture.first[0], "cn=other,ou=groups,dc=x", "entryUUID=id77");
	assert_int_equal(lookup_by_search(&directory, &fixture.lookup, fixture.user), MEMBERSHIP_DONE);
	assert_int_equal(fixture.lookup.direct_count, 1);
	assert_int_equal(fixture.lookup.direct[0], 2);
	end(&fixture);
}

static void lookup_by_search__a_guess_that_is_no_answer__asks(void **state)
{
	static const struct {
		const char *what, *guess;
		unsigned asked, kinds;
	} rows[] = {
	    {"none", NULL, 0, CLOSURE_KIND_MEMBER},
	    {"another DN", "uid=alice,ou=staff,dc=x", CLOSURE_KIND_MEMBER, CLOSURE_KIND_MEMBER},
	    {"a kind that came later", ALICE, CLOSURE_KIND_MEMBER, CLOSURE_KIND_MEMBER | CLOSURE_KIND_UNIQUE_MEMBER},
	    {"uids that came later", ALICE, CLOSURE_KIND_MEMBER, CLOSURE_KIND_MEMBER | CLOSURE_KIND_MEMBER_UID},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct fixture fixture;

		begin(&fixture, 3, "id");
		closure_add_kinds(fixture.lookup.closure, rows[i].kinds);
		if (rows[i].guess != NULL)
			guess(&fixture, rows[i].guess, rows[i].asked, DIR_OUTCOME_OK);
		assert_row(rows[i].what, lookup_by_search(&directory, &fixture.lookup, fixture.user) == MEMBERSHIP_ASK);
		assert_row(rows[i].what, fixture.lookup.search_count == 1);
		assert_row(rows[i].what,
			   strstr(fixture.lookup.searches[0].filter, "(member=" ALICE_ESCAPED ")") != NULL);
		assert_row(rows[i].what, ((rows[i].kinds & CLOSURE_KIND_MEMBER_UID) != 0) ==
					     (strstr(fixture.lookup.searches[0].filter, "(memberUid=alice)") != NULL));
		give(&fixture.lookup.searches[0], "cn=g1,ou=groups,dc=x", "entryUUID=id1");
		assert_row(rows[i].what,
			   lookup_by_search(&directory, &fixture.lookup, fixture.user) == MEMBERSHIP_DONE);
		assert_row(rows[i].what, fixture.lookup.direct_count == 1);
		end(&fixture);
	}
}

static void lookup_by_search__failures__are_unknown(void **state)
{
	static const enum dir_outcome outcomes[] = {
	    DIR_OUTCOME_NONE,    DIR_OUTCOME_NO_SUCH_OBJECT, DIR_OUTCOME_BUSY,    DIR_OUTCOME_NOT_PERMITTED,
	    DIR_OUTCOME_TIMEOUT, DIR_OUTCOME_BAD_CONNECTION, DIR_OUTCOME_REFUSED, DIR_OUTCOME_NO_MEMORY,
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(outcomes); i++) {
		struct fixture fixture;

		begin(&fixture, 3, "id");
		guess(&fixture, ALICE, CLOSURE_KIND_MEMBER, outcomes[i]);
		assert_int_equal(lookup_by_search(&directory, &fixture.lookup, fixture.user), MEMBERSHIP_UNKNOWN);
		assert_int_not_equal(fixture.lookup.error.status, STATUS_OK);
		assert_int_equal(fixture.lookup.direct_count, 0);
		end(&fixture);
	}
}

/* The list was cut: the closure's groups are asked about by their ids, of whichever kind the server has. */
static void lookup_by_search__a_cut_list__asks_in_batches(void **state)
{
	struct fixture fixture;

	(void)state;
	begin(&fixture, LOOKUP_BATCH_GROUPS + 1, "id");
	guess(&fixture, ALICE, CLOSURE_KIND_MEMBER, DIR_OUTCOME_LIMIT);
	assert_int_equal(lookup_by_search(&directory, &fixture.lookup, fixture.user), MEMBERSHIP_ASK);
	assert_int_equal(fixture.lookup.search_count, 2);
	assert_non_null(strstr(fixture.lookup.searches[0].filter, "(entryUUID=id49)(nsUniqueId=id49)"));
	assert_null(strstr(fixture.lookup.searches[0].filter, "(entryUUID=id50)"));
	assert_non_null(strstr(fixture.lookup.searches[1].filter, "(entryUUID=id50)(nsUniqueId=id50)"));
	assert_non_null(strstr(fixture.lookup.searches[1].filter, "(member=" ALICE_ESCAPED ")"));
	fixture.lookup.searches[0].outcome = DIR_OUTCOME_OK;
	give(&fixture.lookup.searches[1], "cn=g50,ou=groups,dc=x", "nsUniqueId=id50");
	assert_int_equal(lookup_by_search(&directory, &fixture.lookup, fixture.user), MEMBERSHIP_DONE);
	assert_int_equal(fixture.lookup.direct_count, 1);
	assert_int_equal(fixture.lookup.direct[0], 50);
	end(&fixture);
}

static void lookup_by_search__batches_that_cannot_be_asked__are_unknown(void **state)
{
	static const struct {
		const char *ids;
		size_t groups;
	} rows[] = {{"dn", 3}, {"id", (size_t)LOOKUP_BATCH_GROUPS * LOOKUP_MAX_BATCHES + 1}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct fixture fixture;

		begin(&fixture, rows[i].groups, rows[i].ids);
		guess(&fixture, ALICE, CLOSURE_KIND_MEMBER, DIR_OUTCOME_LIMIT);
		assert_int_equal(lookup_by_search(&directory, &fixture.lookup, fixture.user), MEMBERSHIP_UNKNOWN);
		assert_int_equal(fixture.lookup.error.status, STATUS_LIMIT);
		end(&fixture);
	}
}

static void lookup_by_search__a_batch_that_is_cut__is_unknown(void **state)
{
	struct fixture fixture;

	(void)state;
	begin(&fixture, 3, "id");
	guess(&fixture, ALICE, CLOSURE_KIND_MEMBER, DIR_OUTCOME_LIMIT);
	assert_int_equal(lookup_by_search(&directory, &fixture.lookup, fixture.user), MEMBERSHIP_ASK);
	give(&fixture.lookup.searches[0], "cn=g1,ou=groups,dc=x", "entryUUID=id1");
	fixture.lookup.searches[0].outcome = DIR_OUTCOME_LIMIT;
	assert_int_equal(lookup_by_search(&directory, &fixture.lookup, fixture.user), MEMBERSHIP_UNKNOWN);
	end(&fixture);
}

static void lookup_by_search__a_root_elsewhere__is_asked_by_itself(void **state)
{
	static const struct config_directory elsewhere = {.base = "dc=x", .group_base = "ou=other,dc=x"};
	struct fixture fixture;

	(void)state;
	begin(&fixture, 3, "id");
	guess(&fixture, ALICE, CLOSURE_KIND_MEMBER, DIR_OUTCOME_OK);
	assert_int_equal(lookup_by_search(&elsewhere, &fixture.lookup, fixture.user), MEMBERSHIP_ASK);
	assert_int_equal(fixture.lookup.search_count, 2);
	assert_string_equal(fixture.lookup.searches[0].base, "cn=g0,ou=groups,dc=x");
	assert_int_equal(fixture.lookup.searches[0].scope, DIR_SCOPE_BASE);
	assert_string_equal(fixture.lookup.searches[1].base, "ou=other,dc=x");
	give(&fixture.lookup.searches[0], "cn=g0,ou=groups,dc=x", "entryUUID=id0");
	fixture.lookup.searches[1].outcome = DIR_OUTCOME_OK;
	assert_int_equal(lookup_by_search(&elsewhere, &fixture.lookup, fixture.user), MEMBERSHIP_DONE);
	assert_true(membership_holds(&fixture.lookup, 0));
	end(&fixture);
}

static void lookup_by_memberof__names_only_the_server_knows__are_asked(void **state)
{
	struct fixture fixture;

	(void)state;
	begin(&fixture, 3, "id");
	fixture.user =
	    build_entry(fixture.arena, ALICE, "memberOf=CN=G1, ou=groups,dc=x; memberOf=cn=\xc3\xa9quipe,dc=x");
	assert_int_equal(lookup_by_memberof(&fixture.lookup, fixture.user), MEMBERSHIP_ASK);
	assert_int_equal(fixture.lookup.search_count, 1);
	assert_string_equal(fixture.lookup.searches[0].base, "cn=\xc3\xa9quipe,dc=x");
	give(&fixture.lookup.searches[0], "cn=g2,ou=groups,dc=x", "");
	assert_int_equal(lookup_by_memberof(&fixture.lookup, fixture.user), MEMBERSHIP_DONE);
	assert_int_equal(fixture.lookup.direct_count, 2);
	fixture.lookup.searches[0].outcome = DIR_OUTCOME_TIMEOUT;
	assert_int_equal(lookup_by_memberof(&fixture.lookup, fixture.user), MEMBERSHIP_UNKNOWN);
	end(&fixture);
}

/* The whole way through batches, with each allocation failing once. */
static void lookup_by_search__no_memory__is_unknown(void **state)
{
	(void)state;
	for (size_t n = 1;; n++) {
		const size_t before = memory_live_count();
		enum membership_next next;
		struct fixture fixture;

		begin(&fixture, 3, "id");
		guess(&fixture, ALICE, CLOSURE_KIND_MEMBER, DIR_OUTCOME_LIMIT);
		memory_fail_at(n);
		next = lookup_by_search(&directory, &fixture.lookup, fixture.user);
		if (next == MEMBERSHIP_ASK) {
			for (size_t i = 0; i < fixture.lookup.search_count; i++)
				fixture.lookup.searches[i].outcome = DIR_OUTCOME_OK;
			next = lookup_by_search(&directory, &fixture.lookup, fixture.user);
		}
		if (memory_fail_count() < n) {
			memory_fail_at(0);
			assert_int_equal(next, MEMBERSHIP_DONE);
			end(&fixture);
			break;
		}
		memory_fail_at(0);
		/* What could not be compared is asked about, and then the answer is as good. */
		assert_true(next == MEMBERSHIP_UNKNOWN || next == MEMBERSHIP_DONE);
		if (next == MEMBERSHIP_UNKNOWN)
			assert_int_equal(fixture.lookup.error.status, STATUS_NO_MEMORY);
		end(&fixture);
		assert_int_equal(memory_live_count(), before);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lookup_by_search__the_right_guess__is_the_answer),
	    cmocka_unit_test(lookup_by_search__a_guess_that_is_no_answer__asks),
	    cmocka_unit_test(lookup_by_search__failures__are_unknown),
	    cmocka_unit_test(lookup_by_search__a_cut_list__asks_in_batches),
	    cmocka_unit_test(lookup_by_search__batches_that_cannot_be_asked__are_unknown),
	    cmocka_unit_test(lookup_by_search__a_batch_that_is_cut__is_unknown),
	    cmocka_unit_test(lookup_by_search__a_root_elsewhere__is_asked_by_itself),
	    cmocka_unit_test(lookup_by_memberof__names_only_the_server_knows__are_asked),
	    cmocka_unit_test(lookup_by_search__no_memory__is_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
