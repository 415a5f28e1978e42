/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_watch_controller.h>

#include <base/ascii.h>
#include <base/text.h>
#include <directory/dir_conn.h>
#include <directory/dir_facts.h>
#include <directory/dir_mark.h>
#include <directory/dir_usn.h>
#include <os/clock.h>
#include <string.h>

/* Less than AD's MaxPageSize, 1000. */
#define PAGE_ENTRIES 500

static const char any_filter[] = "(objectClass=*)";
static const char deleted_objects[] = "CN=Deleted Objects,";
static const char *const own_attributes[] = {"objectGUID", "objectSid", "objectClass",    "isDeleted",
					     "uSNChanged", "groupType", "sAMAccountName", "userPrincipalName"};
static const char *const usn_attributes[] = {"uSNChanged", "objectGUID", NULL};

struct session {
	struct dir_watch *watch;
	size_t number;
	unsigned orders; /* of dir_watch_prefer, when it began */
	struct dir_conn *conn;
	struct dir_conn_interrupt interrupt;
	struct error *error;

	struct arena *arena; /* of the facts */
	struct dir_facts facts;
	struct text container; /* DN of the domain's deleted objects */
	const char *attributes[DIR_SEARCH_MAX_ATTRIBUTES + 1];
	bool sees_deletions;

	struct dir_usn usn;
	struct text mark;   /* that was told */
	struct text latest; /* of a poll under way */
	struct text filter;
	struct dir_heard_list list; /* of a poll under way */
	uint64_t polled_ms;         /* when the last poll ended */
	uint64_t rest_ms;           /* what is left alone after it */
	uint64_t up_since_ms;       /* 0: it is not up */
};

static const char *uri_of(const struct session *session)
{
	return session->watch->directory->uris[session->number];
}

static enum status fail(struct session *session, enum status status, const char *what)
{
	return error_set(session->error, status, "'%s' %s", uri_of(session), what);
}

static enum status fail_telling(struct session *session, enum status status)
{
	if (status == STATUS_NO_MEMORY)
		return error_no_memory(session->error);
	return error_set(session->error, status, "more changes of '%s' were told than could be heard", uri_of(session));
}

/* Asking */

static struct dir_search question(const char *base, enum dir_scope scope, const char *filter,
				  const char *const *attributes)
{
	return (struct dir_search){.base = base, .scope = scope, .filter = filter, .attributes = attributes};
}

static unsigned flags_of(const struct session *session)
{
	return (session->facts.offers_domain_scope ? DIR_SEARCH_DOMAIN_SCOPE : 0) |
	       (session->facts.offers_show_deleted ? DIR_SEARCH_SHOW_DELETED : 0);
}

/* Every search has an outcome; the connection is still good. */
static enum status exchange(struct session *session, struct dir_turn *turns, size_t count)
{
	const enum status status = dir_conn_exchange(session->conn, turns, count, session->error);

	if (dir_watch_is_stopping(session->watch))
		return STATUS_CANCELLED;
	return status == STATUS_OK ? STATUS_OK : STATUS_UNREACHABLE;
}

static enum status ask(struct session *session, struct dir_search *search, uint64_t patience_ms)
{
	struct dir_turn turn = {search, clock_monotonic_ms() + patience_ms};
	enum status status = error_no_memory(session->error);

	if ((search->arena = arena_new(DIR_SEARCH_MAX_BYTES)) != NULL)
		status = exchange(session, &turn, 1);
	return status;
}

