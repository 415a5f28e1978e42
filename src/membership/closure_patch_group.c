/* SPDX-License-Identifier: Apache-2.0 */
#include <base/memory.h>
#include <identity/dn.h>
#include <membership/closure_patch_private.h>
#include <stdlib.h>
#include <string.h>

static enum status fail(struct closure_patch *patch, enum status status)
{
	if (status != STATUS_OK && patch->taken == STATUS_OK)
		patch->taken = status;
	return status;
}

static struct patch_group *find_group(struct closure_patch *patch, uint32_t number)
{
	for (size_t i = 0; i < patch->group_count; i++)
		if (patch->groups[i].number == number)
			return &patch->groups[i];
	return NULL;
}

struct patch_group *patch_add_group(struct closure_patch *patch, uint32_t number, const char *dn, const char *id)
{
	struct patch_group *group = find_group(patch, number);

	if (group != NULL)
		return group;
	if (patch->group_count == CLOSURE_PATCH_MAX_GROUPS) {
		patch->whole = true;
		return NULL;
	}
	group = &patch->groups[patch->group_count];
	*group = (struct patch_group){
	    .patch = patch,
	    .number = number,
	    .is_new = number >= closure_group_count(patch->base),
	    .dn = arena_copy_text(patch->arena, dn),
	    .id = arena_copy_text(patch->arena, id),
	    .names = member_set_new(),
	    .uids = member_set_new(),
	};
	patch->group_count++;
	if (group->dn == NULL || group->id == NULL || group->names == NULL || group->uids == NULL) {
		(void)fail(patch, STATUS_NO_MEMORY);
		return NULL;
	}
	return group;
}

enum status patch_know_before(struct closure_patch *patch)
{
	uint32_t numbers[CLOSURE_PATCH_MAX_GROUPS];
	struct member_set *sets[CLOSURE_PATCH_MAX_GROUPS];
	size_t count = 0, next = 0;

	for (size_t i = 0; i < patch->group_count; i++)
		if (!patch->groups[i].is_new && patch->groups[i].before == NULL)
			numbers[count++] = patch->groups[i].number;
	if (count == 0 || closure_index(patch->base) == NULL)
		return STATUS_OK;
	if (closure_members(patch->base, numbers, count, sets) != STATUS_OK)
		return STATUS_NO_MEMORY;
	for (size_t i = 0; i < patch->group_count; i++)
		if (!patch->groups[i].is_new && patch->groups[i].before == NULL)
			patch->groups[i].before = sets[next++];
	return STATUS_OK;
}

static bool is_suspected(const struct closure_patch *patch, struct digest name)
{
	for (size_t i = 0; i < patch->concern.name_count; i++)
		if (digest_compare(&patch->concern.names[i], &name) == 0)
			return true;
	return false;
}

static struct patch_name *find_name(struct closure_patch *patch, struct digest name)
{
	for (size_t i = 0; i < patch->name_count; i++)
		if (digest_compare(&patch->names[i].name, &name) == 0)
			return &patch->names[i];
	return NULL;
}

/* Whether it is known what the name is: a group of the closure, or a member as before that was none. */
static bool is_settled(const struct patch_group *group, struct digest name)
{
	const struct closure_patch *patch = group->patch;

	if (is_suspected(patch, name))
		return false;
	return closure_find_digest(patch->base, name) != CLOSURE_NONE ||
	       (group->before != NULL && member_set_has(group->before, name));
}

static enum status take_name(struct patch_group *group, struct digest name, const struct dir_value *value)
{
	struct closure_patch *patch = group->patch;
	const char *dn;

	if (is_settled(group, name) || find_name(patch, name) != NULL)
		return STATUS_OK;
	if (patch->name_count == CLOSURE_PATCH_MAX_NAMES) {
		patch->whole = true;
		return STATUS_OK;
	}
	dn = arena_copy_bytes(patch->arena, value->data, value->length);
	if (dn == NULL)
		return STATUS_NO_MEMORY;
	patch->names[patch->name_count++] = (struct patch_name){.name = name, .dn = dn, .group = CLOSURE_NONE};
	return STATUS_OK;
}

static enum status take_member(void *context, const struct closure_member *member)
{
	struct patch_group *group = context;

	switch (member->kind) {
	case CLOSURE_MEMBER_DN:
		if (!member_set_add(group->names, member->digest))
			return STATUS_NO_MEMORY;
		return take_name(group, member->digest, member->value);
	case CLOSURE_MEMBER_UID:
		return member_set_add(group->uids, member->digest) ? STATUS_OK : STATUS_NO_MEMORY;
	case CLOSURE_MEMBER_FOREIGN:
		group->patch->whole = true;
		break;
	}
	return STATUS_OK;
}

