/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way of one question, in the order of execution:
 *
 *	request_start   the caller's thread: copy, post
 *	begin           what kind of server is it? The first load of the groups says so
 *	identify        who is it? Is the answer cached?           -> finish, or
 *	look_up         the cache wants a lease first? A round trip for it, and look_up again; or
 *	inquire         ask the directory, with all who ask the same (inquiry.h)
 *	told            the policy's standing of the user          -> answer -> finish
 *	finish          tell, count, free: the only place where a question ends
 *
 * A question that is to be explained (it has a trace) and was answered from the cache goes on to
 *
 *	look_behind     ask the directory what the answer is made of; the answer itself stands
 *
 * Everything but request_start runs on the engine's executor.
 */
#include <authorizer/engine_private.h>
#include <authorizer/inquiry.h>
#include <authorizer/question.h>
#include <authorizer/trace.h>
#include <base/memory.h>
#include <os/clock.h>
#include <policy/policy.h>
#include <string.h>
#include <wsmauthz/wsman.h>

/* What one question may use. */
#define REQUEST_MAX_BYTES ((size_t)1024 * 1024)

struct request {
	struct wa_engine *engine;
	struct regime *regime; /* held, once the question has begun */
	struct arena *arena;
	const struct wa_question *question;
	wa_decided_fn *decided;
	request_reviewed_fn *reviewed; /* not NULL: in its place */
	struct trace *trace;           /* borrowed; NULL: nobody wants to know */
	void *context;
	uint64_t began_us;
	uint64_t decided_us;  /* 0: when it is told */
	struct cache_hit hit; /* that decided, before `decided_us` */
	uint64_t deadline_ms;
	struct task task;

	struct membership_lookup lookup; /* while nothing is known of the server */
	struct sender sender;
	struct digest form;
	bool has_waited; /* for a lease */
	struct membership_waiter waiter;
	struct timer patience;
	struct asker asker;

	const struct findings *findings; /* while they are told */
	struct wa_decision decision;
};

static uint32_t code_of(enum wa_verdict verdict, enum wa_reason reason)
{
	switch (verdict) {
	case WA_AUTHORIZE:
		return WSMAUTHZ_NO_ERROR;
	case WA_REDIRECT:
		return WSMAUTHZ_REDIRECT_REQUESTED;
	case WA_DENY:
		return WSMAUTHZ_ACCESS_DENIED;
	case WA_ERROR:
		break;
	}
	return reason == WA_REASON_BAD_CALL ? WSMAUTHZ_INVALID_PARAMETER : WSMAUTHZ_PLUGIN_FAILED;
}

static struct request *request_of(struct asker *asker)
{
	return CONTAINER_OF(asker, struct request, asker);
}

static void request_free(struct request *request)
{
	arena_free(&request->arena);
	memory_free(request);
}

/* Repeated authorizations are counted; everything else is written down. */
static void record(const struct request *request)
{
	const struct wa_decision *decision = &request->decision;
	struct regime *regime = request->regime;

	if (decision->verdict == WA_AUTHORIZE && decision->cached) {
		engine_count_repeat(request->engine, 0);
		return;
	}
	engine_count_decision(request->engine, decision);
	if (regime->audit != NULL)
		audit_write(regime->audit, request->question, decision);
}

static void finish(struct request *request, enum wa_verdict verdict, enum wa_reason reason, const char *detail)
{
	struct wa_engine *engine = request->engine;
	struct regime *regime = request->regime;
	struct wa_decision *decision = &request->decision;

	decision->verdict = verdict;
	decision->reason = reason;
	decision->code = code_of(verdict, reason);
	decision->detail = detail;
	decision->elapsed_us =
	    (request->decided_us != 0 ? request->decided_us : clock_monotonic_us()) - request->began_us;
	trace_end(request->trace, NULL);
	record(request);
	if (request->reviewed != NULL)
		request->reviewed(request->context, regime, decision, request->findings);
	else
		request->decided(request->context, decision);
	atomic_fetch_sub_explicit(&engine->questions, 1, memory_order_relaxed);
	request_free(request);
	regime_release(regime);
}

static void finish_no_memory(struct request *request)
{
	finish(request, WA_ERROR, WA_REASON_NO_MEMORY, NULL);
}

