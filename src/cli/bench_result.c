/* SPDX-License-Identifier: Apache-2.0 */
#include <base/json.h>
#include <cli/bench_result.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NS_PER_US   1000.0
#define NS_PER_MS   1000000.0

#define MEDIAN      50000u
#define NINETY      90000u
#define NINETY_NINE 99000u
#define THREE_NINES 99900u

static const struct {
	const char *json, *text;
} names[LINE_COUNT] = {
    [LINE_FLOOR_ONE] = {"floor_one", "floor: a search, 1 at a time"},
    [LINE_COLD_ONE] = {"cold_one", "cold, 1 at a time"},
    [LINE_FLOOR] = {"floor", "floor: searches, pipelined"},
    [LINE_COLD] = {"cold", "cold, many at a time"},
    [LINE_PROBE] = {"probe", "floor: a hash probe"},
    [LINE_API] = {"api", "warm, engine, 1 thread"},
    [LINE_API_THREADS] = {"api_threads", "warm, engine, all threads"},
    [LINE_PROBE_ALL] = {"probe_all", "floor: a hash probe, all users"},
    [LINE_API_ALL] = {"api_all", "warm, engine, all users"},
    [LINE_COPY] = {"copy", "floor: a UTF-16 copy"},
    [LINE_POINTS] = {"entry_points", "warm, plug-in, 1 thread"},
    [LINE_POINTS_THREADS] = {"entry_points_threads", "warm, plug-in, all threads"},
};

double bench_line_min(const struct bench_line *line)
{
	double least = line->slice_count > 0 ? line->slices[0] : 0;

	for (size_t i = 1; i < line->slice_count; i++)
		if (line->slices[i] < least)
			least = line->slices[i];
	return least;
}

double bench_line_max(const struct bench_line *line)
{
	double most = 0;

	for (size_t i = 0; i < line->slice_count; i++)
		if (line->slices[i] > most)
			most = line->slices[i];
	return most;
}

/* How many slices stand before this one when they are sorted. */
static size_t rank_of(const struct bench_line *line, size_t slice)
{
	size_t rank = 0;

	for (size_t i = 0; i < line->slice_count; i++)
		if (line->slices[i] < line->slices[slice] || (i < slice && line->slices[i] <= line->slices[slice]))
			rank++;
	return rank;
}

/* Of two in the middle, the lower. */
double bench_line_median(const struct bench_line *line)
{
	for (size_t i = 0; i < line->slice_count; i++)
		if (rank_of(line, i) == (line->slice_count - 1) / 2)
			return line->slices[i];
	return 0;
}

double bench_ratio(double of, double to)
{
	return to > 0 ? of / to : 0;
}

static double median_of(const struct bench_result *result, enum bench_line_id id)
{
	return bench_line_median(&result->lines[id]);
}

static double p50_of(const struct bench_result *result, enum bench_line_id id)
{
	return (double)histogram_percentile(&result->lines[id].latency, MEDIAN);
}

static double searches_per_decision(const struct bench_result *result)
{
	return bench_ratio((double)result->cold_searches, (double)result->lines[LINE_COLD].calls);
}

static double round_trips_per_decision(const struct bench_result *result)
{
	return bench_ratio((double)result->cold_round_trips, (double)result->lines[LINE_COLD].calls);
}

/* What the process grew by in the warm-up, for each user that was asked for. */
static double bytes_per_decision(const struct bench_result *result)
{
	return bench_ratio((double)result->cold_bytes, (double)result->lines[LINE_COLD].calls);
}

static double bytes_per_user(const struct bench_result *result)
{
	if (result->resident_before == 0 || result->resident_after <= result->resident_before)
		return 0;
	return bench_ratio((double)(result->resident_after - result->resident_before), (double)result->warm_up_asked);
}

struct ratio {
	const char *json, *text;
	double value; /* 0: not known */
};

#define RATIO_COUNT 8

static void fill_ratios(const struct bench_result *result, struct ratio ratios[RATIO_COUNT])
{
	const struct ratio filled[RATIO_COUNT] = {
	    {"cold_to_floor", "cold decisions, many at a time, to pipelined searches",
	     bench_ratio(median_of(result, LINE_COLD), median_of(result, LINE_FLOOR))},
	    {"cold_one_p50_to_floor", "median latency of one cold decision to that of one search",
	     bench_ratio(p50_of(result, LINE_COLD_ONE), p50_of(result, LINE_FLOOR_ONE))},
	    {"api_to_probe", "warm decisions of the engine to hash probes",
	     bench_ratio(median_of(result, LINE_API), median_of(result, LINE_PROBE))},
	    {"api_all_to_probe", "the same, all users",
	     bench_ratio(median_of(result, LINE_API_ALL), median_of(result, LINE_PROBE_ALL))},
	    {"entry_points_to_copy", "warm decisions of the plug-in to UTF-16 copies",
	     bench_ratio(median_of(result, LINE_POINTS), median_of(result, LINE_COPY))},
	    {"api_threads_to_one", "the engine with all threads to one",
	     bench_ratio(median_of(result, LINE_API_THREADS), median_of(result, LINE_API))},
	    {"entry_points_threads_to_one", "the plug-in with all threads to one",
	     bench_ratio(median_of(result, LINE_POINTS_THREADS), median_of(result, LINE_POINTS))},
	    {"cold_p50_to_cold_one", "median latency of a cold decision, many at a time to one",
	     bench_ratio(p50_of(result, LINE_COLD), p50_of(result, LINE_COLD_ONE))},
	};

	memcpy(ratios, filled, sizeof(filled));
}

