/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All users of the policy's directory, one after the other, while they come: a paged search on a connection and a thread of its
 * own, so that whoever takes them may make it wait.
 *
 *	users_open    the thread begins: a server is found, connected to and asked
 *	users_tick    now and then: a server that says nothing any more is left
 *	users_close   the search ends, if it has not yet, and the thread with it
 *
 * The list is whole when `ended` says STATUS_OK, and only then.
 *
 * Threads: `take` and `ended` run on the thread; all else is called by the one that opened it.
 */
#ifndef WSMAUTHZ_CLI_REPORT_USERS_H
#define WSMAUTHZ_CLI_REPORT_USERS_H

#include <base/compiler.h>
#include <base/error.h>
#include <base/log.h>
#include <config/config.h>
#include <directory/dir_forest.h>
#include <directory/dir_search.h>

/* Entries of a page: what AD gives at most. */
#define USERS_PAGE 1000
/* A server that has said nothing for so long, while nobody made it wait, is dead; finding the first entries of millions may take it some seconds. */
#define USERS_SILENCE_MS 60000

struct users;

struct users_plan {
	const struct config_directory *directory; /* as the server is to be asked; borrowed, as are all others */
	const struct dir_forest *forest;          /* NULL: no Active Directory */
	const struct log *log;
	/* Any of them; may wait. Anything but STATUS_OK ends the list. */
	enum status (*take)(void *context, const struct dir_entry *user);
	/* Once, the last call: STATUS_OK, or why there may be more. */
	void (*ended)(void *context, const struct error *error);
	void *context;
};

/** @return STATUS_OK; STATUS_NO_MEMORY, STATUS_LIMIT (no thread, no descriptors): `ended` will not be called. */
NODISCARD enum status users_open(const struct users_plan *plan, struct users **users_out, struct error *error);

void users_tick(struct users *users);

/** Who waits in `take` must have been let go. NULL-safe; sets the pointer to NULL. */
void users_close(struct users **users);

#endif