/* What the standing of the user means for this question. */
static void answer(struct request *request, const struct policy_standing *standing, const char *detail)
{
	const struct config *config = request->regime->config;
	const struct policy_question question = {request->question->kind == WA_KIND_USER, request->question->http_url};
	struct wa_decision *decision = &request->decision;
	struct policy_judgement judgement;

	policy_judge(config, standing, &question, &judgement);
	if (standing->rule != POLICY_NO_RULE)
		decision->rule = config->rules[standing->rule].label;
	decision->administrator = standing->administrator;
	decision->quota = standing->quota;
	decision->redirect_uri = judgement.redirect_uri;
	finish(request, judgement.verdict, judgement.reason, detail);
}

static void inquire(struct request *request);

/* The entry of somebody who was found in the cache, and why it is let in. */
static void tell_who(struct request *request, const struct cache_hit *hit)
{
	const struct regime *regime = request->regime;
	struct wa_decision *decision = &request->decision;

	decision->dn = cache_dn(regime->cache, hit);
	if (decision->dn != NULL && hit->standing.rule != POLICY_NO_RULE)
		decision->path_count = membership_known_path(regime->membership, hit->standing.rule, decision->dn,
							     request->sender.user, request->arena, &decision->path);
}

/* No server answers: what was known of somebody who was let in may do, where the policy says for how long. */
static bool answer_stale(struct request *request, const struct findings *findings)
{
	const struct regime *regime = request->regime;
	const enum wa_reason reason = findings->standing->reason;
	struct cache_hit hit;
	uint64_t age_ms;

	if (regime->config->cache.stale_limit_ms == 0 || regime->cache == NULL ||
	    (reason != WA_REASON_DIRECTORY_UNAVAILABLE && reason != WA_REASON_DEADLINE_EXCEEDED) ||
	    !cache_find(regime->cache, request->form, &hit))
		return false;
	age_ms = clock_monotonic_ms() - hit.asked_ms;
	if (!hit.is_unchanged || hit.standing.verdict != WA_AUTHORIZE || hit.standing.fresh ||
	    age_ms >= regime->config->cache.stale_limit_ms || clock_wall_s() >= hit.standing.until_s)
		return false;
	tell_who(request, &hit);
	trace_cache(request->trace, WA_CACHE_STALE);
	answer(request, &hit.standing,
	       arena_printf(request->arena, "stale: no server answers, and this was known %llu s ago",
			    (unsigned long long)(age_ms / 1000)));
	return true;
}

/* One who joined others may have more time left than the first of them had. */
static bool may_ask_again(const struct request *request, const struct findings *findings)
{
	return findings->is_late && clock_monotonic_ms() < request->deadline_ms;
}

static void told(struct asker *asker, const struct findings *findings)
{
	struct request *request = request_of(asker);
	struct wa_decision *decision = &request->decision;

	decision->searches += findings->searches;
	if (findings->standing->verdict == WA_ERROR) {
		if (may_ask_again(request, findings)) {
			inquire(request);
			return;
		}
		if (answer_stale(request, findings))
			return;
	}
	decision->dn = findings->dn;
	decision->path = findings->path;
	decision->path_count = findings->path_count;
	request->findings = findings;
	answer(request, findings->standing, findings->detail);
}

static void inquire(struct request *request)
{
	request->asker = (struct asker){.told = told, .deadline_ms = request->deadline_ms, .trace = request->trace};
	if (inquiry_join(request->regime, request->form, &request->sender, &request->asker) != STATUS_OK)
		finish_no_memory(request);
}

static void seen_behind(struct asker *asker, const struct findings *findings)
{
	struct request *request = request_of(asker);

	request->findings = findings;
	answer(request, &request->hit.standing, NULL);
}

/* What was told of the user is the cache's and the closure's, which may change while the directory is asked. */
static void keep_who(struct request *request)
{
	struct wa_decision *decision = &request->decision;
	const char **path = arena_alloc_array(request->arena, decision->path_count + 1, sizeof(*path));
	bool is_kept = path != NULL;

	for (size_t i = 0; is_kept && i < decision->path_count; i++) {
		path[i] = arena_copy_text(request->arena, decision->path[i]);
		is_kept = path[i] != NULL;
	}
	decision->path = is_kept && decision->path_count > 0 ? path : NULL;
	decision->path_count = is_kept ? decision->path_count : 0;
	if (decision->dn != NULL)
		decision->dn = arena_copy_text(request->arena, decision->dn);
}