/* Text */

static void add_duration(struct text *out, uint64_t ns)
{
	if (ns < 10000)
		text_printf(out, " %6" PRIu64 " ns", ns);
	else if (ns < 10000000)
		text_printf(out, " %6.*f us", ns < 1000000 ? 1 : 0, (double)ns / NS_PER_US);
	else
		text_printf(out, " %6.*f ms", ns < 1000000000 ? 1 : 0, (double)ns / NS_PER_MS);
}

static void add_line(struct text *out, const struct bench_line *line, const char *name)
{
	static const unsigned points[] = {MEDIAN, NINETY, NINETY_NINE, THREE_NINES};

	text_printf(out, "%-31s %11.0f  %10.0f %10.0f", name, bench_line_median(line), bench_line_min(line),
		    bench_line_max(line));
	for (size_t i = 0; i < COUNT_OF(points) && line->latency.count > 0; i++)
		add_duration(out, histogram_percentile(&line->latency, points[i]));
	if (line->latency.count > 0)
		add_duration(out, line->latency.max);
	text_add_char(out, '\n');
}

static void add_lines(struct text *out, const struct bench_result *result)
{
	text_printf(out, "%-31s %11s  %10s %10s %9s %9s %9s %9s %9s\n", "", "per second", "min", "max", "p50", "p90",
		    "p99", "p99.9", "max");
	for (size_t i = 0; i < LINE_COUNT; i++)
		if (result->lines[i].is_measured)
			add_line(out, &result->lines[i], names[i].text);
}

static void add_ratios(struct text *out, const struct bench_result *result)
{
	struct ratio ratios[RATIO_COUNT];

	fill_ratios(result, ratios);
	for (size_t i = 0; i < RATIO_COUNT; i++)
		if (ratios[i].value > 0)
			text_printf(out, "%8.2f x  %s\n", ratios[i].value, ratios[i].text);
}

static void add_verdicts(struct text *out, const struct bench_line *line, const char *name)
{
	if (!line->is_measured)
		return;
	text_printf(out, "%s: %" PRIu64 " authorized, %" PRIu64 " denied, %" PRIu64 " redirected, %" PRIu64 " errors",
		    name, line->authorized, line->denied, line->redirected, line->failed);
	if (line->missed > 0)
		text_printf(out, ", %" PRIu64 " not asked in time", line->missed);
	text_add_char(out, '\n');
}

static void add_cold(struct text *out, const struct bench_result *result)
{
	add_verdicts(out, &result->lines[LINE_COLD], "cold");
	if (result->lines[LINE_COLD].calls == 0)
		return;
	if (result->knows_searches) {
		text_printf(out, "%8.3f  searches a cold decision\n", searches_per_decision(result));
		text_printf(out, "%8.0f  bytes from the directory a cold decision\n", bytes_per_decision(result));
	}
	text_printf(out, "%8.3f  round trips that a cold decision waited for\n", round_trips_per_decision(result));
}

static void add_warm(struct text *out, const struct bench_result *result)
{
	const struct bench_line *line = &result->lines[LINE_API];

	if (result->warm_up_asked > 0)
		text_printf(out, "warm-up: %" PRIu64 " users in %.0f ms\n", result->warm_up_asked,
			    (double)result->warm_up_ns / NS_PER_MS);
	if (bytes_per_user(result) > 0)
		text_printf(out, "%8.0f  bytes of memory a user asked for\n", bytes_per_user(result));
	if (line->is_measured && line->missed > 0)
		text_printf(out, "%7.2f%%  of the engine's warm decisions were not answered by the cache\n",
			    100 * bench_ratio((double)line->missed, (double)line->calls));
}

void bench_result_text(struct text *out, const struct bench_settings *settings, const struct bench_result *result)
{
	text_printf(out, "%zu senders, %u threads, %zu outstanding, %u connections; first answer after %.0f ms\n",
		    result->sender_count, settings->threads, settings->outstanding, result->connections,
		    (double)result->first_answer_us / NS_PER_US);
	if (result->engine.closure_load_us > 0)
		text_printf(
		    out, "groups: %" PRIu64 " with %" PRIu64 " memberships, loaded in %.0f ms; the directory is %s\n",
		    result->engine.closure_groups, result->engine.memberships,
		    (double)result->engine.closure_load_us / NS_PER_US,
		    result->engine.watched ? "watched" : "not watched");
	text_add_char(out, '\n');
	add_lines(out, result);
	text_add_char(out, '\n');
	add_ratios(out, result);
	add_cold(out, result);
	add_warm(out, result);
	if (result->first_error[0] != '\0')
		text_printf(out, "first error: %s\n", result->first_error);
}

