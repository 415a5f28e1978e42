/* SPDX-License-Identifier: Apache-2.0 */
#include <membership/lookup_tokens.h>

#include <base/sid.h>
#include <membership/lookup_groups.h>
#include <string.h>

static const char any_entry[] = "(objectClass=*)";
static const char *const token_attributes[] = {"tokenGroups", NULL};

bool lookup_has_token(const struct dir_entry *user)
{
	return !dir_entry_has_class(user, "foreignSecurityPrincipal");
}

bool lookup_needs_tokens(const struct dir_forest *forest)
{
	return forest != NULL && forest->domain_count > 1;
}

bool lookup_ask_token(struct arena *arena, const char *sid, const char *const *attributes, struct dir_search *search)
{
	const char *base = arena_printf(arena, "<SID=%s>", sid);

	if (base == NULL || dir_search_init(search, NULL) != STATUS_OK)
		return false;
	search->base = base;
	search->scope = DIR_SCOPE_BASE;
	search->filter = any_entry;
	search->attributes = attributes;
	return true;
}

enum status lookup_take_token(const struct closure *closure, const struct dir_entry *user, struct arena *arena,
			      uint32_t **groups_out, size_t *count_out)
{
	const struct dir_attribute *token = user == NULL ? NULL : dir_entry_attribute(user, "tokenGroups");
	uint32_t *groups;
	size_t count = 0;

	/* Everybody has a primary group, so none at all is none that may be read. */
	if (token == NULL || token->value_count == 0)
		return STATUS_REFUSED;
	groups = arena_alloc_array(arena, token->value_count, sizeof(*groups));
	if (groups == NULL)
		return STATUS_NO_MEMORY;
	for (size_t i = 0; i < token->value_count; i++) {
		const struct dir_value *value = &token->values[i];
		char text[SID_TEXT_BYTES];
		struct sid sid;
		uint32_t group;

		if (!sid_parse_binary((const uint8_t *)value->data, value->length, &sid))
			return STATUS_REFUSED;
		sid_format(&sid, text);
		group = closure_find_id(closure, text, strlen(text));
		if (group != CLOSURE_NONE)
			groups[count++] = group;
	}
	*groups_out = groups;
	*count_out = count;
	return STATUS_OK;
}

static enum membership_next ask(struct membership_lookup *lookup, const struct dir_entry *user)
{
	lookup->search_count = 0;
	lookup->searches = arena_alloc_array(lookup->arena, 1, sizeof(*lookup->searches));
	if (lookup->searches == NULL ||
	    !lookup_ask_token(lookup->arena, user->id, token_attributes, &lookup->searches[0]))
		return lookup_no_memory(lookup);
	lookup->search_count = 1;
	lookup->asked = 1;
	return MEMBERSHIP_ASK;
}

static enum membership_next not_shown(struct membership_lookup *lookup, const struct dir_entry *user)
{
	error_set(
	    &lookup->error, STATUS_REFUSED,
	    "'%s' shows no tokenGroups, and the forest has several domains, whose groups are not all in his memberOf",
	    user->dn);
	error_hint(
	    &lookup->error, STATUS_REFUSED,
	    "let the bound account read it (a member of 'Windows Authorization Access Group' or 'Pre-Windows 2000 "
	    "Compatible Access' may), and see that the domain controller reaches a global catalog");
	return MEMBERSHIP_UNKNOWN;
}

enum membership_next lookup_by_token(struct membership_lookup *lookup, const struct dir_entry *user, uint64_t ttl_ms)
{
	const struct dir_search *answer = lookup->searches;
	enum status status;
	uint64_t ends_us;

	if (user->id == NULL)
		return not_shown(lookup, user);
	if (lookup->asked == 0)
		return ask(lookup, user);
	if (answer->outcome != DIR_OUTCOME_OK) {
		(void)dir_search_failure(answer, &lookup->error);
		return MEMBERSHIP_UNKNOWN;
	}
	status =
	    lookup_take_token(lookup->closure, answer->entries, lookup->arena, &lookup->direct, &lookup->direct_count);
	if (status != STATUS_OK)
		return status == STATUS_NO_MEMORY ? lookup_no_memory(lookup) : not_shown(lookup, user);
	/* It is counted in whole seconds of the wall clock, from the one that has begun: up here, down there. */
	ends_us = lookup->asked_us + (ttl_ms + 999) * 1000;
	if (ends_us < lookup->ends_us)
		lookup->ends_us = ends_us;
	return MEMBERSHIP_DONE;
}
