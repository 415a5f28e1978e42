/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_range.h>

#include <base/ascii.h>
#include <string.h>

static const char option[] = ";range=";
static const char ttl_open[] = "<TTL=";

/* Values that came together. */
struct part {
	const struct dir_value *values;
	size_t count;
	struct part *next;
};

/* One attribute that is still to be completed. */
struct list {
	struct dir_attribute *attribute; /* of the entry */
	const char *name;                /* plain */
	struct part *parts, **tail;
	const struct dir_value *newest; /* the last value so far; NULL: none yet */
	uint64_t count;
	unsigned restarts;
	bool is_whole;
};

struct dir_range_set {
	struct dir_entry *entry;
	struct arena *arena;
	struct list *lists;
	size_t list_count;
	const char **wanted; /* [list_count + 1] */
	unsigned requests;
};

static enum status out_of_arena(const struct arena *arena, struct error *error)
{
	if (!arena_hit_limit(arena))
		return error_no_memory(error);
	return error_set(error, STATUS_LIMIT, "an entry with more values than one answer may have");
}

/* Decimal digits, at most UINT32_MAX. */
static bool read_number(const char **at, uint32_t *number_out)
{
	const char *digit = *at;
	uint64_t number = 0;

	for (; ascii_is_digit(*digit); digit++) {
		number = number * 10 + (uint64_t)(*digit - '0');
		if (number > UINT32_MAX)
			return false;
	}
	if (digit == *at)
		return false;
	*at = digit;
	*number_out = (uint32_t)number;
	return true;
}

/* "0-1499" or "0-*" */
static bool read_bounds(const char *at, struct dir_range *range)
{
	if (!read_number(&at, &range->first) || *at++ != '-')
		return false;
	range->is_end = strcmp(at, "*") == 0;
	if (range->is_end)
		return true;
	return read_number(&at, &range->last) && *at == '\0' && range->first <= range->last;
}

enum dir_range_form dir_range_parse(const char *name, struct dir_range *range_out)
{
	const size_t option_length = sizeof(option) - 1;
	struct dir_range range = {0};
	const char *at = name;

	/* Options have no case (RFC 4512 2.5.2), and "range" needs its bounds. */
	while ((at = strchr(at, ';')) != NULL &&
	       !ascii_equal_nocase_n(at, strnlen(at, option_length), option, option_length))
		at++;
	if (at == NULL)
		return DIR_RANGE_NONE;
	range.name_length = (size_t)(at - name);
	if (range.name_length == 0 || !read_bounds(at + option_length, &range))
		return DIR_RANGE_BAD;
	*range_out = range;
	return DIR_RANGE_PART;
}

static bool is_named(const char *name, size_t length, const char *plain)
{
	return ascii_equal_nocase_n(name, length, plain, strlen(plain));
}

/* As many values as the part's name says. */
static bool has_its_values(const struct dir_attribute *attribute, const struct dir_range *range)
{
	return range->is_end || attribute->value_count == (uint64_t)range->last - range->first + 1;
}

static enum status append(struct dir_range_set *set, struct list *list, const struct dir_value *values, size_t count,
			  struct error *error)
{
	struct part *part;

	if (count == 0)
		return STATUS_OK;
	part = arena_alloc(set->arena, sizeof(*part));
	if (part == NULL)
		return out_of_arena(set->arena, error);
	part->values = values;
	part->count = count;
	*list->tail = part;
	list->tail = &part->next;
	list->newest = &values[count - 1];
	list->count += count;
	return STATUS_OK;
}

static void begin_list(struct list *list)
{
	list->parts = NULL;
	list->tail = &list->parts;
	list->newest = NULL;
	list->count = 0;
}

static enum status lie(struct error *error, const char *name, const char *what)
{
	return error_set(error, STATUS_INVALID, "the server sent '%s' %s", name, what);
}

static enum status open_list(struct dir_range_set *set, struct dir_attribute *attribute, const struct dir_range *range,
			     struct error *error)
{
	struct list *list = &set->lists[set->list_count];

	if (range->first != 0)
		return lie(error, attribute->name, "as the first values");
	if (!has_its_values(attribute, range))
		return lie(error, attribute->name, "with another number of values");
	for (size_t i = 0; i < set->list_count; i++)
		if (is_named(attribute->name, range->name_length, set->lists[i].name))
			return lie(error, attribute->name, "twice");
	list->attribute = attribute;
	list->name = arena_copy_bytes(set->arena, attribute->name, range->name_length);
	if (list->name == NULL)
		return out_of_arena(set->arena, error);
	list->is_whole = range->is_end;
	set->list_count++;
	begin_list(list);
	return append(set, list, attribute->values, attribute->value_count, error);
}

static enum status open_lists(struct dir_range_set *set, struct error *error)
{
	struct dir_entry *entry = set->entry;
	enum status status = STATUS_OK;
	struct dir_range range;

