/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pool: a few connections to one directory, each with a thread of its own, shared by all who ask.
 *
 * The story of a request
 *	An asker fills a struct dir_request (one or more searches that travel together: one round
 *	trip) and submits it. Submitting touches no network. A worker that is free and connected takes everything
 *	that waits (up to DIR_CONN_WINDOW searches), exchanges it in one turn, and posts each finished request to the asker's
 *	executor, where its `done` runs: exactly once, never inside dir_pool_submit, at the latest at its deadline plus a moment.
 *
 * Servers
 *	They are those of the policy; or, where it names a domain, those that DNS has for it (dir_locator.h). Another list
 *	takes the place of the first while requests go on: what is known of a server stays known, new ones are tried when there is a reason, and who is
 *	connected to one that is gone moves, as if back to a better one, when another is connected; until then it stays.
 *	Before the first list is there requests wait; when there is none they fail at once.
 *	Workers connect to the first server, in the policy's order, that is not in back-off. A
 *	server that fails goes into back-off: DIR_POOL_BACKOFF_FIRST_MS doubling to DIR_POOL_BACKOFF_LAST_MS, each with jitter.
 *	A connection that breaks hands its unanswered requests to another connection once, within
 *	their deadline; so does a server that is busy, where there is another one. A request is repeated
 *	whole, and alone: if it is what breaks connections, it breaks no other's.
 *	A connection that had worked and broke is made anew at once, without a back-off: the server perhaps closed
 *	it for being idle. One that hung, or never worked, puts its server into back-off.
 *	A domain controller that says isSynchronized: FALSE is not read from: what it shows may be long past. It is asked when a connection is
 *	made, before any request is given to it, and with every ping; it goes into back-off like a server that fails, told once.
 *	A server that refuses the bind is left alone for DIR_POOL_BACKOFF_REFUSED_MS.
 *	A server that is not known to work is tried by one worker at a time.
 *	A worker on a server that is not the first looks every DIR_POOL_FAILBACK_MS, when it is idle,
 *	whether a better one answers, and moves there.
 *	A connection whose Kerberos ticket nears its end is replaced by a new one; see DIR_POOL_RENEW_AHEAD_MS.
 *	While every server is in back-off a request fails at once with DIR_OUTCOME_UNAVAILABLE, and DNS is asked again.
 *
 *	worker state   what happens                                    next
 *	IDLE           nothing waits, or no server may be tried        CONNECTING
 *	CONNECTING     dir_conn_open within the connect time-out       READY, or IDLE (server into back-off)
 *	READY          takes what waits                                BUSY; pings after DIR_POOL_PING_MS of silence
 *	BUSY           dir_conn_exchange                               READY, or IDLE when the connection broke
 *
 * Bulk requests (closure loads) are taken by the first worker alone, so that with two connections
 * or more a long load never stands in the way of a decision.
 *
 * Locks: one, in the pool; no callback and no I/O runs under it.
 */
#ifndef WSMAUTHZ_DIRECTORY_DIR_POOL_H
#define WSMAUTHZ_DIRECTORY_DIR_POOL_H

#include <base/compiler.h>
#include <base/error.h>
#include <base/log.h>
#include <config/config.h>
#include <directory/dir_search.h>
#include <os/executor.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DIR_POOL_BACKOFF_FIRST_MS 250
#define DIR_POOL_BACKOFF_LAST_MS  15000
#define DIR_POOL_FAILBACK_MS      30000
/* Below every idle limit we know of (AD 900 s, firewalls 300 s and more). */
#define DIR_POOL_PING_MS 60000
/* Requests that wait for a worker; more are answered with DIR_OUTCOME_BUSY at once. */
#define DIR_POOL_MAX_WAITING 16384
/* A connection attempt may take this long, whatever a request's own deadline: a hung first server must not eat it whole. */
#define DIR_POOL_CONNECT_MS 2000
/* After a refused bind: trying again cures no wrong password, and locks the account. */
#define DIR_POOL_BACKOFF_REFUSED_MS 60000
/* While one worker tries a server that is not known to work, the others wait this long before they look at the next. */
#define DIR_POOL_HEDGE_MS 250
/* The look at a better server keeps its worker from work: shorter than a connect that somebody needs. */
#define DIR_POOL_FAILBACK_CONNECT_MS 500

