/* SPDX-License-Identifier: Apache-2.0 */
/* The options of `host`, read. */
#ifndef WSMAUTHZ_CLI_HOST_OPTIONS_H
#define WSMAUTHZ_CLI_HOST_OPTIONS_H

#include <cli/arguments.h>
#include <cli/host_listen.h>
#include <cli/host_session.h>

struct host_options {
	struct host_session_options session; /* borrowed of the command line */
	const char *script;                  /* NULL: standard input */
	struct host_listen_options listen;   /* address NULL: a script instead */
	const char *listen_policy;           /* by which users log in there */
};

#define HOST_OPTION_COUNT 11
extern const struct option host_option_list[HOST_OPTION_COUNT];

/** @return STATUS_OK, STATUS_INVALID. */
NODISCARD enum status host_options_read(const struct arguments *arguments, struct host_options *options_out,
					struct error *error);

#endif
