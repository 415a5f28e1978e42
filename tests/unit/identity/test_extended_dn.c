/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include <identity/extended_dn.h>
#include <stdio.h>
#include <string.h>

#define GUID "2092dd8c-1f4d-4cd5-a2b8-6a3c0ad6e8a7"

static void extended_dn_parse__components__are_taken_apart(void **state)
{
	static const struct {
		const char *value, *guid, *sid, *ttl, *dn;
	} rows[] = {
	    {"<GUID=" GUID ">;<SID=S-1-5-21-1-2-3-512>;CN=a,DC=x", GUID, "S-1-5-21-1-2-3-512", "", "CN=a,DC=x"},
	    {"<GUID=" GUID ">;CN=a,DC=x", GUID, "", "", "CN=a,DC=x"},
	    {"<TTL=86393>,<GUID=" GUID ">;<SID=S-1-5-32-544>;CN=a", GUID, "S-1-5-32-544", "86393", "CN=a"},
	    {"<TTL=0>,CN=a", "", "", "0", "CN=a"},
	    {"<TTL=4294967295>,CN=a", "", "", "4294967295", "CN=a"},
	    {"CN=a,DC=x", "", "", "", "CN=a,DC=x"},
	    {"CN=a\\<b\\>\\;,DC=x", "", "", "", "CN=a\\<b\\>\\;,DC=x"},
	    {"<guid=2092DD8C-1F4D-4CD5-A2B8-6A3C0AD6E8A7>;<sid=s-1-5-32-544>;CN=a", GUID, "S-1-5-32-544", "", "CN=a"},
	    {"<NEW=x=y>;<SID=S-1-5-32-544>;CN=a", "", "S-1-5-32-544", "", "CN=a"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct extended_dn extended;
		char sid[SID_TEXT_BYTES], ttl[16] = "";

		assert_row(rows[i].value, extended_dn_parse(rows[i].value, strlen(rows[i].value), &extended));
		assert_string_equal(extended.guid, rows[i].guid);
		assert_int_equal(extended.has_sid, *rows[i].sid != '\0');
		sid_format(&extended.sid, sid);
		assert_string_equal(sid, rows[i].sid);
		if (extended.has_ttl)
			(void)snprintf(ttl, sizeof(ttl), "%u", (unsigned)extended.ttl_s);
		assert_string_equal(ttl, rows[i].ttl);
		assert_int_equal(extended.dn_length, strlen(rows[i].dn));
		assert_memory_equal(extended.dn, rows[i].dn, extended.dn_length);
	}
}

static void extended_dn_parse__malformed__is_none(void **state)
{
	static const char *const rows[] = {
	    "",
	    "<",
	    "<>;CN=a",
	    "<=x>;CN=a",
	    "<SID>;CN=a",
	    "<SID=S-1-5-32-544",
	    "<SID=S-1-5-32-544>",
	    "<SID=S-1-5-32-544>CN=a",
	    "<SID=S-1-5-32-544>;",
	    "<SID=>;CN=a",
	    "<SID=S-1-5-32-544 >;CN=a",
	    "<SID=S-2-5-32>;CN=a",
	    "<SID=S-1-5-4294967296>;CN=a",
	    "<SID=010200000000000520000000200020000>;CN=a",
	    "<SID=S-1-5-32-544>;<SID=S-1-5-32-545>;CN=a",
	    "<GUID=" GUID ">;<GUID=" GUID ">;CN=a",
	    "<GUID=2092dd8c1f4d4cd5a2b86a3c0ad6e8a7>;CN=a",
	    "<GUID=2092dd8c-1f4d-4cd5-a2b8-6a3c0ad6e8ag>;CN=a",
	    "<GUID=2092dd8c-1f4d-4cd5-a2b8-6a3c0ad6e8a7a>;CN=a",
	    "<TTL=>,CN=a",
	    "<TTL=-1>,CN=a",
	    "<TTL=4294967296>,CN=a",
	    "<TTL=00000000001>,CN=a",
	    "<TTL=1>,<TTL=1>,CN=a",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct extended_dn extended = {.dn = "untouched"};

		assert_row(rows[i], !extended_dn_parse(rows[i], strlen(rows[i]), &extended));
		assert_row(rows[i], strcmp(extended.dn, "untouched") == 0);
	}
}

/* A value is counted: what stands behind it is never looked at. */
static void extended_dn_parse__cut_anywhere__stays_inside(void **state)
{
	static const char whole[] = "<TTL=5>,<GUID=" GUID ">;<SID=S-1-5-21-1-2-3-512>;CN=a,DC=x";
	const size_t plain = strlen(whole) - strlen("CN=a,DC=x");

	(void)state;
	for (size_t length = 0; length < sizeof(whole); length++) {
		struct extended_dn extended;

		assert_int_equal(extended_dn_parse(whole, length, &extended), length > plain);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(extended_dn_parse__components__are_taken_apart),
	    cmocka_unit_test(extended_dn_parse__malformed__is_none),
	    cmocka_unit_test(extended_dn_parse__cut_anywhere__stays_inside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
