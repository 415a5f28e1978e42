/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session of the watch on a library that shows neither the controls of entries nor intermediate responses, as wldap32: contextCSN of the base
 * is read again and again. It moves with every change and says of none what it was, or whose: so whatever changed is UNSEEN, which has
 * everybody looked up anew and the closure read again.
 *
 *	begin   contextCSN: UP, with that mark
 *	poll    contextCSN. Where it has moved: UNSEEN, then MARK
 *	rest    DIR_WATCH_POLL_MS while somebody decides (DIR_WATCH_HURRY_MS, where he has seen that something changed), else DIR_POOL_PING_MS
 *
 * What it costs the server: four reads of one attribute of one entry a second while somebody decides, one a minute else.
 *
 * A server whose contextCSN goes back (restored from a backup) ends the session. A directory without contextCSN cannot be watched this way:
 * 389 Directory Server would take a persistent search, and wldap32 shows too little of that as well.
 */
#include <directory/dir_conn.h>
#include <directory/dir_mark.h>
#include <directory/dir_watch_private.h>

#include <base/text.h>
#include <os/clock.h>
#include <string.h>

struct polled_session {
	struct dir_watch *watch;
	const char *uri; /* borrowed */
	struct dir_conn *conn;
	struct dir_conn_interrupt interrupt;
	struct error *error;
	struct text mark;   /* that was told */
	struct text latest; /* of a poll under way */
	uint64_t polled_ms; /* when the last poll ended */
	uint64_t rest_ms;   /* it is left alone after it, whoever hurries */
	uint64_t pause_ms;  /* ... and when nobody does */
	uint64_t up_since_ms;
};

static enum status fail(struct polled_session *session, enum status status, const char *what)
{
	return error_set(session->error, status, "'%s' %s", session->uri, what);
}

static enum status fail_unsupported(struct polled_session *session)
{
	(void)fail(session, STATUS_NOT_FOUND, "shows no contextCSN");
	return error_hint(session->error, STATUS_NOT_FOUND,
			  "load the overlay syncprov for the database '%s', and let the bound account read contextCSN",
			  session->watch->base);
}

static enum status fail_telling(struct polled_session *session, enum status status)
{
	if (status == STATUS_NO_MEMORY)
		return error_no_memory(session->error);
	return error_set(session->error, status, "more changes of '%s' were told than could be heard", session->uri);
}

/* Marks. A CSN is "time#count#sid#modification", and its sid says whose. */

static size_t csn_length(const char *csn)
{
	return strcspn(csn, " ");
}

static const char *next_csn(const char *csn)
{
	csn += csn_length(csn);
	return *csn == ' ' ? csn + 1 : NULL;
}

static const char *sid_of(const char *csn)
{
	const char *at = strchr(csn, '#');

	return at != NULL ? strchr(at + 1, '#') : NULL;
}

static bool is_of_same(const char *one, const char *other)
{
	const char *a = sid_of(one);
	const char *b = sid_of(other);
	size_t length;

	if (a == NULL || b == NULL)
		return false;
	length = strcspn(a + 1, "# ") + 1;
	return strcspn(b + 1, "# ") + 1 == length && strncmp(a, b, length) == 0;
}

/* Whether a server has, of everybody's changes, at least those that it had. */
static bool is_as_new(const char *mark, const char *before)
{
	for (; before != NULL; before = next_csn(before)) {
		const char *now = mark;

		while (now != NULL && !is_of_same(now, before))
			now = next_csn(now);
		if (now == NULL || strncmp(now, before, csn_length(before)) < 0)
			return false;
	}
	return true;
}

/* Asking */

