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
#include <sys/wait.h>
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

static void write_file(const char *path, const char *data, size_t length, mode_t mode)
{
	int fd;

	/* One that may not be written stands in the way of any user but root. */
	(void)unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, length), length);
	assert_int_equal(fchmod(fd, mode), 0);
	(void)close(fd);
}

static void file_read_trusted__good_file__is_read_whole(void **state)
{
	struct place *place = *state;
	size_t length = 0;
	char *data = NULL;

	write_file(place->file, "<a>\0</a>\n", 9, 0644);
	assert_status(file_read_trusted(place->file, 9, &data, &length, NULL), STATUS_OK, NULL);
	assert_int_equal(length, 9);
	assert_memory_equal(data, "<a>\0</a>\n", 10);
	memory_free(data);
}

static void file_read_trusted__empty_file__is_an_empty_string(void **state)
{
	struct place *place = *state;
	size_t length = 77;
	char *data = NULL;

	write_file(place->file, "", 0, 0600);
	assert_status(file_read_trusted(place->file, 10, &data, &length, NULL), STATUS_OK, NULL);
	assert_int_equal(length, 0);
	assert_string_equal(data, "");
	memory_free(data);
}

/* Root would be let through by the permissions that these files have, so only the modes are checked. */
static void file_read_trusted__modes__as_expected(void **state)
{
	static const struct {
		const char *row;
		mode_t mode;
		enum status trusted, secret;
		const char *trusted_hint, *secret_hint;
	} rows[] = {
	    {"0400", 0400, STATUS_OK, STATUS_OK, "", ""},
	    {"0600", 0600, STATUS_OK, STATUS_OK, "", ""},
	    {"0640", 0640, STATUS_OK, STATUS_OK, "", ""},
	    {"0644", 0644, STATUS_OK, STATUS_REFUSED, "", "chmod o-rwx '"},
	    {"0604", 0604, STATUS_OK, STATUS_REFUSED, "", "chmod o-rwx '"},
	    {"0755", 0755, STATUS_OK, STATUS_REFUSED, "", "chmod o-rwx '"},
	    {"0660", 0660, STATUS_REFUSED, STATUS_REFUSED, "chmod go-w '", "chmod g-w,o-rwx '"},
	    {"0620", 0620, STATUS_REFUSED, STATUS_REFUSED, "chmod go-w '", "chmod g-w,o-rwx '"},
	    {"0602", 0602, STATUS_REFUSED, STATUS_REFUSED, "chmod go-w '", "chmod g-w,o-rwx '"},
	    {"0666", 0666, STATUS_REFUSED, STATUS_REFUSED, "chmod go-w '", "chmod g-w,o-rwx '"},
	};
	struct place *place = *state;
	struct secret *secret = NULL;
	struct error error;
	size_t length, i;
	char *data = NULL;

	for (i = 0; i < COUNT_OF(rows); i++) {
		write_file(place->file, "password", 8, rows[i].mode);
		memset(&error, 0, sizeof(error));
		assert_row(rows[i].row, file_read_trusted(place->file, 100, &data, &length, &error) == rows[i].trusted);
		assert_row(rows[i].row, strncmp(error.hint, rows[i].trusted_hint, strlen(rows[i].trusted_hint)) == 0);
		assert_row(rows[i].row, (data != NULL) == (rows[i].trusted == STATUS_OK));
		assert_row(rows[i].row, file_check_trusted(place->file, NULL) == rows[i].trusted);
		memory_free(data);
		data = NULL;
		memset(&error, 0, sizeof(error));
		assert_row(rows[i].row, file_read_secret(place->file, &secret, &error) == rows[i].secret);
		assert_row(rows[i].row, strncmp(error.hint, rows[i].secret_hint, strlen(rows[i].secret_hint)) == 0);
		assert_row(rows[i].row, (secret != NULL) == (rows[i].secret == STATUS_OK));
		assert_row(rows[i].row, file_check_secret(place->file, NULL) == rows[i].secret);
		secret_free(&secret);
	}
}

static void file_read_trusted__refused__hint_can_be_pasted(void **state)
{
	struct place *place = *state;
	char expected[ERROR_TEXT_BYTES];
	struct error error;
	size_t length;
	char *data;

	write_file(place->file, "x", 1, 0666);
	assert_status(file_read_trusted(place->file, 100, &data, &length, &error), STATUS_REFUSED, NULL);
	(void)snprintf(expected, sizeof(expected), "chmod go-w '%s'", place->file);
	assert_string_equal(error.hint, expected);
	assert_contains(error.what, place->file);
	assert_contains(error.what, "0666");
}

static void file_read_trusted__foreign_owner__is_refused(void **state)
{
	struct place *place = *state;
	struct error error;
	size_t length;
	char *data;

	write_file(place->file, "x", 1, 0600);
	/* Only root can give a file away. */
	if (chown(place->file, 12345, (gid_t)-1) != 0) {
		assert_int_equal(errno, EPERM);
		assert_int_not_equal(geteuid(), 0);
		skip();
	}
	assert_status(file_read_trusted(place->file, 100, &data, &length, &error), STATUS_REFUSED, NULL);
	assert_contains(error.what, "12345");
	assert_contains(error.hint, "chown root '");
	assert_status(file_check_trusted(place->file, NULL), STATUS_REFUSED, NULL);
	assert_status(file_check_readable(place->file, NULL), STATUS_OK, NULL);
}

