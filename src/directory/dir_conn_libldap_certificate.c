/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_conn_libldap.h>

#include <base/ascii.h>
#include <base/memory.h>
#include <directory/dir_certificate.h>
#include <limits.h>
#include <os/clock.h>
#include <string.h>
#include <unistd.h>

#define HOST_BYTES 256

/* Now, as dir_certificate.h writes times: "2026-11-24T06:00:00.123Z" without what is no digit. */
static void write_now(char out[DIR_CERTIFICATE_TIME_BYTES])
{
	char stamp[CLOCK_STAMP_BYTES];
	size_t length = 0;
	size_t i;

	clock_wall_stamp(stamp);
	for (i = 0; stamp[i] != '\0' && length < DIR_CERTIFICATE_TIME_BYTES - 1; i++)
		if (ascii_is_digit(stamp[i]))
			out[length++] = stamp[i];
	out[length] = '\0';
}

/* The name that libldap compares: it puts the machine's own in the place of "localhost". */
static const char *compared_name(const char *host, char own[HOST_BYTES])
{
	if (!ascii_equal_nocase(host, "localhost") || gethostname(own, HOST_BYTES) != 0)
		return host;
	own[HOST_BYTES - 1] = '\0';
	return own;
}

static void put_words(const struct dir_conn *conn, const struct dir_certificate *certificate, const char *name,
		      struct error *error)
{
	const char *uri = conn->uri;
	char now[DIR_CERTIFICATE_TIME_BYTES];

	write_now(now);
	if (strcmp(certificate->not_after, now) < 0)
		(void)error_set(error, STATUS_UNREACHABLE, "the certificate of '%s' expired on %.4s-%.2s-%.2s", uri,
				certificate->not_after, certificate->not_after + 4, certificate->not_after + 6);
	else if (strcmp(certificate->not_before, now) > 0)
		(void)error_set(error, STATUS_UNREACHABLE, "the certificate of '%s' is not valid before %.4s-%.2s-%.2s",
				uri, certificate->not_before, certificate->not_before + 4, certificate->not_before + 6);
	else if (!certificate->has_host)
		(void)error_set(error, STATUS_UNREACHABLE,
				"the certificate of '%s' is for the names (%s), not for '%s'", uri, certificate->names,
				name);
	else
		(void)error_set(error, STATUS_UNREACHABLE,
				"the certificate of '%s' is not signed by an authority in '%s'%s", uri,
				dir_conn_ca_file(conn->directory),
				conn->directory->tls_crl_file != NULL ? ", or it is revoked" : "");
}

/* Look at the certificate on a connection of its own. Nothing is sent on it, and it ends here. */
static bool read_certificate(struct dir_conn *probe, const LDAPURLDesc *url, enum dir_security security,
			     uint64_t deadline_ms, const char *name, struct dir_certificate *out)
{
	struct berval der = {0};
	bool is_read = false;

	if (dir_conn_attach(probe, url, deadline_ms, NULL) != STATUS_OK ||
	    dir_conn_set_options(probe->ld, probe->directory, security, false, NULL) != STATUS_OK ||
	    dir_conn_secure(probe, security, deadline_ms, NULL) != STATUS_OK)
		return false;
	if (ldap_get_option(probe->ld, LDAP_OPT_X_TLS_PEERCERT, &der) == LDAP_OPT_SUCCESS && der.bv_val != NULL)
		is_read = dir_certificate_read(der.bv_val, der.bv_len, name, out);
	ber_memfree(der.bv_val);
	return is_read;
}

static struct dir_conn *new_probe(const struct dir_conn *conn)
{
	struct dir_conn *probe = memory_new(sizeof(*probe));

	if (probe == NULL)
		return NULL;
	dir_io_init(&probe->io);
	probe->directory = conn->directory;
	probe->uri = memory_copy_text(conn->uri);
	if (probe->uri == NULL)
		dir_conn_close(&probe);
	return probe;
}

void dir_conn_explain_certificate(struct dir_conn *conn, const LDAPURLDesc *url, enum dir_security security,
				  uint64_t deadline_ms, struct error *error)
{
	struct dir_conn *probe = new_probe(conn);
	struct dir_certificate certificate = {0};
	char own[HOST_BYTES];
	const char *name = compared_name(url->lud_host, own);

	if (probe != NULL && read_certificate(probe, url, security, deadline_ms, name, &certificate))
		put_words(conn, &certificate, name, error);
	dir_conn_close(&probe);
	(void)error_hint(error, STATUS_UNREACHABLE,
			 "the certificate's authority must be in '%s', the name '%s' in its subjectAltName, and today "
			 "between its dates%s",
			 dir_conn_ca_file(conn->directory), name,
			 name == own ? " (libldap looks for the machine's own name where the URI says localhost)" : "");
}
