/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_pool_private.h>

#include <directory/dir_renewal.h>
#include <os/clock.h>

/* A server that breaks every connection after some work fills no log: its losses are told this often. */
#define TELL_LOSS_EVERY_MS 1000

/* Clang checks the lock by these; the bodies follow in the order of a worker's life. */
static void connect_or_wait_locked(struct dir_pool *pool, struct dir_worker *worker) REQUIRES(pool->lock);
static void live_locked(struct dir_pool *pool, struct dir_worker *worker) REQUIRES(pool->lock);
static void adopt_locked(struct dir_pool *pool, struct dir_worker *worker, struct dir_conn *conn,
			 struct dir_server *server) REQUIRES(pool->lock);
static void note_failure_locked(struct dir_pool *pool, struct dir_server *server, enum status why,
				const struct error *error) REQUIRES(pool->lock);
static void note_unsynchronized_locked(struct dir_pool *pool, struct dir_server *server) REQUIRES(pool->lock);
static void move_locked(struct dir_pool *pool, struct dir_worker *worker, struct dir_server *server,
			uint64_t connect_ms) REQUIRES(pool->lock);
static void ping_locked(struct dir_pool *pool, struct dir_worker *worker) REQUIRES(pool->lock);
static void rest_locked(struct dir_pool *pool, struct dir_worker *worker) REQUIRES(pool->lock);

static bool is_vanished(const struct dir_server *server)
{
	return server->rank == DIR_SERVER_VANISHED;
}

void dir_worker_run(void *context)
{
	struct dir_worker *worker = context;
	struct dir_pool *pool = worker->pool;
	struct dir_conn *conn;

	mutex_lock(&pool->lock);
	while (!pool->is_closing) {
		if (worker->conn == NULL)
			connect_or_wait_locked(pool, worker);
		else
			live_locked(pool, worker);
	}
	conn = worker->conn;
	worker->conn = NULL;
	dir_server_leave_locked(pool, &worker->server);
	mutex_unlock(&pool->lock);
	dir_conn_close(&conn);
}

/* Connect, and ask whether the server is of use: a connection for both answers. */
static enum status connect_and_ask(const struct dir_pool *pool, const char *uri, uint64_t deadline_ms,
				   struct dir_conn **conn_out, bool *is_synchronized_out, struct error *error)
{
	struct dir_conn *conn = NULL;
	enum status status = dir_conn_open(pool->directory, uri, deadline_ms, &conn, error);

	if (status == STATUS_OK)
		status = dir_conn_ping(conn, deadline_ms, is_synchronized_out, error);
	if (status != STATUS_OK || !*is_synchronized_out)
		dir_conn_close(&conn);
	*conn_out = conn;
	return status;
}

/* Open a connection, without the lock meanwhile. The server is used then. NULL: it failed, and that was noted. */
static struct dir_conn *open_locked(struct dir_pool *pool, struct dir_worker *worker, struct dir_server *server,
				    uint64_t connect_ms) REQUIRES(pool->lock);

static struct dir_conn *open_locked(struct dir_pool *pool, struct dir_worker *worker, struct dir_server *server,
				    uint64_t connect_ms)
{
	const uint64_t now_ms = clock_monotonic_ms();
	struct dir_conn *conn = NULL;
	bool is_synchronized = false;
	struct error error = {0};
	enum status status;

	dir_server_use_locked(pool, server);
	dir_server_begin_locked(pool, server, now_ms);
	worker->is_connecting = true;
	mutex_unlock(&pool->lock);
	status = connect_and_ask(pool, server->uri, now_ms + connect_ms, &conn, &is_synchronized, &error);
	mutex_lock(&pool->lock);
	worker->is_connecting = false;
	if (conn != NULL)
		return conn;
	pool->stats.connect_failures++;
	if (status == STATUS_OK)
		note_unsynchronized_locked(pool, server);
	else
		note_failure_locked(pool, server, status, &error);
	dir_server_leave_locked(pool, &server);
	return NULL;
}

static void connect_or_wait_locked(struct dir_pool *pool, struct dir_worker *worker)
{
	uint64_t again_ms = UINT64_MAX;
	struct dir_server *server = dir_server_choose_locked(pool, 0, clock_monotonic_ms(), &again_ms);
	struct dir_conn *conn;

	if (server == NULL) {
		(void)condition_wait_until(&worker->wake, &pool->lock, again_ms);
		return;
	}
	conn = open_locked(pool, worker, server, pool->tuning.connect_ms);
	if (conn != NULL)
		adopt_locked(pool, worker, conn, server);
}

