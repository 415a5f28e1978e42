/* SPDX-License-Identifier: Apache-2.0 */
#include <base/ascii.h>
#include <cli/report_options.h>
#include <cli/report_tally.h>
#include <identity/uri.h>
#include <plugin/plugin.h>
#include <string.h>

#define MOST_WAYS 1000000

static enum status read_level(const struct arguments *arguments, enum log_level *level, struct error *error)
{
	const char *word = arguments_value(arguments, "--log-level");

	if (word == NULL || log_level_parse(word, level))
		return STATUS_OK;
	error_set(error, STATUS_INVALID, "'%s' is no log level", word);
	return error_hint(error, STATUS_INVALID, "one of error, warning, info, debug");
}

static enum status read_url(const char *url, struct error *error)
{
	struct uri_endpoint endpoint;

	if (url == NULL || uri_parse_endpoint(url, &endpoint))
		return STATUS_OK;
	error_set(error, STATUS_INVALID, "'%s' is no http or https URL", url);
	return error_hint(error, STATUS_INVALID, "write it as --url https://host:5986/wsman");
}

static enum status read_ways(const char *word, size_t *ways, struct error *error)
{
	size_t value = 0;

	if (word == NULL)
		return STATUS_OK;
	for (const char *at = word; *at != '\0'; at++) {
		if (!ascii_is_digit(*at) || value > MOST_WAYS)
			return error_set(error, STATUS_INVALID, "'--max-ways %s': not a number from 1 to %d", word,
					 MOST_WAYS);
		value = value * 10 + (size_t)(*at - '0');
	}
	if (value == 0 || value > MOST_WAYS)
		return error_set(error, STATUS_INVALID, "'--max-ways %s': not a number from 1 to %d", word, MOST_WAYS);
	*ways = value;
	return STATUS_OK;
}

static enum status check_files(const struct report_options *options, struct error *error)
{
	if (options->csv != NULL && options->html != NULL && strcmp(options->csv, options->html) == 0)
		return error_set(error, STATUS_INVALID, "'--csv' and '--html' name the same file");
	return STATUS_OK;
}

/* A comparison asks nobody. */
static enum status read_diff(const struct arguments *arguments, struct report_options *options, struct error *error)
{
	static const char *const others[] = {"--csv", "--html", "--all", "--url", "--max-ways"};

	options->before = arguments_value(arguments, "--diff");
	if (options->before == NULL)
		return arguments->operand_count == 0
			   ? STATUS_OK
			   : error_set(error, STATUS_INVALID, "report takes no operand: '%s'", arguments->operands[0]);
	if (arguments->operand_count != 1)
		return error_set(error, STATUS_INVALID, "'--diff' compares two files: --diff OLD.csv NEW.csv");
	for (size_t i = 0; i < COUNT_OF(others); i++)
		if (arguments_has(arguments, others[i]))
			return error_set(error, STATUS_INVALID, "'--diff' and '%s' do not go together", others[i]);
	options->after = arguments->operands[0];
	return STATUS_OK;
}

enum status report_options_read(const struct arguments *arguments, struct report_options *options_out,
				struct error *error)
{
	const char *policy = arguments_value(arguments, "--config");
	struct report_options options = {
	    .policy = policy != NULL ? policy : PLUGIN_DEFAULT_POLICY,
	    .url = arguments_value(arguments, "--url"),
	    .csv = arguments_value(arguments, "--csv"),
	    .html = arguments_value(arguments, "--html"),
	    .is_json = arguments_has(arguments, "--json"),
	    .is_all = arguments_has(arguments, "--all"),
	    .max_ways = REPORT_MAX_WAYS,
	    .level = LOG_LEVEL_WARNING,
	};
	enum status status = read_diff(arguments, &options, error);

	if (status == STATUS_OK)
		status = read_level(arguments, &options.level, error);
	if (status == STATUS_OK)
		status = read_url(options.url, error);
	if (status == STATUS_OK)
		status = read_ways(arguments_value(arguments, "--max-ways"), &options.max_ways, error);
	if (status == STATUS_OK)
		status = check_files(&options, error);
	if (status != STATUS_OK)
		return error->hint[0] != '\0' ? status : error_hint(error, status, "see 'wsmauthz report --help'");
	*options_out = options;
	return STATUS_OK;
}
