/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include <base/memory.h>
#include <membership/closure_ways.h>
#include <stdio.h>
#include <string.h>
#include <support/memory_failing.h>

#define LIMIT 8

static const struct digest_key key = {3, 4};

/* A closure with one root, cn=0; edges "child>parent", one-letter names. */
static struct closure *make(unsigned groups, const char *edges)
{
	struct closure *closure = closure_new(1, &key);
	uint32_t number;

	assert_non_null(closure);
	for (unsigned i = 0; i < groups; i++) {
		char dn[32];

		(void)snprintf(dn, sizeof(dn), "cn=%u,dc=x", i);
		assert_int_equal(closure_add_group(closure, dn, dn, &number), STATUS_OK);
	}
	for (; *edges != '\0'; edges += edges[3] == ' ' ? 4 : 3)
		assert_int_equal(closure_add_edge(closure, (uint32_t)(edges[0] - '0'), (uint32_t)(edges[2] - '0')),
				 STATUS_OK);
	closure_set_root(closure, 0, 0);
	assert_int_equal(closure_finish(closure), STATUS_OK);
	return closure;
}

/* "310 20 +4": the ways, then how many more there are. */
static void show(const struct closure_ways_found *found, char *out, size_t size)
{
	size_t at = 0;

	for (size_t i = 0; i < found->count; i++) {
		for (size_t k = 0; k < found->ways[i].count; k++)
			at += (size_t)snprintf(out + at, size - at, "%u", found->ways[i].groups[k]);
		at += (size_t)snprintf(out + at, size - at, " ");
	}
	(void)snprintf(out + at, size - at, "+%llu%s", (unsigned long long)found->more, found->is_least ? "?" : "");
}

static void assert_ways(unsigned groups, const char *edges, const char *direct, size_t limit, const char *expected)
{
	struct closure *closure = make(groups, edges);
	struct closure_ways *ways = NULL;
	struct closure_ways_found found;
	struct arena *arena = arena_new(1 << 20);
	uint32_t numbers[16];
	char shown[512];

	for (size_t i = 0; i < strlen(direct); i++)
		numbers[i] = (uint32_t)(direct[i] - '0');
	assert_int_equal(closure_ways_new(closure, numbers, strlen(direct), &ways), STATUS_OK);
	assert_int_equal(closure_ways_find(ways, 0, limit, arena, &found), STATUS_OK);
	show(&found, shown, sizeof(shown));
	if (strcmp(shown, expected) != 0)
		print_error("%s from %s\n", edges, direct);
	assert_string_equal(shown, expected);
	closure_ways_free(&ways);
	arena_free(&arena);
	closure_unref(&closure);
}