static void adopt_locked(struct dir_pool *pool, struct dir_worker *worker, struct dir_conn *conn,
			 struct dir_server *server)
{
	const uint64_t now_ms = clock_monotonic_ms();
	const bool is_news = !server->is_proven;
	const unsigned failures = dir_server_succeeded_locked(pool, server);

	if (server->id != worker->away_from)
		worker->away_from = 0;
	worker->conn = conn;
	worker->serial = ++pool->last_serial;
	dir_server_leave_locked(pool, &worker->server);
	worker->server = server;
	worker->has_worked = false;
	worker->losses = server->losses;
	worker->last_use_ms = now_ms;
	/* It may have vanished from the list while it was connected to. */
	worker->failback_due_ms = now_ms + (is_vanished(server) ? 0 : pool->tuning.failback_ms);
	worker->renew_due_ms =
	    dir_renewal_due_ms(dir_conn_end_ms(conn), now_ms, pool->tuning.renew_ahead_ms, pool->tuning.renew_again_ms);
	pool->stats.connects++;
	dir_pool_wake_all_locked(pool);
	mutex_unlock(&pool->lock);
	if (failures > 0)
		log_event(pool->log, LOG_EVENT_DIRECTORY_FOUND, "'%s' is back after %u failed attempts", server->uri,
			  failures);
	else if (is_news)
		log_event(pool->log, LOG_EVENT_DIRECTORY_FOUND, "connected to '%s'", server->uri);
	else
		log_debug(pool->log, "one more connection to '%s'", server->uri);
	mutex_lock(&pool->lock);
}

static void tell_backoff(const struct dir_pool *pool, const char *uri, uint64_t backoff_ms)
{
	const bool is_long = backoff_ms >= 1000;

	log_warning(pool->log, "'%s' is not asked again for %llu %s", uri,
		    (unsigned long long)(is_long ? (backoff_ms + 500) / 1000 : backoff_ms), is_long ? "s" : "ms");
}

/* Put the server into back-off, and do not let those wait for whom there is no hope now. */
static void put_away_locked(struct dir_pool *pool, struct dir_server *server, enum status why,
			    const struct error *error, bool is_told) REQUIRES(pool->lock);

static void put_away_locked(struct dir_pool *pool, struct dir_server *server, enum status why,
			    const struct error *error, bool is_told)
{
	const uint64_t now_ms = clock_monotonic_ms();
	const uint64_t backoff_ms = dir_server_failed_locked(pool, server, why, now_ms);
	const bool is_hopeless = dir_pool_is_hopeless_locked(pool, now_ms);
	struct dir_queue given_up = {0};

	if (is_hopeless) {
		dir_queue_move(&pool->decisions, &given_up);
		dir_queue_move(&pool->bulk, &given_up);
	}
	dir_pool_wake_all_locked(pool);
	mutex_unlock(&pool->lock);
	if (backoff_ms > 0 && is_told) {
		log_event_failure(pool->log, LOG_EVENT_DIRECTORY_LOST, "directory server failed", error);
		tell_backoff(pool, server->uri, backoff_ms);
	}
	if (is_hopeless && pool->locator != NULL)
		dir_locator_hurry(pool->locator);
	dir_pool_finish(pool, &given_up, DIR_OUTCOME_UNAVAILABLE);
	mutex_lock(&pool->lock);
}

/* Told once per step of the back-off. */
static void note_failure_locked(struct dir_pool *pool, struct dir_server *server, enum status why,
				const struct error *error)
{
	server->is_unsynchronized = false;
	put_away_locked(pool, server, why, error, true);
}

/*
 * That may last for hours: it is told when it begins. Other connections to that server were made before it was restarted, or lead to
 * another one of the same name: they are asked as well.
 */
static void note_unsynchronized_locked(struct dir_pool *pool, struct dir_server *server)
{
	const bool is_news = !server->is_unsynchronized;
	struct error error;

	(void)error_set(&error, STATUS_UNREACHABLE,
			"'%s' says that it has not replicated since it was started, restored or promoted "
			"(isSynchronized: FALSE)",
			server->uri);
	(void)error_hint(&error, STATUS_UNREACHABLE,
			 "it is used when it has; see its replication (repadmin /showrepl) if that takes long");
	server->is_unsynchronized = true;
	server->losses++;
	put_away_locked(pool, server, STATUS_UNREACHABLE, &error, is_news);
}

