/* SPDX-License-Identifier: Apache-2.0 */
#include <base/ascii.h>
#include <base/memory.h>
#include <base/text.h>
#include <identity/dn.h>
#include <identity/group_name.h>
#include <membership/closure_concern.h>
#include <membership/closure_entry.h>
#include <membership/closure_nest.h>
#include <membership/closure_principal.h>
#include <string.h>

bool closure_concern_is_nothing(const struct closure_concern *concern)
{
	return !concern->everything && !concern->unseen && concern->group_count == 0 && concern->newcomer_count == 0;
}

static void add_number(struct closure_concern *concern, uint32_t *numbers, size_t *count, uint32_t number)
{
	for (size_t i = 0; i < *count; i++)
		if (numbers[i] == number)
			return;
	if (*count < CLOSURE_CONCERN_MAX)
		numbers[(*count)++] = number;
	else
		concern->everything = true;
}

static void add_group(struct closure_concern *concern, uint32_t group)
{
	add_number(concern, concern->groups, &concern->group_count, group);
}

static void add_name(struct closure_concern *concern, struct digest name)
{
	for (size_t i = 0; i < concern->name_count; i++)
		if (digest_compare(&concern->names[i], &name) == 0)
			return;
	if (concern->name_count < CLOSURE_CONCERN_MAX)
		concern->names[concern->name_count++] = name;
	else
		concern->everything = true;
}

/* Those that list the group as one, and its name. */
static enum status suspect(struct closure_concern *concern, const struct closure *closure, uint32_t group)
{
	uint32_t *parents = memory_new_array(closure_group_count(closure) + 1, sizeof(*parents));
	size_t count;

	if (parents == NULL)
		return STATUS_NO_MEMORY;
	count = closure_parents(closure, group, parents);
	for (size_t i = 0; i < count; i++)
		add_group(concern, parents[i]);
	memory_free(parents);
	/* Nobody lists it: it lies idle. It has to be read before it is used again, so it is as well to forget it. */
	if (count == 0)
		concern->everything = true;
	add_number(concern, concern->suspects, &concern->suspect_count, group);
	add_name(concern, closure_group_name(closure, group));
	return STATUS_OK;
}

/* Those that list the name as a member's. */
static void ask_about(struct closure_concern *concern, const struct closure *closure, struct digest name)
{
	uint32_t groups[CLOSURE_CONCERN_MAX];
	size_t count = closure_find_member(closure, name, groups, CLOSURE_CONCERN_MAX);

	/* Without the index nobody knows who lists it. */
	if (count > CLOSURE_CONCERN_MAX || closure_index(closure) == NULL) {
		concern->everything = true;
		return;
	}
	if (count == 0)
		return;
	for (size_t i = 0; i < count; i++)
		add_group(concern, groups[i]);
	add_name(concern, name);
}

static bool is_root(const struct closure *closure, uint32_t group)
{
	for (size_t root = 0; root < closure_root_count(closure); root++)
		if (closure_root_group(closure, root) == group)
			return true;
	return false;
}

/* A configured group that is missing may be this one: by its name, or by the id that it had. What only the server can compare may be, too. */
static bool may_be_root(const struct closure *closure, const struct closure_plan *plan, const char *id, const char *key)
{
	bool may_be = false;
	struct text name;

	text_init(&name);
	for (size_t root = 0; root < plan->root_count && !may_be; root++) {
		if (plan->names[root] == NULL || closure_root_group(closure, root) != CLOSURE_NONE)
			continue;
		may_be = (plan->pins[root] != NULL && strcmp(plan->pins[root], id) == 0) ||
			 dn_classify(plan->names[root], strlen(plan->names[root]), &name) != DN_PLAIN ||
			 text_failed(&name) || strcmp(text_string(&name), key) == 0;
	}
	text_done(&name);
	return may_be;
}

/* Whether a DN, or one that only the server can compare, may be of something beneath a container, whose key this is. */
static bool may_be_beneath(const char *dn, const char *container)
{
	bool may_be;
	struct text name;

	text_init(&name);
	may_be = dn_classify(dn, strlen(dn), &name) != DN_PLAIN || text_failed(&name);
	for (const char *at = may_be ? NULL : dn_parent(text_string(&name)); at != NULL && !may_be; at = dn_parent(at))
		may_be = strcmp(at, container) == 0;
	text_done(&name);
	return may_be;
}

/* By SID: a container that got this name gave the groups in it theirs, and none of them is told of. */
static bool may_name_root(const struct closure *closure, const struct closure_plan *plan,
			  const struct dir_watch_event *event, struct text *key)
{
	const char *dn = event->entry->dn;
	bool may_be = false;
	struct group_name name;

	if (event->change != DIR_CHANGE_MODIFY || closure_entry_is_person(event->entry) ||
	    dir_entry_has_class(event->entry, "group"))
		return false;
	dn_own_key(dn, strlen(dn), key);
	for (size_t root = 0; root < plan->root_count && !may_be; root++)
		may_be = plan->names[root] != NULL && plan->pins[root] == NULL &&
			 closure_root_group(closure, root) == CLOSURE_NONE &&
			 group_name_parse(plan->names[root], &name, NULL) == STATUS_OK && name.form == GROUP_NAME_DN &&
			 (text_failed(key) || may_be_beneath(plan->names[root], text_string(key)));
	return may_be;
}

static bool has_subordinates(const struct dir_entry *entry)
{
	const struct dir_value *subordinates = dir_entry_single(entry, "hasSubordinates");

	if (subordinates != NULL)
		return !ascii_equal_nocase(subordinates->data, "FALSE");
	return !closure_entry_is_person(entry);
}

