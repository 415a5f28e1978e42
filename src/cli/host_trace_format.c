/* SPDX-License-Identifier: Apache-2.0 */
#include <base/json.h>
#include <cli/host_trace_format.h>

enum host_verdict host_verdict_of(DWORD code)
{
	if (code == WSMAUTHZ_NO_ERROR)
		return HOST_AUTHORIZE;
	if (code == WSMAUTHZ_ACCESS_DENIED)
		return HOST_DENY;
	return code == WSMAUTHZ_REDIRECT_REQUESTED ? HOST_REDIRECT : HOST_ERROR;
}

const char *host_verdict_word(enum host_verdict verdict)
{
	static const char *const words[] = {
	    [HOST_ERROR] = "error", [HOST_DENY] = "deny", [HOST_AUTHORIZE] = "authorize", [HOST_REDIRECT] = "redirect"};

	return words[verdict];
}

const char *host_function_name(enum standin_function function)
{
	static const char *const names[] = {
	    [STANDIN_USER] = "AuthzUser", [STANDIN_OPERATION] = "AuthzOperation", [STANDIN_QUOTA] = "AuthzQueryQuota"};

	return names[function];
}

const char *host_function_complete_name(enum standin_function function)
{
	static const char *const names[] = {[STANDIN_USER] = "AuthzUserComplete",
					    [STANDIN_OPERATION] = "AuthzOperationComplete",
					    [STANDIN_QUOTA] = "AuthzQueryQuotaComplete"};

	return names[function];
}

void host_add_verdict(struct text *out, DWORD code, const char *redirect)
{
	enum host_verdict verdict = host_verdict_of(code);

	text_add(out, host_verdict_word(verdict));
	if (verdict == HOST_REDIRECT)
		text_printf(out, " to %s", redirect);
	else if (verdict == HOST_ERROR)
		text_printf(out, code > UINT16_MAX ? " 0x%08lx" : " %lu", (unsigned long)code);
}

static void add_limit(struct text *out, DWORD limit)
{
	if (limit == MAXDWORD)
		text_add(out, "unlimited");
	else
		text_printf(out, "%lu", (unsigned long)limit);
}

void host_add_quota(struct text *out, const WSMAN_AUTHZ_QUOTA *quota)
{
	text_add(out, "shells ");
	add_limit(out, quota->maxAllowedConcurrentShells);
	text_add(out, ", operations ");
	add_limit(out, quota->maxAllowedConcurrentOperations);
	if (quota->maxAllowedOperationsPerTimeslot != MAXDWORD)
		text_printf(out, ", %lu in %lu s", (unsigned long)quota->maxAllowedOperationsPerTimeslot,
			    (unsigned long)quota->timeslotSize);
}

void host_add_members(struct text *members, DWORD code, const char *redirect, bool administrator)
{
	json_text(members, "verdict", host_verdict_word(host_verdict_of(code)));
	json_number(members, "code", code);
	json_text(members, "redirect_uri", host_verdict_of(code) == HOST_REDIRECT ? redirect : NULL);
	json_bool(members, "administrator", administrator);
}

static void add_call(struct text *text, struct text *members, const struct host_sender *sender, const char *action)
{
	text_add(text, sender->mechanism);
	json_text(members, "mechanism", sender->mechanism);
	json_text(members, "url", sender->url);
	if (sender->url != NULL)
		text_printf(text, ", %s", sender->url);
	json_text(members, "action", action);
	if (action != NULL)
		text_printf(text, ", %s", action);
	if (sender->subject != NULL)
		text_printf(text, ", certificate of %s", sender->subject);
	if (sender->has_no_token)
		text_add(text, ", without a token");
}

static void add(struct host_trace *trace, struct host_event *event, struct text *text, struct text *members)
{
	event->text = text_string(text);
	event->members = members;
	host_trace_add(trace, event);
	text_done(text);
	text_done(members);
}

void host_trace_call(struct host_trace *trace, enum standin_function function, const struct host_sender *sender,
		     const char *action)
{
	struct text text, members;

	if (trace->is_quiet)
		return;
	text_init(&text);
	text_init(&members);
	add_call(&text, &members, sender, action);
	add(trace, &(struct host_event){.name = host_function_name(function), .subject = sender->name}, &text,
	    &members);
}

static void add_answer(struct text *text, struct text *members, const struct host_answer *answer)
{
	host_add_verdict(text, answer->code, answer->redirect);
	host_add_members(members, answer->code, answer->redirect, answer->administrator);
	if (answer->administrator)
		text_add(text, " as administrator");
	if (answer->has_quota) {
		text_add(text, ", ");
		host_add_quota(text, &answer->quota);
		json_number(members, "shells", answer->quota.maxAllowedConcurrentShells);
		json_number(members, "operations", answer->quota.maxAllowedConcurrentOperations);
		json_number(members, "timeslot_s", answer->quota.timeslotSize);
		json_number(members, "operations_per_timeslot", answer->quota.maxAllowedOperationsPerTimeslot);
	}
	text_printf(text, ", in %.3f ms, %s", (double)answer->elapsed_us / 1000,
		    answer->was_inside ? "inside the call" : "behind the call");
	json_bool(members, "inside", answer->was_inside);
	json_number(members, "elapsed_us", answer->elapsed_us);
}

void host_trace_answer(struct host_trace *trace, enum standin_function function, const char *sender,
		       const struct host_answer *answer, uint64_t end_us, uintptr_t thread)
{
	struct text text, members;

	if (trace->is_quiet)
		return;
	text_init(&text);
	text_init(&members);
	add_answer(&text, &members, answer);
	add(trace,
	    &(struct host_event){.name = host_function_complete_name(function),
				 .is_at_time = true,
				 .time_us = end_us,
				 .thread = thread,
				 .subject = sender},
	    &text, &members);
}