enum status patch_take_entry(void *context, const struct dir_entry *entry)
{
	struct patch_group *group = context;
	struct closure_patch *patch = group->patch;
	const char *id = entry->id;
	enum status status;

	/* Another entry has taken its name, or it is no group any more. */
	if (id == NULL || strcmp(id, group->id) != 0 || !closure_entry_is_group(entry))
		return STATUS_OK;
	group->is_there = true;
	status = closure_entry_members(patch->base, entry, &patch->scratch, &patch->kinds, &patch->invalid_count,
				       take_member, group);
	member_set_seal(group->names);
	member_set_seal(group->uids);
	return fail(patch, status);
}

static bool is_suspect(const struct closure_patch *patch, uint32_t number)
{
	for (size_t i = 0; i < patch->concern.suspect_count; i++)
		if (patch->concern.suspects[i] == number)
			return true;
	return false;
}

/*
 * Whether the group lies where a load lists groups. A base that only the server can compare with it makes it a load's to say.
 * @return STATUS_OK, STATUS_NO_MEMORY.
 */
static enum status is_listed(struct closure_patch *patch, const char *dn, bool *is_listed_out)
{
	const char *base = patch->plan->directory->group_base;
	struct text key, base_key;
	size_t outer, inner;
	bool good;

	text_init(&key);
	text_init(&base_key);
	dn_own_key(dn, strlen(dn), &key);
	dn_own_key(base, strlen(base), &base_key);
	good = !text_failed(&key) && !text_failed(&base_key);
	outer = base_key.length;
	inner = key.length;
	*is_listed_out = good && inner >= outer &&
			 strcmp(text_string(&key) + inner - outer, text_string(&base_key)) == 0 &&
			 (inner == outer || outer == 0 || text_string(&key)[inner - outer - 1] == ',');
	if (good && !*is_listed_out && dn_classify(base, strlen(base), &base_key) != DN_PLAIN)
		patch->whole = true;
	text_done(&key);
	text_done(&base_key);
	return good ? STATUS_OK : fail(patch, STATUS_NO_MEMORY);
}

/* The number of the group with this id, which may be a newcomer. */
static uint32_t number_of(struct closure_patch *patch, const char *id)
{
	uint32_t number = closure_find_id(patch->base, id, strlen(id));

	for (size_t i = 0; i < patch->group_count && number == CLOSURE_NONE; i++)
		if (patch->groups[i].is_new && strcmp(patch->groups[i].id, id) == 0)
			number = patch->groups[i].number;
	return number != CLOSURE_NONE ? number : patch->next_number++;
}

/* Whether a known group that shows itself under `name` has come there in a way that was not told of yet, or at this moment. */
static bool has_moved(const struct closure_patch *patch, const struct patch_group *group, const char *dn,
		      struct digest name)
{
	struct digest known;

	if (group->is_new)
		return strcmp(group->dn, dn) != 0;
	known = closure_group_name(patch->base, group->number);
	return digest_compare(&known, &name) != 0 && (group->is_read || !is_suspect(patch, group->number));
}

/* The name is that of the group with this entry. */
static enum status take_group(struct closure_patch *patch, struct patch_name *name, const char *dn, const char *id)
{
	struct patch_group *group;

	name->group = number_of(patch, id);
	group = patch_add_group(patch, name->group, dn, id);
	if (group == NULL)
		return patch->taken;
	/*
	 * Groups change faster than they are told of: what was read is not of one moment. And without the index nobody knows who else
	 * lists the name, as one that was no group's.
	 */
	if (has_moved(patch, group, dn, name->name) || (group->is_new && closure_index(patch->base) == NULL)) {
		patch->whole = true;
		return STATUS_OK;
	}
	if (!group->is_new && strcmp(closure_group_dn(patch->base, group->number), dn) != 0) {
		group->is_renamed = true;
		group->dn = arena_copy_text(patch->arena, dn);
	}
	return group->dn == NULL ? fail(patch, STATUS_NO_MEMORY) : STATUS_OK;
}

enum status patch_resolve(struct closure_patch *patch, struct patch_name *name, const struct dir_entry *entry)
{
	const char *id = entry == NULL ? NULL : entry->id;
	bool counts = false;

	name->is_asked = true;
	if (entry != NULL && is_listed(patch, entry->dn, &counts) != STATUS_OK)
		return STATUS_NO_MEMORY;
	if (counts && id == NULL) /* nothing to know it by: as when the groups are listed */
		patch->whole = true;
	else if (counts && take_group(patch, name, entry->dn, id) != STATUS_OK)
		return STATUS_NO_MEMORY;
	return STATUS_OK;
}

