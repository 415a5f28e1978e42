/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_conn_wldap32.h>

#include <base/ascii.h>
#include <base/memory.h>
#include <directory/dir_bind_trouble.h>
#include <directory/dir_code.h>
#include <directory/dir_waiver.h>
#include <os/secret.h>
#include <string.h>

static const char bind_failed[] = "could not bind to";

/* What the library can: the others are for other systems. */
static enum status check_mechanism(const struct config_directory *directory, struct error *error)
{
	const char *mechanism = directory->bind_mechanism;

	if (directory->bind != CONFIG_BIND_SASL || (mechanism != NULL && ascii_equal_nocase(mechanism, "negotiate")))
		return STATUS_OK;
	(void)error_set(error, STATUS_INVALID, "the library of this system cannot bind by the mechanism '%s'",
			mechanism != NULL ? mechanism : "");
	return error_hint(error, STATUS_INVALID,
			  "write mechanism=\"negotiate\" in <bind>, for the service's own identity, or \"simple\"");
}

/* RFC 4513 5.1.2: a server may take a name with an empty password for an anonymous bind, and say yes. */
static enum status check_password(const struct config_directory *directory, struct error *error)
{
	const struct secret *secret = directory->bind_secret;

	if (directory->bind_dn == NULL || *directory->bind_dn == '\0' || secret == NULL || secret_length(secret) == 0)
		return error_set(error, STATUS_INVALID, "a simple bind needs a DN and a password");
	/* The library takes UTF-16, ended by a NUL. */
	if (strlen(secret_bytes(secret)) != secret_length(secret))
		return error_set(error, STATUS_INVALID, "the password has a NUL in it");
	return STATUS_OK;
}

static enum status copy_password(struct dir_conn_credential *credential, const struct config_directory *directory,
				 struct error *error)
{
	enum status status = check_password(directory, error);

	if (status != STATUS_OK)
		return status;
	credential->shown_dn = memory_copy_text(directory->bind_dn);
	status = credential->shown_dn == NULL ? STATUS_NO_MEMORY : dir_conn_widen(directory->bind_dn, &credential->dn);
	/* The secret goes to the directory that the policy names. */
	if (status == STATUS_OK)
		status = dir_conn_widen(secret_bytes(directory->bind_secret), &credential->password);
	if (status == STATUS_NO_MEMORY)
		return error_no_memory(error);
	return status == STATUS_OK ? STATUS_OK
				   : error_set(error, STATUS_INVALID, "the DN or the password in <bind> is not UTF-8");
}

enum status dir_conn_credential_init(struct dir_conn_credential *credential, const struct config_directory *directory,
				     struct error *error)
{
	const enum status status = check_mechanism(directory, error);

	credential->kind = directory->bind;
	if (status != STATUS_OK || directory->bind != CONFIG_BIND_SIMPLE)
		return status;
	return copy_password(credential, directory, error);
}

void dir_conn_credential_done(struct dir_conn_credential *credential)
{
	if (credential->password != NULL)
		memory_wipe(credential->password, wcslen(credential->password) * sizeof(WCHAR));
	memory_free(credential->password);
	memory_free(credential->dn);
	memory_free(credential->shown_dn);
	*credential = (struct dir_conn_credential){.kind = CONFIG_BIND_NONE};
}

static enum status refuse_hint(const struct dir_conn *conn, ULONG code, enum status status, struct error *error)
{
	/* RFC 4513 6.3.1, 6.4: nothing is wrong with the credentials. */
	if (code == LDAP_CONFIDENTIALITY_REQUIRED || code == LDAP_STRONG_AUTH_REQUIRED)
		return error_hint(error, status, "the server wants more than this TLS, or another bind/@mechanism");
	if (status == STATUS_REFUSED && conn->credential.kind == CONFIG_BIND_SIMPLE)
		return error_hint(error, status, "check dn=\"%s\" and its password file in <bind>",
				  conn->credential.shown_dn);
	if (status == STATUS_REFUSED && conn->credential.kind == CONFIG_BIND_SASL)
		return error_hint(
		    error, status,
		    "the service binds by its own identity: the computer's account, where it runs as NETWORK "
		    "SERVICE or as an application pool; see that the machine is in the domain");
	return status;
}

/* `code` is where the bind ended: RFC 4511 4.2.2, or a code of the library. */
static enum status conclude(struct dir_conn *conn, ULONG code, const char *text, struct error *error)
{
	const struct dir_bind_symptoms symptoms = {.is_kerberos = conn->credential.kind == CONFIG_BIND_SASL,
						   .is_tls = conn->is_tls,
						   .ldap = (int)code,
						   .text = text};
	enum dir_bind_trouble trouble;
	enum status status;

