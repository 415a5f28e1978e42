/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session on a domain controller from inside.
 *
 *	dir_watch_controller.c        polls
 *	dir_watch_controller_begin.c  asking, and the beginning
 */
#ifndef WSMAUTHZ_DIRECTORY_DIR_WATCH_CONTROLLER_PRIVATE_H
#define WSMAUTHZ_DIRECTORY_DIR_WATCH_CONTROLLER_PRIVATE_H

#include <base/arena.h>
#include <base/compiler.h>
#include <base/error.h>
#include <base/text.h>
#include <directory/dir_conn.h>
#include <directory/dir_facts.h>
#include <directory/dir_search.h>
#include <directory/dir_usn.h>
#include <directory/dir_watch_controller.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct controller_session {
	struct dir_watch *watch;
	const char *uri; /* borrowed */
	struct dir_conn *conn;
	struct dir_conn_interrupt interrupt;
	struct error *error;

	struct arena *arena; /* of the facts */
	struct dir_facts facts;
	struct text container; /* DN of the domain's deleted objects */
	const char *attributes[DIR_SEARCH_MAX_ATTRIBUTES + 1];
	bool sees_deletions;

	struct dir_usn usn;
	struct text mark;   /* that was told */
	struct text latest; /* of a poll under way */
	struct text filter;
	struct dir_heard_list list; /* of a poll under way */
	uint64_t renew_due_ms;      /* before the ticket of conn ends; UINT64_MAX: it has none */
	uint64_t polled_ms;         /* when the last poll ended */
	uint64_t rest_ms;           /* it is left alone after it, whoever hurries */
	uint64_t pause_ms;          /* ... and when nobody does */
	uint64_t up_since_ms;       /* 0: it is not up */
};

extern const char controller_any_filter[];
/* What explains a step. */
extern const char *const controller_usn_attributes[];

/** Fill the session's error: "'<server>' <what>". @return `status`. */
enum status controller_fail(struct controller_session *session, enum status status, const char *what);
/** Something could not be told. @return `status`. */
enum status controller_fail_telling(struct controller_session *session, enum status status);
/** A search failed: what that is for the watch. @return STATUS_NOT_FOUND: it is not to be had at all. */
enum status controller_fail_search(struct controller_session *session, const struct dir_search *search);

struct dir_search controller_question(const char *base, enum dir_scope scope, const char *filter,
				      const char *const *attributes);
/** DIR_SEARCH_SHOW_DELETED and the like, as far as they are offered. */
unsigned controller_flags(const struct controller_session *session);

/**
 * Ask; each search has an arena.
 * @return STATUS_OK: every search has an outcome, and the connection is still good; STATUS_CANCELLED, STATUS_UNREACHABLE.
 */
NODISCARD enum status controller_exchange(struct controller_session *session, struct dir_turn *turns, size_t count);
/** Ask one search, which gets an arena. @return likewise; STATUS_NO_MEMORY. */
NODISCARD enum status controller_ask(struct controller_session *session, struct dir_search *search,
				     uint64_t patience_ms);

/** Whether this object shows that the account sees what was deleted. */
void controller_look_for_deleted(struct controller_session *session, const struct dir_entry *entry);

/** From the connect to UP. @return STATUS_OK; STATUS_NOT_FOUND: it cannot be watched; else the watch is lost. */
NODISCARD enum status controller_begin(struct controller_session *session);

#endif
