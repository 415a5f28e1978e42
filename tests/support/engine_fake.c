/* SPDX-License-Identifier: Apache-2.0 */
#include <os/clock.h>
#include <os/executor.h>
#include <os/thread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support/engine_fake.h>
#include <support/engine_fake_script.h>
#include <wsmauthz/engine.h>
#include <wsmauthz/explanation.h>
#include <wsmauthz/wsman.h>

/* Not base/memory.h: a test that makes allocations fail means those of the code under test. */

struct question {
	struct wa_engine *engine;
	struct question *next;
	wa_decided_fn *decided;
	wa_explained_fn *explained; /* not NULL: in its place */
	void *context;
	struct script_answer answer;
	char detail[512];
	struct task task;
	struct timer timer;
};

struct wa_engine {
	struct script script;
	struct executor *executor;
	struct question *asleep; /* the executor's thread only: asked, not answered */
};

static atomic_size_t asked, tried, recorded, engines;
static void (*_Atomic see_tried)(const struct wa_question *question);
static _Atomic(struct question *) lost;

size_t engine_fake_recorded(void)
{
	return atomic_load(&recorded);
}

size_t engine_fake_asked(void)
{
	return atomic_load(&asked);
}

size_t engine_fake_tried(void)
{
	return atomic_load(&tried);
}

void engine_fake_show_tried(void (*see)(const struct wa_question *question))
{
	atomic_store(&see_tried, see);
}

size_t engine_fake_open(void)
{
	return atomic_load(&engines);
}

static struct wa_decision make_decision(const struct script_answer *answer, const char *detail)
{
	struct wa_decision decision = {.detail = detail};

	if (!answer->is_zeroed) {
		decision.verdict = answer->verdict;
		decision.reason = answer->reason;
		decision.code = answer->code;
		decision.redirect_uri = answer->uri;
		decision.rule = answer->rule;
		decision.dn = answer->path_count > 0 ? answer->path[0] : NULL;
		decision.path = answer->path_count > 0 ? answer->path : NULL;
		decision.path_count = answer->path_count;
		decision.administrator = answer->is_administrator;
		decision.quota = answer->quota;
		decision.cached = answer->is_cached;
		decision.searches = answer->is_cached ? 0 : 1;
		decision.elapsed_us = answer->delay_ms * 1000;
	}
	return decision;
}

static void decide_with(const struct script_answer *answer, const char *detail, wa_decided_fn *decided, void *context)
{
	const struct wa_decision decision = make_decision(answer, detail);

	decided(context, &decision);
}

/* One rule, and the path's groups. */
static void explain_with(const struct question *question, const struct script_answer *answer)
{
	const struct wa_decision decision = make_decision(answer, question->detail);
	const size_t count = decision.path_count > 0 ? decision.path_count - 1 : 0;
	struct wa_explained_group groups[SCRIPT_MAX_PATH] = {{.dn = NULL}};
	struct wa_explained_edge edges[SCRIPT_MAX_PATH];
	uint32_t numbers[SCRIPT_MAX_PATH];
	const struct wa_explained_path path = {numbers, count};
	const struct wa_explained_rule rule = {
	    .label = decision.rule == NULL ? "allow CN=nobody,dc=x" : decision.rule,
	    .line = 7,
	    .quota = decision.quota,
	    .holding = count > 0 ? WA_HOLDING_YES : WA_HOLDING_NO,
	    .part = count > 0 ? WA_PART_DECIDED : WA_PART_NONE,
	    .group = count > 0 ? (uint32_t)count - 1 : WA_NO_GROUP,
	    .paths = {.paths = &path, .count = count > 0},
	};
	const struct wa_explanation explanation = {
	    .policy = "script",
	    .groups = groups,
	    .group_count = count,
	    .edges = edges,
	    .edge_count = count > 0 ? count - 1 : 0,
	    .rules = &rule,
	    .rule_count = 1,
	    .account.until_s = INT64_MAX,
	};

	for (size_t i = 0; i < count; i++) {
		groups[i] = (struct wa_explained_group){
		    .dn = decision.path[i + 1], .id = decision.path[i + 1], .is_direct = i == 0};
		numbers[i] = (uint32_t)i;
		edges[i] = (struct wa_explained_edge){(uint32_t)i, (uint32_t)i + 1};
	}
	question->explained(question->context, &decision, &explanation);
}

static void answer_with(struct question *question, const struct script_answer *answer)
{
	if (question->explained != NULL)
		explain_with(question, answer);
	else
		decide_with(answer, question->detail, question->decided, question->context);
	free(question);
}

static void take_out(struct question *question)
{
	struct question **at = &question->engine->asleep;

	while (*at != question)
		at = &(*at)->next;
	*at = question->next;
}

static void wake(void *context)
{
	struct question *question = context;

	take_out(question);
	answer_with(question, &question->answer);
}

static void begin(void *context)
{
	struct question *question = context;
	struct wa_engine *engine = question->engine;

	if (question->answer.is_lost) {
		question->next = atomic_load(&lost);
		while (!atomic_compare_exchange_weak(&lost, &question->next, question))
			continue;
		return;
	}
	question->next = engine->asleep;
	engine->asleep = question;
	if (question->answer.is_never)
		return;
	if (question->answer.delay_ms == 0)
		wake(question);
	else if (executor_timer_set(engine->executor, &question->timer,
				    clock_monotonic_ms() + question->answer.delay_ms) != STATUS_OK)
		abort();
}

bool wa_engine_open(const char *policy_path, const struct wa_options *options, struct wa_engine **engine_out,
		    struct wa_error *error)
{
	struct wa_engine *engine = calloc(1, sizeof(*engine));

