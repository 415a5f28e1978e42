/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_watch_libldap.h>

#include <directory/dir_facts.h>
#include <directory/dir_psearch.h>
#include <os/clock.h>
#include <string.h>

/*
 * 389 Directory Server shows subentries only to who names their class. What they say (roles, classes of service) may change what other
 * entries show: nsAccountLock, for one.
 */
static const char all_entries[] = "(|(objectClass=*)(objectClass=ldapSubEntry))";

static enum status fail_protocol(struct dir_session *session, const char *what)
{
	return error_set(session->error, STATUS_UNREACHABLE, "'%s' does not keep to the persistent search: %s",
			 session->conn->uri, what);
}

static enum status tell(struct dir_session *session, const struct dir_watch_event *event)
{
	const enum status status = dir_watch_queue_tell(&session->watch->queue, event);

	return status == STATUS_OK ? STATUS_OK : dir_session_fail_telling(session, status);
}

/* Who the server is */

enum status dir_session_identify(struct dir_session *session)
{
	session->is_psearch = true;
	session->stage = DIR_SESSION_IDENTIFYING;
	session->due_ms = clock_monotonic_ms() + session->watch->tuning.connect_ms;
	return dir_session_ask(session, "", LDAP_SCOPE_BASE, dir_facts_filter, dir_facts_attributes, NULL,
			       &session->read_id);
}

static enum status read_identity(struct dir_session *session, const struct dir_entry *dse, struct arena *arena)
{
	struct dir_facts facts = {.kind = DIR_KIND_GENERIC};
	enum status status = dir_facts_take(dse, arena, &facts, session->error);

	if (status == STATUS_OK)
		status = facts.offers_persistent_search ? dir_psearch_server(dse, &session->mark) : STATUS_NOT_FOUND;
	if (status == STATUS_NO_MEMORY)
		return error_no_memory(session->error);
	return status == STATUS_OK ? STATUS_OK : dir_session_no_marks(session);
}

static enum status take_identity(struct dir_session *session, LDAPMessage *message)
{
	struct arena *arena = arena_new(DIR_SEARCH_MAX_BYTES);
	struct dir_entry *dse = NULL;
	enum status status;

	if (arena == NULL)
		return error_no_memory(session->error);
	status = dir_conn_read_entry(session->conn, message, arena, &dse);
	if (status != STATUS_OK)
		status = dir_session_fail_entry(session, status);
	else
		status = read_identity(session, dse, arena);
	arena_free(&arena);
	return status;
}

/* The search itself, and behind it a question whose answer says that it was taken up. */
static enum status begin(struct dir_session *session)
{
	const struct dir_span value = dir_psearch_request();
	LDAPControl control = {
	    .ldctl_oid = dir_conn_unconst(DIR_PSEARCH_REQUEST_OID),
	    .ldctl_value = {value.length, dir_conn_unconst(value.data)},
	    .ldctl_iscritical = 1,
	};
	const enum status status = dir_session_ask(session, session->watch->base, LDAP_SCOPE_SUBTREE, all_entries,
						   session->watch->attributes, &control, &session->search_id);

	session->stage = DIR_SESSION_SETTLING;
	return status == STATUS_OK ? dir_session_ping(session, &session->proof.ping_id) : status;
}

static enum status take_identity_result(struct dir_session *session, LDAPMessage *message)
{
	static const char what[] = "could not read the root DSE of";
	int code = LDAP_OTHER;
	const enum status status = dir_conn_result(session->conn, message, what, &code, session->error);

	if (status != STATUS_OK)
		return status;
	if (code != LDAP_SUCCESS && code != LDAP_NO_SUCH_OBJECT && code != LDAP_INSUFFICIENT_ACCESS)
		return dir_session_fail_code(session, STATUS_UNREACHABLE, code, what);
	/* There was no entry: the root DSE is hidden. */
	return session->mark.length == 0 ? dir_session_no_marks(session) : begin(session);
}

/* Changes */

static enum dir_change change_of(enum dir_psearch_change change)
{
	switch (change) {
	case DIR_PSEARCH_ADD:
		return DIR_CHANGE_ADD;
	case DIR_PSEARCH_DELETE:
		return DIR_CHANGE_DELETE;
	case DIR_PSEARCH_MODIFY:
	case DIR_PSEARCH_RENAME:
		break;
	}
	return DIR_CHANGE_MODIFY;
}

/*
 * 389-ds-base 2.3.1 shows a persistent search nothing that is stored, of any entry, from the moment on when the first role is added, until
 * the search begins anew (measured). Whose change it is cannot be known then.
 */
static enum status fail_nameless(struct dir_session *session, const struct dir_entry *entry)
{
	(void)error_set(session->error, STATUS_UNREACHABLE, "'%s' tells of a change of '%s' and shows nothing of it",
			session->conn->uri, entry->dn);
	return error_hint(session->error, STATUS_UNREACHABLE,
			  "let the bound account read objectClass and nsUniqueId of all entries");
}

