/* SPDX-License-Identifier: Apache-2.0 */
#include <os/file_new.h>

#include <base/memory.h>
#include <errno.h>
#include <fcntl.h>
#include <os/random.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUFFER_BYTES 65536
#define OWNER_ONLY   (S_IRUSR | S_IWUSR)
/* ".new-", eight digits, NUL. */
#define SUFFIX_BYTES 16

struct file_new {
	char *path;      /* owned: whose place it takes */
	char *temporary; /* owned */
	int fd;
	size_t used;
	char buffer[BUFFER_BYTES];
};

static enum status status_of(int number)
{
	switch (number) {
	case ENOENT:
	case ENOTDIR:
		return STATUS_NOT_FOUND;
	case EACCES:
	case EPERM:
	case EROFS:
		return STATUS_REFUSED;
	case ENOMEM:
		return STATUS_NO_MEMORY;
	default:
		return STATUS_UNREACHABLE;
	}
}

static void release(struct file_new **reference)
{
	struct file_new *file = *reference;

	*reference = NULL;
	if (file->fd >= 0)
		(void)close(file->fd);
	memory_free(file->path);
	memory_free(file->temporary);
	memory_free(file);
}

/* What the name stands for: behind links, where there is something. */
static enum status find_place(const char *path, char **place_out, struct error *error)
{
	struct stat info;
	char *real;

	if (stat(path, &info) != 0) {
		*place_out = memory_copy_text(path);
		return *place_out == NULL ? error_no_memory(error) : STATUS_OK;
	}
	if (!S_ISREG(info.st_mode))
		return error_set(error, STATUS_INVALID, "'%s' is no regular file", path);
	real = realpath(path, NULL);
	if (real == NULL)
		return error_system(error, status_of(errno), errno, "could not find '%s'", path);
	*place_out = memory_copy_text(real);
	free(real);
	return *place_out == NULL ? error_no_memory(error) : STATUS_OK;
}

static enum status make_temporary(struct file_new *file, struct error *error)
{
	const size_t room = strlen(file->path) + SUFFIX_BYTES;
	uint32_t number = 0;
	enum status status = random_fill(&number, sizeof(number), error);

	if (status != STATUS_OK)
		return status;
	file->temporary = memory_new(room);
	if (file->temporary == NULL)
		return error_no_memory(error);
	(void)snprintf(file->temporary, room, "%s.new-%08lx", file->path, (unsigned long)number);
	file->fd = open(file->temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, OWNER_ONLY);
	if (file->fd < 0)
		return error_system(error, status_of(errno), errno, "could not make a file beside '%s'", file->path);
	return STATUS_OK;
}

enum status file_new_open(const char *path, struct file_new **file_out, struct error *error)
{
	struct file_new *file = memory_new(sizeof(*file));
	enum status status;

	if (file == NULL)
		return error_no_memory(error);
	file->fd = -1;
	status = find_place(path, &file->path, error);
	if (status == STATUS_OK)
		status = make_temporary(file, error);
	if (status != STATUS_OK) {
		release(&file);
		return status;
	}
	*file_out = file;
	return STATUS_OK;
}

static enum status flush(struct file_new *file, struct error *error)
{
	size_t done = 0;

	while (done < file->used) {
		const ssize_t written = write(file->fd, file->buffer + done, file->used - done);

		if (written < 0 && errno != EINTR)
			return error_system(error, STATUS_UNREACHABLE, errno, "could not write '%s'", file->path);
		done += written > 0 ? (size_t)written : 0;
	}
	file->used = 0;
	return STATUS_OK;
}

enum status file_new_write(struct file_new *file, const void *data, size_t length, struct error *error)
{
	const char *at = data;

	while (length > 0) {
		const size_t room = BUFFER_BYTES - file->used;
		const size_t piece = length < room ? length : room;
		enum status status = STATUS_OK;

		memcpy(file->buffer + file->used, at, piece);
		file->used += piece;
		at += piece;
		length -= piece;
		if (file->used == BUFFER_BYTES)
			status = flush(file, error);
		if (status != STATUS_OK)
			return status;
	}
	return STATUS_OK;
}

static enum status finish(struct file_new *file, struct error *error)
{
	enum status status = flush(file, error);
	struct stat before;

	if (status != STATUS_OK)
		return status;
	if (stat(file->path, &before) == 0 && fchmod(file->fd, before.st_mode & (S_IRWXU | S_IRWXG | S_IRWXO)) != 0)
		return error_system(error, STATUS_UNREACHABLE, errno, "could not set the permissions of '%s'",
				    file->path);
	if (fsync(file->fd) != 0)
		return error_system(error, STATUS_UNREACHABLE, errno, "could not write '%s'", file->path);
	if (rename(file->temporary, file->path) != 0)
		return error_system(error, status_of(errno), errno, "could not put '%s' into place", file->path);
	return STATUS_OK;
}

enum status file_new_commit(struct file_new **file, struct error *error)
{
	const enum status status = finish(*file, error);

	if (status == STATUS_OK)
		release(file);
	else
		file_new_abandon(file);
	return status;
}

void file_new_abandon(struct file_new **file)
{
	if (*file == NULL)
		return;
	(void)unlink((*file)->temporary);
	release(file);
}
