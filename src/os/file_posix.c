/* SPDX-License-Identifier: Apache-2.0 */
#include <os/file.h>

#include <base/memory.h>
#include <errno.h>
#include <fcntl.h>
#include <os/file_secret.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define LINES_MODE (S_IRUSR | S_IWUSR | S_IRGRP)

/* Who may do what with a file for us to believe what it says. */
enum trust { TRUST_ANY, TRUST_WRITERS, TRUST_WRITERS_AND_READERS };

static enum status open_status(int number)
{
	switch (number) {
	case ENOENT:
	case ENOTDIR:
		return STATUS_NOT_FOUND;
	case EACCES:
	case EPERM:
	case EROFS:
		return STATUS_REFUSED;
	case ENXIO:
	case EISDIR:
	case ELOOP:
		return STATUS_INVALID;
	case ENOMEM:
		return STATUS_NO_MEMORY;
	default:
		return STATUS_UNREACHABLE;
	}
}

/* open(2) by way of a link is fine: whoever may change the link is root or the owner of its folder. */
static enum status open_path(const char *path, int flags, int *fd_out, struct error *error)
{
	enum status status;
	int fd;

	do {
		/* Not waiting, so that a FIFO in the file's place cannot hold us up. */
		fd = open(path, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, LINES_MODE);
	} while (fd < 0 && errno == EINTR);
	if (fd < 0) {
		status = error_system(error, open_status(errno), errno, "could not open '%s'", path);
		return status == STATUS_REFUSED
			   ? error_hint(error, status, "this process runs as user %lu", (unsigned long)geteuid())
			   : status;
	}
	*fd_out = fd;
	return STATUS_OK;
}

static enum status check_owner(const struct stat *info, const char *path, struct error *error)
{
	const uid_t self = geteuid();

	if (info->st_uid == 0 || info->st_uid == self)
		return STATUS_OK;
	(void)error_set(error, STATUS_REFUSED,
			"'%s' belongs to user %lu, who is neither root nor the user of this process (%lu)", path,
			(unsigned long)info->st_uid, (unsigned long)self);
	return error_hint(error, STATUS_REFUSED, "chown root '%s'", path);
}

static enum status check_mode(const struct stat *info, enum trust trust, const char *path, struct error *error)
{
	const unsigned mode = (unsigned)info->st_mode & 07777;

	if ((mode & (S_IWGRP | S_IWOTH)) != 0) {
		(void)error_set(error, STATUS_REFUSED, "'%s' may be written by others than its owner (mode %04o)", path,
				mode);
		return error_hint(error, STATUS_REFUSED,
				  trust == TRUST_WRITERS_AND_READERS ? "chmod g-w,o-rwx '%s'" : "chmod go-w '%s'",
				  path);
	}
	if (trust == TRUST_WRITERS_AND_READERS && (mode & S_IROTH) != 0) {
		(void)error_set(error, STATUS_REFUSED, "'%s' holds a secret and may be read by everybody (mode %04o)",
				path, mode);
		return error_hint(error, STATUS_REFUSED, "chmod o-rwx '%s'", path);
	}
	return STATUS_OK;
}

static enum status check_file(int fd, enum trust trust, const char *path, struct stat *info_out, struct error *error)
{
	enum status status;

	if (fstat(fd, info_out) != 0)
		return error_system(error, STATUS_UNREACHABLE, errno, "could not examine '%s'", path);
	if (S_ISDIR(info_out->st_mode)) {
		(void)error_set(error, STATUS_INVALID, "'%s' is a directory", path);
		return error_hint(error, STATUS_INVALID, "name the file");
	}
	if (!S_ISREG(info_out->st_mode))
		return error_set(error, STATUS_INVALID, "'%s' is not a regular file", path);
	if (trust == TRUST_ANY)
		return STATUS_OK;
	status = check_owner(info_out, path, error);
	return status == STATUS_OK ? check_mode(info_out, trust, path, error) : status;
}

static enum status open_checked(const char *path, enum trust trust, int *fd_out, struct stat *info_out,
				struct error *error)
{
	enum status status;
	int fd = -1;

	status = open_path(path, O_RDONLY, &fd, error);
	if (status != STATUS_OK)
		return status;
	status = check_file(fd, trust, path, info_out, error);
	if (status != STATUS_OK) {
		(void)close(fd);
		return status;
	}
	*fd_out = fd;
	return STATUS_OK;
}

