/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files dir_pool*.c share; and the constants of dir_pool.h as numbers that a test may choose.
 *
 *	dir_pool.c         opening, closing, submitting; the clock's thread
 *	dir_pool_queue.c   who waits; what becomes of a request that is finished
 *	dir_pool_server.c  which server may be tried, and when again
 *	dir_pool_list.c    which servers there are: another list takes the place of the one before
 *	dir_pool_worker.c  a thread and its connection
 *	dir_pool_turn.c    what a worker takes, exchanges, and makes of the outcome
 *
 * A server's health
 *	proven       a connection to it was made since its last failure: workers connect to it at will
 *	not proven   one worker at a time tries it (the prober); the others wait a moment for what comes of it (hedge_ms),
 *	             then look at the next server. So a dead server is asked once per step of its back-off, a bad
 *	             password is tried once, and a hung first server holds up one worker only.
 *	in back-off  nobody tries it
 *
 * Threads: what ends in _locked needs pool->lock.
 */
#ifndef WSMAUTHZ_DIRECTORY_DIR_POOL_PRIVATE_H
#define WSMAUTHZ_DIRECTORY_DIR_POOL_PRIVATE_H

#include <base/compiler.h>
#include <base/error.h>
#include <directory/dir_conn.h>
#include <directory/dir_locator.h>
#include <directory/dir_pool.h>
#include <directory/dir_servers.h>
#include <os/thread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dir_pool_tuning {
	uint64_t backoff_first_ms, backoff_last_ms;
	uint64_t refused_ms; /* back-off after a refused bind: repeated bad passwords lock accounts out */
	uint64_t failback_ms, failback_connect_ms;
	uint64_t ping_ms;
	uint64_t connect_ms;
	uint64_t hedge_ms;
	uint64_t renew_ahead_ms, renew_again_ms;
	size_t max_waiting;
	struct dir_locator_tuning locator;
};

/** The constants of dir_pool.h. */
extern const struct dir_pool_tuning dir_pool_defaults;

/** dir_pool_open with other numbers. For tests. */
NODISCARD enum status dir_pool_open_tuned(const struct config_directory *directory, struct executor *executor,
					  const struct log *log, const struct dir_pool_tuning *tuning,
					  struct dir_pool **pool_out, struct error *error);

/* The rank of a server that is not of the list any more: it is worse than all. */
#define DIR_SERVER_VANISHED SIZE_MAX

struct dir_server {
	char *uri;    /* owned */
	uint64_t id;  /* from 1 */
	size_t rank;  /* its place in the list */
	size_t users; /* workers that are connected to it, or about to be: it lives as long as it is listed or used */
	bool is_proven;
	bool has_prober;
	uint64_t probed_since_ms;
	uint64_t backoff_until_ms;
	unsigned failures;      /* in a row */
	bool is_unsynchronized; /* what the last failure was: it works, and its data are not whole */
	unsigned losses;        /* connections that broke or hung; wraps */
	uint64_t logged_ms;     /* when a loss was last told */
};

/* Requests in the order of arrival. */
struct dir_queue {
	struct dir_request *first, *last;
	size_t count;
};

struct dir_pool;

struct dir_worker {
	struct dir_pool *pool;
	unsigned number;
	struct thread thread;
	struct condition wake; /* with pool->lock: work, a change of some server's health, or the end */

	/* guarded by pool->lock; all but is_idle written by the worker alone */
	bool is_idle; /* connected, and waits for work; who gives it some clears it */
	bool is_connecting;
	struct dir_conn *conn;
	uint64_t serial;           /* of conn */
	struct dir_server *server; /* of conn: used; NULL without one */
	bool has_worked;           /* conn has answered a turn */
	unsigned losses;           /* of the server, when conn was last known to be good */
	uint64_t last_use_ms;
	uint64_t failback_due_ms;
	uint64_t renew_due_ms; /* before the ticket of conn ends; UINT64_MAX: it has none */
	uint64_t away_from;    /* the id of a server that was busy: move to another one; or 0 */

	/* the worker's own: the turn under way */
	struct dir_turn *turns;
	size_t turn_capacity;
};

struct dir_pool {
	const struct config_directory *directory; /* borrowed */
	struct executor *executor;                /* borrowed */
	const struct log *log;                    /* borrowed */
	struct dir_pool_tuning tuning;

	struct mutex lock;      /* guards everything below, and what struct dir_worker says */
	struct condition alarm; /* for the clock: an earlier deadline, or the end */
	bool is_closing;
	struct dir_queue decisions;
	struct dir_queue bulk;
	uint64_t next_expiry_ms; /* when the clock looks next; UINT64_MAX: never */
	bool is_failing_back;    /* one worker tries a better server */
	bool is_renewing;        /* one worker replaces its connection */
	uint64_t last_serial;    /* of the connections so far */
	struct dir_pool_stats stats;
	struct dir_servers *list; /* a reference: what `servers` were made of; NULL: none yet */
	struct dir_server
	    *servers[DIR_SERVERS_MAX]; /* owned, in the order of preference; the contents guarded by lock */
	size_t server_count;
	uint64_t last_server_id;
	bool is_locating; /* there is no list yet, and it is not known that there will be none */

