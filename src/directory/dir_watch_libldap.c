/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_watch_libldap.h>

#include <directory/dir_sync.h>
#include <os/clock.h>

/* Ends */

enum status dir_session_fail(struct dir_session *session, enum status status, const char *what)
{
	return error_set(session->error, status, "'%s' %s", session->conn->uri, what);
}

enum status dir_session_fail_code(struct dir_session *session, enum status status, int code, const char *what)
{
	(void)dir_conn_failure(session->conn, code, what, session->error);
	session->error->status = status;
	return status;
}

enum status dir_session_fail_entry(struct dir_session *session, enum status status)
{
	if (status == STATUS_UNREACHABLE)
		return dir_session_fail(session, STATUS_UNREACHABLE, "sent an entry that is not LDAP");
	return dir_session_fail_telling(session, status);
}

enum status dir_session_fail_telling(struct dir_session *session, enum status status)
{
	if (status == STATUS_NO_MEMORY)
		return error_no_memory(session->error);
	return error_set(session->error, status, "more changes of '%s' were told than could be heard",
			 session->conn->uri);
}

enum status dir_session_not_offered(struct dir_session *session, int code)
{
	(void)dir_conn_failure(session->conn, code, "changes are not told by", session->error);
	session->error->status = STATUS_NOT_FOUND;
	return error_hint(session->error, STATUS_NOT_FOUND,
			  "load the overlay syncprov for the database '%s', and let the bound account read it",
			  session->watch->base);
}

enum status dir_session_no_marks(struct dir_session *session)
{
	(void)dir_session_fail(session, STATUS_NOT_FOUND, "shows no contextCSN");
	return error_hint(session->error, STATUS_NOT_FOUND,
			  "load the overlay syncprov for the database '%s', and let the bound account read contextCSN",
			  session->watch->base);
}

/* Asking */

static const char any_entry[] = "(objectClass=*)";

enum status dir_session_ask(struct dir_session *session, const char *base, int scope, const char *filter,
			    const char *const *attributes, LDAPControl *control, int *id_out)
{
	struct dir_conn *conn = session->conn;
	LDAPControl *controls[] = {control, NULL};
	char *names[DIR_SEARCH_MAX_ATTRIBUTES + 1] = {NULL};
	int code;

	for (size_t i = 0; attributes[i] != NULL; i++) {
		if (i == DIR_SEARCH_MAX_ATTRIBUTES)
			return error_set(session->error, STATUS_INTERNAL, "the watch asks for too many attributes");
		names[i] = dir_conn_unconst(attributes[i]);
	}
	/* The library must not have taken TLS away behind our back. */
	if (conn->is_tls && ldap_tls_inplace(conn->ld) != 1)
		return dir_session_fail(session, STATUS_UNREACHABLE, "is no longer spoken to by TLS");
	dir_io_prompt(&conn->io, clock_monotonic_ms() + session->watch->tuning.connect_ms);
	code = ldap_search_ext(conn->ld, base, scope, filter, names, 0, control != NULL ? controls : NULL, NULL, NULL,
			       LDAP_NO_LIMIT, id_out);
	if (code == LDAP_SUCCESS)
		return STATUS_OK;
	conn->is_broken = true;
	return dir_session_fail_code(session, code == LDAP_NO_MEMORY ? STATUS_NO_MEMORY : STATUS_UNREACHABLE, code,
				     "could not ask");
}

static enum status send_read(struct dir_session *session)
{
	static const char *const attributes[] = {"contextCSN", NULL};

	session->due_ms = clock_monotonic_ms() + session->watch->tuning.connect_ms;
	return dir_session_ask(session, session->watch->base, LDAP_SCOPE_BASE, any_entry, attributes, NULL,
			       &session->read_id);
}

static enum status send_sync_search(struct dir_session *session)
{
	struct dir_watch *watch = session->watch;
	LDAPControl control = {.ldctl_oid = dir_conn_unconst(DIR_SYNC_REQUEST_OID), .ldctl_iscritical = 1};
	struct text value;
	enum status status;

