/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include <errno.h>
#include <fcntl.h>
#include <os/file_watch.h>
#include <os/thread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support/memory_failing.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* Long enough for any machine; no test waits so long but to fail. */
#define PATIENCE_MS 10000

/* A folder of the test's own, a file in it, and a watch on that file. */
struct place {
	char folder[64];
	char file[128];
	struct file_watch *watch;
};

static const char *in(const struct place *place, const char *name)
{
	static char paths[4][128];
	static unsigned next;
	char *path = paths[next++ % COUNT_OF(paths)];

	(void)snprintf(path, sizeof(paths[0]), "%s/%s", place->folder, name);
	return path;
}

/* In place: the file, if there is one, stays the same file. */
static void write_file(const char *path, const char *text)
{
	const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	(void)close(fd);
}

/* Opened for writing and closed, nothing written: stat(2) shows nothing, only the system's sign tells. */
static void touch_unseen(const char *path)
{
	const int fd = open(path, O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	(void)close(fd);
}

static struct file_watch *watch_one(const char *path)
{
	struct file_watch *watch = NULL;
	struct error error = {.status = STATUS_OK};

	assert_status(file_watch_open(&path, 1, &watch, &error), STATUS_OK, &error);
	return watch;
}

static int make_place(void **state)
{
	static struct place place;

	(void)snprintf(place.folder, sizeof(place.folder), "/tmp/wsmauthz-test-watch-XXXXXX");
	if (mkdtemp(place.folder) == NULL)
		return -1;
	(void)snprintf(place.file, sizeof(place.file), "%s/file", place.folder);
	write_file(place.file, "one");
	place.watch = watch_one(place.file);
	*state = &place;
	return 0;
}

static int remove_place(void **state)
{
	struct place *place = *state;
	char command[128];

	file_watch_close(&place->watch);
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", place->folder);
	return system(command); /* NOLINT(cert-env33-c) */
}

#define assert_changed(place)   assert_true(file_watch_wait((place)->watch, PATIENCE_MS))
#define assert_unchanged(place) assert_false(file_watch_wait((place)->watch, 30))

static void file_watch_wait__nothing_but_a_reader__tells_nothing(void **state)
{
	struct place *place = *state;
	char byte;
	const int fd = open(place->file, O_RDONLY | O_CLOEXEC);

	assert_int_equal(read(fd, &byte, 1), 1);
	(void)close(fd);
	assert_false(file_watch_wait(place->watch, 0));
	assert_unchanged(place);
}

static void file_watch_wait__written_in_place__tells_once(void **state)
{
	struct place *place = *state;

	write_file(place->file, "two");
	assert_changed(place);
	assert_unchanged(place);
	write_file(place->file, "six");
	assert_changed(place);
	assert_unchanged(place);
}

static void file_watch_wait__only_the_system_tells__is_heard(void **state)
{
	struct place *place = *state;

	touch_unseen(place->file);
	assert_changed(place);
	assert_unchanged(place);
}

static void file_watch_wait__another_renamed_over__tells_and_follows_it(void **state)
{
	struct place *place = *state;

	write_file(in(place, "file.new"), "two");
	assert_int_equal(rename(in(place, "file.new"), place->file), 0);
	assert_changed(place);
	assert_unchanged(place);
	touch_unseen(place->file);
	assert_changed(place);
}

static void file_watch_wait__renamed_away_and_made_anew__the_old_one_does_not_matter(void **state)
{
	struct place *place = *state;

	assert_int_equal(rename(place->file, in(place, "file~")), 0);
	write_file(place->file, "two");
	assert_changed(place);
	touch_unseen(in(place, "file~"));
	assert_unchanged(place);
}

/* Lines of the system's own account of a descriptor: one for each watch of inotify. */
static size_t count_system_watches(void)
{
	char path[64], line[256];
	size_t count = 0;
	int fd;

	for (fd = 0; fd < 64; fd++) {
		FILE *file;

		(void)snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
		file = fopen(path, "re");
		while (file != NULL && fgets(line, sizeof(line), file) != NULL)
			count += strncmp(line, "inotify ", 8) == 0;
		if (file != NULL)
			(void)fclose(file);
	}
	return count;
}

static void file_watch_wait__the_old_files_stay__they_are_watched_no_longer(void **state)
{
	struct place *place = *state;
	const size_t before = count_system_watches();
	char old[16];
	int i;

	for (i = 0; i < 5; i++) {
		(void)snprintf(old, sizeof(old), "file.%d", i);
		assert_int_equal(rename(place->file, in(place, old)), 0);
		write_file(place->file, "next");
		assert_changed(place);
	}
	assert_int_equal(before, 2); /* the file and its folder */
	assert_int_equal(count_system_watches(), before);
}

static void file_watch_wait__deleted_and_made_again__tells_both(void **state)
{
	struct place *place = *state;

	assert_int_equal(unlink(place->file), 0);
	assert_changed(place);
	assert_unchanged(place);
	write_file(place->file, "one");
	assert_changed(place);
	touch_unseen(place->file);
	assert_changed(place);
}

static void file_watch_wait__permissions__tells(void **state)
{
	struct place *place = *state;

	assert_int_equal(chmod(place->file, 0660), 0);
	assert_changed(place);
	assert_unchanged(place);
}

static void file_watch_wait__something_beside_it__tells_nothing(void **state)
{
	struct place *place = *state;

	write_file(in(place, "other"), "x");
	assert_int_equal(rename(in(place, "other"), in(place, "another")), 0);
	assert_int_equal(chmod(in(place, "another"), 0600), 0);
	assert_int_equal(unlink(in(place, "another")), 0);
	assert_unchanged(place);
}

static void file_watch_wait__two_quick_changes__the_last_one_is_told_after_it_happened(void **state)
{
	struct place *place = *state;
	int i;

	for (i = 0; i < 20; i++) {
		write_file(place->file, "two");
		write_file(place->file, "six");
		assert_changed(place);
	}
	while (file_watch_wait(place->watch, 0))
		;
	assert_unchanged(place);
}

/* As Kubernetes mounts a volume: file -> ..data/file, ..data -> ..1; the link ..data is swapped. */
static void file_watch_wait__a_link_on_the_way_is_swapped__tells_and_follows_it(void **state)
{
	struct place *place = *state;

	assert_int_equal(mkdir(in(place, "..1"), 0700), 0);
	assert_int_equal(mkdir(in(place, "..2"), 0700), 0);
	write_file(in(place, "..1/link"), "one");
	write_file(in(place, "..2/link"), "two");
	assert_int_equal(symlink("..1", in(place, "..data")), 0);
	assert_int_equal(symlink("..data/link", in(place, "link")), 0);
	file_watch_close(&place->watch);
	place->watch = watch_one(in(place, "link"));
	assert_int_equal(symlink("..2", in(place, "..tmp")), 0);
	assert_unchanged(place);
	assert_int_equal(rename(in(place, "..tmp"), in(place, "..data")), 0);
	assert_changed(place);
	touch_unseen(in(place, "..2/link"));
	assert_changed(place);
	touch_unseen(in(place, "..1/link"));
	assert_unchanged(place);
}

static void file_watch_wait__behind_a_link_elsewhere__its_replacement_is_told(void **state)
{
	struct place *place = *state;

	assert_int_equal(mkdir(in(place, "far"), 0700), 0);
	write_file(in(place, "far/real"), "one");
	assert_int_equal(symlink("far/real", in(place, "link")), 0);
	file_watch_close(&place->watch);
	place->watch = watch_one(in(place, "link"));
	write_file(in(place, "far/new"), "two");
	assert_unchanged(place);
	assert_int_equal(rename(in(place, "far/new"), in(place, "far/real")), 0);
	assert_changed(place);
}

static void file_watch_wait__its_folder_is_replaced__tells(void **state)
{
	struct place *place = *state;

	assert_int_equal(mkdir(in(place, "conf"), 0700), 0);
	assert_int_equal(mkdir(in(place, "conf.new"), 0700), 0);
	write_file(in(place, "conf/file"), "one");
	write_file(in(place, "conf.new/file"), "one");
	file_watch_close(&place->watch);
	place->watch = watch_one(in(place, "conf/file"));
	assert_int_equal(rename(in(place, "conf"), in(place, "conf.old")), 0);
	assert_int_equal(rename(in(place, "conf.new"), in(place, "conf")), 0);
	assert_changed(place);
	while (file_watch_wait(place->watch, 0))
		;
	touch_unseen(in(place, "conf/file"));
	assert_changed(place);
}

static void file_watch_wait__not_there_nor_its_folder__its_creation_is_told(void **state)
{
	struct place *place = *state;

	file_watch_close(&place->watch);
	place->watch = watch_one(in(place, "later/file"));
	assert_unchanged(place);
	assert_int_equal(mkdir(in(place, "later"), 0700), 0);
	write_file(in(place, "later/file"), "one");
	assert_changed(place);
	while (file_watch_wait(place->watch, 0))
		;
	touch_unseen(in(place, "later/file"));
	assert_changed(place);
}

static void file_watch_wait__several_files__each_is_told(void **state)
{
	struct place *place = *state;
	const char *paths[] = {place->file, in(place, "b"), in(place, "c")};
	size_t i;

	file_watch_close(&place->watch);
	assert_status(file_watch_open(paths, COUNT_OF(paths), &place->watch, NULL), STATUS_OK, NULL);
	for (i = 0; i < COUNT_OF(paths); i++) {
		write_file(paths[i], "x");
		assert_changed(place);
		assert_unchanged(place);
	}
}

/* A descriptor to be woken by, and none for inotify. */
static struct file_watch *watch_by_looking_alone(const char *path)
{
	struct rlimit before, limit;
	struct file_watch *watch;
	const int first_free = dup(0);

	assert_true(first_free >= 0);
	(void)close(first_free);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	limit = before;
	limit.rlim_cur = (rlim_t)first_free + 1;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	watch = watch_one(path);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	return watch;
}

static void file_watch_wait__the_system_tells_nothing__looks_itself(void **state)
{
	struct place *place = *state;

	file_watch_close(&place->watch);
	place->watch = watch_by_looking_alone(place->file);
	touch_unseen(place->file); /* what tells that it is alone */
	assert_unchanged(place);
	write_file(place->file, "seven");
	assert_changed(place);
	assert_unchanged(place);
	assert_int_equal(chmod(place->file, 0640), 0);
	assert_changed(place);
}

static void file_watch_open__no_descriptor__says_so(void **state)
{
	struct place *place = *state;
	struct error error = {.status = STATUS_OK};
	const char *path = place->file;
	struct file_watch *watch = NULL;
	struct rlimit before, none;
	enum status status;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	status = file_watch_open(&path, 1, &watch, &error);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_status(status, STATUS_LIMIT, &error);
	assert_int_equal(error.native, EMFILE);
	assert_null(watch);
}

static void file_watch_open__too_many_files__says_so(void **state)
{
	const char *paths[FILE_WATCH_MAX_FILES + 1];
	struct file_watch *watch = NULL;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT_OF(paths); i++)
		paths[i] = "file";
	assert_status(file_watch_open(paths, COUNT_OF(paths), &watch, NULL), STATUS_LIMIT, NULL);
	assert_null(watch);
	assert_status(file_watch_open(paths, COUNT_OF(paths) - 1, &watch, NULL), STATUS_OK, NULL);
	file_watch_close(&watch);
}

