/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stage for closures of Active Directory: a domain controller (fake_domain.h) with the groups ops, which holds team, which holds inner,
 * and free, which nobody holds; and what it takes to load a closure from it.
 *
 *	domain_stage_open(&stage);                    one configured group: ops, by its DN
 *	                                              (the policy names CORP\nobody too, who is not there)
 *	domain_stage_load_well(&stage);               stage.closure
 *	domain_stage_close(&stage);
 *
 * Needs dir_pool_fake, executor_manual and clock_manual. Threads: the test's own.
 */
#ifndef TESTS_SUPPORT_DOMAIN_STAGE_H
#define TESTS_SUPPORT_DOMAIN_STAGE_H

#include <membership/closure_load.h>
#include <stdbool.h>
#include <stddef.h>
#include <support/fake_domain.h>

#define DOMAIN_STAGE_GROUP(cn)  "cn=" cn ",ou=groups," FAKE_DOMAIN_DN
#define DOMAIN_STAGE_USER(cn)   "cn=" cn ",ou=people," FAKE_DOMAIN_DN
#define DOMAIN_STAGE_OPS        DOMAIN_STAGE_GROUP("ops")
#define DOMAIN_STAGE_TEAM       DOMAIN_STAGE_GROUP("team")
#define DOMAIN_STAGE_INNER      DOMAIN_STAGE_GROUP("inner")
#define DOMAIN_STAGE_FREE       DOMAIN_STAGE_GROUP("free")
#define DOMAIN_STAGE_OPS_SID    FAKE_DOMAIN_SID "-1101"
#define DOMAIN_STAGE_TEAM_SID   FAKE_DOMAIN_SID "-1102"
#define DOMAIN_STAGE_INNER_SID  FAKE_DOMAIN_SID "-1103"
#define DOMAIN_STAGE_FREE_SID   FAKE_DOMAIN_SID "-1104"

#define DOMAIN_STAGE_MAX_ROOTS  8
#define DOMAIN_STAGE_LATENCY_MS 10

struct domain_stage {
	struct fake_directory *directory;
	const struct config *config;
	struct executor *executor;
	struct dir_pool *pool;
	const char *names[DOMAIN_STAGE_MAX_ROOTS];
	char *pins[DOMAIN_STAGE_MAX_ROOTS];
	size_t root_count;

	/* Sees each search as it is sent; NULL: nobody does. */
	void (*on_search)(struct domain_stage *stage, const struct dir_search *search);
	unsigned lists, deltas; /* of the last load: searches for all nested groups, and for what changed */
	bool asked_plain;       /* nested groups were asked for without the SIDs of their holders */

	/* how the last load ended; what is borrowed during `done` was copied or referenced */
	unsigned done;
	enum status status;
	struct error error;
	struct closure *closure;
	const struct dir_forest *forest;
	enum root_state roots[DOMAIN_STAGE_MAX_ROOTS];
	char csn[256];
	bool csn_is_doubtful;
	struct closure_origin origin; /* its vector without the cursors, which were: */
	size_t origin_cursors;
	unsigned round_trips;
};

/* In the filter of the search for nested groups; that for foreign security principals is another. */
#define DOMAIN_STAGE_LISTING "(objectClass=group)(memberOf=*)"

void domain_stage_open(struct domain_stage *stage);
void domain_stage_close(struct domain_stage *stage);

/** The id that a configured group had before. */
void domain_stage_pin(struct domain_stage *stage, size_t root, const char *sid);

/** Load; the closure from before is dropped at once. */
enum status domain_stage_load(struct domain_stage *stage);
/** The same; ends the test unless it goes well. */
void domain_stage_load_well(struct domain_stage *stage);
/** Drop what the last load brought. */
void domain_stage_forget(struct domain_stage *stage);

/** How many hops from a group up to a root; -1: it is not beneath it. */
int domain_stage_distance(const struct domain_stage *stage, size_t root, const char *sid);

/** Whether this stands in the search's filter. */
bool domain_stage_asks_for(const struct dir_search *search, const char *part);

#endif
