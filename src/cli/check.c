/* SPDX-License-Identifier: Apache-2.0 */
#include <base/ascii.h>
#include <base/compiler.h>
#include <base/memory.h>
#include <cli/arguments.h>
#include <cli/check_format.h>
#include <cli/check_window.h>
#include <cli/console.h>
#include <cli/given.h>
#include <cli/lines.h>
#include <cli/sender_units.h>
#include <os/file.h>
#include <plugin/plugin.h>
#include <string.h>

/*
 * What is kept of a sender: in UTF-8 a unit of UTF-16 takes three bytes at most, so whatever is longer
 * than this is longer than the plug-in takes, and still is when it is cut one byte behind.
 */
#define SENDER_MAX_BYTES ((size_t)PLUGIN_MAX_NAME_UNITS * 3)
/* Senders wider than this stand out of their column. From standard input, their width is not known before. */
#define MAX_COLUMNS       40
#define STREAM_COLUMNS    24
#define READ_SIZE_BYTES   65536
#define DEFAULT_MECHANISM "Negotiate"

struct check {
	struct window window;
	PVOID plugin;
	WCHAR *mechanism, *url; /* owned; url may be NULL */
	bool is_json;
	size_t columns;
};

/* WinRM's token of a user. Nothing looks into it; it is given back with a success. */
static char some_token;

/* On the plug-in's threads. */
static void observe(void *context, WSMAN_SENDER_DETAILS *sender_details, const struct wa_decision *decision)
{
	struct check *check = context;
	struct window_slot *slot = CONTAINER_OF(sender_details, struct window_slot, completion.details);
	const struct check_sender sender = {slot->sender, slot->length, slot->is_cut};

	slot->verdict = decision->verdict;
	slot->code = decision->code;
	if (check->is_json)
		check_format_json(&slot->line, &sender, decision);
	else
		check_format_text(&slot->line, &sender, decision, check->columns);
}

static void answered(struct completion *completion, DWORD code)
{
	struct window_slot *slot = CONTAINER_OF(completion, struct window_slot, completion);
	struct error error;

	/* What is printed must be what WinRM would have been told. */
	if (code != slot->code) {
		error_set(&error, STATUS_INTERNAL, "the plug-in completed with number %lu what it decided with %lu",
			  (unsigned long)code, (unsigned long)slot->code);
		window_break(slot->window, &error);
	}
	window_complete(slot);
}

static enum status ask(void *context, const char *name, size_t length, struct error *error)
{
	struct check *check = context;
	bool is_cut = length > SENDER_MAX_BYTES;
	struct window_slot *slot;
	size_t kept = is_cut ? SENDER_MAX_BYTES + 1 : length;
	char *sender = memory_copy_bytes(name, kept);
	WCHAR *units = sender_units(name, kept);

	if (sender == NULL || units == NULL) {
		memory_free(sender);
		memory_free(units);
		return error_no_memory(error);
	}
	slot = window_claim(&check->window);
	if (slot == NULL) {
		memory_free(sender);
		memory_free(units);
		return window_wait(&check->window, error);
	}
	slot->sender = sender;
	slot->length = kept;
	slot->is_cut = is_cut;
	slot->name = units;
	slot->completion.done = answered;
	slot->completion.details = (WSMAN_SENDER_DETAILS){
	    .senderName = units,
	    .authenticationMechanism = check->mechanism,
	    .clientToken = &some_token,
	    .httpURL = check->url,
	};
	WSManPluginAuthzUser(check->plugin, &slot->completion.details, 0);
	return STATUS_OK;
}

static enum status ask_stream(struct check *check, struct error *error)
{
	struct lines lines;
	char *buffer = memory_new(READ_SIZE_BYTES);
	size_t length = 1;
	enum status status = STATUS_OK;

	if (buffer == NULL)
		return error_no_memory(error);
	lines_init(&lines, SENDER_MAX_BYTES, ask, check);
	while (status == STATUS_OK && length > 0) {
		status = console_read(buffer, READ_SIZE_BYTES, &length, error);
		if (status == STATUS_OK)
			status = length > 0 ? lines_feed(&lines, buffer, length, error) : lines_end(&lines, error);
	}
	lines_done(&lines);
	memory_free(buffer);
	return status;
}

static enum status ask_operands(struct check *check, const struct arguments *arguments, struct error *error)
{
	for (size_t i = 0; i < arguments->operand_count; i++) {
		const char *sender = arguments->operands[i];
		enum status status = ask(check, sender, strlen(sender), error);

		if (status != STATUS_OK)
			return status;
	}
	return STATUS_OK;
}

static bool wants_stream(const struct arguments *arguments)
{
	return arguments->operand_count == 1 && strcmp(arguments->operands[0], "-") == 0;
}

static size_t widest(const struct arguments *arguments)
{
	size_t columns = 0;

	if (wants_stream(arguments))
		return STREAM_COLUMNS;
	for (size_t i = 0; i < arguments->operand_count; i++) {
		size_t own = check_format_columns(arguments->operands[i], strlen(arguments->operands[i]));

		if (own > columns && own <= MAX_COLUMNS)
			columns = own;
	}
	return columns;
}

static enum status check_operands(const struct arguments *arguments, struct error *error)
{
	enum status status = STATUS_OK;

	if (arguments->operand_count == 0)
		status = error_set(error, STATUS_INVALID, "no sender to check");
	for (size_t i = 0; i < arguments->operand_count && !wants_stream(arguments); i++)
		if (strcmp(arguments->operands[i], "-") == 0)
			status = error_set(error, STATUS_INVALID, "'-' (standard input) stands alone");
	if (status != STATUS_OK)
		error_hint(error, status, "see 'wsmauthz check --help'");
	return status;
}

