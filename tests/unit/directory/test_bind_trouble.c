/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include <base/compiler.h>
#include <directory/dir_bind_trouble.h>
#include <krb5.h>
#include <string.h>

#define KERBEROS .is_kerberos = true
#define TLS      .is_tls = true
#define SASL(w)                                                                                                        \
	.ldap = -2, .text = "SASL(-1): generic failure: GSSAPI Error: Unspecified GSS failure.  Minor code may "       \
			    "provide more information (" w ")"
/* As AD says it. */
#define AD(d)                                                                                                          \
	.ldap = 49, .text = "80090308: LdapErr: DSID-0C090439, comment: AcceptSecurityContext error, data " d ", "     \
			    "v4563"

static const struct {
	const char *row;
	struct dir_bind_symptoms symptoms;
	enum dir_bind_trouble trouble;
} rows[] = {
    {"nothing", {.ldap = 0}, DIR_BIND_TROUBLE_UNKNOWN},
    {"no text", {.ldap = 49}, DIR_BIND_TROUBLE_UNKNOWN},
    {"a number nobody knows", {KERBEROS, .kerberos = 4711}, DIR_BIND_TROUBLE_UNKNOWN},

    /* numbers of Kerberos */
    {"skew", {KERBEROS, .kerberos = KRB5KRB_AP_ERR_SKEW}, DIR_BIND_TROUBLE_CLOCK},
    {"skew of the reply", {KERBEROS, .kerberos = KRB5_KDCREP_SKEW}, DIR_BIND_TROUBLE_CLOCK},
    {"not yet valid", {KERBEROS, .kerberos = KRB5KRB_AP_ERR_TKT_NYV}, DIR_BIND_TROUBLE_CLOCK},
    {"client not yet", {KERBEROS, .kerberos = KRB5KDC_ERR_CLIENT_NOTYET}, DIR_BIND_TROUBLE_CLOCK},
    {"expired", {KERBEROS, .kerberos = KRB5KRB_AP_ERR_TKT_EXPIRED}, DIR_BIND_TROUBLE_TICKET_EXPIRED},
    {"SPN", {KERBEROS, .kerberos = KRB5KDC_ERR_S_PRINCIPAL_UNKNOWN}, DIR_BIND_TROUBLE_SERVICE_UNKNOWN},
    {"two SPNs", {KERBEROS, .kerberos = KRB5KDC_ERR_PRINCIPAL_NOT_UNIQUE}, DIR_BIND_TROUBLE_SERVICE_UNKNOWN},
    {"service expired", {KERBEROS, .kerberos = KRB5KDC_ERR_SERVICE_EXP}, DIR_BIND_TROUBLE_SERVICE_UNKNOWN},
    {"modified", {KERBEROS, .kerberos = KRB5KRB_AP_ERR_MODIFIED}, DIR_BIND_TROUBLE_SERVICE_KEY},
    {"not us", {KERBEROS, .kerberos = KRB5KRB_AP_ERR_NOT_US}, DIR_BIND_TROUBLE_SERVICE_KEY},
    {"server's kvno", {KERBEROS, .kerberos = KRB5KRB_AP_ERR_BADKEYVER}, DIR_BIND_TROUBLE_SERVICE_KEY},
    {"no cache file", {KERBEROS, .kerberos = KRB5_FCC_NOFILE}, DIR_BIND_TROUBLE_NO_TICKET},
    {"empty cache", {KERBEROS, .kerberos = KRB5_CC_NOTFOUND}, DIR_BIND_TROUBLE_NO_TICKET},
    {"no cache at all", {KERBEROS, .kerberos = KRB5_CC_FORMAT}, DIR_BIND_TROUBLE_NO_TICKET},
    {"no key", {KERBEROS, .kerberos = KRB5_KT_NOTFOUND}, DIR_BIND_TROUBLE_KEY_MISSING},
    {"no keytab", {KERBEROS, .kerberos = KRB5_KEYTAB_BADVNO}, DIR_BIND_TROUBLE_KEY_MISSING},
    {"key's kvno", {KERBEROS, .kerberos = KRB5_KT_KVNONOTFOUND}, DIR_BIND_TROUBLE_KEY_MISSING},
    {"preauth", {KERBEROS, .kerberos = KRB5KDC_ERR_PREAUTH_FAILED}, DIR_BIND_TROUBLE_KEY_WRONG},
    {"preauth, all of it", {KERBEROS, .kerberos = KRB5_PREAUTH_FAILED}, DIR_BIND_TROUBLE_KEY_WRONG},
    {"without preauth", {KERBEROS, .kerberos = KRB5KRB_AP_ERR_BAD_INTEGRITY}, DIR_BIND_TROUBLE_KEY_WRONG},
    {"client", {KERBEROS, .kerberos = KRB5KDC_ERR_C_PRINCIPAL_UNKNOWN}, DIR_BIND_TROUBLE_CLIENT_UNKNOWN},
    {"revoked", {KERBEROS, .kerberos = KRB5KDC_ERR_CLIENT_REVOKED}, DIR_BIND_TROUBLE_ACCOUNT_DISABLED},
    {"key expired", {KERBEROS, .kerberos = KRB5KDC_ERR_KEY_EXP}, DIR_BIND_TROUBLE_PASSWORD_EXPIRED},
    {"name expired", {KERBEROS, .kerberos = KRB5KDC_ERR_NAME_EXP}, DIR_BIND_TROUBLE_ACCOUNT_EXPIRED},
    {"KDC", {KERBEROS, .kerberos = KRB5_KDC_UNREACH}, DIR_BIND_TROUBLE_KDC_UNREACHABLE},
    {"KDC is busy", {KERBEROS, .kerberos = KRB5KDC_ERR_SVC_UNAVAILABLE}, DIR_BIND_TROUBLE_KDC_UNREACHABLE},
    {"realm", {KERBEROS, .kerberos = KRB5_REALM_UNKNOWN}, DIR_BIND_TROUBLE_REALM_UNKNOWN},
    {"realm's KDC", {KERBEROS, .kerberos = KRB5_REALM_CANT_RESOLVE}, DIR_BIND_TROUBLE_REALM_UNKNOWN},
    {"default realm", {KERBEROS, .kerberos = KRB5_CONFIG_NODEFREALM}, DIR_BIND_TROUBLE_REALM_UNKNOWN},
    {"host's realm", {KERBEROS, .kerberos = KRB5_ERR_HOST_REALM_UNKNOWN}, DIR_BIND_TROUBLE_REALM_UNKNOWN},
    {"wrong realm", {KERBEROS, .kerberos = KRB5KDC_ERR_WRONG_REALM}, DIR_BIND_TROUBLE_REALM_UNKNOWN},
    {"enctype", {KERBEROS, .kerberos = KRB5KDC_ERR_ETYPE_NOSUPP}, DIR_BIND_TROUBLE_ENCRYPTION},

    /* words */
    {"SASL: skew", {KERBEROS, SASL("Clock skew too great")}, DIR_BIND_TROUBLE_CLOCK},
    {"SASL: SPN",
     {KERBEROS, SASL("Server ldap/10.0.0.1@CORP not found in Kerberos database")},
     DIR_BIND_TROUBLE_SERVICE_UNKNOWN},
    {"SASL: no name", {KERBEROS, SASL("Server not found in Kerberos database")}, DIR_BIND_TROUBLE_SERVICE_UNKNOWN},
    {"SASL: client",
     {KERBEROS, SASL("Client 'x@CORP' not found in Kerberos database")},
     DIR_BIND_TROUBLE_CLIENT_UNKNOWN},
    {"SASL: ticket", {KERBEROS, SASL("Ticket expired")}, DIR_BIND_TROUBLE_TICKET_EXPIRED},
    {"SASL: none",
     {KERBEROS, SASL("No Kerberos credentials available (default cache: FILE:/tmp/krb5cc_0)")},
     DIR_BIND_TROUBLE_NO_TICKET},
    {"SASL: KDC", {KERBEROS, SASL("Cannot contact any KDC for realm 'CORP'")}, DIR_BIND_TROUBLE_KDC_UNREACHABLE},
    {"SASL: realm", {KERBEROS, SASL("Cannot find KDC for realm \"CORP\"")}, DIR_BIND_TROUBLE_REALM_UNKNOWN},
    {"SASL: preauth", {KERBEROS, SASL("Preauthentication failed")}, DIR_BIND_TROUBLE_KEY_WRONG},
    {"SASL: binding",
     {KERBEROS, .ldap = 49, .text = "Incorrect channel bindings were supplied"},
     DIR_BIND_TROUBLE_CHANNEL_BINDING},
    {"slapd refuses",
     {KERBEROS, .ldap = 49, .text = "SASL(-13): authentication failure: GSSAPI Failure: gss_accept_sec_context"},
     DIR_BIND_TROUBLE_SERVICE_KEY},
    {"refused without a word", {KERBEROS, .ldap = 49}, DIR_BIND_TROUBLE_SERVICE_KEY},
    {"words that are not of Kerberos", {SASL("Clock skew too great")}, DIR_BIND_TROUBLE_UNKNOWN},

    /* the connection */
    {"Samba: clear password",
     {.ldap = 8, .text = "BindSimple: Transport encryption required."},
     DIR_BIND_TROUBLE_NEEDS_TLS},
    {"AD: clear password",
     {.ldap = 8,
      .text = "00002028: LdapErr: DSID-0C090259, comment: The server requires binds to turn on integrity checking if "
	      "SSL\\TLS are not already active on the connection, data 0, v4563"},
     DIR_BIND_TROUBLE_NEEDS_TLS},
    {"slapd: clear password", {.ldap = 13, .text = "TLS confidentiality required"}, DIR_BIND_TROUBLE_NEEDS_TLS},
    {"slapd: more TLS", {TLS, .ldap = 13, .text = "confidentiality required"}, DIR_BIND_TROUBLE_UNKNOWN},
    {"Samba: no layer",
     {KERBEROS, .ldap = 8, .text = "SASL:[GSSAPI]: Sign or Seal are required."},
     DIR_BIND_TROUBLE_NEEDS_LAYER},
    {"Samba: in TLS",
     {KERBEROS, TLS, .ldap = 8, .text = "SASL:[GSS-SPNEGO]: Sign or Seal are required."},
     DIR_BIND_TROUBLE_NOT_IN_TLS},
    {"Samba: layer in TLS",
     {KERBEROS, TLS, .ldap = 53, .text = "SASL:[GSSAPI]: Sign or Seal are not allowed if TLS is used"},
     DIR_BIND_TROUBLE_LAYER_IN_TLS},
    {"AD: channel binding", {KERBEROS, TLS, AD("80090346")}, DIR_BIND_TROUBLE_CHANNEL_BINDING},
    {"SASL: weak",
     {KERBEROS, .ldap = -2, .text = "SASL(-15): mechanism too weak for this user: "},
     DIR_BIND_TROUBLE_LAYER_TOO_WEAK},

    /* Active Directory's data */
    {"525", {AD("525")}, DIR_BIND_TROUBLE_ACCOUNT_UNKNOWN},
    {"52e", {AD("52e")}, DIR_BIND_TROUBLE_PASSWORD},
    {"52E", {AD("52E")}, DIR_BIND_TROUBLE_PASSWORD},
    {"530", {AD("530")}, DIR_BIND_TROUBLE_LOGON_HOURS},
    {"531", {AD("531")}, DIR_BIND_TROUBLE_WORKSTATION},
    {"532", {AD("532")}, DIR_BIND_TROUBLE_PASSWORD_EXPIRED},
    {"533", {AD("533")}, DIR_BIND_TROUBLE_ACCOUNT_DISABLED},
    {"701", {AD("701")}, DIR_BIND_TROUBLE_ACCOUNT_EXPIRED},
    {"773", {AD("773")}, DIR_BIND_TROUBLE_PASSWORD_MUST_CHANGE},
    {"775", {AD("775")}, DIR_BIND_TROUBLE_ACCOUNT_LOCKED},
    {"576", {KERBEROS, AD("576")}, DIR_BIND_TROUBLE_CLOCK},
    {"longer than known", {AD("52e1")}, DIR_BIND_TROUBLE_UNKNOWN},
    {"nothing behind data", {.ldap = 49, .text = "AcceptSecurityContext error, data "}, DIR_BIND_TROUBLE_UNKNOWN},
    {"a ticket, no password", {KERBEROS, AD("52e")}, DIR_BIND_TROUBLE_SERVICE_KEY},
    {"the account behind the ticket", {KERBEROS, AD("533")}, DIR_BIND_TROUBLE_ACCOUNT_DISABLED},
};

