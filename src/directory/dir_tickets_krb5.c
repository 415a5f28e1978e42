/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_tickets.h>

#include <base/ascii.h>
#include <base/memory.h>
#include <directory/dir_bind_trouble.h>
#include <errno.h>
#include <gssapi/gssapi.h>
#include <gssapi/gssapi_ext.h>
#include <gssapi/gssapi_krb5.h>
#include <krb5.h>
#include <os/clock.h>
#include <os/file.h>
#include <stdio.h>
#include <string.h>

#define SERVICE    "ldap"
#define NAME_BYTES 4096 /* of a file, with its type before it */

struct dir_tickets {
	krb5_context context; /* owned */
	krb5_ccache cache;    /* owned, and destroyed: in memory */
	gss_cred_id_t credential;
	uint64_t end_ms;
};

/* What the steps below share. */
struct getting {
	const struct config_directory *directory;
	struct dir_tickets *tickets;
	krb5_principal client; /* owned */
	struct error *error;
};

/* The mechanisms, as RFC 4121 and RFC 4178 number them. */
static unsigned char krb5_numbers[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02};
static unsigned char spnego_numbers[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x02};
static gss_OID_desc krb5_mechanism = {sizeof(krb5_numbers), krb5_numbers};
static gss_OID_desc spnego_mechanism = {sizeof(spnego_numbers), spnego_numbers};

/* "<what>: <whose trouble it is> (<the library's words>)", and the hint. */
static enum status fail(const struct getting *getting, krb5_error_code code, const char *what)
{
	const struct dir_bind_symptoms symptoms = {.is_kerberos = true, .kerberos = code};
	const enum dir_bind_trouble trouble = dir_bind_trouble_of(&symptoms);
	const char *words = krb5_get_error_message(getting->tickets->context, code);
	const bool is_known = trouble != DIR_BIND_TROUBLE_UNKNOWN;
	enum status status = dir_bind_trouble_status(trouble);

	if (code == ENOMEM)
		status = error_no_memory(getting->error);
	else
		(void)error_set(getting->error, status, "%s: %s%s%s%s", what, dir_bind_trouble_text(trouble),
				is_known ? " (" : "", words, is_known ? ")" : "");
	krb5_free_error_message(getting->tickets->context, words);
	return code == ENOMEM ? status : error_hint(getting->error, status, "%s", dir_bind_trouble_hint(trouble));
}

static enum status make_cache(const struct getting *getting, krb5_principal client)
{
	struct dir_tickets *tickets = getting->tickets;
	krb5_error_code code = krb5_cc_new_unique(tickets->context, "MEMORY", NULL, &tickets->cache);

	if (code == 0)
		code = krb5_cc_initialize(tickets->context, tickets->cache, client);
	return code == 0 ? STATUS_OK : fail(getting, code, "could not keep Kerberos tickets");
}

/* Keytab */

/* The principal of the first key: what tools that make a keytab for one account put there. */
static krb5_error_code first_principal(krb5_context context, krb5_keytab keytab, krb5_principal *client_out)
{
	krb5_keytab_entry entry;
	krb5_kt_cursor cursor;
	krb5_error_code code = krb5_kt_start_seq_get(context, keytab, &cursor);

	if (code != 0)
		return code;
	code = krb5_kt_next_entry(context, keytab, &entry, &cursor);
	if (code == 0) {
		code = krb5_copy_principal(context, entry.principal, client_out);
		(void)krb5_free_keytab_entry_contents(context, &entry);
	}
	(void)krb5_kt_end_seq_get(context, keytab, &cursor);
	if (code == KRB5_KT_END)
		code = KRB5_KT_NOTFOUND;
	return code;
}

static enum status ask_by_key(struct getting *getting, krb5_keytab keytab, const char *what)
{
	const krb5_context context = getting->tickets->context;
	krb5_creds tgt;
	krb5_error_code code = 0;
	enum status status;

	if (getting->client == NULL)
		code = first_principal(context, keytab, &getting->client);
	if (code != 0)
		return fail(getting, code, what);
	memset(&tgt, 0, sizeof(tgt));
	code = krb5_get_init_creds_keytab(context, &tgt, getting->client, keytab, 0, NULL, NULL);
	if (code != 0)
		return fail(getting, code, what);
	status = make_cache(getting, tgt.client);
	if (status == STATUS_OK && (code = krb5_cc_store_cred(context, getting->tickets->cache, &tgt)) != 0)
		status = fail(getting, code, what);
	krb5_free_cred_contents(context, &tgt);
	return status;
}

