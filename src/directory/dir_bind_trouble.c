/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_bind_trouble.h>

#include <base/ascii.h>
#include <base/compiler.h>
#include <stddef.h>
#include <string.h>

/* RFC 4511 4.1.9, and libldap's own. */
#define STRONGER_AUTH_REQUIRED   8
#define CONFIDENTIALITY_REQUIRED 13
#define INVALID_CREDENTIALS      49

/* Numbers instead of the names in <krb5.h>: this file knows no Kerberos library. What the KDC said is the base plus the number of RFC 4120. */
#define KRB5_BASE (-1765328384L)

static const struct {
	long code;
	enum dir_bind_trouble trouble;
} of_kerberos[] = {
    {KRB5_BASE + 1, DIR_BIND_TROUBLE_ACCOUNT_EXPIRED},   /* KDC_ERR_NAME_EXP */
    {KRB5_BASE + 2, DIR_BIND_TROUBLE_SERVICE_UNKNOWN},   /* KDC_ERR_SERVICE_EXP */
    {KRB5_BASE + 6, DIR_BIND_TROUBLE_CLIENT_UNKNOWN},    /* KDC_ERR_C_PRINCIPAL_UNKNOWN */
    {KRB5_BASE + 7, DIR_BIND_TROUBLE_SERVICE_UNKNOWN},   /* KDC_ERR_S_PRINCIPAL_UNKNOWN */
    {KRB5_BASE + 8, DIR_BIND_TROUBLE_SERVICE_UNKNOWN},   /* KDC_ERR_PRINCIPAL_NOT_UNIQUE: a duplicate SPN */
    {KRB5_BASE + 14, DIR_BIND_TROUBLE_ENCRYPTION},       /* KDC_ERR_ETYPE_NOSUPP */
    {KRB5_BASE + 18, DIR_BIND_TROUBLE_ACCOUNT_DISABLED}, /* KDC_ERR_CLIENT_REVOKED: disabled or locked */
    {KRB5_BASE + 21, DIR_BIND_TROUBLE_CLOCK},            /* KDC_ERR_CLIENT_NOTYET */
    {KRB5_BASE + 23, DIR_BIND_TROUBLE_PASSWORD_EXPIRED}, /* KDC_ERR_KEY_EXPIRED */
    {KRB5_BASE + 24, DIR_BIND_TROUBLE_KEY_WRONG},        /* KDC_ERR_PREAUTH_FAILED */
    {KRB5_BASE + 29, DIR_BIND_TROUBLE_KDC_UNREACHABLE},  /* KDC_ERR_SVC_UNAVAILABLE */
    {KRB5_BASE + 31, DIR_BIND_TROUBLE_KEY_WRONG},        /* KRB_AP_ERR_BAD_INTEGRITY */
    {KRB5_BASE + 32, DIR_BIND_TROUBLE_TICKET_EXPIRED},   /* KRB_AP_ERR_TKT_EXPIRED */
    {KRB5_BASE + 33, DIR_BIND_TROUBLE_CLOCK},            /* KRB_AP_ERR_TKT_NYV */
    {KRB5_BASE + 35, DIR_BIND_TROUBLE_SERVICE_KEY},      /* KRB_AP_ERR_NOT_US */
    {KRB5_BASE + 37, DIR_BIND_TROUBLE_CLOCK},            /* KRB_AP_ERR_SKEW */
    {KRB5_BASE + 41, DIR_BIND_TROUBLE_SERVICE_KEY},      /* KRB_AP_ERR_MODIFIED */
    {KRB5_BASE + 44, DIR_BIND_TROUBLE_SERVICE_KEY},      /* KRB_AP_ERR_BADKEYVER */
    {KRB5_BASE + 68, DIR_BIND_TROUBLE_REALM_UNKNOWN},    /* KDC_ERR_WRONG_REALM */
    {KRB5_BASE + 141, DIR_BIND_TROUBLE_NO_TICKET},       /* KRB5_CC_NOTFOUND */
    {KRB5_BASE + 148, DIR_BIND_TROUBLE_CLOCK},           /* KRB5_KDCREP_SKEW */
    {KRB5_BASE + 154, DIR_BIND_TROUBLE_REALM_UNKNOWN},   /* KRB5_REALM_UNKNOWN */
    {KRB5_BASE + 156, DIR_BIND_TROUBLE_KDC_UNREACHABLE}, /* KRB5_KDC_UNREACH */
    {KRB5_BASE + 181, DIR_BIND_TROUBLE_KEY_MISSING},     /* KRB5_KT_NOTFOUND */
    {KRB5_BASE + 195, DIR_BIND_TROUBLE_NO_TICKET},       /* KRB5_FCC_NOFILE */
    {KRB5_BASE + 199, DIR_BIND_TROUBLE_NO_TICKET},       /* KRB5_CC_FORMAT */
    {KRB5_BASE + 210, DIR_BIND_TROUBLE_KEY_WRONG},       /* KRB5_PREAUTH_FAILED */
    {KRB5_BASE + 213, DIR_BIND_TROUBLE_KEY_MISSING},     /* KRB5_KEYTAB_BADVNO: the file is no keytab */
    {KRB5_BASE + 217, DIR_BIND_TROUBLE_REALM_UNKNOWN},   /* KRB5_ERR_HOST_REALM_UNKNOWN */
    {KRB5_BASE + 220, DIR_BIND_TROUBLE_REALM_UNKNOWN},   /* KRB5_REALM_CANT_RESOLVE: no KDC is known for it */
    {KRB5_BASE + 224, DIR_BIND_TROUBLE_REALM_UNKNOWN},   /* KRB5_CONFIG_NODEFREALM */
    {KRB5_BASE + 230, DIR_BIND_TROUBLE_KEY_MISSING},     /* KRB5_KT_KVNONOTFOUND */
};