static enum status tell_entry(struct dir_session *session, LDAPMessage *message,
			      const struct dir_psearch_notice *notice)
{
	struct dir_watch_event event = {.kind = DIR_WATCH_CHANGE, .change = change_of(notice->change)};
	struct arena *arena = arena_new(DIR_SEARCH_MAX_BYTES);
	struct dir_entry *entry = NULL;
	enum status status;

	if (arena == NULL)
		return error_no_memory(session->error);
	status = dir_conn_read_entry(session->conn, message, arena, &entry);
	if (status == STATUS_OK) {
		event.entry = entry;
		event.id = entry->id == NULL ? entry->dn : entry->id;
		status = tell(session, &event);
		if (status == STATUS_OK && dir_entry_attribute(entry, "objectClass") == NULL)
			status = fail_nameless(session, entry);
	} else {
		status = dir_session_fail_entry(session, status);
	}
	arena_free(&arena);
	return status;
}

static enum status take_notice(struct dir_session *session, LDAPMessage *message, const LDAPControl *control)
{
	struct dir_psearch_notice notice;

	if (control == NULL ||
	    !dir_psearch_decode_notice(control->ldctl_value.bv_val, control->ldctl_value.bv_len, &notice))
		return fail_protocol(session, "an entry without word of what became of it");
	/* What happens before it is up is in whatever is read from then on. */
	return session->stage == DIR_SESSION_PERSISTING ? tell_entry(session, message, &notice) : STATUS_OK;
}

static enum status take_entry(struct dir_session *session, LDAPMessage *message)
{
	LDAPControl **controls = NULL;
	const int code = ldap_get_entry_controls(session->conn->ld, message, &controls);
	enum status status;

	if (code != LDAP_SUCCESS)
		return code == LDAP_NO_MEMORY
			   ? error_no_memory(session->error)
			   : dir_session_fail(session, STATUS_UNREACHABLE, "sent an entry that is not LDAP");
	status = take_notice(session, message, ldap_control_find(DIR_PSEARCH_NOTICE_OID, controls, NULL));
	ldap_controls_free(controls);
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
	if (session->stage == DIR_SESSION_SETTLING &&
	    (code == LDAP_UNAVAILABLE_CRITICAL_EXTENSION || code == LDAP_UNWILLING_TO_PERFORM ||
	     code == LDAP_INSUFFICIENT_ACCESS))
		return dir_session_no_marks(session);
	return dir_session_fail_code(session, STATUS_UNREACHABLE, code, what);
}

static enum status take_change(struct dir_session *session, LDAPMessage *message)
{
	switch (ldap_msgtype(message)) {
	case LDAP_RES_SEARCH_ENTRY:
		return take_entry(session, message);
	case LDAP_RES_SEARCH_RESULT:
		return take_result(session, message);
	case LDAP_RES_SEARCH_REFERENCE:
		return STATUS_OK;
	default:
		return fail_protocol(session, "an answer of another kind");
	}
}

enum status dir_session_psearch_take(struct dir_session *session, LDAPMessage *message)
{
	const int id = ldap_msgid(message), type = ldap_msgtype(message);

	if (session->stage == DIR_SESSION_IDENTIFYING) {
		if (id != session->read_id)
			return STATUS_OK;
		if (type == LDAP_RES_SEARCH_ENTRY)
			return take_identity(session, message);
		return type == LDAP_RES_SEARCH_RESULT ? take_identity_result(session, message) : STATUS_OK;
	}
	if (id == session->search_id)
		return take_change(session, message);
	/* Whatever the code: the server has got so far. */
	if (id == session->proof.ping_id && type == LDAP_RES_SEARCH_RESULT && session->proof.settled_ms == 0)
		session->proof.settled_ms = clock_monotonic_ms() + session->watch->tuning.settle_ms;
	return STATUS_OK;
}

/* Proofs */

static enum status come_up(struct dir_session *session)
{
	const struct dir_watch_event up = {
	    .kind = DIR_WATCH_UP, .server = text_string(&session->mark), .means = DIR_WATCH_BY_PSEARCH};
	enum status status;

	session->stage = DIR_SESSION_PERSISTING;
	session->due_ms = DIR_SESSION_NEVER;
	if ((status = tell(session, &up)) != STATUS_OK)
		return status;
	session->up_since_ms = clock_monotonic_ms();
	log_event(session->watch->log, LOG_EVENT_WATCH_FOUND, "'%s' tells of changes beneath '%s' (persistent search)",
		  session->conn->uri, session->watch->base);
	return STATUS_OK;
}

/* Everything that came while it settled was taken: there is nothing more to take now. */
static enum status settle(struct dir_session *session)
{
	const struct dir_watch_event current = {.kind = DIR_WATCH_CURRENT, .proof = session->proof.number};

	session->proof = (struct dir_proof){.number = 0};
	return session->stage == DIR_SESSION_SETTLING ? come_up(session) : tell(session, &current);
}

bool dir_session_psearch_rest(struct dir_session *session, uint64_t now_ms, enum status *status_out)
{
	struct dir_proof *proof = &session->proof;

	if (proof->settled_ms != 0 && now_ms >= proof->settled_ms) {
		*status_out = settle(session);
		return true;
	}
	if (session->stage != DIR_SESSION_PERSISTING || proof->ping_id != 0 ||
	    (proof->number = dir_watch_take_proof(session->watch)) == 0)
		return false;
	*status_out = dir_session_ping(session, &proof->ping_id);
	return true;
}
