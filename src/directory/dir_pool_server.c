/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_pool_private.h>

#include <os/random.h>

static bool is_in_backoff(const struct dir_server *server, uint64_t now_ms)
{
	return server->backoff_until_ms > now_ms;
}

struct dir_server *dir_server_choose_locked(struct dir_pool *pool, uint64_t avoid, uint64_t now_ms, uint64_t *again_out)
{
	struct dir_server *server;
	uint64_t again_ms = UINT64_MAX;
	uint64_t hedge_end_ms;
	size_t i;

	for (i = 0; i < pool->server_count; i++) {
		server = pool->servers[i];
		if (server->id == avoid)
			continue;
		if (is_in_backoff(server, now_ms)) {
			if (server->backoff_until_ms < again_ms)
				again_ms = server->backoff_until_ms;
			continue;
		}
		if (server->is_proven || !server->has_prober) {
			*again_out = UINT64_MAX;
			return server;
		}
		/* Somebody is finding out. Its end wakes us; if that takes long, look at the next. */
		hedge_end_ms = server->probed_since_ms + pool->tuning.hedge_ms;
		if (now_ms < hedge_end_ms) {
			*again_out = hedge_end_ms < again_ms ? hedge_end_ms : again_ms;
			return NULL;
		}
	}
	*again_out = again_ms;
	return NULL;
}

bool dir_server_has_other_locked(struct dir_pool *pool, const struct dir_server *server, uint64_t now_ms)
{
	size_t i;

	for (i = 0; i < pool->server_count; i++)
		if (pool->servers[i] != server && !is_in_backoff(pool->servers[i], now_ms))
			return true;
	return false;
}

void dir_server_begin_locked(struct dir_pool *pool, struct dir_server *server, uint64_t now_ms)
{
	(void)pool;
	if (server->is_proven)
		return;
	server->has_prober = true;
	server->probed_since_ms = now_ms;
}

unsigned dir_server_succeeded_locked(struct dir_pool *pool, struct dir_server *server)
{
	const unsigned failures = server->failures;

	(void)pool;
	server->is_proven = true;
	server->has_prober = false;
	server->failures = 0;
	server->is_unsynchronized = false;
	server->backoff_until_ms = 0;
	return failures;
}

static uint64_t step_of(const struct dir_pool_tuning *tuning, unsigned failures)
{
	uint64_t step_ms = tuning->backoff_first_ms;

	for (; failures > 1 && step_ms < tuning->backoff_last_ms; failures--)
		step_ms *= 2;
	return step_ms < tuning->backoff_last_ms ? step_ms : tuning->backoff_last_ms;
}

/* Half of the step at least, so that hosts that lost the same server do not come back together. */
static uint64_t with_jitter(uint64_t step_ms)
{
	return step_ms - random_below((uint32_t)(step_ms / 2) + 1);
}

uint64_t dir_server_failed_locked(struct dir_pool *pool, struct dir_server *server, enum status why, uint64_t now_ms)
{
	uint64_t step_ms;

	server->is_proven = false;
	server->has_prober = false;
	if (is_in_backoff(server, now_ms))
		return 0;
	server->failures++;
	step_ms = step_of(&pool->tuning, server->failures);
	if (why == STATUS_REFUSED && step_ms < pool->tuning.refused_ms)
		step_ms = pool->tuning.refused_ms;
	step_ms = with_jitter(step_ms);
	server->backoff_until_ms = now_ms + step_ms;
	return step_ms > 0 ? step_ms : 1;
}