static void tell_loss_locked(struct dir_pool *pool, struct dir_server *server, const struct error *error)
    REQUIRES(pool->lock);

static void tell_loss_locked(struct dir_pool *pool, struct dir_server *server, const struct error *error)
{
	const uint64_t now_ms = clock_monotonic_ms();

	if (server->logged_ms != 0 && now_ms < server->logged_ms + TELL_LOSS_EVERY_MS)
		return;
	server->logged_ms = now_ms;
	mutex_unlock(&pool->lock);
	log_failure(pool->log, LOG_LEVEL_WARNING, "connecting anew", error);
	mutex_lock(&pool->lock);
}

static void forget_conn_locked(struct dir_pool *pool, struct dir_worker *worker) REQUIRES(pool->lock);

static void forget_conn_locked(struct dir_pool *pool, struct dir_worker *worker)
{
	struct dir_conn *conn = worker->conn;

	worker->conn = NULL;
	worker->away_from = 0;
	worker->server->losses++;
	mutex_unlock(&pool->lock);
	dir_conn_close(&conn);
	mutex_lock(&pool->lock);
}

/*
 * The connection is of no more use. One that broke after it had worked was perhaps closed for being idle, or
 * the server was restarted: it is made anew at once. One that hung, or never worked, tells of the server.
 * (The worker goes on using the server, in name, until it has another one.)
 */
void dir_worker_drop_locked(struct dir_pool *pool, struct dir_worker *worker, enum status why,
			    const struct error *error)
{
	struct dir_server *server = worker->server;

	forget_conn_locked(pool, worker);
	if (why == STATUS_TIMEOUT || !worker->has_worked)
		note_failure_locked(pool, server, why, error);
	else
		tell_loss_locked(pool, server, error);
}

/* Connect there first, leave afterwards: who fails keeps what it has. */
static void move_locked(struct dir_pool *pool, struct dir_worker *worker, struct dir_server *server,
			uint64_t connect_ms)
{
	struct dir_conn *before = worker->conn;
	struct dir_conn *conn = open_locked(pool, worker, server, connect_ms);

	if (conn == NULL)
		return;
	adopt_locked(pool, worker, conn, server);
	mutex_unlock(&pool->lock);
	dir_conn_close(&before);
	mutex_lock(&pool->lock);
}

/* A server said that it is busy: to another one, if there is any. */
static bool move_away_locked(struct dir_pool *pool, struct dir_worker *worker) REQUIRES(pool->lock);

static bool move_away_locked(struct dir_pool *pool, struct dir_worker *worker)
{
	uint64_t again_ms = 0;
	struct dir_server *server;

	if (worker->away_from == 0)
		return false;
	server = dir_server_choose_locked(pool, worker->away_from, clock_monotonic_ms(), &again_ms);
	if (server == NULL) {
		worker->away_from = 0;
		return false;
	}
	move_locked(pool, worker, server, pool->tuning.connect_ms);
	return true;
}

/* Back to a server that is preferred, or away from one that is listed no more: one worker at a time, so that the others go on. */
static bool fail_back_locked(struct dir_pool *pool, struct dir_worker *worker) REQUIRES(pool->lock);

static bool fail_back_locked(struct dir_pool *pool, struct dir_worker *worker)
{
	const uint64_t now_ms = clock_monotonic_ms();
	uint64_t again_ms = 0;
	struct dir_server *server;
	size_t i;

	if (worker->server->rank == 0 || now_ms < worker->failback_due_ms || pool->is_failing_back)
		return false;
	/* From one that has vanished another attempt soon: who failed is in back-off then, and the next has its turn. */
	worker->failback_due_ms =
	    now_ms + (is_vanished(worker->server) ? pool->tuning.backoff_first_ms : pool->tuning.failback_ms);
	server = dir_server_choose_locked(pool, worker->server->id, now_ms, &again_ms);
	if (server == NULL || server->rank >= worker->server->rank)
		return false;
	pool->is_failing_back = true;
	move_locked(pool, worker, server, pool->tuning.failback_connect_ms);
	pool->is_failing_back = false;
	/* What one found good is good for the others. (Only compared: it may be gone when the move failed.) */
	for (i = 0; i < pool->worker_count && worker->server == server; i++)
		pool->workers[i].failback_due_ms = now_ms;
	dir_pool_wake_all_locked(pool);
	return true;
}

