/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values in parts. An honest server whose values come and go between two requests: what is whole holds every value that was
 * there all the time, none that never was, and none twice. A server that says anything: the entry is whole under plain
 * names, or it is refused, and it ends.
 */
#include "fuzz.h"

#include <directory/dir_range.h>
#include <stdio.h>
#include <string.h>

#define ARENA_BYTES ((size_t)1024 * 1024)
#define IDS         256
#define ATTRIBUTES  4

struct input {
	const uint8_t *data;
	size_t size;
};

static uint8_t next_byte(struct input *input)
{
	if (input->size == 0)
		return 0;
	input->size--;
	return *input->data++;
}

/* The values of a group, sorted, as AD keeps links. */
struct world {
	uint8_t is_there[IDS];
	uint8_t was_always[IDS], was_ever[IDS];
};

static void change(struct world *world, struct input *input)
{
	for (unsigned n = next_byte(input) % 4; n > 0; n--) {
		const uint8_t id = next_byte(input);

		world->is_there[id] ^= 1;
		world->was_always[id] &= world->is_there[id];
		world->was_ever[id] |= world->is_there[id];
	}
}

static struct dir_entry *new_entry(struct arena *arena)
{
	struct dir_entry *entry = arena_alloc(arena, sizeof(*entry));

	fuzz_check(entry != NULL);
	entry->dn = "cn=g";
	entry->attributes = arena_alloc_array(arena, ATTRIBUTES, sizeof(struct dir_attribute));
	fuzz_check(entry->attributes != NULL);
	return entry;
}

static struct dir_attribute *add(struct arena *arena, struct dir_entry *entry, const char *name, size_t room)
{
	struct dir_attribute *attribute = &entry->attributes[entry->attribute_count++];

	attribute->name = arena_copy_text(arena, name);
	attribute->values = arena_alloc_array(arena, room + 1, sizeof(*attribute->values));
	fuzz_check(attribute->name != NULL && attribute->values != NULL);
	return attribute;
}

static void add_value(struct arena *arena, struct dir_attribute *attribute, unsigned id)
{
	const uint8_t byte = (uint8_t)id;
	struct dir_value *value = &attribute->values[attribute->value_count++];

	value->data = arena_copy_bytes(arena, &byte, 1);
	value->length = 1;
	fuzz_check(value->data != NULL);
}

/* Values from number `first` on, at most `limit` of them. */
static struct dir_entry *answer(const struct world *world, struct arena *arena, unsigned first, unsigned limit)
{
	struct dir_entry *entry = new_entry(arena);
	struct dir_attribute *attribute = add(arena, entry, "member", IDS);
	unsigned number = 0;
	char name[40];

	for (unsigned id = 0; id < IDS; id++) {
		if (!world->is_there[id])
			continue;
		if (number >= first && attribute->value_count < limit)
			add_value(arena, attribute, id);
		number++;
	}
	if (number <= first + limit)
		(void)snprintf(name, sizeof(name), "member;range=%u-*", first);
	else
		(void)snprintf(name, sizeof(name), "member;range=%u-%u", first, first + limit - 1);
	attribute->name = arena_copy_text(arena, name);
	fuzz_check(attribute->name != NULL);
	return entry;
}

static void check_whole(const struct world *world, const struct dir_entry *entry)
{
	const struct dir_attribute *member = dir_entry_attribute(entry, "member");
	uint8_t found[IDS] = {0};

	fuzz_check(member != NULL && entry->attribute_count == 1);
	for (size_t i = 0; i < member->value_count; i++)
		fuzz_check(found[(uint8_t)member->values[i].data[0]]++ == 0);
	for (size_t id = 0; id < IDS; id++)
		fuzz_check(found[id] ? world->was_ever[id] : !world->was_always[id]);
}

static void ask_honest(struct arena *arena, struct input *input)
{
	const unsigned limit = 2 + next_byte(input) % 16;
	struct dir_range_set *set = NULL;
	struct world world = {{0}, {0}, {0}};
	struct dir_entry *entry;
	unsigned first;

	for (unsigned n = next_byte(input); n > 0; n--)
		world.is_there[next_byte(input)] = 1;
	memcpy(world.was_always, world.is_there, IDS);
	memcpy(world.was_ever, world.is_there, IDS);
	entry = answer(&world, arena, 0, limit);
	fuzz_check(dir_range_begin(entry, arena, &set, NULL) == STATUS_OK);
	while (set != NULL && !dir_range_is_whole(set)) {
		change(&world, input);
		fuzz_check(sscanf(dir_range_wanted(set)[0], "member;range=%u-*", &first) == 1);
		/* Values that moved too often are refused; without further changes that does not happen. */
		if (dir_range_take(set, answer(&world, arena, first, limit), NULL) != STATUS_OK)
			return;
	}
	check_whole(&world, entry);
}

static struct dir_entry *any_entry(struct arena *arena, struct input *input)
{
	static const char *const names[] = {"member", "memberOf", "a", ""};
	struct dir_entry *entry = new_entry(arena);
	char name[60];

	for (unsigned n = next_byte(input) % (ATTRIBUTES + 1); n > 0; n--) {
		const uint8_t kind = next_byte(input);
		const unsigned first = next_byte(input) % 8;
		const unsigned last = next_byte(input) % 8;
		struct dir_attribute *attribute;

		if (kind % 4 == 0)
			(void)snprintf(name, sizeof(name), "%s", names[kind / 4 % 4]);
		else if (kind % 4 == 1)
			(void)snprintf(name, sizeof(name), "%s;range=%u-*", names[kind / 4 % 4], first);
		else if (kind % 4 == 2)
			(void)snprintf(name, sizeof(name), "%s;range=%u-%u", names[kind / 4 % 4], first, last);
		else
			(void)snprintf(name, sizeof(name), "%s;range=%.*s", names[kind / 4 % 4],
				       (int)(input->size < 8 ? input->size : 8), (const char *)input->data);
		attribute = add(arena, entry, name, IDS);
		for (unsigned count = next_byte(input) % 8; count > 0; count--)
			add_value(arena, attribute, next_byte(input));
	}
	return entry;
}

static void ask_any(struct arena *arena, struct input *input)
{
	struct dir_entry *entry = any_entry(arena, input);
	struct dir_range_set *set = NULL;
	struct dir_range range;
	unsigned requests = 0;

	if (dir_range_begin(entry, arena, &set, NULL) != STATUS_OK)
		return;
	while (set != NULL && !dir_range_is_whole(set)) {
		fuzz_check(dir_range_wanted(set)[0] != NULL && requests++ <= DIR_RANGE_MAX_REQUESTS);
		if (dir_range_take(set, any_entry(arena, input), NULL) != STATUS_OK)
			return;
	}
	for (size_t i = 0; i < entry->attribute_count; i++)
		fuzz_check(dir_range_parse(entry->attributes[i].name, &range) == DIR_RANGE_NONE);
}

void fuzz_one(const uint8_t *data, size_t size)
{
	struct input input = {data, size};
	struct arena *arena;

	/* The servers that are played here need it; test_range.c has each allocation fail. */
	fuzz_let_memory_be();
	arena = arena_new(ARENA_BYTES * 64);
	if (arena == NULL)
		return;
	if (next_byte(&input) % 2 == 0)
		ask_honest(arena, &input);
	else
		ask_any(arena, &input);
	arena_free(&arena);
}