	for (size_t i = 0; i < entry->attribute_count && status == STATUS_OK; i++)
		switch (dir_range_parse(entry->attributes[i].name, &range)) {
		case DIR_RANGE_NONE:
			break;
		case DIR_RANGE_PART:
			status = open_list(set, &entry->attributes[i], &range, error);
			break;
		case DIR_RANGE_BAD:
			status = lie(error, entry->attributes[i].name, "which is no range");
			break;
		}
	return status;
}

/* The one beside a list, under its plain name. NULL: none. */
static const struct dir_attribute *twin_of(const struct list *list, const struct dir_entry *entry)
{
	for (size_t i = 0; i < entry->attribute_count; i++)
		if (ascii_equal_nocase(entry->attributes[i].name, list->name))
			return &entry->attributes[i];
	return NULL;
}

static enum status check_twins(const struct dir_range_set *set, const struct dir_entry *entry, struct error *error)
{
	for (size_t i = 0; i < set->list_count; i++) {
		const struct dir_attribute *twin = twin_of(&set->lists[i], entry);

		if (twin != NULL && twin->value_count > 0)
			return lie(error, twin->name, "whole and in parts");
	}
	return STATUS_OK;
}

/* All values of a list in one array. */
static enum status join(struct dir_range_set *set, struct list *list, struct error *error)
{
	struct dir_value *values;
	size_t count = 0;

	if (list->parts == NULL || (list->parts->next == NULL && list->parts->values == list->attribute->values))
		return STATUS_OK; /* as they came */
	values = arena_alloc_array(set->arena, (size_t)list->count, sizeof(*values));
	if (values == NULL)
		return out_of_arena(set->arena, error);
	for (const struct part *part = list->parts; part != NULL; part = part->next) {
		memcpy(values + count, part->values, part->count * sizeof(*values));
		count += part->count;
	}
	list->attribute->values = values;
	list->attribute->value_count = count;
	return STATUS_OK;
}

static bool is_twin(const struct dir_range_set *set, const struct dir_attribute *attribute)
{
	for (size_t i = 0; i < set->list_count; i++)
		if (attribute != set->lists[i].attribute && ascii_equal_nocase(attribute->name, set->lists[i].name))
			return true;
	return false;
}

/* Plain names, and the empty ones beside them out. The lists' attributes move, so this is the last of it. */
static void rename_lists(struct dir_range_set *set)
{
	struct dir_entry *entry = set->entry;
	size_t count = 0;

	for (size_t i = 0; i < set->list_count; i++)
		set->lists[i].attribute->name = set->lists[i].name;
	for (size_t i = 0; i < entry->attribute_count; i++)
		if (!is_twin(set, &entry->attributes[i]))
			entry->attributes[count++] = entry->attributes[i];
	entry->attribute_count = count;
}

bool dir_range_is_whole(const struct dir_range_set *set)
{
	for (size_t i = 0; i < set->list_count; i++)
		if (!set->lists[i].is_whole)
			return false;
	return true;
}

/* What is asked for next: from the last value that is there on. */
static enum status write_wanted(struct dir_range_set *set, struct error *error)
{
	size_t count = 0;

	for (size_t i = 0; i < set->list_count; i++) {
		const struct list *list = &set->lists[i];
		const unsigned long from = list->count == 0 ? 0 : (unsigned long)(list->count - 1);

		if (list->is_whole)
			continue;
		set->wanted[count] = arena_printf(set->arena, "%s%s%lu-*", list->name, option, from);
		if (set->wanted[count++] == NULL)
			return out_of_arena(set->arena, error);
	}
	set->wanted[count] = NULL;
	return STATUS_OK;
}

/* Join what is whole, or say what is missing. */
static enum status proceed(struct dir_range_set *set, struct error *error)
{
	enum status status = STATUS_OK;

	if (!dir_range_is_whole(set))
		return write_wanted(set, error);
	for (size_t i = 0; i < set->list_count && status == STATUS_OK; i++)
		status = join(set, &set->lists[i], error);
	if (status == STATUS_OK)
		rename_lists(set);
	return status;
}

static size_t count_options(const struct dir_entry *entry)
{
	struct dir_range range;
	size_t count = 0;

	for (size_t i = 0; i < entry->attribute_count; i++)
		if (dir_range_parse(entry->attributes[i].name, &range) != DIR_RANGE_NONE)
			count++;
	return count;
}

static struct dir_range_set *make_set(struct dir_entry *entry, struct arena *arena, size_t room)
{
	struct dir_range_set *set = arena_alloc(arena, sizeof(*set));

