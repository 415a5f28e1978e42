/* SPDX-License-Identifier: Apache-2.0 */
#include <authorizer/measures.h>

#include <base/compiler.h>
#include <inttypes.h>

enum metric_kind { COUNTER, GAUGE, GAUGE_US, /* microseconds, told in seconds */ };

/* One family with one sample. A counter's sample has "_total" behind the name. */
struct metric {
	const char *name;
	const char *unit; /* NULL: none; else the name ends with it */
	const char *help;
	enum metric_kind kind;
	size_t offset;
};

#define OF(member) offsetof(struct measures, member)

static const struct metric metrics[] = {
    {"wsmauthz_decisions_cached", NULL, "Decisions that needed no directory operation.", COUNTER, OF(cached)},
    {"wsmauthz_questions_refused", NULL, "Questions that there was not even the memory to answer with an error.",
     COUNTER, OF(refused)},
    {"wsmauthz_questions", NULL, "Questions under way now.", GAUGE, OF(under_way)},

    {"wsmauthz_cache_users", NULL, "Users whose verdict is cached.", GAUGE, OF(cached_users)},
    {"wsmauthz_cache_bytes", "bytes", "Memory that cached verdicts take.", GAUGE, OF(cached_bytes)},

    {"wsmauthz_closure_groups", NULL, "Groups beneath those that the policy names, these included.", GAUGE,
     OF(closure_groups)},
    {"wsmauthz_closure_memberships", NULL,
     "Memberships in the index of members, as it was read whole last; 0: there is no index.", GAUGE,
     OF(closure_memberships)},
    {"wsmauthz_closure_index_bytes", "bytes", "Memory that the index of members takes.", GAUGE, OF(closure_bytes)},
    {"wsmauthz_closure_load_seconds", "seconds", "How long the last whole load of the groups took.", GAUGE_US,
     OF(closure_load_us)},
    {"wsmauthz_closure_loads", NULL, "Whole loads of the groups that ended well.", COUNTER, OF(closure_loads)},
    {"wsmauthz_closure_load_failures", NULL, "Loads of the groups that failed.", COUNTER, OF(closure_load_failures)},

    {"wsmauthz_watch_up", NULL, "1: the directory tells of its changes; 0: it does not, or not reliably.", GAUGE,
     OF(watch_up)},
    {"wsmauthz_watch_lag_seconds", "seconds",
     "For how long a change has been known of that is not heeded yet; 0: none is.", GAUGE_US, OF(watch_lag_us)},
    {"wsmauthz_watch_missing_changes", NULL,
     "Changes that the domain controller in use has not replicated yet; whom they concern is not answered.", GAUGE,
     OF(watch_missing_changes)},
    {"wsmauthz_watch_proven_timestamp_seconds", "seconds",
     "When it was last proven that what is known is what the directory has; nobody asks while nobody decides.", GAUGE,
     OF(proven_s)},
    {"wsmauthz_changes", NULL, "Changes that ended cached verdicts of some users.", COUNTER, OF(changes)},
    {"wsmauthz_changes_of_everything", NULL, "Changes that ended all cached verdicts.", COUNTER,
     OF(changes_of_everything)},

    {"wsmauthz_directory_connections", NULL, "Connections to the directory now.", GAUGE, OF(connections)},
    {"wsmauthz_directory_round_trips", NULL, "What was sent to the directory and waited for together.", COUNTER,
     OF(requests)},
    {"wsmauthz_directory_searches", NULL, "LDAP searches that were sent.", COUNTER, OF(searches)},
    {"wsmauthz_directory_turns", NULL, "Turns of connections; several round trips may share one.", COUNTER, OF(turns)},
    {"wsmauthz_directory_connects", NULL, "Connections that were opened.", COUNTER, OF(connects)},
    {"wsmauthz_directory_connect_failures", NULL, "Connections that could not be opened: network, TLS, bind.", COUNTER,
     OF(connect_failures)},
    {"wsmauthz_directory_failovers", NULL, "Round trips that were sent a second time, to another server.", COUNTER,
     OF(failovers)},
    {"wsmauthz_directory_timeouts", NULL, "Round trips that no answer came to in time.", COUNTER, OF(timeouts)},
    {"wsmauthz_directory_received_bytes", "bytes", "Bytes of answers, as they were on the wire.", COUNTER,
     OF(received_bytes)},

    {"wsmauthz_policy_taken", NULL, "Changed policies that came into force.", COUNTER, OF(policies_taken)},
    {"wsmauthz_policy_refused", NULL, "Changed policies that are unusable.", COUNTER, OF(policies_refused)},
    {"wsmauthz_policy_current", NULL, "1: the policy in force is what its file says; 0: the file is unusable, or new.",
     GAUGE, OF(policy_is_current)},

    {"wsmauthz_audit_lines", NULL, "Audit records that were written.", COUNTER, OF(audit_lines)},
    {"wsmauthz_audit_lost", NULL, "Audit records that could not be written.", COUNTER, OF(audit_lost)},
    {"wsmauthz_metrics_write_failures", NULL, "Times that this file could not be written.", COUNTER,
     OF(write_failures)},

    {"wsmauthz_start_timestamp_seconds", "seconds", "When the engine was opened.", GAUGE, OF(started_s)},
    {"wsmauthz_metrics_timestamp_seconds", "seconds", "When this was written.", GAUGE, OF(now_s)},
    {"wsmauthz_metrics_interval_seconds", "seconds", "How often this is written.", GAUGE, OF(interval_s)},
};

