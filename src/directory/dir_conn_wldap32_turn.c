/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_turn.h>

#include <assert.h>
#include <base/memory.h>
#include <os/clock.h>

/* RFC 4511 4.13; <winldap.h> has no name for it. */
#define RES_INTERMEDIATE 0x79

/* For so long what has come of late searches is still taken: a server that goes on and on does not get more time by it. */
#define LATE_MAX_MS 100

void turn_leave_window(struct turn *turn, const struct flight *flight)
{
	size_t at = 0;

	while (at < turn->flying && turn->window[at] != flight)
		at++;
	if (at == turn->flying)
		return;
	/* In their order: the oldest is the one that is waited for. */
	for (turn->flying--; at < turn->flying; at++)
		turn->window[at] = turn->window[at + 1];
}

void turn_land(struct turn *turn, struct flight *flight, enum dir_outcome outcome, int code)
{
	assert(flight->owner == NULL && flight->state != FLIGHT_LANDED);
	turn_drop_fetches(turn, flight);
	turn_leave_window(turn, flight);
	flight->state = FLIGHT_LANDED;
	flight->search->outcome = outcome;
	flight->search->code = code;
	memory_free(flight->cookie.bv_val);
	flight->cookie = (struct berval){0};
	if (outcome == DIR_OUTCOME_TIMEOUT)
		turn->timeouts++;
}

void turn_break_connection(struct turn *turn)
{
	turn->conn->is_broken = true;
}

/* RFC 4511 4.11 */
void turn_abandon(struct turn *turn, const struct flight *flight)
{
	if (flight->state != FLIGHT_FLYING || turn->conn->is_broken)
		return;
	turn->conn->abandoned++;
	if (ldap_abandon(turn->conn->ld, (ULONG)flight->message_id) != LDAP_SUCCESS)
		turn_break_connection(turn);
}

void turn_give_up(struct turn *turn, struct flight *flight, enum dir_outcome outcome, int code)
{
	struct flight *asked = flight->owner != NULL ? flight->owner : flight;

	turn_abandon(turn, asked);
	turn_land(turn, asked, outcome, code);
}

/* What was begun comes first: it holds memory. */
static void launch_fetches(struct turn *turn)
{
	while (turn->next_fetch != NULL && turn->flying < DIR_CONN_WINDOW && !turn->conn->is_broken)
		turn_launch_fetch(turn);
}

static void launch_waiting(struct turn *turn)
{
	const uint64_t now_ms = clock_monotonic_ms();
	struct flight *flight;

	while (turn->next < turn->count && turn->flying < DIR_CONN_WINDOW && !turn->conn->is_broken) {
		flight = &turn->flights[turn->next];
		if (flight->state == FLIGHT_WAITING && flight->deadline_ms <= now_ms)
			turn_land(turn, flight, DIR_OUTCOME_TIMEOUT, 0);
		if (flight->state == FLIGHT_WAITING)
			turn_launch(turn, flight);
		turn->next++;
	}
}

static void take_message(struct turn *turn, struct flight *flight, ULONG type, LDAPMessage *message)
{
	turn->has_answer = true;
	switch (type) {
	case LDAP_RES_SEARCH_ENTRY:
		if (flight->owner != NULL)
			turn_take_fetched_entry(turn, flight, message);
		else
			turn_take_entry(turn, flight, message);
		break;
	case LDAP_RES_SEARCH_RESULT:
		turn_take_result(turn, flight, message);
		break;
	case LDAP_RES_REFERRAL: /* a continuation reference */
	case RES_INTERMEDIATE:
		break;
	default:
		turn_break_connection(turn);
	}
}

/* @return false: nothing came for it until then. */
static bool take_one(struct turn *turn, struct flight *flight, uint64_t deadline_ms)
{
	LDAPMessage *message = NULL;
	const ULONG type = dir_conn_take(turn->conn, (ULONG)flight->message_id, deadline_ms, &message);

	if (type == DIR_CONN_LOST)
		return true;
	if (type == DIR_CONN_NOTHING)
		return false;
	take_message(turn, flight, type, message);
	(void)ldap_msgfree(message);
	return true;
}

/* One of the searches that are under way and late; NULL: none. */
static struct flight *find_late(const struct turn *turn, uint64_t now_ms)
{
	for (size_t i = 0; i < turn->flying; i++)
		if (turn->window[i]->deadline_ms <= now_ms)
			return turn->window[i];
	return NULL;
}

/* The nearest deadline of those that have not landed. */
static void look_ahead(struct turn *turn)
{
	turn->nearest_ms = UINT64_MAX;
	for (size_t i = 0; i < turn->count; i++)
		if (turn->flights[i].state != FLIGHT_LANDED && turn->flights[i].deadline_ms < turn->nearest_ms)
			turn->nearest_ms = turn->flights[i].deadline_ms;
}