static enum status fail_search(struct polled_session *session, const struct dir_search *search)
{
	(void)dir_search_failure(search, session->error);
	(void)error_prefix(session->error, "'%s'", session->uri);
	switch (search->outcome) {
	case DIR_OUTCOME_NO_MEMORY:
		return STATUS_NO_MEMORY;
	case DIR_OUTCOME_NO_SUCH_OBJECT:
	case DIR_OUTCOME_NOT_PERMITTED:
	case DIR_OUTCOME_REFERRAL:
	case DIR_OUTCOME_REFUSED:
		return fail_unsupported(session);
	case DIR_OUTCOME_NONE:
	case DIR_OUTCOME_OK:
	case DIR_OUTCOME_LIMIT:
	case DIR_OUTCOME_INCOMPLETE:
	case DIR_OUTCOME_BUSY:
	case DIR_OUTCOME_BAD_CONNECTION:
	case DIR_OUTCOME_TIMEOUT:
	case DIR_OUTCOME_UNAVAILABLE:
		return STATUS_UNREACHABLE;
	}
	return STATUS_UNREACHABLE;
}

static enum status take_mark(struct polled_session *session, const struct dir_search *search)
{
	enum status status;

	if (search->outcome != DIR_OUTCOME_OK)
		return fail_search(session, search);
	status = search->entries == NULL || dir_entry_attribute(search->entries, "contextCSN") == NULL
		     ? STATUS_NOT_FOUND
		     : dir_mark_of(search->entries, &session->latest);
	if (status == STATUS_NO_MEMORY)
		return error_no_memory(session->error);
	if (status == STATUS_NOT_FOUND)
		return fail_unsupported(session);
	return status == STATUS_OK ? STATUS_OK
				   : fail(session, STATUS_UNREACHABLE, "has a contextCSN of a form that is not known");
}

/* @return STATUS_OK: `latest` is what the server has; STATUS_NOT_FOUND: it shows none. */
static enum status read_mark(struct polled_session *session)
{
	static const char *const attributes[] = {"contextCSN", NULL};
	struct dir_search search;
	struct dir_turn turn = {.search = &search,
				.deadline_ms = clock_monotonic_ms() + session->watch->tuning.connect_ms};
	enum status status = dir_search_init(&search, session->error);

	if (status != STATUS_OK)
		return status;
	search.base = session->watch->base;
	search.scope = DIR_SCOPE_BASE;
	search.filter = "(objectClass=*)";
	search.attributes = attributes;
	status = dir_conn_exchange(session->conn, &turn, 1, session->error);
	if (status == STATUS_OK)
		status = take_mark(session, &search);
	else if (status != STATUS_NO_MEMORY)
		status = STATUS_UNREACHABLE;
	dir_search_done(&search);
	return status;
}

static enum status keep_mark(struct polled_session *session)
{
	text_clear(&session->mark);
	text_add(&session->mark, text_string(&session->latest));
	return text_failed(&session->mark) ? error_no_memory(session->error) : STATUS_OK;
}

/* Polls */

static enum status tell(struct polled_session *session, const struct dir_watch_event *event)
{
	const enum status status = dir_watch_queue_tell(&session->watch->queue, event);

	return status == STATUS_OK ? STATUS_OK : fail_telling(session, status);
}

static enum status tell_moved(struct polled_session *session)
{
	const struct dir_watch_event unseen = {.kind = DIR_WATCH_UNSEEN};
	const struct dir_watch_event mark = {.kind = DIR_WATCH_MARK, .mark = text_string(&session->latest)};
	enum status status;

	if (!is_as_new(text_string(&session->latest), text_string(&session->mark)))
		return fail(session, STATUS_UNREACHABLE, "has an older state than before");
	if ((status = tell(session, &unseen)) != STATUS_OK || (status = tell(session, &mark)) != STATUS_OK)
		return status;
	return keep_mark(session);
}

static void note_poll(struct polled_session *session, uint64_t began_ms)
{
	const struct dir_watch_tuning *tuning = &session->watch->tuning;
	uint64_t took_ms;

	session->polled_ms = clock_monotonic_ms();
	took_ms = session->polled_ms - began_ms;
	session->rest_ms = took_ms * tuning->poll_rest;
	if (session->rest_ms < tuning->hurry_ms)
		session->rest_ms = tuning->hurry_ms;
	session->pause_ms = session->rest_ms + took_ms < tuning->poll_ms ? tuning->poll_ms - took_ms : session->rest_ms;
}

