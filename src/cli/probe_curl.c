/* SPDX-License-Identifier: Apache-2.0 */
#include <base/text.h>
#include <cli/probe.h>
#include <curl/curl.h>
#include <string.h>

static const char identify[] = "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" "
			       "xmlns:wsmid=\"http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd\">"
			       "<s:Header/><s:Body><wsmid:Identify/></s:Body></s:Envelope>";
static const char *const header_lines[] = {"Content-Type: application/soap+xml;charset=UTF-8",
					   "WSMANIDENTIFY: unauthenticated", "Expect:"};

bool probe_is_built_in(void)
{
	return true;
}

/* libcurl's callback. Less than was given ends the transfer with CURLE_WRITE_ERROR. */
static size_t take(char *data, size_t size, size_t count, void *context)
{
	struct text *body = context;

	if (body->length + size * count > PROBE_MAX_BYTES)
		return 0;
	text_add_bytes(body, data, size * count);
	return text_failed(body) ? 0 : size * count;
}

static struct curl_slist *make_headers(void)
{
	struct curl_slist *headers = NULL;

	for (size_t i = 0; i < COUNT_OF(header_lines); i++) {
		struct curl_slist *longer = curl_slist_append(headers, header_lines[i]);

		if (longer == NULL) {
			curl_slist_free_all(headers);
			return NULL;
		}
		headers = longer;
	}
	return headers;
}

/* Typed, since the type of each option's value is nowhere checked (a long where a pointer is read, ...). */

static bool set_long(CURL *curl, CURLoption option, long value)
{
	return curl_easy_setopt(curl, option, value) == CURLE_OK;
}

static bool set_text(CURL *curl, CURLoption option, const char *value)
{
	return curl_easy_setopt(curl, option, value) == CURLE_OK;
}

static bool set_up(CURL *curl, const char *uri, const char *ca_file, uint32_t timeout_ms, struct curl_slist *headers,
		   char *words, struct text *body)
{
	return set_text(curl, CURLOPT_URL, uri) && set_text(curl, CURLOPT_PROTOCOLS_STR, "http,https") &&
	       set_text(curl, CURLOPT_PROXY, "") && set_text(curl, CURLOPT_POSTFIELDS, identify) &&
	       set_long(curl, CURLOPT_FOLLOWLOCATION, 0) && set_long(curl, CURLOPT_NOSIGNAL, 1) &&
	       set_long(curl, CURLOPT_TIMEOUT_MS, (long)timeout_ms) && set_long(curl, CURLOPT_SSL_VERIFYPEER, 1) &&
	       set_long(curl, CURLOPT_SSL_VERIFYHOST, 2) &&
	       set_long(curl, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2) &&
	       (ca_file == NULL || set_text(curl, CURLOPT_CAINFO, ca_file)) &&
	       curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, words) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_WRITEDATA, body) == CURLE_OK;
}

static enum status status_of(CURLcode code)
{
	switch ((int)code) { /* most of the 90 do not happen here */
	case CURLE_OPERATION_TIMEDOUT:
		return STATUS_TIMEOUT;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
		return STATUS_REFUSED;
	case CURLE_OUT_OF_MEMORY:
		return STATUS_NO_MEMORY;
	case CURLE_WRITE_ERROR:
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_GOT_NOTHING:
		return STATUS_INVALID;
	default:
		return STATUS_UNREACHABLE;
	}
}

static void copy(char out[PROBE_TEXT_BYTES], const char *text)
{
	const size_t length = text == NULL ? 0 : strlen(text);
	const size_t kept = length < PROBE_TEXT_BYTES ? length : PROBE_TEXT_BYTES - 1;

	if (kept > 0)
		memcpy(out, text, kept);
	out[kept] = '\0';
}

static void read_answer(CURL *curl, const struct text *body, struct probe_answer *answer)
{
	char *location = NULL;
	curl_off_t took_us = 0;

	*answer = (struct probe_answer){.code = 0};
	(void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer->code);
	(void)curl_easy_getinfo(curl, CURLINFO_REDIRECT_URL, &location);
	(void)curl_easy_getinfo(curl, CURLINFO_TOTAL_TIME_T, &took_us);
	answer->took_us = (uint64_t)took_us;
	copy(answer->location, location);
	probe_read_body(text_string(body), answer);
}

static enum status ask(CURL *curl, const char *uri, const char *words, const struct text *body,
		       struct probe_answer *answer_out, struct error *error)
{
	const CURLcode code = curl_easy_perform(curl);

	if (code == CURLE_OK) {
		read_answer(curl, body, answer_out);
		return STATUS_OK;
	}
	return error_set(error, status_of(code), "could not ask '%s': %s", uri,
			 words[0] != '\0' ? words : curl_easy_strerror(code));
}

enum status probe_identify(const char *uri, const char *ca_file, uint32_t timeout_ms, struct probe_answer *answer_out,
			   struct error *error)
{
	struct curl_slist *headers = make_headers();
	CURL *curl = curl_easy_init();
	char words[CURL_ERROR_SIZE] = "";
	enum status status = STATUS_NO_MEMORY;
	struct text body;

	text_init(&body);
	if (headers == NULL || curl == NULL)
		error_no_memory(error);
	else if (!set_up(curl, uri, ca_file, timeout_ms, headers, words, &body))
		status = error_set(error, STATUS_INVALID, "could not ask '%s': libcurl takes no such question", uri);
	else
		status = ask(curl, uri, words, &body, answer_out, error);
	curl_easy_cleanup(curl);
	curl_slist_free_all(headers);
	text_done(&body);
	return status;
}
