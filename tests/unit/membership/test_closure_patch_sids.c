/* SPDX-License-Identifier: Apache-2.0 */
/* Changes of Active Directory: what they mean for a closure, and whether it still holds. The test's own pool gives the answers. */
#include <membership/closure_patch.h>

#include <base/memory.h>
#include <stdio.h>
#include <string.h>
#include <support/assertions.h>
#include <support/clock_manual.h>
#include <support/entry_builder.h>
#include <support/executor_manual.h>
#include <support/memory_failing.h>

#define ROOT     "CN=root,DC=x"
#define INNER    "CN=inner,DC=x"
#define OTHER    "CN=other,DC=x"
#define ROOT_ID  "S-1-5-21-1-2-3-1000"
#define INNER_ID "S-1-5-21-1-2-3-1001"
#define OTHER_ID "S-1-5-21-1-2-3-1002"
#define GROUP    "objectClass=group; groupType=-2147483646"
#define MAIL     "objectClass=group; groupType=2"
/* Of a group that another one holds. */
#define NESTED      GROUP "; memberOf=?"
#define HOLDER(sid) "<GUID=2092dd8c-1f4d-4cd5-a2b8-6a3c0ad6e8a7>;<SID=" sid ">;CN=holder,DC=x"
#define DC1(usn)    "000000000000000" usn "#0#CN=NTDS%20Settings,CN=DC1#usn"
#define DC2(usn)    "000000000000000" usn "#0#CN=NTDS%20Settings,CN=DC2#usn"
#define MAX_ANSWERS 8

struct fixture {
	struct arena *arena;
	struct executor *executor;
	struct config_directory directory;
	const char *names[1];
	char *pins[1];
	struct closure_plan plan;
	struct closure *closure;
	struct closure_concern concern;

	/* what the server answers: of the n-th search of a round trip; the last one is the mark's */
	struct dir_entry *answers[MAX_ANSWERS];
	const char *usn, *service;
	unsigned round_trips;
	size_t searches;
	char filters[MAX_ANSWERS][512];
	bool breaks;

	/* how it ended */
	unsigned ended;
	enum status status;
	bool whole;
	struct closure *patched;
};

static struct fixture *now_served;

static struct dir_entry *mark_entry(const struct fixture *fixture)
{
	char text[160];

	(void)snprintf(text, sizeof(text), "highestCommittedUSN=%s; dsServiceName=%s", fixture->usn, fixture->service);
	return build_entry(fixture->arena, "", text);
}

static void run_done(void *context)
{
	struct dir_request *request = context;

	request->done(request);
}

/* In the place of the pool's: linked first. */
void dir_pool_submit(struct dir_pool *pool, struct dir_request *request)
{
	struct fixture *fixture = now_served;

	(void)pool;
	fixture->round_trips++;
	fixture->searches = request->search_count;
	assert_true(request->witness_is_last);
	for (size_t i = 0; i < request->search_count; i++) {
		struct dir_search *search = &request->searches[i];
		const bool is_mark = i + 1 == request->search_count;

		search->outcome = fixture->breaks ? DIR_OUTCOME_BAD_CONNECTION : DIR_OUTCOME_OK;
		if (i < MAX_ANSWERS)
			(void)snprintf(fixture->filters[i], sizeof(fixture->filters[i]), "%s", search->filter);
		search->entries = is_mark ? mark_entry(fixture) : i < MAX_ANSWERS ? fixture->answers[i] : NULL;
	}
	request->task = (struct task){.run = run_done, .context = request};
	executor_post(fixture->executor, &request->task);
}

/* Fixture */

static void add_group(struct fixture *fixture, const char *dn, const char *id, uint32_t *number_out)
{
	assert_int_equal(closure_add_group(fixture->closure, dn, id, number_out), STATUS_OK);
}

