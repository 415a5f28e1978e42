/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making a report: from the policy to rows, in order.
 *
 *	report_run   opens the engine, waits for the groups, lists the users, hands out a row for each, and closes all again
 *
 * Threads: the caller's; those of the engine and of the list end before it returns.
 */
#ifndef WSMAUTHZ_CLI_REPORT_RUN_H
#define WSMAUTHZ_CLI_REPORT_RUN_H

#include <authorizer/review.h>
#include <base/compiler.h>
#include <base/error.h>
#include <base/log.h>
#include <cli/report_row.h>

struct report_handler {
	/* Once, before the first row. What is borrowed by the ground but its policy and closure is gone afterwards. */
	enum status (*begin)(void *context, const struct config *config, struct closure *closure, struct error *error);
	/* The row is gone afterwards. */
	enum status (*row)(void *context, const struct report_row *row, struct error *error);
	/* Ten times a second or so, also between rows. Anything but STATUS_OK ends it. */
	enum status (*tick)(void *context, struct error *error);
	void *context;
};

struct report_plan {
	const char *policy;   /* its path */
	const char *url;      /* where the users come to; NULL: not known */
	enum log_level level; /* of the lines on standard error */
	struct report_handler handler;
};

/**
 * @return STATUS_OK: everybody whom the directory lists had his row; STATUS_INVALID with *is_usage_out: the policy is unusable; or what
 *         went wrong, or what a handler returned.
 */
NODISCARD enum status report_run(const struct report_plan *plan, bool *is_usage_out, struct error *error);

#endif
