/* SPDX-License-Identifier: Apache-2.0 */
#include <base/memory.h>
#include <base/text.h>
#include <directory/dir_mark.h>
#include <identity/dn.h>
#include <membership/closure_csn.h>
#include <stdlib.h>
#include <string.h>

const char *closure_csn_of(const struct dir_search *search)
{
	const char *copy = NULL;
	struct text mark;

	if (search->outcome != DIR_OUTCOME_OK || search->entries == NULL)
		return NULL;
	text_init(&mark);
	if (dir_mark_of(search->entries, &mark) == STATUS_OK)
		copy = arena_copy_text(search->arena, text_string(&mark));
	text_done(&mark);
	return copy;
}

/* One value of a mark. */
struct csn {
	const char *text;
	size_t length;
	const char *server; /* what stands behind the second '#' */
	size_t server_length;
};

/* The value at *cursor, which moves behind it. False at the end, or when it is no CSN. */
static bool next_csn(const char **cursor, struct csn *csn)
{
	const char *text = *cursor, *end, *first, *second, *third;

	while (*text == ' ')
		text++;
	end = text + strcspn(text, " ");
	first = memchr(text, '#', (size_t)(end - text));
	second = first == NULL ? NULL : memchr(first + 1, '#', (size_t)(end - first - 1));
	third = second == NULL ? NULL : memchr(second + 1, '#', (size_t)(end - second - 1));
	if (third == NULL)
		return false;
	*csn = (struct csn){text, (size_t)(end - text), second + 1, (size_t)(third - second - 1)};
	*cursor = end;
	return true;
}

static int compare_csn(const struct csn *a, const struct csn *b)
{
	int order = memcmp(a->text, b->text, a->length < b->length ? a->length : b->length);

	return order != 0 ? order : (a->length > b->length) - (a->length < b->length);
}

/* The value of the same server in another mark. */
static bool find_server(const char *mark, const struct csn *wanted, struct csn *found)
{
	while (next_csn(&mark, found))
		if (found->server_length == wanted->server_length &&
		    memcmp(found->server, wanted->server, wanted->server_length) == 0)
			return true;
	return false;
}

static size_t count_values(const char *mark)
{
	size_t count = 0;
	struct csn csn;

	while (next_csn(&mark, &csn))
		count++;
	return count;
}

enum closure_csn_order closure_csn_compare(const char *before, const char *now, const char **since_out,
					   size_t *length_out)
{
	const char *cursor = before;
	struct csn old, new, since = {.text = NULL};

	if (strcmp(before, now) == 0)
		return CLOSURE_CSN_SAME;
	if (count_values(before) != count_values(now))
		return CLOSURE_CSN_UNRELATED;
	while (next_csn(&cursor, &old)) {
		int order;

		if (!find_server(now, &old, &new))
			return CLOSURE_CSN_UNRELATED;
		order = compare_csn(&old, &new);
		if (order > 0)
			return CLOSURE_CSN_UNRELATED;
		/* Of the servers that have written meanwhile, the one that was behind most. */
		if (order < 0 && (since.text == NULL || compare_csn(&old, &since) < 0))
			since = old;
	}
	if (since.text == NULL) /* the same values in another order, or none at all */
		return count_values(now) > 0 ? CLOSURE_CSN_SAME : CLOSURE_CSN_UNRELATED;
	*since_out = since.text;
	*length_out = since.length;
	return CLOSURE_CSN_LATER;
}

bool closure_csn_covers(const char *now, const char *before)
{
	struct csn old, new;

	while (next_csn(&before, &old))
		if (!find_server(now, &old, &new) || compare_csn(&old, &new) > 0)
			return false;
	return true;
}

/* "20261124160319.291034Z" without the century: eighteen digits, which a number holds. */
#define TIME_DIGITS 18
#define TIME_SKIPS  2

/* Of OpenLDAP: "time.fraction#count#server#mod", the server three hexadecimal digits. */
static bool read_place(const struct csn *csn, struct closure_csn_place *place)
{
	unsigned digits = 0, skipped = 0;
	char *end = NULL;
	unsigned long server;

	*place = (struct closure_csn_place){.time = 0};
	for (const char *at = csn->text; at < csn->text + csn->length && *at != '#'; at++) {
		if (*at < '0' || *at > '9')
			continue;
		if (skipped < TIME_SKIPS) {
			skipped++;
		} else if (digits < TIME_DIGITS) {
			place->time = place->time * 10 + (unsigned)(*at - '0');
			digits++;
		}
	}
	server = strtoul(csn->server, &end, 16);
	place->server = (unsigned)server;
	return digits == TIME_DIGITS && end == csn->server + csn->server_length && end != csn->server &&
	       server < CLOSURE_CSN_SERVERS;
}

bool closure_csn_newest(const char *mark, struct closure_csn_place *place_out)
{
	struct closure_csn_place place, newest = {.time = 0};
	struct csn csn;

	while (next_csn(&mark, &csn))
		if (read_place(&csn, &place) && place.time > newest.time)
			newest = place;
	if (newest.time == 0)
		return false;
	*place_out = newest;
	return true;
}

bool closure_csn_reaches(const char *mark, const struct closure_csn_place *place)
{
	struct closure_csn_place there;
	struct csn csn;

	while (next_csn(&mark, &csn))
		if (read_place(&csn, &there) && there.server == place->server)
			return there.time >= place->time;
	return false;
}