/* root lists inner. */
static int set_up(void **state)
{
	static const struct digest_key key = {1, 2};
	static struct fixture fixture;
	uint32_t root, inner;

	fixture = (struct fixture){.names = {ROOT}, .usn = "100", .service = "CN=NTDS Settings,CN=DC1"};
	fixture.directory.timeout_ms = 3000;
	fixture.plan = (struct closure_plan){
	    .directory = &fixture.directory, .names = fixture.names, .pins = fixture.pins, .root_count = 1};
	fixture.arena = arena_new(1 << 20);
	assert_non_null(fixture.arena);
	assert_int_equal(executor_open("test", &fixture.executor, NULL), STATUS_OK);
	fixture.closure = closure_new(1, &key);
	assert_non_null(fixture.closure);
	add_group(&fixture, ROOT, ROOT_ID, &root);
	add_group(&fixture, INNER, INNER_ID, &inner);
	closure_set_root(fixture.closure, 0, root);
	assert_int_equal(closure_add_edge(fixture.closure, inner, root), STATUS_OK);
	closure_set_by_sid(fixture.closure);
	assert_int_equal(closure_finish(fixture.closure), STATUS_OK);
	now_served = &fixture;
	*state = &fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	closure_unref(&fixture->patched);
	closure_unref(&fixture->closure);
	executor_close(&fixture->executor);
	arena_free(&fixture->arena);
	return 0;
}

static struct dir_entry *entry(struct fixture *fixture, const char *dn, const char *id, const char *attributes)
{
	struct dir_entry *built = build_entry(fixture->arena, dn, attributes);

	built->id = id;
	return built;
}

static void hold_by(struct dir_entry *nested, const char *holder)
{
	for (size_t i = 0; i < nested->attribute_count; i++)
		if (strcmp(nested->attributes[i].name, "memberOf") == 0)
			nested->attributes[i].values[0] = (struct dir_value){holder, strlen(holder)};
}

static void tell(struct fixture *fixture, enum dir_change change, const char *dn, const char *id,
		 const char *attributes)
{
	const struct dir_watch_event event = {
	    .kind = DIR_WATCH_CHANGE, .change = change, .entry = entry(fixture, dn, id, attributes), .id = id};

	assert_int_equal(closure_concern_add(&fixture->concern, fixture->closure, &fixture->plan, &event), STATUS_OK);
}

static void done(void *context, const struct closure_patched *patched)
{
	struct fixture *fixture = context;

	fixture->ended++;
	fixture->status = patched->status;
	fixture->whole = patched->whole;
	assert_ptr_equal(patched->base, fixture->closure);
	closure_unref(&fixture->patched);
	if (patched->closure != NULL)
		fixture->patched = closure_ref(patched->closure);
}

static enum status begin(struct fixture *fixture)
{
	const struct closure_patch_plan plan = {
	    .plan = &fixture->plan,
	    .base = fixture->closure,
	    .concern = &fixture->concern,
	    .mark_base = "",
	    .at_least = DC1("00100"),
	    .domain_base = "DC=x",
	    .search_flags = DIR_SEARCH_EXTENDED_DN,
	};
	struct closure_patch *patch;

	return closure_patch_start(NULL, fixture->executor, &plan, done, fixture, &patch);
}

static void patch(struct fixture *fixture)
{
	assert_int_equal(begin(fixture), STATUS_OK);
	(void)executor_manual_run(fixture->executor);
	assert_int_equal(fixture->ended, 1);
}

static void assert_same(const struct fixture *fixture)
{
	assert_int_equal(fixture->status, STATUS_OK);
	assert_false(fixture->whole);
	assert_ptr_equal(fixture->patched, fixture->closure);
}

static void assert_whole(const struct fixture *fixture)
{
	assert_int_equal(fixture->status, STATUS_OK);
	assert_true(fixture->whole);
	assert_null(fixture->patched);
}

/* What a change means */

