/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading anew what has changed of a closure (closure_concern.h), and nothing else.
 *
 *	stage   round trip                                                       then
 *	READ    the groups that may have changed, or have just entered           ASK, READ or done
 *	ASK     which of the names that they did not list before are groups'     READ or done
 *
 * By SID (closure_is_by_sid) nothing is read anew: one round trip shows whether the closure still holds, else it is to be loaded whole.
 *	COMPARE the groups that each changed one lists; whether all are there, where it was not seen what changed; whether
 *	        a group of the closure lists those that it does not know
 *
 * Each round trip asks for contextCSN too: a server that has not reached what the watch has told is behind, and is asked again after
 * CLOSURE_PATCH_LAG_MS, until the deadline. (Where the watch has no marks: for who the server is; another one ends it at once.)
 *
 * What is too much for a patch, or not for us to compare (more than CLOSURE_PATCH_MAX_NAMES new names, a name that only the server can
 * compare, a fail-over in the middle), is for a whole load: `whole`.
 *
 * Threads: the executor's; entries are taken on the connection's thread while a request is under way.
 */
#ifndef WSMAUTHZ_MEMBERSHIP_CLOSURE_PATCH_H
#define WSMAUTHZ_MEMBERSHIP_CLOSURE_PATCH_H

#include <base/compiler.h>
#include <base/error.h>
#include <directory/dir_pool.h>
#include <membership/closure.h>
#include <membership/closure_concern.h>
#include <membership/closure_load.h>
#include <os/executor.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLOSURE_PATCH_LAG_MS    20
#define CLOSURE_PATCH_MAX_NAMES 512
/* Groups read by one patch, newcomers included. */
#define CLOSURE_PATCH_MAX_GROUPS 1024
/* By SID: groups that one search asks for. */
#define CLOSURE_PATCH_SIDS 50

struct closure_patch;

/* Borrowed during `done`. */
struct closure_patched {
	enum status status;
	const struct error *error;    /* when status is not STATUS_OK */
	const struct closure *base;   /* what was patched */
	struct closure *closure;      /* take a reference to keep it; NULL: see `whole` */
	bool whole;                   /* it has to be loaded whole */
	bool everything;              /* anybody may be touched */
	const struct digest *touched; /* else these members */
	size_t touched_count;
	uint64_t began_us; /* clock_monotonic_us(): what was read from then on goes with it */
};

typedef void closure_patch_done_fn(void *context, const struct closure_patched *patched);

/* What is to be patched, and with what. */
struct closure_patch_plan {
	const struct closure_plan *plan;       /* borrowed until `done` */
	struct closure *base;                  /* a reference of its own is taken */
	const struct closure_concern *concern; /* copied; not `everything` */
	const char *mark_base;                 /* whose contextCSN; copied */
	const char *at_least;                  /* what every answer must have reached; copied */
	const char *domain_base;               /* by SID: where all its groups lie; else NULL; copied */
	unsigned search_flags;                 /* DIR_SEARCH_EXTENDED_DN and the like */
};

/**
 * Begin. `done` runs once, later, on the executor.
 *
 * @param patch_out  until `done`.
 * @return STATUS_OK or STATUS_NO_MEMORY (then `done` does not run).
 */
NODISCARD enum status closure_patch_start(struct dir_pool *pool, struct executor *executor,
					  const struct closure_patch_plan *plan, closure_patch_done_fn *done,
					  void *context, struct closure_patch **patch_out);

/** Shutting down: a patch that only waits ends now (`done` runs); one that has asked ends when the pool answers. */
void closure_patch_stop(struct closure_patch *patch);

#endif
