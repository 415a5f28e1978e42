/* SPDX-License-Identifier: Apache-2.0 */
/* <redirect>: which site serves whom, and where it is. */
#include <base/ascii.h>
#include <base/text.h>
#include <config/config_elements.h>
#include <config/config_value.h>
#include <identity/dn.h>
#include <identity/uri.h>
#include <string.h>

/* site */

static enum status take_site_uris(struct config_reading *reading, const struct config_attribute *attribute,
				  const char *value, void *target)
{
	struct config_site *site = &((struct config_site_draft *)target)->out;
	const char *word;
	size_t length = 0;

	(void)attribute;
	while ((word = ascii_next_word(&value, &length)) != NULL) {
		struct config_shown shown;
		enum status status;

		config_show(&shown, word, length);
		if (config_has_string(site->uris, site->uri_count, word, length))
			return error_set(reading->error, STATUS_INVALID, "'%s' stands there twice", shown.text);
		status = config_add_string(reading, &site->uris, &site->uri_count, CONFIG_MAX_URIS, word, length);
		if (status != STATUS_OK)
			return status;
	}
	return site->uri_count != 0 ? STATUS_OK : error_set(reading->error, STATUS_INVALID, "it is empty");
}

static enum status open_site(struct config_reading *reading, void *parent, void **target_out)
{
	struct config_site_draft *draft = &reading->site;

	(void)parent;
	memset(draft, 0, sizeof(*draft));
	draft->out.line = xml_reader_line(reading->xml);
	*target_out = draft;
	return STATUS_OK;
}

static enum status check_target(struct config_reading *reading, const char *uri, bool allow_http)
{
	enum status status;

	if (config_is_comma_list(uri, strlen(uri))) {
		status = error_set(reading->error, STATUS_INVALID, "a comma separates nothing here");
		return error_hint(reading->error, status, "separate several by blanks, not by commas");
	}
	status = uri_check_redirect(uri, allow_http, reading->error);
	if (status == STATUS_OK)
		return status;
	if (!allow_http && ascii_equal_nocase_n(uri, strcspn(uri, ":"), "http", 4))
		return error_hint(
		    reading->error, status,
		    "write https, or allow-http=\"true\" if the sender's next connection may do without TLS");
	return error_hint(reading->error, status,
			  "write host, port and path of the endpoint: \"https://host:5986/wsman\"");
}

static enum status check_targets(struct config_reading *reading, const struct config_site_draft *draft, unsigned line)
{
	size_t count = draft->out.uri_count;

	for (size_t i = 0; i < count; i++) {
		const char *uri = draft->out.uris[i];
		enum status status = check_target(reading, uri, draft->allow_http);
		struct config_shown shown;

		if (status == STATUS_OK)
			continue;
		config_show(&shown, uri, strlen(uri));
		/* Of several the administrator may have meant one: a blank inside it makes two. */
		if (count > 1)
			error_prefix(reading->error, "'%s', number %zu of %zu", shown.text, i + 1, count);
		else
			error_prefix(reading->error, "'%s'", shown.text);
		error_prefix(reading->error, "%s:%u: site/@uri", reading->path, line);
		return status;
	}
	return STATUS_OK;
}

/* The first site that fits decides, so the second of the same name or group could never be used. */
static enum status check_unique(struct config_reading *reading, const struct config_site *site, const char *key)
{
	const struct config_redirect *redirect = &reading->config->redirect;

	for (size_t i = 0; i < redirect->site_count; i++) {
		const struct config_site *other = &redirect->sites[i];

		if (site->name != NULL && other->name != NULL && ascii_equal_nocase(site->name, other->name))
			return config_fail(reading, STATUS_INVALID, site->line, "the site in line %u has the same name",
					   other->line);
		if (site->ou != NULL && other->ou != NULL && strcmp(site->ou_key, other->ou_key) == 0)
			return config_fail(reading, STATUS_INVALID, site->line,
					   "the site in line %u is for the same OU", other->line);
		if (key != NULL && reading->site_keys[i] != NULL && strcmp(key, reading->site_keys[i]) == 0)
			return config_fail(reading, STATUS_INVALID, site->line,
					   "the site in line %u is for the same group", other->line);
	}
	return STATUS_OK;
}

static enum status add_site(struct config_reading *reading, const struct config_site *site, const char *key)
{
	struct config_redirect *redirect = &reading->config->redirect;
	struct config_site *sites = config_room(reading, redirect->sites, redirect->site_count, sizeof(*sites));
	const char **keys = config_room(reading, reading->site_keys, redirect->site_count, sizeof(*keys));

	if (sites == NULL || keys == NULL)
		return config_no_room(reading);
	sites[redirect->site_count] = *site;
	keys[redirect->site_count] = key;
	redirect->sites = sites;
	reading->site_keys = keys;
	redirect->site_count++;
	return STATUS_OK;
}

/* As an entry shows it; what no client can compare for sure must be written as the directory does (engine.c warns). */
static const char *key_of_ou(struct config_reading *reading, const char *ou)
{
	const char *copy = NULL;
	struct text key;

	text_init(&key);
	dn_own_key(ou, strlen(ou), &key);
	if (!text_failed(&key))
		copy = arena_copy_text(reading->arena, text_string(&key));
	text_done(&key);
	return copy;
}

static enum status close_site(struct config_reading *reading, void *target, unsigned line)
{
	struct config_site_draft *draft = target;
	struct config_site *site = &draft->out;
	const char *key = NULL;
	enum status status;

