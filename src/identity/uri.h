/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The URIs that we hand out (redirect targets) and compare (the URL a sender came to).
 *
 * A host is a name (labels of ASCII letters, digits, '-' and '_', not beginning or ending with '-', at most 63
 * characters each and 253 in all), an IPv4 address (four decimal numbers; nothing else may end in a
 * number, because resolvers read "1.2" and "0x7f.1" as addresses) or an IPv6 address in brackets, without a zone.
 *
 * Sources: RFC 3986; RFC 4516 (ldap); RFC 1123 section 2.1; what WinRM clients accept: absolute, explicit port and
 * path, because PowerShell fills in the default WinRM port only for the URI that the user typed.
 */
#ifndef WSMAUTHZ_IDENTITY_URI_H
#define WSMAUTHZ_IDENTITY_URI_H

#include <base/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The service refuses longer locations with ERROR_REDIRECT_LOCATION_TOO_LONG; its limit is not published. */
#define URI_MAX_BYTES 1024

struct uri_endpoint {
	const char *scheme; /* borrowed from the parsed string; not terminated */
	size_t scheme_length;
	const char *host; /* without brackets; not terminated */
	size_t host_length;
	uint16_t port; /* explicit, or the scheme's: https 443, http 80 */
};

/**
 * Whether a URI may be a redirect target: absolute, https (http only when `allow_http`), a host (without a
 * trailing dot), an explicit port from 1 to 65535 (without leading zeros), an explicit path without "."
 * and ".." segments, no user info, no fragment, only printable ASCII without blanks, quotes, '<', '>',
 * '\', '^', '`', '{', '|', '}', and '[' and ']' only about an IPv6 address, valid percent escapes, none of
 * them of a control character, at most URI_MAX_BYTES. A query is allowed.
 *
 * @return STATUS_OK, STATUS_INVALID, STATUS_LIMIT (too long).
 */
NODISCARD enum status uri_check_redirect(const char *uri, bool allow_http, struct error *error);

/**
 * Scheme, host and port of an absolute http(s) URI, as a host may give for a request: port and path
 * may be missing or empty, a name may end in a dot, the rest is not looked at but for blanks, control
 * characters and a fragment, which no request has.
 *
 * @param uri           NULL is none.
 * @param endpoint_out  points into `uri`; untouched when the answer is false.
 */
NODISCARD bool uri_parse_endpoint(const char *uri, struct uri_endpoint *endpoint_out);

/**
 * Same scheme, host (without case, without a trailing dot; IPv6 addresses by value) and port. A zeroed
 * endpoint is the same as none.
 */
bool uri_endpoint_is_same(const struct uri_endpoint *a, const struct uri_endpoint *b);

/**
 * Whether an LDAP URI is one we connect to: ldap://host[:port], ldaps://host[:port] or ldapi://%2Fpath; no
 * slash behind, no DN, no filter, no user info. Also ldap:/// and ldaps:///, which name no host (RFC 4516 section 2).
 *
 * @return STATUS_OK or STATUS_INVALID (also when longer than URI_MAX_BYTES).
 */
NODISCARD enum status uri_check_ldap(const char *uri, size_t length, struct error *error);

/**
 * The host of an LDAP URI that may stand for a domain: ldap or ldaps, and no port.
 *
 * @param uri         one that uri_check_ldap takes.
 * @param host_out    points into `uri`; not terminated.
 * @param length_out  0: ldap:/// or ldaps:///.
 * @return false: ldapi, or a port is said; the outputs are untouched.
 */
NODISCARD bool uri_ldap_host(const char *uri, const char **host_out, size_t *length_out);

#endif
