/* SPDX-License-Identifier: Apache-2.0 */
/* How the fake directory answers one search (RFC 4511 section 4.5). */
#include <support/fake_directory_private.h>

#include <base/ascii.h>
#include <base/sid.h>
#include <stdlib.h>
#include <string.h>
#include <support/fake_filter.h>
#include <support/fake_text.h>

enum {
	CODE_OK = 0,
	CODE_OPERATIONS_ERROR = 1,
	CODE_SIZE_LIMIT = 4,
	CODE_NO_SUCH_OBJECT = 32,
	CODE_INVALID_DN = 34,
	CODE_FILTER_ERROR = -7, /* libldap's own: the filter never leaves the client */
};

static void finish(struct dir_search *search, int code, const char *text)
{
	search->code = code;
	search->outcome = dir_outcome_of_code(code);
	search->server_text = text != NULL ? arena_copy_text(search->arena, text) : NULL;
	if (search->pages == 0)
		search->pages = 1;
}

static bool wants(const struct dir_search *search, const struct fake_attribute *attribute)
{
	bool operational = fake_attribute_is_operational(attribute->name);

	if (search->attributes == NULL || search->attributes[0] == NULL)
		return !operational;
	for (const char *const *wanted = search->attributes; *wanted != NULL; wanted++) {
		if (ascii_equal_nocase(*wanted, attribute->name) || strcmp(*wanted, operational ? "+" : "*") == 0)
			return true;
	}
	return false;
}

static bool is_shown(const struct dir_search *search, const struct fake_attribute *attribute)
{
	return !attribute->hidden && attribute->count > 0 && wants(search, attribute);
}

/* What stands before the plain DN of an extended one, unless that was asked for. */
static size_t left_out(const struct dir_search *search, const struct fake_value *value)
{
	const char *last = value->data[0] == '<' ? strrchr(value->data, '>') : NULL;

	return last == NULL || (search->flags & DIR_SEARCH_EXTENDED_DN) != 0 ? 0 : (size_t)(last + 2 - value->data);
}

static bool copy_attribute(const struct dir_search *search, const struct fake_attribute *from, struct dir_attribute *to)
{
	struct arena *arena = search->arena;

	to->name = arena_copy_text(arena, from->name);
	to->values = arena_alloc_array(arena, from->count, sizeof(*to->values));
	if (to->name == NULL || to->values == NULL)
		return false;
	for (size_t i = 0; i < from->count; i++) {
		size_t skipped = left_out(search, &from->values[i]);

		to->values[i].length = from->values[i].length - skipped;
		to->values[i].data = arena_copy_bytes(arena, from->values[i].data + skipped, to->values[i].length);
		if (to->values[i].data == NULL)
			return false;
	}
	to->value_count = from->count;
	return true;
}

static struct dir_entry *copy_entry(const struct dir_search *search, const struct fake_entry *from)
{
	struct dir_entry *entry = arena_alloc(search->arena, sizeof(*entry));

	if (entry == NULL)
		return NULL;
	entry->dn = arena_copy_text(search->arena, from->dn);
	entry->attributes =
	    arena_alloc_array(search->arena, from->count > 0 ? from->count : 1, sizeof(*entry->attributes));
	if (entry->dn == NULL || entry->attributes == NULL)
		return NULL;
	for (size_t i = 0; i < from->count; i++) {
		if (!is_shown(search, &from->attributes[i]))
			continue;
		if (!copy_attribute(search, &from->attributes[i], &entry->attributes[entry->attribute_count++]))
			return NULL;
	}
	return dir_entry_identify(entry, search->arena) == STATUS_OK ? entry : NULL;
}

static bool is_in_scope(const char *key, const char *base, enum dir_scope scope)
{
	switch (scope) {
	case DIR_SCOPE_BASE:
		return strcmp(key, base) == 0;
	case DIR_SCOPE_ONE:
		return key[0] != '\0' && strcmp(key, base) != 0 && strcmp(fake_dn_parent(key), base) == 0;
	case DIR_SCOPE_SUBTREE:
		return fake_dn_is_within(key, base);
	}
	return false;
}

/* Where the server stops, and what it says then; SIZE_MAX: nowhere. */
struct stop {
	size_t entries;
	int code;
};

static struct stop stop_of(const struct fake_fault *fault, const struct dir_search *search)
{
	struct stop stop = {SIZE_MAX, CODE_SIZE_LIMIT};

	if (search->size_limit > 0)
		stop.entries = search->size_limit;
	if (fault->kind == FAKE_FAULT_LIMIT && fault->entries < stop.entries)
		stop.entries = fault->entries;
	return stop;
}