static enum status read_sender_details(struct check *check, const struct arguments *arguments, struct error *error)
{
	const char *mechanism = arguments_value(arguments, "--mechanism");
	const char *url = NULL;
	enum status status = given_url(arguments, &url, error);

	if (status != STATUS_OK)
		return status;
	check->mechanism = sender_units_of(mechanism != NULL ? mechanism : DEFAULT_MECHANISM);
	check->url = url != NULL ? sender_units_of(url) : NULL;
	if (check->mechanism == NULL || (url != NULL && check->url == NULL))
		return error_no_memory(error);
	return STATUS_OK;
}

static enum status start_plugin(struct check *check, const char *policy, bool is_given,
				const struct plugin_options *options, struct error *error)
{
	enum status status = plugin_start(policy, options, &check->plugin, error);

	if (status != STATUS_OK && !is_given && file_check_readable(policy, NULL) == STATUS_NOT_FOUND)
		error_hint(error, status, "name it by --config FILE, or begin with conf/wsmauthz.xml");
	return status;
}

static enum status start(struct check *check, const struct arguments *arguments, struct error *error)
{
	struct wa_log log = {.write = given_write_log};
	const struct plugin_options as_a_program = {
	    .log = &log, .dry_run = true, .asynchronous = true, .observer = observe, .observer_context = check};
	enum status status = check_operands(arguments, error);

	if (status == STATUS_OK)
		status = given_log_level(arguments, &log.level, error);
	if (status == STATUS_OK)
		status = read_sender_details(check, arguments, error);
	if (status != STATUS_OK)
		return status;
	check->is_json = arguments_has(arguments, "--json");
	check->columns = widest(arguments);
	return start_plugin(check, arguments_policy(arguments), arguments_has(arguments, "--config"), &as_a_program,
			    error);
}

/* The reader of our answers has gone: that is its right, and no failure of ours. */
static int exit_status_of(const struct window *window, enum status status, const struct error *error)
{
	if (status != STATUS_OK && status != STATUS_CANCELLED) {
		console_complain(error);
		return EXIT_FAILED;
	}
	if (window->failed > 0)
		return EXIT_FAILED;
	return window->denied > 0 ? EXIT_DENIED : EXIT_DONE;
}

static int decide_all(struct check *check, const struct arguments *arguments)
{
	struct error error = {.status = STATUS_OK}, late = {.status = STATUS_OK};
	enum status status =
	    wants_stream(arguments) ? ask_stream(check, &error) : ask_operands(check, arguments, &error);
	enum status end;

	/* After a failure to read, what was asked is still answered; nobody waits for it when the reader has gone. */
	if (status == STATUS_CANCELLED)
		window_break(&check->window, &error);
	end = window_wait(&check->window, &late);
	if (status == STATUS_OK && end != STATUS_OK) {
		status = end;
		error = late;
	}
	(void)WSManPluginShutdown(check->plugin, 0, 0);
	return exit_status_of(&check->window, status, &error);
}

static int run(const struct arguments *arguments)
{
	struct check check = {.plugin = NULL};
	struct error error = {.status = STATUS_OK};
	int exit_status = EXIT_FAILED;

	if (window_init(&check.window, &error) != STATUS_OK) {
		console_complain(&error);
		return exit_status;
	}
	if (start(&check, arguments, &error) == STATUS_OK) {
		exit_status = decide_all(&check, arguments);
	} else {
		console_complain(&error);
		exit_status = error.status == STATUS_INVALID ? EXIT_USAGE : EXIT_FAILED;
	}
	memory_free(check.mechanism);
	memory_free(check.url);
	window_done(&check.window);
	return exit_status;
}

static const struct option options[] = {
    {"--url", "URL", "The URL that the senders come to; a redirect to its scheme, host and port becomes an authorize."},
    {"--mechanism", "NAME",
     "How they authenticated. Default: " DEFAULT_MECHANISM ". With Basic, nobody may name a SID."},
};

const struct command command_check = {
    .name = "check",
    .operands = "SENDER... | -",
    .summary = "Say for each sender whether WinRM would let it in, and why.",
    .help =
	"Decides for each SENDER (DOMAIN\\user, user@domain, a SID, or a plain name, which needs the policy's\n"
	"default-domain), or with - for each line of standard input, through the plug-in's own entry points, and\n"
	"prints a line each, in the order of the input, as soon as it is known:\n"
	"\n"
	"  alice  authorize  member          via uid=alice -> cn=ops -> CN=WinRM Users\n"
	"  bob    redirect   site-elsewhere  to https://winrm-emea.corp.example:5986/wsman\n"
	"\n"
	"sender, verdict (authorize, deny, redirect, error), reason, and what shows it: the groups that lead from the\n"
	"user to a rule (each name without its suffix), the address of a redirect, or what went wrong. With --json:\n"
	"one object a line, with sender, verdict, code (what WinRM is told), redirect_uri, rule, reason, dn, path,\n"
	"administrator, searches, cached, elapsed_us.\n"
	"\n"
	"Exit status: 0 all are authorized or redirected; 1 at least one is denied; 3 at least one verdict\n"
	"is an error (also when others are denied); 2 the command line or the policy is unusable.",
    .options = options,
    .option_count = COUNT_OF(options),
    .run = run,
};
