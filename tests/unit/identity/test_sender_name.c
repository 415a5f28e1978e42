/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include <base/memory.h>
#include <base/utf.h>
#include <identity/fold_table.h>
#include <identity/sender.h>
#include <stdbool.h>
#include <string.h>
#include <unit/identity/mutate.h>

static const struct {
	const char *asked, *returned;
	bool same;
} PAIRS[] = {
    {"alice", "alice", true},
    {"alice", "ALICE", true},
    {"First.Last+Tag@Corp", "first.last+tag@corp", true},
    {"a_b", "A_B", true},
    {"\xC3\x84rger", "\xC3\xA4RGER", true},                                         /* A with diaeresis */
    {"\xC5\x81ukasz", "\xC5\x82ukasz", true},                                       /* L with stroke */
    {"\xC5\xB8", "\xC3\xBF", true},                                                 /* y with diaeresis */
    {"\xCE\xA3\xCF\x89", "\xCF\x83\xCE\xA9", true},                                 /* Greek sigma, omega */
    {"\xD0\x98\xD0\xB2\xD0\xB0\xD0\xBD", "\xD0\xB8\xD0\x92\xD0\x90\xD0\x9D", true}, /* Cyrillic */
    {"\xD0\x81", "\xD1\x91", true},                                                 /* Cyrillic io */
    {"\xD5\xA1", "\xD4\xB1", true},                                                 /* Armenian ayb */
    {"\xE1\xB2\x90", "\xE1\x83\x90", true},                                         /* Georgian an */
    {"\xE1\xBA\xA0", "\xE1\xBA\xA1", true},                                         /* A with dot below */
    {"\xEF\xBC\xA1", "\xEF\xBD\x81", true},                                         /* full-width A */
    {"\xF0\x90\x90\x80", "\xF0\x90\x90\xA8", true},                                 /* Deseret */
    {"\xE5\xB1\xB1\xE7\x94\xB0", "\xE5\xB1\xB1\xE7\x94\xB0", true},
    /* more, less or other than was asked for */
    {"alice", "alice ", false},
    {"alice", " alice", false},
    {"alice", "alic", false},
    {"alice", "alicf", false},
    {"alice", "", false},
    {"", "", false},
    {"", "alice", false},
    {"a b", "a  b", false},
    {"a b",
     "a\xC2\xA0"
     "b",
     false},
    {"[", "{", false},
    {"@", "`", false},
    /* what servers match and we must not */
    {"kate",
     "\xE2\x84\xAA"
     "ate",
     false},                             /* Kelvin sign */
    {"\xC3\xA5", "\xE2\x84\xAB", false}, /* Angstrom sign */
    {"\xCF\x89", "\xE2\x84\xA6", false}, /* Ohm sign */
    {"\xCE\xBC", "\xC2\xB5", false},     /* micro sign */
    {"i", "\xC4\xB0", false},            /* dotted capital I */
    {"I", "\xC4\xB1", false},            /* dotless small i */
    {"\xC4\xB0", "\xC4\xB1", false},
    {"s", "\xC5\xBF", false},            /* long s */
    {"\xCF\x83", "\xCF\x82", false},     /* final sigma */
    {"\xC3\x9F", "ss", false},           /* sharp s */
    {"\xC3\x9F", "\xE1\xBA\x9E", false}, /* capital sharp s */
    {"\xC7\x84", "\xC7\x85", false},     /* title-case digraph */
    {"\xC7\x84", "\xC7\x86", true},
    {"\xCE\xB8", "\xCF\xB4", false},  /* capital theta symbol */
    {"\xEF\xBC\xA1", "A", false},     /* full-width and ASCII */
    {"\xC3\xA9", "e\xCC\x81", false}, /* composed and decomposed */
    {"jose", "jos\xC3\xA9", false},
    {"a", "\xD0\xB0", false},        /* Cyrillic a */
    {"\xC3\x97", "\xC3\xB7", false}, /* multiplication and division sign */
    /* not UTF-8 is nobody */
    {"\xFF", "\xFF", false},
    {"a\xC3", "a\xC3", false},
    {"M\xC3\xBCller", "M\xFCller", false},
};

