/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which configured groups hold a user.
 *
 * The story of a lookup
 *	membership_begin     says whether the closure has to be read first (WAIT, then begin again), or ASK
 *	membership_prepare   names what should travel with the user's own search: contextCSN as the proof of freshness, the
 *	                     search for the user's groups where there is no member index
 *	(the user's entry arrives)
 *	membership_step      says what is next, until it says DONE or UNKNOWN:
 *	    DONE      lookup->direct are the user's direct groups in lookup->closure
 *	    ASK       lookup->searches want another round trip, then step again
 *	    WAIT      the closure is being read, or the watch lags; membership_wait, then step again
 *	    ANEW      the user's entry is too old: forget it, prepare and ask again
 *	    UNKNOWN   lookup->error says why no answer can be given
 *	membership_done      frees
 *
 * Freshness, while the directory is watched (directory/dir_watch.h)
 *	Order: the watch is up, then the closure is loaded, then what the watch told meanwhile is applied. From then on the closure is
 *	what the directory had at the watch's mark, but for changes that are pending: a change of a group of the closure is applied by reading that
 *	group again (closure_patch.h), one that may move names about by loading the closure again. A lookup waits for what is pending.
 *	The watch has to see the server that answers. Both show contextCSN: an answer counts when it came by a connection that has
 *	shown what the watch had told when the lookup asked, or more. One that is behind it lags; it is asked again until the deadline.
 *	A watch that hangs proves nothing by its silence. So freshness is a lease: contextCSN, asked through the pool, proves that the watch has
 *	told everything up to that moment, and holds for MEMBERSHIP_LEASE_MS. Nobody asks for a lease that nobody needs: an idle host costs the directory nothing.
 *	With cache/@ttl="0s" no lease counts for a lookup: contextCSN comes with each answer, and what it shows is awaited.
 *	What the pool shows and the watch does not tell within MEMBERSHIP_DOUBT_MS proves the watch to be behind: it then counts as down until it has told it.
 *
 *	A domain controller is polled, and only while somebody decides: who begins a lookup or asks for a lease says so, and who is shown more
 *	than was told has it polled at once. Marks of two controllers cannot be compared: the watch follows the pool to the one that
 *	answers, once its own has not answered for a while. What changed unseen (deletions) may be anybody: everybody is
 *	looked up again, and whether all groups of the closure exist still is asked in one round trip.
 *	A controller that the pool fails over to may lack what was seen at the one before: whom that concerns is not answered until it has
 *	replicated (membership_lag.h). So the user's entry and the closure have to be of one controller, also while nothing is watched.
 *
 * Freshness under a watch without marks (a persistent search: 389 Directory Server)
 *	The same order. Answers show who the server is, once a connection: it has to be the one that is watched, or the directory counts as not
 *	watched until a load finds that it is. What proves that everything is told is the watch itself (dir_watch_prove), and without that proof no
 *	lookup ends; with cache/@ttl="0s" it has to be one that was asked for after the lookup had begun. It is worth what the server's
 *	scheduling is worth: a change whose word takes more than DIR_WATCH_SETTLE_MS longer than the answer to a later question is heeded
 *	when it comes, and not before.
 *
 * Freshness, while it is not
 *	A closure may be used by a lookup when it was read after the lookup began, or when the
 *	server's contextCSN, asked in the course of the lookup (or within the policy's unwatched-ttl before it), is the
 *	one that stood there when the closure was read. Where the server has no contextCSN, a closure is used for
 *	unwatched-ttl after it was read. contextCSN that stands still is a lease here too: nothing at all has changed.
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
#include <directory/dir_facts.h>
#include <directory/dir_forest.h>
#include <directory/dir_pool.h>
#include <membership/closure.h>
#include <os/executor.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Searches of one lookup that travel with the user's own: the groups. */
#define MEMBERSHIP_FIRST_SEARCHES 1
/* How long a proof of freshness holds: a revocation is seen at the latest so long after it. */
#define MEMBERSHIP_LEASE_MS 1000
/* A change that is heard of and not yet applied ends the lease after this time. */
#define MEMBERSHIP_PENDING_MS 400
/* What the pool has seen, the watch has to tell within this time. */
#define MEMBERSHIP_DOUBT_MS 250
/* Without marks: within this time the watch has to prove that it lives, DIR_WATCH_SETTLE_MS included. Less than half a lease. */
#define MEMBERSHIP_UNMARKED_DOUBT_MS 450
/*
 * What roles and classes of service give to other entries, 389 Directory Server shows a moment after it has told of them (measured: see
 * tests/integration/dirsrv/live.py): everything is asked about anew then, and again after each of these times.
 */
