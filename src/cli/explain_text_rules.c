/* SPDX-License-Identifier: Apache-2.0 */
#include <cli/explain_text.h>
#include <cli/explain_words.h>
#include <cli/shown.h>
#include <inttypes.h>
#include <os/clock.h>
#include <string.h>

#define ARROW        " \xE2\x86\x92 " /* → */
#define DECIDES      "\xE2\x96\xB6 "  /* ▶ */
#define IN_RING      " \xE2\x86\xBA"  /* ↺ */
#define KIND_COLUMNS 7
#define MAX_COLUMNS  40
/* What stands before a path. */
#define PATH_MARGIN 15
/* Values of the redirect's attribute that are shown. */
#define MAX_VALUES 5

/* What is being written. */
struct judged {
	const struct explain_tree *tree;
	const struct explain_names *names;
	const struct wa_explanation *explanation;
	const struct wa_decision *decision;
	size_t columns; /* of groups */
};

static void add_shown(struct text *out, const char *text)
{
	shown_add(out, text, strlen(text));
}

static void pad(struct text *out, size_t used, size_t columns)
{
	for (; used < columns; used++)
		text_add_char(out, ' ');
}

/* "▶ allow  " */
static void begin_row(const struct judged *judged, bool is_last, bool decides, const char *kind)
{
	struct text *out = judged->tree->out;

	explain_tree_branch(judged->tree, is_last);
	text_add(out, decides ? DECIDES : "  ");
	text_printf(out, "%-*s", KIND_COLUMNS, kind);
}

/* Paths */

static size_t name_columns(const struct explain_names *names, uint32_t group)
{
	return shown_columns(names->explanation->groups[group].dn, names->lengths[group]);
}

static void add_group(const struct judged *judged, uint32_t group, struct text *out)
{
	const struct wa_explained_group *entry = &judged->explanation->groups[group];

	explain_names_add(judged->names, group, out);
	if (entry->is_primary)
		text_add(out, " (primary group)");
	if (entry->ring != 0)
		text_add(out, IN_RING);
}

/* A line that grows too long goes on below, before an arrow. */
static void add_path(const struct judged *judged, const struct explain_tree *tree, const struct wa_explained_path *path,
		     bool is_last)
{
	const char *user = judged->decision->dn == NULL ? "?" : judged->decision->dn;
	const size_t margin = PATH_MARGIN;
	size_t used = margin + shown_columns(user, shown_first_part(user));
	struct text *out = tree->out;

	explain_tree_branch(tree, is_last);
	shown_add(out, user, shown_first_part(user));
	for (size_t i = 0; i < path->count; i++) {
		const uint32_t group = path->groups[i];
		const size_t columns = name_columns(judged->names, group) + 3 +
				       (judged->explanation->groups[group].is_primary ? 16 : 0) + 2;

		if (used + columns > EXPLAIN_TEXT_COLUMNS) {
			text_add_char(out, '\n');
			explain_tree_again(tree, is_last);
			text_add_char(out, ' ');
			used = margin + 1;
		}
		text_add(out, ARROW);
		add_group(judged, group, out);
		used += columns;
	}
	text_add_char(out, '\n');
}

static void add_more(const struct explain_tree *tree, const struct wa_explained_paths *paths)
{
	explain_tree_branch(tree, true);
	if (paths->more == UINT64_MAX)
		text_add(tree->out, "and more ways than can be counted\n");
	else
		text_printf(tree->out, "and %s%" PRIu64 " more %s\n", paths->more_is_least ? "at least " : "",
			    paths->more, paths->more == 1 ? "way" : "ways");
}

static bool has_more(const struct wa_explained_paths *paths)
{
	return paths->more > 0 || paths->more_is_least;
}

static void add_paths(const struct judged *judged, const struct explain_tree *tree,
		      const struct wa_explained_paths *paths)
{
	for (size_t i = 0; i < paths->count; i++)
		add_path(judged, tree, &paths->paths[i], i + 1 == paths->count && !has_more(paths));
	if (has_more(paths))
		add_more(tree, paths);
}

/* Rules */

