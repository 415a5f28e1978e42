/* SPDX-License-Identifier: Apache-2.0 */
#include <base/text.h>
#include <cli/command.h>
#include <cli/console.h>
#include <cli/progress.h>
#include <cli/report_csv.h>
#include <cli/report_diff.h>
#include <cli/report_options.h>
#include <cli/report_page.h>
#include <cli/report_print.h>
#include <cli/report_run.h>
#include <cli/report_tally.h>
#include <os/clock.h>
#include <os/file.h>
#include <os/file_new.h>
#include <plugin/plugin.h>
#include <signal.h>
#include <string.h>

/* What is collected before it is written. */
#define OUTPUT_BYTES 32768

struct report {
	const struct report_options *options;
	const struct config *config; /* a reference; what the tally borrows */
	struct tally tally;
	bool has_tally;
	struct file_new *csv, *html; /* NULL: not wanted */
	struct page page;
	struct text line;   /* of the file */
	struct text output; /* for standard output */
	struct progress progress;
	uint64_t began_ms;
};

/* Who interrupts us is obeyed at the next moment, so that no half file stays behind; whoever does it twice, at once. */
static volatile sig_atomic_t is_interrupted;

static void interrupt(int number)
{
	is_interrupted = 1;
	(void)signal(number, SIG_DFL);
}

/* What a user sees of rows: those who are let in, or everybody. */
static bool is_shown(const struct report *report, const struct report_row *row)
{
	return report->options->is_all || report_row_is_in(row);
}

/* Rows go to the terminal, unless they go to a file. */
static bool prints_rows(const struct report_options *options)
{
	return options->is_json || (options->csv == NULL && options->html == NULL);
}

static enum status flush_output(struct report *report, struct error *error)
{
	enum status status;

	if (text_failed(&report->output))
		return error_no_memory(error);
	if (report->output.length == 0)
		return STATUS_OK;
	progress_end(&report->progress);
	status = console_write(text_string(&report->output), report->output.length, error);
	text_clear(&report->output);
	return status;
}

static enum status begin(void *context, const struct config *config, struct closure *closure, struct error *error)
{
	struct report *report = context;

	report->config = config_ref(config);
	if (tally_init(&report->tally, report->config, closure, report->options->max_ways) != STATUS_OK)
		return error_no_memory(error);
	report->has_tally = true;
	if (prints_rows(report->options) && !report->options->is_json)
		report_print_heading(&report->output);
	return STATUS_OK;
}

static enum status write_csv(struct report *report, const struct report_row *row, struct error *error)
{
	if (report->csv == NULL)
		return STATUS_OK;
	text_clear(&report->line);
	report_csv_add_row(&report->line, row);
	if (text_failed(&report->line))
		return error_no_memory(error);
	return file_new_write(report->csv, text_string(&report->line), report->line.length, error);
}

static void print_row(struct report *report, const struct report_row *row)
{
	if (!prints_rows(report->options))
		return;
	if (report->options->is_json)
		report_print_json_row(&report->output, row, tally_findings_of(&report->tally, row));
	else
		report_print_row(&report->output, row);
}

static enum status take_row(void *context, const struct report_row *row, struct error *error)
{
	struct report *report = context;
	enum status status = STATUS_OK;

	if (tally_take(&report->tally, row) != STATUS_OK)
		return error_no_memory(error);
	if (is_shown(report, row)) {
		print_row(report, row);
		status = write_csv(report, row, error);
		if (status == STATUS_OK && report->html != NULL &&
		    page_take(&report->page, &report->tally, row) != STATUS_OK)
			status = error_no_memory(error);
	}
	return status == STATUS_OK && report->output.length >= OUTPUT_BYTES ? flush_output(report, error) : status;
}

static enum status tick(void *context, struct error *error)
{
	struct report *report = context;
	enum status status = flush_output(report, error);

	progress_count(&report->progress, report->tally.users);
	if (status == STATUS_OK && is_interrupted)
		status = error_set(error, STATUS_CANCELLED, "interrupted");
	return status;
}

static enum status open_files(struct report *report, struct error *error)
{
	const struct report_options *options = report->options;
	enum status status = STATUS_OK;

	if (options->csv != NULL)
		status = file_new_open(options->csv, &report->csv, error);
	if (status == STATUS_OK && options->html != NULL)
		status = file_new_open(options->html, &report->html, error);
	if (status == STATUS_OK && report->csv != NULL)
		status = file_new_write(report->csv, REPORT_CSV_HEADER, strlen(REPORT_CSV_HEADER), error);
	return status;
}

/* All are written before one takes its name. */
static enum status finish_files(struct report *report, uint64_t took_ms, struct error *error)
{
	const struct page_facts facts = {
	    .policy = report->options->policy,
	    .url = report->options->url,
	    .is_all = report->options->is_all,
	    .now_s = clock_wall_s(),
	    .took_ms = took_ms,
	};
	enum status status = STATUS_OK;

	if (report->html != NULL)
		status = page_write(&report->page, &report->tally, &facts, report->html, error);
	if (status == STATUS_OK && report->html != NULL)
		status = file_new_commit(&report->html, error);
	if (status == STATUS_OK && report->csv != NULL)
		status = file_new_commit(&report->csv, error);
	return status;
}

/* The files first: what is printed says that they are there. */
static enum status finish(struct report *report, struct error *error)
{
	const uint64_t took_ms = clock_monotonic_ms() - report->began_ms;

