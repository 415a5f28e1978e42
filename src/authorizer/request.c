/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way of one question, in the order of execution:
 *
 *	request_start   the caller's thread: copy, post
 *	begin           who is it?                                  -> finish, or
 *	advance         is there a closure to begin with? A wait for it, or
 *	ask             the user's entry, and what membership needs with it: one round trip
 *	answered        the one entry that is the user              -> finish, or
 *	advance         which groups? Another round trip, a wait for the closure, `ask` once more, or
 *	judge           the policy's verdict; for how long is a user locked who is? Another round trip, and judge again
 *	finish          tell, count, free: the only place where a question ends
 *
 * Everything but request_start runs on the engine's executor.
 */
#include <authorizer/engine_private.h>
#include <authorizer/lockout.h>
#include <authorizer/question.h>
#include <base/memory.h>
#include <os/clock.h>
#include <policy/policy.h>
#include <string.h>
#include <wsmauthz/wsman.h>

/* What one question may use apart from the answers of its searches. */
#define REQUEST_MAX_BYTES ((size_t)4 * 1024 * 1024)

/* The searches of the first round trip. */
enum { ROUND_USER = 0, ROUND_SEARCHES = 2 + MEMBERSHIP_FIRST_SEARCHES };

struct request {
	struct wa_engine *engine;
	struct arena *arena;
	const struct wa_question *question;
	wa_decided_fn *decided;
	void *context;
	uint64_t began_us;
	uint64_t deadline_ms;
	struct task task;

	struct sender sender;
	struct dir_search round[ROUND_SEARCHES];
	struct dir_search *account_filter; /* of the round, when the policy has such a filter */
	struct dir_request ask;
	const struct dir_entry *user;
	struct membership_lookup lookup;
	struct membership_waiter waiter;
	struct timer patience; /* while the closure is awaited */
	struct dir_search lockout;
	bool lockout_asked;
	int64_t lockout_s;

	struct wa_decision decision;
};

static void advance(struct request *request);

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

static void drop_round(struct request *request)
{
	for (size_t i = 0; i < ROUND_SEARCHES; i++)
		dir_search_done(&request->round[i]);
}

static void request_free(struct request *request)
{
	membership_done(&request->lookup);
	drop_round(request);
	dir_search_done(&request->lockout);
	arena_free(&request->arena);
	memory_free(request);
}

static void finish(struct request *request, enum wa_verdict verdict, enum wa_reason reason, const char *detail)
{
	struct wa_engine *engine = request->engine;
	struct wa_decision *decision = &request->decision;

	decision->verdict = verdict;
	decision->reason = reason;
	decision->code = code_of(verdict, reason);
	decision->detail = detail;
	decision->elapsed_us = clock_monotonic_us() - request->began_us;
	if (engine->audit != NULL)
		audit_write(engine->audit, request->question, decision);
	request->decided(request->context, decision);
	atomic_fetch_sub_explicit(&engine->questions, 1, memory_order_relaxed);
	request_free(request);
}

static void finish_no_memory(struct request *request)
{
	finish(request, WA_ERROR, WA_REASON_NO_MEMORY, NULL);
}

/* UNKNOWN, in the words that administrators know. */
static void finish_unknown(struct request *request, const struct error *error)
{
	enum wa_reason reason = WA_REASON_INCOMPLETE_DATA;

	switch (error->status) {
	case STATUS_TIMEOUT:
		reason = WA_REASON_DEADLINE_EXCEEDED;
		break;
	case STATUS_UNREACHABLE:
		reason = WA_REASON_DIRECTORY_UNAVAILABLE;
		break;
	case STATUS_LIMIT:
		reason = WA_REASON_DIRECTORY_LIMIT;
		break;
	case STATUS_NO_MEMORY:
		reason = WA_REASON_NO_MEMORY;
		break;
	case STATUS_CANCELLED:
		reason = WA_REASON_SHUTTING_DOWN;
		break;
	case STATUS_OK:
	case STATUS_INVALID:
	case STATUS_REFUSED:
	case STATUS_NOT_FOUND:
	case STATUS_INTERNAL:
		break;
	}
	if (request->engine->stopping)
		reason = WA_REASON_SHUTTING_DOWN;
	finish(request, WA_ERROR, reason, error->what);
}

static void finish_failed_search(struct request *request, const struct dir_search *search)
{
	struct error error;

	(void)!dir_search_failure(search, &error);
	finish_unknown(request, &error);
}

static void fill_facts(struct request *request, struct policy_facts *facts, bool *flags)
{
	const struct config *config = request->engine->config;
	size_t rules = config->rule_count, sites = config->redirect.site_count;
	bool *member = flags, *missing = flags + rules, *site = flags + 2 * rules;
	const struct dir_value *id = dir_entry_single(request->user, "entryUUID");

	for (size_t i = 0; i < rules; i++) {
		member[i] = membership_holds(&request->lookup, i);
		missing[i] = !membership_exists(&request->lookup, i);
	}
	for (size_t i = 0; i < sites; i++)
		site[i] = config->redirect.sites[i].group != NULL && membership_holds(&request->lookup, rules + i);
	facts->user = request->user;
	facts->user_id = id == NULL ? request->user->dn : id->data;
	facts->rule_member = member;
	facts->rule_missing = missing;
	facts->site_member = site;
	facts->may_redirect = request->question->kind == WA_KIND_USER;
	facts->http_url = request->question->http_url;
	facts->now_s = clock_wall_s();
	facts->lockout_s = request->lockout_s;
}

