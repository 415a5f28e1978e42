/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_pool_private.h>

#include <base/memory.h>
#include <os/clock.h>

/*
 * Take from the front until a window is full. What is late stays for the clock; what this server was too
 * busy for, for others. A second try goes alone: if the request is what breaks connections, it breaks
 * its own.
 */
static void take_from_locked(struct dir_pool *pool, struct dir_worker *worker, struct dir_queue *queue,
			     struct dir_queue *taken) REQUIRES(pool->lock);

static void take_from_locked(struct dir_pool *pool, struct dir_worker *worker, struct dir_queue *queue,
			     struct dir_queue *taken)
{
	const uint64_t now_ms = clock_monotonic_ms();
	const bool has_other = dir_server_has_other_locked(pool, worker->server, now_ms);
	struct dir_request *before = NULL;
	struct dir_request *request;
	struct dir_request *next;
	size_t searches = 0;

	for (request = queue->first; request != NULL && searches < DIR_CONN_WINDOW; request = next) {
		next = request->next;
		if (request->deadline_ms <= now_ms || (has_other && request->avoid == worker->server->id)) {
			before = request;
			continue;
		}
		if (request->retried && taken->count > 0)
			break;
		searches += request->retried ? DIR_CONN_WINDOW : request->search_count;
		dir_queue_unlink(queue, before, request);
		dir_queue_append(taken, request);
	}
}

static bool has_connected_colleague_locked(struct dir_pool *pool, const struct dir_worker *worker) REQUIRES(pool->lock);

static bool has_connected_colleague_locked(struct dir_pool *pool, const struct dir_worker *worker)
{
	size_t i;

	for (i = 0; i < pool->worker_count; i++)
		if (i != worker->number && pool->workers[i].conn != NULL)
			return true;
	return false;
}

bool dir_worker_take_locked(struct dir_pool *pool, struct dir_worker *worker, struct dir_queue *taken)
{
	const bool takes_bulk = worker->number == 0;

	/* Bulk first only where somebody else answers the decisions. */
	if (takes_bulk && has_connected_colleague_locked(pool, worker))
		take_from_locked(pool, worker, &pool->bulk, taken);
	if (taken->count == 0)
		take_from_locked(pool, worker, &pool->decisions, taken);
	if (taken->count == 0 && takes_bulk)
		take_from_locked(pool, worker, &pool->bulk, taken);
	return taken->count > 0;
}

/* The searches of the requests as one turn. False: no memory. */
static bool fill_turn(struct dir_worker *worker, const struct dir_queue *taken, size_t *count_out)
{
	struct dir_request *request;
	size_t count = 0;
	size_t first, i;

	for (request = taken->first; request != NULL; request = request->next)
		count += request->search_count;
	if (!ARRAY_RESERVE(&worker->turns, &worker->turn_capacity, count))
		return false;
	count = 0;
	for (request = taken->first; request != NULL; request = request->next) {
		request->connection = worker->serial;
		/* A rotation: the witness, if there is one, goes first. */
		first = request->witness_is_last ? request->search_count - 1 : 0;
		for (i = 0; i < request->search_count; i++) {
			worker->turns[count].search = &request->searches[(first + i) % request->search_count];
			worker->turns[count].deadline_ms = request->deadline_ms;
			count++;
		}
	}
	*count_out = count;
	return true;
}

static bool has_outcome(const struct dir_request *request, enum dir_outcome outcome)
{
	size_t i;

	for (i = 0; i < request->search_count; i++)
		if (request->searches[i].outcome == outcome)
			return true;
	return false;
}

/* Forget the answers; all of them, so that one server gives the whole answer. */
static void restart(struct dir_queue *requests)
{
	struct dir_request *request;
	struct dir_search *search;
	size_t i;

	for (request = requests->first; request != NULL; request = request->next) {
		for (i = 0; i < request->search_count; i++) {
			search = &request->searches[i];
			dir_search_reset(search);
			if (search->on_restart != NULL)
				search->on_restart(search->on_entry_context);
		}
	}
}

