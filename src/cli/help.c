/* SPDX-License-Identifier: Apache-2.0 */
#include <cli/help.h>
#include <string.h>

#define OPTION_COLUMNS 20

static void add_options(struct text *out, const struct option *options, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *value = options[i].value != NULL ? options[i].value : "";
		size_t columns = strlen(options[i].name) + 1 + strlen(value);
		int pad = columns < OPTION_COLUMNS ? (int)(OPTION_COLUMNS - columns) : 0;

		text_printf(out, "  %s %s%*s  %s\n", options[i].name, value, pad, "", options[i].help);
	}
}

static void add_usage(struct text *out, const struct command *command)
{
	text_printf(out, "wsmauthz %s [OPTION]... %s\n", command->name, command->operands);
}

void help_add_command(struct text *out, const struct command *command)
{
	text_add(out, "Usage: ");
	add_usage(out, command);
	text_printf(out, "\n%s\n\nOptions:\n", command->help);
	add_options(out, command->options, command->option_count);
	add_options(out, common_options, common_option_count);
}

void help_add_all(struct text *out)
{
	text_add(out, "wsmauthz: who may use WinRM here, by the groups of an LDAP directory or Active Directory.\n\n");
	for (size_t i = 0; i < command_count; i++) {
		text_add(out, i == 0 ? "Usage: " : "       ");
		add_usage(out, commands[i]);
	}
	text_add(out, "       wsmauthz --version | --help\n\nCommands:\n");
	for (size_t i = 0; i < command_count; i++)
		text_printf(out, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
	text_add(out, "\nOptions of every command, before or after its name:\n");
	add_options(out, common_options, common_option_count);
	for (size_t i = 0; i < command_count; i++) {
		text_printf(out, "\nwsmauthz %s\n\n%s\n", commands[i]->name, commands[i]->help);
		if (commands[i]->option_count > 0)
			text_add(out, "\nOptions:\n");
		add_options(out, commands[i]->options, commands[i]->option_count);
	}
	text_add(out, "\n  --version             Print the program's version, and stop.\n");
}
