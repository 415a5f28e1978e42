/* SPDX-License-Identifier: Apache-2.0 */
/* What `report` was told on the command line. */
#ifndef WSMAUTHZ_CLI_REPORT_OPTIONS_H
#define WSMAUTHZ_CLI_REPORT_OPTIONS_H

#include <base/compiler.h>
#include <base/error.h>
#include <base/log.h>
#include <cli/arguments.h>
#include <stdbool.h>
#include <stddef.h>

struct report_options {
	const char *policy;
	const char *url;            /* NULL: not known */
	const char *csv, *html;     /* paths; NULL: not wanted */
	const char *before, *after; /* --diff; NULL: not wanted */
	bool is_json, is_all;
	size_t max_ways;
	enum log_level level;
};

/** @return STATUS_OK; STATUS_INVALID. */
NODISCARD enum status report_options_read(const struct arguments *arguments, struct report_options *options_out,
					  struct error *error);

#endif
