/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <cli/explain_text.h>
#include <cli/explain_words.h>
#include <cli/shown.h>
#include <inttypes.h>
#include <string.h>

#define BRANCH      "\xE2\x94\x9C\xE2\x94\x80 " /* ├─ */
#define LAST_BRANCH "\xE2\x94\x94\xE2\x94\x80 " /* └─ */
#define TRUNK       "\xE2\x94\x82  "            /* │ */
#define NO_TRUNK    "   "

static void add_trunks(const struct explain_tree *tree)
{
	for (size_t i = 0; i < tree->depth; i++)
		text_add(tree->out, tree->is_last[i] ? NO_TRUNK : TRUNK);
}

void explain_tree_branch(const struct explain_tree *tree, bool is_last)
{
	add_trunks(tree);
	text_add(tree->out, is_last ? LAST_BRANCH : BRANCH);
}

struct explain_tree explain_tree_below(const struct explain_tree *tree, bool is_last)
{
	struct explain_tree below = *tree;

	assert(tree->depth < EXPLAIN_TREE_DEPTH);
	below.is_last[below.depth++] = is_last;
	return below;
}

void explain_tree_again(const struct explain_tree *tree, bool is_last)
{
	add_trunks(tree);
	text_add(tree->out, is_last ? NO_TRUNK : TRUNK);
}

static void add_shown(struct text *out, const char *text)
{
	shown_add(out, text, strlen(text));
}

/* Who */

static void add_identity(struct text *out, const struct wa_explained_identity *identity)
{
	switch (identity->form) {
	case WA_FORM_NONE:
		text_add(out, "a name that cannot be read");
		return;
	case WA_FORM_SID:
		text_printf(out, "the SID %s", identity->is_by_token ? "of the token, " : "");
		add_shown(out, identity->sid == NULL ? "" : identity->sid);
		return;
	case WA_FORM_DOMAIN_USER:
	case WA_FORM_UPN:
	case WA_FORM_PLAIN:
		break;
	}
	text_add(out, "user '");
	add_shown(out, identity->user == NULL ? "" : identity->user);
	if (identity->domain != NULL) {
		text_add(out, identity->form == WA_FORM_PLAIN ? "' of the default domain '" : "' of domain '");
		add_shown(out, identity->domain);
	}
	text_add(out, identity->form == WA_FORM_UPN ? "', as user@domain" : "'");
}

static void add_who(const struct explain_tree *tree, const struct wa_decision *decision,
		    const struct wa_explanation *explanation)
{
	const struct wa_explained_identity *identity = &explanation->identity;
	const struct explain_tree below = explain_tree_below(tree, false);
	struct text *out = tree->out;

	explain_tree_branch(tree, false);
	text_add(out, "who: ");
	add_identity(out, identity);
	text_add_char(out, '\n');
	if (identity->filter != NULL) {
		explain_tree_branch(&below, decision->dn == NULL);
		text_add(out, "looked up by ");
		add_shown(out, identity->filter);
		text_add(out, " below ");
		add_shown(out, identity->base);
		text_add_char(out, '\n');
	}
	if (decision->dn == NULL)
		return;
	explain_tree_branch(&below, true);
	text_add(out, "entry ");
	add_shown(out, decision->dn);
	if (explanation->entry_id != NULL) {
		text_add(out, "  id ");
		add_shown(out, explanation->entry_id);
	}
	text_add_char(out, '\n');
}

/* What was asked */

static const char *strategy_text(enum wa_strategy strategy)
{
	switch (strategy) {
	case WA_STRATEGY_UNKNOWN:
		break;
	case WA_STRATEGY_INDEX:
		return "by the members that are held of every group";
	case WA_STRATEGY_SEARCH:
		return "by a search for the groups that list the user";
	case WA_STRATEGY_MEMBEROF:
		return "by the entry's memberOf";
	case WA_STRATEGY_SID:
		return "by the entry's memberOf and primary group";
	case WA_STRATEGY_TOKEN:
		return "by the entry's tokenGroups, in which the domain controller names groups at any depth";
	}
	return NULL;
}