/* Whether the search with the policy's account filter found the user too. */
static bool passes_account_filter(const struct request *request)
{
	if (request->account_filter == NULL)
		return true;
	for (const struct dir_entry *entry = request->account_filter->entries; entry != NULL; entry = entry->next)
		if (strcmp(entry->dn, request->user->dn) == 0)
			return true;
	return false;
}

static void send(struct request *request, struct dir_search *searches, size_t count,
		 void (*done)(struct dir_request *ask))
{
	request->decision.searches++;
	request->ask = (struct dir_request){
	    .searches = searches,
	    .search_count = count,
	    .deadline_ms = request->deadline_ms,
	    .done = done,
	    .context = request,
	};
	dir_pool_submit(request->engine->pool, &request->ask);
}

static void judge(struct request *request);

static void lockout_is_there(struct dir_request *ask)
{
	struct request *request = ask->context;

	if (lockout_take(&request->lockout, &request->lockout_s))
		judge(request);
	else
		finish_failed_search(request, &request->lockout);
}

/* Only somebody whom nothing but his lock keeps out gets here, so ordinary decisions do not pay for it. */
static void ask_lockout(struct request *request)
{
	request->lockout_asked = true;
	if (lockout_ask(&request->engine->config->directories[0], request->user, &request->lockout) != STATUS_OK)
		finish_no_memory(request);
	else
		send(request, &request->lockout, 1, lockout_is_there);
}

static void judge(struct request *request)
{
	const struct config *config = request->engine->config;
	struct wa_decision *decision = &request->decision;
	struct policy_judgement judgement;
	struct policy_facts facts = {.account_filter_failed = !passes_account_filter(request)};
	bool *flags =
	    arena_alloc_array(request->arena, 2 * config->rule_count + config->redirect.site_count + 1, sizeof(*flags));
	const char *detail = NULL;

	if (flags == NULL) {
		finish_no_memory(request);
		return;
	}
	fill_facts(request, &facts, flags);
	policy_judge(config, &facts, &judgement);
	if (judgement.reason == WA_REASON_ACCOUNT_LOCKED && !request->lockout_asked) {
		ask_lockout(request);
		return;
	}
	if (judgement.rule != POLICY_NO_RULE) {
		decision->rule = config->rules[judgement.rule].label;
		decision->path_count =
		    membership_path(&request->lookup, judgement.rule, request->user->dn, &decision->path);
	}
	decision->administrator = judgement.administrator;
	decision->quota = judgement.quota;
	decision->redirect_uri = judgement.verdict == WA_REDIRECT ? judgement.redirect_uri : NULL;
	if (judgement.malformed != NULL)
		detail = arena_printf(request->arena, "the value of '%s' cannot be read", judgement.malformed);
	else if (judgement.reason == WA_REASON_DENY_GROUP_MISSING)
		detail = "the group of this deny rule does not exist, so nobody can be let in";
	finish(request, judgement.verdict, judgement.reason, detail);
}

static void asked_again(struct dir_request *ask)
{
	advance(ask->context);
}

static void closure_is_there(void *context)
{
	struct request *request = context;

	executor_timer_clear(request->engine->executor, &request->patience);
	advance(request);
}

static void patience_is_over(void *context)
{
	struct request *request = context;
	struct error error;

	membership_wait_cancel(request->engine->membership, &request->waiter);
	error_set(&error, STATUS_TIMEOUT, "the configured groups could not be read in time");
	finish_unknown(request, &error);
}

static void await_closure(struct request *request)
{
	struct wa_engine *engine = request->engine;

	request->waiter = (struct membership_waiter){.run = closure_is_there, .context = request};
	request->patience = (struct timer){.run = patience_is_over, .context = request};
	if (executor_timer_set(engine->executor, &request->patience, request->deadline_ms) != STATUS_OK)
		finish_no_memory(request);
	else
		membership_wait(engine->membership, &request->waiter);
}

static void ask(struct request *request);

/* The same question once more: what is known of the user is too old for the closure. */
static void ask_anew(struct request *request)
{
	request->user = NULL;
	request->decision.dn = NULL;
	request->account_filter = NULL;
	drop_round(request);
	ask(request);
}

static void advance(struct request *request)
{
	struct membership *membership = request->engine->membership;
	enum membership_next next = request->user == NULL
					? membership_begin(membership, &request->lookup)
					: membership_step(membership, &request->lookup, request->user);

	switch (next) {
	case MEMBERSHIP_DONE:
		judge(request);
		break;
	case MEMBERSHIP_ASK:
		if (request->user == NULL)
			ask(request);
		else
			send(request, request->lookup.searches, request->lookup.search_count, asked_again);
		break;
	case MEMBERSHIP_WAIT:
		await_closure(request);
		break;
	case MEMBERSHIP_ANEW:
		ask_anew(request);
		break;
	case MEMBERSHIP_UNKNOWN:
		finish_unknown(request, &request->lookup.error);
		break;
	}
}

