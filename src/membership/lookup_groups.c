/* SPDX-License-Identifier: Apache-2.0 */
#include <base/text.h>
#include <identity/dn.h>
#include <identity/filter.h>
#include <membership/closure_build.h>
#include <membership/lookup_groups.h>
#include <string.h>

const char *const lookup_group_attributes[] = {"entryUUID", "nsUniqueId", NULL};
static const char *const no_attributes[] = {"1.1", NULL};

enum membership_next lookup_no_memory(struct membership_lookup *lookup)
{
	error_no_memory(&lookup->error);
	return MEMBERSHIP_UNKNOWN;
}

void lookup_drop_asked(struct membership_lookup *lookup)
{
	if (lookup->searches != lookup->first)
		for (size_t i = 0; i < lookup->search_count; i++)
			dir_search_done(&lookup->searches[i]);
	lookup->searches = NULL;
	lookup->search_count = 0;
}

enum membership_next lookup_too_many(struct membership_lookup *lookup, const struct dir_entry *user)
{
	error_set(&lookup->error, STATUS_LIMIT, "'%s' is in more groups than the server lists for the bound account",
		  user->dn);
	error_hint(&lookup->error, STATUS_LIMIT, "raise the bound account's size limit on the server");
	return MEMBERSHIP_UNKNOWN;
}

static void add_direct(struct membership_lookup *lookup, uint32_t group)
{
	if (group != CLOSURE_NONE)
		lookup->direct[lookup->direct_count++] = group;
}

/* The digest-ready key of a DN that an entry showed; NULL when memory ran out. */
static const char *own_key(struct membership_lookup *lookup, const char *dn, size_t *length_out)
{
	struct text key;
	const char *copy = NULL;

	text_init(&key);
	dn_own_key(dn, strlen(dn), &key);
	if (!text_failed(&key)) {
		copy = arena_copy_bytes(lookup->arena, text_string(&key), key.length);
		*length_out = key.length;
	}
	text_done(&key);
	return copy;
}

/* index */

/* Groups that most users are in directly, of the closure. */
#define USUAL_DIRECT 64

/* Add the groups that list this name to the `total` that there are, as far as there is room for them. */
static void add_listing(struct membership_lookup *lookup, struct digest name, size_t room, size_t *total)
{
	size_t at = *total < room ? *total : room;

	*total += closure_find_member(lookup->closure, name, lookup->direct + at, room - at);
}

/* All groups that list one of the user's names. */
static size_t list_groups(struct membership_lookup *lookup, const struct dir_attribute *uids, const char *key,
			  size_t length, size_t room)
{
	size_t total = 0;

	add_listing(lookup, closure_digest_dn(lookup->closure, key, length), room, &total);
	for (size_t i = 0; uids != NULL && i < uids->value_count; i++)
		add_listing(lookup, closure_digest_uid(lookup->closure, uids->values[i].data, uids->values[i].length),
			    room, &total);
	return total;
}

enum membership_next lookup_by_index(struct membership_lookup *lookup, const struct dir_entry *user)
{
	const struct dir_attribute *uids = dir_entry_attribute(user, "uid");
	size_t room = USUAL_DIRECT, length = 0, total;
	const char *key = own_key(lookup, user->dn, &length);

	if (key == NULL)
		return lookup_no_memory(lookup);
	for (;;) {
		lookup->direct = arena_alloc_array(lookup->arena, room, sizeof(*lookup->direct));
		if (lookup->direct == NULL)
			return lookup_no_memory(lookup);
		total = list_groups(lookup, uids, key, length, room);
		if (total <= room)
			break;
		if (total > MEMBERSHIP_MAX_DIRECT)
			return lookup_too_many(lookup, user);
		room = total;
	}
	lookup->direct_count = total;
	return MEMBERSHIP_DONE;
}

/* search */

static void add_class_and(struct text *filter, const char *classes, const char *attribute, const char *value,
			  size_t length)
{
	text_add(filter, "(&");
	text_add(filter, classes);
	filter_add_equality(filter, attribute, value, length);
	text_add(filter, ")");
}