#define MEMBERSHIP_RIPPLES_MS                                                                                          \
	{                                                                                                              \
		200, 800, 4000                                                                                         \
	}
/* A server that is behind the watch is asked again after this time. */
#define MEMBERSHIP_LAG_MS 20
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
	uint64_t question;        /* a keyed hash of whom it is about, the same each time */
	struct dir_search *first; /* room for MEMBERSHIP_FIRST_SEARCHES, cleared; freed by membership_done */

	/* the next round trip: with the user's own search, filled by membership_prepare; later the lookup's own */
	const char *mark_base; /* whose contextCSN is wanted with it; NULL: none */
	struct dir_search *searches;
	size_t search_count;

	/* what came with the user's entry; given before membership_step */
	const char *mark;    /* contextCSN, in the arena; NULL: none */
	uint64_t connection; /* dir_request.connection */

	/* the answer */
	struct closure *closure; /* a reference, until membership_done */
	uint64_t
	    fresh_us; /* it is what the directory had then, or later (clock_monotonic_us()): a verdict is no younger */
	uint32_t *direct;
	size_t direct_count;
	uint64_t
	    ends_us; /* then a membership ends by itself (clock_monotonic_us()), and nobody tells; UINT64_MAX: none does */
	struct error error;

	/* private */
	uint64_t began_us;    /* the first membership_begin */
	uint64_t asked_us;    /* the last membership_prepare */
	bool watched;         /* ... was under the watch */
	uint64_t told_serial; /* ... which had told so much */
	const char *told;
	const char *closure_mark; /* of the closure, when `mark_base` was asked for; NULL: it had none */
	unsigned anews;           /* how often ANEW was said */
	unsigned lags;            /* ... because the server was behind */
	bool rests;               /* WAIT was said until a server that is behind has caught up */
	bool waits_for_mark;      /* WAIT was said until the watch has told more, or a moment has passed */
	bool is_of_one_moment;    /* ANEW was said because the user's entry was older than the closure */
	bool proven;              /* the closure was proven fresh recently enough */
	struct dir_search *groups;
	const char *guess;    /* the DN that `groups` asked about; NULL: none */
	unsigned guess_kinds; /* of groups that it asked about */
	unsigned asked;       /* how often ASK was said */
};

/*
 * Who hears of changes. All run on the executor; none may call back. Hashes are of what a user's verdict may depend
 * on: see membership_hashes, membership_id_hash and membership_name_hash.
 */
struct membership_listener {
	void (*touched)(void *context, uint64_t hash);
	void (*everything_touched)(void *context);
	/* A load has ended well: membership_forest and membership_search_flags may say something else now. */
	void (*learned)(void *context);
	/* What is cached may be served until then (clock_monotonic_ms()) without asking; 0: not at all. May go back. */
	void (*leased)(void *context, uint64_t until_ms);
	void *context;
};

struct membership_waiter {
	void (*run)(void *context);
	void *context;
	struct membership_waiter *before, *next; /* private */
	struct membership_waiter **list;         /* private: the one that it is in; NULL when it is made */
};

/* What a membership works with; all but `listener` borrowed until membership_close. */
struct membership_setup {
	const struct config *config;
	/* The directory as it is to be asked where it is Active Directory's: other names of attributes. */
	const struct config_directory *adapted;
	const char *const *names; /* the configured groups' DNs; NULL: slot not used */
	size_t name_count;
	struct dir_pool *pool;
	struct executor *executor;
	const struct log *log;
	struct membership_listener listener;
};

/**
 * Begin: the first load starts at once.
 * @return STATUS_OK, STATUS_NO_MEMORY, STATUS_INTERNAL (no random numbers), STATUS_LIMIT (no thread).
 */
NODISCARD enum status membership_open(const struct membership_setup *setup, struct membership **membership_out,
				      struct error *error);