/* Read until the end or until `size` bytes are there. */
static enum status read_up_to(int fd, char *data, size_t size, size_t *length_out, const char *path,
			      struct error *error)
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
	*length_out = length;
	return STATUS_OK;
}

static enum status too_large(const char *path, size_t limit_bytes, struct error *error)
{
	return error_set(error, STATUS_LIMIT, "'%s' is larger than %zu bytes", path, limit_bytes);
}

/*
 * The whole file. Nothing of it is left behind in memory when this fails: the buffer is wiped and
 * never moved.
 */
static enum status read_checked(const char *path, enum trust trust, size_t limit_bytes, char **data_out,
				size_t *length_out, struct error *error)
{
	enum status status;
	struct stat info;
	char *data = NULL;
	size_t size = 0, length = 0;
	int fd = -1;

	status = open_checked(path, trust, &fd, &info, error);
	if (status != STATUS_OK)
		return status;
	if ((uintmax_t)info.st_size > limit_bytes) {
		status = too_large(path, limit_bytes, error);
		goto out;
	}
	/* One byte more than there should be shows a file that grew meanwhile; and one for the NUL. */
	size = (size_t)info.st_size + 1;
	data = memory_new(size + 1);
	if (data == NULL) {
		status = error_no_memory(error);
		goto out;
	}
	status = read_up_to(fd, data, size, &length, path, error);
	if (status == STATUS_OK && length == size)
		status = error_set(error, STATUS_UNREACHABLE, "'%s' was changed while it was read", path);
	if (status != STATUS_OK)
		goto out;
	*data_out = data;
	*length_out = length;
	data = NULL;
out:
	if (data != NULL)
		memory_wipe(data, size);
	memory_free(data);
	(void)close(fd);
	return status;
}

enum status file_read_trusted(const char *path, size_t limit_bytes, char **data_out, size_t *length_out,
			      struct error *error)
{
	return read_checked(path, TRUST_WRITERS, limit_bytes, data_out, length_out, error);
}

enum status file_read_secret(const char *path, struct secret **secret_out, struct error *error)
{
	enum status status;
	char *data = NULL;
	size_t length = 0;

	status = read_checked(path, TRUST_WRITERS_AND_READERS, FILE_SECRET_MAX_BYTES, &data, &length, error);
	if (status != STATUS_OK)
		return status;
	status = file_secret_take(data, length, path, secret_out, error);
	memory_wipe(data, length);
	memory_free(data);
	return status;
}

static enum status check_only(const char *path, enum trust trust, struct error *error)
{
	struct stat info;
	enum status status;
	int fd = -1;

	status = open_checked(path, trust, &fd, &info, error);
	if (status == STATUS_OK)
		(void)close(fd);
	return status;
}

enum status file_check_readable(const char *path, struct error *error)
{
	return check_only(path, TRUST_ANY, error);
}

enum status file_check_trusted(const char *path, struct error *error)
{
	return check_only(path, TRUST_WRITERS, error);
}

enum status file_check_secret(const char *path, struct error *error)
{
	return check_only(path, TRUST_WRITERS_AND_READERS, error);
}

static enum status check_folder(const char *folder, struct error *error)
{
	struct stat info;
	enum status status;

	if (stat(folder, &info) != 0)
		return error_system(error, open_status(errno), errno, "could not examine the folder '%s'", folder);
	status = check_owner(&info, folder, error);
	if (status != STATUS_OK || (info.st_mode & S_ISVTX) != 0)
		return status;
	return check_mode(&info, TRUST_WRITERS, folder, error);
}

enum status file_check_folder(const char *path, struct error *error)
{
	char *folder = memory_copy_text(path);
	enum status status;
	char *slash;

	if (folder == NULL)
		return error_no_memory(error);
	slash = strrchr(folder, '/');
	if (slash != NULL)
		slash[slash == folder ? 1 : 0] = '\0';
	status = check_folder(slash != NULL ? folder : ".", error);
	memory_free(folder);
	return status;
}

char *file_path_beside(const char *beside, const char *path)
{
	const char *slash = strrchr(beside, '/');
	size_t folder, size = strlen(path) + 1;
	char *joined;

	if (path[0] == '/' || slash == NULL)
		return memory_copy_text(path);
	folder = (size_t)(slash - beside) + 1;
	joined = size <= SIZE_MAX - folder ? memory_new(folder + size) : NULL;
	if (joined == NULL)
		return NULL;
	memcpy(joined, beside, folder);
	memcpy(joined + folder, path, size);
	return joined;
}

