/* SPDX-License-Identifier: Apache-2.0 */
#include <membership/closure_patch.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support/assertions.h>
#include <support/closure_stage.h>

#define OPS   "cn=ops,ou=groups,dc=x"
#define TEAM  "cn=team,ou=groups,dc=x"
#define INNER "cn=inner,ou=groups,dc=x"
#define DEEP  "cn=deep,ou=groups,dc=x"
#define FREE  "cn=free,ou=groups,dc=x"
#define ALICE "uid=alice,ou=people,dc=x"
#define BOB   "uid=bob,ou=people,dc=x"
#define CAROL "uid=carol,ou=people,dc=x"
#define DAVE  "uid=dave,ou=people,dc=x"

static const char *const names[] = {OPS};
static struct closure_concern concern;

/* alice is in ops, bob in team, carol in free, dave in deep. ops lists team; free lists inner, which lists deep and, in a cycle, free. */
static int set_up(void **state)
{
	static struct closure_stage stage;

	memset(&concern, 0, sizeof(concern));
	closure_stage_open(&stage, names, COUNT_OF(names), "ou=groups,dc=x");
	closure_stage_add(&stage, ALICE, "inetOrgPerson", NULL, NULL);
	closure_stage_add(&stage, OPS, "groupOfNames", "member", ALICE);
	closure_stage_gain(&stage, OPS, "member", TEAM);
	closure_stage_add(&stage, TEAM, "groupOfNames", "member", BOB);
	closure_stage_add(&stage, FREE, "groupOfNames", "member", CAROL);
	closure_stage_gain(&stage, FREE, "member", INNER);
	closure_stage_add(&stage, INNER, "groupOfNames", "member", DEEP);
	closure_stage_gain(&stage, INNER, "member", FREE);
	closure_stage_add(&stage, DEEP, "groupOfUniqueNames", "uniqueMember", DAVE);
	assert_int_equal(closure_stage_load(&stage), STATUS_OK);
	*state = &stage;
	return 0;
}

static int tear_down(void **state)
{
	closure_stage_close(*state);
	return 0;
}

/* Told of so far; and it went well. */
static void patch(struct closure_stage *stage)
{
	closure_stage_patch(stage, &concern, closure_stage_mark(stage));
	assert_status(stage->patched.status, STATUS_OK, NULL);
	memset(&concern, 0, sizeof(concern));
}

static void patch_and_load(struct closure_stage *stage)
{
	patch(stage);
	assert_true(stage->patched.whole);
}

static bool holds(const struct closure_stage *stage, const char *dn)
{
	return closure_stage_holds(stage->closure, 0, dn, NULL);
}

static void nest(struct closure_stage *stage, const char *group)
{
	closure_stage_gain(stage, OPS, "member", group);
	closure_stage_tell(stage, &concern, DIR_CHANGE_MODIFY, OPS);
}

static void closure_patch__somebody_leaves__he_alone_is_touched(void **state)
{
	struct closure_stage *stage = *state;
	const struct closure *before = stage->closure;

	closure_stage_lose(stage, OPS, "member", ALICE);
	closure_stage_tell(stage, &concern, DIR_CHANGE_MODIFY, OPS);
	patch(stage);
	assert_ptr_not_equal(stage->closure, before);
	assert_true(closure_stage_touched(stage, 1, ALICE));
	assert_false(holds(stage, ALICE));
	assert_true(holds(stage, BOB));
}

static void closure_patch__two_groups_at_once__who_left_and_who_came_are_touched(void **state)
{
	struct closure_stage *stage = *state;

	closure_stage_gain(stage, OPS, "member", DAVE);
	closure_stage_tell(stage, &concern, DIR_CHANGE_MODIFY, OPS);
	closure_stage_gain(stage, TEAM, "member", CAROL);
	closure_stage_lose(stage, TEAM, "member", BOB);
	closure_stage_tell(stage, &concern, DIR_CHANGE_MODIFY, TEAM);
	patch(stage);
	assert_true(closure_stage_touched(stage, 3, DAVE));
	assert_true(closure_stage_touched(stage, 3, BOB));
	assert_true(closure_stage_touched(stage, 3, CAROL));
	assert_true(holds(stage, DAVE) && holds(stage, CAROL));
	assert_false(holds(stage, BOB));
}

static void closure_patch__something_else_of_the_group__touches_nobody(void **state)
{
	struct closure_stage *stage = *state;

	closure_stage_gain(stage, OPS, "description", "x");
	closure_stage_tell(stage, &concern, DIR_CHANGE_MODIFY, OPS);
	patch(stage);
	assert_false(stage->patched.everything);
	assert_int_equal(stage->patched.touched_count, 0);
	assert_true(holds(stage, ALICE));
}

