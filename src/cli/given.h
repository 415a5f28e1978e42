/* SPDX-License-Identifier: Apache-2.0 */
/* Options that several commands take, read and checked. */
#ifndef WSMAUTHZ_CLI_GIVEN_H
#define WSMAUTHZ_CLI_GIVEN_H

#include <base/error.h>
#include <cli/arguments.h>
#include <wsmauthz/engine.h>

/** --log-level; warning when it is not given. @return STATUS_OK, STATUS_INVALID. */
NODISCARD enum status given_log_level(const struct arguments *arguments, enum wa_log_level *level_out,
				      struct error *error);

/** Where a command's log lines go: standard error. A wa_log's `write`. */
void given_write_log(void *context, enum wa_log_level level, const char *line);

/**
 * --url: NULL when it is not given. The plug-in takes any URL, as it must from a host; a mistyped one would only seem to have no effect.
 * @return STATUS_OK, STATUS_INVALID.
 */
NODISCARD enum status given_url(const struct arguments *arguments, const char **url_out, struct error *error);

#endif
