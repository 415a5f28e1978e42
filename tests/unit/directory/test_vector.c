/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include <directory/dir_vector.h>
#include <string.h>

#define V2_ONE   "\2\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0"
#define V1_ONE   "\1\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0"
#define A        "aaaaaaaaaaaaaaaa"
#define B        "bbbbbbbbbbbbbbbb"
#define SYNCED   "\x80\x2b\x6c\x1f\x03\0\0\0"
#define NUMBER   "\xf7\x0f\0\0\0\0\0\0" /* 4087 */
#define NEGATIVE "\0\0\0\0\0\0\0\x80"

struct row {
	const char *bytes;
	size_t length;
	bool is_good;
	uint64_t usn_of_a; /* UINT64_MAX: it has none */
};

#define ROW(bytes, is_good, usn)                                                                                       \
	{                                                                                                              \
		bytes, sizeof(bytes) - 1, is_good, usn                                                                 \
	}

static uint64_t find(const struct dir_vector *vector, const char *id)
{
	uint64_t usn = 0;

	return dir_vector_find(vector, (const uint8_t *)id, &usn) ? usn : UINT64_MAX;
}

static void dir_vector_parse__values_of_servers_and_others__as_the_table_says(void **state)
{
	static const struct row rows[] = {
	    ROW(V2_ONE A NUMBER SYNCED, true, 4087),
	    ROW(V1_ONE A NUMBER, true, 4087),
	    ROW(V2_ONE B NUMBER SYNCED, true, UINT64_MAX),
	    ROW("\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", true, UINT64_MAX),
	    ROW("\2\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0" B "\1\0\0\0\0\0\0\0" SYNCED A NUMBER SYNCED, true, 4087),
	    /* Whoever says two things of one is believed the lesser. */
	    ROW("\2\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0" A NUMBER SYNCED A "\1\0\0\0\0\0\0\0" SYNCED, true, 1),
	    ROW("", false, 0),
	    ROW("\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0", false, 0),
	    ROW(V2_ONE A NUMBER, false, 0),
	    ROW(V1_ONE A NUMBER SYNCED, false, 0),
	    ROW(V2_ONE A NUMBER SYNCED "\0", false, 0),
	    ROW("\3\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0" A NUMBER SYNCED, false, 0),
	    ROW("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", false, 0),
	    ROW("\2\0\0\0\0\0\0\0\xff\xff\xff\xff\0\0\0\0" A NUMBER SYNCED, false, 0),
	    ROW(V2_ONE A NEGATIVE SYNCED, false, 0),
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct dir_vector vector = {NULL, 0, 0};
		const bool is_good = dir_vector_parse(rows[i].bytes, rows[i].length, &vector);

		if (is_good != rows[i].is_good || (is_good && find(&vector, A) != rows[i].usn_of_a))
			fail_msg("row %zu: %d, %llu", i, is_good, (unsigned long long)find(&vector, A));
		if (!is_good)
			assert_null(vector.cursors);
	}
}

static void dir_vector_find__no_vector__finds_nothing(void **state)
{
	const struct dir_vector none = {NULL, 0, 0};

	(void)state;
	assert_int_equal(find(&none, A), UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(dir_vector_parse__values_of_servers_and_others__as_the_table_says),
	    cmocka_unit_test(dir_vector_find__no_vector__finds_nothing),
	};

	return cmocka_run_group_tests_name("vector", tests, NULL, NULL);
}
