/* SPDX-License-Identifier: Apache-2.0 */
/* Loading a closure from a domain controller while it changes, breaks off, or gives way to another one. */
#include <support/assertions.h>

#include <stdio.h>
#include <string.h>
#include <support/domain_stage.h>

#define OPS       DOMAIN_STAGE_OPS
#define TEAM      DOMAIN_STAGE_TEAM
#define INNER     DOMAIN_STAGE_INNER
#define FREE      DOMAIN_STAGE_FREE
#define PRINCIPAL "cn=S-1-5-11,cn=ForeignSecurityPrincipals," FAKE_DOMAIN_DN

static int set_up(void **state)
{
	static struct domain_stage stage;

	domain_stage_open(&stage);
	*state = &stage;
	return 0;
}

static int tear_down(void **state)
{
	domain_stage_close(*state);
	return 0;
}

/* Between MARK and LIST, and between LIST and CHECK */

static void nest_free(struct domain_stage *stage)
{
	fake_domain_nest(stage->directory, FREE, INNER);
}

static void rename_inner(struct domain_stage *stage)
{
	assert_true(fake_directory_rename(stage->directory, INNER, DOMAIN_STAGE_GROUP("other")));
}

static void delete_team(struct domain_stage *stage)
{
	fake_domain_unnest(stage->directory, INNER, TEAM);
	fake_domain_unnest(stage->directory, TEAM, OPS);
	assert_true(fake_directory_delete(stage->directory, TEAM));
}

static void change_a_stranger(struct domain_stage *stage)
{
	assert_true(fake_directory_gain(stage->directory, FREE, "description", "x"));
}

static void change_a_person(struct domain_stage *stage)
{
	fake_domain_add(stage->directory, "cn=bob,ou=people," FAKE_DOMAIN_DN, "user", FAKE_DOMAIN_SID "-1001");
}

/* It was in the recycle bin, and is in its group again; only its own entry has moved. */
static void restore_principal(struct domain_stage *stage)
{
	fake_domain_add(stage->directory, PRINCIPAL, "foreignSecurityPrincipal", "S-1-5-11");
	fake_domain_nest(stage->directory, PRINCIPAL, INNER);
}

static void (*meanwhile)(struct domain_stage *stage);

static void change_at_list(struct domain_stage *stage, const struct dir_search *search)
{
	if (domain_stage_asks_for(search, DOMAIN_STAGE_LISTING) && stage->lists == 1)
		meanwhile(stage);
}

static void change_at_check(struct domain_stage *stage, const struct dir_search *search)
{
	if (stage->lists == 1 && search->attributes != NULL && strcmp(search->attributes[0], "1.1") == 0)
		meanwhile(stage);
}

static const struct {
	const char *what;
	void (*change)(struct domain_stage *stage);
	bool matters;
} changes[] = {
    {"a group enters", nest_free, true},        {"a group is renamed", rename_inner, true},
    {"a group goes", delete_team, true},        {"a group that is not nested changes", change_a_stranger, false},
    {"a person comes", change_a_person, false}, {"a principal comes", restore_principal, true},
};

static void load_while(struct domain_stage *stage, void (*at)(struct domain_stage *, const struct dir_search *),
		       size_t change)
{
	meanwhile = changes[change].change;
	stage->on_search = at;
	domain_stage_load_well(stage);
	stage->on_search = NULL;
	assert_row(changes[change].what, stage->deltas >= 1);
	assert_row(changes[change].what, stage->lists == (changes[change].matters ? 2U : 1U));
}

static void closure_load__something_changes_meanwhile__reads_again_if_it_matters(void **state)
{
	static void (*const moments[])(struct domain_stage *, const struct dir_search *) = {change_at_list,
											    change_at_check};

	(void)tear_down(state);
	for (size_t moment = 0; moment < COUNT_OF(moments); moment++) {
		for (size_t i = 0; i < COUNT_OF(changes); i++) {
			(void)set_up(state);
			load_while(*state, moments[moment], i);
			(void)tear_down(state);
		}
	}
	(void)set_up(state);
}

/* What is read after it moved is not what the mark stands for: the mark is the one from before. */
static void closure_load__a_person_comes_meanwhile__the_mark_stays_the_first(void **state)
{
	struct domain_stage *stage = *state;
	char before[sizeof(stage->csn)];

	domain_stage_load_well(stage);
	memcpy(before, stage->csn, sizeof(before));
	meanwhile = change_a_person;
	stage->on_search = change_at_check;
	domain_stage_load_well(stage);
	stage->on_search = NULL;
	assert_string_equal(stage->csn, before);
}