/* A search failed: what that is for the watch. */
static enum status fail_search(struct session *session, const struct dir_search *search)
{
	(void)dir_search_failure(search, session->error);
	(void)error_prefix(session->error, "'%s'", uri_of(session));
	switch (search->outcome) {
	case DIR_OUTCOME_NO_MEMORY:
		return STATUS_NO_MEMORY;
	case DIR_OUTCOME_LIMIT:
		return STATUS_LIMIT;
	case DIR_OUTCOME_NO_SUCH_OBJECT:
	case DIR_OUTCOME_NOT_PERMITTED:
	case DIR_OUTCOME_REFERRAL:
	case DIR_OUTCOME_REFUSED:
		return STATUS_NOT_FOUND;
	case DIR_OUTCOME_NONE:
	case DIR_OUTCOME_OK:
	case DIR_OUTCOME_BUSY:
	case DIR_OUTCOME_BAD_CONNECTION:
	case DIR_OUTCOME_TIMEOUT:
	case DIR_OUTCOME_UNAVAILABLE:
		return STATUS_UNREACHABLE;
	}
	return STATUS_UNREACHABLE;
}

/* The beginning */

static enum status take_root(struct session *session, const struct dir_entry *entry)
{
	enum status status = dir_facts_take(entry, session->arena, &session->facts, session->error);

	if (status != STATUS_OK)
		return status == STATUS_NO_MEMORY ? status : STATUS_UNREACHABLE;
	if (!dir_kind_is_active_directory(session->facts.kind) || session->facts.default_naming_context == NULL)
		return fail(session, STATUS_NOT_FOUND, "is no domain controller");
	if (!session->facts.is_synchronized)
		return fail(session, STATUS_UNREACHABLE, "has not replicated since it started");
	status = dir_mark_of(entry, &session->mark);
	if (status == STATUS_NO_MEMORY)
		return error_no_memory(session->error);
	return status == STATUS_OK && dir_mark_usn(text_string(&session->mark), &session->usn.mark)
		   ? STATUS_OK
		   : fail(session, STATUS_NOT_FOUND, "shows no highestCommittedUSN");
}

static enum status read_root(struct session *session)
{
	struct dir_search search =
	    question(DIR_MARK_CONTROLLER, DIR_SCOPE_BASE, dir_facts_filter, dir_facts_attributes);
	enum status status = ask(session, &search, session->watch->tuning.connect_ms);

	if (status == STATUS_OK && search.outcome != DIR_OUTCOME_OK)
		status = fail_search(session, &search);
	else if (status == STATUS_OK && search.entries == NULL)
		status = fail(session, STATUS_NOT_FOUND, "shows no root DSE");
	if (status == STATUS_OK)
		status = take_root(session, search.entries);
	dir_search_done(&search);
	return status;
}

/* Who cannot read uSNChanged of the domain itself would be told of nothing. */
static enum status check_rights(struct session *session)
{
	struct dir_search search =
	    question(session->facts.default_naming_context, DIR_SCOPE_BASE, any_filter, usn_attributes);
	enum status status = ask(session, &search, session->watch->tuning.connect_ms);

	if (status == STATUS_OK && search.outcome != DIR_OUTCOME_OK)
		status = fail_search(session, &search);
	else if (status == STATUS_OK &&
		 (search.entries == NULL || dir_entry_single(search.entries, "uSNChanged") == NULL)) {
		(void)fail(session, STATUS_NOT_FOUND, "does not show uSNChanged to the bound account");
		status =
		    error_hint(session->error, STATUS_NOT_FOUND,
			       "let the bound account read the domain, as every authenticated user may by default");
	}
	dir_search_done(&search);
	return status;
}

static bool is_in_container(const struct session *session, const char *dn)
{
	const size_t length = strlen(dn), wanted = session->container.length;

	return length > wanted && dn[length - wanted - 1] == ',' &&
	       ascii_equal_nocase_n(dn + length - wanted, wanted, text_string(&session->container), wanted);
}

static void look_for_deleted(struct session *session, const struct dir_entry *entry)
{
	if (!session->sees_deletions && dir_usn_is_deleted(entry) && is_in_container(session, entry->dn)) {
		session->sees_deletions = true;
		log_debug(session->watch->log, "'%s' shows deleted objects to the bound account", uri_of(session));
	}
}

/* Whatever comes instead of an object shows none: the account does not see them. */
static enum status probe_deletions(struct session *session)
{
	static const char *const attributes[] = {"isDeleted", NULL};
	struct dir_search search;
	enum status status;

