/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include <base/ascii.h>
#include <string.h>
#include <support/entry_builder.h>

#define MAX_ATTRIBUTES 32
#define MAX_VALUES     64

static struct dir_attribute *attribute_of(struct arena *arena, struct dir_entry *entry, const char *name)
{
	for (size_t i = 0; i < entry->attribute_count; i++)
		if (ascii_equal_nocase(entry->attributes[i].name, name))
			return &entry->attributes[i];
	assert_true(entry->attribute_count < MAX_ATTRIBUTES);
	entry->attributes[entry->attribute_count].name = name;
	entry->attributes[entry->attribute_count].values =
	    arena_alloc_array(arena, MAX_VALUES, sizeof(struct dir_value));
	assert_non_null(entry->attributes[entry->attribute_count].values);
	return &entry->attributes[entry->attribute_count++];
}

static void add_value(struct arena *arena, struct dir_entry *entry, char *pair)
{
	char *equals = strchr(pair, '='), *end = pair + strlen(pair);
	struct dir_attribute *attribute;

	assert_non_null(equals);
	*equals = '\0';
	while (end > equals + 1 && end[-1] == ' ')
		*--end = '\0';
	attribute = attribute_of(arena, entry, pair);
	assert_true(attribute->value_count < MAX_VALUES);
	attribute->values[attribute->value_count++] = (struct dir_value){equals + 1, (size_t)(end - equals - 1)};
}

struct dir_entry *build_entry(struct arena *arena, const char *dn, const char *attributes)
{
	struct dir_entry *entry = arena_alloc(arena, sizeof(*entry));
	char *rest = arena_copy_text(arena, attributes), *pair, *cursor;

	assert_non_null(entry);
	assert_non_null(rest);
	entry->dn = dn;
	entry->attributes = arena_alloc_array(arena, MAX_ATTRIBUTES, sizeof(*entry->attributes));
	assert_non_null(entry->attributes);
	for (pair = strtok_r(rest, ";", &cursor); pair != NULL; pair = strtok_r(NULL, ";", &cursor)) {
		while (*pair == ' ')
			pair++;
		if (*pair != '\0')
			add_value(arena, entry, pair);
	}
	assert_int_equal(dir_entry_identify(entry, arena), STATUS_OK);
	return entry;
}
