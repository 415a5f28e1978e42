/* SPDX-License-Identifier: Apache-2.0 */
#include <support/dir_pool_fake.h>

#include <os/clock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support/executor_manual.h>
#include <support/fake_text.h>

struct dir_pool {
	const struct config_directory *config;
	struct executor *executor;
	struct flight *flights;
	bool stopped;
};

/* A request under way. */
struct flight {
	struct dir_pool *pool;
	struct dir_request *request;
	struct task arrival;
	struct timer timer;
	uint64_t answer_ms; /* when the answer is back */
	bool arrived;       /* at the server; until then `arrival` is posted */
	bool broken;        /* the connection breaks instead of ending the answer */
	struct fake_fault *faults;
	struct flight *next;
};

/* The pool has no place in its interface for what it talks to, so a test names it here. */
static struct {
	struct fake_directory *directory;
	uint64_t latency_ms;
	void (*seen)(void *context, const struct dir_search *search);
	void *context;
	uint64_t requests, searches;
	size_t in_flight;
} fake;

void dir_pool_fake_use(struct fake_directory *directory, uint64_t latency_ms)
{
	memset(&fake, 0, sizeof(fake));
	fake.directory = directory;
	fake.latency_ms = latency_ms;
}

void dir_pool_fake_set_latency(uint64_t latency_ms)
{
	fake.latency_ms = latency_ms;
}

void dir_pool_fake_observe(void (*seen)(void *context, const struct dir_search *search), void *context)
{
	fake.seen = seen;
	fake.context = context;
}

uint64_t dir_pool_fake_requests(void)
{
	return fake.requests;
}

uint64_t dir_pool_fake_searches(void)
{
	return fake.searches;
}

size_t dir_pool_fake_in_flight(void)
{
	return fake.in_flight;
}

static void forget(struct flight *flight)
{
	struct flight **link = &flight->pool->flights;

	while (*link != flight)
		link = &(*link)->next;
	*link = flight->next;
	free(flight->faults);
	free(flight);
	fake.in_flight--;
}

static void land(struct flight *flight)
{
	struct dir_request *request = flight->request;

	forget(flight);
	request->done(request);
}

static void set_outcome(struct dir_search *search, enum dir_outcome outcome)
{
	dir_search_reset(search);
	search->outcome = outcome;
}

static void land_with(struct flight *flight, enum dir_outcome outcome)
{
	for (size_t i = 0; i < flight->request->search_count; i++) {
		if (flight->request->searches[i].outcome == DIR_OUTCOME_NONE)
			set_outcome(&flight->request->searches[i], outcome);
	}
	land(flight);
}

/* Run `step` at a time, or, when there is no memory for a timer, give the request up with just that. */
static void wait_until(struct flight *flight, uint64_t due_ms, void (*step)(void *context))
{
	flight->timer.run = step;
	flight->timer.context = flight;
	if (executor_timer_set(flight->pool->executor, &flight->timer, due_ms) != STATUS_OK)
		land_with(flight, DIR_OUTCOME_NO_MEMORY);
}

/* Entries go one by one to those who asked for that; returns false when the asker wants no more. */
static bool hand_over(struct dir_search *search)
{
	struct dir_entry *entry = search->entries;
	enum status status = STATUS_OK;

	if (search->on_entry == NULL)
		return true;
	search->entries = NULL;
	while (entry != NULL && status == STATUS_OK) {
		struct dir_entry *next = entry->next;

		entry->next = NULL;
		status = search->on_entry(search->on_entry_context, entry);
		entry = next;
	}
	if (status != STATUS_OK)
		search->outcome = status == STATUS_LIMIT ? DIR_OUTCOME_LIMIT : DIR_OUTCOME_NO_MEMORY;
	return status == STATUS_OK;
}

static void arrive(void *context);

static void break_connection(struct flight *flight)
{
	struct dir_request *request = flight->request;

	for (size_t i = 0; i < request->search_count; i++) {
		(void)hand_over(&request->searches[i]);
		set_outcome(&request->searches[i], DIR_OUTCOME_NONE);
	}
	if (request->retried) {
		land_with(flight, DIR_OUTCOME_BAD_CONNECTION);
		return;
	}
	request->retried = true;
	for (size_t i = 0; i < request->search_count; i++) {
		if (request->searches[i].on_restart != NULL)
			request->searches[i].on_restart(request->searches[i].on_entry_context);
	}
	flight->arrived = false;
	executor_post(flight->pool->executor, &flight->arrival);
}

static void time_out(void *context)
{
	land_with(context, DIR_OUTCOME_TIMEOUT);
}

static void deliver(void *context)
{
	struct flight *flight = context;
	struct dir_request *request = flight->request;
	bool hanging = false;

	if (flight->broken) {
		break_connection(flight);
		return;
	}
	for (size_t i = 0; i < request->search_count; i++) {
		if (request->searches[i].outcome == DIR_OUTCOME_NONE)
			hanging = true;
		else
			(void)hand_over(&request->searches[i]);
	}
	if (hanging)
		wait_until(flight, request->deadline_ms, time_out);
	else
		land(flight);
}

