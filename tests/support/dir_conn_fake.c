/* SPDX-License-Identifier: Apache-2.0 */
#include <support/dir_conn_fake.h>

#include <base/memory.h>
#include <os/clock.h>
#include <os/thread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define SERVERS_MAX 8

struct server {
	char uri[64];
	enum fake_open open;
	enum fake_exchange exchange;
	struct fake_counts counts;
	uint64_t ticket_ms; /* 0: no ticket */
};

struct dir_conn {
	struct server *server;
	bool is_in_use;
	bool was_asked; /* by a ping */
	uint64_t end_ms;
};

/* A lock that needs no setting up, since the fake is there before any test. */
static struct mutex lock = {OS_MUTEX_INITIALIZER}; /* guards everything below */
static struct condition changed;
static bool is_ready;
static unsigned revision; /* of the script */
static uint64_t turn_delay_ms;
static struct server servers[SERVERS_MAX];
static unsigned turn_number;

static void wait_locked(uint64_t until_ms) REQUIRES(&lock)
{
	(void)condition_wait_until(&changed, &lock, until_ms);
}

static void check(bool holds)
{
	if (!holds)
		abort();
}

static struct server *find_locked(const char *uri)
{
	size_t i;

	for (i = 0; i < SERVERS_MAX; i++) {
		if (servers[i].uri[0] == '\0') {
			check(strlen(uri) < sizeof(servers[i].uri));
			memcpy(servers[i].uri, uri, strlen(uri) + 1);
		}
		if (strcmp(servers[i].uri, uri) == 0)
			return &servers[i];
	}
	abort();
}

void dir_conn_fake_reset(void)
{
	mutex_lock(&lock);
	if (!is_ready)
		condition_init(&changed);
	is_ready = true;
	memset(servers, 0, sizeof(servers));
	turn_delay_ms = 0;
	turn_number = 0;
	mutex_unlock(&lock);
}

void dir_conn_fake_script(const char *uri, enum fake_open open, enum fake_exchange exchange)
{
	struct server *server;

	mutex_lock(&lock);
	server = find_locked(uri);
	server->open = open;
	server->exchange = exchange;
	revision++;
	condition_broadcast(&changed);
	mutex_unlock(&lock);
}

void dir_conn_fake_delay(uint64_t delay_ms)
{
	mutex_lock(&lock);
	turn_delay_ms = delay_ms;
	mutex_unlock(&lock);
}

struct fake_counts dir_conn_fake_counts(const char *uri)
{
	struct fake_counts counts;

	mutex_lock(&lock);
	counts = find_locked(uri)->counts;
	mutex_unlock(&lock);
	return counts;
}

void dir_conn_fake_ticket(const char *uri, uint64_t ticket_ms)
{
	mutex_lock(&lock);
	find_locked(uri)->ticket_ms = ticket_ms;
	mutex_unlock(&lock);
}

void dir_conn_prepare_process(void)
{
}

/* Wait for the time, or for another script. */
static void wait_for_script_locked(uint64_t until_ms) REQUIRES(&lock)
{
	const unsigned seen = revision;

	while (revision == seen && clock_monotonic_ms() < until_ms)
		wait_locked(until_ms);
}

static enum status open_locked(const struct server *server, uint64_t deadline_ms, struct error *error) REQUIRES(&lock)
{
	for (;;) {
		switch (server->open) {
		case FAKE_OPEN_WORKS:
		case FAKE_OPEN_UNSYNCHRONIZED:
			return STATUS_OK;
		case FAKE_OPEN_FAILS:
			return error_set(error, STATUS_UNREACHABLE, "nobody listens at '%s'", server->uri);
		case FAKE_OPEN_REFUSES:
			return error_set(error, STATUS_REFUSED, "wrong password at '%s'", server->uri);
		case FAKE_OPEN_HANGS:
			if (clock_monotonic_ms() >= deadline_ms)
				return error_set(error, STATUS_TIMEOUT, "'%s' hangs", server->uri);
			wait_for_script_locked(deadline_ms);
			break;
		case FAKE_OPEN_STUCK:
			wait_for_script_locked(clock_monotonic_ms() + 60000);
			break;
		}
	}
}

enum status dir_conn_open(const struct config_directory *directory, const char *uri, uint64_t deadline_ms,
			  struct dir_conn **conn_out, struct error *error)
{
	struct dir_conn *conn;
	struct server *server;
	enum status status;
	uint64_t ticket_ms;

	(void)directory;
	mutex_lock(&lock);
	server = find_locked(uri);
	server->counts.opens++;
	status = open_locked(server, deadline_ms, error);
	if (status == STATUS_OK)
		server->counts.live++;
	ticket_ms = server->ticket_ms;
	mutex_unlock(&lock);
	if (status != STATUS_OK)
		return status;
	conn = calloc(1, sizeof(*conn));
	check(conn != NULL);
	conn->server = server;
	conn->end_ms = ticket_ms != 0 ? clock_monotonic_ms() + ticket_ms : UINT64_MAX;
	*conn_out = conn;
	return STATUS_OK;
}

void dir_conn_close(struct dir_conn **conn)
{
	struct dir_conn *old = *conn;

	*conn = NULL;
	if (old == NULL)
		return;
	mutex_lock(&lock);
	check(!old->is_in_use && old->server->counts.live > 0);
	old->server->counts.live--;
	mutex_unlock(&lock);
	free(old);
}

