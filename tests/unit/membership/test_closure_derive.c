/* SPDX-License-Identifier: Apache-2.0 */
#include <membership/closure.h>

#include <stdio.h>
#include <string.h>
#include <support/assertions.h>
#include <support/memory_failing.h>

#define INDEX_BYTES 1048576

static const struct digest_key key = {3, 4};

/*
 *	root (0) -> left (1) -> bottom (3); root -> right (2). alice is in bottom, bob in right, carol in both.
 */
struct fixture {
	size_t live;
	struct closure *base, *derived;
};

static struct digest person(const struct closure *closure, const char *name)
{
	return closure_digest_uid(closure, name, strlen(name));
}

static void add(struct closure *closure, const char *name, uint32_t number)
{
	char dn[64], id[64];
	uint32_t group = CLOSURE_NONE;

	(void)snprintf(dn, sizeof(dn), "cn=%s,dc=x", name);
	(void)snprintf(id, sizeof(id), "id-%s", name);
	assert_int_equal(closure_add_group(closure, dn, id, &group), STATUS_OK);
	assert_int_equal(group, number);
}

static int set_up(void **state)
{
	static struct fixture fixture;
	struct member_index *index;

	fixture = (struct fixture){.live = memory_live_count()};
	fixture.base = closure_new(1, &key);
	add(fixture.base, "root", 0);
	add(fixture.base, "left", 1);
	add(fixture.base, "right", 2);
	add(fixture.base, "bottom", 3);
	assert_int_equal(closure_add_edge(fixture.base, 1, 0), STATUS_OK);
	assert_int_equal(closure_add_edge(fixture.base, 2, 0), STATUS_OK);
	assert_int_equal(closure_add_edge(fixture.base, 3, 1), STATUS_OK);
	closure_set_root(fixture.base, 0, 0);
	closure_add_kinds(fixture.base, CLOSURE_KIND_MEMBER);
	index = member_index_new(INDEX_BYTES);
	assert_int_equal(member_index_add(index, person(fixture.base, "alice"), 3), STATUS_OK);
	assert_int_equal(member_index_add(index, person(fixture.base, "bob"), 2), STATUS_OK);
	assert_int_equal(member_index_add(index, person(fixture.base, "carol"), 2), STATUS_OK);
	assert_int_equal(member_index_add(index, person(fixture.base, "carol"), 3), STATUS_OK);
	closure_give_index(fixture.base, index);
	assert_int_equal(closure_finish(fixture.base), STATUS_OK);
	*state = &fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	closure_unref(&fixture->base);
	closure_unref(&fixture->derived);
	return memory_live_count() == fixture->live ? 0 : -1;
}

static struct member_set *members(const struct closure *closure, const char *first, const char *second)
{
	struct member_set *set = member_set_new();

	if (first != NULL)
		assert_true(member_set_add(set, person(closure, first)));
	if (second != NULL)
		assert_true(member_set_add(set, person(closure, second)));
	member_set_seal(set);
	return set;
}

/* Derive by these changes, whose member sets go. */
static void derive(struct fixture *fixture, struct closure_change *changes, size_t count)
{
	struct closure *derived = NULL;

	assert_int_equal(closure_derive(fixture->base, changes, count, 0, &derived), STATUS_OK);
	closure_unref(&fixture->derived);
	fixture->derived = derived;
	for (size_t i = 0; i < count; i++)
		member_set_unref(&changes[i].members);
}

/* "0 2": the groups that list him, in order. */
static void assert_groups(const struct closure *closure, const char *name, const char *expected)
{
	uint32_t groups[8];
	size_t count = closure_find_member(closure, person(closure, name), groups, COUNT_OF(groups));
	char text[64] = "";

	for (uint32_t number = 0; number < 8; number++)
		for (size_t i = 0; i < count; i++)
			if (groups[i] == number)
				(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%u",
					       text[0] == '\0' ? "" : " ", number);
	assert_string_equal(text, expected);
}

static void closure_derive__members_change__the_rest_is_shared(void **state)
{
	struct fixture *fixture = *state;
	struct closure_change change = {.group = 2, .members = members(fixture->base, "alice", "carol")};
	size_t count, base_count;

	derive(fixture, &change, 1);
	assert_groups(fixture->derived, "alice", "2 3");
	assert_groups(fixture->derived, "bob", "");
	assert_groups(fixture->derived, "carol", "2 3");
	assert_groups(fixture->base, "alice", "3");
	assert_groups(fixture->base, "bob", "2");
	assert_ptr_equal(closure_index(fixture->derived), closure_index(fixture->base));
	assert_ptr_equal(closure_group_dn(fixture->derived, 2), closure_group_dn(fixture->base, 2));
	assert_ptr_equal(closure_children(fixture->derived, 0, &count),
			 closure_children(fixture->base, 0, &base_count));
	assert_int_equal(count, 2);
}

