/* SPDX-License-Identifier: Apache-2.0 */
#include <base/ascii.h>
#include <base/memory.h>
#include <cli/host_http.h>
#include <cli/host_soap.h>
#include <identity/uri.h>
#include <string.h>

#define SOAP_TYPE "application/soap+xml"

static const char *const words_denied = "Access is denied.";

static void add_fault(struct host_http_answer *answer, enum host_fault fault, const char *message_id, uint32_t code,
		      const char *words)
{
	answer->status = 500;
	host_soap_add_fault(&answer->body, fault, message_id, code, words);
}

/* What a plug-in's address may be made of before it becomes a header. Ours checks it, but this host takes any plug-in. */
static bool is_header_value(const char *value)
{
	for (const char *at = value; *at != '\0'; at++)
		if (*at <= 0x20 || *at >= 0x7F)
			return false;
	return *value != '\0';
}

static void tell_outcome(struct host_http_answer *answer, const struct host_outcome *outcome, const char *message_id)
{
	if (outcome->is_answered && outcome->code == WSMAUTHZ_REDIRECT_REQUESTED &&
	    is_header_value(outcome->redirect)) {
		answer->status = 302;
		memcpy(answer->location, outcome->redirect, sizeof(answer->location));
	} else if (outcome->is_answered && outcome->code == WSMAUTHZ_ACCESS_DENIED) {
		add_fault(answer, HOST_FAULT_ACCESS_DENIED, message_id, outcome->code, words_denied);
	} else {
		add_fault(answer, HOST_FAULT_INTERNAL, message_id,
			  outcome->is_answered ? outcome->code : WSMAUTHZ_PLUGIN_FAILED,
			  "The authorization plug-in has failed.");
	}
}

/* The body of a user who is logged in. */
static enum status serve(struct host_front *front, const struct host_sender *sender,
			 const struct host_soap_request *soap, struct host_http_answer *answer, struct error *error)
{
	struct host_outcome outcome;
	enum status status = soap->is_identify ? host_session_connect(front->session, sender, &outcome, error)
					       : host_session_operate(front->session, sender, soap->action,
								      soap->resource, &outcome, error);

	if (status != STATUS_OK)
		return status;
	if (!outcome.is_answered || outcome.code != WSMAUTHZ_NO_ERROR) {
		tell_outcome(answer, &outcome, soap->message_id);
	} else if (soap->is_identify) {
		answer->status = 200;
		host_soap_add_identify(&answer->body);
	} else {
		add_fault(answer, HOST_FAULT_NO_RESOURCE, soap->message_id, HOST_SOAP_RESOURCE_NOT_FOUND,
			  "You are let in, but nothing is served here: this is 'wsmauthz host', which answers Identify "
			  "alone.");
	}
	return STATUS_OK;
}

/* The URL that WinRM would give, from what the client says it asked for. */
static enum status make_url(const struct host_front *front, const struct host_http_request *request, struct text *url)
{
	struct uri_endpoint endpoint;
	bool has_query = request->query != NULL && request->query[0] != '\0';

	text_printf(url, "%s://%s%s%s%s", front->is_tls ? "https" : "http", request->host, request->path,
		    has_query ? "?" : "", has_query ? request->query : "");
	if (text_failed(url))
		return STATUS_NO_MEMORY;
	return is_header_value(text_string(url)) && uri_parse_endpoint(text_string(url), &endpoint) ? STATUS_OK
												    : STATUS_INVALID;
}

static void answer_user(struct host_front *front, const struct host_http_request *request, const char *name,
			struct host_http_answer *answer)
{
	struct host_sender sender = {.name = name, .mechanism = "Basic"};
	struct host_soap_request soap = {.is_identify = false};
	struct error error = {.status = STATUS_OK};
	struct text url;
	enum status status;

	text_init(&url);
	status = make_url(front, request, &url);
	sender.url = text_string(&url);
	if (status == STATUS_OK)
		status = host_soap_read(request->body, request->body_length, &soap, &error);
	if (status == STATUS_OK && !soap.is_identify && soap.action == NULL)
		status = STATUS_INVALID;
	if (status == STATUS_OK)
		status = serve(front, &sender, &soap, answer, &error);
	if (status == STATUS_INVALID)
		add_fault(answer, HOST_FAULT_BAD_REQUEST, NULL, WSMAUTHZ_INVALID_PARAMETER,
			  "The request is not one of WS-Management.");
	else if (status != STATUS_OK)
		add_fault(answer, HOST_FAULT_INTERNAL, soap.message_id, WSMAUTHZ_NOT_ENOUGH_MEMORY,
			  "There is no memory.");
	host_soap_request_done(&soap);
	text_done(&url);
}

/* @return the status that is for whoever cannot be logged in; 0: he is. */
static unsigned log_in(struct host_front *front, const struct host_credentials *credentials)
{
	struct host_trace *trace = &front->session->trace;
	struct error error = {.status = STATUS_OK};
	char *dn = NULL;
	enum status status = host_login_check(front->login, credentials, &dn, &error);

	if (status == STATUS_OK)
		host_trace_note(trace, false, "login", credentials->name, "the directory knows the password of %s", dn);
	else
		host_trace_note(trace, false, "login", credentials->name, "refused: %s", error.what);
	memory_free(dn);
	if (status == STATUS_OK)
		return 0;
	return status == STATUS_REFUSED ? 401 : 500;
}

static void answer_credentials(struct host_front *front, const struct host_http_request *request,
			       struct host_http_answer *answer)
{
	struct host_credentials credentials = {.name = NULL};
	enum status status = host_basic_read(request->authorization, &credentials);

	if (status == STATUS_NO_MEMORY) {
		answer->status = 500;
		return;
	}
	answer->status = status == STATUS_OK ? log_in(front, &credentials) : 401;
	answer->wants_credentials = answer->status == 401;
	if (answer->status == 0)
		answer_user(front, request, credentials.name, answer);
	host_credentials_done(&credentials);
}

static bool is_soap(const char *content_type)
{
	size_t length = sizeof(SOAP_TYPE) - 1;

	return content_type != NULL &&
	       ascii_equal_nocase_n(content_type, strnlen(content_type, length), SOAP_TYPE, length) &&
	       (content_type[length] == '\0' || content_type[length] == ';' || content_type[length] == ' ');
}

void host_http_answer(struct host_front *front, const struct host_http_request *request,
		      struct host_http_answer *answer_out)
{
	memset(answer_out, 0, sizeof(*answer_out));
	text_init(&answer_out->body);
	if (request->is_ambiguous || request->host == NULL) {
		answer_out->status = 400;
	} else if (!ascii_equal_nocase(request->path, HOST_HTTP_PATH)) {
		answer_out->status = 404;
	} else if (strcmp(request->method, "POST") != 0) {
		answer_out->status = 405;
		answer_out->is_post_allowed = true;
	} else if (request->is_too_long) {
		answer_out->status = 413;
	} else if (!is_soap(request->content_type)) {
		answer_out->status = 415;
	} else {
		answer_credentials(front, request, answer_out);
	}
	host_trace_note(&front->session->trace, false, "answer", NULL, "%s %s: %u%s%s", request->method, request->path,
			answer_out->status, answer_out->location[0] != '\0' ? " " : "", answer_out->location);
}
