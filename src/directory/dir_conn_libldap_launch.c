/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_turn.h>

#include <limits.h>

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

/* Nothing was sent, so there is nothing to abandon of it. */
static void refuse(struct turn *turn, struct flight *flight, int code)
{
	if (flight->owner != NULL)
		turn_give_up(turn, flight, dir_outcome_of_code(code), code);
	else
		turn_land(turn, flight, dir_outcome_of_code(code), code);
}

void turn_launch(struct turn *turn, struct flight *flight)
{
	const struct flight *asked = flight->owner != NULL ? flight->owner : flight;
	int code;

	/* The library must not have taken TLS away behind our back. */
	if (turn->conn->is_tls && ldap_tls_inplace(turn->conn->ld) != 1) {
		turn_break_connection(turn);
		return;
	}
	code = send_search(turn, flight);
	if (is_about_the_question(code)) {
		refuse(turn, flight, code);
		return;
	}
	if (code != LDAP_SUCCESS) {
		turn_break_connection(turn);
		return;
	}
	asked->search->pages++;
	flight->entries_on_page = 0;
	if (flight->state == FLIGHT_FLYING)
		return; /* the next page takes the place of the one before */
	flight->state = FLIGHT_FLYING;
	turn->window[turn->flying++] = flight;
}
