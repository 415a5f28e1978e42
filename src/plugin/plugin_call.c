/* SPDX-License-Identifier: Apache-2.0 */
#include <base/memory.h>
#include <os/clock.h>
#include <plugin/plugin_answer.h>
#include <plugin/plugin_call.h>
#include <stddef.h>

enum call_state { CALL_WAITING = 0, CALL_SETTLING, CALL_ANSWERED };

struct plugin_call {
	struct plugin *plugin; /* not touched once the host was told: it may be gone */
	enum wa_kind kind;
	WSMAN_SENDER_DETAILS *sender_details; /* not read: the host's key */
	HANDLE token;
	bool is_synchronous;
	struct plugin_answer answer; /* belongs to who claimed the call, then to who completes it */
	struct task completion;
	struct guard_entry watch;
	uint64_t due_ms;

	struct mutex lock; /* guards: state, references */
	struct condition answered;
	enum call_state state;
	unsigned references;
};

static void ref(struct plugin_call *call)
{
	mutex_lock(&call->lock);
	call->references++;
	mutex_unlock(&call->lock);
}

static void unref(struct plugin_call *call)
{
	unsigned left;

	mutex_lock(&call->lock);
	left = --call->references;
	mutex_unlock(&call->lock);
	if (left > 0)
		return;
	condition_done(&call->answered);
	mutex_done(&call->lock);
	memory_free(call);
}

static bool claim(struct plugin_call *call)
{
	bool claimed;

	mutex_lock(&call->lock);
	claimed = call->state == CALL_WAITING;
	if (claimed)
		call->state = CALL_SETTLING;
	mutex_unlock(&call->lock);
	return claimed;
}

/* The caller has claimed the call. */
static void settle(struct plugin_call *call, const struct wa_decision *decision)
{
	struct wa_decision final = *decision;
	struct plugin *plugin = call->plugin;

	plugin_answer_make(&call->answer, call->kind, &final);
	if (plugin->observe != NULL)
		plugin->observe(plugin->observe_context, call->sender_details, &final);
	mutex_lock(&call->lock);
	call->state = CALL_ANSWERED;
	condition_signal(&call->answered);
	mutex_unlock(&call->lock);
}

static void settle_overdue(struct plugin_call *call)
{
	struct wa_decision decision =
	    plugin_answer_refusal(WA_REASON_DEADLINE_EXCEEDED, "the engine did not answer within the policy's timeout");

	settle(call, &decision);
	log_error(&call->plugin->log, "plug-in: %s; its answer, if it comes, will be dropped", decision.detail);
}

/* The host may free everything that the call points to, and stop the plug-in on another thread, as soon as it is left. */
static void complete(struct plugin_call *call)
{
	struct plugin *plugin = call->plugin;
	DWORD result = plugin_answer_tell(&call->answer, call->kind, call->sender_details, call->token);

	if (result != WSMAUTHZ_NO_ERROR)
		log_warning(&plugin->log, "plug-in: the host refused a completion with number %lu",
			    (unsigned long)result);
	plugin_leave(plugin);
}

static void run_completion(void *context)
{
	struct plugin_call *call = context;

	complete(call);
	unref(call);
}

/* Asynchronous: the call is settled; the completion thread tells the host. Takes a reference of its own. */
static void post_completion(struct plugin_call *call)
{
	if (call->is_synchronous)
		return;
	ref(call);
	call->completion.run = run_completion;
	call->completion.context = call;
	executor_post(call->plugin->completer, &call->completion);
}

struct plugin_call *plugin_call_new(struct plugin *plugin, enum wa_kind kind, WSMAN_SENDER_DETAILS *sender_details)
{
	struct plugin_call *call = memory_new(sizeof(*call));

	if (call == NULL)
		return NULL;
	call->plugin = plugin;
	call->kind = kind;
	call->sender_details = sender_details;
	call->token = sender_details->clientToken;
	call->is_synchronous = plugin->completer == NULL;
	call->due_ms = clock_monotonic_ms() + wa_engine_timeout_ms(plugin->engine) + PLUGIN_GRACE_MS;
	call->references = 1;
	mutex_init(&call->lock);
	condition_init(&call->answered);
	return call;
}

void plugin_call_refuse(struct plugin_call *call, const struct wa_decision *decision)
{
	struct plugin *plugin = call->plugin;

	if (claim(call)) {
		settle(call, decision);
		post_completion(call);
	}
	plugin_started(plugin);
}

/* The engine's thread; perhaps long after the call was given up, when only the record is left. */
static void decided(void *context, const struct wa_decision *decision)
{
	struct plugin_call *call = context;

	if (claim(call)) {
		if (!call->is_synchronous && guard_forget(&call->plugin->guard, &call->watch))
			unref(call);
		settle(call, decision);
		post_completion(call);
	}
	unref(call);
}

void plugin_call_ask(struct plugin_call *call, const struct wa_question *question)
{
	struct plugin *plugin = call->plugin;
	struct wa_decision no_memory;

	if (!call->is_synchronous) {
		ref(call);
		guard_watch(&plugin->guard, &call->watch, call->due_ms);
	}
	ref(call);
	if (wa_engine_decide(plugin->engine, question, decided, call)) {
		plugin_started(plugin);
		return;
	}
	no_memory = plugin_answer_refusal(WA_REASON_NO_MEMORY, "no memory for the question");
	decided(call, &no_memory);
	plugin_started(plugin);
}

/* True when the call was settled by another; false when its time was over and it is now claimed by us. */
static bool wait_settled(struct plugin_call *call)
{
	bool is_ours = false;

	mutex_lock(&call->lock);
	while (call->state != CALL_ANSWERED && !is_ours) {
		if (call->state == CALL_SETTLING) {
			condition_wait(&call->answered, &call->lock);
		} else if (!condition_wait_until(&call->answered, &call->lock, call->due_ms) &&
			   call->state == CALL_WAITING) {
			call->state = CALL_SETTLING;
			is_ours = true;
		}
	}
	mutex_unlock(&call->lock);
	return !is_ours;
}

void plugin_call_finish(struct plugin_call *call)
{
	/* `plugin` may be gone already when completion is asynchronous: ask the record. */
	if (!call->is_synchronous) {
		unref(call);
		return;
	}
	if (!wait_settled(call))
		settle_overdue(call);
	complete(call);
	unref(call);
}

void plugin_call_expired(struct guard_entry *entry)
{
	struct plugin_call *call = CONTAINER_OF(entry, struct plugin_call, watch);

	if (claim(call)) {
		settle_overdue(call);
		complete(call);
	}
	unref(call);
}