static bool give(struct dir_search *search, struct dir_entry ***end, const struct fake_entry *entry)
{
	struct dir_entry *copy = copy_entry(search, entry);

	if (copy == NULL) {
		finish(search, CODE_OK, NULL);
		search->outcome = arena_hit_limit(search->arena) ? DIR_OUTCOME_LIMIT : DIR_OUTCOME_NO_MEMORY;
		return false;
	}
	**end = copy;
	*end = &copy->next;
	search->entry_count++;
	return true;
}

static void give_matching(const struct fake_entry *entries, size_t count, const struct fake_fault *fault,
			  const char *base, const struct fake_filter *filter, struct dir_search *search)
{
	struct dir_entry **end = &search->entries;
	struct stop stop = stop_of(fault, search);

	for (size_t i = 0; i < count; i++) {
		if (entries[i].hidden || !is_in_scope(entries[i].key, base, search->scope) ||
		    !fake_filter_matches(filter, &entries[i]))
			continue;
		if (fault->kind == FAKE_FAULT_CUT && search->entry_count == fault->entries)
			break;
		if (search->entry_count == stop.entries) {
			finish(search, stop.code, "size limit exceeded");
			return;
		}
		if (!give(search, &end, &entries[i]))
			return;
	}
	if (search->page_size > 0 && search->entry_count > 0)
		search->pages = (uint32_t)((search->entry_count + search->page_size - 1) / search->page_size);
	finish(search, fault->kind == FAKE_FAULT_CUT ? fault->code : CODE_OK, NULL);
}

static const struct fake_entry *find_base(const struct fake_directory *directory, const char *key)
{
	for (size_t i = 0; i < directory->count; i++) {
		if (strcmp(directory->entries[i].key, key) == 0)
			return directory->entries[i].hidden ? NULL : &directory->entries[i];
	}
	return NULL;
}

/* MS-ADTS 3.1.1.3.1.2.4: "<SID=S-1-...>" is the entry with that SID. Its key; a copy of `base` when it is none of these. */
static char *base_key(const struct fake_directory *directory, const char *base)
{
	static const char prefix[] = "<SID=";
	uint8_t binary[SID_BINARY_BYTES];
	const char *text = base + sizeof(prefix) - 1, *end;
	char *key, *found = NULL;
	struct sid sid;

	if (strncmp(base, prefix, sizeof(prefix) - 1) != 0)
		return fake_dn_key(base, strlen(base));
	end = strchr(text, '>');
	if (!directory->is_controller || end == NULL || !sid_parse_text(text, (size_t)(end - text), &sid))
		return NULL;
	key = fake_value_key("objectSid", (const char *)binary, sid_encode(&sid, binary));
	for (size_t i = 0; i < directory->count && found == NULL; i++) {
		const struct fake_attribute *sids = fake_entry_attribute(&directory->entries[i], "objectSid");

		if (sids != NULL && sids->count > 0 && strcmp(sids->values[0].key, key) == 0)
			found = fake_copy(directory->entries[i].key, strlen(directory->entries[i].key));
	}
	free(key);
	return found != NULL ? found : fake_dn_key("cn=nobody", strlen("cn=nobody"));
}

/* A server that computes tokenGroups does so of one entry only, and refuses the search otherwise. */
static bool asks_too_much(const struct dir_search *search)
{
	if (search->scope == DIR_SCOPE_BASE || search->attributes == NULL)
		return false;
	for (const char *const *wanted = search->attributes; *wanted != NULL; wanted++)
		if (ascii_equal_nocase(*wanted, "tokenGroups"))
			return true;
	return false;
}

void fake_directory_answer(const struct fake_directory *directory, const struct fake_fault *fault,
			   struct dir_search *search)
{
	struct fake_filter *filter = fake_filter_parse(search->filter);
	char *base = base_key(directory, search->base);

	if (filter == NULL)
		finish(search, CODE_FILTER_ERROR, "the fake directory does not understand this filter");
	else if (base == NULL)
		finish(search, CODE_INVALID_DN, "invalid DN");
	else if (fault->kind == FAKE_FAULT_CODE)
		finish(search, fault->code, "as the test asked for");
	else if (asks_too_much(search))
		finish(search, CODE_OPERATIONS_ERROR, "tokenGroups: of one entry only");
	else if (base[0] == '\0' && search->scope == DIR_SCOPE_BASE)
		give_matching(&directory->root, 1, fault, base, filter, search);
	else if (find_base(directory, base) == NULL)
		finish(search, CODE_NO_SUCH_OBJECT, NULL);
	else if (search->scope == DIR_SCOPE_BASE)
		give_matching(find_base(directory, base), 1, fault, base, filter, search);
	else
		give_matching(directory->entries, directory->count, fault, base, filter, search);
	fake_filter_free(&filter);
	free(base);
}
