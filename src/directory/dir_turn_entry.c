/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_turn.h>

static enum dir_outcome outcome_of_loss(enum status status)
{
	if (status == STATUS_LIMIT)
		return DIR_OUTCOME_LIMIT;
	return status == STATUS_INVALID ? DIR_OUTCOME_INCOMPLETE : DIR_OUTCOME_NO_MEMORY;
}

void turn_lose_entry(struct turn *turn, struct flight *flight, enum status status, const struct error *error)
{
	struct dir_search *search = flight->owner != NULL ? flight->owner->search : flight->search;

	if (status == STATUS_UNREACHABLE) {
		turn_break_connection(turn);
		return;
	}
	turn_give_up(turn, flight, outcome_of_loss(status), 0);
	if (error->what[0] != '\0')
		search->server_text = arena_copy_text(search->arena, error->what);
}

enum status turn_deliver(struct flight *flight, struct dir_entry *entry)
{
	struct dir_search *search = flight->search;
	enum status status;

	if (search->on_entry != NULL) {
		status = search->on_entry(search->on_entry_context, entry);
		/* Whatever it says, it says about itself. */
		if (status != STATUS_OK)
			return status == STATUS_LIMIT ? STATUS_LIMIT : STATUS_NO_MEMORY;
	} else {
		*flight->tail = entry;
		flight->tail = &entry->next;
	}
	search->entry_count++;
	return STATUS_OK;
}

/* @param own  the entry's arena where it is not the search's; left NULL when somebody else keeps it. */
static enum status receive(struct turn *turn, struct flight *flight, LDAPMessage *message, struct arena **own,
			   struct error *error)
{
	struct arena *arena = *own != NULL ? *own : flight->search->arena;
	struct dir_range_set *set = NULL;
	struct dir_entry *entry = NULL;
	const char *came_as;
	enum status status;

	status = dir_conn_read_entry(turn->conn, message, arena, &entry);
	if (status != STATUS_OK)
		return status;
	came_as = entry->dn;
	if ((flight->search->flags & DIR_SEARCH_EXTENDED_DN) != 0)
		entry->dn = dir_search_plain_dn(came_as);
	status = dir_range_begin(entry, arena, &set, error);
	if (status != STATUS_OK)
		return status;
	if (set == NULL)
		return turn_deliver(flight, entry);
	status = turn_hold_entry(turn, flight, entry, set, *own, came_as, error);
	if (status == STATUS_OK)
		*own = NULL;
	return status;
}

void turn_take_entry(struct turn *turn, struct flight *flight, LDAPMessage *message)
{
	const struct dir_search *search = flight->search;
	struct error error = {0};
	struct arena *own = NULL;
	enum status status = STATUS_OK;

	if (search->size_limit > 0 && search->entry_count + flight->held >= search->size_limit) {
		turn_give_up(turn, flight, DIR_OUTCOME_LIMIT, 0);
		return;
	}
	/* One that is handed over lives until then only. */
	if (search->on_entry != NULL) {
		own = arena_new(DIR_SEARCH_MAX_BYTES);
		status = own == NULL ? STATUS_NO_MEMORY : STATUS_OK;
	}
	if (status == STATUS_OK)
		status = receive(turn, flight, message, &own, &error);
	arena_free(&own);
	if (status == STATUS_OK)
		flight->entries_on_page++;
	else
		turn_lose_entry(turn, flight, status, &error);
}