static const char *step_text(enum wa_step_kind kind)
{
	switch (kind) {
	case WA_STEP_ROUND_TRIP:
		break;
	case WA_STEP_GROUPS:
		return "the configured groups were being read";
	case WA_STEP_CHANGES:
		return "changes that the directory had shown were not applied yet";
	case WA_STEP_LEASE:
		return "asked whether what is cached is still true";
	case WA_STEP_SHARED:
		return "another question about the same sender was under way; its answer was shared";
	}
	return "";
}

static void add_search(const struct explain_tree *tree, const struct wa_explained_search *search, bool is_last)
{
	struct text *out = tree->out;

	explain_tree_branch(tree, is_last);
	text_printf(out, "%s: ", search->purpose);
	if (strcmp(search->outcome, "ok") == 0)
		text_printf(out, "%zu %s", search->entries, search->entries == 1 ? "entry" : "entries");
	else
		text_add(out, search->outcome);
	text_add(out, "  ");
	add_shown(out, search->filter);
	text_add(out, strcmp(search->scope, "base") == 0 ? " of " : " below ");
	add_shown(out, search->base[0] == '\0' ? "the root DSE" : search->base);
	text_add_char(out, '\n');
}

static void add_step(const struct explain_tree *tree, const struct wa_explained_step *step, bool is_last)
{
	const struct explain_tree below = explain_tree_below(tree, is_last);
	struct text *out = tree->out;

	explain_tree_branch(tree, is_last);
	explain_add_us(out, step->elapsed_us);
	if (step->kind == WA_STEP_ROUND_TRIP) {
		text_printf(out, ": %zu %s", step->search_count, step->search_count == 1 ? "search" : "searches");
		text_add(out, step->server == NULL ? ", no server answered" : " to ");
		add_shown(out, step->server == NULL ? "" : step->server);
	} else {
		text_printf(out, ": %s", step_text(step->kind));
	}
	text_add(out, step->is_extra ? "  (behind the decision)\n" : "\n");
	for (size_t i = 0; i < step->search_count; i++)
		add_search(&below, &step->searches[i], i + 1 == step->search_count);
}

static void add_asked(const struct explain_tree *tree, const struct wa_decision *decision,
		      const struct wa_explanation *explanation)
{
	const struct explain_tree below = explain_tree_below(tree, false);
	const char *strategy = strategy_text(explanation->strategy);
	struct text *out = tree->out;

	explain_tree_branch(tree, false);
	text_printf(out, "asked: %u round %s, decided in ", decision->searches,
		    decision->searches == 1 ? "trip" : "trips");
	explain_add_us(out, decision->elapsed_us);
	if (explanation->extra_searches > 0)
		text_printf(out, "; %u more behind the decision, for this explanation alone",
			    explanation->extra_searches);
	text_add_char(out, '\n');
	for (size_t i = 0; i < explanation->step_count; i++)
		add_step(&below, &explanation->steps[i], strategy == NULL && i + 1 == explanation->step_count);
	if (strategy == NULL)
		return;
	explain_tree_branch(&below, true);
	text_printf(out, "the user's own groups were found %s\n", strategy);
}

/* Cache and watch */

static const char *cache_text(enum wa_cache_state state)
{
	switch (state) {
	case WA_CACHE_OFF:
		return "nothing is cached";
	case WA_CACHE_UNASKED:
		return "not asked";
	case WA_CACHE_ABSENT:
		return "the sender was not in it";
	case WA_CACHE_OUTDATED:
		return "what was in it of the sender might not be used any more";
	case WA_CACHE_SERVED:
		return "the decision came from it";
	case WA_CACHE_STALE:
		return "no server answered, and the policy lets what was known serve";
	}
	return "";
}

