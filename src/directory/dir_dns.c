/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_dns.h>

#include <base/ascii.h>
#include <string.h>

#define POINTER_BITS 0xC0

uint16_t dir_dns_u16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

uint32_t dir_dns_u32(const uint8_t *at)
{
	return (uint32_t)dir_dns_u16(at) << 16 | dir_dns_u16(at + 2);
}

/* Append a label. False: no room, or a NUL in it. */
static bool add_label(char *out, size_t *used, const uint8_t *label, size_t length)
{
	if (*used + (*used > 0) + length + 1 > DIR_DNS_NAME_BYTES || memchr(label, '\0', length) != NULL)
		return false;
	if (*used > 0)
		out[(*used)++] = '.';
	memcpy(out + *used, label, length);
	*used += length;
	return true;
}

/* Each pointer must point before everything read so far, so that there is an end. */
bool dir_dns_read_name(const uint8_t *message, size_t length, size_t *at, char out[DIR_DNS_NAME_BYTES])
{
	char name[DIR_DNS_NAME_BYTES];
	size_t used = 0;
	size_t from = *at;
	size_t lowest = *at;
	size_t behind = 0; /* the name where it began; 0: no pointer yet */
	size_t size;

	for (;;) {
		if (from >= length)
			return false;
		size = message[from];
		if ((size & POINTER_BITS) == POINTER_BITS) {
			if (length - from < 2)
				return false;
			if (behind == 0)
				behind = from + 2;
			from = (size & ~(size_t)POINTER_BITS) << 8 | message[from + 1];
			if (from >= lowest)
				return false;
			lowest = from;
			continue;
		}
		from++;
		if (size == 0)
			break;
		if ((size & POINTER_BITS) != 0 || size > length - from || !add_label(name, &used, message + from, size))
			return false;
		from += size;
	}
	name[used] = '\0';
	memcpy(out, name, used + 1);
	*at = behind != 0 ? behind : from;
	return true;
}

static bool is_host_character(char c)
{
	return ascii_is_alnum(c) || c == '-' || c == '_';
}

static bool is_label_n(const char *label, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (!is_host_character(label[i]))
			return false;
	return length > 0 && length < DIR_DNS_LABEL_BYTES;
}

bool dir_dns_is_label(const char *name)
{
	return is_label_n(name, strlen(name));
}

bool dir_dns_is_host(const char *name)
{
	size_t length;

	if (strlen(name) >= DIR_DNS_NAME_BYTES)
		return false;
	for (;; name += length + 1) {
		length = strcspn(name, ".");
		if (!is_label_n(name, length))
			return false;
		if (name[length] == '\0')
			return true;
	}
}

bool dir_dns_is_within(const char *name, const char *domain)
{
	const size_t length = strlen(name);
	const size_t domain_length = strlen(domain);

	if (length < domain_length || !ascii_equal_nocase(name + length - domain_length, domain))
		return false;
	return length == domain_length || name[length - domain_length - 1] == '.';
}