/* JSON */

static void add_name(struct text *out, const char *name)
{
	if (out->length > 0 && out->data[out->length - 1] != '{')
		text_add_char(out, ',');
	json_add_string(out, name, strlen(name));
	text_add_char(out, ':');
}

static void add_decimal(struct text *out, const char *name, double value, bool is_known)
{
	if (!is_known) {
		json_null(out, name);
		return;
	}
	add_name(out, name);
	text_printf(out, "%.4f", value);
}

static void add_known(struct text *out, const char *name, uint64_t value)
{
	if (value > 0)
		json_number(out, name, value);
	else
		json_null(out, name);
}

static void add_latency(struct text *out, const struct histogram *latency)
{
	static const struct {
		const char *name;
		unsigned per_100000;
	} points[] = {{"p50_ns", MEDIAN},
		      {"p90_ns", NINETY},
		      {"p99_ns", NINETY_NINE},
		      {"p99_9_ns", THREE_NINES},
		      {"max_ns", 100000}};

	for (size_t i = 0; i < COUNT_OF(points); i++) {
		if (latency->count > 0)
			json_number(out, points[i].name, histogram_percentile(latency, points[i].per_100000));
		else
			json_null(out, points[i].name);
	}
}

static void add_line_object(struct text *out, const struct bench_line *line, const char *name)
{
	if (!line->is_measured) {
		json_null(out, name);
		return;
	}
	add_name(out, name);
	json_begin(out);
	add_decimal(out, "per_second", bench_line_median(line), true);
	add_decimal(out, "per_second_min", bench_line_min(line), true);
	add_decimal(out, "per_second_max", bench_line_max(line), true);
	json_number(out, "calls", line->calls);
	add_latency(out, &line->latency);
	json_number(out, "authorized", line->authorized);
	json_number(out, "denied", line->denied);
	json_number(out, "redirected", line->redirected);
	json_number(out, "errors", line->failed);
	json_number(out, "missed", line->missed);
	json_end(out);
}

static void add_line_objects(struct text *out, const struct bench_result *result)
{
	add_name(out, "lines");
	json_begin(out);
	for (size_t i = 0; i < LINE_COUNT; i++)
		add_line_object(out, &result->lines[i], names[i].json);
	json_end(out);
}

static void add_ratio_object(struct text *out, const struct bench_result *result)
{
	struct ratio ratios[RATIO_COUNT];

	fill_ratios(result, ratios);
	add_name(out, "ratios");
	json_begin(out);
	for (size_t i = 0; i < RATIO_COUNT; i++)
		add_decimal(out, ratios[i].json, ratios[i].value, ratios[i].value > 0);
	json_end(out);
}

static void add_settings(struct text *out, const struct bench_settings *settings, const struct bench_result *result)
{
	json_number(out, "senders", result->sender_count);
	json_number(out, "threads", settings->threads);
	json_number(out, "outstanding", settings->outstanding);
	add_known(out, "rate", settings->rate);
	add_known(out, "connections", result->connections);
	json_number(out, "duration_ms", settings->duration_ms);
}

static void add_figures(struct text *out, const struct bench_result *result)
{
	bool has_cold = result->lines[LINE_COLD].calls > 0;

	add_known(out, "first_answer_us", result->first_answer_us);
	add_known(out, "closure_load_us", result->engine.closure_load_us);
	add_known(out, "closure_groups", result->engine.closure_groups);
	add_known(out, "memberships", result->engine.memberships);
	json_bool(out, "watched", result->engine.watched);
	add_decimal(out, "searches_per_decision", searches_per_decision(result), has_cold && result->knows_searches);
	add_decimal(out, "bytes_per_decision", bytes_per_decision(result), has_cold && result->knows_searches);
	add_decimal(out, "round_trips_per_decision", round_trips_per_decision(result), has_cold);
	add_known(out, "working_set", result->warm_set);
	add_known(out, "warm_users", result->warm_all);
	add_known(out, "warm_up_asked", result->warm_up_asked);
	add_known(out, "warm_up_ns", result->warm_up_ns);
	add_known(out, "resident_bytes", result->resident_after);
	add_decimal(out, "bytes_per_user", bytes_per_user(result), bytes_per_user(result) > 0);
	add_known(out, "cached_users", result->warm_engine.cached_users);
	add_known(out, "cached_bytes", result->warm_engine.cached_bytes);
	json_text(out, "first_error", result->first_error[0] != '\0' ? result->first_error : NULL);
}

void bench_result_json(struct text *out, const struct bench_settings *settings, const struct bench_result *result)
{
	json_begin(out);
	add_settings(out, settings, result);
	add_figures(out, result);
	add_line_objects(out, result);
	add_ratio_object(out, result);
	json_end(out);
	text_add_char(out, '\n');
}