static const struct {
	uint64_t up_to_us;
	const char *label;
} bounds[MEASURES_BOUNDS] = {
    {250, "0.00025"}, {500, "0.0005"},  {1000, "0.001"},  {2500, "0.0025"}, {5000, "0.005"},
    {10000, "0.01"},  {25000, "0.025"}, {50000, "0.05"},  {100000, "0.1"},  {250000, "0.25"},
    {500000, "0.5"},  {1000000, "1.0"}, {2500000, "2.5"}, {5000000, "5.0"}, {10000000, "10.0"},
};

size_t measures_bucket(uint64_t elapsed_us)
{
	size_t bucket = 0;

	while (bucket < MEASURES_BOUNDS && elapsed_us > bounds[bucket].up_to_us)
		bucket++;
	return bucket;
}

static void add_head(struct text *out, const char *name, const char *type, const char *unit, const char *help)
{
	text_printf(out, "# TYPE %s %s\n", name, type);
	if (unit != NULL)
		text_printf(out, "# UNIT %s %s\n", name, unit);
	text_printf(out, "# HELP %s %s\n", name, help);
}

static void add_seconds(struct text *out, uint64_t us)
{
	text_printf(out, "%" PRIu64 ".%06" PRIu64 "\n", us / 1000000, us % 1000000);
}

static void add_metric(struct text *out, const struct metric *metric, const struct measures *measures)
{
	const uint64_t *value = (const void *)((const char *)measures + metric->offset);

	add_head(out, metric->name, metric->kind == COUNTER ? "counter" : "gauge", metric->unit, metric->help);
	text_printf(out, "%s%s ", metric->name, metric->kind == COUNTER ? "_total" : "");
	if (metric->kind == GAUGE_US)
		add_seconds(out, *value);
	else
		text_printf(out, "%" PRIu64 "\n", *value);
}

/* Each reason belongs to one verdict. All are there from the start, so that the first one of a kind is seen as an increase. */
static enum wa_verdict verdict_of(enum wa_reason reason)
{
	if (reason == WA_REASON_MEMBER)
		return WA_AUTHORIZE;
	if (reason == WA_REASON_SITE_ELSEWHERE)
		return WA_REDIRECT;
	return reason < WA_REASON_BAD_CALL ? WA_DENY : WA_ERROR;
}

static void add_outcomes(struct text *out, const struct measures *measures)
{
	add_head(out, "wsmauthz_decisions", "counter", NULL,
		 "Decisions, by verdict and reason; a reason that is new to you is explained in wsmauthz(1).");
	for (size_t reason = WA_REASON_NONE + 1; reason < WA_REASON_COUNT; reason++)
		for (size_t verdict = 0; verdict < MEASURES_VERDICTS; verdict++)
			if (verdict == verdict_of((enum wa_reason)reason) || measures->outcomes[verdict][reason] > 0)
				text_printf(out, "wsmauthz_decisions_total{verdict=\"%s\",reason=\"%s\"} %" PRIu64 "\n",
					    wa_verdict_word((enum wa_verdict)verdict),
					    wa_reason_word((enum wa_reason)reason),
					    measures->outcomes[verdict][reason]);
}

static void add_durations(struct text *out, const struct measures *measures)
{
	static const char name[] = "wsmauthz_decision_seconds";
	uint64_t count = 0;

	add_head(out, name, "histogram", "seconds", "How long decisions took that asked the directory.");
	for (size_t i = 0; i <= MEASURES_BOUNDS; i++) {
		count += measures->cold[i];
		text_printf(out, "%s_bucket{le=\"%s\"} %" PRIu64 "\n", name,
			    i < MEASURES_BOUNDS ? bounds[i].label : "+Inf", count);
	}
	text_printf(out, "%s_count %" PRIu64 "\n%s_sum ", name, count, name);
	add_seconds(out, measures->cold_us);
}

void measures_format(const struct measures *measures, struct text *out)
{
	/* The type "info" would be the right one, and the node exporter refuses files with it. */
	add_head(out, "wsmauthz_build", "gauge", NULL, "1, with the version.");
	text_printf(out, "wsmauthz_build{version=\"%s\"} 1\n", WSMAUTHZ_VERSION);
	add_outcomes(out, measures);
	add_durations(out, measures);
	for (size_t i = 0; i < COUNT_OF(metrics); i++)
		add_metric(out, &metrics[i], measures);
	text_add(out, "# EOF\n");
}