static enum status name_file(const struct getting *getting, const char *path, char name[NAME_BYTES])
{
	const int length = snprintf(name, NAME_BYTES, "FILE:%s", path);

	if (length > 0 && length < NAME_BYTES)
		return STATUS_OK;
	return error_set(getting->error, STATUS_INVALID, "a name of a file of %zu bytes is too long", strlen(path));
}

static enum status from_keytab(struct getting *getting)
{
	const char *path = getting->directory->bind_keytab;
	char what[NAME_BYTES + 64];
	char name[NAME_BYTES];
	krb5_keytab keytab = NULL;
	enum status status;
	krb5_error_code code;

	/* It was checked when the policy was read; since then somebody may have made it anew. */
	if ((status = file_check_secret(path, getting->error)) != STATUS_OK ||
	    (status = name_file(getting, path, name)) != STATUS_OK)
		return status;
	(void)snprintf(what, sizeof(what), "no ticket by the keytab '%s'", path);
	code = krb5_kt_resolve(getting->tickets->context, name, &keytab);
	if (code != 0)
		return fail(getting, code, what);
	status = ask_by_key(getting, keytab, what);
	(void)krb5_kt_close(getting->tickets->context, keytab);
	return status;
}

/* Cache */

static bool is_granting(const krb5_creds *creds)
{
	const krb5_data *first = creds->server->length == 2 ? &creds->server->data[0] : NULL;

	return first != NULL && first->length == strlen(KRB5_TGS_NAME) &&
	       memcmp(first->data, KRB5_TGS_NAME, first->length) == 0;
}

/* Seconds until a time of Kerberos, which counts to 2106; what is past is 0. */
static uint32_t left_s(krb5_timestamp end, krb5_timestamp now)
{
	const uint32_t left = (uint32_t)end - (uint32_t)now;

	return left > INT32_MAX ? 0 : left;
}

/* Copy the tickets that get others. KRB5KRB_AP_ERR_TKT_EXPIRED: there were only old ones. */
static krb5_error_code copy_granting(krb5_context context, krb5_ccache from, krb5_ccache to)
{
	krb5_error_code found = KRB5_CC_NOTFOUND;
	krb5_timestamp now = 0;
	krb5_cc_cursor cursor;
	krb5_creds creds;
	krb5_error_code code = krb5_timeofday(context, &now);

	if (code == 0)
		code = krb5_cc_start_seq_get(context, from, &cursor);
	if (code != 0)
		return code;
	while ((code = krb5_cc_next_cred(context, from, &cursor, &creds)) == 0) {
		if (is_granting(&creds) && left_s(creds.times.endtime, now) == 0) {
			found = found == 0 ? 0 : KRB5KRB_AP_ERR_TKT_EXPIRED;
		} else if (is_granting(&creds)) {
			code = krb5_cc_store_cred(context, to, &creds);
			found = 0;
		}
		krb5_free_cred_contents(context, &creds);
		if (code != 0)
			break;
	}
	(void)krb5_cc_end_seq_get(context, from, &cursor);
	return code == KRB5_CC_END ? found : code;
}

static enum status copy_cache(struct getting *getting, krb5_ccache from, const char *what)
{
	const krb5_context context = getting->tickets->context;
	krb5_principal owner = NULL;
	krb5_error_code code = krb5_cc_get_principal(context, from, &owner);
	enum status status;

	if (code != 0)
		return fail(getting, code, what);
	if (getting->client != NULL && !krb5_principal_compare(context, owner, getting->client)) {
		status = error_set(getting->error, STATUS_UNREACHABLE,
				   "%s: it holds another principal than bind/@principal '%s'", what,
				   getting->directory->bind_principal);
	} else {
		status = make_cache(getting, owner);
		if (status == STATUS_OK && (code = copy_granting(context, from, getting->tickets->cache)) != 0)
			status = fail(getting, code, what);
	}
	krb5_free_principal(context, owner);
	return status;
}

