/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memberships from inside.
 *
 *	membership.c            lookups
 *	membership_closure.c    the closure in use: when it is read again, who waits for that
 *	membership_watch.c      what the watch tells, and how the closure follows
 *	membership_heard.c      what is heard: what it means, and what is kept of it while the closure is read
 *	membership_freshness.c  whether an answer may be used; the lease
 *	membership_unmarked.c   the same under a watch without marks
 *	membership_token.c      the cross-check on Active Directory
 *	membership_holding.c    what groups of Active Directory hold beside people and groups
 *	membership_condition.c  what it can tell of itself
 *	membership_lag.c        what one domain controller has shown and another may lack
 */
#ifndef WSMAUTHZ_MEMBERSHIP_MEMBERSHIP_PRIVATE_H
#define WSMAUTHZ_MEMBERSHIP_MEMBERSHIP_PRIVATE_H

#include <base/digest.h>
#include <base/error.h>
#include <directory/dir_watch.h>
#include <membership/closure_concern.h>
#include <membership/closure_load.h>
#include <membership/closure_patch.h>
#include <membership/membership.h>
#include <membership/membership_lag.h>
#include <membership/membership_token.h>

/*
 * A closure is read again at this age though its contextCSN stands still: a database without syncprov can show one that
 * it was loaded with and that nothing moves. Reading the groups finds that out.
 */
#define MEMBERSHIP_REREAD_MS 300000
/* And at this one where the server does not offer what comes with syncprov, and so may be such a database. */
#define MEMBERSHIP_REREAD_DOUBTFUL_MS 10000
/* So many loads in a row may fail before the next one has to wait a while: a fault of a moment costs nobody more than his answer. */
#define MEMBERSHIP_QUICK_FAILURES 32
/* That while. Lookups are told the failure meanwhile; it keeps many of them from listing a broken directory all the time. */
#define MEMBERSHIP_REST_MS 500
/* After a load by a server that is behind the watch: it may catch up. */
#define MEMBERSHIP_RELOAD_FIRST_MS 50
#define MEMBERSHIP_RELOAD_LAST_MS  5000
/* Changes that are heard while the closure is loaded or patched, to be applied to it; more, and it is loaded once more. */
#define MEMBERSHIP_MAX_HEARD       4096
#define MEMBERSHIP_MAX_HEARD_BYTES ((size_t)8 * 1024 * 1024)
/* A lookup that finds the watch come or gone since it asked asks again, so often at most; then it goes the way without a watch. */
#define MEMBERSHIP_MAX_ANEWS 8
/* The watch follows the pool to another domain controller when its own has answered nothing for so long. */
#define MEMBERSHIP_FOLLOW_MS 500
/* Connections of the pool that are remembered; above what a policy may ask for. */
#define MEMBERSHIP_MAX_CONNECTIONS 16

/* A change that was heard. */
struct heard {
	enum dir_change change;
	const char *id;
	struct dir_entry *entry;
	struct heard *next;
};

/* What the watch has told. */
struct watched {
	struct dir_watch *watch;
	bool is_open; /* it was given a base to watch */
	bool up;
	enum dir_watch_means means; /* while up */
	struct error trouble;       /* while it is not: why; STATUS_OK: nothing was told yet */
	bool is_unsupported;        /* ... the server has no such thing */
	bool is_unmarked;           /* while up: it has no marks, and `mark` says who the server is, and never moves */
	char *mark;                 /* while up: what it has told, or begun with */
	uint64_t serial; /* counts the moves of `mark`, and the times that it came up; never 0 once it was up */
	bool covers;     /* the closure is what the directory had at `mark`, but for what is pending */
	char *awaited;   /* the pool has seen this; NULL: nothing more than was told */
	uint64_t awaited_asked_us; /* when it asked */
	bool is_behind;            /* it did not tell it in time: it counts as down until it has */
	struct timer doubt;
	uint64_t seen_us; /* when a mark of its server came by the pool last, or it came up */
};

/* Under a watch without marks. */
struct unmarked {
	bool is_asking;            /* whether everything is told */
	uint64_t number, asked_us; /* of the last question */
	uint64_t covered_us;       /* when the closure came to be what is watched */
	bool has_told_other;       /* in the log: another server answers than the one that is watched */
};

/* What is heard and not yet applied. */
struct pending {
	struct closure_concern concern;
	struct closure_patch *patch; /* under way */
	uint64_t since_us;           /* 0: nothing is pending */
};

