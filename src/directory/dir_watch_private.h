/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files dir_watch*.c share; and the constants of dir_watch.h and dir_pool.h as numbers that a test may choose.
 *
 *	dir_watch.c          opening, closing; the thread: which server is tried, and when
 *	dir_watch_libldap*.c a session by RFC 4533: from the connect until the connection is of no more use
 *	dir_watch_polled.c   the same by polling contextCSN, on Windows
 *	dir_watch_controller.h  a session on a domain controller
 *	dir_watch_list.c     which servers there are, and which one is preferred
 *	dir_watch_means.c    what a watch rests on, in words
 *	dir_watch_queue.c    what was told and not yet heard
 *	dir_wake.h           ends a wait
 *	dir_sync.h           RFC 4533
 *	dir_psearch.h        persistent search
 *
 * Locks: dir_watch.lock, dir_watch_queue.lock; never both. Nothing is told, and nothing waits, under one.
 */
#ifndef WSMAUTHZ_DIRECTORY_DIR_WATCH_PRIVATE_H
#define WSMAUTHZ_DIRECTORY_DIR_WATCH_PRIVATE_H

#include <base/compiler.h>
#include <base/error.h>
#include <config/config.h>
#include <directory/dir_locator.h>
#include <directory/dir_servers.h>
#include <directory/dir_wake.h>
#include <directory/dir_watch.h>
#include <os/executor.h>
#include <os/thread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dir_watch_tuning {
	uint64_t backoff_first_ms, backoff_last_ms;
	uint64_t refused_ms;
	uint64_t ask_again_ms;
	uint64_t connect_ms; /* to connect; and for an answer */
	uint64_t refresh_ms;
	uint64_t ping_ms;
	uint64_t steady_ms;
	uint64_t poll_ms, linger_ms, poll_rest, hurry_ms; /* domain controllers, as is all down to max_steps */
	uint64_t renew_ahead_ms, renew_again_ms;
	uint64_t overlap_ms; /* for how long missing steps of the USN are asked for again (dir_usn.h) */
	size_t max_steps;
	uint64_t settle_ms;
	size_t max_queued, max_queued_bytes;
};

/** The constants of dir_watch.h and dir_pool.h. */
extern const struct dir_watch_tuning dir_watch_defaults;

/* The parameters of dir_watch_open, and the numbers. */
struct dir_watch_plan {
	const struct config_directory *directory;
	const char *const *attributes;
	struct executor *executor;
	const struct log *log;
	struct dir_watch_tuning tuning;
	dir_watch_fn *heard;
	void *context;
};

/** dir_watch_open with other numbers. For tests. */
NODISCARD enum status dir_watch_open_tuned(const struct dir_watch_plan *plan, struct dir_watch **watch_out,
					   struct error *error);

/* The queue: dir_watch_queue.c */

/* An event and all that it shows, in one block. */
struct dir_heard {
	struct dir_watch_event event;
	size_t bytes; /* of the block */
	struct dir_heard *next;
};

struct dir_heard_list {
	struct dir_heard *first, *last;
	size_t count, bytes;
};

struct dir_watch_queue {
	struct executor *executor; /* borrowed */
	dir_watch_fn *heard;
	void *context;
	size_t max_count, max_bytes;
	struct task task;

	struct mutex lock; /* guards what follows */
	bool is_posted;    /* the task is posted, or runs */
	bool is_closed;
	struct dir_heard_list waiting;
	/* The one LOST that may wait: telling it needs no memory. */
	struct dir_heard lost;
	struct error lost_error;
	bool lost_waits;
};

void dir_watch_queue_init(struct dir_watch_queue *queue, struct executor *executor, dir_watch_fn *heard, void *context,
			  size_t max_count, size_t max_bytes);
/** Nothing is told any more, once a telling that is under way has returned. */
void dir_watch_queue_close(struct dir_watch_queue *queue);
/** dir_watch_queue_close, and free; the executor has run what was posted. */
void dir_watch_queue_done(struct dir_watch_queue *queue);

/**
 * Tell a copy of an event (any but LOST).
 * @return STATUS_OK; STATUS_NO_MEMORY or STATUS_LIMIT: it was not told, and the watch must begin anew.
 */
NODISCARD enum status dir_watch_queue_tell(struct dir_watch_queue *queue, const struct dir_watch_event *event);

/** Tell all of the list, which is empty afterwards, also on failure. @return as dir_watch_queue_tell. */
NODISCARD enum status dir_watch_queue_tell_list(struct dir_watch_queue *queue, struct dir_heard_list *list);

/** Tell that the watch is lost. `drop`: forget everything that was not heard yet. */
void dir_watch_queue_tell_lost(struct dir_watch_queue *queue, const struct error *error, bool drop);

/** Append a copy of an event to a list, within the queue's limits. @return as dir_watch_queue_tell. */
NODISCARD enum status dir_heard_list_add(struct dir_heard_list *list, const struct dir_watch_queue *queue,
					 const struct dir_watch_event *event);
