/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include <base/memory.h>
#include <errno.h>
#include <fcntl.h>
#include <os/file.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support/memory_failing.h>
#include <sys/stat.h>
#include <unistd.h>

/* A folder of the test's own, with one file in it. */
struct place {
	char folder[64];
	char file[96];
};

static int make_place(void **state)
{
	static struct place place;

	(void)snprintf(place.folder, sizeof(place.folder), "/tmp/wsmauthz-test-file-XXXXXX");
	if (mkdtemp(place.folder) == NULL)
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

static void assert_file_holds(const char *path, const char *expected)
{
	size_t length;
	char *data = NULL;

	assert_status(file_read_trusted(path, 10000, &data, &length, NULL), STATUS_OK, NULL);
	assert_string_equal(data, expected);
	memory_free(data);
}

static void file_lines__new_and_opened_again__appends(void **state)
{
	struct place *place = *state;
	struct file_lines *lines = NULL;
	struct stat info;

	(void)unlink(place->file);
	assert_status(file_lines_open(place->file, &lines, NULL), STATUS_OK, NULL);
	assert_status(file_lines_write(lines, "one", NULL), STATUS_OK, NULL);
	assert_status(file_lines_write(lines, "", NULL), STATUS_OK, NULL);
	file_lines_close(&lines);
	assert_null(lines);
	file_lines_close(&lines);
	assert_status(file_lines_open(place->file, &lines, NULL), STATUS_OK, NULL);
	assert_status(file_lines_write(lines, "two", NULL), STATUS_OK, NULL);
	file_lines_close(&lines);
	assert_file_holds(place->file, "one\n\ntwo\n");
	assert_int_equal(stat(place->file, &info), 0);
	assert_int_equal(info.st_mode & 0777 & ~0640u, 0);
}

static void file_lines_write__line_end_inside__is_refused(void **state)
{
	struct place *place = *state;
	struct file_lines *lines = NULL;

	(void)unlink(place->file);
	assert_status(file_lines_open(place->file, &lines, NULL), STATUS_OK, NULL);
	assert_status(file_lines_write(lines, "one\n{\"verdict\":\"authorize\"}", NULL), STATUS_INVALID, NULL);
	file_lines_close(&lines);
	assert_file_holds(place->file, "");
}

static void file_lines_open__impossible__is_told(void **state)
{
	struct place *place = *state;
	struct file_lines *lines = NULL;
	char path[200];

	(void)snprintf(path, sizeof(path), "%s/none/file", place->folder);
	assert_status(file_lines_open(path, &lines, NULL), STATUS_NOT_FOUND, NULL);
	assert_status(file_lines_open(place->folder, &lines, NULL), STATUS_INVALID, NULL);
	assert_null(lines);
}

static void file_lines_write__full_device__is_told(void **state)
{
	struct file_lines *lines = NULL;
	struct error error;

	(void)state;
	assert_status(file_lines_open("/dev/full", &lines, NULL), STATUS_OK, NULL);
	assert_status(file_lines_write(lines, "one", &error), STATUS_UNREACHABLE, NULL);
	assert_contains(error.what, "/dev/full");
	assert_int_equal(error.native, ENOSPC);
	file_lines_close(&lines);
}

/* A pipe with less room than the line wants takes a part of it, as a full disk does. */
static void file_lines_write__only_a_part_had_room__next_line_begins_anew(void **state)
{
	struct place *place = *state;
	struct file_lines *lines = NULL;
	char big[100000], end[8] = "";
	int reader, room;

	(void)unlink(place->file);
	assert_int_equal(mkfifo(place->file, 0600), 0);
	reader = open(place->file, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_true(reader >= 0);
	assert_status(file_lines_open(place->file, &lines, NULL), STATUS_OK, NULL);
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	assert_status(file_lines_write(lines, big, NULL), STATUS_UNREACHABLE, NULL);
	/* Nothing more has room, and nobody waits for the reader. */
	assert_status(file_lines_write(lines, "lost", NULL), STATUS_UNREACHABLE, NULL);
	for (room = 0; read(reader, big, 1) == 1 && big[0] == 'x';)
		room++;
	assert_true(room > 4096);
	assert_status(file_lines_write(lines, "two", NULL), STATUS_OK, NULL);
	assert_int_equal(read(reader, end, sizeof(end) - 1), 5);
	assert_string_equal(end, "\ntwo\n");
	file_lines_close(&lines);
	(void)close(reader);
}

static void file_lines_open__each_allocation_failing__leaks_nothing(void **state)
{
	const size_t before = memory_live_count();
	struct place *place = *state;
	struct file_lines *lines = NULL;
	enum status status;
	size_t n = 0;

	(void)unlink(place->file);
	do {
		memory_fail_at(++n);
		status = file_lines_open(place->file, &lines, NULL);
		if (status == STATUS_OK)
			break;
		assert_status(status, STATUS_NO_MEMORY, NULL);
		assert_null(lines);
		assert_int_equal(memory_live_count(), before);
	} while (n < 100);
	memory_fail_at(0);
	assert_int_equal(n, 3);
	file_lines_close(&lines);
}

#define PLACED(test) cmocka_unit_test_setup_teardown(test, make_place, remove_place)

static void file_lines_check__says_what_open_would_and_leaves_no_file(void **state)
{
	struct place *place = *state;
	struct error error;
	struct stat info;
	char beyond[128];

	(void)unlink(place->file);
	assert_status(file_lines_check(place->file, &error), STATUS_OK, &error);
	assert_int_equal(stat(place->file, &info), -1);
	(void)snprintf(beyond, sizeof(beyond), "%s/none/file", place->folder);
	assert_status(file_lines_check(beyond, &error), STATUS_REFUSED, NULL);
	assert_contains(error.what, beyond);
	assert_int_not_equal(file_lines_check(place->folder, &error), STATUS_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    PLACED(file_lines_check__says_what_open_would_and_leaves_no_file),
	    PLACED(file_lines__new_and_opened_again__appends),
	    PLACED(file_lines_write__line_end_inside__is_refused),
	    PLACED(file_lines_open__impossible__is_told),
	    PLACED(file_lines_write__full_device__is_told),
	    PLACED(file_lines_write__only_a_part_had_room__next_line_begins_anew),
	    PLACED(file_lines_open__each_allocation_failing__leaks_nothing),
	};

	return cmocka_run_group_tests_name("os/file_lines", tests, NULL, NULL);
}
