/* SPDX-License-Identifier: Apache-2.0 */
#include <config/config_words.h>

#include <stddef.h>

const struct config_choice config_mechanisms[] = {
    {.word = "simple", .value = CONFIG_CREDENTIAL_SIMPLE},
    {.word = "anonymous", .value = CONFIG_CREDENTIAL_NONE},
    {.word = "EXTERNAL", .value = CONFIG_CREDENTIAL_OWN},
    {.word = "GSSAPI", .value = CONFIG_CREDENTIAL_KERBEROS},
    {.word = "GSS-SPNEGO", .value = CONFIG_CREDENTIAL_KERBEROS},
    {.word = "SCRAM-SHA-1", .value = CONFIG_CREDENTIAL_PASSWORD},
    {.word = "SCRAM-SHA-256", .value = CONFIG_CREDENTIAL_PASSWORD},
    {.word = "SCRAM-SHA-512", .value = CONFIG_CREDENTIAL_PASSWORD},
    {.word = "negotiate",
     .refused = "the mechanism 'negotiate' exists on Windows only",
     .instead = "use GSSAPI or GSS-SPNEGO for Kerberos on this system"},
    {.word = NULL},
};

/* Whose word it is to be is not guessed. */
const struct config_choice *const config_default_mechanism = NULL;

const struct config_choice config_identities[] = {
    {.word = "name", .value = CONFIG_IDENTITY_NAME},
    {.word = "token",
     .refused = "identity=\"token\" needs the client tokens of Windows, which this system does not have",
     .instead = "write identity=\"name\", or leave the attribute out"},
    {.word = NULL},
};

const struct config_choice config_audit_sinks[] = {
    {.word = "journal", .value = CONFIG_AUDIT_SYSTEM},
    {.word = "file", .value = CONFIG_AUDIT_FILE},
    {.word = "eventlog",
     .refused = "the event log exists on Windows only",
     .instead = "write to=\"journal\", or to=\"file\" and a file"},
    {.word = NULL},
};
