/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a host script comes from. A file is checked whole before its first step is done; standard input is obeyed line by
 * line as it comes, so that another program, or somebody at a terminal (who gets a prompt), can see each answer first.
 */
#ifndef WSMAUTHZ_CLI_HOST_SOURCE_H
#define WSMAUTHZ_CLI_HOST_SOURCE_H

#include <cli/host_script.h>

/* Far more than anybody writes, and not so much that it could not be held. */
#define HOST_SCRIPT_MAX_BYTES ((size_t)16 * 1024 * 1024)

/** A script in memory. */
struct host_source {
	char *text; /* owned; NULL: standard input */
	size_t length;
	const char *name;
};

/**
 * Read a script file and check it.
 * @param path  NULL or "-": standard input, which is not looked at yet.
 * @return STATUS_OK; STATUS_INVALID (where it is wrong), STATUS_NOT_FOUND, STATUS_UNREACHABLE, STATUS_LIMIT, STATUS_NO_MEMORY.
 */
NODISCARD enum status host_source_open(const char *path, struct host_source *source_out, struct error *error);
void host_source_close(struct host_source *source);

/** Do it. @return STATUS_OK, STATUS_INVALID (standard input went wrong at a line), or what `run` returned. */
NODISCARD enum status host_source_run(const struct host_source *source, host_block_fn *run, void *context,
				      struct error *error);

#endif
