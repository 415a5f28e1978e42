/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_conn_libldap.h>

#include <directory/dir_bind_trouble.h>
#include <directory/dir_code.h>
#include <os/clock.h>
#include <os/secret.h>
#include <sasl/sasl.h>
#include <string.h>

static const char bind_failed[] = "could not bind to";

static enum status refuse_hint(const struct dir_conn *conn, int code, enum status status, struct error *error)
{
	const struct config_directory *directory = conn->directory;

	/* RFC 4513 6.3.1, 6.4: nothing is wrong with the credentials. */
	if (code == LDAP_CONFIDENTIALITY_REQUIRED || code == LDAP_STRONG_AUTH_REQUIRED)
		return error_hint(error, status, "the server wants more than this TLS, or another bind/@mechanism");
	if (status == STATUS_REFUSED && directory->bind == CONFIG_BIND_SIMPLE)
		return error_hint(error, status, "check dn=\"%s\" and its password file in <bind>", directory->bind_dn);
	if (status == STATUS_REFUSED && directory->bind == CONFIG_BIND_SASL)
		return error_hint(error, status, "check mechanism=\"%s\" and its credentials in <bind>",
				  directory->bind_mechanism);
	return status;
}

/* `code` is where the bind ended: RFC 4511 4.2.2, or a code of the library. */
static enum status conclude(struct dir_conn *conn, int code, struct error *error)
{
	struct dir_bind_symptoms symptoms = {
	    .is_kerberos = dir_tickets_are_wanted(conn->directory), .is_tls = conn->is_tls, .ldap = code};
	enum dir_bind_trouble trouble;
	enum status status;
	char *text = NULL;

	if (code == LDAP_SUCCESS)
		return STATUS_OK;
	text = dir_conn_diagnostic(conn->ld);
	symptoms.text = text;
	trouble = dir_bind_trouble_of(&symptoms);
	status = dir_conn_failure(conn, code, bind_failed, error);
	if (trouble == DIR_BIND_TROUBLE_UNKNOWN) {
		ldap_memfree(text);
		return refuse_hint(conn, code, status, error);
	}
	/* What is to blame comes first: the server's own words are long, and no administrator's. */
	(void)error_set(error, status, "%s '%s': %s [%s (%d)%s%s]", bind_failed, conn->uri,
			dir_bind_trouble_text(trouble), dir_code_text(code), code, text != NULL ? ": " : "",
			text != NULL ? text : "");
	error_native(error, ERROR_ORIGIN_LDAP, code);
	ldap_memfree(text);
	return error_hint(error, status, "%s", dir_bind_trouble_hint(trouble));
}

static enum status bind_simple(struct dir_conn *conn, const char *dn, const char *password, size_t length,
			       uint64_t deadline_ms, struct error *error)
{
	struct berval credential = {.bv_val = dir_conn_unconst(password), .bv_len = length};
	LDAPMessage *answer = NULL;
	enum status status;
	int message_id = 0;
	int code;

	code = ldap_sasl_bind(conn->ld, dn, LDAP_SASL_SIMPLE, &credential, NULL, NULL, &message_id);
	if (code != LDAP_SUCCESS)
		return conclude(conn, code, error);
	if ((status = dir_conn_await(conn, message_id, deadline_ms, bind_failed, &answer, error)) != STATUS_OK)
		return status;
	status = dir_conn_result(conn, answer, bind_failed, &code, error);
	(void)ldap_msgfree(answer);
	return status == STATUS_OK ? conclude(conn, code, error) : status;
}

/* RFC 4513 5.1.2: a server may take a name with an empty password for an anonymous bind, and say yes. */
static enum status bind_by_password(struct dir_conn *conn, uint64_t deadline_ms, struct error *error)
{
	const struct config_directory *directory = conn->directory;
	const char *password;
	size_t length;

	if (directory->bind_dn == NULL || *directory->bind_dn == '\0' || directory->bind_secret == NULL ||
	    secret_length(directory->bind_secret) == 0)
		return error_set(error, STATUS_INVALID, "a simple bind needs a DN and a password");
	/* The secret goes to the directory that the policy names. */
	password = secret_bytes(directory->bind_secret);
	length = secret_length(directory->bind_secret);
	return bind_simple(conn, directory->bind_dn, password, length, deadline_ms, error);
}

static void give(sasl_interact_t *question, const char *data, size_t length)
{
	question->result = data;
	question->len = (unsigned)length;
}

/*
 * The credential goes to the mechanism by the handle of its library, which libldap makes only within the bind
 * (sasl.c: ldap_int_sasl_bind) and lets us reach from here alone. Kerberos mechanisms ask for the authorization identity before
 * they look for credentials (cyrus-sasl, gssapi.c).
 */
static void give_credential(struct dir_conn *conn)
{
	void *credential = conn->tickets != NULL ? dir_tickets_credential(conn->tickets) : NULL;

	if (credential != NULL)
		conn->has_given_credential =
		    ldap_set_option(conn->ld, LDAP_OPT_X_SASL_GSS_CREDS, credential) == LDAP_OPT_SUCCESS;
}

