/* SPDX-License-Identifier: Apache-2.0 */
/*
 * On Active Directory: whether the server's own word on a few users' groups (tokenGroups) is what is found by the groups that the account
 * may read. The engine asks the same now and then, and refuses whom it differs for.
 */
#include <cli/doctor_groups.h>
#include <membership/lookup_sids.h>
#include <membership/lookup_tokens.h>
#include <membership/membership.h>
#include <string.h>

/* What one user's groups may take. */
#define USER_BYTES ((size_t)16 * 1024 * 1024)

#define READ_REMEDY                                                                                                    \
	"let the account read it: 'Windows Authorization Access Group' or 'Pre-Windows 2000 Compatible Access' may"
#define DIFFER_REMEDY                                                                                                  \
	"see that the account may read every group that is nested below the configured ones, and their members"

struct tally {
	size_t agree, unreadable;
	const char *difference; /* of the first who differs; NULL: nobody does */
};

static bool is_listed(const uint32_t *groups, size_t count, uint32_t group)
{
	for (size_t i = 0; i < count; i++)
		if (groups[i] == group)
			return true;
	return false;
}

static void compare(struct doctor *doctor, const struct membership_lookup *lookup, const struct dir_entry *user,
		    const uint32_t *token, size_t token_count, struct tally *tally)
{
	for (size_t root = 0; root < closure_root_count(lookup->closure); root++) {
		const uint32_t group = closure_root_group(lookup->closure, root);
		bool is_in_token;

		if (group == CLOSURE_NONE)
			continue;
		is_in_token = is_listed(token, token_count, group);
		if (membership_holds(lookup, root) == is_in_token)
			continue;
		tally->difference =
		    doctor_text(doctor, "'%s' is %s '%s' by the groups that can be read, and %s by tokenGroups",
				user->dn, is_in_token ? "not in" : "in", closure_group_dn(lookup->closure, group),
				is_in_token ? "is" : "is not");
		return;
	}
	tally->agree++;
}

/* `user` shows his groups. */
static void look_at_token(struct doctor *doctor, const struct dir_entry *user, struct arena *arena, struct tally *tally)
{
	static const char *const attributes[] = {"tokenGroups", NULL};
	struct membership_lookup lookup = {.arena = arena, .closure = doctor->groups->closure};
	struct dir_search search;
	uint32_t *token;
	size_t count;

	if (user->id == NULL || !lookup_has_token(user) || lookup_by_sid(&lookup, user) != MEMBERSHIP_DONE)
		return;
	if (!lookup_ask_token(arena, user->id, attributes, &search))
		return;
	if (!doctor_ask(doctor, &search, 1) ||
	    lookup_take_token(lookup.closure, search.entries, arena, &token, &count) != STATUS_OK)
		tally->unreadable++;
	else
		compare(doctor, &lookup, user, token, count, tally);
	dir_search_done(&search);
}

static void look_at(struct doctor *doctor, const char *dn, struct tally *tally)
{
	static const char *const attributes[] = {"objectClass", "memberOf", "primaryGroupID", "objectSid", NULL};
	struct arena *arena = arena_new(USER_BYTES);
	struct dir_search search;

	if (arena != NULL && doctor_search(doctor, &search, dn, DIR_SCOPE_BASE, "(objectClass=*)", attributes)) {
		search.flags = dir_facts_search_flags(&doctor->facts);
		if (doctor_ask(doctor, &search, 1) && search.entries != NULL)
			look_at_token(doctor, search.entries, arena, tally);
		dir_search_done(&search);
	}
	arena_free(&arena);
}

void doctor_tokens(struct doctor *doctor)
{
	/* Where one domain cannot see all, the token is the answer, and not beside it. */
	const enum doctor_level level = lookup_needs_tokens(doctor->forest) ? DOCTOR_ERROR : DOCTOR_WARNING;
	struct tally tally = {.agree = 0};

	for (const struct dir_entry *user = doctor->sample.entries; user != NULL && tally.difference == NULL;
	     user = user->next)
		look_at(doctor, user->dn, &tally);
	if (tally.difference != NULL)
		doctor_tell(doctor, DOCTOR_ERROR, NULL, DIFFER_REMEDY, "%s: who differs is not let in",
			    tally.difference);
	else if (tally.unreadable > 0)
		doctor_tell(doctor, level, NULL, READ_REMEDY, "%zu of %zu users show no tokenGroups: %s",
			    tally.unreadable, tally.agree + tally.unreadable,
			    level == DOCTOR_ERROR ? "decisions on them are errors, since the forest has several domains"
						  : "what is decided cannot be held against the server's own word");
	else if (tally.agree == 0)
		doctor_tell(doctor, DOCTOR_NOT_TRIED, NULL, NULL, "not tried: no user can be seen");
	else
		doctor_tell(doctor, DOCTOR_OK, NULL, NULL, "tokenGroups of %zu %s as the groups say", tally.agree,
			    tally.agree == 1 ? "user is" : "users are");
}