static void add_cache(const struct explain_tree *tree, const struct wa_explained_cache *cache)
{
	explain_tree_branch(tree, false);
	text_printf(tree->out, "cache: %s", cache_text(cache->state));
	if (cache->is_kept) {
		text_add(tree->out, "; it is kept now, for ");
		explain_add_ms(tree->out, cache->ttl_ms);
		text_add(tree->out, " at most");
	} else if (cache->state != WA_CACHE_OFF && cache->state != WA_CACHE_UNASKED) {
		text_add(tree->out, "; it is not kept");
	}
	text_add_char(tree->out, '\n');
}

static const char *watch_text(enum wa_watch_state state)
{
	switch (state) {
	case WA_WATCH_STARTING:
		return "nothing is known of the directory's changes yet";
	case WA_WATCH_UP:
		return "changes are followed";
	case WA_WATCH_READING:
		return "changes are told, and the groups are being read for them";
	case WA_WATCH_BEHIND:
		return "behind: the servers that answer have shown more than was told";
	case WA_WATCH_LOST:
		return "lost: changes are not told now";
	case WA_WATCH_UNSUPPORTED:
		return "the server does not tell of changes";
	}
	return "";
}

static void add_watch_state(const struct explain_tree *tree, const struct wa_explained_watch *watch)
{
	struct text *out = tree->out;

	explain_tree_branch(tree, true);
	text_printf(out, "watch: %s", watch_text(watch->state));
	if (watch->server != NULL) {
		text_add(out, ", at ");
		add_shown(out, watch->server);
	}
	if (watch->is_pending)
		text_add(out, "; something that was told is not applied yet");
	text_add_char(out, '\n');
}

static void add_watch(const struct explain_tree *tree, const struct wa_explained_watch *watch)
{
	const struct explain_tree below = explain_tree_below(tree, true);
	const char *more = watch->means != NULL ? watch->means : watch->trouble;
	struct text *out = tree->out;

	add_watch_state(tree, watch);
	if (more != NULL) {
		explain_tree_branch(&below, !watch->is_loaded);
		add_shown(out, more);
		text_add_char(out, '\n');
	}
	if (!watch->is_loaded)
		return;
	explain_tree_branch(&below, true);
	text_printf(out, "%zu %s", watch->groups, watch->groups == 1 ? "group" : "groups");
	if (watch->memberships > 0)
		text_printf(out, " with %zu %s", watch->memberships,
			    watch->memberships == 1 ? "membership" : "memberships");
	text_add(out, ", read in ");
	explain_add_us(out, watch->load_us);
	text_add(out, ", ");
	explain_add_ms(out, watch->age_ms);
	text_add(out, " ago\n");
}

static void add_head(struct text *out, const struct check_sender *sender, const struct wa_decision *decision)
{
	shown_add(out, sender->name, sender->length);
	text_printf(out, "  %s  %s", wa_verdict_word(decision->verdict), wa_reason_word(decision->reason));
	if (decision->redirect_uri != NULL) {
		text_add(out, "  to ");
		add_shown(out, decision->redirect_uri);
	}
	text_add(out, decision->administrator ? "  as administrator\n" : "\n");
}

void explain_text(struct text *out, const struct check_sender *sender, const struct wa_decision *decision,
		  const struct wa_explanation *explanation)
{
	const struct explain_tree tree = {.out = out};
	const struct explain_tree below = explain_tree_below(&tree, false);
	struct explain_names names;

	if (!explain_names_init(&names, explanation)) {
		out->failed = true;
		return;
	}
	add_head(out, sender, decision);
	if (decision->detail != NULL) {
		explain_tree_branch(&tree, false);
		text_add(out, "why: ");
		add_shown(out, decision->detail);
		text_add_char(out, '\n');
	}
	add_who(&tree, decision, explanation);
	explain_tree_branch(&tree, false);
	text_add(out, "judged, in this order, by ");
	add_shown(out, explanation->policy == NULL ? "" : explanation->policy);
	text_add_char(out, '\n');
	explain_text_rules(&below, &names, decision);
	add_asked(&tree, decision, explanation);
	add_cache(&tree, &explanation->cache);
	add_watch(&tree, &explanation->watch);
	if (explanation->is_incomplete)
		text_add(out, "(There was no memory for all of it: something is left out.)\n");
	explain_names_done(&names);
}
