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

static void add(_Atomic uint64_t *figure, uint64_t more)
{
	atomic_fetch_add_explicit(figure, more, memory_order_relaxed);
}

void engine_count(_Atomic uint64_t *figure)
{
	add(figure, 1);
}

void engine_count_decision(struct wa_engine *engine, const struct wa_decision *decision)
{
	struct figures *figures = &engine->figures;

	engine_count(&figures->outcomes[decision->verdict][decision->reason]);
	if (decision->cached) {
		engine_count(&figures->cached);
		return;
	}
	if (decision->searches ==
	    0) /* refused before anybody was asked: a name that is none, a policy that cannot be used */
		return;
	engine_count(&figures->cold[measures_bucket(decision->elapsed_us)]);
	add(&figures->cold_us, decision->elapsed_us);
}

void engine_show_figures(struct wa_engine *engine, struct regime *regime)
{
	struct figures *figures = &engine->figures;
	struct membership_figures membership;

	membership_figures(regime->membership, &membership);
	add(&figures->closure_load_failures, membership.load_failures - regime->load_failures);
	regime->load_failures = membership.load_failures;
	if (regime != engine_regime(engine))
		return;
	set(&figures->closure_load_us, membership.load_us);
	set(&figures->closure_groups, membership.groups);
	set(&figures->memberships, membership.memberships);
	set(&figures->closure_bytes, membership.index_bytes);
	set(&figures->watch_lag_us, membership.lag_us);
	set(&figures->missing_changes, membership.missing_changes);
	set(&figures->proven_us, membership.proven_us);
	atomic_store_explicit(&figures->watched, membership.watched, memory_order_relaxed);
	set(&figures->cached_users, regime->cache == NULL ? 0 : cache_count(regime->cache));
	set(&figures->cached_bytes, regime->cache == NULL ? 0 : cache_bytes(regime->cache));
}

static void add_pool(struct dir_pool_stats *sum, const struct dir_pool_stats *more)
{
	sum->requests += more->requests;
	sum->searches += more->searches;
	sum->turns += more->turns;
	sum->connects += more->connects;
	sum->connect_failures += more->connect_failures;
	sum->failovers += more->failovers;
	sum->timeouts += more->timeouts;
	sum->received += more->received;
	sum->connected += more->connected;
}

static void add_regime(struct dir_pool_stats *sum, const struct regime *regime)
{
	struct dir_pool_stats pool;

	if (regime->pool == NULL)
		return;
	dir_pool_stats(regime->pool, &pool);
	add_pool(sum, &pool);
}

void engine_keep_figures_locked(struct wa_engine *engine, const struct regime *regime)
{
	add_regime(&engine->gone, regime);
	engine->gone.connected = 0;
}

/* Of all that were ever in force or are about to be: what is counted does not go back. */
static struct dir_pool_stats pools(struct wa_engine *engine)
{
	struct dir_pool_stats sum;

	mutex_lock(&engine->lock);
	sum = engine->gone;
	for (const struct regime *regime = engine->regimes; regime != NULL; regime = regime->next)
		add_regime(&sum, regime);
	mutex_unlock(&engine->lock);
	return sum;
}

static uint64_t count_decisions(const struct wa_engine *engine)
{
	uint64_t count = 0;

	for (size_t verdict = 0; verdict < MEASURES_VERDICTS; verdict++)
		for (size_t reason = 0; reason < WA_REASON_COUNT; reason++)
			count += get(&engine->figures.outcomes[verdict][reason]);
	return count;
}

void wa_engine_stats(struct wa_engine *engine, struct wa_stats *stats_out)
{
	const struct dir_pool_stats pool = pools(engine);
	const struct figures *figures = &engine->figures;
	const uint64_t repeats = count_repeats(engine);

	*stats_out = (struct wa_stats){
	    .decisions = count_decisions(engine) + repeats,
	    .cached = get(&figures->cached) + repeats,
	    .searches = pool.searches,
	    .round_trips = pool.requests,
	    .bytes_in = pool.received,
	    .closure_load_us = get(&figures->closure_load_us),
	    .closure_groups = get(&figures->closure_groups),
	    .memberships = get(&figures->memberships),
	    .cached_users = get(&figures->cached_users),
	    .cached_bytes = get(&figures->cached_bytes),
	    .watched = atomic_load_explicit(&figures->watched, memory_order_relaxed),
	};
}

/* Metrics */