static void sender_name_is_same__pairs__as_the_table_says(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT_OF(PAIRS); i++) {
		assert_row(PAIRS[i].asked, sender_name_is_same(PAIRS[i].asked, PAIRS[i].returned,
							       strlen(PAIRS[i].returned)) == PAIRS[i].same);
		assert_row(PAIRS[i].returned, sender_name_is_same(PAIRS[i].returned, PAIRS[i].asked,
								  strlen(PAIRS[i].asked)) == PAIRS[i].same);
	}
}

/* Samba answers (sAMAccountName=alice\00bob) with alice; a server may hold the longer one. */
static void sender_name_is_same__returned_name_holds_nul__is_another(void **state)
{
	(void)state;
	assert_false(sender_name_is_same("alice", "alice\0bob", 9));
	assert_false(sender_name_is_same("alice", "alice\0", 6));
	assert_false(sender_name_is_same("alice", "\0alice", 6));
	assert_false(sender_name_is_same("alice", NULL, 0));
}

static bool is_same(uint32_t a, uint32_t b)
{
	char asked[5] = {0}, returned[4];

	(void)utf8_put(a, asked);
	return sender_name_is_same(asked, returned, utf8_put(b, returned));
}

/* Every code point is the same as itself; every pair of the table is one to one. */
static void sender_name_is_same__all_of_unicode__pairs_are_one_to_one(void **state)
{
	static unsigned char seen[0x110000];
	size_t i, pairs = 0;
	uint32_t upper, lower;

	(void)state;
	for (upper = 1; upper < 0x110000; upper++) {
		if (upper < 0xD800 || upper > 0xDFFF)
			assert_true(is_same(upper, upper));
	}
	for (i = 0; i < COUNT_OF(FOLD_RANGES); i++) {
		if (i > 0)
			assert_true(FOLD_RANGES[i - 1].last < FOLD_RANGES[i].first);
		for (upper = FOLD_RANGES[i].first; upper <= FOLD_RANGES[i].last; upper += FOLD_RANGES[i].stride) {
			lower = (uint32_t)((int64_t)upper + FOLD_RANGES[i].delta);
			assert_true(is_same(upper, lower));
			assert_int_equal(seen[upper]++, 0);
			assert_int_equal(seen[lower]++, 0);
			pairs++;
		}
	}
	assert_int_equal(pairs, 1396);
}

/* Symmetric, and every name that is UTF-8 is itself. */
static void sender_name_is_same__mutated_names__agrees_with_itself(void **state)
{
	static const char *const seeds[] = {"alice", "ALICE", "al", "M\xC3\xBCller", "\xCE\xA3\xCF\x89"};
	struct mutator mutator = {
	    .state = 7, .seeds = seeds, .seed_count = COUNT_OF(seeds), .pieces = "aA\xC3\xBC\x9C"};
	size_t round, same = 0, a_length, b_length;
	char *a, *b;
	bool forth;

	(void)state;
	for (round = 0; round < MUTATE_ROUNDS; round++) {
		a = mutate(&mutator, 1, &a_length);
		b = mutate(&mutator, 1, &b_length);
		forth = sender_name_is_same(a, b, strlen(b));
		assert_true(forth == sender_name_is_same(b, a, strlen(a)));
		assert_true(sender_name_is_same(a, a, strlen(a)) == (a[0] != '\0' && utf8_is_valid(a, strlen(a))));
		same += forth;
		memory_free(a);
		memory_free(b);
	}
	assert_in_range(same, 100, MUTATE_ROUNDS - 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sender_name_is_same__pairs__as_the_table_says),
	    cmocka_unit_test(sender_name_is_same__returned_name_holds_nul__is_another),
	    cmocka_unit_test(sender_name_is_same__all_of_unicode__pairs_are_one_to_one),
	    cmocka_unit_test(sender_name_is_same__mutated_names__agrees_with_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
