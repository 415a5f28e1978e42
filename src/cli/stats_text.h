/* SPDX-License-Identifier: Apache-2.0 */
/* The figures of a running plug-in, for people: one screen, what matters first. Pure. */
#ifndef WSMAUTHZ_CLI_STATS_TEXT_H
#define WSMAUTHZ_CLI_STATS_TEXT_H

#include <base/text.h>
#include <cli/stats_samples.h>
#include <stdbool.h>
#include <stdint.h>

/** Whether nobody writes them any more: three times have been missed. */
bool stats_are_old(const struct samples *samples, int64_t now_s);

/** @param now_s  wall time. */
void stats_add_text(struct text *out, const struct samples *samples, int64_t now_s);

#endif
