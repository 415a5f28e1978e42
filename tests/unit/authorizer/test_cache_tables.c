/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of the cache by themselves: what nobody sees from outside until it goes wrong. */
#include <support/assertions.h>

#include "cache_rig.h"
#include <authorizer/cache_private.h>
#include <stdbool.h>
#include <support/memory_failing.h>

#define SAID(a)                                                                                                        \
	(&(struct cache_user){.as_of = (a), .asked_ms = (a) + 1, .until_s = 9, .word = CACHE_STANDING_IS_KEPT | (a)})

static uint32_t add_user(struct cache_users *users, uint64_t number, uint64_t as_of)
{
	uint32_t user = cache_users_add(users, rig_id(number));

	cache_users_write(users, user, SAID(as_of));
	return user;
}

static void mark(struct cache_users *users, uint32_t user)
{
	cache_users_mark(users, user, SAID(0));
}

static void cache_users_read__line_never_written__nobody(void **state)
{
	struct cache_users users;
	struct cache_user said;
	uint32_t user;

	(void)state;
	assert_true(cache_users_init(&users, 2));
	assert_false(cache_users_read(&users, 0, 0, &said));
	user = cache_users_add(&users, rig_id(1));
	assert_false(cache_users_read(&users, user, cache_users_serial(&users, user), &said));
	cache_users_done(&users);
}

static void cache_users_read__line_being_written__nobody(void **state)
{
	struct cache_users users;
	struct cache_user said;
	uint32_t user;

	(void)state;
	assert_true(cache_users_init(&users, 2));
	user = add_user(&users, 1, 5);
	assert_true(cache_users_read(&users, user, 0, &said));
	atomic_fetch_add(&users.lines[user].life, 1);
	assert_false(cache_users_read(&users, user, 0, &said));
	atomic_fetch_add(&users.lines[user].life, 1);
	assert_true(cache_users_read(&users, user, 0, &said));
	assert_int_equal(said.as_of, 5);
	assert_int_equal(said.asked_ms, 6);
	assert_int_equal(said.until_s, 9);
	cache_users_done(&users);
}

static void cache_users_evict__line_lent_again__the_first_serial_finds_nobody(void **state)
{
	struct cache_users users;
	struct cache_user said;
	uint32_t first, second;

	(void)state;
	assert_true(cache_users_init(&users, 1));
	first = add_user(&users, 1, 5);
	assert_true(cache_users_evict(&users, first));
	assert_int_equal(cache_users_find(&users, rig_id(1)), CACHE_NOBODY);
	assert_false(cache_users_read(&users, first, 0, &said));
	assert_false(cache_users_read(&users, first, 1, &said));
	second = add_user(&users, 2, 6);
	assert_int_equal(second, first);
	assert_false(cache_users_read(&users, second, 0, &said));
	assert_true(cache_users_read(&users, second, 1, &said));
	assert_int_equal(said.as_of, 6);
	cache_users_done(&users);
}

static void cache_users_add__lines_that_came_back__are_lent_again(void **state)
{
	struct cache_users users;

	(void)state;
	assert_true(cache_users_init(&users, 4));
	for (uint32_t n = 0; n < 4; n++)
		(void)add_user(&users, n, 1);
	assert_false(cache_users_has_room(&users));
	for (uint32_t n = 0; n < 3; n++)
		assert_true(cache_users_evict(&users, n));
	for (uint64_t n = 10; n < 13; n++) {
		assert_true(cache_users_has_room(&users));
		(void)add_user(&users, n, 1);
	}
	assert_false(cache_users_has_room(&users));
	for (uint64_t n = 10; n < 13; n++)
		assert_in_range(cache_users_find(&users, rig_id(n)), 0, 2);
	assert_int_equal(users.count, 4);
	cache_users_done(&users);
}

static void cache_users_write__version_wraps__serial_stays(void **state)
{
	struct cache_users users;
	struct cache_user said;
	uint32_t user;

	(void)state;
	assert_true(cache_users_init(&users, 1));
	user = add_user(&users, 1, 5);
	atomic_store(&users.lines[user].life, UINT64_C(7) << 32 | 0xFFFFFFFE);
	cache_users_write(&users, user, SAID(6));
	assert_int_equal(cache_users_serial(&users, user), 7);
	assert_true(cache_users_read(&users, user, 7, &said));
	assert_int_equal(said.as_of, 6);
	cache_users_done(&users);
}