/* In a process of another user: 0 when the file's own user may read it and root's is believed. */
static int child_of_user(const char *path, uid_t user)
{
	struct error error;
	size_t length;
	char *data = NULL;
	enum status status;

	if (setuid(user) != 0)
		return 2;
	status = file_read_trusted(path, 100, &data, &length, &error);
	memory_free(data);
	return status == STATUS_OK ? 0 : status == STATUS_REFUSED && error.hint[0] != '\0' ? 1 : 3;
}

static int run_as(const char *path, uid_t user)
{
	int code = 0;
	pid_t child = fork();

	if (child == 0)
		_exit(child_of_user(path, user));
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &code, 0), child);
	assert_true(WIFEXITED(code));
	return WEXITSTATUS(code);
}

static void file_read_trusted__owners_seen_by_another_user__as_expected(void **state)
{
	struct place *place = *state;

	if (geteuid() != 0)
		skip();
	assert_int_equal(chmod(place->folder, 0755), 0);
	write_file(place->file, "x", 1, 0644);
	assert_int_equal(run_as(place->file, 12345), 0); /* root's */
	assert_int_equal(chown(place->file, 12345, (gid_t)-1), 0);
	assert_int_equal(run_as(place->file, 12345), 0); /* his own */
	assert_int_equal(run_as(place->file, 12346), 1); /* another's */
	assert_int_equal(chmod(place->file, 0600), 0);
	assert_int_equal(run_as(place->file, 12346), 1); /* not readable at all */
}

static void file_read_trusted__larger_than_the_limit__is_refused(void **state)
{
	struct place *place = *state;
	struct error error;
	size_t length = 77;
	char *data = NULL;

	write_file(place->file, "12345", 5, 0600);
	assert_status(file_read_trusted(place->file, 4, &data, &length, &error), STATUS_LIMIT, NULL);
	assert_null(data);
	assert_int_equal(length, 77);
	assert_contains(error.what, "larger than 4 bytes");
}

/* A file of /proc says that it is empty, and is not: as one that grows between the look and the read. */
static void file_read_trusted__longer_than_it_said__is_refused(void **state)
{
	struct error error;
	size_t length = 77;
	char *data = NULL;

	(void)state;
	assert_status(file_read_trusted("/proc/self/status", 10000, &data, &length, &error), STATUS_UNREACHABLE, NULL);
	assert_null(data);
	assert_int_equal(length, 77);
	assert_contains(error.what, "changed while it was read");
}

static void file_read_trusted__not_there__is_told(void **state)
{
	struct place *place = *state;
	struct error error;
	size_t length;
	char path[200], *data;

	(void)unlink(place->file);
	assert_status(file_read_trusted(place->file, 10, &data, &length, &error), STATUS_NOT_FOUND, NULL);
	assert_contains(error.what, place->file);
	write_file(place->file, "", 0, 0600);
	(void)snprintf(path, sizeof(path), "%s/below", place->file);
	assert_status(file_read_trusted(path, 10, &data, &length, &error), STATUS_NOT_FOUND, NULL);
}

static void file_read_trusted__no_regular_file__is_refused_at_once(void **state)
{
	struct place *place = *state;
	size_t length;
	char *data;

	assert_status(file_read_trusted(place->folder, 100, &data, &length, NULL), STATUS_INVALID, NULL);
	assert_status(file_read_trusted("/dev/zero", 100, &data, &length, NULL), STATUS_INVALID, NULL);
	(void)unlink(place->file);
	assert_int_equal(mkfifo(place->file, 0600), 0);
	assert_status(file_read_trusted(place->file, 100, &data, &length, NULL), STATUS_INVALID, NULL);
	assert_status(file_check_readable(place->file, NULL), STATUS_INVALID, NULL);
	(void)unlink(place->file);
	assert_int_equal(symlink("file", place->file), 0);
	assert_status(file_read_trusted(place->file, 100, &data, &length, NULL), STATUS_INVALID, NULL);
}

static void file_read_trusted__through_a_link__is_read(void **state)
{
	struct place *place = *state;
	char link_path[200], *data = NULL;
	size_t length;

	write_file(place->file, "x", 1, 0600);
	(void)snprintf(link_path, sizeof(link_path), "%s/link", place->folder);
	assert_int_equal(symlink("file", link_path), 0);
	assert_status(file_read_trusted(link_path, 100, &data, &length, NULL), STATUS_OK, NULL);
	(void)unlink(link_path);
	assert_string_equal(data, "x");
	memory_free(data);
}

