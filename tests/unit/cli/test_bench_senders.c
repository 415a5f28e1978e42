/* SPDX-License-Identifier: Apache-2.0 */
#include <cli/bench_senders.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support/assertions.h>
#include <support/memory_failing.h>
#include <unistd.h>

#define PATH_TEMPLATE "/tmp/wsmauthz-senders-XXXXXX"

struct file {
	char path[sizeof(PATH_TEMPLATE)];
};

static int make(void **state)
{
	struct file *file = calloc(1, sizeof(*file));
	int descriptor;

	if (file == NULL)
		return -1;
	memcpy(file->path, PATH_TEMPLATE, sizeof(PATH_TEMPLATE));
	descriptor = mkstemp(file->path);
	*state = file;
	return descriptor < 0 ? -1 : close(descriptor);
}

static int drop(void **state)
{
	struct file *file = *state;
	int result = unlink(file->path);

	free(file);
	return result;
}

static void write_lines(const struct file *file, const char *lines)
{
	FILE *out = fopen(file->path, "wb");

	assert_non_null(out);
	assert_true(fputs(lines, out) >= 0);
	assert_int_equal(fclose(out), 0);
}

static void senders_read__lines__are_kept_in_both_encodings(void **state)
{
	static const WCHAR umlaut[] = {'J', 0xF6, 'r', 'g', 0};
	const struct file *file = *state;
	struct senders senders = {0};
	size_t length;

	write_lines(file, "CORP\\alice\r\n\nJ\xC3\xB6rg\nlast");

	assert_status(senders_read(file->path, 100, &senders, NULL), STATUS_OK, NULL);

	assert_int_equal(senders.count, 3);
	assert_string_equal(senders_text(&senders, 0, &length), "CORP\\alice");
	assert_int_equal(length, strlen("CORP\\alice"));
	assert_memory_equal(senders_units(&senders, 1), umlaut, sizeof(umlaut));
	assert_string_equal(senders_text(&senders, 2, &length), "last");
	senders_done(&senders);
}

static void senders_read__more_than_the_limit__takes_the_first(void **state)
{
	const struct file *file = *state;
	struct senders senders = {0};
	size_t length;

	write_lines(file, "a\nb\nc\n");

	assert_status(senders_read(file->path, 2, &senders, NULL), STATUS_OK, NULL);

	assert_int_equal(senders.count, 2);
	assert_string_equal(senders_text(&senders, 1, &length), "b");
	senders_done(&senders);
}

static void senders_read__empty_and_overlong__are_refused(void **state)
{
	const struct file *file = *state;
	char *line = malloc(20001);
	struct senders senders = {0};
	struct error error;

	assert_non_null(line);
	memset(line, 'x', 20000);
	line[20000] = '\0';
	write_lines(file, "\n\n");
	assert_status(senders_read(file->path, 100, &senders, &error), STATUS_INVALID, &error);
	assert_contains(error.what, "no sender");
	senders_done(&senders);

	write_lines(file, line);
	assert_status(senders_read(file->path, 100, &senders, &error), STATUS_INVALID, &error);
	assert_contains(error.what, "line 1");
	senders_done(&senders);
	free(line);
}

static void senders_read__no_such_file__is_not_found(void **state)
{
	struct senders senders = {0};
	struct error error;

	(void)state;
	assert_status(senders_read("/nonexistent/senders", 100, &senders, &error), STATUS_NOT_FOUND, &error);
	senders_done(&senders);
}

static void senders_read__nth_allocation_fails__says_so(void **state)
{
	const struct file *file = *state;
	size_t before = memory_live_count(), n;

	write_lines(file, "alice\nbob\ncarol\n");
	for (n = 1;; n++) {
		struct senders senders = {0};
		enum status status;

		memory_fail_at(n);
		status = senders_read(file->path, 100, &senders, NULL);
		senders_done(&senders);
		assert_int_equal(memory_live_count(), before);
		if (memory_fail_count() < n) {
			assert_status(status, STATUS_OK, NULL);
			break;
		}
		assert_status(status, STATUS_NO_MEMORY, NULL);
	}
	memory_fail_at(0);
	assert_true(n > 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(senders_read__lines__are_kept_in_both_encodings, make, drop),
	    cmocka_unit_test_setup_teardown(senders_read__more_than_the_limit__takes_the_first, make, drop),
	    cmocka_unit_test_setup_teardown(senders_read__empty_and_overlong__are_refused, make, drop),
	    cmocka_unit_test_setup_teardown(senders_read__no_such_file__is_not_found, make, drop),
	    cmocka_unit_test_setup_teardown(senders_read__nth_allocation_fails__says_so, make, drop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
