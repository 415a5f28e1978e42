/* SPDX-License-Identifier: Apache-2.0 */
/* <directory>: where the directory is, who we are there, and what its entries look like. */
#include <base/ascii.h>
#include <base/memory.h>
#include <config/config_domain.h>
#include <config/config_elements.h>
#include <config/config_life.h>
#include <config/config_value.h>
#include <config/config_words.h>
#include <identity/dn.h>
#include <identity/uri.h>
#include <os/file.h>
#include <string.h>

#define DEFAULT_TIMEOUT_MS  3000
#define DEFAULT_CONNECTIONS 2
#define MAX_CONNECTIONS     8

/* tls */

static enum status take_minimum(struct config_reading *reading, const struct config_attribute *attribute,
				const char *value, void *target)
{
	static const struct config_choice versions[] = {
	    {.word = "1.2", .value = 12}, {.word = "1.3", .value = 13}, {.word = NULL}};
	const struct config_choice *choice = config_find_choice(reading, versions, value);
	struct config_directory_draft *draft = target;

	(void)attribute;
	if (choice == NULL)
		return STATUS_INVALID;
	draft->out.tls_minimum = choice->value;
	return STATUS_OK;
}

/* What a file that decides whom we trust must hold; a TLS library says of most others only that TLS failed. */
struct pem {
	const char *attribute;
	const char *what, *begin; /* and the line that it begins with */
	const char *command;      /* of openssl: makes PEM of DER */
};

static enum status check_pem(struct config_reading *reading, const struct pem *pem, const char *path, unsigned line)
{
	char *data = NULL;
	size_t length = 0;
	enum status status;

	if (path == NULL)
		return STATUS_OK;
	status = file_read_trusted(path, CONFIG_MAX_PEM_BYTES, &data, &length, reading->error);
	if (status == STATUS_OK && strstr(data, pem->begin) == NULL) {
		status = error_set(reading->error, STATUS_INVALID, "'%s' holds no %s in PEM form", path, pem->what);
		error_hint(reading->error, status,
			   "it must have a line \"%s\"; of DER make PEM by: openssl %s -inform DER", pem->begin,
			   pem->command);
	}
	if (status == STATUS_OK)
		config_note_content(reading->config, data, length);
	memory_free(data);
	return status == STATUS_OK ? status : config_file_failed(reading, pem->attribute, status, line);
}

/* What the URIs, all of one scheme, can carry. */
static enum config_tls default_tls(const struct config_directory_draft *draft)
{
	if (ascii_equal_nocase_n(draft->out.uris[0], 5, "ldapi", 5))
		return CONFIG_TLS_NONE;
	return ascii_equal_nocase_n(draft->out.uris[0], 5, "ldaps", 5) ? CONFIG_TLS_LDAPS : CONFIG_TLS_STARTTLS;
}

static enum status choose_tls(struct config_reading *reading, struct config_directory_draft *draft, unsigned line)
{
	static const char *const words[] = {"starttls", "ldaps", "none"};
	enum config_tls possible = default_tls(draft);
	enum config_tls said = draft->tls_mode == CONFIG_NOT_SAID ? possible : (enum config_tls)draft->tls_mode;
	struct config_shown shown;
	enum status status;

	/* Clear text over ldap:// is what a policy may say, in words; all else must fit the scheme. */
	if (said == possible || (said == CONFIG_TLS_NONE && possible == CONFIG_TLS_STARTTLS)) {
		draft->out.tls = said;
		return STATUS_OK;
	}
	config_show(&shown, draft->out.uris[0], strlen(draft->out.uris[0]));
	status = config_fail(reading, STATUS_INVALID, line, "tls/@mode '%s' does not go with the URI '%s'", words[said],
			     shown.text);
	if (possible == CONFIG_TLS_NONE)
		return error_hint(reading->error, status, "a local socket needs no TLS: remove <tls>");
	return error_hint(reading->error, status, "write mode=\"%s\", or change directory/@uri", words[possible]);
}

static enum status close_tls(struct config_reading *reading, void *target, unsigned line)
{
	static const struct pem ca = {"tls/@ca-file", "certificate", "-----BEGIN CERTIFICATE-----", "x509"};
	static const struct pem crl = {"tls/@crl-file", "revocation list", "-----BEGIN X509 CRL-----", "crl"};
	struct config_directory_draft *draft = target;
	enum status status = choose_tls(reading, draft, line);

	draft->tls_seen = true;
	if (status == STATUS_OK)
		status = check_pem(reading, &ca, draft->out.tls_ca_file, line);
	if (status == STATUS_OK)
		status = check_pem(reading, &crl, draft->out.tls_crl_file, line);
	return status;
}

/* directory */

static bool has_same_scheme(const char *a, const char *b)
{
	return ascii_equal_nocase_n(a, strcspn(a, ":"), b, strcspn(b, ":"));
}