/* While a configured group is missing, any group may be it. */
static void closure_load__a_missing_root_comes_meanwhile__is_found(void **state)
{
	struct domain_stage *stage = *state;

	stage->names[1] = "CORP\\free";
	stage->root_count = 2;
	assert_true(fake_directory_lose(stage->directory, FREE, "sAMAccountName", NULL));
	domain_stage_load_well(stage);
	assert_int_equal(stage->roots[1], ROOT_MISSING);
	meanwhile = change_a_stranger;
	stage->on_search = change_at_check;
	domain_stage_load_well(stage);
	assert_int_equal(stage->lists, 2);
}

static void change_always(struct domain_stage *stage, const struct dir_search *search)
{
	if (domain_stage_asks_for(search, DOMAIN_STAGE_LISTING)) {
		assert_true(fake_directory_gain(stage->directory, TEAM, "description", "x"));
		assert_true(fake_directory_lose(stage->directory, TEAM, "description", "x"));
	}
}

static void closure_load__groups_that_never_stand_still__are_given_up(void **state)
{
	struct domain_stage *stage = *state;

	stage->on_search = change_always;
	assert_int_equal(domain_stage_load(stage), STATUS_TIMEOUT);
	assert_contains(stage->error.what, "attempts");
	assert_int_equal(stage->lists, CLOSURE_LOAD_ATTEMPTS);
}

/* Its numbers are its own, so nothing that was read from the other counts. */
static void other_controller(struct domain_stage *stage, const struct dir_search *search)
{
	if (!domain_stage_asks_for(search, DOMAIN_STAGE_LISTING) || stage->lists != 1)
		return;
	fake_directory_root_lose(stage->directory, "dsServiceName", NULL);
	fake_directory_root(stage->directory, "dsServiceName", "CN=NTDS Settings,CN=DC2,CN=Servers,cn=x");
}

static void closure_load__another_domain_controller_takes_over__reads_again(void **state)
{
	struct domain_stage *stage = *state;

	stage->on_search = other_controller;
	domain_stage_load_well(stage);
	assert_int_equal(stage->lists, 2);
	assert_contains(stage->csn, "DC2");
}

/* More changes than are looked at one by one. */
static void change_many(struct domain_stage *stage, const struct dir_search *search)
{
	if (!domain_stage_asks_for(search, DOMAIN_STAGE_LISTING) || stage->lists != 1)
		return;
	for (unsigned i = 0; i <= 1000; i++) {
		char dn[128], sid[64];

		(void)snprintf(dn, sizeof(dn), "cn=m%u,ou=groups," FAKE_DOMAIN_DN, i);
		(void)snprintf(sid, sizeof(sid), FAKE_DOMAIN_SID "-%u", 20000 + i);
		fake_domain_add_group(stage->directory, dn, sid, FAKE_DOMAIN_GLOBAL);
	}
}

static void closure_load__too_many_changes_meanwhile__reads_again(void **state)
{
	struct domain_stage *stage = *state;

	stage->on_search = change_many;
	domain_stage_load_well(stage);
	assert_int_equal(stage->lists, 2);
}

/* A server that broke off had given half a list: nothing of that may stay. */
static void closure_load__a_fail_over_in_the_middle_of_the_list__reads_again(void **state)
{
	char when[] = DOMAIN_STAGE_LISTING;
	const struct fake_fault drop = {.kind = FAKE_FAULT_DROP, .entries = 1, .times = 1, .when = when};
	struct domain_stage *stage = *state;

	fake_directory_add_fault(stage->directory, &drop);
	domain_stage_load_well(stage);
	assert_int_equal(stage->lists, 3); /* half of it, again at once, and once more from the beginning */
	assert_int_equal(closure_group_count(stage->closure), 3);
	assert_int_equal(domain_stage_distance(stage, 0, DOMAIN_STAGE_INNER_SID), 2);
}

#define LOAD_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    LOAD_TEST(closure_load__something_changes_meanwhile__reads_again_if_it_matters),
	    LOAD_TEST(closure_load__a_person_comes_meanwhile__the_mark_stays_the_first),
	    LOAD_TEST(closure_load__a_missing_root_comes_meanwhile__is_found),
	    LOAD_TEST(closure_load__groups_that_never_stand_still__are_given_up),
	    LOAD_TEST(closure_load__another_domain_controller_takes_over__reads_again),
	    LOAD_TEST(closure_load__too_many_changes_meanwhile__reads_again),
	    LOAD_TEST(closure_load__a_fail_over_in_the_middle_of_the_list__reads_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
