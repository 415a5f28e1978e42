/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_conn_wldap32.h>

#include <assert.h>
#include <base/ascii.h>
#include <base/memory.h>
#include <directory/dir_aside.h>
#include <directory/dir_code.h>
#include <os/clock.h>
#include <stdlib.h>
#include <string.h>

#define LDAP_DEFAULT_PORT  389
#define LDAPS_DEFAULT_PORT 636
#define PORT_MAX           65535

/* How long who closes a connection waits for the library's farewell to the server. */
#define CLOSE_MS         500

#define OPENING_GRACE_MS 100

/* An interrupt is looked for this often: nothing wakes a thread that waits in the library. */
#define INTERRUPT_LOOK_MS 50
/* One wait is this long at most, then the clock is looked at again. */
#define WAIT_MAX_MS 60000

void dir_conn_prepare_process(void)
{
	/* The library reads no file and no variable, and needs no beginning. */
}

void dir_conn_interrupt_by(struct dir_conn *conn, const struct dir_conn_interrupt *interrupt)
{
	conn->interrupt = interrupt;
}

static bool is_interrupted(const struct dir_conn *conn)
{
	return conn->interrupt != NULL && conn->interrupt->is_wanted(conn->interrupt->context);
}

static struct l_timeval slice_of(const struct dir_conn *conn, uint64_t left_ms)
{
	const uint64_t most_ms = conn->interrupt != NULL ? INTERRUPT_LOOK_MS : WAIT_MAX_MS;
	const uint64_t slice_ms = left_ms < most_ms ? left_ms : most_ms;

	return (struct l_timeval){.tv_sec = (LONG)(slice_ms / 1000), .tv_usec = (LONG)(slice_ms % 1000) * 1000};
}

ULONG dir_conn_take(struct dir_conn *conn, ULONG message_id, uint64_t deadline_ms, LDAPMessage **message_out)
{
	LDAPMessage *message = NULL;

	for (;;) {
		const uint64_t now_ms = clock_monotonic_ms();
		const uint64_t left_ms = now_ms < deadline_ms ? deadline_ms - now_ms : 0;
		struct l_timeval slice = slice_of(conn, left_ms);
		const ULONG type = ldap_result(conn->ld, message_id, LDAP_MSG_ONE, &slice, &message);

		if (type == 0 && message == NULL && left_ms > 0 && !is_interrupted(conn))
			continue;
		if (type == 0 && message == NULL && left_ms == 0)
			return DIR_CONN_NOTHING;
		if (type == 0 || type == (ULONG)-1 || message == NULL) {
			(void)ldap_msgfree(message);
			conn->is_broken = true;
			return DIR_CONN_LOST;
		}
		*message_out = message;
		return type;
	}
}

/*
 * The sockets of the library are its own. That a connection has ended is noticed by the next question: the one that keeps it alive, at the
 * latest.
 */
enum status dir_conn_listen(struct dir_conn *conn, uint64_t deadline_ms, struct error *error)
{
	assert(conn->interrupt != NULL);
	dir_wake_wait(conn->interrupt->wake, -1, deadline_ms);
	if (is_interrupted(conn))
		conn->is_broken = true;
	return conn->is_broken ? error_set(error, STATUS_UNREACHABLE, "'%s' ended the connection", conn->uri)
			       : STATUS_OK;
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

enum status dir_conn_failure(struct dir_conn *conn, ULONG code, const char *text, const char *what, struct error *error)
{
	const enum status status = status_of_code((int)code);

	(void)error_set(error, status, "%s '%s': %s (%lu)%s%s", what, conn->uri, dir_code_text((int)code), code,
			text != NULL ? ": " : "", text != NULL ? text : "");
	error_native(error, ERROR_ORIGIN_LDAP, (long)code);
	return status;
}

/* Opening, aside */

static bool find_ends(SOCKET socket, struct dir_conn_ends *ends)
{
	*ends = (struct dir_conn_ends){.own_length = sizeof(ends->own), .peer_length = sizeof(ends->peer)};
	return getsockname(socket, (struct sockaddr *)&ends->own, &ends->own_length) == 0 &&
	       getpeername(socket, (struct sockaddr *)&ends->peer, &ends->peer_length) == 0;
}

void dir_conn_note_socket(struct dir_conn *conn)
{
	ULONG_PTR socket = 0; /* Wine writes the lower half of it */

	if (atomic_load(&conn->socket) != INVALID_SOCKET ||
	    ldap_get_optionW(conn->ld, LDAP_OPT_DESC, &socket) != LDAP_SUCCESS || socket == 0 ||
	    (ULONG)socket == (ULONG)INVALID_SOCKET)
		return;
	if (find_ends(socket, &conn->ends))
		atomic_store(&conn->socket, socket);
}

/* The library may have closed it, and the host may have one of that number by now. */
static bool is_still_ours(const struct dir_conn *conn, SOCKET socket)
{
	struct dir_conn_ends now;

	return find_ends(socket, &now) && now.own_length == conn->ends.own_length &&
	       now.peer_length == conn->ends.peer_length &&
	       memcmp(&now.own, &conn->ends.own, (size_t)now.own_length) == 0 &&
	       memcmp(&now.peer, &conn->ends.peer, (size_t)now.peer_length) == 0;
}

/* From any thread: whoever is in a call of the library comes back from it, with an error. */
static void cut(void *context)
{
	struct dir_conn *conn = context;
	const SOCKET socket = atomic_load(&conn->socket);

	atomic_store(&conn->is_cut, true);
	if (socket != INVALID_SOCKET && is_still_ours(conn, socket))
		(void)shutdown(socket, SD_BOTH);
}

static enum status attach(struct dir_conn *conn, struct error *error)
{
	const bool is_tls = conn->security == DIR_SECURITY_TLS;