static enum status from_cache_file(struct getting *getting)
{
	const char *path = getting->directory->bind_credential_cache;
	char what[NAME_BYTES + 64];
	char name[NAME_BYTES];
	krb5_ccache from = NULL;
	krb5_error_code code;
	enum status status;

	(void)snprintf(what, sizeof(what), "no ticket from the credential cache '%s'", path);
	status = file_check_secret(path, getting->error);
	if (status == STATUS_NOT_FOUND)
		return fail(getting, KRB5_FCC_NOFILE, what);
	if (status != STATUS_OK || (status = name_file(getting, path, name)) != STATUS_OK)
		return status;
	code = krb5_cc_resolve(getting->tickets->context, name, &from);
	if (code != 0)
		return fail(getting, code, what);
	status = copy_cache(getting, from, what);
	(void)krb5_cc_close(getting->tickets->context, from);
	return status;
}

/* The process's own: its cache while that is good, else its client keytab. Nothing there: the mechanism may know more. */

static void drop_cache(struct dir_tickets *tickets)
{
	if (tickets->cache != NULL)
		(void)krb5_cc_destroy(tickets->context, tickets->cache);
	tickets->cache = NULL;
}

static enum status from_own(struct getting *getting)
{
	const krb5_context context = getting->tickets->context;
	krb5_keytab keytab = NULL;
	krb5_ccache from = NULL;
	enum status status = STATUS_NOT_FOUND;

	if (krb5_cc_default(context, &from) == 0) {
		status = copy_cache(getting, from, "no ticket from this process's own credential cache");
		(void)krb5_cc_close(context, from);
	}
	if (status == STATUS_OK)
		return STATUS_OK;
	drop_cache(getting->tickets);
	if (krb5_kt_client_default(context, &keytab) != 0)
		return STATUS_OK;
	if (krb5_kt_have_content(context, keytab) == 0)
		status = ask_by_key(getting, keytab, "no ticket by this process's own client keytab");
	else
		status = STATUS_OK;
	(void)krb5_kt_close(context, keytab);
	return status;
}

/* The ticket for the service: asked for here, so that what fails has a number, and its end is known. */

static void note_end(struct dir_tickets *tickets, krb5_timestamp end)
{
	krb5_timestamp now = 0;
	uint64_t end_ms;

	if (krb5_timeofday(tickets->context, &now) != 0)
		return;
	end_ms = clock_monotonic_ms() + (uint64_t)left_s(end, now) * 1000;
	if (end_ms < tickets->end_ms)
		tickets->end_ms = end_ms;
}

static enum status ask_for_service(const struct getting *getting, const char *host)
{
	struct dir_tickets *tickets = getting->tickets;
	krb5_creds wanted;
	krb5_creds *got = NULL;
	char what[512];
	krb5_error_code code;

	(void)snprintf(what, sizeof(what), "no ticket for " SERVICE "/%.200s", host);
	memset(&wanted, 0, sizeof(wanted));
	code = krb5_sname_to_principal(tickets->context, host, SERVICE, KRB5_NT_SRV_HST, &wanted.server);
	if (code == 0)
		code = krb5_cc_get_principal(tickets->context, tickets->cache, &wanted.client);
	if (code == 0)
		code = krb5_get_credentials(tickets->context, 0, tickets->cache, &wanted, &got);
	if (code == 0)
		note_end(tickets, got->times.endtime);
	krb5_free_creds(tickets->context, got);
	krb5_free_cred_contents(tickets->context, &wanted);
	return code == 0 ? STATUS_OK : fail(getting, code, what);
}

/* The credential */

static enum status fail_gss(const struct getting *getting, OM_uint32 minor, const char *what)
{
	gss_buffer_desc words = GSS_C_EMPTY_BUFFER;
	OM_uint32 more = 0;
	OM_uint32 ignored;

	if (gss_display_status(&ignored, minor, GSS_C_MECH_CODE, &krb5_mechanism, &more, &words) != GSS_S_COMPLETE)
		words.length = 0;
	(void)error_set(getting->error, STATUS_UNREACHABLE, "%s: %.*s", what, (int)words.length,
			words.length > 0 ? (const char *)words.value : "");
	(void)gss_release_buffer(&ignored, &words);
	return STATUS_UNREACHABLE;
}

