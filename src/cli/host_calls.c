/* SPDX-License-Identifier: Apache-2.0 */
#include <base/memory.h>
#include <base/utf.h>
#include <cli/host_calls.h>
#include <cli/host_system.h>
#include <cli/host_trace_format.h>
#include <cli/sender_units.h>
#include <os/clock.h>
#include <string.h>

#define OPERATION_NUMBER 1 /* its meaning is not public; the plug-in does not look at it */

struct host_slot {
	WSMAN_SENDER_DETAILS details; /* first: the key */
	struct host_slot *next_free;
	WSMAN_CERTIFICATE_DETAILS certificate;
	/* Owned. */
	WCHAR *name, *mechanism, *url, *action, *resource, *subject, *issuer, *thumbprint, *subject_name;
	unsigned completions; /* since it was last used */
	enum standin_function function;
	uintptr_t caller, completer;
	uint64_t begin_us, end_us;
	bool has_returned;
	const char *defect; /* what WinRM would not have taken; NULL */
	struct host_answer answer;
};

/* Completions carry no context of ours but the key, which is not to be trusted before it is known. */
static struct host_calls *current;

enum status host_calls_init(struct host_calls *calls, const struct host_plugin *plugin, struct host_trace *trace,
			    uint64_t patience_ms, struct error *error)
{
	enum status status;

	memset(calls, 0, sizeof(*calls));
	status = host_token_open(&calls->token, error);
	if (status != STATUS_OK)
		return status;
	mutex_init(&calls->lock);
	condition_init(&calls->changed);
	calls->plugin = plugin;
	calls->trace = trace;
	calls->patience_ms = patience_ms;
	current = calls;
	return STATUS_OK;
}

static void free_texts(struct host_slot *slot)
{
	WCHAR **texts[] = {&slot->name,    &slot->mechanism, &slot->url,        &slot->action,      &slot->resource,
			   &slot->subject, &slot->issuer,    &slot->thumbprint, &slot->subject_name};

	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		memory_free(*texts[i]);
		*texts[i] = NULL;
	}
}

void host_calls_done(struct host_calls *calls)
{
	current = NULL;
	for (size_t i = 0; i < calls->slot_count; i++) {
		free_texts(calls->slots[i]);
		memory_free(calls->slots[i]);
	}
	memory_free(calls->slots);
	host_token_close(calls->token);
	condition_done(&calls->changed);
	mutex_done(&calls->lock);
}

/* A pointer that the host never gave is not looked into. */
static struct host_slot *find_slot(struct host_calls *calls, const void *key) REQUIRES(calls->lock)
{
	for (size_t i = 0; i < calls->slot_count; i++)
		if (calls->slots[i] == key)
			return calls->slots[i];
	return NULL;
}

/* The extended information of a redirect is its address; what else is said there is for people. */
static bool read_extended(PCWSTR extended, char out[HOST_REDIRECT_BYTES])
{
	size_t count = 0, length = 0;

	while (count <= HOST_REDIRECT_BYTES / 3 && extended[count] != 0)
		count++;
	if (count > HOST_REDIRECT_BYTES / 3 - 1 || !utf16_to_utf8_into(extended, count, out, &length))
		return false;
	out[length] = '\0';
	return true;
}

/* What the documentation, or Microsoft's own sample, would not do. */
static const char *defect_of(const struct host_slot *slot, const struct standin_completion *completion,
			     const struct host_answer *answer)
{
	bool is_success = completion->code == WSMAUTHZ_NO_ERROR;
	bool is_redirect = completion->code == WSMAUTHZ_REDIRECT_REQUESTED;

	if (completion->function != slot->function)
		return "by the completion function of another kind of call";
	if (is_redirect && completion->function != STANDIN_USER)
		return "with a redirect, which only the authorization of a user may have";
	if (is_redirect && answer->redirect[0] == '\0')
		return "with a redirect without an address, or one that is no UTF-16 or too long";
	if (completion->function == STANDIN_QUOTA && is_success && completion->quota == NULL)
		return "with success, and without a quota";
	if (completion->function == STANDIN_USER && is_success && completion->token != slot->details.clientToken)
		return "with success, and with another token than the sender's own";
	if (!is_success && (completion->user_context != NULL || completion->token != NULL || completion->administrator))
		return "with no success, and yet with a context, a token or an administrator";
	return NULL;
}