	text_printf(&session->container, "%s%s", deleted_objects, session->facts.default_naming_context);
	if (text_failed(&session->container))
		return error_no_memory(session->error);
	if (!session->facts.offers_show_deleted)
		return STATUS_OK;
	search = question(text_string(&session->container), DIR_SCOPE_ONE, any_filter, attributes);
	search.size_limit = 1;
	search.flags = DIR_SEARCH_SHOW_DELETED;
	status = ask(session, &search, session->watch->tuning.connect_ms);
	if (status == STATUS_OK && search.entries != NULL)
		look_for_deleted(session, search.entries);
	dir_search_done(&search);
	return status;
}

static bool has_name(const char *const *names, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (ascii_equal_nocase(names[i], name))
			return true;
	return false;
}

static enum status add_attribute(struct session *session, size_t *count, const char *name)
{
	if (has_name(session->attributes, *count, name))
		return STATUS_OK;
	if (*count == DIR_SEARCH_MAX_ATTRIBUTES)
		return error_set(session->error, STATUS_INTERNAL, "the watch asks for too many attributes");
	session->attributes[(*count)++] = name;
	return STATUS_OK;
}

static enum status choose_attributes(struct session *session)
{
	enum status status = STATUS_OK;
	size_t count = 0;

	for (size_t i = 0; i < COUNT_OF(own_attributes) && status == STATUS_OK; i++)
		status = add_attribute(session, &count, own_attributes[i]);
	for (size_t i = 0; session->watch->attributes[i] != NULL && status == STATUS_OK; i++)
		status = add_attribute(session, &count, session->watch->attributes[i]);
	return status;
}

static enum status come_up(struct session *session)
{
	const struct dir_watch_event up = {.kind = DIR_WATCH_UP, .mark = text_string(&session->mark)};
	const struct dir_watch_tuning *tuning = &session->watch->tuning;
	const enum status status = dir_watch_queue_tell(&session->watch->queue, &up);

	if (status != STATUS_OK)
		return fail_telling(session, status);
	dir_usn_init(&session->usn, session->usn.mark, session->facts.kind == DIR_KIND_SAMBA ? 0 : tuning->overlap_ms,
		     tuning->max_steps);
	session->up_since_ms = clock_monotonic_ms();
	log_info(session->watch->log, "'%s' is asked for changes of '%s'%s", uri_of(session),
		 session->facts.default_naming_context,
		 session->sees_deletions ? "" : "; it has shown no deleted objects to the bound account");
	return STATUS_OK;
}

static enum status begin(struct session *session)
{
	enum status status = choose_attributes(session);

	if (status == STATUS_OK)
		status = read_root(session);
	if (status == STATUS_OK)
		status = check_rights(session);
	if (status == STATUS_OK)
		status = probe_deletions(session);
	return status == STATUS_OK ? come_up(session) : status;
}

/* A poll */

/* Behind its number a mark names the controller. */
static bool is_same_controller(const char *one, const char *other)
{
	return strcmp(one + strcspn(one, "#"), other + strcspn(other, "#")) == 0;
}

static enum status take_mark(struct session *session, const struct dir_entry *entry, uint64_t *upto_out)
{
	const enum status status = dir_mark_of(entry, &session->latest);
	uint64_t upto;

	if (status == STATUS_NO_MEMORY)
		return error_no_memory(session->error);
	if (status != STATUS_OK || !dir_mark_usn(text_string(&session->latest), &upto))
		return fail(session, STATUS_UNREACHABLE, "no longer shows a highestCommittedUSN");
	if (!is_same_controller(text_string(&session->latest), text_string(&session->mark)))
		return fail(session, STATUS_UNREACHABLE, "is another domain controller than before");
	if (upto < session->usn.mark)
		return fail(session, STATUS_UNREACHABLE, "has an older state than before");
	if (upto - session->usn.mark > session->watch->tuning.max_steps)
		return fail(session, STATUS_LIMIT,
			    "has made more changes since the last look than are told one by one");
	*upto_out = upto;
	return STATUS_OK;
}

