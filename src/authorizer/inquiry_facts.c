/* SPDX-License-Identifier: Apache-2.0 */
#include <authorizer/inquiry_private.h>

#include <os/clock.h>

/* Windows would find it in everybody's token. To let people in, it has to be a group of people. */
static bool is_for_everybody(const struct inquiry *inquiry, size_t rule)
{
	return inquiry->regime->config->rules[rule].effect == CONFIG_DENY &&
	       membership_everybody(&inquiry->lookup, rule) != NULL;
}

void inquiry_fill_facts(const struct inquiry *inquiry, struct policy_facts *facts, bool *flags)
{
	const struct config *config = inquiry->regime->config;
	size_t rules = config->rule_count, sites = config->redirect.site_count;
	bool *member = flags, *missing = flags + rules, *uncertain = flags + 2 * rules, *site = flags + 3 * rules;
	const struct dir_entry *user = inquiry->user;
	const char *what;

	for (size_t i = 0; i < rules; i++) {
		member[i] = membership_holds(&inquiry->lookup, i) || is_for_everybody(inquiry, i);
		uncertain[i] = membership_doubt(&inquiry->lookup, i, user, &what) != NULL;
		missing[i] = !membership_exists(&inquiry->lookup, i);
	}
	for (size_t i = 0; i < sites; i++)
		site[i] = config->redirect.sites[i].group != NULL && membership_holds(&inquiry->lookup, rules + i);
	facts->user = user;
	facts->user_id = user->id == NULL ? user->dn : user->id;
	facts->rule_member = member;
	facts->rule_uncertain = uncertain;
	facts->rule_missing = missing;
	facts->site_member = site;
	facts->account_filter_failed = !inquiry->seeker.passes_account_filter;
	facts->now_s = clock_wall_s();
	facts->lockout_s = inquiry->lockout_s;
	facts->is_active_directory = inquiry->regime->forest != NULL;
}

static const char *detail_of_doubt(const struct inquiry *inquiry, size_t rule)
{
	const char *what;
	const char *group = membership_doubt(&inquiry->lookup, rule, inquiry->user, &what);

	return arena_printf(
	    inquiry->arena,
	    "'%s', of this deny rule, holds %s, so nobody can tell that the rule does not mean this user; "
	    "take that out of the group, and deny people of other forests there",
	    group, what);
}

static const char *detail_of_denial(const struct inquiry *inquiry, size_t rule)
{
	const char *group = membership_everybody(&inquiry->lookup, rule);

	return group == NULL || membership_holds(&inquiry->lookup, rule)
		   ? NULL
		   : arena_printf(inquiry->arena,
				  "'%s' holds Everyone or Authenticated Users: the rule denies everybody", group);
}

const char *inquiry_detail(const struct inquiry *inquiry)
{
	const struct policy_standing *standing = &inquiry->standing;

	if (standing->malformed != NULL)
		return arena_printf(inquiry->arena, "the value of '%s' cannot be read", standing->malformed);
	if (standing->reason == WA_REASON_DENY_GROUP_MISSING)
		return "the group of this deny rule does not exist, so nobody can be let in";
	if (standing->reason == WA_REASON_DENY_GROUP_UNKNOWN)
		return detail_of_doubt(inquiry, standing->rule);
	if (standing->reason == WA_REASON_DENIED_GROUP)
		return detail_of_denial(inquiry, standing->rule);
	return NULL;
}