/* What stands against a rule that holds the user and did not decide. */
static const char *why_overruled(const struct judged *judged, const struct wa_explained_rule *rule)
{
	if (rule->is_deny)
		return "holds the user, too";
	if (judged->decision->reason == WA_REASON_DENIED_GROUP)
		return "holds the user, but a deny rule does, too";
	if (judged->decision->reason == WA_REASON_SITE_UNMAPPED)
		return "holds the user, but nobody may come in whose site is unknown";
	if (judged->decision->verdict == WA_ERROR)
		return "holds the user, but something else cannot be known";
	return "holds the user, but the account's state comes first";
}

static const char *why_decided(const struct wa_explained_rule *rule)
{
	if (!rule->is_deny)
		return "lets the user in";
	if (rule->holding == WA_HOLDING_MISSING)
		return "no such group: nobody can be let in until there is";
	if (rule->holding == WA_HOLDING_YES)
		return "denies the user";
	return "nobody can tell whether it holds the user, so that he is not let in";
}

static const char *rule_text(const struct judged *judged, const struct wa_explained_rule *rule)
{
	if (rule->part == WA_PART_DECIDED)
		return why_decided(rule);
	if (rule->part == WA_PART_ADDED)
		return "holds the user, too";
	if (rule->part == WA_PART_OVERRULED)
		return why_overruled(judged, rule);
	switch (rule->holding) {
	case WA_HOLDING_UNASKED:
		return "not looked at";
	case WA_HOLDING_NO:
	case WA_HOLDING_YES:
		return "does not hold the user";
	case WA_HOLDING_UNKNOWN:
		return "nobody can tell whether it holds the user";
	case WA_HOLDING_MISSING:
		return rule->ignores_missing ? "no such group, which the policy ignores" : "no such group";
	}
	return "";
}

static void add_number(struct text *out, const char *name, uint32_t value)
{
	if (value != UINT32_MAX)
		text_printf(out, ", %s %" PRIu32, name, value);
}

/* What the rule gives to those whom it lets in. */
static void add_gifts(struct text *out, const struct wa_explained_rule *rule)
{
	if (rule->part != WA_PART_DECIDED && rule->part != WA_PART_ADDED)
		return;
	text_add(out, rule->administrator ? ", as administrator" : "");
	text_add(out, rule->fresh ? ", never from a stale cache" : "");
	if (rule->is_deny)
		return;
	add_number(out, "max-shells", rule->quota.max_shells);
	add_number(out, "max-operations", rule->quota.max_operations);
	add_number(out, "max-operations-per-timeslot", rule->quota.max_operations_per_timeslot);
}

static size_t configured_columns(const struct judged *judged, uint32_t group, const char *dn)
{
	if (group < judged->explanation->group_count)
		return name_columns(judged->names, group);
	return shown_columns(dn, shown_first_part(dn));
}

static void add_rule(const struct judged *judged, const struct wa_explained_rule *rule)
{
	const struct explain_tree below = explain_tree_below(judged->tree, false);
	const struct explain_tree deeper = explain_tree_below(&below, true);
	struct text *out = judged->tree->out;

	begin_row(judged, false, rule->part == WA_PART_DECIDED, rule->is_deny ? "deny" : "allow");
	explain_names_add_configured(judged->names, rule->group, explain_rule_dn(rule), out);
	pad(out, configured_columns(judged, rule->group, explain_rule_dn(rule)), judged->columns);
	text_printf(out, "  %s", rule_text(judged, rule));
	add_gifts(out, rule);
	text_printf(out, "  (line %u)\n", rule->line);
	if (rule->note != NULL) {
		explain_tree_branch(&deeper, rule->paths.count == 0);
		add_shown(out, rule->note);
		text_add_char(out, '\n');
	}
	add_paths(judged, &deeper, &rule->paths);
}

static bool is_idle(const struct wa_explained_rule *rule)
{
	return rule->part == WA_PART_NONE && (rule->holding == WA_HOLDING_NO || rule->holding == WA_HOLDING_UNASKED);
}

