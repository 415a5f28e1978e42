/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_watch_controller_private.h>

#include <base/ascii.h>
#include <directory/dir_mark.h>
#include <directory/dir_renewal.h>
#include <os/clock.h>
#include <string.h>

/* Less than AD's MaxPageSize, 1000. */
#define PAGE_ENTRIES 500

/* A poll */

static enum status take_mark(struct controller_session *session, const struct dir_entry *entry, uint64_t *upto_out)
{
	const enum status status = dir_mark_of(entry, &session->latest);
	uint64_t upto;

	if (status == STATUS_NO_MEMORY)
		return error_no_memory(session->error);
	if (status != STATUS_OK || !dir_mark_usn(text_string(&session->latest), &upto))
		return controller_fail(session, STATUS_UNREACHABLE, "no longer shows a highestCommittedUSN");
	if (dir_mark_is_of_other(text_string(&session->latest), text_string(&session->mark)))
		return controller_fail(session, STATUS_UNREACHABLE, "is another domain controller than before");
	if (upto < session->usn.mark)
		return controller_fail(session, STATUS_UNREACHABLE, "has an older state than before");
	if (upto - session->usn.mark > session->watch->tuning.max_steps)
		return controller_fail(session, STATUS_LIMIT,
				       "has made more changes since the last look than are told one by one");
	*upto_out = upto;
	return STATUS_OK;
}

static enum status read_mark(struct controller_session *session, uint64_t *upto_out)
{
	struct dir_search search =
	    controller_question(DIR_MARK_CONTROLLER, DIR_SCOPE_BASE, controller_any_filter, dir_mark_attributes);
	enum status status = controller_ask(session, &search, session->watch->tuning.connect_ms);

	if (status == STATUS_OK && search.outcome != DIR_OUTCOME_OK) {
		status = controller_fail_search(session, &search);
		/* It had it before. */
		status = status == STATUS_NOT_FOUND ? STATUS_UNREACHABLE : status;
	} else if (status == STATUS_OK) {
		status = search.entries != NULL
			     ? take_mark(session, search.entries, upto_out)
			     : controller_fail(session, STATUS_UNREACHABLE, "no longer shows its root DSE");
	}
	dir_search_done(&search);
	return status;
}

static enum status add_event(struct controller_session *session, const struct dir_watch_event *event)
{
	const enum status status = dir_heard_list_add(&session->list, &session->watch->queue, event);

	return status == STATUS_OK ? STATUS_OK : controller_fail_telling(session, status);
}

static enum status take_change(struct controller_session *session, const struct dir_entry *entry)
{
	char guid[DIR_USN_GUID_TEXT_BYTES];
	struct dir_entry gone = *entry;
	struct dir_watch_event event = {.kind = DIR_WATCH_CHANGE, .change = DIR_CHANGE_MODIFY, .entry = entry};
	bool is_new = false;
	const enum status status = dir_usn_see(&session->usn, entry, &is_new);

	if (status != STATUS_OK)
		return controller_fail_telling(session, status);
	controller_look_for_deleted(session, entry);
	if (!is_new)
		return STATUS_OK;
	dir_usn_guid_text(entry, guid);
	event.id = entry->id != NULL ? entry->id : guid;
	if (dir_usn_is_deleted(entry)) {
		gone.dn = ""; /* it has one now that it never had */
		event.entry = &gone;
		event.change = DIR_CHANGE_DELETE;
	}
	return add_event(session, &event);
}

static enum status read_changes(struct controller_session *session)
{
	struct dir_search search = controller_question(session->facts.default_naming_context, DIR_SCOPE_SUBTREE,
						       text_string(&session->filter), session->attributes);
	enum status status;

	search.page_size = PAGE_ENTRIES;
	search.flags = controller_flags(session);
	status = controller_ask(session, &search, session->watch->tuning.refresh_ms);
	if (status == STATUS_OK && search.outcome != DIR_OUTCOME_OK)
		status = controller_fail_search(session, &search);
	for (const struct dir_entry *entry = search.entries; entry != NULL && status == STATUS_OK; entry = entry->next)
		status = take_change(session, entry);
	dir_search_done(&search);
	return status;
}

static enum status take_others(struct controller_session *session, const struct dir_search *search)
{
	enum status status = STATUS_OK;
	bool is_new;

	/* A naming context that the account may not read explains nothing. */
	for (const struct dir_entry *entry = search->outcome == DIR_OUTCOME_OK ? search->entries : NULL;
	     entry != NULL && status == STATUS_OK; entry = entry->next)
		status = dir_usn_see(&session->usn, entry, &is_new);
	return status == STATUS_OK ? STATUS_OK : controller_fail_telling(session, status);
}