	struct dir_worker *workers; /* owned */
	size_t worker_count;
	struct thread clock;

	struct dir_locator *locator; /* owned; NULL: the policy names the servers */
	struct dir_locator_listener listener;
};

/* Queues: dir_pool_queue.c */

void dir_queue_append(struct dir_queue *queue, struct dir_request *request);
void dir_queue_prepend(struct dir_queue *queue, struct dir_request *request);
struct dir_request *dir_queue_pop(struct dir_queue *queue);
/** Take `request`, which stands behind `before` (NULL: it is the first). */
void dir_queue_unlink(struct dir_queue *queue, struct dir_request *before, struct dir_request *request);

/** Move what is due to `late`. @return the earliest deadline of the rest, or UINT64_MAX. */
uint64_t dir_queue_expire(struct dir_queue *queue, uint64_t now_ms, struct dir_queue *late);

/** Move everything to the end of `to`. */
void dir_queue_move(struct dir_queue *queue, struct dir_queue *to);

/** Give every search of the requests without an answer this outcome, and post them all. Without the lock, which it takes. */
void dir_pool_finish(struct dir_pool *pool, struct dir_queue *requests, enum dir_outcome outcome);

/** Take care that the clock looks at `deadline_ms` at the latest. */
void dir_pool_watch_deadline_locked(struct dir_pool *pool, uint64_t deadline_ms) REQUIRES(pool->lock);

/** Wake an idle worker that may take it. */
void dir_pool_wake_one_locked(struct dir_pool *pool, enum dir_priority priority) REQUIRES(pool->lock);
/** Wake all: what they may take, or where they may connect to, has changed. */
void dir_pool_wake_all_locked(struct dir_pool *pool) REQUIRES(pool->lock);

/** Nobody is connected or about to be, and no server may be tried: who waits would wait for nothing. */
bool dir_pool_is_hopeless_locked(struct dir_pool *pool, uint64_t now_ms) REQUIRES(pool->lock);

/* Servers: dir_pool_server.c */

/**
 * The server to connect to now.
 *
 * @param avoid     not the one with this id; or 0.
 * @param again_out when to ask again if there is none (UINT64_MAX: when something happens).
 * @return NULL: none.
 */
struct dir_server *dir_server_choose_locked(struct dir_pool *pool, uint64_t avoid, uint64_t now_ms, uint64_t *again_out)
    REQUIRES(pool->lock);

/** True when another server than this one is out of back-off. */
bool dir_server_has_other_locked(struct dir_pool *pool, const struct dir_server *server, uint64_t now_ms)
    REQUIRES(pool->lock);

void dir_server_begin_locked(struct dir_pool *pool, struct dir_server *server, uint64_t now_ms) REQUIRES(pool->lock);

/** It works: told in the log, when that is news. @return how many failures there were before. */
unsigned dir_server_succeeded_locked(struct dir_pool *pool, struct dir_server *server) REQUIRES(pool->lock);

/**
 * It failed: into back-off, unless it is there already.
 *
 * @return how long the back-off lasts, for the log; 0: it was in back-off already, nothing to tell.
 */
uint64_t dir_server_failed_locked(struct dir_pool *pool, struct dir_server *server, enum status why, uint64_t now_ms)
    REQUIRES(pool->lock);

/* The list: dir_pool_list.c */

/** The use of a server by a worker: what is used stays. */
void dir_server_use_locked(struct dir_pool *pool, struct dir_server *server) REQUIRES(pool->lock);
/** NULL-safe; sets the pointer to NULL. */
void dir_server_leave_locked(struct dir_pool *pool, struct dir_server **server) REQUIRES(pool->lock);

/**
 * Take another list. What is known of a server that is in both stays known. Who is connected to one that is better placed now, or not there
 * any more, is told to look for a better one; connections are left only for others that work.
 *
 * @param list  a reference, which becomes the pool's; also on failure.
 * @return STATUS_OK; STATUS_NO_MEMORY: the list before it stays.
 */
NODISCARD enum status dir_pool_take_list_locked(struct dir_pool *pool, struct dir_servers *list) REQUIRES(pool->lock);

/** The listener of the locator: `pool` is the pool. */
void dir_pool_has_located(void *pool);

/** When the pool is closed. */
void dir_pool_free_list(struct dir_pool *pool);

/* Workers: dir_pool_worker.c, dir_pool_turn.c */

/** The thread of a struct dir_worker. */
void dir_worker_run(void *worker);

/** Take what this worker may ask for, a window full at most. @return false: nothing. */
bool dir_worker_take_locked(struct dir_pool *pool, struct dir_worker *worker, struct dir_queue *taken)
    REQUIRES(pool->lock);

/** Exchange what was taken, then finish it or let it wait for a second try. Without the lock meanwhile. */
void dir_worker_serve_locked(struct dir_pool *pool, struct dir_worker *worker, struct dir_queue *taken)
    REQUIRES(pool->lock);

/** The connection broke, or hung (STATUS_TIMEOUT): close it, and note what that says about its server. */
void dir_worker_drop_locked(struct dir_pool *pool, struct dir_worker *worker, enum status why,
			    const struct error *error) REQUIRES(pool->lock);

#endif