	if (tally_end(&report->tally) != STATUS_OK)
		return error_no_memory(error);
	if (finish_files(report, took_ms, error) != STATUS_OK)
		return error->status;
	if (report->options->is_json) {
		report_print_json_summary(&report->output, &report->tally, took_ms);
	} else {
		if (prints_rows(report->options))
			text_add_char(&report->output, '\n');
		report_print_summary(&report->output, &report->tally, took_ms);
	}
	return flush_output(report, error);
}

static enum status make(struct report *report, bool *is_usage, struct error *error)
{
	const struct report_options *options = report->options;
	const struct report_plan plan = {
	    .policy = options->policy,
	    .url = options->url,
	    .level = options->level,
	    .handler = {begin, take_row, tick, report},
	};
	enum status status = open_files(report, error);

	*is_usage = false;
	progress_begin_count(&report->progress, "looking at users");
	if (status == STATUS_OK)
		status = report_run(&plan, is_usage, error);
	progress_end(&report->progress);
	return status == STATUS_OK ? finish(report, error) : status;
}

static void complain(const struct report *report, bool is_usage, struct error *error)
{
	progress_end(&report->progress);
	/* The reader of our answers has gone: that is its right. */
	if (error->status == STATUS_CANCELLED && !is_interrupted)
		return;
	if (!is_usage)
		error_prefix(error, "the report is not whole, and no file was written");
	console_complain(error);
}

static int make_report(const struct report_options *options)
{
	struct report report = {.options = options, .began_ms = clock_monotonic_ms()};
	struct error error = {.status = STATUS_OK};
	bool is_usage = false;
	int exit_status;
	enum status status;

	page_init(&report.page);
	text_init(&report.line);
	text_init(&report.output);
	(void)signal(SIGINT, interrupt);
	(void)signal(SIGTERM, interrupt);
	status = make(&report, &is_usage, &error);
	if (status == STATUS_OK) {
		exit_status = tally_looks_wrong(&report.tally) ? EXIT_DENIED : EXIT_DONE;
	} else {
		complain(&report, is_usage, &error);
		exit_status = is_usage ? EXIT_USAGE : EXIT_FAILED;
	}
	file_new_abandon(&report.csv);
	file_new_abandon(&report.html);
	page_done(&report.page);
	if (report.has_tally)
		tally_done(&report.tally);
	config_unref(&report.config);
	text_done(&report.line);
	text_done(&report.output);
	return exit_status;
}

/* Comparing */

static enum status write_lines(void *context, struct text *lines, struct error *error)
{
	(void)context;
	return console_write(text_string(lines), lines->length, error);
}

static int compare(const struct report_options *options)
{
	struct diff_counts counts = {.before = 0};
	struct error error = {.status = STATUS_OK};

	if (report_diff(options->before, options->after, options->is_json, write_lines, NULL, &counts, &error) ==
	    STATUS_OK)
		return counts.gained + counts.lost + counts.moved > 0 ? EXIT_DENIED : EXIT_DONE;
	if (error.status != STATUS_CANCELLED)
		console_complain(&error);
	return EXIT_FAILED;
}

static int run(const struct arguments *arguments)
{
	struct report_options options;
	struct error error = {.status = STATUS_OK};

	if (report_options_read(arguments, &options, &error) != STATUS_OK) {
		console_complain(&error);
		return EXIT_USAGE;
	}
	return options.before != NULL ? compare(&options) : make_report(&options);
}

static const struct option options[] = {
    {"--csv", "FILE",
     "Write a row for each user who is let in: "
     "sender,dn,verdict,rule,site,target,path."},
    {"--html", "FILE", "Write a page for a browser: numbers, a chart, the groups, a table, and what looks wrong."},
    {"--all", NULL, "Rows for everybody, not only for those who are let in."},
    {"--url", "URL", "The URL that users come to; a redirect to its scheme, host and port becomes an authorize."},
    {"--diff", "OLD.csv", "Compare two files of --csv, OLD.csv and the operand: who gained, who lost, who moved."},
    {"--max-ways", "N", "Tell whom more than N of their groups let in. Default: 3."},
};

const struct command command_report = {
    .name = "report",
    .operands = "[--diff OLD.csv NEW.csv]",
    .summary = "List who can get in, and where each of them goes.",
    .help =
	"Lists the users of the policy's directory, decides about each as WinRM would be told, and prints a line for\n"
	"each who is let in, the numbers, and what looks wrong:\n"
	"\n"
	"  CORP\\alice                authorize  AMER          via uid=alice -> cn=ops -> CN=WinRM Users\n"
	"  CORP\\bob                  redirect   EMEA          to https://winrm-emea.corp.example:5986/wsman  via ...\n"
	"\n"
	"With --csv the rows go to a file instead, in which a field that a spreadsheet would take for a formula has "
	"an\n"
	"apostrophe in front. With --json: one object a line for each user (type user), and a last one with the\n"
	"numbers (type summary). A file takes its name only when the report is whole; one that is there is replaced.\n"
	"\n"
	"A list that breaks off, and a user about whom nothing can be known because no server answers, end it with\n"
	"status 3: there is no report then, and no file was touched. Nobody is let in by this, and nothing is left in\n"
	"the audit.\n"
	"\n"
	"Exit status: 0 whole, and nothing looks wrong; 1 whole, and something looks wrong; 2 the command line or the\n"
	"policy is unusable; 3 it failed.",
    .options = options,
    .option_count = COUNT_OF(options),
    .run = run,
};
