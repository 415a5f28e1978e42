/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_conn_libldap.h>

#include <assert.h>
#include <base/memory.h>
#include <limits.h>
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

enum flight_state { FLIGHT_WAITING = 0, FLIGHT_FLYING, FLIGHT_LANDED };

/* One search on its way. */
struct flight {
	struct dir_search *search;
	uint64_t deadline_ms;
	enum flight_state state;
	int message_id;          /* while flying */
	struct berval cookie;    /* owned by libldap; of the next page */
	struct dir_entry **tail; /* where the next entry is hung */
	size_t entries_on_page;
	size_t empty_pages;
};

struct turn {
	struct dir_conn *conn;
	struct flight *flights;
	size_t count, next; /* flights before `next` were sent, or landed before they could be */
	struct flight *window[DIR_CONN_WINDOW];
	size_t flying;
	uint64_t nearest_ms; /* no deadline is before this; never later than the nearest one */
	bool has_answer;     /* the server said anything at all */
	size_t timeouts;
};

static void land(struct turn *turn, struct flight *flight, enum dir_outcome outcome, int code)
{
	size_t i;

	assert(flight->state != FLIGHT_LANDED);
	for (i = 0; i < turn->flying; i++)
		if (turn->window[i] == flight)
			turn->window[i] = turn->window[--turn->flying];
	flight->state = FLIGHT_LANDED;
	flight->search->outcome = outcome;
	flight->search->code = code;
	ber_memfree(flight->cookie.bv_val);
	flight->cookie = (struct berval){0};
	if (outcome == DIR_OUTCOME_TIMEOUT)
		turn->timeouts++;
}

static void break_connection(struct turn *turn)
{
	turn->conn->is_broken = true;
}

/* RFC 4511 4.11. Not awaited: an abandon that the socket does not take at once finds a dead server. */
static void abandon(struct turn *turn, struct flight *flight)
{
	if (flight->state != FLIGHT_FLYING || turn->conn->is_broken)
		return;
	turn->conn->abandoned++;
	dir_io_prompt(&turn->conn->io, 0);
	if (ldap_abandon_ext(turn->conn->ld, flight->message_id, NULL, NULL) != LDAP_SUCCESS)
		break_connection(turn);
}

static void give_up(struct turn *turn, struct flight *flight, enum dir_outcome outcome)
{
	abandon(turn, flight);
	land(turn, flight, outcome, 0);
}

static int scope_of(enum dir_scope scope)
{
	switch (scope) {
	case DIR_SCOPE_BASE:
		return LDAP_SCOPE_BASE;
	case DIR_SCOPE_ONE:
		return LDAP_SCOPE_ONELEVEL;
	case DIR_SCOPE_SUBTREE:
		return LDAP_SCOPE_SUBTREE;
	}
	return LDAP_SCOPE_BASE;
}

/* The names as libldap wants them; false: more than a search may ask for. */
static bool copy_names(const char *const *names, char *copies[DIR_SEARCH_MAX_ATTRIBUTES + 1])
{
	size_t i;

	for (i = 0; names[i] != NULL; i++) {
		if (i == DIR_SEARCH_MAX_ATTRIBUTES)
			return false;
		copies[i] = dir_conn_unconst(names[i]);
	}
	copies[i] = NULL;
	return true;
}

/* Send the search, or its next page. @return the library's code. */
static int send_search(struct turn *turn, struct flight *flight)
{
	const struct dir_search *search = flight->search;
	char *names[DIR_SEARCH_MAX_ATTRIBUTES + 1];
	struct dir_conn_controls controls;
	const int limit = search->size_limit > INT_MAX ? INT_MAX : (int)search->size_limit;
	int code;

	/* libldap sends no filter at all for an empty one, and the server closes the connection. */
	if (search->base == NULL || search->filter == NULL || *search->filter == '\0')
		return LDAP_FILTER_ERROR;
	if (search->attributes != NULL && !copy_names(search->attributes, names))
		return LDAP_PARAM_ERROR;
	code = dir_conn_controls_init(turn->conn->ld, search, flight->cookie.bv_val != NULL ? &flight->cookie : NULL,
				      &controls);
	if (code == LDAP_SUCCESS) {
		/* A server that reads nothing must not hold the others up. */
		dir_io_prompt(&turn->conn->io, turn->nearest_ms);
		code = ldap_search_ext(turn->conn->ld, search->base, scope_of(search->scope), search->filter,
				       search->attributes != NULL ? names : NULL, 0,
				       controls.list[0] != NULL ? controls.list : NULL, NULL, NULL,
				       limit > 0 ? limit : LDAP_NO_LIMIT, &flight->message_id);
	}
	dir_conn_controls_done(&controls);
	return code;
}

