/* SPDX-License-Identifier: Apache-2.0 */
/* What a benchmark found out, and how it is told: a table for people, or one JSON object. */
#ifndef WSMAUTHZ_CLI_BENCH_RESULT_H
#define WSMAUTHZ_CLI_BENCH_RESULT_H

#include <base/text.h>
#include <cli/bench_options.h>
#include <cli/histogram.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wsmauthz/engine.h>

/* A line is measured in so many slices, by turns with its floor, so that noise hits both. */
#define BENCH_SLICES 3

enum bench_line_id {
	LINE_FLOOR_ONE = 0, /* one search at a time */
	LINE_COLD_ONE,      /* one decision at a time */
	LINE_FLOOR,         /* pipelined searches */
	LINE_COLD,          /* many decisions at a time */
	LINE_PROBE,         /* working set: a hash probe */
	LINE_API,           /* working set, through the engine, one thread */
	LINE_API_THREADS,   /* ... all threads */
	LINE_PROBE_ALL,     /* the same with all who are authorized */
	LINE_API_ALL,
	LINE_COPY,   /* a copy of the sender's UTF-16 */
	LINE_POINTS, /* working set, through the plug-in's entry points, one thread */
	LINE_POINTS_THREADS,
	LINE_COUNT
};

struct bench_line {
	bool is_measured;
	double slices[BENCH_SLICES]; /* calls a second */
	size_t slice_count;
	struct histogram latency; /* nanoseconds; empty where single calls are not timed */
	uint64_t calls, authorized, denied, redirected, failed;
	uint64_t missed; /* warm: not answered by the cache; open loop: not asked in time */
};

struct bench_result {
	struct bench_line lines[LINE_COUNT];
	size_t sender_count;
	unsigned connections;      /* of the floor, as of the engine; 0: no floor was measured */
	uint64_t first_answer_us;  /* from the engine's opening */
	struct wa_stats engine;    /* at the end of the cold phase; without one, of the warm phase */
	uint64_t cold_searches;    /* LDAP searches that the pool sent during LINE_COLD */
	uint64_t cold_bytes;       /* that came from the directory meanwhile */
	uint64_t cold_round_trips; /* that the decisions of LINE_COLD waited for */
	bool knows_searches;
	uint64_t warm_set, warm_all; /* authorized senders of the small and of the large warm lines */
	uint64_t warm_up_asked, warm_up_ns;
	uint64_t resident_before, resident_after; /* bytes, before and behind the warm-up; 0: not known */
	struct wa_stats warm_engine;              /* behind the warm-up */
	char first_error[256];                    /* "" for none */
};

/** The median, smallest and largest of a line's slices; 0 when it has none. */
double bench_line_median(const struct bench_line *line);
double bench_line_min(const struct bench_line *line);
double bench_line_max(const struct bench_line *line);

/** A ratio of two rates, or 0 where one is not known. */
double bench_ratio(double of, double to);

void bench_result_text(struct text *out, const struct bench_settings *settings, const struct bench_result *result);
/** One object and a line end. */
void bench_result_json(struct text *out, const struct bench_settings *settings, const struct bench_result *result);

#endif