static void closure_patch__a_group_enters__with_all_that_is_nested_in_it(void **state)
{
	struct closure_stage *stage = *state;

	assert_false(holds(stage, DAVE));
	nest(stage, FREE);
	patch(stage);
	assert_true(stage->patched.everything);
	assert_true(holds(stage, CAROL));
	assert_true(holds(stage, DAVE));
	assert_int_equal(closure_group_count(stage->closure), 5);
	assert_int_equal(closure_kinds(stage->closure), CLOSURE_KIND_MEMBER | CLOSURE_KIND_UNIQUE_MEMBER);
}

static void closure_patch__a_group_leaves__holds_nobody_and_may_come_back(void **state)
{
	struct closure_stage *stage = *state;

	closure_stage_lose(stage, OPS, "member", TEAM);
	closure_stage_tell(stage, &concern, DIR_CHANGE_MODIFY, OPS);
	patch(stage);
	assert_true(stage->patched.everything);
	assert_false(holds(stage, BOB));
	/* What changes meanwhile is not forgotten. */
	closure_stage_gain(stage, TEAM, "member", CAROL);
	closure_stage_tell(stage, &concern, DIR_CHANGE_MODIFY, TEAM);
	patch(stage);
	nest(stage, TEAM);
	patch(stage);
	assert_true(holds(stage, BOB));
	assert_true(holds(stage, CAROL));
}

static void closure_patch__a_group_is_deleted__its_members_are_out(void **state)
{
	struct closure_stage *stage = *state;

	closure_stage_tell(stage, &concern, DIR_CHANGE_DELETE, TEAM);
	assert_true(fake_directory_delete(stage->directory, TEAM));
	patch(stage);
	assert_true(stage->patched.everything);
	assert_false(holds(stage, BOB));
	assert_true(holds(stage, ALICE));
	/* It is listed still, as a name that is nobody's. */
	assert_true(holds(stage, TEAM));
}

static void closure_patch__a_group_is_renamed_and_listed_by_the_new_name__holds_whom_it_held(void **state)
{
	struct closure_stage *stage = *state;

	assert_true(fake_directory_rename(stage->directory, TEAM, "cn=crew,ou=groups,dc=x"));
	closure_stage_gain(stage, OPS, "member", "cn=crew,ou=groups,dc=x");
	closure_stage_tell(stage, &concern, DIR_CHANGE_MODIFY, OPS);
	closure_stage_tell_of(stage, &concern, DIR_CHANGE_MODIFY, closure_stage_id(stage, "cn=crew,ou=groups,dc=x"),
			      "cn=crew,ou=groups,dc=x", "objectClass=groupOfNames");
	patch(stage);
	assert_true(stage->patched.everything);
	assert_true(holds(stage, BOB));
	assert_int_equal(closure_group_count(stage->closure), 2);
	assert_string_equal(closure_group_dn(stage->closure, 1), "cn=crew,ou=groups,dc=x");
}

static void closure_patch__a_group_is_renamed_and_listed_by_the_old_name__holds_nobody(void **state)
{
	struct closure_stage *stage = *state;

	assert_true(fake_directory_rename(stage->directory, TEAM, "cn=crew,ou=groups,dc=x"));
	closure_stage_tell_of(stage, &concern, DIR_CHANGE_MODIFY, closure_stage_id(stage, "cn=crew,ou=groups,dc=x"),
			      "cn=crew,ou=groups,dc=x", "objectClass=groupOfNames");
	patch(stage);
	assert_false(holds(stage, BOB));
}

static void closure_patch__a_group_is_made_again_under_the_old_name__holds_its_own_members(void **state)
{
	struct closure_stage *stage = *state;

	closure_stage_tell(stage, &concern, DIR_CHANGE_DELETE, TEAM);
	assert_true(fake_directory_delete(stage->directory, TEAM));
	closure_stage_add(stage, TEAM, "groupOfNames", "member", CAROL);
	closure_stage_tell(stage, &concern, DIR_CHANGE_ADD, TEAM);
	patch(stage);
	assert_false(holds(stage, BOB));
	assert_true(holds(stage, CAROL));
	assert_int_equal(closure_group_count(stage->closure), 3);
	assert_int_equal(closure_find_id(stage->closure, closure_stage_id(stage, TEAM), 36), 2);
	/* And again, when the deletion was not told. */
	assert_true(fake_directory_delete(stage->directory, TEAM));
	closure_stage_add(stage, TEAM, "groupOfNames", "member", DAVE);
	closure_stage_tell(stage, &concern, DIR_CHANGE_ADD, TEAM);
	patch(stage);
	assert_false(stage->patched.whole);
	assert_true(holds(stage, DAVE));
	assert_false(holds(stage, CAROL));
}

