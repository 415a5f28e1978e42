/* SPDX-License-Identifier: Apache-2.0 */
#include <authorizer/cache.h>

#include <authorizer/cache_private.h>
#include <base/memory.h>
#include <string.h>

/* What a DN is taken to need when the tables are sized. */
#define DN_BYTES_ASSUMED 64
/* What a user's line needs beside it: the DN's pointer, the head of a chain. */
#define USER_BYTES (sizeof(struct cache_user_line) + sizeof(char *) + sizeof(uint32_t))

static uint32_t homes_of(uint32_t users)
{
	return users + users / 2;
}

static size_t table_bytes(uint32_t users)
{
	return users * USER_BYTES + cache_forms_bytes(homes_of(users));
}

/* How many users fit, their DNs with them. */
static uint32_t users_that_fit(uint64_t max_entries, uint64_t max_bytes)
{
	uint64_t fixed = cache_forms_bytes(1);
	uint64_t each = USER_BYTES + DN_BYTES_ASSUMED + cache_forms_slot_bytes() * 3 / 2 + 1;
	uint64_t fit = max_bytes > fixed ? (max_bytes - fixed) / each : 0;

	if (fit > max_entries)
		fit = max_entries;
	return fit < CACHE_USERS_MAX ? (uint32_t)fit : CACHE_USERS_MAX;
}

struct cache *cache_open(const struct config *config, const struct epochs *epochs, uint64_t max_entries,
			 uint64_t max_bytes)
{
	struct cache *cache = memory_new(sizeof(*cache));
	uint32_t users = users_that_fit(max_entries, max_bytes);

	if (cache == NULL)
		return NULL;
	cache->config = config;
	cache->epochs = epochs;
	cache->max_dn_bytes = max_bytes > table_bytes(users) ? (size_t)(max_bytes - table_bytes(users)) : 0;
	if (!cache_standings_init(&cache->standings) || !cache_users_init(&cache->users, users) ||
	    !cache_forms_init(&cache->forms, homes_of(users)))
		cache_close(&cache);
	return cache;
}

void cache_close(struct cache **cache)
{
	if (*cache == NULL)
		return;
	cache_forms_done(&(*cache)->forms);
	cache_users_done(&(*cache)->users);
	cache_standings_done(&(*cache)->standings);
	memory_free(*cache);
	*cache = NULL;
}

static void evict(struct cache *cache, uint32_t user)
{
	if (!cache_users_evict(&cache->users, user))
		cache_forms_drop_user(&cache->forms, user);
}

/* What is superseded by something that cannot be kept must not be found either. */
static void forget(struct cache *cache, struct digest form, struct digest id)
{
	uint32_t user = cache_users_find(&cache->users, id);

	cache_forms_drop(&cache->forms, form);
	if (user != CACHE_NOBODY)
		evict(cache, user);
}

/* Whether the form was put by a lookup that began after this one: answers may arrive in another order than the questions. */
static bool is_overtaken(const struct cache *cache, struct digest form, const struct cache_entry *entry)
{
	struct cache_form known;
	struct cache_user user;

	return cache_forms_find(&cache->forms, form, &known) && known.as_of > entry->as_of &&
	       cache_users_read(&cache->users, known.user, known.serial, &user);
}

/* Whether the user's entry was read by a lookup that began after this one. */
static bool is_user_overtaken(const struct cache *cache, uint32_t user, const struct cache_entry *entry)
{
	struct cache_user known;

	return cache_users_read(&cache->users, user, cache_users_serial(&cache->users, user), &known) &&
	       (known.as_of > entry->as_of || known.asked_ms > entry->asked_ms);
}

/* Evict until there is room for the DN. */
static bool make_room(struct cache *cache, uint32_t user, const char *dn)
{
	size_t needed = cache_users_dn_bytes(dn);
	uint32_t other;

	if (needed > cache->max_dn_bytes)
		return false;
	while (cache->users.dn_bytes > cache->max_dn_bytes - needed) {
		other = cache_users_choose(&cache->users, user);
		if (other == CACHE_NOBODY)
			return false;
		evict(cache, other);
	}
	return true;
}

static bool keep_dn(struct cache *cache, uint32_t user, const char *dn)
{
	return cache_users_has_dn(&cache->users, user, dn) ||
	       (make_room(cache, user, dn) && cache_users_set_dn(&cache->users, user, dn));
}

