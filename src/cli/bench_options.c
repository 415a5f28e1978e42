/* SPDX-License-Identifier: Apache-2.0 */
#include <base/ascii.h>
#include <base/log.h>
#include <cli/arguments.h>
#include <cli/bench_options.h>
#include <cli/bench_senders.h>
#include <cli/machine.h>
#include <config/config.h>
#include <string.h>

#define DEFAULT_OUTSTANDING 64
#define DEFAULT_DURATION_MS 5000
#define DEFAULT_WORKING_SET 1000

/* An option whose value is a number of at least 1. *number is the default before. */
static enum status read_number(const struct arguments *arguments, const char *name, uint64_t max, uint64_t *number,
			       struct error *error)
{
	const char *word = arguments_value(arguments, name);
	uint64_t value = 0;

	if (word == NULL)
		return STATUS_OK;
	for (const char *at = word; *at != '\0'; at++) {
		if (!ascii_is_digit(*at) || value > max)
			return error_set(error, STATUS_INVALID, "'%s %s': not a number from 1 to %llu", name, word,
					 (unsigned long long)max);
		value = value * 10 + (uint64_t)(*at - '0');
	}
	if (value == 0 || value > max)
		return error_set(error, STATUS_INVALID, "'%s %s': not a number from 1 to %llu", name, word,
				 (unsigned long long)max);
	*number = value;
	return STATUS_OK;
}

static enum status read_duration(const struct arguments *arguments, uint64_t *duration_ms, struct error *error)
{
	const char *word = arguments_value(arguments, "--duration");

	if (word == NULL)
		return STATUS_OK;
	if (!config_parse_duration(word, duration_ms) || *duration_ms == 0 || *duration_ms > BENCH_MAX_DURATION_MS) {
		error_set(error, STATUS_INVALID, "'--duration %s': not a duration from 1ms to 1h", word);
		return error_hint(error, STATUS_INVALID, "write it as 500ms, 5s or 2m");
	}
	return STATUS_OK;
}

static bool take_phase(const char *word, size_t length, struct bench_settings *settings)
{
	if (length == 4 && memcmp(word, "cold", 4) == 0)
		settings->wants_cold = true;
	else if (length == 4 && memcmp(word, "warm", 4) == 0)
		settings->wants_warm = true;
	else if (length == 5 && memcmp(word, "floor", 5) == 0)
		settings->wants_floor = true;
	else
		return false;
	return true;
}

static enum status read_phases(const struct arguments *arguments, struct bench_settings *settings, struct error *error)
{
	const char *list = arguments_value(arguments, "--phases");
	const char *at = list != NULL ? list : "cold,warm,floor";

	for (;;) {
		size_t length = strcspn(at, ",");

		if (!take_phase(at, length, settings)) {
			error_set(error, STATUS_INVALID, "'%.*s' is no phase", (int)length, at);
			return error_hint(error, STATUS_INVALID, "some of cold, warm, floor, with commas between");
		}
		if (at[length] == '\0')
			return STATUS_OK;
		at += length + 1;
	}
}

static enum status read_log_level(const struct arguments *arguments, enum wa_log_level *level_out, struct error *error)
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

static enum status read_names(const struct arguments *arguments, struct bench_settings *settings, struct error *error)
{
	settings->policy = arguments_policy(arguments);
	settings->senders_path = arguments_value(arguments, "--senders");
	if (arguments->operand_count > 0) {
		error_set(error, STATUS_INVALID, "'%s': bench takes no operand", arguments->operands[0]);
		return error_hint(error, STATUS_INVALID, "see 'wsmauthz bench --help'");
	}
	if (settings->senders_path == NULL) {
		error_set(error, STATUS_INVALID, "no senders to ask for");
		return error_hint(error, STATUS_INVALID, "name a file that has one a line: --senders FILE");
	}
	return STATUS_OK;
}

static enum status read_numbers(const struct arguments *arguments, struct bench_settings *settings, struct error *error)
{
	uint64_t users = SENDERS_MAX, threads = machine_processors(), outstanding = DEFAULT_OUTSTANDING;
	uint64_t working_set = DEFAULT_WORKING_SET;
	enum status status = read_number(arguments, "--users-limit", SENDERS_MAX, &users, error);

	if (status == STATUS_OK)
		status = read_number(arguments, "--threads", BENCH_MAX_THREADS, &threads, error);
	if (status == STATUS_OK)
		status = read_number(arguments, "--outstanding", BENCH_MAX_OUTSTANDING, &outstanding, error);
	if (status == STATUS_OK)
		status = read_number(arguments, "--rate", BENCH_MAX_RATE, &settings->rate, error);
	if (status == STATUS_OK)
		status = read_number(arguments, "--working-set", SENDERS_MAX, &working_set, error);
	settings->users_limit = (size_t)users;
	settings->threads = (unsigned)threads;
	settings->outstanding = (size_t)outstanding;
	settings->working_set = (size_t)working_set;
	return status;
}

enum status bench_options_read(const struct arguments *arguments, struct bench_settings *settings_out,
			       struct error *error)
{
	struct bench_settings settings = {.duration_ms = DEFAULT_DURATION_MS};
	bool has_api = arguments_has(arguments, "--api"), has_points = arguments_has(arguments, "--entry-points");
	enum status status = read_names(arguments, &settings, error);

	if (status == STATUS_OK)
		status = read_numbers(arguments, &settings, error);
	if (status == STATUS_OK)
		status = read_duration(arguments, &settings.duration_ms, error);
	if (status == STATUS_OK)
		status = read_phases(arguments, &settings, error);
	if (status == STATUS_OK)
		status = read_log_level(arguments, &settings.log_level, error);
	if (status != STATUS_OK)
		return status;
	settings.wants_api = has_api || !has_points;
	settings.wants_entry_points = has_points || !has_api;
	settings.is_json = arguments_has(arguments, "--json");
	*settings_out = settings;
	return STATUS_OK;
}
