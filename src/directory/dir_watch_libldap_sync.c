/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_watch_libldap.h>

#include <directory/dir_sync.h>
#include <os/clock.h>
#include <string.h>

static enum status fail_protocol(struct dir_session *session, const char *what)
{
	return error_set(session->error, STATUS_UNREACHABLE, "'%s' does not keep to RFC 4533: %s", session->conn->uri,
			 what);
}

/* The server wants us to read everything, or begins to say everything. What was there all the time is not told from what changed. */
static enum status fail_anew(struct dir_session *session)
{
	return dir_session_fail(session, STATUS_UNREACHABLE, "no longer knows what has changed since the watch began");
}

/* Telling */

static enum status tell(struct dir_session *session, const struct dir_watch_event *event)
{
	const enum status status = session->stage == DIR_SESSION_PERSISTING
				       ? dir_watch_queue_tell(&session->watch->queue, event)
				       : dir_heard_list_add(&session->early, &session->watch->queue, event);

	return status == STATUS_OK ? STATUS_OK : dir_session_fail_telling(session, status);
}

/*
 * The mark of a message; NULL: it has none. In the refresh stage none is told: changes come in no order then, so a mark stands for
 * them when it is over.
 */
static enum status read_cookie(struct dir_session *session, struct dir_span cookie, const char **mark_out)
{
	struct text *mark = session->stage == DIR_SESSION_PERSISTING ? &session->scratch : &session->later;
	const enum status status = dir_sync_mark_of_cookie(cookie, mark);

	*mark_out = status == STATUS_OK && session->stage == DIR_SESSION_PERSISTING ? text_string(mark) : NULL;
	if (status == STATUS_OK || status == STATUS_NOT_FOUND)
		return STATUS_OK;
	if (status == STATUS_NO_MEMORY)
		return error_no_memory(session->error);
	return dir_session_fail(session, STATUS_UNREACHABLE, "sent a cookie with a CSN of a form that is not known");
}

static enum status tell_mark(struct dir_session *session, struct dir_span cookie)
{
	struct dir_watch_event event = {.kind = DIR_WATCH_MARK};
	const enum status status = read_cookie(session, cookie, &event.mark);

	return status != STATUS_OK || event.mark == NULL ? status : tell(session, &event);
}

static enum dir_change change_of(const struct dir_session *session, enum dir_sync_state state)
{
	switch (state) {
	case DIR_SYNC_DELETE:
		return DIR_CHANGE_DELETE;
	case DIR_SYNC_ADD:
		/* In the refresh stage slapd says so of everything that is not as it was. */
		return session->stage == DIR_SESSION_PERSISTING ? DIR_CHANGE_ADD : DIR_CHANGE_MODIFY;
	case DIR_SYNC_PRESENT:
	case DIR_SYNC_MODIFY:
		break;
	}
	return DIR_CHANGE_MODIFY;
}

static enum status tell_entry(struct dir_session *session, LDAPMessage *message, const struct dir_sync_entry *sync)
{
	struct dir_watch_event event = {
	    .kind = DIR_WATCH_CHANGE,
	    .change = change_of(session, sync->state),
	    .id = sync->id,
	};
	struct arena *arena = arena_new(DIR_SEARCH_MAX_BYTES);
	struct dir_entry *entry = NULL;
	enum status status;

	if (arena == NULL)
		return error_no_memory(session->error);
	status = dir_conn_read_entry(session->conn, message, arena, &entry);
	if (status != STATUS_OK)
		status = dir_session_fail_entry(session, status);
	else
		status = read_cookie(session, sync->cookie, &event.mark);
	event.entry = entry;
	if (status == STATUS_OK)
		status = tell(session, &event);
	arena_free(&arena);
	return status;
}

/* The watch is up; what changed between the read and the search comes behind it. */
static enum status come_up(struct dir_session *session)
{
	struct dir_watch *watch = session->watch;
	const struct dir_watch_event up = {
	    .kind = DIR_WATCH_UP, .mark = text_string(&session->mark), .means = DIR_WATCH_BY_SYNC};
	const struct dir_watch_event later = {.kind = DIR_WATCH_MARK, .mark = text_string(&session->later)};
	enum status status;

	session->stage = DIR_SESSION_PERSISTING;
	session->due_ms = DIR_SESSION_NEVER;
	if ((status = tell(session, &up)) != STATUS_OK)
		return status;
	session->up_since_ms = clock_monotonic_ms();
	log_event(watch->log, LOG_EVENT_WATCH_FOUND, "'%s' tells of changes beneath '%s' (RFC 4533)",
		  session->conn->uri, watch->base);
	if ((status = dir_watch_queue_tell_list(&watch->queue, &session->early)) != STATUS_OK)
		return dir_session_fail_telling(session, status);
	return session->later.length > 0 ? tell(session, &later) : STATUS_OK;
}

/* Messages of the search: RFC 4533 3.3 (refresh) and 3.4 (persist) */

static enum status take_state(struct dir_session *session, LDAPMessage *message, const LDAPControl *control)
{
	struct dir_sync_entry sync;