static void closure_concern_add__by_sid__what_each_change_means(void **state)
{
	static const struct {
		int line;
		enum dir_change change;
		const char *dn, *id, *attributes;
		bool everything;
		size_t groups, newcomers;
	} rows[] = {
	    {__LINE__, DIR_CHANGE_MODIFY, ROOT, ROOT_ID, GROUP, false, 1, 0},
	    {__LINE__, DIR_CHANGE_MODIFY, INNER, INNER_ID, GROUP, false, 1, 0},
	    {__LINE__, DIR_CHANGE_MODIFY, "CN=renamed,DC=x", INNER_ID, GROUP, true, 0, 0},
	    {__LINE__, DIR_CHANGE_MODIFY, INNER, INNER_ID, MAIL, true, 0, 0},
	    {__LINE__, DIR_CHANGE_DELETE, "", INNER_ID, GROUP, true, 0, 0},
	    {__LINE__, DIR_CHANGE_MODIFY, OTHER, OTHER_ID, GROUP, false, 0, 1},
	    {__LINE__, DIR_CHANGE_MODIFY, OTHER, "no SID", GROUP, true, 0, 0},
	    {__LINE__, DIR_CHANGE_DELETE, "", OTHER_ID, GROUP, false, 0, 0},
	    {__LINE__, DIR_CHANGE_MODIFY, OTHER, OTHER_ID, MAIL, false, 0, 0},
	    {__LINE__, DIR_CHANGE_MODIFY, "CN=alice,DC=x", OTHER_ID, "objectClass=user", false, 0, 0},
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct closure_concern *concern = &fixture->concern;

		memset(&fixture->concern, 0, sizeof(fixture->concern));
		tell(fixture, rows[i].change, rows[i].dn, rows[i].id, rows[i].attributes);
		if (concern->everything != rows[i].everything || concern->group_count != rows[i].groups ||
		    concern->newcomer_count != rows[i].newcomers ||
		    closure_concern_is_nothing(concern) !=
			(!rows[i].everything && rows[i].groups + rows[i].newcomers == 0))
			fail_msg("the row of line %d", rows[i].line);
	}
}

static void closure_concern_add__by_sid_and_a_root_is_missing__any_group_may_be_it(void **state)
{
	struct fixture *fixture = *state;

	closure_set_root(fixture->closure, 0, CLOSURE_NONE);
	tell(fixture, DIR_CHANGE_MODIFY, OTHER, OTHER_ID, GROUP);
	assert_true(fixture->concern.everything);
}

static void closure_concern_add__more_newcomers_than_are_asked_about__everything(void **state)
{
	struct fixture *fixture = *state;
	char id[64];

	for (unsigned i = 0; i <= CLOSURE_CONCERN_MAX_NEWCOMERS; i++) {
		assert_false(fixture->concern.everything);
		(void)snprintf(id, sizeof(id), "S-1-5-21-1-2-3-%u", 2000 + i);
		tell(fixture, DIR_CHANGE_MODIFY, OTHER, id, GROUP);
	}
	assert_true(fixture->concern.everything);
}

/* Whether it still holds */

static void closure_patch__a_group_lists_the_same_groups__it_holds(void **state)
{
	struct fixture *fixture = *state;

	tell(fixture, DIR_CHANGE_MODIFY, ROOT, ROOT_ID, GROUP);
	fixture->answers[0] = entry(fixture, INNER, INNER_ID, GROUP);
	fixture->answers[0]->next = entry(fixture, OTHER, OTHER_ID, MAIL); /* does not count */
	patch(fixture);
	assert_same(fixture);
	assert_int_equal(fixture->round_trips, 1);
	assert_non_null(strstr(fixture->filters[0], "memberOf=CN\\3droot\\2cDC\\3dx"));
}

static void closure_patch__a_group_lists_another_group__is_for_a_load(void **state)
{
	struct fixture *fixture = *state;

	tell(fixture, DIR_CHANGE_MODIFY, INNER, INNER_ID, GROUP);
	fixture->answers[0] = entry(fixture, OTHER, OTHER_ID, GROUP);
	patch(fixture);
	assert_whole(fixture);
}

static void closure_patch__a_group_lists_a_group_less__is_for_a_load(void **state)
{
	struct fixture *fixture = *state;

	tell(fixture, DIR_CHANGE_MODIFY, ROOT, ROOT_ID, GROUP);
	patch(fixture);
	assert_whole(fixture);
}

static void closure_patch__the_child_is_a_group_of_the_closure_and_no_child_yet__is_for_a_load(void **state)
{
	struct fixture *fixture = *state;

	tell(fixture, DIR_CHANGE_MODIFY, INNER, INNER_ID, GROUP);
	fixture->answers[0] = entry(fixture, ROOT, ROOT_ID, GROUP);
	patch(fixture);
	assert_whole(fixture);
}

