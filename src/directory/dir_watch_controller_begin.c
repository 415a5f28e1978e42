/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_watch_controller_private.h>

#include <base/ascii.h>
#include <directory/dir_mark.h>
#include <os/clock.h>
#include <string.h>

const char controller_any_filter[] = "(objectClass=*)";
const char *const controller_usn_attributes[] = {"uSNChanged", "objectGUID", NULL};

static const char deleted_objects[] = "CN=Deleted Objects,";
static const char *const own_attributes[] = {"objectGUID", "objectSid", "objectClass",    "isDeleted",
					     "uSNChanged", "groupType", "sAMAccountName", "userPrincipalName"};

enum status controller_fail(struct controller_session *session, enum status status, const char *what)
{
	return error_set(session->error, status, "'%s' %s", session->uri, what);
}

enum status controller_fail_telling(struct controller_session *session, enum status status)
{
	if (status == STATUS_NO_MEMORY)
		return error_no_memory(session->error);
	return error_set(session->error, status, "more changes of '%s' were told than could be heard", session->uri);
}

/* Asking */

struct dir_search controller_question(const char *base, enum dir_scope scope, const char *filter,
				      const char *const *attributes)
{
	return (struct dir_search){.base = base, .scope = scope, .filter = filter, .attributes = attributes};
}

unsigned controller_flags(const struct controller_session *session)
{
	return (session->facts.offers_domain_scope ? DIR_SEARCH_DOMAIN_SCOPE : 0) |
	       (session->facts.offers_show_deleted ? DIR_SEARCH_SHOW_DELETED : 0);
}

/* Every search has an outcome; the connection is still good. */
enum status controller_exchange(struct controller_session *session, struct dir_turn *turns, size_t count)
{
	const enum status status = dir_conn_exchange(session->conn, turns, count, session->error);

	if (dir_watch_is_stopping(session->watch))
		return STATUS_CANCELLED;
	return status == STATUS_OK ? STATUS_OK : STATUS_UNREACHABLE;
}

enum status controller_ask(struct controller_session *session, struct dir_search *search, uint64_t patience_ms)
{
	struct dir_turn turn = {search, clock_monotonic_ms() + patience_ms};
	enum status status = error_no_memory(session->error);

	if ((search->arena = arena_new(DIR_SEARCH_MAX_BYTES)) != NULL)
		status = controller_exchange(session, &turn, 1);
	return status;
}

/* A search failed: what that is for the watch. */
enum status controller_fail_search(struct controller_session *session, const struct dir_search *search)
{
	(void)dir_search_failure(search, session->error);
	(void)error_prefix(session->error, "'%s'", session->uri);
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
	case DIR_OUTCOME_INCOMPLETE: /* it is still when it is read again */
	case DIR_OUTCOME_BUSY:
	case DIR_OUTCOME_BAD_CONNECTION:
	case DIR_OUTCOME_TIMEOUT:
	case DIR_OUTCOME_UNAVAILABLE:
		return STATUS_UNREACHABLE;
	}
	return STATUS_UNREACHABLE;
}

/* The beginning */

static enum status take_root(struct controller_session *session, const struct dir_entry *entry)
{
	enum status status = dir_facts_take(entry, session->arena, &session->facts, session->error);

	if (status != STATUS_OK)
		return status == STATUS_NO_MEMORY ? status : STATUS_UNREACHABLE;
	if (!dir_kind_is_active_directory(session->facts.kind) || session->facts.default_naming_context == NULL)
		return controller_fail(session, STATUS_NOT_FOUND, "is no domain controller");
	if (!session->facts.is_synchronized)
		return controller_fail(session, STATUS_UNREACHABLE, "has not replicated since it started");
	status = dir_mark_of(entry, &session->mark);
	if (status == STATUS_NO_MEMORY)
		return error_no_memory(session->error);
	return status == STATUS_OK && dir_mark_usn(text_string(&session->mark), &session->usn.mark)
		   ? STATUS_OK
		   : controller_fail(session, STATUS_NOT_FOUND, "shows no highestCommittedUSN");
}

static enum status read_root(struct controller_session *session)
{
	struct dir_search search =
	    controller_question(DIR_MARK_CONTROLLER, DIR_SCOPE_BASE, dir_facts_filter, dir_facts_attributes);
	enum status status = controller_ask(session, &search, session->watch->tuning.connect_ms);

	if (status == STATUS_OK && search.outcome != DIR_OUTCOME_OK)
		status = controller_fail_search(session, &search);
	else if (status == STATUS_OK && search.entries == NULL)
		status = controller_fail(session, STATUS_NOT_FOUND, "shows no root DSE");
	if (status == STATUS_OK)
		status = take_root(session, search.entries);
	dir_search_done(&search);
	return status;
}