static void file_watch_wake__before_the_wait__it_returns_once(void **state)
{
	struct place *place = *state;

	file_watch_wake(place->watch);
	file_watch_wake(place->watch);
	assert_false(file_watch_wait(place->watch, FILE_WATCH_FOREVER));
	assert_unchanged(place);
}

static void file_watch_wake__with_a_change__neither_is_lost(void **state)
{
	struct place *place = *state;

	write_file(place->file, "two");
	file_watch_wake(place->watch);
	assert_false(file_watch_wait(place->watch, FILE_WATCH_FOREVER));
	assert_changed(place);
	assert_unchanged(place);
}

static void wake(void *context)
{
	file_watch_wake(context);
}

static void file_watch_wake__from_another_thread__ends_the_wait(void **state)
{
	struct place *place = *state;
	struct thread thread = {0};

	assert_status(thread_start(&thread, "wake", wake, place->watch, NULL), STATUS_OK, NULL);
	assert_false(file_watch_wait(place->watch, FILE_WATCH_FOREVER));
	thread_join(&thread);
}

/* Whoever is woken while a change settles loses nothing of it. */
static void file_watch_wake__again_and_again_while_it_changes__the_last_change_is_told(void **state)
{
	struct place *place = *state;
	struct thread thread;
	int i;

	for (i = 0; i < 20; i++) {
		thread = (struct thread){0};
		write_file(place->file, i % 2 == 0 ? "two" : "six");
		assert_status(thread_start(&thread, "wake", wake, place->watch, NULL), STATUS_OK, NULL);
		if (!file_watch_wait(place->watch, PATIENCE_MS))
			assert_changed(place);
		thread_join(&thread);
		(void)file_watch_wait(place->watch, 0); /* the wake */
	}
}