/* libldap refused the question itself; nothing was sent. */
static bool is_about_the_question(int code)
{
	return code == LDAP_FILTER_ERROR || code == LDAP_PARAM_ERROR || code == LDAP_ENCODING_ERROR ||
	       code == LDAP_NO_MEMORY || code == LDAP_NOT_SUPPORTED;
}

static void launch(struct turn *turn, struct flight *flight)
{
	int code;

	/* The library must not have taken TLS away behind our back. */
	if (turn->conn->is_tls && ldap_tls_inplace(turn->conn->ld) != 1) {
		break_connection(turn);
		return;
	}
	code = send_search(turn, flight);
	if (is_about_the_question(code)) {
		land(turn, flight, dir_outcome_of_code(code), code);
		return;
	}
	if (code != LDAP_SUCCESS) {
		break_connection(turn);
		return;
	}
	flight->search->pages++;
	flight->entries_on_page = 0;
	if (flight->state == FLIGHT_FLYING)
		return; /* the next page takes the place of the one before */
	flight->state = FLIGHT_FLYING;
	turn->window[turn->flying++] = flight;
}

static void launch_waiting(struct turn *turn)
{
	const uint64_t now_ms = clock_monotonic_ms();
	struct flight *flight;

	while (turn->next < turn->count && turn->flying < DIR_CONN_WINDOW && !turn->conn->is_broken) {
		flight = &turn->flights[turn->next];
		if (flight->state == FLIGHT_WAITING && flight->deadline_ms <= now_ms)
			land(turn, flight, DIR_OUTCOME_TIMEOUT, 0);
		if (flight->state == FLIGHT_WAITING) {
			if (turn->flying > 0 && !dir_io_is_writable(&turn->conn->io))
				return;
			launch(turn, flight);
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
			give_up(turn, flight, DIR_OUTCOME_TIMEOUT);
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

static void lose_entry(struct turn *turn, struct flight *flight, enum status status)
{
	if (status == STATUS_UNREACHABLE)
		break_connection(turn);
	else
		give_up(turn, flight, status == STATUS_LIMIT ? DIR_OUTCOME_LIMIT : DIR_OUTCOME_NO_MEMORY);
}

static enum status read_entry(struct turn *turn, const struct flight *flight, LDAPMessage *message, struct arena *arena,
			      struct dir_entry **entry_out)
{
	const enum status status = dir_conn_read_entry(turn->conn, message, arena, entry_out);

	if (status == STATUS_OK && (flight->search->flags & DIR_SEARCH_EXTENDED_DN) != 0)
		(*entry_out)->dn = dir_search_plain_dn((*entry_out)->dn);
	return status;
}

static void keep_entry(struct turn *turn, struct flight *flight, LDAPMessage *message)
{
	struct dir_entry *entry = NULL;
	const enum status status = read_entry(turn, flight, message, flight->search->arena, &entry);

	if (status != STATUS_OK) {
		lose_entry(turn, flight, status);
		return;
	}
	*flight->tail = entry;
	flight->tail = &entry->next;
}

/* The entry lives for the call only. */
static void hand_over_entry(struct turn *turn, struct flight *flight, LDAPMessage *message)
{
	struct arena *arena = arena_new(DIR_SEARCH_MAX_BYTES);
	struct dir_entry *entry = NULL;
	enum status status = STATUS_NO_MEMORY;

	if (arena != NULL)
		status = read_entry(turn, flight, message, arena, &entry);
	if (status == STATUS_OK) {
		status = flight->search->on_entry(flight->search->on_entry_context, entry);
		/* Whatever it says, it says about itself. */
		if (status == STATUS_UNREACHABLE)
			status = STATUS_INTERNAL;
	}
	arena_free(&arena);
	if (status != STATUS_OK)
		lose_entry(turn, flight, status);
}

static void take_entry(struct turn *turn, struct flight *flight, LDAPMessage *message)
{
	struct dir_search *search = flight->search;

	if (search->size_limit > 0 && search->entry_count >= search->size_limit) {
		give_up(turn, flight, DIR_OUTCOME_LIMIT);
		return;
	}
	if (search->on_entry != NULL)
		hand_over_entry(turn, flight, message);
	else
		keep_entry(turn, flight, message);
	if (flight->state == FLIGHT_FLYING && !turn->conn->is_broken) {
		search->entry_count++;
		flight->entries_on_page++;
	}
}

static void keep_text(struct dir_search *search, const char *text)
{
	/* Without room for them a message does without the server's words. */
	search->server_text = text != NULL && *text != '\0' ? arena_copy_text(search->arena, text) : NULL;
}

/* Take the cookie out of the answer to a page; empty: it was the last. False: not as RFC 2696 says. */
static bool take_cookie(struct turn *turn, struct flight *flight, LDAPControl **controls)
{
	LDAPControl *control = ldap_control_find(LDAP_CONTROL_PAGEDRESULTS, controls, NULL);
	ber_int_t estimate = 0;
	struct berval cookie = {0};

	ber_memfree(flight->cookie.bv_val);
	flight->cookie = (struct berval){0};
	if (control == NULL)
		return true;
	if (ldap_parse_pageresponse_control(turn->conn->ld, control, &estimate, &cookie) != LDAP_SUCCESS)
		return false;
	if (cookie.bv_len > 0)
		flight->cookie = cookie;
	else
		ber_memfree(cookie.bv_val);
	return true;
}

static void end_page(struct turn *turn, struct flight *flight, LDAPControl **controls)
{
	if (!take_cookie(turn, flight, controls)) {
		break_connection(turn);
		return;
	}
	if (flight->cookie.bv_val == NULL) {
		land(turn, flight, DIR_OUTCOME_OK, LDAP_SUCCESS);
		return;
	}
	flight->empty_pages = flight->entries_on_page == 0 ? flight->empty_pages + 1 : 0;
	if (flight->empty_pages > DIR_CONN_MAX_EMPTY_PAGES) {
		land(turn, flight, DIR_OUTCOME_LIMIT, 0);
		return;
	}
	launch(turn, flight);
}

static void take_result(struct turn *turn, struct flight *flight, LDAPMessage *message)
{
	LDAPControl **controls = NULL;
	char *text = NULL;
	int code = LDAP_OTHER;

	if (ldap_parse_result(turn->conn->ld, message, &code, NULL, &text, NULL, &controls, 0) != LDAP_SUCCESS) {
		break_connection(turn);
		return;
	}
	keep_text(flight->search, text);
	if (code == LDAP_SUCCESS && flight->search->page_size > 0)
		end_page(turn, flight, controls);
	else
		land(turn, flight, dir_outcome_of_code(code), code);
	ldap_memfree(text);
	ldap_controls_free(controls);
}

/* Also RFC 4511 4.4.1, the notice of disconnection: AD gives it before it closes an idle connection. */
static void take_message(struct turn *turn, LDAPMessage *message)
{
	struct flight *flight = find_flight(turn, ldap_msgid(message));

	if (ldap_msgid(message) == LDAP_RES_UNSOLICITED) {
		break_connection(turn);
		return;
	}
	if (flight == NULL)
		return; /* the late answer to one that was given up */
	turn->has_answer = true;
	switch (ldap_msgtype(message)) {
	case LDAP_RES_SEARCH_ENTRY:
		take_entry(turn, flight, message);
		break;
	case LDAP_RES_SEARCH_RESULT:
		take_result(turn, flight, message);
		break;
	case LDAP_RES_SEARCH_REFERENCE:
	case LDAP_RES_INTERMEDIATE:
		break;
	default:
		break_connection(turn);
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
	const bool is_held_up = turn->next < turn->count && turn->flying < DIR_CONN_WINDOW;

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
		launch_waiting(turn);
		if (turn->conn->is_broken || (turn->flying == 0 && turn->next == turn->count))
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
			land(turn, flight, DIR_OUTCOME_TIMEOUT, 0);
		else
			land(turn, flight, DIR_OUTCOME_BAD_CONNECTION, LDAP_SERVER_DOWN);
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
