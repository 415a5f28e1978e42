/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One thread writes the cache and the epochs, others read. Everything that is put follows from asked_ms, so that a reader can tell
 * a line that was put from a mixture of two; and what changes is published to the readers after it was touched, so that they
 * can tell an answer that is out of date. To be run under ThreadSanitizer as well.
 */
#include <support/assertions.h>

#include "cache_rig.h"
#include <os/thread.h>
#include <stdatomic.h>
#include <stdbool.h>

#define READERS 3
#define USERS   UINT64_C(61)
#define FORMS   97
#define PUTS    60000

/* Buckets: a user's own, and a form's own. */
#define USER_BUCKET(user) ((uint16_t)(1000 + (user)))
#define FORM_BUCKET(form) ((uint16_t)(5000 + (form)))

struct world {
	struct epochs *epochs;
	struct cache *cache;
	_Atomic bool is_over;
	/* told by the writer, after the touch: the user changed, and answers asked for before this number are out of date */
	_Atomic uint64_t user_changed[USERS];
	/* likewise: how often the form was given to the next user */
	_Atomic uint64_t form_moved[FORMS];
	_Atomic uint64_t found, usable, torn, stale;
	struct digest forms[FORMS];
};

static uint64_t mix(uint64_t number)
{
	number = (number ^ number >> 31) * UINT64_C(0x7FB5D329728EA185);
	return number ^ number >> 27;
}

/* What was asked as the number-th question, of this user. */
static uint64_t asked_of(uint64_t number, uint64_t user)
{
	return number * USERS + user;
}

static struct policy_standing standing_of(uint64_t asked_ms)
{
	uint64_t random = mix(asked_ms);

	return (struct policy_standing){
	    .verdict = (random & 1) != 0 ? WA_AUTHORIZE : WA_DENY,
	    .reason = (enum wa_reason)((random >> 1) % WA_REASON_COUNT),
	    .rule = (size_t)((random >> 8) % RIG_RULES),
	    .administrator = (random & 2) != 0,
	    .fresh = (random & 4) != 0,
	    .quota = {(uint32_t)(random >> 20) % 16, 2, 3, (uint32_t)(random >> 30) % 16},
	    .site = 0,
	    .uri = (size_t)((random >> 40) % RIG_URIS),
	    .until_s = (int64_t)mix(random),
	};
}

static bool is_of_one_piece(const struct cache_hit *hit)
{
	struct policy_standing expected = standing_of(hit->asked_ms);
	const struct policy_standing *found = &hit->standing;

	return found->verdict == expected.verdict && found->reason == expected.reason && found->rule == expected.rule &&
	       found->administrator == expected.administrator && found->fresh == expected.fresh &&
	       memcmp(&found->quota, &expected.quota, sizeof(expected.quota)) == 0 && found->site == expected.site &&
	       found->uri == expected.uri && found->until_s == expected.until_s;
}

static void read_one(struct world *world, uint64_t form)
{
	uint64_t changed[USERS], moved_before, moved_after, user, step;
	struct cache_hit hit;

	for (user = 0; user < USERS; user++)
		changed[user] = atomic_load_explicit(&world->user_changed[user], memory_order_acquire);
	moved_before = atomic_load_explicit(&world->form_moved[form], memory_order_acquire);
	if (!cache_find(world->cache, world->forms[form], &hit))
		return;
	moved_after = atomic_load_explicit(&world->form_moved[form], memory_order_acquire);
	user = hit.asked_ms % USERS;
	step = (user + 2 * USERS - form % USERS - moved_before % USERS) % USERS;
	atomic_fetch_add(&world->found, 1);
	if (!is_of_one_piece(&hit))
		atomic_fetch_add(&world->torn, 1);
	if (!hit.is_unchanged)
		return;
	atomic_fetch_add(&world->usable, 1);
	if (hit.asked_ms / USERS < changed[user] || step > moved_after - moved_before)
		atomic_fetch_add(&world->stale, 1);
}

static void read_on(void *context)
{
	struct world *world = context;
	uint64_t random = (uint64_t)(uintptr_t)&random;

	while (!atomic_load(&world->is_over)) {
		random = mix(random + 1);
		read_one(world, random % FORMS);
	}
}

