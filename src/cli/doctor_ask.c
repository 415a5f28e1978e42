/* SPDX-License-Identifier: Apache-2.0 */
#include <cli/doctor_check.h>
#include <os/clock.h>

bool doctor_search(struct doctor *doctor, struct dir_search *search, const char *base, enum dir_scope scope,
		   const char *filter, const char *const *attributes)
{
	struct error error;

	if (dir_search_init(search, &error) != STATUS_OK) {
		doctor_tell_error(doctor, DOCTOR_ERROR, NULL, &error, NULL);
		return false;
	}
	search->base = base;
	search->scope = scope;
	search->filter = filter;
	search->attributes = attributes;
	return true;
}

bool doctor_ask(struct doctor *doctor, struct dir_search *search, unsigned patience)
{
	struct dir_turn turn = {.search = search,
				.deadline_ms = clock_monotonic_ms() + doctor->directory->timeout_ms * patience};
	struct error error;

	doctor_print_progress(&doctor->print, doctor->check->doing);
	/* What came of it is in the search. */
	(void)!dir_conn_exchange(doctor->server->conn, &turn, 1, &error);
	return search->outcome == DIR_OUTCOME_OK;
}

void doctor_tell_search(struct doctor *doctor, enum doctor_level level, const char *subject,
			const struct dir_search *search, const char *remedy)
{
	struct error error = {.status = STATUS_OK};

	(void)dir_search_failure(search, &error);
	doctor_tell_error(doctor, level, subject, &error, remedy);
}
