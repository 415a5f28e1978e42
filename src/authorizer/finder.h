/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finding users' entries: one search for one user, or one for many.
 *
 * While few searches are under way a seeker's search goes out at once. When FINDER_WINDOW are under way, seekers
 * wait, and the next search that comes back takes up to FINDER_BATCH of them with it, merged into one filter:
 *
 *	(&<user filter>(|(uid=alice)(uid=bob)(|(mail=carol@corp.example)(uid=carol))...))
 *
 * The entries are dealt back by comparing the names that they show with the names that were asked for
 * (question_is_sender), so a server that matches more than was meant gives nobody another's entry. A merged search
 * that did not succeed says nothing about any of its users: each is asked for again, alone, once, within his
 * deadline; but not where no server could be asked, or time is over.
 * Under load the directory so does less work for a user, not more; alone nobody waits for company.
 *
 * What travels along: the policy's account filter (a second search for the same names), the mark of the database
 * (contextCSN) when somebody wants it, and searches of a seeker's own (extra), who then goes alone.
 *
 *	a seeker     until                                        then
 *	waits        a search comes back and it is his turn,      is asked for, with those behind him or alone
 *	             or his deadline                              is told DIR_OUTCOME_TIMEOUT
 *	is asked for the answer is there                          is told; or waits again, before all others, to go alone
 *	             or, with others, his deadline                is told DIR_OUTCOME_TIMEOUT, whatever becomes of the search
 *	             or, alone, his deadline                      the pool ends the search
 *
 * First come, first served. Threads: the executor's, all functions.
 */
#ifndef WSMAUTHZ_AUTHORIZER_FINDER_H
#define WSMAUTHZ_AUTHORIZER_FINDER_H

#include <base/arena.h>
#include <base/compiler.h>
#include <base/error.h>
#include <config/config.h>
#include <directory/dir_forest.h>
#include <directory/dir_pool.h>
#include <directory/dir_search.h>
#include <identity/sender.h>
#include <os/executor.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Requests to the pool under way at once; more seekers wait for company.
 *
 * Few: what is under way can no longer be merged, and merged it costs the server a fraction. Not fewer: the connections (2; at most 8)
 * must find work that waits when a turn ends. A company that is full gains nothing by waiting, so more of these may be
 * under way, for a server with many threads.
 */
#define FINDER_WINDOW      3
#define FINDER_FULL_WINDOW 12
/* Users in one search: the server compares each entry that it found with half of the names, so more of them cost more again. */
#define FINDER_BATCH 32
/* Nobody more joins a search whose names take so many bytes of the filter; the longest (SENDER_MAX_UPN_UNITS) has 18 KB. */
#define FINDER_MAX_NAMES_BYTES ((size_t)32 * 1024)

struct finder;
struct finder_list;
struct trace;

struct finder_seeker {
	/* the question: lives until `found` */
	const struct sender *sender;
	struct arena *arena; /* where the answer goes */
	uint64_t deadline_ms;
	const char *mark_base; /* the database whose mark is wanted in the same round trip; NULL: not wanted */
	/* More searches of the same round trip, made by dir_search_init. Answered in place; untouched when never sent. */
	struct dir_search *extra;
	size_t extra_count;
	struct trace *trace;                         /* what was asked is told there; NULL: nobody wants to know */
	void (*found)(struct finder_seeker *seeker); /* once, never inside finder_seek */
	void *context;

	/* the answer */
	enum dir_outcome outcome; /* of the search for the user */
	/* In words: when `outcome` is not OK, or else when `filter_outcome` is not. Its status is OK when both are. */
	struct error error;
	/* Copies of those that answer to the sender's name; look-alikes left out. LIMIT: perhaps not all. */
	struct dir_entry *entries;
	bool passes_account_filter;      /* the first of them does; true when there is no such filter */
	enum dir_outcome filter_outcome; /* of that search; OK when there is no such filter */
	const char *mark;                /* as closure_mark_of says it; NULL: not asked, or none */
	uint64_t connection;             /* which connection of the pool answered: dir_request.connection */

	/* private */
	struct finder_seeker *before, *next;
	struct finder_list *list; /* which he is in */
	struct timer patience;
	bool alone;
	struct dir_entry **entries_end;
	const struct dir_entry *dealt; /* the last entry that he got a copy of */
};

/**
 * @param attributes   of a user's entry, NULL-terminated; borrowed, as are all others. Those that users are
 *                     looked up by (objectSid too) must be among them: by these an entry is known again.
 * @return NULL when memory ran out.
 */
NODISCARD struct finder *finder_open(const struct config *config, const char *const *attributes, struct dir_pool *pool,
				     struct executor *executor);

/**
 * The server turned out to be what it is: later searches go by this. Until then the server is taken for no Active Directory.
 *
 * @param directory     question_adapt's; borrowed until the next call, or the finder's end.
 * @param forest        likewise; NULL: no Active Directory.
 * @param search_flags  dir_facts_search_flags
 * @param attributes    as finder_open's, which must stay: searches with them may be under way.
 */
void finder_set_directory(struct finder *finder, const struct config_directory *directory,
			  const struct dir_forest *forest, unsigned search_flags, const char *const *attributes);

/** Nobody seeks any more, the pool has been stopped, and the executor has run dry. NULL-safe; sets the pointer to NULL. */
void finder_close(struct finder **finder);

/**
 * Find this user. The answer and the private part need not be cleared.
 *
 * When the pool is stopped, who waits is told DIR_OUTCOME_UNAVAILABLE like everybody else. An answer for which there
 * is no memory is DIR_OUTCOME_NO_MEMORY; one that does not fit into the seeker's arena, DIR_OUTCOME_LIMIT without entries.
 *
 * @return STATUS_OK; STATUS_NO_MEMORY: `found` will not be called.
 */
NODISCARD enum status finder_seek(struct finder *finder, struct finder_seeker *seeker);

#endif
