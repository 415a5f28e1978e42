/* SPDX-License-Identifier: Apache-2.0 */
#include <base/ascii.h>
#include <base/memory.h>
#include <base/text.h>
#include <identity/dn.h>
#include <membership/closure_concern.h>
#include <membership/closure_entry.h>
#include <string.h>

/* An event, and what the closure knows of its entry. */
struct view {
	const struct closure *closure;
	const struct closure_plan *plan;
	const struct dir_watch_event *event;
	const char *dn;
	struct text key;    /* of `dn` */
	struct digest name; /* of `key` */
	uint32_t known;     /* the group with that id */
	uint32_t named;     /* the group with that name */
	struct closure_concern *concern;
};

static enum status everything(struct closure_concern *concern)
{
	concern->kind = CLOSURE_CONCERN_EVERYTHING;
	return STATUS_OK;
}

static bool add_group(struct closure_concern *concern, uint32_t group)
{
	for (size_t i = 0; i < concern->group_count; i++)
		if (concern->groups[i] == group)
			return true;
	if (!ARRAY_RESERVE(&concern->groups, &concern->group_capacity, concern->group_count + 1))
		return false;
	concern->groups[concern->group_count++] = group;
	return true;
}

/* The groups that list a group, and itself. */
static bool add_family(const struct view *view, uint32_t group)
{
	uint32_t *parents = memory_new_array(closure_group_count(view->closure) + 1, sizeof(*parents));
	bool good = parents != NULL && add_group(view->concern, group);
	size_t count = good ? closure_parents(view->closure, group, parents) : 0;

	for (size_t i = 0; i < count && good; i++)
		good = add_group(view->concern, parents[i]);
	memory_free(parents);
	return good;
}

/* The groups that list this name as somebody's who is no group. */
static bool add_listers(const struct view *view)
{
	size_t count = closure_find_member(view->closure, view->name, NULL, 0);
	uint32_t *listers = memory_new_array(count + 1, sizeof(*listers));
	bool good = listers != NULL;

	if (good)
		(void)closure_find_member(view->closure, view->name, listers, count);
	for (size_t i = 0; i < count && good; i++)
		good = add_group(view->concern, listers[i]);
	memory_free(listers);
	return good;
}

static bool is_root(const struct closure *closure, uint32_t group)
{
	for (size_t root = 0; root < closure_root_count(closure); root++)
		if (closure_root_group(closure, root) == group)
			return true;
	return false;
}

/* Whether a configured group that is missing may be this entry: by its name, by the id that it had, or by a name that we cannot compare. */
static bool may_be_missing_root(const struct view *view)
{
	const struct closure_plan *plan = view->plan;
	bool may_be = false;
	struct text key;

	text_init(&key);
	for (size_t root = 0; root < plan->root_count && !may_be; root++) {
		const char *name = plan->names[root];

		if (name == NULL || closure_root_group(view->closure, root) != CLOSURE_NONE)
			continue;
		may_be = (plan->pins[root] != NULL && strcmp(plan->pins[root], view->event->id) == 0) ||
			 (dn_classify(name, strlen(name), &key) == DN_PLAIN
			      ? text_failed(&key) || strcmp(text_string(&key), text_string(&view->key)) == 0
			      : closure_entry_is_group(view->event->entry));
	}
	text_done(&key);
	return may_be;
}

/* Whether the server may take this entry's name for one that a group lists in another spelling, and we cannot see it. */
static bool may_be_foreign_member(const struct view *view)
{
	enum closure_foreign foreign = closure_foreign(view->closure);
	bool is_listed;

	if (foreign == CLOSURE_FOREIGN_NONE || dn_classify(view->dn, strlen(view->dn), NULL) == DN_PLAIN)
		return false;
	if (foreign == CLOSURE_FOREIGN_DEAD_LATER)
		return true;
	/* The spellings that are this name's were resolved to it when the closure was loaded. */
	is_listed = view->named != CLOSURE_NONE || closure_find_member(view->closure, view->name, NULL, 0) > 0;
	return !is_listed && (foreign == CLOSURE_FOREIGN_DEAD || view->event->change == DIR_CHANGE_ADD);
}

/* A group that shows no id was given its DN for one (closure_stages.c): an event's id does not find it. */
static bool has_group_without_id(const struct closure *closure)
{
	for (uint32_t group = 0; group < closure_group_count(closure); group++)
		if (!closure_is_gone(closure, group) &&
		    strcmp(closure_group_id(closure, group), closure_group_dn(closure, group)) == 0)
			return true;
	return false;
}

static enum status family_changed(const struct view *view, uint32_t group)
{
	if (is_root(view->closure, group))
		return everything(view->concern);
	view->concern->kind = CLOSURE_CONCERN_STRUCTURE;
	return add_family(view, group) ? STATUS_OK : STATUS_NO_MEMORY;
}