/* Where a value of the server `of` stands in a mark, or behind it, so that servers stay in order. */
static size_t place_of(const char *mark, const struct csn *of, size_t *length_out)
{
	const char *cursor = mark;
	struct csn value;

	*length_out = 0;
	while (next_csn(&cursor, &value)) {
		if (value.server_length != of->server_length ||
		    memcmp(value.server, of->server, of->server_length) != 0)
			continue;
		*length_out = value.length;
		return (size_t)(value.text - mark);
	}
	return strlen(mark);
}

static enum status put_value(char **mark, const struct csn *value)
{
	size_t length, at = place_of(*mark, value, &length);
	struct csn old = {*mark + at, length, NULL, 0};
	struct text joined;
	char *copy;

	if (length > 0 && compare_csn(&old, value) >= 0)
		return STATUS_OK;
	text_init(&joined);
	text_add_bytes(&joined, *mark, at);
	if (length == 0 && at > 0)
		text_add(&joined, " ");
	text_add_bytes(&joined, value->text, value->length);
	text_add(&joined, *mark + at + length);
	copy = text_failed(&joined) ? NULL : memory_copy_text(text_string(&joined));
	text_done(&joined);
	if (copy == NULL)
		return STATUS_NO_MEMORY;
	memory_free(*mark);
	*mark = copy;
	return STATUS_OK;
}

enum status closure_csn_advance(char **mark, const char *news)
{
	enum status status = STATUS_OK;
	struct csn value;

	while (status == STATUS_OK && next_csn(&news, &value))
		status = put_value(mark, &value);
	return status;
}

bool closure_csn_is_behind(const char *mark, const char *entry_csn)
{
	struct csn value, entry;

	if (!next_csn(&entry_csn, &entry))
		return false;
	while (next_csn(&mark, &value))
		if (compare_csn(&entry, &value) <= 0)
			return false;
	return true;
}

/* Whether `dn` is `context` or lies beneath it, by their keys. `scratch` gets the key of `dn`. */
static bool lies_beneath(const char *dn, const struct text *context, struct text *scratch)
{
	size_t outer = context->length, inner;

	dn_own_key(dn, strlen(dn), scratch);
	inner = scratch->length;
	return !text_failed(scratch) && inner >= outer &&
	       strcmp(text_string(scratch) + inner - outer, text_string(context)) == 0 &&
	       (inner == outer || text_string(scratch)[inner - outer - 1] == ',');
}

static bool holds_all(const struct text *context, const char *group_base, const char *const *names, size_t name_count,
		      struct text *scratch)
{
	bool holds = context->length > 0 && lies_beneath(group_base, context, scratch);

	for (size_t i = 0; i < name_count && holds; i++)
		holds = names[i] == NULL || lies_beneath(names[i], context, scratch);
	return holds;
}

/* Whether the database of `inner`, beneath the chosen one, can hold groups as well. */
static bool may_hold_some(const struct text *inner, const char *inner_dn, const struct text *group_base_key,
			  const char *const *names, size_t name_count, struct text *scratch)
{
	/* When memory ran out it is not known, and a mark that may miss changes is worse than none. */
	bool holds = lies_beneath(inner_dn, group_base_key, scratch) || text_failed(scratch);

	for (size_t i = 0; i < name_count && !holds; i++)
		holds = names[i] != NULL && (lies_beneath(names[i], inner, scratch) || text_failed(scratch));
	return holds;
}

/* The key of a DN; false when memory ran out. */
static bool take_key(const char *dn, struct text *key)
{
	dn_own_key(dn, strlen(dn), key);
	return !text_failed(key);
}

/* The innermost context that holds all groups, unless others beneath it may hold some; NULL: none. */
static enum status choose(const struct dir_attribute *contexts, const char *group_base, const char *const *names,
			  size_t name_count, const char **context_out)
{
	enum status status = STATUS_NO_MEMORY;
	const char *context = NULL;
	struct text key, best, base, scratch;

	text_init(&key);
	text_init(&best);
	text_init(&base);
	text_init(&scratch);
	if (!take_key(group_base, &base))
		goto out;
	for (size_t i = 0; i < contexts->value_count; i++) {
		if (!take_key(contexts->values[i].data, &key))
			goto out;
		if (!holds_all(&key, group_base, names, name_count, &scratch) || key.length <= best.length)
			continue;
		context = contexts->values[i].data;
		if (!take_key(context, &best))
			goto out;
	}
	for (size_t i = 0; i < contexts->value_count && context != NULL; i++) {
		const char *other = contexts->values[i].data;

		if (!take_key(other, &key))
			goto out;
		if (key.length > best.length && lies_beneath(other, &best, &scratch) &&
		    may_hold_some(&key, other, &base, names, name_count, &scratch))
			context = NULL;
	}
	*context_out = context;
	status = STATUS_OK;
out:
	text_done(&key);
	text_done(&best);
	text_done(&base);
	text_done(&scratch);
	return status;
}

enum status closure_csn_base(const struct dir_entry *dse, const char *group_base, const char *const *names,
			     size_t name_count, char **base_out)
{
	const struct dir_attribute *contexts = dse == NULL ? NULL : dir_entry_attribute(dse, "namingContexts");
	const char *context = NULL;
	char *base = NULL;

	if (contexts != NULL && choose(contexts, group_base, names, name_count, &context) != STATUS_OK)
		return STATUS_NO_MEMORY;
	if (context != NULL) {
		base = memory_copy_text(context);
		if (base == NULL)
			return STATUS_NO_MEMORY;
	}
	*base_out = base;
	return STATUS_OK;
}
