/* SPDX-License-Identifier: Apache-2.0 */
#include <config/config_words.h>

#include <stddef.h>

#define NO_SASL    "the LDAP library of Windows does not have this mechanism"
#define USE_OTHERS "use negotiate (the service's own identity), or simple with TLS"

const struct config_choice config_mechanisms[] = {
    {.word = "negotiate", .value = CONFIG_CREDENTIAL_SERVICE},
    {.word = "simple", .value = CONFIG_CREDENTIAL_SIMPLE},
    {.word = "anonymous", .value = CONFIG_CREDENTIAL_NONE},
    {.word = "EXTERNAL", .refused = NO_SASL, .instead = USE_OTHERS},
    {.word = "GSSAPI", .refused = NO_SASL, .instead = "use negotiate, which is Kerberos in a domain"},
    {.word = "GSS-SPNEGO", .refused = NO_SASL, .instead = "use negotiate, which is this under another name"},
    {.word = "SCRAM-SHA-1", .refused = NO_SASL, .instead = USE_OTHERS},
    {.word = "SCRAM-SHA-256", .refused = NO_SASL, .instead = USE_OTHERS},
    {.word = "SCRAM-SHA-512", .refused = NO_SASL, .instead = USE_OTHERS},
    {.word = NULL},
};

const struct config_choice *const config_default_mechanism = &config_mechanisms[0];

const struct config_choice config_identities[] = {
    {.word = "name", .value = CONFIG_IDENTITY_NAME},
    {.word = "token", .value = CONFIG_IDENTITY_TOKEN},
    {.word = NULL},
};

const struct config_choice config_audit_sinks[] = {
    {.word = "eventlog", .value = CONFIG_AUDIT_SYSTEM},
    {.word = "file", .value = CONFIG_AUDIT_FILE},
    {.word = "journal",
     .refused = "the journal exists on Linux only",
     .instead = "write to=\"eventlog\", or to=\"file\" and a file"},
    {.word = NULL},
};
