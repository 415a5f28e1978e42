/* SPDX-License-Identifier: Apache-2.0 */
#include <authorizer/engine_private.h>
#include <authorizer/explain.h>
#include <authorizer/question.h>
#include <authorizer/trace.h>
#include <base/memory.h>
#include <base/text.h>
#include <os/clock.h>
#include <string.h>

/* How often the watch is looked at, while it has not said what it is. */
#define LOOK_AGAIN_MS 10

_Static_assert((int)WA_FORM_PLAIN == (int)SENDER_PLAIN && (int)WA_FORM_SID == (int)SENDER_SID, "forms are the same");
_Static_assert((int)WA_WATCH_UNSUPPORTED == (int)MEMBERSHIP_WATCH_UNSUPPORTED, "states of the watch are the same");
_Static_assert((int)WA_STRATEGY_TOKEN == (int)MEMBERSHIP_BY_TOKEN + 1, "strategies are the same, but for UNKNOWN");

struct explaining {
	struct wa_engine *engine;
	struct regime *regime; /* held while it waits */
	struct arena *arena;
	const struct wa_question *question;
	wa_explained_fn *explained;
	void *context;
	struct trace trace;
	struct wa_decision decision;
	struct wa_explanation explanation;
	struct timer timer;
	uint64_t until_ms;
	struct explaining *before, *next; /* of those that wait */
};

static void explaining_free(struct explaining *explaining)
{
	arena_free(&explaining->arena);
	memory_free(explaining);
}

/* The watch */

static void look_at_watch(struct explaining *explaining)
{
	struct wa_explained_watch *watch = &explaining->explanation.watch;
	struct membership_condition condition;
	bool good = true;

	membership_tell_condition(explaining->regime->membership, &condition);
	*watch = (struct wa_explained_watch){
	    .state = (enum wa_watch_state)condition.watching,
	    .means = condition.means,
	    .server = condition.server[0] == '\0' ? NULL : explain_copy(explaining->arena, condition.server, &good),
	    .trouble = condition.trouble[0] == '\0' ? NULL : explain_copy(explaining->arena, condition.trouble, &good),
	    .is_pending = condition.is_pending,
	    .lease_ms = condition.lease_ms,
	    .is_loaded = condition.is_loaded,
	    .age_ms = condition.age_ms,
	    .load_us = condition.load_us,
	    .groups = condition.groups,
	    .memberships = condition.memberships,
	};
	if (!good)
		explaining->explanation.is_incomplete = true;
}

/* Whether it may say more in a moment. Without groups there is nothing to watch. */
static bool is_worth_waiting(const struct explaining *explaining)
{
	struct membership_condition condition;

	membership_tell_condition(explaining->regime->membership, &condition);
	return condition.is_loaded &&
	       (condition.watching == MEMBERSHIP_WATCH_STARTING || condition.watching == MEMBERSHIP_WATCH_READING);
}

static void tell(struct explaining *explaining)
{
	struct regime *regime = explaining->regime;

	look_at_watch(explaining);
	explaining->explained(explaining->context, &explaining->decision, &explaining->explanation);
	explaining_free(explaining);
	regime_release(regime);
}

static void enlist(struct explaining *explaining)
{
	struct wa_engine *engine = explaining->engine;

	explaining->next = engine->explaining;
	if (explaining->next != NULL)
		explaining->next->before = explaining;
	engine->explaining = explaining;
}

static void leave(struct explaining *explaining)
{
	if (explaining->before != NULL)
		explaining->before->next = explaining->next;
	else
		explaining->engine->explaining = explaining->next;
	if (explaining->next != NULL)
		explaining->next->before = explaining->before;
}

static bool set_timer(struct explaining *explaining)
{
	return executor_timer_set(explaining->engine->executor, &explaining->timer,
				  clock_monotonic_ms() + LOOK_AGAIN_MS) == STATUS_OK;
}

static void look_again(void *context)
{
	struct explaining *explaining = context;

	if (clock_monotonic_ms() < explaining->until_ms && is_worth_waiting(explaining) && set_timer(explaining))
		return;
	leave(explaining);
	tell(explaining);
}

static void await_watch(struct explaining *explaining)
{
	explaining->until_ms = clock_monotonic_ms() + WA_EXPLAIN_WATCH_MS;
	explaining->timer = (struct timer){.run = look_again, .context = explaining};
	if (explaining->engine->stopping || !is_worth_waiting(explaining) || !set_timer(explaining))
		tell(explaining);
	else
		enlist(explaining);
}

void explain_tell_all(struct wa_engine *engine)
{
	while (engine->explaining != NULL) {
		struct explaining *explaining = engine->explaining;

		executor_timer_clear(engine->executor, &explaining->timer);
		leave(explaining);
		tell(explaining);
	}
}

/* What was seen, written down */

static bool write_lookup(const struct explaining *explaining, const struct sender *sender,
			 struct wa_explained_identity *identity)
{
	const struct regime *regime = explaining->regime;
	char *filter = NULL;
	struct text name;
	bool good = true;

	text_init(&name);
	question_add_identity(&regime->directory, regime->forest, sender, &name);
	if (!text_failed(&name))
		filter = question_filter(&regime->directory, text_string(&name), "");
	text_done(&name);
	if (filter == NULL)
		return false;
	identity->filter = explain_copy(explaining->arena, filter, &good);
	identity->base = explain_copy(explaining->arena, regime->directory.base, &good);
	memory_free(filter);
	return good;
}

