/* SPDX-License-Identifier: Apache-2.0 */
/* Doing what a host script says: single steps on the caller's thread, a block on as many threads as it has users. */
#ifndef WSMAUTHZ_CLI_HOST_RUN_H
#define WSMAUTHZ_CLI_HOST_RUN_H

#include <cli/host_script.h>
#include <cli/host_session.h>

struct host_lane;

struct host_run {
	struct host_session *session;
	struct host_lane *main;   /* owned: what the last single step came to */
	struct mutex lock;        /* guards: steps, met, unmet */
	size_t steps, met, unmet; /* steps done, with every time of `times`; expectations */
};

/** @return STATUS_OK, STATUS_NO_MEMORY. */
NODISCARD enum status host_run_init(struct host_run *run, struct host_session *session, struct error *error);
void host_run_done(struct host_run *run);

/**
 * The host_block_fn; `context` is the run. Returns when all its steps are done.
 * @return STATUS_OK, whatever the plug-in said; STATUS_NO_MEMORY, STATUS_LIMIT (no thread, or too many calls), or why nothing
 *         can be written any more: then not all steps were done.
 */
NODISCARD enum status host_run_block(void *context, const struct host_step *steps, size_t count, bool is_together,
				     struct error *error);

#endif
