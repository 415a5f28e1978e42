/* SPDX-License-Identifier: Apache-2.0 */
#include <policy/account.h>
#include <policy/policy.h>
#include <policy/redirect.h>

static void decide(struct policy_standing *standing, enum wa_verdict verdict, enum wa_reason reason, size_t rule)
{
	standing->verdict = verdict;
	standing->reason = reason;
	standing->rule = rule;
}

/* True when a deny rule decides. */
static bool rate_deny(const struct config *config, const struct policy_facts *facts, struct policy_standing *standing)
{
	for (size_t i = 0; i < config->rule_count; i++) {
		if (config->rules[i].effect != CONFIG_DENY || config->rules[i].ignore_if_missing ||
		    !facts->rule_missing[i])
			continue;
		decide(standing, WA_ERROR, WA_REASON_DENY_GROUP_MISSING, i);
		return true;
	}
	for (size_t i = 0; i < config->rule_count; i++) {
		if (config->rules[i].effect != CONFIG_DENY || !facts->rule_member[i])
			continue;
		decide(standing, WA_DENY, WA_REASON_DENIED_GROUP, i);
		return true;
	}
	return false;
}

static bool read_account(const struct policy_facts *facts, struct account_state *state, const char **malformed)
{
	if (facts->is_active_directory)
		return account_ad_state_of(facts->user, facts->now_s, facts->lockout_s, state, malformed);
	return account_state_of(facts->user, facts->now_s, facts->lockout_s, state, malformed);
}

/* True when the account's state decides. */
static bool rate_account(const struct config *config, const struct policy_facts *facts,
			 struct policy_standing *standing)
{
	const struct config_account *rules = &config->account;
	struct account_state state;
	enum wa_reason reason = WA_REASON_NONE;

	if (!read_account(facts, &state, &standing->malformed)) {
		decide(standing, WA_ERROR, WA_REASON_INCOMPLETE_DATA, POLICY_NO_RULE);
		return true;
	}
	standing->until_s = state.until_s;
	if (state.disabled && rules->deny_disabled)
		reason = WA_REASON_ACCOUNT_DISABLED;
	else if (state.expired && rules->deny_expired)
		reason = WA_REASON_ACCOUNT_EXPIRED;
	else if (state.locked && rules->deny_locked)
		reason = WA_REASON_ACCOUNT_LOCKED;
	else if (state.password_expired && rules->deny_password_expired)
		reason = WA_REASON_PASSWORD_EXPIRED;
	else if (facts->account_filter_failed)
		reason = WA_REASON_ACCOUNT_FILTER;
	if (reason == WA_REASON_NONE)
		return false;
	decide(standing, WA_DENY, reason, POLICY_NO_RULE);
	return true;
}

static void raise_to(uint32_t *quota, uint32_t value)
{
	if (*quota < value)
		*quota = value;
}

/* Each quota is the largest of the matching rules'; a rule that names none gives the unlimited one. */
static void add_quota(struct wa_quota *quota, const struct config_rule *rule)
{
	raise_to(&quota->max_shells, rule->max_shells);
	raise_to(&quota->max_operations, rule->max_operations);
	if (quota->max_operations_per_timeslot < rule->max_operations_per_timeslot) {
		quota->max_operations_per_timeslot = rule->max_operations_per_timeslot;
		quota->timeslot_s = rule->timeslot_s;
	}
}

/* True when an allow rule holds the user: the first in document order names the decision. */
static bool rate_allow(const struct config *config, const struct policy_facts *facts, struct policy_standing *standing)
{
	struct wa_quota quota = {0, 0, 0, 0};
	size_t first = POLICY_NO_RULE;
	bool administrator = false, fresh = false;

	for (size_t i = 0; i < config->rule_count; i++) {
		if (config->rules[i].effect != CONFIG_ALLOW || !facts->rule_member[i])
			continue;
		if (first == POLICY_NO_RULE)
			first = i;
		administrator = administrator || config->rules[i].administrator;
		fresh = fresh || config->rules[i].fresh;
		add_quota(&quota, &config->rules[i]);
	}
	if (first == POLICY_NO_RULE) {
		decide(standing, WA_DENY, WA_REASON_NOT_A_MEMBER, POLICY_NO_RULE);
		return false;
	}
	decide(standing, WA_AUTHORIZE, WA_REASON_MEMBER, first);
	standing->administrator = administrator;
	standing->fresh = fresh;
	standing->quota = quota;
	return true;
}

/* Who would be let in, and may be in a group that is to be kept out, is not. */
static bool rate_uncertain(const struct config *config, const struct policy_facts *facts,
			   struct policy_standing *standing)
{
	for (size_t i = 0; i < config->rule_count; i++) {
		if (config->rules[i].effect != CONFIG_DENY || !facts->rule_uncertain[i])
			continue;
		decide(standing, WA_ERROR, WA_REASON_DENY_GROUP_UNKNOWN, i);
		standing->administrator = false;
		return true;
	}
	return false;
}

static void rate_place(const struct config *config, const struct policy_facts *facts, struct policy_standing *standing)
{
	switch (redirect_place_of(&config->redirect, facts->user, facts->user_key, facts->site_member, facts->user_id,
				  &standing->site, &standing->uri)) {
	case REDIRECT_HERE:
	case REDIRECT_SITE:
		break;
	case REDIRECT_UNMAPPED:
		decide(standing, WA_DENY, WA_REASON_SITE_UNMAPPED, POLICY_NO_RULE);
		standing->administrator = false;
		break;
	}
}

void policy_rate(const struct config *config, const struct policy_facts *facts, struct policy_standing *standing_out)
{
	*standing_out = (struct policy_standing){
	    .verdict = WA_DENY,
	    .rule = POLICY_NO_RULE,
	    .site = POLICY_NO_SITE,
	    .until_s = INT64_MAX,
	    .quota = {CONFIG_UNLIMITED, CONFIG_UNLIMITED, 0, CONFIG_UNLIMITED},
	};
	if (rate_deny(config, facts, standing_out) || rate_account(config, facts, standing_out))
		return;
	if (rate_allow(config, facts, standing_out) && !rate_uncertain(config, facts, standing_out))
		rate_place(config, facts, standing_out);
}

void policy_judge(const struct config *config, const struct policy_standing *standing,
		  const struct policy_question *question, struct policy_judgement *judgement_out)
{
	const struct config_site *site;

	*judgement_out = (struct policy_judgement){standing->verdict, standing->reason, NULL};
	if (standing->verdict != WA_AUTHORIZE || standing->site == POLICY_NO_SITE || !question->may_redirect)
		return;
	site = &config->redirect.sites[standing->site];
	if (!redirect_is_there(site, question->http_url))
		*judgement_out =
		    (struct policy_judgement){WA_REDIRECT, WA_REASON_SITE_ELSEWHERE, site->uris[standing->uri]};
}