/** End the watch's thread, where there is one. Not on the executor's thread; before membership_close. Twice is allowed. */
void membership_stop_watch(struct membership *membership);

/** After the pool was stopped and, on the executor, membership_has_ended; or the executor was drained. NULL-safe; sets the pointer to NULL. */
void membership_close(struct membership **membership);

/** From now on no load is begun and no timer is set; lookups that would need one are UNKNOWN. */
void membership_stop(struct membership *membership);

/**
 * After membership_stop, and when the pool was stopped: whether all that was under way has ended. What has not goes on by
 * tasks that the executor has already: ask again behind them.
 */
bool membership_has_ended(const struct membership *membership);

/** The domains, where it is Active Directory's; NULL: another kind, or not known before the first load. Until the next load ends. */
const struct dir_forest *membership_forest(const struct membership *membership);

/** DIR_SEARCH_EXTENDED_DN and the like, for the search for a user; see dir_facts_search_flags. */
unsigned membership_search_flags(const struct membership *membership);

/** Attributes of a user's entry that are needed. NULL-terminated. */
const char *const *membership_user_attributes(const struct config_directory *directory, bool is_active_directory);

/** @return MEMBERSHIP_ASK, MEMBERSHIP_WAIT, or MEMBERSHIP_UNKNOWN (lookup->error says why). */
enum membership_next membership_begin(struct membership *membership, struct membership_lookup *lookup);

/** After MEMBERSHIP_ASK of membership_begin, or MEMBERSHIP_ANEW. @return STATUS_OK or STATUS_NO_MEMORY. */
NODISCARD enum status membership_prepare(struct membership *membership, struct membership_lookup *lookup);

/**
 * `user` is the user's entry; the searches asked for so far have been answered.
 * NULL: there is no such user; MEMBERSHIP_DONE then says that the server that said so was not behind.
 */
enum membership_next membership_step(struct membership *membership, struct membership_lookup *lookup,
				     const struct dir_entry *user);

/** After MEMBERSHIP_WAIT: run `waiter` once, when what the lookup waits for has happened (or failed); never inside this call. */
void membership_wait(struct membership *membership, const struct membership_lookup *lookup,
		     struct membership_waiter *waiter);
/** Forget it; nothing when it does not wait. */
void membership_wait_cancel(struct membership *membership, struct membership_waiter *waiter);

/**
 * Ask for a new lease, unless that is under way. Where a lease can be had at all, `waiter` (NULL: none) runs once that is decided.
 * @return false: there is none to be had now, and `waiter` will not run.
 */
bool membership_renew(struct membership *membership, struct membership_waiter *waiter);

/* What a membership can say about itself. */
struct membership_figures {
	uint64_t load_us; /* how long the last load took */
	uint64_t load_failures;
	size_t groups, memberships, index_bytes;
	bool watched;
	/* While watched: for how long something has been known of that is not in what is answered from yet; 0: nothing is owed. */
	uint64_t lag_us;
	uint64_t
	    proven_us; /* clock_monotonic_us() of the last proof that everything was told or nothing has changed; 0: none */
	size_t missing_changes; /* that the domain controller in use lacks (membership_lag.h) */
};

void membership_figures(const struct membership *membership, struct membership_figures *figures_out);

/* What it can tell of the changes that it follows, and of what it holds. */
enum membership_watching {
	MEMBERSHIP_WATCH_STARTING = 0, /* nothing was told yet */
	MEMBERSHIP_WATCH_UP,           /* and the closure is what is watched */
	MEMBERSHIP_WATCH_READING,      /* it is up, and the groups have to be read under it first */
	MEMBERSHIP_WATCH_BEHIND,       /* the servers that answer have shown more than it told */
	MEMBERSHIP_WATCH_LOST,         /* or not to be had; it tries again */
	MEMBERSHIP_WATCH_UNSUPPORTED,  /* the server has no such thing, or shows nothing to watch */
};

/* How the direct groups of a user are found. */
enum membership_way {
	MEMBERSHIP_BY_INDEX = 0, /* the members of all groups are held */
	MEMBERSHIP_BY_SEARCH,
	MEMBERSHIP_BY_MEMBEROF,
	MEMBERSHIP_BY_SID, /* memberOf and primaryGroupID of Active Directory */
	MEMBERSHIP_BY_TOKEN, /* tokenGroups of Active Directory: the groups at any depth that the domain controller knows */
};

