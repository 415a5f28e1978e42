/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of a URI between "//" and the path. Used within identity.
 *
 * Sources: RFC 3986 section 3.2; RFC 4291 section 2.2 (IPv6 text); RFC 1123 section 2.1.
 */
#ifndef WSMAUTHZ_IDENTITY_URI_HOST_H
#define WSMAUTHZ_IDENTITY_URI_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define URI_HOST_MAX_BYTES  253
#define URI_LABEL_MAX_BYTES 63
#define URI_IPV6_BYTES      16

/* All borrowed from the parsed string, nothing terminated. */
struct uri_authority {
	const char *host; /* without brackets */
	size_t host_length;
	const char *port; /* behind the ':'; NULL when there is none */
	size_t port_length;
	const char *rest; /* path, query, fragment, or the end */
	bool has_brackets;
};

/**
 * Take the authority apart and check the host.
 *
 * @param at            behind "//".
 * @param fault_at_out  where it is wrong.
 * @return NULL, or why it is wrong, in words that follow "at byte offset N: ".
 */
const char *uri_split_authority(const char *at, const char *end, struct uri_authority *authority_out,
				const char **fault_at_out);

/** A decimal port from 1 to 65535 without leading zeros. */
bool uri_parse_port(const char *text, size_t length, uint16_t *port_out);

/** An IPv6 address, without brackets and zone. */
bool uri_parse_ipv6(const char *text, size_t length, uint8_t address_out[URI_IPV6_BYTES]);

#endif
