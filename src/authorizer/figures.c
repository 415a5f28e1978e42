/* SPDX-License-Identifier: Apache-2.0 */
/* What the engine counts: authorizations that are not written down one by one, and what it can say about itself. */
#include <authorizer/engine_private.h>
#include <os/clock.h>

void engine_count_repeat(struct wa_engine *engine, unsigned stripe)
{
	atomic_fetch_add_explicit(&engine->repeats[stripe].count, 1, memory_order_relaxed);
}

static uint64_t count_repeats(struct wa_engine *engine)
{
	uint64_t count = 0;

	for (size_t i = 0; i < GATE_STRIPES; i++)
		count += atomic_load_explicit(&engine->repeats[i].count, memory_order_relaxed);
	return count;
}

void engine_tell_repeats(struct wa_engine *engine, bool now)
{
	const uint64_t now_ms = clock_monotonic_ms();
	const uint64_t count = count_repeats(engine);
	struct audit *audit = engine_regime(engine)->audit;

	if (!now && now_ms < engine->repeats_told_ms + ENGINE_REPEATS_MS)
		return;
	if (count > engine->repeats_told && audit != NULL)
		audit_write_repeats(audit, count - engine->repeats_told);
	engine->repeats_told = count;
	engine->repeats_told_ms = now_ms;
}

/* Figures */

static void set(_Atomic uint64_t *figure, uint64_t value)
{
	atomic_store_explicit(figure, value, memory_order_relaxed);
}

static uint64_t get(const _Atomic uint64_t *figure)
{
	return atomic_load_explicit(figure, memory_order_relaxed);
}

void engine_show_figures(struct wa_engine *engine, const struct regime *regime)
{
	struct membership_figures membership;

	membership_figures(regime->membership, &membership);
	set(&engine->figures.closure_load_us, membership.load_us);
	set(&engine->figures.closure_groups, membership.groups);
	set(&engine->figures.memberships, membership.memberships);
	atomic_store_explicit(&engine->figures.watched, membership.watched, memory_order_relaxed);
	if (regime->cache == NULL)
		return;
	set(&engine->figures.cached_users, cache_count(regime->cache));
	set(&engine->figures.cached_bytes, cache_bytes(regime->cache));
}

void wa_engine_stats(struct wa_engine *engine, struct wa_stats *stats_out)
{
	const unsigned ticket = gate_enter(&engine->gate);
	struct regime *regime = atomic_load(&engine->regime);
	struct dir_pool_stats pool;

	dir_pool_stats(regime->pool, &pool);
	gate_leave(&engine->gate, ticket);
	*stats_out = (struct wa_stats){
	    .decisions = get(&engine->figures.decisions) + count_repeats(engine),
	    .cached = count_repeats(engine),
	    .searches = pool.searches,
	    .round_trips = pool.requests,
	    .bytes_in = pool.received,
	    .closure_load_us = get(&engine->figures.closure_load_us),
	    .closure_groups = get(&engine->figures.closure_groups),
	    .memberships = get(&engine->figures.memberships),
	    .cached_users = get(&engine->figures.cached_users),
	    .cached_bytes = get(&engine->figures.cached_bytes),
	    .watched = atomic_load_explicit(&engine->figures.watched, memory_order_relaxed),
	};
}
