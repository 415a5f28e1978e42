/* SPDX-License-Identifier: Apache-2.0 */
#include <base/memory.h>
#include <cli/bench_load.h>
#include <cli/bench_phases.h>
#include <cli/bench_warm.h>
#include <cli/machine.h>
#include <plugin/plugin.h>
#include <stdio.h>
#include <string.h>

#define NS_PER_US 1000
#define NS_PER_S  1000000000.0
/* Of the engine's warm-up: enough for its batches. */
#define WARM_UP_OUTSTANDING 512
/* Threads of the plug-in's warm-up, each of which may have to wait for its answer. */
#define WARM_UP_THREADS 32
/* A guess at the warm-up's pace, for the progress bar. */
#define WARM_UP_PER_SECOND 20000

/* Who is asked for again and again: those who are authorized. The small set is the beginning of the large one. */
struct sets {
	unsigned char *authorized; /* owned: [senders]; 1 for who is */
	uint32_t *all;             /* owned */
	size_t all_count, small_count;
};

uint64_t bench_phases_ms(const struct bench_settings *settings, size_t senders)
{
	uint64_t lines = (settings->wants_floor ? 2u : 0u) + (settings->wants_cold ? 2u : 0u), once_ms = 0;

	if (settings->wants_warm) {
		lines += (settings->wants_api ? 5u : 0u) + (settings->wants_entry_points ? 3u : 0u);
		once_ms = (uint64_t)senders * 1000 / WARM_UP_PER_SECOND;
	}
	return lines * settings->duration_ms + (once_ms < BENCH_WARM_UP_MS ? once_ms : BENCH_WARM_UP_MS);
}

static enum status run_line(struct bench *bench, struct warm *warm, enum bench_line_id id, const char *name,
			    const struct warm_plan *plan, struct error *error)
{
	struct bench_line *line = &bench->result->lines[id];
	struct warm_result *slice = memory_new(sizeof(*slice));
	enum status status;

	if (slice == NULL)
		return error_no_memory(error);
	progress_step(&bench->progress, name, plan->duration_ms);
	status = warm_run(warm, plan, &bench->progress, slice, error);
	line->is_measured = true;
	if (line->slice_count < BENCH_SLICES && slice->elapsed_ns > 0)
		line->slices[line->slice_count++] = (double)slice->calls * NS_PER_S / (double)slice->elapsed_ns;
	histogram_merge(&line->latency, &slice->latency);
	line->calls += slice->calls;
	line->authorized += slice->authorized;
	line->denied += slice->denied;
	line->failed += slice->failed;
	line->missed += slice->missed;
	memory_free(slice);
	return status;
}

/* One line of a round: measured in every slice. */
struct round_line {
	enum bench_line_id id;
	const char *name;
	enum warm_kind kind;
	unsigned threads;
};

static enum status run_round(struct bench *bench, const struct warm_subject *subject, const struct round_line *lines,
			     size_t count, struct warm **warm, struct error *error)
{
	enum status status = warm_open(subject, warm, error);

	for (size_t slice = 0; slice < BENCH_SLICES && status == STATUS_OK; slice++) {
		for (size_t i = 0; i < count && status == STATUS_OK; i++) {
			const struct warm_plan plan = {.kind = lines[i].kind,
						       .threads = lines[i].threads,
						       .duration_ms = bench->settings.duration_ms / BENCH_SLICES};

			status = run_line(bench, *warm, lines[i].id, lines[i].name, &plan, error);
		}
	}
	return status;
}

/* Senders are at most SENDERS_MAX. */
static enum status fill_sets(struct bench *bench, struct sets *sets, struct error *error)
{
	sets->all = memory_new_array(bench->senders.count, sizeof(*sets->all));
	if (sets->all == NULL)
		return error_no_memory(error);
	for (size_t i = 0; i < bench->senders.count; i++)
		if (sets->authorized[i] != 0)
			sets->all[sets->all_count++] = (uint32_t)i;
	sets->small_count =
	    sets->all_count < bench->settings.working_set ? sets->all_count : bench->settings.working_set;
	bench->result->warm_all = sets->all_count;
	bench->result->warm_set = sets->small_count;
	return STATUS_OK;
}

static void keep_error(struct bench *bench, const struct load_result *result)
{
	if (bench->result->first_error[0] == '\0')
		memcpy(bench->result->first_error, result->first_error, sizeof(bench->result->first_error));
}

/* One question, for the groups to be loaded and the connections made. */
static enum status ask_first(struct bench *bench, struct load *load, uint64_t opened_ns, struct error *error)
{
	const struct load_plan plan = {.threads = 1, .outstanding = 1, .duration_ms = BENCH_FIRST_MS, .limit = 1};
	struct load_result *result = memory_new(sizeof(*result));
	enum status status;

	if (result == NULL)
		return error_no_memory(error);
	status = load_run(load, &plan, &bench->progress, result, error);
	if (bench->result->first_answer_us == 0)
		bench->result->first_answer_us = (machine_ns() - opened_ns) / NS_PER_US;
	if (status == STATUS_OK && result->verdicts[WA_ERROR] == result->latency.count)
		status =
		    error_set(error, STATUS_UNREACHABLE, "there was no answer to measure: %s", result->first_error);
	memory_free(result);
	return status;
}

