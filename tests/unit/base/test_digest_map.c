/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include <base/digest_map.h>
#include <support/memory_failing.h>

static struct digest numbered(uint32_t number)
{
	static const struct digest_key key = {1, 2};

	return digest_of(&key, &number, sizeof(number));
}

static void digest_map_get__empty__finds_nothing(void **state)
{
	struct digest_map map;

	(void)state;
	digest_map_init(&map);
	assert_int_equal(digest_map_get(&map, numbered(1)), DIGEST_MAP_NONE);
	assert_int_equal(digest_map_bytes(&map), 0);
	digest_map_done(&map);
}

static void digest_map_put__many__are_all_found_and_no_others(void **state)
{
	const uint32_t count = 100000;
	struct digest_map map;
	uint32_t i;

	(void)state;
	digest_map_init(&map);
	for (i = 0; i < count; i++)
		assert_true(digest_map_put(&map, numbered(i), i * 3));
	assert_int_equal(map.count, count);
	for (i = 0; i < count; i++)
		assert_int_equal(digest_map_get(&map, numbered(i)), i * 3);
	for (i = count; i < 2 * count; i++)
		assert_int_equal(digest_map_get(&map, numbered(i)), DIGEST_MAP_NONE);
	assert_true(digest_map_bytes(&map) >= count * sizeof(struct digest_map_slot));
	assert_true(digest_map_bytes(&map) <= (size_t)3 * count * sizeof(struct digest_map_slot));
	digest_map_done(&map);
	assert_int_equal(map.count, 0);
}

static void digest_map_put__there_already__replaces_the_value(void **state)
{
	struct digest_map map;

	(void)state;
	digest_map_init(&map);
	assert_true(digest_map_put(&map, numbered(1), 10));
	assert_true(digest_map_put(&map, numbered(1), 0));
	assert_int_equal(map.count, 1);
	assert_int_equal(digest_map_get(&map, numbered(1)), 0);
	digest_map_done(&map);
}

/* All start at the last slot, and so go round to the first. */
static void digest_map_put__same_low_bits__are_told_apart(void **state)
{
	struct digest_map map;
	uint32_t i;

	(void)state;
	digest_map_init(&map);
	for (i = 0; i < 100; i++)
		assert_true(digest_map_put(&map, (struct digest){i, UINT64_MAX}, i));
	for (i = 0; i < 100; i++)
		assert_int_equal(digest_map_get(&map, (struct digest){i, UINT64_MAX}), i);
	assert_int_equal(digest_map_get(&map, (struct digest){100, UINT64_MAX}), DIGEST_MAP_NONE);
	digest_map_done(&map);
}

static void digest_map_put__no_memory__changes_nothing(void **state)
{
	const size_t before = memory_live_count();
	struct digest_map map;
	uint32_t i, k, failures = 0;

	(void)state;
	digest_map_init(&map);
	for (i = 0; i < 1000; i++) {
		memory_fail_at(1);
		if (digest_map_put(&map, numbered(i), i))
			continue;
		failures++;
		assert_int_equal(map.count, i);
		assert_int_equal(digest_map_get(&map, numbered(i)), DIGEST_MAP_NONE);
		for (k = 0; k < i; k++)
			assert_int_equal(digest_map_get(&map, numbered(k)), k);
		memory_fail_at(0);
		assert_true(digest_map_put(&map, numbered(i), i));
	}
	assert_true(failures > 3);
	memory_fail_at(0);
	digest_map_done(&map);
	assert_int_equal(memory_live_count(), before);
}

static void digest_map_put__known_and_no_memory__replaces(void **state)
{
	struct digest_map map;
	uint32_t i;

	(void)state;
	digest_map_init(&map);
	for (i = 0; i < 12; i++)
		assert_true(digest_map_put(&map, numbered(i), i));
	/* The next new one would need to grow; a known one does not. */
	memory_fail_from(1);
	assert_true(digest_map_put(&map, numbered(3), 33));
	memory_fail_at(0);
	assert_int_equal(digest_map_get(&map, numbered(3)), 33);
	digest_map_done(&map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(digest_map_get__empty__finds_nothing),
	    cmocka_unit_test(digest_map_put__many__are_all_found_and_no_others),
	    cmocka_unit_test(digest_map_put__there_already__replaces_the_value),
	    cmocka_unit_test(digest_map_put__same_low_bits__are_told_apart),
	    cmocka_unit_test(digest_map_put__no_memory__changes_nothing),
	    cmocka_unit_test(digest_map_put__known_and_no_memory__replaces),
	};

	return cmocka_run_group_tests_name("base/digest_map", tests, NULL, NULL);
}
