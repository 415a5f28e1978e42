/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cache of verdicts.
 *
 * Two tables. A form is one way of naming somebody ("CORP\alice", "alice@corp.example": the sender as it came, and what else the
 * answer depends on), known by its digest. A user is what the policy says of one entry; all forms that were resolved to one entry share its user.
 * A form that names nobody has a user of its own.
 *
 *	form    digest -> user, the change number before it was looked up, the buckets of the names that it was looked up by
 *	user    standing, the change number before its entry was read, the buckets of its id and its names as a member
 *
 * What is found is usable as far as changes go when every bucket of the form and of its user is unchanged since then, and everything is
 * (epochs.h). Whether it is young enough, and whether the watch lives, is for the asker to judge (asked_ms).
 *
 * One thread writes (the executor), any number read: no reader waits, and none writes but a mark for eviction, which it does not write
 * again while it is set. A user is one cache line, read under a version that the writer changes (a sequence lock); a reader that meets
 * the writer finds nothing. Both tables have their full size from the beginning (memory that was never touched costs nothing) and evict
 * what was not found lately. A user takes about 175 bytes with all that belongs to him when his DN has 40.
 */
#ifndef WSMAUTHZ_AUTHORIZER_CACHE_H
#define WSMAUTHZ_AUTHORIZER_CACHE_H

#include <authorizer/epochs.h>
#include <base/compiler.h>
#include <base/digest.h>
#include <policy/policy.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Buckets that a user depends on: first its id (which its forms depend on too: a renamed entry has lost its old name), then its DN as a member, two uids as members. Who has more is not kept. */
#define CACHE_USER_BUCKETS 4
/* Names that a form is looked up by: the UPN, and the name alone. */
#define CACHE_FORM_BUCKETS 2
/* Different quotas that the rules of one policy can add up to, as far as they are kept. */
#define CACHE_MAX_QUOTAS 4096

struct cache;

/* What is learned of one sender by one question. Unused buckets repeat a used one. */
struct cache_entry {
	struct policy_standing standing;
	const char *dn;    /* NULL: no entry; copied */
	struct digest id;  /* of the entry's stable id; of the form itself when there is no entry */
	uint64_t as_of;    /* epochs_now() before the directory was asked */
	uint64_t asked_ms; /* clock_monotonic_ms() likewise */
	uint16_t user_buckets[CACHE_USER_BUCKETS];
	uint16_t form_buckets[CACHE_FORM_BUCKETS];
};

struct cache_hit {
	struct policy_standing standing; /* as it was stored; `malformed` is NULL */
	uint64_t asked_ms;
	bool is_unchanged; /* nothing it depends on has changed; false: it may only be told about, never used */
	uint32_t user;     /* for cache_dn */
};

/**
 * @param config       whose rules and sites standings refer to; borrowed.
 * @param epochs       borrowed.
 * @param max_entries  users; forms are half as many again. More are evicted.
 * @param max_bytes    of the tables and the DNs; lowers max_entries when the tables alone would be larger.
 * @return NULL when memory ran out.
 */
NODISCARD struct cache *cache_open(const struct config *config, const struct epochs *epochs, uint64_t max_entries,
				   uint64_t max_bytes);
void cache_close(struct cache **cache);

/**
 * Remember.
 *
 * A standing that is neither an authorize nor a deny says nothing and changes nothing. Answers may arrive in another order than they
 * were asked for: what was asked for later stays, of a form and of a user. What cannot be kept (no memory, too many
 * quotas, a DN larger than all room for DNs) is not, nor is then what was known of the form and the user before. That which was put may not be
 * found the next moment: one of a few thousand forms of a full cache finds no place.
 *
 * @param entry  copied.
 *
 * Threads: the executor.
 */
void cache_put(struct cache *cache, struct digest form, const struct cache_entry *entry);

/** @return false: the form is not known, and *hit_out is untouched. Threads: any. */
bool cache_find(const struct cache *cache, struct digest form, struct cache_hit *hit_out);

/** The entry's DN of what cache_find just found on this thread, or NULL: no entry. Lives until the next cache_put. Threads: the executor. */
const char *cache_dn(const struct cache *cache, const struct cache_hit *hit);

/** Users kept now; bytes of tables and DNs that are in use. Threads: the executor. */
size_t cache_count(const struct cache *cache);
size_t cache_bytes(const struct cache *cache);

#endif
