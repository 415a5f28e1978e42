/* SPDX-License-Identifier: Apache-2.0 */
#include <authorizer/cache_user.h>

#include <assert.h>
#include <base/memory.h>
#include <string.h>

/* An allocator's own word, and what it rounds up to. */
#define BLOCK_WORD   8
#define BLOCK_ROUND  16
#define BLOCK_MIN    32

#define VERSION_MASK UINT64_C(0xFFFFFFFF)

static_assert(sizeof(struct cache_user_line) == CACHE_LINE_BYTES, "a user is one cache line");
static_assert(CONFIG_MAX_ENTRIES <= CACHE_USERS_MAX, "every allowed size can be numbered");
static_assert(CACHE_USER_BUCKETS * 16 == 64, "the buckets are one word");

bool cache_users_init(struct cache_users *users, uint32_t capacity)
{
	memset(users, 0, sizeof(*users));
	/* Zeroed by the system as they are first touched: tables that are not full cost only what is in them. */
	users->block = memory_new_array((size_t)capacity + 1, sizeof(*users->lines));
	users->dns = memory_new_array(capacity, sizeof(*users->dns));
	users->heads = memory_new_array(capacity, sizeof(*users->heads));
	if (users->block == NULL || users->dns == NULL || users->heads == NULL) {
		cache_users_done(users);
		return false;
	}
	users->lines = (void *)((char *)users->block +
				(CACHE_LINE_BYTES - (uintptr_t)users->block % CACHE_LINE_BYTES) % CACHE_LINE_BYTES);
	users->capacity = capacity;
	return true;
}

void cache_users_done(struct cache_users *users)
{
	uint32_t i;

	for (i = 0; users->dns != NULL && i < users->used; i++)
		memory_free(users->dns[i]);
	memory_free(users->block);
	memory_free(users->dns);
	memory_free(users->heads);
	memset(users, 0, sizeof(*users));
}

static uint32_t *head_of(const struct cache_users *users, uint64_t id_high)
{
	return &users->heads[(id_high >> 32) * users->capacity >> 32];
}

uint32_t cache_users_find(const struct cache_users *users, struct digest id)
{
	const struct cache_user_line *line;
	uint32_t link;

	if (users->capacity == 0)
		return CACHE_NOBODY;
	for (link = *head_of(users, id.high); link != 0; link = line->next) {
		line = &users->lines[link - 1];
		if (line->id_high == id.high && line->id_low == (uint32_t)id.low)
			return link - 1;
	}
	return CACHE_NOBODY;
}

bool cache_users_has_room(const struct cache_users *users)
{
	return users->free != 0 || users->used < users->capacity;
}

uint32_t cache_users_add(struct cache_users *users, struct digest id)
{
	struct cache_user_line *line;
	uint32_t *head = head_of(users, id.high);
	uint32_t user;

	assert(cache_users_has_room(users));
	if (users->free != 0) {
		user = users->free - 1;
		users->free = users->lines[user].next;
	} else {
		user = users->used++;
	}
	line = &users->lines[user];
	line->id_high = id.high;
	line->id_low = (uint32_t)id.low;
	line->next = *head;
	*head = user + 1;
	users->count++;
	return user;
}

uint32_t cache_users_choose(struct cache_users *users, uint32_t spared)
{
	unsigned pardons = 0;
	uint32_t steps, user;
	uint64_t word;

	/* Twice around: the first time the marks go. */
	for (steps = 0; steps < 2 * users->used; steps++) {
		user = users->hand < users->used ? users->hand : 0;
		users->hand = user + 1;
		word = atomic_load_explicit(&users->lines[user].word, memory_order_relaxed);
		/* A late reader may mark a line that nobody has. */
		if ((word & CACHE_STANDING_IS_KEPT) == 0 || user == spared)
			continue;
		if ((word & CACHE_STANDING_MARK) == 0 || pardons == CACHE_USERS_MAX_PARDONS)
			return user;
		atomic_fetch_and_explicit(&users->lines[user].word, ~CACHE_STANDING_MARK, memory_order_relaxed);
		pardons++;
	}
	return CACHE_NOBODY;
}

/* Readers of the line find nothing until it is closed. */
static uint64_t open_line(struct cache_user_line *line)
{
	uint64_t life = atomic_load_explicit(&line->life, memory_order_relaxed);

	atomic_store_explicit(&line->life, life | 1, memory_order_relaxed);
	return life;
}

static void close_line(struct cache_user_line *line, uint32_t serial, uint64_t life)
{
	atomic_store_explicit(&line->life, (uint64_t)serial << 32 | ((life + 2) & VERSION_MASK), memory_order_release);
}

