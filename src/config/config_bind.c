/* SPDX-License-Identifier: Apache-2.0 */
/* <bind>: who we are to the directory, and with what we prove it. */
#include <base/ascii.h>
#include <config/config_elements.h>
#include <config/config_words.h>
#include <os/file.h>
#include <stddef.h>
#include <string.h>

/* What a mechanism makes of the attributes of <bind>. */
enum need { NEED_NOT = 0, NEED_MAY, NEED_MUST };

struct credential {
	enum config_bind bind;
	enum need dn, user, password_file;
	enum need kerberos; /* keytab, credential-cache, principal, minssf */
};

static const struct credential credentials[CONFIG_CREDENTIAL_COUNT] = {
    [CONFIG_CREDENTIAL_SIMPLE] = {.bind = CONFIG_BIND_SIMPLE, .dn = NEED_MUST, .password_file = NEED_MUST},
    [CONFIG_CREDENTIAL_NONE] = {.bind = CONFIG_BIND_ANONYMOUS},
    [CONFIG_CREDENTIAL_PASSWORD] = {.bind = CONFIG_BIND_SASL, .user = NEED_MUST, .password_file = NEED_MUST},
    [CONFIG_CREDENTIAL_OWN] = {.bind = CONFIG_BIND_SASL, .user = NEED_MAY},
    [CONFIG_CREDENTIAL_KERBEROS] = {.bind = CONFIG_BIND_SASL, .user = NEED_MAY, .kerberos = NEED_MAY},
    [CONFIG_CREDENTIAL_SERVICE] = {.bind = CONFIG_BIND_SASL},
};

static enum status take_mechanism(struct config_reading *reading, const struct config_attribute *attribute,
				  const char *value, void *target)
{
	struct config_directory_draft *draft = target;
	const struct config_choice *choice = config_find_choice(reading, attribute->choices, value);

	if (choice == NULL)
		return STATUS_INVALID;
	draft->mechanism = choice;
	return STATUS_OK;
}

static enum status take_bind_dn(struct config_reading *reading, const struct config_attribute *attribute,
				const char *value, void *target)
{
	enum status status;

	if (*value != '\0')
		return config_take_dn(reading, attribute, value, target);
	status = error_set(reading->error, STATUS_INVALID, "it is empty, and an empty DN is an anonymous bind");
	return error_hint(reading->error, status,
			  "write the account's distinguished name; mechanism=\"anonymous\" is only for a "
			  "directory that shows its groups to everybody");
}

/* As Kerberos' own tools write such names: their prefix would become the name of a folder. */
static enum status take_kerberos_file(struct config_reading *reading, const struct config_attribute *attribute,
				      const char *value, void *target)
{
	static const char *const types[] = {"FILE:", "WRFILE:", "DIR:", "KEYRING:", "KCM:", "MEMORY:"};
	enum status status;

	for (size_t i = 0; i < COUNT_OF(types); i++) {
		if (strncmp(value, types[i], strlen(types[i])) != 0)
			continue;
		status = error_set(reading->error, STATUS_INVALID, "'%s' is no part of a file's name", types[i]);
		return error_hint(reading->error, status,
				  i < 2 ? "write the path alone"
					: "only a file will do; without keytab and credential-cache the "
					  "process's own cache (KRB5CCNAME) is used, whatever its type");
	}
	return config_take_path(reading, attribute, value, target);
}

static enum status check_need(struct config_reading *reading, unsigned line, const char *mechanism, const char *name,
			      enum need need, bool is_said)
{
	if (need == NEED_MUST && !is_said)
		return config_fail(reading, STATUS_INVALID, line, "bind/@mechanism '%s' needs the attribute '%s'",
				   mechanism, name);
	if (need == NEED_NOT && is_said)
		return config_fail(reading, STATUS_INVALID, line, "bind/@mechanism '%s' takes no attribute '%s'",
				   mechanism, name);
	return STATUS_OK;
}

static enum status check_needs(struct config_reading *reading, const struct config_directory_draft *draft,
			       unsigned line)
{
	const struct credential *takes = &credentials[draft->mechanism->value];
	const struct config_directory *out = &draft->out;
	const struct {
		const char *name;
		enum need need;
		bool is_said;
	} attributes[] = {
	    {"dn", takes->dn, out->bind_dn != NULL},
	    {"user", takes->user, out->bind_user != NULL},
	    {"password-file", takes->password_file, draft->password_file != NULL},
	    {"keytab", takes->kerberos, out->bind_keytab != NULL},
	    {"credential-cache", takes->kerberos, out->bind_credential_cache != NULL},
	    {"principal", takes->kerberos, out->bind_principal != NULL},
	    {"minssf", takes->kerberos, draft->minssf != CONFIG_MINSSF_NOT_SAID},
	};

	for (size_t i = 0; i < COUNT_OF(attributes); i++) {
		const enum status status = check_need(reading, line, draft->mechanism->word, attributes[i].name,
						      attributes[i].need, attributes[i].is_said);

		if (status != STATUS_OK)
			return status;
	}
	return STATUS_OK;
}