static enum status read_mark(struct session *session, uint64_t *upto_out)
{
	struct dir_search search = question(DIR_MARK_CONTROLLER, DIR_SCOPE_BASE, any_filter, dir_mark_attributes);
	enum status status = ask(session, &search, session->watch->tuning.connect_ms);

	if (status == STATUS_OK && search.outcome != DIR_OUTCOME_OK) {
		status = fail_search(session, &search);
		/* It had it before. */
		status = status == STATUS_NOT_FOUND ? STATUS_UNREACHABLE : status;
	} else if (status == STATUS_OK) {
		status = search.entries != NULL ? take_mark(session, search.entries, upto_out)
						: fail(session, STATUS_UNREACHABLE, "no longer shows its root DSE");
	}
	dir_search_done(&search);
	return status;
}

static enum status add_event(struct session *session, const struct dir_watch_event *event)
{
	const enum status status = dir_heard_list_add(&session->list, &session->watch->queue, event);

	return status == STATUS_OK ? STATUS_OK : fail_telling(session, status);
}

static enum status take_change(struct session *session, const struct dir_entry *entry)
{
	char guid[DIR_USN_GUID_TEXT_BYTES];
	struct dir_entry gone = *entry;
	struct dir_watch_event event = {.kind = DIR_WATCH_CHANGE, .change = DIR_CHANGE_MODIFY, .entry = entry};
	bool is_new = false;
	const enum status status = dir_usn_see(&session->usn, entry, &is_new);

	if (status != STATUS_OK)
		return fail_telling(session, status);
	look_for_deleted(session, entry);
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

static enum status read_changes(struct session *session)
{
	struct dir_search search = question(session->facts.default_naming_context, DIR_SCOPE_SUBTREE,
					    text_string(&session->filter), session->attributes);
	enum status status;

	search.page_size = PAGE_ENTRIES;
	search.flags = flags_of(session);
	status = ask(session, &search, session->watch->tuning.refresh_ms);
	if (status == STATUS_OK && search.outcome != DIR_OUTCOME_OK)
		status = fail_search(session, &search);
	for (const struct dir_entry *entry = search.entries; entry != NULL && status == STATUS_OK; entry = entry->next)
		status = take_change(session, entry);
	dir_search_done(&search);
	return status;
}

static enum status take_others(struct session *session, const struct dir_search *search)
{
	enum status status = STATUS_OK;
	bool is_new;

	/* A naming context that the account may not read explains nothing. */
	for (const struct dir_entry *entry = search->outcome == DIR_OUTCOME_OK ? search->entries : NULL;
	     entry != NULL && status == STATUS_OK; entry = entry->next)
		status = dir_usn_see(&session->usn, entry, &is_new);
	return status == STATUS_OK ? STATUS_OK : fail_telling(session, status);
}

/* What changed in the controller's other naming contexts: nobody is told, but it explains steps. */
static enum status read_others(struct session *session)
{
	struct dir_search searches[DIR_WATCH_MAX_CONTEXTS];
	struct dir_turn turns[DIR_WATCH_MAX_CONTEXTS];
	const struct dir_facts *facts = &session->facts;
	enum status status = STATUS_OK;
	size_t count = 0;

	for (size_t i = 0; i < facts->naming_context_count && count < DIR_WATCH_MAX_CONTEXTS; i++) {
		if (ascii_equal_nocase(facts->naming_contexts[i], facts->default_naming_context))
			continue;
		searches[count] = question(facts->naming_contexts[i], DIR_SCOPE_SUBTREE, text_string(&session->filter),
					   usn_attributes);
		searches[count].page_size = PAGE_ENTRIES;
		searches[count].flags = flags_of(session);
		searches[count].arena = arena_new(DIR_SEARCH_MAX_BYTES);
		turns[count] =
		    (struct dir_turn){&searches[count], clock_monotonic_ms() + session->watch->tuning.refresh_ms};
		if (searches[count++].arena == NULL)
			status = error_no_memory(session->error);
	}
	if (status == STATUS_OK && count > 0)
		status = exchange(session, turns, count);
	for (size_t i = 0; i < count; i++) {
		if (status == STATUS_OK)
			status = take_others(session, &searches[i]);
		dir_search_done(&searches[i]);
	}
	return status;
}

static enum status read_unseen(struct session *session, uint64_t upto)
{
	const struct dir_watch_event unseen = {.kind = DIR_WATCH_UNSEEN};
	enum status status;

