/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Single values of a policy: their forms, and how they are shown in messages. Pure; used within config.
 * config_parse_duration and config_parse_size are declared in config.h, because others take such values too.
 */
#ifndef WSMAUTHZ_CONFIG_CONFIG_VALUE_H
#define WSMAUTHZ_CONFIG_CONFIG_VALUE_H

#include <base/compiler.h>
#include <base/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A DNS name (RFC 1035 section 2.3.4) and one of its labels; a NetBIOS name without its type byte. */
#define CONFIG_DOMAIN_MAX_BYTES  253
#define CONFIG_LABEL_MAX_BYTES   63
#define CONFIG_NETBIOS_MAX_BYTES 15

/* A SHA-1 thumbprint in hexadecimal digits. */
#define CONFIG_THUMBPRINT_BYTES 40

/* Enough of a value to recognise it in a message. */
#define CONFIG_SHOWN_BYTES 80

/** A whole number in decimal digits, nothing else, not above `maximum`. */
NODISCARD bool config_parse_number(const char *text, uint64_t maximum, uint64_t *number_out);

/** Whether a counted string is a name that a domain may have: a DNS name, or a NetBIOS name. */
bool config_is_domain_name(const char *name, size_t length);

/** Whether a counted string without blanks is several URIs with commas between them; a comma inside one URI is none. */
bool config_is_comma_list(const char *word, size_t length);

/** Whether a counted string is a SHA-1 thumbprint: 40 hexadecimal digits and nothing between them. */
bool config_is_thumbprint(const char *text, size_t length);

/** A value as a message shows it: cut at a character, control characters as '?'. */
struct config_shown {
	char text[CONFIG_SHOWN_BYTES + sizeof("...")];
};
const char *config_show(struct config_shown *shown, const char *value, size_t length);

/**
 * Set the hint for a name that is none of `names`: the one that was probably meant, or all of them.
 * @return `status`.
 */
enum status config_hint_names(struct error *error, enum status status, const char *wrong, const char *const *names,
			      size_t count);

#endif
