/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a shell completes of the command line, made from the same tables that the command line is understood by. Pure.
 */
#ifndef WSMAUTHZ_CLI_SHELL_COMPLETION_H
#define WSMAUTHZ_CLI_SHELL_COMPLETION_H

#include <base/text.h>

/** Scripts for the shells: bash, zsh, PowerShell. */
void shell_completion_bash(struct text *out);
void shell_completion_zsh(struct text *out);
void shell_completion_powershell(struct text *out);

#endif
