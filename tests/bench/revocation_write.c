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
#define FILE_BYTES ((size_t)256 * 1024)

struct writer {
	LDAP *ld;
	const char *suffix;
	char person[DN_BYTES], group[DN_BYTES];
};

static void insist(int code, const char *what, const char *on)
{
	if (code == LDAP_SUCCESS)
		return;
	(void)fprintf(stderr, "revocation: %s '%s': %s\n", what, on, ldap_err2string(code));
	exit(1);
}

struct writer *writer_open(const char *uri, const char *dn, const char *password, const char *suffix)
{
	struct writer *writer = calloc(1, sizeof(*writer));
	int version = LDAP_VERSION3;
	struct berval secret;

	if (writer == NULL)
		abort();
	writer->suffix = suffix;
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
	(void)snprintf(writer->person, sizeof(writer->person), "uid=%s,ou=people,%s", name, writer->suffix);
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

void writer_value(struct writer *writer, const char *dn, const char *attribute, const char *value, bool is_added)
{
	char *values[] = {plain(value), NULL};
	LDAPMod change = {.mod_op = is_added ? LDAP_MOD_ADD : LDAP_MOD_DELETE, .mod_type = plain(attribute)};
	LDAPMod *changes[] = {&change, NULL};

	change.mod_values = values;
	insist(ldap_modify_ext_s(writer->ld, dn, changes, NULL, NULL), "could not change", dn);
	free(change.mod_type);
	free(values[0]);
}

void writer_make_group(struct writer *writer, const char *dn, const char *name, const char *member)
{
	const char *const pairs[][2] = {{"objectClass", "groupOfNames"}, {"cn", name}, {"member", member}};
	char *values[COUNT_OF(pairs)][2] = {{NULL}};
	LDAPMod attributes[COUNT_OF(pairs)], *changes[COUNT_OF(pairs) + 1] = {NULL};

	for (size_t i = 0; i < COUNT_OF(pairs); i++) {
		values[i][0] = plain(pairs[i][1]);
		attributes[i] = (LDAPMod){.mod_op = LDAP_MOD_ADD, .mod_type = plain(pairs[i][0])};
		attributes[i].mod_values = values[i];
		changes[i] = &attributes[i];
	}
	insist(ldap_add_ext_s(writer->ld, dn, changes, NULL, NULL), "could not add", dn);
	for (size_t i = 0; i < COUNT_OF(pairs); i++) {
		free(attributes[i].mod_type);
		free(values[i][0]);
	}
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