static void dir_bind_trouble_of__symptoms__name_the_cause(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_row(rows[i].row, dir_bind_trouble_of(&rows[i].symptoms) == rows[i].trouble);
}

static void dir_bind_trouble__every_cause__has_words_a_remedy_and_a_row(void **state)
{
	(void)state;
	for (unsigned number = 1; number < DIR_BIND_TROUBLE_COUNT; number++) {
		const enum dir_bind_trouble trouble = (enum dir_bind_trouble)number;
		size_t i = 0;

		assert_true(strlen(dir_bind_trouble_text(trouble)) > 20);
		assert_true(strlen(dir_bind_trouble_hint(trouble)) > 10);
		assert_true(strlen(dir_bind_trouble_hint(trouble)) < ERROR_TEXT_BYTES);
		while (i < COUNT_OF(rows) && rows[i].trouble != trouble)
			i++;
		assert_int_not_equal(i, COUNT_OF(rows));
	}
	assert_string_equal(dir_bind_trouble_text(DIR_BIND_TROUBLE_UNKNOWN), "");
}

static void dir_bind_trouble_status__what_could_lock_the_account__is_not_tried_soon(void **state)
{
	(void)state;
	assert_int_equal(dir_bind_trouble_status(DIR_BIND_TROUBLE_KEY_WRONG), STATUS_REFUSED);
	assert_int_equal(dir_bind_trouble_status(DIR_BIND_TROUBLE_ACCOUNT_DISABLED), STATUS_REFUSED);
	assert_int_equal(dir_bind_trouble_status(DIR_BIND_TROUBLE_KDC_UNREACHABLE), STATUS_UNREACHABLE);
	assert_int_equal(dir_bind_trouble_status(DIR_BIND_TROUBLE_NO_TICKET), STATUS_UNREACHABLE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(dir_bind_trouble_of__symptoms__name_the_cause),
	    cmocka_unit_test(dir_bind_trouble__every_cause__has_words_a_remedy_and_a_row),
	    cmocka_unit_test(dir_bind_trouble_status__what_could_lock_the_account__is_not_tried_soon),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