static enum status check_server(struct config_reading *reading, const char *word, size_t length, const char *shown)
{
	enum status status = uri_check_ldap(word, length, reading->error);

	if (status != STATUS_OK && memchr(word, ',', length) != NULL)
		error_hint(reading->error, status, "separate several by blanks, not by commas");
	if (status != STATUS_OK)
		error_prefix(reading->error, "'%s'", shown);
	return status;
}

static enum status take_uris(struct config_reading *reading, const struct config_attribute *attribute,
			     const char *value, void *target)
{
	struct config_directory *directory = &((struct config_directory_draft *)target)->out;
	const char *word;
	size_t length = 0;

	(void)attribute;
	while ((word = ascii_next_word(&value, &length)) != NULL) {
		struct config_shown shown;
		enum status status;

		config_show(&shown, word, length);
		status = check_server(reading, word, length, shown.text);
		if (status == STATUS_OK && config_has_string(directory->uris, directory->uri_count, word, length))
			status = error_set(reading->error, STATUS_INVALID, "'%s' stands there twice", shown.text);
		if (status == STATUS_OK)
			status = config_add_string(reading, &directory->uris, &directory->uri_count, CONFIG_MAX_URIS,
						   word, length);
		if (status != STATUS_OK)
			return status;
		if (has_same_scheme(directory->uris[0], directory->uris[directory->uri_count - 1]))
			continue;
		status = error_set(reading->error, STATUS_INVALID, "'%s' has another scheme than '%.80s'", shown.text,
				   directory->uris[0]);
		return error_hint(reading->error, status, "give all servers of a directory the same scheme");
	}
	return directory->uri_count != 0 ? STATUS_OK : error_set(reading->error, STATUS_INVALID, "it is empty");
}

static enum status refuse_domain(struct config_reading *reading, const char *word, size_t length, const char *shown)
{
	enum status status = error_set(reading->error, STATUS_INVALID, "'%s' is not a domain name", shown);

	if (memchr(word, ',', length) != NULL)
		error_hint(reading->error, status, "separate several by blanks, not by commas");
	return status;
}

static enum status take_domains(struct config_reading *reading, const struct config_attribute *attribute,
				const char *value, void *target)
{
	struct config_directory *directory = &((struct config_directory_draft *)target)->out;
	const char *word;
	size_t length = 0;

	(void)attribute;
	while ((word = ascii_next_word(&value, &length)) != NULL) {
		struct config_shown shown;
		enum status status = STATUS_OK;

		config_show(&shown, word, length);
		if (!config_is_domain_name(word, length))
			status = refuse_domain(reading, word, length, shown.text);
		else if (config_has_string(directory->domains, directory->domain_count, word, length))
			status = error_set(reading->error, STATUS_INVALID, "'%s' stands there twice", shown.text);
		if (status == STATUS_OK)
			status = config_add_string(reading, &directory->domains, &directory->domain_count,
						   CONFIG_MAX_DOMAINS, word, length);
		if (status != STATUS_OK)
			return status;
	}
	return directory->domain_count != 0 ? STATUS_OK : error_set(reading->error, STATUS_INVALID, "it is empty");
}

static enum status open_directory(struct config_reading *reading, void *parent, void **target_out)
{
	struct config_directory_draft *draft = &reading->directory;
	unsigned line = xml_reader_line(reading->xml);

	(void)parent;
	if (reading->config->directory_count != 0) {
		enum status status = config_fail(reading, STATUS_INVALID, line,
						 "<directory> stands a second time, and this version takes one");
		return error_hint(reading->error, status,
				  "several servers of the same directory belong into one directory/@uri");
	}
	memset(draft, 0, sizeof(*draft));
	draft->tls_mode = CONFIG_NOT_SAID;
	draft->minssf = CONFIG_MINSSF_NOT_SAID;
	draft->out.line = line;
	draft->out.timeout_ms = DEFAULT_TIMEOUT_MS;
	draft->identity = CONFIG_NOT_SAID;
	draft->out.tls_minimum = 12;
	draft->out.strategy = CONFIG_STRATEGY_AUTO;
	draft->out.connections = DEFAULT_CONNECTIONS;
	*target_out = draft;
	return STATUS_OK;
}

/* What was not said, as most servers have it; and that it was not, since AD has it otherwise. */
static void fill_in(struct config_directory_draft *draft)
{
	struct config_directory *directory = &draft->out;

	directory->identity_given = draft->identity != CONFIG_NOT_SAID;
	directory->identity = directory->identity_given ? (enum config_identity)draft->identity : CONFIG_IDENTITY_NAME;
	directory->user_name_given = directory->user_name_attribute != NULL;
	directory->user_upn_given = directory->user_upn_attribute != NULL;
	directory->user_filter_given = directory->user_filter != NULL;
	if (!directory->user_name_given)
		directory->user_name_attribute = "uid";
	if (!directory->user_filter_given)
		directory->user_filter = "(objectClass=inetOrgPerson)";
	if (directory->group_base == NULL)
		directory->group_base = directory->base;
}

