/* SPDX-License-Identifier: Apache-2.0 */
#include <cli/host_options.h>
#include <config/config.h>

#define DEFAULT_APPLICATION "wsman"
/* QuotaRefreshIntervalSeconds of WinRM's IIS host. How long a record lives without use is not public: as long. */
#define DEFAULT_REFRESH_MS ((uint64_t)900 * 1000)
#define DEFAULT_IDLE_MS    ((uint64_t)900 * 1000)
/* MaxOperationTimeoutSeconds. */
#define DEFAULT_PATIENCE_MS ((uint64_t)60 * 1000)
#define MAX_DURATION_MS     ((uint64_t)24 * 3600 * 1000)

const struct option host_option_list[HOST_OPTION_COUNT] = {
    {"--plugin", "FILE", "The plug-in: wsmauthz.so or wsmauthz.dll itself."},
    {"--script", "FILE", "The script; - or none: standard input, line by line."},
    {"--listen", "ADDR:PORT",
     "Instead of a script: be an HTTP endpoint, /wsman, that clients can be tried with (Linux)."},
    {"--certificate", "FILE", "Listen with TLS: the certificate, and those between it and the CA, in PEM."},
    {"--key", "FILE", "Its key, in PEM, which nobody else may read."},
    {"--application", "NAME", "What the host calls its application. Default: " DEFAULT_APPLICATION "."},
    {"--idle-timeout", "D", "How long a user record lives without use. Default: 15m."},
    {"--refresh-interval", "D", "After which time a user is authorized anew all the same. Default: 15m."},
    {"--patience", "D", "How long a completion may take before it counts as missing. Default: 60s."},
    {"--no-quota", NULL, "Do not ask for quotas: SupportsQuota=\"false\"."},
    {"--quiet", NULL, "Print only what goes wrong, and the sum."},
};

static enum status read_duration(const struct arguments *arguments, const char *name, uint64_t *duration_ms,
				 struct error *error)
{
	const char *word = arguments_value(arguments, name);

	if (word == NULL)
		return STATUS_OK;
	if (!config_parse_duration(word, duration_ms) || *duration_ms == 0 || *duration_ms > MAX_DURATION_MS) {
		error_set(error, STATUS_INVALID, "'%s %s': not a duration from 1ms to 24h", name, word);
		return error_hint(error, STATUS_INVALID, "write it as 500ms, 5s, 2m or 1h");
	}
	return STATUS_OK;
}

static enum status read_listen(const struct arguments *arguments, struct host_options *options, struct error *error)
{
	struct host_listen_options *listen = &options->listen;

	listen->address = arguments_value(arguments, "--listen");
	listen->certificate = arguments_value(arguments, "--certificate");
	listen->key = arguments_value(arguments, "--key");
	options->listen_policy = arguments_policy(arguments);
	if (listen->address == NULL && (listen->certificate != NULL || listen->key != NULL))
		return error_set(error, STATUS_INVALID, "--certificate and --key are for --listen");
	if (listen->address == NULL)
		return STATUS_OK;
	if (options->script != NULL)
		return error_set(error, STATUS_INVALID, "--listen and --script: one or the other");
	return host_listen_check(listen, error);
}

enum status host_options_read(const struct arguments *arguments, struct host_options *options_out, struct error *error)
{
	const char *application = arguments_value(arguments, "--application");
	struct host_options options = {
	    .script = arguments_value(arguments, "--script"),
	    .session = {.plugin_path = arguments_value(arguments, "--plugin"),
			.application = application != NULL ? application : DEFAULT_APPLICATION,
			.policy = arguments_value(arguments, "--config"),
			.idle_ms = DEFAULT_IDLE_MS,
			.refresh_ms = DEFAULT_REFRESH_MS,
			.patience_ms = DEFAULT_PATIENCE_MS,
			.wants_quota = !arguments_has(arguments, "--no-quota"),
			.is_json = arguments_has(arguments, "--json"),
			.is_quiet = arguments_has(arguments, "--quiet")},
	};
	enum status status = STATUS_OK;

	if (arguments->operand_count > 0)
		status = error_set(error, STATUS_INVALID, "'%s': host takes no operands", arguments->operands[0]);
	else if (options.session.plugin_path == NULL)
		status = error_set(error, STATUS_INVALID, "no plug-in to load: --plugin FILE is missing");
	if (status == STATUS_INVALID)
		return error_hint(error, status, "see 'wsmauthz host --help'");
	status = read_duration(arguments, "--idle-timeout", &options.session.idle_ms, error);
	if (status == STATUS_OK)
		status = read_duration(arguments, "--refresh-interval", &options.session.refresh_ms, error);
	if (status == STATUS_OK)
		status = read_duration(arguments, "--patience", &options.session.patience_ms, error);
	if (status == STATUS_OK)
		status = read_listen(arguments, &options, error);
	if (status == STATUS_OK)
		*options_out = options;
	return status;
}
