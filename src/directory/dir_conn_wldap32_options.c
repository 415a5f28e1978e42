/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_conn_wldap32.h>

#include <directory/dir_code.h>
#include <directory/dir_waiver.h>

/* Until a send is given up by the library; turns have a guard beside it. */
#define SEND_TIMEOUT_S 10

/* One setter for each type that the library reads. The two kinds of options: those that the policy rests on, and those that make for a better connection. */

static enum status report(ULONG code, const char *name, struct error *error)
{
	enum status status;

	if (code == LDAP_SUCCESS || (code == LDAP_NOT_SUPPORTED && dir_waiver_is_given()))
		return STATUS_OK;
	status = error_set(error, STATUS_INVALID, "this system's wldap32 does not take the option %s: %s (0x%lx)", name,
			   dir_code_text((int)code), code);
	error_native(error, ERROR_ORIGIN_LDAP, (long)code);
	return error_hint(error, status, "the policy's security needs it, so nothing is sent to the directory");
}

static enum status need_flag(LDAP *ld, int option, bool value, const char *name, struct error *error)
{
	return report(ldap_set_optionW(ld, option, value ? LDAP_OPT_ON : LDAP_OPT_OFF), name, error);
}

static enum status need_number(LDAP *ld, int option, ULONG value, const char *name, struct error *error)
{
	return report(ldap_set_optionW(ld, option, &value), name, error);
}

static void want_flag(LDAP *ld, int option, bool value)
{
	(void)ldap_set_optionW(ld, option, value ? LDAP_OPT_ON : LDAP_OPT_OFF);
}

static void want_number(LDAP *ld, int option, ULONG value)
{
	(void)ldap_set_optionW(ld, option, &value);
}

static enum status set_protocol(LDAP *ld, struct error *error)
{
	enum status status;

	if ((status = need_number(ld, LDAP_OPT_PROTOCOL_VERSION, LDAP_VERSION3, "PROTOCOL_VERSION", error)) !=
		STATUS_OK ||
	    (status = need_flag(ld, LDAP_OPT_REFERRALS, false, "REFERRALS", error)) != STATUS_OK ||
	    (status = need_number(ld, LDAP_OPT_DEREF, LDAP_DEREF_NEVER, "DEREF", error)) != STATUS_OK ||
	    (status = need_number(ld, LDAP_OPT_SIZELIMIT, LDAP_NO_LIMIT, "SIZELIMIT", error)) != STATUS_OK)
		return status;
	return need_number(ld, LDAP_OPT_TIMELIMIT, LDAP_NO_LIMIT, "TIMELIMIT", error);
}

static void set_network(LDAP *ld)
{
	/* It would bind anew by itself, and lose what was asked. */
	want_flag(ld, LDAP_OPT_AUTO_RECONNECT, false);
	/* The host is a host: it is not looked for as a domain. */
	want_flag(ld, LDAP_OPT_AREC_EXCLUSIVE, true);
	want_number(ld, LDAP_OPT_SEND_TIMEOUT, SEND_TIMEOUT_S);
	want_flag(ld, LDAP_OPT_TCP_KEEPALIVE, true);
}

static enum status set_tls(struct dir_conn *conn, struct error *error)
{
	enum status status = STATUS_OK;
	ULONG code;

	if (conn->security == DIR_SECURITY_TLS)
		status = need_flag(conn->ld, LDAP_OPT_SSL, true, "SSL", error);
	if (status != STATUS_OK)
		return status;
	/* A function's address, which C does not let pass as a pointer to data. */
	const union {
		BOOLEAN(LDAPAPI *function)(PLDAP ld, PCCERT_CONTEXT certificate);
		const void *data;
	} verify = {.function = dir_conn_verify};
	code = ldap_set_optionW(conn->ld, LDAP_OPT_SERVER_CERTIFICATE, verify.data);
	return report(code, "SERVER_CERTIFICATE", error);
}

/* Without TLS the mechanism itself has to sign and seal. */
static enum status set_layer(struct dir_conn *conn, struct error *error)
{
	enum status status;

	if (conn->credential.kind != CONFIG_BIND_SASL)
		return STATUS_OK; /* clear text was asked for in words */
	if ((status = need_flag(conn->ld, LDAP_OPT_SIGN, true, "SIGN", error)) != STATUS_OK)
		return status;
	return need_flag(conn->ld, LDAP_OPT_ENCRYPT, true, "ENCRYPT", error);
}

enum status dir_conn_set_options(struct dir_conn *conn, struct error *error)
{
	const enum status status = set_protocol(conn->ld, error);

	if (status != STATUS_OK)
		return status;
	set_network(conn->ld);
	return conn->security == DIR_SECURITY_CLEAR ? set_layer(conn, error) : set_tls(conn, error);
}
