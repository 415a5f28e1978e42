/* SPDX-License-Identifier: Apache-2.0 */
#include <base/text.h>
#include <directory/dir_mark.h>
#include <identity/dn.h>
#include <identity/sender.h>
#include <membership/closure_csn.h>
#include <membership/lookup_groups.h>
#include <membership/lookup_sids.h>
#include <membership/lookup_tokens.h>
#include <membership/membership_private.h>
#include <os/clock.h>
#include <string.h>

static const char *const plain_attributes[] = {"uid", NULL};
static const char *const memberof_attributes[] = {"uid", "memberOf", NULL};
const char *const *membership_user_attributes(const struct config_directory *directory, bool is_active_directory)
{
	if (is_active_directory)
		return lookup_sid_attributes;
	return directory->strategy == CONFIG_STRATEGY_MEMBEROF ? memberof_attributes : plain_attributes;
}

const struct dir_forest *membership_forest(const struct membership *membership)
{
	return membership->forest;
}

struct closure *membership_loaded_closure(const struct membership *membership)
{
	return membership->closure;
}

unsigned membership_search_flags(const struct membership *membership)
{
	return membership->search_flags;
}

static bool uses_search(const struct membership *membership, const struct closure *closure)
{
	if (closure_is_by_sid(closure))
		return false;
	return membership->directory->strategy == CONFIG_STRATEGY_SEARCH ||
	       (membership->directory->strategy == CONFIG_STRATEGY_AUTO && closure_index(closure) == NULL);
}

static bool is_recent(const struct membership *membership, uint64_t since_us, uint64_t now_us)
{
	return since_us > now_us || now_us - since_us < membership->config->cache.unwatched_ttl_ms * 1000;
}

static enum membership_next shutting_down(struct membership_lookup *lookup)
{
	error_set(&lookup->error, STATUS_CANCELLED, "shutting down");
	return MEMBERSHIP_UNKNOWN;
}

/* A group may have left another by itself since the closure was read; one that was read for this lookup is the best there is. */
static bool is_over(const struct membership *membership, const struct membership_lookup *lookup)
{
	return membership->closure != NULL && membership->closure_began_us < lookup->began_us &&
	       clock_monotonic_us() >= membership->closure_ends_us;
}

enum membership_next membership_begin(struct membership *membership, struct membership_lookup *lookup)
{
	if (membership->stopped)
		return shutting_down(lookup);
	if (lookup->began_us == 0)
		lookup->began_us = clock_monotonic_us();
	if (is_over(membership, lookup))
		return membership_refresh(membership, lookup);
	membership_watch_use(membership);
	if (membership_is_watched(membership))
		return membership_waits_for_pending(membership, lookup) ? membership_await_pending(membership, lookup)
									: MEMBERSHIP_ASK;
	/* Nothing could prove it fresh: read it first, so that the user's entry is not older than the closure. */
	if (membership->closure == NULL ||
	    (membership->csn == NULL && membership->closure_began_us < lookup->began_us &&
	     !is_recent(membership, membership->proven_us, lookup->began_us)))
		return membership_refresh(membership, lookup);
	return MEMBERSHIP_ASK;
}

/* Most users' DNs are their name and a common parent: then one round trip brings user and groups together. */
static enum status prepare_groups(struct membership *membership, struct membership_lookup *lookup)
{
	struct dir_search *groups = &lookup->first[lookup->search_count];
	struct dir_value uid = {lookup->user, strlen(lookup->user)};
	struct dir_attribute uids = {"uid", &uid, 1};
	struct text dn;

	text_init(&dn);
	text_printf(&dn, "%s=", membership->directory->user_name_attribute);
	dn_add_value(&dn, uid.data, uid.length);
	text_printf(&dn, ",%s", membership->people);
	if (!text_failed(&dn))
		lookup->guess = arena_copy_text(lookup->arena, text_string(&dn));
	text_done(&dn);
	lookup->guess_kinds = closure_kinds(membership->closure);
	if (lookup->guess == NULL ||
	    !lookup_ask_groups(membership->directory, lookup->guess_kinds, lookup->arena, lookup->guess, &uids, groups))
		return STATUS_NO_MEMORY;
	lookup->groups = groups;
	lookup->search_count++;
	return STATUS_OK;
}

static bool is_old(const struct membership *membership, uint64_t now_us)
{
	uint64_t most_ms = membership->csn_is_doubtful ? MEMBERSHIP_REREAD_DOUBTFUL_MS : MEMBERSHIP_REREAD_MS;

	return now_us - membership->closure_began_us >= most_ms * 1000;
}

