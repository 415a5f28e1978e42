/* SPDX-License-Identifier: Apache-2.0 */
#include <cli/stats_text.h>

#include <cli/shown.h>
#include <stdlib.h>
#include <string.h>

/* Where the values begin. */
#define COLUMNS "%-12s"
/* A time that is missed may be that of a busy machine. */
#define MISSED 3
/* Above this a number is none that we count. */
#define GREATEST 9e15

static double value_of(const struct samples *samples, const char *name)
{
	const double value = samples_value(samples, name);

	return value < GREATEST ? value : GREATEST;
}

/* 1234567 as "1,234,567". */
static void add_count(struct text *out, double number)
{
	unsigned long long rest = (unsigned long long)number, unit = 1;

	while (rest / unit >= 1000)
		unit *= 1000;
	text_printf(out, "%llu", rest / unit);
	for (rest %= unit; unit > 1; rest %= unit) {
		unit /= 1000;
		text_printf(out, ",%03llu", rest / unit);
	}
}

static void add_value(struct text *out, const struct samples *samples, const char *name, const char *what)
{
	add_count(out, value_of(samples, name));
	text_printf(out, " %s", what);
}

static void add_bytes(struct text *out, double bytes)
{
	static const char *const units[] = {"B", "KB", "MB", "GB"};
	size_t unit = 0;

	for (; bytes >= 1024 && unit < 3; unit++)
		bytes /= 1024;
	text_printf(out, unit == 0 ? "%.0f %s" : "%.1f %s", bytes, units[unit]);
}

static void add_seconds(struct text *out, double seconds)
{
	if (seconds >= 1)
		text_printf(out, "%g s", seconds);
	else
		text_printf(out, "%g ms", seconds * 1000);
}

/* How long ago, or for how long. */
static void add_age(struct text *out, double seconds)
{
	const unsigned long long s = seconds > 0 ? (unsigned long long)seconds : 0;

	if (s < 120)
		text_printf(out, "%llu s", s);
	else if (s < (unsigned long long)120 * 60)
		text_printf(out, "%llu min", s / 60);
	else if (s < (unsigned long long)48 * 3600)
		text_printf(out, "%llu h %llu min", s / 3600, s % 3600 / 60);
	else
		text_printf(out, "%llu days", s / 86400);
}

static void add_head(struct text *out, const struct samples *samples, int64_t now_s)
{
	const double written_s = value_of(samples, "wsmauthz_metrics_timestamp_seconds");

	text_add(out, "wsmauthz ");
	for (size_t i = 0; i < samples->count; i++)
		if (strcmp(samples->list[i].name, "wsmauthz_build") == 0) {
			const char *version = sample_label(&samples->list[i], "version");

			shown_add(out, version, strlen(version));
		}
	text_add(out, ", up ");
	add_age(out, written_s - value_of(samples, "wsmauthz_start_timestamp_seconds"));
	text_add(out, "; these figures are ");
	add_age(out, (double)now_s - written_s);
	text_add(out, stats_are_old(samples, now_s) ? " old: nobody writes them any more\n" : " old\n");
}

static void add_decisions(struct text *out, const struct samples *samples)
{
	const double decisions = value_of(samples, "wsmauthz_decisions_total");
	const double cached = value_of(samples, "wsmauthz_decisions_cached_total");

	text_printf(out, "\n" COLUMNS, "decisions");
	add_count(out, decisions);
	if (decisions > 0)
		text_printf(out, ", %.1f %% of them from the cache", cached / decisions * 100);
	text_add(out, "; under way: ");
	add_count(out, value_of(samples, "wsmauthz_questions"));
	if (value_of(samples, "wsmauthz_questions_refused_total") > 0)
		add_value(out, samples, "wsmauthz_questions_refused_total", "refused for want of memory");
	text_add_char(out, '\n');
	for (size_t i = 0; i < samples->count; i++) {
		const struct sample *sample = &samples->list[i];
		const char *verdict = sample_label(sample, "verdict"), *reason = sample_label(sample, "reason");

		if (strcmp(sample->name, "wsmauthz_decisions_total") != 0 || !(sample->value > 0))
			continue;
		text_add(out, "  ");
		shown_add(out, verdict, strlen(verdict));
		text_printf(out, "%*s", verdict[0] == '\0' || strlen(verdict) > 10 ? 1 : (int)(11 - strlen(verdict)),
			    "");
		shown_add(out, reason, strlen(reason));
		text_printf(out, "%*s", strlen(reason) > 22 ? 1 : (int)(23 - strlen(reason)), "");
		add_count(out, sample->value < GREATEST ? sample->value : GREATEST);
		text_add_char(out, '\n');
	}
}

/* The least bound of the histogram beneath which such a part lies; NULL: it is longer than all of them. */
static const char *bound_of(const struct samples *samples, double part)
{
	const double wanted = value_of(samples, "wsmauthz_decision_seconds_count") * part;

	for (size_t i = 0; i < samples->count; i++) {
		const struct sample *sample = &samples->list[i];

		if (strcmp(sample->name, "wsmauthz_decision_seconds_bucket") == 0 && sample->value >= wanted)
			return strcmp(sample_label(sample, "le"), "+Inf") == 0 ? NULL : sample_label(sample, "le");
	}
	return NULL;
}

