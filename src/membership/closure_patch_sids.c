/* SPDX-License-Identifier: Apache-2.0 */
#include <base/sid.h>
#include <identity/extended_dn.h>
#include <identity/filter.h>
#include <membership/closure_nest.h>
#include <membership/closure_patch_private.h>
#include <membership/closure_principal.h>
#include <string.h>

static const char *const exist_attributes[] = {"objectClass", "objectSid", "groupType", NULL};

/* What a search of the round trip is about. */
enum subject { SUBJECT_EXISTENCE = 0, SUBJECT_CHILDREN, SUBJECT_NEWCOMERS };

struct patch_sids_subject {
	enum subject about;
	uint32_t group; /* CHILDREN: whose */
	size_t count;   /* EXISTENCE: of how many groups */
};

static bool add(struct closure_patch *patch, const char *const *attributes, struct patch_sids_subject subject)
{
	struct patch_sids_subject *kept = arena_alloc(patch->arena, sizeof(*kept));
	const char *filter =
	    text_failed(&patch->scratch) ? NULL : arena_copy_text(patch->arena, text_string(&patch->scratch));
	struct dir_search *search;

	if (kept == NULL || filter == NULL)
		return false;
	*kept = subject;
	search = patch_add_search(patch, patch->domain_base, filter, attributes, kept);
	if (search == NULL)
		return false;
	search->scope = DIR_SCOPE_SUBTREE;
	search->flags = patch->search_flags;
	return true;
}

static void add_sid(struct closure_patch *patch, const struct sid *sid)
{
	uint8_t binary[SID_BINARY_BYTES];

	filter_add_equality(&patch->scratch, "objectSid", binary, sid_encode(sid, binary));
}

/* All groups of the closure, some in each search. False: no memory. */
static bool ask_existence(struct closure_patch *patch)
{
	const size_t all = closure_group_count(patch->base);

	for (size_t first = 0; first < all && !patch->whole; first += CLOSURE_PATCH_SIDS) {
		const size_t count = all - first < CLOSURE_PATCH_SIDS ? all - first : CLOSURE_PATCH_SIDS;

		text_clear(&patch->scratch);
		text_add(&patch->scratch, "(|");
		for (size_t i = first; i < first + count; i++) {
			const char *id = closure_group_id(patch->base, (uint32_t)i);
			struct sid sid;

			if (sid_parse_text(id, strlen(id), &sid))
				add_sid(patch, &sid);
			else
				patch->whole = true;
		}
		text_add(&patch->scratch, ")");
		if (!add(patch, exist_attributes, (struct patch_sids_subject){SUBJECT_EXISTENCE, CLOSURE_NONE, count}))
			return false;
	}
	return true;
}

static bool ask_children(struct closure_patch *patch)
{
	for (size_t i = 0; i < patch->concern.group_count; i++) {
		const uint32_t group = patch->concern.groups[i];
		const char *dn = closure_group_dn(patch->base, group);

		text_clear(&patch->scratch);
		text_add(&patch->scratch, "(&(|(objectClass=group)(objectClass=foreignSecurityPrincipal))");
		filter_add_equality(&patch->scratch, "memberOf", dn, strlen(dn));
		text_add(&patch->scratch, ")");
		if (!add(patch, exist_attributes, (struct patch_sids_subject){SUBJECT_CHILDREN, group, 0}))
			return false;
	}
	return true;
}

static bool ask_newcomers(struct closure_patch *patch)
{
	text_clear(&patch->scratch);
	text_add(&patch->scratch, "(|");
	for (size_t i = 0; i < patch->concern.newcomer_count; i++)
		add_sid(patch, &patch->concern.newcomers[i]);
	text_add(&patch->scratch, ")");
	return patch->concern.newcomer_count == 0 ||
	       add(patch, closure_nest_attributes, (struct patch_sids_subject){.about = SUBJECT_NEWCOMERS});
}

