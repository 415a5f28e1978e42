/* SPDX-License-Identifier: Apache-2.0 */
#include <identity/uri.h>

#include <base/ascii.h>
#include <identity/hex.h>
#include <identity/uri_host.h>
#include <string.h>

#define HTTP_PORT  80
#define HTTPS_PORT 443

/* Printable characters that a URI may not hold (RFC 3986 section 2). */
#define NOT_IN_URI "\"<>\\^`{|}"

/* The byte that a percent escape stands for; -1 when it is none. */
static int escaped_byte(const char *at, const char *end)
{
	int high = end - at < 3 ? -1 : hex_value(at[1]);
	int low = high < 0 ? -1 : hex_value(at[2]);

	return low < 0 ? -1 : 16 * high + low;
}

static enum status refuse(struct error *error, size_t offset, const char *why)
{
	return error_set(error, STATUS_INVALID, "the URI is not usable at byte offset %zu: %s", offset, why);
}

/* Moves behind "scheme://" when that is what stands there, in any case. */
static bool take_scheme(const char **at, const char *end, const char *scheme)
{
	size_t length = strlen(scheme);

	if ((size_t)(end - *at) < length + 3 || !ascii_equal_nocase_n(*at, length, scheme, length) ||
	    memcmp(*at + length, "://", 3) != 0)
		return false;
	*at += length + 3;
	return true;
}

/* The first character from `at` on that no URI may hold, or an escape that is none or hides a control character. */
static enum status check_characters(const char *uri, const char *at, const char *end, struct error *error)
{
	int byte;

	for (; at < end; at++) {
		if (*at <= ' ' || *at > '~' || strchr(NOT_IN_URI, *at) != NULL)
			return refuse(error, (size_t)(at - uri), "this character is not allowed");
		if (*at == '#')
			return refuse(error, (size_t)(at - uri), "a fragment is not allowed");
		if (*at != '%')
			continue;
		byte = escaped_byte(at, end);
		if (byte < 0)
			return refuse(error, (size_t)(at - uri), "'%' needs two hex digits behind it");
		if (byte < ' ' || byte == 0x7F)
			return refuse(error, (size_t)(at - uri), "an escaped control character is not allowed");
	}
	return STATUS_OK;
}

/* Whether a path segment is "." or "..", however it is written. */
static bool is_dot_segment(const char *segment, const char *end)
{
	size_t dots = 0;

	while (segment < end) {
		if (*segment == '.')
			segment++;
		else if (escaped_byte(segment, end) == '.')
			segment += 3;
		else
			return false;
		dots++;
	}
	return dots == 1 || dots == 2;
}

/* The path and query of a redirect target. */
static enum status check_rest(const char *uri, const char *rest, const char *end, struct error *error)
{
	const char *path_end = memchr(rest, '?', (size_t)(end - rest)), *segment, *slash, *at;

	if (rest == end || *rest != '/')
		return refuse(error, (size_t)(rest - uri), "a path is expected here, as in '/wsman'");
	for (at = rest; at < end; at++) {
		if (*at == '[' || *at == ']')
			return refuse(error, (size_t)(at - uri), "this character is not allowed");
	}
	if (path_end == NULL)
		path_end = end;
	for (segment = rest + 1;; segment = slash + 1) {
		slash = memchr(segment, '/', (size_t)(path_end - segment));
		if (is_dot_segment(segment, slash != NULL ? slash : path_end))
			return refuse(error, (size_t)(segment - uri), "'.' and '..' are not allowed in the path");
		if (slash == NULL)
			return STATUS_OK;
	}
}

/* Host and port as we write them ourselves: no trailing dot; a port that is one. */
static enum status check_authority(const char *uri, const char *at, const char *end,
				   struct uri_authority *authority_out, struct error *error)
{
	const char *fault_at = at;
	const char *fault = uri_split_authority(at, end, authority_out, &fault_at);
	uint16_t port;

	if (fault != NULL)
		return refuse(error, (size_t)(fault_at - uri), fault);
	if (authority_out->host[authority_out->host_length - 1] == '.')
		return refuse(error, (size_t)(authority_out->host + authority_out->host_length - 1 - uri),
			      "the host must not end with a dot");
	if (authority_out->port != NULL && !uri_parse_port(authority_out->port, authority_out->port_length, &port))
		return refuse(error, (size_t)(authority_out->port - uri), "a port from 1 to 65535 is expected here");
	return STATUS_OK;
}

enum status uri_check_redirect(const char *uri, bool allow_http, struct error *error)
{
	size_t length = strlen(uri);
	const char *end = uri + length, *at = uri;
	struct uri_authority authority = {0};
	enum status status;