	text_init(&value);
	status = dir_sync_cookie_of_mark(text_string(&session->mark), &session->scratch);
	if (status == STATUS_OK)
		status = dir_sync_encode_request(text_string(&session->scratch), &value);
	if (status == STATUS_OK) {
		control.ldctl_value = (struct berval){value.length, value.data};
		session->stage = DIR_SESSION_REFRESHING;
		session->due_ms = clock_monotonic_ms() + watch->tuning.refresh_ms;
		status = dir_session_ask(session, watch->base, LDAP_SCOPE_SUBTREE, any_entry, watch->attributes,
					 &control, &session->search_id);
	} else {
		status = error_no_memory(session->error);
	}
	text_done(&value);
	return status;
}

enum status dir_session_ping(struct dir_session *session, int *id_out)
{
	static const char *const nothing[] = {LDAP_NO_ATTRS, NULL};

	session->has_pinged = true;
	session->due_ms = clock_monotonic_ms() + session->watch->tuning.connect_ms;
	return dir_session_ask(session, "", LDAP_SCOPE_BASE, any_entry, nothing, NULL, id_out);
}

/* The read of contextCSN */

static enum status read_mark(struct dir_session *session, const struct dir_entry *entry)
{
	const struct dir_attribute *values = dir_entry_attribute(entry, "contextCSN");
	enum status status = STATUS_NOT_FOUND;

	if (values != NULL)
		status = dir_sync_join_values(values->values, values->value_count, &session->mark);
	if (status == STATUS_OK || status == STATUS_NOT_FOUND)
		return STATUS_OK; /* the end of the answer says more */
	if (status == STATUS_NO_MEMORY)
		return error_no_memory(session->error);
	return dir_session_fail(session, STATUS_UNREACHABLE, "has a contextCSN of a form that is not known");
}

static enum status take_read_entry(struct dir_session *session, LDAPMessage *message)
{
	struct arena *arena = arena_new(DIR_SEARCH_MAX_BYTES);
	struct dir_entry *entry = NULL;
	enum status status;

	if (arena == NULL)
		return error_no_memory(session->error);
	status = dir_conn_read_entry(session->conn, message, arena, &entry);
	status = status == STATUS_OK ? read_mark(session, entry) : dir_session_fail_entry(session, status);
	arena_free(&arena);
	return status;
}

static enum status take_read_result(struct dir_session *session, LDAPMessage *message)
{
	static const char what[] = "could not read contextCSN from";
	int code = LDAP_OTHER;
	const enum status status = dir_conn_result(session->conn, message, what, &code, session->error);

	if (status != STATUS_OK)
		return status;
	if (code == LDAP_SUCCESS && session->mark.length > 0)
		return send_sync_search(session);
	if (code == LDAP_NO_SUCH_OBJECT || code == LDAP_INSUFFICIENT_ACCESS)
		return dir_session_not_offered(session, code);
	if (code != LDAP_SUCCESS)
		return dir_session_fail_code(session, STATUS_UNREACHABLE, code, what);
	return dir_session_identify(session);
}

static enum status take_read_message(struct dir_session *session, LDAPMessage *message)
{
	switch (ldap_msgtype(message)) {
	case LDAP_RES_SEARCH_ENTRY:
		return take_read_entry(session, message);
	case LDAP_RES_SEARCH_RESULT:
		return take_read_result(session, message);
	default:
		return STATUS_OK;
	}
}

static enum status take_message(struct dir_session *session, LDAPMessage *message)
{
	const int id = ldap_msgid(message);

	session->heard_ms = clock_monotonic_ms();
	session->has_pinged = false;
	if (session->stage == DIR_SESSION_PERSISTING)
		session->due_ms = DIR_SESSION_NEVER;
	/* RFC 4511 4.4.1, the notice of disconnection */
	if (id == LDAP_RES_UNSOLICITED)
		return dir_session_fail(session, STATUS_UNREACHABLE, "ended the connection");
	if (session->is_psearch)
		return dir_session_psearch_take(session, message);
	if (session->stage == DIR_SESSION_READING)
		return id == session->read_id ? take_read_message(session, message) : STATUS_OK;
	return id == session->search_id ? dir_session_take_change(session, message) : STATUS_OK;
}

