/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why a bind failed, in words that name what to mend: the clock, the service's name, the ticket, the key, signing,
 * channel binding, the account. Pure: numbers and texts in, a cause out.
 *
 * What is looked at, the surest first: the number of Kerberos, what Active Directory puts into its diagnostic text (the
 * Windows error behind "data"), words of the Kerberos library in the text of SASL, and the LDAP result code.
 *
 * Sources: RFC 4120 7.5.9 (Kerberos errors; the library adds its base, see com_err); MS-ADTS 3.1.1.3.1.9 (the form
 * of the text) and MS-ERREF 2.2 and 2.1 (the numbers in it); RFC 4513 5.1, 6.
 * Threads: any.
 */
#ifndef WSMAUTHZ_DIRECTORY_DIR_BIND_TROUBLE_H
#define WSMAUTHZ_DIRECTORY_DIR_BIND_TROUBLE_H

#include <base/error.h>
#include <stdbool.h>

enum dir_bind_trouble {
	DIR_BIND_TROUBLE_UNKNOWN = 0, /* the server's own words must do */

	/* Kerberos */
	DIR_BIND_TROUBLE_CLOCK,
	DIR_BIND_TROUBLE_SERVICE_UNKNOWN, /* no such service principal name (SPN) */
	DIR_BIND_TROUBLE_SERVICE_KEY,     /* the server cannot read, or does not take, the ticket */
	DIR_BIND_TROUBLE_TICKET_EXPIRED,
	DIR_BIND_TROUBLE_NO_TICKET,
	DIR_BIND_TROUBLE_KEY_MISSING, /* not in the keytab */
	DIR_BIND_TROUBLE_KEY_WRONG,   /* old, or of another account */
	DIR_BIND_TROUBLE_CLIENT_UNKNOWN,
	DIR_BIND_TROUBLE_KDC_UNREACHABLE,
	DIR_BIND_TROUBLE_REALM_UNKNOWN,
	DIR_BIND_TROUBLE_ENCRYPTION,

	/* what protects the connection */
	DIR_BIND_TROUBLE_NEEDS_TLS,    /* a password in the clear */
	DIR_BIND_TROUBLE_NEEDS_LAYER,  /* neither signed nor sealed */
	DIR_BIND_TROUBLE_NOT_IN_TLS,   /* Kerberos inside TLS, which the server takes for unprotected */
	DIR_BIND_TROUBLE_LAYER_IN_TLS, /* sealed inside TLS */
	DIR_BIND_TROUBLE_LAYER_TOO_WEAK,
	DIR_BIND_TROUBLE_CHANNEL_BINDING,

	/* the account */
	DIR_BIND_TROUBLE_PASSWORD,
	DIR_BIND_TROUBLE_ACCOUNT_UNKNOWN,
	DIR_BIND_TROUBLE_LOGON_HOURS,
	DIR_BIND_TROUBLE_WORKSTATION,
	DIR_BIND_TROUBLE_PASSWORD_EXPIRED,
	DIR_BIND_TROUBLE_ACCOUNT_DISABLED,
	DIR_BIND_TROUBLE_ACCOUNT_EXPIRED,
	DIR_BIND_TROUBLE_PASSWORD_MUST_CHANGE,
	DIR_BIND_TROUBLE_ACCOUNT_LOCKED,
	DIR_BIND_TROUBLE_COUNT,
};

struct dir_bind_symptoms {
	bool is_kerberos; /* the mechanism is GSSAPI or GSS-SPNEGO */
	bool is_tls;      /* inside TLS */
	long kerberos;    /* a number of the Kerberos library; 0: none */
	int ldap;         /* the result code, RFC 4511's or the library's */
	const char *text; /* what the server or a library said; NULL: nothing */
};

/** The cause; DIR_BIND_TROUBLE_UNKNOWN when it cannot be told. */
enum dir_bind_trouble dir_bind_trouble_of(const struct dir_bind_symptoms *symptoms);

/** What is wrong, without a full stop: "the clocks of this host and of the server differ too much". Never NULL; "" for UNKNOWN. */
const char *dir_bind_trouble_text(enum dir_bind_trouble trouble);

/** What an administrator can do. Never NULL; "" for UNKNOWN. */
const char *dir_bind_trouble_hint(enum dir_bind_trouble trouble);

/**
 * How a bind that Kerberos itself failed is to be taken: STATUS_REFUSED where trying again soon may lock the account,
 * else STATUS_UNREACHABLE.
 */
enum status dir_bind_trouble_status(enum dir_bind_trouble trouble);

#endif
