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
 * A domain controller (dir_watch_begin with DIR_MARK_CONTROLLER) has none of this, and its notifications may be 5 s late (Samba): it is
 * polled while somebody decides (dir_watch_use), which dir_watch_controller.h tells of.
 *
 * 389 Directory Server: a persistent search for changes only, where the base shows no contextCSN. It has no marks. The server answers a
 * change, and whatever is asked meanwhile, before it queues the word of it, and sends that from a thread of its own: changes are not told
 * in their order, and an answer to a question may come before the word of a change that was made before it was asked. So DIR_WATCH_SETTLE_MS
 * have to pass, in which all that arrives is told, before an answer says that the search is under way (UP), or that everything up to
 * the question was told (CURRENT).
 *
 * Windows' LDAP library shows too little of either: contextCSN is polled there (dir_watch_polled.c), and whatever changed is UNSEEN.
 *
 * Servers are those of the policy, or those that are found for it (dir_watch_follow): one that is not among them any more is left. They are
 * tried in their order, each with a back-off like the pool's (dir_pool.h); one that broke a watch which had been
 * up for DIR_WATCH_STEADY_MS is tried again at once, once. A silent server is asked something every DIR_POOL_PING_MS.
 *
 * What is told runs on the executor, in the order of arrival, and never while another is being told:
 *
 *	DIR_WATCH_UP           `mark` is where it begins: every later change of that server will be told. Where there are no marks, `server`
 *	                       says which one it is, and every change from now on will be told
 *	DIR_WATCH_CHANGE       an entry changed, and how; `mark` when the server said one
 *	DIR_WATCH_MARK         nothing that is told changed, but the database has: `mark`
 *	DIR_WATCH_UNSEEN       something changed, or was deleted, that the bound account may not see; told before the MARK of that state.
 *	                       Domain controllers only, and only where the account does not see deletions; and where contextCSN is polled
 *	DIR_WATCH_CURRENT      without marks: all that had changed when dir_watch_prove was called was told
 *	DIR_WATCH_LOST         changes may go unseen from now on, and some of the last ones were perhaps not told; `error` says why. It tries
 *	                       again by itself, and says UP then. Told once, also when there was no UP before it
 *	DIR_WATCH_UNSUPPORTED  the server has no such thing for this base, `error` says why; asked again after DIR_WATCH_ASK_AGAIN_MS, and told
 *	                       again when something else was told in between
 *
 * Sources: RFC 4533 (sections 2.2 to 2.5, 3.3, 3.4); RFC 4511 section 4.13 (intermediate responses); draft-ietf-ldapext-psearch-03.
 * Domain controllers: see dir_watch_controller.h.
 */
#ifndef WSMAUTHZ_DIRECTORY_DIR_WATCH_H
#define WSMAUTHZ_DIRECTORY_DIR_WATCH_H

#include <base/compiler.h>
#include <base/error.h>
#include <base/log.h>
#include <config/config.h>
#include <directory/dir_pool.h>
#include <directory/dir_search.h>
#include <os/executor.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DIR_WATCH_ASK_AGAIN_MS 60000
/* What was told and not yet heard; more, and the watch is lost and begins again: whoever hears so slowly has to read everything anyway. */
#define DIR_WATCH_MAX_QUEUED 65536
/* The same in bytes. */
#define DIR_WATCH_MAX_QUEUED_BYTES ((size_t)64 * 1024 * 1024)
/* Between "tell me of changes since this mark" and the word that there are no more. */
#define DIR_WATCH_REFRESH_MS 30000
/* A watch that was up for a shorter time than this has failed. */
#define DIR_WATCH_STEADY_MS 1000
/*
 * Without marks: the word of a change may come so long after the answer to a question that was asked later (measured: 10 ms; 100 ms where
 * the server has a tenth of a processor).
 */
#define DIR_WATCH_SETTLE_MS 50

/*
 * A domain controller is asked this often while somebody decides, and for so long after the last decision; then only every
 * DIR_POOL_PING_MS.
 */
#define DIR_WATCH_POLL_MS   250
#define DIR_WATCH_LINGER_MS 5000
/* It is left alone for so many times as long as its last answer took: a watch is at most a third of one connection's work. */
#define DIR_WATCH_POLL_REST 2
/* ... and for so long at least, whoever waits for the next poll (dir_watch_hurry). */
#define DIR_WATCH_HURRY_MS 20
/*
 * Steps of a domain controller's USN between two polls, or changes that were told and still might come again; more, and the watch is
 * lost and begins again. A busy domain of 100,000 accounts makes some tens a second.
 */
#define DIR_WATCH_MAX_STEPS 16384

enum dir_watch_kind {
	DIR_WATCH_UP = 0,
	DIR_WATCH_CHANGE,
	DIR_WATCH_MARK,
	DIR_WATCH_UNSEEN,
	DIR_WATCH_LOST,
	DIR_WATCH_UNSUPPORTED,
	DIR_WATCH_CURRENT,
};

/* What a watch rests on. */
enum dir_watch_means {
	DIR_WATCH_BY_SYNC = 0, /* RFC 4533 refreshAndPersist */
	DIR_WATCH_BY_PSEARCH,  /* a persistent search */
	DIR_WATCH_BY_USN,      /* highestCommittedUSN of a domain controller, polled */
	DIR_WATCH_BY_CSN,      /* contextCSN, polled: where the LDAP library shows too little for the first two */
};

