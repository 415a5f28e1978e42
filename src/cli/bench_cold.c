/* SPDX-License-Identifier: Apache-2.0 */
#include <base/memory.h>
#include <cli/bench_floor.h>
#include <cli/bench_load.h>
#include <cli/bench_phases.h>
#include <cli/machine.h>
#include <stdio.h>
#include <string.h>

#define NS_PER_US 1000
#define NS_PER_S  1000000000.0

/* What the phase has open. */
struct cold {
	struct bench *bench;
	struct floor *floor;      /* NULL: none is wanted */
	struct wa_engine *engine; /* NULL: only the floor is wanted */
	struct load *load;
	struct load_result *slice;        /* owned */
	struct floor_result *floor_slice; /* owned */
};

enum status bench_open_engine(const struct bench *bench, bool no_cache, struct wa_engine **engine_out,
			      struct error *error)
{
	const struct wa_options options = {.log = bench->log, .dry_run = true, .no_cache = no_cache};
	struct wa_error why;

	if (wa_engine_open(bench->settings.policy, &options, engine_out, &why))
		return STATUS_OK;
	error_set(error, STATUS_INVALID, "%s", why.what);
	return error_hint(error, STATUS_INVALID, "%s", why.hint);
}

static void add_slice(struct bench_line *line, uint64_t calls, uint64_t elapsed_ns)
{
	line->is_measured = true;
	if (line->slice_count < BENCH_SLICES)
		line->slices[line->slice_count++] = elapsed_ns > 0 ? (double)calls * NS_PER_S / (double)elapsed_ns : 0;
}

static void add_load(struct bench *bench, enum bench_line_id id, const struct load_result *slice)
{
	struct bench_line *line = &bench->result->lines[id];

	add_slice(line, slice->answered, slice->elapsed_ns);
	histogram_merge(&line->latency, &slice->latency);
	line->calls += slice->latency.count;
	line->authorized += slice->verdicts[WA_AUTHORIZE];
	line->denied += slice->verdicts[WA_DENY];
	line->redirected += slice->verdicts[WA_REDIRECT];
	line->failed += slice->verdicts[WA_ERROR];
	line->missed += slice->missed;
	if (bench->result->first_error[0] == '\0')
		memcpy(bench->result->first_error, slice->first_error, sizeof(bench->result->first_error));
}

_Static_assert(sizeof(((struct bench_result *)0)->first_error) == LOAD_DETAIL_BYTES, "one is copied to the other");

static void step(struct cold *cold, const char *name)
{
	progress_step(&cold->bench->progress, name, cold->bench->settings.duration_ms / BENCH_SLICES);
}

static enum status run_floor_slice(struct cold *cold, enum bench_line_id id, struct error *error)
{
	uint64_t duration_ms = cold->bench->settings.duration_ms / BENCH_SLICES;
	struct bench_line *line = &cold->bench->result->lines[id];
	struct floor_result *slice = cold->floor_slice;
	enum status status;

	if (cold->floor == NULL)
		return STATUS_OK;
	step(cold, "floor");
	memset(slice, 0, sizeof(*slice));
	status = id == LINE_FLOOR_ONE
		     ? floor_run_single(cold->floor, duration_ms, &cold->bench->progress, slice, error)
		     : floor_run_pipelined(cold->floor, duration_ms, &cold->bench->progress, slice, error);
	if (status != STATUS_OK) {
		error_prefix(error, "the floor");
		return status;
	}
	add_slice(line, slice->searches, slice->elapsed_ns);
	histogram_merge(&line->latency, &slice->latency);
	line->calls += slice->searches;
	line->authorized += slice->found;
	line->denied += slice->searches - slice->found;
	return STATUS_OK;
}

/* In LINE_COLD: what the pool sent, and what the decisions waited for. */
static void count_searches(struct cold *cold, const struct wa_stats *before, const struct wa_stats *after)
{
	struct bench_result *result = cold->bench->result;

	result->cold_searches += after->searches - before->searches;
	result->cold_bytes += after->bytes_in - before->bytes_in;
	result->cold_round_trips += cold->slice->waited_for;
	result->knows_searches = result->knows_searches || after->searches > 0;
}

