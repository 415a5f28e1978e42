/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_turn.h>

#include <assert.h>
#include <base/memory.h>
#include <os/clock.h>
#include <os/thread.h>
#include <string.h>

/*
 * While the socket takes no more, answers are awaited in short steps, so that sending goes on soon after it
 * does. (Blocked in a write we would read nothing, and a server that waits for us to read would not read either.)
 */
#define UNWRITABLE_STEP_MS 5

/*
 * The entries of a large answer come one by one, some microseconds apart. A thread that is woken for each of them spends more
 * time on waking up than on reading, and takes it from a server on the same machine: so it lets some come before it reads.
 */
#define CROWD_ENTRIES 16
#define CROWD_NAP_US  30

void turn_leave_window(struct turn *turn, const struct flight *flight)
{
	size_t i;

	for (i = 0; i < turn->flying; i++)
		if (turn->window[i] == flight)
			turn->window[i] = turn->window[--turn->flying];
}

void turn_land(struct turn *turn, struct flight *flight, enum dir_outcome outcome, int code)
{
	assert(flight->owner == NULL && flight->state != FLIGHT_LANDED);
	turn_drop_fetches(turn, flight);
	turn_leave_window(turn, flight);
	flight->state = FLIGHT_LANDED;
	flight->search->outcome = outcome;
	flight->search->code = code;
	ber_memfree(flight->cookie.bv_val);
	flight->cookie = (struct berval){0};
	if (outcome == DIR_OUTCOME_TIMEOUT)
		turn->timeouts++;
}

void turn_break_connection(struct turn *turn)
{
	turn->conn->is_broken = true;
}

/* RFC 4511 4.11. Not awaited: an abandon that the socket does not take at once finds a dead server. */
void turn_abandon(struct turn *turn, const struct flight *flight)
{
	if (flight->state != FLIGHT_FLYING || turn->conn->is_broken)
		return;
	turn->conn->abandoned++;
	dir_io_prompt(&turn->conn->io, 0);
	if (ldap_abandon_ext(turn->conn->ld, flight->message_id, NULL, NULL) != LDAP_SUCCESS)
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
	while (turn->next_fetch != NULL && turn->flying < DIR_CONN_WINDOW && !turn->conn->is_broken) {
		if (turn->flying > 0 && !dir_io_is_writable(&turn->conn->io))
			return;
		turn_launch_fetch(turn);
	}
}

static void launch_waiting(struct turn *turn)
{
	const uint64_t now_ms = clock_monotonic_ms();
	struct flight *flight;

	while (turn->next < turn->count && turn->flying < DIR_CONN_WINDOW && !turn->conn->is_broken) {
		flight = &turn->flights[turn->next];
		if (flight->state == FLIGHT_WAITING && flight->deadline_ms <= now_ms)
			turn_land(turn, flight, DIR_OUTCOME_TIMEOUT, 0);
		if (flight->state == FLIGHT_WAITING) {
			if (turn->flying > 0 && !dir_io_is_writable(&turn->conn->io))
				return;
			turn_launch(turn, flight);
		}
		turn->next++;
	}
}

/* Land what is late, and find the nearest deadline of the rest. */
static void expire(struct turn *turn)
{
	const uint64_t now_ms = clock_monotonic_ms();
	uint64_t nearest_ms = UINT64_MAX;
	struct flight *flight;
	size_t i;

	for (i = 0; i < turn->count; i++) {
		flight = &turn->flights[i];
		if (flight->state == FLIGHT_LANDED)
			continue;
		if (flight->deadline_ms <= now_ms)
			turn_give_up(turn, flight, DIR_OUTCOME_TIMEOUT, 0);
		else if (flight->deadline_ms < nearest_ms)
			nearest_ms = flight->deadline_ms;
	}
	turn->nearest_ms = nearest_ms;
}

static struct flight *find_flight(const struct turn *turn, int message_id)
{
	size_t i;

	for (i = 0; i < turn->flying; i++)
		if (turn->window[i]->message_id == message_id)
			return turn->window[i];
	return NULL;
}

