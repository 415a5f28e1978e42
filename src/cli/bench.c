/* SPDX-License-Identifier: Apache-2.0 */
#include <base/compiler.h>
#include <base/memory.h>
#include <cli/arguments.h>
#include <cli/bench_phases.h>
#include <cli/console.h>
#include <os/log_sink.h>

static void write_log(void *context, enum wa_log_level level, const char *line)
{
	log_sink_stderr(context, (enum log_level)level, line);
}

static enum status run_phases(struct bench *bench, struct error *error)
{
	enum status status = STATUS_OK;

	if (bench->settings.wants_cold || bench->settings.wants_floor)
		status = bench_run_cold(bench, error);
	if (status == STATUS_OK && bench->settings.wants_warm)
		status = bench_run_warm(bench, error);
	return status;
}

static enum status print(const struct bench *bench, struct error *error)
{
	struct text text;
	enum status status;

	text_init(&text);
	if (bench->settings.is_json)
		bench_result_json(&text, &bench->settings, bench->result);
	else
		bench_result_text(&text, &bench->settings, bench->result);
	status = text_failed(&text) ? error_no_memory(error) : console_write(text_string(&text), text.length, error);
	text_done(&text);
	return status;
}

static enum status measure(struct bench *bench, struct error *error)
{
	enum status status;

	bench->result = memory_new(sizeof(*bench->result));
	if (bench->result == NULL)
		return error_no_memory(error);
	status = senders_read(bench->settings.senders_path, bench->settings.users_limit, &bench->senders, error);
	if (status != STATUS_OK)
		return status;
	bench->result->sender_count = bench->senders.count;
	progress_begin(&bench->progress, bench_phases_ms(&bench->settings, bench->senders.count));
	status = run_phases(bench, error);
	progress_end(&bench->progress);
	return status == STATUS_OK ? print(bench, error) : status;
}

static bool has_errors(const struct bench_result *result)
{
	for (size_t i = 0; i < LINE_COUNT; i++)
		if (result->lines[i].failed > 0)
			return true;
	return result->first_error[0] != '\0';
}

static int exit_status_of(const struct bench *bench, enum status status, const struct error *error)
{
	if (status == STATUS_CANCELLED)
		return EXIT_FAILED;
	if (status != STATUS_OK) {
		console_complain(error);
		return status == STATUS_INVALID || status == STATUS_NOT_FOUND ? EXIT_USAGE : EXIT_FAILED;
	}
	return has_errors(bench->result) ? EXIT_FAILED : EXIT_DONE;
}

static int run(const struct arguments *arguments)
{
	struct bench bench = {.result = NULL};
	struct error error = {.status = STATUS_OK};
	enum status status = bench_options_read(arguments, &bench.settings, &error);
	int exit_status;

	bench.log = (struct wa_log){.level = bench.settings.log_level, .write = write_log};
	if (status == STATUS_OK)
		status = measure(&bench, &error);
	exit_status = exit_status_of(&bench, status, &error);
	senders_done(&bench.senders);
	memory_free(bench.result);
	return exit_status;
}

static const struct option options[] = {
    {"--senders", "FILE", "Who is asked for, one a line; - is standard input."},
    {"--users-limit", "N", "Take at most N senders of the file."},
    {"--phases", "LIST", "Some of cold, warm, floor, with commas between. Default: all."},
    {"--duration", "D", "How long each line of the table is measured. Default: 5s."},
    {"--threads", "N", "Threads that ask. Default: as many as there are processors."},
    {"--outstanding", "N", "Cold: decisions that are kept under way, by all threads together. Default: 64."},
    {"--rate", "R", "Cold: ask R times a second instead, whatever the pace of the answers."},
    {"--working-set", "N", "Warm: users of the lines that do not say 'all users'. Default: 1000."},
    {"--api", NULL, "Warm: only through the engine."},
    {"--entry-points", NULL, "Warm: only through the plug-in's entry points."},
};

const struct command command_bench = {
    .name = "bench",
    .operands = "--senders FILE",
    .summary = "Measure how fast decisions are, and what the directory itself allows.",
    .help =
	"Asks the policy's directory for the senders of a file, and prints a table. Beside each figure stands its\n"
	"floor, measured in the same run:\n"
	"\n"
	"  cold   nothing is cached: one decision at a time, and many. Floor: single searches as a decision sends\n"
	"         them, on as many connections, pipelined\n"
	"  warm   everybody was asked for once, and those who are authorized are asked for again, at random:\n"
	"         through the engine (floor: a hash probe), and through the plug-in's entry points (floor: a copy of "
	"the\n"
	"         sender in UTF-16)\n"
	"\n"
	"Each line has calls a second (median, least and most of three slices, which take turns with those of its\n"
	"floor) and latencies. Below it: ratios, searches and round trips a cold decision, memory a user. With "
	"--json:\n"
	"one object with all of it; null is what was not measured.\n"
	"\n"
	"Nobody is let in by this, and nothing is left in the audit. It is a load like any other for the directory.\n"
	"\n"
	"Exit status: 0 measured; 3 at least one decision was an error, or it could not be measured; 2 the command\n"
	"line, the senders or the policy is unusable.",
    .options = options,
    .option_count = COUNT_OF(options),
    .run = run,
};