	conn->ld = is_tls ? ldap_sslinitW(conn->wide_host, conn->port, 1) : ldap_initW(conn->wide_host, conn->port);
	if (conn->ld == NULL)
		return error_set(error, STATUS_NO_MEMORY, "wldap32 made no handle for '%s' (0x%lx)", conn->uri,
				 LdapGetLastError());
	return dir_conn_set_options(conn, error);
}

/* On Windows with TLS from the beginning the handshake is a part of it. Wine's does nothing here. */
static enum status connect_library(struct dir_conn *conn, struct error *error)
{
	const uint64_t now_ms = clock_monotonic_ms();
	const uint64_t left_ms = now_ms < conn->deadline_ms ? conn->deadline_ms - now_ms : 1;
	struct l_timeval patience = {.tv_sec = (LONG)(left_ms / 1000), .tv_usec = (LONG)(left_ms % 1000) * 1000};
	const ULONG code = ldap_connect(conn->ld, &patience);

	dir_conn_note_socket(conn);
	if (code == LDAP_SUCCESS)
		return STATUS_OK;
	/* It was refused by us: that says more than the library does. */
	if (conn->security == DIR_SECURITY_TLS && conn->trust_status != STATUS_NOT_FOUND &&
	    conn->trust_status != STATUS_OK)
		return dir_conn_check_tls(conn, error);
	(void)dir_conn_failure(conn, code, NULL,
			       conn->security == DIR_SECURITY_TLS ? "TLS failed with" : "could not connect to", error);
	return conn->security == DIR_SECURITY_TLS
		   ? error_hint(error, error->status, "does this port speak TLS? With StartTLS the URI is ldap://")
		   : error->status;
}

static enum status start_tls(struct dir_conn *conn, struct error *error)
{
	ULONG server_code = LDAP_SUCCESS;
	const ULONG code = ldap_start_tls_sW(conn->ld, &server_code, NULL, NULL, NULL);

	dir_conn_note_socket(conn);
	if (code == LDAP_SUCCESS)
		return STATUS_OK;
	if (conn->trust_status != STATUS_NOT_FOUND && conn->trust_status != STATUS_OK)
		return dir_conn_check_tls(conn, error);
	if (server_code != LDAP_SUCCESS && server_code != LDAP_SERVER_DOWN) {
		(void)dir_conn_failure(conn, server_code, NULL, "could not start TLS with", error);
		return error_hint(error, STATUS_REFUSED,
				  "the server offers no StartTLS; give it a certificate, or use an ldaps:// URI");
	}
	return dir_conn_failure(conn, code, NULL, "could not start TLS with", error);
}

static enum status secure(struct dir_conn *conn, struct error *error)
{
	enum status status = connect_library(conn, error);

	if (status == STATUS_OK && conn->security == DIR_SECURITY_STARTTLS)
		status = start_tls(conn, error);
	if (status == STATUS_OK && conn->security != DIR_SECURITY_CLEAR)
		status = dir_conn_check_tls(conn, error);
	conn->is_tls = status == STATUS_OK && conn->security != DIR_SECURITY_CLEAR;
	return status;
}

/* The time of the name's resolution is known behind it only. */
static enum status reach(struct dir_conn *conn, struct error *error)
{
	const enum status status = dir_reach(conn->host, conn->port, conn->deadline_ms, &conn->reach, error);

	if (conn->reach.resolved_us == 0)
		return status;
	dir_conn_note_step(conn, DIR_STEP_CONNECT);
	atomic_store(&conn->step_began_us[DIR_STEP_CONNECT], conn->reach.resolved_us);
	return status;
}

static enum status establish(struct dir_conn *conn, struct error *error)
{
	enum status status = reach(conn, error);