/* What changed in the controller's other naming contexts: nobody is told, but it explains steps. */
static enum status read_others(struct controller_session *session)
{
	struct dir_search searches[DIR_WATCH_MAX_CONTEXTS];
	struct dir_turn turns[DIR_WATCH_MAX_CONTEXTS];
	const struct dir_facts *facts = &session->facts;
	enum status status = STATUS_OK;
	size_t count = 0;

	for (size_t i = 0; i < facts->naming_context_count && count < DIR_WATCH_MAX_CONTEXTS; i++) {
		if (ascii_equal_nocase(facts->naming_contexts[i], facts->default_naming_context))
			continue;
		searches[count] = controller_question(facts->naming_contexts[i], DIR_SCOPE_SUBTREE,
						      text_string(&session->filter), controller_usn_attributes);
		searches[count].page_size = PAGE_ENTRIES;
		searches[count].flags = controller_flags(session);
		searches[count].arena = arena_new(DIR_SEARCH_MAX_BYTES);
		turns[count] =
		    (struct dir_turn){&searches[count], clock_monotonic_ms() + session->watch->tuning.refresh_ms};
		if (searches[count++].arena == NULL)
			status = error_no_memory(session->error);
	}
	if (status == STATUS_OK && count > 0)
		status = controller_exchange(session, turns, count);
	for (size_t i = 0; i < count; i++) {
		if (status == STATUS_OK)
			status = take_others(session, &searches[i]);
		dir_search_done(&searches[i]);
	}
	return status;
}

static enum status read_unseen(struct controller_session *session, uint64_t upto)
{
	const struct dir_watch_event unseen = {.kind = DIR_WATCH_UNSEEN};
	enum status status;

	if (session->sees_deletions || dir_usn_missing(&session->usn, upto) == 0)
		return STATUS_OK;
	if ((status = read_others(session)) != STATUS_OK)
		return status;
	return dir_usn_missing(&session->usn, upto) == 0 ? STATUS_OK : add_event(session, &unseen);
}

static enum status read_all(struct controller_session *session, uint64_t upto)
{
	const struct dir_watch_event mark = {.kind = DIR_WATCH_MARK, .mark = text_string(&session->latest)};
	enum status status = dir_usn_filter(&session->usn, &session->filter);

	if (status != STATUS_OK)
		return error_no_memory(session->error);
	if ((status = read_changes(session)) != STATUS_OK || (status = read_unseen(session, upto)) != STATUS_OK)
		return status;
	if (upto > session->usn.mark && (status = add_event(session, &mark)) != STATUS_OK)
		return status;
	if ((status = dir_watch_queue_tell_list(&session->watch->queue, &session->list)) != STATUS_OK)
		return controller_fail_telling(session, status);
	dir_usn_advance(&session->usn, upto, clock_monotonic_ms());
	return STATUS_OK;
}

static enum status poll(struct controller_session *session)
{
	const struct dir_watch_tuning *tuning = &session->watch->tuning;
	const uint64_t began_ms = clock_monotonic_ms();
	uint64_t upto = 0, took_ms;
	enum status status;

	/* Who hurries from now on wants what changes from now on. */
	atomic_store(&session->watch->is_hurried, false);
	status = read_mark(session, &upto);

	if (status == STATUS_OK && (upto > session->usn.mark || dir_usn_has_gap(&session->usn)))
		status = read_all(session, upto);
	session->polled_ms = clock_monotonic_ms();
	took_ms = session->polled_ms - began_ms;
	session->rest_ms = took_ms * tuning->poll_rest;
	if (session->rest_ms < tuning->hurry_ms)
		session->rest_ms = tuning->hurry_ms;
	session->pause_ms = session->rest_ms + took_ms < tuning->poll_ms ? tuning->poll_ms - took_ms : session->rest_ms;
	return status;
}

/* Between polls */

static uint64_t next_poll_ms(struct controller_session *session)
{
	const uint64_t soon_ms = session->polled_ms + session->pause_ms;
	const uint64_t ping_ms = session->polled_ms + session->watch->tuning.ping_ms;

	if (atomic_load(&session->watch->is_hurried))
		return session->polled_ms + session->rest_ms;
	return dir_watch_is_used(session->watch, clock_monotonic_ms()) || ping_ms < soon_ms ? soon_ms : ping_ms;
}

