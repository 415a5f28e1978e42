/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the engine can say about itself at one moment, and how a monitoring system reads it: OpenMetrics text
 * (https://prometheus.io/docs/specs/om/open_metrics_spec/), which is also text of Prometheus' format 0.0.4, so that the node
 * exporter's textfile collector takes it. The names are listed in conf/doc/metrics.md.
 *
 * Counters are of everything since the engine was opened and never go back, also when another policy comes into force. Nothing
 * in it comes from outside: no name of a user, a group or a server.
 */
#ifndef WSMAUTHZ_AUTHORIZER_MEASURES_H
#define WSMAUTHZ_AUTHORIZER_MEASURES_H

#include <base/text.h>
#include <stddef.h>
#include <stdint.h>
#include <wsmauthz/engine.h>

#define MEASURES_VERDICTS (WA_ERROR + 1)
/* Of the histogram, without the last one, which takes all that is longer. */
#define MEASURES_BOUNDS 15

struct measures {
	uint64_t outcomes[MEASURES_VERDICTS][WA_REASON_COUNT]; /* decisions */
	uint64_t cached;                                       /* of these, without asking the directory */
	uint64_t refused;                                      /* questions that could not even be remembered */
	uint64_t under_way;
	uint64_t cold[MEASURES_BOUNDS + 1]; /* decisions that asked the directory, by the time that they took */
	uint64_t cold_us;                   /* all of them together */

	uint64_t cached_users, cached_bytes;
	uint64_t closure_groups, closure_memberships, closure_bytes, closure_loads, closure_load_failures;
	uint64_t closure_load_us; /* the last one */
	uint64_t watch_up, watch_lag_us, watch_missing_changes;
	uint64_t proven_s; /* wall time: when it was last known that everything is as the directory has it; 0: never */
	uint64_t changes, changes_of_everything;

	uint64_t connections, requests, searches, turns, connects, connect_failures, failovers, timeouts,
	    received_bytes;

	uint64_t policies_taken, policies_refused;
	uint64_t policy_is_current; /* the file says what is in force */
	uint64_t audit_lines, audit_lost;
	uint64_t write_failures; /* of the file of the metrics */
	uint64_t started_s, now_s, interval_s;
};

/** Which of `cold` a duration belongs to. */
size_t measures_bucket(uint64_t elapsed_us);

/** Append the whole text, "# EOF" at its end. A failure is the text's own (text_failed). */
void measures_format(const struct measures *measures, struct text *out);

#endif