/* Give the search its one entry. */
static void answer(struct dir_search *search)
{
	struct dir_entry entry = {.dn = search->base};
	struct dir_entry *kept;

	if (search->on_entry != NULL) {
		if (search->on_entry(search->on_entry_context, &entry) != STATUS_OK)
			search->outcome = DIR_OUTCOME_LIMIT;
		return;
	}
	kept = arena_alloc(search->arena, sizeof(*kept));
	check(kept != NULL);
	*kept = entry;
	search->entries = kept;
	search->entry_count = 1;
}

static enum status answer_all(struct dir_turn *turns, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		check(turns[i].search->outcome == DIR_OUTCOME_NONE && turns[i].search->entries == NULL);
		answer(turns[i].search);
		if (turns[i].search->outcome == DIR_OUTCOME_NONE)
			turns[i].search->outcome = DIR_OUTCOME_OK;
	}
	return STATUS_OK;
}

static enum status break_all(struct dir_turn *turns, size_t count, struct error *error)
{
	size_t i;

	answer(turns[0].search);
	for (i = 0; i < count; i++)
		turns[i].search->outcome = DIR_OUTCOME_BAD_CONNECTION;
	return error_set(error, STATUS_UNREACHABLE, "broken as the script says");
}

static enum status refuse_all(struct dir_turn *turns, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		turns[i].search->outcome = DIR_OUTCOME_BUSY;
		turns[i].search->code = 51;
	}
	return STATUS_OK;
}

static uint64_t last_deadline(const struct dir_turn *turns, size_t count)
{
	uint64_t last_ms = 0;
	size_t i;

	for (i = 0; i < count; i++)
		if (turns[i].deadline_ms > last_ms)
			last_ms = turns[i].deadline_ms;
	return last_ms;
}

static enum status time_out_all(struct dir_turn *turns, size_t count, struct error *error)
{
	size_t i;

	for (i = 0; i < count; i++)
		turns[i].search->outcome = DIR_OUTCOME_TIMEOUT;
	return error_set(error, STATUS_TIMEOUT, "hung as the script says");
}

static bool has_base(const struct dir_turn *turns, size_t count, const char *base)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (strcmp(turns[i].search->base, base) == 0)
			return true;
	return false;
}

/* What the script says about this turn, after any holding and hanging. */
static enum fake_exchange await_script_locked(const struct server *server, const struct dir_turn *turns, size_t count,
					      uint64_t until_ms) REQUIRES(&lock)
{
	enum fake_exchange now;

	wait_for_script_locked(clock_monotonic_ms() + turn_delay_ms);
	for (;;) {
		now = server->exchange;
		if (now == FAKE_HOLDS_BASE)
			now = has_base(turns, count, "hold") ? FAKE_HOLDS : FAKE_ANSWERS;
		if (now != FAKE_HANGS && now != FAKE_HOLDS)
			return now;
		if (clock_monotonic_ms() >= until_ms)
			return FAKE_HANGS;
		wait_for_script_locked(until_ms);
	}
}

static enum status act(enum fake_exchange script, unsigned number, struct dir_turn *turns, size_t count,
		       struct error *error)
{
	switch (script) {
	case FAKE_BREAKS:
		return break_all(turns, count, error);
	case FAKE_BREAKS_SOME:
		return number % 7 == 0 ? break_all(turns, count, error) : answer_all(turns, count);
	case FAKE_BREAKS_BASE:
		return has_base(turns, count, "poison") ? break_all(turns, count, error) : answer_all(turns, count);
	case FAKE_IS_BUSY:
		return refuse_all(turns, count);
	case FAKE_HANGS:
	case FAKE_HOLDS:
		return time_out_all(turns, count, error);
	case FAKE_HOLDS_BASE:
	case FAKE_ANSWERS:
		break;
	}
	return answer_all(turns, count);
}

enum status dir_conn_exchange(struct dir_conn *conn, struct dir_turn *turns, size_t count, struct error *error)
{
	struct fake_counts *counts = &conn->server->counts;
	enum fake_exchange script;
	enum status status;
	unsigned number;

	mutex_lock(&lock);
	check(!conn->is_in_use);
	conn->is_in_use = true;
	counts->exchanges++;
	counts->searches += (unsigned)count;
	if (count > counts->most_searches)
		counts->most_searches = (unsigned)count;
	number = ++turn_number;
	script = await_script_locked(conn->server, turns, count, last_deadline(turns, count));
	mutex_unlock(&lock);
	status = act(script, number, turns, count, error);
	mutex_lock(&lock);
	conn->is_in_use = false;
	mutex_unlock(&lock);
	return status;
}

uint64_t dir_conn_received(const struct dir_conn *conn)
{
	(void)conn;
	return 0;
}

uint64_t dir_conn_end_ms(const struct dir_conn *conn)
{
	return conn->end_ms;
}

enum status dir_conn_ping(struct dir_conn *conn, uint64_t deadline_ms, bool *is_synchronized_out, struct error *error)
{
	enum fake_exchange script = FAKE_ANSWERS;

	mutex_lock(&lock);
	if (conn->was_asked) {
		conn->server->counts.pings++;
		script = await_script_locked(conn->server, NULL, 0, deadline_ms);
	}
	conn->was_asked = true;
	*is_synchronized_out = conn->server->open != FAKE_OPEN_UNSYNCHRONIZED;
	mutex_unlock(&lock);
	if (script == FAKE_HANGS)
		return error_set(error, STATUS_TIMEOUT, "hung as the script says");
	if (script == FAKE_BREAKS)
		return error_set(error, STATUS_UNREACHABLE, "broken as the script says");
	return STATUS_OK;
}