static enum status prepare_unwatched(struct membership *membership, struct membership_lookup *lookup)
{
	lookup->proven = is_recent(membership, membership->proven_us, lookup->asked_us);
	/* Nobody waits for this one, so it is no matter when there is no memory for it. */
	if (is_old(membership, lookup->asked_us))
		(void)!membership_load(membership);
	if (membership->csn == NULL)
		return STATUS_OK;
	/* What proves the closure does not prove that the user's entry is of the same server. */
	lookup->mark_base = arena_copy_text(lookup->arena, membership->csn_base);
	return lookup->mark_base == NULL ? STATUS_NO_MEMORY : STATUS_OK;
}

enum status membership_prepare(struct membership *membership, struct membership_lookup *lookup)
{
	enum status status;

	lookup->asked_us = lookup->fresh_us = clock_monotonic_us();
	lookup->watched = membership_is_watched(membership);
	lookup->searches = lookup->first;
	lookup->search_count = 0;
	lookup->groups = NULL;
	lookup->guess = lookup->mark_base = lookup->mark = lookup->closure_mark = NULL;
	lookup->ends_us = UINT64_MAX;
	/* What nobody has thought of must not last: a restored group is let in again by those that list it, and nobody is told. */
	if (lookup->watched && closure_is_by_sid(membership->closure) && is_old(membership, lookup->asked_us))
		(void)!membership_load(membership);
	status =
	    lookup->watched ? membership_prepare_watched(membership, lookup) : prepare_unwatched(membership, lookup);
	/* A copy: it moves with the watch, and the answer cannot know of that. */
	if (status == STATUS_OK && lookup->mark_base != NULL && membership->csn != NULL) {
		lookup->closure_mark = arena_copy_text(lookup->arena, membership->csn);
		status = lookup->closure_mark == NULL ? STATUS_NO_MEMORY : STATUS_OK;
	}
	if (status == STATUS_OK && uses_search(membership, membership->closure) && membership->people != NULL)
		status = prepare_groups(membership, lookup);
	return status;
}

/* The mark that this lookup was shown is the one of the closure. */
static bool is_proven(const struct membership *membership, const struct membership_lookup *lookup)
{
	return lookup->mark != NULL && membership->csn != NULL && strcmp(lookup->mark, membership->csn) == 0;
}

static bool is_fresh(struct membership *membership, const struct membership_lookup *lookup)
{
	if (lookup->proven || membership->closure_began_us >= lookup->began_us)
		return true;
	if (!is_proven(membership, lookup))
		return false;
	if (membership->proven_us < lookup->asked_us)
		membership->proven_us = lookup->asked_us;
	return true;
}

/* The user's entry is of a server that has what the closure has, as far as marks tell. */
static bool shows_closure(const struct membership *membership, const struct membership_lookup *lookup)
{
	if (!lookup->watched)
		return is_proven(membership, lookup);
	return lookup->mark != NULL && membership->csn != NULL && closure_csn_covers(lookup->mark, membership->csn);
}

/* Since when the closure may be out of date without anybody's knowing. */
static uint64_t fresh_since(const struct membership *membership, const struct membership_lookup *lookup)
{
	uint64_t since_us = lookup->asked_us;

	if (lookup->watched && membership_is_watched(membership)) {
		if (membership_is_pending(membership)) /* it was read after the lookup began, or it would wait */
			since_us = membership->closure_began_us;
		else if (lookup->mark == NULL || membership->watched.is_unmarked)
			since_us = membership->lease_proven_us;
	} else if (!is_proven(membership, lookup)) {
		since_us = membership->closure_began_us >= lookup->began_us ? membership->closure_began_us
									    : membership->proven_us;
	}
	return since_us < lookup->asked_us ? since_us : lookup->asked_us;
}

/* The user's entry is of another server than the closure: they are read from one. */
static enum membership_next read_from_one(struct membership *membership, struct membership_lookup *lookup)
{
	if (membership->closure_began_us < lookup->began_us)
		return membership_refresh(membership, lookup);
	if (lookup->anews < MEMBERSHIP_MAX_ANEWS)
		return MEMBERSHIP_ANEW;
	error_set(&lookup->error, STATUS_UNREACHABLE, "several servers answer in turn, of which one is behind");
	return MEMBERSHIP_UNKNOWN;
}

static bool is_of_two(const struct membership *membership, const struct membership_lookup *lookup)
{
	return lookup->mark != NULL && membership->csn != NULL && dir_mark_is_of_other(lookup->mark, membership->csn);
}

/* The user's entry is of a server that lacks what the closure has: together they may be what no server ever had. */
static bool is_behind_closure(const struct membership *membership, const struct membership_lookup *lookup)
{
	return lookup->mark != NULL && lookup->closure_mark != NULL && !is_of_two(membership, lookup) &&
	       !closure_csn_covers(lookup->mark, lookup->closure_mark);
}

