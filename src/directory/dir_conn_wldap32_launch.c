/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_turn.h>

#include <base/memory.h>

/* A question as the library wants it. */
struct wide_question {
	WCHAR *base, *filter;
	WCHAR *names[DIR_SEARCH_MAX_ATTRIBUTES + 1];
};

static ULONG scope_of(enum dir_scope scope)
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

static void free_question(struct wide_question *question)
{
	memory_free(question->base);
	memory_free(question->filter);
	for (size_t i = 0; question->names[i] != NULL; i++)
		memory_free(question->names[i]);
}

static ULONG code_of(enum status status, ULONG otherwise)
{
	if (status == STATUS_OK)
		return LDAP_SUCCESS;
	return status == STATUS_NO_MEMORY ? (ULONG)LDAP_NO_MEMORY : otherwise;
}

/* @return the library's code; LDAP_PARAM_ERROR: more names than a search may ask for. */
static ULONG widen_names(const char *const *names, struct wide_question *question)
{
	for (size_t i = 0; names != NULL && names[i] != NULL; i++) {
		enum status status;

		if (i == DIR_SEARCH_MAX_ATTRIBUTES)
			return LDAP_PARAM_ERROR;
		status = dir_conn_widen(names[i], &question->names[i]);
		if (status != STATUS_OK)
			return code_of(status, LDAP_PARAM_ERROR);
	}
	return LDAP_SUCCESS;
}

static ULONG widen(const struct dir_search *search, struct wide_question *question)
{
	ULONG code;

	/* Some libraries send no filter at all for an empty one, and the server closes the connection. */
	if (search->base == NULL || search->filter == NULL || *search->filter == '\0')
		return LDAP_FILTER_ERROR;
	if ((code = code_of(dir_conn_widen(search->base, &question->base), LDAP_PARAM_ERROR)) != LDAP_SUCCESS ||
	    (code = code_of(dir_conn_widen(search->filter, &question->filter), LDAP_FILTER_ERROR)) != LDAP_SUCCESS)
		return code;
	return widen_names(search->attributes, question);
}

/* Send the search, or its next page. @return the library's code. */
static ULONG send_search(struct turn *turn, struct flight *flight)
{
	const struct dir_search *search = flight->search;
	struct wide_question question = {.base = NULL};
	struct dir_conn_controls controls = {.page = NULL};
	ULONG message_id = 0;
	ULONG code = widen(search, &question);

	if (code == LDAP_SUCCESS)
		code = dir_conn_controls_init(turn->conn->ld, search,
					      flight->cookie.bv_val != NULL ? &flight->cookie : NULL, &controls);
	if (code == LDAP_SUCCESS)
		code = ldap_search_extW(turn->conn->ld, question.base, scope_of(search->scope), question.filter,
					search->attributes != NULL ? question.names : NULL, 0,
					controls.list[0] != NULL ? controls.list : NULL, NULL, 0, search->size_limit,
					&message_id);
	dir_conn_controls_done(&controls);
	free_question(&question);
	flight->message_id = (int)message_id;
	return code;
}

/* The library refused the question itself; nothing was sent. */
static bool is_about_the_question(ULONG code)
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
	const ULONG code = send_search(turn, flight);

	if (is_about_the_question(code)) {
		refuse(turn, flight, (int)code);
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