/* "AcceptSecurityContext error, data 52e, v1db1": MS-ERREF 2.2, and a HRESULT. */
static const struct {
	const char *data;
	enum dir_bind_trouble trouble;
} of_windows[] = {
    {"525", DIR_BIND_TROUBLE_ACCOUNT_UNKNOWN},      /* ERROR_NO_SUCH_USER */
    {"52e", DIR_BIND_TROUBLE_PASSWORD},             /* ERROR_LOGON_FAILURE */
    {"530", DIR_BIND_TROUBLE_LOGON_HOURS},          /* ERROR_INVALID_LOGON_HOURS */
    {"531", DIR_BIND_TROUBLE_WORKSTATION},          /* ERROR_INVALID_WORKSTATION */
    {"532", DIR_BIND_TROUBLE_PASSWORD_EXPIRED},     /* ERROR_PASSWORD_EXPIRED */
    {"533", DIR_BIND_TROUBLE_ACCOUNT_DISABLED},     /* ERROR_ACCOUNT_DISABLED */
    {"56", DIR_BIND_TROUBLE_PASSWORD},              /* ERROR_INVALID_PASSWORD */
    {"576", DIR_BIND_TROUBLE_CLOCK},                /* ERROR_TIME_SKEW */
    {"701", DIR_BIND_TROUBLE_ACCOUNT_EXPIRED},      /* ERROR_ACCOUNT_EXPIRED */
    {"773", DIR_BIND_TROUBLE_PASSWORD_MUST_CHANGE}, /* ERROR_PASSWORD_MUST_CHANGE */
    {"775", DIR_BIND_TROUBLE_ACCOUNT_LOCKED},       /* ERROR_ACCOUNT_LOCKED_OUT */
    {"80090324", DIR_BIND_TROUBLE_CLOCK},           /* SEC_E_TIME_SKEW */
    {"80090346", DIR_BIND_TROUBLE_CHANNEL_BINDING}, /* SEC_E_BAD_BINDINGS */
};