static void expire_the_rest(struct turn *turn, uint64_t now_ms)
{
	for (size_t i = 0; i < turn->count && !turn->conn->is_broken; i++)
		if (turn->flights[i].state != FLIGHT_LANDED && turn->flights[i].deadline_ms <= now_ms)
			turn_give_up(turn, &turn->flights[i], DIR_OUTCOME_TIMEOUT, 0);
}

/* Land what is late. Its answer may have come while another one was waited for, though: that counts. */
static void expire(struct turn *turn)
{
	const uint64_t now_ms = clock_monotonic_ms();
	struct flight *flight;

	if (now_ms < turn->nearest_ms)
		return;
	while (!turn->conn->is_broken && (flight = find_late(turn, now_ms)) != NULL)
		if (clock_monotonic_ms() > now_ms + LATE_MAX_MS || !take_one(turn, flight, 0))
			turn_give_up(turn, flight, DIR_OUTCOME_TIMEOUT, 0);
	expire_the_rest(turn, now_ms); /* those held, or not sent */
	look_ahead(turn);
}

static bool is_over(const struct turn *turn)
{
	return turn->conn->is_broken || (turn->flying == 0 && turn->next == turn->count && turn->next_fetch == NULL);
}

static void run(struct turn *turn)
{
	look_ahead(turn);
	while (!turn->conn->is_broken) {
		expire(turn);
		launch_fetches(turn);
		launch_waiting(turn);
		if (is_over(turn))
			return;
		if (turn->flying > 0)
			(void)take_one(turn, turn->window[0], turn->nearest_ms);
	}
}

/* Whoever has no answer now gets none; late ones are late, though. */
static void land_the_rest(struct turn *turn)
{
	const uint64_t now_ms = clock_monotonic_ms();

	for (size_t i = 0; i < turn->count; i++) {
		struct flight *flight = &turn->flights[i];

		if (flight->state == FLIGHT_LANDED)
			continue;
		if (flight->deadline_ms <= now_ms)
			turn_land(turn, flight, DIR_OUTCOME_TIMEOUT, 0);
		else
			turn_land(turn, flight, DIR_OUTCOME_BAD_CONNECTION, LDAP_SERVER_DOWN);
	}
}

/* @return the last of the deadlines. */
static uint64_t begin(struct turn *turn, const struct dir_turn *turns)
{
	uint64_t last_ms = 0;

	for (size_t i = 0; i < turn->count; i++) {
		assert(turns[i].search->arena != NULL && turns[i].search->outcome == DIR_OUTCOME_NONE);
		turn->flights[i].search = turns[i].search;
		turn->flights[i].deadline_ms = turns[i].deadline_ms;
		turn->flights[i].tail = &turns[i].search->entries;
		if (turns[i].deadline_ms > last_ms)
			last_ms = turns[i].deadline_ms;
	}
	return last_ms;
}

static enum status conclude(struct turn *turn, struct error *error)
{
	struct dir_conn *conn = turn->conn;
	const bool is_cut = atomic_load(&conn->is_cut);

	if (conn->is_broken && !is_cut)
		return error_set(error, STATUS_UNREACHABLE, "the connection to '%s' was lost", conn->uri);
	if (is_cut || (turn->timeouts > 0 && !turn->has_answer)) {
		conn->is_broken = true;
		return error_set(error, STATUS_TIMEOUT, "'%s' did not answer in time", conn->uri);
	}
	if (conn->abandoned > DIR_CONN_MAX_ABANDONED) {
		conn->is_broken = true;
		return error_set(error, STATUS_UNREACHABLE, "%zu searches on the connection to '%s' timed out",
				 conn->abandoned, conn->uri);
	}
	return STATUS_OK;
}

enum status dir_conn_exchange(struct dir_conn *conn, struct dir_turn *turns, size_t count, struct error *error)
{
	struct turn turn = {.conn = conn, .count = count};
	enum status status;
	size_t i;

	turn.flights = memory_new_array(count, sizeof(*turn.flights));
	if (turn.flights == NULL) {
		for (i = 0; i < count; i++)
			turns[i].search->outcome = DIR_OUTCOME_NO_MEMORY;
		return STATUS_OK;
	}
	dir_guard_arm(&conn->guard, begin(&turn, turns) + DIR_CONN_GRACE_MS);
	run(&turn);
	dir_guard_disarm(&conn->guard);
	land_the_rest(&turn);
	status = conclude(&turn, error);
	memory_free(turn.flights);
	return status;
}