/* Whether the closure may be used, and whether the user's entry goes with it: see the header. MEMBERSHIP_DONE: both. */
static enum membership_next check(struct membership *membership, struct membership_lookup *lookup)
{
	const bool is_watched = lookup->watched && membership_is_watched(membership);
	enum membership_next next = MEMBERSHIP_DONE;

	/* What was asked without a watch is proven, or not, in that way, also when the watch has come up meanwhile. */
	if (lookup->watched && !membership_is_watched(membership) && lookup->anews < MEMBERSHIP_MAX_ANEWS)
		return MEMBERSHIP_ANEW;
	if (is_over(membership, lookup) || (!is_watched && !is_fresh(membership, lookup)))
		next = membership_refresh(membership, lookup);
	else if (!is_watched && is_of_two(membership, lookup))
		next = read_from_one(membership, lookup);
	else if (is_watched)
		next = membership_check_watched(membership, lookup);
	if (next == MEMBERSHIP_DONE && lookup->asked_us >= membership->closure_marked_us &&
	    is_behind_closure(membership, lookup))
		return read_from_one(membership, lookup);
	if (next != MEMBERSHIP_DONE || lookup->is_of_one_moment || lookup->asked_us >= membership->closure_marked_us ||
	    shows_closure(membership, lookup))
		return next;
	lookup->is_of_one_moment = true;
	return MEMBERSHIP_ANEW;
}

/* Remember the parent of a user whose DN is <name attribute>=<name>,<parent>, for the next guess. */
static void learn_people(struct membership *membership, const struct membership_lookup *lookup,
			 const struct dir_entry *user)
{
	const char *parent = dn_parent(user->dn);
	struct text built, own;

	if (parent == NULL || (membership->people != NULL && strcmp(membership->people, parent) == 0))
		return;
	text_init(&built);
	text_init(&own);
	text_printf(&built, "%s=", membership->directory->user_name_attribute);
	dn_add_value(&built, lookup->user, strlen(lookup->user));
	text_printf(&built, ",%s", parent);
	dn_own_key(user->dn, strlen(user->dn), &own);
	if (!text_failed(&built) && !text_failed(&own)) {
		struct text key;

		text_init(&key);
		dn_own_key(text_string(&built), built.length, &key);
		if (!text_failed(&key) && strcmp(text_string(&key), text_string(&own)) == 0)
			(void)!membership_replace_text(&membership->people, parent);
		text_done(&key);
	}
	text_done(&built);
	text_done(&own);
}

static enum membership_next step_by_sid(struct membership *membership, struct membership_lookup *lookup,
					const struct dir_entry *user)
{
	enum membership_next next;

	if (lookup->asked > 0 || (lookup_needs_tokens(membership->forest) && lookup_has_token(user)))
		return lookup_by_token(lookup, user, membership->config->cache.unwatched_ttl_ms);
	next = lookup_by_sid(lookup, user);
	return next == MEMBERSHIP_DONE ? membership_token_check(membership, lookup, user) : next;
}

enum membership_next membership_step(struct membership *membership, struct membership_lookup *lookup,
				     const struct dir_entry *user)
{
	if (membership->stopped)
		return shutting_down(lookup);
	if (user == NULL && !(lookup->watched && membership_is_watched(membership)))
		return MEMBERSHIP_DONE;
	/* What was asked about a closure is answered with that one. */
	if (lookup->asked == 0) {
		enum membership_next next = check(membership, lookup);

		if (next == MEMBERSHIP_ANEW)
			lookup->anews++;
		if (next != MEMBERSHIP_DONE)
			return next;
		closure_unref(&lookup->closure);
		lookup->closure = closure_ref(membership->closure);
		lookup->ends_us = membership->closure_ends_us;
		lookup->fresh_us = fresh_since(membership, lookup);
	}
	if (user == NULL)
		return MEMBERSHIP_DONE;
	if (lookup->asked == 0 && membership_lag_concerns(membership, lookup, user)) {
		(void)membership_lag_refuse(membership, &lookup->error);
		return MEMBERSHIP_UNKNOWN;
	}
	if (closure_is_by_sid(lookup->closure))
		return step_by_sid(membership, lookup, user);
	if (membership->directory->strategy == CONFIG_STRATEGY_MEMBEROF)
		return lookup_by_memberof(lookup, user);
	if (!uses_search(membership, lookup->closure))
		return lookup_by_index(lookup, user);
	learn_people(membership, lookup, user);
	return lookup_by_search(membership->directory, lookup, user);
}

void membership_done(struct membership_lookup *lookup)
{
	lookup_drop_asked(lookup);
	for (size_t i = 0; lookup->first != NULL && i < MEMBERSHIP_FIRST_SEARCHES; i++)
		dir_search_done(&lookup->first[i]);
	closure_unref(&lookup->closure);
}