static void closure_patch__unseen_and_all_groups_are_there__it_holds(void **state)
{
	struct fixture *fixture = *state;

	fixture->concern.unseen = true;
	assert_false(closure_concern_is_nothing(&fixture->concern));
	fixture->answers[0] = entry(fixture, INNER, INNER_ID, GROUP);
	fixture->answers[0]->next = entry(fixture, ROOT, ROOT_ID, GROUP);
	patch(fixture);
	assert_same(fixture);
}

static void closure_patch__unseen_and_a_group_is_gone__is_for_a_load(void **state)
{
	struct fixture *fixture = *state;

	fixture->concern.unseen = true;
	fixture->answers[0] = entry(fixture, INNER, INNER_ID, GROUP);
	patch(fixture);
	assert_whole(fixture);
}

static void closure_patch__unseen_and_a_group_counts_no_more__is_for_a_load(void **state)
{
	struct fixture *fixture = *state;

	fixture->concern.unseen = true;
	fixture->answers[0] = entry(fixture, INNER, INNER_ID, MAIL);
	fixture->answers[0]->next = entry(fixture, ROOT, ROOT_ID, GROUP);
	patch(fixture);
	assert_whole(fixture);
}

static void closure_patch__a_newcomer_that_nobody_lists__it_holds(void **state)
{
	struct fixture *fixture = *state;

	tell(fixture, DIR_CHANGE_MODIFY, OTHER, OTHER_ID, GROUP);
	fixture->answers[0] = entry(fixture, OTHER, OTHER_ID, NESTED);
	hold_by(fixture->answers[0], HOLDER("S-1-5-21-1-2-3-1777"));
	patch(fixture);
	assert_same(fixture);
}

static void closure_patch__a_newcomer_that_the_closure_lists__is_for_a_load(void **state)
{
	struct fixture *fixture = *state;

	tell(fixture, DIR_CHANGE_MODIFY, OTHER, OTHER_ID, GROUP);
	fixture->answers[0] = entry(fixture, OTHER, OTHER_ID, NESTED);
	hold_by(fixture->answers[0], HOLDER(INNER_ID));
	patch(fixture);
	assert_whole(fixture);
}

static void closure_patch__a_newcomer_whose_holder_cannot_be_read__is_for_a_load(void **state)
{
	struct fixture *fixture = *state;

	tell(fixture, DIR_CHANGE_MODIFY, OTHER, OTHER_ID, GROUP);
	fixture->answers[0] = entry(fixture, OTHER, OTHER_ID, NESTED);
	hold_by(fixture->answers[0], "<SID=nonsense>;CN=holder,DC=x");
	patch(fixture);
	assert_whole(fixture);
}

#define PRINCIPAL    "CN=principal,DC=x"
#define FOREIGN_ID   "S-1-5-21-9-9-9-1000"
#define IS_PRINCIPAL "objectClass=foreignSecurityPrincipal; memberOf=?"

/* `known`: what the closure knows that inner holds. */
static void change_inner(struct fixture *fixture, unsigned known, const char *principal_id)
{
	closure_add_holding(fixture->closure, closure_find_id(fixture->closure, INNER_ID, strlen(INNER_ID)), known);
	tell(fixture, DIR_CHANGE_MODIFY, INNER, INNER_ID, GROUP);
	if (principal_id != NULL)
		fixture->answers[0] = entry(fixture, PRINCIPAL, principal_id, IS_PRINCIPAL);
	patch(fixture);
	assert_contains(fixture->filters[0], "(objectClass=foreignSecurityPrincipal)");
}

static void closure_patch__a_group_gets_a_principal__is_for_a_load(void **state)
{
	change_inner(*state, 0, FOREIGN_ID);
	assert_whole(*state);
}

static void closure_patch__a_group_loses_its_principal__is_for_a_load(void **state)
{
	change_inner(*state, CLOSURE_HOLDS_FOREIGN, NULL);
	assert_whole(*state);
}

static void closure_patch__a_group_has_a_principal_of_another_kind__is_for_a_load(void **state)
{
	change_inner(*state, CLOSURE_HOLDS_FOREIGN, "S-1-5-11");
	assert_whole(*state);
}

static void closure_patch__a_group_has_such_a_principal_as_before__it_holds(void **state)
{
	change_inner(*state, CLOSURE_HOLDS_FOREIGN, FOREIGN_ID);
	assert_same(*state);
}