static enum status close_directory(struct config_reading *reading, void *target, unsigned line)
{
	struct config_directory_draft *draft = target;
	struct config *config = reading->config;
	struct config_directory *room;
	enum status status = STATUS_OK;

	if (draft->mechanism == NULL)
		status = config_bind_without_element(reading, draft, line);
	if (status == STATUS_OK && !draft->tls_seen)
		status = choose_tls(reading, draft, line);
	if (status == STATUS_OK)
		status = config_find_domains(reading, &draft->out, line);
	if (status != STATUS_OK)
		return status;
	fill_in(draft);
	room = config_room(reading, config->directories, config->directory_count, sizeof(*room));
	if (room == NULL)
		return config_no_room(reading);
	room[config->directory_count] = draft->out;
	/* The secret has moved; whoever frees what is left of the draft must not find it. */
	draft->out.bind_secret = NULL;
	config->directories = room;
	config->directory_count++;
	return STATUS_OK;
}

/* The tables. Everything goes into the draft. */

#define IN_DRAFT(member) offsetof(struct config_directory_draft, member)

static const struct config_choice tls_modes[] = {
    {.word = "ldaps", .value = CONFIG_TLS_LDAPS},
    {.word = "starttls", .value = CONFIG_TLS_STARTTLS},
    {.word = "none", .value = CONFIG_TLS_NONE},
    {.word = NULL},
};

static const struct config_choice strategies[] = {
    {.word = "auto", .value = CONFIG_STRATEGY_AUTO},
    {.word = "search", .value = CONFIG_STRATEGY_SEARCH},
    {.word = "memberof", .value = CONFIG_STRATEGY_MEMBEROF},
    {.word = NULL},
};

static const struct config_attribute tls_attributes[] = {
    {.name = "mode", .take = config_take_choice, .offset = IN_DRAFT(tls_mode), .choices = tls_modes},
    {.name = "ca-file", .take = config_take_path, .offset = IN_DRAFT(out.tls_ca_file)},
    {.name = "crl-file", .take = config_take_path, .offset = IN_DRAFT(out.tls_crl_file)},
    {.name = "minimum", .take = take_minimum},
};

static const struct config_element tls_element = {
    .name = "tls",
    .attributes = tls_attributes,
    .attribute_count = COUNT_OF(tls_attributes),
    .close = close_tls,
};

static const struct config_attribute users_attributes[] = {
    {.name = "name-attribute", .take = config_take_attribute_name, .offset = IN_DRAFT(out.user_name_attribute)},
    {.name = "upn-attribute", .take = config_take_attribute_name, .offset = IN_DRAFT(out.user_upn_attribute)},
    {.name = "filter", .take = config_take_filter, .offset = IN_DRAFT(out.user_filter)},
};

static const struct config_element users_element = {
    .name = "users",
    .attributes = users_attributes,
    .attribute_count = COUNT_OF(users_attributes),
};

static const struct config_attribute groups_attributes[] = {
    {.name = "strategy", .take = config_take_choice, .offset = IN_DRAFT(out.strategy), .choices = strategies},
    {.name = "base", .take = config_take_dn, .offset = IN_DRAFT(out.group_base)},
};

static const struct config_element groups_element = {
    .name = "groups",
    .attributes = groups_attributes,
    .attribute_count = COUNT_OF(groups_attributes),
};

static const struct config_attribute pool_attributes[] = {
    {.name = "connections",
     .take = config_take_number32,
     .offset = IN_DRAFT(out.connections),
     .minimum = 1,
     .maximum = MAX_CONNECTIONS},
};

static const struct config_element pool_element = {
    .name = "pool",
    .attributes = pool_attributes,
    .attribute_count = COUNT_OF(pool_attributes),
};

static const struct config_attribute directory_attributes[] = {
    {.name = "uri", .required = true, .take = take_uris},
    {.name = "base", .required = true, .take = config_take_dn, .offset = IN_DRAFT(out.base)},
    {.name = "domain", .take = take_domains},
    {.name = "site", .take = config_take_site, .offset = IN_DRAFT(out.site)},
    {.name = "timeout",
     .take = config_take_duration,
     .offset = IN_DRAFT(out.timeout_ms),
     .minimum = 1,
     .maximum = CONFIG_MAX_TIMEOUT_MS},
    {.name = "identity", .take = config_take_choice, .offset = IN_DRAFT(identity), .choices = config_identities},
};

static const struct config_child directory_children[] = {
    {.element = &config_bind_element}, {.element = &tls_element},  {.element = &users_element},
    {.element = &groups_element},      {.element = &pool_element},
};

const struct config_element config_directory_element = {
    .name = "directory",
    .attributes = directory_attributes,
    .attribute_count = COUNT_OF(directory_attributes),
    .children = directory_children,
    .child_count = COUNT_OF(directory_children),
    .open = open_directory,
    .close = close_directory,
};
