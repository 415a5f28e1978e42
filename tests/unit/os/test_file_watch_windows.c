/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include <os/clock.h>
#include <os/file_watch.h>
#include <os/thread.h>
#include <stdio.h>
#include <string.h>
#include <support/memory_failing.h>
#include <windows.h>

/* Longer than any machine is held up. */
#define PATIENCE_MS 30000

struct rig {
	char folder[64];
	char file[96], other[96];
	struct file_watch *watch;
};

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "wb");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static int make_rig(void **state)
{
	static struct rig rig;
	const char *paths[1] = {rig.file};

	(void)snprintf(rig.folder, sizeof(rig.folder), "/tmp/wsmauthz-test-watch-XXXXXX");
	if (mkdtemp(rig.folder) == NULL)
		return -1;
	(void)snprintf(rig.file, sizeof(rig.file), "%s/file", rig.folder);
	(void)snprintf(rig.other, sizeof(rig.other), "%s/other", rig.folder);
	write_file(rig.file, "one");
	*state = &rig;
	return file_watch_open(paths, 1, &rig.watch, NULL) == STATUS_OK ? 0 : -1;
}

static int remove_rig(void **state)
{
	struct rig *rig = *state;

	file_watch_close(&rig->watch);
	(void)unlink(rig->file);
	(void)unlink(rig->other);
	return rmdir(rig->folder);
}

/* Reports are hints, and one change may give two: what is left of it is taken. */
static void settle(struct rig *rig)
{
	while (file_watch_wait(rig->watch, 200))
		;
}

static void file_watch_wait__nothing_happens__waits_its_time(void **state)
{
	struct rig *rig = *state;
	const uint64_t before_ms = clock_monotonic_ms();

	assert_false(file_watch_wait(rig->watch, 50));
	assert_true(clock_monotonic_ms() >= before_ms + 50);
}

static void file_watch_wait__each_kind_of_change__is_reported(void **state)
{
	struct rig *rig = *state;

	write_file(rig->file, "two and more");
	assert_true(file_watch_wait(rig->watch, PATIENCE_MS));
	settle(rig);
	assert_int_equal(unlink(rig->file), 0);
	assert_true(file_watch_wait(rig->watch, PATIENCE_MS));
	settle(rig);
	write_file(rig->file, "three");
	assert_true(file_watch_wait(rig->watch, PATIENCE_MS));
	settle(rig);
	write_file(rig->other, "four4");
	settle(rig);
	assert_true(MoveFileExA(rig->other, rig->file, MOVEFILE_REPLACE_EXISTING));
	assert_true(file_watch_wait(rig->watch, PATIENCE_MS));
	settle(rig);
	assert_int_equal(chmod(rig->file, 0600), 0);
	assert_true(file_watch_wait(rig->watch, PATIENCE_MS));
}

static void file_watch_wait__another_file_in_the_folder__is_not_reported(void **state)
{
	struct rig *rig = *state;

	settle(rig);
	for (int i = 0; i < 50; i++)
		write_file(rig->other, "x");
	assert_false(file_watch_wait(rig->watch, 300));
}

static void file_watch_wait__read_by_many__is_not_reported(void **state)
{
	struct rig *rig = *state;
	char text[10];
	FILE *file;

	settle(rig);
	for (int i = 0; i < 20; i++) {
		file = fopen(rig->file, "rb");
		assert_non_null(file);
		assert_int_equal(fread(text, 1, sizeof(text), file), 3);
		(void)fclose(file);
	}
	assert_false(file_watch_wait(rig->watch, 300));
}

static void wake_later(void *context)
{
	thread_pause(50);
	file_watch_wake(context);
}

static void file_watch_wake__before_and_while_waiting__ends_it(void **state)
{
	struct rig *rig = *state;
	struct thread thread = {0};

	file_watch_wake(rig->watch);
	file_watch_wake(rig->watch);
	assert_false(file_watch_wait(rig->watch, FILE_WATCH_FOREVER));
	assert_status(thread_start(&thread, "wake", wake_later, rig->watch, NULL), STATUS_OK, NULL);
	assert_false(file_watch_wait(rig->watch, FILE_WATCH_FOREVER));
	thread_join(&thread);
	/* It was taken: nothing wakes any more. */
	assert_false(file_watch_wait(rig->watch, 20));
}

static void file_watch_wait__the_folder_comes_later__is_reported(void **state)
{
	struct rig *rig = *state;
	char folder[80], file[120];
	const char *paths[1] = {file};
	struct file_watch *watch = NULL;

	(void)snprintf(folder, sizeof(folder), "%s/far", rig->folder);
	(void)snprintf(file, sizeof(file), "%s/file", folder);
	assert_status(file_watch_open(paths, 1, &watch, NULL), STATUS_OK, NULL);
	assert_int_equal(mkdir(folder, 0700), 0);
	write_file(file, "x");
	assert_true(file_watch_wait(watch, PATIENCE_MS));
	while (file_watch_wait(watch, 200))
		;
	write_file(file, "more");
	assert_true(file_watch_wait(watch, PATIENCE_MS));
	file_watch_close(&watch);
	assert_int_equal(unlink(file), 0);
	assert_int_equal(rmdir(folder), 0);
}

static void file_watch_open__again_and_again__gives_all_memory_back(void **state)
{
	struct rig *rig = *state;
	const char *paths[3] = {rig->file, rig->other, "/tmp/wsmauthz-no-such-folder/file"};
	const size_t before = memory_live_count();

	for (int i = 0; i < 20; i++) {
		struct file_watch *watch = NULL;

		assert_status(file_watch_open(paths, 3, &watch, NULL), STATUS_OK, NULL);
		write_file(rig->other, "x");
		file_watch_close(&watch);
		assert_null(watch);
		assert_int_equal(memory_live_count(), before);
	}
}

static void file_watch_open__each_allocation_failing__leaks_nothing(void **state)
{
	struct rig *rig = *state;
	const char *paths[2] = {rig->file, rig->other};
	const size_t before = memory_live_count();
	size_t n = 0, count;

	do {
		struct file_watch *watch = NULL;
		enum status status;

		memory_fail_at(++n);
		status = file_watch_open(paths, 2, &watch, NULL);
		count = memory_fail_count();
		memory_fail_at(0);
		/* Without memory for its signs, a file is looked at now and then alone. */
		assert_true(status == STATUS_OK || status == STATUS_NO_MEMORY);
		assert_int_equal(status == STATUS_OK, watch != NULL);
		file_watch_close(&watch);
		assert_int_equal(memory_live_count(), before);
	} while (count >= n && n < 100);
	assert_in_range(n, 4, 50);
}

#define RIGGED(test) cmocka_unit_test_setup_teardown(test, make_rig, remove_rig)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    RIGGED(file_watch_wait__nothing_happens__waits_its_time),
	    RIGGED(file_watch_wait__each_kind_of_change__is_reported),
	    RIGGED(file_watch_wait__another_file_in_the_folder__is_not_reported),
	    RIGGED(file_watch_wait__read_by_many__is_not_reported),
	    RIGGED(file_watch_wake__before_and_while_waiting__ends_it),
	    RIGGED(file_watch_wait__the_folder_comes_later__is_reported),
	    RIGGED(file_watch_open__again_and_again__gives_all_memory_back),
	    RIGGED(file_watch_open__each_allocation_failing__leaks_nothing),
	};

	return cmocka_run_group_tests_name("os/file_watch_windows", tests, NULL, NULL);
}
