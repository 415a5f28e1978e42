/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include <os/secret.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* The line "VmFlags: ..." of the mapping that begins at `address`. */
static void read_flags(const void *address, char *flags, size_t size)
{
	FILE *maps = fopen("/proc/self/smaps", "r");
	char start[40], line[512];
	bool is_ours = false;

	assert_non_null(maps);
	(void)snprintf(start, sizeof(start), "%lx-", (unsigned long)(uintptr_t)address);
	flags[0] = '\0';
	while (fgets(line, sizeof(line), maps) != NULL && flags[0] == '\0') {
		if (strncmp(line, start, strlen(start)) == 0)
			is_ours = true;
		else if (is_ours && strncmp(line, "VmFlags:", 8) == 0)
			(void)snprintf(flags, size, "%s", line);
	}
	(void)fclose(maps);
}

static void secret_new__its_pages__stay_out_of_core_dumps(void **state)
{
	struct secret *secret = secret_new("password", 8);
	char flags[512];

	(void)state;
	assert_non_null(secret);
	read_flags(secret_bytes(secret), flags, sizeof(flags));
	assert_contains(flags, " dd ");
	secret_free(&secret);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(secret_new__its_pages__stay_out_of_core_dumps),
	};

	return cmocka_run_group_tests_name("os/secret_posix", tests, NULL, NULL);
}