static void cache_users_find__ids_in_one_chain__are_told_apart(void **state)
{
	struct cache_users users;
	struct digest ids[] = {{1, 1}, {1, 2}, {2, 1}, {1, UINT64_C(1) << 32}};
	uint32_t lines[COUNT_OF(ids)];

	(void)state;
	assert_true(cache_users_init(&users, COUNT_OF(ids)));
	for (size_t i = 0; i < COUNT_OF(ids); i++)
		lines[i] = cache_users_add(&users, ids[i]);
	for (size_t i = 0; i < COUNT_OF(ids); i++)
		assert_int_equal(cache_users_find(&users, ids[i]), lines[i]);
	assert_true(cache_users_evict(&users, lines[1]));
	assert_int_equal(cache_users_find(&users, ids[1]), CACHE_NOBODY);
	assert_int_equal(cache_users_find(&users, ids[0]), lines[0]);
	assert_int_equal(cache_users_find(&users, ids[2]), lines[2]);
	assert_int_equal(cache_users_find(&users, ids[3]), lines[3]);
	cache_users_done(&users);
}

static void cache_users_choose__all_marked__gives_up_pardoning(void **state)
{
	enum { COUNT = 10 * CACHE_USERS_MAX_PARDONS };
	struct cache_users users;

	(void)state;
	assert_true(cache_users_init(&users, COUNT));
	for (uint32_t i = 0; i < COUNT; i++)
		mark(&users, add_user(&users, i, 1));
	assert_int_equal(cache_users_choose(&users, CACHE_NOBODY), CACHE_USERS_MAX_PARDONS);
	for (uint32_t i = 0; i < COUNT; i++)
		assert_int_equal(cache_users_is_marked(&users, i), i >= CACHE_USERS_MAX_PARDONS);
	cache_users_done(&users);
}

static void cache_users_choose__late_mark_on_a_free_line__is_not_a_user(void **state)
{
	struct cache_users users;

	(void)state;
	assert_true(cache_users_init(&users, 3));
	for (uint32_t i = 0; i < 3; i++)
		(void)add_user(&users, i, 1);
	assert_true(cache_users_evict(&users, 0));
	mark(&users, 0);
	assert_int_equal(cache_users_choose(&users, 1), 2);
	assert_int_equal(cache_users_choose(&users, 2), 1);
	assert_true(cache_users_evict(&users, 1));
	assert_int_equal(cache_users_choose(&users, 2), CACHE_NOBODY);
	cache_users_done(&users);
}

struct tables {
	struct epochs *epochs;
	struct cache_users users;
	struct cache_forms forms;
};

static void open_tables(struct tables *tables)
{
	tables->epochs = epochs_new();
	assert_non_null(tables->epochs);
	assert_true(cache_users_init(&tables->users, 100));
	assert_true(cache_forms_init(&tables->forms, 100));
}

static void close_tables(struct tables *tables)
{
	memory_free(tables->epochs);
	cache_users_done(&tables->users);
	cache_forms_done(&tables->forms);
	assert_int_equal(memory_live_count(), 0);
}

/* Forms that have one home. */
static struct digest neighbour(uint64_t number)
{
	return (struct digest){100 + number, number};
}

static void put_form(struct tables *tables, struct digest digest, uint32_t user, uint64_t as_of, uint16_t bucket)
{
	struct cache_form form = {.user = user,
				  .serial = cache_users_serial(&tables->users, user),
				  .as_of = as_of,
				  .buckets = {bucket, bucket}};

	cache_forms_put(&tables->forms, &tables->users, tables->epochs, digest, &form);
}

static bool has_form(const struct tables *tables, struct digest digest)
{
	struct cache_form form;

	return cache_forms_find(&tables->forms, digest, &form);
}

static bool finds_user(const struct tables *tables, struct digest digest)
{
	struct cache_form form;
	struct cache_user user;

	return cache_forms_find(&tables->forms, digest, &form) &&
	       cache_users_read(&tables->users, form.user, form.serial, &user);
}

/* A full window: form n is of user n and was looked up at 1000 + n; all marked. */
static void fill_window(struct tables *tables)
{
	for (uint32_t n = 0; n < CACHE_FORM_WINDOW; n++) {
		mark(&tables->users, add_user(&tables->users, n, 1));
		put_form(tables, neighbour(n), n, 1000 + n, (uint16_t)n);
	}
	for (uint32_t n = 0; n < CACHE_FORM_WINDOW; n++)
		assert_true(finds_user(tables, neighbour(n)));
	(void)add_user(&tables->users, CACHE_FORM_WINDOW, 1);
}

/* One more: it is found, and `replaced` alone is not any more. */
static void put_one_more(struct tables *tables, uint32_t replaced)
{
	put_form(tables, neighbour(CACHE_FORM_WINDOW), CACHE_FORM_WINDOW, 2000, 50);
	assert_true(finds_user(tables, neighbour(CACHE_FORM_WINDOW)));
	for (uint32_t n = 0; n < CACHE_FORM_WINDOW; n++)
		assert_int_equal(has_form(tables, neighbour(n)), n != replaced);
}

