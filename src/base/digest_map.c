/* SPDX-License-Identifier: Apache-2.0 */
#include <base/digest_map.h>

#include <assert.h>
#include <base/memory.h>
#include <string.h>

#define CAPACITY_MIN 16

/* The slot that holds `key`, or the empty one where it would stand. There is always an empty one. */
static struct digest_map_slot *find(struct digest_map_slot *slots, size_t capacity, const struct digest *key)
{
	size_t at = (size_t)key->low & (capacity - 1);

	while (slots[at].value != DIGEST_MAP_NONE && digest_compare(&slots[at].key, key) != 0)
		at = (at + 1) & (capacity - 1);
	return &slots[at];
}

static bool grow(struct digest_map *map)
{
	size_t capacity = map->capacity > 0 ? map->capacity * 2 : CAPACITY_MIN, i;
	struct digest_map_slot *slots;

	if (capacity < map->capacity)
		return false;
	slots = memory_new_array(capacity, sizeof(*slots));
	if (slots == NULL)
		return false;
	for (i = 0; i < capacity; i++)
		slots[i].value = DIGEST_MAP_NONE;
	for (i = 0; i < map->capacity; i++)
		if (map->slots[i].value != DIGEST_MAP_NONE)
			*find(slots, capacity, &map->slots[i].key) = map->slots[i];
	memory_free(map->slots);
	map->slots = slots;
	map->capacity = capacity;
	return true;
}

void digest_map_init(struct digest_map *map)
{
	memset(map, 0, sizeof(*map));
}

void digest_map_done(struct digest_map *map)
{
	memory_free(map->slots);
	digest_map_init(map);
}

bool digest_map_put(struct digest_map *map, struct digest key, uint32_t value)
{
	struct digest_map_slot *slot;

	assert(value != DIGEST_MAP_NONE);
	if (map->capacity > 0) {
		slot = find(map->slots, map->capacity, &key);
		if (slot->value != DIGEST_MAP_NONE) {
			slot->value = value;
			return true;
		}
	}
	/* At most three quarters full, or the runs of occupied slots become long. */
	if (map->count >= map->capacity / 4 * 3 && !grow(map))
		return false;
	slot = find(map->slots, map->capacity, &key);
	slot->key = key;
	slot->value = value;
	map->count++;
	return true;
}

uint32_t digest_map_get(const struct digest_map *map, struct digest key)
{
	return map->capacity > 0 ? find(map->slots, map->capacity, &key)->value : DIGEST_MAP_NONE;
}

size_t digest_map_bytes(const struct digest_map *map)
{
	return map->capacity * sizeof(*map->slots);
}
