/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_conn_libldap.h>

#include <base/ascii.h>
#include <base/memory.h>
#include <directory/dir_code.h>
#include <openldap.h>
#include <os/clock.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

/* One message of the server; an entry with 100,000 values has 10 MB. */
#define MESSAGE_MAX_BYTES   ((ber_len_t)DIR_SEARCH_MAX_BYTES)

#define NOTHING_TO_WAIT_FOR 0

/* RFC 8446 5.1: the first byte of what a TLS server sends. An LDAP message begins with 0x30. */
#define TLS_ALERT     0x15
#define TLS_HANDSHAKE 0x16

void dir_conn_prepare_process(void)
{
	LDAP *ld = NULL;

	/* A host that set it knows what it wants; either way no handle of ours inherits anything. */
	(void)setenv("LDAPNOINIT", "1", 0);
	if (ldap_initialize(&ld, NULL) != LDAP_SUCCESS)
		return;
	/* The first context starts the TLS library, which libldap guards by no lock. */
	(void)ldap_set_option(ld, LDAP_OPT_X_TLS_NEWCTX, &(const int){0});
	(void)ldap_unbind_ext(ld, NULL, NULL);
}

/* Bytes that were received and that no layer has given to the library yet: the socket says nothing of them. */
static bool has_unread_bytes(const struct dir_conn *conn)
{
	Sockbuf *sockbuf = NULL;

	return ldap_get_option(conn->ld, LDAP_OPT_SOCKBUF, &sockbuf) == LDAP_OPT_SUCCESS && sockbuf != NULL &&
	       ber_sockbuf_ctrl(sockbuf, LBER_SB_OPT_DATA_READY, NULL) > 0;
}

enum dir_arrival dir_conn_take(struct dir_conn *conn, uint64_t deadline_ms, LDAPMessage **message_out)
{
	struct timeval at_once = {0};
	LDAPMessage *message = NULL;
	int type;

	dir_io_prompt(&conn->io, deadline_ms);
	/* A message in several records of TLS (Samba 4.17 begins a new one at 1 KB) is read one record a call (liblber's io.c). */
	do {
		type = ldap_result(conn->ld, LDAP_RES_ANY, LDAP_MSG_ONE, &at_once, &message);
	} while (type == 0 && message == NULL && has_unread_bytes(conn));
	if (type == 0 && message == NULL)
		return DIR_ARRIVAL_NOTHING;
	if (type < 0 || message == NULL) {
		(void)ldap_msgfree(message);
		conn->is_broken = true;
		return DIR_ARRIVAL_BROKEN;
	}
	*message_out = message;
	return DIR_ARRIVAL_MESSAGE;
}

void dir_conn_interrupt_by(struct dir_conn *conn, const struct dir_conn_interrupt *interrupt)
{
	conn->interrupt = interrupt;
}

bool dir_conn_wait(struct dir_conn *conn, uint64_t deadline_ms)
{
	const struct dir_conn_interrupt *interrupt = conn->interrupt;

	if (interrupt == NULL)
		return dir_io_wait(&conn->io, deadline_ms);
	dir_wake_wait(interrupt->wake, conn->io.fd, deadline_ms);
	if (interrupt->is_wanted(interrupt->context))
		conn->is_broken = true;
	return clock_monotonic_ms() < deadline_ms;
}

enum status dir_conn_listen(struct dir_conn *conn, uint64_t deadline_ms, struct error *error)
{
	LDAPMessage *message = NULL;
	bool is_notice = false;

	switch (dir_conn_take(conn, deadline_ms, &message)) {
	case DIR_ARRIVAL_MESSAGE:
		/* RFC 4511 4.4.1; anything else is a late answer to what was given up. */
		is_notice = ldap_msgid(message) == LDAP_RES_UNSOLICITED;
		(void)ldap_msgfree(message);
		break;
	case DIR_ARRIVAL_NOTHING:
		(void)dir_conn_wait(conn, deadline_ms);
		break;
	case DIR_ARRIVAL_BROKEN:
		break;
	}
	if (!is_notice && !conn->is_broken)
		return STATUS_OK;
	conn->is_broken = true;
	return error_set(error, STATUS_UNREACHABLE, "'%s' ended the connection", conn->uri);
}