static void cache_forms_put__window_full__the_oldest_goes(void **state)
{
	struct tables tables;

	(void)state;
	open_tables(&tables);
	fill_window(&tables);
	put_one_more(&tables, 0);
	close_tables(&tables);
}

static void cache_forms_put__window_full__who_was_not_read_goes_before_the_oldest(void **state)
{
	struct tables tables;

	(void)state;
	open_tables(&tables);
	fill_window(&tables);
	atomic_fetch_and(&tables.users.lines[5].word, ~CACHE_STANDING_MARK);
	put_one_more(&tables, 5);
	close_tables(&tables);
}

static void cache_forms_put__window_full__a_changed_one_goes_before_who_was_not_read(void **state)
{
	struct tables tables;

	(void)state;
	open_tables(&tables);
	fill_window(&tables);
	atomic_fetch_and(&tables.users.lines[5].word, ~CACHE_STANDING_MARK);
	for (int i = 0; i < 1500; i++) /* beyond the numbers of all of them */
		epochs_touch(tables.epochs, rig_hash(9));
	put_one_more(&tables, 9);
	close_tables(&tables);
}

static void cache_forms_put__window_full__a_dead_one_goes_before_all(void **state)
{
	struct tables tables;

	(void)state;
	open_tables(&tables);
	fill_window(&tables);
	atomic_fetch_and(&tables.users.lines[5].word, ~CACHE_STANDING_MARK);
	for (int i = 0; i < 1500; i++)
		epochs_touch(tables.epochs, rig_hash(9));
	assert_true(cache_users_evict(&tables.users, 31));
	put_one_more(&tables, 31);
	close_tables(&tables);
}

static void cache_forms_put__known_form__stays_in_its_slot(void **state)
{
	struct tables tables;
	struct cache_form form;

	(void)state;
	open_tables(&tables);
	fill_window(&tables);
	put_form(&tables, neighbour(7), 8, 3000, 77);
	for (uint32_t n = 0; n < CACHE_FORM_WINDOW; n++)
		assert_true(has_form(&tables, neighbour(n)));
	assert_true(cache_forms_find(&tables.forms, neighbour(7), &form));
	assert_int_equal(form.user, 8);
	assert_int_equal(form.as_of, 3000);
	assert_int_equal(form.buckets[0], 77);
	assert_int_equal(tables.forms.used, CACHE_FORM_WINDOW);
	close_tables(&tables);
}

static void cache_forms_find__another_digest_with_the_same_tag__finds_nobody(void **state)
{
	struct tables tables;
	struct digest digest = neighbour(3), other = digest;

	(void)state;
	open_tables(&tables);
	(void)add_user(&tables.users, 1, 1);
	put_form(&tables, digest, 0, 5, 1);
	assert_true(finds_user(&tables, digest));
	for (unsigned bit = 0; bit < 32; bit++) {
		other.low = digest.low ^ (uint64_t)1 << bit;
		assert_false(finds_user(&tables, other));
	}
	for (unsigned bit = 0; bit < 64; bit++) {
		other = digest;
		other.high ^= (uint64_t)1 << bit;
		assert_false(finds_user(&tables, other));
	}
	close_tables(&tables);
}

static void cache_forms_find__greatest_numbers__are_kept_apart(void **state)
{
	struct cache_form form = {
	    .user = 98, .serial = UINT32_MAX, .as_of = CACHE_FORM_MAX_AS_OF, .buckets = {0xFFFF, 0x1234}};
	struct tables tables;

	(void)state;
	open_tables(&tables);
	cache_forms_put(&tables.forms, &tables.users, tables.epochs, neighbour(1), &form);
	memset(&form, 0, sizeof(form));
	assert_true(cache_forms_find(&tables.forms, neighbour(1), &form));
	assert_int_equal(form.user, 98);
	assert_int_equal(form.serial, UINT32_MAX);
	assert_true(form.as_of == CACHE_FORM_MAX_AS_OF);
	assert_int_equal(form.buckets[0], 0xFFFF);
	assert_int_equal(form.buckets[1], 0x1234);
	close_tables(&tables);
}

static void cache_forms_find__slot_being_written__not_found(void **state)
{
	struct tables tables;

	(void)state;
	open_tables(&tables);
	(void)add_user(&tables.users, 1, 1);
	put_form(&tables, neighbour(1), 0, 5, 1);
	for (size_t i = 0; i < CACHE_FORM_VERSIONS; i++)
		atomic_fetch_add(&tables.forms.versions[i], 1);
	assert_false(has_form(&tables, neighbour(1)));
	for (size_t i = 0; i < CACHE_FORM_VERSIONS; i++)
		atomic_fetch_add(&tables.forms.versions[i], 1);
	assert_true(has_form(&tables, neighbour(1)));
	close_tables(&tables);
}

