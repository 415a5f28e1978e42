/* SPDX-License-Identifier: Apache-2.0 */
#include <base/compiler.h>
#include <cli/arguments.h>
#include <cli/command.h>
#include <cli/console.h>
#include <cli/shell_completion.h>
#include <string.h>

#define LOG_LEVELS "error warning info debug"
#define SHELLS     "bash zsh powershell"

/* Names, options and the names of values are our own words: letters, digits, dashes and points. */

static void add_options(struct text *out, const struct option *options, size_t count)
{
	for (size_t i = 0; i < count; i++)
		text_printf(out, " %s", options[i].name);
}

static void add_command_names(struct text *out)
{
	for (size_t i = 0; i < command_count; i++)
		text_printf(out, "%s%s", i == 0 ? "" : " ", commands[i]->name);
}

/* " --a --b": the options of a command, and those of all. */
static void add_options_of(struct text *out, const struct command *command)
{
	add_options(out, command->options, command->option_count);
	add_options(out, common_options, common_option_count);
}

static bool takes_file(const struct option *option)
{
	const char *value = option->value;

	return value != NULL && (strcmp(value, "FILE") == 0 || strstr(value, ".csv") != NULL);
}

/* Each option once whose value is a file (or, not `files`, something else that nobody can complete): "--a|--b". */
static void add_value_options(struct text *out, bool files)
{
	bool is_first = true;

	for (size_t c = 0; c <= command_count; c++) {
		const struct option *options = c < command_count ? commands[c]->options : common_options;
		const size_t count = c < command_count ? commands[c]->option_count : common_option_count;

		for (size_t i = 0; i < count; i++) {
			if (options[i].value == NULL || takes_file(&options[i]) != files ||
			    strcmp(options[i].name, "--log-level") == 0)
				continue;
			text_printf(out, "%s%s", is_first ? "" : "|", options[i].name);
			is_first = false;
		}
	}
}

/* One word for each line: what is done with the word before, then which command it is, then what it may be followed by. */
void shell_completion_bash(struct text *out)
{
	text_add(out, "# bash completion for wsmauthz: made by 'wsmauthz completion bash'.\n"
		      "_wsmauthz()\n{\n"
		      "\tlocal word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command= options i\n"
		      "\tCOMPREPLY=()\n"
		      "\tcase $before in\n\t");
	add_value_options(out, true);
	text_add(out, ")\n\t\tcompopt -o filenames 2>/dev/null\n"
		      "\t\tmapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n\t\treturn;;\n"
		      "\t--log-level)\n\t\tmapfile -t COMPREPLY < <(compgen -W '" LOG_LEVELS
		      "' -- \"$word\")\n\t\treturn;;\n\t");
	add_value_options(out, false);
	text_add(out, ")\n\t\treturn;;\n\tesac\n"
		      "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n\t\tcase ${COMP_WORDS[i]} in\n");
	for (size_t i = 0; i < command_count; i++) {
		text_printf(out, "\t\t%s)\n\t\t\tcommand=%s options='", commands[i]->name, commands[i]->name);
		add_options_of(out, commands[i]);
		text_add(out, "'\n\t\t\tbreak;;\n");
	}
	text_add(out, "\t\tesac\n\tdone\n"
		      "\tif [[ -z $command ]]; then\n\t\toptions='");
	add_command_names(out);
	text_add(out, " --version");
	add_options(out, common_options, common_option_count);
	text_add(out, "'\n\telif [[ $command == completion && $word != -* ]]; then\n\t\toptions='" SHELLS "'\n\tfi\n"
		      "\tmapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$word\")\n"
		      "}\ncomplete -F _wsmauthz wsmauthz\n");
}

/* In single quotes of zsh and PowerShell: a quote within is doubled there, and ends and begins again here. */
static void add_quoted(struct text *out, const char *text, const char *quote)
{
	for (; *text != '\0'; text++) {
		if (*text == '\'')
			text_add(out, quote);
		else if (*text == '\n')
			text_add_char(out, ' ');
		else
			text_add_char(out, *text);
	}
}

/* Before ':' a colon would end what is completed: none of our names has one. */
static void add_zsh_options(struct text *out, const struct option *options, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		text_printf(out, "'%s:", options[i].name);
		add_quoted(out, options[i].help, "'\\''");
		text_add(out, "' ");
	}
}

void shell_completion_zsh(struct text *out)
{
	text_add(out, "#compdef wsmauthz\n"
		      "# zsh completion for wsmauthz: made by 'wsmauthz completion zsh'.\n"
		      "_wsmauthz()\n{\n"
		      "\tlocal before=${words[CURRENT-1]} command= i\n\tlocal -a choices\n"
		      "\tcase $before in\n\t");
	add_value_options(out, true);
	text_add(out, ")\n\t\t_files\n\t\treturn;;\n"
		      "\t--log-level)\n\t\tcompadd " LOG_LEVELS "\n\t\treturn;;\n\t");
	add_value_options(out, false);
	text_add(out, ")\n\t\treturn;;\n\tesac\n"
		      "\tfor ((i = 2; i < CURRENT; i++)); do\n\t\tcase ${words[i]} in\n");
	for (size_t i = 0; i < command_count; i++) {
		text_printf(out, "\t\t%s)\n\t\t\tcommand=%s\n\t\t\tchoices=(", commands[i]->name, commands[i]->name);
		add_zsh_options(out, commands[i]->options, commands[i]->option_count);
		add_zsh_options(out, common_options, common_option_count);
		text_add(out, ")\n\t\t\tbreak;;\n");
	}
	text_add(out, "\t\tesac\n\tdone\n"
		      "\tif [[ -z $command ]]; then\n\t\tchoices=(");
	for (size_t i = 0; i < command_count; i++) {
		text_printf(out, "'%s:", commands[i]->name);
		add_quoted(out, commands[i]->summary, "'\\''");
		text_add(out, "' ");
	}
	text_add(out, "'--version:Print the version of the program, and stop.' ");
	add_zsh_options(out, common_options, common_option_count);
	text_add(out, ")\n\telif [[ $command == completion && ${words[CURRENT]} != -* ]]; then\n\t\tcompadd " SHELLS
		      "\n\t\treturn\n\tfi\n"
		      "\t_describe wsmauthz choices\n"
		      "}\n"
		      "if [[ $zsh_eval_context[-1] == loadautofunc ]]; then\n\t_wsmauthz \"$@\"\n"
		      "elif (( $+functions[compdef] )); then\n\tcompdef _wsmauthz wsmauthz\nfi\n");
}

