/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include <base/memory.h>
#include <directory/dir_cldap.h>
#include <stdio.h>
#include <string.h>

/* NETLOGON_SAM_LOGON_RESPONSE_EX of a controller of corp.example, as MS-ADTS 6.3.1.9 lays it out: names compressed. */
static const uint8_t netlogon[] = {
    23,   0,   0,   0,   0xFC, 0xF3, 0x03, 0,                                         /* opcode, flags */
    1,    2,   3,   4,   5,    6,    7,    8,    9,   10,  11,  12,  13,  14, 15, 16, /* the domain's GUID */
    4,    'c', 'o', 'r', 'p',  7,    'e',  'x',  'a', 'm', 'p', 'l', 'e', 0,          /* 24: forest */
    0xC0, 24,                                                                         /* domain */
    3,    'd', 'c', '1', 0xC0, 24,                                                    /* host */
    4,    'C', 'O', 'R', 'P',  0,    3,    'D',  'C', '1', 0,                         /* NetBIOS names */
    0,                                                                                /* no user */
    2,    'H', 'Q', 0,                                                                /* 58: the controller's site */
    6,    'B', 'r', 'a', 'n',  'c',  'h',  0,                                         /* ours */
    0xC0, 58,                                                                         /* the next closest: HQ */
    0x15, 0,   0,   0,   0xFF, 0xFF, 0xFF, 0xFF, /* NtVersion: with the next site; tokens */
};

static size_t wrap(int32_t id, const uint8_t *value, size_t length, const char *attribute, uint8_t *out)
{
	/* Long lengths of two bytes, as Windows writes them. */
	const size_t name = strlen(attribute);
	const size_t set = length + 4;
	const size_t pair = 2 + name + 4 + set;
	const size_t list = pair + 4;
	const size_t entry = 2 + 4 + list;
	const size_t whole = 3 + 4 + entry;
	size_t at = 0;

#define LONG(tag, size)                                                                                                \
	out[at++] = (tag), out[at++] = 0x82, out[at++] = (uint8_t)((size) >> 8), out[at++] = (uint8_t)(size)
	LONG(0x30, whole);
	out[at++] = 2;
	out[at++] = 1;
	out[at++] = (uint8_t)id;
	LONG(0x64, entry);
	out[at++] = 4;
	out[at++] = 0;
	LONG(0x30, list);
	LONG(0x30, pair);
	out[at++] = 4;
	out[at++] = (uint8_t)name;
	memcpy(out + at, attribute, name);
	at += name;
	LONG(0x31, set);
	LONG(0x04, length);
	memcpy(out + at, value, length);
#undef LONG
	return at + length;
}

static void read_netlogon__a_controllers_answer__is_read(void **state)
{
	struct dir_cldap_answer answer;

	(void)state;
	assert_true(dir_cldap_read_netlogon(netlogon, sizeof(netlogon), &answer));
	assert_string_equal(answer.domain, "corp.example");
	assert_string_equal(answer.host, "dc1.corp.example");
	assert_string_equal(answer.server_site, "HQ");
	assert_string_equal(answer.client_site, "Branch");
	assert_string_equal(answer.next_closest, "HQ");
	assert_true((answer.flags & DIR_CLDAP_SERVES_LDAP) != 0);
	assert_true((answer.flags & DIR_CLDAP_IS_WRITABLE) != 0);
	assert_true((answer.flags & DIR_CLDAP_IS_CLOSEST) != 0);
}

/* The address that version 8 puts before the next site is passed over; a length beyond the end is not believed. */
static void read_netlogon__with_an_address__finds_the_next_site_behind_it(void **state)
{
	const size_t head = sizeof(netlogon) - 10;
	struct dir_cldap_answer answer;
	uint8_t value[sizeof(netlogon) + 17];

	(void)state;
	memcpy(value, netlogon, head);
	memset(value + head, 0, 17);
	value[head] = 16;
	memcpy(value + head + 17, netlogon + head, 10);
	value[head + 17 + 2] = 0x1D;
	assert_true(dir_cldap_read_netlogon(value, sizeof(value), &answer));
	assert_string_equal(answer.next_closest, "HQ");

	value[head] = 255;
	assert_true(dir_cldap_read_netlogon(value, sizeof(value), &answer));
	assert_string_equal(answer.client_site, "Branch");
	assert_string_equal(answer.next_closest, "");
}

