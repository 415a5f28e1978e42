/* SPDX-License-Identifier: Apache-2.0 */
#include <membership/lookup_sids.h>

#include <base/ascii.h>
#include <base/sid.h>
#include <identity/extended_dn.h>
#include <membership/lookup_groups.h>
#include <membership/lookup_tokens.h>
#include <stdlib.h>
#include <string.h>

const char *const lookup_sid_attributes[] = {"objectClass", "memberOf", "primaryGroupID", NULL};

static enum membership_next not_shown(struct membership_lookup *lookup, const struct dir_entry *user, const char *what)
{
	error_set(&lookup->error, STATUS_REFUSED, "'%s' shows no %s", user->dn, what);
	error_hint(&lookup->error, STATUS_REFUSED, "let the bound account read it");
	return MEMBERSHIP_UNKNOWN;
}

static void add(struct membership_lookup *lookup, const struct sid *sid, const struct extended_dn *link)
{
	char text[SID_TEXT_BYTES];
	uint64_t ends_us;
	uint32_t group;

	sid_format(sid, text);
	group = closure_find_id(lookup->closure, text, strlen(text));
	if (group == CLOSURE_NONE)
		return;
	lookup->direct[lookup->direct_count++] = group;
	if (link == NULL || !link->has_ttl)
		return;
	/* At the earliest: the server counted from when it answered. */
	ends_us = lookup->asked_us + (uint64_t)link->ttl_s * 1000000;
	if (ends_us < lookup->ends_us)
		lookup->ends_us = ends_us;
}

bool lookup_primary_group(const struct dir_entry *user, struct sid *sid_out)
{
	const struct dir_value *value = dir_entry_single(user, "primaryGroupID");
	unsigned long long number;
	char *end;

	if (value == NULL || !ascii_is_digit(value->data[0]) || user->id == NULL ||
	    !sid_parse_text(user->id, strlen(user->id), sid_out))
		return false;
	number = strtoull(value->data, &end, 10);
	if (end != value->data + value->length || number > UINT32_MAX)
		return false;
	sid_out->sub[sid_out->sub_count - 1] = (uint32_t)number;
	return true;
}

enum membership_next lookup_by_sid(struct membership_lookup *lookup, const struct dir_entry *user)
{
	const struct dir_attribute *groups = dir_entry_attribute(user, "memberOf");
	size_t count = groups == NULL ? 0 : groups->value_count;
	struct sid primary;

	lookup->direct_count = 0;
	if (user->id == NULL)
		return not_shown(lookup, user, "objectSid");
	if (count > MEMBERSHIP_MAX_DIRECT)
		return lookup_too_many(lookup, user);
	lookup->direct = arena_alloc_array(lookup->arena, count + 1, sizeof(*lookup->direct));
	if (lookup->direct == NULL)
		return lookup_no_memory(lookup);
	for (size_t i = 0; i < count; i++) {
		struct extended_dn link;

		if (!extended_dn_parse(groups->values[i].data, groups->values[i].length, &link))
			return not_shown(lookup, user, "memberOf that can be read");
		if (link.has_sid)
			add(lookup, &link.sid, &link);
	}
	/* Users of other forests (foreign security principals) have no primary group here. */
	if (!lookup_has_token(user))
		return MEMBERSHIP_DONE;
	if (!lookup_primary_group(user, &primary))
		return not_shown(lookup, user, "primaryGroupID");
	add(lookup, &primary, NULL);
	return MEMBERSHIP_DONE;
}
