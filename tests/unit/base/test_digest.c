/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include <base/digest.h>
#include <stdio.h>
#include <string.h>

/* Keys and messages are the bytes 0, 1, 2, ...: the vectors of the reference implementation. */
static const struct digest_key counting_key = {0x0706050403020100u, 0x0F0E0D0C0B0A0908u};

static void put_hex(uint64_t word, char *out)
{
	int i;

	for (i = 0; i < 8; i++)
		(void)snprintf(out + (size_t)i * 2, 3, "%02x", (unsigned)(word >> (8 * i) & 0xFF));
}

static void digest_of__reference_vectors__agree(void **state)
{
	static const struct {
		size_t length;
		const char *expected;
	} rows[] = {
	    {0, "a3817f04ba25a8e66df67214c7550293"},  {1, "da87c1d86b99af44347659119b22fc45"},
	    {2, "8177228da4a45dc7fca38bdef60affe4"},  {3, "9c70b60c5267a94e5f33b6b02985ed51"},
	    {7, "a1f1ebbed8dbc153c0b84aa61ff08239"},  {8, "3b62a9ba6258f5610f83e264f31497b4"},
	    {9, "264499060ad9baabc47f8b02bb6d71ed"},  {15, "5493e99933b0a8117e08ec0f97cfc3d9"},
	    {16, "6ee2a4ca67b054bbfd3315bf85230577"}, {17, "473d06e8738db89854c066c47ae47740"},
	    {63, "5150d1772f50834a503e069a973fbd7c"},
	};
	unsigned char message[64];
	struct digest digest;
	char hex[33];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(message); i++)
		message[i] = (unsigned char)i;
	for (i = 0; i < COUNT_OF(rows); i++) {
		digest = digest_of(&counting_key, message, rows[i].length);
		put_hex(digest.high, hex);
		put_hex(digest.low, hex + 16);
		assert_row(rows[i].expected, strcmp(hex, rows[i].expected) == 0);
	}
}

static void digest_of__unaligned_message__is_the_same(void **state)
{
	char buffer[64] = " uid=alice,ou=people,dc=example,dc=org";
	const size_t length = strlen(buffer + 1);
	struct digest expected = digest_of(&counting_key, buffer + 1, length), moved;
	size_t offset;

	(void)state;
	for (offset = 2; offset < 10; offset++) {
		memmove(buffer + offset, buffer + offset - 1, length);
		moved = digest_of(&counting_key, buffer + offset, length);
		assert_int_equal(digest_compare(&expected, &moved), 0);
	}
}

static void digest_of__length_256_more__differs(void **state)
{
	/* Only the length's lowest byte goes into the last word. */
	static const char zeros[264];
	struct digest a = digest_of(&counting_key, zeros, 8), b = digest_of(&counting_key, zeros, 264);

	(void)state;
	assert_int_not_equal(digest_compare(&a, &b), 0);
}

static void digest_of__another_key__differs(void **state)
{
	const struct digest_key other = {counting_key.k0, counting_key.k1 ^ 1};
	struct digest a = digest_of(&counting_key, "x", 1), b = digest_of(&other, "x", 1);

	(void)state;
	assert_int_not_equal(digest_compare(&a, &b), 0);
}

static void digest_compare__table__is_an_order(void **state)
{
	static const struct digest rising[] = {
	    {0, 0}, {0, 1}, {0, UINT64_MAX}, {1, 0}, {1, 1}, {UINT64_MAX, 0}, {UINT64_MAX, UINT64_MAX},
	};
	size_t a, b;
	int compared;

	(void)state;
	for (a = 0; a < COUNT_OF(rising); a++) {
		for (b = 0; b < COUNT_OF(rising); b++) {
			compared = digest_compare(&rising[a], &rising[b]);
			assert_true(a < b ? compared < 0 : a > b ? compared > 0 : compared == 0);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(digest_of__reference_vectors__agree),
	    cmocka_unit_test(digest_of__unaligned_message__is_the_same),
	    cmocka_unit_test(digest_of__length_256_more__differs),
	    cmocka_unit_test(digest_of__another_key__differs),
	    cmocka_unit_test(digest_compare__table__is_an_order),
	};

	return cmocka_run_group_tests_name("base/digest", tests, NULL, NULL);
}