char *dir_conn_diagnostic(LDAP *ld)
{
	char *text = NULL;

	if (ldap_get_option(ld, LDAP_OPT_DIAGNOSTIC_MESSAGE, &text) != LDAP_OPT_SUCCESS)
		return NULL;
	return text;
}

static enum status status_of_code(int code)
{
	switch (dir_outcome_of_code(code)) {
	case DIR_OUTCOME_BUSY:
	case DIR_OUTCOME_LIMIT:
	case DIR_OUTCOME_INCOMPLETE:
	case DIR_OUTCOME_BAD_CONNECTION:
	case DIR_OUTCOME_UNAVAILABLE:
		return STATUS_UNREACHABLE;
	case DIR_OUTCOME_TIMEOUT:
		return STATUS_TIMEOUT;
	case DIR_OUTCOME_NO_MEMORY:
		return STATUS_NO_MEMORY;
	case DIR_OUTCOME_NONE:
	case DIR_OUTCOME_OK:
	case DIR_OUTCOME_NO_SUCH_OBJECT:
	case DIR_OUTCOME_NOT_PERMITTED:
	case DIR_OUTCOME_REFERRAL:
	case DIR_OUTCOME_REFUSED:
		return STATUS_REFUSED;
	}
	return STATUS_REFUSED;
}

enum status dir_conn_failure(struct dir_conn *conn, int code, const char *what, struct error *error)
{
	const enum status status = conn->io.timed_out ? STATUS_TIMEOUT : status_of_code(code);
	char *text = dir_conn_diagnostic(conn->ld);
	const bool has_text = text != NULL && *text != '\0';

	(void)error_set(error, status, "%s '%s': %s (%d)%s%s", what, conn->uri,
			conn->io.timed_out ? "no answer in time" : dir_code_text(code), code, has_text ? ": " : "",
			has_text ? text : "");
	error_native(error, ERROR_ORIGIN_LDAP, code);
	ldap_memfree(text);
	return status;
}

/* A server that hangs up on LDAP without a word, or by an alert of TLS, may have waited for TLS. */
static enum status hint_lost(const struct dir_conn *conn, enum status status, struct error *error)
{
	const int first_byte = conn->io.first_byte;

	if (conn->is_tls || conn->io.timed_out || (first_byte >= 0 && first_byte != TLS_ALERT) ||
	    !ascii_equal_nocase_n(conn->uri, strcspn(conn->uri, ":"), "ldap", 4))
		return status;
	return error_hint(error, status, "is this port for ldaps://?");
}

enum status dir_conn_await(struct dir_conn *conn, int message_id, uint64_t deadline_ms, const char *what,
			   LDAPMessage **message_out, struct error *error)
{
	LDAPMessage *message = NULL;

	for (;;) {
		switch (dir_conn_take(conn, deadline_ms, &message)) {
		case DIR_ARRIVAL_MESSAGE:
			if (ldap_msgid(message) == message_id) {
				*message_out = message;
				return STATUS_OK;
			}
			/* Nothing else is in flight, so it is the server's notice that it hangs up. */
			(void)ldap_msgfree(message);
			conn->is_broken = true;
			return error_set(error, STATUS_UNREACHABLE, "%s '%s': the server ended the connection", what,
					 conn->uri);
		case DIR_ARRIVAL_BROKEN:
			return hint_lost(conn, dir_conn_failure(conn, LDAP_SERVER_DOWN, what, error), error);
		case DIR_ARRIVAL_NOTHING:
			break;
		}
		if (clock_monotonic_ms() >= deadline_ms || !dir_io_wait(&conn->io, deadline_ms))
			return error_set(error, STATUS_TIMEOUT, "%s '%s': no answer in time", what, conn->uri);
	}
}

