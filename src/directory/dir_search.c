/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_search.h>

#include <base/ascii.h>
#include <base/sid.h>
#include <directory/dir_code.h>
#include <string.h>

/* Of a base or a filter in a message: a batch's filter would push the cause out of it. */
#define SHOWN_BYTES 120

/* RFC 4511 appendix A: insufficientAccessRights */
#define INSUFFICIENT_ACCESS 50

const char *dir_outcome_word(enum dir_outcome outcome)
{
	switch (outcome) {
	case DIR_OUTCOME_NONE:
		return "none";
	case DIR_OUTCOME_OK:
		return "ok";
	case DIR_OUTCOME_NO_SUCH_OBJECT:
		return "no-such-object";
	case DIR_OUTCOME_LIMIT:
		return "limit";
	case DIR_OUTCOME_INCOMPLETE:
		return "incomplete";
	case DIR_OUTCOME_BUSY:
		return "busy";
	case DIR_OUTCOME_NOT_PERMITTED:
		return "not-permitted";
	case DIR_OUTCOME_REFERRAL:
		return "referral";
	case DIR_OUTCOME_REFUSED:
		return "refused";
	case DIR_OUTCOME_BAD_CONNECTION:
		return "bad-connection";
	case DIR_OUTCOME_TIMEOUT:
		return "timeout";
	case DIR_OUTCOME_UNAVAILABLE:
		return "unavailable";
	case DIR_OUTCOME_NO_MEMORY:
		return "no-memory";
	}
	return "none";
}

const struct dir_attribute *dir_entry_attribute(const struct dir_entry *entry, const char *name)
{
	size_t i;

	for (i = 0; i < entry->attribute_count; i++)
		if (ascii_equal_nocase(entry->attributes[i].name, name))
			return &entry->attributes[i];
	return NULL;
}

const struct dir_value *dir_entry_single(const struct dir_entry *entry, const char *name)
{
	const struct dir_attribute *attribute = dir_entry_attribute(entry, name);

	return attribute != NULL && attribute->value_count == 1 ? &attribute->values[0] : NULL;
}

const char *dir_search_plain_dn(const char *dn)
{
	const char *close;

	while (*dn == '<' && (close = strchr(dn, '>')) != NULL && (close[1] == ';' || close[1] == ','))
		dn = close + 2;
	return dn;
}

static enum status identify_by_sid(struct dir_entry *entry, struct arena *arena)
{
	const struct dir_value *value = dir_entry_single(entry, "objectSid");
	char text[SID_TEXT_BYTES];
	struct sid sid;

	if (value == NULL || !sid_parse_binary((const uint8_t *)value->data, value->length, &sid))
		return STATUS_OK;
	sid_format(&sid, text);
	entry->id = arena_copy_text(arena, text);
	return entry->id == NULL ? STATUS_NO_MEMORY : STATUS_OK;
}

enum status dir_entry_identify(struct dir_entry *entry, struct arena *arena)
{
	const struct dir_value *id = dir_entry_single(entry, "entryUUID");

	if (id == NULL)
		id = dir_entry_single(entry, "nsUniqueId");
	entry->id = id == NULL ? NULL : id->data;
	return id == NULL ? identify_by_sid(entry, arena) : STATUS_OK;
}

/* Of a size that fits; the one that has no positive counterpart, AD's "never", among them. */
static bool parse_number(const struct dir_value *value, int64_t *number_out)
{
	const bool is_negative = value->length > 0 && value->data[0] == '-';
	const uint64_t most = (uint64_t)INT64_MAX + (is_negative ? 1U : 0U);
	size_t at = is_negative ? 1 : 0;
	uint64_t size = 0;

	if (at == value->length)
		return false;
	for (; at < value->length; at++) {
		const uint64_t digit = (uint64_t)(value->data[at] - '0');

		if (!ascii_is_digit(value->data[at]) || size > (most - digit) / 10)
			return false;
		size = size * 10 + digit;
	}
	*number_out = is_negative ? (int64_t)(0U - size) : (int64_t)size;
	return true;
}

bool dir_entry_number(const struct dir_entry *entry, const char *name, bool *there_out, int64_t *number_out)
{
	const struct dir_attribute *attribute = dir_entry_attribute(entry, name);

	*there_out = attribute != NULL && attribute->value_count > 0;
	return !*there_out || (attribute->value_count == 1 && parse_number(&attribute->values[0], number_out));
}

bool dir_entry_has_class(const struct dir_entry *entry, const char *name)
{
	const struct dir_attribute *classes = dir_entry_attribute(entry, "objectClass");

	for (size_t i = 0; classes != NULL && i < classes->value_count; i++)
		if (ascii_equal_nocase(classes->values[i].data, name))
			return true;
	return false;
}

static bool copy_attribute(const struct dir_attribute *from, struct dir_attribute *to, struct arena *arena)
{
	to->name = arena_copy_text(arena, from->name);
	to->values = arena_alloc_array(arena, from->value_count + 1, sizeof(*to->values));
	if (to->name == NULL || to->values == NULL)
		return false;
	for (; to->value_count < from->value_count; to->value_count++) {
		struct dir_value *value = &to->values[to->value_count];

		value->length = from->values[to->value_count].length;
		value->data = arena_copy_bytes(arena, from->values[to->value_count].data, value->length);
		if (value->data == NULL)
			return false;
	}
	return true;
}

struct dir_entry *dir_entry_copy(const struct dir_entry *entry, struct arena *arena)
{
	struct dir_entry *copy = arena_alloc(arena, sizeof(*copy));

