/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include <base/memory.h>
#include <os/file_publish.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support/memory_failing.h>
#include <sys/stat.h>
#include <unistd.h>

/* A folder of the test's own, with one file in it. */
struct place {
	char folder[64];
	char file[96], temporary[128];
};

static int make_place(void **state)
{
	static struct place place;

	(void)snprintf(place.folder, sizeof(place.folder), "/tmp/wsmauthz-test-publish-XXXXXX");
	if (mkdtemp(place.folder) == NULL)
		return -1;
	(void)snprintf(place.file, sizeof(place.file), "%s/file", place.folder);
	(void)snprintf(place.temporary, sizeof(place.temporary), "%s.%ld.tmp", place.file, (long)getpid());
	*state = &place;
	return 0;
}

/* Fails where a temporary file was left. */
static int remove_place(void **state)
{
	struct place *place = *state;

	(void)unlink(place->file);
	return rmdir(place->folder);
}

static struct file_publish *open_at(const char *path)
{
	struct file_publish *publish = NULL;

	assert_status(file_publish_open(path, &publish, NULL), STATUS_OK, NULL);
	return publish;
}

static void write_text(struct file_publish *publish, const char *text)
{
	struct error error = {.status = STATUS_OK};

	assert_status(file_publish_write(publish, text, strlen(text), &error), STATUS_OK, &error);
}

static void assert_file_holds(const char *path, const char *expected)
{
	size_t length = 0;
	char *data = NULL;

	assert_status(file_publish_read(path, 1000, &data, &length, NULL), STATUS_OK, NULL);
	assert_string_equal(data, expected);
	assert_int_equal(length, strlen(expected));
	memory_free(data);
}

