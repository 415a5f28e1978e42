/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_pool_private.h>

void dir_queue_append(struct dir_queue *queue, struct dir_request *request)
{
	request->next = NULL;
	if (queue->last != NULL)
		queue->last->next = request;
	else
		queue->first = request;
	queue->last = request;
	queue->count++;
}

void dir_queue_prepend(struct dir_queue *queue, struct dir_request *request)
{
	request->next = queue->first;
	queue->first = request;
	if (queue->last == NULL)
		queue->last = request;
	queue->count++;
}

void dir_queue_unlink(struct dir_queue *queue, struct dir_request *before, struct dir_request *request)
{
	if (before != NULL)
		before->next = request->next;
	else
		queue->first = request->next;
	if (queue->last == request)
		queue->last = before;
	queue->count--;
	request->next = NULL;
}

struct dir_request *dir_queue_pop(struct dir_queue *queue)
{
	struct dir_request *request = queue->first;

	if (request != NULL)
		dir_queue_unlink(queue, NULL, request);
	return request;
}

uint64_t dir_queue_expire(struct dir_queue *queue, uint64_t now_ms, struct dir_queue *late)
{
	struct dir_request *before = NULL;
	struct dir_request *request;
	struct dir_request *next;
	uint64_t nearest_ms = UINT64_MAX;

	for (request = queue->first; request != NULL; request = next) {
		next = request->next;
		if (request->deadline_ms <= now_ms) {
			dir_queue_unlink(queue, before, request);
			dir_queue_append(late, request);
			continue;
		}
		if (request->deadline_ms < nearest_ms)
			nearest_ms = request->deadline_ms;
		before = request;
	}
	return nearest_ms;
}

void dir_queue_move(struct dir_queue *queue, struct dir_queue *to)
{
	struct dir_request *request;

	while ((request = dir_queue_pop(queue)) != NULL)
		dir_queue_append(to, request);
}

/* A task: on the executor. */
static void run_done(void *context)
{
	struct dir_request *request = context;

	request->done(request);
}

/* Why nobody could be asked, where that is known; NULL: the log says it. */
static const char *explain(struct dir_pool *pool, const struct dir_queue *requests, enum dir_outcome outcome)
{
	const char *text = NULL;
	size_t i;

	if (requests->first == NULL || outcome != DIR_OUTCOME_UNAVAILABLE)
		return NULL;
	mutex_lock(&pool->lock);
	for (i = 0; i < pool->server_count && !pool->is_closing; i++)
		if (pool->servers[i]->is_unsynchronized)
			text = "no domain controller that answers has replicated since it was started (isSynchronized: "
			       "FALSE)";
	mutex_unlock(&pool->lock);
	return text;
}

static void give_outcome(struct dir_search *search, enum dir_outcome outcome, const char *text)
{
	if (search->outcome != DIR_OUTCOME_NONE)
		return;
	search->outcome = outcome;
	search->server_text = text;
}

void dir_pool_finish(struct dir_pool *pool, struct dir_queue *requests, enum dir_outcome outcome)
{
	const char *text = explain(pool, requests, outcome);
	struct dir_request *request;
	size_t i;

	while ((request = dir_queue_pop(requests)) != NULL) {
		for (i = 0; i < request->search_count; i++)
			give_outcome(&request->searches[i], outcome, text);
		request->task = (struct task){.run = run_done, .context = request};
		/* From here on the request is its owner's again. */
		executor_post(pool->executor, &request->task);
	}
}

void dir_pool_watch_deadline_locked(struct dir_pool *pool, uint64_t deadline_ms)
{
	if (deadline_ms >= pool->next_expiry_ms)
		return;
	pool->next_expiry_ms = deadline_ms;
	condition_signal(&pool->alarm);
}

void dir_pool_wake_one_locked(struct dir_pool *pool, enum dir_priority priority)
{
	/* From behind, so that the first one stays free for bulk; which only the first one takes. */
	size_t i = priority == DIR_PRIORITY_BULK ? 1 : pool->worker_count;

	while (i-- > 0) {
		if (!pool->workers[i].is_idle)
			continue;
		pool->workers[i].is_idle = false;
		condition_signal(&pool->workers[i].wake);
		return;
	}
}

void dir_pool_wake_all_locked(struct dir_pool *pool)
{
	size_t i;

	for (i = 0; i < pool->worker_count; i++)
		condition_signal(&pool->workers[i].wake);
}

bool dir_pool_is_hopeless_locked(struct dir_pool *pool, uint64_t now_ms)
{
	size_t i;

	for (i = 0; i < pool->worker_count; i++)
		if (pool->workers[i].conn != NULL || pool->workers[i].is_connecting)
			return false;
	for (i = 0; i < pool->server_count; i++)
		if (pool->servers[i]->backoff_until_ms <= now_ms)
			return false;
	return !pool->is_locating;
}