	if (length > URI_MAX_BYTES)
		return error_set(error, STATUS_LIMIT, "the URI is %zu bytes long; the most is %d", length,
				 URI_MAX_BYTES);
	status = check_characters(uri, uri, end, error);
	if (status != STATUS_OK)
		return status;
	if (!take_scheme(&at, end, "https") && !(allow_http && take_scheme(&at, end, "http"))) {
		status = refuse(
		    error, 0, allow_http ? "'https://' or 'http://' is expected here" : "'https://' is expected here");
		return error_hint(error, status, "A redirect target looks like https://host:5986/wsman.");
	}
	status = check_authority(uri, at, end, &authority, error);
	if (status != STATUS_OK)
		return status;
	if (authority.port == NULL) {
		status = refuse(error, (size_t)(authority.rest - uri), "':' and a port are expected here");
		return error_hint(error, status,
				  "Clients do not fill in WinRM's port for a redirect: give it, as in "
				  "https://host:5986/wsman.");
	}
	return check_rest(uri, authority.rest, end, error);
}

bool uri_parse_endpoint(const char *uri, struct uri_endpoint *endpoint_out)
{
	const char *at = uri, *end, *fault_at, *c;
	struct uri_authority authority;
	struct uri_endpoint endpoint = {.scheme = uri};

	if (uri == NULL)
		return false;
	end = uri + strlen(uri);
	if (take_scheme(&at, end, "https"))
		endpoint.port = HTTPS_PORT;
	else if (take_scheme(&at, end, "http"))
		endpoint.port = HTTP_PORT;
	else
		return false;
	endpoint.scheme_length = (size_t)(at - uri) - strlen("://");
	if (uri_split_authority(at, end, &authority, &fault_at) != NULL)
		return false;
	if (authority.port_length > 0 && !uri_parse_port(authority.port, authority.port_length, &endpoint.port))
		return false;
	for (c = authority.rest; c < end; c++) {
		if ((unsigned char)*c <= ' ' || *c == 0x7F || *c == '#')
			return false;
	}
	endpoint.host = authority.host;
	endpoint.host_length = authority.host_length;
	*endpoint_out = endpoint;
	return true;
}

static size_t length_without_dot(const struct uri_endpoint *endpoint)
{
	return endpoint->host_length - (endpoint->host[endpoint->host_length - 1] == '.' ? 1 : 0);
}

bool uri_endpoint_is_same(const struct uri_endpoint *a, const struct uri_endpoint *b)
{
	uint8_t a_address[URI_IPV6_BYTES], b_address[URI_IPV6_BYTES];

	if (a->host_length == 0 || b->host_length == 0 || a->port != b->port ||
	    !ascii_equal_nocase_n(a->scheme, a->scheme_length, b->scheme, b->scheme_length))
		return false;
	if (uri_parse_ipv6(a->host, a->host_length, a_address) && uri_parse_ipv6(b->host, b->host_length, b_address))
		return memcmp(a_address, b_address, URI_IPV6_BYTES) == 0;
	return ascii_equal_nocase_n(a->host, length_without_dot(a), b->host, length_without_dot(b));
}

/* "%2Frun%2Fldapi": the path of a socket, escaped so that it can stand where a host does. */
static enum status check_socket_path(const char *uri, const char *at, const char *end, struct error *error)
{
	enum status status = check_characters(uri, at, end, error);

	if (status != STATUS_OK)
		return status;
	if (escaped_byte(at, end) != '/')
		return refuse(error, (size_t)(at - uri), "an absolute path that begins with '%2F' is expected here");
	if (end - at == 3)
		return refuse(error, (size_t)(end - uri), "the socket's path has no name");
	for (; at < end; at++) {
		if (strchr("/?@:[]", *at) != NULL)
			return refuse(error, (size_t)(at - uri), "only a percent-encoded socket path may stand here");
	}
	return STATUS_OK;
}

bool uri_ldap_host(const char *uri, const char **host_out, size_t *length_out)
{
	const char *at = uri, *end = uri + strlen(uri), *fault_at;
	struct uri_authority authority = {0};

	if (!take_scheme(&at, end, "ldaps") && !take_scheme(&at, end, "ldap"))
		return false;
	if (end - at == 1 && *at == '/') {
		*host_out = at;
		*length_out = 0;
		return true;
	}
	if (uri_split_authority(at, end, &authority, &fault_at) != NULL || authority.port != NULL)
		return false;
	*host_out = authority.host;
	*length_out = authority.host_length;
	return true;
}

enum status uri_check_ldap(const char *uri, size_t length, struct error *error)
{
	const char *at = uri, *end = uri + length;
	struct uri_authority authority = {0};
	enum status status;

	if (length > URI_MAX_BYTES)
		return error_set(error, STATUS_INVALID, "the URI is %zu bytes long; the most is %d", length,
				 URI_MAX_BYTES);
	if (take_scheme(&at, end, "ldapi"))
		return check_socket_path(uri, at, end, error);
	if (!take_scheme(&at, end, "ldaps") && !take_scheme(&at, end, "ldap"))
		return refuse(error, 0, "'ldap://', 'ldaps://' or 'ldapi://' is expected here");
	if (end - at == 1 && *at == '/') /* no host: the servers are looked for */
		return STATUS_OK;
	status = check_authority(uri, at, end, &authority, error);
	if (status != STATUS_OK)
		return status;
	if (authority.rest != end) {
		status = refuse(error, (size_t)(authority.rest - uri), "nothing may stand behind host and port");
		return error_hint(error, status, "Base and filter have attributes of their own in the policy.");
	}
	return STATUS_OK;
}
