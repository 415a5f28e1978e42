/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading a closure from the directory.
 *
 *	stage    round trip                                                then
 *	PROBE    what kind of server, its naming contexts                  MARK
 *	MARK     contextCSN of the one that holds the groups               LIST
 *	LIST     all groups, by name and id (paged), and each root         READ
 *	READ     members of up to CLOSURE_LOAD_BATCH groups of the closure READ, RESOLVE or CHECK
 *	RESOLVE  whose names the foreign member values are                 READ, RESOLVE or CHECK
 *	CHECK    contextCSN again                                          done, or DELTA when it moved
 *	DELTA    what changed since MARK                                   done, or MARK again when it was not only people
 *
 * Active Directory is asked otherwise (closure_nest.h): its groups show which groups hold them, so there is nothing to READ.
 *
 *	stage    round trip                                                then
 *	PROBE    as above                                                  FOREST
 *	FOREST   the domains; which controller it is, and how far it is     MARK
 *	         with the changes of the others
 *	MARK     highestCommittedUSN of the domain controller              LIST
 *	LIST     all nested groups with those that hold them, and each     CHECK
 *	         root: by its DN, its SID or its name
 *	CHECK    highestCommittedUSN again                                 done, or DELTA when it moved
 *	DELTA    groups that changed since MARK                            done, or MARK again when the closure has them
 *
 * The closure must be one that the directory had: a mixture of two moments could hold a way that never
 * existed. So when something changed while we read that could make a difference, we read again, at most
 * CLOSURE_LOAD_ATTEMPTS times. (A group that was deleted meanwhile leaves no trace, but is harmless: the state at MARK had it.)
 *
 * Nor may it be a mixture of two servers, of which one lags: every round trip from LIST on asks for contextCSN as well, and when it
 * goes back, or another database's is shown, we read again. Where a group turns out to be newer than contextCSN, nobody
 * keeps it (a database without syncprov can show one that it was loaded with), and the closure is given none.
 *
 * Without contextCSN, and where the server offers persistent searches, each of these round trips asks who the server is instead.
 *
 * Everything runs on the executor of the pool, except that entries are taken, and the memberships sorted (with CHECK), on
 * the thread of the connection while a request is under way, when nothing else touches the builder.
 */
#ifndef WSMAUTHZ_MEMBERSHIP_CLOSURE_LOAD_H
#define WSMAUTHZ_MEMBERSHIP_CLOSURE_LOAD_H

#include <base/compiler.h>
#include <base/digest.h>
#include <base/error.h>
#include <config/config.h>
#include <directory/dir_facts.h>
#include <directory/dir_forest.h>
#include <directory/dir_pool.h>
#include <directory/dir_vector.h>
#include <membership/closure.h>
#include <os/executor.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Base reads that travel together. */
#define CLOSURE_LOAD_BATCH    256
#define CLOSURE_LOAD_ATTEMPTS 5
/* Each round trip of a load may take this many times the policy's timeout: answers are large. */
#define CLOSURE_LOAD_PATIENCE 4

/* What was found behind a configured group's name. */
enum root_state {
	ROOT_UNUSED = 0, /* the slot has no name */
	ROOT_FOUND,
	ROOT_RENAMED,   /* the pinned group, under another name */
	ROOT_MISSING,   /* no such entry */
	ROOT_REPLACED,  /* an entry of that name, but not the group that was pinned: counts as missing */
	ROOT_NO_GROUP,  /* an entry that is not a group: counts as missing */
	ROOT_ELSEWHERE, /* given by its SID, of another domain of the forest: whether it exists is not asked */
};

struct closure_plan {
	const struct config_directory *directory;
	const char *const *names; /* the configured groups' DNs; NULL: slot not used */
	char *const *pins;        /* the ids they had before; NULL: not known yet */
	size_t root_count;
	uint64_t index_budget_bytes; /* 0: no member index */
};

/* The domain controller that was read from. */
struct closure_origin {
	bool has_id; /* it shows its invocationId */
	uint8_t id[DIR_VECTOR_ID_BYTES];
	bool has_vector;          /* it shows how far it is with the changes of the others */
	struct dir_vector vector; /* what is read later has them; borrowed as all else is */
};

struct closure_load;

/* What came of it; borrowed during `done`. */
struct closure_loaded {
	enum status status;
	const struct error *error; /* when status is not STATUS_OK */
	struct closure *closure;   /* take a reference to keep it */
	const char *csn;           /* contextCSN at MARK; NULL: the server has none, or not for all the groups */
	const char *csn_base;      /* the entry that has it, or would have it */
	const char *server;    /* without `csn`: that all was read from (dir_psearch.h); NULL: not known, or several */
	uint64_t began_us;     /* clock_monotonic_us() before MARK */
	uint64_t ends_us;      /* until then: a group is in another for a time only; UINT64_MAX: for good */
	uint64_t marked_us;    /* after MARK: what is read from now on, until `done`, goes with the closure */
	unsigned search_flags; /* for searches of this server: dir_facts_search_flags */
	const struct dir_forest
	    *forest; /* of an Active Directory; take a reference to keep it; NULL: another kind of server */
	struct closure_origin origin; /* zeroed where it is no domain controller */
	bool csn_is_doubtful;         /* the server does not offer RFC 4533, so perhaps nobody keeps its contextCSN */
	bool csn_stands_still;        /* there is a contextCSN, but a group is newer: `csn` is NULL */
	const enum root_state *roots; /* [root_count] */
	size_t invalid_members;       /* member values that are no DNs */
	unsigned searches;
};

typedef void closure_load_done_fn(void *context, const struct closure_loaded *loaded);

/**
 * Begin to read. `done` runs once, later, on the pool's executor; the load frees itself after it.
 *
 * @param plan  borrowed until `done`.
 * @return STATUS_OK or STATUS_NO_MEMORY (then `done` does not run).
 *
 * Threads: the executor's.
 */
NODISCARD enum status closure_load_start(struct dir_pool *pool, struct executor *executor,
					 const struct closure_plan *plan, const struct digest_key *key,
					 closure_load_done_fn *done, void *context);

#endif