static void unlink_user(struct cache_users *users, uint32_t user)
{
	uint32_t *link = head_of(users, users->lines[user].id_high);

	while (*link != user + 1)
		link = &users->lines[*link - 1].next;
	*link = users->lines[user].next;
}

static void drop_dn(struct cache_users *users, uint32_t user)
{
	users->dn_bytes -= cache_users_dn_bytes(users->dns[user]);
	memory_free(users->dns[user]);
	users->dns[user] = NULL;
}

bool cache_users_evict(struct cache_users *users, uint32_t user)
{
	struct cache_user_line *line = &users->lines[user];
	uint64_t life = open_line(line);
	uint32_t serial = (uint32_t)(life >> 32) + 1;

	atomic_store_explicit(&line->word, 0, memory_order_release);
	close_line(line, serial, life);
	unlink_user(users, user);
	drop_dn(users, user);
	line->next = users->free;
	users->free = user + 1;
	users->count--;
	return serial != 0;
}

size_t cache_users_dn_bytes(const char *dn)
{
	size_t bytes;

	if (dn == NULL)
		return 0;
	bytes = (strlen(dn) + 1 + BLOCK_WORD + BLOCK_ROUND - 1) / BLOCK_ROUND * BLOCK_ROUND;
	return bytes > BLOCK_MIN ? bytes : BLOCK_MIN;
}

bool cache_users_has_dn(const struct cache_users *users, uint32_t user, const char *dn)
{
	const char *known = users->dns[user];

	return known == dn || (known != NULL && dn != NULL && strcmp(known, dn) == 0);
}

bool cache_users_set_dn(struct cache_users *users, uint32_t user, const char *dn)
{
	char *copy = NULL;

	if (dn != NULL && (copy = memory_copy_text(dn)) == NULL)
		return false;
	drop_dn(users, user);
	users->dns[user] = copy;
	users->dn_bytes += cache_users_dn_bytes(copy);
	return true;
}

void cache_users_write(struct cache_users *users, uint32_t user, const struct cache_user *said)
{
	struct cache_user_line *line = &users->lines[user];
	uint64_t buckets, life, mark;

	assert((said->word & CACHE_STANDING_IS_KEPT) != 0);
	memcpy(&buckets, said->buckets, sizeof(buckets));
	mark = atomic_load_explicit(&line->word, memory_order_relaxed) & CACHE_STANDING_MARK;
	life = open_line(line);
	atomic_store_explicit(&line->as_of, said->as_of, memory_order_release);
	atomic_store_explicit(&line->asked_ms, said->asked_ms, memory_order_release);
	atomic_store_explicit(&line->until_s, (uint64_t)said->until_s, memory_order_release);
	atomic_store_explicit(&line->buckets, buckets, memory_order_release);
	atomic_store_explicit(&line->word, said->word | mark, memory_order_release);
	close_line(line, (uint32_t)(life >> 32), life);
}

uint32_t cache_users_serial(const struct cache_users *users, uint32_t user)
{
	return (uint32_t)(atomic_load_explicit(&users->lines[user].life, memory_order_relaxed) >> 32);
}

bool cache_users_is_marked(const struct cache_users *users, uint32_t user)
{
	return (atomic_load_explicit(&users->lines[user].word, memory_order_relaxed) & CACHE_STANDING_MARK) != 0;
}

bool cache_users_read(const struct cache_users *users, uint32_t user, uint32_t serial, struct cache_user *said_out)
{
	const struct cache_user_line *line = &users->lines[user];
	uint64_t life = atomic_load_explicit(&line->life, memory_order_acquire);
	uint64_t buckets;

	if (life >> 32 != serial || (life & 1) != 0)
		return false;
	said_out->as_of = atomic_load_explicit(&line->as_of, memory_order_acquire);
	said_out->asked_ms = atomic_load_explicit(&line->asked_ms, memory_order_acquire);
	said_out->until_s = (int64_t)atomic_load_explicit(&line->until_s, memory_order_acquire);
	buckets = atomic_load_explicit(&line->buckets, memory_order_acquire);
	said_out->word = atomic_load_explicit(&line->word, memory_order_acquire);
	if (atomic_load_explicit(&line->life, memory_order_relaxed) != life)
		return false;
	memcpy(said_out->buckets, &buckets, sizeof(buckets));
	return (said_out->word & CACHE_STANDING_IS_KEPT) != 0;
}

void cache_users_mark(const struct cache_users *users, uint32_t user, const struct cache_user *said)
{
	/* Perhaps another user's by now: he is spared once for nothing. */
	if ((said->word & CACHE_STANDING_MARK) == 0)
		atomic_fetch_or_explicit(&users->lines[user].word, CACHE_STANDING_MARK, memory_order_relaxed);
}