	if (status == STATUS_OK) {
		dir_conn_note_step(conn, DIR_STEP_SECURE);
		status = attach(conn, error);
	}
	if (status == STATUS_OK) {
		dir_conn_expect(conn);
		status = secure(conn, error);
		dir_conn_forget(conn);
	}
	if (status != STATUS_OK)
		return status;
	dir_conn_note_step(conn, DIR_STEP_BIND);
	status = dir_conn_bind(conn, error);
	/* The password has been used. */
	dir_conn_credential_done(&conn->credential);
	if (status == STATUS_OK)
		dir_conn_note_step(conn, DIR_STEP_DONE);
	return status;
}

static void open_aside(void *context)
{
	struct dir_conn *conn = context;

	conn->status = establish(conn, &conn->error);
}

static void leave_opening(void *context)
{
	struct dir_conn *conn = context;

	dir_conn_tell_steps(conn, false, conn->late_steps);
	cut(conn);
}

/* Opening, before and behind that */

/* The library takes a list of hosts with ports: an address of IPv6 needs its brackets. */
static enum status widen_host(struct dir_conn *conn, const char *host, size_t length, struct error *error)
{
	char *copy = memory_copy_bytes(host, length);
	enum status status = copy == NULL ? STATUS_NO_MEMORY : dir_conn_widen(copy, &conn->wide_host);

	memory_free(copy);
	if (status == STATUS_NO_MEMORY)
		return error_no_memory(error);
	return status == STATUS_OK ? STATUS_OK : error_set(error, STATUS_INVALID, "'%s' is not an LDAP URI", conn->uri);
}

/* "host:port", as config has checked it; an address of IPv6 in brackets. */
static enum status take_host(struct dir_conn *conn, const char *host, unsigned default_port, struct error *error)
{
	const bool is_bracketed = *host == '[';
	const char *name = is_bracketed ? host + 1 : host;
	const size_t length = is_bracketed ? strcspn(name, "]") : strcspn(name, ":/?");
	const char *behind = name + length + (is_bracketed && name[length] == ']' ? 1 : 0);
	const unsigned long port = *behind == ':' ? strtoul(behind + 1, NULL, 10) : default_port;

	if (length == 0)
		return error_set(error, STATUS_INVALID, "'%s' names no host", conn->uri);
	if (port == 0 || port > PORT_MAX)
		return error_set(error, STATUS_INVALID, "'%s' is not an LDAP URI", conn->uri);
	conn->port = (unsigned)port;
	conn->host = memory_copy_bytes(name, length);
	if (conn->host == NULL)
		return error_no_memory(error);
	return widen_host(conn, host, (size_t)(behind - host), error);
}

static enum status take_uri(struct dir_conn *conn, enum config_tls tls, struct error *error)
{
	const size_t length = strcspn(conn->uri, ":");
	const bool is_ldap = ascii_equal_nocase_n(conn->uri, length, "ldap", 4);

	if (strncmp(conn->uri + length, "://", 3) != 0)
		return error_set(error, STATUS_INVALID, "'%s' is not an LDAP URI", conn->uri);
	if (ascii_equal_nocase_n(conn->uri, length, "ldaps", 5))
		conn->security = DIR_SECURITY_TLS;
	else if (is_ldap && tls == CONFIG_TLS_STARTTLS)
		conn->security = DIR_SECURITY_STARTTLS;
	else if (is_ldap && tls == CONFIG_TLS_NONE)
		conn->security = DIR_SECURITY_CLEAR;
	else
		return error_set(error, STATUS_INVALID, "'%s' is not %s", conn->uri,
				 is_ldap ? "an ldaps URI, which the policy demands" : "of ldap or ldaps");
	return take_host(conn, conn->uri + length + 3, is_ldap ? LDAP_DEFAULT_PORT : LDAPS_DEFAULT_PORT, error);
}

/* All that the thread aside will need. */
static enum status take_policy(struct dir_conn *conn, const struct config_directory *directory, struct error *error)
{
	enum status status = take_uri(conn, directory->tls, error);

	if (status != STATUS_OK ||
	    (status = dir_conn_credential_init(&conn->credential, directory, error)) != STATUS_OK)
		return status;
	conn->tls_minimum = directory->tls_minimum;
	if (conn->security == DIR_SECURITY_CLEAR)
		return STATUS_OK;
	if (directory->tls_ca_file != NULL && (conn->ca_file = memory_copy_text(directory->tls_ca_file)) == NULL)
		return error_no_memory(error);
	return dir_trust_new(directory->tls_ca_file, directory->tls_crl_file, &conn->trust, error);
}

static void free_conn(void *context)
{
	struct dir_conn *conn = context;

	if (conn->ld != NULL)
		(void)ldap_unbind(conn->ld);
	dir_conn_credential_done(&conn->credential);
	dir_trust_free(&conn->trust);
	memory_free(conn->ca_file);
	memory_free(conn->wide_host);
	memory_free(conn->host);
	memory_free(conn->uri);
	memory_free(conn);
}

static struct dir_conn *new_conn(const char *uri, uint64_t deadline_ms)
{
	struct dir_conn *conn = memory_new(sizeof(*conn));

