/* SPDX-License-Identifier: Apache-2.0 */
#include <base/json.h>
#include <cli/explain_json.h>
#include <cli/explain_words.h>
#include <string.h>

static void add_quota(struct text *out, const char *name, uint32_t value)
{
	if (value == UINT32_MAX)
		json_null(out, name);
	else
		json_number(out, name, value);
}

/* null: unlimited. */
static void add_quotas(struct text *out, const struct wa_quota *quota)
{
	json_begin_member(out, "quota");
	add_quota(out, "max_shells", quota->max_shells);
	add_quota(out, "max_operations", quota->max_operations);
	json_number(out, "timeslot_s", quota->timeslot_s);
	add_quota(out, "max_operations_per_timeslot", quota->max_operations_per_timeslot);
	json_end(out);
}

static void add_identity(struct text *out, const struct wa_explained_identity *identity)
{
	json_begin_member(out, "identity");
	json_text(out, "form", explain_form_word(identity->form));
	json_bool(out, "by_token", identity->is_by_token);
	json_text(out, "user", identity->user);
	json_text(out, "domain", identity->domain);
	json_text(out, "sid", identity->sid);
	json_text(out, "base", identity->base);
	json_text(out, "filter", identity->filter);
	json_end(out);
}

static void add_group(struct text *out, const char *name, uint32_t group)
{
	if (group == WA_NO_GROUP)
		json_null(out, name);
	else
		json_number(out, name, group);
}

/* Each a list of DNs, from the group that holds the user up. */
static void add_paths(struct text *out, const struct wa_explanation *explanation,
		      const struct wa_explained_paths *paths)
{
	json_begin_array(out, "paths");
	for (size_t i = 0; i < paths->count; i++) {
		json_next(out);
		text_add_char(out, '[');
		for (size_t k = 0; k < paths->paths[i].count; k++) {
			const char *dn = explanation->groups[paths->paths[i].groups[k]].dn;

			json_next(out);
			json_add_string(out, dn, strlen(dn));
		}
		json_end_array(out);
	}
	json_end_array(out);
	json_number(out, "more_paths", paths->more);
	json_bool(out, "more_is_least", paths->more_is_least);
}

static void add_rules(struct text *out, const struct wa_explanation *explanation)
{
	json_begin_array(out, "rules");
	for (size_t i = 0; i < explanation->rule_count; i++) {
		const struct wa_explained_rule *rule = &explanation->rules[i];

		json_next(out);
		json_begin(out);
		json_text(out, "rule", rule->label);
		json_number(out, "line", rule->line);
		json_text(out, "effect", rule->is_deny ? "deny" : "allow");
		json_bool(out, "administrator", rule->administrator);
		json_bool(out, "fresh", rule->fresh);
		add_quotas(out, &rule->quota);
		json_text(out, "holds", explain_holding_word(rule->holding));
		json_text(out, "part", explain_part_word(rule->part));
		json_text(out, "note", rule->note);
		add_group(out, "group", rule->group);
		add_paths(out, explanation, &rule->paths);
		json_end(out);
	}
	json_end_array(out);
}

static void add_account(struct text *out, const struct wa_explained_account *account)
{
	json_begin_member(out, "account");
	json_begin_array(out, "checks");
	for (size_t i = 0; i < WA_EXPLAIN_CHECKS; i++) {
		json_next(out);
		json_begin(out);
		json_text(out, "check", account->checks[i].name);
		json_bool(out, "denies", account->checks[i].denies);
		json_text(out, "state", explain_check_word(account->checks[i].state));
		json_bool(out, "decided", account->checks[i].decided);
		json_end(out);
	}
	json_end_array(out);
	json_bool(out, "overruled", account->is_too_late);
	json_text(out, "filter", account->filter);
	json_text_array(out, "evidence", account->evidence, account->evidence_count);
	if (account->until_s == INT64_MAX)
		json_null(out, "changes_at");
	else
		json_signed(out, "changes_at", account->until_s);
	json_end(out);
}

static void add_redirect(struct text *out, const struct wa_explanation *explanation)
{
	const struct wa_explained_redirect *redirect = &explanation->redirect;

	json_begin_member(out, "redirect");
	json_text(out, "place", explain_place_word(redirect->place));
	json_text(out, "attribute", redirect->attribute);
	json_text_array(out, "values", redirect->values, redirect->value_count);
	json_text(out, "unmapped", redirect->denies_unmapped ? "deny" : "authorize");
	json_text(out, "site", redirect->place == WA_PLACE_SITE ? redirect->sites[redirect->site].label : NULL);
	json_text(out, "uri", redirect->uri);
	json_bool(out, "already_there", redirect->is_already_there);
	json_bool(out, "overruled", redirect->is_too_late);
	json_begin_array(out, "sites");
	for (size_t i = 0; i < redirect->site_count; i++) {
		const struct wa_explained_site *site = &redirect->sites[i];

		json_next(out);
		json_begin(out);
		json_text(out, "by", explain_site_word(site->kind));
		json_text(out, "site", site->label);
		json_number(out, "line", site->line);
		json_bool(out, "his", site->is_his);
		add_group(out, "group", site->group);
		add_paths(out, explanation, &site->paths);
		json_end(out);
	}
	json_end_array(out);
	json_end(out);
}

