/* SPDX-License-Identifier: Apache-2.0 */
/* What --help prints, made from the table of commands. The manual page says the same at more length. */
#ifndef WSMAUTHZ_CLI_HELP_H
#define WSMAUTHZ_CLI_HELP_H

#include <base/text.h>
#include <cli/command.h>

/** Everything: each command with its options. */
void help_add_all(struct text *out);

/** One command. */
void help_add_command(struct text *out, const struct command *command);

#endif