	if (copy == NULL)
		return NULL;
	copy->dn = arena_copy_text(arena, entry->dn);
	copy->id = entry->id == NULL ? NULL : arena_copy_text(arena, entry->id);
	copy->attributes = arena_alloc_array(arena, entry->attribute_count + 1, sizeof(*copy->attributes));
	if (copy->dn == NULL || (copy->id == NULL && entry->id != NULL) || copy->attributes == NULL)
		return NULL;
	for (; copy->attribute_count < entry->attribute_count; copy->attribute_count++)
		if (!copy_attribute(&entry->attributes[copy->attribute_count], &copy->attributes[copy->attribute_count],
				    arena))
			return NULL;
	return copy;
}

enum status dir_search_init(struct dir_search *search, struct error *error)
{
	struct arena *arena = arena_new(DIR_SEARCH_MAX_BYTES);

	if (arena == NULL)
		return error_no_memory(error);
	*search = (struct dir_search){.arena = arena};
	return STATUS_OK;
}

void dir_search_reset(struct dir_search *search)
{
	struct arena *fresh = NULL;

	/* Without memory for a new arena the old one goes on; what it holds only counts against its limit. */
	if (search->arena != NULL && arena_used_bytes(search->arena) > 0)
		fresh = arena_new(DIR_SEARCH_MAX_BYTES);
	if (fresh != NULL) {
		arena_free(&search->arena);
		search->arena = fresh;
	}
	search->outcome = DIR_OUTCOME_NONE;
	search->code = 0;
	search->server_text = NULL;
	search->entries = NULL;
	search->entry_count = 0;
	search->pages = 0;
}

void dir_search_done(struct dir_search *search)
{
	if (search == NULL)
		return;
	arena_free(&search->arena);
	search->server_text = NULL;
	search->entries = NULL;
	search->entry_count = 0;
}

static enum status status_of(enum dir_outcome outcome)
{
	switch (outcome) {
	case DIR_OUTCOME_OK:
		return STATUS_OK;
	case DIR_OUTCOME_NO_SUCH_OBJECT:
		return STATUS_NOT_FOUND;
	case DIR_OUTCOME_LIMIT:
		return STATUS_LIMIT;
	case DIR_OUTCOME_NOT_PERMITTED:
	case DIR_OUTCOME_REFERRAL:
	case DIR_OUTCOME_REFUSED:
		return STATUS_REFUSED;
	case DIR_OUTCOME_INCOMPLETE:
		return STATUS_INVALID;
	case DIR_OUTCOME_TIMEOUT:
		return STATUS_TIMEOUT;
	case DIR_OUTCOME_NO_MEMORY:
		return STATUS_NO_MEMORY;
	case DIR_OUTCOME_NONE:
		return STATUS_INTERNAL;
	case DIR_OUTCOME_BUSY:
	case DIR_OUTCOME_BAD_CONNECTION:
	case DIR_OUTCOME_UNAVAILABLE:
		return STATUS_UNREACHABLE;
	}
	return STATUS_INTERNAL;
}

/* What an administrator can do; NULL: nothing that we know. */
static const char *hint_of(enum dir_outcome outcome, int code)
{
	switch (outcome) {
	case DIR_OUTCOME_NO_SUCH_OBJECT:
		return "the base does not exist, or the bound account may not see it";
	case DIR_OUTCOME_LIMIT:
		return "raise the server's size, time and paging limits for the bound account";
	case DIR_OUTCOME_NOT_PERMITTED:
		return code == INSUFFICIENT_ACCESS
			   ? "the directory does not show this to the bound account; give <bind> an account that may "
			     "read users and groups"
			   : "check what the bound account may read, and whether the server wants TLS";
	case DIR_OUTCOME_REFERRAL:
		return "referrals are not followed; name the server that holds this base";
	case DIR_OUTCOME_BUSY:
	case DIR_OUTCOME_TIMEOUT:
		return "look at the load of the server, and whether the searched attributes are indexed";
	case DIR_OUTCOME_BAD_CONNECTION:
	case DIR_OUTCOME_UNAVAILABLE:
		return "look at the log for what happened to the connections";
	case DIR_OUTCOME_INCOMPLETE: /* the text says it */
	case DIR_OUTCOME_NONE:
	case DIR_OUTCOME_OK:
	case DIR_OUTCOME_REFUSED:
	case DIR_OUTCOME_NO_MEMORY:
		return NULL;
	}
	return NULL;
}

enum status dir_search_failure(const struct dir_search *search, struct error *error)
{
	const enum status status = status_of(search->outcome);
	const char *text = search->server_text != NULL ? search->server_text : "";
	const char *hint = hint_of(search->outcome, search->code);

	if (status == STATUS_OK)
		return STATUS_OK;
	/* Our own verdicts (a deadline, a limit of ours) have no code of the server. */
	if (search->code == 0)
		(void)error_set(error, status, "search below '%.*s' %.*s: %s%s%s", SHOWN_BYTES, search->base,
				SHOWN_BYTES, search->filter, dir_outcome_word(search->outcome),
				*text != '\0' ? ": " : "", text);
	else
		(void)error_set(error, status, "search below '%.*s' %.*s: %s (%d)%s%s", SHOWN_BYTES, search->base,
				SHOWN_BYTES, search->filter, dir_code_text(search->code), search->code,
				*text != '\0' ? ": " : "", text);
	if (search->code != 0)
		error_native(error, ERROR_ORIGIN_LDAP, search->code);
	if (hint != NULL)
		(void)error_hint(error, status, "%s", hint);
	return status;
}
