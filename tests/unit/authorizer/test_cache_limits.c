/* SPDX-License-Identifier: Apache-2.0 */
/* The cache at its limits: users, bytes, memory. */
#include <support/assertions.h>

#include "cache_rig.h"
#include <support/memory_failing.h>

static void cache_put__more_users_than_entries__evicts_who_was_not_found_lately(void **state)
{
	struct rig rig;
	size_t found = 0, new_found = 0;

	(void)state;
	rig_open(&rig, 100, RIG_ROOMY);
	for (uint64_t n = 0; n < 100; n++)
		rig_put(&rig, n, n);
	assert_int_equal(cache_count(rig.cache), 100);
	for (uint64_t n = 0; n < 50; n++)
		assert_true(rig_is_usable(&rig, n));
	for (uint64_t n = 100; n < 150; n++)
		rig_put(&rig, n, n);
	assert_int_equal(cache_count(rig.cache), 100);
	for (uint64_t n = 0; n < 50; n++)
		found += rig_is_usable(&rig, n);
	assert_int_equal(found, 50);
	for (uint64_t n = 50; n < 100; n++)
		assert_false(rig_is_known(&rig, n));
	for (uint64_t n = 100; n < 150; n++)
		new_found += rig_is_usable(&rig, n);
	assert_int_equal(new_found, 50);
	rig_close(&rig);
}

static void cache_put__everybody_was_found_lately__still_finds_room(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig, 1000, RIG_ROOMY);
	for (uint64_t n = 0; n < 3000; n++) {
		rig_put(&rig, n, n);
		assert_true(rig_is_usable(&rig, n));
		if (n >= 1000)
			for (uint64_t m = n - 900; m < n; m += 50)
				(void)rig_is_known(&rig, m);
	}
	assert_int_equal(cache_count(rig.cache), 1000);
	rig_close(&rig);
}

static void cache_put__one_entry__keeps_the_last(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig, 1, RIG_ROOMY);
	for (uint64_t n = 0; n < 1000; n++) {
		rig_put(&rig, n, n);
		assert_true(rig_is_usable(&rig, n));
		assert_false(rig_is_known(&rig, n + 1));
		if (n > 0)
			assert_false(rig_is_known(&rig, n - 1));
	}
	assert_int_equal(cache_count(rig.cache), 1);
	rig_close(&rig);
}

static void cache_put__no_room_at_all__keeps_nothing(void **state)
{
	static const uint64_t sizes[][2] = {{0, RIG_ROOMY}, {1000, 0}, {1000, 100}, {0, 0}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(sizes); i++) {
		struct rig rig;

		rig_open(&rig, sizes[i][0], sizes[i][1]);
		rig_put(&rig, 1, 1);
		rig_put(&rig, 1, 1);
		assert_false(rig_is_known(&rig, 1));
		assert_int_equal(cache_count(rig.cache), 0);
		rig_close(&rig);
	}
}

static void cache_put__long_dns__stays_within_its_bytes(void **state)
{
	enum { MAX_BYTES = 400000 };
	struct cache_entry entry;
	struct rig rig;
	char dn[300];

	(void)state;
	rig_open(&rig, 1000, MAX_BYTES);
	memset(dn, 'x', sizeof(dn));
	dn[sizeof(dn) - 1] = '\0';
	for (uint64_t n = 0; n < 3000; n++) {
		entry = rig_entry(n, 0);
		entry.dn = dn;
		cache_put(rig.cache, rig_form(n), &entry);
		assert_true(rig_is_usable(&rig, n));
		assert_true(cache_bytes(rig.cache) <= MAX_BYTES);
	}
	/* Tables of 1000 users have 115 KB: there is room for 900 such DNs at 320 bytes. */
	assert_in_range(cache_count(rig.cache), 800, 999);
	/* Who is known already needs no room: nobody goes. */
	for (uint64_t n = 2999; n > 2900; n--) {
		entry = rig_entry(n, 0);
		entry.dn = dn;
		cache_put(rig.cache, rig_form(n), &entry);
	}
	assert_in_range(cache_count(rig.cache), 800, 999);
	rig_close(&rig);
}

static void cache_put__dn_larger_than_all_room__he_is_not_kept_and_others_stay(void **state)
{
	struct cache_entry entry = rig_entry(2, 0);
	struct rig rig;
	char dn[70000];

	(void)state;
	rig_open(&rig, 10, 10000);
	rig_put(&rig, 1, 1);
	rig_put(&rig, 2, 2);
	memset(dn, 'x', sizeof(dn));
	dn[sizeof(dn) - 1] = '\0';
	entry.dn = dn;
	cache_put(rig.cache, rig_form(2), &entry);
	assert_false(rig_is_known(&rig, 2));
	assert_true(rig_is_usable(&rig, 1));
	assert_int_equal(cache_count(rig.cache), 1);
	rig_close(&rig);
}

static void cache_open__few_bytes__lowers_the_entries(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig, 1000000, 20000);
	for (uint64_t n = 0; n < 1000; n++)
		rig_put(&rig, n, n);
	assert_in_range(cache_count(rig.cache), 100, 115);
	assert_true(cache_bytes(rig.cache) <= 20000);
	rig_close(&rig);
}

static void cache__no_memory__keeps_less_and_leaks_nothing(void **state)
{
	struct epochs *epochs = epochs_new();
	size_t before = memory_live_count();
	struct cache_entry entry = rig_entry(1, 0);
	struct cache_hit hit;
	bool succeeded = false;

	(void)state;
	assert_non_null(epochs);
	for (size_t n = 1; !succeeded; n++) {
		struct cache *cache;

		memory_fail_at(n);
		cache = cache_open(&rig_config, epochs, 10, RIG_ROOMY);
		if (cache == NULL) {
			assert_int_equal(memory_live_count(), before);
			continue;
		}
		cache_put(cache, rig_form(1), &entry);
		succeeded = memory_fail_count() < n;
		assert_int_equal(cache_find(cache, rig_form(1), &hit), succeeded);
		assert_int_equal(cache_count(cache), succeeded);
		memory_fail_at(0);
		cache_put(cache, rig_form(1), &entry);
		assert_true(cache_find(cache, rig_form(1), &hit));
		/* A new DN that there is no memory for: what is known of him is older, and goes. */
		entry.dn = "uid=renamed";
		memory_fail_at(1);
		cache_put(cache, rig_form(1), &entry);
		memory_fail_at(0);
		assert_false(cache_find(cache, rig_form(1), &hit));
		assert_int_equal(cache_count(cache), 0);
		entry.dn = "uid=alice";
		cache_close(&cache);
		assert_int_equal(memory_live_count(), before);
	}
	memory_free(epochs);
}

static void cache_close__null__is_allowed(void **state)
{
	struct cache *cache = NULL;

	(void)state;
	cache_close(&cache);
	assert_null(cache);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(cache_put__more_users_than_entries__evicts_who_was_not_found_lately),
	    cmocka_unit_test(cache_put__everybody_was_found_lately__still_finds_room),
	    cmocka_unit_test(cache_put__one_entry__keeps_the_last),
	    cmocka_unit_test(cache_put__no_room_at_all__keeps_nothing),
	    cmocka_unit_test(cache_put__long_dns__stays_within_its_bytes),
	    cmocka_unit_test(cache_put__dn_larger_than_all_room__he_is_not_kept_and_others_stay),
	    cmocka_unit_test(cache_open__few_bytes__lowers_the_entries),
	    cmocka_unit_test(cache__no_memory__keeps_less_and_leaks_nothing),
	    cmocka_unit_test(cache_close__null__is_allowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