/* The answer has been found, and nothing that comes now changes it. */
static void look_behind(struct request *request, const struct cache_hit *hit)
{
	keep_who(request);
	request->decided_us = clock_monotonic_us();
	request->hit = *hit;
	request->trace->is_extra = true;
	request->asker =
	    (struct asker){.told = seen_behind, .deadline_ms = request->deadline_ms, .trace = request->trace};
	if (inquiry_join(request->regime, request->form, &request->sender, &request->asker) != STATUS_OK)
		answer(request, &request->hit.standing, NULL);
}

static void answer_cached(struct request *request, const struct cache_hit *hit)
{
	request->decision.cached = !request->has_waited;
	tell_who(request, hit);
	regime_keep_leased(request->regime, clock_monotonic_ms());
	if (request->trace != NULL)
		look_behind(request, hit);
	else
		answer(request, &hit->standing, NULL);
}

static void look_up(struct request *request);

static void lease_is_decided(void *context)
{
	struct request *request = context;

	executor_timer_clear(request->engine->executor, &request->patience);
	trace_end(request->trace, NULL);
	request->decision.searches++;
	look_up(request);
}

static void patience_is_over(void *context)
{
	struct request *request = context;

	membership_wait_cancel(request->regime->membership, &request->waiter);
	finish(request, WA_ERROR, WA_REASON_DEADLINE_EXCEEDED,
	       "no server said in time that what is cached is still true");
}

/* False: there is no lease to be had. */
static bool await_lease(struct request *request)
{
	if (request->has_waited)
		return false;
	request->has_waited = true;
	request->waiter = (struct membership_waiter){.run = lease_is_decided, .context = request};
	request->patience = (struct timer){.run = patience_is_over, .context = request};
	if (executor_timer_set(request->engine->executor, &request->patience, request->deadline_ms) != STATUS_OK)
		return false;
	if (membership_renew(request->regime->membership, &request->waiter)) {
		trace_begin(request->trace, WA_STEP_LEASE);
		return true;
	}
	executor_timer_clear(request->engine->executor, &request->patience);
	request->has_waited = false;
	return false;
}

static enum wa_cache_state cache_state(const struct regime *regime, bool is_there, enum regime_use use)
{
	if (regime->cache == NULL)
		return WA_CACHE_OFF;
	if (!is_there)
		return WA_CACHE_ABSENT;
	return use == REGIME_USE_YES ? WA_CACHE_SERVED : WA_CACHE_OUTDATED;
}

static void look_up(struct request *request)
{
	struct regime *regime = request->regime;
	enum regime_use use = REGIME_USE_NO;
	struct cache_hit hit;
	const bool is_there = regime->cache != NULL && cache_find(regime->cache, request->form, &hit);

	if (is_there)
		use = regime_may_use(regime, &hit, clock_monotonic_ms());
	trace_cache(request->trace, cache_state(regime, is_there, use));
	if (use == REGIME_USE_YES)
		answer_cached(request, &hit);
	else if (use == REGIME_USE_NO || !await_lease(request))
		inquire(request);
}

static void identify(struct request *request);

static void server_is_known(void *context)
{
	struct request *request = context;

	trace_end(request->trace, NULL);
	executor_timer_clear(request->engine->executor, &request->patience);
	if (request->engine->stopping)
		finish(request, WA_ERROR, WA_REASON_SHUTTING_DOWN, NULL);
	else
		identify(request);
}

static void server_is_late(void *context)
{
	struct request *request = context;

	membership_wait_cancel(request->regime->membership, &request->waiter);
	finish(request, WA_ERROR, WA_REASON_DEADLINE_EXCEEDED, "the configured groups could not be read in time");
}