/* What was laid over is covered by what is laid over later. */
static void closure_derive__derived_again__the_last_members_count(void **state)
{
	struct fixture *fixture = *state;
	struct closure_change first[] = {
	    {.group = 2, .members = members(fixture->base, "alice", NULL)},
	    {.group = 3, .members = members(fixture->base, "bob", NULL), .children = NULL}};
	struct closure_change second = {.group = 2, .members = members(fixture->base, "dave", NULL)};

	derive(fixture, first, COUNT_OF(first));
	closure_unref(&fixture->base);
	fixture->base = closure_ref(fixture->derived);
	derive(fixture, &second, 1);
	assert_groups(fixture->derived, "alice", "");
	assert_groups(fixture->derived, "bob", "3");
	assert_groups(fixture->derived, "dave", "2");
	assert_groups(fixture->derived, "carol", "");
}

static void closure_derive__nesting_changes__the_ways_are_new(void **state)
{
	static const uint32_t of_root[] = {1}, of_left[] = {2, 3}, of_bottom[] = {0};
	struct fixture *fixture = *state;
	struct closure_change changes[] = {
	    {.group = 0, .members = members(fixture->base, NULL, NULL), .children = of_root, .child_count = 1},
	    {.group = 1, .members = members(fixture->base, NULL, NULL), .children = of_left, .child_count = 2},
	    {.group = 3, .members = members(fixture->base, "alice", NULL), .children = of_bottom, .child_count = 1},
	};

	derive(fixture, changes, COUNT_OF(changes));
	assert_int_equal(closure_distance(fixture->derived, 0, 2), 2);
	assert_int_equal(closure_next_hop(fixture->derived, 0, 2), 1);
	assert_int_equal(closure_distance(fixture->base, 0, 2), 1);
	assert_groups(fixture->derived, "carol", "2");
	assert_int_equal(closure_find_name(fixture->derived, "cn=left,dc=x", 12), 1);
	assert_int_equal(closure_root_group(fixture->derived, 0), 0);
	assert_int_equal(closure_kinds(fixture->derived), CLOSURE_KIND_MEMBER);
}

static void closure_derive__a_group_nobody_lists_any_more__is_idle_and_may_come_back(void **state)
{
	static const uint32_t without[] = {2}, with[] = {1, 2};
	struct fixture *fixture = *state;
	struct closure_change drop = {
	    .group = 0, .members = members(fixture->base, NULL, NULL), .children = without, .child_count = 1};
	struct closure_change take = {
	    .group = 0, .members = members(fixture->base, NULL, NULL), .children = with, .child_count = 2};

	derive(fixture, &drop, 1);
	assert_int_equal(closure_distance(fixture->derived, 0, 1), CLOSURE_NONE);
	assert_int_equal(closure_distance(fixture->derived, 0, 3), CLOSURE_NONE);
	assert_groups(fixture->derived, "alice", "3");
	closure_unref(&fixture->base);
	fixture->base = closure_ref(fixture->derived);
	derive(fixture, &take, 1);
	assert_int_equal(closure_distance(fixture->derived, 0, 3), 2);
}

static void closure_derive__a_group_that_is_gone__is_not_found_and_its_number_stays(void **state)
{
	static const uint32_t of_root[] = {1, 2};
	struct fixture *fixture = *state;
	struct closure_change changes[] = {
	    {.group = 0, .members = members(fixture->base, NULL, NULL), .children = of_root, .child_count = 2},
	    {.group = 1, .gone = true},
	};

	derive(fixture, changes, COUNT_OF(changes));
	assert_int_equal(closure_group_count(fixture->derived), 4);
	assert_int_equal(closure_find_name(fixture->derived, "cn=left,dc=x", 12), CLOSURE_NONE);
	assert_int_equal(closure_find_id(fixture->derived, "id-left", 7), CLOSURE_NONE);
	assert_int_equal(closure_find_id(fixture->derived, "id-bottom", 9), 3);
	/* An edge to it that somebody still names leads nowhere, and nothing lies beneath it. */
	assert_int_equal(closure_distance(fixture->derived, 0, 1), CLOSURE_NONE);
	assert_int_equal(closure_distance(fixture->derived, 0, 3), CLOSURE_NONE);
	assert_int_equal(closure_distance(fixture->derived, 0, 2), 1);
}

