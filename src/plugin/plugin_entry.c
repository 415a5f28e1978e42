/* SPDX-License-Identifier: Apache-2.0 */
#include <base/memory.h>
#include <os/log_sink.h>
#include <plugin/plugin_answer.h>
#include <plugin/plugin_call.h>
#include <plugin/plugin_context.h>
#include <plugin/plugin_instant.h>
#include <plugin/plugin_text.h>
#include <stdio.h>

/* The host's strings in UTF-8, for as long as the engine is being asked. */
struct texts {
	char *sender, *mechanism, *url;
	char *subject, *issuer_name, *issuer_thumbprint, *subject_name;
	size_t sender_length;
	char token_sid[SID_TEXT_BYTES]; /* "": none */
};

static void texts_done(struct texts *texts)
{
	memory_free(texts->sender);
	memory_free(texts->mechanism);
	memory_free(texts->url);
	memory_free(texts->subject);
	memory_free(texts->issuer_name);
	memory_free(texts->issuer_thumbprint);
	memory_free(texts->subject_name);
}

static enum status read_certificate(const WSMAN_CERTIFICATE_DETAILS *certificate, struct texts *texts)
{
	const struct {
		PCWSTR units;
		char **text;
	} fields[] = {
	    {certificate->subject, &texts->subject},
	    {certificate->issuerName, &texts->issuer_name},
	    {certificate->issuerThumbprint, &texts->issuer_thumbprint},
	    {certificate->subjectName, &texts->subject_name},
	};

	for (size_t i = 0; i < COUNT_OF(fields); i++) {
		enum status status =
		    plugin_text_read(fields[i].units, PLUGIN_MAX_CERTIFICATE_UNITS, fields[i].text, NULL);

		if (status != STATUS_OK)
			return status;
	}
	return STATUS_OK;
}

/* On failure *what_out names the string. */
static enum status read_texts(const WSMAN_SENDER_DETAILS *details, struct texts *texts, const char **what_out)
{
	enum status status;

	*what_out = "the sender's name";
	status = plugin_text_read(details->senderName, PLUGIN_MAX_NAME_UNITS, &texts->sender, &texts->sender_length);
	if (status == STATUS_OK && texts->sender_length == 0)
		status = STATUS_NOT_FOUND;
	if (status != STATUS_OK)
		return status;
	*what_out = "the authentication mechanism";
	status =
	    plugin_text_read(details->authenticationMechanism, PLUGIN_MAX_MECHANISM_UNITS, &texts->mechanism, NULL);
	if (status != STATUS_OK)
		return status;
	*what_out = "the URL";
	status = plugin_text_read(details->httpURL, PLUGIN_MAX_URL_UNITS, &texts->url, NULL);
	if (status != STATUS_OK || details->certificateDetails == NULL)
		return status;
	*what_out = "the client certificate's description";
	return read_certificate(details->certificateDetails, texts);
}

static const char *why_unreadable(enum status status)
{
	if (status == STATUS_NOT_FOUND)
		return "is empty";
	if (status == STATUS_LIMIT)
		return "is longer than any honest one";
	return "is not valid Unicode text";
}

/* What could be read of the question is in `texts`. */
static void refuse(struct plugin_call *call, const struct plugin *plugin, enum wa_kind kind, const struct texts *texts,
		   enum wa_reason reason, const char *detail)
{
	const struct wa_decision decision = plugin_answer_refusal(reason, detail);
	const struct wa_question question = {
	    .kind = kind,
	    .sender = texts->sender,
	    .sender_length = texts->sender_length,
	    .mechanism = texts->mechanism,
	    .http_url = texts->url,
	};

	wa_engine_record(plugin->engine, &question, &decision);
	log_debug(&plugin->log, "plug-in: %s, %s: %s", wa_verdict_word(decision.verdict), wa_reason_word(reason),
		  detail);
	plugin_call_refuse(call, &decision);
}

static void refuse_texts(struct plugin_call *call, const struct plugin *plugin, enum wa_kind kind,
			 const struct texts *texts, enum status status, const char *what)
{
	char detail[128];

	if (status == STATUS_NO_MEMORY) {
		refuse(call, plugin, kind, texts, WA_REASON_NO_MEMORY, "no memory to read the host's question");
		return;
	}
	(void)snprintf(detail, sizeof(detail), "%s %s", what, why_unreadable(status));
	refuse(call, plugin, kind, texts, WA_REASON_BAD_SENDER_NAME, detail);
}

static void ask_with(struct plugin_call *call, enum wa_kind kind, const struct texts *texts, bool has_certificate)
{
	const struct wa_certificate certificate = {
	    .subject = texts->subject,
	    .issuer_name = texts->issuer_name,
	    .issuer_thumbprint = texts->issuer_thumbprint,
	    .subject_name = texts->subject_name,
	};
	const struct wa_question question = {
	    .kind = kind,
	    .sender = texts->sender,
	    .sender_length = texts->sender_length,
	    .mechanism = texts->mechanism,
	    .http_url = texts->url,
	    .certificate = has_certificate ? &certificate : NULL,
	    .allow_sid = plugin_may_name_sid(texts->mechanism),
	    .token_sid = texts->token_sid[0] != '\0' ? texts->token_sid : NULL,
	};

	plugin_call_ask(call, &question);
}