static void file_watch_open__each_allocation_failing__leaks_nothing(void **state)
{
	struct place *place = *state;
	const char *paths[] = {place->file, in(place, "b")};
	const size_t before = memory_live_count();
	struct file_watch *watch = NULL;
	struct error error;
	enum status status = STATUS_NO_MEMORY;
	size_t n;

	for (n = 1; status != STATUS_OK; n++) {
		memory_fail_at(n);
		status = file_watch_open(paths, COUNT_OF(paths), &watch, &error);
		if (status == STATUS_OK)
			break;
		assert_status(status, STATUS_NO_MEMORY, &error);
		assert_null(watch);
		assert_int_equal(memory_live_count(), before);
	}
	memory_fail_at(0);
	assert_int_equal(n, 4);
	file_watch_close(&watch);
	assert_null(watch);
	file_watch_close(&watch);
	assert_int_equal(memory_live_count(), before);
}

#define PLACED(test) cmocka_unit_test_setup_teardown(test, make_place, remove_place)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    PLACED(file_watch_wait__nothing_but_a_reader__tells_nothing),
	    PLACED(file_watch_wait__written_in_place__tells_once),
	    PLACED(file_watch_wait__only_the_system_tells__is_heard),
	    PLACED(file_watch_wait__another_renamed_over__tells_and_follows_it),
	    PLACED(file_watch_wait__renamed_away_and_made_anew__the_old_one_does_not_matter),
	    PLACED(file_watch_wait__the_old_files_stay__they_are_watched_no_longer),
	    PLACED(file_watch_wait__deleted_and_made_again__tells_both),
	    PLACED(file_watch_wait__permissions__tells),
	    PLACED(file_watch_wait__something_beside_it__tells_nothing),
	    PLACED(file_watch_wait__two_quick_changes__the_last_one_is_told_after_it_happened),
	    PLACED(file_watch_wait__a_link_on_the_way_is_swapped__tells_and_follows_it),
	    PLACED(file_watch_wait__behind_a_link_elsewhere__its_replacement_is_told),
	    PLACED(file_watch_wait__its_folder_is_replaced__tells),
	    PLACED(file_watch_wait__not_there_nor_its_folder__its_creation_is_told),
	    PLACED(file_watch_wait__several_files__each_is_told),
	    PLACED(file_watch_wait__the_system_tells_nothing__looks_itself),
	    PLACED(file_watch_open__no_descriptor__says_so),
	    PLACED(file_watch_open__too_many_files__says_so),
	    PLACED(file_watch_wake__before_the_wait__it_returns_once),
	    PLACED(file_watch_wake__with_a_change__neither_is_lost),
	    PLACED(file_watch_wake__from_another_thread__ends_the_wait),
	    PLACED(file_watch_wake__again_and_again_while_it_changes__the_last_change_is_told),
	    PLACED(file_watch_open__each_allocation_failing__leaks_nothing),
	};

	return cmocka_run_group_tests_name("os/file_watch", tests, NULL, NULL);
}
