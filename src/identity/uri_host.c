/* SPDX-License-Identifier: Apache-2.0 */
#include <identity/uri_host.h>

#include <base/ascii.h>
#include <identity/hex.h>
#include <string.h>

#define IPV6_GROUPS 8

/* A decimal number up to `max` without leading zeros; how many characters it has, 0 when it is none. */
static size_t take_decimal(const char *text, size_t length, unsigned long max, unsigned long *number_out)
{
	unsigned long number = 0;
	size_t i;

	for (i = 0; i < length && ascii_is_digit(text[i]); i++) {
		number = number * 10 + (unsigned long)(text[i] - '0');
		if (number > max || (i > 0 && text[0] == '0'))
			return 0;
	}
	if (i > 0)
		*number_out = number;
	return i;
}

static bool parse_ipv4(const char *text, size_t length, uint8_t address_out[4])
{
	unsigned long number = 0;
	size_t i, taken;

	for (i = 0; i < 4; i++) {
		if (i > 0) {
			if (length == 0 || *text != '.')
				return false;
			text++;
			length--;
		}
		taken = take_decimal(text, length, 255, &number);
		if (taken == 0)
			return false;
		text += taken;
		length -= taken;
		address_out[i] = (uint8_t)number;
	}
	return length == 0;
}

/* One to four hex digits; how many. */
static size_t take_group(const char *text, size_t length, uint16_t *group_out)
{
	unsigned group = 0;
	size_t i;

	for (i = 0; i < length && i < 4 && hex_value(text[i]) >= 0; i++)
		group = group << 4 | (unsigned)hex_value(text[i]);
	*group_out = (uint16_t)group;
	return i;
}

/* The groups of an address in order, and where "::" stands among them (IPV6_GROUPS + 1: nowhere). */
struct groups {
	uint16_t group[IPV6_GROUPS];
	size_t count, gap;
};

/* What is left of an address ends in an IPv4 address: two groups. */
static bool take_ipv4_tail(const char *text, size_t length, struct groups *groups)
{
	uint8_t v4[4];

	if (groups->count > IPV6_GROUPS - 2 || !parse_ipv4(text, length, v4))
		return false;
	groups->group[groups->count++] = (uint16_t)(v4[0] << 8 | v4[1]);
	groups->group[groups->count++] = (uint16_t)(v4[2] << 8 | v4[3]);
	return true;
}

static bool take_groups(const char *text, size_t length, struct groups *groups)
{
	const char *at = text, *end = text + length;
	size_t taken;

	if (length >= 2 && at[0] == ':' && at[1] == ':') {
		groups->gap = 0;
		at += 2;
	}
	while (at < end) {
		if (memchr(at, ':', (size_t)(end - at)) == NULL && memchr(at, '.', (size_t)(end - at)) != NULL)
			return take_ipv4_tail(at, (size_t)(end - at), groups);
		if (groups->count == IPV6_GROUPS)
			return false;
		taken = take_group(at, (size_t)(end - at), &groups->group[groups->count]);
		if (taken == 0)
			return false;
		groups->count++;
		at += taken;
		if (at == end)
			return true;
		if (*at++ != ':' || at == end)
			return false;
		if (*at == ':') {
			if (groups->gap <= IPV6_GROUPS)
				return false;
			groups->gap = groups->count;
			at++;
		}
	}
	return groups->gap <= IPV6_GROUPS;
}

bool uri_parse_ipv6(const char *text, size_t length, uint8_t address_out[URI_IPV6_BYTES])
{
	struct groups groups = {.gap = IPV6_GROUPS + 1};
	bool has_gap;
	size_t i, at;

	if (!take_groups(text, length, &groups))
		return false;
	has_gap = groups.gap <= IPV6_GROUPS;
	if (has_gap ? groups.count == IPV6_GROUPS : groups.count != IPV6_GROUPS)
		return false;
	memset(address_out, 0, URI_IPV6_BYTES);
	for (i = 0; i < groups.count; i++) {
		at = has_gap && i >= groups.gap ? IPV6_GROUPS - groups.count + i : i;
		address_out[2 * at] = (uint8_t)(groups.group[i] >> 8);
		address_out[2 * at + 1] = (uint8_t)(groups.group[i] & 0xFF);
	}
	return true;
}

