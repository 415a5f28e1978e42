/* SPDX-License-Identifier: Apache-2.0 */
/* From a review to a row: everything that is borrowed is copied. Pure. */
#ifndef WSMAUTHZ_CLI_REPORT_ROW_FILL_H
#define WSMAUTHZ_CLI_REPORT_ROW_FILL_H

#include <authorizer/review.h>
#include <base/compiler.h>
#include <base/error.h>
#include <cli/report_names.h>
#include <cli/report_row.h>

/** A user of whom nothing is known but his DN. @return STATUS_OK, STATUS_NO_MEMORY. */
NODISCARD enum status report_row_begin(struct report_row *row, const char *dn, struct arena *arena);

/** @param name  lives in the arena. @return STATUS_OK, STATUS_NO_MEMORY (the row is as it was, or has its beginning). */
NODISCARD enum status report_row_fill(struct report_row *row, const struct report_name *name,
				      const struct review *review, struct arena *arena);

#endif