/* The direct group that is nearest to the root; CLOSURE_NONE when none lies beneath it. */
static uint32_t nearest(const struct membership_lookup *lookup, size_t root)
{
	uint32_t best = CLOSURE_NONE, best_distance = CLOSURE_NONE;

	for (size_t i = 0; i < lookup->direct_count; i++) {
		uint32_t distance = closure_distance(lookup->closure, root, lookup->direct[i]);

		if (distance < best_distance) {
			best_distance = distance;
			best = lookup->direct[i];
		}
	}
	return best;
}

bool membership_holds(const struct membership_lookup *lookup, size_t root)
{
	return nearest(lookup, root) != CLOSURE_NONE;
}

size_t membership_path(const struct membership_lookup *lookup, size_t root, const char *user_dn,
		       const char *const **path_out)
{
	uint32_t group = nearest(lookup, root);
	const char **path;
	size_t count = 0;

	if (group == CLOSURE_NONE)
		return 0;
	path =
	    arena_alloc_array(lookup->arena, (size_t)closure_distance(lookup->closure, root, group) + 2, sizeof(*path));
	if (path == NULL)
		return 0;
	path[count++] = user_dn;
	for (; group != CLOSURE_NONE; group = closure_next_hop(lookup->closure, root, group))
		path[count++] = closure_group_dn(lookup->closure, group);
	*path_out = path;
	return count;
}

size_t membership_known_path(const struct membership *membership, size_t root, const char *user_dn, const char *name,
			     struct arena *arena, const char *const **path_out)
{
	struct dir_value uid = {name, name == NULL ? 0 : strlen(name)};
	struct dir_attribute uids = {"uid", &uid, name == NULL ? 0 : 1};
	const struct dir_entry user = {.dn = user_dn, .attributes = &uids, .attribute_count = 1};
	struct membership_lookup lookup = {.arena = arena, .closure = membership->closure};

	if (lookup.closure == NULL || closure_index(lookup.closure) == NULL ||
	    lookup_by_index(&lookup, &user) != MEMBERSHIP_DONE)
		return 0;
	return membership_path(&lookup, root, user_dn, path_out);
}

/* Since the older of what the pool has seen and the watch has not told, and what was told and is not applied. */
static uint64_t lag_us(const struct membership *membership, uint64_t now_us)
{
	uint64_t since_us = now_us;

	if (membership->watched.awaited != NULL && membership->watched.awaited_asked_us < since_us)
		since_us = membership->watched.awaited_asked_us;
	if (membership->pending.since_us != 0 && membership->pending.since_us < since_us)
		since_us = membership->pending.since_us;
	return now_us - since_us;
}

void membership_figures(const struct membership *membership, struct membership_figures *figures_out)
{
	const struct member_index *index = membership->closure == NULL ? NULL : closure_index(membership->closure);

	*figures_out = (struct membership_figures){
	    .load_us = membership->load_us,
	    .load_failures = membership->load_failures,
	    .groups = membership->closure == NULL ? 0 : closure_group_count(membership->closure),
	    .memberships = index == NULL ? 0 : member_index_count(index),
	    .index_bytes = index == NULL ? 0 : member_index_bytes(index),
	    .watched = membership_is_watched(membership),
	    .lag_us = lag_us(membership, clock_monotonic_us()),
	    .proven_us = membership->lease_proven_us > membership->proven_us ? membership->lease_proven_us
									     : membership->proven_us,
	    .missing_changes = membership->lag.missing,
	};
}

bool membership_is_loaded(const struct membership *membership)
{
	return membership->closure != NULL;
}

size_t membership_hashes(const struct membership *membership, const struct dir_entry *user, uint64_t *hashes,
			 size_t room)
{
	const struct dir_attribute *uids = dir_entry_attribute(user, "uid");
	size_t count = 1 + (uids == NULL ? 0 : uids->value_count);
	struct text key;
	bool is_known;

	text_init(&key);
	dn_own_key(user->dn, strlen(user->dn), &key);
	is_known = !text_failed(&key);
	if (is_known)
		hashes[0] = closure_digest_dn(membership->closure, text_string(&key), key.length).high;
	text_done(&key);
	if (!is_known) /* a verdict whose dependencies are not known cannot be kept */
		return room + 1;
	for (size_t i = 1; uids != NULL && i < count && i < room; i++)
		hashes[i] =
		    closure_digest_uid(membership->closure, uids->values[i - 1].data, uids->values[i - 1].length).high;
	return count;
}

uint64_t membership_id_hash(const struct membership *membership, const char *id)
{
	return digest_of(&membership->key, id, strlen(id)).high;
}

uint64_t membership_name_hash(const struct membership *membership, const char *name, size_t length)
{
	return sender_name_hash(&membership->key, name, length);
}

bool membership_exists(const struct membership_lookup *lookup, size_t root)
{
	return closure_root_group(lookup->closure, root) != CLOSURE_NONE;
}