/* Groups are leaves nearly everywhere: one counts as such unless it shows that it is none. */
static bool shows_subordinates(const struct dir_entry *entry)
{
	return dir_entry_single(entry, "hasSubordinates") != NULL && has_subordinates(entry);
}

/* An entry that is no group, and was none. */
static void heed_other(struct closure_concern *concern, const struct dir_watch_event *event)
{
	/* Renamed, it takes along all that lies beneath; whether it was is not told. Beneath a new one lies nothing. */
	if (event->change == DIR_CHANGE_MODIFY && has_subordinates(event->entry))
		concern->everything = true;
}

static enum status heed_known(struct closure_concern *concern, const struct closure *closure, uint32_t group,
			      struct digest name, const struct dir_watch_event *event)
{
	bool is_there = event->change != DIR_CHANGE_DELETE && closure_entry_is_group(event->entry);
	bool is_as_known = is_there && closure_find_digest(closure, name) == group;

	/* Known or not: a patch may have met it before it was told of, and others still list it as nobody. Without the index no patch does. */
	if (is_there && (!is_as_known || closure_index(closure) != NULL))
		ask_about(concern, closure, name);
	if (is_as_known) {
		add_group(concern, group);
		return STATUS_OK;
	}
	if (!is_there)
		heed_other(concern, event);
	if (is_root(closure, group) || (is_there && shows_subordinates(event->entry))) {
		concern->everything = true;
		return STATUS_OK;
	}
	return suspect(concern, closure, group);
}

/* An entry that the closure does not know by its id has the name of a group that it knows, or had it. */
static enum status heed_namesake(struct closure_concern *concern, const struct closure *closure, uint32_t group)
{
	if (!is_root(closure, group))
		return suspect(concern, closure, group);
	concern->everything = true;
	return STATUS_OK;
}

static void add_newcomer(struct closure_concern *concern, const char *id)
{
	struct sid sid;

	if (!sid_parse_text(id, strlen(id), &sid) || concern->newcomer_count == CLOSURE_CONCERN_MAX_NEWCOMERS)
		concern->everything = true;
	else
		concern->newcomers[concern->newcomer_count++] = sid;
}

static bool is_any_root_missing(const struct closure *closure, const struct closure_plan *plan)
{
	for (size_t root = 0; root < plan->root_count; root++)
		if (plan->names[root] != NULL && closure_root_group(closure, root) == CLOSURE_NONE)
			return true;
	return false;
}

static void heed_by_sid(struct closure_concern *concern, const struct closure *closure, const struct closure_plan *plan,
			const struct dir_watch_event *event)
{
	const uint32_t group = closure_find_id(closure, event->id, strlen(event->id));
	const bool is_there = event->change != DIR_CHANGE_DELETE;
	const bool is_group = is_there && closure_nest_is_group(event->entry);

	if (group != CLOSURE_NONE && is_group && strcmp(closure_group_dn(closure, group), event->entry->dn) == 0)
		add_group(concern, group);
	else if (group != CLOSURE_NONE || (is_group && is_any_root_missing(closure, plan)))
		concern->everything = true; /* a configured group that is missing may be this one */
	else if (is_group || (is_there && closure_principal_is(event->entry)))
		add_newcomer(concern, event->id);
}

static enum status heed(struct closure_concern *concern, const struct closure *closure, const struct closure_plan *plan,
			const struct dir_watch_event *event, struct text *key)
{
	uint32_t group = closure_find_id(closure, event->id, strlen(event->id)), namesake;
	const char *dn = event->entry->dn;
	struct digest name;

	if (closure_is_by_sid(closure)) {
		if (may_name_root(closure, plan, event, key))
			concern->everything = true;
		heed_by_sid(concern, closure, plan, event);
		return STATUS_OK;
	}
	/* An entry that the server alone can name may be the one that a member value has always meant. */
	if (event->change != DIR_CHANGE_DELETE && closure_lists_dead_names(closure) &&
	    dn_classify(dn, strlen(dn), key) != DN_PLAIN) {
		concern->everything = true;
		return STATUS_OK;
	}
	dn_own_key(dn, strlen(dn), key);
	if (text_failed(key))
		return STATUS_NO_MEMORY;
	name = closure_digest_dn(closure, text_string(key), key->length);
	/* Known or not: one that is nested somewhere may get the name of a configured group that is missing. */
	if (event->change != DIR_CHANGE_DELETE && closure_entry_is_group(event->entry) &&
	    may_be_root(closure, plan, event->id, text_string(key)))
		concern->everything = true;
	if (group != CLOSURE_NONE)
		return heed_known(concern, closure, group, name, event);
	namesake = closure_find_digest(closure, name);
	if (namesake != CLOSURE_NONE)
		return heed_namesake(concern, closure, namesake);
	if (event->change == DIR_CHANGE_DELETE)
		return STATUS_OK;
	if (!closure_entry_is_group(event->entry)) {
		heed_other(concern, event);
		return STATUS_OK;
	}
	if (event->change == DIR_CHANGE_MODIFY && shows_subordinates(event->entry))
		concern->everything = true;
	ask_about(concern, closure, name);
	return STATUS_OK;
}

enum status closure_concern_add(struct closure_concern *concern, const struct closure *closure,
				const struct closure_plan *plan, const struct dir_watch_event *event)
{
	enum status status;
	struct text key;

	text_init(&key);
	status = heed(concern, closure, plan, event, &key);
	text_done(&key);
	if (status != STATUS_OK)
		concern->everything = true;
	return status;
}