/* Before the first load nothing is known of the server, and so not who a name means. */
static void await_server(struct request *request)
{
	struct membership *membership = request->regime->membership;

	if (membership_begin(membership, &request->lookup) != MEMBERSHIP_WAIT) {
		finish(request, WA_ERROR, inquiry_reason_of(request->lookup.error.status), request->lookup.error.what);
		return;
	}
	trace_begin(request->trace, WA_STEP_GROUPS);
	request->waiter = (struct membership_waiter){.run = server_is_known, .context = request};
	request->patience = (struct timer){.run = server_is_late, .context = request};
	if (executor_timer_set(request->engine->executor, &request->patience, request->deadline_ms) != STATUS_OK)
		finish_no_memory(request);
	else
		membership_wait(membership, &request->lookup, &request->waiter);
}

/* Whatever the server is: what it says of names can only refuse more. */
static bool is_refused_anyway(const struct request *request, enum wa_reason reason)
{
	return reason != WA_REASON_NONE &&
	       (reason != WA_REASON_FOREIGN_DOMAIN || request->regime->config->directories[0].domain_count > 0);
}

static void identify(struct request *request)
{
	struct error error = {.status = STATUS_OK};
	enum wa_reason reason;

	reason = question_identify(request->regime->config, request->regime->forest, request->question, request->arena,
				   &request->sender, &error);
	if (reason == WA_REASON_NO_MEMORY) {
		finish_no_memory(request);
	} else if (membership_is_loaded(request->regime->membership) ? reason != WA_REASON_NONE
								     : is_refused_anyway(request, reason)) {
		finish(request, WA_DENY, reason, error.what);
	} else if (!membership_is_loaded(request->regime->membership)) {
		await_server(request);
	} else {
		request->form = regime_form(request->regime, request->question);
		look_up(request);
	}
}

static void begin(void *context)
{
	struct request *request = context;

	request->regime = engine_regime(request->engine);
	regime_hold(request->regime);
	request->deadline_ms = request->began_us / 1000 + request->regime->config->directories[0].timeout_ms;
	if (request->engine->stopping)
		finish(request, WA_ERROR, WA_REASON_SHUTTING_DOWN, NULL);
	else
		identify(request);
}

static void refuse_overload(void *context)
{
	struct request *request = context;

	request->regime = engine_regime(request->engine);
	regime_hold(request->regime);
	finish(request, WA_ERROR, WA_REASON_OVERLOAD, "too many questions wait for the directory");
}

static struct request *request_new(struct wa_engine *engine, const struct wa_question *question, void *context)
{
	struct request *request = memory_new(sizeof(*request));

	if (request == NULL)
		return NULL;
	request->engine = engine;
	request->arena = arena_new(REQUEST_MAX_BYTES);
	request->question = request->arena == NULL ? NULL : question_copy(question, request->arena);
	if (request->question == NULL) {
		request_free(request);
		return NULL;
	}
	request->context = context;
	request->began_us = clock_monotonic_us();
	request->decision.quota = (struct wa_quota){CONFIG_UNLIMITED, CONFIG_UNLIMITED, 0, CONFIG_UNLIMITED};
	return request;
}

static bool start(struct wa_engine *engine, const struct wa_question *question, wa_decided_fn *decided,
		  struct trace *trace, request_reviewed_fn *reviewed, void *context)
{
	struct request *request = NULL;

	/* Even refusals are kept until the executor has come to them. */
	if (atomic_load_explicit(&engine->questions, memory_order_relaxed) < ENGINE_MAX_REFUSALS)
		request = request_new(engine, question, context);
	if (request == NULL) {
		engine_count(&engine->figures.refused);
		return false;
	}
	request->decided = decided;
	request->reviewed = reviewed;
	request->trace = trace;
	request->task = (struct task){.run = begin, .context = request};
	if (atomic_fetch_add_explicit(&engine->questions, 1, memory_order_relaxed) >= ENGINE_MAX_QUESTIONS)
		request->task.run = refuse_overload;
	executor_post(engine->executor, &request->task);
	return true;
}

bool request_start(struct wa_engine *engine, const struct wa_question *question, wa_decided_fn *decided, void *context)
{
	return start(engine, question, decided, NULL, NULL, context);
}

bool request_start_review(struct wa_engine *engine, const struct wa_question *question, struct trace *trace,
			  request_reviewed_fn *reviewed, void *context)
{
	return start(engine, question, NULL, trace, reviewed, context);
}
