/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_pool_private.h>

#include <assert.h>
#include <base/memory.h>
#include <os/clock.h>
#include <stdio.h>
#include <string.h>

const struct dir_pool_tuning dir_pool_defaults = {
    .backoff_first_ms = DIR_POOL_BACKOFF_FIRST_MS,
    .backoff_last_ms = DIR_POOL_BACKOFF_LAST_MS,
    .refused_ms = DIR_POOL_BACKOFF_REFUSED_MS,
    .failback_ms = DIR_POOL_FAILBACK_MS,
    .failback_connect_ms = DIR_POOL_FAILBACK_CONNECT_MS,
    .ping_ms = DIR_POOL_PING_MS,
    .connect_ms = DIR_POOL_CONNECT_MS,
    .hedge_ms = DIR_POOL_HEDGE_MS,
    .renew_ahead_ms = DIR_POOL_RENEW_AHEAD_MS,
    .renew_again_ms = DIR_POOL_RENEW_AGAIN_MS,
    .max_waiting = DIR_POOL_MAX_WAITING,
    .locator = DIR_LOCATOR_DEFAULTS,
};

static void fill_worker(struct dir_pool *pool, size_t i)
{
	struct dir_worker *worker = &pool->workers[i];

	worker->pool = pool;
	worker->number = (unsigned)i;
	condition_init(&worker->wake);
}

/* A pool without threads. NULL: no memory. */
static struct dir_pool *new_pool(const struct config_directory *directory)
{
	struct dir_pool *pool = memory_new(sizeof(*pool));
	size_t i;

	if (pool == NULL)
		return NULL;
	pool->workers = memory_new_array(directory->connections, sizeof(*pool->workers));
	if (pool->workers == NULL) {
		memory_free(pool);
		return NULL;
	}
	mutex_init(&pool->lock);
	condition_init(&pool->alarm);
	pool->directory = directory;
	pool->worker_count = directory->connections;
	for (i = 0; i < pool->worker_count; i++)
		fill_worker(pool, i);
	return pool;
}

static void free_pool(struct dir_pool *pool)
{
	size_t i;

	for (i = 0; i < pool->worker_count; i++) {
		condition_done(&pool->workers[i].wake);
		memory_free(pool->workers[i].turns);
	}
	condition_done(&pool->alarm);
	mutex_done(&pool->lock);
	dir_pool_free_list(pool);
	memory_free(pool->workers);
	memory_free(pool);
}

/* Those of the policy are there at once; others come by the locator. */
static enum status open_servers(struct dir_pool *pool, struct error *error)
{
	struct dir_servers *list;
	enum status status;

	pool->listener = (struct dir_locator_listener){.passed = dir_pool_has_located, .context = pool};
	if (dir_locator_is_needed(pool->directory)) {
		pool->is_locating = true;
		status = dir_locator_open(pool->directory, pool->log, &pool->tuning.locator, &pool->locator, error);
		if (status != STATUS_OK)
			return status;
		dir_locator_listen(pool->locator, &pool->listener);
		dir_pool_has_located(pool); /* should it have been that quick */
		return STATUS_OK;
	}
	list = dir_servers_of_policy(pool->directory);
	if (list == NULL)
		return error_no_memory(error);
	mutex_lock(&pool->lock);
	status = dir_pool_take_list_locked(pool, list);
	mutex_unlock(&pool->lock);
	return status == STATUS_OK ? STATUS_OK : error_no_memory(error);
}

/* The clock's thread: finishes what waits too long, whatever the workers are stuck in. */
static void run_clock(void *context)
{
	struct dir_pool *pool = context;
	struct dir_queue late = {0};
	uint64_t decisions_ms;
	uint64_t bulk_ms;

	mutex_lock(&pool->lock);
	while (!pool->is_closing) {
		if (clock_monotonic_ms() < pool->next_expiry_ms) {
			(void)condition_wait_until(&pool->alarm, &pool->lock, pool->next_expiry_ms);
			continue;
		}
		decisions_ms = dir_queue_expire(&pool->decisions, clock_monotonic_ms(), &late);
		bulk_ms = dir_queue_expire(&pool->bulk, clock_monotonic_ms(), &late);
		pool->next_expiry_ms = decisions_ms < bulk_ms ? decisions_ms : bulk_ms;
		pool->stats.timeouts += late.count;
		mutex_unlock(&pool->lock);
		dir_pool_finish(pool, &late, DIR_OUTCOME_TIMEOUT);
		mutex_lock(&pool->lock);
	}
	mutex_unlock(&pool->lock);
}

static enum status start_threads(struct dir_pool *pool, struct error *error)
{
	enum status status = thread_start(&pool->clock, "wa-dir-clock", run_clock, pool, error);
	char name[32];
	size_t i;

	for (i = 0; i < pool->worker_count && status == STATUS_OK; i++) {
		(void)snprintf(name, sizeof(name), "wa-dir-%u", pool->workers[i].number);
		status = thread_start(&pool->workers[i].thread, name, dir_worker_run, &pool->workers[i], error);
	}
	return status;
}

