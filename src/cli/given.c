/* SPDX-License-Identifier: Apache-2.0 */
#include <base/log.h>
#include <cli/given.h>
#include <identity/uri.h>
#include <os/log_sink.h>

enum status given_log_level(const struct arguments *arguments, enum wa_log_level *level_out, struct error *error)
{
	const char *word = arguments_value(arguments, "--log-level");
	enum log_level level = LOG_LEVEL_WARNING;

	if (word != NULL && !log_level_parse(word, &level)) {
		error_set(error, STATUS_INVALID, "'%s' is no log level", word);
		return error_hint(error, STATUS_INVALID, "one of error, warning, info, debug");
	}
	*level_out = (enum wa_log_level)level;
	return STATUS_OK;
}

void given_write_log(void *context, enum wa_log_level level, const char *line)
{
	log_sink_stderr(context, (enum log_level)level, line);
}

enum status given_url(const struct arguments *arguments, const char **url_out, struct error *error)
{
	const char *url = arguments_value(arguments, "--url");
	struct uri_endpoint endpoint;

	if (url != NULL && !uri_parse_endpoint(url, &endpoint)) {
		error_set(error, STATUS_INVALID, "'%s' is no http or https URL", url);
		return error_hint(error, STATUS_INVALID, "write it as --url https://host:5986/wsman");
	}
	*url_out = url;
	return STATUS_OK;
}