/* Nothing is there. */
static enum status wait_for_message(struct dir_session *session)
{
	const struct dir_watch_tuning *tuning = &session->watch->tuning;
	const bool may_ping = session->stage == DIR_SESSION_PERSISTING && !session->has_pinged;
	const uint64_t now_ms = clock_monotonic_ms();
	uint64_t until_ms = session->due_ms;
	enum status status;
	int ping_id;

	if (now_ms >= session->due_ms)
		return dir_session_fail(session, STATUS_TIMEOUT, "did not answer in time");
	if (session->is_psearch && dir_session_psearch_rest(session, now_ms, &status))
		return status;
	/* Its answer need not be told from others: whatever the server says shows that it is there. */
	if (may_ping && now_ms >= session->heard_ms + tuning->ping_ms)
		return dir_session_ping(session, &ping_id);
	if (may_ping)
		until_ms = session->heard_ms + tuning->ping_ms;
	if (session->proof.settled_ms != 0 && session->proof.settled_ms < until_ms)
		until_ms = session->proof.settled_ms;
	dir_wake_wait(&session->watch->wake, session->conn->io.fd, until_ms);
	return STATUS_OK;
}

static enum status step(struct dir_session *session)
{
	LDAPMessage *message = NULL;
	enum status status = STATUS_OK;

	switch (dir_conn_take(session->conn, clock_monotonic_ms() + session->watch->tuning.connect_ms, &message)) {
	case DIR_ARRIVAL_MESSAGE:
		status = take_message(session, message);
		(void)ldap_msgfree(message);
		break;
	case DIR_ARRIVAL_NOTHING:
		status = wait_for_message(session);
		break;
	case DIR_ARRIVAL_BROKEN:
		status = dir_session_fail(session, STATUS_UNREACHABLE, "broke the connection");
		break;
	}
	return status;
}

static enum dir_session_end end_of(enum status status)
{
	if (status == STATUS_CANCELLED)
		return DIR_SESSION_STOPPED;
	if (status == STATUS_NOT_FOUND)
		return DIR_SESSION_UNSUPPORTED;
	return status == STATUS_NO_MEMORY || status == STATUS_LIMIT ? DIR_SESSION_OVERRUN : DIR_SESSION_BROKEN;
}

static enum status step_or_end(struct dir_session *session)
{
	if (dir_watch_is_stopping(session->watch))
		return STATUS_CANCELLED;
	if (dir_watch_has_lost_server(session->watch, session->conn->uri))
		return dir_session_fail(session, STATUS_UNREACHABLE, "is not among the directory's servers any more");
	return step(session);
}

enum dir_session_end dir_watch_session(struct dir_watch *watch, const char *uri, uint64_t *up_since_ms_out,
				       struct error *error)
{
	struct dir_session session = {.watch = watch, .error = error};
	enum status status;

	status =
	    dir_conn_open(watch->directory, uri, clock_monotonic_ms() + watch->tuning.connect_ms, &session.conn, error);
	if (status != STATUS_OK)
		return status == STATUS_REFUSED ? DIR_SESSION_REFUSED : DIR_SESSION_BROKEN;
	text_init(&session.mark);
	text_init(&session.later);
	text_init(&session.scratch);
	/* What was wanted of an earlier session. */
	(void)dir_watch_take_proof(watch);
	status = send_read(&session);
	while (status == STATUS_OK)
		status = step_or_end(&session);
	*up_since_ms_out = session.up_since_ms;
	dir_conn_close(&session.conn);
	dir_heard_list_clear(&session.early);
	text_done(&session.mark);
	text_done(&session.later);
	text_done(&session.scratch);
	return end_of(status);
}