static enum status judge_deleted(const struct view *view)
{
	if (view->known == CLOSURE_NONE && (view->named != CLOSURE_NONE || has_group_without_id(view->closure)))
		return everything(view->concern);
	return view->known == CLOSURE_NONE ? STATUS_OK : family_changed(view, view->known);
}

/* From now on the name is this entry's. */
static enum status take_name(const struct view *view)
{
	view->concern->kind = CLOSURE_CONCERN_STRUCTURE;
	view->concern->has_suspect = true;
	view->concern->suspect = view->name;
	return add_listers(view) ? STATUS_OK : STATUS_NO_MEMORY;
}

static bool shows_subordinates(const struct dir_entry *entry)
{
	const struct dir_value *subordinates = dir_entry_single(entry, "hasSubordinates");

	return subordinates != NULL && ascii_equal_nocase(subordinates->data, "TRUE");
}

/* A group of the closure that goes by another name now. */
static enum status judge_renamed(const struct view *view)
{
	enum status status;

	/* Without an index we do not know who lists the new name. */
	if (closure_index(view->closure) == NULL || shows_subordinates(view->event->entry))
		return everything(view->concern);
	status = family_changed(view, view->known);
	if (status == STATUS_OK && view->named != CLOSURE_NONE && view->concern->kind != CLOSURE_CONCERN_EVERYTHING)
		status = family_changed(view, view->named);
	if (status == STATUS_OK && view->concern->kind != CLOSURE_CONCERN_EVERYTHING)
		status = take_name(view);
	return status;
}

static enum status judge_known(const struct view *view)
{
	if (view->named != view->known)
		return judge_renamed(view);
	if (!closure_entry_is_group(view->event->entry))
		return family_changed(view, view->known);
	view->concern->kind = CLOSURE_CONCERN_GROUP;
	return add_group(view->concern, view->known) ? STATUS_OK : STATUS_NO_MEMORY;
}

/* A group that is not of the closure, or an entry that became one. */
static enum status judge_other_group(const struct view *view)
{
	/* Without an index we do not know who lists it. */
	if (closure_index(view->closure) == NULL ||
	    (view->event->change != DIR_CHANGE_ADD && shows_subordinates(view->event->entry)))
		return everything(view->concern);
	return closure_find_member(view->closure, view->name, NULL, 0) == 0 ? STATUS_OK : take_name(view);
}

static enum status judge(const struct view *view)
{
	if (view->event->change == DIR_CHANGE_DELETE)
		return judge_deleted(view);
	if (may_be_missing_root(view) || may_be_foreign_member(view))
		return everything(view->concern);
	if (view->known != CLOSURE_NONE)
		return judge_known(view);
	if (view->named != CLOSURE_NONE) { /* another entry than the group that had this name */
		enum status status = family_changed(view, view->named);

		return status == STATUS_OK && view->concern->kind != CLOSURE_CONCERN_EVERYTHING ? take_name(view)
												: status;
	}
	if (closure_entry_is_group(view->event->entry))
		return judge_other_group(view);
	/* What is new has nothing beneath it yet. What is beneath the others may have been renamed with them. */
	return view->event->change != DIR_CHANGE_ADD && closure_entry_may_hold_others(view->event->entry)
		   ? everything(view->concern)
		   : STATUS_OK;
}

enum status closure_concern_of(const struct closure *closure, const struct closure_plan *plan,
			       const struct dir_watch_event *event, struct closure_concern *concern_out)
{
	struct view view = {.closure = closure, .plan = plan, .event = event, .concern = concern_out};
	enum status status = STATUS_NO_MEMORY;

	*concern_out = (struct closure_concern){.kind = CLOSURE_CONCERN_NOTHING};
	text_init(&view.key);
	view.dn = event->entry == NULL ? "" : event->entry->dn;
	dn_own_key(view.dn, strlen(view.dn), &view.key);
	if (!text_failed(&view.key)) {
		view.name = closure_digest_dn(closure, text_string(&view.key), view.key.length);
		view.known = closure_find_id(closure, event->id, strlen(event->id));
		view.named = closure_find_digest(closure, view.name);
		status = judge(&view);
	}
	text_done(&view.key);
	if (status != STATUS_OK || concern_out->kind == CLOSURE_CONCERN_EVERYTHING) {
		closure_concern_done(concern_out);
		concern_out->kind = CLOSURE_CONCERN_EVERYTHING;
	}
	return status;
}

void closure_concern_done(struct closure_concern *concern)
{
	memory_free(concern->groups);
	*concern = (struct closure_concern){.kind = CLOSURE_CONCERN_NOTHING};
}