	if (control == NULL || !dir_sync_decode_entry(control->ldctl_value.bv_val, control->ldctl_value.bv_len, &sync))
		return fail_protocol(session, "an entry without its state");
	if (sync.state != DIR_SYNC_PRESENT)
		return tell_entry(session, message, &sync);
	return session->stage == DIR_SESSION_PERSISTING ? STATUS_OK : fail_anew(session);
}

static enum status take_entry(struct dir_session *session, LDAPMessage *message)
{
	LDAPControl **controls = NULL;
	enum status status;
	int code;

	code = ldap_get_entry_controls(session->conn->ld, message, &controls);
	if (code != LDAP_SUCCESS)
		return code == LDAP_NO_MEMORY
			   ? error_no_memory(session->error)
			   : dir_session_fail(session, STATUS_UNREACHABLE, "sent an entry that is not LDAP");
	status = take_state(session, message, ldap_control_find(DIR_SYNC_STATE_OID, controls, NULL));
	ldap_controls_free(controls);
	return status;
}

static enum status take_id_set(struct dir_session *session, struct dir_sync_info *info)
{
	static const struct dir_entry nameless = {.dn = ""};
	char id[DIR_SYNC_ID_BYTES];
	const struct dir_watch_event gone = {
	    .kind = DIR_WATCH_CHANGE,
	    .change = DIR_CHANGE_DELETE,
	    .entry = &nameless,
	    .id = id,
	};
	enum status status;

	if (!info->refresh_deletes && info->ids.length > 0)
		return fail_anew(session);
	while (dir_sync_next_id(info, id))
		if ((status = tell(session, &gone)) != STATUS_OK)
			return status;
	return tell_mark(session, info->cookie);
}

/*
 * The end of a phase of the refresh stage. A present phase that listed something has ended the session before; one that
 * listed nothing cannot mean that everything is gone, since the base was there a moment ago.
 */
static enum status take_refresh_end(struct dir_session *session, const struct dir_sync_info *info)
{
	enum status status;

	if (session->stage == DIR_SESSION_PERSISTING)
		return fail_anew(session);
	if ((status = tell_mark(session, info->cookie)) != STATUS_OK)
		return status;
	return info->refresh_done ? come_up(session) : STATUS_OK;
}

static enum status take_info(struct dir_session *session, const struct berval *value)
{
	struct dir_sync_info info;

	if (value == NULL || !dir_sync_decode_info(value->bv_val, value->bv_len, &info))
		return fail_protocol(session, "a Sync Info message of another form");
	switch (info.kind) {
	case DIR_SYNC_NEW_COOKIE:
		return tell_mark(session, info.cookie);
	case DIR_SYNC_REFRESH_DELETE:
	case DIR_SYNC_REFRESH_PRESENT:
		return take_refresh_end(session, &info);
	case DIR_SYNC_ID_SET:
		return take_id_set(session, &info);
	}
	return STATUS_OK;
}

/* RFC 4511 4.13 */
static enum status take_intermediate(struct dir_session *session, LDAPMessage *message)
{
	struct berval *value = NULL;
	char *oid = NULL;
	enum status status = STATUS_OK;
	int code;

	code = ldap_parse_intermediate(session->conn->ld, message, &oid, &value, NULL, 0);
	if (code == LDAP_NO_MEMORY)
		status = error_no_memory(session->error);
	else if (code != LDAP_SUCCESS || oid == NULL) /* what libldap cannot read, it leaves out */
		status = dir_session_fail(session, STATUS_UNREACHABLE, "sent a message that is not LDAP");
	else if (strcmp(oid, DIR_SYNC_INFO_OID) == 0)
		status = take_info(session, value);
	ldap_memfree(oid);
	ber_bvfree(value);
	return status;
}

/* The search has no end of its own. */
static enum status take_result(struct dir_session *session, LDAPMessage *message)
{
	static const char what[] = "the search for changes was ended by";
	int code = LDAP_OTHER;
	const enum status status = dir_conn_result(session->conn, message, what, &code, session->error);

	if (status != STATUS_OK)
		return status;
	if (code == LDAP_SYNC_REFRESH_REQUIRED)
		return fail_anew(session);
	/* Of these slapd sends the first where syncprov is not loaded, although its root DSE lists the control for all databases. */
	if (session->stage == DIR_SESSION_REFRESHING &&
	    (code == LDAP_UNAVAILABLE_CRITICAL_EXTENSION || code == LDAP_UNWILLING_TO_PERFORM ||
	     code == LDAP_INSUFFICIENT_ACCESS))
		return dir_session_not_offered(session, code);
	return dir_session_fail_code(session, STATUS_UNREACHABLE, code, what);
}

enum status dir_session_take_change(struct dir_session *session, LDAPMessage *message)
{
	switch (ldap_msgtype(message)) {
	case LDAP_RES_SEARCH_ENTRY:
		return take_entry(session, message);
	case LDAP_RES_INTERMEDIATE:
		return take_intermediate(session, message);
	case LDAP_RES_SEARCH_RESULT:
		return take_result(session, message);
	case LDAP_RES_SEARCH_REFERENCE:
		return STATUS_OK;
	default:
		return fail_protocol(session, "an answer of another kind");
	}
}
