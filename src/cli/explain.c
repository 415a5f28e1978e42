/* SPDX-License-Identifier: Apache-2.0 */
#include <base/compiler.h>
#include <cli/arguments.h>
#include <cli/console.h>
#include <cli/explain_json.h>
#include <cli/explain_picture.h>
#include <cli/explain_text.h>
#include <cli/given.h>
#include <cli/sender_units.h>
#include <os/file.h>
#include <os/file_new.h>
#include <os/thread.h>
#include <plugin/plugin_instant.h>
#include <string.h>
#include <wsmauthz/explanation.h>

#define DEFAULT_MECHANISM "Negotiate"
/* What is kept of a sender, and shown; any honest one is much shorter, and the engine refuses it all the same. */
#define SENDER_MAX_BYTES ((size_t)PLUGIN_MAX_NAME_UNITS * 3)

struct explain {
	struct wa_engine *engine;
	const char *mechanism, *url;     /* url NULL: not known */
	const char *svg_path, *dot_path; /* NULL: not wanted */
	bool is_json;
	bool is_denied, has_failed;

	struct mutex lock; /* guards what follows, while a sender is asked for */
	struct condition told;
	bool is_told;
	enum wa_verdict verdict;
	struct check_sender sender;
	struct text out, svg, dot;
};

/* On the engine's thread: only written down, so that nobody waits for our reader. */
static void take(void *context, const struct wa_decision *decision, const struct wa_explanation *explanation)
{
	struct explain *explain = context;

	mutex_lock(&explain->lock);
	if (explain->is_json)
		explain_json(&explain->out, &explain->sender, decision, explanation);
	else
		explain_text(&explain->out, &explain->sender, decision, explanation);
	if (explain->svg_path != NULL)
		explain_svg(&explain->svg, &explain->sender, decision, explanation);
	if (explain->dot_path != NULL)
		explain_dot(&explain->dot, &explain->sender, decision, explanation);
	explain->verdict = decision->verdict;
	explain->is_told = true;
	condition_signal(&explain->told);
	mutex_unlock(&explain->lock);
}

static void await(struct explain *explain)
{
	mutex_lock(&explain->lock);
	while (!explain->is_told)
		condition_wait(&explain->told, &explain->lock);
	mutex_unlock(&explain->lock);
}

/* As the plug-in asks of who connects. */
static enum status ask(struct explain *explain, const char *sender, struct error *error)
{
	const struct wa_question question = {
	    .kind = WA_KIND_USER,
	    .sender = sender,
	    .sender_length = strlen(sender),
	    .mechanism = explain->mechanism,
	    .http_url = explain->url,
	    .allow_sid = plugin_may_name_sid(explain->mechanism),
	};

	explain->sender = (struct check_sender){.name = sender, .length = question.sender_length};
	if (explain->sender.length > SENDER_MAX_BYTES) {
		explain->sender.length = SENDER_MAX_BYTES;
		explain->sender.is_cut = true;
	}
	explain->is_told = false;
	text_clear(&explain->out);
	if (!wa_engine_explain(explain->engine, &question, take, explain))
		return error_no_memory(error);
	await(explain);
	return text_failed(&explain->out) ? error_no_memory(error) : STATUS_OK;
}

static enum status write_file(const char *path, const struct text *text, struct error *error)
{
	struct file_new *file = NULL;
	enum status status = text_failed(text) ? error_no_memory(error) : file_new_open(path, &file, error);

	if (status != STATUS_OK)
		return status;
	status = file_new_write(file, text_string(text), text->length, error);
	if (status == STATUS_OK)
		return file_new_commit(&file, error);
	file_new_abandon(&file);
	return status;
}

static enum status write_pictures(const struct explain *explain, struct error *error)
{
	enum status status = STATUS_OK;

	if (explain->svg_path != NULL)
		status = write_file(explain->svg_path, &explain->svg, error);
	if (status == STATUS_OK && explain->dot_path != NULL)
		status = write_file(explain->dot_path, &explain->dot, error);
	return status;
}

static enum status explain_one(struct explain *explain, const char *sender, bool is_first, struct error *error)
{
	enum status status = ask(explain, sender, error);

	if (status != STATUS_OK)
		return status;
	explain->is_denied = explain->is_denied || explain->verdict == WA_DENY;
	explain->has_failed = explain->has_failed || explain->verdict == WA_ERROR;
	if (!is_first && !explain->is_json)
		status = console_write("\n", 1, error);
	if (status == STATUS_OK)
		status = console_write(text_string(&explain->out), explain->out.length, error);
	return status == STATUS_OK ? write_pictures(explain, error) : status;
}

static enum status explain_all(struct explain *explain, const struct arguments *arguments, struct error *error)
{
	enum status status = STATUS_OK;