enum dir_change { DIR_CHANGE_MODIFY = 0, DIR_CHANGE_ADD, DIR_CHANGE_DELETE };

/* Lives until the listener returns. */
struct dir_watch_event {
	enum dir_watch_kind kind;
	enum dir_change
	    change; /* CHANGE; a renamed entry is MODIFY with its new DN; MODIFY may also be of an entry that is new */
	const struct dir_entry
	    *entry; /* CHANGE; its DN now, and the attributes asked for; DELETE: the DN it had, perhaps "" */
	/*
	 * CHANGE: what stays the entry's own, as dir_entry.id has it; DELETE: likewise. RFC 4533: always entryUUID ("8-4-4-4-12", lower
	 * case). A domain controller: objectSid as text; of what has none, objectGUID in the same form as an entryUUID; "": neither is shown.
	 */
	const char *id;
	/*
	 * UP, MARK: what dir_mark.h makes of contextCSN, the values sorted and joined by blanks, or of highestCommittedUSN; CHANGE: one or
	 * more such values; NULL: not said.
	 */
	const char *mark;
	const struct error *error;  /* LOST, UNSUPPORTED */
	const char *server;         /* UP: NULL, or, where there are no marks, the text of dir_psearch_server */
	uint64_t proof;             /* CURRENT: the number that was given to dir_watch_prove */
	enum dir_watch_means means; /* UP */
};

typedef void dir_watch_fn(void *context, const struct dir_watch_event *event);

struct dir_watch;
struct dir_locator;

/** "RFC 4533 refreshAndPersist: each change is told when it is made": for people. Never NULL. */
const char *dir_watch_means_text(enum dir_watch_means means);

/**
 * Start the thread. It asks nobody before dir_watch_begin.
 *
 * @param directory   borrowed, as are `attributes` (NULL-terminated) and `log`, until dir_watch_close.
 * @param attributes  of each changed entry; at most DIR_SEARCH_MAX_ATTRIBUTES; with entryUUID and nsUniqueId, for `id`.
 * @param heard       on `executor`, which outlives the watch.
 * @return STATUS_OK, STATUS_NO_MEMORY, STATUS_LIMIT (no thread, no descriptors).
 */
NODISCARD enum status dir_watch_open(const struct config_directory *directory, const char *const *attributes,
				     struct executor *executor, const struct log *log, dir_watch_fn *heard,
				     void *context, struct dir_watch **watch_out, struct error *error);

/**
 * Its servers are those that the locator finds. Before dir_watch_begin. @param locator  lives until dir_watch_stop; NULL: nothing changes.
 */
void dir_watch_follow(struct dir_watch *watch, struct dir_locator *locator);

/**
 * Begin. Does not wait for the server. Once; later calls change nothing.
 *
 * @param base  copied: the naming context whose contextCSN moves with every change; or DIR_MARK_CONTROLLER: the servers are domain
 *              controllers.
 * @return STATUS_OK; STATUS_NO_MEMORY: nothing was begun, and it may be called again.
 * Threads: any.
 */
enum status dir_watch_begin(struct dir_watch *watch, const char *base);

/**
 * Somebody decides now: a domain controller is polled, at once when it was not before, and for DIR_WATCH_LINGER_MS on. Costs the
 * reading of the clock. Changes nothing where the server tells of changes by itself.
 * Threads: any.
 */
void dir_watch_use(struct dir_watch *watch);

/**
 * The servers have shown more than was told: a domain controller is polled now, or as soon as it had its rest (DIR_WATCH_HURRY_MS at
 * least), not when it is due. Changes nothing where the server tells of changes by itself.
 * Threads: any.
 */
void dir_watch_hurry(struct dir_watch *watch);

/**
 * Watch this domain controller, if it is not the one watched now: the marks of two cannot be compared, so the watch has to be where
 * the answers come from. The watch is LOST and begins there; if that server cannot be watched, where it can. Changes nothing where
 * marks are contextCSN, or while that server is in back-off.
 *
 * @param uri  one of the directory's; others are passed over.
 * Threads: any.
 */
void dir_watch_prefer(struct dir_watch *watch, const char *uri);

/**
 * Have CURRENT told, with this number, or a greater one of a later call. Does not wait. Nothing comes of it when the watch has
 * marks, or is not up.
 * Threads: any.
 */
void dir_watch_prove(struct dir_watch *watch, uint64_t number);

/**
 * The server that is watched, or that is about to be.
 * @return false: none now, or its URI is too long.
 * Threads: any.
 */
NODISCARD bool dir_watch_server_now(struct dir_watch *watch, char uri_out[DIR_POOL_SHOWN_BYTES]);

/**
 * End the thread, also one that has not begun; nothing is told any more once this has returned and the executor's tasks so far have run.
 * Returns at once, or, while it connects or sends, within DIR_POOL_CONNECT_MS; only the system's name resolution may take
 * longer. Not from the executor's thread. Twice is allowed.
 */
void dir_watch_stop(struct dir_watch *watch);

/** dir_watch_stop, then free; the executor has run what was posted. NULL-safe; sets the pointer to NULL. */
void dir_watch_close(struct dir_watch **watch);

#endif
