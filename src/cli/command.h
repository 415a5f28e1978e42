/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program's commands: one file each, one line each in the table of commands.c. The table drives
 * what is understood, what --help says, and what runs.
 */
#ifndef WSMAUTHZ_CLI_COMMAND_H
#define WSMAUTHZ_CLI_COMMAND_H

#include <stddef.h>

struct arguments;

/* Exit statuses that every command keeps to. */
enum exit_status {
	EXIT_DONE = 0,   /* check: all senders are authorized or redirected */
	EXIT_DENIED = 1, /* check: at least one is denied */
	EXIT_USAGE = 2,  /* the command line or the configuration is wrong: nothing was done */
	EXIT_FAILED = 3, /* check: at least one verdict is an error; or the program itself failed */
};

struct option {
	const char *name;  /* "--config" */
	const char *value; /* what its value is called ("FILE"); NULL: it takes none */
	const char *help;  /* one or more lines, each a sentence */
};

struct command {
	const char *name;
	const char *operands; /* as the usage line shows them; "" for none */
	const char *summary;  /* half a line */
	const char *help;     /* paragraphs */
	const struct option *options;
	size_t option_count;
	/** @return an enum exit_status. */
	int (*run)(const struct arguments *arguments);
};

extern const struct command command_bench, command_check, command_completion, command_doctor, command_explain,
    command_host, command_report, command_stats;

/* All of them, in the order in which --help shows them. */
extern const struct command *const commands[];
extern const size_t command_count;

/* What every command understands. */
extern const struct option common_options[];
extern const size_t common_option_count;

#endif