static void closure_ways_find__graphs__shortest_first_and_no_group_twice(void **state)
{
	static const struct {
		unsigned groups;
		const char *edges, *direct;
		size_t limit;
		const char *expected;
	} rows[] = {
	    {1, "", "0", LIMIT, "0 +0"},
	    {2, "", "1", LIMIT, "+0"}, /* it is of the closure, but not beneath this root */
	    {1, "", "", LIMIT, "+0"},
	    {3, "1>0 2>1", "2", LIMIT, "210 +0"},
	    {3, "1>0 2>1", "202", LIMIT, "0 210 +0"},
	    /* diamonds: 3 > 1, 2 > 0, twice */
	    {4, "1>0 2>0 3>1 3>2", "3", LIMIT, "310 320 +0"},
	    {7, "1>0 2>0 3>1 3>2 4>3 5>3 6>4 6>5", "6", LIMIT, "64310 64320 65310 65320 +0"},
	    {7, "1>0 2>0 3>1 3>2 4>3 5>3 6>4 6>5", "6", 1, "64310 +3"},
	    {7, "1>0 2>0 3>1 3>2 4>3 5>3 6>4 6>5", "6", 0, "+4"},
	    /* a ring on the way, and the root in it */
	    {4, "1>0 2>1 1>2 3>2", "3", LIMIT, "3210 +0"},
	    {3, "1>0 0>1 2>1", "2", LIMIT, "210 +0"},
	    {3, "1>1 1>0 2>1", "2", LIMIT, "210 +0"},
	    /* two ways through a ring, in both directions */
	    {5, "1>0 2>0 1>2 2>1 3>1 3>2", "3", LIMIT, "310 320 3120 3210 +0"},
	    {5, "1>0 2>0 1>2 2>1 3>1 3>2", "3", 1, "310 +3"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_ways(rows[i].groups, rows[i].edges, rows[i].direct, rows[i].limit, rows[i].expected);
}

/* `floors` diamonds on top of each other: 2^floors ways. */
static struct closure *make_tower(unsigned floors, bool with_ring)
{
	struct closure *closure = closure_new(1, &key);
	uint32_t top = 0, left, right, bottom;
	char dn[48];

	assert_int_equal(closure_add_group(closure, "cn=top,dc=x", "top", &top), STATUS_OK);
	closure_set_root(closure, 0, top);
	for (unsigned i = 0; i < floors; i++, top = bottom) {
		(void)snprintf(dn, sizeof(dn), "cn=left%u,dc=x", i);
		assert_int_equal(closure_add_group(closure, dn, dn, &left), STATUS_OK);
		(void)snprintf(dn, sizeof(dn), "cn=right%u,dc=x", i);
		assert_int_equal(closure_add_group(closure, dn, dn, &right), STATUS_OK);
		(void)snprintf(dn, sizeof(dn), "cn=bottom%u,dc=x", i);
		assert_int_equal(closure_add_group(closure, dn, dn, &bottom), STATUS_OK);
		assert_int_equal(closure_add_edge(closure, left, top), STATUS_OK);
		assert_int_equal(closure_add_edge(closure, right, top), STATUS_OK);
		assert_int_equal(closure_add_edge(closure, bottom, left), STATUS_OK);
		assert_int_equal(closure_add_edge(closure, bottom, right), STATUS_OK);
	}
	if (with_ring)
		assert_int_equal(closure_add_edge(closure, 0, top), STATUS_OK);
	assert_int_equal(closure_finish(closure), STATUS_OK);
	return closure;
}

static struct closure_ways_found find_in_tower(unsigned floors, bool with_ring, size_t limit)
{
	struct closure *closure = make_tower(floors, with_ring);
	struct closure_ways *ways = NULL;
	struct closure_ways_found found;
	struct arena *arena = arena_new(1 << 20);
	const uint32_t bottom = 3 * floors;

	assert_int_equal(closure_ways_new(closure, &bottom, 1, &ways), STATUS_OK);
	assert_int_equal(closure_ways_find(ways, 0, limit, arena, &found), STATUS_OK);
	for (size_t i = 0; i < found.count; i++)
		assert_int_equal(found.ways[i].count, 2 * floors + 1);
	closure_ways_free(&ways);
	arena_free(&arena);
	closure_unref(&closure);
	return found;
}

static void closure_ways_find__very_many_ways__are_summed_up(void **state)
{
	struct closure_ways_found found = find_in_tower(40, false, LIMIT);

	(void)state;
	assert_int_equal(found.count, LIMIT);
	assert_true(found.more == (UINT64_C(1) << 40) - LIMIT);
	assert_false(found.is_least);
	found = find_in_tower(100, false, LIMIT);
	assert_true(found.is_least);
}

static void closure_ways_find__very_many_ways_and_a_ring__says_at_least(void **state)
{
	const struct closure_ways_found found = find_in_tower(40, true, LIMIT);

	(void)state;
	assert_int_equal(found.count, LIMIT);
	assert_true(found.more > 1000);
	assert_true(found.is_least);
}

static void closure_ways_ring__two_rings__are_told_apart(void **state)
{
	struct closure *closure = make(8, "1>0 2>1 1>2 3>2 4>3 3>4 5>3 6>6 6>0 7>0");
	const uint32_t direct[] = {5, 6};
	struct closure_ways *ways = NULL;

	(void)state;
	assert_int_equal(closure_ways_new(closure, direct, 2, &ways), STATUS_OK);
	assert_int_equal(closure_ways_group_count(ways), 7);
	assert_int_equal(closure_ways_group(ways, 0), 5);
	assert_int_equal(closure_ways_ring(ways, 0), 0);
	assert_int_equal(closure_ways_ring(ways, 5), 0);
	assert_int_equal(closure_ways_ring(ways, 7), 0); /* not above the user */
	assert_int_not_equal(closure_ways_ring(ways, 1), 0);
	assert_int_equal(closure_ways_ring(ways, 1), closure_ways_ring(ways, 2));
	assert_int_equal(closure_ways_ring(ways, 3), closure_ways_ring(ways, 4));
	assert_int_not_equal(closure_ways_ring(ways, 1), closure_ways_ring(ways, 3));
	assert_int_not_equal(closure_ways_ring(ways, 6), 0);
	assert_true(closure_ways_is_direct(ways, 5) && closure_ways_is_direct(ways, 6));
	assert_false(closure_ways_is_direct(ways, 3) || closure_ways_is_direct(ways, 7));
	closure_ways_free(&ways);
	closure_unref(&closure);
}

static void closure_ways_find__chain_of_a_thousand__is_one_way(void **state)
{
	struct closure *closure = closure_new(1, &key);
	struct closure_ways *ways = NULL;
	struct closure_ways_found found;
	struct arena *arena = arena_new(1 << 20);
	uint32_t group = 0;

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		char dn[32];

		(void)snprintf(dn, sizeof(dn), "cn=%u,dc=x", i);
		assert_int_equal(closure_add_group(closure, dn, dn, &group), STATUS_OK);
		if (i > 0)
			assert_int_equal(closure_add_edge(closure, group, group - 1), STATUS_OK);
	}
	assert_int_equal(closure_add_edge(closure, 10, 11), STATUS_OK); /* a ring, so that they are walked */
	closure_set_root(closure, 0, 0);
	assert_int_equal(closure_finish(closure), STATUS_OK);
	assert_int_equal(closure_ways_new(closure, &group, 1, &ways), STATUS_OK);
	assert_int_equal(closure_ways_find(ways, 0, LIMIT, arena, &found), STATUS_OK);
	assert_int_equal(found.count, 1);
	assert_int_equal(found.ways[0].count, 1000);
	assert_int_equal(found.more, 0);
	assert_false(found.is_least);
	closure_ways_free(&ways);
	arena_free(&arena);
	closure_unref(&closure);
}

static void closure_ways_new__nth_allocation_fails__says_so(void **state)
{
	struct closure *closure = make(7, "1>0 2>0 3>1 3>2 4>3 5>3 6>4 6>5 0>6");
	const uint32_t direct = 6;
	size_t n = 1, before = memory_live_count();

	(void)state;
	for (;; n++) {
		struct arena *arena = arena_new(1 << 16);
		struct closure_ways *ways = NULL;
		struct closure_ways_found found = {.count = 77};
		enum status status;

		memory_fail_at(n);
		status = closure_ways_new(closure, &direct, 1, &ways);
		if (status == STATUS_OK)
			status = closure_ways_find(ways, 0, LIMIT, arena, &found);
		if (memory_fail_count() < n) {
			memory_fail_at(0);
			assert_int_equal(status, STATUS_OK);
			closure_ways_free(&ways);
			arena_free(&arena);
			break;
		}
		memory_fail_at(0);
		assert_int_equal(status, STATUS_NO_MEMORY);
		assert_int_equal(found.count, 77);
		closure_ways_free(&ways);
		arena_free(&arena);
		assert_int_equal(memory_live_count(), before);
	}
	assert_true(n > 15);
	closure_unref(&closure);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(closure_ways_find__graphs__shortest_first_and_no_group_twice),
	    cmocka_unit_test(closure_ways_find__very_many_ways__are_summed_up),
	    cmocka_unit_test(closure_ways_find__very_many_ways_and_a_ring__says_at_least),
	    cmocka_unit_test(closure_ways_ring__two_rings__are_told_apart),
	    cmocka_unit_test(closure_ways_find__chain_of_a_thousand__is_one_way),
	    cmocka_unit_test(closure_ways_new__nth_allocation_fails__says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