static enum status read_password(struct config_reading *reading, struct config_directory_draft *draft, unsigned line)
{
	enum status status = file_read_secret(draft->password_file, &draft->out.bind_secret, reading->error);

	if (status == STATUS_OK)
		draft->out.bind_secret_file = draft->password_file;
	return status == STATUS_OK ? status : config_file_failed(reading, "bind/@password-file", status, line);
}

/* Who reads either of them is who we are. What is in them is looked at by each bind. */
static enum status check_kerberos(struct config_reading *reading, const struct config_directory_draft *draft,
				  unsigned line)
{
	const struct config_directory *out = &draft->out;
	enum status status;

	if (out->bind_keytab != NULL && out->bind_credential_cache != NULL) {
		status = config_fail(reading, STATUS_INVALID, line, "<bind> has both a keytab and a credential-cache");
		return error_hint(reading->error, status,
				  "keep the keytab: tickets are then got, and renewed, without another program");
	}
	if (out->bind_principal != NULL && out->bind_keytab == NULL && out->bind_credential_cache == NULL) {
		status =
		    config_fail(reading, STATUS_INVALID, line, "bind/@principal needs a keytab, or a credential-cache");
		return error_hint(reading->error, status, "add keytab=\"...\", the file with the principal's key");
	}
	if (out->bind_keytab != NULL && (status = file_check_secret(out->bind_keytab, reading->error)) != STATUS_OK)
		return config_file_failed(reading, "bind/@keytab", status, line);
	if (out->bind_credential_cache == NULL)
		return STATUS_OK;
	status = file_check_secret(out->bind_credential_cache, reading->error);
	/* The program that writes it may be started after us. */
	return status == STATUS_OK || status == STATUS_NOT_FOUND
		   ? STATUS_OK
		   : config_file_failed(reading, "bind/@credential-cache", status, line);
}

static void use_mechanism(struct config_directory_draft *draft)
{
	draft->out.bind = credentials[draft->mechanism->value].bind;
	/* The words of the table live as long as the program: nothing to copy. */
	draft->out.bind_mechanism = draft->out.bind == CONFIG_BIND_SASL ? draft->mechanism->word : NULL;
}

enum status config_bind_without_element(struct config_reading *reading, struct config_directory_draft *draft,
					unsigned line)
{
	enum status status;

	if (config_default_mechanism != NULL) {
		draft->mechanism = config_default_mechanism;
		use_mechanism(draft);
		return STATUS_OK;
	}
	status = config_fail(reading, STATUS_INVALID, line, "<directory> lacks the element <bind>");
	return error_hint(reading->error, status,
			  "write <bind mechanism=\"simple\" dn=\"cn=...\" password-file=\"bind.secret\"/>, or "
			  "mechanism=\"anonymous\" alone if the directory shows its groups to everybody");
}

static enum status close_bind(struct config_reading *reading, void *target, unsigned line)
{
	struct config_directory_draft *draft = target;
	enum status status = check_needs(reading, draft, line);

	if (status == STATUS_OK && draft->password_file != NULL)
		status = read_password(reading, draft, line);
	if (status == STATUS_OK)
		status = check_kerberos(reading, draft, line);
	if (status != STATUS_OK)
		return status;
	use_mechanism(draft);
	draft->out.has_bind_minssf = draft->minssf != CONFIG_MINSSF_NOT_SAID;
	draft->out.bind_minssf = draft->out.has_bind_minssf ? draft->minssf : 0;
	return STATUS_OK;
}

#define IN_DRAFT(member) offsetof(struct config_directory_draft, member)

static const struct config_attribute bind_attributes[] = {
    {.name = "mechanism", .required = true, .take = take_mechanism, .choices = config_mechanisms},
    {.name = "dn", .take = take_bind_dn, .offset = IN_DRAFT(out.bind_dn)},
    {.name = "user", .take = config_take_text, .offset = IN_DRAFT(out.bind_user)},
    {.name = "password-file", .take = config_take_path, .offset = IN_DRAFT(password_file)},
    {.name = "keytab", .take = take_kerberos_file, .offset = IN_DRAFT(out.bind_keytab)},
    {.name = "credential-cache", .take = take_kerberos_file, .offset = IN_DRAFT(out.bind_credential_cache)},
    {.name = "principal", .take = config_take_text, .offset = IN_DRAFT(out.bind_principal)},
    {.name = "minssf", .take = config_take_number32, .offset = IN_DRAFT(minssf), .maximum = CONFIG_MAX_SSF},
};

const struct config_element config_bind_element = {
    .name = "bind",
    .attributes = bind_attributes,
    .attribute_count = COUNT_OF(bind_attributes),
    .close = close_bind,
};