static void add_rules(const struct judged *judged, bool is_deny)
{
	const struct wa_explanation *explanation = judged->explanation;
	size_t idle = 0;

	for (size_t i = 0; i < explanation->rule_count; i++) {
		const struct wa_explained_rule *rule = &explanation->rules[i];

		if (rule->is_deny != is_deny)
			continue;
		idle += is_idle(rule);
		if (!is_idle(rule) || idle <= EXPLAIN_TEXT_MAX_IDLE)
			add_rule(judged, rule);
	}
	if (idle <= EXPLAIN_TEXT_MAX_IDLE)
		return;
	begin_row(judged, false, false, is_deny ? "deny" : "allow");
	text_printf(judged->tree->out, "%zu more rules that do not hold the user\n", idle - EXPLAIN_TEXT_MAX_IDLE);
}

/* The account */

static const char *state_text(enum wa_check_state state)
{
	switch (state) {
	case WA_CHECK_UNASKED:
		return "not looked at";
	case WA_CHECK_PASSED:
		return "no";
	case WA_CHECK_FAILED:
		return "yes";
	case WA_CHECK_UNREADABLE:
		return "cannot be read";
	}
	return "";
}

static void add_checks(const struct explain_tree *tree, const struct wa_explained_account *account, bool is_last)
{
	struct text *out = tree->out;

	explain_tree_branch(tree, is_last);
	for (size_t i = 0; i < WA_EXPLAIN_CHECKS - 1; i++)
		text_printf(out, "%s%s: %s%s", i == 0 ? "" : ", ", account->checks[i].name,
			    state_text(account->checks[i].state),
			    account->checks[i].state == WA_CHECK_FAILED && !account->checks[i].denies
				? " (which the policy allows)"
				: "");
	text_add_char(out, '\n');
}

static void add_filter(const struct explain_tree *tree, const struct wa_explained_account *account, bool is_last)
{
	explain_tree_branch(tree, is_last);
	text_add(tree->out,
		 account->checks[WA_EXPLAIN_CHECKS - 1].state == WA_CHECK_FAILED ? "does not match " : "matches ");
	add_shown(tree->out, account->filter);
	text_add_char(tree->out, '\n');
}

/* A line each: what the entry shows. */
static void add_evidence(const struct explain_tree *tree, const struct wa_explained_account *account, bool is_last)
{
	for (size_t i = 0; i < account->evidence_count; i++) {
		explain_tree_branch(tree, is_last && i + 1 == account->evidence_count);
		add_shown(tree->out, account->evidence[i]);
		text_add_char(tree->out, '\n');
	}
}

static bool changes_by_itself(const struct wa_explained_account *account)
{
	return account->until_s != INT64_MAX && account->until_s > clock_wall_s();
}

static void add_change(const struct explain_tree *tree, const struct wa_explained_account *account)
{
	explain_tree_branch(tree, true);
	text_add(tree->out, "changes by itself in ");
	explain_add_ms(tree->out, (uint64_t)(account->until_s - clock_wall_s()) * 1000);
	text_add_char(tree->out, '\n');
}

static const char *account_text(const struct wa_explained_account *account, bool decides)
{
	if (account->checks[0].state == WA_CHECK_UNASKED)
		return "not looked at";
	if (decides)
		return account->checks[0].state == WA_CHECK_UNREADABLE ? "cannot be known, so that nobody is let in"
								       : "denies the user";
	return account->is_too_late ? "a deny rule had decided before" : "nothing against the user";
}

static void add_account(const struct judged *judged)
{
	const struct wa_explained_account *account = &judged->explanation->account;
	const struct explain_tree below = explain_tree_below(judged->tree, false);
	const struct explain_tree deeper = explain_tree_below(&below, true);
	const bool has_filter =
	    account->filter != NULL && account->checks[WA_EXPLAIN_CHECKS - 1].state != WA_CHECK_UNASKED;
	const bool changes = changes_by_itself(account);
	const bool has_evidence = account->evidence_count > 0;
	bool decides = false;

	for (size_t i = 0; i < WA_EXPLAIN_CHECKS; i++)
		decides = decides || account->checks[i].decided;
	begin_row(judged, false, decides, "account");
	pad(judged->tree->out, 0, judged->columns);
	text_printf(judged->tree->out, "  %s\n", account_text(account, decides));
	if (account->checks[0].state == WA_CHECK_UNASKED)
		return;
	add_checks(&deeper, account, !has_filter && !has_evidence && !changes);
	if (has_filter)
		add_filter(&deeper, account, !has_evidence && !changes);
	add_evidence(&deeper, account, !changes);
	if (changes)
		add_change(&deeper, account);
}