/*
 * A Kerberos ticket is good for hours, and the server ends the connection with it: a new connection takes the old one's place so
 * long before (a fifth of the ticket's time at most, and a random part of it earlier still, so that hosts that started together do not ask
 * together). One worker at a time, so that the others answer even while a KDC hangs. Where that fails the old connection goes on, and
 * it is tried again.
 */
#define DIR_POOL_RENEW_AHEAD_MS 600000
#define DIR_POOL_RENEW_AGAIN_MS 30000

/* Of a server's URI in the statistics: a host's name fits. */
#define DIR_POOL_SHOWN_BYTES 288

struct dir_pool;
struct dir_locator;

enum dir_priority { DIR_PRIORITY_DECISION = 0, DIR_PRIORITY_BULK };

struct dir_request {
	struct dir_search *searches; /* an array; sent together */
	size_t search_count;
	uint64_t deadline_ms; /* clock_monotonic_ms() */
	enum dir_priority priority;
	/*
	 * The last search reads a mark, as a witness of how far the server has got. It is sent before the others: they then show that
	 * state, or a later one, as long as the server begins with what it gets first.
	 */
	bool witness_is_last;
	void (*done)(struct dir_request *request); /* on the pool's executor */
	void *context;
	uint64_t
	    connection; /* the answer: the connection that gave it, numbered since the pool was opened; 0: none did */

	/* private to the pool */
	struct task task;
	struct dir_request *next;
	uint64_t avoid; /* the id of a server that was busy; or 0 */
	bool retried;
};

/** What a pool can say about itself; counters since it was opened. `failovers`: requests that were sent a second time. */
struct dir_pool_stats {
	uint64_t requests, searches, turns, connects, connect_failures, failovers, timeouts;
	uint64_t
	    received; /* bytes of the answers, as they were on the wire; what opening a connection takes is not in it */
	unsigned connected; /* workers with a connection now */
	char server_uri
	    [DIR_POOL_SHOWN_BYTES]; /* of the first connected worker, cut if it is long; "": none is connected */
};

/**
 * Start the workers. Does not wait for a connection: an unreachable directory is not an error here.
 *
 * @param directory  borrowed until dir_pool_close (the caller holds the configuration).
 * @param executor   where `done` runs; must outlive the pool.
 * @param log        where connects, losses and back-offs are told; borrowed likewise.
 * @return STATUS_OK, STATUS_NO_MEMORY, STATUS_LIMIT (no threads), STATUS_INTERNAL (no random numbers).
 */
NODISCARD enum status dir_pool_open(const struct config_directory *directory, struct executor *executor,
				    const struct log *log, struct dir_pool **pool_out, struct error *error);

/**
 * Stop: what waits is finished with DIR_OUTCOME_UNAVAILABLE, what is in flight when its turn
 * ends (within its deadline), then the threads are joined. All `done`s were posted when it returns.
 * What is submitted from now on is finished with DIR_OUTCOME_UNAVAILABLE too (posted, as ever), so that whoever
 * is in the middle of something ends by itself. Not from the executor's thread. Twice is allowed.
 */
void dir_pool_stop(struct dir_pool *pool);

/** dir_pool_stop, then free; the executor has run every `done`. NULL-safe; sets the pointer to NULL. */
void dir_pool_close(struct dir_pool **pool);

/**
 * Ask. Each search must have been made by dir_search_init and have its question filled in.
 * The request and all it points to live until `done` runs. Never fails: failures are outcomes.
 * Threads: any.
 */
void dir_pool_submit(struct dir_pool *pool, struct dir_request *request);

/** Who finds the servers; NULL: the policy names them. Valid until dir_pool_close. Threads: any. */
struct dir_locator *dir_pool_locator(struct dir_pool *pool);

/**
 * Whose answers a connection brings (dir_request.connection).
 * @return false: there is no such connection any more, or the URI is too long.
 * Threads: any.
 */
NODISCARD bool dir_pool_server_of(struct dir_pool *pool, uint64_t connection, char uri_out[DIR_POOL_SHOWN_BYTES]);

/** Threads: any. */
void dir_pool_stats(struct dir_pool *pool, struct dir_pool_stats *stats_out);

#endif
