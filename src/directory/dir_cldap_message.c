/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_cldap.h>

#include <base/ascii.h>
#include <base/memory.h>
#include <lber.h>
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

size_t dir_cldap_write(int32_t id, const char *domain, uint8_t out[DIR_CLDAP_MAX_QUESTION])
{
	BerElement *ber = ber_alloc_t(LBER_USE_DER);
	struct berval encoded = {0, NULL};
	size_t length = 0;

	if (ber == NULL)
		return 0;
	/* base "", scope base, never dereference, no limits, values too; (&(DnsDomain=...)(NtVer=...)); netlogon */
	if (ber_printf(ber, "{it{seeiibt{t{so}t{so}}{s}}}", (ber_int_t)id, (ber_tag_t)TAG_SEARCH, "", (ber_int_t)0,
		       (ber_int_t)0, (ber_int_t)0, (ber_int_t)0, (ber_int_t)0, (ber_tag_t)TAG_AND,
		       (ber_tag_t)TAG_EQUALITY, "DnsDomain", domain, (ber_len_t)strlen(domain), (ber_tag_t)TAG_EQUALITY,
		       "NtVer", NT_VERSION, (ber_len_t)NT_VERSION_BYTES, "Netlogon") != -1 &&
	    ber_flatten2(ber, &encoded, 0) == 0 && encoded.bv_len <= DIR_CLDAP_MAX_QUESTION) {
		memcpy(out, encoded.bv_val, encoded.bv_len);
		length = encoded.bv_len;
	}
	ber_free(ber, 1);
	return length;
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

/* The value of the first attribute, which must be netlogon: nothing else was asked for. It is borrowed from the element. */
static bool find_netlogon(BerElement *ber, struct berval *value_out)
{
	struct berval name = {0, NULL};
	ber_len_t length = 0;

	return ber_scanf(ber, "{m", &name) != LBER_ERROR &&
	       ascii_equal_nocase_n(name.bv_val, name.bv_len, "netlogon", strlen("netlogon")) &&
	       ber_skip_tag(ber, &length) == LBER_SET && ber_peek_tag(ber, &length) == LBER_OCTETSTRING &&
	       ber_scanf(ber, "m", value_out) != LBER_ERROR;
}

bool dir_cldap_read(const uint8_t *message, size_t length, int32_t id, const char *domain,
		    struct dir_cldap_answer *answer_out)
{
	struct dir_cldap_answer answer = {0};
	struct berval whole = {length, NULL};
	struct berval value = {0, NULL};
	struct berval name = {0, NULL};
	ber_tag_t tag = LBER_ERROR;
	ber_int_t their_id = 0;
	BerElement *ber;
	bool is_good;

	if (length == 0 || length > DIR_CLDAP_MAX_ANSWER)
		return false;
	whole.bv_val = memory_copy_bytes(message, length); /* ber_init takes no const */
	ber = whole.bv_val == NULL ? NULL : ber_init(&whole);
	memory_free(whole.bv_val);
	if (ber == NULL)
		return false;
	is_good = ber_scanf(ber, "{it{m{", &their_id, &tag, &name) != LBER_ERROR && tag == TAG_ENTRY &&
		  their_id == id && find_netlogon(ber, &value) &&
		  dir_cldap_read_netlogon((const uint8_t *)value.bv_val, value.bv_len, &answer) &&
		  ascii_equal_nocase(answer.domain, domain);
	ber_free(ber, 1);
	if (is_good)
		*answer_out = answer;
	return is_good;
}