/* Split what was taken into what is finished and what deserves another try. */
static void sort_locked(struct dir_pool *pool, struct dir_worker *worker, struct dir_queue *taken,
			struct dir_queue *finished, struct dir_queue *again) REQUIRES(pool->lock);

static void sort_locked(struct dir_pool *pool, struct dir_worker *worker, struct dir_queue *taken,
			struct dir_queue *finished, struct dir_queue *again)
{
	const uint64_t now_ms = clock_monotonic_ms();
	const bool has_other = dir_server_has_other_locked(pool, worker->server, now_ms);
	struct dir_request *request;
	bool is_lost;
	bool is_busy;

	while ((request = dir_queue_pop(taken)) != NULL) {
		is_lost = has_outcome(request, DIR_OUTCOME_BAD_CONNECTION);
		is_busy = !is_lost && has_other && has_outcome(request, DIR_OUTCOME_BUSY);
		if (has_outcome(request, DIR_OUTCOME_TIMEOUT))
			pool->stats.timeouts++;
		if (request->retried || pool->is_closing || request->deadline_ms <= now_ms || (!is_lost && !is_busy)) {
			dir_queue_append(finished, request);
			continue;
		}
		request->retried = true;
		if (is_busy) {
			request->avoid = worker->server->id;
			worker->away_from = worker->server->id;
		}
		dir_queue_append(again, request);
	}
}

/* Back to the front of their queues, in their order; or not, if the end came meanwhile. */
static void requeue_locked(struct dir_pool *pool, struct dir_queue *again) REQUIRES(pool->lock);

static void requeue_locked(struct dir_pool *pool, struct dir_queue *again)
{
	struct dir_queue reversed = {0};
	struct dir_request *request;

	if (pool->is_closing || dir_pool_is_hopeless_locked(pool, clock_monotonic_ms()))
		return;
	while ((request = dir_queue_pop(again)) != NULL)
		dir_queue_prepend(&reversed, request);
	while ((request = dir_queue_pop(&reversed)) != NULL) {
		pool->stats.failovers++;
		dir_pool_watch_deadline_locked(pool, request->deadline_ms);
		dir_queue_prepend(request->priority == DIR_PRIORITY_BULK ? &pool->bulk : &pool->decisions, request);
	}
	dir_pool_wake_all_locked(pool);
}

static void settle_locked(struct dir_pool *pool, struct dir_worker *worker, struct dir_queue *taken)
    REQUIRES(pool->lock);

static void settle_locked(struct dir_pool *pool, struct dir_worker *worker, struct dir_queue *taken)
{
	struct dir_queue finished = {0};
	struct dir_queue again = {0};

	sort_locked(pool, worker, taken, &finished, &again);
	mutex_unlock(&pool->lock);
	restart(&again);
	dir_pool_finish(pool, &finished, DIR_OUTCOME_BAD_CONNECTION);
	mutex_lock(&pool->lock);
	if (again.count == 0)
		return;
	requeue_locked(pool, &again);
	/* What could not go back waits for nobody. */
	mutex_unlock(&pool->lock);
	dir_pool_finish(pool, &again, DIR_OUTCOME_UNAVAILABLE);
	mutex_lock(&pool->lock);
}

void dir_worker_serve_locked(struct dir_pool *pool, struct dir_worker *worker, struct dir_queue *taken)
{
	struct error error = {0};
	enum status status = STATUS_OK;
	size_t count = 0;
	uint64_t received;

	mutex_unlock(&pool->lock);
	if (!fill_turn(worker, taken, &count)) {
		dir_pool_finish(pool, taken, DIR_OUTCOME_NO_MEMORY);
		mutex_lock(&pool->lock);
		return;
	}
	received = dir_conn_received(worker->conn);
	status = dir_conn_exchange(worker->conn, worker->turns, count, &error);
	received = dir_conn_received(worker->conn) - received;
	mutex_lock(&pool->lock);
	pool->stats.received += received;
	pool->stats.turns++;
	pool->stats.searches += count;
	worker->last_use_ms = clock_monotonic_ms();
	if (status == STATUS_OK)
		worker->has_worked = true;
	else
		dir_worker_drop_locked(pool, worker, status, &error);
	settle_locked(pool, worker, taken);
}
