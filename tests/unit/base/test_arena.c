/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include <base/arena.h>
#include <string.h>
#include <support/memory_failing.h>

static void arena_alloc__many_sizes__are_zero_aligned_and_apart(void **state)
{
	struct arena *arena = arena_new(16000000);
	unsigned char *blocks[400];
	size_t i, k;

	(void)state;
	assert_non_null(arena);
	for (i = 0; i < COUNT_OF(blocks); i++) {
		blocks[i] = arena_alloc(arena, i * 7);
		assert_non_null(blocks[i]);
		assert_int_equal((uintptr_t)blocks[i] % _Alignof(max_align_t), 0);
		for (k = 0; k < i * 7; k++)
			assert_int_equal(blocks[i][k], 0);
		memset(blocks[i], (int)(i & 0xFF), i * 7);
	}
	for (i = 0; i < COUNT_OF(blocks); i++)
		for (k = 0; k < i * 7; k++)
			assert_int_equal(blocks[i][k], i & 0xFF);
	arena_free(&arena);
	assert_null(arena);
	arena_free(&arena);
}

static void arena_alloc__size_zero_twice__are_two_addresses(void **state)
{
	struct arena *arena = arena_new(1000);
	const void *a = arena_alloc(arena, 0), *b = arena_alloc(arena, 0);

	(void)state;
	assert_non_null(a);
	assert_non_null(b);
	assert_ptr_not_equal(a, b);
	arena_free(&arena);
}

static void arena_alloc__large_between_small__does_not_waste_the_chunk(void **state)
{
	const size_t before = memory_live_count();
	struct arena *arena = arena_new(16000000);
	int i;

	(void)state;
	for (i = 0; i < 10; i++) {
		assert_non_null(arena_alloc(arena, 16));
		assert_non_null(arena_alloc(arena, 100000));
	}
	/* The arena, one chunk for all the small ones, and ten large ones. */
	assert_true(memory_live_count() - before <= 12);
	arena_free(&arena);
	assert_int_equal(memory_live_count(), before);
}

static void arena_alloc__over_the_limit__is_refused_and_told(void **state)
{
	struct arena *arena = arena_new(160);

	(void)state;
	assert_non_null(arena_alloc(arena, 80));
	assert_false(arena_hit_limit(arena));
	assert_null(arena_alloc(arena, 81));
	assert_true(arena_hit_limit(arena));
	assert_non_null(arena_alloc(arena, 80));
	assert_int_equal(arena_used_bytes(arena), 160);
	assert_null(arena_alloc(arena, 0));
	arena_free(&arena);
}

static void arena_functions__sizes_that_overflow__are_refused(void **state)
{
	struct arena *arena = arena_new(SIZE_MAX);

	(void)state;
	assert_null(arena_alloc(arena, SIZE_MAX));
	assert_null(arena_alloc(arena, SIZE_MAX - 4));
	assert_null(arena_alloc_array(arena, SIZE_MAX / 2, 3));
	assert_null(arena_copy_bytes(arena, "x", SIZE_MAX));
	assert_true(arena_hit_limit(arena));
	/* Nothing of that was counted. */
	assert_int_equal(arena_used_bytes(arena), 0);
	assert_non_null(arena_alloc(arena, 16));
	arena_free(&arena);
}

static void arena_alloc__no_memory__is_not_the_limit(void **state)
{
	struct arena *arena = arena_new(1000);

	(void)state;
	memory_fail_at(1);
	assert_null(arena_alloc(arena, 16));
	assert_false(arena_hit_limit(arena));
	assert_int_equal(arena_used_bytes(arena), 0);
	assert_non_null(arena_alloc(arena, 16));
	arena_free(&arena);
}

static void arena_copies__texts__are_terminated(void **state)
{
	struct arena *arena = arena_new(10000);

	(void)state;
	assert_string_equal(arena_copy_text(arena, "abc"), "abc");
	assert_string_equal(arena_copy_text(arena, ""), "");
	assert_memory_equal(arena_copy_bytes(arena, "a\0bcd", 3), "a\0b\0", 4);
	assert_string_equal(arena_copy_bytes(arena, NULL, 0), "");
	assert_string_equal(arena_printf(arena, "%s-%d", "x", 42), "x-42");
	assert_string_equal(arena_printf(arena, "%s", ""), "");
	arena_free(&arena);
}

static void arena_printf__long__is_whole(void **state)
{
	struct arena *arena = arena_new(100000);
	const char *text = arena_printf(arena, "%05000d", 1);

	(void)state;
	assert_non_null(text);
	assert_int_equal(strlen(text), 5000);
	arena_free(&arena);
}

static bool fill(struct arena *arena)
{
	return arena_alloc(arena, 100) != NULL && arena_alloc(arena, 5000) != NULL &&
	       arena_alloc_array(arena, 10, 500) != NULL && arena_copy_text(arena, "text") != NULL &&
	       arena_printf(arena, "%0600d", 1) != NULL && arena_printf(arena, "%0600d", 2) != NULL &&
	       arena_printf(arena, "%0600d", 3) != NULL && arena_printf(arena, "%0600d", 4) != NULL;
}

static void arena_functions__each_allocation_failing__leak_nothing(void **state)
{
	const size_t before = memory_live_count();
	struct arena *arena;
	bool is_filled;
	size_t n = 0;

	(void)state;
	do {
		memory_fail_at(++n);
		arena = arena_new(100000);
		is_filled = arena != NULL && fill(arena);
		assert_int_equal(is_filled, memory_fail_count() < n);
		arena_free(&arena);
		assert_int_equal(memory_live_count(), before);
	} while (!is_filled);
	assert_true(n > 3);
	memory_fail_at(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(arena_alloc__many_sizes__are_zero_aligned_and_apart),
	    cmocka_unit_test(arena_alloc__size_zero_twice__are_two_addresses),
	    cmocka_unit_test(arena_alloc__large_between_small__does_not_waste_the_chunk),
	    cmocka_unit_test(arena_alloc__over_the_limit__is_refused_and_told),
	    cmocka_unit_test(arena_functions__sizes_that_overflow__are_refused),
	    cmocka_unit_test(arena_alloc__no_memory__is_not_the_limit),
	    cmocka_unit_test(arena_copies__texts__are_terminated),
	    cmocka_unit_test(arena_printf__long__is_whole),
	    cmocka_unit_test(arena_functions__each_allocation_failing__leak_nothing),
	};

	return cmocka_run_group_tests_name("base/arena", tests, NULL, NULL);
}
