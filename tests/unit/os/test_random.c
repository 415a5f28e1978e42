/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include <os/random.h>
#include <string.h>

static void random_fill__two_blocks__differ(void **state)
{
	unsigned char a[32] = {0}, b[32] = {0};

	(void)state;
	assert_status(random_fill(a, sizeof(a), NULL), STATUS_OK, NULL);
	assert_status(random_fill(b, sizeof(b), NULL), STATUS_OK, NULL);
	assert_memory_not_equal(a, b, sizeof(a));
}

static void random_fill__length__is_kept(void **state)
{
	static unsigned char block[100002];
	static const unsigned char zeros[32];

	(void)state;
	assert_status(random_fill(block + 1, sizeof(block) - 2, NULL), STATUS_OK, NULL);
	assert_int_equal(block[0], 0);
	assert_int_equal(block[sizeof(block) - 1], 0);
	/* The end was filled too: the system may give less than asked for at a time. */
	assert_memory_not_equal(block + sizeof(block) - 33, zeros, 32);
	assert_status(random_fill(block, 0, NULL), STATUS_OK, NULL);
	assert_int_equal(block[0], 0);
}

static void random_below__small_bound__gives_each_number_and_no_other(void **state)
{
	unsigned seen[7] = {0};
	uint32_t number;
	size_t i;

	(void)state;
	for (i = 0; i < 7000; i++) {
		number = random_below(7);
		assert_in_range(number, 0, 6);
		seen[number]++;
	}
	/* 1000 each are expected, with a standard deviation below 30. */
	for (i = 0; i < COUNT_OF(seen); i++)
		assert_in_range(seen[i], 700, 1300);
	assert_int_equal(random_below(1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(random_fill__two_blocks__differ),
	    cmocka_unit_test(random_fill__length__is_kept),
	    cmocka_unit_test(random_below__small_bound__gives_each_number_and_no_other),
	};

	return cmocka_run_group_tests_name("os/random", tests, NULL, NULL);
}