/* Settles the call, or has the engine do it. */
static void ask(struct plugin_call *call, const struct plugin *plugin, enum wa_kind kind,
		const WSMAN_SENDER_DETAILS *details, DWORD flags)
{
	struct texts texts = {.sender = NULL};
	const char *what = NULL;
	enum status status;

	if (flags != 0) {
		refuse(call, plugin, kind, &texts, WA_REASON_BAD_CALL,
		       "the host called with flags, which are reserved");
		return;
	}
	status = read_texts(details, &texts, &what);
	if (status != STATUS_OK)
		refuse_texts(call, plugin, kind, &texts, status, what);
	else if (details->clientToken == NULL && !wa_engine_allows_null_token(plugin->engine))
		refuse(call, plugin, kind, &texts, WA_REASON_NO_TOKEN, "the sender came without a token");
	else if (!plugin_sender_sid(plugin, details->clientToken, texts.token_sid))
		refuse(call, plugin, kind, &texts, WA_REASON_NO_TOKEN,
		       "the sender's token cannot be read: nothing says who it is");
	else
		ask_with(call, kind, &texts, details->certificateDetails != NULL);
	texts_done(&texts);
}

/* For a call of which there is no record: the completion is made here and now. */
static void complete_at_once(enum wa_kind kind, WSMAN_SENDER_DETAILS *details, struct plugin *plugin,
			     enum wa_reason reason, const char *detail)
{
	struct wa_decision decision = plugin_answer_refusal(reason, detail);
	struct plugin_answer answer;

	log_error(plugin != NULL ? &plugin->log : &log_system, "plug-in: error, %s: %s", wa_reason_word(reason),
		  detail);
	plugin_answer_make(&answer, kind, &decision);
	if (plugin != NULL && plugin->observe != NULL)
		plugin->observe(plugin->observe_context, details, &decision);
	(void)plugin_answer_tell(&answer, kind, details, NULL);
}

/* The call is counted in. */
static void serve_with_record(struct plugin *plugin, enum wa_kind kind, WSMAN_SENDER_DETAILS *details, DWORD flags)
{
	struct plugin_call *call = plugin_call_new(plugin, kind, details);

	if (call == NULL) {
		plugin_started(plugin);
		complete_at_once(kind, details, plugin, WA_REASON_NO_MEMORY, "no memory to remember the call");
		plugin_leave(plugin);
		return;
	}
	ask(call, plugin, kind, details, flags);
	plugin_call_finish(call);
}

static void serve_in(struct plugin *plugin, enum wa_kind kind, WSMAN_SENDER_DETAILS *details, DWORD flags)
{
	const unsigned ticket = gate_enter(&plugin->gate);
	const bool is_told = plugin_answer_at_once(plugin, kind, details, flags);
	const bool is_let_in = !is_told && plugin_enter(plugin);

	gate_leave(&plugin->gate, ticket);
	if (is_told)
		return;
	if (is_let_in) {
		serve_with_record(plugin, kind, details, flags);
		return;
	}
	complete_at_once(kind, details, plugin, WA_REASON_SHUTTING_DOWN, "called while Shutdown runs");
	plugin_leave(plugin);
}

static void serve(struct plugin *plugin, enum wa_kind kind, WSMAN_SENDER_DETAILS *details, DWORD flags)
{
	if (details == NULL)
		log_error(plugin != NULL ? &plugin->log : &log_system,
			  "plug-in: the host gave no sender details: there is nothing that could be completed");
	else if (plugin == NULL)
		complete_at_once(kind, details, NULL, WA_REASON_BAD_CALL, "the host gave no plug-in context");
	else
		serve_in(plugin, kind, details, flags);
}

DWORD WINAPI WSManPluginShutdown(PVOID pluginContext, DWORD flags, DWORD reason)
{
	(void)flags;
	(void)reason;
	if (pluginContext == NULL)
		return WSMAUTHZ_INVALID_PARAMETER;
	if (plugin_stop(pluginContext) == STATUS_OK)
		return WSMAUTHZ_NO_ERROR;
	log_error(&log_system, "plug-in: the host called Shutdown from inside a completion: it still runs");
	return WSMAUTHZ_INVALID_PARAMETER;
}

VOID WINAPI WSManPluginAuthzUser(PVOID pluginContext, WSMAN_SENDER_DETAILS *senderDetails, DWORD flags)
{
	serve(pluginContext, WA_KIND_USER, senderDetails, flags);
}

/* What the operation is does not matter: the policy lets a user in or not. Its number has no public meaning. */
VOID WINAPI WSManPluginAuthzOperation(PVOID pluginContext, WSMAN_SENDER_DETAILS *senderDetails, DWORD flags,
				      DWORD operation, PCWSTR action, PCWSTR resourceUri)
{
	(void)operation;
	(void)action;
	(void)resourceUri;
	serve(pluginContext, WA_KIND_OPERATION, senderDetails, flags);
}

VOID WINAPI WSManPluginAuthzQueryQuota(PVOID pluginContext, WSMAN_SENDER_DETAILS *senderDetails, DWORD flags)
{
	serve(pluginContext, WA_KIND_QUOTA, senderDetails, flags);
}

VOID WINAPI WSManPluginAuthzReleaseContext(PVOID userAuthorizationContext)
{
	if (!plugin_user_release(userAuthorizationContext))
		log_error(&log_system, "plug-in: the host released a context that is not the plug-in's");
}