/* Which group a name is; CLOSURE_NONE: none. */
static uint32_t group_of(struct closure_patch *patch, const struct patch_group *group, struct digest name)
{
	const struct patch_name *asked = find_name(patch, name);

	if (asked != NULL)
		return asked->group;
	return group->before != NULL && member_set_has(group->before, name) ? CLOSURE_NONE
									    : closure_find_digest(patch->base, name);
}

static int compare_numbers(const void *left, const void *right)
{
	const uint32_t *a = left, *b = right;

	return (*a > *b) - (*a < *b);
}

static void tidy_children(struct patch_group *group)
{
	size_t kept = 0;

	if (group->child_count > 1)
		qsort(group->children, group->child_count, sizeof(*group->children), compare_numbers);
	for (size_t i = 0; i < group->child_count; i++)
		if (kept == 0 || group->children[kept - 1] != group->children[i])
			group->children[kept++] = group->children[i];
	group->child_count = kept;
}

/* Part what a group lists into groups and others. */
static enum status part(struct closure_patch *patch, struct patch_group *group)
{
	group->members = member_set_new();
	if (group->members == NULL)
		return STATUS_NO_MEMORY;
	for (size_t i = 0; group->is_there && i < member_set_count(group->names); i++) {
		struct digest name = member_set_digests(group->names)[i];
		uint32_t child = group_of(patch, group, name);

		if (child == CLOSURE_NONE) {
			if (!member_set_add(group->members, name))
				return STATUS_NO_MEMORY;
			continue;
		}
		if (!ARRAY_RESERVE(&group->children, &group->child_capacity, group->child_count + 1))
			return STATUS_NO_MEMORY;
		group->children[group->child_count++] = child;
	}
	for (size_t i = 0; group->is_there && i < member_set_count(group->uids); i++)
		if (!member_set_add(group->members, member_set_digests(group->uids)[i]))
			return STATUS_NO_MEMORY;
	member_set_seal(group->members);
	tidy_children(group);
	return STATUS_OK;
}

static bool is_restructured(const struct closure_patch *patch, const struct patch_group *group)
{
	const uint32_t *children;
	size_t count;

	if (group->is_new || group->is_renamed || !group->is_there)
		return true;
	children = closure_children(patch->base, group->number, &count);
	return count != group->child_count ||
	       (count > 0 && memcmp(children, group->children, count * sizeof(*children)) != 0);
}

static int compare_changes(const void *left, const void *right)
{
	const struct closure_change *a = left, *b = right;

	return (a->group > b->group) - (a->group < b->group);
}

/* A group that nobody was found to list any more, under any name. */
static size_t add_gone(struct closure_patch *patch, struct closure_change *changes, size_t count)
{
	for (size_t i = 0; i < patch->concern.suspect_count; i++)
		if (find_group(patch, patch->concern.suspects[i]) == NULL)
			changes[count++] = (struct closure_change){.group = patch->concern.suspects[i], .gone = true};
	return count;
}

enum status patch_derive(struct closure_patch *patch, struct closure **derived_out, bool *everything_out,
			 struct member_set *touched)
{
	bool has_index = closure_index(patch->base) != NULL;
	struct closure_change *changes =
	    memory_new_array(patch->group_count + patch->concern.suspect_count + 1, sizeof(*changes));
	enum status status = changes == NULL ? STATUS_NO_MEMORY : STATUS_OK;
	size_t count = 0;

	*everything_out = !has_index || patch->concern.suspect_count > 0;
	for (size_t i = 0; i < patch->group_count && status == STATUS_OK; i++) {
		struct patch_group *group = &patch->groups[i];

		status = part(patch, group);
		if (status != STATUS_OK)
			break;
		changes[count++] = (struct closure_change){
		    .group = group->number,
		    .gone = !group->is_there,
		    .dn = group->is_new || group->is_renamed ? group->dn : NULL,
		    .id = group->id,
		    .members = has_index ? group->members : NULL,
		    .children = group->children,
		    .child_count = group->child_count,
		};
		*everything_out = *everything_out || is_restructured(patch, group);
		if (!*everything_out && !member_set_differ(group->before, group->members, touched))
			status = STATUS_NO_MEMORY;
	}
	if (status == STATUS_OK) {
		count = add_gone(patch, changes, count);
		qsort(changes, count, sizeof(*changes), compare_changes);
		status = closure_derive(patch->base, changes, count, patch->kinds, derived_out);
	}
	memory_free(changes);
	return status;
}

void patch_groups_done(struct closure_patch *patch)
{
	for (size_t i = 0; i < patch->group_count; i++) {
		struct patch_group *group = &patch->groups[i];

		member_set_unref(&group->before);
		member_set_unref(&group->names);
		member_set_unref(&group->uids);
		member_set_unref(&group->members);
		memory_free(group->children);
	}
}
