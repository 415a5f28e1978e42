/* SPDX-License-Identifier: Apache-2.0 */
/* Files as Windows has them. Wine keeps the rules of a file as the mode of the file below, and knows no others but of the owner and of everybody. */
#include <support/assertions.h>

#include <base/memory.h>
#include <os/file.h>
#include <os/file_trust_windows.h>
#include <stdio.h>
#include <string.h>
#include <support/memory_failing.h>

/* A folder of the test's own, with one file in it. */
struct place {
	char folder[64];
	char file[96];
};

static int make_place(void **state)
{
	static struct place place;

	(void)snprintf(place.folder, sizeof(place.folder), "/tmp/wsmauthz-test-file-XXXXXX");
	if (mkdtemp(place.folder) == NULL || chmod(place.folder, 0700) != 0)
		return -1;
	(void)snprintf(place.file, sizeof(place.file), "%s/file", place.folder);
	*state = &place;
	return 0;
}

static int remove_place(void **state)
{
	struct place *place = *state;

	(void)unlink(place->file);
	return rmdir(place->folder);
}

static void write_file(const char *path, const char *data, size_t length, int mode)
{
	FILE *file = fopen(path, "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, length, file), length);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static void file_read_trusted__good_file__is_read_whole(void **state)
{
	struct place *place = *state;
	size_t length = 0;
	char *data = NULL;

	write_file(place->file, "<a>\0</a>\r\n", 10, 0644);
	assert_status(file_read_trusted(place->file, 10, &data, &length, NULL), STATUS_OK, NULL);
	assert_int_equal(length, 10);
	assert_memory_equal(data, "<a>\0</a>\r\n", 11);
	memory_free(data);
	write_file(place->file, "", 0, 0600);
	assert_status(file_read_trusted(place->file, 10, &data, &length, NULL), STATUS_OK, NULL);
	assert_int_equal(length, 0);
	assert_string_equal(data, "");
	memory_free(data);
}

static void file_read__rules_for_everybody__as_expected(void **state)
{
	static const struct {
		const char *row;
		int mode;
		enum status trusted, secret;
		const char *what;
	} rows[] = {
	    {"nobody else", 0600, STATUS_OK, STATUS_OK, ""},
	    {"everybody reads", 0644, STATUS_OK, STATUS_REFUSED, "S-1-1-0) may read it, and it holds a secret"},
	    {"everybody reads and writes", 0666, STATUS_REFUSED, STATUS_REFUSED, "S-1-1-0) may write it"},
	    {"everybody writes", 0602, STATUS_REFUSED, STATUS_REFUSED, "S-1-1-0) may write it"},
	};
	struct place *place = *state;
	size_t length;

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct secret *secret = NULL;
		struct error error = {.what = ""};
		char *data = NULL;

		write_file(place->file, "password", 8, rows[i].mode);
		assert_row(rows[i].row, file_read_trusted(place->file, 100, &data, &length, NULL) == rows[i].trusted);
		assert_row(rows[i].row, (data != NULL) == (rows[i].trusted == STATUS_OK));
		assert_row(rows[i].row, file_check_trusted(place->file, NULL) == rows[i].trusted);
		assert_row(rows[i].row, file_read_secret(place->file, &secret, &error) == rows[i].secret);
		assert_row(rows[i].row, (secret != NULL) == (rows[i].secret == STATUS_OK));
		assert_row(rows[i].row, file_check_secret(place->file, NULL) == rows[i].secret);
		assert_row(rows[i].row, strstr(error.what, rows[i].what) != NULL);
		assert_row(rows[i].row, rows[i].secret == STATUS_OK || strncmp(error.hint, "icacls \"", 8) == 0);
		memory_free(data);
		secret_free(&secret);
	}
}

static void file_check_folder__who_may_put_another_file_there__as_expected(void **state)
{
	struct place *place = *state;
	struct error error;

	write_file(place->file, "", 0, 0600);
	assert_status(file_check_folder(place->file, &error), STATUS_OK, &error);
	assert_int_equal(chmod(place->folder, 0755), 0);
	assert_status(file_check_folder(place->file, &error), STATUS_OK, &error);
	assert_int_equal(chmod(place->folder, 0777), 0);
	assert_status(file_check_folder(place->file, &error), STATUS_REFUSED, NULL);
	assert_contains(error.hint, "(OI)(CI)F");
	assert_status(file_check_folder("/no/such/folder/file", &error), STATUS_NOT_FOUND, NULL);
}

static void file_read_trusted__no_regular_file__is_refused(void **state)
{
	struct place *place = *state;
	struct error error;
	size_t length;
	char *data;

	assert_status(file_read_trusted(place->folder, 100, &data, &length, &error), STATUS_INVALID, NULL);
	assert_contains(error.what, "is a directory");
	assert_status(file_read_trusted("NUL", 100, &data, &length, NULL), STATUS_INVALID, NULL);
	assert_status(file_read_trusted("/tmp/\xff", 100, &data, &length, NULL), STATUS_INVALID, NULL);
	assert_status(file_read_trusted(place->file, 100, &data, &length, NULL), STATUS_NOT_FOUND, NULL);
	write_file(place->file, "12345", 5, 0600);
	assert_status(file_read_trusted(place->file, 4, &data, &length, &error), STATUS_LIMIT, NULL);
	assert_contains(error.what, "larger than 4 bytes");
}

static void file_read_secret__each_allocation_failing__leaks_nothing(void **state)
{
	const size_t before = memory_live_count();
	struct place *place = *state;
	struct secret *secret = NULL;
	struct error error;
	enum status status;
	size_t n = 0;

	write_file(place->file, "pass\r\n", 6, 0600);
	do {
		memory_fail_at(++n);
		status = file_read_secret(place->file, &secret, &error);
		if (status == STATUS_OK)
			break;
		assert_status(status, STATUS_NO_MEMORY, &error);
		assert_null(secret);
		assert_int_equal(memory_live_count(), before);
	} while (n < 100);
	memory_fail_at(0);
	assert_int_equal(n, 4);
	assert_string_equal(secret_bytes(secret), "pass");
	secret_free(&secret);
	assert_int_equal(memory_live_count(), before);
}

static void file_path_beside__table__as_expected(void **state)
{
	static const struct {
		const char *beside, *path, *expected;
	} rows[] = {
	    {"C:\\a\\policy.xml", "ca.pem", "C:\\a\\ca.pem"},
	    {"C:\\a\\policy.xml", "tls\\ca.pem", "C:\\a\\tls\\ca.pem"},
	    {"C:\\a/policy.xml", "ca.pem", "C:\\a/ca.pem"},
	    {"C:\\policy.xml", "ca.pem", "C:\\ca.pem"},
	    {"C:policy.xml", "ca.pem", "C:ca.pem"},
	    {"\\\\server\\share\\policy.xml", "ca.pem", "\\\\server\\share\\ca.pem"},
	    {"policy.xml", "ca.pem", "ca.pem"},
	    {"C:\\a\\policy.xml", "D:\\ca.pem", "D:\\ca.pem"},
	    {"C:\\a\\policy.xml", "d:ca.pem", "d:ca.pem"},
	    {"C:\\a\\policy.xml", "\\\\server\\share\\ca.pem", "\\\\server\\share\\ca.pem"},
	    {"C:\\a\\policy.xml", "\\ca.pem", "\\ca.pem"},
	    {"C:\\a\\policy.xml", "/ca.pem", "/ca.pem"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char *path = file_path_beside(rows[i].beside, rows[i].path);

		assert_non_null(path);
		assert_string_equal(path, rows[i].expected);
		memory_free(path);
	}
}

static void assert_holds(const struct place *place, const char *expected)
{
	char *data = NULL;
	size_t length;

	assert_status(file_read_trusted(place->file, 1000000, &data, &length, NULL), STATUS_OK, NULL);
	assert_string_equal(data, expected);
	memory_free(data);
}

static void file_lines_write__lines__are_appended_whoever_else_writes(void **state)
{
	struct place *place = *state;
	struct file_lines *one = NULL, *two = NULL;

	assert_status(file_lines_check(place->file, NULL), STATUS_OK, NULL);
	assert_status(file_lines_open(place->file, &one, NULL), STATUS_OK, NULL);
	assert_status(file_lines_open(place->file, &two, NULL), STATUS_OK, NULL);
	assert_status(file_lines_write(one, "a", NULL), STATUS_OK, NULL);
	assert_status(file_lines_write(two, "", NULL), STATUS_OK, NULL);
	assert_status(file_lines_write(one, "b\r", NULL), STATUS_OK, NULL);
	assert_status(file_lines_write(one, "c\nd", NULL), STATUS_INVALID, NULL);
	file_lines_close(&one);
	file_lines_close(&two);
	assert_null(one);
	assert_holds(place, "a\n\nb\r\n");
	assert_status(file_lines_check(place->file, NULL), STATUS_OK, NULL);
}

static void file_lines_write__a_long_line__is_one_line(void **state)
{
	struct place *place = *state;
	struct file_lines *lines = NULL;
	static char big[100002];
	char expected[sizeof(big) + 2];

	memset(big, 'x', sizeof(big) - 1);
	assert_status(file_lines_open(place->file, &lines, NULL), STATUS_OK, NULL);
	memory_fail_at(1);
	assert_status(file_lines_write(lines, big, NULL), STATUS_NO_MEMORY, NULL);
	memory_fail_at(0);
	assert_status(file_lines_write(lines, big, NULL), STATUS_OK, NULL);
	file_lines_close(&lines);
	(void)snprintf(expected, sizeof(expected), "%s\n", big);
	assert_holds(place, expected);
}

static void file_lines_open__new_file__is_for_nobody_else(void **state)
{
	struct place *place = *state;
	struct file_lines *lines = NULL;

	assert_status(file_lines_open(place->file, &lines, NULL), STATUS_OK, NULL);
	file_lines_close(&lines);
	assert_status(file_check_secret(place->file, NULL), STATUS_OK, NULL);
}

static void file_lines_open__what_will_not_do__is_told(void **state)
{
	struct place *place = *state;
	struct file_lines *lines = NULL;

	assert_status(file_lines_open(place->folder, &lines, NULL), STATUS_INVALID, NULL);
	assert_status(file_lines_open("NUL", &lines, NULL), STATUS_INVALID, NULL);
	assert_status(file_lines_open("/no/such/folder/file", &lines, NULL), STATUS_NOT_FOUND, NULL);
	assert_status(file_lines_check("/no/such/folder/file", NULL), STATUS_REFUSED, NULL);
	assert_null(lines);
}

#define PLACED(test) cmocka_unit_test_setup_teardown(test, make_place, remove_place)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    PLACED(file_read_trusted__good_file__is_read_whole),
	    PLACED(file_read__rules_for_everybody__as_expected),
	    PLACED(file_check_folder__who_may_put_another_file_there__as_expected),
	    PLACED(file_read_trusted__no_regular_file__is_refused),
	    PLACED(file_read_secret__each_allocation_failing__leaks_nothing),
	    cmocka_unit_test(file_path_beside__table__as_expected),
	    PLACED(file_lines_write__lines__are_appended_whoever_else_writes),
	    PLACED(file_lines_write__a_long_line__is_one_line),
	    PLACED(file_lines_open__new_file__is_for_nobody_else),
	    PLACED(file_lines_open__what_will_not_do__is_told),
	};

	return cmocka_run_group_tests_name("os/file_windows", tests, NULL, NULL);
}
