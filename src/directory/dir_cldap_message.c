/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_cldap.h>

#include <base/ascii.h>
#include <directory/dir_ber.h>
#include <string.h>

/* RFC 4511: SearchRequest, SearchResultEntry; Filter: and, equalityMatch. */
#define TAG_SEARCH   0x63
#define TAG_ENTRY    0x64
#define TAG_AND      0xA0
#define TAG_EQUALITY 0xA3

/* MS-ADTS 6.3.1.1, little-endian: V5 (2), V5EX (4), V5EX_WITH_CLOSEST_SITE (0x10). */
#define NT_VERSION        "\x16\x00\x00\x00"
#define NT_VERSION_BYTES  4
#define WITH_IP           0x08U
#define WITH_CLOSEST_SITE 0x10U

/* MS-ADTS 6.3.1.3: LOGON_SAM_LOGON_RESPONSE_EX and, asked for no user, LOGON_SAM_USER_UNKNOWN_EX. */
#define IS_RESPONSE     23
#define IS_UNKNOWN_USER 25

/* Opcode, Sbz, Flags, DomainGuid; behind the names NtVersion, LmNtToken, Lm20Token. */
#define HEAD_BYTES 24
#define TAIL_BYTES 8

/* DER is written from its end, where the lengths are known. */
struct writer {
	uint8_t *out;
	size_t at; /* what is in front of it was not written yet */
	bool is_full;
};

static void put_bytes(struct writer *writer, const void *data, size_t length)
{
	if (writer->at < length) {
		writer->is_full = true;
		return;
	}
	writer->at -= length;
	memcpy(writer->out + writer->at, data, length);
}

static void put_byte(struct writer *writer, unsigned byte)
{
	const uint8_t data = (uint8_t)byte;

	put_bytes(writer, &data, 1);
}

/* In front of what was written since `end`. Nothing in a question has more than 64 KB. */
static void put_head(struct writer *writer, unsigned tag, size_t end)
{
	const size_t length = end - writer->at;

	if (length > 0xff)
		put_byte(writer, (unsigned)length & 0xff);
	if (length > 0xff)
		put_byte(writer, (unsigned)(length >> 8));
	else
		put_byte(writer, (unsigned)length);
	if (length > 0x7f)
		put_byte(writer, length > 0xff ? 0x82 : 0x81);
	put_byte(writer, tag);
}

static void put(struct writer *writer, unsigned tag, const void *data, size_t length)
{
	const size_t end = writer->at;

	put_bytes(writer, data, length);
	put_head(writer, tag, end);
}

/* One of 0 or more. */
static void put_number(struct writer *writer, unsigned tag, uint32_t number)
{
	const size_t end = writer->at;

	do {
		put_byte(writer, number & 0xff);
		number >>= 8;
	} while (number != 0);
	if (!writer->is_full && (writer->out[writer->at] & 0x80) != 0)
		put_byte(writer, 0);
	put_head(writer, tag, end);
}

static void put_equality(struct writer *writer, const char *name, const void *value, size_t length)
{
	const size_t end = writer->at;

	put(writer, DIR_BER_OCTETS, value, length);
	put(writer, DIR_BER_OCTETS, name, strlen(name));
	put_head(writer, TAG_EQUALITY, end);
}

/* base "", scope base, never dereference, no limits, values too; (&(DnsDomain=...)(NtVer=...)); netlogon */
static void put_search(struct writer *writer, const char *domain)
{
	const size_t end = writer->at;
	size_t filter_end;

	put(writer, DIR_BER_OCTETS, "Netlogon", strlen("Netlogon"));
	put_head(writer, DIR_BER_SEQUENCE, end);
	filter_end = writer->at;
	put_equality(writer, "NtVer", NT_VERSION, NT_VERSION_BYTES);
	put_equality(writer, "DnsDomain", domain, strlen(domain));
	put_head(writer, TAG_AND, filter_end);
	put(writer, DIR_BER_BOOLEAN, "", 1);
	put_number(writer, DIR_BER_INTEGER, 0);
	put_number(writer, DIR_BER_INTEGER, 0);
	put_number(writer, DIR_BER_ENUMERATED, 0);
	put_number(writer, DIR_BER_ENUMERATED, 0);
	put(writer, DIR_BER_OCTETS, "", 0);
	put_head(writer, TAG_SEARCH, end);
}

