/* SPDX-License-Identifier: Apache-2.0 */
#include <authorizer/engine_private.h>
#include <authorizer/explain.h>
#include <base/ascii.h>
#include <base/text.h>
#include <policy/account.h>
#include <policy/redirect.h>
#include <string.h>

const char *explain_copy(struct arena *arena, const char *text, bool *good)
{
	const char *copy = text == NULL ? NULL : arena_copy_text(arena, text);

	if (text != NULL && copy == NULL)
		*good = false;
	return copy;
}

/* Rules */

static bool is_missing(const struct explain_source *source, size_t rule)
{
	return source->closure != NULL && closure_root_group(source->closure, rule) == CLOSURE_NONE;
}

static enum wa_holding holding_of(const struct explain_source *source, size_t rule)
{
	const struct policy_facts *facts = source->review.facts;

	if (is_missing(source, rule))
		return WA_HOLDING_MISSING;
	if (facts == NULL)
		return WA_HOLDING_UNASKED;
	if (facts->rule_member[rule])
		return WA_HOLDING_YES;
	return facts->rule_uncertain[rule] ? WA_HOLDING_UNKNOWN : WA_HOLDING_NO;
}

static enum wa_part part_of(const struct explain_source *source, size_t rule, enum wa_holding holding)
{
	const struct policy_standing *standing = source->review.standing;

	if (standing == NULL)
		return WA_PART_NONE;
	if (standing->rule == rule)
		return WA_PART_DECIDED;
	if (holding != WA_HOLDING_YES)
		return WA_PART_NONE;
	return standing->verdict == WA_AUTHORIZE ? WA_PART_ADDED : WA_PART_OVERRULED;
}

static const char *note_of(const struct explain_source *source, size_t rule, enum wa_holding holding, bool *good)
{
	const struct policy_facts *facts = source->review.facts;
	const char *what = NULL, *group, *note = NULL;

	if (facts == NULL)
		return NULL;
	if (holding == WA_HOLDING_YES && !membership_holds(source->findings->lookup, rule)) {
		group = membership_everybody(source->findings->lookup, rule);
		note = arena_printf(source->arena, "'%s' holds Everyone or Authenticated Users",
				    group == NULL ? "" : group);
	} else if (holding == WA_HOLDING_UNKNOWN) {
		group = membership_doubt(source->findings->lookup, rule, facts->user, &what);
		note = arena_printf(source->arena, "'%s' holds %s", group == NULL ? "" : group,
				    what == NULL ? "somebody unknown" : what);
	} else {
		return NULL;
	}
	*good = *good && note != NULL;
	return note;
}

static bool write_rules(const struct explain_source *source, struct wa_explained_rule **rules_out,
			struct wa_explanation *explanation)
{
	const struct config *config = source->regime->config;
	struct wa_explained_rule *rules = arena_alloc_array(source->arena, config->rule_count + 1, sizeof(*rules));
	bool good = rules != NULL;

	for (size_t i = 0; rules != NULL && i < config->rule_count; i++) {
		const struct config_rule *rule = &config->rules[i];
		const enum wa_holding holding = holding_of(source, i);

		rules[i] = (struct wa_explained_rule){
		    .label = explain_copy(source->arena, rule->label, &good),
		    .line = rule->line,
		    .is_deny = rule->effect == CONFIG_DENY,
		    .administrator = rule->administrator,
		    .fresh = rule->fresh,
		    .ignores_missing = rule->ignore_if_missing,
		    .quota = {rule->max_shells, rule->max_operations, rule->timeslot_s,
			      rule->max_operations_per_timeslot},
		    .holding = holding,
		    .part = part_of(source, i, holding),
		    .note = note_of(source, i, holding, &good),
		    .group = WA_NO_GROUP,
		};
	}
	*rules_out = rules;
	explanation->rules = rules;
	explanation->rule_count = good ? config->rule_count : 0;
	return good;
}

/* The account */

static enum wa_check_state state_of(const struct review *review, bool is_in_it)
{
	if (review->facts == NULL)
		return WA_CHECK_UNASKED;
	if (!review->has_account)
		return WA_CHECK_UNREADABLE;
	return is_in_it ? WA_CHECK_FAILED : WA_CHECK_PASSED;
}

static enum wa_check_state filter_state(const struct review *review, const struct config_account *rules)
{
	if (review->facts == NULL || rules->filter[0] == '\0')
		return WA_CHECK_UNASKED;
	return review->facts->account_filter_failed ? WA_CHECK_FAILED : WA_CHECK_PASSED;
}