static void answer(struct dir_search *search, const struct fake_fault *fault)
{
	struct fake_fault cut = {.kind = FAKE_FAULT_CUT, .entries = fault->entries};

	if (fault->kind == FAKE_FAULT_HANG)
		return;
	fake_directory_answer(fake.directory, fault->kind == FAKE_FAULT_DROP ? &cut : fault, search);
}

static void read_data(void *context)
{
	struct flight *flight = context;

	for (size_t i = 0; i < flight->request->search_count; i++)
		answer(&flight->request->searches[i], &flight->faults[i]);
	wait_until(flight, flight->answer_ms, deliver);
}

/* The request reaches the server: what will go wrong is settled now. */
static void arrive(void *context)
{
	struct flight *flight = context;
	struct dir_request *request = flight->request;
	uint64_t now_ms = clock_monotonic_ms();
	bool down = false;

	flight->arrived = true;
	flight->broken = false;
	if (flight->pool->stopped) {
		land_with(flight, DIR_OUTCOME_UNAVAILABLE);
		return;
	}
	for (size_t i = 0; i < request->search_count; i++) {
		if (fake.seen != NULL)
			fake.seen(fake.context, &request->searches[i]);
		fake.searches++;
		flight->faults[i] = fake_directory_strike(fake.directory, &request->searches[i]);
		down = down || flight->faults[i].kind == FAKE_FAULT_DOWN;
		flight->broken = flight->broken || flight->faults[i].kind == FAKE_FAULT_DROP;
	}
	flight->answer_ms = now_ms + fake.latency_ms;
	if (down)
		land_with(flight, DIR_OUTCOME_UNAVAILABLE);
	else if (request->deadline_ms <= now_ms)
		land_with(flight, DIR_OUTCOME_TIMEOUT);
	else if (flight->answer_ms > request->deadline_ms)
		wait_until(flight, request->deadline_ms, time_out);
	else
		wait_until(flight, now_ms + fake.latency_ms / 2, read_data);
}

enum status dir_pool_open(const struct config_directory *directory, struct executor *executor, const struct log *log,
			  struct dir_pool **pool_out, struct error *error)
{
	struct dir_pool *pool = fake_new(1, sizeof(*pool));

	(void)log;
	(void)error;
	pool->config = directory;
	pool->executor = executor;
	*pool_out = pool;
	return STATUS_OK;
}

static void run_done(void *context)
{
	struct dir_request *request = context;

	request->done(request);
}

static void refuse(struct dir_pool *pool, struct dir_request *request)
{
	for (size_t i = 0; i < request->search_count; i++)
		set_outcome(&request->searches[i], DIR_OUTCOME_UNAVAILABLE);
	request->task.run = run_done;
	request->task.context = request;
	executor_post(pool->executor, &request->task);
}

/* A task that was posted cannot be taken back, so a flight that has not arrived yet is refused when it does. */
static void stop_flight(struct flight *flight)
{
	struct dir_request *request = flight->request;

	if (!flight->arrived)
		return;
	executor_timer_clear(flight->pool->executor, &flight->timer);
	refuse(flight->pool, request);
	forget(flight);
}

static void stop_all(void *context)
{
	struct dir_pool *pool = context;
	struct flight *next;

	for (struct flight *flight = pool->flights; flight != NULL; flight = next) {
		next = flight->next;
		stop_flight(flight);
	}
}

void dir_pool_stop(struct dir_pool *pool)
{
	if (pool->stopped)
		return;
	pool->stopped = true;
	/* Timers belong to the executor's thread, which a test has only in this way. */
	executor_manual_call(pool->executor, stop_all, pool);
}

void dir_pool_close(struct dir_pool **pool)
{
	if (pool == NULL || *pool == NULL)
		return;
	dir_pool_stop(*pool);
	free(*pool);
	*pool = NULL;
}

void dir_pool_submit(struct dir_pool *pool, struct dir_request *request)
{
	struct flight *flight;

	if (pool->stopped) {
		refuse(pool, request);
		return;
	}
	flight = fake_new(1, sizeof(*flight));
	flight->pool = pool;
	flight->request = request;
	flight->faults = fake_new(request->search_count, sizeof(*flight->faults));
	flight->arrival.run = arrive;
	flight->arrival.context = flight;
	flight->next = pool->flights;
	pool->flights = flight;
	request->retried = false;
	request->connection = 1;
	fake.requests++;
	fake.in_flight++;
	executor_post(pool->executor, &flight->arrival);
}

struct dir_locator *dir_pool_locator(struct dir_pool *pool)
{
	(void)pool;
	return NULL;
}

bool dir_pool_server_of(struct dir_pool *pool, uint64_t connection, char uri_out[DIR_POOL_SHOWN_BYTES])
{
	(void)snprintf(uri_out, DIR_POOL_SHOWN_BYTES, "%s", pool->config->uris[0]);
	return connection == 1;
}

void dir_pool_stats(struct dir_pool *pool, struct dir_pool_stats *stats_out)
{
	memset(stats_out, 0, sizeof(*stats_out));
	stats_out->requests = fake.requests;
	stats_out->searches = fake.searches;
	stats_out->turns = fake.requests;
	stats_out->connects = 1;
	stats_out->connected = 1;
	(void)snprintf(stats_out->server_uri, sizeof(stats_out->server_uri), "%s", pool->config->uris[0]);
}
