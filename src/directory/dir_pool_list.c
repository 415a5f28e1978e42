/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_pool_private.h>

#include <base/ascii.h>
#include <base/memory.h>
#include <os/clock.h>

static void free_server(struct dir_server *server)
{
	memory_free(server->uri);
	memory_free(server);
}

void dir_server_use_locked(struct dir_pool *pool, struct dir_server *server)
{
	(void)pool;
	server->users++;
}

void dir_server_leave_locked(struct dir_pool *pool, struct dir_server **reference)
{
	struct dir_server *server = *reference;

	(void)pool;
	*reference = NULL;
	if (server != NULL && --server->users == 0 && server->rank == DIR_SERVER_VANISHED)
		free_server(server);
}

static struct dir_server *new_server_locked(struct dir_pool *pool, const char *uri) REQUIRES(pool->lock);

static struct dir_server *new_server_locked(struct dir_pool *pool, const char *uri)
{
	struct dir_server *server = memory_new(sizeof(*server));

	if (server == NULL)
		return NULL;
	server->uri = memory_copy_text(uri);
	if (server->uri == NULL) {
		memory_free(server);
		return NULL;
	}
	server->id = ++pool->last_server_id;
	server->rank = DIR_SERVER_VANISHED; /* not listed yet */
	return server;
}

static struct dir_server *find_locked(const struct dir_pool *pool, const char *uri) REQUIRES(pool->lock);

static struct dir_server *find_locked(const struct dir_pool *pool, const char *uri)
{
	for (size_t i = 0; i < pool->server_count; i++)
		if (ascii_equal_nocase(pool->servers[i]->uri, uri))
			return pool->servers[i];
	return NULL;
}

/* The servers of the list, those that are known already among them. False: no memory, and nothing has changed. */
static bool collect_locked(struct dir_pool *pool, const struct dir_servers *list, struct dir_server **servers)
    REQUIRES(pool->lock);

static bool collect_locked(struct dir_pool *pool, const struct dir_servers *list, struct dir_server **servers)
{
	for (size_t i = 0; i < dir_servers_count(list); i++) {
		servers[i] = find_locked(pool, dir_servers_uri(list, i));
		if (servers[i] == NULL)
			servers[i] = new_server_locked(pool, dir_servers_uri(list, i));
		if (servers[i] != NULL)
			continue;
		while (i-- > 0)
			if (servers[i]->rank == DIR_SERVER_VANISHED)
				free_server(servers[i]);
		return false;
	}
	return true;
}

static void replace_locked(struct dir_pool *pool, struct dir_server **servers, size_t count) REQUIRES(pool->lock);

static void replace_locked(struct dir_pool *pool, struct dir_server **servers, size_t count)
{
	size_t i;

	for (i = 0; i < pool->server_count; i++)
		pool->servers[i]->rank = DIR_SERVER_VANISHED;
	for (i = 0; i < count && servers[i] != NULL; i++)
		servers[i]->rank = i;
	for (i = 0; i < pool->server_count; i++)
		if (pool->servers[i]->rank == DIR_SERVER_VANISHED && pool->servers[i]->users == 0)
			free_server(pool->servers[i]);
	for (i = 0; i < count; i++)
		pool->servers[i] = servers[i];
	pool->server_count = count;
}

enum status dir_pool_take_list_locked(struct dir_pool *pool, struct dir_servers *list)
{
	struct dir_server *servers[DIR_SERVERS_MAX] = {NULL};
	const uint64_t now_ms = clock_monotonic_ms();
	size_t i;

	if (!collect_locked(pool, list, servers)) {
		dir_servers_unref(&list);
		return STATUS_NO_MEMORY;
	}
	replace_locked(pool, servers, dir_servers_count(list));
	dir_servers_unref(&pool->list);
	pool->list = list;
	pool->is_locating = false;
	for (i = 0; i < pool->worker_count; i++)
		pool->workers[i].failback_due_ms = now_ms;
	dir_pool_wake_all_locked(pool);
	return STATUS_OK;
}

/* There are no servers, and who waits would wait for nothing. */
static void give_up_locked(struct dir_pool *pool, struct dir_queue *given_up) REQUIRES(pool->lock);

static void give_up_locked(struct dir_pool *pool, struct dir_queue *given_up)
{
	pool->is_locating = false;
	if (!dir_pool_is_hopeless_locked(pool, clock_monotonic_ms()))
		return;
	dir_queue_move(&pool->decisions, given_up);
	dir_queue_move(&pool->bulk, given_up);
}

void dir_pool_has_located(void *context)
{
	struct dir_pool *pool = context;
	struct dir_queue given_up = {0};
	struct dir_servers *list;
	bool has_failed = false;

	/* Under the lock, so that of two that come at once the later list stays. */
	mutex_lock(&pool->lock);
	list = dir_locator_servers(pool->locator, &has_failed);
	if (list == pool->list)
		dir_servers_unref(&list);
	if (list != NULL && dir_pool_take_list_locked(pool, list) != STATUS_OK)
		has_failed = true; /* after the next pass it is told again */
	if (has_failed)
		give_up_locked(pool, &given_up);
	mutex_unlock(&pool->lock);
	dir_pool_finish(pool, &given_up, DIR_OUTCOME_UNAVAILABLE);
}

/* All threads have ended, and left what they used. */
void dir_pool_free_list(struct dir_pool *pool)
{
	for (size_t i = 0; i < pool->server_count; i++)
		free_server(pool->servers[i]);
	dir_servers_unref(&pool->list);
}
