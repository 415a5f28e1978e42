/* SPDX-License-Identifier: Apache-2.0 */
/* The elements that only set values: <plugin>, <cache>, <account>, <certificates>, <audit>, <metrics>. */
#include <base/ascii.h>
#include <config/config_elements.h>
#include <config/config_value.h>
#include <config/config_words.h>
#include <string.h>

static enum status take_account_filter(struct config_reading *reading, const struct config_attribute *attribute,
				       const char *value, void *target)
{
	struct config *config = target;

	if (*value != '\0')
		return config_take_filter(reading, attribute, value, target);
	config->account.filter = "";
	return STATUS_OK;
}

/* file="" is as good as no attribute: it is how a template is written. */
static enum status take_file(struct config_reading *reading, const struct config_attribute *attribute,
			     const char *value, void *target)
{
	return *value == '\0' ? STATUS_OK : config_take_path(reading, attribute, value, target);
}

static char upper_digit(char c)
{
	static const char letters[] = "ABCDEF";

	if (c >= 'a' && c <= 'f')
		return letters[c - 'a'];
	return c;
}

static enum status take_issuers(struct config_reading *reading, const struct config_attribute *attribute,
				const char *value, void *target)
{
	struct config *config = target;
	const char *word;
	size_t length = 0;

	(void)attribute;
	while ((word = ascii_next_word(&value, &length)) != NULL) {
		char digits[CONFIG_THUMBPRINT_BYTES];
		struct config_shown shown;
		enum status status;

		config_show(&shown, word, length);
		if (!config_is_thumbprint(word, length)) {
			status =
			    error_set(reading->error, STATUS_INVALID, "'%s' is not a SHA-1 thumbprint", shown.text);
			return error_hint(reading->error, status, "write its %d hexadecimal digits without blanks",
					  CONFIG_THUMBPRINT_BYTES);
		}
		if (config_has_string(config->certificate_issuers, config->certificate_issuer_count, word, length))
			return error_set(reading->error, STATUS_INVALID, "'%s' stands there twice", shown.text);
		for (size_t i = 0; i < length; i++)
			digits[i] = upper_digit(word[i]);
		status = config_add_string(reading, &config->certificate_issuers, &config->certificate_issuer_count,
					   CONFIG_MAX_ISSUERS, digits, length);
		if (status != STATUS_OK)
			return status;
	}
	return config->certificate_issuer_count != 0 ? STATUS_OK
						     : error_set(reading->error, STATUS_INVALID, "it is empty");
}

static enum status close_audit(struct config_reading *reading, void *target, unsigned line)
{
	const struct config *config = target;
	bool to_file = config->audit.sink == CONFIG_AUDIT_FILE;

	if (to_file && config->audit.file == NULL)
		return config_fail(reading, STATUS_INVALID, line, "<audit to=\"file\"> lacks the attribute 'file'");
	if (!to_file && config->audit.file != NULL) {
		enum status status =
		    config_fail(reading, STATUS_INVALID, line, "<audit> names a file but does not write to it");
		return error_hint(reading->error, status, "add to=\"file\", or remove the file");
	}
	return STATUS_OK;
}

/* Nothing is older than ttl, what a verdict is made of neither. */
static enum status close_cache(struct config_reading *reading, void *target, unsigned line)
{
	struct config *config = target;

	(void)reading;
	(void)line;
	if (config->cache.unwatched_ttl_ms > config->cache.ttl_ms)
		config->cache.unwatched_ttl_ms = config->cache.ttl_ms;
	return STATUS_OK;
}

void config_settings_default(struct config *config)
{
	config->cache.ttl_ms = UINT64_C(5) * 60 * 1000;
	config->cache.negative_ttl_ms = 30000;
	config->cache.stale_limit_ms = 0;
	config->cache.unwatched_ttl_ms = 1000;
	config->cache.max_entries = 100000;
	config->cache.max_bytes = UINT64_C(64) << 20;
	config->cache.member_index_bytes = UINT64_C(128) << 20;
	config->account.deny_disabled = config->account.deny_expired = config->account.deny_locked = true;
	config->account.deny_password_expired = false;
	config->account.filter = "";
	config->audit.sink = CONFIG_AUDIT_SYSTEM;
	config->plugin.log_level = LOG_LEVEL_WARNING;
	config->metrics_interval_ms = 15000;
}

/* The tables. Everything goes into the struct config. */

#define IN_CONFIG(member) offsetof(struct config, member)

static const struct config_choice completion_words[] = {
    {.word = "synchronous", .value = 0}, {.word = "asynchronous", .value = 1}, {.word = NULL}};