static bool is_label(const char *label, size_t length)
{
	size_t i;

	for (i = 0; i < length; i++) {
		if (!ascii_is_alnum(label[i]) && label[i] != '-' && label[i] != '_')
			return false;
	}
	return length > 0 && length <= URI_LABEL_MAX_BYTES && label[0] != '-' && label[length - 1] != '-';
}

/* Whether resolvers may take a name that ends in this label for an address: digits, or 0x and hex digits. */
static bool is_number(const char *label, size_t length)
{
	bool is_hex = length >= 2 && label[0] == '0' && ascii_lower(label[1]) == 'x';
	size_t i;

	for (i = is_hex ? 2 : 0; i < length; i++) {
		if (is_hex ? hex_value(label[i]) < 0 : !ascii_is_digit(label[i]))
			return false;
	}
	return true;
}

/* A name, perhaps with a trailing dot, or an IPv4 address. */
static bool is_name_or_ipv4(const char *host, size_t length)
{
	const char *label = host, *end, *dot;
	uint8_t v4[4];

	if (length > 0 && host[length - 1] == '.')
		length--;
	else if (parse_ipv4(host, length, v4))
		return true;
	if (length == 0 || length > URI_HOST_MAX_BYTES)
		return false;
	end = host + length;
	for (;;) {
		dot = memchr(label, '.', (size_t)(end - label));
		if (!is_label(label, (size_t)((dot != NULL ? dot : end) - label)))
			return false;
		if (dot == NULL)
			return !is_number(label, (size_t)(end - label));
		label = dot + 1;
	}
}

bool uri_parse_port(const char *text, size_t length, uint16_t *port_out)
{
	unsigned long port = 0;

	if (length == 0 || take_decimal(text, length, UINT16_MAX, &port) != length || port == 0)
		return false;
	*port_out = (uint16_t)port;
	return true;
}

static const char *end_of_authority(const char *at, const char *end)
{
	while (at < end && *at != '/' && *at != '?' && *at != '#')
		at++;
	return at;
}

/* Finds the host; *colon_out is where a port may begin. NULL, or what is wrong. */
static const char *find_host(const char *at, struct uri_authority *authority, const char **colon_out)
{
	size_t length = (size_t)(authority->rest - at);
	uint8_t address[URI_IPV6_BYTES];
	const char *end;

	authority->has_brackets = length > 0 && *at == '[';
	authority->host = authority->has_brackets ? at + 1 : at;
	end = length > 0 ? memchr(at, authority->has_brackets ? ']' : ':', length) : NULL;
	if (authority->has_brackets && end == NULL)
		return "']' is missing behind the address";
	if (end == NULL)
		end = authority->rest;
	authority->host_length = (size_t)(end - authority->host);
	*colon_out = authority->has_brackets ? end + 1 : end;
	if (authority->has_brackets)
		return uri_parse_ipv6(authority->host, authority->host_length, address) ? NULL
											: "this is no IPv6 address";
	if (authority->host_length == 0)
		return "a host is expected here";
	return is_name_or_ipv4(authority->host, authority->host_length) ? NULL : "this is no host name or address";
}

const char *uri_split_authority(const char *at, const char *end, struct uri_authority *authority_out,
				const char **fault_at_out)
{
	struct uri_authority authority = {.rest = end_of_authority(at, end)};
	const char *colon = NULL, *fault;
	const char *sign = at < authority.rest ? memchr(at, '@', (size_t)(authority.rest - at)) : NULL;

	*fault_at_out = sign != NULL ? sign : at;
	if (sign != NULL)
		return "user information is not allowed";
	fault = find_host(at, &authority, &colon);
	if (fault != NULL)
		return fault;
	*fault_at_out = colon;
	if (colon < authority.rest) {
		if (*colon != ':')
			return "':' and a port are expected here";
		authority.port = colon + 1;
		authority.port_length = (size_t)(authority.rest - authority.port);
	}
	*authority_out = authority;
	return NULL;
}