static void take(struct host_slot *slot, const struct standin_completion *completion)
{
	struct host_answer *answer = &slot->answer;

	answer->code = completion->code;
	answer->administrator = completion->administrator != 0;
	answer->user_context = completion->user_context;
	answer->has_quota = completion->quota != NULL;
	if (completion->quota != NULL)
		answer->quota = *completion->quota;
	if (completion->extended != NULL && !read_extended(completion->extended, answer->redirect))
		answer->redirect[0] = '\0';
	answer->is_completed = true;
	slot->completer = host_thread_id();
	slot->end_us = clock_monotonic_us();
	answer->was_inside = slot->completer == slot->caller && !slot->has_returned;
	slot->defect = defect_of(slot, completion, answer);
}

void host_calls_completed(const struct standin_completion *completion)
{
	struct host_calls *calls = current;
	struct host_slot *slot;
	const char *trouble = NULL;

	mutex_lock(&calls->lock);
	slot = find_slot(calls, completion->details);
	if (slot == NULL) {
		calls->strange++;
		trouble = "for a key that the host has given nobody";
	} else if (slot->completions++ > 0) {
		calls->twice++;
		trouble = "for the second time";
	} else {
		calls->completed++;
		take(slot, completion);
		condition_broadcast(&calls->changed);
	}
	mutex_unlock(&calls->lock);
	if (trouble != NULL)
		host_trace_note(calls->trace, true, "completion", NULL, "error: a call was completed %s", trouble);
}

static struct host_slot *new_slot(struct host_calls *calls, struct error *error) REQUIRES(calls->lock)
{
	struct host_slot *slot = NULL;

	if (calls->slot_count == HOST_CALLS_MAX) {
		error_set(error, STATUS_LIMIT, "more than %d calls are under way, or were never completed",
			  HOST_CALLS_MAX);
		return NULL;
	}
	if (ARRAY_RESERVE(&calls->slots, &calls->slot_capacity, calls->slot_count + 1))
		slot = memory_new(sizeof(*slot));
	if (slot == NULL)
		error_no_memory(error);
	else
		calls->slots[calls->slot_count++] = slot;
	return slot;
}

/* NULL: *error says why. */
static struct host_slot *claim(struct host_calls *calls, struct error *error)
{
	struct host_slot *slot;

	mutex_lock(&calls->lock);
	slot = calls->first_free;
	if (slot == NULL || calls->free_count <= HOST_CALLS_REST) {
		slot = new_slot(calls, error);
	} else {
		calls->first_free = slot->next_free;
		calls->free_count--;
		memset(slot, 0, sizeof(*slot));
	}
	mutex_unlock(&calls->lock);
	return slot;
}

/* The plug-in may not look at the details any more; the slot rests, so that it would be noticed if it did. */
static void give_up(struct host_calls *calls, struct host_slot *slot)
{
	free_texts(slot);
	memset(&slot->details, 0, sizeof(slot->details));
	memset(&slot->certificate, 0, sizeof(slot->certificate));
	mutex_lock(&calls->lock);
	slot->next_free = NULL;
	if (calls->free_count == 0)
		calls->first_free = slot;
	else
		calls->last_free->next_free = slot;
	calls->last_free = slot;
	calls->free_count++;
	mutex_unlock(&calls->lock);
}

static bool copy_text(WCHAR **units_out, const char *text)
{
	*units_out = text != NULL ? sender_units_of(text) : NULL;
	return text == NULL || *units_out != NULL;
}

static bool has_certificate(const struct host_sender *sender)
{
	return sender->subject != NULL || sender->issuer != NULL || sender->thumbprint != NULL ||
	       sender->subject_name != NULL;
}

