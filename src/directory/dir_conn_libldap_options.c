/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_conn_libldap.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

/* Only the library's own calls that wait would use these; ours never do. */
#define LIBRARY_TIMEOUT_S 3

/*
 * The longest packet of a security layer that we take, which is liblber's limit. GSSAPI tells the server (RFC 4752 3.1); GSS-SPNEGO
 * tells nobody anything, and its servers send an answer of whatever length as one packet.
 */
#define SASL_PACKET_MAX_BYTES 0xffffff

/* Where the distributions keep the certificates of the public authorities. */
static const char *const system_ca_files[] = {
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
};

/* One setter for each type that the library reads; each says which option failed. */

static enum status report(int result, const char *name, struct error *error)
{
	if (result == LDAP_OPT_SUCCESS)
		return STATUS_OK;
	return error_set(error, STATUS_INVALID, "libldap does not take the option %s", name);
}

static enum status set_flag(LDAP *ld, int option, bool value, const char *name, struct error *error)
{
	return report(ldap_set_option(ld, option, value ? LDAP_OPT_ON : LDAP_OPT_OFF), name, error);
}

static enum status set_int(LDAP *ld, int option, int value, const char *name, struct error *error)
{
	return report(ldap_set_option(ld, option, &value), name, error);
}

static enum status set_seconds(LDAP *ld, int option, int value_s, const char *name, struct error *error)
{
	const struct timeval value = {.tv_sec = value_s};

	return report(ldap_set_option(ld, option, &value), name, error);
}

/* NULL takes the option's value away; only for options of TLS. */
static enum status set_text(LDAP *ld, int option, const char *value, const char *name, struct error *error)
{
	return report(ldap_set_option(ld, option, value), name, error);
}

static enum status clear_controls(LDAP *ld, int option, const char *name, struct error *error)
{
	return report(ldap_set_option(ld, option, NULL), name, error);
}

static enum status set_protocol(LDAP *ld, struct error *error)
{
	enum status status;

	if ((status = set_int(ld, LDAP_OPT_PROTOCOL_VERSION, LDAP_VERSION3, "PROTOCOL_VERSION", error)) != STATUS_OK ||
	    (status = set_flag(ld, LDAP_OPT_REFERRALS, false, "REFERRALS", error)) != STATUS_OK ||
	    (status = set_int(ld, LDAP_OPT_DEREF, LDAP_DEREF_NEVER, "DEREF", error)) != STATUS_OK ||
	    (status = set_int(ld, LDAP_OPT_SIZELIMIT, LDAP_NO_LIMIT, "SIZELIMIT", error)) != STATUS_OK ||
	    (status = set_int(ld, LDAP_OPT_TIMELIMIT, LDAP_NO_LIMIT, "TIMELIMIT", error)) != STATUS_OK ||
	    (status = clear_controls(ld, LDAP_OPT_SERVER_CONTROLS, "SERVER_CONTROLS", error)) != STATUS_OK ||
	    (status = clear_controls(ld, LDAP_OPT_CLIENT_CONTROLS, "CLIENT_CONTROLS", error)) != STATUS_OK)
		return status;
	/* Not NULL: libldap 2.5 copies its own default then, and fails when it has none. */
	return set_text(ld, LDAP_OPT_DEFBASE, "", "DEFBASE", error);
}

static enum status set_network(LDAP *ld, struct error *error)
{
	enum status status;

	if ((status = set_flag(ld, LDAP_OPT_RESTART, true, "RESTART", error)) != STATUS_OK ||
	    (status = set_seconds(ld, LDAP_OPT_NETWORK_TIMEOUT, LIBRARY_TIMEOUT_S, "NETWORK_TIMEOUT", error)) !=
		STATUS_OK ||
	    (status = set_seconds(ld, LDAP_OPT_TIMEOUT, LIBRARY_TIMEOUT_S, "TIMEOUT", error)) != STATUS_OK ||
	    /* Without it the handshake of libldap 2.5 spins where a wait would be. */
	    (status = set_flag(ld, LDAP_OPT_CONNECT_ASYNC, true, "CONNECT_ASYNC", error)) != STATUS_OK)
		return status;
	return set_flag(ld, LDAP_OPT_KEEPCONN, true, "KEEPCONN", error);
}

