/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A watch: a connection of its own on which the directory tells what changes, as it changes.
 *
 *	state      what happens                                                    next
 *	IDLE       waits for dir_watch_begin                                       STARTING
 *	DOWN       waits (back-off, or another try)                                STARTING
 *	STARTING   connect, read contextCSN of the base, ask for changes since it  UP, or DOWN
 *	UP         every change is told                                            DOWN when the connection is lost
 *
 * OpenLDAP: RFC 4533 refreshAndPersist from the current contextCSN, so that no content is sent at first. (libldap's own ldap_sync_*
 * loses messages when several wait, and blocks; so it is decoded here.) A server that begins to list what it has, or that wants
 * its content read anew, has lost count of what changed: then the watch begins anew, from a new mark.
 *
 * Servers are tried in the policy's order, each with a back-off like the pool's (dir_pool.h); one that broke a watch which had been
 * up for DIR_WATCH_STEADY_MS is tried again at once, once. A silent server is asked something every DIR_POOL_PING_MS.
 *
 * What is told runs on the executor, in the order of arrival, and never while another is being told:
 *
 *	DIR_WATCH_UP           `mark` is where it begins: every later change of that server will be told
 *	DIR_WATCH_CHANGE       an entry changed, and how; `mark` when the server said one
 *	DIR_WATCH_MARK         nothing that is told changed, but the database has: `mark`
 *	DIR_WATCH_LOST         changes may go unseen from now on, and some of the last ones were perhaps not told; `error` says why. It tries
 *	                       again by itself, and says UP then. Told once, also when there was no UP before it
 *	DIR_WATCH_UNSUPPORTED  the server has no such thing for this base, `error` says why; asked again after DIR_WATCH_ASK_AGAIN_MS, and told
 *	                       again when something else was told in between
 *
 * Sources: RFC 4533 (sections 2.2 to 2.5, 3.3, 3.4); RFC 4511 section 4.13 (intermediate responses).
 */
#ifndef WSMAUTHZ_DIRECTORY_DIR_WATCH_H
#define WSMAUTHZ_DIRECTORY_DIR_WATCH_H

#include <base/compiler.h>
#include <base/error.h>
#include <base/log.h>
#include <config/config.h>
#include <directory/dir_search.h>
#include <os/executor.h>
#include <stddef.h>

#define DIR_WATCH_ASK_AGAIN_MS 60000
/* What was told and not yet heard; more, and the watch is lost and begins again: whoever hears so slowly has to read everything anyway. */
#define DIR_WATCH_MAX_QUEUED 65536
/* The same in bytes. */
#define DIR_WATCH_MAX_QUEUED_BYTES ((size_t)64 * 1024 * 1024)
/* Between "tell me of changes since this mark" and the word that there are no more. */
#define DIR_WATCH_REFRESH_MS 30000
/* A watch that was up for a shorter time than this has failed. */
#define DIR_WATCH_STEADY_MS 1000

enum dir_watch_kind {
	DIR_WATCH_UP = 0,
	DIR_WATCH_CHANGE,
	DIR_WATCH_MARK,
	DIR_WATCH_LOST,
	DIR_WATCH_UNSUPPORTED,
};

enum dir_change { DIR_CHANGE_MODIFY = 0, DIR_CHANGE_ADD, DIR_CHANGE_DELETE };

/* Lives until the listener returns. */
struct dir_watch_event {
	enum dir_watch_kind kind;
	enum dir_change
	    change; /* CHANGE; a renamed entry is MODIFY with its new DN; MODIFY may also be of an entry that is new */
	const struct dir_entry
	    *entry;     /* CHANGE; its DN now, and the attributes asked for; DELETE: the DN it had, perhaps "" */
	const char *id; /* CHANGE: entryUUID, as its attribute shows it ("8-4-4-4-12", lower case) */
	const char *
	    mark; /* UP: contextCSN, the values sorted and joined by blanks; CHANGE, MARK: one or more such values; NULL: not said */
	const struct error *error; /* LOST, UNSUPPORTED */
};

typedef void dir_watch_fn(void *context, const struct dir_watch_event *event);

struct dir_watch;

/**
 * Start the thread. It asks nobody before dir_watch_begin.
 *
 * @param directory   borrowed, as are `attributes` (NULL-terminated) and `log`, until dir_watch_close.
 * @param attributes  of each changed entry; at most DIR_SEARCH_MAX_ATTRIBUTES.
 * @param heard       on `executor`, which outlives the watch.
 * @return STATUS_OK, STATUS_NO_MEMORY, STATUS_LIMIT (no thread, no descriptors).
 */
NODISCARD enum status dir_watch_open(const struct config_directory *directory, const char *const *attributes,
				     struct executor *executor, const struct log *log, dir_watch_fn *heard,
				     void *context, struct dir_watch **watch_out, struct error *error);

/**
 * Begin. Does not wait for the server. Once; later calls change nothing.
 *
 * @param base  copied: the naming context whose contextCSN moves with every change.
 * @return STATUS_OK; STATUS_NO_MEMORY: nothing was begun, and it may be called again.
 * Threads: any.
 */
enum status dir_watch_begin(struct dir_watch *watch, const char *base);

/**
 * End the thread, also one that has not begun; nothing is told any more once this has returned and the executor's tasks so far have run.
 * Returns at once, or, while it connects or sends, within DIR_POOL_CONNECT_MS; only the system's name resolution may take
 * longer. Not from the executor's thread. Twice is allowed.
 */
void dir_watch_stop(struct dir_watch *watch);

/** dir_watch_stop, then free; the executor has run what was posted. NULL-safe; sets the pointer to NULL. */
void dir_watch_close(struct dir_watch **watch);

#endif