bool patch_sids_ask(struct closure_patch *patch)
{
	const size_t all = patch->concern.unseen ? closure_group_count(patch->base) : 0;

	if ((all + CLOSURE_PATCH_SIDS - 1) / CLOSURE_PATCH_SIDS + patch->concern.group_count + 1 > CLOSURE_LOAD_BATCH) {
		patch->whole = true;
		return true;
	}
	return (all == 0 || ask_existence(patch)) && ask_children(patch) && ask_newcomers(patch);
}

/* Those of the groups that are there, and count. */
static size_t count_known(const struct closure_patch *patch, const struct dir_search *search)
{
	size_t count = 0;

	for (const struct dir_entry *entry = search->entries; entry != NULL; entry = entry->next)
		if (entry->id != NULL && closure_nest_is_group(entry) &&
		    closure_find_id(patch->base, entry->id, strlen(entry->id)) != CLOSURE_NONE)
			count++;
	return count;
}

static bool is_child(const struct closure_patch *patch, uint32_t group, const struct dir_entry *entry)
{
	size_t count;
	const uint32_t *children = closure_children(patch->base, group, &count);
	const uint32_t number =
	    entry->id == NULL ? CLOSURE_NONE : closure_find_id(patch->base, entry->id, strlen(entry->id));

	for (size_t i = 0; i < count && number != CLOSURE_NONE; i++)
		if (children[i] == number)
			return true;
	return false;
}

/* The groups that it lists are those that the closure has, and the principals of the same kinds. */
static bool has_same_children(const struct closure_patch *patch, uint32_t group, const struct dir_search *search)
{
	size_t wanted, count = 0;
	unsigned holding = 0;

	(void)closure_children(patch->base, group, &wanted);
	for (const struct dir_entry *entry = search->entries; entry != NULL; entry = entry->next) {
		if (closure_principal_is(entry))
			holding |= closure_principal_holding(entry);
		if (!closure_nest_is_group(entry))
			continue;
		if (!is_child(patch, group, entry))
			return false;
		count++;
	}
	return count == wanted && holding == closure_holding(patch->base, group);
}

/* It is known that the group lists such an entry. A group's own edge is not there yet: it would be no newcomer. */
static bool is_known_to_hold(const struct closure_patch *patch, uint32_t group, const struct dir_entry *entry)
{
	return closure_principal_is(entry) &&
	       (closure_principal_holding(entry) & ~closure_holding(patch->base, group)) == 0;
}

/* A group of the closure lists it; also true when that cannot be read. */
static bool is_held(const struct closure_patch *patch, const struct dir_entry *entry)
{
	const struct dir_attribute *holders = dir_entry_attribute(entry, "memberOf");
	struct extended_dn holder;
	char sid[SID_TEXT_BYTES];
	uint32_t group;

	for (size_t i = 0; holders != NULL && i < holders->value_count; i++) {
		if (!extended_dn_parse(holders->values[i].data, holders->values[i].length, &holder))
			return true;
		if (!holder.has_sid)
			continue;
		sid_format(&holder.sid, sid);
		group = closure_find_id(patch->base, sid, strlen(sid));
		if (group != CLOSURE_NONE && !is_known_to_hold(patch, group, entry))
			return true;
	}
	return false;
}

static bool has_newcomer(const struct closure_patch *patch, const struct dir_search *search)
{
	for (const struct dir_entry *entry = search->entries; entry != NULL; entry = entry->next)
		if ((closure_nest_is_group(entry) || closure_principal_is(entry)) && is_held(patch, entry))
			return true;
	return false;
}

static bool is_as_known(const struct closure_patch *patch, const struct patch_sids_subject *subject,
			const struct dir_search *search)
{
	switch (subject->about) {
	case SUBJECT_EXISTENCE:
		return count_known(patch, search) == subject->count;
	case SUBJECT_CHILDREN:
		return has_same_children(patch, subject->group, search);
	case SUBJECT_NEWCOMERS:
		return !has_newcomer(patch, search);
	}
	return false;
}

void patch_sids_settle(struct closure_patch *patch)
{
	for (size_t i = 0; i + 1 < patch->count && !patch->whole; i++)
		patch->whole = !is_as_known(patch, patch->subjects[i], &patch->found[i]);
	patch->is_compared = true;
}