/* LDAP_SASL_INTERACT_PROC: what the mechanism asks for. What it is told must live until the bind is over. */
static int interact(LDAP *ld, unsigned flags, void *context, void *questions)
{
	struct dir_conn *conn = context;
	const struct config_directory *directory = conn->directory;
	sasl_interact_t *question;

	(void)ld;
	(void)flags;
	give_credential(conn);
	for (question = questions; question->id != SASL_CB_LIST_END; question++) {
		give(question, "", 0);
		if (question->id == SASL_CB_AUTHNAME && directory->bind_user != NULL)
			give(question, directory->bind_user, strlen(directory->bind_user));
		/* The secret goes to the mechanism that the policy names, which does not send it in clear (noplain). */
		if (question->id == SASL_CB_PASS && directory->bind_secret != NULL)
			give(question, secret_bytes(directory->bind_secret), secret_length(directory->bind_secret));
	}
	return LDAP_SUCCESS;
}

/* Do not take a library's word for who we were, and for what it put around the connection. */
static enum status check_kerberos(struct dir_conn *conn, struct error *error)
{
	const unsigned least = dir_conn_least_ssf(conn->directory);
	ber_len_t ssf = 0;

	if (dir_tickets_credential(conn->tickets) != NULL && !conn->has_given_credential)
		return error_set(error, STATUS_INTERNAL, "%s '%s': the SASL library did not take our credential",
				 bind_failed, conn->uri);
	if (conn->is_tls)
		return STATUS_OK;
	/* Where there is no layer, there is no such option. */
	if (ldap_get_option(conn->ld, LDAP_OPT_X_SASL_SSF, &ssf) != LDAP_OPT_SUCCESS)
		ssf = 0;
	if (ssf >= least)
		return STATUS_OK;
	(void)error_set(error, STATUS_REFUSED, "%s '%s': %s (%lu of %u)", bind_failed, conn->uri,
			dir_bind_trouble_text(DIR_BIND_TROUBLE_LAYER_TOO_WEAK), (unsigned long)ssf, least);
	return error_hint(error, STATUS_REFUSED, "%s", dir_bind_trouble_hint(DIR_BIND_TROUBLE_LAYER_TOO_WEAK));
}

/* The steps of a mechanism. */
static enum status bind_sasl(struct dir_conn *conn, uint64_t deadline_ms, struct error *error)
{
	const struct config_directory *directory = conn->directory;
	LDAPMessage *step = NULL;
	const char *mechanism = NULL; /* the library's: NULL again when the mechanism is satisfied too */
	enum status status;
	int message_id = 0;
	int code;

	/* Without a name libldap would take the strongest that the server, or whoever speaks for it, offers. */
	if (directory->bind_mechanism == NULL || *directory->bind_mechanism == '\0')
		return error_set(error, STATUS_INVALID, "a SASL bind needs the name of its mechanism");
	for (;;) {
		code = ldap_sasl_interactive_bind(conn->ld, NULL, directory->bind_mechanism, NULL, NULL,
						  LDAP_SASL_QUIET, interact, conn, step, &mechanism, &message_id);
		(void)ldap_msgfree(step);
		step = NULL;
		if (code != LDAP_SASL_BIND_IN_PROGRESS)
			break;
		status = dir_conn_await(conn, message_id, deadline_ms, bind_failed, &step, error);
		if (status != STATUS_OK)
			return status;
	}
	/* libldap takes the server's word; a mechanism that has not seen the server's proof yet does not. */
	if (code == LDAP_SUCCESS && mechanism != NULL)
		return error_set(error, STATUS_REFUSED, "%s '%s': the server ended %s before it proved who it is",
				 bind_failed, conn->uri, directory->bind_mechanism);
	return conclude(conn, code, error);
}

/* The tickets first: the Kerberos library takes its time, and that is not the server's. */
static enum status bind_kerberos(struct dir_conn *conn, const LDAPURLDesc *url, uint64_t deadline_ms,
				 struct error *error)
{
	const bool is_local = strcmp(url->lud_scheme, "ldapi") == 0;
	const uint64_t began_ms = clock_monotonic_ms();
	enum status status = dir_tickets_get(conn->directory, is_local ? NULL : url->lud_host, &conn->tickets, error);

	if (status != STATUS_OK) {
		error_prefix(error, "%s '%s'", bind_failed, conn->uri);
		return status;
	}
	deadline_ms += clock_monotonic_ms() - began_ms;
	dir_io_prompt(&conn->io, deadline_ms);
	status = bind_sasl(conn, deadline_ms, error);
	return status == STATUS_OK ? check_kerberos(conn, error) : status;
}

enum status dir_conn_bind(struct dir_conn *conn, const LDAPURLDesc *url, enum dir_security security,
			  uint64_t deadline_ms, struct error *error)
{
	/* Credentials wait for the TLS that they were promised. */
	if (security != DIR_SECURITY_CLEAR && !conn->is_tls)
		return error_set(error, STATUS_INTERNAL, "the connection to '%s' is not secured", conn->uri);
	switch (conn->directory->bind) {
	case CONFIG_BIND_SIMPLE:
		return bind_by_password(conn, deadline_ms, error);
	case CONFIG_BIND_ANONYMOUS:
		return bind_simple(conn, "", "", 0, deadline_ms, error);
	case CONFIG_BIND_SASL:
		return dir_tickets_are_wanted(conn->directory) ? bind_kerberos(conn, url, deadline_ms, error)
							       : bind_sasl(conn, deadline_ms, error);
	case CONFIG_BIND_NONE:
		break;
	}
	return error_set(error, STATUS_INVALID, "the policy does not say how to bind to '%s'", conn->uri);
}