/* Words of MIT Kerberos (behind "Minor code may provide more information"), of Heimdal, of Cyrus SASL and of servers. */
static const struct {
	const char *words;
	enum dir_bind_trouble trouble;
} of_words[] = {
    {"Clock skew too great", DIR_BIND_TROUBLE_CLOCK},
    {"Ticket not yet valid", DIR_BIND_TROUBLE_CLOCK},
    {"Ticket expired", DIR_BIND_TROUBLE_TICKET_EXPIRED},
    {"credentials have expired", DIR_BIND_TROUBLE_TICKET_EXPIRED},
    {"Credential for asked mech-type", DIR_BIND_TROUBLE_NO_TICKET},
    {"Client not found in Kerberos database", DIR_BIND_TROUBLE_CLIENT_UNKNOWN},
    {"Client '", DIR_BIND_TROUBLE_CLIENT_UNKNOWN},
    {"not found in Kerberos database", DIR_BIND_TROUBLE_SERVICE_UNKNOWN}, /* "Server", or its name */
    {"not found in keytab", DIR_BIND_TROUBLE_SERVICE_KEY},
    {"No Kerberos credentials available", DIR_BIND_TROUBLE_NO_TICKET},
    {"No credentials cache found", DIR_BIND_TROUBLE_NO_TICKET},
    {"Key table entry not found", DIR_BIND_TROUBLE_KEY_MISSING},
    {"Preauthentication failed", DIR_BIND_TROUBLE_KEY_WRONG},
    {"Cannot contact any KDC", DIR_BIND_TROUBLE_KDC_UNREACHABLE},
    {"Cannot find KDC for realm", DIR_BIND_TROUBLE_REALM_UNKNOWN},
    {"channel bindings", DIR_BIND_TROUBLE_CHANNEL_BINDING},
    {"Message stream modified", DIR_BIND_TROUBLE_SERVICE_KEY},
    {"Wrong principal in request", DIR_BIND_TROUBLE_SERVICE_KEY},
    {"Decrypt integrity check failed", DIR_BIND_TROUBLE_SERVICE_KEY},
    {"Sign or Seal are not allowed if TLS", DIR_BIND_TROUBLE_LAYER_IN_TLS},
    {"gss_accept_sec_context", DIR_BIND_TROUBLE_SERVICE_KEY},
    {"too weak", DIR_BIND_TROUBLE_LAYER_TOO_WEAK}, /* SASL_TOOWEAK; the library's "mechanism too weak for this user" */
};