size_t dir_cldap_write(int32_t id, const char *domain, uint8_t out[DIR_CLDAP_MAX_QUESTION])
{
	struct writer writer = {.out = out, .at = DIR_CLDAP_MAX_QUESTION};

	put_search(&writer, domain);
	put_number(&writer, DIR_BER_INTEGER, (uint32_t)id);
	put_head(&writer, DIR_BER_SEQUENCE, DIR_CLDAP_MAX_QUESTION);
	if (writer.is_full)
		return 0;
	memmove(out, out + writer.at, DIR_CLDAP_MAX_QUESTION - writer.at);
	return DIR_CLDAP_MAX_QUESTION - writer.at;
}

static uint32_t little_u32(const uint8_t *at)
{
	return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static void drop_unless_label(char *name)
{
	if (!dir_dns_is_label(name))
		*name = '\0';
}

/* Behind ClientSiteName, as the version at the end says: the controller's address, the next site. What is not there is not said. */
static void read_next_site(const uint8_t *value, size_t names_end, size_t at, struct dir_cldap_answer *answer)
{
	const uint32_t version = little_u32(value + names_end);

	if ((version & WITH_IP) != 0) {
		if (at >= names_end || names_end - at - 1 < value[at])
			return;
		at += (size_t)value[at] + 1;
	}
	if ((version & WITH_CLOSEST_SITE) == 0 || !dir_dns_read_name(value, names_end, &at, answer->next_closest))
		answer->next_closest[0] = '\0';
}

bool dir_cldap_read_netlogon(const uint8_t *value, size_t length, struct dir_cldap_answer *answer_out)
{
	struct dir_cldap_answer answer = {0};
	char unused[DIR_DNS_NAME_BYTES];
	char *const names[] = {
	    unused /* forest */,   answer.domain,     answer.host,        unused /* NetBIOS: domain, */,
	    unused /* computer */, unused /* user */, answer.server_site, answer.client_site};
	size_t at = HEAD_BYTES;
	size_t names_end;
	unsigned opcode;

	if (length < HEAD_BYTES + TAIL_BYTES)
		return false;
	opcode = (unsigned)value[0] | (unsigned)value[1] << 8;
	if (opcode != IS_RESPONSE && opcode != IS_UNKNOWN_USER)
		return false;
	answer.flags = little_u32(value + 4);
	names_end = length - TAIL_BYTES;
	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (!dir_dns_read_name(value, names_end, &at, names[i]))
			return false;
	read_next_site(value, names_end, at, &answer);
	drop_unless_label(answer.server_site);
	drop_unless_label(answer.client_site);
	drop_unless_label(answer.next_closest);
	*answer_out = answer;
	return true;
}

/* The value of the first attribute, which must be netlogon: nothing else was asked for. */
static bool find_netlogon(struct dir_span attributes, struct dir_span *value_out)
{
	struct dir_span attribute, name, values;

	return dir_ber_take(&attributes, DIR_BER_SEQUENCE, &attribute) &&
	       dir_ber_take(&attribute, DIR_BER_OCTETS, &name) &&
	       ascii_equal_nocase_n(name.data, name.length, "netlogon", strlen("netlogon")) &&
	       dir_ber_take(&attribute, DIR_BER_SET, &values) && dir_ber_take(&values, DIR_BER_OCTETS, value_out);
}

static bool is_number(struct dir_span content, int32_t wanted)
{
	uint32_t number = 0;

	if (content.length == 0 || content.length > sizeof(number))
		return false;
	for (size_t i = 0; i < content.length; i++)
		number = number << 8 | (uint8_t)content.data[i];
	return number == (uint32_t)wanted;
}

bool dir_cldap_read(const uint8_t *message, size_t length, int32_t id, const char *domain,
		    struct dir_cldap_answer *answer_out)
{
	struct dir_cldap_answer answer = {0};
	/* The end of the search stands behind the entry, in the same packet. */
	struct dir_span packet = {(const char *)message, length};
	struct dir_span whole, number, entry, name, attributes, value;

	if (length == 0 || length > DIR_CLDAP_MAX_ANSWER || !dir_ber_take(&packet, DIR_BER_SEQUENCE, &whole) ||
	    !dir_ber_take(&whole, DIR_BER_INTEGER, &number) || !is_number(number, id) ||
	    !dir_ber_take(&whole, TAG_ENTRY, &entry) || !dir_ber_take(&entry, DIR_BER_OCTETS, &name) ||
	    !dir_ber_take(&entry, DIR_BER_SEQUENCE, &attributes) || !find_netlogon(attributes, &value) ||
	    !dir_cldap_read_netlogon((const uint8_t *)value.data, value.length, &answer) ||
	    !ascii_equal_nocase(answer.domain, domain))
		return false;
	*answer_out = answer;
	return true;
}