	if (conn == NULL)
		return NULL;
	conn->deadline_ms = deadline_ms;
	conn->trust_status = STATUS_NOT_FOUND;
	atomic_init(&conn->socket, INVALID_SOCKET);
	atomic_init(&conn->is_cut, false);
	atomic_init(&conn->step, DIR_STEP_RESOLVE);
	conn->uri = memory_copy_text(uri);
	if (conn->uri != NULL)
		return conn;
	memory_free(conn);
	return NULL;
}

static enum status fail_late(const char *uri, const struct dir_steps *steps, struct error *error)
{
	return error_set(error, STATUS_TIMEOUT, "could not connect to '%s': no answer in time (in %s)", uri,
			 dir_step_word(steps->reached));
}

/* @return STATUS_OK: `conn` is open, or not, as its status says; else it is freed, or about to be. */
static enum status run_opening(struct dir_conn *conn, const char *uri, struct error *error)
{
	const struct dir_aside aside = {
	    .run = open_aside, .leave = leave_opening, .inherit = free_conn, .context = conn};
	const struct dir_steps *steps = conn->late_steps;
	/* Calls that keep to the deadline are not left to themselves for coming back at it. */
	const enum status status = dir_aside_run(&aside, conn->deadline_ms + OPENING_GRACE_MS, error);

	if (status == STATUS_OK)
		return STATUS_OK;
	if (status == STATUS_TIMEOUT)
		return fail_late(uri, steps, error);
	free_conn(conn);
	error_prefix(error, "could not connect to '%s'", uri);
	return status == STATUS_LIMIT ? STATUS_UNREACHABLE : status;
}

static enum status open_conn(const struct config_directory *directory, const char *uri, uint64_t deadline_ms,
			     struct dir_steps *steps, struct dir_conn **conn_out, struct error *error)
{
	struct dir_conn *conn = new_conn(uri, deadline_ms);
	enum status status;

	*steps = (struct dir_steps){.reached = DIR_STEP_RESOLVE};
	if (conn == NULL)
		return error_no_memory(error);
	conn->late_steps = steps;
	dir_conn_note_step(conn, DIR_STEP_RESOLVE);
	if ((status = take_policy(conn, directory, error)) != STATUS_OK) {
		free_conn(conn);
		return status;
	}
	if ((status = run_opening(conn, uri, error)) != STATUS_OK)
		return status;
	dir_conn_tell_steps(conn, true, steps);
	status = conn->status;
	if (status != STATUS_OK && error != NULL)
		*error = conn->error;
	if (status == STATUS_OK)
		status = dir_guard_start(&conn->guard, cut, conn, error);
	if (status == STATUS_OK)
		*conn_out = conn;
	else
		dir_conn_close(&conn);
	return status;
}

enum status dir_conn_open(const struct config_directory *directory, const char *uri, uint64_t deadline_ms,
			  struct dir_conn **conn_out, struct error *error)
{
	struct dir_steps steps;

	return open_conn(directory, uri, deadline_ms, &steps, conn_out, error);
}

enum status dir_steps_open(const struct config_directory *directory, const char *uri, uint64_t deadline_ms,
			   struct dir_steps *steps_out, struct dir_conn **conn_out, struct error *error)
{
	return open_conn(directory, uri, deadline_ms, steps_out, conn_out, error);
}

/* A farewell to a server that does not listen is not worth a wait. */
void dir_conn_close(struct dir_conn **conn)
{
	struct dir_conn *old = *conn;
	const struct dir_aside aside = {.run = free_conn, .leave = NULL, .inherit = NULL, .context = old};
	enum status status;

	*conn = NULL;
	if (old == NULL)
		return;
	dir_guard_end(&old->guard);
	if (old->is_broken)
		cut(old);
	status = dir_aside_run(&aside, clock_monotonic_ms() + CLOSE_MS, NULL);
	if (status == STATUS_OK || status == STATUS_TIMEOUT)
		return;
	cut(old);
	free_conn(old);
}

uint64_t dir_conn_received(const struct dir_conn *conn)
{
	(void)conn;
	return 0; /* the library counts nothing */
}

uint64_t dir_conn_end_ms(const struct dir_conn *conn)
{
	(void)conn;
	return UINT64_MAX; /* not known: see dir_tickets_sspi.c */
}
