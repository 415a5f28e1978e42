/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A map from digests to 32-bit numbers (open addressing, grows by doubling, no removal).
 * Digests are keyed and uniform, so their low bits are the hash.
 *
 * Threads: many readers, or one writer.
 */
#ifndef WSMAUTHZ_BASE_DIGEST_MAP_H
#define WSMAUTHZ_BASE_DIGEST_MAP_H

#include <base/compiler.h>
#include <base/digest.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Returned by digest_map_get for a digest that is not there; not allowed as a value. */
#define DIGEST_MAP_NONE UINT32_MAX

struct digest_map_slot {
	struct digest key;
	uint32_t value; /* DIGEST_MAP_NONE: empty */
};

struct digest_map {
	struct digest_map_slot *slots; /* owned */
	size_t capacity;               /* a power of two, or 0 */
	size_t count;
};

void digest_map_init(struct digest_map *map);
void digest_map_done(struct digest_map *map);

/** Add, or replace the value of a digest that is there. False when memory ran out (nothing changed). */
NODISCARD bool digest_map_put(struct digest_map *map, struct digest key, uint32_t value);

uint32_t digest_map_get(const struct digest_map *map, struct digest key);

size_t digest_map_bytes(const struct digest_map *map);

#endif