static const struct config_choice state_words[] = {
    {.word = "allow", .value = 0}, {.word = "deny", .value = 1}, {.word = NULL}};

static const struct config_choice log_level_words[] = {{.word = "error", .value = LOG_LEVEL_ERROR},
						       {.word = "warning", .value = LOG_LEVEL_WARNING},
						       {.word = "info", .value = LOG_LEVEL_INFO},
						       {.word = "debug", .value = LOG_LEVEL_DEBUG},
						       {.word = NULL}};

static const struct config_attribute plugin_attributes[] = {
    {.name = "completion",
     .take = config_take_flag,
     .offset = IN_CONFIG(plugin.asynchronous),
     .choices = completion_words},
    {.name = "allow-null-token", .take = config_take_flag, .offset = IN_CONFIG(plugin.allow_null_token)},
    {.name = "log-level",
     .take = config_take_choice,
     .offset = IN_CONFIG(plugin.log_level),
     .choices = log_level_words},
};

const struct config_element config_plugin_element = {
    .name = "plugin",
    .attributes = plugin_attributes,
    .attribute_count = COUNT_OF(plugin_attributes),
};

static const struct config_attribute cache_attributes[] = {
    {.name = "ttl", .take = config_take_duration, .offset = IN_CONFIG(cache.ttl_ms)},
    {.name = "negative-ttl", .take = config_take_duration, .offset = IN_CONFIG(cache.negative_ttl_ms)},
    {.name = "stale-limit", .take = config_take_duration, .offset = IN_CONFIG(cache.stale_limit_ms)},
    {.name = "unwatched-ttl", .take = config_take_duration, .offset = IN_CONFIG(cache.unwatched_ttl_ms)},
    {.name = "max-entries",
     .take = config_take_number,
     .offset = IN_CONFIG(cache.max_entries),
     .minimum = 1,
     .maximum = CONFIG_MAX_ENTRIES},
    {.name = "max-bytes", .take = config_take_size, .offset = IN_CONFIG(cache.max_bytes)},
    {.name = "member-index", .take = config_take_size, .offset = IN_CONFIG(cache.member_index_bytes)},
};

const struct config_element config_cache_element = {
    .name = "cache",
    .attributes = cache_attributes,
    .attribute_count = COUNT_OF(cache_attributes),
    .close = close_cache,
};

static const struct config_attribute account_attributes[] = {
    {.name = "disabled", .take = config_take_flag, .offset = IN_CONFIG(account.deny_disabled), .choices = state_words},
    {.name = "expired", .take = config_take_flag, .offset = IN_CONFIG(account.deny_expired), .choices = state_words},
    {.name = "locked", .take = config_take_flag, .offset = IN_CONFIG(account.deny_locked), .choices = state_words},
    {.name = "password-expired",
     .take = config_take_flag,
     .offset = IN_CONFIG(account.deny_password_expired),
     .choices = state_words},
    {.name = "filter", .take = take_account_filter, .offset = IN_CONFIG(account.filter)},
};

const struct config_element config_account_element = {
    .name = "account",
    .attributes = account_attributes,
    .attribute_count = COUNT_OF(account_attributes),
};

static const struct config_attribute certificates_attributes[] = {
    {.name = "issuers", .required = true, .take = take_issuers},
};

const struct config_element config_certificates_element = {
    .name = "certificates",
    .attributes = certificates_attributes,
    .attribute_count = COUNT_OF(certificates_attributes),
};

static const struct config_attribute audit_attributes[] = {
    {.name = "to", .take = config_take_choice, .offset = IN_CONFIG(audit.sink), .choices = config_audit_sinks},
    {.name = "file", .take = take_file, .offset = IN_CONFIG(audit.file)},
};

const struct config_element config_audit_element = {
    .name = "audit",
    .attributes = audit_attributes,
    .attribute_count = COUNT_OF(audit_attributes),
    .close = close_audit,
};

static const struct config_attribute metrics_attributes[] = {
    {.name = "file", .required = true, .take = take_file, .offset = IN_CONFIG(metrics_file)},
    {.name = "interval",
     .take = config_take_duration,
     .offset = IN_CONFIG(metrics_interval_ms),
     .minimum = CONFIG_LEAST_METRICS_MS,
     .maximum = CONFIG_MAX_METRICS_MS},
};

const struct config_element config_metrics_element = {
    .name = "metrics",
    .attributes = metrics_attributes,
    .attribute_count = COUNT_OF(metrics_attributes),
};
