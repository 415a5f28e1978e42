/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line, taken apart: options, then a command, then options and operands in any order.
 *
 *	wsmauthz --config F check --json alice bob
 *	wsmauthz check --config=F --json -- -odd-name
 *
 * An option may stand before or after its command, with its value behind it or behind "="; "--"
 * ends the options, so that before the command it is followed by the command and its operands alone; a
 * single "-" is an operand. No option has an empty value.
 */
#ifndef WSMAUTHZ_CLI_ARGUMENTS_H
#define WSMAUTHZ_CLI_ARGUMENTS_H

#include <base/error.h>
#include <cli/command.h>
#include <stdbool.h>
#include <stddef.h>

struct arguments {
	const struct command *command; /* NULL: none was named */
	bool wants_help, wants_version;
	struct given_option {
		const struct option *option;
		const char *value; /* NULL: it takes none */
	} * given;                 /* owned */
	size_t given_count;
	const char **operands; /* owned; the strings are argv's */
	size_t operand_count;
	char *default_policy; /* owned; NULL until arguments_find_policy */
};

/**
 * @param argv  as main() has it; borrowed by *arguments_out.
 * @return STATUS_OK, STATUS_INVALID (not understood, said in *error), STATUS_NO_MEMORY.
 */
NODISCARD enum status arguments_parse(int argc, char **argv, struct arguments *arguments_out, struct error *error);
void arguments_done(struct arguments *arguments);

/** An option's value, or NULL when it was not given. */
const char *arguments_value(const struct arguments *arguments, const char *name);
/**
 * Find the policy that is read when --config is not given (plugin/plugin_policy.h).
 * @return as plugin_policy_find.
 */
NODISCARD enum status arguments_find_policy(struct arguments *arguments, struct error *error);
/** --config's, or the one that arguments_find_policy found. Borrowed. */
const char *arguments_policy(const struct arguments *arguments);
/** Whether an option was given. */
bool arguments_has(const struct arguments *arguments, const char *name);

#endif
