/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_turn.h>

#include <base/memory.h>
#include <string.h>

/* The further ranges of one entry. Owned by the turn's list. */
struct fetch {
	struct flight flight;
	struct dir_search search;
	struct dir_range_set *set;
	struct dir_entry *entry;  /* that is held */
	struct dir_entry *answer; /* to the request under way; NULL: none yet */
	struct arena *own;        /* of the entry; NULL: it lives in the owner's search */
	size_t counted_bytes;     /* of `own`, in the owner's held_bytes */
	struct fetch *next, *previous;
};

static struct fetch *fetch_of(struct flight *flight)
{
	return CONTAINER_OF(flight, struct fetch, flight);
}

static void append(struct turn *turn, struct fetch *fetch)
{
	fetch->previous = turn->last_fetch;
	if (turn->last_fetch != NULL)
		turn->last_fetch->next = fetch;
	else
		turn->fetches = fetch;
	turn->last_fetch = fetch;
	if (turn->next_fetch == NULL)
		turn->next_fetch = fetch;
}

static void drop(struct turn *turn, struct fetch *fetch)
{
	turn_abandon(turn, &fetch->flight);
	turn_leave_window(turn, &fetch->flight);
	if (turn->next_fetch == fetch)
		turn->next_fetch = fetch->next;
	if (turn->last_fetch == fetch)
		turn->last_fetch = fetch->previous;
	if (turn->fetches == fetch)
		turn->fetches = fetch->next;
	if (fetch->previous != NULL)
		fetch->previous->next = fetch->next;
	if (fetch->next != NULL)
		fetch->next->previous = fetch->previous;
	fetch->flight.owner->held--;
	fetch->flight.owner->held_bytes -= fetch->counted_bytes;
	arena_free(&fetch->own);
	memory_free(fetch);
}

void turn_drop_fetches(struct turn *turn, const struct flight *owner)
{
	struct fetch *fetch = owner->held > 0 ? turn->fetches : NULL;
	struct fetch *next;

	for (; fetch != NULL; fetch = next) {
		next = fetch->next;
		if (fetch->flight.owner == owner)
			drop(turn, fetch);
	}
}

/*
 * What the held entries of one search may use is what its arena may: whoever has entries handed over one by one does it
 * because all of them are too large to keep.
 */
static enum status count_bytes(struct fetch *fetch, struct error *error)
{
	struct flight *owner = fetch->flight.owner;
	const size_t used = fetch->own != NULL ? arena_used_bytes(fetch->own) : 0;

	owner->held_bytes += used - fetch->counted_bytes;
	fetch->counted_bytes = used;
	if (owner->held_bytes <= DIR_SEARCH_MAX_BYTES)
		return STATUS_OK;
	return error_set(error, STATUS_LIMIT, "too many entries with too many values at once");
}

/* The entry's GUID where it is told: its name may become another's meanwhile. MS-ADTS 3.1.1.3.1.2.4. */
static const char *base_of(const struct dir_entry *entry, const char *came_as, struct arena *arena)
{
	static const char guid[] = "<GUID=";
	const char *close = strchr(came_as, '>');

	if (came_as == entry->dn || strncmp(came_as, guid, sizeof(guid) - 1) != 0 || close == NULL)
		return entry->dn;
	return arena_copy_bytes(arena, came_as, (size_t)(close + 1 - came_as));
}

enum status turn_hold_entry(struct turn *turn, struct flight *flight, struct dir_entry *entry,
			    struct dir_range_set *set, struct arena *own, const char *came_as, struct error *error)
{
	struct arena *arena = own != NULL ? own : flight->search->arena;
	struct fetch *fetch = memory_new(sizeof(*fetch));
	enum status status;

	if (fetch == NULL)
		return error_no_memory(error);
	fetch->flight = (struct flight){.search = &fetch->search, .owner = flight, .deadline_ms = flight->deadline_ms};
	fetch->search = (struct dir_search){.base = base_of(entry, came_as, arena),
					    .scope = DIR_SCOPE_BASE,
					    .filter = "(objectClass=*)",
					    .attributes = dir_range_wanted(set),
					    .size_limit = 2, /* one is there; a second would be one too many */
					    .flags = flight->search->flags,
					    .arena = arena};
	fetch->set = set;
	fetch->entry = entry;
	fetch->own = own;
	status = fetch->search.base == NULL ? error_no_memory(error) : count_bytes(fetch, error);
	if (status != STATUS_OK) {
		flight->held_bytes -= fetch->counted_bytes;
		memory_free(fetch);
		return status;
	}
	flight->held++;
	append(turn, fetch);
	return STATUS_OK;
}

void turn_launch_fetch(struct turn *turn)
{
	struct fetch *fetch = turn->next_fetch;

	turn->next_fetch = fetch->next;
	turn_launch(turn, &fetch->flight);
}

void turn_take_fetched_entry(struct turn *turn, struct flight *flight, LDAPMessage *message)
{
	struct fetch *fetch = fetch_of(flight);
	struct error error = {0};
	enum status status = STATUS_OK;

	if (fetch->answer != NULL)
		status = error_set(&error, STATUS_INVALID, "the server sent two entries of one name");
	if (status == STATUS_OK)
		status = dir_conn_read_entry(turn->conn, message, fetch->search.arena, &fetch->answer);
	if (status == STATUS_OK)
		status = count_bytes(fetch, &error);
	if (status != STATUS_OK)
		turn_lose_entry(turn, flight, status, &error);
}

/* The entry is whole: it goes its way, and the last that was held takes its search along. */
static void release(struct turn *turn, struct fetch *fetch)
{
	struct flight *owner = fetch->flight.owner;
	const struct error error = {0};
	const enum status status = turn_deliver(owner, fetch->entry);

	if (status != STATUS_OK) {
		turn_lose_entry(turn, owner, status, &error);
		return;
	}
	drop(turn, fetch);
	if (owner->state == FLIGHT_HELD && owner->held == 0)
		turn_land(turn, owner, DIR_OUTCOME_OK, LDAP_SUCCESS);
}

static void proceed(struct turn *turn, struct fetch *fetch)
{
	struct error error = {0};
	enum status status;

	if (fetch->answer == NULL)
		status = error_set(&error, STATUS_INVALID, "an entry vanished while its values were read");
	else
		status = dir_range_take(fetch->set, fetch->answer, &error);
	fetch->answer = NULL;
	if (status == STATUS_OK)
		status = count_bytes(fetch, &error);
	if (status != STATUS_OK) {
		turn_lose_entry(turn, &fetch->flight, status, &error);
	} else if (dir_range_is_whole(fetch->set)) {
		release(turn, fetch);
	} else {
		fetch->search.attributes = dir_range_wanted(fetch->set);
		turn_launch(turn, &fetch->flight);
	}
}

void turn_take_fetched_result(struct turn *turn, struct flight *flight, int code)
{
	/* Nothing of it is under way now. */
	turn_leave_window(turn, flight);
	flight->state = FLIGHT_WAITING;
	if (code == LDAP_SUCCESS) {
		proceed(turn, fetch_of(flight));
	} else if (dir_outcome_of_code(code) == DIR_OUTCOME_NO_SUCH_OBJECT) {
		/* This is no answer to what the asker wanted to know. */
		fetch_of(flight)->answer = NULL;
		proceed(turn, fetch_of(flight));
	} else {
		turn_give_up(turn, flight, dir_outcome_of_code(code), code);
	}
}
