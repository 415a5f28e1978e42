/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What IIS-hosted WinRM answers to an HTTP request, as far as it depends on who asks:
 *
 *	no or wrong credentials       401, and which are wanted
 *	the plug-in redirects         302 with Location, no body
 *	the plug-in denies            500 with the fault w:AccessDenied, number 5
 *	the plug-in fails             500 with the fault w:InternalError and its number
 *	let in, Identify              200
 *	let in, anything else         AuthzOperation; if it is authorized: 500 with a fault, for nothing is served here
 *
 * The status of faults is 500, as WinRM has it (MS-WSMV 3.1.4.1), whichever side is to blame.
 */
#ifndef WSMAUTHZ_CLI_HOST_HTTP_H
#define WSMAUTHZ_CLI_HOST_HTTP_H

#include <base/text.h>
#include <cli/host_login.h>
#include <cli/host_session.h>

#define HOST_HTTP_PATH "/wsman"
/* MaxEnvelopeSizeKB of WinRM's IIS host is 150. */
#define HOST_HTTP_MAX_BODY_BYTES ((size_t)150 * 1024)

struct host_front {
	struct host_session *session;
	struct host_login *login;
	bool is_tls;
};

/* Borrowed for the call. */
struct host_http_request {
	const char *method;
	const char *path;                         /* without the query */
	const char *query;                        /* as it came, without "?"; NULL or "" */
	const char *host;                         /* the Host header; NULL */
	const char *content_type, *authorization; /* NULL: there is none */
	const char *body;
	size_t body_length;
	bool is_too_long;  /* the body was, and is not here */
	bool is_ambiguous; /* its headers may mean one thing to us and another to somebody before us */
};

struct host_http_answer {
	unsigned status;
	bool wants_credentials;             /* WWW-Authenticate */
	bool is_post_allowed;               /* Allow: POST */
	char location[HOST_REDIRECT_BYTES]; /* "": none; checked: no line ends, nothing but printable ASCII */
	struct text body;                   /* SOAP; may be empty; failed: there was no memory */
};

/** Takes as long as the login and the plug-in do. text_done(&answer->body) is the caller's. Threads: any. */
void host_http_answer(struct host_front *front, const struct host_http_request *request,
		      struct host_http_answer *answer_out);

#endif
