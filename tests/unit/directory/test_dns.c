/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include <directory/dir_dns.h>
#include <stdio.h>
#include <string.h>

struct name_row {
	const char *bytes;
	size_t length, at;
	const char *expected; /* NULL: refused */
	size_t behind;
};

#define BYTES(text) text, sizeof(text) - 1

static const struct name_row names[] = {
    {BYTES("\x00"), 0, "", 1},
    {BYTES("\x03"
	   "dc1\x04"
	   "corp\x00"),
     0, "dc1.corp", 10},
    {BYTES("\x04"
	   "corp\x00\x03"
	   "dc1\xC0\x00"),
     6, "dc1.corp", 12},
    {BYTES("\x04"
	   "corp\x00\x01"
	   "b\xC0\x00\x01"
	   "a\xC0\x06"),
     10, "a.b.corp", 14},
    {BYTES("a b\x03"
	   "x y\x00"),
     3, "x y", 8},
    /* It ends too early. */
    {BYTES(""), 0, NULL, 0},
    {BYTES("\x00"), 1, NULL, 0},
    {BYTES("\x00"), SIZE_MAX, NULL, 0},
    {BYTES("\x03"
	   "dc"),
     0, NULL, 0},
    {BYTES("\x03"
	   "dc1"),
     0, NULL, 0},
    {BYTES("\xC0"), 0, NULL, 0},
    /* It points at itself, forward, in a circle, beyond the end. */
    {BYTES("\xC0\x00"), 0, NULL, 0},
    {BYTES("\xC0\x02\x00"), 0, NULL, 0},
    {BYTES("\xC0\x02\xC0\x00"), 2, NULL, 0},
    {BYTES("\x01"
	   "a\xC0\x00"),
     0, NULL, 0},
    {BYTES("\xFF\xFF"), 0, NULL, 0},
    /* Kinds of labels that nobody uses, and a NUL in a label. */
    {BYTES("\x40\x00"), 0, NULL, 0},
    {BYTES("\x80\x00"), 0, NULL, 0},
    {BYTES("\x03"
	   "a\x00"
	   "b\x00"),
     0, NULL, 0},
};

static void read_name__table(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		const struct name_row *row = &names[i];
		char name[DIR_DNS_NAME_BYTES] = "untouched";
		size_t at = row->at;
		const bool is_read = dir_dns_read_name((const uint8_t *)row->bytes, row->length, &at, name);

		if (is_read != (row->expected != NULL))
			print_error("row %zu\n", i);
		assert_int_equal(is_read, row->expected != NULL);
		assert_string_equal(name, is_read ? row->expected : "untouched");
		assert_true(at == (is_read ? row->behind : row->at));
	}
}

static void read_name__longest__is_read_and_one_more_is_not(void **state)
{
	uint8_t message[300];
	char name[DIR_DNS_NAME_BYTES];
	size_t at = 0;

	(void)state;
	/* 127 labels of one letter: 253 characters with their dots. */
	for (size_t i = 0; i < 128; i++) {
		message[2 * i] = 1;
		message[2 * i + 1] = 'a';
	}
	message[254] = 0;
	assert_true(dir_dns_read_name(message, 255, &at, name));
	assert_int_equal(strlen(name), 253);

	message[254] = 1;
	message[256] = 0;
	at = 0;
	assert_false(dir_dns_read_name(message, 257, &at, name));
}

/* Each points two bytes back: as many as there is room for. There is an end, and nothing is read twice. */
static void read_name__many_pointers__ends(void **state)
{
	uint8_t message[1024] = {0};
	char name[DIR_DNS_NAME_BYTES];
	size_t at = sizeof(message) - 2;

	(void)state;
	for (size_t i = 2; i < sizeof(message); i += 2) {
		message[i] = (uint8_t)(0xC0 | (i - 2) >> 8);
		message[i + 1] = (uint8_t)(i - 2);
	}
	assert_true(dir_dns_read_name(message, sizeof(message), &at, name));
	assert_string_equal(name, "");
	assert_int_equal(at, sizeof(message));
}

static void is_host__table(void **state)
{
	static const char *const hosts[] = {"dc1", "dc1.corp.example", "_x.a-b", "10.0.0.1", "A"};
	static const char *const others[] = {"",
					     ".",
					     "a.",
					     ".a",
					     "a..b",
					     "a b",
					     "a/b",
					     "a:1",
					     "a@b",
					     "a%b",
					     "\xC3\xA4",
					     "[::1]",
					     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(hosts); i++)
		assert_true(dir_dns_is_host(hosts[i]));
	for (size_t i = 0; i < COUNT_OF(others); i++)
		assert_false(dir_dns_is_host(others[i]));
	assert_true(dir_dns_is_label("Default-First-Site-Name"));
	assert_false(dir_dns_is_label("a.b"));
	assert_false(dir_dns_is_label(""));
}

static void is_within__table(void **state)
{
	(void)state;
	assert_true(dir_dns_is_within("corp.example", "corp.example"));
	assert_true(dir_dns_is_within("DC1.Corp.Example", "corp.example"));
	assert_true(dir_dns_is_within("a.b.corp.example", "corp.example"));
	assert_false(dir_dns_is_within("evilcorp.example", "corp.example"));
	assert_false(dir_dns_is_within("example", "corp.example"));
	assert_false(dir_dns_is_within("corp.example.evil", "corp.example"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(read_name__table),
	    cmocka_unit_test(read_name__longest__is_read_and_one_more_is_not),
	    cmocka_unit_test(read_name__many_pointers__ends),
	    cmocka_unit_test(is_host__table),
	    cmocka_unit_test(is_within__table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