struct membership_condition {
	enum membership_watching watching;
	const char *means;                 /* what the watch rests on, for people; NULL while it is not up */
	char server[DIR_POOL_SHOWN_BYTES]; /* that is watched, or about to be; "": none now */
	char trouble[ERROR_TEXT_BYTES];    /* LOST, UNSUPPORTED; else "" */
	bool is_pending;                   /* something that was told is not in the groups yet */
	bool is_loaded;                    /* what follows is known */
	uint64_t lease_ms;                 /* what is cached may be served for so long without asking; 0: not at all */
	uint64_t age_ms;                   /* since the groups were read; what changed then was applied to them */
	uint64_t load_us;
	size_t groups, memberships;
};

void membership_tell_condition(const struct membership *membership, struct membership_condition *condition_out);

/** How a lookup, which was DONE, has found its user's groups. */
enum membership_way membership_way_of(const struct membership *membership, const struct membership_lookup *lookup);

/** Of Active Directory: the number of the user's primary group in the closure; CLOSURE_NONE: it has none, or it is not in it. */
uint32_t membership_primary_group(const struct membership_lookup *lookup, const struct dir_entry *user);

/** Whether a closure has been loaded. */
bool membership_is_loaded(const struct membership *membership);

/** The closure as it is now; NULL before the first load. Borrowed: whoever keeps it takes a reference. */
struct closure *membership_loaded_closure(const struct membership *membership);

/** What a verdict on this entry depends on: hashes of its DN and its uids as members. @return how many there are; at most `room` are written. */
size_t membership_hashes(const struct membership *membership, const struct dir_entry *user, uint64_t *hashes,
			 size_t room);
/** The hash of an entry's stable id, and of a name by which people are looked up. */
uint64_t membership_id_hash(const struct membership *membership, const char *id);
uint64_t membership_name_hash(const struct membership *membership, const char *name, size_t length);

/**
 * This lookup, which was DONE, has led to a denial: another domain controller, which may lack the reason, must not let the user in.
 * @param user  NULL: there is none.
 */
void membership_show_denied(struct membership *membership, const struct membership_lookup *lookup,
			    const struct dir_entry *user);

void membership_done(struct membership_lookup *lookup);

/** Whether the closure's `root` holds the user directly or through nested groups. */
bool membership_holds(const struct membership_lookup *lookup, size_t root);

/**
 * On Active Directory a group may hold everybody who comes through WinRM (Everyone, Authenticated Users, ...), which no attribute of
 * anybody shows: the DN of the group beneath the root that does, or NULL.
 */
const char *membership_everybody(const struct membership_lookup *lookup, size_t root);

/**
 * Whether anybody here can tell that the closure's `root` does not hold a user whom membership_holds does not find in it: it may hold
 * principals that are not known here (closure_principal.h).
 *
 * @param what_out  set where that is so: what the group holds, for people.
 * @return the DN of the group, or NULL: it is certain.
 */
const char *membership_doubt(const struct membership_lookup *lookup, size_t root, const struct dir_entry *user,
			     const char **what_out);

/**
 * A shortest way from the user up to the root: DNs, the user's first, the root's last.
 * @return their number; 0 when the root does not hold the user, or memory ran out.
 */
size_t membership_path(const struct membership_lookup *lookup, size_t root, const char *user_dn,
		       const char *const **path_out);

/**
 * The same for somebody who is not looked up now, as far as the member index knows his DN: nothing is asked.
 * @param name   perhaps his uid; NULL: not known.
 * @param arena  gets the path.
 */
size_t membership_known_path(const struct membership *membership, size_t root, const char *user_dn, const char *name,
			     struct arena *arena, const char *const **path_out);

/** Whether a configured group exists (in the lookup's closure). */
bool membership_exists(const struct membership_lookup *lookup, size_t root);

/**
 * What it means for a root, in the policy's order of rules and sites, that its group or one beneath it holds this ("<what>: <consequence>").
 * @param holding  one of CLOSURE_HOLDS_*. @return NULL: nothing that anybody has to be told.
 */
const char *membership_holding_words(const struct config *config, size_t root, unsigned holding);

#endif