static void add_powershell_options(struct text *out, const struct option *options, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		text_printf(out, "            @('%s', '", options[i].name);
		add_quoted(out, options[i].help, "''");
		text_add(out, "')\n");
	}
}

void shell_completion_powershell(struct text *out)
{
	text_add(out, "# PowerShell completion for wsmauthz: made by 'wsmauthz completion powershell'.\n"
		      "Register-ArgumentCompleter -Native -CommandName wsmauthz -ScriptBlock {\n"
		      "    param($word, $ast, $position)\n"
		      "    $options = @{\n");
	for (size_t i = 0; i < command_count; i++) {
		text_printf(out, "        '%s' = @(\n", commands[i]->name);
		add_powershell_options(out, commands[i]->options, commands[i]->option_count);
		add_powershell_options(out, common_options, common_option_count);
		text_add(out, "        )\n");
	}
	text_add(out, "        '' = @(\n");
	for (size_t i = 0; i < command_count; i++) {
		text_printf(out, "            @('%s', '", commands[i]->name);
		add_quoted(out, commands[i]->summary, "''");
		text_add(out, "')\n");
	}
	text_add(out, "            @('--version', 'Print the version of the program, and stop.')\n");
	add_powershell_options(out, common_options, common_option_count);
	text_add(
	    out,
	    "        )\n    }\n"
	    "    $words = @($ast.CommandElements | Where-Object { $_.Extent.EndOffset -lt $position } |\n"
	    "        ForEach-Object { $_.ToString() })\n"
	    "    $command = @($words | Select-Object -Skip 1 | Where-Object { $_ -and $options.ContainsKey($_) })[0]\n"
	    "    if (-not $command) { $command = '' }\n"
	    "    if ($words[-1] -eq '--log-level') { $found = '" LOG_LEVELS
	    "' -split ' ' | ForEach-Object { , @($_, $_) } }\n"
	    "    elseif ($command -eq 'completion' -and $word -notlike '-*') { $found = '" SHELLS
	    "' -split ' ' | ForEach-Object { , @($_, $_) } }\n"
	    "    else { $found = $options[$command] }\n"
	    "    $found | Where-Object { $_[0] -like \"$word*\" } | ForEach-Object {\n"
	    "        [System.Management.Automation.CompletionResult]::new($_[0], $_[0], 'ParameterValue', $_[1])\n"
	    "    }\n}\n");
}

static const struct {
	const char *name;
	void (*add)(struct text *out);
} shells[] = {
    {"bash", shell_completion_bash},
    {"zsh", shell_completion_zsh},
    {"powershell", shell_completion_powershell},
};

static enum status print(void (*add)(struct text *out), struct error *error)
{
	enum status status;
	struct text text;

	text_init(&text);
	add(&text);
	status = text_failed(&text) ? error_no_memory(error) : console_write(text_string(&text), text.length, error);
	text_done(&text);
	return status;
}

static int run(const struct arguments *arguments)
{
	struct error error = {.status = STATUS_OK};
	enum status status = STATUS_INVALID;

	for (size_t i = 0; i < COUNT_OF(shells) && arguments->operand_count == 1; i++)
		if (strcmp(shells[i].name, arguments->operands[0]) == 0)
			status = print(shells[i].add, &error);
	if (status == STATUS_INVALID) {
		(void)error_set(&error, status, "completion takes the name of a shell");
		(void)error_hint(&error, status, "one of bash, zsh, powershell");
	}
	if (status == STATUS_OK || status == STATUS_CANCELLED)
		return EXIT_DONE;
	console_complain(&error);
	return status == STATUS_INVALID ? EXIT_USAGE : EXIT_FAILED;
}

const struct command command_completion = {
    .name = "completion",
    .operands = "bash|zsh|powershell",
    .summary = "Print a script that completes this command line in a shell.",
    .help =
	"Prints a script for a shell, so that it completes commands, options and files. Packages bring it; by hand:\n"
	"\n"
	"  bash        wsmauthz completion bash >~/.local/share/bash-completion/completions/wsmauthz\n"
	"  zsh         wsmauthz completion zsh >DIRECTORY_OF_FPATH/_wsmauthz\n"
	"  PowerShell  wsmauthz completion powershell | Out-String | Invoke-Expression\n"
	"\n"
	"Exit status: 0; 2 that is no shell that is known here; 3 it could not be written.",
    .run = run,
};
