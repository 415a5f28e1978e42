/* SPDX-License-Identifier: Apache-2.0 */
/* A file that takes its name when it is whole. */
#include <support/assertions.h>

#include <dirent.h>
#include <os/file_new.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support/memory_failing.h>
#include <sys/stat.h>
#include <unistd.h>

struct folder {
	char path[48], file[64];
};

static int make_folder(void **state)
{
	static struct folder folder;

	(void)snprintf(folder.path, sizeof(folder.path), "/tmp/wsmauthz-file-new-XXXXXX");
	assert_non_null(mkdtemp(folder.path));
	(void)snprintf(folder.file, sizeof(folder.file), "%s/report", folder.path);
	*state = &folder;
	return 0;
}

static size_t count_files(const struct folder *folder)
{
	DIR *directory = opendir(folder->path);
	const struct dirent *entry;
	size_t count = 0;

	assert_non_null(directory);
	while ((entry = readdir(directory)) != NULL)
		count += entry->d_name[0] != '.' ? 1 : 0;
	(void)closedir(directory);
	return count;
}

static int remove_folder(void **state)
{
	const struct folder *folder = *state;

	(void)unlink(folder->file);
	assert_int_equal(rmdir(folder->path), 0);
	return 0;
}

static void put(const char *path, const char *content)
{
	FILE *file = fopen(path, "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(content, 1, strlen(content), file), strlen(content));
	assert_int_equal(fclose(file), 0);
}

static void assert_content(const char *path, const char *expected)
{
	char content[64] = "";
	FILE *file = fopen(path, "rb");

	assert_non_null(file);
	(void)!fread(content, 1, sizeof(content) - 1, file);
	(void)fclose(file);
	assert_string_equal(content, expected);
}

static struct file_new *begin(const struct folder *folder, const char *content)
{
	struct error error = {.status = STATUS_OK};
	struct file_new *file = NULL;

	assert_status(file_new_open(folder->file, &file, &error), STATUS_OK, &error);
	assert_status(file_new_write(file, content, strlen(content), &error), STATUS_OK, &error);
	return file;
}

static void file_new_commit__nothing_there__is_there_for_its_owner(void **state)
{
	const struct folder *folder = *state;
	struct error error = {.status = STATUS_OK};
	struct file_new *file = begin(folder, "new");
	struct stat info;

	assert_int_not_equal(access(folder->file, F_OK), 0);
	assert_status(file_new_commit(&file, &error), STATUS_OK, &error);
	assert_null(file);
	assert_content(folder->file, "new");
	assert_int_equal(stat(folder->file, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0600);
	assert_int_equal(count_files(folder), 1);
}

static void file_new_commit__takes_a_place__with_its_permissions(void **state)
{
	const struct folder *folder = *state;
	struct error error = {.status = STATUS_OK};
	struct file_new *file;
	struct stat info;

	put(folder->file, "old");
	assert_int_equal(chmod(folder->file, 0644), 0);
	file = begin(folder, "new");
	assert_content(folder->file, "old");
	assert_status(file_new_commit(&file, &error), STATUS_OK, &error);
	assert_content(folder->file, "new");
	assert_int_equal(stat(folder->file, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0644);
}

static void file_new_abandon__what_was_there__still_is(void **state)
{
	const struct folder *folder = *state;
	struct file_new *file;

	put(folder->file, "old");
	file = begin(folder, "new");
	file_new_abandon(&file);
	assert_null(file);
	file_new_abandon(&file);
	assert_content(folder->file, "old");
	assert_int_equal(count_files(folder), 1);
}

static void file_new_write__more_than_the_buffer__is_all_there(void **state)
{
	static char block[100000];
	const struct folder *folder = *state;
	struct error error = {.status = STATUS_OK};
	struct file_new *file = begin(folder, "");
	struct stat info;

	memset(block, 'x', sizeof(block));
	for (int i = 0; i < 3; i++)
		assert_status(file_new_write(file, block, sizeof(block), &error), STATUS_OK, &error);
	assert_status(file_new_commit(&file, &error), STATUS_OK, &error);
	assert_int_equal(stat(folder->file, &info), 0);
	assert_int_equal(info.st_size, 3 * sizeof(block));
}

static void file_new_open__not_a_file__is_refused(void **state)
{
	static const struct {
		const char *path;
		enum status status;
	} rows[] = {
	    {"/dev/null", STATUS_INVALID},
	    {"/tmp", STATUS_INVALID},
	    {"/nowhere/report", STATUS_NOT_FOUND},
	    {"/dev/null/report", STATUS_NOT_FOUND},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct error error = {.status = STATUS_OK};
		struct file_new *file = NULL;

		assert_row(rows[i].path, file_new_open(rows[i].path, &file, &error) == rows[i].status);
		assert_null(file);
	}
}

static void file_new_commit__place_became_a_folder__fails_and_leaves_nothing(void **state)
{
	const struct folder *folder = *state;
	struct error error = {.status = STATUS_OK};
	struct file_new *file = begin(folder, "new");

	assert_int_equal(mkdir(folder->file, 0700), 0);
	assert_int_not_equal(file_new_commit(&file, &error), STATUS_OK);
	assert_null(file);
	assert_int_equal(count_files(folder), 1);
	assert_int_equal(rmdir(folder->file), 0);
}

static void file_new_open__nth_allocation_fails__leaves_nothing(void **state)
{
	const struct folder *folder = *state;
	enum status status = STATUS_NO_MEMORY;

	for (size_t nth = 1; status == STATUS_NO_MEMORY; nth++) {
		const size_t before = memory_live_count();
		struct file_new *file = NULL;

		memory_fail_at(nth);
		status = file_new_open(folder->file, &file, NULL);
		memory_fail_at(0);
		file_new_abandon(&file);
		assert_int_equal(memory_live_count(), before);
		assert_int_equal(count_files(folder), 0);
	}
	assert_int_equal(status, STATUS_OK);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    IN_FOLDER(file_new_commit__nothing_there__is_there_for_its_owner),
	    IN_FOLDER(file_new_commit__takes_a_place__with_its_permissions),
	    IN_FOLDER(file_new_abandon__what_was_there__still_is),
	    IN_FOLDER(file_new_write__more_than_the_buffer__is_all_there),
	    cmocka_unit_test(file_new_open__not_a_file__is_refused),
	    IN_FOLDER(file_new_commit__place_became_a_folder__fails_and_leaves_nothing),
	    IN_FOLDER(file_new_open__nth_allocation_fails__leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