static void add_member_filter(struct text *filter, unsigned kinds, const char *dn, const struct dir_attribute *uids)
{
	text_add(filter, "(|");
	/* The class comes first so that a server without an index on the attribute looks at groups only. */
	if ((kinds & CLOSURE_KIND_MEMBER) != 0 || kinds == 0)
		add_class_and(filter, "(|(objectClass=groupOfNames)(objectClass=groupOfMembers))", "member", dn,
			      strlen(dn));
	if ((kinds & CLOSURE_KIND_UNIQUE_MEMBER) != 0)
		add_class_and(filter, "(objectClass=groupOfUniqueNames)", "uniqueMember", dn, strlen(dn));
	if ((kinds & CLOSURE_KIND_MEMBER_UID) != 0)
		for (size_t i = 0; uids != NULL && i < uids->value_count; i++)
			add_class_and(filter, "(objectClass=posixGroup)", "memberUid", uids->values[i].data,
				      uids->values[i].length);
	text_add(filter, ")");
}

static void question(const struct config_directory *directory, const char *filter, struct dir_search *search)
{
	search->base = directory->group_base;
	search->scope = DIR_SCOPE_SUBTREE;
	search->filter = filter;
	search->attributes = lookup_group_attributes;
}

bool lookup_ask_groups(const struct config_directory *directory, unsigned kinds, struct arena *arena, const char *dn,
		       const struct dir_attribute *uids, struct dir_search *search)
{
	struct text filter;
	const char *copy = NULL;

	text_init(&filter);
	add_member_filter(&filter, kinds, dn, uids);
	if (!text_failed(&filter))
		copy = arena_copy_text(arena, text_string(&filter));
	text_done(&filter);
	if (copy == NULL || dir_search_init(search, NULL) != STATUS_OK)
		return false;
	question(directory, copy, search);
	return true;
}

/* Whether the guess that was asked about is this user: the same DN, and the same uid if that matters. */
static bool guess_was_right(struct membership_lookup *lookup, const struct dir_entry *user)
{
	const struct dir_value *uid = dir_entry_single(user, "uid");
	size_t guess_length = 0, own_length = 0;
	const char *guess, *own;

	/* Kinds of groups that came with a closure read since: their members were not asked for. */
	if (lookup->guess == NULL || (closure_kinds(lookup->closure) & ~lookup->guess_kinds) != 0)
		return false;
	if ((closure_kinds(lookup->closure) & CLOSURE_KIND_MEMBER_UID) != 0 &&
	    (uid == NULL || strcmp(uid->data, lookup->user) != 0))
		return false;
	guess = own_key(lookup, lookup->guess, &guess_length);
	own = own_key(lookup, user->dn, &own_length);
	return guess != NULL && own != NULL && strcmp(guess, own) == 0;
}

/* Whether a group is none of those that a search below the base of groups finds; also when that is not certain. */
static bool lies_outside(struct membership_lookup *lookup, const struct config_directory *directory, uint32_t group)
{
	size_t base_length = 0, length = 0;
	const char *base = own_key(lookup, directory->group_base, &base_length);
	const char *key = own_key(lookup, closure_group_dn(lookup->closure, group), &length);

	return base == NULL || key == NULL || length <= base_length || key[length - base_length - 1] != ',' ||
	       strcmp(key + length - base_length, base) != 0;
}

/* The configured groups that a rule may name anywhere; one that two rules name may come twice. */
static size_t find_outside(struct membership_lookup *lookup, const struct config_directory *directory,
			   uint32_t *outside)
{
	size_t count = 0;

	for (size_t root = 0; root < closure_root_count(lookup->closure); root++) {
		uint32_t group = closure_root_group(lookup->closure, root);

		if (group != CLOSURE_NONE && lies_outside(lookup, directory, group))
			outside[count++] = group;
	}
	return count;
}

/* Make room for searches: `count` of the asker's, and one for each group that they would not find, which are made here. */
static bool begin_asking(const struct config_directory *directory, struct membership_lookup *lookup,
			 const struct dir_entry *user, size_t count)
{
	size_t roots = closure_root_count(lookup->closure), outside_count;
	uint32_t *outside = arena_alloc_array(lookup->arena, roots + 1, sizeof(*outside));

	lookup->search_count = 0;
	lookup->searches = arena_alloc_array(lookup->arena, count + roots + 1, sizeof(*lookup->searches));
	if (outside == NULL || lookup->searches == NULL)
		return false;
	outside_count = find_outside(lookup, directory, outside);
	for (size_t i = 0; i < outside_count; i++) {
		struct dir_search *search = &lookup->searches[lookup->search_count];

		if (!lookup_ask_groups(directory, closure_kinds(lookup->closure), lookup->arena, user->dn,
				       dir_entry_attribute(user, "uid"), search))
			return false;
		lookup->search_count++;
		search->base = closure_group_dn(lookup->closure, outside[i]);
		search->scope = DIR_SCOPE_BASE;
	}
	return true;
}