static void answered(struct dir_request *ask)
{
	struct request *request = ask->context;
	const struct dir_search *found = &request->round[ROUND_USER];
	enum wa_reason reason;

	if (found->outcome != DIR_OUTCOME_OK && found->outcome != DIR_OUTCOME_LIMIT) {
		finish_failed_search(request, found);
		return;
	}
	reason = question_pick(&request->engine->config->directories[0], &request->sender, found, &request->user);
	if (reason == WA_REASON_AMBIGUOUS_USER) {
		finish(request, WA_DENY, reason, "more than one entry has this name");
		return;
	}
	/* A list that was cut proves nothing, neither that there is nobody nor that there is only one. */
	if (found->outcome == DIR_OUTCOME_LIMIT) {
		finish_failed_search(request, found);
		return;
	}
	if (reason != WA_REASON_NONE) {
		finish(request, WA_DENY, reason, NULL);
		return;
	}
	request->decision.dn = request->user->dn;
	if (request->account_filter != NULL && request->account_filter->outcome != DIR_OUTCOME_OK)
		finish_failed_search(request, request->account_filter);
	else
		advance(request);
}

static bool make_search(struct request *request, size_t number, const char *extra, const char *const *attributes)
{
	const struct config_directory *directory = &request->engine->config->directories[0];
	struct dir_search *search = &request->round[number];

	if (dir_search_init(search, NULL) != STATUS_OK)
		return false;
	search->base = directory->base;
	search->scope = DIR_SCOPE_SUBTREE;
	search->filter = question_filter(directory, &request->sender, extra, request->arena);
	search->attributes = attributes;
	search->size_limit = QUESTION_MAX_MATCHES;
	return search->filter != NULL;
}

static void ask(struct request *request)
{
	static const char *const no_attributes[] = {"1.1", NULL};
	struct wa_engine *engine = request->engine;
	const char *account_filter = engine->config->account.filter;
	size_t count = 1;

	if (!make_search(request, ROUND_USER, "", engine->user_attributes)) {
		finish_no_memory(request);
		return;
	}
	if (account_filter[0] != '\0') {
		request->account_filter = &request->round[count];
		if (!make_search(request, count++, account_filter, no_attributes)) {
			finish_no_memory(request);
			return;
		}
	}
	request->lookup.arena = request->arena;
	request->lookup.user = request->sender.user == NULL ? "" : request->sender.user;
	request->lookup.first = &request->round[count];
	if (membership_prepare(engine->membership, &request->lookup) != STATUS_OK) {
		finish_no_memory(request);
		return;
	}
	send(request, request->round, count + request->lookup.search_count, answered);
}

static void begin(void *context)
{
	struct request *request = context;
	struct wa_engine *engine = request->engine;
	struct error error = {.status = STATUS_OK};
	enum wa_reason reason;

	if (engine->stopping) {
		finish(request, WA_ERROR, WA_REASON_SHUTTING_DOWN, NULL);
		return;
	}
	reason = question_identify(engine->config, request->question, request->arena, &request->sender, &error);
	if (reason == WA_REASON_NONE)
		advance(request);
	else if (reason == WA_REASON_NO_MEMORY)
		finish_no_memory(request);
	else
		finish(request, WA_DENY, reason, error.what);
}

static void refuse_overload(void *context)
{
	finish(context, WA_ERROR, WA_REASON_OVERLOAD, "too many questions wait for the directory");
}

bool request_start(struct wa_engine *engine, const struct wa_question *question, wa_decided_fn *decided, void *context)
{
	struct request *request;

	/* Even refusals are kept until the executor has come to them. */
	if (atomic_load_explicit(&engine->questions, memory_order_relaxed) >= ENGINE_MAX_REFUSALS)
		return false;
	request = memory_new(sizeof(*request));
	if (request == NULL)
		return false;
	request->engine = engine;
	request->arena = arena_new(REQUEST_MAX_BYTES);
	request->question = request->arena == NULL ? NULL : question_copy(question, request->arena);
	if (request->question == NULL) {
		arena_free(&request->arena);
		memory_free(request);
		return false;
	}
	request->decided = decided;
	request->context = context;
	request->began_us = clock_monotonic_us();
	request->deadline_ms = clock_monotonic_ms() + engine->config->directories[0].timeout_ms;
	request->decision.quota = (struct wa_quota){CONFIG_UNLIMITED, CONFIG_UNLIMITED, 0, CONFIG_UNLIMITED};
	request->task = (struct task){.run = begin, .context = request};
	if (atomic_fetch_add_explicit(&engine->questions, 1, memory_order_relaxed) >= ENGINE_MAX_QUESTIONS)
		request->task.run = refuse_overload;
	executor_post(engine->executor, &request->task);
	return true;
}
