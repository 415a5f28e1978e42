/* SPDX-License-Identifier: Apache-2.0 */
#include <bench/revocation_write.h>
#include <fcntl.h>
#include <ldap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DN_BYTES   512
#define PATH_BYTES 4096
#define MAX_PAIRS  4
#define FILE_BYTES ((size_t)256 * 1024)

struct writer {
	LDAP *ld;
	const char *suffix;
	bool is_ad;
	char person[DN_BYTES], group[DN_BYTES];
};

static void insist(int code, const char *what, const char *on)
{
	if (code == LDAP_SUCCESS)
		return;
	(void)fprintf(stderr, "revocation: %s '%s': %s\n", what, on, ldap_err2string(code));
	exit(1);
}

struct writer *writer_open(const char *uri, const char *dn, const char *password, const char *suffix, bool is_ad)
{
	struct writer *writer = calloc(1, sizeof(*writer));
	int version = LDAP_VERSION3;
	struct berval secret;

	if (writer == NULL)
		abort();
	writer->suffix = suffix;
	writer->is_ad = is_ad;
	secret.bv_val = strdup(password);
	secret.bv_len = strlen(password);
	insist(ldap_initialize(&writer->ld, uri), "could not use", uri);
	insist(ldap_set_option(writer->ld, LDAP_OPT_PROTOCOL_VERSION, &version), "could not use", uri);
	insist(ldap_sasl_bind_s(writer->ld, dn, LDAP_SASL_SIMPLE, &secret, NULL, NULL, NULL), "could not bind as", dn);
	free(secret.bv_val);
	return writer;
}

void writer_close(struct writer *writer)
{
	(void)ldap_unbind_ext_s(writer->ld, NULL, NULL);
	free(writer);
}

const char *writer_person(struct writer *writer, const char *name)
{
	(void)snprintf(writer->person, sizeof(writer->person), "%s=%s,ou=people,%s", writer->is_ad ? "cn" : "uid", name,
		       writer->suffix);
	return writer->person;
}

const char *writer_group(struct writer *writer, const char *name)
{
	(void)snprintf(writer->group, sizeof(writer->group), "cn=%s,ou=groups,%s", name, writer->suffix);
	return writer->group;
}

/* libldap takes strings that it does not change without const. */
static char *plain(const char *text)
{
	char *copy = strdup(text);

	if (copy == NULL)
		abort();
	return copy;
}

static void modify(struct writer *writer, const char *dn, int operation, const char *attribute, const char *value)
{
	char *values[] = {plain(value), NULL};
	LDAPMod change = {.mod_op = operation, .mod_type = plain(attribute)};
	LDAPMod *changes[] = {&change, NULL};

	change.mod_values = values;
	insist(ldap_modify_ext_s(writer->ld, dn, changes, NULL, NULL), "could not change", dn);
	free(change.mod_type);
	free(values[0]);
}

void writer_value(struct writer *writer, const char *dn, const char *attribute, const char *value, bool is_added)
{
	modify(writer, dn, is_added ? LDAP_MOD_ADD : LDAP_MOD_DELETE, attribute, value);
}

void writer_disable(struct writer *writer, const char *person, bool is_disabled)
{
	if (writer->is_ad)
		modify(writer, person, LDAP_MOD_REPLACE, "userAccountControl", is_disabled ? "514" : "512");
	else
		writer_value(writer, person, "shadowExpire", "1", is_disabled);
}

/* Of different attributes. */
static void make(struct writer *writer, const char *dn, const char *const (*pairs)[2], size_t count)
{
	char *values[MAX_PAIRS][2] = {{NULL}};
	LDAPMod attributes[MAX_PAIRS], *changes[MAX_PAIRS + 1] = {NULL};

	for (size_t i = 0; i < count; i++) {
		values[i][0] = plain(pairs[i][1]);
		attributes[i] = (LDAPMod){.mod_op = LDAP_MOD_ADD, .mod_type = plain(pairs[i][0])};
		attributes[i].mod_values = values[i];
		changes[i] = &attributes[i];
	}
	insist(ldap_add_ext_s(writer->ld, dn, changes, NULL, NULL), "could not add", dn);
	for (size_t i = 0; i < count; i++) {
		free(attributes[i].mod_type);
		free(values[i][0]);
	}
}

void writer_make_person(struct writer *writer, const char *dn, const char *name)
{
	const char *const ours[][2] = {{"objectClass", "inetOrgPerson"}, {"uid", name}, {"cn", name}, {"sn", name}};
	const char *const ad[][2] = {
	    {"objectClass", "user"}, {"sAMAccountName", name}, {"userAccountControl", "512"}, {"pwdLastSet", "-1"}};

	if (writer->is_ad)
		make(writer, dn, ad, COUNT_OF(ad));
	else
		make(writer, dn, ours, COUNT_OF(ours));
}

void writer_make_group(struct writer *writer, const char *dn, const char *name, const char *member)
{
	char account[DN_BYTES];
	const char *const ours[][2] = {{"objectClass", "groupOfNames"}, {"cn", name}, {"member", member}};
	const char *const ad[][2] = {{"objectClass", "group"}, {"sAMAccountName", account}, {"member", member}};

	/* Users and groups of a domain share its account names. */
	(void)snprintf(account, sizeof(account), "%s-of", name);
	if (writer->is_ad)
		make(writer, dn, ad, COUNT_OF(ad));
	else
		make(writer, dn, ours, COUNT_OF(ours));
}

bool writer_deletes_links(const struct writer *writer)
{
	return writer->is_ad;
}

void writer_delete(struct writer *writer, const char *dn)
{
	insist(ldap_delete_ext_s(writer->ld, dn, NULL, NULL), "could not delete", dn);
}

static void fail_on_file(const char *path)
{
	perror(path);
	exit(1);
}

void writer_replace_file(const char *path, const char *from)
{
	static char content[FILE_BYTES];
	char next[PATH_BYTES];
	int source = open(from, O_RDONLY | O_CLOEXEC), target;
	ssize_t length;

	(void)snprintf(next, sizeof(next), "%s.next", path);
	target = open(next, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR);
	if (source < 0 || target < 0)
		fail_on_file(source < 0 ? from : next);
	length = read(source, content, sizeof(content));
	if (length < 0 || write(target, content, (size_t)length) != length)
		fail_on_file(next);
	(void)close(source);
	(void)close(target);
	if (rename(next, path) != 0)
		fail_on_file(path);
}
