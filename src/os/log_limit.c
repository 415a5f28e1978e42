/* SPDX-License-Identifier: Apache-2.0 */
#include <os/log_limit.h>

#include <stdatomic.h>
#include <stddef.h>

#define SLOTS  256
#define PROBES 4
/* FNV-1a: nobody gains by lines that take each other's place. */
#define HASH_BASIS UINT64_C(14695981039346656037)
#define HASH_PRIME UINT64_C(1099511628211)

/* Relaxed: threads that say the same at the same time may write one line more or less. */
struct slot {
	_Atomic uint64_t hash; /* 0: free */
	_Atomic uint64_t since_ms, written, left_out;
};

static struct slot slots[SLOTS];

static uint64_t get(const _Atomic uint64_t *value)
{
	return atomic_load_explicit(value, memory_order_relaxed);
}

static void set(_Atomic uint64_t *value, uint64_t to)
{
	atomic_store_explicit(value, to, memory_order_relaxed);
}

static uint64_t hash_of(const char *line)
{
	uint64_t hash = HASH_BASIS;

	for (; *line != '\0'; line++)
		hash = (hash ^ (unsigned char)*line) * HASH_PRIME;
	return hash == 0 ? 1 : hash;
}

static bool is_over(const struct slot *slot, uint64_t now_ms)
{
	return now_ms >= get(&slot->since_ms) + LOG_LIMIT_MS;
}

/* Its own, or one that nobody needs. NULL: there is none. */
static struct slot *slot_of(uint64_t hash, uint64_t now_ms)
{
	for (size_t i = 0; i < PROBES; i++)
		if (get(&slots[(hash + i) % SLOTS].hash) == hash)
			return &slots[(hash + i) % SLOTS];
	for (size_t i = 0; i < PROBES; i++) {
		struct slot *slot = &slots[(hash + i) % SLOTS];
		uint64_t other = get(&slot->hash);

		if (other != 0 && !is_over(slot, now_ms))
			continue;
		if (!atomic_compare_exchange_strong_explicit(&slot->hash, &other, hash, memory_order_relaxed,
							     memory_order_relaxed))
			continue;
		set(&slot->since_ms, now_ms);
		set(&slot->written, 0);
		set(&slot->left_out, 0);
		return slot;
	}
	return NULL;
}

bool log_limit_pass(const char *line, uint64_t now_ms, uint64_t *left_out_out)
{
	struct slot *slot = slot_of(hash_of(line), now_ms);

	*left_out_out = 0;
	if (slot == NULL)
		return true;
	if (is_over(slot, now_ms)) {
		set(&slot->since_ms, now_ms);
		set(&slot->written, 0);
	}
	if (atomic_fetch_add_explicit(&slot->written, 1, memory_order_relaxed) < LOG_LIMIT_BURST) {
		*left_out_out = atomic_exchange_explicit(&slot->left_out, 0, memory_order_relaxed);
		return true;
	}
	atomic_fetch_add_explicit(&slot->left_out, 1, memory_order_relaxed);
	return false;
}