/* Who cannot read uSNChanged of the domain itself would be told of nothing. */
static enum status check_rights(struct controller_session *session)
{
	struct dir_search search = controller_question(session->facts.default_naming_context, DIR_SCOPE_BASE,
						       controller_any_filter, controller_usn_attributes);
	enum status status = controller_ask(session, &search, session->watch->tuning.connect_ms);

	if (status == STATUS_OK && search.outcome != DIR_OUTCOME_OK)
		status = controller_fail_search(session, &search);
	else if (status == STATUS_OK &&
		 (search.entries == NULL || dir_entry_single(search.entries, "uSNChanged") == NULL)) {
		(void)controller_fail(session, STATUS_NOT_FOUND, "does not show uSNChanged to the bound account");
		status =
		    error_hint(session->error, STATUS_NOT_FOUND,
			       "let the bound account read the domain, as every authenticated user may by default");
	}
	dir_search_done(&search);
	return status;
}

static bool is_in_container(const struct controller_session *session, const char *dn)
{
	const size_t length = strlen(dn), wanted = session->container.length;

	return length > wanted && dn[length - wanted - 1] == ',' &&
	       ascii_equal_nocase_n(dn + length - wanted, wanted, text_string(&session->container), wanted);
}

void controller_look_for_deleted(struct controller_session *session, const struct dir_entry *entry)
{
	if (!session->sees_deletions && dir_usn_is_deleted(entry) && is_in_container(session, entry->dn)) {
		session->sees_deletions = true;
		log_debug(session->watch->log, "'%s' shows deleted objects to the bound account", session->uri);
	}
}

/* Whatever comes instead of an object shows none: the account does not see them. */
static enum status probe_deletions(struct controller_session *session)
{
	static const char *const attributes[] = {"isDeleted", NULL};
	struct dir_search search;
	enum status status;

	text_printf(&session->container, "%s%s", deleted_objects, session->facts.default_naming_context);
	if (text_failed(&session->container))
		return error_no_memory(session->error);
	if (!session->facts.offers_show_deleted)
		return STATUS_OK;
	search =
	    controller_question(text_string(&session->container), DIR_SCOPE_ONE, controller_any_filter, attributes);
	search.size_limit = 1;
	search.flags = DIR_SEARCH_SHOW_DELETED;
	status = controller_ask(session, &search, session->watch->tuning.connect_ms);
	if (status == STATUS_OK && search.entries != NULL)
		controller_look_for_deleted(session, search.entries);
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

static enum status add_attribute(struct controller_session *session, size_t *count, const char *name)
{
	if (has_name(session->attributes, *count, name))
		return STATUS_OK;
	if (*count == DIR_SEARCH_MAX_ATTRIBUTES)
		return error_set(session->error, STATUS_INTERNAL, "the watch asks for too many attributes");
	session->attributes[(*count)++] = name;
	return STATUS_OK;
}

static enum status choose_attributes(struct controller_session *session)
{
	enum status status = STATUS_OK;
	size_t count = 0;

	for (size_t i = 0; i < COUNT_OF(own_attributes) && status == STATUS_OK; i++)
		status = add_attribute(session, &count, own_attributes[i]);
	for (size_t i = 0; session->watch->attributes[i] != NULL && status == STATUS_OK; i++)
		status = add_attribute(session, &count, session->watch->attributes[i]);
	return status;
}

static enum status come_up(struct controller_session *session)
{
	const struct dir_watch_event up = {
	    .kind = DIR_WATCH_UP, .mark = text_string(&session->mark), .means = DIR_WATCH_BY_USN};
	const struct dir_watch_tuning *tuning = &session->watch->tuning;
	const enum status status = dir_watch_queue_tell(&session->watch->queue, &up);

	if (status != STATUS_OK)
		return controller_fail_telling(session, status);
	dir_usn_init(&session->usn, session->usn.mark, session->facts.kind == DIR_KIND_SAMBA ? 0 : tuning->overlap_ms,
		     tuning->max_steps);
	/* Whoever hears of it reads everything, and waits until the watch has told as much as was read. */
	dir_watch_use(session->watch);
	session->up_since_ms = clock_monotonic_ms();
	log_event(session->watch->log, LOG_EVENT_WATCH_FOUND, "'%s' is asked for changes of '%s'%s", session->uri,
		  session->facts.default_naming_context,
		  session->sees_deletions ? "" : "; it has shown no deleted objects to the bound account");
	return STATUS_OK;
}

enum status controller_begin(struct controller_session *session)
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
