/* SPDX-License-Identifier: Apache-2.0 */
#include <base/text.h>
#include <cli/arguments.h>
#include <cli/completion.h>
#include <cli/console.h>
#include <cli/help.h>
#include <cli/program.h>

#define VERSION_LINE "wsmauthz " WSMAUTHZ_VERSION "\n"

static int fail(const struct error *error, int exit_status)
{
	console_complain(error);
	return exit_status;
}

/* Print and end: the text may have failed for want of memory. */
static int print(struct text *text)
{
	struct error error = {.status = STATUS_OK};
	enum status status =
	    text_failed(text) ? error_no_memory(&error) : console_write(text_string(text), text->length, &error);

	text_done(text);
	if (status != STATUS_OK && status != STATUS_CANCELLED)
		return fail(&error, EXIT_FAILED);
	return EXIT_DONE;
}

static int print_help(const struct command *command)
{
	struct text text;

	text_init(&text);
	if (command != NULL)
		help_add_command(&text, command);
	else
		help_add_all(&text);
	return print(&text);
}

static int print_version(void)
{
	struct text text;

	text_init(&text);
	text_add(&text, VERSION_LINE);
	return print(&text);
}

static int run_command(struct arguments *arguments)
{
	struct error error = {.status = STATUS_OK};

	if (arguments_value(arguments, "--config") == NULL && arguments_find_policy(arguments, &error) != STATUS_OK)
		return fail(&error, EXIT_USAGE);
	return arguments->command->run(arguments);
}

static int dispatch(struct arguments *arguments)
{
	struct error error = {.status = STATUS_OK};

	if (arguments->wants_help)
		return print_help(arguments->command);
	if (arguments->wants_version)
		return print_version();
	if (arguments->command != NULL)
		return run_command(arguments);
	error_set(&error, STATUS_INVALID, "no command was given");
	error_hint(&error, STATUS_INVALID, "see 'wsmauthz --help'");
	return fail(&error, EXIT_USAGE);
}

int program_run(int argc, char **argv)
{
	struct arguments arguments;
	struct error error = {.status = STATUS_OK};
	enum status status;
	int exit_status;

	standin_set(completion_take);
	status = console_prepare(&error);
	if (status != STATUS_OK)
		return fail(&error, EXIT_FAILED);
	status = arguments_parse(argc, argv, &arguments, &error);
	if (status != STATUS_OK)
		return fail(&error, status == STATUS_INVALID ? EXIT_USAGE : EXIT_FAILED);
	exit_status = dispatch(&arguments);
	arguments_done(&arguments);
	return exit_status;
}