	for (size_t i = 0; status == STATUS_OK && i < arguments->operand_count; i++)
		status = explain_one(explain, arguments->operands[i], i == 0, error);
	return status;
}

static enum status check_operands(const struct arguments *arguments, struct error *error)
{
	const bool has_picture = arguments_has(arguments, "--svg") || arguments_has(arguments, "--dot");

	if (arguments->operand_count == 1 || (arguments->operand_count > 1 && !has_picture))
		return STATUS_OK;
	error_set(error, STATUS_INVALID, "%s", has_picture ? "a picture is of one sender" : "no sender to explain");
	return error_hint(error, STATUS_INVALID, "see 'wsmauthz explain --help'");
}

static enum status open_engine(struct explain *explain, const struct arguments *arguments, const struct wa_log *log,
			       struct error *error)
{
	const struct wa_options options = {.log = *log, .dry_run = true};
	const char *policy = arguments_policy(arguments);
	struct wa_error reason = {.what = ""};

	if (wa_engine_open(policy, &options, &explain->engine, &reason))
		return STATUS_OK;
	error_set(error, STATUS_INVALID, "%s", reason.what);
	if (!arguments_has(arguments, "--config") && file_check_readable(policy, NULL) == STATUS_NOT_FOUND)
		return error_hint(error, STATUS_INVALID, "name it by --config FILE, or begin with conf/wsmauthz.xml");
	return error_hint(error, STATUS_INVALID, "%s", reason.hint);
}

static enum status start(struct explain *explain, const struct arguments *arguments, struct error *error)
{
	struct wa_log log = {.write = given_write_log};
	enum status status = check_operands(arguments, error);

	if (status == STATUS_OK)
		status = given_log_level(arguments, &log.level, error);
	if (status == STATUS_OK)
		status = given_url(arguments, &explain->url, error);
	if (status != STATUS_OK)
		return status;
	explain->mechanism = arguments_value(arguments, "--mechanism");
	if (explain->mechanism == NULL)
		explain->mechanism = DEFAULT_MECHANISM;
	explain->is_json = arguments_has(arguments, "--json");
	explain->svg_path = arguments_value(arguments, "--svg");
	explain->dot_path = arguments_value(arguments, "--dot");
	return open_engine(explain, arguments, &log, error);
}

static int explain_senders(struct explain *explain, const struct arguments *arguments)
{
	struct error error = {.status = STATUS_OK};
	const enum status status = explain_all(explain, arguments, &error);

	wa_engine_close(&explain->engine);
	/* The reader of our answers has gone: that is its right, and no failure of ours. */
	if (status != STATUS_OK && status != STATUS_CANCELLED) {
		console_complain(&error);
		return EXIT_FAILED;
	}
	if (explain->has_failed)
		return EXIT_FAILED;
	return explain->is_denied ? EXIT_DENIED : EXIT_DONE;
}

static int run(const struct arguments *arguments)
{
	struct explain explain = {.engine = NULL};
	struct error error = {.status = STATUS_OK};
	int exit_status = EXIT_USAGE;

	mutex_init(&explain.lock);
	condition_init(&explain.told);
	text_init(&explain.out);
	text_init(&explain.svg);
	text_init(&explain.dot);
	if (start(&explain, arguments, &error) == STATUS_OK) {
		exit_status = explain_senders(&explain, arguments);
	} else {
		console_complain(&error);
		exit_status = error.status == STATUS_INVALID ? EXIT_USAGE : EXIT_FAILED;
	}
	text_done(&explain.out);
	text_done(&explain.svg);
	text_done(&explain.dot);
	condition_done(&explain.told);
	mutex_done(&explain.lock);
	return exit_status;
}

static const struct option options[] = {
    {"--svg", "FILE", "Draw the groups between the user and the configured ones, as SVG. Of one sender."},
    {"--dot", "FILE", "The same for Graphviz."},
    {"--url", "URL", "The URL that the sender comes to; a redirect to its scheme, host and port becomes an authorize."},
    {"--mechanism", "NAME",
     "How the sender authenticated. Default: " DEFAULT_MECHANISM ". With Basic, nobody may name a SID."},
};

const struct command command_explain = {
    .name = "explain",
    .operands = "SENDER...",
    .summary = "Show what a decision is made of: paths, rules, searches, cache, watch.",
    .help =
	"Decides for each SENDER as check does, through the same engine, and shows a tree: how the name was taken,\n"
	"every rule in the order of judgement and what it did, the ways from the user through nested groups to each\n"
	"configured group (the shortest first; groups that hold each other in a ring are marked), the state of the\n"
	"account, where the user belongs, what was asked of the directory and how long it took, what is cached, and\n"
	"whether changes are followed.\n"
	"\n"
	"With --json: one object a line, with the members of check --json and its own.\n"
	"\n"
	"Exit status: as that of check.",
    .options = options,
    .option_count = COUNT_OF(options),
    .run = run,
};