static void measure_decisions(struct wa_engine *engine, struct measures *measures)
{
	const struct figures *figures = &engine->figures;
	const uint64_t repeats = count_repeats(engine);

	for (size_t verdict = 0; verdict < MEASURES_VERDICTS; verdict++)
		for (size_t reason = 0; reason < WA_REASON_COUNT; reason++)
			measures->outcomes[verdict][reason] = get(&figures->outcomes[verdict][reason]);
	/* All that is repeated is an authorization by membership (instant.c, request.c). */
	measures->outcomes[WA_AUTHORIZE][WA_REASON_MEMBER] += repeats;
	measures->cached = get(&figures->cached) + repeats;
	measures->refused = get(&figures->refused);
	measures->under_way = atomic_load_explicit(&engine->questions, memory_order_relaxed);
	for (size_t i = 0; i <= MEASURES_BOUNDS; i++)
		measures->cold[i] = get(&figures->cold[i]);
	measures->cold_us = get(&figures->cold_us);
}

static void measure_pools(struct wa_engine *engine, struct measures *measures)
{
	const struct dir_pool_stats pool = pools(engine);

	measures->connections = pool.connected;
	measures->requests = pool.requests;
	measures->searches = pool.searches;
	measures->turns = pool.turns;
	measures->connects = pool.connects;
	measures->connect_failures = pool.connect_failures;
	measures->failovers = pool.failovers;
	measures->timeouts = pool.timeouts;
	measures->received_bytes = pool.received;
}

/* A moment of the monotonic clock as wall time; 0 stays 0. */
static uint64_t wall_s(uint64_t monotonic_us, uint64_t now_s)
{
	const uint64_t now_us = clock_monotonic_us();
	const uint64_t age_s = monotonic_us < now_us ? (now_us - monotonic_us) / 1000000 : 0;

	return monotonic_us == 0 || age_s > now_s ? 0 : now_s - age_s;
}

static void measure_groups(const struct wa_engine *engine, struct measures *measures)
{
	const struct figures *figures = &engine->figures;

	measures->cached_users = get(&figures->cached_users);
	measures->cached_bytes = get(&figures->cached_bytes);
	measures->closure_groups = get(&figures->closure_groups);
	measures->closure_memberships = get(&figures->memberships);
	measures->closure_bytes = get(&figures->closure_bytes);
	measures->closure_loads = get(&figures->closure_loads);
	measures->closure_load_failures = get(&figures->closure_load_failures);
	measures->closure_load_us = get(&figures->closure_load_us);
	measures->watch_up = atomic_load_explicit(&figures->watched, memory_order_relaxed) ? 1 : 0;
	measures->watch_lag_us = get(&figures->watch_lag_us);
	measures->watch_missing_changes = get(&figures->missing_changes);
	measures->proven_s = wall_s(get(&figures->proven_us), measures->now_s);
	measures->changes = get(&figures->changes);
	measures->changes_of_everything = get(&figures->changes_of_everything);
}

void engine_measure(struct wa_engine *engine, struct measures *measures_out)
{
	const struct figures *figures = &engine->figures;

	*measures_out = (struct measures){
	    .now_s = (uint64_t)clock_wall_s(),
	    .started_s = (uint64_t)figures->started_s,
	    .policies_taken = get(&figures->policies_taken),
	    .policies_refused = get(&figures->policies_refused),
	    .policy_is_current = atomic_load_explicit(&figures->policy_is_stale, memory_order_relaxed) ? 0 : 1,
	    .audit_lines = get(&engine->audit_counts.lines),
	    .audit_lost = get(&engine->audit_counts.lost),
	};
	measure_decisions(engine, measures_out);
	measure_pools(engine, measures_out);
	measure_groups(engine, measures_out);
}

static void refresh(void *context)
{
	struct wa_engine *engine = context;

	if (!engine->stopping && engine_regime(engine) != NULL)
		engine_show_figures(engine, engine_regime(engine));
}

static void format(void *context, uint64_t failures, uint64_t interval_ms, struct text *out)
{
	struct measures measures;

	engine_measure(context, &measures);
	measures.write_failures = failures;
	measures.interval_s = (interval_ms + 999) / 1000;
	measures_format(&measures, out);
}

struct metrics_source engine_metrics_source(struct wa_engine *engine)
{
	return (struct metrics_source){.refresh = refresh, .format = format, .context = engine};
}
