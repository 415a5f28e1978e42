/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a step came to what a script expects of it, and both in words. */
#ifndef WSMAUTHZ_CLI_HOST_EXPECT_H
#define WSMAUTHZ_CLI_HOST_EXPECT_H

#include <base/text.h>
#include <cli/host_session.h>
#include <cli/host_step.h>
#include <stdbool.h>

bool host_expect_is_met(const struct host_expectation *expected, const struct host_outcome *outcome);

/** "redirect to https://...". */
void host_expect_add(struct text *out, const struct host_expectation *expected);
void host_outcome_add(struct text *out, const struct host_outcome *outcome);

/** Whether two outcomes are the same for whoever expects something of them; how long they took does not count. */
bool host_outcome_equals(const struct host_outcome *a, const struct host_outcome *b);

#endif
