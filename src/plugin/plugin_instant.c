/* SPDX-License-Identifier: Apache-2.0 */
#include <base/ascii.h>
#include <base/utf.h>
#include <plugin/plugin_answer.h>
#include <plugin/plugin_instant.h>

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

/* How many units there are before the terminator; limit + 1: more than the limit. */
static size_t length_of(PCWSTR units, size_t limit)
{
	size_t length = 0;

	while (length <= limit && units[length] != 0)
		length++;
	return length;
}

/*
 * Into 3 * limit bytes; no terminator is written. At most limit + 1 units are read. False: too long, or not UTF-16.
 * Nearly all of what comes is ASCII and is read once.
 */
static bool read_text(PCWSTR units, size_t limit, char *out, size_t *length_out)
{
	size_t ascii = 0, rest, length;

	while (ascii < limit && units[ascii] != 0 && units[ascii] < 0x80) {
		out[ascii] = (char)units[ascii];
		ascii++;
	}
	if (units[ascii] == 0) {
		*length_out = ascii;
		return true;
	}
	rest = length_of(units + ascii, limit - ascii);
	if (rest > limit - ascii || !utf16_to_utf8_into((const uint16_t *)units + ascii, rest, out + ascii, &length))
		return false;
	*length_out = ascii + length;
	return true;
}

/* The host's strings in UTF-8. */
struct texts {
	char sender[3 * PLUGIN_INSTANT_NAME_UNITS];
	char mechanism[3 * PLUGIN_INSTANT_MECHANISM_UNITS + 1];
	char url[3 * PLUGIN_INSTANT_URL_UNITS + 1];
	char token_sid[SID_TEXT_BYTES];
	size_t sender_length;
	bool has_url;
};

/* Only of a user does it matter where he came to. */
static bool read_url(PCWSTR units, enum wa_kind kind, struct texts *texts)
{
	size_t length;

	texts->has_url = kind == WA_KIND_USER && units != NULL;
	if (!texts->has_url)
		return true;
	if (!read_text(units, PLUGIN_INSTANT_URL_UNITS, texts->url, &length))
		return false;
	texts->url[length] = '\0';
	return true;
}

/* The texts are read up to their ends and not filled with zeros first: that would take as long as all the rest. */
static bool read_texts(const WSMAN_SENDER_DETAILS *details, enum wa_kind kind, struct texts *texts)
{
	size_t mechanism_length;

	if (details->senderName == NULL || details->authenticationMechanism == NULL ||
	    !read_text(details->senderName, PLUGIN_INSTANT_NAME_UNITS, texts->sender, &texts->sender_length) ||
	    texts->sender_length == 0 ||
	    !read_text(details->authenticationMechanism, PLUGIN_INSTANT_MECHANISM_UNITS, texts->mechanism,
		       &mechanism_length))
		return false;
	texts->mechanism[mechanism_length] = '\0';
	return read_url(details->httpURL, kind, texts);
}

struct instant {
	enum wa_kind kind;
	struct plugin_answer answer;
	bool is_made; /* an answer of zeros would be a success */
};

/* Inside the engine: the host is told when the engine is left, for it may do whatever it likes then. */
static void decided(void *context, const struct wa_decision *decision)
{
	struct instant *instant = context;
	struct wa_decision final = *decision;

	if (decision->verdict != WA_AUTHORIZE)
		return;
	plugin_answer_make(&instant->answer, instant->kind, &final);
	instant->is_made = final.verdict == WA_AUTHORIZE;
}

static bool is_ordinary(const struct plugin *plugin, const WSMAN_SENDER_DETAILS *details, DWORD flags)
{
	return flags == 0 && plugin->completer == NULL && plugin->observe == NULL &&
	       details->certificateDetails == NULL &&
	       (details->clientToken != NULL || wa_engine_allows_null_token(plugin->engine));
}

static bool ask_cache(struct plugin *plugin, const WSMAN_SENDER_DETAILS *details, struct instant *instant)
{
	struct wa_question question;
	struct texts texts;

	if (!read_texts(details, instant->kind, &texts) ||
	    !plugin_sender_sid(plugin, details->clientToken, texts.token_sid))
		return false;
	question = (struct wa_question){
	    .kind = instant->kind,
	    .sender = texts.sender,
	    .sender_length = texts.sender_length,
	    .mechanism = texts.mechanism,
	    .http_url = texts.has_url ? texts.url : NULL,
	    .allow_sid = plugin_may_name_sid(texts.mechanism),
	    .token_sid = texts.token_sid[0] != '\0' ? texts.token_sid : NULL,
	};
	return wa_engine_decide_cached(plugin->engine, &question, decided, instant) && instant->is_made;
}

bool plugin_answer_at_once(struct plugin *plugin, enum wa_kind kind, WSMAN_SENDER_DETAILS *details, DWORD flags)
{
	struct instant instant = {.kind = kind};
	DWORD result;

	/* Sequentially consistent, as the gate wants it: who does not see it is waited for. */
	if (atomic_load(&plugin->is_closing) || !is_ordinary(plugin, details, flags) ||
	    !ask_cache(plugin, details, &instant))
		return false;
	result = plugin_answer_tell(&instant.answer, kind, details, details->clientToken);
	if (result != WSMAUTHZ_NO_ERROR)
		log_warning(&plugin->log, "plug-in: the host refused a completion with number %lu",
			    (unsigned long)result);
	return true;
}