	if (engine == NULL)
		abort();
	if (!script_read(policy_path, &engine->script, error->what, sizeof(error->what))) {
		(void)snprintf(error->hint, sizeof(error->hint), "write a better one");
		free(engine);
		return false;
	}
	if (executor_open("fake-engine", &engine->executor, NULL) != STATUS_OK) {
		(void)snprintf(error->what, sizeof(error->what), "no thread");
		script_done(&engine->script);
		free(engine);
		return false;
	}
	if (options != NULL && options->log.write != NULL && options->log.level >= WA_LOG_INFO)
		options->log.write(options->log.context, WA_LOG_INFO, "the scripted engine has started");
	atomic_fetch_add(&engines, 1);
	*engine_out = engine;
	return true;
}

static const char *or_dash(const char *text)
{
	return text != NULL ? text : "-";
}

static void describe(struct question *question, const struct wa_question *asked_for)
{
	static const char *const kinds[] = {"user", "operation", "quota"};
	const struct wa_certificate *certificate = asked_for->certificate;

	(void)snprintf(
	    question->detail, sizeof(question->detail), "%s mechanism=%s url=%s sid=%d certificate=%s/%s/%s/%s%s%s",
	    kinds[asked_for->kind], or_dash(asked_for->mechanism), or_dash(asked_for->http_url), asked_for->allow_sid,
	    or_dash(certificate != NULL ? certificate->subject : NULL),
	    or_dash(certificate != NULL ? certificate->issuer_name : NULL),
	    or_dash(certificate != NULL ? certificate->issuer_thumbprint : NULL),
	    or_dash(certificate != NULL ? certificate->subject_name : NULL),
	    asked_for->token_sid != NULL ? " token=" : "", asked_for->token_sid != NULL ? asked_for->token_sid : "");
}

static bool ask(struct wa_engine *engine, const struct wa_question *asked_for, wa_decided_fn *decided,
		wa_explained_fn *explained, void *context)
{
	struct script_answer answer = script_find(&engine->script, asked_for->sender, asked_for->sender_length);
	struct question *question;

	atomic_fetch_add(&asked, 1);
	if (answer.is_refused)
		return false;
	question = calloc(1, sizeof(*question));
	if (question == NULL)
		abort();
	question->engine = engine;
	question->decided = decided;
	question->explained = explained;
	question->context = context;
	question->answer = answer;
	describe(question, asked_for);
	question->task.run = begin;
	question->task.context = question;
	question->timer.run = wake;
	question->timer.context = question;
	executor_post(engine->executor, &question->task);
	return true;
}

bool wa_engine_decide(struct wa_engine *engine, const struct wa_question *asked_for, wa_decided_fn *decided,
		      void *context)
{
	return ask(engine, asked_for, decided, NULL, context);
}

bool wa_engine_explain(struct wa_engine *engine, const struct wa_question *asked_for, wa_explained_fn *explained,
		       void *context)
{
	return ask(engine, asked_for, NULL, explained, context);
}

bool wa_engine_decide_cached(struct wa_engine *engine, const struct wa_question *question, wa_decided_fn *decided,
			     void *context)
{
	const struct script_answer answer = script_find(&engine->script, question->sender, question->sender_length);
	void (*see)(const struct wa_question *question) = atomic_load(&see_tried);

	atomic_fetch_add(&tried, 1);
	if (see != NULL)
		see(question);
	if (answer.is_instant && !answer.is_mute)
		decide_with(&answer, NULL, decided, context);
	return answer.is_instant;
}

void wa_engine_record(struct wa_engine *engine, const struct wa_question *question, const struct wa_decision *decision)
{
	(void)engine;
	if (question->sender == NULL && question->sender_length > 0)
		abort();
	if (decision->verdict == WA_AUTHORIZE || decision->verdict == WA_REDIRECT || decision->detail == NULL)
		abort();
	atomic_fetch_add(&recorded, 1);
}

void wa_engine_stats(struct wa_engine *engine, struct wa_stats *stats_out)
{
	(void)engine;
	*stats_out = (struct wa_stats){.searches = atomic_load(&asked), .round_trips = atomic_load(&asked)};
}

uint32_t wa_engine_timeout_ms(const struct wa_engine *engine)
{
	return engine->script.timeout_ms;
}

bool wa_engine_is_asynchronous(const struct wa_engine *engine)
{
	return engine->script.is_asynchronous;
}

bool wa_engine_allows_null_token(const struct wa_engine *engine)
{
	return engine->script.allows_null_token;
}

bool wa_engine_wants_token_sid(const struct wa_engine *engine)
{
	return !engine->script.is_by_name;
}

static void end_all(void *context)
{
	static const struct script_answer shutting_down = {
	    .verdict = WA_ERROR, .reason = WA_REASON_SHUTTING_DOWN, .code = WSMAUTHZ_PLUGIN_FAILED};
	struct wa_engine *engine = context;
	struct question *question;

	while ((question = engine->asleep) != NULL) {
		engine->asleep = question->next;
		executor_timer_clear(engine->executor, &question->timer);
		answer_with(question, &shutting_down);
	}
}

void wa_engine_close(struct wa_engine **engine)
{
	struct task end;

	if (*engine == NULL)
		return;
	end.run = end_all;
	end.context = *engine;
	executor_post((*engine)->executor, &end);
	executor_close(&(*engine)->executor);
	script_done(&(*engine)->script);
	free(*engine);
	*engine = NULL;
	atomic_fetch_sub(&engines, 1);
}

size_t engine_fake_answer_lost(void)
{
	static const struct script_answer too_late = {.verdict = WA_AUTHORIZE, .reason = WA_REASON_MEMBER};
	struct question *question = atomic_exchange(&lost, NULL), *next;
	size_t count = 0;

	for (; question != NULL; question = next) {
		next = question->next;
		answer_with(question, &too_late);
		count++;
	}
	return count;
}
