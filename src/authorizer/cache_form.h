/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cache's table of forms: open addressing without growth, removal or tombstones. A form stands in one of CACHE_FORM_WINDOW
 * neighbouring slots from its home on. A slot whose user is gone is as good as an empty one; when all are taken, the least useful goes.
 *
 * A slot has 24 bytes, so that a form costs 36 with the table two thirds full:
 *
 *	tag     digest.high; 0: never used
 *	key     digest.low's lower half XOR the serial of the user's line (32), two buckets (16 each)
 *	place   as_of (40), the user's line (24)
 *
 * The digest's remaining 32 bits are its home. No serial is stored: a reader computes it from his own digest, and the table of users
 * judges it. So a form whose line has another user by now finds nobody; so does, but for one case in 2^96, a digest that is not the slot's.
 *
 * Slots are sequence locks as users are (cache_user.h), with one version for every CACHE_FORM_VERSIONS-th slot.
 *
 * Threads: cache_forms_find any; all others one.
 */
#ifndef WSMAUTHZ_AUTHORIZER_CACHE_FORM_H
#define WSMAUTHZ_AUTHORIZER_CACHE_FORM_H

#include <authorizer/cache.h>
#include <authorizer/cache_user.h>
#include <authorizer/epochs.h>
#include <base/compiler.h>
#include <base/digest.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of a table with one form for each of its users, 0.05 % find no slot in 32; in 16 it would be 0.5 %, in 8 over 2 %. */
#define CACHE_FORM_WINDOW   32
#define CACHE_FORM_VERSIONS 512
/* Changes that can be told apart; a form that was looked up later is not kept. Ten thousand a second take three years. */
#define CACHE_FORM_MAX_AS_OF ((UINT64_C(1) << 40) - 1)

struct cache_form_slot {
	_Atomic uint64_t tag;
	_Atomic uint64_t key;
	_Atomic uint64_t place;
};

struct cache_form {
	uint32_t user;
	uint32_t serial; /* of the user's line */
	uint64_t as_of;  /* at most CACHE_FORM_MAX_AS_OF */
	uint16_t buckets[CACHE_FORM_BUCKETS];
};

struct cache_forms {
	/* read by all, never changed */
	struct cache_form_slot *slots; /* owned: homes + CACHE_FORM_WINDOW - 1 */
	uint32_t homes;
	/* read by all */
	char before[CACHE_LINE_BYTES];
	_Atomic uint64_t versions[CACHE_FORM_VERSIONS];
	/* the writer's */
	char behind[CACHE_LINE_BYTES];
	uint8_t *serials; /* owned: the last byte of each slot's serial, to tell which slots are dead */
	uint32_t used;    /* slots that were ever used */
};

/** @param homes  0 is allowed: nothing will be found. @return false: memory ran out, and nothing is held. */
NODISCARD bool cache_forms_init(struct cache_forms *forms, uint32_t homes);
void cache_forms_done(struct cache_forms *forms);

/**
 * @param form_out  its user and serial are for cache_users_read, which alone says whether it is this form's.
 * @return false: not there, or being written.
 */
bool cache_forms_find(const struct cache_forms *forms, struct digest digest, struct cache_form *form_out);

/** Add or replace a form. May replace another: one of a user who is gone, or that has changed, or of a user who was not read lately. */
void cache_forms_put(struct cache_forms *forms, const struct cache_users *users, const struct epochs *epochs,
		     struct digest digest, const struct cache_form *form);

/** Forget a form. */
void cache_forms_drop(struct cache_forms *forms, struct digest digest);
/** Forget all forms of a user's line, whichever serial they have. Walks through the whole table. */
void cache_forms_drop_user(struct cache_forms *forms, uint32_t user);

/** Bytes of one slot. */
size_t cache_forms_slot_bytes(void);
/** Bytes of the whole table. */
size_t cache_forms_bytes(uint32_t homes);

#endif