/* Taken as when it was decided: by the same function, from the same question. */
static bool write_identity(const struct explaining *explaining, struct wa_explained_identity *identity)
{
	const struct regime *regime = explaining->regime;
	struct sender sender = {.form = SENDER_NONE};
	struct error error;
	char sid[SID_TEXT_BYTES];
	bool good = true;
	const enum wa_reason reason =
	    question_identify(regime->config, regime->forest, explaining->question, explaining->arena, &sender, &error);

	if (reason == WA_REASON_NO_MEMORY)
		return false;
	identity->form = (enum wa_form)sender.form;
	identity->user = sender.user;
	identity->domain = sender.domain;
	if (sender.form == SENDER_PLAIN)
		identity->domain = explain_copy(explaining->arena, regime->config->default_domain, &good);
	if (sender.form == SENDER_SID) {
		sid_format(&sender.sid, sid);
		identity->sid = explain_copy(explaining->arena, sid, &good);
		identity->is_by_token = explaining->question->token_sid != NULL;
	}
	if (reason == WA_REASON_NONE && membership_is_loaded(regime->membership))
		good = write_lookup(explaining, &sender, identity) && good;
	return good;
}

static void write_cache(const struct explaining *explaining, struct wa_explained_cache *cache)
{
	const struct regime *regime = explaining->regime;
	struct cache_hit hit;

	cache->state = explaining->trace.cache;
	if (regime->cache == NULL || !cache_find(regime->cache, regime_form(regime, explaining->question), &hit) ||
	    !hit.is_unchanged)
		return;
	cache->is_kept = true;
	cache->ttl_ms =
	    hit.standing.verdict == WA_AUTHORIZE ? regime->config->cache.ttl_ms : regime->config->cache.negative_ttl_ms;
}

static bool write_groups_and_rules(const struct explaining *explaining, const struct wa_decision *decision,
				   const struct findings *findings, struct wa_explanation *out)
{
	const struct regime *regime = explaining->regime;
	struct explain_source source = {
	    .regime = regime, .question = explaining->question, .findings = findings, .arena = explaining->arena};
	struct wa_explained_rule *rules = NULL;
	struct wa_explained_site *sites = NULL;
	bool good = true;

	review_fill(regime, decision, findings, &source.review);
	source.closure =
	    source.review.facts != NULL ? source.review.closure : membership_loaded_closure(regime->membership);
	if (source.review.facts != NULL) {
		out->entry_id = explain_copy(explaining->arena, source.review.facts->user->id, &good);
		out->strategy = (enum wa_strategy)(membership_way_of(regime->membership, findings->lookup) + 1);
	}
	return explain_rules(&source, &rules, &sites, out) && explain_groups(&source, rules, sites, out) && good;
}

static bool write_steps(const struct explaining *explaining, struct wa_explanation *out)
{
	out->steps = trace_list(&explaining->trace, &out->step_count);
	out->extra_searches = trace_extra_searches(&explaining->trace);
	return out->steps != NULL && !explaining->trace.is_incomplete;
}

static void write_down(struct explaining *explaining, const struct wa_decision *decision,
		       const struct findings *findings)
{
	struct wa_explanation *out = &explaining->explanation;
	bool good = true;

	out->policy = explain_copy(explaining->arena, explaining->regime->config->path, &good);
	out->is_active_directory = explaining->regime->forest != NULL;
	good = write_identity(explaining, &out->identity) && good;
	good = write_steps(explaining, out) && good;
	good = write_groups_and_rules(explaining, decision, findings, out) && good;
	write_cache(explaining, &out->cache);
	out->is_incomplete = !good;
}

static bool copy_path(struct arena *arena, const struct wa_decision *decision, struct wa_decision *copy)
{
	const char **path = arena_alloc_array(arena, decision->path_count + 1, sizeof(*path));
	bool good = path != NULL;

	for (size_t i = 0; good && i < decision->path_count; i++)
		path[i] = explain_copy(arena, decision->path[i], &good);
	copy->path = decision->path == NULL ? NULL : path;
	return good;
}

static bool copy_decision(struct arena *arena, const struct wa_decision *decision, struct wa_decision *copy)
{
	bool good = true;

	*copy = *decision;
	copy->redirect_uri = explain_copy(arena, decision->redirect_uri, &good);
	copy->rule = explain_copy(arena, decision->rule, &good);
	copy->dn = explain_copy(arena, decision->dn, &good);
	copy->detail = explain_copy(arena, decision->detail, &good);
	return copy_path(arena, decision, copy) && good;
}

static void reviewed(void *context, struct regime *regime, const struct wa_decision *decision,
		     const struct findings *findings)
{
	struct explaining *explaining = context;

	explaining->regime = regime;
	regime_hold(regime);
	write_down(explaining, decision, findings);
	if (copy_decision(explaining->arena, decision, &explaining->decision)) {
		await_watch(explaining);
		return;
	}
	/* The decision cannot be kept: it is told while it is there. */
	explaining->decision = *decision;
	explaining->explanation.is_incomplete = true;
	tell(explaining);
}

bool wa_engine_explain(struct wa_engine *engine, const struct wa_question *question, wa_explained_fn *explained,
		       void *context)
{
	struct explaining *explaining = memory_new(sizeof(*explaining));

	if (explaining == NULL)
		return false;
	*explaining = (struct explaining){.engine = engine, .explained = explained, .context = context};
	explaining->arena = arena_new(EXPLAIN_MAX_BYTES);
	if (explaining->arena != NULL)
		explaining->question = question_copy(question, explaining->arena);
	trace_init(&explaining->trace, explaining->arena, clock_monotonic_us());
	if (explaining->question != NULL &&
	    request_start_review(engine, question, &explaining->trace, reviewed, explaining))
		return true;
	explaining_free(explaining);
	return false;
}