/* The place */

static void add_values(struct text *out, const struct wa_explained_redirect *redirect)
{
	if (redirect->attribute == NULL)
		return;
	add_shown(out, redirect->attribute);
	for (size_t i = 0; i < redirect->value_count && i < MAX_VALUES; i++) {
		text_add(out, i == 0 ? " '" : ", '");
		add_shown(out, redirect->values[i]);
		text_add_char(out, '\'');
	}
	if (redirect->value_count == 0)
		text_add(out, " has no value");
	if (redirect->value_count > MAX_VALUES)
		text_printf(out, " and %zu more", redirect->value_count - MAX_VALUES);
	text_add(out, ": ");
}

static void add_site(const struct judged *judged)
{
	const struct wa_explained_redirect *redirect = &judged->explanation->redirect;
	const struct wa_explained_site *site = &redirect->sites[redirect->site];
	struct text *out = judged->tree->out;

	if (site->kind == WA_SITE_BY_VALUE)
		add_values(out, redirect);
	text_add(out, site->kind == WA_SITE_BY_GROUP ? "site of group "
						     : (site->kind == WA_SITE_BY_OU ? "site of " : "site "));
	if (site->kind == WA_SITE_BY_VALUE)
		add_shown(out, site->label);
	else
		explain_names_add_configured(judged->names, site->group, site->label, out);
	text_printf(out, " (line %u)", site->line);
	if (redirect->uri != NULL) {
		text_add(out, ARROW);
		add_shown(out, redirect->uri);
	}
	if (redirect->is_too_late)
		text_add(out, ", but who is not let in is not redirected");
	else if (redirect->is_already_there)
		text_add(out, ": already there");
}

static void add_place(const struct judged *judged)
{
	const struct wa_explained_redirect *redirect = &judged->explanation->redirect;
	const struct explain_tree below = explain_tree_below(judged->tree, true);
	const struct explain_tree deeper = explain_tree_below(&below, true);
	const bool decides =
	    judged->decision->verdict == WA_REDIRECT || judged->decision->reason == WA_REASON_SITE_UNMAPPED;
	struct text *out = judged->tree->out;

	begin_row(judged, true, decides, "place");
	pad(out, 0, judged->columns);
	text_add(out, "  ");
	switch (redirect->place) {
	case WA_PLACE_UNASKED:
		text_add(out, "not looked at");
		break;
	case WA_PLACE_NONE:
		text_add(out, "everybody is served here: the policy has no <redirect>");
		break;
	case WA_PLACE_HERE:
		add_values(out, redirect);
		text_add(out, "served on this host");
		break;
	case WA_PLACE_UNMAPPED:
		add_values(out, redirect);
		text_add(out, redirect->denies_unmapped ? "of no site: not let in (unmapped=\"deny\")"
							: "of no site: served here (unmapped=\"authorize\")");
		break;
	case WA_PLACE_SITE:
		add_site(judged);
		break;
	}
	text_add_char(out, '\n');
	if (redirect->place == WA_PLACE_SITE)
		add_paths(judged, &deeper, &redirect->sites[redirect->site].paths);
}

static size_t widest(const struct judged *judged)
{
	size_t columns = 0;

	for (size_t i = 0; i < judged->explanation->rule_count; i++) {
		const struct wa_explained_rule *rule = &judged->explanation->rules[i];
		const size_t own = configured_columns(judged, rule->group, explain_rule_dn(rule));

		if (own > columns && own <= MAX_COLUMNS)
			columns = own;
	}
	return columns;
}

void explain_text_rules(const struct explain_tree *tree, const struct explain_names *names,
			const struct wa_decision *decision)
{
	struct judged judged = {.tree = tree, .explanation = names->explanation, .decision = decision};

	judged.names = names;
	judged.columns = widest(&judged);
	add_rules(&judged, true);
	add_account(&judged);
	add_rules(&judged, false);
	add_place(&judged);
}
