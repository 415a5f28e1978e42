/* SPDX-License-Identifier: Apache-2.0 */
/* The cache against a dictionary that has no tables, no buckets of numbers and no evictions: the same random calls to both. */
#include <support/assertions.h>

#include "cache_rig.h"
#include <stdbool.h>

#define FORMS   400
#define USERS   250
#define BUCKETS 64 /* few: unlike things share some */
#define CALLS   60000

struct model_form {
	bool known;
	uint64_t user, as_of;
	uint16_t buckets[CACHE_FORM_BUCKETS];
};

struct model_user {
	bool known;
	struct cache_entry entry;
};

struct world {
	struct epochs *epochs;
	struct cache *cache;
	uint64_t random, clock_ms;
	struct model_form forms[FORMS];
	struct model_user users[USERS];
	uint64_t touched[BUCKETS], touched_all;
	size_t found, usable, asked;
};

static uint64_t next_random(struct world *world)
{
	world->random ^= world->random << 13;
	world->random ^= world->random >> 7;
	world->random ^= world->random << 17;
	return world->random * UINT64_C(2685821657736338717) >> 11;
}

static uint64_t below(struct world *world, uint64_t bound)
{
	return next_random(world) % bound;
}

static struct cache_entry random_entry(struct world *world, uint64_t user)
{
	static const char *const dns[] = {NULL, "uid=a,dc=example", "uid=b,ou=people,dc=example"};
	struct cache_entry entry = rig_entry(user, epochs_now(world->epochs));
	struct policy_standing *standing = &entry.standing;
	size_t i;

	standing->verdict = below(world, 3) > 0 ? WA_AUTHORIZE : WA_DENY;
	standing->reason = (enum wa_reason)below(world, WA_REASON_COUNT);
	standing->rule = below(world, 8) > 0 ? below(world, RIG_RULES) : POLICY_NO_RULE;
	standing->administrator = below(world, 2) > 0;
	standing->fresh = below(world, 2) > 0;
	standing->quota.max_shells = (uint32_t)below(world, 20);
	standing->quota.max_operations_per_timeslot = (uint32_t)below(world, 20);
	if (below(world, 2) > 0) {
		standing->site = 0;
		standing->uri = below(world, RIG_URIS);
	}
	standing->until_s = (int64_t)next_random(world);
	entry.dn = dns[below(world, COUNT_OF(dns))];
	entry.asked_ms = world->clock_ms;
	for (i = 0; i < CACHE_USER_BUCKETS; i++)
		entry.user_buckets[i] = (uint16_t)below(world, BUCKETS);
	for (i = 0; i < CACHE_FORM_BUCKETS; i++)
		entry.form_buckets[i] = (uint16_t)below(world, BUCKETS);
	return entry;
}

static void model_put(struct world *world, uint64_t form, uint64_t user, const struct cache_entry *entry)
{
	struct model_form *to = &world->forms[form];
	struct model_user *who = &world->users[user];

	if (to->known && to->as_of > entry->as_of)
		return;
	if (!who->known || (who->entry.as_of <= entry->as_of && who->entry.asked_ms <= entry->asked_ms))
		*who = (struct model_user){true, *entry};
	*to = (struct model_form){.known = true, .user = user, .as_of = entry->as_of};
	memcpy(to->buckets, entry->form_buckets, sizeof(to->buckets));
}

static bool model_is_unchanged(const struct world *world, const struct model_form *form)
{
	const struct cache_entry *user = &world->users[form->user].entry;
	bool holds = world->touched_all <= form->as_of && world->touched_all <= user->as_of;
	size_t i;

	for (i = 0; i < CACHE_FORM_BUCKETS; i++)
		holds = holds && world->touched[form->buckets[i]] <= form->as_of;
	/* The first bucket is the entry's own: who was renamed is not found by the old name. */
	holds = holds && world->touched[user->user_buckets[0]] <= form->as_of;
	for (i = 0; i < CACHE_USER_BUCKETS; i++)
		holds = holds && world->touched[user->user_buckets[i]] <= user->as_of;
	return holds;
}