static enum status make_credential(const struct getting *getting)
{
	static const char what[] = "could not use the Kerberos tickets";
	const bool is_spnego = ascii_equal_nocase(getting->directory->bind_mechanism, "GSS-SPNEGO");
	struct dir_tickets *tickets = getting->tickets;
	gss_OID_set_desc mechanism = {1, is_spnego ? &spnego_mechanism : &krb5_mechanism};
	gss_OID_set_desc kerberos = {1, &krb5_mechanism};
	gss_key_value_element_desc element = {.key = "ccache"};
	const gss_key_value_set_desc store = {1, &element};
	OM_uint32 minor = 0;
	char *name = NULL;
	krb5_error_code code = krb5_cc_get_full_name(tickets->context, tickets->cache, &name);

	if (code != 0)
		return fail(getting, code, what);
	element.value = name;
	if (gss_acquire_cred_from(&minor, GSS_C_NO_NAME, GSS_C_INDEFINITE, &mechanism, GSS_C_INITIATE, &store,
				  &tickets->credential, NULL, NULL) != GSS_S_COMPLETE)
		tickets->credential = GSS_C_NO_CREDENTIAL;
	krb5_free_string(tickets->context, name);
	if (tickets->credential == GSS_C_NO_CREDENTIAL)
		return fail_gss(getting, minor, what);
	/* SPNEGO may offer whatever is installed; NTLM proves no server to us. */
	if (is_spnego && gss_set_neg_mechs(&minor, tickets->credential, &kerberos) != GSS_S_COMPLETE)
		return fail_gss(getting, minor, what);
	return STATUS_OK;
}

static enum status fill(struct getting *getting, const char *host)
{
	const struct config_directory *directory = getting->directory;
	enum status status;
	krb5_error_code code;

	if (directory->bind_principal != NULL &&
	    (code = krb5_parse_name(getting->tickets->context, directory->bind_principal, &getting->client)) != 0)
		return fail(getting, code, "bind/@principal");
	if (directory->bind_keytab != NULL)
		status = from_keytab(getting);
	else if (directory->bind_credential_cache != NULL)
		status = from_cache_file(getting);
	else
		status = from_own(getting);
	if (status != STATUS_OK || getting->tickets->cache == NULL)
		return status;
	if (host != NULL && (status = ask_for_service(getting, host)) != STATUS_OK)
		return status;
	return make_credential(getting);
}

bool dir_tickets_are_wanted(const struct config_directory *directory)
{
	return directory->bind == CONFIG_BIND_SASL && directory->bind_mechanism != NULL &&
	       (ascii_equal_nocase(directory->bind_mechanism, "GSSAPI") ||
		ascii_equal_nocase(directory->bind_mechanism, "GSS-SPNEGO"));
}

enum status dir_tickets_get(const struct config_directory *directory, const char *host,
			    struct dir_tickets **tickets_out, struct error *error)
{
	struct dir_tickets *tickets = memory_new(sizeof(*tickets));
	struct getting getting = {.directory = directory, .tickets = tickets, .error = error};
	enum status status;
	krb5_error_code code;

	if (tickets == NULL)
		return error_no_memory(error);
	tickets->end_ms = UINT64_MAX;
	/* The environment of the process may name its krb5.conf, as for any program. */
	code = krb5_init_context(&tickets->context);
	if (code != 0) {
		tickets->context = NULL;
		status =
		    error_set(error, STATUS_INVALID, "could not read krb5.conf: error %ld of Kerberos", (long)code);
	} else {
		status = fill(&getting, host);
		krb5_free_principal(tickets->context, getting.client);
	}
	if (status == STATUS_OK)
		*tickets_out = tickets;
	else
		dir_tickets_free(&tickets);
	return status;
}

void *dir_tickets_credential(const struct dir_tickets *tickets)
{
	return tickets->credential;
}

uint64_t dir_tickets_end_ms(const struct dir_tickets *tickets)
{
	return tickets->end_ms;
}

void dir_tickets_free(struct dir_tickets **tickets)
{
	struct dir_tickets *old = *tickets;
	OM_uint32 minor;

	*tickets = NULL;
	if (old == NULL)
		return;
	if (old->credential != GSS_C_NO_CREDENTIAL)
		(void)gss_release_cred(&minor, &old->credential);
	drop_cache(old);
	if (old->context != NULL)
		krb5_free_context(old->context);
	memory_free(old);
}