void dir_heard_list_clear(struct dir_heard_list *list);

/* The thread: dir_watch.c */

struct dir_watch_server {
	uint64_t not_before_ms; /* in back-off until then */
	unsigned failures;      /* in a row */
};

/* What was told last, LOST and UNSUPPORTED being told once. */
enum dir_watch_told { DIR_WATCH_TOLD_NOTHING = 0, DIR_WATCH_TOLD_UP, DIR_WATCH_TOLD_LOST, DIR_WATCH_TOLD_UNSUPPORTED };

struct dir_watch {
	const struct config_directory *directory; /* borrowed */
	const char *const *attributes;            /* borrowed */
	const struct log *log;                    /* borrowed */
	struct dir_watch_tuning tuning;

	struct dir_watch_queue queue;
	struct dir_wake wake; /* base was set, a proof is wanted, or is_stopping */
	struct thread thread;

	struct dir_locator *locator; /* borrowed; NULL: the list never changes. Set before base */
	struct dir_locator_listener listener;

	struct mutex
	    lock;   /* guards: base (which is set once), is_stopping, is_list_new, preferred, watched, server, orders,
			    wanted_proof */
	char *base; /* owned; NULL: not begun */
	bool is_stopping;
	bool is_list_new;      /* the locator has perhaps another list */
	char *preferred;       /* owned: URI that dir_watch_prefer named last; NULL: none */
	const char *watched;   /* borrowed: URI of the domain controller that the thread is at; NULL: none */
	const char *server;    /* borrowed: URI of the server that the thread is at; NULL: none */
	unsigned orders;       /* how often dir_watch_prefer named one that is not watched */
	uint64_t wanted_proof; /* of dir_watch_prove; 0: none */

	/* A thread that is going to wait for long sets is_asleep and then reads used_ms; dir_watch_use does the reverse. */
	atomic_uint_least64_t used_ms; /* when dir_watch_use was called last */
	atomic_bool is_asleep;
	atomic_bool is_hurried; /* by dir_watch_hurry, since the last poll began */

	/* the thread's own */
	struct dir_servers *list;                         /* a reference; NULL: none yet */
	struct dir_watch_server servers[DIR_SERVERS_MAX]; /* those of the list, in its order */
	enum dir_watch_told told;
	unsigned obeyed;    /* `orders`, when the server was chosen */
	uint64_t logged_ms; /* when a loss was last logged; 0: never */
};

#define DIR_WATCH_NO_SERVER SIZE_MAX

bool dir_watch_is_stopping(struct dir_watch *watch);
/** Somebody decides, or did in the last `linger_ms`. False: dir_watch_use ends a wait from now on. */
bool dir_watch_is_used(struct dir_watch *watch, uint64_t now_ms);
/** dir_watch_prefer has named another server than that one since it was chosen, and that may be tried. Threads: the watch's own. */
bool dir_watch_is_ordered_away(struct dir_watch *watch, const char *uri);
/** The number of the proof that is wanted, which is not wanted any more then; 0: none. */
uint64_t dir_watch_take_proof(struct dir_watch *watch);

/* The list of servers: dir_watch_list.c. Threads: the watch's own. */

/** Take another list, if the locator has one. */
void dir_watch_refresh_list(struct dir_watch *watch);
/** Which server the thread is at; NULL: none. @param uri  borrowed until the next call. */
void dir_watch_note_server(struct dir_watch *watch, const char *uri);
/** The number of a server in the list; or DIR_WATCH_NO_SERVER. */
size_t dir_watch_find(const struct dir_watch *watch, const char *uri);
/** The number of the one that dir_watch_prefer named last; or DIR_WATCH_NO_SERVER. */
size_t dir_watch_preferred(struct dir_watch *watch);
/** dir_watch_refresh_list; then, whether this server is not among the directory's any more. */
bool dir_watch_has_lost_server(struct dir_watch *watch, const char *uri);

/* A session: dir_watch_libldap.c, dir_watch_polled.c */

enum dir_session_end {
	DIR_SESSION_STOPPED = 0, /* by dir_watch_stop */
	DIR_SESSION_UNSUPPORTED,
	DIR_SESSION_BROKEN,  /* could not connect, or lost the connection, or the server's count of changes */
	DIR_SESSION_REFUSED, /* the bind was */
	DIR_SESSION_OVERRUN, /* something could not be told */
	DIR_SESSION_MOVED,   /* dir_watch_prefer, or the server is listed no more */
};

/**
 * Connect, watch, and disconnect when that has ended.
 *
 * @param up_since_ms_out  0: it was not up; else UP was told then.
 * @param error            filled, but when it was stopped.
 */
enum dir_session_end dir_watch_session(struct dir_watch *watch, const char *uri, uint64_t *up_since_ms_out,
				       struct error *error);

#endif