static void cache_forms_find__last_home__its_window_is_whole(void **state)
{
	struct tables tables;

	(void)state;
	open_tables(&tables);
	(void)add_user(&tables.users, 1, 1);
	for (uint64_t n = 0; n < CACHE_FORM_WINDOW; n++)
		put_form(&tables, (struct digest){n + 1, UINT64_MAX - n}, 0, 5, 1);
	for (uint64_t n = 0; n < CACHE_FORM_WINDOW; n++)
		assert_true(finds_user(&tables, (struct digest){n + 1, UINT64_MAX - n}));
	close_tables(&tables);
}

static void cache_put__serials_of_a_line_begin_anew__no_form_of_old_finds_the_new_user(void **state)
{
	struct epochs *epochs = epochs_new();
	struct cache *cache = cache_open(&rig_config, epochs, 1, RIG_ROOMY);
	struct cache_entry first = rig_entry(1, 0), last = rig_entry(2, 0), again = rig_entry(3, 0);
	struct cache_hit hit;

	(void)state;
	assert_non_null(epochs);
	assert_non_null(cache);
	cache_put(cache, rig_form(1), &first); /* serial 0 */
	cache_put(cache, rig_form(4), &first);
	atomic_store(&cache->users.lines[0].life, UINT64_C(0xFFFFFFFE) << 32);
	cache_put(cache, rig_form(2), &last); /* serial 2^32 - 1: takes the slot of one of them */
	assert_int_equal(cache->forms.used, 2);
	assert_false(cache_find(cache, rig_form(1), &hit));
	assert_false(cache_find(cache, rig_form(4), &hit));
	cache_put(cache, rig_form(3), &again); /* serial 0 again */
	assert_int_equal(cache_users_serial(&cache->users, 0), 0);
	assert_false(cache_find(cache, rig_form(1), &hit));
	assert_false(cache_find(cache, rig_form(4), &hit));
	assert_false(cache_find(cache, rig_form(2), &hit));
	assert_true(cache_find(cache, rig_form(3), &hit));
	assert_int_equal(hit.standing.rule, 3);
	assert_int_equal(cache->forms.used, 1);
	cache_close(&cache);
	memory_free(epochs);
}

static void cache_standing_unpack__zero__is_no_authorize(void **state)
{
	struct cache_standings standings;
	struct policy_standing standing = {.verdict = WA_AUTHORIZE, .administrator = true};

	(void)state;
	assert_true(cache_standings_init(&standings));
	cache_standing_unpack(&standings, 0, 0, &standing);
	assert_int_equal(standing.verdict, WA_DENY);
	assert_false(standing.administrator);
	cache_standings_done(&standings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(cache_users_read__line_never_written__nobody),
	    cmocka_unit_test(cache_users_read__line_being_written__nobody),
	    cmocka_unit_test(cache_users_evict__line_lent_again__the_first_serial_finds_nobody),
	    cmocka_unit_test(cache_users_add__lines_that_came_back__are_lent_again),
	    cmocka_unit_test(cache_users_write__version_wraps__serial_stays),
	    cmocka_unit_test(cache_users_find__ids_in_one_chain__are_told_apart),
	    cmocka_unit_test(cache_users_choose__all_marked__gives_up_pardoning),
	    cmocka_unit_test(cache_users_choose__late_mark_on_a_free_line__is_not_a_user),
	    cmocka_unit_test(cache_forms_put__window_full__the_oldest_goes),
	    cmocka_unit_test(cache_forms_put__window_full__who_was_not_read_goes_before_the_oldest),
	    cmocka_unit_test(cache_forms_put__window_full__a_changed_one_goes_before_who_was_not_read),
	    cmocka_unit_test(cache_forms_put__window_full__a_dead_one_goes_before_all),
	    cmocka_unit_test(cache_forms_put__known_form__stays_in_its_slot),
	    cmocka_unit_test(cache_forms_find__another_digest_with_the_same_tag__finds_nobody),
	    cmocka_unit_test(cache_forms_find__greatest_numbers__are_kept_apart),
	    cmocka_unit_test(cache_forms_find__slot_being_written__not_found),
	    cmocka_unit_test(cache_forms_find__last_home__its_window_is_whole),
	    cmocka_unit_test(cache_put__serials_of_a_line_begin_anew__no_form_of_old_finds_the_new_user),
	    cmocka_unit_test(cache_standing_unpack__zero__is_no_authorize),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