struct membership {
	const struct config *config;
	const struct config_directory *directory, *adapted;
	struct dir_pool *pool;
	struct executor *executor;
	const struct log *log;
	struct membership_listener listener;
	struct digest_key key;
	struct closure_plan plan;
	char **pins;             /* [root_count]; what plan.pins points to */
	enum root_state *roots;  /* [root_count]; as last told to the log */
	unsigned *holdings_told; /* [root_count]; CLOSURE_HOLDS_* that were told to the log */

	const struct dir_forest *forest; /* NULL: no Active Directory */
	unsigned search_flags;
	struct closure *closure; /* NULL until the first load has ended well */
	char *csn;               /* of the closure; NULL: the server shows none */
	char *csn_base;
	char *server; /* that it was read from, where there is no CSN: closure_loaded.server */
	uint64_t closure_began_us;
	uint64_t closure_ends_us;   /* then a group leaves another by itself, and nobody tells; UINT64_MAX: never */
	uint64_t load_us;           /* how long it took to load */
	uint64_t closure_marked_us; /* what was read from then on goes with the closure */
	bool csn_is_doubtful;
	uint64_t proven_us; /* when the closure was last known to be what the directory has */

	bool loading, stopped;
	bool told_no_csn;
	struct error failure;   /* of the last load that failed */
	unsigned failures;      /* loads that failed in a row */
	uint64_t load_failures; /* in all */
	uint64_t failure_began_us, failure_ended_us;
	struct membership_waiter *waiters;      /* for the closure */
	struct membership_waiter *mark_waiters; /* for the watch, or a lease */
	struct timer ripple;                    /* MEMBERSHIP_RIPPLES_MS */
	size_t ripple_count;
	struct timer nudge; /* wakes those who wait for a server that is behind */
	bool nudging;

	struct watched watched;
	struct unmarked unmarked;
	struct pending pending;
	const char *watch_attributes[12];
	struct arena *heard_arena; /* while the closure is loaded or patched under the watch */
	struct heard *heard, **heard_end;
	size_t heard_count;
	bool heard_too_much, heard_unseen;
	char *load_told; /* what the watch had told when the load began; NULL: it was down */
	struct timer reload;
	uint64_t reload_delay_ms;

	/* the lease */
	uint64_t lease_until_us;  /* clock_monotonic_us(); 0: none */
	uint64_t lease_proven_us; /* when what it was last granted by was asked for */
	struct dir_search proof;
	char *proof_base; /* of it */
	struct dir_request proof_request;
	bool proving;
	uint64_t proof_asked_us;
	struct {
		uint64_t connection, serial; /* it has shown what the watch had told at `serial` */
	} known[MEMBERSHIP_MAX_CONNECTIONS];
	size_t known_count, known_next;

	struct token_check token;
	struct lag lag;

	char *people; /* where users were found: the parent's DN in guesses; NULL: not known */
};

/** Read the closure, unless that is under way. @return STATUS_OK, STATUS_NO_MEMORY. */
NODISCARD enum status membership_load(struct membership *membership);

/** Have the closure read for this lookup: MEMBERSHIP_WAIT, or MEMBERSHIP_UNKNOWN and lookup->error. */
enum membership_next membership_refresh(struct membership *membership, struct membership_lookup *lookup);

/** Run all who wait in this list; who waits again meanwhile is not run. */
void membership_wake(struct membership_waiter **list);

/** Set *text to a copy. False when memory ran out (it is unchanged then). */
NODISCARD bool membership_replace_text(char **text, const char *value);

/** The policy's line that names a root. */
unsigned membership_line_of(const struct membership *membership, size_t root);

/* membership_holding.c */

/** A closure was taken: say what is in its groups that a policy's author has not thought of, once for each root. */
void membership_tell_holdings(struct membership *membership);

/* membership_watch.c */

void membership_watch_init(struct membership *membership);
NODISCARD enum status membership_watch_open(struct membership *membership, struct error *error);
/** The membership was stopped: who waits for the watch, or for what it told of, waits for nothing. */
void membership_watch_stop(struct membership *membership);
void membership_watch_done(struct membership *membership);

/** A load begins: remember what the watch tells meanwhile. */
void membership_watch_load_begins(struct membership *membership);
/** A load ended; well: the closure is the new one. What was told meanwhile is applied to it. */
void membership_watch_load_ended(struct membership *membership, bool well);