enum status dir_conn_result(struct dir_conn *conn, LDAPMessage *message, const char *what, int *code_out,
			    struct error *error)
{
	int code = LDAP_OTHER;
	const int parsed = ldap_parse_result(conn->ld, message, &code, NULL, NULL, NULL, NULL, 0);

	if (parsed != LDAP_SUCCESS) {
		(void)dir_conn_failure(conn, parsed, what, error);
		return STATUS_UNREACHABLE;
	}
	*code_out = code;
	return STATUS_OK;
}

static enum status connect_socket(struct dir_conn *conn, const LDAPURLDesc *url, uint64_t deadline_ms,
				  struct error *error)
{
	if (url->lud_host == NULL || *url->lud_host == '\0')
		return error_set(error, STATUS_INVALID, "'%s' names no %s", conn->uri,
				 strcmp(url->lud_scheme, "ldapi") == 0 ? "socket" : "host");
	if (strcmp(url->lud_scheme, "ldapi") == 0)
		return dir_io_connect_local(&conn->io, url->lud_host, deadline_ms, error);
	return dir_io_connect(&conn->io, url->lud_host, (unsigned)url->lud_port, deadline_ms, error);
}

enum status dir_conn_attach(struct dir_conn *conn, const LDAPURLDesc *url, uint64_t deadline_ms, struct error *error)
{
	ber_len_t limit = MESSAGE_MAX_BYTES;
	Sockbuf *sockbuf = NULL;
	enum status status;
	int result;

	if ((status = connect_socket(conn, url, deadline_ms, error)) != STATUS_OK)
		return status;
	result = ldap_init_fd(conn->io.fd, LDAP_PROTO_EXT, conn->uri, &conn->ld);
	if (result != LDAP_SUCCESS) {
		conn->ld = NULL;
		return result == LDAP_NO_MEMORY
			   ? error_no_memory(error)
			   : error_set(error, STATUS_INVALID, "libldap does not take '%s': %s (%d)", conn->uri,
				       dir_code_text(result), result);
	}
	if (ldap_get_option(conn->ld, LDAP_OPT_SOCKBUF, &sockbuf) != LDAP_OPT_SUCCESS || sockbuf == NULL ||
	    dir_io_attach(&conn->io, sockbuf) != 0) {
		/* Lost, some KB: to free it libldap would write a farewell through the layer that is not there, and crash. */
		conn->ld = NULL;
		return error_no_memory(error);
	}
	(void)ber_sockbuf_ctrl(sockbuf, LBER_SB_OPT_SET_MAX_INCOMING, &limit);
	dir_io_prompt(&conn->io, deadline_ms);
	return STATUS_OK;
}

static enum status start_tls(struct dir_conn *conn, uint64_t deadline_ms, struct error *error)
{
	static const char what[] = "could not start TLS with";
	LDAPMessage *answer = NULL;
	enum status status;
	int code = LDAP_OTHER;
	int message_id = 0;

	code = ldap_start_tls(conn->ld, NULL, NULL, &message_id);
	if (code != LDAP_SUCCESS)
		return dir_conn_failure(conn, code, what, error);
	if ((status = dir_conn_await(conn, message_id, deadline_ms, what, &answer, error)) != STATUS_OK)
		return status;
	status = dir_conn_result(conn, answer, what, &code, error);
	(void)ldap_msgfree(answer);
	if (status != STATUS_OK)
		return status;
	if (code != LDAP_SUCCESS) {
		(void)dir_conn_failure(conn, code, what, error);
		(void)error_hint(error, STATUS_REFUSED,
				 "the server offers no StartTLS; give it a certificate, or use an ldaps:// URI");
		return STATUS_REFUSED;
	}
	/* What came behind the answer was written by nobody we know (RFC 4511 4.14.1). */
	if (conn->io.start != conn->io.end)
		return error_set(error, STATUS_UNREACHABLE, "%s '%s': there were bytes behind the answer", what,
				 conn->uri);
	return STATUS_OK;
}