static void closure_find_member__the_group_is_gone__is_not_counted(void **state)
{
	struct fixture *fixture = *state;
	struct closure_change gone = {.group = 3, .gone = true};
	struct closure_change overlaid[] = {
	    {.group = 2, .gone = true, .members = members(fixture->base, "alice", NULL)}};

	derive(fixture, &gone, 1);
	assert_groups(fixture->derived, "alice", "");
	assert_groups(fixture->derived, "carol", "2");
	derive(fixture, overlaid, 1);
	assert_groups(fixture->derived, "alice", "3");
}

static void closure_find_member__more_than_there_is_room_for__counts_all(void **state)
{
	struct fixture *fixture = *state;
	struct closure_change change = {.group = 1, .members = members(fixture->base, "carol", NULL)};
	static const uint32_t of_left[] = {3};
	uint32_t groups[2] = {77, 77};

	change.children = of_left;
	change.child_count = 1;
	derive(fixture, &change, 1);
	assert_int_equal(closure_find_member(fixture->derived, person(fixture->derived, "carol"), groups, 1), 3);
	assert_int_equal(groups[0], 2);
	assert_int_equal(groups[1], 77);
}

static void closure_derive__renamed__has_the_new_name_and_the_old_number(void **state)
{
	static const uint32_t of_left[] = {3};
	struct fixture *fixture = *state;
	struct closure_change change = {.group = 1,
					.dn = "cn=West,dc=x",
					.members = members(fixture->base, NULL, NULL),
					.children = of_left,
					.child_count = 1};

	derive(fixture, &change, 1);
	assert_int_equal(closure_find_name(fixture->derived, "cn=west,dc=x", 12), 1);
	assert_int_equal(closure_find_name(fixture->derived, "cn=left,dc=x", 12), CLOSURE_NONE);
	assert_int_equal(closure_find_id(fixture->derived, "id-left", 7), 1);
	assert_string_equal(closure_group_dn(fixture->derived, 1), "cn=West,dc=x");
	assert_string_equal(closure_group_dn(fixture->base, 1), "cn=left,dc=x");
}

static void closure_derive__two_swap_names__each_is_found_by_its_new_one(void **state)
{
	static const uint32_t of_left[] = {3};
	struct fixture *fixture = *state;
	struct closure_change changes[] = {
	    {.group = 1,
	     .dn = "cn=right,dc=x",
	     .members = members(fixture->base, NULL, NULL),
	     .children = of_left,
	     .child_count = 1},
	    {.group = 2, .dn = "cn=left,dc=x", .members = members(fixture->base, "bob", "carol")},
	};

	derive(fixture, changes, COUNT_OF(changes));
	assert_int_equal(closure_find_name(fixture->derived, "cn=right,dc=x", 13), 1);
	assert_int_equal(closure_find_name(fixture->derived, "cn=left,dc=x", 12), 2);
}

static void closure_derive__newcomers__get_the_numbers_that_follow(void **state)
{
	static const uint32_t of_right[] = {4}, of_first[] = {5};
	struct fixture *fixture = *state;
	struct closure_change changes[] = {
	    {.group = 2, .members = members(fixture->base, "bob", "carol"), .children = of_right, .child_count = 1},
	    {.group = 4,
	     .dn = "cn=first,dc=x",
	     .id = "id-first",
	     .members = members(fixture->base, "dave", NULL),
	     .children = of_first,
	     .child_count = 1},
	    {.group = 5, .dn = "cn=second,dc=x", .id = "id-second", .members = members(fixture->base, "dave", "alice")},
	};

	derive(fixture, changes, COUNT_OF(changes));
	assert_int_equal(closure_group_count(fixture->derived), 6);
	assert_int_equal(closure_find_id(fixture->derived, "id-second", 9), 5);
	assert_int_equal(closure_distance(fixture->derived, 0, 5), 3);
	assert_groups(fixture->derived, "dave", "4 5");
	assert_groups(fixture->derived, "alice", "3 5");
}