	if (set == NULL)
		return NULL;
	set->entry = entry;
	set->arena = arena;
	set->lists = arena_alloc_array(arena, room, sizeof(*set->lists));
	set->wanted = arena_alloc_array(arena, room + 1, sizeof(*set->wanted));
	return set->lists == NULL || set->wanted == NULL ? NULL : set;
}

enum status dir_range_begin(struct dir_entry *entry, struct arena *arena, struct dir_range_set **set_out,
			    struct error *error)
{
	const size_t count = count_options(entry);
	struct dir_range_set *set;
	enum status status;

	if (count == 0) {
		*set_out = NULL;
		return STATUS_OK;
	}
	set = make_set(entry, arena, count);
	if (set == NULL)
		return out_of_arena(arena, error);
	if ((status = open_lists(set, error)) != STATUS_OK || (status = check_twins(set, entry, error)) != STATUS_OK ||
	    (status = proceed(set, error)) != STATUS_OK)
		return status;
	*set_out = dir_range_is_whole(set) ? NULL : set;
	return STATUS_OK;
}

const char *const *dir_range_wanted(const struct dir_range_set *set)
{
	return set->wanted;
}

/* The part of a list in an answer; NULL: none. */
static enum status find_part(const struct list *list, const struct dir_entry *answer, struct dir_range *range_out,
			     const struct dir_attribute **part_out, struct error *error)
{
	struct dir_range range;

	*part_out = NULL;
	for (size_t i = 0; i < answer->attribute_count; i++) {
		const struct dir_attribute *attribute = &answer->attributes[i];
		const enum dir_range_form form = dir_range_parse(attribute->name, &range);

		if (form == DIR_RANGE_BAD)
			return lie(error, attribute->name, "which is no range");
		if (form == DIR_RANGE_NONE || !is_named(attribute->name, range.name_length, list->name))
			continue;
		if (*part_out != NULL)
			return lie(error, attribute->name, "beside another part");
		*part_out = attribute;
		*range_out = range;
	}
	return STATUS_OK;
}

/* A link that expires counts down in front of what it is. */
static struct dir_value without_ttl(const struct dir_value *value)
{
	struct dir_value rest = *value;
	const char *close;

	if (value->length < sizeof(ttl_open) - 1 || memcmp(value->data, ttl_open, sizeof(ttl_open) - 1) != 0)
		return rest;
	close = memchr(value->data, '>', value->length);
	if (close == NULL)
		return rest;
	rest.data = close + 1;
	rest.length = value->length - (size_t)(rest.data - value->data);
	return rest;
}

static bool is_same_value(const struct dir_value *one, const struct dir_value *other)
{
	const struct dir_value a = without_ttl(one);
	const struct dir_value b = without_ttl(other);

	return a.length == b.length && memcmp(a.data, b.data, a.length) == 0;
}

/* The values are not where they were: from the beginning. */
static enum status restart(struct list *list, struct error *error)
{
	if (list->restarts == DIR_RANGE_MAX_RESTARTS)
		return error_set(error, STATUS_INVALID, "the values of '%s' changed while they were read", list->name);
	list->restarts++;
	begin_list(list);
	return STATUS_OK;
}

static enum status take_part(struct dir_range_set *set, struct list *list, const struct dir_attribute *part,
			     const struct dir_range *range, struct error *error)
{
	const size_t known = list->count > 0 ? 1 : 0; /* what was asked for once more */

	if (range->first != (list->count == 0 ? 0 : list->count - 1))
		return lie(error, part->name, "which was not asked for");
	if (!has_its_values(part, range))
		return lie(error, part->name, "with another number of values");
	if (!range->is_end && part->value_count == known)
		return lie(error, part->name, "which gets no further");
	if (known == 1 && !is_same_value(list->newest, &part->values[0]))
		return restart(list, error);
	list->is_whole = range->is_end;
	return append(set, list, part->values + known, part->value_count - known, error);
}

static enum status take_list(struct dir_range_set *set, struct list *list, const struct dir_entry *answer,
			     struct error *error)
{
	const struct dir_attribute *part = NULL;
	struct dir_range range = {0};
	const enum status status = find_part(list, answer, &range, &part, error);

	if (status != STATUS_OK)
		return status;
	/* Not there, or past the end: there were more values when the first part came. */
	if (part == NULL || part->value_count == 0)
		return restart(list, error);
	return take_part(set, list, part, &range, error);
}

enum status dir_range_take(struct dir_range_set *set, const struct dir_entry *answer, struct error *error)
{
	enum status status;

	if (++set->requests > DIR_RANGE_MAX_REQUESTS)
		return error_set(error, STATUS_LIMIT, "an entry with values that do not end");
	status = check_twins(set, answer, error);
	for (size_t i = 0; i < set->list_count && status == STATUS_OK; i++)
		if (!set->lists[i].is_whole)
			status = take_list(set, &set->lists[i], answer, error);
	return status == STATUS_OK ? proceed(set, error) : status;
}