static enum status prepare(struct host_calls *calls, struct host_slot *slot, const struct host_sender *sender,
			   const char *action, const char *resource, struct error *error)
{
	const struct {
		WCHAR **units;
		const char *text;
	} texts[] = {
	    {&slot->name, sender->name},
	    {&slot->mechanism, sender->mechanism},
	    {&slot->url, sender->url},
	    {&slot->action, action},
	    {&slot->resource, resource},
	    {&slot->subject, sender->subject},
	    {&slot->issuer, sender->issuer},
	    {&slot->thumbprint, sender->thumbprint},
	    {&slot->subject_name, sender->subject_name},
	};

	for (size_t i = 0; i < COUNT_OF(texts); i++)
		if (!copy_text(texts[i].units, texts[i].text))
			return error_no_memory(error);
	slot->certificate = (WSMAN_CERTIFICATE_DETAILS){.subject = slot->subject,
							.issuerName = slot->issuer,
							.issuerThumbprint = slot->thumbprint,
							.subjectName = slot->subject_name};
	slot->details =
	    (WSMAN_SENDER_DETAILS){.senderName = slot->name,
				   .authenticationMechanism = slot->mechanism,
				   .certificateDetails = has_certificate(sender) ? &slot->certificate : NULL,
				   .clientToken = sender->has_no_token ? NULL : calls->token,
				   .httpURL = slot->url};
	slot->caller = host_thread_id();
	return STATUS_OK;
}

static void enter(struct host_calls *calls, struct host_slot *slot)
{
	const struct host_plugin *plugin = calls->plugin;

	mutex_lock(&calls->lock);
	calls->made++;
	slot->begin_us = clock_monotonic_us();
	mutex_unlock(&calls->lock);
	if (slot->function == STANDIN_USER)
		plugin->authz_user(plugin->context, &slot->details, 0);
	else if (slot->function == STANDIN_QUOTA)
		plugin->authz_query_quota(plugin->context, &slot->details, 0);
	else
		plugin->authz_operation(plugin->context, &slot->details, 0, OPERATION_NUMBER, slot->action,
					slot->resource);
}

/* Wait until it is completed. What comes later than the patience still finds its slot. */
static void wait_for(struct host_calls *calls, struct host_slot *slot, struct host_answer *answer_out)
{
	uint64_t due_ms = clock_monotonic_ms() + calls->patience_ms;

	mutex_lock(&calls->lock);
	slot->has_returned = true;
	while (slot->completions == 0)
		if (!condition_wait_until(&calls->changed, &calls->lock, due_ms) && slot->completions == 0)
			break;
	if (slot->completions == 0)
		calls->missing++;
	else if (slot->defect != NULL)
		calls->malformed++;
	slot->answer.elapsed_us = slot->end_us - slot->begin_us;
	slot->answer.is_refused = slot->defect != NULL;
	*answer_out = slot->answer;
	mutex_unlock(&calls->lock);
}

static void trace_completion(struct host_calls *calls, const struct host_slot *slot, const struct host_sender *sender,
			     const struct host_answer *answer)
{
	if (!answer->is_completed) {
		host_trace_note(calls->trace, true, host_function_complete_name(slot->function), sender->name,
				"error: did not come in %llu ms", (unsigned long long)calls->patience_ms);
		return;
	}
	host_trace_answer(calls->trace, slot->function, sender->name, answer, slot->end_us, slot->completer);
	if (slot->defect != NULL)
		host_trace_note(calls->trace, true, host_function_complete_name(slot->function), sender->name,
				"error: came %s", slot->defect);
}

enum status host_calls_ask(struct host_calls *calls, enum standin_function function, const struct host_sender *sender,
			   const char *action, const char *resource, struct host_answer *answer_out,
			   struct error *error)
{
	struct error why = {.status = STATUS_OK};
	struct host_slot *slot = claim(calls, &why);
	enum status status;

	if (slot == NULL) {
		if (error != NULL)
			*error = why;
		return why.status;
	}
	slot->function = function;
	status = prepare(calls, slot, sender, action, resource, error);
	if (status != STATUS_OK) {
		slot->completions = 1;
		give_up(calls, slot);
		return status;
	}
	host_trace_call(calls->trace, function, sender, action);
	enter(calls, slot);
	wait_for(calls, slot, answer_out);
	trace_completion(calls, slot, sender, answer_out);
	if (answer_out->is_completed)
		give_up(calls, slot);
	return STATUS_OK;
}

bool host_calls_are_clean(struct host_calls *calls)
{
	bool is;

	mutex_lock(&calls->lock);
	is = calls->made == calls->completed && calls->twice + calls->strange + calls->missing + calls->malformed == 0;
	mutex_unlock(&calls->lock);
	return is;
}