enum status dir_pool_open(const struct config_directory *directory, struct executor *executor, const struct log *log,
			  struct dir_pool **pool_out, struct error *error)
{
	return dir_pool_open_tuned(directory, executor, log, &dir_pool_defaults, pool_out, error);
}

enum status dir_pool_open_tuned(const struct config_directory *directory, struct executor *executor,
				const struct log *log, const struct dir_pool_tuning *tuning, struct dir_pool **pool_out,
				struct error *error)
{
	struct dir_pool *pool;
	enum status status;

	if (directory->uri_count == 0 || directory->connections == 0)
		return error_set(error, STATUS_INVALID, "the directory has no server, or is to have no connection");
	pool = new_pool(directory);
	if (pool == NULL)
		return error_no_memory(error);
	pool->executor = executor;
	pool->log = log;
	pool->tuning = *tuning;
	pool->next_expiry_ms = UINT64_MAX;
	status = open_servers(pool, error);
	if (status == STATUS_OK)
		status = start_threads(pool, error);
	if (status == STATUS_OK)
		*pool_out = pool;
	else
		dir_pool_close(&pool);
	return status;
}

void dir_pool_stop(struct dir_pool *pool)
{
	struct dir_queue left = {0};
	size_t i;

	if (pool->locator != NULL) {
		dir_locator_stop(pool->locator);
		dir_locator_unlisten(pool->locator, &pool->listener);
	}
	mutex_lock(&pool->lock);
	pool->is_closing = true;
	dir_queue_move(&pool->decisions, &left);
	dir_queue_move(&pool->bulk, &left);
	dir_pool_wake_all_locked(pool);
	condition_signal(&pool->alarm);
	mutex_unlock(&pool->lock);
	dir_pool_finish(pool, &left, DIR_OUTCOME_UNAVAILABLE);
	for (i = 0; i < pool->worker_count; i++)
		thread_join(&pool->workers[i].thread);
	thread_join(&pool->clock);
}

void dir_pool_close(struct dir_pool **pool)
{
	struct dir_pool *old = *pool;

	*pool = NULL;
	if (old == NULL)
		return;
	dir_pool_stop(old);
	dir_locator_close(&old->locator);
	free_pool(old);
}

/* Let the request wait. Anything but DIR_OUTCOME_NONE: it must not, and that is its outcome. */
static enum dir_outcome enqueue_locked(struct dir_pool *pool, struct dir_request *request) REQUIRES(pool->lock);

static enum dir_outcome enqueue_locked(struct dir_pool *pool, struct dir_request *request)
{
	pool->stats.requests++;
	if (pool->is_closing || dir_pool_is_hopeless_locked(pool, clock_monotonic_ms()))
		return DIR_OUTCOME_UNAVAILABLE;
	if (pool->decisions.count + pool->bulk.count >= pool->tuning.max_waiting)
		return DIR_OUTCOME_BUSY;
	dir_queue_append(request->priority == DIR_PRIORITY_BULK ? &pool->bulk : &pool->decisions, request);
	dir_pool_watch_deadline_locked(pool, request->deadline_ms);
	dir_pool_wake_one_locked(pool, request->priority);
	return DIR_OUTCOME_NONE;
}

void dir_pool_submit(struct dir_pool *pool, struct dir_request *request)
{
	struct dir_queue refused = {0};
	enum dir_outcome outcome;

	request->connection = 0;
	request->avoid = 0;
	request->retried = false;
	mutex_lock(&pool->lock);
	outcome = enqueue_locked(pool, request);
	mutex_unlock(&pool->lock);
	if (outcome == DIR_OUTCOME_NONE)
		return;
	dir_queue_append(&refused, request);
	dir_pool_finish(pool, &refused, outcome);
}

struct dir_locator *dir_pool_locator(struct dir_pool *pool)
{
	return pool->locator;
}

bool dir_pool_server_of(struct dir_pool *pool, uint64_t connection, char uri_out[DIR_POOL_SHOWN_BYTES])
{
	bool is_there = false;
	size_t i;

	mutex_lock(&pool->lock);
	for (i = 0; i < pool->worker_count && !is_there; i++) {
		const struct dir_worker *worker = &pool->workers[i];

		is_there = worker->conn != NULL && worker->serial == connection &&
			   strlen(worker->server->uri) < DIR_POOL_SHOWN_BYTES;
		if (is_there)
			memcpy(uri_out, worker->server->uri, strlen(worker->server->uri) + 1);
	}
	mutex_unlock(&pool->lock);
	return is_there;
}

void dir_pool_stats(struct dir_pool *pool, struct dir_pool_stats *stats_out)
{
	size_t i;

	mutex_lock(&pool->lock);
	*stats_out = pool->stats;
	stats_out->connected = 0;
	stats_out->server_uri[0] = '\0';
	for (i = 0; i < pool->worker_count; i++) {
		if (pool->workers[i].conn == NULL)
			continue;
		stats_out->connected++;
		if (stats_out->server_uri[0] == '\0')
			(void)snprintf(stats_out->server_uri, sizeof(stats_out->server_uri), "%s",
				       pool->workers[i].server->uri);
	}
	mutex_unlock(&pool->lock);
}
