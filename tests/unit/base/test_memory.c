/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include <base/memory.h>
#include <string.h>

static void memory_new__some_bytes__are_zero(void **state)
{
	unsigned char *block = memory_new(1000);
	size_t i;

	(void)state;
	assert_non_null(block);
	for (i = 0; i < 1000; i++)
		assert_int_equal(block[i], 0);
	memory_free(block);
}

static void memory_new__size_zero__gives_a_block(void **state)
{
	void *block = memory_new(0);

	(void)state;
	assert_non_null(block);
	memory_free(block);
}

static void memory_new_array__product_overflows__gives_null(void **state)
{
	(void)state;
	assert_null(memory_new_array(SIZE_MAX / 8 + 1, 8));
	assert_null(memory_new_array(8, SIZE_MAX / 8 + 1));
}

static void memory_new_array__no_elements__gives_a_block(void **state)
{
	void *none = memory_new_array(0, 8), *empty = memory_new_array(8, 0);

	(void)state;
	assert_non_null(none);
	assert_non_null(empty);
	memory_free(none);
	memory_free(empty);
}

static void memory_resize__larger__keeps_the_contents(void **state)
{
	char *block = memory_copy_text("abc");

	(void)state;
	assert_non_null(block);
	block = memory_resize(block, 1000, 10);
	assert_non_null(block);
	assert_string_equal(block, "abc");
	memory_free(block);
}

static void memory_resize__product_overflows__keeps_the_block(void **state)
{
	char *block = memory_copy_text("abc");

	(void)state;
	assert_null(memory_resize(block, SIZE_MAX / 2 + 1, 2));
	assert_string_equal(block, "abc");
	memory_free(block);
}

static void memory_resize__to_nothing__gives_a_block(void **state)
{
	char *block = memory_new(10);

	(void)state;
	block = memory_resize(block, 0, 10);
	assert_non_null(block);
	memory_free(block);
}

static void memory_copy_bytes__with_a_nul__copies_all_and_adds_one(void **state)
{
	char *copy = memory_copy_bytes("a\0bc", 3);

	(void)state;
	assert_non_null(copy);
	assert_memory_equal(copy, "a\0b\0", 4);
	memory_free(copy);
}

static void memory_copy_bytes__impossible_length__gives_null(void **state)
{
	(void)state;
	assert_null(memory_copy_bytes("a", SIZE_MAX));
}

static void memory_copy_bytes__null_and_zero__gives_an_empty_string(void **state)
{
	char *copy = memory_copy_bytes(NULL, 0);

	(void)state;
	assert_non_null(copy);
	assert_string_equal(copy, "");
	memory_free(copy);
}

static void memory_free__null__does_nothing(void **state)
{
	(void)state;
	memory_free(NULL);
}

static void memory_wipe__part_of_a_block__leaves_the_rest(void **state)
{
	char block[] = "secret!";

	(void)state;
	memory_wipe(block, 6);
	assert_memory_equal(block, "\0\0\0\0\0\0!", 8);
}

static void array_reserve__one_by_one__keeps_elements_and_doubles(void **state)
{
	int *numbers = NULL;
	size_t capacity = 0, moves = 0, before;
	int i;

	(void)state;
	for (i = 0; i < 1000; i++) {
		before = capacity;
		assert_true(ARRAY_RESERVE(&numbers, &capacity, (size_t)i + 1));
		moves += capacity != before;
		numbers[i] = i;
	}
	for (i = 0; i < 1000; i++)
		assert_int_equal(numbers[i], i);
	assert_true(moves <= 8);
	memory_free(numbers);
}

static void array_reserve__of_constant_strings__compiles_and_works(void **state)
{
	const char **words = NULL;
	size_t capacity = 0;

	(void)state;
	assert_true(ARRAY_RESERVE(&words, &capacity, 100));
	assert_true(capacity >= 100);
	words[99] = "last";
	memory_free(words);
}

static void array_reserve__enough_there__changes_nothing(void **state)
{
	int *numbers = NULL, *before;
	size_t capacity = 0;

	(void)state;
	assert_true(ARRAY_RESERVE(&numbers, &capacity, 5));
	before = numbers;
	assert_true(ARRAY_RESERVE(&numbers, &capacity, capacity));
	assert_ptr_equal(numbers, before);
	memory_free(numbers);
}

static void array_reserve__sizes_overflow__changes_nothing(void **state)
{
	uint64_t *numbers = NULL, *before;
	size_t capacity = 0, capacity_before;

	(void)state;
	assert_true(ARRAY_RESERVE(&numbers, &capacity, 5));
	before = numbers;
	capacity_before = capacity;
	assert_false(ARRAY_RESERVE(&numbers, &capacity, SIZE_MAX));
	assert_false(ARRAY_RESERVE(&numbers, &capacity, SIZE_MAX / 8 + 1));
	assert_ptr_equal(numbers, before);
	assert_int_equal(capacity, capacity_before);
	memory_free(numbers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(memory_new__some_bytes__are_zero),
	    cmocka_unit_test(memory_new__size_zero__gives_a_block),
	    cmocka_unit_test(memory_new_array__product_overflows__gives_null),
	    cmocka_unit_test(memory_new_array__no_elements__gives_a_block),
	    cmocka_unit_test(memory_resize__larger__keeps_the_contents),
	    cmocka_unit_test(memory_resize__product_overflows__keeps_the_block),
	    cmocka_unit_test(memory_resize__to_nothing__gives_a_block),
	    cmocka_unit_test(memory_copy_bytes__with_a_nul__copies_all_and_adds_one),
	    cmocka_unit_test(memory_copy_bytes__impossible_length__gives_null),
	    cmocka_unit_test(memory_copy_bytes__null_and_zero__gives_an_empty_string),
	    cmocka_unit_test(memory_free__null__does_nothing),
	    cmocka_unit_test(memory_wipe__part_of_a_block__leaves_the_rest),
	    cmocka_unit_test(array_reserve__one_by_one__keeps_elements_and_doubles),
	    cmocka_unit_test(array_reserve__of_constant_strings__compiles_and_works),
	    cmocka_unit_test(array_reserve__enough_there__changes_nothing),
	    cmocka_unit_test(array_reserve__sizes_overflow__changes_nothing),
	};

	return cmocka_run_group_tests_name("base/memory", tests, NULL, NULL);
}