unsigned dir_conn_least_ssf(const struct config_directory *directory)
{
	return directory->has_bind_minssf ? directory->bind_minssf : CONFIG_LEAST_SSF;
}

static enum status set_sasl(LDAP *ld, const struct config_directory *directory, enum dir_security security,
			    struct error *error)
{
	const bool is_clear = security == DIR_SECURITY_CLEAR;
	const bool is_kerberos = dir_tickets_are_wanted(directory);
	char properties[128];
	enum status status;

	/*
	 * Inside TLS no second layer (AD refuses one). On a clear connection Kerberos has to bring its own;
	 * the other mechanisms have none to bring, and clear text was asked for in words.
	 */
	(void)snprintf(properties, sizeof(properties), "noanonymous,noplain,minssf=%u,maxssf=%d,maxbufsize=%d",
		       is_clear && is_kerberos ? dir_conn_least_ssf(directory) : 0, is_clear ? CONFIG_MAX_SSF : 0,
		       SASL_PACKET_MAX_BYTES);
	if ((status = set_text(ld, LDAP_OPT_X_SASL_SECPROPS, properties, "SASL_SECPROPS", error)) != STATUS_OK ||
	    (status = set_flag(ld, LDAP_OPT_X_SASL_NOCANON, true, "SASL_NOCANON", error)) != STATUS_OK)
		return status;
	/*
	 * A ticket that is good inside this TLS alone (RFC 5929 4): nobody who ends TLS on the way can pass it on. AD can be told
	 * to insist on it (LdapEnforceChannelBinding), for Kerberos, not for passwords.
	 */
	return set_int(ld, LDAP_OPT_X_SASL_CBINDING,
		       is_kerberos && !is_clear ? LDAP_OPT_X_SASL_CBINDING_TLS_ENDPOINT : LDAP_OPT_X_SASL_CBINDING_NONE,
		       "SASL_CBINDING", error);
}

static bool uses_gnutls(LDAP *ld)
{
	char *package = NULL;
	bool is_gnutls;

	if (ldap_get_option(ld, LDAP_OPT_X_TLS_PACKAGE, &package) != LDAP_OPT_SUCCESS || package == NULL)
		return false;
	is_gnutls = strcmp(package, "GnuTLS") == 0;
	ldap_memfree(package);
	return is_gnutls;
}

/*
 * For OpenSSL; GnuTLS's half of libldap 2.5 takes PROTOCOL_MIN and does nothing with it (tls_g.c). A priority
 * string in CIPHER_SUITE would do, but leaks 8 KB a connection there. So what was agreed on is looked at
 * after the handshake (check_version in dir_conn_libldap.c), before anything is sent.
 */
static enum status set_versions(LDAP *ld, int minimum, struct error *error)
{
	enum status status;

	status = set_int(ld, LDAP_OPT_X_TLS_PROTOCOL_MIN,
			 minimum >= 13 ? LDAP_OPT_X_TLS_PROTOCOL_TLS1_3 : LDAP_OPT_X_TLS_PROTOCOL_TLS1_2,
			 "TLS_PROTOCOL_MIN", error);
	if (status != STATUS_OK)
		return status;
	return set_text(ld, LDAP_OPT_X_TLS_CIPHER_SUITE, NULL, "TLS_CIPHER_SUITE", error);
}

static enum status check_readable(const char *path, const char *what, struct error *error)
{
	if (access(path, R_OK) == 0)
		return STATUS_OK;
	return error_system(error, STATUS_INVALID, errno, "could not read the %s '%s'", what, path);
}

static enum status set_revocation_list(LDAP *ld, const char *path, struct error *error)
{
	enum status status;