static void closure_patch__a_principal_that_is_nobody__it_holds(void **state)
{
	change_inner(*state, 0, "S-1-5-7");
	assert_same(*state);
}

/* A principal that is told of itself: it was made, or restored. */
static void tell_principal(struct fixture *fixture, unsigned known, const char *holder)
{
	closure_add_holding(fixture->closure, closure_find_id(fixture->closure, INNER_ID, strlen(INNER_ID)), known);
	tell(fixture, DIR_CHANGE_MODIFY, PRINCIPAL, FOREIGN_ID, IS_PRINCIPAL);
	fixture->answers[0] = entry(fixture, PRINCIPAL, FOREIGN_ID, IS_PRINCIPAL);
	hold_by(fixture->answers[0], holder);
	patch(fixture);
}

static void closure_patch__a_principal_that_the_closure_lists__is_for_a_load(void **state)
{
	tell_principal(*state, CLOSURE_HOLDS_EVERYBODY, HOLDER(INNER_ID));
	assert_whole(*state);
}

static void closure_patch__a_principal_that_it_is_known_to_list__it_holds(void **state)
{
	tell_principal(*state, CLOSURE_HOLDS_FOREIGN, HOLDER(INNER_ID));
	assert_same(*state);
}

static void closure_patch__a_principal_that_nobody_lists__it_holds(void **state)
{
	tell_principal(*state, 0, HOLDER(OTHER_ID));
	assert_same(*state);
}

static void closure_patch__all_at_once__one_round_trip(void **state)
{
	struct fixture *fixture = *state;

	fixture->concern.unseen = true;
	tell(fixture, DIR_CHANGE_MODIFY, ROOT, ROOT_ID, GROUP);
	tell(fixture, DIR_CHANGE_MODIFY, INNER, INNER_ID, GROUP);
	tell(fixture, DIR_CHANGE_MODIFY, OTHER, OTHER_ID, GROUP);
	fixture->answers[0] = entry(fixture, INNER, INNER_ID, GROUP);
	fixture->answers[0]->next = entry(fixture, ROOT, ROOT_ID, GROUP);
	fixture->answers[1] = entry(fixture, INNER, INNER_ID, GROUP);
	patch(fixture);
	assert_same(fixture);
	assert_int_equal(fixture->round_trips, 1);
	assert_int_equal(fixture->searches, 5);
}

static void closure_patch__another_controller_answers__is_for_a_load(void **state)
{
	struct fixture *fixture = *state;

	fixture->concern.unseen = true;
	fixture->service = "CN=NTDS Settings,CN=DC2";
	patch(fixture);
	assert_whole(fixture);
	assert_int_equal(fixture->round_trips, 1);
}

static void closure_patch__the_controller_shows_an_older_state__asks_again(void **state)
{
	struct fixture *fixture = *state;

	fixture->concern.unseen = true;
	fixture->usn = "99";
	assert_int_equal(begin(fixture), STATUS_OK);
	(void)executor_manual_run(fixture->executor);
	assert_int_equal(fixture->ended, 0);
	fixture->usn = "100";
	fixture->answers[0] = entry(fixture, INNER, INNER_ID, GROUP);
	fixture->answers[0]->next = entry(fixture, ROOT, ROOT_ID, GROUP);
	(void)executor_manual_advance(fixture->executor, CLOSURE_PATCH_LAG_MS);
	assert_int_equal(fixture->ended, 1);
	assert_same(fixture);
	assert_int_equal(fixture->round_trips, 2);
}

static void closure_patch__the_connection_breaks__fails(void **state)
{
	struct fixture *fixture = *state;

	fixture->concern.unseen = true;
	fixture->breaks = true;
	patch(fixture);
	assert_int_not_equal(fixture->status, STATUS_OK);
	assert_null(fixture->patched);
}