static void closure_members__of_overlaid_and_other_groups__are_those_of_now(void **state)
{
	static const uint32_t groups[] = {3, 2};
	struct fixture *fixture = *state;
	struct closure_change change = {.group = 2, .members = members(fixture->base, "dave", NULL)};
	struct member_set *sets[2];

	derive(fixture, &change, 1);
	assert_int_equal(closure_members(fixture->derived, groups, 2, sets), STATUS_OK);
	assert_int_equal(member_set_count(sets[0]), 2);
	assert_true(member_set_has(sets[0], person(fixture->derived, "alice")));
	assert_int_equal(member_set_count(sets[1]), 1);
	assert_true(member_set_has(sets[1], person(fixture->derived, "dave")));
	for (size_t i = 0; i < COUNT_OF(sets); i++)
		member_set_unref(&sets[i]);
}

static void closure_parents__each_once__in_order(void **state)
{
	static const uint32_t of_left[] = {1, 2, 3};
	struct fixture *fixture = *state;
	struct closure_change change = {
	    .group = 1, .members = members(fixture->base, NULL, NULL), .children = of_left, .child_count = 3};
	uint32_t parents[8];

	derive(fixture, &change, 1);
	assert_int_equal(closure_parents(fixture->derived, 2, parents), 2);
	assert_int_equal(parents[0], 0);
	assert_int_equal(parents[1], 1);
	assert_int_equal(closure_parents(fixture->derived, 0, parents), 0);
	assert_int_equal(closure_parents(fixture->derived, 1, parents), 2); /* a group may hold itself */
}

static void closure_derive__kinds_that_are_new__are_added(void **state)
{
	struct fixture *fixture = *state;
	struct closure_change change = {.group = 2, .members = members(fixture->base, "bob", NULL)};

	assert_int_equal(closure_derive(fixture->base, &change, 1, CLOSURE_KIND_MEMBER_UID, &fixture->derived),
			 STATUS_OK);
	member_set_unref(&change.members);
	assert_int_equal(closure_kinds(fixture->derived), CLOSURE_KIND_MEMBER | CLOSURE_KIND_MEMBER_UID);
	assert_int_equal(closure_kinds(fixture->base), CLOSURE_KIND_MEMBER);
	assert_int_equal(closure_distance(fixture->derived, 0, 3), 2);
}

static void closure_derive__what_its_server_is_known_for__is_kept(void **state)
{
	struct fixture *fixture = *state;
	struct closure_change change = {.group = 2, .members = members(fixture->base, "bob", NULL)};

	closure_demand_members(fixture->base);
	closure_has_dead_names(fixture->base);
	derive(fixture, &change, 1);
	assert_true(closure_demands_members(fixture->derived));
	assert_true(closure_lists_dead_names(fixture->derived));
}

static void closure_wants_rebuild__too_many_overlays__is_true(void **state)
{
	struct fixture *fixture = *state;
	struct closure *wide = closure_new(1, &key), *derived = NULL;
	struct closure_change changes[CLOSURE_MAX_OVERLAYS + 1];

	for (uint32_t i = 0; i < COUNT_OF(changes); i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "g%u", i);
		add(wide, name, i);
		changes[i] = (struct closure_change){.group = i, .members = members(fixture->base, "alice", NULL)};
	}
	closure_give_index(wide, member_index_new(INDEX_BYTES));
	assert_int_equal(closure_finish(wide), STATUS_OK);
	assert_int_equal(closure_derive(wide, changes, CLOSURE_MAX_OVERLAYS, 0, &derived), STATUS_OK);
	assert_false(closure_wants_rebuild(derived));
	closure_unref(&derived);
	assert_int_equal(closure_derive(wide, changes, COUNT_OF(changes), 0, &derived), STATUS_OK);
	assert_true(closure_wants_rebuild(derived));
	closure_unref(&derived);
	closure_unref(&wide);
	for (size_t i = 0; i < COUNT_OF(changes); i++)
		member_set_unref(&changes[i].members);
}

static void closure_wants_rebuild__too_many_bytes__is_true(void **state)
{
	struct fixture *fixture = *state;
	struct closure_change change = {.group = 2, .members = member_set_new()};

	for (uint64_t i = 0; i < 70000; i++)
		assert_true(member_set_add(change.members, (struct digest){i, 1}));
	member_set_seal(change.members);
	derive(fixture, &change, 1);
	assert_true(closure_wants_rebuild(fixture->derived));
	assert_false(closure_wants_rebuild(fixture->base));
}