/* Open a connection, and have it take the place of the one before. */
static enum status connect_to(struct controller_session *session, struct error *error)
{
	const struct dir_watch_tuning *tuning = &session->watch->tuning;
	struct dir_conn *conn = NULL;
	const enum status status = dir_conn_open(session->watch->directory, session->uri,
						 clock_monotonic_ms() + tuning->connect_ms, &conn, error);

	if (status != STATUS_OK)
		return status;
	dir_conn_interrupt_by(conn, &session->interrupt);
	dir_conn_close(&session->conn);
	session->conn = conn;
	session->renew_due_ms = dir_renewal_due_ms(dir_conn_end_ms(conn), clock_monotonic_ms(), tuning->renew_ahead_ms,
						   tuning->renew_again_ms);
	return STATUS_OK;
}

/*
 * The controller ends a connection with the ticket that it was bound with. The session outlives it, for its USN goes on: that a name
 * in DNS led elsewhere this time is seen by the next poll. Where it fails the old connection is as good as it was.
 */
static void renew(struct controller_session *session)
{
	const struct dir_watch_tuning *tuning = &session->watch->tuning;
	struct error error = {0};
	const enum status status = connect_to(session, &error);

	if (status == STATUS_OK)
		return;
	log_failure(session->watch->log, LOG_LEVEL_WARNING,
		    "the watch's connection could not be made anew before its ticket ends, trying again", &error);
	session->renew_due_ms =
	    clock_monotonic_ms() + (status == STATUS_REFUSED ? tuning->refused_ms : tuning->renew_again_ms);
}

static enum status step(struct controller_session *session)
{
	const uint64_t poll_due_ms = next_poll_ms(session);
	const uint64_t due_ms = poll_due_ms < session->renew_due_ms ? poll_due_ms : session->renew_due_ms;
	enum status status = STATUS_OK;

	if (clock_monotonic_ms() >= session->renew_due_ms)
		renew(session);
	else if (clock_monotonic_ms() >= poll_due_ms)
		status = poll(session);
	else
		status = dir_conn_listen(session->conn, due_ms, session->error);
	if (dir_watch_is_stopping(session->watch))
		return STATUS_CANCELLED;
	return status;
}

static bool is_interrupted(void *context)
{
	const struct controller_session *session = context;

	return dir_watch_is_stopping(session->watch);
}

static enum dir_session_end end_of(enum status status)
{
	if (status == STATUS_CANCELLED)
		return DIR_SESSION_STOPPED;
	if (status == STATUS_NOT_FOUND)
		return DIR_SESSION_UNSUPPORTED;
	return status == STATUS_NO_MEMORY || status == STATUS_LIMIT ? DIR_SESSION_OVERRUN : DIR_SESSION_BROKEN;
}

static enum dir_session_end run(struct controller_session *session)
{
	enum status status = controller_begin(session);

	while (status == STATUS_OK) {
		if (dir_watch_is_ordered_away(session->watch, session->uri)) {
			(void)controller_fail(session, STATUS_UNREACHABLE, "is left for the server that answers");
			return DIR_SESSION_MOVED;
		}
		if (dir_watch_has_lost_server(session->watch, session->uri)) {
			(void)controller_fail(session, STATUS_UNREACHABLE,
					      "is not among the directory's servers any more");
			return DIR_SESSION_MOVED;
		}
		status = step(session);
	}
	return end_of(status);
}

enum dir_session_end dir_watch_controller_session(struct dir_watch *watch, const char *uri, uint64_t *up_since_ms_out,
						  struct error *error)
{
	struct controller_session session = {
	    .watch = watch,
	    .uri = uri,
	    .interrupt = {.wake = &watch->wake, .is_wanted = is_interrupted},
	    .error = error,
	};
	enum dir_session_end end = DIR_SESSION_OVERRUN;
	enum status status;

	session.interrupt.context = &session;
	if ((status = connect_to(&session, error)) != STATUS_OK)
		return status == STATUS_REFUSED ? DIR_SESSION_REFUSED : DIR_SESSION_BROKEN;
	text_init(&session.container);
	text_init(&session.mark);
	text_init(&session.latest);
	text_init(&session.filter);
	session.arena = arena_new(DIR_SEARCH_MAX_BYTES);
	if (session.arena == NULL)
		(void)error_no_memory(error);
	else
		end = run(&session);
	*up_since_ms_out = session.up_since_ms;
	dir_conn_close(&session.conn);
	dir_heard_list_clear(&session.list);
	dir_usn_done(&session.usn);
	arena_free(&session.arena);
	text_done(&session.container);
	text_done(&session.mark);
	text_done(&session.latest);
	text_done(&session.filter);
	return end;
}