static enum status poll(struct polled_session *session)
{
	const uint64_t began_ms = clock_monotonic_ms();
	enum status status;

	/* Who hurries from now on wants what changes from now on. */
	atomic_store(&session->watch->is_hurried, false);
	status = read_mark(session);
	/* It had it before. */
	if (status == STATUS_NOT_FOUND)
		status = STATUS_UNREACHABLE;
	if (status == STATUS_OK && strcmp(text_string(&session->latest), text_string(&session->mark)) != 0)
		status = tell_moved(session);
	note_poll(session, began_ms);
	return status;
}

static uint64_t next_poll_ms(struct polled_session *session)
{
	const uint64_t soon_ms = session->polled_ms + session->pause_ms;
	const uint64_t ping_ms = session->polled_ms + session->watch->tuning.ping_ms;

	if (atomic_load(&session->watch->is_hurried))
		return session->polled_ms + session->rest_ms;
	return dir_watch_is_used(session->watch, clock_monotonic_ms()) || ping_ms < soon_ms ? soon_ms : ping_ms;
}

static enum status step(struct polled_session *session)
{
	const uint64_t due_ms = next_poll_ms(session);
	const enum status status =
	    clock_monotonic_ms() >= due_ms ? poll(session) : dir_conn_listen(session->conn, due_ms, session->error);

	if (dir_watch_is_stopping(session->watch))
		return STATUS_CANCELLED;
	if (status == STATUS_OK && dir_watch_has_lost_server(session->watch, session->uri))
		return fail(session, STATUS_UNREACHABLE, "is not among the directory's servers any more");
	return status;
}

static enum status begin(struct polled_session *session)
{
	struct dir_watch_event up = {.kind = DIR_WATCH_UP, .means = DIR_WATCH_BY_CSN};
	const uint64_t began_ms = clock_monotonic_ms();
	enum status status = read_mark(session);

	if (dir_watch_is_stopping(session->watch))
		return STATUS_CANCELLED;
	if (status == STATUS_OK)
		status = keep_mark(session);
	if (status == STATUS_OK) {
		up.mark = text_string(&session->mark);
		status = tell(session, &up);
	}
	if (status != STATUS_OK)
		return status;
	note_poll(session, began_ms);
	/* Whoever hears of it reads everything, and waits until the watch has told as much as was read. */
	dir_watch_use(session->watch);
	session->up_since_ms = clock_monotonic_ms();
	return STATUS_OK;
}

static bool is_interrupted(void *context)
{
	const struct polled_session *session = context;

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

enum dir_session_end dir_watch_session(struct dir_watch *watch, const char *uri, uint64_t *up_since_ms_out,
				       struct error *error)
{
	struct polled_session session = {
	    .watch = watch,
	    .uri = uri,
	    .interrupt = {.wake = &watch->wake, .is_wanted = is_interrupted},
	    .error = error,
	};
	enum status status =
	    dir_conn_open(watch->directory, uri, clock_monotonic_ms() + watch->tuning.connect_ms, &session.conn, error);

	if (status != STATUS_OK)
		return status == STATUS_REFUSED ? DIR_SESSION_REFUSED : DIR_SESSION_BROKEN;
	session.interrupt.context = &session;
	dir_conn_interrupt_by(session.conn, &session.interrupt);
	text_init(&session.mark);
	text_init(&session.latest);
	status = begin(&session);
	while (status == STATUS_OK)
		status = step(&session);
	*up_since_ms_out = session.up_since_ms;
	dir_conn_close(&session.conn);
	text_done(&session.mark);
	text_done(&session.latest);
	return end_of(status);
}
