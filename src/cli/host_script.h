/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A host script, line by line: what stands alone is given out at once, what stands between `together` and `end`
 * as one block, when it is whole. What is wrong is refused at its line: an `expect` with nothing before it, an `end` without
 * a beginning, a step that is not understood.
 */
#ifndef WSMAUTHZ_CLI_HOST_SCRIPT_H
#define WSMAUTHZ_CLI_HOST_SCRIPT_H

#include <cli/host_step.h>
#include <stddef.h>

/* Steps of a block, and users in it: each user of a block has a thread. */
#define HOST_MAX_BLOCK 100000
#define HOST_MAX_LANES 256

/**
 * Steps to be done: one, or those of a block in their order, without `together` and `end`.
 * @return STATUS_OK to go on.
 */
typedef enum status host_block_fn(void *context, const struct host_step *steps, size_t count, bool is_together,
				  struct error *error);

struct host_script {
	host_block_fn *run;
	void *context;
	const char *source; /* what messages call it */
	unsigned line;
	struct host_step *block; /* owned */
	size_t count, capacity;
	unsigned together_line; /* 0: not in a block */
	bool has_subject;       /* there was a step that an `expect` can be about */
};

/** @param run  NULL: the script is only checked. */
void host_script_init(struct host_script *script, const char *source, host_block_fn *run, void *context);
void host_script_done(struct host_script *script);

/** The next line. @return STATUS_OK, STATUS_INVALID (the message begins with source and line), STATUS_NO_MEMORY, or what `run` returned. */
NODISCARD enum status host_script_line(struct host_script *script, const char *line, size_t length,
				       struct error *error);

/** There is no more. @return STATUS_OK, STATUS_INVALID. */
NODISCARD enum status host_script_end(const struct host_script *script, struct error *error);

/**
 * Which lane each step of a block is in: a user's steps are one lane, and what stands behind a step (an `expect`, a
 * `wait`) is in the same.
 *
 * @param lanes_out  `count` numbers, from 0.
 * @return how many lanes there are; more than HOST_MAX_LANES are not counted on.
 */
size_t host_script_lanes(const struct host_step *steps, size_t count, size_t *lanes_out);

#endif