static const struct {
	enum status status; /* where Kerberos itself failed */
	const char *text, *hint;
} troubles[DIR_BIND_TROUBLE_COUNT] = {
    [DIR_BIND_TROUBLE_UNKNOWN] = {STATUS_UNREACHABLE, "", ""},
    [DIR_BIND_TROUBLE_CLOCK] = {STATUS_UNREACHABLE, "the clocks of this host and of the servers differ too much",
				"set this host's clock by NTP from the domain (Kerberos takes 5 minutes at most); see: "
				"timedatectl, chronyc tracking"},
    [DIR_BIND_TROUBLE_SERVICE_UNKNOWN] = {STATUS_UNREACHABLE,
					  "Kerberos knows no service ldap/ of this server's name (SPN)",
					  "write the server's full DNS name, as its SPN has it, into directory/@uri "
					  "(no address, no alias); look at the SPNs "
					  "by: setspn -L SERVER; and have rdns = false in krb5.conf"},
    [DIR_BIND_TROUBLE_SERVICE_KEY] =
	{STATUS_UNREACHABLE, "the server did not accept our Kerberos ticket",
	 "its key is another than the KDC believes (the SPN ldap/SERVER stands at a wrong account, or at two: setspn "
	 "-X), "
	 "its clock is wrong, or TLS ends at another host (channel binding); the server's log says which"},
    [DIR_BIND_TROUBLE_TICKET_EXPIRED] =
	{STATUS_UNREACHABLE, "the Kerberos ticket has expired",
	 "the program that should renew it (k5start, sssd, cron with kinit) does not; or write bind/@keytab, then no "
	 "such program is needed"},
    [DIR_BIND_TROUBLE_NO_TICKET] =
	{STATUS_UNREACHABLE, "there is no Kerberos ticket",
	 "write bind/@keytab, or bind/@credential-cache and start the program that fills it (k5start); see: klist"},
    [DIR_BIND_TROUBLE_KEY_MISSING] =
	{STATUS_REFUSED, "the keytab has no usable key for the principal",
	 "see what it has by: klist -kte KEYTAB; bind/@principal must be one of them, with its realm in capitals"},
    [DIR_BIND_TROUBLE_KEY_WRONG] = {STATUS_REFUSED, "the KDC did not accept the key of the keytab",
				    "the account's password was changed since (the key has another version, kvno), or "
				    "the salt is another: make the "
				    "keytab anew by ktpass, net ads keytab, samba-tool domain exportkeytab"},
    [DIR_BIND_TROUBLE_CLIENT_UNKNOWN] = {STATUS_REFUSED, "Kerberos does not know our principal",
					 "check bind/@principal: for Active Directory sAMAccountName@REALM, or "
					 "HOST$@REALM, with the realm in capitals"},
    [DIR_BIND_TROUBLE_KDC_UNREACHABLE] =
	{STATUS_UNREACHABLE, "no Kerberos server (KDC) answered",
	 "check the way to port 88 (UDP and TCP) of the domain controllers, and [realms] or DNS (_kerberos._tcp) as "
	 "krb5.conf says"},
    [DIR_BIND_TROUBLE_REALM_UNKNOWN] =
	{STATUS_UNREACHABLE, "the Kerberos realm is not known here, or not to the KDC",
	 "name it in krb5.conf ([libdefaults] default_realm, [realms], [domain_realm]), or let DNS tell it "
	 "(dns_lookup_kdc = true)"},
    [DIR_BIND_TROUBLE_ENCRYPTION] =
	{STATUS_REFUSED, "our keys and the KDC have no encryption type in common",
	 "make a keytab with aes256-cts-hmac-sha1-96, and allow AES for the account (msDS-SupportedEncryptionTypes)"},
    [DIR_BIND_TROUBLE_NEEDS_TLS] = {STATUS_REFUSED, "the server takes no passwords in the clear",
				    "use ldaps:// or StartTLS instead of <tls mode=\"none\"/>"},
    [DIR_BIND_TROUBLE_NEEDS_LAYER] = {STATUS_REFUSED, "the server wants the connection signed or sealed",
				      "take minssf=\"0\" out of <bind>, or use GSSAPI, which seals"},
    [DIR_BIND_TROUBLE_NOT_IN_TLS] =
	{STATUS_REFUSED, "the server takes no Kerberos bind inside TLS",
	 "write ldap:// into directory/@uri and <tls mode=\"none\"/>: Kerberos then seals the connection itself; or on "
	 "Samba set: ldap server require strong auth = allow_sasl_over_tls"},
    [DIR_BIND_TROUBLE_LAYER_IN_TLS] = {STATUS_REFUSED, "the server takes no signing or sealing inside TLS",
				       "the SASL library negotiated a layer that it was told not to: update it (Cyrus "
				       "SASL 2.1.28 as Debian has it does "
				       "well), or use mechanism=\"GSSAPI\""},
    [DIR_BIND_TROUBLE_LAYER_TOO_WEAK] =
	{STATUS_REFUSED, "the connection would be protected less than bind/@minssf wants",
	 "allow AES in krb5.conf (permitted_enctypes) and for the server's account, or use TLS"},
    [DIR_BIND_TROUBLE_CHANNEL_BINDING] =
	{STATUS_REFUSED, "the ticket is bound to another TLS channel than the server's (channel binding)",
	 "something between here and the server ends TLS (a load balancer, an inspecting firewall): connect to the "
	 "domain "
	 "controller itself, or let the SASL library be one that binds channels"},
    [DIR_BIND_TROUBLE_PASSWORD] = {STATUS_REFUSED, "the password is wrong, or there is no such account",
				   "check dn and password-file in <bind>"},
    [DIR_BIND_TROUBLE_ACCOUNT_UNKNOWN] = {STATUS_REFUSED, "there is no such account", "check dn in <bind>"},
    [DIR_BIND_TROUBLE_LOGON_HOURS] = {STATUS_REFUSED, "the account may not log on at this time",
				      "allow the service's account all hours (logonHours)"},
    [DIR_BIND_TROUBLE_WORKSTATION] = {STATUS_REFUSED, "the account may not log on from this host",
				      "take the restriction from the service's account (userWorkstations)"},
    [DIR_BIND_TROUBLE_PASSWORD_EXPIRED] =
	{STATUS_REFUSED, "the account's password has expired",
	 "set a new one, and for a service's account let it never expire, or use a group managed account"},
    [DIR_BIND_TROUBLE_ACCOUNT_DISABLED] = {STATUS_REFUSED, "the account is disabled, or locked",
					   "enable it in the directory (userAccountControl)"},
    [DIR_BIND_TROUBLE_ACCOUNT_EXPIRED] = {STATUS_REFUSED, "the account has expired",
					  "give it another end, or none (accountExpires)"},
    [DIR_BIND_TROUBLE_PASSWORD_MUST_CHANGE] = {STATUS_REFUSED,
					       "the account's password must be changed before it may be used",
					       "set the password without \"must change at next logon\" (pwdLastSet)"},
    [DIR_BIND_TROUBLE_ACCOUNT_LOCKED] = {STATUS_REFUSED, "the account is locked",
					 "unlock it, and find out who tried wrong passwords (lockoutTime)"},
};