static void write_as_another(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void file_publish_write__again__takes_the_place_of_the_one_before(void **state)
{
	const struct place *place = *state;
	struct file_publish *publish = open_at(place->file);
	const mode_t mask = umask(0077);
	struct stat before, after;

	write_text(publish, "a longer one\n");
	assert_int_equal(stat(place->file, &before), 0);
	assert_false(file_publish_is_replaced(publish));
	write_text(publish, "two\n");
	(void)umask(mask);
	assert_int_equal(stat(place->file, &after), 0);
	assert_file_holds(place->file, "two\n");
	assert_int_not_equal(before.st_ino, after.st_ino);
	assert_int_equal(after.st_mode & 07777, 0644);
	file_publish_close(&publish);
	assert_null(publish);
	assert_int_equal(access(place->file, F_OK), -1);
}

static void file_publish_close__somebody_elses_stands_there__leaves_it(void **state)
{
	const struct place *place = *state;
	struct file_publish *first = open_at(place->file), *second = open_at(place->file);

	write_text(first, "first\n");
	write_text(second, "second\n");
	assert_true(file_publish_is_replaced(first));
	assert_false(file_publish_is_replaced(second));
	file_publish_close(&first);
	assert_file_holds(place->file, "second\n");
	file_publish_close(&second);
	assert_int_equal(access(place->file, F_OK), -1);
}

static void file_publish_close__nothing_was_written__touches_nothing(void **state)
{
	const struct place *place = *state;
	struct file_publish *publish = open_at(place->file);

	write_as_another(place->file, "other");
	assert_false(file_publish_is_replaced(publish));
	file_publish_close(&publish);
	file_publish_close(&publish);
	assert_file_holds(place->file, "other");
}

static void file_publish_write__what_a_killed_process_left__is_no_obstacle(void **state)
{
	const struct place *place = *state;
	struct file_publish *publish = open_at(place->file);

	write_as_another(place->temporary, "half");
	write_text(publish, "whole");
	assert_file_holds(place->file, "whole");
	file_publish_close(&publish);
}

/* A folder that others may write is a mistake, but no way to have us write elsewhere. */
static void file_publish_write__a_link_in_the_temporary_ones_place__is_not_followed(void **state)
{
	const struct place *place = *state;
	struct file_publish *publish = open_at(place->file);
	char target[128];

	(void)snprintf(target, sizeof(target), "%s/target", place->folder);
	write_as_another(target, "precious");
	assert_int_equal(symlink(target, place->temporary), 0);
	write_text(publish, "new");
	assert_file_holds(target, "precious");
	assert_file_holds(place->file, "new");
	file_publish_close(&publish);
	assert_int_equal(unlink(target), 0);
}

static void file_publish_write__cannot__says_why_and_leaves_what_was_there(void **state)
{
	const struct place *place = *state;
	struct error error = {.status = STATUS_OK};
	struct file_publish *publish;
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/nothing/file", place->folder);
	publish = open_at(path);
	assert_status(file_publish_write(publish, "x", 1, &error), STATUS_NOT_FOUND, &error);
	assert_non_null(strstr(error.hint, "make the folder"));
	file_publish_close(&publish);
	/* A folder stands in the file's place. */
	assert_int_equal(mkdir(place->file, 0700), 0);
	publish = open_at(place->file);
	assert_status(file_publish_write(publish, "x", 1, &error), STATUS_UNREACHABLE, &error);
	file_publish_close(&publish);
	assert_int_equal(rmdir(place->file), 0);
}

static void file_publish_read__odd_files__are_refused(void **state)
{
	const struct place *place = *state;
	struct error error = {.status = STATUS_OK};
	size_t length = 7;
	char *data = NULL;

	assert_status(file_publish_read(place->file, 10, &data, &length, &error), STATUS_NOT_FOUND, &error);
	assert_status(file_publish_read(place->folder, 10, &data, &length, &error), STATUS_INVALID, &error);
	assert_int_equal(mkfifo(place->file, 0600), 0);
	assert_status(file_publish_read(place->file, 10, &data, &length, &error), STATUS_INVALID, &error);
	assert_int_equal(unlink(place->file), 0);
	write_as_another(place->file, "12345678901");
	assert_status(file_publish_read(place->file, 10, &data, &length, &error), STATUS_LIMIT, &error);
	assert_null(data);
	assert_int_equal(length, 7);
	assert_status(file_publish_read(place->file, 11, &data, &length, &error), STATUS_OK, &error);
	memory_free(data);
}

static void file_publish__no_memory__fails_and_leaks_nothing(void **state)
{
	const struct place *place = *state;
	const size_t live = memory_live_count();
	struct file_publish *publish = NULL;
	size_t length = 0;
	char *data = NULL;
	size_t n;

	for (n = 1; publish == NULL; n++) {
		memory_fail_at(n);
		if (file_publish_open(place->file, &publish, NULL) != STATUS_OK)
			assert_null(publish);
		memory_fail_at(0);
	}
	assert_int_equal(n, 5);
	write_text(publish, "x");
	memory_fail_at(1);
	assert_status(file_publish_read(place->file, 10, &data, &length, NULL), STATUS_NO_MEMORY, NULL);
	memory_fail_at(0);
	file_publish_close(&publish);
	assert_int_equal(memory_live_count(), live);
}

#define PLACED(test) cmocka_unit_test_setup_teardown(test, make_place, remove_place)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    PLACED(file_publish_write__again__takes_the_place_of_the_one_before),
	    PLACED(file_publish_close__somebody_elses_stands_there__leaves_it),
	    PLACED(file_publish_close__nothing_was_written__touches_nothing),
	    PLACED(file_publish_write__what_a_killed_process_left__is_no_obstacle),
	    PLACED(file_publish_write__a_link_in_the_temporary_ones_place__is_not_followed),
	    PLACED(file_publish_write__cannot__says_why_and_leaves_what_was_there),
	    PLACED(file_publish_read__odd_files__are_refused),
	    PLACED(file_publish__no_memory__fails_and_leaks_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