	if (session->sees_deletions || dir_usn_missing(&session->usn, upto) == 0)
		return STATUS_OK;
	if ((status = read_others(session)) != STATUS_OK)
		return status;
	return dir_usn_missing(&session->usn, upto) == 0 ? STATUS_OK : add_event(session, &unseen);
}

static enum status read_all(struct session *session, uint64_t upto)
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
		return fail_telling(session, status);
	dir_usn_advance(&session->usn, upto, clock_monotonic_ms());
	return STATUS_OK;
}

static enum status poll(struct session *session)
{
	const struct dir_watch_tuning *tuning = &session->watch->tuning;
	const uint64_t began_ms = clock_monotonic_ms();
	uint64_t upto = 0, took_ms;
	enum status status = read_mark(session, &upto);

	if (status == STATUS_OK && (upto > session->usn.mark || dir_usn_has_gap(&session->usn)))
		status = read_all(session, upto);
	session->polled_ms = clock_monotonic_ms();
	took_ms = session->polled_ms - began_ms;
	session->rest_ms = took_ms * tuning->poll_rest;
	if (session->rest_ms + took_ms < tuning->poll_ms)
		session->rest_ms = tuning->poll_ms - took_ms;
	return status;
}

/* Between polls */

static uint64_t next_poll_ms(struct session *session)
{
	const uint64_t soon_ms = session->polled_ms + session->rest_ms;
	const uint64_t ping_ms = session->polled_ms + session->watch->tuning.ping_ms;

	return dir_watch_is_used(session->watch, clock_monotonic_ms()) || ping_ms < soon_ms ? soon_ms : ping_ms;
}

static enum status step(struct session *session)
{
	const uint64_t due_ms = next_poll_ms(session);
	const enum status status =
	    clock_monotonic_ms() >= due_ms ? poll(session) : dir_conn_listen(session->conn, due_ms, session->error);

	if (dir_watch_is_stopping(session->watch))
		return STATUS_CANCELLED;
	return status;
}

static bool is_interrupted(void *context)
{
	const struct session *session = context;

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

static enum dir_session_end run(struct session *session)
{
	enum status status = begin(session);

	while (status == STATUS_OK) {
		if (dir_watch_is_ordered_away(session->watch, session->number, session->orders)) {
			(void)fail(session, STATUS_UNREACHABLE, "is left for the server that answers");
			return DIR_SESSION_MOVED;
		}
		status = step(session);
	}
	return end_of(status);
}

enum dir_session_end dir_watch_controller_session(struct dir_watch *watch, size_t number, uint64_t *up_since_ms_out,
						  struct error *error)
{
	struct session session = {
	    .watch = watch,
	    .number = number,
	    .orders = dir_watch_orders(watch),
	    .interrupt = {.wake = &watch->wake, .is_wanted = is_interrupted},
	    .error = error,
	};
	enum dir_session_end end = DIR_SESSION_OVERRUN;
	enum status status;

	status = dir_conn_open(watch->directory, uri_of(&session), clock_monotonic_ms() + watch->tuning.connect_ms,
			       &session.conn, error);
	if (status != STATUS_OK)
		return status == STATUS_REFUSED ? DIR_SESSION_REFUSED : DIR_SESSION_BROKEN;
	session.interrupt.context = &session;
	dir_conn_interrupt_by(session.conn, &session.interrupt);
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
