/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_turn.h>

#include <base/memory.h>

/* Without room for them a message does without the server's words. */
static void keep_text(struct dir_search *search, const WCHAR *wide)
{
	char *text = NULL;

	search->server_text = NULL;
	if (wide == NULL || *wide == L'\0' || dir_conn_narrow(wide, &text) != STATUS_OK)
		return;
	search->server_text = arena_copy_text(search->arena, text);
	memory_free(text);
}

/* Take the cookie out of the answer to a page; empty: it was the last. @return the library's code. */
static ULONG take_cookie(struct turn *turn, struct flight *flight, LDAPControlW **controls)
{
	struct berval *cookie = NULL;
	ULONG estimate = 0;
	ULONG code;

	memory_free(flight->cookie.bv_val);
	flight->cookie = (struct berval){0};
	code = controls == NULL ? (ULONG)LDAP_CONTROL_NOT_FOUND
				: ldap_parse_page_controlW(turn->conn->ld, controls, &estimate, &cookie);
	if (code == LDAP_CONTROL_NOT_FOUND)
		return LDAP_SUCCESS;
	if (code == LDAP_SUCCESS && cookie != NULL && cookie->bv_len > 0) {
		flight->cookie.bv_val = memory_copy_bytes(cookie->bv_val, cookie->bv_len);
		flight->cookie.bv_len = cookie->bv_len;
		if (flight->cookie.bv_val == NULL)
			code = LDAP_NO_MEMORY;
	}
	if (cookie != NULL)
		ber_bvfree(cookie);
	return code;
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

static void end_page(struct turn *turn, struct flight *flight, LDAPControlW **controls)
{
	const ULONG code = take_cookie(turn, flight, controls);

	if (code == LDAP_NO_MEMORY) {
		turn_land(turn, flight, DIR_OUTCOME_NO_MEMORY, 0);
		return;
	}
	if (code != LDAP_SUCCESS) {
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
	LDAPControlW **controls = NULL;
	WCHAR *text = NULL;
	ULONG code = LDAP_OTHER;

	if (ldap_parse_resultW(turn->conn->ld, message, &code, NULL, &text, NULL, &controls, FALSE) != LDAP_SUCCESS) {
		turn_break_connection(turn);
		return;
	}
	keep_text(flight->owner != NULL ? flight->owner->search : flight->search, text);
	if (flight->owner != NULL)
		turn_take_fetched_result(turn, flight, (int)code);
	else if (code != LDAP_SUCCESS)
		turn_land(turn, flight, dir_outcome_of_code((int)code), (int)code);
	else if (flight->search->page_size > 0)
		end_page(turn, flight, controls);
	else
		finish(turn, flight);
	if (text != NULL)
		ldap_memfreeW(text);
	if (controls != NULL)
		(void)ldap_controls_freeW(controls);
}