static bool is_any_outside(struct membership_lookup *lookup, const struct config_directory *directory)
{
	for (size_t root = 0; root < closure_root_count(lookup->closure); root++) {
		uint32_t group = closure_root_group(lookup->closure, root);

		if (group != CLOSURE_NONE && lies_outside(lookup, directory, group))
			return true;
	}
	return false;
}

static enum membership_next ask_exactly(const struct config_directory *directory, struct membership_lookup *lookup,
					const struct dir_entry *user)
{
	struct dir_search *search;

	if (!begin_asking(directory, lookup, user, 1))
		return lookup_no_memory(lookup);
	search = &lookup->searches[lookup->search_count];
	if (!lookup_ask_groups(directory, closure_kinds(lookup->closure), lookup->arena, user->dn,
			       dir_entry_attribute(user, "uid"), search))
		return lookup_no_memory(lookup);
	lookup->search_count++;
	lookup->groups = search;
	lookup->asked = 1;
	return MEMBERSHIP_ASK;
}

static const char *batch_filter(struct membership_lookup *lookup, const struct dir_entry *user, size_t first)
{
	size_t end = first + LOOKUP_BATCH_GROUPS;
	const char *copy = NULL;
	struct text filter;

	if (end > closure_group_count(lookup->closure))
		end = closure_group_count(lookup->closure);
	text_init(&filter);
	text_add(&filter, "(&(|");
	for (size_t group = first; group < end; group++) {
		const char *id = closure_group_id(lookup->closure, (uint32_t)group);

		/* One of them does not exist at this server: such an item of a filter matches nothing (RFC 4511 4.5.1.7). */
		filter_add_equality(&filter, "entryUUID", id, strlen(id));
		filter_add_equality(&filter, "nsUniqueId", id, strlen(id));
	}
	text_add(&filter, ")");
	add_member_filter(&filter, closure_kinds(lookup->closure), user->dn, dir_entry_attribute(user, "uid"));
	text_add(&filter, ")");
	if (!text_failed(&filter))
		copy = arena_copy_text(lookup->arena, text_string(&filter));
	text_done(&filter);
	return copy;
}

/* A group that had to be known by its DN; NULL: none. */
static const char *group_without_id(const struct closure *closure)
{
	for (size_t group = 0; group < closure_group_count(closure); group++) {
		const char *id = closure_group_id(closure, (uint32_t)group);

		if (strcmp(id, closure_group_dn(closure, (uint32_t)group)) == 0)
			return id;
	}
	return NULL;
}

/* The server would not list all of the user's groups: ask about the closure's groups alone, in batches. */
static enum membership_next ask_in_batches(const struct config_directory *directory, struct membership_lookup *lookup,
					   const struct dir_entry *user)
{
	const char *unnamed = group_without_id(lookup->closure);
	size_t batches = (closure_group_count(lookup->closure) + LOOKUP_BATCH_GROUPS - 1) / LOOKUP_BATCH_GROUPS;

	lookup_drop_asked(lookup);
	if (unnamed != NULL) {
		error_set(&lookup->error, STATUS_LIMIT,
			  "'%s' is in more groups than the server lists, and '%s' shows no entryUUID to ask about it",
			  user->dn, unnamed);
		return MEMBERSHIP_UNKNOWN;
	}
	if (batches > LOOKUP_MAX_BATCHES)
		return lookup_too_many(lookup, user);
	if (!begin_asking(directory, lookup, user, batches))
		return lookup_no_memory(lookup);
	for (size_t batch = 0; batch < batches; batch++) {
		const char *filter = batch_filter(lookup, user, batch * LOOKUP_BATCH_GROUPS);
		struct dir_search *search = &lookup->searches[lookup->search_count];

		if (filter == NULL || dir_search_init(search, NULL) != STATUS_OK)
			return lookup_no_memory(lookup);
		lookup->search_count++;
		question(directory, filter, search);
	}
	lookup->asked = 2;
	return MEMBERSHIP_ASK;
}