static void write_checks(const struct explain_source *source, struct wa_explained_account *account)
{
	const struct config_account *rules = &source->regime->config->account;
	const struct review *review = &source->review;
	const enum wa_reason reason = review->standing == NULL ? WA_REASON_NONE : review->standing->reason;
	const bool is_unreadable = reason == WA_REASON_INCOMPLETE_DATA;
	const struct account_state *state = &review->account;
	const struct wa_explained_check checks[WA_EXPLAIN_CHECKS] = {
	    {"disabled", state_of(review, state->disabled), rules->deny_disabled,
	     is_unreadable || reason == WA_REASON_ACCOUNT_DISABLED},
	    {"expired", state_of(review, state->expired), rules->deny_expired, reason == WA_REASON_ACCOUNT_EXPIRED},
	    {"locked", state_of(review, state->locked), rules->deny_locked, reason == WA_REASON_ACCOUNT_LOCKED},
	    {"password-expired", state_of(review, state->password_expired), rules->deny_password_expired,
	     reason == WA_REASON_PASSWORD_EXPIRED},
	    {"filter", filter_state(review, rules), true, reason == WA_REASON_ACCOUNT_FILTER},
	};

	memcpy(account->checks, checks, sizeof(checks));
	account->is_too_late = reason == WA_REASON_DENIED_GROUP || reason == WA_REASON_DENY_GROUP_MISSING;
	account->until_s = review->has_account ? review->account.until_s : INT64_MAX;
}

/* FILETIME (MS-DTYP 2.3.3): 100 ns since 1601. */
#define FILETIME_PER_SECOND 10000000
#define SECONDS_TO_1970     INT64_C(11644473600)
#define SECONDS_PER_DAY     86400

/* "2026-11-24 06:00 UTC": the Gregorian calendar, whose years begin in March here, so that leap days come last. */
static void add_date(struct text *text, int64_t seconds)
{
	const int64_t days = seconds / SECONDS_PER_DAY + 719468, era = days / 146097, day_of_era = days % 146097;
	const int64_t year = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	const int64_t day_of_year = day_of_era - (365 * year + year / 4 - year / 100);
	const int month = (int)((5 * day_of_year + 2) / 153), minute = (int)(seconds % SECONDS_PER_DAY / 60);

	text_printf(text, " (%04d-%02d-%02d %02d:%02d UTC)", (int)(year + era * 400 + (month >= 10)),
		    month < 10 ? month + 3 : month - 9, (int)(day_of_year - (153 * month + 2) / 5 + 1), minute / 60,
		    minute % 60);
}

/* Active Directory writes moments as numbers that nobody can read. */
static void add_moment(struct text *text, const struct dir_entry *user, const char *name)
{
	static const char *const moments[] = {"accountExpires", "lockoutTime", "pwdLastSet",
					      "msDS-UserPasswordExpiryTimeComputed"};
	bool is_moment = false, is_there = false;
	int64_t value = 0;

	for (size_t i = 0; i < COUNT_OF(moments); i++)
		is_moment = is_moment || ascii_equal_nocase(name, moments[i]);
	if (!is_moment || !dir_entry_number(user, name, &is_there, &value) || !is_there)
		return;
	if (value == INT64_MAX || value == 0)
		text_add(text, value == 0 && !ascii_equal_nocase(name, "accountExpires") ? " (not set)" : " (never)");
	else if (value / FILETIME_PER_SECOND > SECONDS_TO_1970)
		add_date(text, value / FILETIME_PER_SECOND - SECONDS_TO_1970);
}

/* "name: value, value"; NULL: no memory. */
static const char *show_attribute(struct arena *arena, const struct policy_facts *facts,
				  const struct dir_attribute *attribute)
{
	const char *copy = NULL;
	struct text text;

	text_init(&text);
	text_add(&text, attribute->name);
	for (size_t i = 0; i < attribute->value_count; i++) {
		text_add(&text, i == 0 ? ": " : ", ");
		text_add_bytes(&text, attribute->values[i].data, attribute->values[i].length);
	}
	if (facts->is_active_directory)
		add_moment(&text, facts->user, attribute->name);
	if (!text_failed(&text))
		copy = arena_copy_text(arena, text_string(&text));
	text_done(&text);
	return copy;
}

static size_t length_of(const char *const *list)
{
	size_t length = 0;

	while (list[length] != NULL)
		length++;
	return length;
}

