/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cache's table of users: one cache line each, read without a lock.
 *
 * A line is lent to one user after the other. Its serial says which of them: it changes when a user is evicted, so that a form that
 * remembers (line, serial) finds its own user or nobody.
 *
 * The line is a sequence lock. The writer makes the version odd, writes, and makes it even again; a reader reads the version, the
 * line, and the version again, and has read one user's line as it was at one time when the version was even and the same. Every word is
 * stored with release and loaded with acquire: who has read a word of a later writing sees its odd version, so no fence
 * is needed, and none would be understood by a thread sanitizer.
 *
 * What only the writer needs stands beside: DNs, and the chains by which a user is found by his id.
 *
 * Eviction: CLOCK. Who reads a line marks it, unless it is marked; the hand takes the mark away, and takes the line when it comes
 * again and finds none.
 *
 * Threads: cache_users_read and cache_users_mark any; all others one.
 * Sources: Boehm: "Can seqlocks get along with programming language memory models?" (2012), section 4.
 */
#ifndef WSMAUTHZ_AUTHORIZER_CACHE_USER_H
#define WSMAUTHZ_AUTHORIZER_CACHE_USER_H

#include <authorizer/cache.h>
#include <authorizer/cache_standing.h>
#include <base/compiler.h>
#include <base/digest.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CACHE_LINE_BYTES 64
#define CACHE_NOBODY     UINT32_MAX
/* A form has 24 bits for its user. */
#define CACHE_USERS_MAX ((UINT32_C(1) << 24) - 1)
/* Marks that the hand takes away before it evicts whomever it stands at: bounds what one newcomer costs. */
#define CACHE_USERS_MAX_PARDONS 128

struct cache_user_line {
	_Atomic uint64_t life; /* serial (32) version (32) */
	_Atomic uint64_t as_of;
	_Atomic uint64_t asked_ms;
	_Atomic uint64_t until_s;
	_Atomic uint64_t buckets; /* four of 16 bits */
	_Atomic uint64_t word;    /* cache_standing.h; 0: nobody. CACHE_STANDING_MARK: read lately */
	/* the writer's */
	uint64_t id_high;
	uint32_t id_low; /* 96 bits of a keyed digest, and the chain that it stands in */
	uint32_t next;   /* in its chain, or among the free: index + 1; 0: the last */
};

/* What a line says, as it was at one time. */
struct cache_user {
	uint64_t as_of;
	uint64_t asked_ms;
	int64_t until_s;
	uint16_t buckets[CACHE_USER_BUCKETS];
	uint64_t word;
};

struct cache_users {
	/* read by all, never changed */
	struct cache_user_line *lines; /* aligned to a cache line */
	uint32_t capacity;
	/* the writer's; whoever holds this struct keeps readers' things a cache line away from here */
	char apart[CACHE_LINE_BYTES];
	void *block;     /* owned: the lines */
	char **dns;      /* owned, and each; NULL: none */
	uint32_t *heads; /* owned: of the chains; index + 1 */
	uint32_t used;   /* lines that were ever lent */
	uint32_t count;  /* lines that are lent now */
	uint32_t free;   /* lines that came back: index + 1 */
	uint32_t hand;
	size_t dn_bytes; /* as the allocator needs them */
};

/** @param capacity  at most CACHE_USERS_MAX; 0 is allowed. @return false: memory ran out, and nothing is held. */
NODISCARD bool cache_users_init(struct cache_users *users, uint32_t capacity);
void cache_users_done(struct cache_users *users);

/** The user with this id, or CACHE_NOBODY. */
uint32_t cache_users_find(const struct cache_users *users, struct digest id);

/** Whether another can be added without an eviction. */
bool cache_users_has_room(const struct cache_users *users);

/** Add somebody whose id is not there; there is room. The line says nothing until it is written. */
uint32_t cache_users_add(struct cache_users *users, struct digest id);

/** Who is to be evicted: CACHE_NOBODY when nobody is there but `spared`. */
uint32_t cache_users_choose(struct cache_users *users, uint32_t spared);

/** @return false: this line's serials begin anew, and forms of 2^32 users ago would find the next one: forget them. */
NODISCARD bool cache_users_evict(struct cache_users *users, uint32_t user);

/** Whether this is the user's DN; NULL: he has none. */
bool cache_users_has_dn(const struct cache_users *users, uint32_t user, const char *dn);
/** @param dn  copied; NULL: none. @return false: memory ran out, nothing is changed. */
NODISCARD bool cache_users_set_dn(struct cache_users *users, uint32_t user, const char *dn);
/** What a DN adds to dn_bytes. */
size_t cache_users_dn_bytes(const char *dn);

void cache_users_write(struct cache_users *users, uint32_t user, const struct cache_user *said);

/** Which of its users a line has now. */
uint32_t cache_users_serial(const struct cache_users *users, uint32_t user);

/** Whether the line was marked since the hand came by. */
bool cache_users_is_marked(const struct cache_users *users, uint32_t user);

/** @return false: the line has another user or none by now, or is being written. */
bool cache_users_read(const struct cache_users *users, uint32_t user, uint32_t serial, struct cache_user *said_out);

/** Mark a line as read lately. @param said  what was read there: who finds the mark set writes nothing. */
void cache_users_mark(const struct cache_users *users, uint32_t user, const struct cache_user *said);

#endif
