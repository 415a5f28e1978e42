/* SPDX-License-Identifier: Apache-2.0 */
#include <membership/member_set.h>

#include <support/assertions.h>
#include <support/memory_failing.h>

static struct digest digest(uint64_t number)
{
	return (struct digest){number, 7};
}

static struct member_set *set_of(const uint64_t *numbers, size_t count)
{
	struct member_set *set = member_set_new();

	assert_non_null(set);
	for (size_t i = 0; i < count; i++)
		assert_true(member_set_add(set, digest(numbers[i])));
	member_set_seal(set);
	return set;
}

static void member_set_seal__unordered_with_doubles__is_in_order_and_each_once(void **state)
{
	static const uint64_t numbers[] = {5, 1, 5, 3, 1, 1, 9};
	struct member_set *set = set_of(numbers, COUNT_OF(numbers));

	(void)state;
	assert_int_equal(member_set_count(set), 4);
	for (size_t i = 1; i < member_set_count(set); i++)
		assert_true(digest_compare(&member_set_digests(set)[i - 1], &member_set_digests(set)[i]) < 0);
	assert_true(member_set_has(set, digest(5)));
	assert_true(member_set_has(set, digest(9)));
	assert_false(member_set_has(set, digest(2)));
	assert_false(member_set_has(set, (struct digest){5, 8}));
	assert_true(member_set_bytes(set) >= 4 * sizeof(struct digest));
	member_set_unref(&set);
	assert_null(set);
}

static void member_set_has__empty__is_false(void **state)
{
	struct member_set *set = set_of(NULL, 0);

	(void)state;
	assert_int_equal(member_set_count(set), 0);
	assert_false(member_set_has(set, digest(1)));
	member_set_unref(&set);
	member_set_unref(&set);
}

static void member_set_differ__what_is_in_one_only__is_added(void **state)
{
	static const struct {
		const char *name;
		uint64_t a[4], b[4], difference[8];
		size_t a_count, b_count, count;
	} rows[] = {
	    {"both empty", {0}, {0}, {0}, 0, 0, 0},
	    {"one empty", {1, 2}, {0}, {1, 2}, 2, 0, 2},
	    {"the other empty", {0}, {3}, {3}, 0, 1, 1},
	    {"the same", {1, 2, 3}, {1, 2, 3}, {0}, 3, 3, 0},
	    {"one gone, one come", {1, 2, 4}, {1, 3, 4}, {2, 3}, 3, 3, 2},
	    {"nothing shared", {1, 3}, {2, 4}, {1, 2, 3, 4}, 2, 2, 4},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct member_set *a = set_of(rows[i].a, rows[i].a_count), *b = set_of(rows[i].b, rows[i].b_count);
		struct member_set *difference = member_set_new();

		assert_true(member_set_differ(a, b, difference));
		member_set_seal(difference);
		assert_row(rows[i].name, member_set_count(difference) == rows[i].count);
		for (size_t k = 0; k < rows[i].count; k++)
			assert_row(rows[i].name, member_set_has(difference, digest(rows[i].difference[k])));
		member_set_unref(&a);
		member_set_unref(&b);
		member_set_unref(&difference);
	}
}

static void member_set_unref__shared__lives_as_long_as_somebody_has_it(void **state)
{
	static const uint64_t numbers[] = {1};
	size_t before = memory_live_count();
	struct member_set *set = set_of(numbers, COUNT_OF(numbers)), *other = member_set_ref(set);

	(void)state;
	member_set_unref(&set);
	assert_true(member_set_has(other, digest(1)));
	member_set_unref(&other);
	assert_int_equal(memory_live_count(), before);
}

static void member_set__no_memory__says_so_and_keeps_what_it_has(void **state)
{
	struct member_set *set, *empty, *difference;

	(void)state;
	memory_fail_at(1);
	assert_null(member_set_new());
	memory_fail_at(0);
	set = member_set_new();
	memory_fail_at(1);
	assert_false(member_set_add(set, digest(1)));
	memory_fail_at(0);
	assert_true(member_set_add(set, digest(2)));
	member_set_seal(set);
	assert_int_equal(member_set_count(set), 1);
	empty = member_set_new();
	difference = member_set_new();
	memory_fail_at(1);
	assert_false(member_set_differ(set, empty, difference));
	memory_fail_at(0);
	member_set_unref(&set);
	member_set_unref(&empty);
	member_set_unref(&difference);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(member_set_seal__unordered_with_doubles__is_in_order_and_each_once),
	    cmocka_unit_test(member_set_has__empty__is_false),
	    cmocka_unit_test(member_set_differ__what_is_in_one_only__is_added),
	    cmocka_unit_test(member_set_unref__shared__lives_as_long_as_somebody_has_it),
	    cmocka_unit_test(member_set__no_memory__says_so_and_keeps_what_it_has),
	};

	return cmocka_run_group_tests_name("member_set", tests, NULL, NULL);
}