struct writer {
	struct world *world;
	uint64_t number; /* of the question */
	uint64_t random;
	uint64_t moved[FORMS];
};

static void change_user(struct writer *writer, uint64_t user)
{
	epochs_touch(writer->world->epochs, rig_hash(USER_BUCKET(user)));
	atomic_store_explicit(&writer->world->user_changed[user], ++writer->number, memory_order_release);
}

static void move_form(struct writer *writer, uint64_t form)
{
	epochs_touch(writer->world->epochs, rig_hash(FORM_BUCKET(form)));
	writer->moved[form]++;
	atomic_store_explicit(&writer->world->form_moved[form], writer->moved[form], memory_order_release);
}

/* Ask about a form; perhaps the user changes before the answer is there; put the answer. */
static void put_one(struct writer *writer)
{
	uint64_t form = (writer->random >> 8) % FORMS;
	uint64_t user = (form + writer->moved[form]) % USERS;
	uint64_t asked_ms = asked_of(++writer->number, user);
	struct cache_entry entry = {
	    .standing = standing_of(asked_ms),
	    .dn = (writer->random >> 16) % 2 == 0 ? "uid=somebody" : "uid=somebody,ou=else",
	    .id = rig_id(user),
	    .as_of = epochs_now(writer->world->epochs),
	    .asked_ms = asked_ms,
	    .user_buckets = {USER_BUCKET(user), USER_BUCKET(user), USER_BUCKET(user), USER_BUCKET(user)},
	    .form_buckets = {FORM_BUCKET(form), FORM_BUCKET(form)},
	};

	if ((writer->random >> 20) % 16 == 0)
		change_user(writer, user);
	if ((writer->random >> 24) % 16 == 0)
		move_form(writer, form);
	cache_put(writer->world->cache, writer->world->forms[form], &entry);
}

static void write_all(struct world *world)
{
	struct writer writer = {.world = world};

	/* Until the readers have seen enough too: on a busy machine they may begin late. */
	for (uint64_t i = 0; i < PUTS || atomic_load(&world->usable) < 1000 ||
			     atomic_load(&world->found) <= atomic_load(&world->usable);
	     i++) {
		writer.random = mix(i + 1);
		put_one(&writer);
		if (writer.random % 8 == 0)
			change_user(&writer, (writer.random >> 32) % USERS);
		if (writer.random % 8 == 1)
			move_form(&writer, (writer.random >> 32) % FORMS);
	}
}

static void run(uint64_t max_entries)
{
	static struct world world;
	struct thread readers[READERS] = {0};
	struct error error;
	size_t i;

	memset(&world, 0, sizeof(world));
	world.epochs = epochs_new();
	assert_non_null(world.epochs);
	world.cache = cache_open(&rig_config, world.epochs, max_entries, RIG_ROOMY);
	assert_non_null(world.cache);
	for (i = 0; i < FORMS; i++)
		world.forms[i] = rig_form(i);
	for (i = 0; i < READERS; i++)
		assert_status(thread_start(&readers[i], "reader", read_on, &world, &error), STATUS_OK, &error);
	write_all(&world);
	atomic_store(&world.is_over, true);
	for (i = 0; i < READERS; i++)
		thread_join(&readers[i]);
	assert_int_equal(world.torn, 0);
	assert_int_equal(world.stale, 0);
	assert_true(world.found > world.usable);
	cache_close(&world.cache);
	memory_free(world.epochs);
}

static void cache_find__while_another_thread_puts_and_touches__is_whole_and_never_stale(void **state)
{
	(void)state;
	run(1000);
}

static void cache_find__while_another_thread_evicts__is_whole_and_never_stale(void **state)
{
	(void)state;
	run(20);
}

static void cache_find__all_in_one_line__is_whole_and_never_stale(void **state)
{
	(void)state;
	run(1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(cache_find__while_another_thread_puts_and_touches__is_whole_and_never_stale),
	    cmocka_unit_test(cache_find__while_another_thread_evicts__is_whole_and_never_stale),
	    cmocka_unit_test(cache_find__all_in_one_line__is_whole_and_never_stale),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
