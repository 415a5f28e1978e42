/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include <membership/member_index.h>
#include <support/memory_failing.h>

static const struct digest_key key = {1, 2};

static struct digest name_of(uint32_t number)
{
	return digest_of(&key, &number, sizeof(number));
}

static void member_index_find__many_members__finds_each_and_no_other(void **state)
{
	struct member_index *index = member_index_new(1 << 24);
	size_t count;

	(void)state;
	/* Member n is in the groups n % 7 and 100 + n % 3; added backwards, and every third twice. */
	for (uint32_t n = 20000; n-- > 0;) {
		assert_int_equal(member_index_add(index, name_of(n), 100 + n % 3), STATUS_OK);
		assert_int_equal(member_index_add(index, name_of(n), n % 7), STATUS_OK);
		if (n % 3 == 0)
			assert_int_equal(member_index_add(index, name_of(n), n % 7), STATUS_OK);
	}
	assert_int_equal(member_index_seal(index), STATUS_OK);
	assert_int_equal(member_index_count(index), 40000);
	for (uint32_t n = 0; n < 20000; n++) {
		const struct member_pair *found = member_index_find(index, name_of(n), &count);

		assert_int_equal(count, 2);
		assert_int_equal(found[0].group, n % 7);
		assert_int_equal(found[1].group, 100 + n % 3);
	}
	for (uint32_t n = 20000; n < 40000; n++) {
		(void)member_index_find(index, name_of(n), &count);
		assert_int_equal(count, 0);
	}
	member_index_free(&index);
	assert_null(index);
}

static void member_index_find__empty__finds_nothing(void **state)
{
	struct member_index *index = member_index_new(0);
	size_t count = 7;

	(void)state;
	assert_int_equal(member_index_seal(index), STATUS_OK);
	(void)member_index_find(index, name_of(1), &count);
	assert_int_equal(count, 0);
	member_index_free(&index);
}

static void member_index_find__extreme_digests__are_found(void **state)
{
	static const struct digest extremes[] = {{0, 0}, {0, UINT64_MAX}, {UINT64_MAX, 0}, {UINT64_MAX, UINT64_MAX}};
	struct member_index *index = member_index_new(1 << 20);
	size_t count;

	(void)state;
	for (uint32_t i = 0; i < COUNT_OF(extremes); i++)
		assert_int_equal(member_index_add(index, extremes[i], i), STATUS_OK);
	for (uint32_t n = 0; n < 1000; n++)
		assert_int_equal(member_index_add(index, name_of(n), n), STATUS_OK);
	assert_int_equal(member_index_seal(index), STATUS_OK);
	for (uint32_t i = 0; i < COUNT_OF(extremes); i++) {
		assert_int_equal(member_index_find(index, extremes[i], &count)->group, i);
		assert_int_equal(count, 1);
	}
	member_index_free(&index);
}

static void member_index_add__beyond_the_budget__is_refused(void **state)
{
	struct member_index *index = member_index_new(10 * sizeof(struct member_pair));

	(void)state;
	for (uint32_t n = 0; n < 10; n++)
		assert_int_equal(member_index_add(index, name_of(n), 0), STATUS_OK);
	assert_int_equal(member_index_add(index, name_of(10), 0), STATUS_LIMIT);
	member_index_free(&index);
}

static void member_index__no_memory__says_so_and_leaks_nothing(void **state)
{
	size_t before = memory_live_count();

	(void)state;
	for (size_t n = 1;; n++) {
		struct member_index *index;
		enum status status = STATUS_NO_MEMORY;

		memory_fail_at(n);
		index = member_index_new(1 << 20);
		for (uint32_t i = 0; index != NULL && i < 100; i++)
			if ((status = member_index_add(index, name_of(i), i)) != STATUS_OK)
				break;
		if (index != NULL && status == STATUS_OK)
			status = member_index_seal(index);
		member_index_free(&index);
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
	    cmocka_unit_test(member_index_find__many_members__finds_each_and_no_other),
	    cmocka_unit_test(member_index_find__empty__finds_nothing),
	    cmocka_unit_test(member_index_find__extreme_digests__are_found),
	    cmocka_unit_test(member_index_add__beyond_the_budget__is_refused),
	    cmocka_unit_test(member_index__no_memory__says_so_and_leaks_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