static void closure_patch__more_groups_than_are_asked_for_at_once__is_for_a_load(void **state)
{
	static const struct digest_key key = {1, 2};
	struct fixture *fixture = *state;
	char dn[64], id[64];
	uint32_t number;

	closure_unref(&fixture->closure);
	fixture->closure = closure_new(1, &key);
	for (unsigned i = 0; i <= CLOSURE_PATCH_SIDS * (CLOSURE_LOAD_BATCH - 1); i++) {
		(void)snprintf(dn, sizeof(dn), "CN=g%u,DC=x", i);
		(void)snprintf(id, sizeof(id), "S-1-5-21-1-2-3-%u", 1000 + i);
		add_group(fixture, dn, id, &number);
	}
	closure_set_by_sid(fixture->closure);
	assert_int_equal(closure_finish(fixture->closure), STATUS_OK);
	fixture->concern.unseen = true;
	patch(fixture);
	assert_whole(fixture);
	assert_int_equal(fixture->round_trips, 0);
}

static void closure_patch__no_memory__fails_or_is_right(void **state)
{
	struct fixture *fixture = *state;

	fixture->concern.unseen = true;
	tell(fixture, DIR_CHANGE_MODIFY, ROOT, ROOT_ID, GROUP);
	tell(fixture, DIR_CHANGE_MODIFY, OTHER, OTHER_ID, GROUP);
	fixture->answers[0] = entry(fixture, INNER, INNER_ID, GROUP);
	fixture->answers[0]->next = entry(fixture, ROOT, ROOT_ID, GROUP);
	fixture->answers[1] = entry(fixture, INNER, INNER_ID, GROUP);
	for (unsigned long n = 1;; n++) {
		enum status status;

		fixture->ended = 0;
		memory_fail_at(n);
		status = begin(fixture);
		if (status == STATUS_OK)
			(void)executor_manual_advance(fixture->executor, fixture->directory.timeout_ms);
		if (memory_fail_count() < n)
			break;
		memory_fail_at(0);
		assert_int_equal(fixture->ended, status == STATUS_OK ? 1 : 0);
		if (status == STATUS_OK && fixture->status == STATUS_OK)
			assert_same(fixture);
	}
	memory_fail_at(0);
	assert_same(fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(closure_concern_add__by_sid__what_each_change_means, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(closure_concern_add__by_sid_and_a_root_is_missing__any_group_may_be_it,
					    set_up, tear_down),
	    cmocka_unit_test_setup_teardown(closure_concern_add__more_newcomers_than_are_asked_about__everything,
					    set_up, tear_down),
	    cmocka_unit_test_setup_teardown(closure_patch__a_group_lists_the_same_groups__it_holds, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(closure_patch__a_group_lists_another_group__is_for_a_load, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(closure_patch__a_group_lists_a_group_less__is_for_a_load, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(
		closure_patch__the_child_is_a_group_of_the_closure_and_no_child_yet__is_for_a_load, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(closure_patch__unseen_and_all_groups_are_there__it_holds, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(closure_patch__unseen_and_a_group_is_gone__is_for_a_load, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(closure_patch__unseen_and_a_group_counts_no_more__is_for_a_load, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(closure_patch__a_newcomer_that_nobody_lists__it_holds, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(closure_patch__a_newcomer_that_the_closure_lists__is_for_a_load, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(closure_patch__a_newcomer_whose_holder_cannot_be_read__is_for_a_load,
					    set_up, tear_down),
	    cmocka_unit_test_setup_teardown(closure_patch__a_group_gets_a_principal__is_for_a_load, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(closure_patch__a_group_loses_its_principal__is_for_a_load, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(closure_patch__a_group_has_a_principal_of_another_kind__is_for_a_load,
					    set_up, tear_down),
	    cmocka_unit_test_setup_teardown(closure_patch__a_group_has_such_a_principal_as_before__it_holds, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(closure_patch__a_principal_that_is_nobody__it_holds, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(closure_patch__a_principal_that_the_closure_lists__is_for_a_load, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(closure_patch__a_principal_that_it_is_known_to_list__it_holds, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(closure_patch__a_principal_that_nobody_lists__it_holds, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(closure_patch__all_at_once__one_round_trip, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(closure_patch__another_controller_answers__is_for_a_load, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(closure_patch__the_controller_shows_an_older_state__asks_again, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(closure_patch__the_connection_breaks__fails, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(closure_patch__more_groups_than_are_asked_for_at_once__is_for_a_load,
					    set_up, tear_down),
	    cmocka_unit_test_setup_teardown(closure_patch__no_memory__fails_or_is_right, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
