/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Words of a policy that not every system can honour. A word that exists, but not here, is refused
 * with the reason: it must not look like a misspelling. One file a system. Used within config.
 */
#ifndef WSMAUTHZ_CONFIG_CONFIG_WORDS_H
#define WSMAUTHZ_CONFIG_CONFIG_WORDS_H

#include <config/config_reading.h>

/* The kinds of bind mechanism, by what they must be told. */
enum config_credential {
	CONFIG_CREDENTIAL_SIMPLE = 0, /* a DN and its password */
	CONFIG_CREDENTIAL_NONE,       /* anonymous */
	CONFIG_CREDENTIAL_PASSWORD,   /* SASL: a user and its password */
	CONFIG_CREDENTIAL_OWN,        /* SASL: the process's own identity */
	CONFIG_CREDENTIAL_KERBEROS,   /* SASL: a key, or a ticket */
	CONFIG_CREDENTIAL_SERVICE,    /* the account that the service runs under, by the system's own means */
	CONFIG_CREDENTIAL_COUNT,
};

/* bind/@mechanism: enum config_credential */
extern const struct config_choice config_mechanisms[];

/* What holds where there is no <bind>; NULL: one must be written. */
extern const struct config_choice *const config_default_mechanism;

/* directory/@identity: enum config_identity */
extern const struct config_choice config_identities[];

/* audit/@to: enum config_audit_sink */
extern const struct config_choice config_audit_sinks[];

#endif
