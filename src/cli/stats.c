/* SPDX-License-Identifier: Apache-2.0 */
#include <base/json.h>
#include <base/memory.h>
#include <cli/arguments.h>
#include <cli/command.h>
#include <cli/console.h>
#include <cli/stats_samples.h>
#include <cli/stats_text.h>
#include <config/config.h>
#include <os/clock.h>
#include <os/file_publish.h>
#include <plugin/plugin.h>
#include <string.h>

struct stats {
	char *path, *data; /* owned */
	size_t length;
	struct text out;
};

static enum status path_of_policy(const char *policy, char **path_out, struct error *error)
{
	const struct config *config = NULL;
	enum status status = config_load(policy, &config, error);

	if (status != STATUS_OK)
		return error_hint(error, STATUS_INVALID,
				  "the policy says where the metrics are; with --file FILE it is not needed");
	if (config->metrics_file == NULL) {
		status = error_set(error, STATUS_INVALID, "%s: the policy has no <metrics>", policy);
		status = error_hint(error, status, "write <metrics file=\"/run/wsmauthz/wsmauthz.prom\"/> into it");
	} else {
		*path_out = memory_copy_text(config->metrics_file);
		status = *path_out == NULL ? error_no_memory(error) : STATUS_OK;
	}
	config_unref(&config);
	return status;
}

static enum status find_path(struct stats *stats, const struct arguments *arguments, struct error *error)
{
	const char *file = arguments_value(arguments, "--file");
	const char *policy = arguments_value(arguments, "--config");

	if (arguments->operand_count > 0) {
		(void)error_set(error, STATUS_INVALID, "stats takes no operand: '%s'", arguments->operands[0]);
		return error_hint(error, STATUS_INVALID, "see 'wsmauthz stats --help'");
	}
	if (arguments_has(arguments, "--json") && arguments_has(arguments, "--openmetrics"))
		return error_set(error, STATUS_INVALID, "--json and --openmetrics exclude each other");
	if (file == NULL)
		return path_of_policy(policy != NULL ? policy : PLUGIN_DEFAULT_POLICY, &stats->path, error);
	stats->path = memory_copy_text(file);
	return stats->path == NULL ? error_no_memory(error) : STATUS_OK;
}

/* Whatever is wrong with it is no mistake of the command line. */
static enum status read_file(struct stats *stats, struct error *error)
{
	enum status status = file_publish_read(stats->path, SAMPLES_MAX_BYTES, &stats->data, &stats->length, error);

	if (status == STATUS_NOT_FOUND)
		return error_hint(error, status, "nothing that runs writes it: is the plug-in loaded?");
	return status == STATUS_INVALID ? STATUS_UNREACHABLE : status;
}

static void add_json(struct text *out, const struct sample *sample)
{
	json_begin(out);
	json_text(out, "name", sample->name);
	text_add(out, ",\"labels\":");
	json_begin(out);
	for (size_t i = 0; i < sample->label_count; i++)
		json_text(out, sample->labels[i].name, sample->labels[i].value);
	json_end(out);
	text_printf(out, ",\"value\":%s", sample->text);
	json_end(out);
	text_add_char(out, '\n');
}

static enum status parse(struct stats *stats, struct samples *samples_out, struct error *error)
{
	enum status status = samples_parse(stats->data, samples_out, error);

	if (status == STATUS_OK)
		return status;
	error_prefix(error, "%s", stats->path);
	return status == STATUS_INVALID ? STATUS_UNREACHABLE : status;
}

static enum status show(struct stats *stats, const struct arguments *arguments, bool *is_old_out, struct error *error)
{
	struct samples samples = {.count = 0};
	enum status status;

	if (arguments_has(arguments, "--openmetrics")) /* before it is taken apart */
		text_add_bytes(&stats->out, stats->data, stats->length);
	status = parse(stats, &samples, error);
	if (status != STATUS_OK)
		return status;
	*is_old_out = stats_are_old(&samples, clock_wall_s());
	if (arguments_has(arguments, "--json")) {
		for (size_t i = 0; i < samples.count; i++)
			add_json(&stats->out, &samples.list[i]);
	} else if (!arguments_has(arguments, "--openmetrics")) {
		stats_add_text(&stats->out, &samples, clock_wall_s());
	}
	samples_done(&samples);
	if (text_failed(&stats->out))
		return error_no_memory(error);
	return console_write(text_string(&stats->out), stats->out.length, error);
}

static int run(const struct arguments *arguments)
{
	struct error error = {.status = STATUS_OK};
	struct stats stats = {.path = NULL};
	bool is_old = false;
	enum status status;

	text_init(&stats.out);
	status = find_path(&stats, arguments, &error);
	if (status == STATUS_OK)
		status = read_file(&stats, &error);
	if (status == STATUS_OK)
		status = show(&stats, arguments, &is_old, &error);
	text_done(&stats.out);
	memory_free(stats.path);
	memory_free(stats.data);
	if (status != STATUS_OK && status != STATUS_CANCELLED) {
		console_complain(&error);
		return status == STATUS_INVALID ? EXIT_USAGE : EXIT_FAILED;
	}
	return is_old ? EXIT_DENIED : EXIT_DONE;
}

static const struct option options[] = {
    {"--file", "FILE", "The metrics' file, so that no policy is read."},
    {"--openmetrics", NULL, "Print the file as it is."},
};

const struct command command_stats = {
    .name = "stats",
    .operands = "",
    .summary = "Show what a running plug-in counts.",
    .help =
	"Shows the figures of the plug-in that runs with the policy, from the file that its <metrics> names:\n"
	"decisions by verdict and reason, how long they took, the cache, the groups, whether the directory tells of\n"
	"changes, connections, the audit. Nothing is asked of the directory.\n"
	"\n"
	"With --json: one object a line, with name, labels, value.\n"
	"\n"
	"Exit status: 0 the figures are current; 1 nobody writes them any more; 3 they cannot be read; 2 the command\n"
	"line or the policy is unusable.",
    .options = options,
    .option_count = COUNT_OF(options),
    .run = run,
};