/* Before the ticket ends: a new connection to the same server, with a new ticket, then leave the old one. */
static bool renew_locked(struct dir_pool *pool, struct dir_worker *worker) REQUIRES(pool->lock);

static bool renew_locked(struct dir_pool *pool, struct dir_worker *worker)
{
	const struct dir_server *server = worker->server;
	const uint64_t now_ms = clock_monotonic_ms();
	const uint64_t serial = worker->serial;

	if (now_ms < worker->renew_due_ms || pool->is_renewing)
		return false;
	/* A key that was refused is tried no faster here than elsewhere: that could lock the account. */
	if (server->backoff_until_ms > now_ms) {
		worker->renew_due_ms = server->backoff_until_ms;
		return false;
	}
	pool->is_renewing = true;
	move_locked(pool, worker, worker->server, pool->tuning.connect_ms);
	pool->is_renewing = false;
	if (worker->serial == serial)
		worker->renew_due_ms = clock_monotonic_ms() + pool->tuning.renew_again_ms;
	/* The next one may have waited for this. */
	dir_pool_wake_all_locked(pool);
	return true;
}

/*
 * Another connection to this server was lost since this one was good: a server that dies takes all of them along.
 * Asked first, it cannot cost a request its second try.
 */
static bool is_doubtful_locked(const struct dir_pool *pool, const struct dir_worker *worker) REQUIRES(pool->lock);

static bool is_doubtful_locked(const struct dir_pool *pool, const struct dir_worker *worker)
{
	(void)pool;
	return worker->losses != worker->server->losses;
}

static void live_locked(struct dir_pool *pool, struct dir_worker *worker)
{
	struct dir_queue taken = {0};
	bool is_doubtful;

	if (move_away_locked(pool, worker) || renew_locked(pool, worker))
		return;
	/* Under load too, where somebody else answers meanwhile. */
	if (is_vanished(worker->server) && pool->worker_count > 1 && fail_back_locked(pool, worker))
		return;
	is_doubtful = is_doubtful_locked(pool, worker);
	if (!is_doubtful && dir_worker_take_locked(pool, worker, &taken))
		dir_worker_serve_locked(pool, worker, &taken);
	else if (is_doubtful || clock_monotonic_ms() >= worker->last_use_ms + pool->tuning.ping_ms)
		ping_locked(pool, worker);
	else if (!fail_back_locked(pool, worker))
		rest_locked(pool, worker);
}

static void rest_locked(struct dir_pool *pool, struct dir_worker *worker)
{
	uint64_t until_ms = worker->last_use_ms + pool->tuning.ping_ms;

	if (worker->server->rank != 0 && !pool->is_failing_back && worker->failback_due_ms < until_ms)
		until_ms = worker->failback_due_ms;
	if (!pool->is_renewing && worker->renew_due_ms < until_ms)
		until_ms = worker->renew_due_ms;
	worker->is_idle = true;
	(void)condition_wait_until(&worker->wake, &pool->lock, until_ms);
	worker->is_idle = false;
}

static void ping_locked(struct dir_pool *pool, struct dir_worker *worker)
{
	const unsigned losses = worker->server->losses;
	bool is_synchronized = false;
	struct error error = {0};
	enum status status;

	mutex_unlock(&pool->lock);
	status = dir_conn_ping(worker->conn, clock_monotonic_ms() + pool->tuning.connect_ms, &is_synchronized, &error);
	mutex_lock(&pool->lock);
	worker->last_use_ms = clock_monotonic_ms();
	if (status == STATUS_OK && !is_synchronized) {
		forget_conn_locked(pool, worker);
		note_unsynchronized_locked(pool, worker->server);
	} else if (status == STATUS_OK || status == STATUS_NO_MEMORY) {
		/* Without memory the connection is no worse; the next ping may find some. */
		worker->has_worked = worker->has_worked || status == STATUS_OK;
		worker->losses = losses;
	} else {
		dir_worker_drop_locked(pool, worker, status, &error);
	}
}
