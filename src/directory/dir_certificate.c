/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_certificate.h>

#include <base/ascii.h>
#include <base/compiler.h>
#include <dir_socket.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Tags of X.690 and of RFC 5280, as far as they are met on the way. */
#define TAG_OCTET_STRING 0x04
#define TAG_OID          0x06
#define TAG_UTC_TIME     0x17
#define TAG_TIME         0x18
#define TAG_SEQUENCE     0x30
#define TAG_VERSION      0xa0
#define TAG_EXTENSIONS   0xa3
#define TAG_DNS_NAME     0x82
#define TAG_ADDRESS      0x87

/* A part of the certificate that was not read yet. */
struct der {
	const uint8_t *at, *end;
};

/* Take the next element. False: there is none, or it does not lie inside. */
static bool take(struct der *in, unsigned *tag_out, struct der *content_out)
{
	const uint8_t *at = in->at;
	size_t length;
	unsigned count;

	if (in->end - at < 2)
		return false;
	*tag_out = *at++;
	length = *at++;
	if (length >= 0x80) {
		count = (unsigned)length & 0x7f;
		/* Four bytes of length are more than any certificate has. */
		if (count == 0 || count > 4 || in->end - at < (ptrdiff_t)count)
			return false;
		for (length = 0; count > 0; count--)
			length = length << 8 | *at++;
	}
	if (length > (size_t)(in->end - at))
		return false;
	content_out->at = at;
	content_out->end = at + length;
	in->at = at + length;
	return true;
}

static bool take_tagged(struct der *in, unsigned wanted, struct der *content_out)
{
	unsigned tag = 0;

	return take(in, &tag, content_out) && tag == wanted;
}

static bool skip(struct der *in, unsigned count)
{
	struct der ignored;
	unsigned tag = 0;

	for (; count > 0; count--)
		if (!take(in, &tag, &ignored))
			return false;
	return true;
}

/* RFC 5280 4.1.2.5.1: the two digits of a UTCTime count from 1950. */
static bool take_time(struct der *in, char out[DIR_CERTIFICATE_TIME_BYTES])
{
	struct der time;
	unsigned tag = 0;
	size_t digits;
	size_t i;

	if (!take(in, &tag, &time) || (tag != TAG_UTC_TIME && tag != TAG_TIME))
		return false;
	digits = tag == TAG_UTC_TIME ? 12 : 14;
	if ((size_t)(time.end - time.at) < digits)
		return false;
	for (i = 0; i < digits; i++)
		if (!ascii_is_digit((char)time.at[i]))
			return false;
	if (tag == TAG_UTC_TIME)
		memcpy(out, time.at[0] >= '5' ? "19" : "20", 2);
	memcpy(out + (14 - digits), time.at, digits);
	out[14] = '\0';
	return true;
}

static bool is_printable(const struct der *text)
{
	const uint8_t *at;

	for (at = text->at; at < text->end; at++)
		if (*at < 0x21 || *at > 0x7e)
			return false;
	return text->at < text->end;
}

static void add_name(struct dir_certificate *out, const char *name, size_t length)
{
	const size_t used = strlen(out->names);
	const size_t room = sizeof(out->names) - used;

	if (length + 3 <= room)
		(void)snprintf(out->names + used, room, "%s%.*s", used > 0 ? ", " : "", (int)length, name);
}

static bool is_address(const char *host)
{
	unsigned char address[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

/* RFC 6125 6.4.3: "*" stands for the whole leftmost label. An address is no name: "*.0.0.1" is not 127.0.0.1. */
static bool matches(const char *name, size_t length, const char *host)
{
	const char *dot = strchr(host, '.');

	if (is_address(host))
		return false;
	if (length > 2 && name[0] == '*' && name[1] == '.' && dot != NULL)
		return ascii_equal_nocase_n(name + 1, length - 1, dot, strlen(dot));
	return ascii_equal_nocase_n(name, length, host, strlen(host));
}

static void read_name(unsigned tag, const struct der *name, const char *host, struct dir_certificate *out)
{
	const size_t length = (size_t)(name->end - name->at);
	char address[INET6_ADDRSTRLEN];
	int family = 0;

	out->has_names = out->has_names || tag == TAG_DNS_NAME || tag == TAG_ADDRESS;
	if (tag == TAG_DNS_NAME && is_printable(name)) {
		add_name(out, (const char *)name->at, length);
		out->has_host = out->has_host || matches((const char *)name->at, length, host);
	}
	if (tag == TAG_ADDRESS && length == sizeof(struct in_addr))
		family = AF_INET;
	if (tag == TAG_ADDRESS && length == sizeof(struct in6_addr))
		family = AF_INET6;
	if (family != 0 && inet_ntop(family, name->at, address, sizeof(address)) != NULL) {
		add_name(out, address, strlen(address));
		out->has_host = out->has_host || strcmp(address, host) == 0;
	}
}

/* subjectAltName ::= SEQUENCE OF GeneralName, inside an OCTET STRING */
static void read_names(struct der in, const char *host, struct dir_certificate *out)
{
	struct der names;
	struct der name;
	unsigned tag = 0;

	if (!take_tagged(&in, TAG_SEQUENCE, &names))
		return;
	while (take(&names, &tag, &name))
		read_name(tag, &name, host, out);
}

static void read_extensions(struct der in, const char *host, struct dir_certificate *out)
{
	static const uint8_t subject_alt_name[] = {0x55, 0x1d, 0x11};
	struct der extensions;
	struct der extension;
	struct der oid;
	struct der value = {0};
	unsigned tag = 0;

	if (!take_tagged(&in, TAG_SEQUENCE, &extensions))
		return;
	while (take_tagged(&extensions, TAG_SEQUENCE, &extension)) {
		if (!take_tagged(&extension, TAG_OID, &oid) || (size_t)(oid.end - oid.at) != sizeof(subject_alt_name) ||
		    memcmp(oid.at, subject_alt_name, sizeof(subject_alt_name)) != 0)
			continue;
		/* "critical" may stand between the two. */
		while (take(&extension, &tag, &value))
			if (tag == TAG_OCTET_STRING)
				read_names(value, host, out);
	}
}

bool dir_certificate_read(const void *der, size_t length, const char *host, struct dir_certificate *out)
{
	struct der in = {.at = der, .end = (const uint8_t *)der + length};
	struct dir_certificate found = {0};
	struct der certificate;
	struct der fields;
	struct der part;
	unsigned tag = 0;

	if (!take_tagged(&in, TAG_SEQUENCE, &certificate) || !take_tagged(&certificate, TAG_SEQUENCE, &fields))
		return false;
	/* version (may be absent), serial number, signature algorithm, issuer, validity */
	if (fields.at < fields.end && *fields.at == TAG_VERSION && !skip(&fields, 1))
		return false;
	if (!skip(&fields, 3) || !take_tagged(&fields, TAG_SEQUENCE, &part) || !take_time(&part, found.not_before) ||
	    !take_time(&part, found.not_after))
		return false;
	while (take(&fields, &tag, &part))
		if (tag == TAG_EXTENSIONS)
			read_extensions(part, host, &found);
	*out = found;
	return true;
}