static void closure_patch__a_group_is_none_any_more__its_members_are_out(void **state)
{
	struct closure_stage *stage = *state;

	closure_stage_gain(stage, TEAM, "objectClass", "device");
	closure_stage_lose(stage, TEAM, "objectClass", "groupOfNames");
	closure_stage_tell_of(stage, &concern, DIR_CHANGE_MODIFY, closure_stage_id(stage, TEAM), TEAM,
			      "objectClass=device; hasSubordinates=FALSE");
	patch(stage);
	assert_false(holds(stage, BOB));
	assert_true(holds(stage, TEAM));
}

static void closure_patch__a_new_name_is_a_users__he_is_a_member(void **state)
{
	struct closure_stage *stage = *state;

	closure_stage_add(stage, BOB, "inetOrgPerson", NULL, NULL);
	closure_stage_gain(stage, OPS, "member", BOB);
	closure_stage_gain(stage, OPS, "member", "cn=nobody,dc=x");
	closure_stage_tell(stage, &concern, DIR_CHANGE_MODIFY, OPS);
	patch(stage);
	assert_true(closure_stage_touched(stage, 2, BOB));
	assert_true(closure_stage_touched(stage, 2, "cn=nobody,dc=x"));
	assert_true(holds(stage, BOB));
}

/* A load lists groups beneath the policy's base, and nowhere else. */
static void closure_patch__a_group_elsewhere__is_none(void **state)
{
	struct closure_stage *stage = *state;

	closure_stage_add(stage, "cn=far,ou=else,dc=x", "groupOfNames", "member", DAVE);
	nest(stage, "cn=far,ou=else,dc=x");
	patch(stage);
	assert_false(stage->patched.whole);
	assert_false(holds(stage, DAVE));
	assert_true(holds(stage, "cn=far,ou=else,dc=x"));
}

static void closure_patch__uids__are_members_of_their_own_kind(void **state)
{
	struct closure_stage *stage = *state;

	closure_stage_add(stage, "cn=posix,ou=groups,dc=x", "posixGroup", "memberUid", "erin");
	nest(stage, "cn=posix,ou=groups,dc=x");
	patch(stage);
	assert_true(closure_stage_holds(stage->closure, 0, "uid=erin,ou=people,dc=x", "erin"));
	assert_false(holds(stage, "uid=erin,ou=people,dc=x"));
	assert_true((closure_kinds(stage->closure) & CLOSURE_KIND_MEMBER_UID) != 0);
}

static void closure_patch__too_many_new_names__is_for_a_load(void **state)
{
	struct closure_stage *stage = *state;
	char dn[64];

	for (unsigned i = 0; i < CLOSURE_PATCH_MAX_NAMES; i++) {
		(void)snprintf(dn, sizeof(dn), "uid=u%u,ou=people,dc=x", i);
		closure_stage_gain(stage, OPS, "member", dn);
	}
	closure_stage_tell(stage, &concern, DIR_CHANGE_MODIFY, OPS);
	patch(stage);
	assert_false(stage->patched.whole);
	assert_int_equal(stage->patched.touched_count, CLOSURE_PATCH_MAX_NAMES);
	for (unsigned i = 0; i <= CLOSURE_PATCH_MAX_NAMES; i++) {
		(void)snprintf(dn, sizeof(dn), "uid=v%u,ou=people,dc=x", i);
		closure_stage_gain(stage, OPS, "member", dn);
	}
	closure_stage_tell(stage, &concern, DIR_CHANGE_MODIFY, OPS);
	patch_and_load(stage);
}

static void closure_patch__a_name_that_only_the_server_can_compare__is_for_a_load(void **state)
{
	struct closure_stage *stage = *state;

	closure_stage_gain(stage, OPS, "member", "cn=M\xc3\xbcller,ou=people,dc=x");
	closure_stage_tell(stage, &concern, DIR_CHANGE_MODIFY, OPS);
	patch_and_load(stage);
}

static void closure_patch__members_are_hidden__is_for_a_load(void **state)
{
	struct closure_stage *stage = *state;

	assert_true(fake_directory_hide(stage->directory, TEAM, "member", true));
	closure_stage_tell(stage, &concern, DIR_CHANGE_MODIFY, TEAM);
	patch_and_load(stage);
}

static void closure_patch__the_group_is_hidden_or_gone__is_for_a_load(void **state)
{
	struct closure_stage *stage = *state;

	closure_stage_tell(stage, &concern, DIR_CHANGE_MODIFY, TEAM);
	assert_true(fake_directory_hide(stage->directory, TEAM, NULL, true));
	patch_and_load(stage);
	assert_true(fake_directory_hide(stage->directory, TEAM, NULL, false));
	closure_stage_tell(stage, &concern, DIR_CHANGE_MODIFY, TEAM);
	assert_true(fake_directory_delete(stage->directory, TEAM));
	patch_and_load(stage);
}