struct file_lines {
	char *path;
	int fd;
	dev_t device; /* of the file that is open */
	ino_t inode;
	atomic_bool is_torn; /* the last line was written in part: its end is owed */
};

enum status file_lines_check(const char *path, struct error *error)
{
	enum status status;
	char *folder;
	char *slash;
	int fd = -1;

	status = open_path(path, O_WRONLY | O_APPEND, &fd, error);
	if (status == STATUS_OK)
		(void)close(fd);
	if (status != STATUS_NOT_FOUND)
		return status;
	folder = memory_copy_text(path);
	if (folder == NULL)
		return error_no_memory(error);
	slash = strrchr(folder, '/');
	if (slash != NULL)
		slash[slash == folder ? 1 : 0] = '\0';
	if (access(slash != NULL ? folder : ".", W_OK | X_OK) != 0)
		status = error_system(error, STATUS_REFUSED, errno, "could not make '%s' in its folder", path);
	else
		status = STATUS_OK;
	memory_free(folder);
	return status;
}

static void take_file(struct file_lines *lines, int fd)
{
	struct stat info = {.st_ino = 0};

	(void)fstat(fd, &info);
	lines->fd = fd;
	lines->device = info.st_dev;
	lines->inode = info.st_ino;
}

/* A rotated log is one that has another name now. */
static void follow_name(struct file_lines *lines)
{
	struct stat info;
	int fd = -1;

	if (stat(lines->path, &info) == 0 ? info.st_dev == lines->device && info.st_ino == lines->inode
					  : errno != ENOENT)
		return;
	if (open_path(lines->path, O_WRONLY | O_APPEND | O_CREAT, &fd, NULL) != STATUS_OK)
		return;
	(void)close(lines->fd);
	take_file(lines, fd);
	atomic_store(&lines->is_torn, false);
}

enum status file_lines_open(const char *path, struct file_lines **lines_out, struct error *error)
{
	struct file_lines *lines = NULL;
	enum status status;
	int fd = -1;

	status = open_path(path, O_WRONLY | O_APPEND | O_CREAT, &fd, error);
	if (status != STATUS_OK)
		return status;
	lines = memory_new(sizeof(*lines));
	if (lines != NULL)
		lines->path = memory_copy_text(path);
	if (lines == NULL || lines->path == NULL) {
		memory_free(lines);
		(void)close(fd);
		return error_no_memory(error);
	}
	take_file(lines, fd);
	atomic_init(&lines->is_torn, false);
	*lines_out = lines;
	return STATUS_OK;
}

static enum status write_line(struct file_lines *lines, const char *line, struct error *error)
{
	static char line_end[] = "\n";
	const bool was_torn = atomic_exchange(&lines->is_torn, false);
	struct iovec parts[] = {{line_end, was_torn}, {NULL, strlen(line)}, {line_end, 1}};
	const size_t wanted = was_torn + strlen(line) + 1;
	ssize_t written;

	/* writev() takes a pointer to what may be changed, and changes nothing. */
	memcpy(&parts[1].iov_base, &line, sizeof(line));
	do {
		written = writev(lines->fd, parts, COUNT_OF(parts));
	} while (written < 0 && errno == EINTR);
	if (written >= 0 && (size_t)written == wanted)
		return STATUS_OK;
	if (was_torn || written > 0)
		atomic_store(&lines->is_torn, true);
	if (written < 0)
		return error_system(error, STATUS_UNREACHABLE, errno, "could not write to '%s'", lines->path);
	return error_set(error, STATUS_UNREACHABLE, "could write only a part of a line to '%s'", lines->path);
}

enum status file_lines_write(struct file_lines *lines, const char *line, struct error *error)
{
	if (strchr(line, '\n') != NULL)
		return error_set(error, STATUS_INVALID, "a line for '%s' holds a line end", lines->path);
	follow_name(lines);
	return write_line(lines, line, error);
}

void file_lines_close(struct file_lines **lines)
{
	if (*lines == NULL)
		return;
	(void)close((*lines)->fd);
	memory_free((*lines)->path);
	memory_free(*lines);
	*lines = NULL;
}