	if ((site->name != NULL ? 1 : 0) + (site->group != NULL ? 1 : 0) + (site->ou != NULL ? 1 : 0) != 1)
		return config_fail(reading, STATUS_INVALID, line,
				   "<site> must have exactly one of the attributes 'name', 'group' and 'ou'");
	if (reading->config->redirect.site_count == CONFIG_MAX_SITES)
		return config_fail(reading, STATUS_LIMIT, line, "there are more than %d sites", CONFIG_MAX_SITES);
	if (site->group != NULL && (key = config_group_key(reading, site->group)) == NULL)
		return config_no_room(reading);
	if (site->ou != NULL && (site->ou_key = key_of_ou(reading, site->ou)) == NULL)
		return config_no_room(reading);
	status = check_targets(reading, draft, line);
	if (status == STATUS_OK)
		status = check_unique(reading, site, key);
	return status == STATUS_OK ? add_site(reading, site, key) : status;
}

/* here */

static enum status take_here(struct config_reading *reading, const struct config_attribute *attribute,
			     const char *value, void *target)
{
	struct config_redirect *redirect = target;
	struct config_shown shown;

	(void)attribute;
	config_show(&shown, value, strlen(value));
	if (*value == '\0')
		return error_set(reading->error, STATUS_INVALID, "it is empty");
	if (config_has_string(redirect->here, redirect->here_count, value, strlen(value)))
		return error_set(reading->error, STATUS_INVALID, "'%s' was given before", shown.text);
	return config_add_string(reading, &redirect->here, &redirect->here_count, CONFIG_MAX_HERE, value,
				 strlen(value));
}

/* redirect */

static enum status open_redirect(struct config_reading *reading, void *parent, void **target_out)
{
	struct config_redirect *redirect = &reading->config->redirect;

	(void)parent;
	redirect->present = true;
	redirect->line = xml_reader_line(reading->xml);
	*target_out = redirect;
	return STATUS_OK;
}

static enum status check_sites(struct config_reading *reading, const struct config_redirect *redirect)
{
	for (size_t i = 0; i < redirect->site_count; i++) {
		const struct config_site *site = &redirect->sites[i];
		struct config_shown shown;

		if (site->name == NULL)
			continue;
		if (redirect->attribute == NULL)
			return config_fail(reading, STATUS_INVALID, site->line,
					   "a <site> with a name needs the attribute 'attribute' at <redirect>");
		if (config_has_string(redirect->here, redirect->here_count, site->name, strlen(site->name)))
			return config_fail(reading, STATUS_INVALID, site->line,
					   "the site '%s' is also served here: it would never be used",
					   config_show(&shown, site->name, strlen(site->name)));
	}
	return STATUS_OK;
}

static enum status close_redirect(struct config_reading *reading, void *target, unsigned line)
{
	const struct config_redirect *redirect = target;

	if (redirect->site_count == 0 && redirect->here_count == 0) {
		enum status status = config_fail(reading, STATUS_INVALID, line,
						 "<redirect> has neither a <site> nor a value for 'here'");
		return error_hint(reading->error, status, "write the sites into it, or remove it");
	}
	if (redirect->here_count != 0 && redirect->attribute == NULL)
		return config_fail(reading, STATUS_INVALID, line,
				   "the values served here need the attribute 'attribute' at <redirect>");
	return check_sites(reading, redirect);
}

/* The tables. */

#define IN_SITE(member)     offsetof(struct config_site_draft, member)
#define IN_REDIRECT(member) offsetof(struct config_redirect, member)

static const struct config_choice unmapped_words[] = {
    {.word = "authorize", .value = 0}, {.word = "deny", .value = 1}, {.word = NULL}};

static const struct config_attribute site_attributes[] = {
    {.name = "name", .take = config_take_text, .offset = IN_SITE(out.name)},
    {.name = "group", .take = config_take_group, .offset = IN_SITE(out.group)},
    {.name = "ou", .take = config_take_dn, .offset = IN_SITE(out.ou)},
    {.name = "uri", .required = true, .take = take_site_uris},
    {.name = "allow-http", .take = config_take_flag, .offset = IN_SITE(allow_http)},
};

static const struct config_element site_element = {
    .name = "site",
    .attributes = site_attributes,
    .attribute_count = COUNT_OF(site_attributes),
    .open = open_site,
    .close = close_site,
};

static const struct config_attribute here_attributes[] = {
    {.name = "value", .required = true, .take = take_here},
};

/* Its value goes where that of redirect/@here goes. */
static const struct config_element here_element = {
    .name = "here",
    .attributes = here_attributes,
    .attribute_count = COUNT_OF(here_attributes),
};

static const struct config_attribute redirect_attributes[] = {
    {.name = "attribute", .take = config_take_attribute_name, .offset = IN_REDIRECT(attribute)},
    {.name = "here", .take = take_here},
    {.name = "unmapped", .take = config_take_flag, .offset = IN_REDIRECT(deny_unmapped), .choices = unmapped_words},
};

static const struct config_child redirect_children[] = {
    {.element = &here_element, .repeats = true},
    {.element = &site_element, .repeats = true},
};

const struct config_element config_redirect_element = {
    .name = "redirect",
    .attributes = redirect_attributes,
    .attribute_count = COUNT_OF(redirect_attributes),
    .children = redirect_children,
    .child_count = COUNT_OF(redirect_children),
    .open = open_redirect,
    .close = close_redirect,
};