static void add_durations(struct text *out, const struct samples *samples)
{
	static const struct {
		const char *name;
		double part;
	} parts[] = {{"half", 0.5}, {"95 %", 0.95}, {"99 %", 0.99}};
	const double count = value_of(samples, "wsmauthz_decision_seconds_count");

	if (!(count > 0))
		return;
	text_printf(out, COLUMNS, "time");
	text_add(out, "of those that asked the directory: ");
	for (size_t i = 0; i < 3; i++) {
		const char *bound = bound_of(samples, parts[i].part);

		text_printf(out, "%s%s took %s ", i == 0 ? "" : ", ", parts[i].name,
			    bound == NULL ? "over" : "at most");
		add_seconds(out, bound == NULL ? 10 : strtod(bound, NULL));
	}
	text_add_char(out, '\n');
}

static void add_groups(struct text *out, const struct samples *samples)
{
	text_printf(out, COLUMNS, "cache");
	add_value(out, samples, "wsmauthz_cache_users", "users, ");
	add_bytes(out, value_of(samples, "wsmauthz_cache_bytes"));
	text_printf(out, "\n" COLUMNS, "groups");
	add_value(out, samples, "wsmauthz_closure_groups", "groups, ");
	add_value(out, samples, "wsmauthz_closure_memberships", "memberships in ");
	add_bytes(out, value_of(samples, "wsmauthz_closure_index_bytes"));
	text_add(out, "; loaded ");
	add_value(out, samples, "wsmauthz_closure_loads_total", "times, the last one took ");
	add_seconds(out, value_of(samples, "wsmauthz_closure_load_seconds"));
	text_add(out, "; failed: ");
	add_count(out, value_of(samples, "wsmauthz_closure_load_failures_total"));
	text_add_char(out, '\n');
}

static void add_watch(struct text *out, const struct samples *samples, int64_t now_s)
{
	const double lag_s = value_of(samples, "wsmauthz_watch_lag_seconds");
	const double proven_s = value_of(samples, "wsmauthz_watch_proven_timestamp_seconds");

	text_printf(out, COLUMNS, "changes");
	text_add(out, value_of(samples, "wsmauthz_watch_up") > 0 ? "the directory tells of them"
								 : "not told by the directory");
	if (lag_s > 0) {
		text_add(out, ", behind for ");
		add_seconds(out, lag_s);
	}
	if (proven_s > 0) {
		text_add(out, "; last proven current ");
		add_age(out, (double)now_s - proven_s);
		text_add(out, " ago");
	}
	text_add(out, "; so far ");
	add_count(out, value_of(samples, "wsmauthz_changes_total") +
			   value_of(samples, "wsmauthz_changes_of_everything_total"));
	if (value_of(samples, "wsmauthz_watch_missing_changes") > 0) {
		text_add(out, "; not replicated yet: ");
		add_count(out, value_of(samples, "wsmauthz_watch_missing_changes"));
	}
	text_add_char(out, '\n');
}

static void add_directory(struct text *out, const struct samples *samples)
{
	text_printf(out, COLUMNS, "directory");
	add_value(out, samples, "wsmauthz_directory_connections", "connections, ");
	add_value(out, samples, "wsmauthz_directory_searches_total", "searches in ");
	add_value(out, samples, "wsmauthz_directory_round_trips_total", "round trips, ");
	add_bytes(out, value_of(samples, "wsmauthz_directory_received_bytes_total"));
	text_printf(out, " received\n" COLUMNS, "");
	add_value(out, samples, "wsmauthz_directory_connects_total", "connects, ");
	add_value(out, samples, "wsmauthz_directory_connect_failures_total", "failed, ");
	add_value(out, samples, "wsmauthz_directory_failovers_total", "sent again, ");
	add_value(out, samples, "wsmauthz_directory_timeouts_total", "timed out\n");
}

static void add_rest(struct text *out, const struct samples *samples)
{
	text_printf(out, COLUMNS, "policy");
	text_add(out, value_of(samples, "wsmauthz_policy_current") > 0 ? "current" : "NOT the one in the file");
	text_add(out, "; changed ");
	add_value(out, samples, "wsmauthz_policy_taken_total", "times, unusable ");
	add_value(out, samples, "wsmauthz_policy_refused_total", "times\n");
	text_printf(out, COLUMNS, "audit");
	add_value(out, samples, "wsmauthz_audit_lines_total", "lines, ");
	add_value(out, samples, "wsmauthz_audit_lost_total", "lost\n");
}

bool stats_are_old(const struct samples *samples, int64_t now_s)
{
	const double interval_s = value_of(samples, "wsmauthz_metrics_interval_seconds");

	return (double)now_s - value_of(samples, "wsmauthz_metrics_timestamp_seconds") > MISSED * interval_s + 1;
}

void stats_add_text(struct text *out, const struct samples *samples, int64_t now_s)
{
	add_head(out, samples, now_s);
	add_decisions(out, samples);
	add_durations(out, samples);
	add_groups(out, samples);
	add_watch(out, samples, now_s);
	add_directory(out, samples);
	add_rest(out, samples);
}
