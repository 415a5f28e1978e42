/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A load of the closure from inside.
 *
 *	closure_load.c          its life: attempts, round trips, what ends it
 *	closure_stages.c        what each stage asks, and what its answers mean
 *	closure_stages_sids.c   the same, where Active Directory is asked otherwise
 */
#ifndef WSMAUTHZ_MEMBERSHIP_CLOSURE_LOAD_PRIVATE_H
#define WSMAUTHZ_MEMBERSHIP_CLOSURE_LOAD_PRIVATE_H

#include <base/arena.h>
#include <base/compiler.h>
#include <base/error.h>
#include <base/text.h>
#include <directory/dir_facts.h>
#include <directory/dir_forest.h>
#include <membership/closure_build.h>
#include <membership/closure_csn.h>
#include <membership/closure_load.h>
#include <membership/closure_nest.h>
#include <os/executor.h>

enum stage { STAGE_PROBE, STAGE_FOREST, STAGE_MARK, STAGE_LIST, STAGE_READ, STAGE_RESOLVE, STAGE_CHECK, STAGE_DELTA };

/* One search of the round trip under way, and what it is about. */
struct step {
	struct closure_load *load;
	uint32_t number; /* of the group or the foreign value */
	bool answered;   /* READ: its entry came */
};

struct closure_load {
	struct dir_pool *pool;
	const struct closure_plan *plan;
	struct digest_key key;
	closure_load_done_fn *done;
	void *context;

	struct task begin;
	unsigned attempt;
	unsigned searches;
	enum stage stage;
	uint64_t began_us, marked_us;
	char *csn;          /* at MARK; NULL: none */
	char *latest;       /* of the last round trip */
	char *newest_group; /* the greatest entryCSN of a listed group; NULL: none was seen */
	char *csn_base;     /* NULL: nothing that shows whether groups changed */
	char *server;       /* as PROBE has shown it; NULL: not shown, or not by all, or there is a csn */
	bool csn_is_doubtful;
	struct arena *arena; /* of this attempt: what the server says of itself, filters */
	struct dir_facts facts;
	const struct dir_forest *forest; /* Active Directory's; NULL: it is another kind of server */
	struct closure_origin origin;
	const char *origin_mark; /* of the one that showed it, in the arena; NULL: none */
	struct closure_builder *builder;
	struct closure_nest nest; /* by SID */
	enum root_state *roots;
	bool restarted;    /* a fail-over delivered entries a second time: what the builder has is not to be trusted */
	enum status taken; /* the first failure of an on_entry */

	struct dir_request request;
	struct dir_search
	    *found;         /* [root_count + CLOSURE_LOAD_BATCH + 2], which the listings and roots fit into as well */
	struct step *steps; /* likewise */
	size_t count;       /* searches made for this round trip */
	bool witnessed;     /* the last of them asks for the CSN, or who the server is */
	struct text filter;
};

/** Free the answers of the last round trip. */
void closure_load_drop(struct closure_load *load);

/** Make the next search of this round trip. NULL when memory ran out. */
NODISCARD struct dir_search *closure_load_add(struct closure_load *load, const char *base, enum dir_scope scope,
					      const char *filter, const char *const *attributes);

/** The same for the question for contextCSN. */
NODISCARD struct dir_search *closure_load_add_csn(struct closure_load *load);

/** Send the searches that were added; closure_stage_settle is called with good answers only. */
void closure_load_send(struct closure_load *load, enum stage stage);

/**
 * Whether the mark that was just seen can follow the last one; if so it is the last one now.
 * @return CLOSURE_CSN_UNRELATED also for NULL, and when memory ran out.
 */
enum closure_csn_order closure_load_follow(struct closure_load *load, const char *csn);

/** Forget what was read and begin anew, or give up after CLOSURE_LOAD_ATTEMPTS. */
void closure_load_again(struct closure_load *load);

/* Each of these ends the load; it is gone afterwards. */
void closure_load_finish(struct closure_load *load, enum status status, const struct error *error,
			 struct closure *closure);
void closure_load_fail(struct closure_load *load, enum status status, const char *where);
void closure_load_no_memory(struct closure_load *load);

/** What an on_entry returns; the first failure is the one that the load ends with. */
enum status closure_stage_keep(struct step *step, enum status status);
/** The entries of the search that was added last go to `take`, one by one, on the connection's thread. */
void closure_stage_stream(struct closure_load *load, enum status (*take)(void *context, const struct dir_entry *entry));
/** Everything is listed and read: CHECK. */
void closure_stage_ask_check(struct closure_load *load);
/** Ask for the mark: MARK. */
void closure_stage_ask_mark(struct closure_load *load);

/* closure_stages_sids.c */

/** FOREST, after PROBE: the domains. */
void closure_sids_ask_forest(struct closure_load *load);
void closure_sids_settle_forest(struct closure_load *load);
/** LIST: the groups that are nested somewhere, and each root. */
void closure_sids_ask_list(struct closure_load *load);
void closure_sids_settle_list(struct closure_load *load);
/** Groups that changed since MARK, as a filter, in load->filter; false: there is none that says so. */
bool closure_sids_build_delta(struct closure_load *load);
/** Whether a changed entry makes a difference. */
bool closure_sids_concerns(const struct closure_load *load, const struct dir_entry *entry);

/** Ask the first question of an attempt. */
void closure_stage_begin(struct closure_load *load);
/** The answers of load->stage are there: take them, and ask the next question or end. */
void closure_stage_settle(struct closure_load *load);

#endif
