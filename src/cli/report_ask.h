/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the users' list to rows: each user is asked about as any sender would be, some hundred at a time, and comes out as a row
 * in the order of the list.
 *
 *	the list's thread    report_ask_user: waits for room, asks
 *	the engine's thread  takes the answer; a name that nobody could come by is asked for by the next one that the user has
 *	the main thread      report_ask_next: the next row, when it is there; asks again what no server had an answer for
 *
 * A user about whom nothing can be known at the moment (no server, no time, no memory) breaks the whole: a report without him
 * would not be one.
 */
#ifndef WSMAUTHZ_CLI_REPORT_ASK_H
#define WSMAUTHZ_CLI_REPORT_ASK_H

#include <base/compiler.h>
#include <base/error.h>
#include <cli/report_names.h>
#include <cli/report_row.h>
#include <config/config.h>
#include <wsmauthz/engine.h>

/* Users who are asked about at a time, at most: full batches for the directory's connections, and a few MB at the worst. */
#define REPORT_SLOTS 512
/*
 * How many they are: so many at first, and more while all are answered. Who was not answered in time has waited behind too many others:
 * half as many then, but not fewer than the least, and from there on slowly more.
 */
#define REPORT_FIRST_SLOTS 64
#define REPORT_LEAST_SLOTS 4
/* What is kept of one: names, DN, groups, and a path that may go through every group that there is; far less but for that. */
#define REPORT_MAX_ROW_BYTES ((size_t)48 * 1024 * 1024)
/* What could not be known is asked again after this time, so often. */
#define REPORT_RETRY_MS 500
#define REPORT_TRIES    8

struct report_ask;

/**
 * @param config  the policy; a reference is taken.
 * @param url     where the users come to; borrowed; NULL: not known.
 * @return NULL when memory ran out.
 */
NODISCARD struct report_ask *report_ask_open(struct wa_engine *engine, const struct config *config, const char *url);

/**
 * Every question must have been answered: close the engine first.
 * NULL-safe; sets the pointer to NULL.
 */
void report_ask_close(struct report_ask **ask);

/**
 * @param names  moved into the row, with the arena that they live in.
 * @param dn     copied.
 * @return STATUS_OK; STATUS_CANCELLED: no more is wanted; STATUS_NO_MEMORY. The arena is the ask's in any case.
 */
NODISCARD enum status report_ask_user(struct report_ask *ask, struct arena *arena, const struct report_names *names,
				      const char *dn);

/** There are no more users; `error` says whether that is because there are none. Copied. */
void report_ask_end(struct report_ask *ask, const struct error *error);

enum report_next {
	REPORT_ROW = 0, /* *row_out is the next row, until report_ask_taken */
	REPORT_WAIT,    /* not yet; a moment has passed */
	REPORT_END,     /* all rows were taken, and there are no more */
	REPORT_BROKEN,  /* *error says why there will not be a whole */
};

/** Wait a moment for the next row. Threads: one. */
NODISCARD enum report_next report_ask_next(struct report_ask *ask, const struct report_row **row_out,
					   struct error *error);
void report_ask_taken(struct report_ask *ask);

/** No more is wanted: nobody waits for room any more. */
void report_ask_break(struct report_ask *ask);

#endif
