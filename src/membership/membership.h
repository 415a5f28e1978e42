/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which configured groups hold a user.
 *
 * The story of a lookup
 *	membership_begin     says whether the closure has to be read first (WAIT, then begin again), or ASK
 *	membership_prepare   names the searches that should travel with the user's own: the proof that the closure is
 *	                     fresh, the user's groups where there is no member index
 *	(the user's entry arrives)
 *	membership_step      says what is next, until it says DONE or UNKNOWN:
 *	    DONE      lookup->direct are the user's direct groups in lookup->closure
 *	    ASK       lookup->searches want another round trip, then step again
 *	    WAIT      the closure is being read; membership_wait, then step again
 *	    ANEW      the user's entry is too old for the closure: forget it, prepare and ask again; said once
 *	    UNKNOWN   lookup->error says why no answer can be given
 *	membership_done      frees
 *
 * Freshness
 *	A closure may be used by a lookup when it was read after the lookup began, or when the
 *	server's contextCSN, asked in the course of the lookup (or within the policy's unwatched-ttl before it), is the
 *	one that stood there when the closure was read. Where the server has no contextCSN, a closure is used for
 *	unwatched-ttl after it was read.
 *
 *	A contextCSN that nobody keeps (a database without syncprov may show the one that it was loaded with) would prove anything. So
 *	a closure is also read again, beside the decisions, when it is MEMBERSHIP_REREAD_MS old; a group that is newer than
 *	contextCSN gives it away, and from then on the server counts as one without.
 *
 * One moment
 *	What is put together must have been true together, as far as anybody can tell. So the user's entry is asked for after the
 *	closure's MARK, or the same contextCSN stood at both; otherwise it is asked for again (ANEW): a user who is thrown out of a deny
 *	group once his account is disabled must not come out as enabled and not denied. What changes within the one
 *	round trip of an answer stays unseen: no server gives several answers of one moment.
 *
 * Failures
 *	A load that fails answers the lookups that waited for it; the next lookup tries again. After
 *	MEMBERSHIP_QUICK_FAILURES in a row lookups are told the failure for MEMBERSHIP_REST_MS before that.
 *
 * Pins
 *	A configured name is looked up once and then stands for the group with that id, for the life
 *	of this object: a renamed group keeps working, another one under the old name does not take its place.
 *
 * Threads: the executor's of the pool, all functions.
 */
#ifndef WSMAUTHZ_MEMBERSHIP_MEMBERSHIP_H
#define WSMAUTHZ_MEMBERSHIP_MEMBERSHIP_H

#include <base/arena.h>
#include <base/compiler.h>
#include <base/error.h>
#include <base/log.h>
#include <config/config.h>
#include <directory/dir_pool.h>
#include <membership/closure.h>
#include <os/executor.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Searches of one lookup that travel with the user's own: a proof of freshness and the groups. */
#define MEMBERSHIP_FIRST_SEARCHES 2
/* Direct groups of one user; far above what servers and token sizes allow. */
#define MEMBERSHIP_MAX_DIRECT 65536

struct membership;

enum membership_next {
	MEMBERSHIP_UNKNOWN = 0,
	MEMBERSHIP_DONE,
	MEMBERSHIP_ASK,
	MEMBERSHIP_WAIT,
	MEMBERSHIP_ANEW,
};

struct membership_lookup {
	/* given at membership_prepare; all else is zero at membership_begin */
	struct arena *arena;      /* the asker's; what is below lives in it, the searches' answers apart */
	const char *user;         /* the name by which the user is asked for; for a guess at the DN */
	struct dir_search *first; /* room for MEMBERSHIP_FIRST_SEARCHES, cleared; freed by membership_done */

	/* the next round trip: `first`, filled by membership_prepare; later the lookup's own */
	struct dir_search *searches;
	size_t search_count;

	/* the answer */
	struct closure *closure; /* a reference, until membership_done */
	uint32_t *direct;
	size_t direct_count;
	struct error error;

	/* private */
	uint64_t began_us;        /* the first membership_begin */
	uint64_t asked_us;        /* the last membership_prepare */
	bool anew;                /* ANEW was said */
	bool proven;              /* the closure was proven fresh recently enough */
	struct dir_search *proof; /* among the first searches, or NULL */
	struct dir_search *groups;
	const char *guess;    /* the DN that `groups` asked about; NULL: none */
	unsigned guess_kinds; /* of groups that it asked about */
	unsigned asked;       /* how often ASK was said */
};

struct membership_waiter {
	void (*run)(void *context);
	void *context;
	struct membership_waiter *before, *next; /* private */
	bool waiting;                            /* private; false when it is made */
};

/**
 * Begin: the first load starts at once.
 *
 * @param names       the configured groups' DNs; NULL: slot not used. Borrowed, as is `config`, until membership_close.
 * @return STATUS_OK, STATUS_NO_MEMORY, STATUS_INTERNAL (no random numbers).
 */
NODISCARD enum status membership_open(const struct config *config, const char *const *names, size_t name_count,
				      struct dir_pool *pool, struct executor *executor, const struct log *log,
				      struct membership **membership_out, struct error *error);

/** After the pool was stopped and the executor drained. NULL-safe; sets the pointer to NULL. */
void membership_close(struct membership **membership);

/** From now on no load is begun; lookups that would need one are UNKNOWN. */
void membership_stop(struct membership *membership);

/** Attributes of a user's entry that the strategy needs. NULL-terminated. */
const char *const *membership_user_attributes(const struct membership *membership);

/** @return MEMBERSHIP_ASK, MEMBERSHIP_WAIT, or MEMBERSHIP_UNKNOWN (lookup->error says why). */
enum membership_next membership_begin(struct membership *membership, struct membership_lookup *lookup);

/** After MEMBERSHIP_ASK of membership_begin, or MEMBERSHIP_ANEW. @return STATUS_OK or STATUS_NO_MEMORY. */
NODISCARD enum status membership_prepare(struct membership *membership, struct membership_lookup *lookup);

/** `user` is the user's entry; the searches asked for so far have been answered. */
enum membership_next membership_step(struct membership *membership, struct membership_lookup *lookup,
				     const struct dir_entry *user);

/** Run `waiter` once, when the load under way ends (well or not); never inside this call. */
void membership_wait(struct membership *membership, struct membership_waiter *waiter);
/** Forget it; nothing when it does not wait. */
void membership_wait_cancel(struct membership *membership, struct membership_waiter *waiter);

void membership_done(struct membership_lookup *lookup);

/** Whether the closure's `root` holds the user directly or through nested groups. */
bool membership_holds(const struct membership_lookup *lookup, size_t root);

/**
 * A shortest way from the user up to the root: DNs, the user's first, the root's last.
 * @return their number; 0 when the root does not hold the user, or memory ran out.
 */
size_t membership_path(const struct membership_lookup *lookup, size_t root, const char *user_dn,
		       const char *const **path_out);

/** Whether a configured group exists (in the lookup's closure). */
bool membership_exists(const struct membership_lookup *lookup, size_t root);

#endif
