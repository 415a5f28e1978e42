/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stage for the finder: people in a fake directory, and a pool (it stands in for src/directory/dir_pool.c at link time) that
 * does nothing by itself: requests lie there until the test lets the directory answer them, or says what became of them.
 *
 *	finder_stage_open(&stage, "");                         the policy's account filter: none
 *	finder_stage_add(&stage, "alice", "alice@x", NULL);
 *	staged = finder_stage_seek(&stage, "CORP\\alice", 1000);
 *	finder_stage_answer(&stage, 0);                        the oldest request that lies there
 *	staged->told, staged->seeker.entries
 *	finder_stage_close(&stage);
 *
 * Needs executor_manual and clock_manual. Threads: the test's own.
 */
#ifndef TESTS_SUPPORT_FINDER_STAGE_H
#define TESTS_SUPPORT_FINDER_STAGE_H

#include <authorizer/finder.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <support/fake_directory.h>

#define FINDER_STAGE_BASE "dc=x"

/* The pool. */
struct dir_pool {
	struct executor *executor;
	struct dir_request *held[64]; /* the oldest first; no finder has so many under way */
	size_t count;
	bool stopped;
	uint64_t requests; /* that it was ever given */
	size_t searches;   /* of the last of them */
};

struct finder_stage {
	struct config config;
	struct config_directory config_directory;
	struct fake_directory *directory;
	struct executor *executor;
	struct dir_pool pool;
	struct finder *finder;
	struct staged *seekers;
};

/* One who seeks. */
struct staged {
	struct finder_stage *stage;
	struct finder_seeker seeker;
	struct sender sender;
	struct arena *arena;
	unsigned asked, told;                /* how often the finder took him, and told him */
	size_t place;                        /* he was the so-many-th to be told, of all on the stage, from 1 */
	void (*then)(struct staged *staged); /* once he was told; may be NULL */
	enum status status;                  /* what finder_seek said last */
	struct staged *next;
};

void finder_stage_open(struct finder_stage *stage, const char *account_filter);
/** Stops the pool. Fails the test when somebody was told more or less often than he was asked for. */
void finder_stage_close(struct finder_stage *stage);

/** A user; `dn` NULL: uid=<uid> below the base. Returns the name of the entry, until the next call. */
const char *finder_stage_add(struct finder_stage *stage, const char *uid, const char *mail, const char *dn);

/** One who may seek, with `patience_ms` from now; owned by the stage. */
struct staged *finder_stage_seeker(struct finder_stage *stage, const char *name, uint64_t patience_ms);
/** Ask the finder for him, on the executor. */
enum status finder_stage_ask(struct staged *staged);
/** Both; the finder takes him. */
struct staged *finder_stage_seek(struct finder_stage *stage, const char *name, uint64_t patience_ms);

/** The held request number `i` is answered by the directory. */
void finder_stage_answer(struct finder_stage *stage, size_t i);
/** The same, but one of its searches ends with this outcome and without entries. */
void finder_stage_answer_but(struct finder_stage *stage, size_t i, size_t search, enum dir_outcome outcome);
/** All of its searches do, as when the pool gives up. */
void finder_stage_lose(struct finder_stage *stage, size_t i, enum dir_outcome outcome);
/** The pool is stopped: what it holds, and all that comes, is unavailable. */
void finder_stage_stop(struct finder_stage *stage);

/** Fill in the held request's answers without giving it back yet. */
void finder_stage_fill(struct finder_stage *stage, size_t i);
/** Give it back as it is. The executor does not run yet. */
void finder_stage_release(struct finder_stage *stage, size_t i);

/** How many entries he got; all of them must show `uid` among their values, in any case of letters. */
size_t finder_stage_entries_of(const struct staged *staged, const char *uid);

#endif
