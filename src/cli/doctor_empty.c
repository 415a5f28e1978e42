/* SPDX-License-Identifier: Apache-2.0 */
/* Who would be let in and shows no value of the redirect's attribute, and so belongs nowhere. */
#include <cli/doctor_groups.h>
#include <identity/dn.h>
#include <membership/lookup_groups.h>
#include <membership/lookup_sids.h>
#include <membership/membership.h>
#include <policy/redirect.h>
#include <string.h>

/* Users that are named; of more, how many. */
#define NAMED 3
/* What the groups of one user may take. */
#define USER_BYTES ((size_t)4 * 1024 * 1024)

struct empty {
	struct doctor *doctor;
	struct config_redirect strict; /* the policy's, where everybody without a place is told */
	bool *site_member;             /* [site_count] */
	size_t seen, let_in;           /* users without a value; of these, whom the rules let in and no site is for */
	const char *names;
};

/* The rules alone: not the state of the account. */
static bool is_let_in(const struct config *config, const struct membership_lookup *lookup)
{
	bool is_allowed = false;

	for (size_t i = 0; i < config->rule_count; i++) {
		if (!membership_holds(lookup, i))
			continue;
		if (config->rules[i].effect == CONFIG_DENY)
			return false;
		is_allowed = true;
	}
	return is_allowed;
}

static bool has_site(struct empty *empty, const struct membership_lookup *lookup, const struct dir_entry *user,
		     const char *key)
{
	const struct config *config = empty->doctor->config;
	size_t site, uri;

	for (size_t i = 0; i < config->redirect.site_count; i++)
		empty->site_member[i] =
		    config->redirect.sites[i].group != NULL && membership_holds(lookup, config->rule_count + i);
	return redirect_place_of(&empty->strict, user, key, empty->site_member, user->dn, &site, &uri) !=
	       REDIRECT_UNMAPPED;
}

/* @return STATUS_OK, STATUS_NO_MEMORY. Whose groups cannot be told is passed over. */
static enum status look_at(struct empty *empty, const struct dir_entry *user, const char *key, struct arena *arena)
{
	struct doctor *doctor = empty->doctor;
	struct membership_lookup lookup = {.arena = arena, .closure = doctor->groups->closure};
	const enum membership_next next =
	    closure_is_by_sid(lookup.closure) ? lookup_by_sid(&lookup, user) : lookup_by_index(&lookup, user);

	if (next != MEMBERSHIP_DONE)
		return lookup.error.status == STATUS_NO_MEMORY ? STATUS_NO_MEMORY : STATUS_OK;
	if (!is_let_in(doctor->config, &lookup) || has_site(empty, &lookup, user, key))
		return STATUS_OK;
	if (empty->let_in++ < NAMED)
		empty->names = doctor_text(doctor, "%s%s%s", empty->names, empty->let_in > 1 ? ", " : "", user->dn);
	return STATUS_OK;
}

static enum status take_user(void *context, const struct dir_entry *user)
{
	struct empty *empty = context;
	struct doctor *doctor = empty->doctor;
	enum status status = STATUS_NO_MEMORY;
	struct arena *arena;
	struct text key;

	if (empty->seen >= doctor->user_limit)
		return STATUS_LIMIT;
	if (++empty->seen % DOCTOR_PAGE == 0)
		doctor_print_progress(&doctor->print, doctor->check->doing);
	text_init(&key);
	dn_own_key(user->dn, strlen(user->dn), &key);
	arena = arena_new(USER_BYTES);
	if (arena != NULL && !text_failed(&key))
		status = look_at(empty, user, text_string(&key), arena);
	arena_free(&arena);
	text_done(&key);
	return status;
}

static void tell(struct doctor *doctor, const struct empty *empty)
{
	const bool is_denied = doctor->config->redirect.deny_unmapped;
	const char *attribute = empty->strict.attribute;

	if (empty->let_in > 0)
		doctor_tell(doctor, is_denied ? DOCTOR_WARNING : DOCTOR_OK, attribute,
			    is_denied ? "fill it in, name their OU or a group of theirs by <site ou=\"...\"> or <site "
					"group=\"...\">, or say unmapped=\"authorize\""
				      : NULL,
			    "%zu %s that the rules let in %s no value and no other site: %s (%s%s)", empty->let_in,
			    empty->let_in == 1 ? "user" : "users", empty->let_in == 1 ? "has" : "have",
			    is_denied ? "denied" : "served wherever they come to", empty->names,
			    empty->let_in > NAMED ? ", ..." : "");
	else
		doctor_tell(doctor, DOCTOR_OK, attribute, NULL,
			    "everybody whom the rules let in has a value, or a site");
	if (empty->seen >= doctor->user_limit)
		doctor_tell(doctor, DOCTOR_OK, attribute, NULL, "no more than %llu users were looked at (--limit)",
			    (unsigned long long)doctor->user_limit);
}

static void list_users(struct doctor *doctor, struct empty *empty)
{
	static const unsigned patience = 4;
	const struct closure *closure = doctor->groups->closure;
	static const char *const by_index[] = {"uid", NULL};
	static const char *const by_sid[] = {"objectClass", "memberOf", "primaryGroupID", "objectSid", NULL};
	struct dir_search search;

	if (!doctor_search(
		doctor, &search, doctor->directory->base, DIR_SCOPE_SUBTREE,
		doctor_text(doctor, "(&%s(!(%s=*)))", doctor->directory->user_filter, empty->strict.attribute),
		closure_is_by_sid(closure) ? by_sid : by_index))
		return;
	search.page_size = DOCTOR_PAGE;
	search.flags = dir_facts_search_flags(&doctor->facts);
	search.on_entry = take_user;
	search.on_entry_context = empty;
	if (doctor_ask(doctor, &search, patience) || empty->seen >= doctor->user_limit)
		tell(doctor, empty);
	else
		doctor_tell_search(doctor, DOCTOR_WARNING, empty->strict.attribute, &search,
				   "let the account list the users");
	dir_search_done(&search);
}

void doctor_redirect_empty(struct doctor *doctor)
{
	const struct closure *closure = doctor->groups->closure;
	struct empty empty = {.doctor = doctor, .strict = doctor->config->redirect, .names = ""};

	empty.strict.deny_unmapped = true;
	if (!closure_is_by_sid(closure) && closure_index(closure) == NULL) {
		doctor_tell(doctor, DOCTOR_NOT_TRIED, empty.strict.attribute, NULL,
			    "not tried: the members of the groups are more than are held here");
		return;
	}
	empty.site_member = arena_alloc_array(doctor->arena, empty.strict.site_count + 1, sizeof(*empty.site_member));
	if (empty.site_member == NULL)
		doctor_tell(doctor, DOCTOR_ERROR, NULL, NULL, "out of memory");
	else
		list_users(doctor, &empty);
}