static bool write_evidence(const struct explain_source *source, struct wa_explained_account *account)
{
	const struct policy_facts *facts = source->review.facts;
	const char *const *names;
	const char **evidence;

	if (facts == NULL)
		return true;
	names = facts->is_active_directory ? account_ad_attributes : account_attributes;
	evidence = arena_alloc_array(source->arena, length_of(names) + 1, sizeof(*evidence));
	if (evidence == NULL)
		return false;
	account->evidence = evidence;
	for (; *names != NULL; names++) {
		const struct dir_attribute *attribute = dir_entry_attribute(facts->user, *names);

		if (attribute == NULL || attribute->value_count == 0 || ascii_equal_nocase(*names, "objectClass"))
			continue;
		evidence[account->evidence_count] = show_attribute(source->arena, facts, attribute);
		if (evidence[account->evidence_count] == NULL)
			return false;
		account->evidence_count++;
	}
	return true;
}

static bool write_account(const struct explain_source *source, struct wa_explained_account *account)
{
	const char *filter = source->regime->config->account.filter;
	bool good = true;

	write_checks(source, account);
	if (filter[0] != '\0')
		account->filter = explain_copy(source->arena, filter, &good);
	return write_evidence(source, account) && good;
}

/* The place */

static bool write_sites(const struct explain_source *source, struct wa_explained_site **sites_out,
			struct wa_explained_redirect *redirect)
{
	const struct config_redirect *given = &source->regime->config->redirect;
	struct wa_explained_site *sites = arena_alloc_array(source->arena, given->site_count + 1, sizeof(*sites));
	bool good = sites != NULL;

	for (size_t i = 0; sites != NULL && i < given->site_count; i++) {
		const struct config_site *site = &given->sites[i];
		const char *label = site->name;

		sites[i].kind = WA_SITE_BY_VALUE;
		if (site->group != NULL || site->ou != NULL) {
			sites[i].kind = site->group != NULL ? WA_SITE_BY_GROUP : WA_SITE_BY_OU;
			label = site->group != NULL ? site->group : site->ou;
		}
		sites[i].label = explain_copy(source->arena, label, &good);
		sites[i].line = site->line;
		sites[i].is_his = source->review.facts != NULL && source->review.site == i;
		sites[i].group = WA_NO_GROUP;
	}
	*sites_out = sites;
	redirect->sites = sites;
	redirect->site_count = good ? given->site_count : 0;
	return good;
}

static bool write_values(const struct explain_source *source, struct wa_explained_redirect *redirect)
{
	const char *name = source->regime->config->redirect.attribute;
	const struct policy_facts *facts = source->review.facts;
	const struct dir_attribute *attribute =
	    name == NULL || facts == NULL ? NULL : dir_entry_attribute(facts->user, name);
	const char **values;
	bool good = true;

	redirect->attribute = explain_copy(source->arena, name, &good);
	if (attribute == NULL)
		return good;
	values = arena_alloc_array(source->arena, attribute->value_count + 1, sizeof(*values));
	for (size_t i = 0; values != NULL && i < attribute->value_count; i++)
		values[i] = explain_copy(source->arena, attribute->values[i].data, &good);
	redirect->values = values;
	redirect->value_count = good && values != NULL ? attribute->value_count : 0;
	return good && values != NULL;
}

static enum wa_place place_of(const struct explain_source *source)
{
	const struct review *review = &source->review;

	if (!source->regime->config->redirect.present)
		return WA_PLACE_NONE;
	if (review->facts == NULL)
		return WA_PLACE_UNASKED;
	if (review->site != POLICY_NO_SITE)
		return WA_PLACE_SITE;
	return review->is_here ? WA_PLACE_HERE : WA_PLACE_UNMAPPED;
}

static bool write_redirect(const struct explain_source *source, struct wa_explained_site **sites_out,
			   struct wa_explained_redirect *redirect)
{
	const struct config_redirect *given = &source->regime->config->redirect;
	const struct policy_standing *standing = source->review.standing;
	bool good = true;

	redirect->place = place_of(source);
	redirect->denies_unmapped = given->deny_unmapped;
	if (redirect->place == WA_PLACE_SITE)
		redirect->site = source->review.site;
	redirect->is_too_late =
	    standing != NULL && standing->verdict != WA_AUTHORIZE && standing->reason != WA_REASON_SITE_UNMAPPED;
	if (standing != NULL && standing->site != POLICY_NO_SITE) {
		const struct config_site *site = &given->sites[standing->site];

		redirect->uri = explain_copy(source->arena, site->uris[standing->uri], &good);
		redirect->is_already_there = redirect_is_there(site, source->question->http_url);
	}
	return write_values(source, redirect) && write_sites(source, sites_out, redirect) && good;
}

bool explain_rules(const struct explain_source *source, struct wa_explained_rule **rules_out,
		   struct wa_explained_site **sites_out, struct wa_explanation *explanation)
{
	return write_rules(source, rules_out, explanation) && write_account(source, &explanation->account) &&
	       write_redirect(source, sites_out, &explanation->redirect);
}