/* Also RFC 4511 4.4.1, the notice of disconnection: AD gives it before it closes an idle connection. */
static void take_message(struct turn *turn, LDAPMessage *message)
{
	struct flight *flight = find_flight(turn, ldap_msgid(message));

	if (ldap_msgid(message) == LDAP_RES_UNSOLICITED) {
		turn_break_connection(turn);
		return;
	}
	if (flight == NULL)
		return; /* the late answer to one that was given up */
	turn->has_answer = true;
	switch (ldap_msgtype(message)) {
	case LDAP_RES_SEARCH_ENTRY:
		if (flight->owner != NULL)
			turn_take_fetched_entry(turn, flight, message);
		else
			turn_take_entry(turn, flight, message);
		break;
	case LDAP_RES_SEARCH_RESULT:
		turn_take_result(turn, flight, message);
		break;
	case LDAP_RES_SEARCH_REFERENCE:
	case LDAP_RES_INTERMEDIATE:
		break;
	default:
		turn_break_connection(turn);
	}
}

/* A search that many entries answer is under way. */
static bool expects_crowd(const struct turn *turn)
{
	for (size_t i = 0; i < turn->flying; i++)
		if (turn->window[i]->search->size_limit == 0 || turn->window[i]->search->size_limit > CROWD_ENTRIES)
			return true;
	return false;
}

static void wait_for_message(struct turn *turn)
{
	uint64_t until_ms = turn->nearest_ms;
	const bool is_held_up =
	    (turn->next < turn->count || turn->next_fetch != NULL) && turn->flying < DIR_CONN_WINDOW;

	if (is_held_up && until_ms > clock_monotonic_ms() + UNWRITABLE_STEP_MS)
		until_ms = clock_monotonic_ms() + UNWRITABLE_STEP_MS;
	if (dir_conn_wait(turn->conn, until_ms) && expects_crowd(turn))
		thread_nap(CROWD_NAP_US);
}

static void run(struct turn *turn)
{
	LDAPMessage *message = NULL;

	for (;;) {
		if (turn->conn->is_broken)
			return;
		if (clock_monotonic_ms() >= turn->nearest_ms)
			expire(turn);
		launch_fetches(turn);
		launch_waiting(turn);
		if (turn->conn->is_broken ||
		    (turn->flying == 0 && turn->next == turn->count && turn->next_fetch == NULL))
			return;
		if (turn->flying == 0)
			continue;
		switch (dir_conn_take(turn->conn, turn->nearest_ms, &message)) {
		case DIR_ARRIVAL_MESSAGE:
			take_message(turn, message);
			(void)ldap_msgfree(message);
			break;
		case DIR_ARRIVAL_NOTHING:
			wait_for_message(turn);
			break;
		case DIR_ARRIVAL_BROKEN:
			return;
		}
	}
}

/* Whoever has no answer now gets none; late ones are late, though. */
static void land_the_rest(struct turn *turn)
{
	const uint64_t now_ms = clock_monotonic_ms();
	struct flight *flight;
	size_t i;

	for (i = 0; i < turn->count; i++) {
		flight = &turn->flights[i];
		if (flight->state == FLIGHT_LANDED)
			continue;
		if (flight->deadline_ms <= now_ms)
			turn_land(turn, flight, DIR_OUTCOME_TIMEOUT, 0);
		else
			turn_land(turn, flight, DIR_OUTCOME_BAD_CONNECTION, LDAP_SERVER_DOWN);
	}
}

static void begin(struct turn *turn, const struct dir_turn *turns)
{
	size_t i;

	for (i = 0; i < turn->count; i++) {
		assert(turns[i].search->arena != NULL && turns[i].search->outcome == DIR_OUTCOME_NONE);
		turn->flights[i].search = turns[i].search;
		turn->flights[i].deadline_ms = turns[i].deadline_ms;
		turn->flights[i].tail = &turns[i].search->entries;
	}
}

static enum status conclude(struct turn *turn, struct error *error)
{
	struct dir_conn *conn = turn->conn;

	if (conn->is_broken && !conn->io.timed_out)
		return error_set(error, STATUS_UNREACHABLE, "the connection to '%s' was lost", conn->uri);
	if (conn->io.timed_out || (turn->timeouts > 0 && !turn->has_answer)) {
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
	begin(&turn, turns);
	run(&turn);
	land_the_rest(&turn);
	status = conclude(&turn, error);
	memory_free(turn.flights);
	return status;
}