/* Everybody once. The memory before and behind it is the cache's. */
static enum status warm_up(struct bench *bench, struct wa_engine *engine, struct load *load, const struct sets *sets,
			   struct error *error)
{
	const struct load_plan plan = {.threads = 1,
				       .outstanding = WARM_UP_OUTSTANDING,
				       .duration_ms = BENCH_WARM_UP_MS,
				       .limit = bench->senders.count,
				       .authorized = sets->authorized};
	struct load_result *result = memory_new(sizeof(*result));
	enum status status;

	if (result == NULL)
		return error_no_memory(error);
	bench->result->resident_before = machine_resident_bytes();
	progress_step(&bench->progress, "warm-up", bench->senders.count * 1000 / WARM_UP_PER_SECOND);
	status = load_run(load, &plan, &bench->progress, result, error);
	bench->result->resident_after = machine_resident_bytes();
	bench->result->warm_up_asked = result->latency.count;
	bench->result->warm_up_ns = result->elapsed_ns;
	wa_engine_stats(engine, &bench->result->warm_engine);
	if (!bench->settings.wants_cold)
		bench->result->engine = bench->result->warm_engine;
	keep_error(bench, result);
	memory_free(result);
	return status;
}

static enum status run_api(struct bench *bench, struct wa_engine *engine, const struct sets *sets,
			   struct warm *warms[2], struct error *error)
{
	const struct round_line small[] = {
	    {LINE_PROBE, "floor: a hash probe", WARM_PROBE, 1},
	    {LINE_API, "warm, engine, 1 thread", WARM_API, 1},
	    {LINE_API_THREADS, "warm, engine, all threads", WARM_API, bench->settings.threads},
	};
	const struct round_line all[] = {
	    {LINE_PROBE_ALL, "floor: a hash probe", WARM_PROBE, 1},
	    {LINE_API_ALL, "warm, engine, all users", WARM_API, 1},
	};
	struct warm_subject subject = {
	    .engine = engine, .senders = &bench->senders, .set = sets->all, .set_count = sets->small_count};
	enum status status = run_round(bench, &subject, small, COUNT_OF(small), &warms[0], error);

	if (status != STATUS_OK)
		return status;
	subject.set_count = sets->all_count;
	return run_round(bench, &subject, all, COUNT_OF(all), &warms[1], error);
}

/* Finds out who is authorized, too: by the engine, also when only the plug-in is wanted. */
static enum status run_engine(struct bench *bench, struct sets *sets, struct error *error)
{
	struct wa_engine *engine = NULL;
	struct load *load = NULL;
	struct warm *warms[2] = {NULL, NULL};
	uint64_t opened_ns = machine_ns();
	enum status status = bench_open_engine(bench, false, &engine, error);

	if (status != STATUS_OK)
		return status;
	load = load_open(engine, &bench->senders);
	status = load != NULL ? ask_first(bench, load, opened_ns, error) : error_no_memory(error);
	if (status == STATUS_OK)
		status = warm_up(bench, engine, load, sets, error);
	if (status == STATUS_OK)
		status = fill_sets(bench, sets, error);
	if (status == STATUS_OK && sets->all_count > 0 && bench->settings.wants_api)
		status = run_api(bench, engine, sets, warms, error);
	wa_engine_close(&engine);
	load_close(&load);
	warm_close(&warms[0]);
	warm_close(&warms[1]);
	return status;
}

static enum status warm_up_plugin(struct bench *bench, struct warm *warm, struct error *error)
{
	const struct warm_plan plan = {
	    .kind = WARM_ENTRY_POINTS, .threads = WARM_UP_THREADS, .duration_ms = BENCH_WARM_UP_MS, .once = true};
	struct warm_result *result = memory_new(sizeof(*result));
	enum status status;

	if (result == NULL)
		return error_no_memory(error);
	progress_step(&bench->progress, "warm-up", 0);
	status = warm_run(warm, &plan, &bench->progress, result, error);
	memory_free(result);
	return status;
}

/* The completion is as the policy says: at once, unless it wants it otherwise. */
static enum status run_plugin(struct bench *bench, const struct sets *sets, struct error *error)
{
	const struct round_line lines[] = {
	    {LINE_COPY, "floor: a UTF-16 copy", WARM_COPY, 1},
	    {LINE_POINTS, "warm, plug-in, 1 thread", WARM_ENTRY_POINTS, 1},
	    {LINE_POINTS_THREADS, "warm, plug-in, all threads", WARM_ENTRY_POINTS, bench->settings.threads},
	};
	const struct plugin_options options = {.log = &bench->log, .dry_run = true};
	struct warm_subject subject = {.senders = &bench->senders, .set = sets->all, .set_count = sets->small_count};
	struct warm *first = NULL, *warm = NULL;
	enum status status = plugin_start(bench->settings.policy, &options, &subject.plugin, error);

	if (status != STATUS_OK)
		return status;
	status = warm_open(&subject, &first, error);
	if (status == STATUS_OK)
		status = warm_up_plugin(bench, first, error);
	if (status == STATUS_OK)
		status = run_round(bench, &subject, lines, COUNT_OF(lines), &warm, error);
	(void)WSManPluginShutdown(subject.plugin, 0, 0);
	warm_close(&first);
	warm_close(&warm);
	return status;
}

enum status bench_run_warm(struct bench *bench, struct error *error)
{
	struct sets sets = {.authorized = memory_new(bench->senders.count)};
	enum status status;

	if (sets.authorized == NULL)
		return error_no_memory(error);
	status = run_engine(bench, &sets, error);
	if (status == STATUS_OK && sets.all_count > 0 && bench->settings.wants_entry_points)
		status = run_plugin(bench, &sets, error);
	memory_free(sets.all);
	memory_free(sets.authorized);
	return status;
}