static void file_read_secret__contents__as_expected(void **state)
{
	static const struct {
		const char *row, *data;
		size_t length;
		const char *secret; /* NULL: refused */
	} rows[] = {
	    {"plain", "pass", 4, "pass"},
	    {"line end", "pass\n", 5, "pass"},
	    {"CRLF", "pass\r\n", 6, "pass"},
	    {"blanks belong to it", " pa ss \n", 8, " pa ss "},
	    {"not ASCII", "p\xC3\xA4ss\n", 6, "p\xC3\xA4ss"},
	    {"empty", "", 0, NULL},
	    {"line end only", "\n", 1, NULL},
	    {"CRLF only", "\r\n", 2, NULL},
	    {"two line ends", "pass\n\n", 6, NULL},
	    {"two lines", "pass\nword\n", 10, NULL},
	    {"CR inside", "pass\rword", 9, NULL},
	    {"CR at the end", "pass\r", 5, NULL},
	    {"NUL inside", "pa\0ss", 5, NULL},
	    {"NUL at the end", "pass\0", 5, NULL},
	    {"byte order mark", "\xEF\xBB\xBFpass", 7, NULL},
	};
	struct place *place = *state;
	struct secret *secret = NULL;
	size_t i;

	for (i = 0; i < COUNT_OF(rows); i++) {
		write_file(place->file, rows[i].data, rows[i].length, 0640);
		assert_row(rows[i].row, file_read_secret(place->file, &secret, NULL) ==
					    (rows[i].secret != NULL ? STATUS_OK : STATUS_INVALID));
		assert_row(rows[i].row, (secret != NULL) == (rows[i].secret != NULL));
		if (secret != NULL)
			assert_string_equal(secret_bytes(secret), rows[i].secret);
		secret_free(&secret);
	}
}

static void file_read_secret__too_long__is_refused(void **state)
{
	struct place *place = *state;
	char data[FILE_SECRET_MAX_BYTES + 1];
	struct secret *secret = NULL;

	memset(data, 'x', sizeof(data));
	write_file(place->file, data, sizeof(data), 0600);
	assert_status(file_read_secret(place->file, &secret, NULL), STATUS_LIMIT, NULL);
	assert_null(secret);
	write_file(place->file, data, sizeof(data) - 1, 0600);
	assert_status(file_read_secret(place->file, &secret, NULL), STATUS_OK, NULL);
	assert_int_equal(secret_length(secret), FILE_SECRET_MAX_BYTES);
	secret_free(&secret);
}

static void file_read_secret__each_allocation_failing__leaks_nothing(void **state)
{
	const size_t before = memory_live_count();
	struct place *place = *state;
	struct secret *secret = NULL;
	struct error error;
	enum status status;
	size_t n = 0;

	write_file(place->file, "pass\n", 5, 0600);
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
	assert_int_equal(n, 3);
	secret_free(&secret);
	assert_int_equal(memory_live_count(), before);
}

static void file_path_beside__table__as_expected(void **state)
{
	static const struct {
		const char *beside, *path, *expected;
	} rows[] = {
	    {"/etc/wsmauthz/policy.xml", "ca.pem", "/etc/wsmauthz/ca.pem"},
	    {"/etc/wsmauthz/policy.xml", "/ca.pem", "/ca.pem"},
	    {"/etc/wsmauthz/policy.xml", "tls/ca.pem", "/etc/wsmauthz/tls/ca.pem"},
	    {"/etc/wsmauthz/policy.xml", "../ca.pem", "/etc/wsmauthz/../ca.pem"},
	    {"/policy.xml", "ca.pem", "/ca.pem"},
	    {"policy.xml", "ca.pem", "ca.pem"},
	    {"conf/policy.xml", "ca.pem", "conf/ca.pem"},
	};
	char *path;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT_OF(rows); i++) {
		path = file_path_beside(rows[i].beside, rows[i].path);
		assert_non_null(path);
		assert_string_equal(path, rows[i].expected);
		memory_free(path);
		memory_fail_at(1);
		assert_null(file_path_beside(rows[i].beside, rows[i].path));
		memory_fail_at(0);
	}
}

#define PLACED(test) cmocka_unit_test_setup_teardown(test, make_place, remove_place)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    PLACED(file_read_trusted__good_file__is_read_whole),
	    PLACED(file_read_trusted__empty_file__is_an_empty_string),
	    PLACED(file_read_trusted__modes__as_expected),
	    PLACED(file_read_trusted__refused__hint_can_be_pasted),
	    PLACED(file_read_trusted__foreign_owner__is_refused),
	    PLACED(file_read_trusted__owners_seen_by_another_user__as_expected),
	    PLACED(file_read_trusted__larger_than_the_limit__is_refused),
	    PLACED(file_read_trusted__longer_than_it_said__is_refused),
	    PLACED(file_read_trusted__not_there__is_told),
	    PLACED(file_read_trusted__no_regular_file__is_refused_at_once),
	    PLACED(file_read_trusted__through_a_link__is_read),
	    PLACED(file_read_secret__contents__as_expected),
	    PLACED(file_read_secret__too_long__is_refused),
	    PLACED(file_read_secret__each_allocation_failing__leaks_nothing),
	    PLACED(file_path_beside__table__as_expected),
	};

	return cmocka_run_group_tests_name("os/file", tests, NULL, NULL);
}
