/* SPDX-License-Identifier: Apache-2.0 */
#include <base/ascii.h>
#include <base/utf.h>
#include <plugin/plugin_answer.h>
#include <plugin/plugin_instant.h>

/* "ClientCertificate" is the longest that we know. */
#define MECHANISM_UNITS 32

/*
 * Mechanisms with which Windows itself has established who the sender is. With any other (Basic
 * first of all) the name may be what somebody typed, and a typed SID names nobody.
 */
static const char *const WINDOWS_MECHANISMS[] = {"Negotiate", "Kerberos", "NTLM", "CredSSP"};

bool plugin_may_name_sid(const char *mechanism)
{
	for (size_t i = 0; i < COUNT_OF(WINDOWS_MECHANISMS); i++)
		if (ascii_equal_nocase(mechanism, WINDOWS_MECHANISMS[i]))
			return true;
	return false;
}

/* The units before the terminator; limit + 1: there are more. */
static size_t length_of(PCWSTR units, size_t limit)
{
	size_t length = 0;

	while (length <= limit && units[length] != 0)
		length++;
	return length;
}

/* Into 3 * limit bytes, not terminated. False: NULL, empty, too long, or not UTF-16. */
static bool read_text(PCWSTR units, size_t limit, char *out, size_t *length_out)
{
	size_t length = units == NULL ? 0 : length_of(units, limit);

	return length > 0 && length <= limit && utf16_to_utf8_into((const uint16_t *)units, length, out, length_out);
}

struct instant {
	enum wa_kind kind;
	struct plugin_answer answer;
};

/* The host is told when the engine is left: it may do whatever it likes then. */
static void decided(void *context, const struct wa_decision *decision)
{
	struct instant *instant = context;
	struct wa_decision final = *decision;

	plugin_answer_make(&instant->answer, instant->kind, &final);
}

static bool is_ordinary(const struct plugin *plugin, const WSMAN_SENDER_DETAILS *details, DWORD flags)
{
	return flags == 0 && plugin->completer == NULL && plugin->observe == NULL &&
	       details->certificateDetails == NULL &&
	       (details->clientToken != NULL || wa_engine_allows_null_token(plugin->engine));
}

static bool ask_cache(struct plugin *plugin, const WSMAN_SENDER_DETAILS *details, struct instant *instant)
{
	char name[3 * PLUGIN_INSTANT_NAME_UNITS], mechanism[3 * MECHANISM_UNITS + 1];
	size_t name_length, mechanism_length;
	struct wa_question question;

	if (!read_text(details->senderName, PLUGIN_INSTANT_NAME_UNITS, name, &name_length) ||
	    !read_text(details->authenticationMechanism, MECHANISM_UNITS, mechanism, &mechanism_length))
		return false;
	mechanism[mechanism_length] = '\0';
	question = (struct wa_question){
	    .kind = instant->kind,
	    .sender = name,
	    .sender_length = name_length,
	    .mechanism = mechanism,
	    .allow_sid = plugin_may_name_sid(mechanism),
	};
	return wa_engine_decide_cached(plugin->engine, &question, decided, instant);
}

bool plugin_answer_at_once(struct plugin *plugin, enum wa_kind kind, WSMAN_SENDER_DETAILS *details, DWORD flags)
{
	struct instant instant = {.kind = kind};
	unsigned ticket;
	bool is_told;

	if (!plugin_pass(plugin, &ticket))
		return false;
	is_told = is_ordinary(plugin, details, flags) && ask_cache(plugin, details, &instant);
	if (is_told && plugin_answer_tell(&instant.answer, kind, details, details->clientToken) != WSMAUTHZ_NO_ERROR)
		log_warning(&plugin->log, "plug-in: the host refused a completion");
	plugin_passed(plugin, ticket);
	return is_told;
}
