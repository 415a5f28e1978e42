/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memberships from inside.
 *
 *	membership.c         lookups
 *	membership_closure.c the closure in use: when it is read again, who waits for that
 */
#ifndef WSMAUTHZ_MEMBERSHIP_MEMBERSHIP_PRIVATE_H
#define WSMAUTHZ_MEMBERSHIP_MEMBERSHIP_PRIVATE_H

#include <base/digest.h>
#include <base/error.h>
#include <membership/closure_load.h>
#include <membership/membership.h>

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

struct membership {
	const struct config *config;
	const struct config_directory *directory;
	struct dir_pool *pool;
	struct executor *executor;
	const struct log *log;
	struct digest_key key;
	struct closure_plan plan;
	char **pins;            /* [root_count]; what plan.pins points to */
	enum root_state *roots; /* [root_count]; as last told to the log */

	struct closure *closure; /* NULL until the first load has ended well */
	char *csn;               /* of the closure; NULL: the server shows none */
	char *csn_base;
	uint64_t closure_began_us;
	uint64_t closure_marked_us; /* what was read from then on goes with the closure */
	bool csn_is_doubtful;
	uint64_t proven_us; /* when the closure was last known to be what the directory has */

	bool loading, stopped;
	bool told_no_csn;
	struct error failure; /* of the last load that failed */
	unsigned failures;    /* loads that failed in a row */
	uint64_t failure_began_us, failure_ended_us;
	struct membership_waiter *waiters;

	char *people; /* where users were found: the parent's DN in guesses; NULL: not known */
};

/** Read the closure, unless that is under way. @return STATUS_OK, STATUS_NO_MEMORY. */
NODISCARD enum status membership_load(struct membership *membership);

/** Have the closure read for this lookup: MEMBERSHIP_WAIT, or MEMBERSHIP_UNKNOWN and lookup->error. */
enum membership_next membership_refresh(struct membership *membership, struct membership_lookup *lookup);

/** Set *text to a copy. False when memory ran out (it is unchanged then). */
NODISCARD bool membership_replace_text(char **text, const char *value);

#endif
