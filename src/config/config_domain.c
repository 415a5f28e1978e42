/* SPDX-License-Identifier: Apache-2.0 */
#include <config/config_domain.h>

#include <base/ascii.h>
#include <base/text.h>
#include <config/config_value.h>
#include <identity/dn.h>
#include <identity/uri.h>
#include <string.h>

/* A label, as DNS names of hosts have them, and '_'. AD warns of other names for sites itself. */
static bool is_site_name(const char *name)
{
	const size_t length = strlen(name);

	for (size_t i = 0; i < length; i++)
		if (!ascii_is_alnum(name[i]) && name[i] != '-' && name[i] != '_')
			return false;
	return length > 0 && length <= CONFIG_LABEL_MAX_BYTES;
}

enum status config_take_site(struct config_reading *reading, const struct config_attribute *attribute,
			     const char *value, void *target)
{
	enum status status;

	if (is_site_name(value))
		return config_take_text(reading, attribute, value, target);
	status = error_set(reading->error, STATUS_INVALID, "it is not a site's name");
	return error_hint(reading->error, status,
			  "letters, digits, '-' and '_', at most %d, as in Default-First-Site-Name",
			  CONFIG_LABEL_MAX_BYTES);
}

/* A NetBIOS name has no servers in DNS. */
static bool has_dot(const char *name)
{
	return strchr(name, '.') != NULL;
}

/* "corp.example" of "ou=x,dc=corp,dc=example" (RFC 2247); empty: its last parts are no dc. */
static void spell_base(const char *base, struct text *out)
{
	struct text key;
	const char *at = NULL;
	const char *rdn;

	text_init(&key);
	text_clear(out);
	if (dn_classify(base, strlen(base), &key) == DN_PLAIN && !text_failed(&key)) {
		for (rdn = key.data; rdn != NULL; rdn = dn_parent(rdn)) {
			if (strncmp(rdn, "dc=", 3) != 0)
				at = NULL;
			else if (at == NULL)
				at = rdn;
		}
	}
	for (; at != NULL; at = dn_parent(at)) {
		if (out->length > 0)
			text_add(out, ".");
		text_add_bytes(out, at + 3, strcspn(at + 3, ","));
	}
	out->failed = out->failed || text_failed(&key);
	text_done(&key);
	if (!text_failed(out) && out->length > 0 &&
	    (!has_dot(out->data) || !config_is_domain_name(out->data, out->length)))
		text_clear(out);
}

/* The domain of a URI without a host. */
static const char *first_domain(const struct config_directory *directory, const char *of_base)
{
	for (size_t i = 0; i < directory->domain_count; i++)
		if (has_dot(directory->domains[i]))
			return directory->domains[i];
	return *of_base != '\0' ? of_base : NULL;
}

static const char *domain_of(const struct config_directory *directory, const char *host, size_t length,
			     const char *of_base)
{
	for (size_t i = 0; i < directory->domain_count; i++)
		if (has_dot(directory->domains[i]) &&
		    ascii_equal_nocase_n(directory->domains[i], strlen(directory->domains[i]), host, length))
			return directory->domains[i];
	return *of_base != '\0' && ascii_equal_nocase_n(of_base, strlen(of_base), host, length) ? of_base : NULL;
}

static enum status fail_hostless(struct config_reading *reading, const struct config_directory *directory,
				 size_t number, unsigned line)
{
	const enum status status =
	    config_fail(reading, STATUS_INVALID, line,
			"directory/@uri '%s' names no host, and no domain is known whose servers could be looked for",
			directory->uris[number]);

	return error_hint(reading->error, status, "name the domain in directory/@domain, as corp.example, or the host");
}

/* A copy in the arena, once: it is the first of a list of one. */
static enum status keep(struct config_reading *reading, const char *text, const char **out)
{
	const char **list = NULL;
	size_t count = 0;
	const enum status status = config_add_string(reading, &list, &count, 1, text, strlen(text));

	if (status == STATUS_OK)
		*out = list[0];
	return status;
}

static enum status fill(struct config_reading *reading, struct config_directory *directory, const char *of_base,
			unsigned line)
{
	bool is_any = false;

	for (size_t i = 0; i < directory->uri_count; i++) {
		const char **room = config_room(reading, directory->uri_domains, i, sizeof(*room));
		const char *host = NULL;
		size_t length = 0;

		if (room == NULL)
			return config_no_room(reading);
		directory->uri_domains = room;
		room[i] = NULL;
		if (!uri_ldap_host(directory->uris[i], &host, &length))
			continue;
		room[i] = length == 0 ? first_domain(directory, of_base) : domain_of(directory, host, length, of_base);
		if (length == 0 && room[i] == NULL)
			return fail_hostless(reading, directory, i, line);
		is_any = is_any || room[i] != NULL;
	}
	if (directory->site == NULL || is_any)
		return STATUS_OK;
	const enum status status = config_fail(reading, STATUS_INVALID, line,
					       "directory/@site is for servers that are found by DNS, and "
					       "directory/@uri names no domain");

	return error_hint(reading->error, status, "remove it, or write the domain as the host of directory/@uri");
}

enum status config_find_domains(struct config_reading *reading, struct config_directory *directory, unsigned line)
{
	struct text spelled;
	const char *of_base = "";
	enum status status = STATUS_OK;

	text_init(&spelled);
	spell_base(directory->base, &spelled);
	if (text_failed(&spelled))
		status = error_no_memory(reading->error);
	else if (spelled.length > 0)
		status = keep(reading, spelled.data, &of_base);
	text_done(&spelled);
	return status == STATUS_OK ? fill(reading, directory, of_base, line) : status;
}
