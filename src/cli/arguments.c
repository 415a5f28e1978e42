/* SPDX-License-Identifier: Apache-2.0 */
#include <base/memory.h>
#include <cli/arguments.h>
#include <plugin/plugin.h>
#include <plugin/plugin_policy.h>
#include <string.h>

/* Where the reading stands. */
struct reading {
	char **argv;
	int argc, next;
	struct arguments *to;
	struct error *error;
};

static bool is_named(const struct option *option, const char *word, size_t length)
{
	return strlen(option->name) == length && memcmp(option->name, word, length) == 0;
}

static const struct option *find_among(const struct option *options, size_t count, const char *word, size_t length)
{
	for (size_t i = 0; i < count; i++)
		if (is_named(&options[i], word, length))
			return &options[i];
	return NULL;
}

static bool has_option(const struct command *command, const struct option *option)
{
	return find_among(command->options, command->option_count, option->name, strlen(option->name)) != NULL ||
	       find_among(common_options, common_option_count, option->name, strlen(option->name)) != NULL;
}

/* Before the command is known, an option may be that of any command; whether it fits is checked at the end. */
static const struct option *find_option(const char *word, size_t length)
{
	const struct option *option = find_among(common_options, common_option_count, word, length);

	for (size_t i = 0; option == NULL && i < command_count; i++)
		option = find_among(commands[i]->options, commands[i]->option_count, word, length);
	return option;
}

/* *value is NULL before. */
static enum status read_value(struct reading *r, const struct option *option, const char *equals, const char **value)
{
	if (option->value == NULL) {
		if (equals != NULL)
			return error_set(r->error, STATUS_INVALID, "option '%s' takes no value", option->name);
		return STATUS_OK;
	}
	if (equals != NULL)
		*value = equals + 1;
	else if (r->next < r->argc)
		*value = r->argv[r->next++];
	if (*value == NULL || (*value)[0] == '\0')
		return error_set(r->error, STATUS_INVALID, "option '%s' needs a value: %s %s", option->name,
				 option->name, option->value);
	return STATUS_OK;
}

static enum status read_option(struct reading *r, const char *given)
{
	const char *word = strcmp(given, "-h") == 0 ? "--help" : given;
	const char *equals = strchr(word, '=');
	const struct option *option;
	const char *value = NULL;
	enum status status;

	if (strcmp(word, "--version") == 0) {
		r->to->wants_version = true;
		return STATUS_OK;
	}
	option = find_option(word, equals != NULL ? (size_t)(equals - word) : strlen(word));
	if (option == NULL)
		return error_set(r->error, STATUS_INVALID, "unknown option '%s'", word);
	status = read_value(r, option, equals, &value);
	if (status != STATUS_OK)
		return status;
	if (arguments_has(r->to, option->name) && option->value != NULL)
		return error_set(r->error, STATUS_INVALID, "option '%s' is given twice", option->name);
	r->to->given[r->to->given_count++] = (struct given_option){option, value};
	if (strcmp(option->name, "--help") == 0)
		r->to->wants_help = true;
	return STATUS_OK;
}

static enum status read_command(struct reading *r, const char *word)
{
	for (size_t i = 0; i < command_count; i++) {
		if (strcmp(commands[i]->name, word) == 0) {
			r->to->command = commands[i];
			return STATUS_OK;
		}
	}
	return error_set(r->error, STATUS_INVALID, "unknown command '%s'", word);
}

static enum status read_all(struct reading *r)
{
	bool options_ended = false;

	while (r->next < r->argc) {
		const char *word = r->argv[r->next++];
		enum status status = STATUS_OK;

		if (!options_ended && strcmp(word, "--") == 0)
			options_ended = true;
		else if (!options_ended && word[0] == '-' && word[1] != '\0')
			status = read_option(r, word);
		else if (r->to->command == NULL)
			status = read_command(r, word);
		else
			r->to->operands[r->to->operand_count++] = word;
		if (status != STATUS_OK)
			return status;
	}
	return STATUS_OK;
}

static enum status check_options(const struct arguments *arguments, struct error *error)
{
	for (size_t i = 0; arguments->command != NULL && i < arguments->given_count; i++)
		if (!has_option(arguments->command, arguments->given[i].option))
			return error_set(error, STATUS_INVALID, "'%s' has no option '%s'", arguments->command->name,
					 arguments->given[i].option->name);
	return STATUS_OK;
}

enum status arguments_parse(int argc, char **argv, struct arguments *arguments_out, struct error *error)
{
	/* A program may be started with no words at all, not even its own name. */
	size_t room = argc > 0 ? (size_t)argc : 1;
	struct arguments arguments = {
	    .given = memory_new_array(room, sizeof(*arguments.given)),
	    .operands = memory_new_array(room, sizeof(*arguments.operands)),
	};
	struct reading reading = {argv, argc, 1, &arguments, error};
	enum status status;

	if (arguments.given == NULL || arguments.operands == NULL)
		status = error_no_memory(error);
	else
		status = read_all(&reading);
	if (status == STATUS_OK)
		status = check_options(&arguments, error);
	if (status == STATUS_INVALID)
		error_hint(error, status, "see 'wsmauthz %s%s--help'",
			   arguments.command != NULL ? arguments.command->name : "",
			   arguments.command != NULL ? " " : "");
	if (status != STATUS_OK) {
		arguments_done(&arguments);
		return status;
	}
	*arguments_out = arguments;
	return STATUS_OK;
}

void arguments_done(struct arguments *arguments)
{
	memory_free(arguments->given);
	memory_free(arguments->operands);
	memory_free(arguments->default_policy);
	memset(arguments, 0, sizeof(*arguments));
}

static const struct given_option *find_given(const struct arguments *arguments, const char *name)
{
	for (size_t i = 0; i < arguments->given_count; i++)
		if (strcmp(arguments->given[i].option->name, name) == 0)
			return &arguments->given[i];
	return NULL;
}

enum status arguments_find_policy(struct arguments *arguments, struct error *error)
{
	return plugin_policy_find(NULL, &arguments->default_policy, error);
}

const char *arguments_policy(const struct arguments *arguments)
{
	const char *given = arguments_value(arguments, "--config");

	if (given != NULL)
		return given;
	return arguments->default_policy != NULL ? arguments->default_policy : PLUGIN_DEFAULT_POLICY;
}

const char *arguments_value(const struct arguments *arguments, const char *name)
{
	const struct given_option *given = find_given(arguments, name);

	return given != NULL ? given->value : NULL;
}

bool arguments_has(const struct arguments *arguments, const char *name)
{
	return find_given(arguments, name) != NULL;
}