	if (code == LDAP_SUCCESS)
		return STATUS_OK;
	trouble = dir_bind_trouble_of(&symptoms);
	status = dir_conn_failure(conn, code, text, bind_failed, error);
	if (trouble == DIR_BIND_TROUBLE_UNKNOWN)
		return refuse_hint(conn, code, status, error);
	/* What is to blame comes first: the server's own words are long, and no administrator's. */
	(void)error_set(error, status, "%s '%s': %s [%s (%lu)%s%s]", bind_failed, conn->uri,
			dir_bind_trouble_text(trouble), dir_code_text((int)code), code, text != NULL ? ": " : "",
			text != NULL ? text : "");
	error_native(error, ERROR_ORIGIN_LDAP, (long)code);
	return error_hint(error, status, "%s", dir_bind_trouble_hint(trouble));
}

static enum status take_answer(struct dir_conn *conn, LDAPMessage *message, struct error *error)
{
	WCHAR *wide = NULL;
	char *text = NULL;
	ULONG code = LDAP_OTHER;
	const ULONG parsed = ldap_parse_resultW(conn->ld, message, &code, NULL, &wide, NULL, NULL, FALSE);
	enum status status;

	if (parsed != LDAP_SUCCESS) {
		(void)dir_conn_failure(conn, parsed, NULL, bind_failed, error);
		return STATUS_UNREACHABLE;
	}
	if (wide != NULL) {
		/* Without its words a code has to do. */
		(void)!dir_conn_narrow(wide, &text);
		ldap_memfreeW(wide);
	}
	status = conclude(conn, code, text != NULL && *text != '\0' ? text : NULL, error);
	memory_free(text);
	return status;
}

static enum status bind_simple(struct dir_conn *conn, WCHAR *dn, WCHAR *password, struct error *error)
{
	const ULONG message_id = ldap_simple_bindW(conn->ld, dn, password);
	LDAPMessage *message = NULL;
	enum status status;
	ULONG type;

	dir_conn_note_socket(conn);
	if (message_id == (ULONG)-1)
		return conclude(conn, conn->ld->ld_errno != LDAP_SUCCESS ? conn->ld->ld_errno : (ULONG)LDAP_SERVER_DOWN,
				NULL, error);
	type = dir_conn_take(conn, message_id, conn->deadline_ms, &message);
	if (type == DIR_CONN_NOTHING)
		return error_set(error, STATUS_TIMEOUT, "%s '%s': no answer in time", bind_failed, conn->uri);
	if (type != LDAP_RES_BIND) {
		(void)ldap_msgfree(message);
		return conclude(conn, LDAP_SERVER_DOWN, NULL, error);
	}
	status = take_answer(conn, message, error);
	(void)ldap_msgfree(message);
	return status;
}

/* By the credentials of the process; no caller's, for no thread of ours impersonates anybody. */
static enum status bind_negotiate(struct dir_conn *conn, struct error *error)
{
	const ULONG code = ldap_bind_sW(conn->ld, NULL, dir_waiver_identity(), LDAP_AUTH_NEGOTIATE);
	WCHAR *wide = NULL;
	char *text = NULL;
	enum status status;

	dir_conn_note_socket(conn);
	if (code != LDAP_SUCCESS && ldap_get_optionW(conn->ld, LDAP_OPT_SERVER_ERROR, &wide) == LDAP_SUCCESS &&
	    wide != NULL) {
		(void)!dir_conn_narrow(wide, &text);
		ldap_memfreeW(wide);
	}
	status = conclude(conn, code, text != NULL && *text != '\0' ? text : NULL, error);
	memory_free(text);
	return status;
}

enum status dir_conn_bind(struct dir_conn *conn, struct error *error)
{
	/* Credentials wait for the TLS that they were promised. */
	if (conn->security != DIR_SECURITY_CLEAR && !conn->is_tls)
		return error_set(error, STATUS_INTERNAL, "the connection to '%s' is not secured", conn->uri);
	switch (conn->credential.kind) {
	case CONFIG_BIND_SIMPLE:
		return bind_simple(conn, conn->credential.dn, conn->credential.password, error);
	case CONFIG_BIND_ANONYMOUS:
		return bind_simple(conn, NULL, NULL, error);
	case CONFIG_BIND_SASL:
		return bind_negotiate(conn, error);
	case CONFIG_BIND_NONE:
		break;
	}
	return error_set(error, STATUS_INVALID, "the policy does not say how to bind to '%s'", conn->uri);
}
