/* SPDX-License-Identifier: Apache-2.0 */
#include <authorizer/question.h>
#include <base/memory.h>
#include <cli/report_names.h>
#include <cli/report_users.h>
#include <directory/dir_conn.h>
#include <directory/dir_locator.h>
#include <directory/dir_pool.h>
#include <directory/dir_servers.h>
#include <os/clock.h>
#include <os/thread.h>
#include <stdatomic.h>

/* The whole list, however long it is: what is not alive is found by its silence. */
#define LIST_MS (UINT64_C(7) * 24 * 60 * 60 * 1000)
/* More than a pass takes at most. */
#define LOCATE_MS (DIR_LOCATE_PASS_MS + 1000)

struct users {
	struct users_plan plan;
	struct thread thread;
	struct dir_wake wake;
	struct dir_conn_interrupt interrupt;
	char *filter; /* owned */
	const char *attributes[REPORT_NAME_ATTRIBUTES];
	struct dir_conn *conn;
	atomic_bool is_stopped;
	atomic_bool is_taken;     /* an entry is with whoever takes it */
	_Atomic uint64_t said_ms; /* when the server last said something; UINT64_MAX: it is not asked */
};

static bool is_stopped(void *context)
{
	const struct users *users = context;

	return atomic_load(&users->is_stopped);
}

static enum status take(void *context, const struct dir_entry *user)
{
	struct users *users = context;
	enum status status;

	if (is_stopped(users))
		return STATUS_CANCELLED;
	atomic_store(&users->is_taken, true);
	status = users->plan.take(users->plan.context, user);
	atomic_store(&users->said_ms, clock_monotonic_ms());
	atomic_store(&users->is_taken, false);
	return status;
}

/* As the pool, which does not read from a server that says that its data are not whole. */
static enum status connect_to(struct users *users, const char *uri, struct error *error)
{
	const uint64_t deadline_ms = clock_monotonic_ms() + DIR_POOL_CONNECT_MS;
	bool is_synchronized = true;
	enum status status = dir_conn_open(users->plan.directory, uri, deadline_ms, &users->conn, error);

	if (status == STATUS_OK)
		status = dir_conn_ping(users->conn, deadline_ms, &is_synchronized, error);
	if (status == STATUS_OK && !is_synchronized)
		status = error_set(error, STATUS_REFUSED, "'%s' says that its data are not whole", uri);
	if (status != STATUS_OK)
		dir_conn_close(&users->conn);
	return status;
}

static enum status connect_to_any(struct users *users, struct error *error)
{
	const struct users_plan *plan = &users->plan;
	struct dir_servers *servers = NULL;
	enum status status =
	    dir_locator_find(plan->directory, plan->log, clock_monotonic_ms() + LOCATE_MS, &servers, error);

	if (status != STATUS_OK)
		return status;
	status = error_set(error, STATUS_UNREACHABLE, "no server of the directory is known");
	for (size_t i = 0; i < dir_servers_count(servers) && status != STATUS_OK && !is_stopped(users); i++)
		status = connect_to(users, dir_servers_uri(servers, i), error);
	dir_servers_unref(&servers);
	return status;
}

static void hint_limit(const struct dir_search *search, struct error *error)
{
	if (search->outcome == DIR_OUTCOME_LIMIT)
		(void)error_hint(
		    error, error->status,
		    "let the account list all users; slapd.conf: limits dn.exact=\"the account's DN\" "
		    "size.soft=unlimited size.hard=unlimited size.prtotal=unlimited; 389 Directory Server: "
		    "nsSizeLimit and nsLookThroughLimit of the account");
	else if (search->outcome == DIR_OUTCOME_NO_SUCH_OBJECT)
		(void)error_hint(error, error->status, "see directory/@base, and let the account search beneath it");
}

static enum status list(struct users *users, struct error *error)
{
	struct dir_search search;
	struct dir_turn turn = {.search = &search, .deadline_ms = clock_monotonic_ms() + LIST_MS};
	struct error late = {.status = STATUS_OK};
	enum status status = dir_search_init(&search, error);

	if (status != STATUS_OK)
		return status;
	search.base = users->plan.directory->base;
	search.scope = DIR_SCOPE_SUBTREE;
	search.filter = users->filter;
	search.attributes = users->attributes;
	search.page_size = USERS_PAGE;
	search.flags = users->plan.forest != NULL ? DIR_SEARCH_DOMAIN_SCOPE : 0;
	search.on_entry = take;
	search.on_entry_context = users;
	users->interrupt = (struct dir_conn_interrupt){&users->wake, is_stopped, users};
	dir_conn_interrupt_by(users->conn, &users->interrupt);
	atomic_store(&users->said_ms, clock_monotonic_ms());
	(void)!dir_conn_exchange(users->conn, &turn, 1, &late); /* what came of it is in the search */
	atomic_store(&users->said_ms, UINT64_MAX);
	if (is_stopped(users))
		status = error_set(error, STATUS_TIMEOUT, "the server said nothing more");
	else
		status = dir_search_failure(&search, error);
	hint_limit(&search, error);
	dir_search_done(&search);
	return status;
}

static void run(void *context)
{
	struct users *users = context;
	struct error error = {.status = STATUS_OK};
	enum status status = connect_to_any(users, &error);

	if (status == STATUS_OK)
		status = list(users, &error);
	dir_conn_close(&users->conn);
	if (status != STATUS_OK)
		error_prefix(&error, "while listing the users");
	else
		error.status = STATUS_OK;
	users->plan.ended(users->plan.context, &error);
}

static void release(struct users **reference)
{
	struct users *users = *reference;

	*reference = NULL;
	memory_free(users->filter);
	memory_free(users);
}

enum status users_open(const struct users_plan *plan, struct users **users_out, struct error *error)
{
	struct users *users = memory_new(sizeof(*users));
	enum status status;

	if (users == NULL)
		return error_no_memory(error);
	users->plan = *plan;
	atomic_init(&users->said_ms, UINT64_MAX);
	users->filter = question_list_filter(plan->directory, plan->forest);
	report_names_attributes(plan->directory, plan->forest != NULL, users->attributes);
	status = users->filter == NULL ? error_no_memory(error) : dir_wake_init(&users->wake, error);
	if (status != STATUS_OK) {
		release(&users);
		return status;
	}
	status = thread_start(&users->thread, "users", run, users, error);
	if (status != STATUS_OK) {
		dir_wake_done(&users->wake);
		release(&users);
		return status;
	}
	*users_out = users;
	return STATUS_OK;
}

static void stop(struct users *users)
{
	atomic_store(&users->is_stopped, true);
	dir_wake_up(&users->wake);
}

void users_tick(struct users *users)
{
	const uint64_t said_ms = atomic_load(&users->said_ms);

	if (said_ms != UINT64_MAX && !atomic_load(&users->is_taken) &&
	    clock_monotonic_ms() > said_ms + USERS_SILENCE_MS)
		stop(users);
}

void users_close(struct users **reference)
{
	struct users *users = *reference;

	if (users == NULL)
		return;
	stop(users);
	thread_join(&users->thread);
	dir_wake_done(&users->wake);
	release(reference);
}