/* libldap forgets what it does not implement; so look at what came out. */
static enum status check_version(struct dir_conn *conn, struct error *error)
{
	const int minimum = conn->directory->tls_minimum >= 13 ? '3' : '2';
	char *version = NULL;
	const char *dot;
	bool is_enough;

	if (ldap_get_option(conn->ld, LDAP_OPT_X_TLS_VERSION, &version) != LDAP_OPT_SUCCESS)
		version = NULL;
	/* "TLS1.3" or "TLSv1.3" */
	dot = version != NULL && strncmp(version, "TLS", 3) == 0 ? strstr(version, "1.") : NULL;
	is_enough = dot != NULL && dot[2] >= minimum && dot[2] <= '9';
	if (!is_enough) {
		(void)error_set(error, STATUS_UNREACHABLE, "'%s' speaks %s, and the policy wants TLS 1.%c or newer",
				conn->uri, version != NULL ? version : "an unknown version of TLS", minimum);
		(void)error_hint(error, STATUS_UNREACHABLE, "let the server speak newer TLS, or see tls/@minimum");
	}
	ldap_memfree(version);
	return is_enough ? STATUS_OK : STATUS_UNREACHABLE;
}

static enum status fail_handshake(struct dir_conn *conn, enum dir_security security, int code, struct error *error)
{
	const int first_byte = conn->io.first_byte;
	const bool is_tls = first_byte == TLS_HANDSHAKE || first_byte == TLS_ALERT;

	(void)dir_conn_failure(conn, code, "TLS failed with", error);
	if (conn->io.timed_out)
		return STATUS_TIMEOUT;
	if (security == DIR_SECURITY_TLS && !is_tls) {
		(void)error_set(error, STATUS_UNREACHABLE, "'%s' did not answer in TLS", conn->uri);
		error_native(error, ERROR_ORIGIN_LDAP, code);
		return error_hint(error, STATUS_UNREACHABLE,
				  "does this port speak TLS? With StartTLS the URI is ldap://");
	}
	conn->has_refused_server = true;
	return STATUS_UNREACHABLE;
}

enum status dir_conn_secure(struct dir_conn *conn, enum dir_security security, uint64_t deadline_ms,
			    struct error *error)
{
	enum status status;
	int code;

	if (security == DIR_SECURITY_CLEAR)
		return STATUS_OK;
	if (security == DIR_SECURITY_STARTTLS && (status = start_tls(conn, deadline_ms, error)) != STATUS_OK)
		return status;
	dir_io_patient(&conn->io, deadline_ms);
	code = ldap_install_tls(conn->ld);
	dir_io_prompt(&conn->io, deadline_ms);
	if (code != LDAP_SUCCESS)
		return fail_handshake(conn, security, code, error);
	if (ldap_tls_inplace(conn->ld) != 1)
		return error_set(error, STATUS_INTERNAL, "libldap said that '%s' has TLS, and it has not", conn->uri);
	conn->is_tls = true;
	return STATUS_OK;
}

static enum status choose_security(const struct dir_conn *conn, const char *scheme, enum dir_security *security_out,
				   struct error *error)
{
	const enum config_tls tls = conn->directory->tls;
	const bool is_ldap = strcmp(scheme, "ldap") == 0;

	if (strcmp(scheme, "ldaps") == 0)
		*security_out = DIR_SECURITY_TLS;
	else if (is_ldap && tls == CONFIG_TLS_STARTTLS)
		*security_out = DIR_SECURITY_STARTTLS;
	else if ((is_ldap && tls == CONFIG_TLS_NONE) || strcmp(scheme, "ldapi") == 0)
		*security_out = DIR_SECURITY_CLEAR;
	else
		return error_set(error, STATUS_INVALID, "'%s' is not %s", conn->uri,
				 is_ldap ? "an ldaps URI, which the policy demands" : "of ldap, ldaps or ldapi");
	return STATUS_OK;
}