	if (path == NULL)
		return uses_gnutls(ld) ? set_text(ld, LDAP_OPT_X_TLS_CRLFILE, NULL, "TLS_CRLFILE", error) : STATUS_OK;
	if (!uses_gnutls(ld)) {
		/* Others take the option and look at no list: a revoked certificate would pass. */
		(void)error_set(error, STATUS_INVALID, "this system's libldap checks no revocation list: '%s'", path);
		return error_hint(error, STATUS_INVALID,
				  "take tls/@crl-file out of the policy, or use a libldap "
				  "that is built with GnuTLS");
	}
	if ((status = check_readable(path, "revocation list", error)) != STATUS_OK)
		return status;
	return set_text(ld, LDAP_OPT_X_TLS_CRLFILE, path, "TLS_CRLFILE", error);
}

const char *dir_conn_ca_file(const struct config_directory *directory)
{
	size_t i;

	if (directory->tls_ca_file != NULL)
		return directory->tls_ca_file;
	for (i = 0; i < COUNT_OF(system_ca_files); i++)
		if (access(system_ca_files[i], R_OK) == 0)
			return system_ca_files[i];
	return system_ca_files[0];
}

static enum status set_trust(LDAP *ld, const struct config_directory *directory, bool verify, struct error *error)
{
	const char *ca_file = dir_conn_ca_file(directory);
	enum status status;

	if ((status = check_readable(ca_file, "CA file", error)) != STATUS_OK)
		return status;
	if ((status = set_int(ld, LDAP_OPT_X_TLS_REQUIRE_CERT, verify ? LDAP_OPT_X_TLS_DEMAND : LDAP_OPT_X_TLS_NEVER,
			      "TLS_REQUIRE_CERT", error)) != STATUS_OK ||
	    (status = set_int(ld, LDAP_OPT_X_TLS_REQUIRE_SAN, LDAP_OPT_X_TLS_ALLOW, "TLS_REQUIRE_SAN", error)) !=
		STATUS_OK ||
	    (status = set_text(ld, LDAP_OPT_X_TLS_CACERTFILE, ca_file, "TLS_CACERTFILE", error)) != STATUS_OK ||
	    (status = set_text(ld, LDAP_OPT_X_TLS_CACERTDIR, NULL, "TLS_CACERTDIR", error)) != STATUS_OK ||
	    (status = set_text(ld, LDAP_OPT_X_TLS_CERTFILE, NULL, "TLS_CERTFILE", error)) != STATUS_OK ||
	    (status = set_text(ld, LDAP_OPT_X_TLS_KEYFILE, NULL, "TLS_KEYFILE", error)) != STATUS_OK)
		return status;
	/* A pinned key of somebody's ldaprc could only refuse more; a library without pinning does not take this. */
	(void)ldap_set_option(ld, LDAP_OPT_X_TLS_PEERKEY_HASH, NULL);
	return set_revocation_list(ld, directory->tls_crl_file, error);
}

static enum status set_tls(LDAP *ld, const struct config_directory *directory, bool verify, struct error *error)
{
	enum status status;

	if ((status = set_trust(ld, directory, verify, error)) != STATUS_OK ||
	    (status = set_versions(ld, directory->tls_minimum, error)) != STATUS_OK)
		return status;
	/* Last: it reads the files that the others named. */
	status = set_int(ld, LDAP_OPT_X_TLS_NEWCTX, 0, "TLS_NEWCTX", error);
	if (status == STATUS_OK)
		return STATUS_OK;
	(void)error_set(error, status, "could not use the CA file '%s'%s%s%s", dir_conn_ca_file(directory),
			directory->tls_crl_file != NULL ? " or the revocation list '" : "",
			directory->tls_crl_file != NULL ? directory->tls_crl_file : "",
			directory->tls_crl_file != NULL ? "'" : "");
	return error_hint(error, status, "both must be in PEM form");
}

enum status dir_conn_set_options(LDAP *ld, const struct config_directory *directory, enum dir_security security,
				 bool verify, struct error *error)
{
	enum status status;

	if ((status = set_protocol(ld, error)) != STATUS_OK || (status = set_network(ld, error)) != STATUS_OK ||
	    (status = set_sasl(ld, directory, security, error)) != STATUS_OK)
		return status;
	return security == DIR_SECURITY_CLEAR ? STATUS_OK : set_tls(ld, directory, verify, error);
}