static void closure_derive__no_index__knows_the_graph_and_no_members(void **state)
{
	static const uint32_t of_first[] = {1};
	struct closure *base = closure_new(1, &key), *derived = NULL;
	const struct closure_change change = {.group = 0, .children = of_first, .child_count = 1};
	struct member_set *sets[1];
	uint32_t group;

	(void)state;
	add(base, "root", 0);
	add(base, "other", 1);
	closure_set_root(base, 0, 0);
	assert_int_equal(closure_finish(base), STATUS_OK);
	assert_int_equal(closure_derive(base, &change, 1, 0, &derived), STATUS_OK);
	assert_int_equal(closure_distance(derived, 0, 1), 1);
	assert_int_equal(closure_find_member(derived, person(derived, "alice"), &group, 1), 0);
	assert_int_equal(closure_members(derived, of_first, 1, sets), STATUS_OK);
	assert_null(sets[0]);
	assert_false(closure_wants_rebuild(derived));
	closure_unref(&derived);
	closure_unref(&base);
}

/* Each of these needs a new graph, and one of them newcomers. */
static void closure_derive__no_memory__leaves_nothing_behind(void **state)
{
	static const uint32_t of_right[] = {4};
	struct fixture *fixture = *state;
	struct closure_change changes[] = {
	    {.group = 1, .gone = true},
	    {.group = 2, .members = members(fixture->base, "bob", NULL), .children = of_right, .child_count = 1},
	    {.group = 4, .dn = "cn=new,dc=x", .id = "id-new", .members = members(fixture->base, "dave", NULL)},
	};
	size_t before = memory_live_count(), n = 1;

	for (;; n++) {
		struct closure *derived = NULL;
		enum status status;
		size_t count;

		memory_fail_at(n);
		status = closure_derive(fixture->base, changes, COUNT_OF(changes), 0, &derived);
		count = memory_fail_count();
		memory_fail_at(0);
		if (count < n) {
			assert_int_equal(status, STATUS_OK);
			closure_unref(&derived);
			break;
		}
		assert_int_equal(status, STATUS_NO_MEMORY);
		assert_null(derived);
		assert_int_equal(memory_live_count(), before);
	}
	assert_true(n > 8);
	for (size_t i = 0; i < COUNT_OF(changes); i++)
		member_set_unref(&changes[i].members);
}

static void closure_members__no_memory__leaves_nothing_behind(void **state)
{
	static const uint32_t groups[] = {2, 3};
	struct fixture *fixture = *state;
	struct member_set *sets[2];
	size_t before = memory_live_count();

	for (size_t n = 1; n < 4; n++) {
		memory_fail_at(n);
		assert_int_equal(closure_members(fixture->base, groups, 2, sets), STATUS_NO_MEMORY);
		memory_fail_at(0);
		assert_null(sets[0]);
		assert_null(sets[1]);
		assert_int_equal(memory_live_count(), before);
	}
}

#define WITH_CLOSURE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH_CLOSURE(closure_derive__members_change__the_rest_is_shared),
	    WITH_CLOSURE(closure_derive__derived_again__the_last_members_count),
	    WITH_CLOSURE(closure_derive__nesting_changes__the_ways_are_new),
	    WITH_CLOSURE(closure_derive__a_group_nobody_lists_any_more__is_idle_and_may_come_back),
	    WITH_CLOSURE(closure_derive__a_group_that_is_gone__is_not_found_and_its_number_stays),
	    WITH_CLOSURE(closure_find_member__the_group_is_gone__is_not_counted),
	    WITH_CLOSURE(closure_find_member__more_than_there_is_room_for__counts_all),
	    WITH_CLOSURE(closure_derive__renamed__has_the_new_name_and_the_old_number),
	    WITH_CLOSURE(closure_derive__two_swap_names__each_is_found_by_its_new_one),
	    WITH_CLOSURE(closure_derive__newcomers__get_the_numbers_that_follow),
	    WITH_CLOSURE(closure_members__of_overlaid_and_other_groups__are_those_of_now),
	    WITH_CLOSURE(closure_parents__each_once__in_order),
	    WITH_CLOSURE(closure_derive__kinds_that_are_new__are_added),
	    WITH_CLOSURE(closure_derive__what_its_server_is_known_for__is_kept),
	    WITH_CLOSURE(closure_wants_rebuild__too_many_overlays__is_true),
	    WITH_CLOSURE(closure_wants_rebuild__too_many_bytes__is_true),
	    cmocka_unit_test(closure_derive__no_index__knows_the_graph_and_no_members),
	    WITH_CLOSURE(closure_derive__no_memory__leaves_nothing_behind),
	    WITH_CLOSURE(closure_members__no_memory__leaves_nothing_behind),
	};

	return cmocka_run_group_tests_name("closure_derive", tests, NULL, NULL);
}
