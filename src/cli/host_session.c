/* SPDX-License-Identifier: Apache-2.0 */
#include <base/memory.h>
#include <cli/host_session.h>
#include <cli/host_trace_format.h>
#include <config/config.h>
#include <os/clock.h>
#include <string.h>

#define DEFAULT_ACTION   "http://schemas.xmlsoap.org/ws/2004/09/transfer/Get"
#define DEFAULT_RESOURCE "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2/Win32_OperatingSystem"

/* WinRM is told a number and nothing else; the words are in the system's log, or are those that the policy's reader has. */
static enum status explain_refusal(const char *policy, DWORD code, struct error *error)
{
	const struct config *config = NULL;

	if (policy != NULL && code == WSMAUTHZ_CONFIGURATION_CORRUPTED &&
	    config_load(policy, &config, error) != STATUS_OK) {
		error_prefix(error, "the plug-in does not start");
		return STATUS_INVALID;
	}
	if (config != NULL)
		config_unref(&config);
	error_set(error, STATUS_INVALID, "the plug-in does not start: Startup returned 0x%08lx", (unsigned long)code);
	return error_hint(error, STATUS_INVALID,
			  "the reason is in the system's log, and 'wsmauthz doctor' looks for it");
}

static enum status start(struct host_session *session, const struct host_session_options *options, struct error *error)
{
	DWORD code = WSMAUTHZ_NO_ERROR;
	uint64_t begin_us = clock_monotonic_us();
	enum status status;

	host_trace_note(&session->trace, false, "Startup", NULL, "application %s, policy %s", options->application,
			options->policy != NULL ? options->policy : "as the plug-in finds it");
	status = host_plugin_start(&session->plugin, options->application, options->policy, &code, error);
	if (status == STATUS_OK)
		host_trace_note(&session->trace, false, "Startup", NULL, "returned %lu in %.3f ms", (unsigned long)code,
				(double)(clock_monotonic_us() - begin_us) / 1000);
	if (status == STATUS_OK && code != WSMAUTHZ_NO_ERROR)
		status = explain_refusal(options->policy, code, error);
	return status;
}

enum status host_session_open(struct host_session *session, const struct host_session_options *options,
			      struct error *error)
{
	enum status status;

	memset(session, 0, sizeof(*session));
	session->wants_quota = options->wants_quota;
	status = host_plugin_load(&session->plugin, options->plugin_path, host_calls_completed, error);
	if (status != STATUS_OK)
		return status;
	host_trace_init(&session->trace, options->is_json, options->is_quiet);
	host_records_init(&session->records, options->idle_ms, options->refresh_ms);
	status = host_calls_init(&session->calls, &session->plugin, &session->trace, options->patience_ms, error);
	if (status == STATUS_OK) {
		status = start(session, options, error);
		if (status == STATUS_OK)
			return STATUS_OK;
		host_calls_done(&session->calls);
	}
	host_plugin_unload(&session->plugin);
	host_records_done(&session->records);
	host_trace_done(&session->trace);
	return status;
}

static void release(struct host_session *session, const char *name, PVOID context, const char *why)
{
	if (context == NULL)
		return;
	host_trace_note(&session->trace, false, "AuthzReleaseContext", name, "%s", why);
	session->plugin.release_context(context);
}

static DWORD stop(struct host_session *session)
{
	uint64_t begin_us = clock_monotonic_us();
	DWORD code;

	host_trace_note(&session->trace, false, "Shutdown", NULL, "reason: the IIS host ends");
	code = host_plugin_stop(&session->plugin);
	host_trace_note(&session->trace, code != WSMAUTHZ_NO_ERROR, "Shutdown", NULL, "returned %lu in %.3f ms",
			(unsigned long)code, (double)(clock_monotonic_us() - begin_us) / 1000);
	return code;
}

bool host_session_close(struct host_session *session)
{
	char *name = NULL;
	PVOID context = NULL;
	bool is_clean;

	while (host_records_take_any(&session->records, &name, &context)) {
		release(session, name, context, "the host ends");
		memory_free(name);
	}
	is_clean = stop(session) == WSMAUTHZ_NO_ERROR;
	host_plugin_unload(&session->plugin);
	is_clean = host_calls_are_clean(&session->calls) && is_clean;
	host_calls_done(&session->calls);
	host_records_done(&session->records);
	host_trace_done(&session->trace);
	return is_clean;
}

static void take_answer(struct host_outcome *outcome, const struct host_answer *answer)
{
	memset(outcome, 0, sizeof(*outcome));
	outcome->is_answered = answer->is_completed;
	if (!answer->is_completed)
		return;
	outcome->code = answer->code;
	outcome->administrator = answer->administrator;
	outcome->has_quota = answer->has_quota;
	outcome->quota = answer->quota;
	memcpy(outcome->redirect, answer->redirect, sizeof(outcome->redirect));
}