static enum membership_next take_groups(struct membership_lookup *lookup, const struct dir_entry *user,
					const struct dir_search *searches, size_t count)
{
	size_t total = 0;

	for (size_t i = 0; i < count; i++) {
		if (searches[i].outcome != DIR_OUTCOME_OK) {
			(void)dir_search_failure(&searches[i], &lookup->error);
			return MEMBERSHIP_UNKNOWN;
		}
		total += searches[i].entry_count;
	}
	if (total > MEMBERSHIP_MAX_DIRECT)
		return lookup_too_many(lookup, user);
	lookup->direct = arena_alloc_array(lookup->arena, total + 1, sizeof(*lookup->direct));
	if (lookup->direct == NULL)
		return lookup_no_memory(lookup);
	for (size_t i = 0; i < count; i++) {
		for (const struct dir_entry *group = searches[i].entries; group != NULL; group = group->next) {
			const char *id = group->id;

			/* As when the groups were listed: without a stable id the DN has to do. */
			if (id == NULL)
				id = group->dn;
			add_direct(lookup, closure_find_id(lookup->closure, id, strlen(id)));
		}
	}
	return MEMBERSHIP_DONE;
}

enum membership_next lookup_by_search(const struct config_directory *directory, struct membership_lookup *lookup,
				      const struct dir_entry *user)
{
	if (lookup->asked == 2)
		return take_groups(lookup, user, lookup->searches, lookup->search_count);
	if (lookup->asked == 0 && (!guess_was_right(lookup, user) || is_any_outside(lookup, directory)))
		return ask_exactly(directory, lookup, user);
	if (lookup->groups->outcome == DIR_OUTCOME_LIMIT)
		return ask_in_batches(directory, lookup, user);
	if (lookup->asked == 0)
		return take_groups(lookup, user, lookup->groups, 1);
	return take_groups(lookup, user, lookup->searches, lookup->search_count);
}

/* memberof */

static uint32_t find_group(struct membership_lookup *lookup, const char *dn, bool *no_memory)
{
	size_t length = 0;
	const char *key = own_key(lookup, dn, &length);

	*no_memory = *no_memory || key == NULL;
	return key == NULL ? CLOSURE_NONE : closure_find_name(lookup->closure, key, length);
}

/* A value that is not the spelling of a group we know may still be one: the server says whose name it is. */
static enum membership_next ask_names(struct membership_lookup *lookup, const struct dir_attribute *groups)
{
	lookup->searches = arena_alloc_array(lookup->arena, groups->value_count, sizeof(*lookup->searches));
	lookup->search_count = 0;
	if (lookup->searches == NULL)
		return lookup_no_memory(lookup);
	for (size_t i = 0; i < groups->value_count; i++) {
		const struct dir_value *value = &groups->values[i];
		struct dir_search *search = &lookup->searches[lookup->search_count];
		bool no_memory = false;

		if (dn_classify(value->data, value->length, NULL) != DN_FOREIGN ||
		    find_group(lookup, value->data, &no_memory) != CLOSURE_NONE)
			continue;
		if (no_memory || dir_search_init(search, NULL) != STATUS_OK)
			return lookup_no_memory(lookup);
		search->base = value->data;
		search->scope = DIR_SCOPE_BASE;
		search->filter = "(objectClass=*)";
		search->attributes = no_attributes;
		lookup->search_count++;
	}
	lookup->asked = 1;
	return lookup->search_count > 0 ? MEMBERSHIP_ASK : MEMBERSHIP_DONE;
}

enum membership_next lookup_by_memberof(struct membership_lookup *lookup, const struct dir_entry *user)
{
	const struct dir_attribute *groups = dir_entry_attribute(user, "memberOf");
	bool no_memory = false;

	lookup->direct_count = 0;
	if (groups == NULL)
		return MEMBERSHIP_DONE;
	if (groups->value_count > MEMBERSHIP_MAX_DIRECT)
		return lookup_too_many(lookup, user);
	if (lookup->asked == 0) {
		enum membership_next next = ask_names(lookup, groups);

		if (next != MEMBERSHIP_DONE)
			return next;
	}
	lookup->direct =
	    arena_alloc_array(lookup->arena, groups->value_count + lookup->search_count + 1, sizeof(*lookup->direct));
	if (lookup->direct == NULL)
		return lookup_no_memory(lookup);
	for (size_t i = 0; i < groups->value_count; i++)
		add_direct(lookup, find_group(lookup, groups->values[i].data, &no_memory));
	for (size_t i = 0; i < lookup->search_count; i++) {
		const struct dir_search *name = &lookup->searches[i];

		if (name->outcome != DIR_OUTCOME_OK && name->outcome != DIR_OUTCOME_NO_SUCH_OBJECT) {
			(void)dir_search_failure(name, &lookup->error);
			return MEMBERSHIP_UNKNOWN;
		}
		if (name->entries != NULL)
			add_direct(lookup, find_group(lookup, name->entries->dn, &no_memory));
	}
	return no_memory ? lookup_no_memory(lookup) : MEMBERSHIP_DONE;
}
