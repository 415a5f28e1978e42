/* SPDX-License-Identifier: Apache-2.0 */
/* <wsmauthz>: the document, and what its parts must agree on. */
#include <base/ascii.h>
#include <base/memory.h>
#include <config/config.h>
#include <config/config_elements.h>
#include <config/config_life.h>
#include <config/config_value.h>
#include <os/file.h>
#include <os/secret.h>
#include <string.h>

static enum status take_default_domain(struct config_reading *reading, const struct config_attribute *attribute,
				       const char *value, void *target)
{
	struct config_shown shown;

	config_show(&shown, value, strlen(value));
	if (!config_is_domain_name(value, strlen(value)))
		return error_set(reading->error, STATUS_INVALID, "'%s' is not a domain name", shown.text);
	return config_take_text(reading, attribute, value, target);
}

static enum status check_default_domain(struct config_reading *reading, unsigned line)
{
	const struct config *config = reading->config;
	struct config_shown shown;
	enum status status;

	if (config->default_domain == NULL)
		return STATUS_OK;
	/* Without domains of its own the directory must be an AD forest, which knows its own; whether it is one, it has to say. */
	for (size_t i = 0; i < config->directory_count; i++)
		if (config->directories[i].domain_count == 0 ||
		    config_has_string(config->directories[i].domains, config->directories[i].domain_count,
				      config->default_domain, strlen(config->default_domain)))
			return STATUS_OK;
	config_show(&shown, config->default_domain, strlen(config->default_domain));
	status = config_fail(reading, STATUS_INVALID, line, "wsmauthz/@default-domain '%s' is a domain of no directory",
			     shown.text);
	return error_hint(reading->error, status, "add it to directory/@domain");
}

static enum status close_policy(struct config_reading *reading, void *target, unsigned line)
{
	const struct config *config = target;
	enum status status;

	for (size_t i = 0; i < config->rule_count; i++)
		if (config->rules[i].effect == CONFIG_ALLOW)
			return check_default_domain(reading, line);
	status = config_fail(reading, STATUS_INVALID, line, "the policy has no <allow>: it would let nobody in");
	return error_hint(reading->error, status, "write <allow group=\"...\"/> with the DN of a group");
}

static const struct config_attribute policy_attributes[] = {
    {.name = "default-domain", .take = take_default_domain, .offset = offsetof(struct config, default_domain)},
};

static const struct config_child policy_children[] = {
    {.element = &config_directory_element,
     .repeats = true, /* its own message is better than the reader's */
     .missing_hint = "write <directory uri=\"...\" base=\"...\"> and a <bind> in it"},
    {.element = &config_allow_element, .repeats = true},
    {.element = &config_deny_element, .repeats = true},
    {.element = &config_redirect_element},
    {.element = &config_cache_element},
    {.element = &config_account_element},
    {.element = &config_plugin_element},
    {.element = &config_certificates_element},
    {.element = &config_audit_element},
    {.element = &config_metrics_element},
};

static const struct config_element policy_element = {
    .name = "wsmauthz",
    .attributes = policy_attributes,
    .attribute_count = COUNT_OF(policy_attributes),
    .children = policy_children,
    .child_count = COUNT_OF(policy_children),
    .close = close_policy,
};

static enum status read_policy(struct config *config, struct xml_reader *xml, const char *path, struct error *error)
{
	struct config_reading reading = {
	    .config = config, .arena = config->life->arena, .xml = xml, .path = path, .error = error};
	enum status status;

	config_settings_default(config);
	config->path = arena_copy_text(reading.arena, path);
	status =
	    config->path == NULL ? config_no_room(&reading) : config_read_document(&reading, &policy_element, config);
	/* A secret that was read for a directory that then failed. */
	secret_free(&reading.directory.out.bind_secret);
	return status;
}

static bool is_blank(const char *data, size_t length)
{
	while (length > 0 && ascii_is_blank(data[length - 1]))
		length--;
	return length == 0;
}

enum status config_parse(const char *data, size_t length, const char *path, const struct config **config_out,
			 struct error *error)
{
	struct xml_reader *xml = NULL;
	struct config *config;
	const struct config *loaded;
	enum status status;

	if (is_blank(data, length)) {
		status = error_set(error, STATUS_INVALID, "%s: the file is empty", path);
		return error_hint(error, status, "begin with the sample policy");
	}
	status = xml_reader_open(data, length, path, &xml, error);
	if (status != STATUS_OK)
		return status;
	loaded = config = config_new();
	if (config != NULL)
		config_note_content(config, data, length);
	status = config == NULL ? error_no_memory(error) : read_policy(config, xml, path, error);
	if (status == STATUS_OK) {
		*config_out = loaded;
		loaded = NULL;
	}
	config_unref(&loaded);
	xml_reader_close(&xml);
	return status;
}

enum status config_load(const char *path, const struct config **config_out, struct error *error)
{
	char *data = NULL;
	size_t length = 0;
	enum status status = file_read_trusted(path, FILE_POLICY_MAX_BYTES, &data, &length, error);

	if (status != STATUS_OK)
		return status;
	status = config_parse(data, length, path, config_out, error);
	memory_free(data);
	return status;
}
