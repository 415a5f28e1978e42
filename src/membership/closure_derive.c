/* SPDX-License-Identifier: Apache-2.0 */
#include <base/memory.h>
#include <membership/closure_private.h>
#include <string.h>

static const struct overlay *find_overlay(const struct closure *closure, uint32_t group)
{
	size_t low = 0, high = closure->overlay_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (closure->overlays[middle].group == group)
			return &closure->overlays[middle];
		if (closure->overlays[middle].group < group)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* One way through the index for all groups: `slots` says for each where its set is, counted from 1; 0: not wanted. */
static bool collect(const struct member_index *index, const uint32_t *slots, struct member_set **sets)
{
	const struct member_pair *pairs = member_index_pairs(index);

	/* The pairs are ordered by member, so each set is as if it had been sealed. */
	for (size_t i = 0; i < member_index_count(index); i++)
		if (slots[pairs[i].group] != 0 && !member_set_add(sets[slots[pairs[i].group] - 1], pairs[i].member))
			return false;
	return true;
}

/* Sets that are there, or room for those that are to be collected. */
static bool begin_sets(const struct closure *closure, const uint32_t *groups, size_t count, uint32_t *slots,
		       struct member_set **sets)
{
	for (size_t i = 0; i < count; i++) {
		const struct overlay *overlay = find_overlay(closure, groups[i]);

		sets[i] = overlay != NULL ? member_set_ref(overlay->members) : member_set_new();
		if (sets[i] == NULL)
			return false;
		/* Newcomers since the index was made have no pairs in it. */
		if (overlay == NULL)
			slots[groups[i]] = (uint32_t)i + 1;
	}
	return true;
}

enum status closure_members(const struct closure *closure, const uint32_t *groups, size_t count,
			    struct member_set **sets_out)
{
	uint32_t *slots;
	bool good;

	memset(sets_out, 0, count * sizeof(struct member_set *));
	if (closure->base->index == NULL || count == 0)
		return STATUS_OK;
	slots = memory_new_array(closure->graph->group_count + 1, sizeof(*slots));
	good = slots != NULL && begin_sets(closure, groups, count, slots, sets_out) &&
	       collect(closure->base->index, slots, sets_out);
	memory_free(slots);
	if (good)
		return STATUS_OK;
	for (size_t i = 0; i < count; i++)
		member_set_unref(&sets_out[i]);
	return STATUS_NO_MEMORY;
}

/* What is found, as far as it fits. */
struct found {
	uint32_t *groups;
	size_t room, count;
};

static void add_found(const struct closure *closure, struct found *found, uint32_t group)
{
	if (closure->graph->groups[group].is_gone)
		return;
	if (found->count < found->room)
		found->groups[found->count] = group;
	found->count++;
}

size_t closure_find_member(const struct closure *closure, struct digest member, uint32_t *groups, size_t room)
{
	struct found found = {.room = room};
	const struct member_pair *pairs;
	size_t pair_count = 0;

	found.groups = groups;
	if (closure->base->index == NULL)
		return 0;
	pairs = member_index_find(closure->base->index, member, &pair_count);
	for (size_t i = 0; i < pair_count; i++)
		if (closure->overlay_count == 0 || find_overlay(closure, pairs[i].group) == NULL)
			add_found(closure, &found, pairs[i].group);
	for (size_t i = 0; i < closure->overlay_count; i++)
		if (member_set_has(closure->overlays[i].members, member))
			add_found(closure, &found, closure->overlays[i].group);
	return found.count;
}

bool closure_wants_rebuild(const struct closure *closure)
{
	size_t bytes = 0;

	if (closure->base->index == NULL)
		return false;
	for (size_t i = 0; i < closure->overlay_count; i++)
		bytes += member_set_bytes(closure->overlays[i].members);
	return closure->overlay_count > CLOSURE_MAX_OVERLAYS ||
	       bytes > member_index_bytes(closure->base->index) / 2 + (1 << 20);
}

/* Deriving */

/* What stands for the group now; NULL: nothing new. `changes` are ordered by group. */
static const struct closure_change *change_of(const struct closure_change *changes, size_t count, uint32_t group)
{
	for (size_t i = 0; i < count; i++)
		if (changes[i].group == group)
			return &changes[i];
	return NULL;
}

static bool has_children(const struct closure *base, const struct closure_change *change)
{
	size_t count;
	const uint32_t *children = closure_children(base, change->group, &count);

	if (count != change->child_count)
		return false;
	for (size_t i = 0; i < count; i++)
		if (children[i] != change->children[i])
			return false;
	return true;
}

/* Whether the graph is another one after these changes. Children are in order in both. */
static bool is_restructured(const struct closure *base, const struct closure_change *changes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (changes[i].gone || changes[i].dn != NULL || changes[i].group >= base->graph->group_count ||
		    !has_children(base, &changes[i]))
			return true;
	return false;
}

/* The groups that there were, under the numbers that they had, and those that have come. One that is gone keeps its number and no name. */
static enum status copy_groups(const struct closure *base, const struct closure_change *changes, size_t count,
			       struct closure *derived)
{
	enum status status = STATUS_OK;
	uint32_t number;

	for (uint32_t group = 0; group < base->graph->group_count && status == STATUS_OK; group++) {
		const struct closure_change *change = change_of(changes, count, group);
		const struct group *old = &base->graph->groups[group];
		const char *dn = change != NULL && change->dn != NULL ? change->dn : old->dn;

		status = old->is_gone || (change != NULL && change->gone)
			     ? closure_add_gone(derived, old->dn, old->id)
			     : closure_add_group(derived, dn, old->id, &number);
	}
	for (size_t i = 0; i < count && status == STATUS_OK; i++)
		if (changes[i].group >= base->graph->group_count)
			status = closure_add_group(derived, changes[i].dn, changes[i].id, &number);
	return status;
}

static enum status copy_edges(const struct closure *base, const struct closure_change *changes, size_t count,
			      struct closure *derived)
{
	enum status status = STATUS_OK;

	for (uint32_t group = 0; group < derived->graph->group_count; group++) {
		const struct closure_change *change = change_of(changes, count, group);
		const uint32_t *children = change == NULL ? NULL : change->children;
		size_t child_count = change == NULL ? 0 : change->child_count;

		if (change == NULL)
			children = closure_children(base, group, &child_count);
		if (derived->graph->groups[group].is_gone)
			child_count = 0;
		for (size_t i = 0; i < child_count && status == STATUS_OK; i++)
			if (!derived->graph->groups[children[i]].is_gone)
				status = closure_add_edge(derived, children[i], group);
	}
	return status;
}

static enum status restructure(const struct closure *base, const struct closure_change *changes, size_t count,
			       struct closure *derived)
{
	enum status status = STATUS_NO_MEMORY;

	derived->graph = closure_graph_new(base->graph->root_count);
	if (derived->graph != NULL)
		status = copy_groups(base, changes, count, derived);
	if (status == STATUS_OK)
		status = copy_edges(base, changes, count, derived);
	if (status != STATUS_OK)
		return status;
	memcpy(derived->graph->roots, base->graph->roots, base->graph->root_count * sizeof(*base->graph->roots));
	derived->graph->kinds = base->graph->kinds;
	return closure_finish_graph(derived);
}

static void take_overlay(struct closure *derived, uint32_t group, struct member_set *members)
{
	derived->overlays[derived->overlay_count++] = (struct overlay){group, member_set_ref(members)};
}

/* Both are ordered by group; what changed takes the place of what lay there. */
static bool lay_over(const struct closure *base, const struct closure_change *changes, size_t count,
		     struct closure *derived)
{
	size_t i = 0, k = 0;

	derived->overlays = memory_new_array(base->overlay_count + count + 1, sizeof(*derived->overlays));
	if (derived->overlays == NULL)
		return false;
	while (i < base->overlay_count || k < count) {
		if (k == count || (i < base->overlay_count && base->overlays[i].group < changes[k].group)) {
			take_overlay(derived, base->overlays[i].group, base->overlays[i].members);
			i++;
			continue;
		}
		i += i < base->overlay_count && base->overlays[i].group == changes[k].group;
		if (changes[k].members != NULL)
			take_overlay(derived, changes[k].group, changes[k].members);
		k++;
	}
	return true;
}

enum status closure_derive(struct closure *base, const struct closure_change *changes, size_t count, unsigned kinds,
			   struct closure **derived_out)
{
	struct closure *derived = closure_new_empty(&base->key);
	enum status status = STATUS_OK;

	if (derived == NULL)
		return STATUS_NO_MEMORY;
	derived->demands_members = base->demands_members;
	derived->lists_dead_names = base->lists_dead_names;
	derived->base = base->base;
	atomic_fetch_add_explicit(&base->base->references, 1, memory_order_relaxed);
	if (!lay_over(base, changes, count, derived)) {
		status = STATUS_NO_MEMORY;
	} else if (is_restructured(base, changes, count) || (kinds & ~base->graph->kinds) != 0) {
		status = restructure(base, changes, count, derived);
		if (status == STATUS_OK)
			derived->graph->kinds |= kinds;
	} else {
		derived->graph = base->graph;
		atomic_fetch_add_explicit(&base->graph->references, 1, memory_order_relaxed);
	}
	if (status != STATUS_OK)
		closure_unref(&derived);
	else
		*derived_out = derived;
	return status;
}