static void add_groups(struct text *out, const struct wa_explanation *explanation)
{
	json_begin_array(out, "groups");
	for (size_t i = 0; i < explanation->group_count; i++) {
		const struct wa_explained_group *group = &explanation->groups[i];

		json_next(out);
		json_begin(out);
		json_text(out, "dn", group->dn);
		json_text(out, "id", group->id);
		json_bool(out, "direct", group->is_direct);
		json_bool(out, "primary", group->is_primary);
		json_number(out, "ring", group->ring);
		json_end(out);
	}
	json_end_array(out);
	json_number(out, "more_groups", explanation->more_groups);
	json_begin_array(out, "edges");
	for (size_t i = 0; i < explanation->edge_count; i++) {
		json_next(out);
		text_printf(out, "[%u,%u]", explanation->edges[i].member, explanation->edges[i].group);
	}
	json_end_array(out);
}

static void add_searches(struct text *out, const struct wa_explained_step *step)
{
	json_begin_array(out, "searches");
	for (size_t i = 0; i < step->search_count; i++) {
		const struct wa_explained_search *search = &step->searches[i];

		json_next(out);
		json_begin(out);
		json_text(out, "purpose", search->purpose);
		json_text(out, "base", search->base);
		json_text(out, "scope", search->scope);
		json_text(out, "filter", search->filter);
		json_text(out, "outcome", search->outcome);
		json_number(out, "entries", search->entries);
		json_end(out);
	}
	json_end_array(out);
}

static void add_steps(struct text *out, const struct wa_explanation *explanation)
{
	json_begin_array(out, "steps");
	for (size_t i = 0; i < explanation->step_count; i++) {
		const struct wa_explained_step *step = &explanation->steps[i];

		json_next(out);
		json_begin(out);
		json_text(out, "step", explain_step_word(step->kind));
		json_number(out, "began_us", step->began_us);
		json_number(out, "elapsed_us", step->elapsed_us);
		json_text(out, "server", step->server);
		json_bool(out, "extra", step->is_extra);
		add_searches(out, step);
		json_end(out);
	}
	json_end_array(out);
	json_number(out, "extra_searches", explanation->extra_searches);
}

static void add_cache(struct text *out, const struct wa_explained_cache *cache)
{
	json_begin_member(out, "cache");
	json_text(out, "state", explain_cache_word(cache->state));
	json_bool(out, "kept", cache->is_kept);
	json_number(out, "ttl_ms", cache->ttl_ms);
	json_end(out);
}

static void add_watch(struct text *out, const struct wa_explained_watch *watch)
{
	json_begin_member(out, "watch");
	json_text(out, "state", explain_watch_word(watch->state));
	json_text(out, "means", watch->means);
	json_text(out, "server", watch->server);
	json_text(out, "trouble", watch->trouble);
	json_bool(out, "pending", watch->is_pending);
	json_number(out, "lease_ms", watch->lease_ms);
	json_bool(out, "loaded", watch->is_loaded);
	json_number(out, "age_ms", watch->age_ms);
	json_number(out, "load_us", watch->load_us);
	json_number(out, "groups", watch->groups);
	json_number(out, "memberships", watch->memberships);
	json_end(out);
}

void explain_json(struct text *out, const struct check_sender *sender, const struct wa_decision *decision,
		  const struct wa_explanation *explanation)
{
	json_begin(out);
	check_format_members(out, sender, decision);
	json_text(out, "detail", decision->detail);
	add_quotas(out, &decision->quota);
	json_text(out, "policy", explanation->policy);
	json_bool(out, "active_directory", explanation->is_active_directory);
	add_identity(out, &explanation->identity);
	json_text(out, "entry_id", explanation->entry_id);
	json_text(out, "strategy", explain_strategy_word(explanation->strategy));
	add_rules(out, explanation);
	add_account(out, &explanation->account);
	add_redirect(out, explanation);
	add_groups(out, explanation);
	add_steps(out, explanation);
	add_cache(out, &explanation->cache);
	add_watch(out, &explanation->watch);
	json_bool(out, "incomplete", explanation->is_incomplete);
	json_end(out);
	text_add_char(out, '\n');
}
