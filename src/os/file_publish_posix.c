/* SPDX-License-Identifier: Apache-2.0 */
#include <os/file_publish.h>

#include <base/memory.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MODE (S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH)
/* A dot, a process's number, ".tmp" and the NUL. */
#define SUFFIX_BYTES 32

struct file_publish {
	char *path, *temporary; /* owned */
	bool is_written;
	dev_t device; /* of what was written last */
	ino_t inode;
};

enum status file_publish_open(const char *path, struct file_publish **publish_out, struct error *error)
{
	struct file_publish *publish = memory_new(sizeof(*publish));
	const size_t size = strlen(path) + SUFFIX_BYTES;

	if (publish == NULL)
		return error_no_memory(error);
	publish->path = memory_copy_text(path);
	publish->temporary = memory_new(size);
	if (publish->path == NULL || publish->temporary == NULL) {
		file_publish_close(&publish);
		return error_no_memory(error);
	}
	(void)snprintf(publish->temporary, size, "%s.%ld.tmp", path, (long)getpid());
	*publish_out = publish;
	return STATUS_OK;
}

static enum status failure(int number, const char *what, const char *path, struct error *error)
{
	enum status status = STATUS_UNREACHABLE;

	if (number == ENOENT || number == ENOTDIR)
		status = STATUS_NOT_FOUND;
	else if (number == EACCES || number == EPERM || number == EROFS)
		status = STATUS_REFUSED;
	(void)error_system(error, status, number, "could not %s '%s'", what, path);
	if (status == STATUS_NOT_FOUND || status == STATUS_REFUSED)
		return error_hint(error, status, "make the folder, and let user %lu write there",
				  (unsigned long)geteuid());
	return status;
}

/* What a process of this number left when it was killed is in the way, and ours to remove. Never through a link of somebody else's. */
static int open_temporary(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, MODE);

	if (fd >= 0 || errno != EEXIST || unlink(path) != 0)
		return fd;
	return open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, MODE);
}

/* @return an errno; 0: all is written. */
static int write_all(int fd, const char *data, size_t length)
{
	while (length > 0) {
		const ssize_t written = write(fd, data, length);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return written < 0 ? errno : EIO;
		data += written;
		length -= (size_t)written;
	}
	return 0;
}

enum status file_publish_write(struct file_publish *publish, const char *data, size_t length, struct error *error)
{
	const int fd = open_temporary(publish->temporary);
	struct stat info = {.st_ino = 0};
	int number;

	if (fd < 0)
		return failure(errno, "make", publish->temporary, error);
	/* The umask is our host's, and may hide the file from whom it is for. */
	number = fchmod(fd, MODE) != 0 || fstat(fd, &info) != 0 ? errno : write_all(fd, data, length);
	if (close(fd) != 0 && number == 0)
		number = errno;
	if (number == 0 && rename(publish->temporary, publish->path) != 0)
		number = errno;
	if (number != 0) {
		(void)unlink(publish->temporary);
		return failure(number, "write", publish->path, error);
	}
	publish->is_written = true;
	publish->device = info.st_dev;
	publish->inode = info.st_ino;
	return STATUS_OK;
}

static bool is_ours(const struct file_publish *publish)
{
	struct stat info;

	return publish->is_written && lstat(publish->path, &info) == 0 && info.st_dev == publish->device &&
	       info.st_ino == publish->inode;
}

bool file_publish_is_replaced(const struct file_publish *publish)
{
	struct stat info;

	return publish->is_written && lstat(publish->path, &info) == 0 && !is_ours(publish);
}

void file_publish_close(struct file_publish **reference)
{
	struct file_publish *publish = *reference;

	*reference = NULL;
	if (publish == NULL)
		return;
	if (publish->path != NULL && is_ours(publish))
		(void)unlink(publish->path);
	memory_free(publish->path);
	memory_free(publish->temporary);
	memory_free(publish);
}

static enum status check(int fd, size_t limit_bytes, const char *path, struct error *error)
{
	struct stat info;

	if (fstat(fd, &info) != 0)
		return error_system(error, STATUS_UNREACHABLE, errno, "could not examine '%s'", path);
	if (!S_ISREG(info.st_mode))
		return error_set(error, STATUS_INVALID, "'%s' is not a regular file", path);
	if ((uintmax_t)info.st_size > limit_bytes)
		return error_set(error, STATUS_LIMIT, "'%s' is larger than %zu bytes", path, limit_bytes);
	return STATUS_OK;
}

/* What was opened is never written to again, but replaced: it is read to its end, whatever takes its place meanwhile. */
static enum status read_all(int fd, char *data, size_t size, size_t *length_out, const char *path, struct error *error)
{
	size_t length = 0;
	ssize_t got = 1;

	while (length < size && got != 0) {
		got = read(fd, data + length, size - length);
		if (got < 0 && errno != EINTR)
			return error_system(error, STATUS_UNREACHABLE, errno, "could not read '%s'", path);
		if (got > 0)
			length += (size_t)got;
	}
	if (length == size)
		return error_set(error, STATUS_LIMIT, "'%s' is larger than %zu bytes", path, size - 1);
	data[length] = '\0';
	*length_out = length;
	return STATUS_OK;
}

static enum status open_failure(int number, const char *path, struct error *error)
{
	enum status status = STATUS_UNREACHABLE;

	if (number == ENOENT || number == ENOTDIR)
		status = STATUS_NOT_FOUND;
	else if (number == EACCES || number == EPERM)
		status = STATUS_REFUSED;
	return error_system(error, status, number, "could not open '%s'", path);
}

enum status file_publish_read(const char *path, size_t limit_bytes, char **data_out, size_t *length_out,
			      struct error *error)
{
	char *data = memory_new(limit_bytes + 1);
	/* Not waiting, so that a FIFO in the file's place cannot hold us up. */
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	enum status status;

	if (data == NULL)
		status = error_no_memory(error);
	else if (fd < 0)
		status = open_failure(errno, path, error);
	else if ((status = check(fd, limit_bytes, path, error)) == STATUS_OK)
		status = read_all(fd, data, limit_bytes + 1, length_out, path, error);
	if (fd >= 0)
		(void)close(fd);
	if (status == STATUS_OK)
		*data_out = data;
	else
		memory_free(data);
	return status;
}