static uint32_t find_or_add(struct cache *cache, struct digest id)
{
	uint32_t user = cache_users_find(&cache->users, id), other;

	if (user != CACHE_NOBODY)
		return user;
	if (!cache_users_has_room(&cache->users)) {
		other = cache_users_choose(&cache->users, CACHE_NOBODY);
		if (other == CACHE_NOBODY)
			return CACHE_NOBODY;
		evict(cache, other);
	}
	return cache_users_add(&cache->users, id);
}

/* The user's line, with what the entry says of him; CACHE_NOBODY: he cannot be kept. */
static uint32_t keep_user(struct cache *cache, const struct cache_entry *entry)
{
	struct cache_user said = {
	    .as_of = entry->as_of, .asked_ms = entry->asked_ms, .until_s = entry->standing.until_s};
	uint32_t user;

	if (!cache_standing_pack(&cache->standings, cache->config, &entry->standing, &said.word))
		return CACHE_NOBODY;
	user = find_or_add(cache, entry->id);
	if (user == CACHE_NOBODY || is_user_overtaken(cache, user, entry))
		return user;
	if (!keep_dn(cache, user, entry->dn))
		return CACHE_NOBODY; /* a line that was added says nothing, and goes with the rest */
	memcpy(said.buckets, entry->user_buckets, sizeof(said.buckets));
	cache_users_write(&cache->users, user, &said);
	return user;
}

void cache_put(struct cache *cache, struct digest form, const struct cache_entry *entry)
{
	struct cache_form resolved = {.as_of = entry->as_of};
	uint32_t user;

	/* Says nothing about anybody. */
	if (entry->standing.verdict != WA_AUTHORIZE && entry->standing.verdict != WA_DENY)
		return;
	if (is_overtaken(cache, form, entry))
		return;
	user = entry->as_of <= CACHE_FORM_MAX_AS_OF ? keep_user(cache, entry) : CACHE_NOBODY;
	if (user == CACHE_NOBODY) {
		forget(cache, form, entry->id);
		return;
	}
	resolved.user = user;
	resolved.serial = cache_users_serial(&cache->users, user);
	memcpy(resolved.buckets, entry->form_buckets, sizeof(resolved.buckets));
	cache_forms_put(&cache->forms, &cache->users, cache->epochs, form, &resolved);
}

static bool is_unchanged(const struct epochs *epochs, const struct cache_form *form, const struct cache_user *user)
{
	int holds = 1;
	size_t i;

	/* No early end: the places are seldom near each other, and are better waited for together. */
	holds &= epochs_all_hold(epochs, form->as_of);
	holds &= epochs_all_hold(epochs, user->as_of);
	for (i = 0; i < CACHE_FORM_BUCKETS; i++)
		holds &= epochs_holds(epochs, form->buckets[i], form->as_of);
	/* The first is the entry's own: once it has changed, a name that led to it may lead elsewhere. */
	holds &= epochs_holds(epochs, user->buckets[0], form->as_of);
	for (i = 0; i < CACHE_USER_BUCKETS; i++)
		holds &= epochs_holds(epochs, user->buckets[i], user->as_of);
	return holds != 0;
}

bool cache_find(const struct cache *cache, struct digest form, struct cache_hit *hit_out)
{
	struct cache_form known;
	struct cache_user user;

	if (!cache_forms_find(&cache->forms, form, &known) ||
	    !cache_users_read(&cache->users, known.user, known.serial, &user))
		return false;
	cache_users_mark(&cache->users, known.user, &user);
	cache_standing_unpack(&cache->standings, user.word, user.until_s, &hit_out->standing);
	hit_out->asked_ms = user.asked_ms;
	hit_out->is_unchanged = is_unchanged(cache->epochs, &known, &user);
	hit_out->user = known.user;
	return true;
}

const char *cache_dn(const struct cache *cache, const struct cache_hit *hit)
{
	return cache->users.dns[hit->user];
}

size_t cache_count(const struct cache *cache)
{
	return cache->users.count;
}

size_t cache_bytes(const struct cache *cache)
{
	return cache->users.used * USER_BYTES + cache->forms.used * cache_forms_slot_bytes() + cache->users.dn_bytes +
	       cache->standings.quota_count * sizeof(struct wa_quota);
}
