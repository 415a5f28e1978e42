/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include <membership/closure.h>
#include <stdio.h>
#include <string.h>
#include <support/memory_failing.h>

static const struct digest_key key = {3, 4};

static uint32_t add(struct closure *closure, const char *name)
{
	char dn[64], id[64];
	uint32_t group = CLOSURE_NONE;

	(void)snprintf(dn, sizeof(dn), "cn=%s,dc=x", name);
	(void)snprintf(id, sizeof(id), "id-%s", name);
	assert_int_equal(closure_add_group(closure, dn, id, &group), STATUS_OK);
	return group;
}

static void edge(struct closure *closure, uint32_t child, uint32_t parent)
{
	assert_int_equal(closure_add_edge(closure, child, parent), STATUS_OK);
}

static void closure_distance__chain__counts_hops(void **state)
{
	struct closure *closure = closure_new(1, &key);
	uint32_t groups[1000];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(groups); i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "g%zu", i);
		groups[i] = add(closure, name);
		if (i > 0)
			edge(closure, groups[i], groups[i - 1]);
	}
	closure_set_root(closure, 0, groups[0]);
	assert_int_equal(closure_finish(closure), STATUS_OK);
	for (size_t i = 0; i < COUNT_OF(groups); i++) {
		assert_int_equal(closure_distance(closure, 0, groups[i]), i);
		assert_int_equal(closure_next_hop(closure, 0, groups[i]), i == 0 ? CLOSURE_NONE : groups[i - 1]);
	}
	closure_unref(&closure);
}

static void closure_distance__cycle_and_diamond__is_the_shortest(void **state)
{
	struct closure *closure = closure_new(2, &key);
	uint32_t root = add(closure, "root"), left = add(closure, "left"), right = add(closure, "right");
	uint32_t bottom = add(closure, "bottom"), other = add(closure, "other");

	(void)state;
	edge(closure, left, root);
	edge(closure, right, left);
	edge(closure, bottom, right);
	edge(closure, bottom, left);
	edge(closure, root, bottom);  /* a cycle */
	edge(closure, right, right);  /* a member of itself */
	edge(closure, bottom, right); /* twice */
	edge(closure, other, other);
	closure_set_root(closure, 0, root);
	closure_set_root(closure, 1, other);
	assert_int_equal(closure_finish(closure), STATUS_OK);
	assert_int_equal(closure_distance(closure, 0, root), 0);
	assert_int_equal(closure_distance(closure, 0, left), 1);
	assert_int_equal(closure_distance(closure, 0, right), 2);
	assert_int_equal(closure_distance(closure, 0, bottom), 2);
	assert_int_equal(closure_next_hop(closure, 0, bottom), left);
	assert_int_equal(closure_distance(closure, 0, other), CLOSURE_NONE);
	assert_int_equal(closure_distance(closure, 1, other), 0);
	assert_int_equal(closure_distance(closure, 1, root), CLOSURE_NONE);
	closure_unref(&closure);
}

static void closure_distance__parent_of_the_root__is_not_beneath_it(void **state)
{
	struct closure *closure = closure_new(1, &key);
	uint32_t root = add(closure, "root"), super = add(closure, "super");

	(void)state;
	edge(closure, root, super);
	closure_set_root(closure, 0, root);
	assert_int_equal(closure_finish(closure), STATUS_OK);
	assert_int_equal(closure_distance(closure, 0, super), CLOSURE_NONE);
	closure_unref(&closure);
}

static void closure_root_group__missing__is_none(void **state)
{
	struct closure *closure = closure_new(2, &key);
	uint32_t group = add(closure, "g");

	(void)state;
	closure_set_root(closure, 1, group);
	assert_int_equal(closure_finish(closure), STATUS_OK);
	assert_int_equal(closure_root_group(closure, 0), CLOSURE_NONE);
	assert_int_equal(closure_distance(closure, 0, group), CLOSURE_NONE);
	assert_int_equal(closure_root_group(closure, 1), group);
	closure_unref(&closure);
}

static void closure_find__names_and_ids__do_not_mix(void **state)
{
	struct closure *closure = closure_new(0, &key);
	uint32_t group;

	(void)state;
	assert_int_equal(closure_add_group(closure, "CN=Win Users,DC=x", "abc", &group), STATUS_OK);
	assert_int_equal(closure_finish(closure), STATUS_OK);
	assert_int_equal(closure_find_name(closure, "cn=win users,dc=x", 17), group);
	assert_int_equal(closure_find_name(closure, "abc", 3), CLOSURE_NONE);
	assert_int_equal(closure_find_id(closure, "abc", 3), group);
	assert_int_equal(closure_find_id(closure, "cn=win users,dc=x", 17), CLOSURE_NONE);
	closure_unref(&closure);
}

static void closure__no_memory__says_so_and_leaks_nothing(void **state)
{
	size_t before = memory_live_count();

	(void)state;
	for (size_t n = 1;; n++) {
		struct closure *closure;
		enum status status = STATUS_NO_MEMORY;
		uint32_t a, b;

		memory_fail_at(n);
		closure = closure_new(1, &key);
		if (closure != NULL && (status = closure_add_group(closure, "cn=a,dc=x", "a", &a)) == STATUS_OK &&
		    (status = closure_add_group(closure, "cn=b,dc=x", "b", &b)) == STATUS_OK &&
		    (status = closure_add_edge(closure, a, b)) == STATUS_OK) {
			closure_set_root(closure, 0, b);
			status = closure_finish(closure);
		}
		closure_unref(&closure);
		assert_int_equal(memory_live_count(), before);
		if (status == STATUS_OK && memory_fail_count() < n)
			break;
		assert_int_equal(status, STATUS_NO_MEMORY);
	}
	memory_fail_at(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(closure_distance__chain__counts_hops),
	    cmocka_unit_test(closure_distance__cycle_and_diamond__is_the_shortest),
	    cmocka_unit_test(closure_distance__parent_of_the_root__is_not_beneath_it),
	    cmocka_unit_test(closure_root_group__missing__is_none),
	    cmocka_unit_test(closure_find__names_and_ids__do_not_mix),
	    cmocka_unit_test(closure__no_memory__says_so_and_leaks_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