static enum dir_bind_trouble of_number(long kerberos)
{
	for (size_t i = 0; i < COUNT_OF(of_kerberos); i++)
		if (of_kerberos[i].code == kerberos)
			return of_kerberos[i].trouble;
	return DIR_BIND_TROUBLE_UNKNOWN;
}

static bool is_hex(char c)
{
	return ascii_is_digit(c) || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'f');
}

/* The number behind "data " in the text of Active Directory. */
static enum dir_bind_trouble of_data(const char *text)
{
	static const char before[] = "AcceptSecurityContext error, data ";
	const char *data = strstr(text, before);
	size_t length = 0;

	if (data == NULL)
		return DIR_BIND_TROUBLE_UNKNOWN;
	data += strlen(before);
	while (is_hex(data[length]))
		length++;
	for (size_t i = 0; i < COUNT_OF(of_windows); i++)
		if (ascii_equal_nocase_n(data, length, of_windows[i].data, strlen(of_windows[i].data)))
			return of_windows[i].trouble;
	return DIR_BIND_TROUBLE_UNKNOWN;
}

static enum dir_bind_trouble of_text(const char *text)
{
	for (size_t i = 0; i < COUNT_OF(of_words); i++)
		if (strstr(text, of_words[i].words) != NULL)
			return of_words[i].trouble;
	return DIR_BIND_TROUBLE_UNKNOWN;
}

/* What the server wants of the connection. */
static enum dir_bind_trouble of_protection(const struct dir_bind_symptoms *symptoms)
{
	if (symptoms->ldap != STRONGER_AUTH_REQUIRED && symptoms->ldap != CONFIDENTIALITY_REQUIRED)
		return DIR_BIND_TROUBLE_UNKNOWN;
	if (symptoms->is_tls)
		return symptoms->is_kerberos && symptoms->ldap == STRONGER_AUTH_REQUIRED ? DIR_BIND_TROUBLE_NOT_IN_TLS
											 : DIR_BIND_TROUBLE_UNKNOWN;
	return symptoms->is_kerberos ? DIR_BIND_TROUBLE_NEEDS_LAYER : DIR_BIND_TROUBLE_NEEDS_TLS;
}

enum dir_bind_trouble dir_bind_trouble_of(const struct dir_bind_symptoms *symptoms)
{
	const char *text = symptoms->text != NULL ? symptoms->text : "";
	enum dir_bind_trouble trouble = of_number(symptoms->kerberos);

	if (trouble == DIR_BIND_TROUBLE_UNKNOWN)
		trouble = of_data(text);
	/* No password was sent: it is the ticket that was not taken. */
	if (symptoms->is_kerberos &&
	    (trouble == DIR_BIND_TROUBLE_PASSWORD || trouble == DIR_BIND_TROUBLE_ACCOUNT_UNKNOWN))
		trouble = DIR_BIND_TROUBLE_SERVICE_KEY;
	if (trouble == DIR_BIND_TROUBLE_UNKNOWN)
		trouble = of_protection(symptoms);
	if (trouble == DIR_BIND_TROUBLE_UNKNOWN && symptoms->is_kerberos)
		trouble = of_text(text);
	if (trouble == DIR_BIND_TROUBLE_UNKNOWN && symptoms->is_kerberos && symptoms->ldap == INVALID_CREDENTIALS)
		trouble = DIR_BIND_TROUBLE_SERVICE_KEY;
	return trouble;
}

const char *dir_bind_trouble_text(enum dir_bind_trouble trouble)
{
	return troubles[trouble].text;
}

const char *dir_bind_trouble_hint(enum dir_bind_trouble trouble)
{
	return troubles[trouble].hint;
}

enum status dir_bind_trouble_status(enum dir_bind_trouble trouble)
{
	return troubles[trouble].status;
}