static void assert_hit(const struct world *world, uint64_t form, const struct cache_hit *hit)
{
	const struct model_form *known = &world->forms[form];
	const struct cache_entry *user = &world->users[known->user].entry;
	const struct policy_standing *said = &user->standing;
	const char *dn = cache_dn(world->cache, hit);

	assert_true(known->known);
	assert_true(hit->standing.verdict == said->verdict && hit->standing.reason == said->reason);
	assert_true(hit->standing.rule == said->rule && hit->standing.site == said->site);
	assert_true(hit->standing.uri == said->uri && hit->standing.until_s == said->until_s);
	assert_true(hit->standing.administrator == said->administrator && hit->standing.fresh == said->fresh);
	assert_memory_equal(&hit->standing.quota, &said->quota, sizeof(said->quota));
	assert_true(hit->asked_ms == user->asked_ms);
	assert_int_equal(hit->is_unchanged, model_is_unchanged(world, known));
	assert_true(dn == NULL ? user->dn == NULL : user->dn != NULL && strcmp(dn, user->dn) == 0);
}

static void find(struct world *world, uint64_t form, bool must_find)
{
	struct cache_hit hit;

	world->asked += world->forms[form].known;
	if (!cache_find(world->cache, rig_form(form), &hit)) {
		assert_false(must_find && world->forms[form].known);
		return;
	}
	assert_hit(world, form, &hit);
	world->found++;
	world->usable += hit.is_unchanged;
}

static void touch(struct world *world)
{
	uint64_t bucket = below(world, BUCKETS);

	if (below(world, 100) == 0) {
		epochs_touch_everything(world->epochs);
		world->touched_all = epochs_now(world->epochs);
		return;
	}
	epochs_touch(world->epochs, rig_hash((uint16_t)bucket));
	world->touched[bucket] = epochs_now(world->epochs);
}

/* A question that is asked later and answered earlier, of this form or of another one; perhaps of the same user. */
static void put_later(struct world *world, uint64_t form, uint64_t user)
{
	struct cache_entry entry = random_entry(world, user);

	cache_put(world->cache, rig_form(form), &entry);
	model_put(world, form, user, &entry);
}

static void call(struct world *world, bool answers_overtake, bool must_find)
{
	/* Few bits of the random number choose a user for a form: forms share users, and move from one to another. */
	uint64_t form = below(world, FORMS), user = (form + below(world, 3)) % USERS;
	struct cache_entry entry;

	world->clock_ms += below(world, 2);
	switch (below(world, 8)) {
	case 0:
		touch(world);
		break;
	case 1:
	case 2:
		entry = random_entry(world, user);
		if (answers_overtake && below(world, 4) == 0) {
			world->clock_ms++;
			touch(world);
			find(world, form, must_find);
			put_later(world, (form + below(world, 2)) % FORMS, (form + below(world, 3)) % USERS);
		}
		cache_put(world->cache, rig_form(form), &entry);
		model_put(world, form, user, &entry);
		break;
	default:
		find(world, form, must_find);
		break;
	}
}

static void run(uint64_t seed, uint64_t max_entries, uint64_t max_bytes, bool answers_overtake, bool must_find,
		struct world *world)
{
	memset(world, 0, sizeof(*world));
	world->random = seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
	world->epochs = epochs_new();
	assert_non_null(world->epochs);
	world->cache = cache_open(&rig_config, world->epochs, max_entries, max_bytes);
	assert_non_null(world->cache);
	for (int i = 0; i < CALLS; i++)
		call(world, answers_overtake, must_find);
	for (uint64_t form = 0; form < FORMS; form++)
		find(world, form, must_find);
	cache_close(&world->cache);
	memory_free(world->epochs);
	/* The run said something: of what was asked for, some was usable and some was not. */
	assert_true(world->usable > 1000 && world->usable < world->found - 1000);
}

static void cache__random_calls__is_a_dictionary(void **state)
{
	static struct world world;

	(void)state;
	for (uint64_t seed = 1; seed <= 5; seed++)
		run(seed, 1000, RIG_ROOMY, true, true, &world);
}

static void cache__random_calls_in_a_small_cache__what_is_found_is_true(void **state)
{
	static struct world world;

	(void)state;
	for (uint64_t seed = 1; seed <= 5; seed++) {
		run(seed, 100, RIG_ROOMY, false, false, &world);
		assert_true(world.found < world.asked - 1000);
		run(seed, 100, 20000, false, false, &world);
		assert_true(world.found < world.asked - 1000);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(cache__random_calls__is_a_dictionary),
	    cmocka_unit_test(cache__random_calls_in_a_small_cache__what_is_found_is_true),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
