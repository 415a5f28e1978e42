/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include <os/secret.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <support/memory_failing.h>

static void secret_new__bytes__are_copied_and_terminated(void **state)
{
	char password[] = "pa\0ss";
	struct secret *secret = secret_new(password, 5);

	(void)state;
	assert_non_null(secret);
	memset(password, 'x', sizeof(password));
	assert_int_equal(secret_length(secret), 5);
	assert_memory_equal(secret_bytes(secret), "pa\0ss", 6);
	secret_free(&secret);
	assert_null(secret);
	secret_free(&secret);
}

static void secret_new__around_a_page__is_whole(void **state)
{
	static char password[8300];
	struct secret *secret;
	size_t length;

	(void)state;
	memset(password, 'p', sizeof(password));
	for (length = 4090; length <= 4100; length++) {
		secret = secret_new(password, length);
		assert_non_null(secret);
		assert_int_equal(strlen(secret_bytes(secret)), length);
		secret_free(&secret);
	}
	secret = secret_new(NULL, 0);
	assert_non_null(secret);
	assert_string_equal(secret_bytes(secret), "");
	secret_free(&secret);
}

static void secret_new__impossible_length_or_no_memory__gives_null(void **state)
{
	const size_t before = memory_live_count();

	(void)state;
	assert_null(secret_new("x", SIZE_MAX));
	assert_null(secret_new("x", SIZE_MAX / 2));
	memory_fail_at(1);
	assert_null(secret_new("x", 1));
	memory_fail_at(0);
	assert_int_equal(memory_live_count(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(secret_new__bytes__are_copied_and_terminated),
	    cmocka_unit_test(secret_new__around_a_page__is_whole),
	    cmocka_unit_test(secret_new__impossible_length_or_no_memory__gives_null),
	};

	return cmocka_run_group_tests_name("os/secret", tests, NULL, NULL);
}