static enum status run_cold_slice(struct cold *cold, enum bench_line_id id, struct error *error)
{
	const struct bench_settings *settings = &cold->bench->settings;
	struct load_plan plan = {.threads = 1, .outstanding = 1, .duration_ms = settings->duration_ms / BENCH_SLICES};
	struct wa_stats before, after;
	enum status status;

	if (cold->engine == NULL)
		return STATUS_OK;
	if (id == LINE_COLD) {
		plan.threads = settings->threads;
		plan.rate = settings->rate;
		plan.outstanding = settings->rate > 0 ? LOAD_OPEN_OUTSTANDING : settings->outstanding;
	}
	step(cold, id == LINE_COLD ? "cold, many at a time" : "cold, 1 at a time");
	memset(cold->slice, 0, sizeof(*cold->slice));
	wa_engine_stats(cold->engine, &before);
	status = load_run(cold->load, &plan, &cold->bench->progress, cold->slice, error);
	wa_engine_stats(cold->engine, &after);
	add_load(cold->bench, id, cold->slice);
	if (id == LINE_COLD)
		count_searches(cold, &before, &after);
	return status;
}

/* The first answer comes when the groups are loaded. */
static enum status ask_first(struct cold *cold, uint64_t opened_ns, struct error *error)
{
	const struct load_plan plan = {.threads = 1, .outstanding = 1, .duration_ms = BENCH_FIRST_MS, .limit = 1};
	enum status status;

	memset(cold->slice, 0, sizeof(*cold->slice));
	status = load_run(cold->load, &plan, &cold->bench->progress, cold->slice, error);
	cold->bench->result->first_answer_us = (machine_ns() - opened_ns) / NS_PER_US;
	if (status != STATUS_OK)
		return status;
	if (cold->slice->verdicts[WA_ERROR] == cold->slice->latency.count)
		return error_set(error, STATUS_UNREACHABLE, "there was no answer to measure: %s",
				 cold->slice->first_error);
	return STATUS_OK;
}

static enum status open_cold(struct cold *cold, struct error *error)
{
	struct bench *bench = cold->bench;
	uint64_t opened_ns = machine_ns();
	enum status status;

	cold->slice = memory_new(sizeof(*cold->slice));
	cold->floor_slice = memory_new(sizeof(*cold->floor_slice));
	if (cold->slice == NULL || cold->floor_slice == NULL)
		return error_no_memory(error);
	if (!bench->settings.wants_cold)
		return STATUS_OK;
	status = bench_open_engine(bench, true, &cold->engine, error);
	if (status != STATUS_OK)
		return status;
	cold->load = load_open(cold->engine, &bench->senders);
	if (cold->load == NULL)
		return error_no_memory(error);
	return ask_first(cold, opened_ns, error);
}

static enum status open_floor(struct cold *cold, struct error *error)
{
	struct bench *bench = cold->bench;
	enum status status;

	if (!bench->settings.wants_floor)
		return STATUS_OK;
	status = floor_open(bench->settings.policy, &bench->senders, &cold->floor, error);
	if (status == STATUS_OK)
		bench->result->connections = floor_connections(cold->floor);
	return status;
}

static enum status run_pair(struct cold *cold, enum bench_line_id floor, enum bench_line_id decisions,
			    struct error *error)
{
	enum status status = STATUS_OK;

	for (size_t i = 0; i < BENCH_SLICES && status == STATUS_OK; i++) {
		status = run_floor_slice(cold, floor, error);
		if (status == STATUS_OK)
			status = run_cold_slice(cold, decisions, error);
	}
	return status;
}

enum status bench_run_cold(struct bench *bench, struct error *error)
{
	struct cold cold = {.bench = bench};
	enum status status = open_floor(&cold, error);

	if (status == STATUS_OK)
		status = open_cold(&cold, error);
	if (status == STATUS_OK)
		status = run_pair(&cold, LINE_FLOOR_ONE, LINE_COLD_ONE, error);
	if (status == STATUS_OK)
		status = run_pair(&cold, LINE_FLOOR, LINE_COLD, error);
	if (cold.engine != NULL)
		wa_engine_stats(cold.engine, &bench->result->engine);
	wa_engine_close(&cold.engine);
	load_close(&cold.load);
	floor_close(&cold.floor);
	memory_free(cold.slice);
	memory_free(cold.floor_slice);
	return status;
}
