/* SPDX-License-Identifier: Apache-2.0 */
/* What doctor_groups.c has read, for those that come after it. */
#ifndef WSMAUTHZ_CLI_DOCTOR_GROUPS_H
#define WSMAUTHZ_CLI_DOCTOR_GROUPS_H

#include <cli/doctor_check.h>
#include <membership/closure.h>
#include <membership/closure_figures.h>
#include <membership/closure_load.h>
#include <os/executor.h>
#include <os/thread.h>

/* Members of the closure that are counted, whatever the policy's budget: to say how much would do. */
#define DOCTOR_INDEX_BYTES (UINT64_C(512) * 1024 * 1024)
/* How often progress is shown while somebody else works. */
#define DOCTOR_TICK_MS 100

struct doctor_groups {
	struct executor *executor;
	struct dir_pool *pool;
	const char **names; /* [count]: the rules' groups, then the sites' (NULL for sites by name) */
	char **pins;        /* [count]: all NULL */
	size_t count;
	struct closure_plan plan;
	struct task start, drain;

	struct mutex lock; /* guards: is_over, is_drained, status, error, and what is below */
	struct condition ended;
	bool is_over, is_drained;
	enum status status;
	struct error error;
	struct closure *closure;
	char *csn, *csn_base; /* NULL: none */
	bool is_unmarked; /* there is none, but the server can be told from others, and offers persistent searches */
	bool csn_is_doubtful, csn_stands_still;
	size_t invalid_members;
	unsigned round_trips;
	uint64_t took_us;
	enum root_state *roots; /* [count] */
	struct closure_survey *survey;
};

/** Wait until the executor has run what was posted to it. */
void doctor_groups_drain(struct doctor *doctor);

#endif