static void closure_patch__a_group_without_an_id__is_for_a_load(void **state)
{
	struct closure_stage *stage = *state;

	assert_true(fake_directory_hide(stage->directory, FREE, "entryUUID", true));
	nest(stage, FREE);
	patch_and_load(stage);
}

/* Its old name is another's already, of which was not told yet. */
static void closure_patch__a_group_shows_up_under_a_name_not_told_of__is_for_a_load(void **state)
{
	struct closure_stage *stage = *state;

	closure_stage_add(stage, "cn=crew,ou=groups,dc=x", "groupOfNames", "member", CAROL);
	closure_stage_gain(stage, OPS, "member", "cn=crew,ou=groups,dc=x");
	assert_int_equal(closure_stage_load(stage), STATUS_OK);
	closure_stage_tell(stage, &concern, DIR_CHANGE_DELETE, TEAM);
	assert_true(fake_directory_delete(stage->directory, TEAM));
	assert_true(fake_directory_rename(stage->directory, "cn=crew,ou=groups,dc=x", TEAM));
	patch_and_load(stage);
}

/* More groups and names than travel together. */
static void closure_patch__many_groups_at_once__all_are_read(void **state)
{
	struct closure_stage *stage = *state;
	char dn[64];

	for (unsigned i = 0; i < CLOSURE_LOAD_BATCH + 50; i++) {
		(void)snprintf(dn, sizeof(dn), "cn=g%u,ou=groups,dc=x", i);
		closure_stage_add(stage, dn, "groupOfNames", "member", CAROL);
		closure_stage_gain(stage, OPS, "member", dn);
	}
	closure_stage_tell(stage, &concern, DIR_CHANGE_MODIFY, OPS);
	patch(stage);
	assert_false(stage->patched.whole);
	assert_int_equal(closure_find_member(stage->closure, closure_stage_digest(stage->closure, CAROL), NULL, 0),
			 CLOSURE_LOAD_BATCH + 50);
	for (uint32_t group = 0; group < closure_group_count(stage->closure); group++)
		assert_int_not_equal(closure_distance(stage->closure, 0, group), CLOSURE_NONE);
}

static void closure_patch__without_an_index__knows_the_graph(void **state)
{
	struct closure_stage *stage = *state;

	stage->plan.index_budget_bytes = 0;
	assert_int_equal(closure_stage_load(stage), STATUS_OK);
	closure_stage_lose(stage, OPS, "member", TEAM);
	closure_stage_tell(stage, &concern, DIR_CHANGE_MODIFY, OPS);
	patch(stage);
	assert_true(stage->patched.everything);
	assert_int_equal(closure_distance(stage->closure, 0, 1), CLOSURE_NONE);
	/* Who else lists the newcomer's name as nobody's is not known. */
	nest(stage, FREE);
	patch_and_load(stage);
}

#define ON_STAGE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    ON_STAGE(closure_patch__somebody_leaves__he_alone_is_touched),
	    ON_STAGE(closure_patch__two_groups_at_once__who_left_and_who_came_are_touched),
	    ON_STAGE(closure_patch__something_else_of_the_group__touches_nobody),
	    ON_STAGE(closure_patch__a_group_enters__with_all_that_is_nested_in_it),
	    ON_STAGE(closure_patch__a_group_leaves__holds_nobody_and_may_come_back),
	    ON_STAGE(closure_patch__a_group_is_deleted__its_members_are_out),
	    ON_STAGE(closure_patch__a_group_is_renamed_and_listed_by_the_new_name__holds_whom_it_held),
	    ON_STAGE(closure_patch__a_group_is_renamed_and_listed_by_the_old_name__holds_nobody),
	    ON_STAGE(closure_patch__a_group_is_made_again_under_the_old_name__holds_its_own_members),
	    ON_STAGE(closure_patch__a_group_is_none_any_more__its_members_are_out),
	    ON_STAGE(closure_patch__a_new_name_is_a_users__he_is_a_member),
	    ON_STAGE(closure_patch__a_group_elsewhere__is_none),
	    ON_STAGE(closure_patch__uids__are_members_of_their_own_kind),
	    ON_STAGE(closure_patch__too_many_new_names__is_for_a_load),
	    ON_STAGE(closure_patch__a_name_that_only_the_server_can_compare__is_for_a_load),
	    ON_STAGE(closure_patch__members_are_hidden__is_for_a_load),
	    ON_STAGE(closure_patch__the_group_is_hidden_or_gone__is_for_a_load),
	    ON_STAGE(closure_patch__a_group_without_an_id__is_for_a_load),
	    ON_STAGE(closure_patch__a_group_shows_up_under_a_name_not_told_of__is_for_a_load),
	    ON_STAGE(closure_patch__many_groups_at_once__all_are_read),
	    ON_STAGE(closure_patch__without_an_index__knows_the_graph),
	};

	return cmocka_run_group_tests_name("closure_patch", tests, NULL, NULL);
}