static enum status establish(struct dir_conn *conn, const LDAPURLDesc *url, uint64_t deadline_ms, struct error *error)
{
	enum dir_security security = DIR_SECURITY_TLS;
	enum status status;

	dir_conn_note_step(conn, DIR_STEP_RESOLVE);
	if ((status = choose_security(conn, url->lud_scheme, &security, error)) != STATUS_OK ||
	    (status = dir_conn_attach(conn, url, deadline_ms, error)) != STATUS_OK)
		return status;
	dir_conn_note_step(conn, DIR_STEP_SECURE);
	if ((status = dir_conn_set_options(conn->ld, conn->directory, security, true, error)) != STATUS_OK)
		return status;
	status = dir_conn_secure(conn, security, deadline_ms, error);
	if (conn->has_refused_server)
		dir_conn_explain_certificate(conn, url, security, deadline_ms, error);
	if (status == STATUS_OK && security != DIR_SECURITY_CLEAR)
		status = check_version(conn, error);
	if (status != STATUS_OK)
		return status;
	dir_conn_note_step(conn, DIR_STEP_BIND);
	status = dir_conn_bind(conn, url, security, deadline_ms, error);
	if (status == STATUS_OK)
		dir_conn_note_step(conn, DIR_STEP_DONE);
	return status;
}

/* `steps` may be NULL. */
static enum status open_conn(const struct config_directory *directory, const char *uri, uint64_t deadline_ms,
			     struct dir_steps *steps, struct dir_conn **conn_out, struct error *error)
{
	struct dir_conn *conn = memory_new(sizeof(*conn));
	LDAPURLDesc *url = NULL;
	enum status status;

	if (conn == NULL)
		return error_no_memory(error);
	dir_io_init(&conn->io);
	conn->directory = directory;
	conn->uri = memory_copy_text(uri);
	if (conn->uri == NULL) {
		status = error_no_memory(error);
		goto out;
	}
	if (ldap_url_parse(uri, &url) != LDAP_URL_SUCCESS) {
		status = error_set(error, STATUS_INVALID, "'%s' is not an LDAP URI", uri);
		goto out;
	}
	status = establish(conn, url, deadline_ms, error);
	if (steps != NULL)
		dir_conn_tell_steps(conn, url->lud_host, steps);
	if (status != STATUS_OK)
		goto out;
	*conn_out = conn;
	conn = NULL;
out:
	ldap_free_urldesc(url);
	dir_conn_close(&conn);
	return status;
}

enum status dir_conn_open(const struct config_directory *directory, const char *uri, uint64_t deadline_ms,
			  struct dir_conn **conn_out, struct error *error)
{
	return open_conn(directory, uri, deadline_ms, NULL, conn_out, error);
}

enum status dir_steps_open(const struct config_directory *directory, const char *uri, uint64_t deadline_ms,
			   struct dir_steps *steps_out, struct dir_conn **conn_out, struct error *error)
{
	*steps_out = (struct dir_steps){.reached = DIR_STEP_RESOLVE};
	return open_conn(directory, uri, deadline_ms, steps_out, conn_out, error);
}

void dir_conn_close(struct dir_conn **conn)
{
	struct dir_conn *old = *conn;

	*conn = NULL;
	if (old == NULL)
		return;
	/* A farewell to a server that does not listen is not worth a wait. */
	old->io.is_dead = old->is_broken;
	dir_io_prompt(&old->io, NOTHING_TO_WAIT_FOR);
	if (old->ld != NULL)
		(void)ldap_unbind_ext(old->ld, NULL, NULL);
	dir_io_done(&old->io);
	dir_tickets_free(&old->tickets);
	memory_free(old->uri);
	memory_free(old);
}

uint64_t dir_conn_received(const struct dir_conn *conn)
{
	return conn->io.received;
}

uint64_t dir_conn_end_ms(const struct dir_conn *conn)
{
	return conn->tickets != NULL ? dir_tickets_end_ms(conn->tickets) : UINT64_MAX;
}