static void read_netlogon__a_site_that_is_no_label__is_not_said(void **state)
{
	uint8_t value[sizeof(netlogon)];
	struct dir_cldap_answer answer;

	(void)state;
	memcpy(value, netlogon, sizeof(value));
	memcpy(memchr(value, 'B', sizeof(value)), "Br.n/h", 6);
	assert_true(dir_cldap_read_netlogon(value, sizeof(value), &answer));
	assert_string_equal(answer.client_site, "");
	assert_string_equal(answer.server_site, "HQ");
}

static void read__in_its_message__is_read(void **state)
{
	uint8_t message[512];
	const size_t length = wrap(7, netlogon, sizeof(netlogon), "Netlogon", message);
	struct dir_cldap_answer answer = {0};

	(void)state;
	assert_true(dir_cldap_read(message, length, 7, "CORP.example", &answer));
	assert_string_equal(answer.client_site, "Branch");
}

static void read__not_to_us__is_refused(void **state)
{
	uint8_t message[512];
	size_t length = wrap(7, netlogon, sizeof(netlogon), "Netlogon", message);
	struct dir_cldap_answer answer = {0};

	(void)state;
	assert_false(dir_cldap_read(message, length, 8, "corp.example", &answer));
	assert_false(dir_cldap_read(message, length, 7, "other.example", &answer));
	assert_false(dir_cldap_read(message, 0, 7, "corp.example", &answer));
	length = wrap(7, netlogon, sizeof(netlogon), "netlogin", message);
	assert_false(dir_cldap_read(message, length, 7, "corp.example", &answer));
	assert_string_equal(answer.client_site, "");
}

/* Cut anywhere, any byte another: no more is read than is there (the sanitizers see to that), and no answer has a strange site. */
static void read__cut_or_changed__stays_within_its_bounds(void **state)
{
	uint8_t message[512];
	const size_t length = wrap(7, netlogon, sizeof(netlogon), "netlogon", message);
	struct dir_cldap_answer answer;

	(void)state;
	for (size_t cut = 1; cut < length; cut++) {
		uint8_t *exact = (uint8_t *)memory_copy_bytes(message, cut);

		assert_false(dir_cldap_read(exact, cut, 7, "corp.example", &answer));
		memory_free(exact);
	}
	for (size_t at = 0; at < length; at++) {
		const uint8_t before = message[at];

		for (unsigned value = 0; value < 256; value++) {
			message[at] = (uint8_t)value;
			if (dir_cldap_read(message, length, 7, "corp.example", &answer))
				assert_true(answer.client_site[0] == '\0' || dir_dns_is_label(answer.client_site));
		}
		message[at] = before;
	}
}

static void write__is_the_question_of_the_specification(void **state)
{
	static const uint8_t expected[] = {
	    0x30, 0x48, 2,    1,    5,    0x63, 0x43, 4,   0,   10,  1,   0,   10,  1,   0,   2,    1, 0,   2,
	    1,    0,    1,    1,    0, /* base "", no limits */
	    0xA0, 0x24, 0xA3, 0x13, 4,    9,    'D',  'n', 's', 'D', 'o', 'm', 'a', 'i', 'n', 4,    6, 'x', '.',
	    't',  'e',  's',  't',  0xA3, 0x0D, 4,    5,   'N', 't', 'V', 'e', 'r', 4,   4,   0x16, 0, 0,   0, /* */
	    0x30, 0x0A, 4,    8,    'N',  'e',  't',  'l', 'o', 'g', 'o', 'n'};
	uint8_t question[DIR_CLDAP_MAX_QUESTION];

	(void)state;
	const size_t length = dir_cldap_write(5, "x.test", question);

	assert_int_equal(length, sizeof(expected));
	assert_memory_equal(question, expected, sizeof(expected));
}

static void write__a_domain_too_long__is_refused(void **state)
{
	uint8_t question[DIR_CLDAP_MAX_QUESTION];
	char domain[600];

	(void)state;
	memset(domain, 'a', sizeof(domain));
	domain[sizeof(domain) - 1] = '\0';
	assert_int_equal(dir_cldap_write(5, domain, question), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(read_netlogon__a_controllers_answer__is_read),
	    cmocka_unit_test(read_netlogon__with_an_address__finds_the_next_site_behind_it),
	    cmocka_unit_test(read_netlogon__a_site_that_is_no_label__is_not_said),
	    cmocka_unit_test(read__in_its_message__is_read),
	    cmocka_unit_test(read__not_to_us__is_refused),
	    cmocka_unit_test(read__cut_or_changed__stays_within_its_bounds),
	    cmocka_unit_test(write__is_the_question_of_the_specification),
	    cmocka_unit_test(write__a_domain_too_long__is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