/** What was loaded is older than what the watch had told when the load began: another server has answered, which is behind. */
bool membership_watch_is_ahead(const struct membership *membership, const char *csn);

/** The watch is up, and the closure is what it watches. */
bool membership_is_watched(const struct membership *membership);
/** Something that was heard of is not in the closure yet. */
bool membership_is_pending(const struct membership *membership);

/** Somebody decides. */
void membership_watch_use(const struct membership *membership);

/** The pool has seen a mark that the watch has not told: it has MEMBERSHIP_DOUBT_MS for it. */
void membership_watch_await(struct membership *membership, const char *mark, uint64_t asked_us);

/** The watch goes on, but does not see the server that answers: it is of no use until a load finds that it does. */
void membership_watch_uncover(struct membership *membership);
/** It was behind and is not any more. */
void membership_watch_catch_up(struct membership *membership);
/** Load once more, after a while that grows. */
void membership_watch_load_later(struct membership *membership);

/* membership_heard.c */

/** The watch told of a change; of one that was not seen. Who may be touched is told. */
void membership_heed_change(struct membership *membership, const struct dir_watch_event *event);
void membership_heed_gap(struct membership *membership);
/** The timer's. */
void membership_ripple(void *context);
/** A change of an entry that governs others, or of one of which nothing is shown, touches them all, at once and a few times later. */
void membership_heed_governor(struct membership *membership, const struct dir_watch_event *event);

/** What a change means for the closure in use: it may be pending from now on. */
void membership_heed(struct membership *membership, const struct dir_watch_event *event);
/** The same of a change that was not seen. */
void membership_heed_unseen(struct membership *membership);
/** While a closure is read: keep the change for it. */
void membership_remember(struct membership *membership, const struct dir_watch_event *event);
/** Begin to remember; not anew while that is under way for another closure. */
void membership_listen(struct membership *membership);
/** What was remembered, judged by the new closure: what nobody listed before, somebody may list now. */
void membership_replay(struct membership *membership);
/** It is of no more use, unless another closure is still being read. */
void membership_forget_heard(struct membership *membership);

/* membership_freshness.c */

/** Whether what the pool last showed proves that what is cached, and the closure, are fresh. */
bool membership_has_lease(const struct membership *membership, uint64_t now_us);
/** Proven at `asked_us`: extend the lease. */
void membership_grant_lease(struct membership *membership, uint64_t asked_us);
/** Let it end at `until_us` at the latest. */
void membership_cut_lease(struct membership *membership, uint64_t until_us);

/** Whether a connection of the pool has shown what the watch had told at `serial`; note that it has. */
bool membership_knows(const struct membership *membership, uint64_t connection, uint64_t serial);
void membership_learn(struct membership *membership, uint64_t connection, uint64_t serial);
/** Whether a mark that the pool has shown is of another domain controller than the watched one. */
bool membership_is_of_other(struct membership *membership, const char *mark);
/** It is: the next proof says which, and the watch follows. */
void membership_look_who_answers(struct membership *membership);

/** What a lookup that begins now needs as a proof. @return STATUS_OK, STATUS_NO_MEMORY. */
NODISCARD enum status membership_prepare_watched(struct membership *membership, struct membership_lookup *lookup);
/** Whether something is pending that it has to wait for. */
bool membership_waits_for_pending(const struct membership *membership, const struct membership_lookup *lookup);
/** What a lookup does then: MEMBERSHIP_WAIT, or MEMBERSHIP_UNKNOWN and lookup->error. */
enum membership_next membership_await_pending(struct membership *membership, struct membership_lookup *lookup);
/** Whether its answer may be used (MEMBERSHIP_DONE), or what is next. */
enum membership_next membership_check_watched(struct membership *membership, struct membership_lookup *lookup);

/* membership_unmarked.c */

/** Whose mark shows what an answer is worth under the watch. */
const char *membership_mark_base(const struct membership *membership);
void membership_unmarked_come_up(struct membership *membership);
void membership_unmarked_go_down(struct membership *membership);
/** A load ended well while the watch is up. */
void membership_unmarked_take_load(struct membership *membership);
/** Ask for a new lease, unless that is under way. @return false: no memory. */
NODISCARD bool membership_unmarked_ask(struct membership *membership);
/** DIR_WATCH_CURRENT. */
void membership_unmarked_current(struct membership *membership, uint64_t number);
/** membership_check_watched, when nothing is pending. */
enum membership_next membership_unmarked_check(struct membership *membership, struct membership_lookup *lookup);

#endif
