/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_turn.h>

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

/* All entries came; some may be held. */
static void finish(struct turn *turn, struct flight *flight)
{
	if (flight->held == 0) {
		turn_land(turn, flight, DIR_OUTCOME_OK, LDAP_SUCCESS);
		return;
	}
	turn_leave_window(turn, flight);
	flight->state = FLIGHT_HELD;
}

static void end_page(struct turn *turn, struct flight *flight, LDAPControl **controls)
{
	if (!take_cookie(turn, flight, controls)) {
		turn_break_connection(turn);
		return;
	}
	if (flight->cookie.bv_val == NULL) {
		finish(turn, flight);
		return;
	}
	flight->empty_pages = flight->entries_on_page == 0 ? flight->empty_pages + 1 : 0;
	if (flight->empty_pages > DIR_CONN_MAX_EMPTY_PAGES) {
		turn_land(turn, flight, DIR_OUTCOME_LIMIT, 0);
		return;
	}
	turn_launch(turn, flight);
}

void turn_take_result(struct turn *turn, struct flight *flight, LDAPMessage *message)
{
	LDAPControl **controls = NULL;
	char *text = NULL;
	int code = LDAP_OTHER;

	if (ldap_parse_result(turn->conn->ld, message, &code, NULL, &text, NULL, &controls, 0) != LDAP_SUCCESS) {
		turn_break_connection(turn);
		return;
	}
	keep_text(flight->owner != NULL ? flight->owner->search : flight->search, text);
	if (flight->owner != NULL)
		turn_take_fetched_result(turn, flight, code);
	else if (code != LDAP_SUCCESS)
		turn_land(turn, flight, dir_outcome_of_code(code), code);
	else if (flight->search->page_size > 0)
		end_page(turn, flight, controls);
	else
		finish(turn, flight);
	ldap_memfree(text);
	ldap_controls_free(controls);
}
