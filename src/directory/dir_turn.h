/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of a turn (dir_conn_exchange) share.
 *
 *	dir_conn_libldap_turn.c, dir_conn_wldap32_turn.c      the searches in flight, their deadlines, and what arrives
 *	dir_conn_libldap_launch.c, dir_conn_wldap32_launch.c  sending one
 *	dir_conn_libldap_answer.c, dir_conn_wldap32_answer.c  its result
 *	dir_turn_entry.c                                      its entries
 *	dir_turn_range.c                                      entries whose values come in parts (dir_range.h)
 *
 *	WAITING --launch--> FLYING --its result--> LANDED
 *	                      |  entries are held     ^
 *	                      '-------> HELD ---------'  the last held entry was delivered
 *
 * An entry whose values come in parts is held: a search of ours (a fetch) reads the further ones beside the searches of
 * the asker, in the same window, and then the entry is delivered. Whatever ends a flight ends its fetches.
 *
 * Threads: the one that owns the connection.
 */
#ifndef WSMAUTHZ_DIRECTORY_DIR_TURN_H
#define WSMAUTHZ_DIRECTORY_DIR_TURN_H

#include <base/arena.h>
#include <base/compiler.h>
#include <dir_library.h>
#include <directory/dir_range.h>

enum flight_state { FLIGHT_WAITING = 0, FLIGHT_FLYING, FLIGHT_HELD, FLIGHT_LANDED };

/* One search on its way. */
struct flight {
	struct dir_search *search;
	uint64_t deadline_ms;
	enum flight_state state;
	int message_id;          /* while flying; wldap32's are unsigned, and used as such */
	struct berval cookie;    /* owned, in the library's way; of the next page */
	struct dir_entry **tail; /* where the next entry is hung */
	size_t entries_on_page;
	size_t empty_pages;
	size_t held;          /* entries that are not delivered yet */
	size_t held_bytes;    /* their memory where it is not the search's own */
	struct flight *owner; /* of a fetch: whose entry it completes; NULL: an asker's own search */
};

struct fetch;

struct turn {
	struct dir_conn *conn;
	struct flight *flights;
	size_t count, next; /* flights before `next` were sent, or landed before they could be */
	struct flight *window[DIR_CONN_WINDOW];
	size_t flying;
	uint64_t nearest_ms; /* no deadline is before this; never later than the nearest one */
	bool has_answer;     /* the server said anything at all */
	size_t timeouts;
	struct fetch *fetches, *last_fetch, *next_fetch; /* in order; those from next_fetch on were not sent */
};

/** End an asker's search, which is not in flight any more, and its fetches. */
void turn_land(struct turn *turn, struct flight *flight, enum dir_outcome outcome, int code);

/** The same for one that may be in flight (it is abandoned); of a fetch: for its owner. */
void turn_give_up(struct turn *turn, struct flight *flight, enum dir_outcome outcome, int code);

/** Tell the server that nobody waits for the answer. */
void turn_abandon(struct turn *turn, const struct flight *flight);

void turn_leave_window(struct turn *turn, const struct flight *flight);

void turn_break_connection(struct turn *turn);

/**
 * Send a search, or its next page, or the next request of a fetch. Where it cannot be sent, the connection is broken; a
 * question that the library refuses is given up (and a fetch is gone).
 */
void turn_launch(struct turn *turn, struct flight *flight);

void turn_take_entry(struct turn *turn, struct flight *flight, LDAPMessage *message);

void turn_take_result(struct turn *turn, struct flight *flight, LDAPMessage *message);

/** An entry could not be had: end its search, or the connection (STATUS_UNREACHABLE). */
void turn_lose_entry(struct turn *turn, struct flight *flight, enum status status, const struct error *error);

/** Hand a whole entry to the asker. @return STATUS_OK, or what turn_lose_entry is to be told. */
NODISCARD enum status turn_deliver(struct flight *flight, struct dir_entry *entry);

/**
 * Hold an entry until its set is whole.
 *
 * @param own      its arena where that is not the search's; NULL: it is. Taken over when the status is STATUS_OK.
 * @param came_as  the entry's DN before it was made plain.
 * @return STATUS_OK; STATUS_NO_MEMORY; STATUS_LIMIT.
 */
NODISCARD enum status turn_hold_entry(struct turn *turn, struct flight *flight, struct dir_entry *entry,
				      struct dir_range_set *set, struct arena *own, const char *came_as,
				      struct error *error);

/** Send the first fetch that was not sent. */
void turn_launch_fetch(struct turn *turn);

void turn_take_fetched_entry(struct turn *turn, struct flight *flight, LDAPMessage *message);

void turn_take_fetched_result(struct turn *turn, struct flight *flight, int code);

/** Free the fetches of a flight, also those under way. */
void turn_drop_fetches(struct turn *turn, const struct flight *owner);

#endif