enum status host_session_quota(struct host_session *session, const struct host_sender *sender,
			       struct host_outcome *outcome_out, struct error *error)
{
	struct host_answer answer;
	enum status status = host_calls_ask(&session->calls, STANDIN_QUOTA, sender, NULL, NULL, &answer, error);

	if (status != STATUS_OK)
		return status;
	if (answer.is_completed && answer.has_quota)
		host_records_keep_quota(&session->records, sender, &answer.quota);
	take_answer(outcome_out, &answer);
	return STATUS_OK;
}

/* The user is let in: its record replaces the one there was. */
static enum status let_in(struct host_session *session, const struct host_sender *sender,
			  const struct host_answer *answer, struct host_outcome *outcome, struct error *error)
{
	struct host_outcome quota;
	PVOID old = NULL;
	enum status status = host_records_keep(&session->records, sender, answer, clock_monotonic_ms(), &old, error);

	if (status != STATUS_OK) {
		release(session, sender->name, answer->user_context, "no record could be kept");
		return status;
	}
	release(session, sender->name, old, "a new authorization has replaced it");
	if (!session->wants_quota)
		return STATUS_OK;
	status = host_session_quota(session, sender, &quota, error);
	if (status == STATUS_OK && !quota.is_answered)
		outcome->is_answered = false;
	outcome->has_quota = status == STATUS_OK && quota.has_quota;
	outcome->quota = quota.quota;
	return status;
}

enum status host_session_refresh(struct host_session *session, const struct host_sender *sender,
				 struct host_outcome *outcome_out, struct error *error)
{
	struct host_answer answer;
	PVOID old = NULL;
	enum status status = host_calls_ask(&session->calls, STANDIN_USER, sender, NULL, NULL, &answer, error);

	if (status != STATUS_OK)
		return status;
	take_answer(outcome_out, &answer);
	if (answer.is_completed && answer.code == WSMAUTHZ_NO_ERROR)
		return let_in(session, sender, &answer, outcome_out, error);
	if (host_records_drop(&session->records, sender, &old))
		release(session, sender->name, old, "the new authorization has failed");
	return STATUS_OK;
}

enum status host_session_connect(struct host_session *session, const struct host_sender *sender,
				 struct host_outcome *outcome_out, struct error *error)
{
	struct host_record_facts facts;

	host_session_expire(session);
	if (!host_records_use(&session->records, sender, clock_monotonic_ms(), &facts))
		return host_session_refresh(session, sender, outcome_out, error);
	if (facts.is_old) {
		host_trace_note(&session->trace, false, "record", sender->name, "is due to be authorized anew");
		return host_session_refresh(session, sender, outcome_out, error);
	}
	host_trace_note(&session->trace, false, "record", sender->name, "lets the user in");
	memset(outcome_out, 0, sizeof(*outcome_out));
	outcome_out->is_answered = outcome_out->is_remembered = true;
	outcome_out->administrator = facts.administrator;
	outcome_out->has_quota = facts.has_quota;
	outcome_out->quota = facts.quota;
	return STATUS_OK;
}

enum status host_session_operate(struct host_session *session, const struct host_sender *sender, const char *action,
				 const char *resource, struct host_outcome *outcome_out, struct error *error)
{
	struct host_answer answer;
	enum status status = host_session_connect(session, sender, outcome_out, error);

	if (status != STATUS_OK || !outcome_out->is_answered || outcome_out->code != WSMAUTHZ_NO_ERROR)
		return status;
	status = host_calls_ask(&session->calls, STANDIN_OPERATION, sender, action != NULL ? action : DEFAULT_ACTION,
				resource != NULL ? resource : DEFAULT_RESOURCE, &answer, error);
	if (status != STATUS_OK)
		return status;
	take_answer(outcome_out, &answer);
	if (answer.is_completed)
		release(session, sender->name, answer.user_context, "the operation has ended");
	return STATUS_OK;
}

void host_session_leave(struct host_session *session, const struct host_sender *sender)
{
	PVOID context = NULL;

	if (host_records_drop(&session->records, sender, &context))
		release(session, sender->name, context, "the user has left");
	else
		host_trace_note(&session->trace, false, "record", sender->name, "there is none that could be left");
}

void host_session_expire(struct host_session *session)
{
	char *name = NULL;
	PVOID context = NULL;

	while (host_records_take_expired(&session->records, clock_monotonic_ms(), &name, &context)) {
		release(session, name, context, "the record's idle time is over");
		memory_free(name);
	}
}
