/* SPDX-License-Identifier: Apache-2.0 */
#include <os/file.h>

#include <base/memory.h>
#include <os/file_secret.h>
#include <os/file_trust_windows.h>
#include <os/wide_windows.h>
#include <sddl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Others may do what they want with the name meanwhile: editors replace files. */
#define SHARE_ALL (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)
/* A pipe in a file's place learns who we are, and cannot act as us. */
#define AS_NOBODY   (SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION)
#define RULES_BYTES (SID_TEXT_BYTES + 64)
/* Most audit lines: they are written without an allocation. */
#define SMALL_LINE_BYTES 2048

static enum status open_status(DWORD number)
{
	switch (number) {
	case ERROR_FILE_NOT_FOUND:
	case ERROR_PATH_NOT_FOUND:
	case ERROR_INVALID_DRIVE:
		return STATUS_NOT_FOUND;
	case ERROR_ACCESS_DENIED:
	case ERROR_WRITE_PROTECT:
	case ERROR_PRIVILEGE_NOT_HELD:
		return STATUS_REFUSED;
	case ERROR_INVALID_NAME:
	case ERROR_BAD_PATHNAME:
	case ERROR_DIRECTORY:
	case ERROR_CANT_RESOLVE_FILENAME:
		return STATUS_INVALID;
	case ERROR_NOT_ENOUGH_MEMORY:
	case ERROR_OUTOFMEMORY:
		return STATUS_NO_MEMORY;
	default:
		return STATUS_UNREACHABLE;
	}
}

static bool is_folder(const wchar_t *path)
{
	const DWORD attributes = GetFileAttributesW(path);

	return attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_DIRECTORY) != 0;
}

static enum status say_folder(const char *path, struct error *error)
{
	(void)error_set(error, STATUS_INVALID, "'%s' is a directory", path);
	return error_hint(error, STATUS_INVALID, "name the file");
}

static enum status say_not_opened(const char *path, const wchar_t *wide, DWORD number, struct error *error)
{
	char text[SID_TEXT_BYTES];
	enum status status;
	struct sid own;

	/* Without asking for it by a flag, a folder is refused as if we had no right to it. */
	if (number == ERROR_ACCESS_DENIED && is_folder(wide))
		return say_folder(path, error);
	status = error_system(error, open_status(number), (int)number, "could not open '%s'", path);
	if (status != STATUS_REFUSED || file_trust_own_user(&own, NULL) != STATUS_OK)
		return status;
	sid_format(&own, text);
	return error_hint(error, status, "this process runs as user %s", text);
}

/* By way of a link is fine: whoever may change the link is an administrator or the owner of its folder. */
static enum status open_path(const char *path, DWORD access, DWORD disposition, SECURITY_ATTRIBUTES *security,
			     HANDLE *file_out, struct error *error)
{
	wchar_t *wide = NULL;
	enum status status = wide_from_utf8(path, &wide, error);
	HANDLE file;

	if (status != STATUS_OK)
		return status;
	file = CreateFileW(wide, access, SHARE_ALL, security, disposition, FILE_ATTRIBUTE_NORMAL | AS_NOBODY, NULL);
	if (file == INVALID_HANDLE_VALUE)
		status = say_not_opened(path, wide, GetLastError(), error);
	else
		*file_out = file;
	memory_free(wide);
	return status;
}

static enum status check_file(HANDLE file, enum trust trust, const char *path, size_t *size_out, struct error *error)
{
	LARGE_INTEGER size;

	if (GetFileType(file) != FILE_TYPE_DISK)
		return error_set(error, STATUS_INVALID, "'%s' is not a regular file", path);
	if (!GetFileSizeEx(file, &size))
		return error_system(error, STATUS_UNREACHABLE, (int)GetLastError(), "could not examine '%s'", path);
	*size_out = (uint64_t)size.QuadPart < SIZE_MAX ? (size_t)size.QuadPart : SIZE_MAX;
	return file_trust_check(file, trust, path, error);
}

static enum status open_checked(const char *path, enum trust trust, HANDLE *file_out, size_t *size_out,
				struct error *error)
{
	HANDLE file = INVALID_HANDLE_VALUE;
	enum status status;

	status = open_path(path, GENERIC_READ, OPEN_EXISTING, NULL, &file, error);
	if (status != STATUS_OK)
		return status;
	status = check_file(file, trust, path, size_out, error);
	if (status != STATUS_OK) {
		(void)CloseHandle(file);
		return status;
	}
	*file_out = file;
	return STATUS_OK;
}

/* Read until the end or until `size` bytes are there. */
static enum status read_up_to(HANDLE file, char *data, size_t size, size_t *length_out, const char *path,
			      struct error *error)
{
	size_t length = 0;
	DWORD got = 1, wanted;

	while (length < size && got != 0) {
		wanted = size - length < MAXLONG ? (DWORD)(size - length) : MAXLONG;
		if (!ReadFile(file, data + length, wanted, &got, NULL))
			return error_system(error, STATUS_UNREACHABLE, (int)GetLastError(), "could not read '%s'",
					    path);
		length += got;
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
	HANDLE file = INVALID_HANDLE_VALUE;
	enum status status;
	char *data = NULL;
	size_t size = 0, length = 0;

	status = open_checked(path, trust, &file, &size, error);
	if (status != STATUS_OK)
		return status;
	if (size > limit_bytes) {
		status = too_large(path, limit_bytes, error);
		goto out;
	}
	/* One byte more than there should be shows a file that grew meanwhile; and one for the NUL. */
	size++;
	data = memory_new(size + 1);
	if (data == NULL) {
		status = error_no_memory(error);
		goto out;
	}
	status = read_up_to(file, data, size, &length, path, error);
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
	(void)CloseHandle(file);
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
	HANDLE file = INVALID_HANDLE_VALUE;
	enum status status;
	size_t size;

	status = open_checked(path, trust, &file, &size, error);
	if (status == STATUS_OK)
		(void)CloseHandle(file);
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

/* Where the name begins: behind the last separator, or behind the drive. */
static size_t folder_length(const char *path)
{
	size_t length = strlen(path);

	while (length > 0 && strchr("/\\:", path[length - 1]) == NULL)
		length--;
	return length;
}

/* The folder that a file is in; "C:file" stands where that drive's working folder is. Owned by the caller; NULL: no memory. */
static char *folder_of(const char *path)
{
	const size_t length = folder_length(path);
	const bool needs_dot = length == 0 || path[length - 1] == ':';
	char *folder = memory_new(length + 2);

	if (folder == NULL)
		return NULL;
	memcpy(folder, path, length);
	if (needs_dot)
		folder[length] = '.';
	else if (length > 1 && path[length - 2] != ':')
		folder[length - 1] = '\0';
	return folder;
}

static enum status open_folder(const char *folder, DWORD access, HANDLE *file_out, struct error *error)
{
	wchar_t *wide = NULL;
	enum status status = wide_from_utf8(folder, &wide, error);
	DWORD number;
	HANDLE file;

	if (status != STATUS_OK)
		return status;
	file = CreateFileW(wide, access, SHARE_ALL, NULL, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS | AS_NOBODY, NULL);
	number = GetLastError();
	memory_free(wide);
	if (file == INVALID_HANDLE_VALUE)
		return error_system(error, open_status(number), (int)number, "could not examine the folder '%s'",
				    folder);
	*file_out = file;
	return STATUS_OK;
}

static enum status check_folder(const char *folder, struct error *error)
{
	HANDLE file = INVALID_HANDLE_VALUE;
	enum status status = open_folder(folder, READ_CONTROL, &file, error);

	if (status != STATUS_OK)
		return status;
	status = file_trust_check(file, TRUST_FOLDER, folder, error);
	(void)CloseHandle(file);
	return status;
}

enum status file_check_folder(const char *path, struct error *error)
{
	char *folder = folder_of(path);
	enum status status;

	if (folder == NULL)
		return error_no_memory(error);
	status = check_folder(folder, error);
	memory_free(folder);
	return status;
}

/* Also "C:file", which is beside nothing but that drive's working folder. */
static bool is_absolute(const char *path)
{
	return path[0] == '/' || path[0] == '\\' || (path[0] != '\0' && path[1] == ':');
}

char *file_path_beside(const char *beside, const char *path)
{
	size_t folder = folder_length(beside), size = strlen(path) + 1;
	char *joined;

	if (is_absolute(path) || folder == 0)
		return memory_copy_text(path);
	joined = size <= SIZE_MAX - folder ? memory_new(folder + size) : NULL;
	if (joined == NULL)
		return NULL;
	memcpy(joined, beside, folder);
	memcpy(joined + folder, path, size);
	return joined;
}

/*
 * Its owner decides who else may read it, not the folder: the audit names people. That of the process's user, SYSTEM and
 * Administrators, as 0640 elsewhere.
 */
static enum status private_rules(SECURITY_ATTRIBUTES *security_out, struct error *error)
{
	char text[SID_TEXT_BYTES], rules[RULES_BYTES];
	wchar_t *wide = NULL;
	enum status status;
	struct sid own;

	status = file_trust_own_user(&own, error);
	if (status != STATUS_OK)
		return status;
	sid_format(&own, text);
	(void)snprintf(rules, sizeof(rules), "D:P(A;;FA;;;SY)(A;;FA;;;BA)(A;;FA;;;%s)", text);
	status = wide_from_utf8(rules, &wide, error);
	if (status != STATUS_OK)
		return status;
	*security_out = (SECURITY_ATTRIBUTES){.nLength = sizeof(*security_out)};
	if (!ConvertStringSecurityDescriptorToSecurityDescriptorW(wide, SDDL_REVISION_1,
								  &security_out->lpSecurityDescriptor, NULL))
		status = error_system(error, STATUS_INTERNAL, (int)GetLastError(),
				      "could not make the access rules of a new file");
	memory_free(wide);
	return status;
}

struct file_lines {
	char *path; /* for messages */
	HANDLE file;
	atomic_bool is_torn; /* the last line was written in part: its end is owed */
};

/* Nothing but appending is asked for, so each write goes to the end, whoever else writes. */
static enum status open_lines(const char *path, DWORD disposition, HANDLE *file_out, struct error *error)
{
	SECURITY_ATTRIBUTES security = {0};
	HANDLE file = INVALID_HANDLE_VALUE;
	enum status status = private_rules(&security, error);

	if (status != STATUS_OK)
		return status;
	status = open_path(path, FILE_APPEND_DATA | SYNCHRONIZE, disposition, &security, &file, error);
	(void)LocalFree(security.lpSecurityDescriptor);
	if (status != STATUS_OK)
		return status;
	/* A pipe or a terminal could hold us up. */
	if (GetFileType(file) != FILE_TYPE_DISK) {
		(void)CloseHandle(file);
		return error_set(error, STATUS_INVALID, "'%s' is not a regular file", path);
	}
	*file_out = file;
	return STATUS_OK;
}

enum status file_lines_check(const char *path, struct error *error)
{
	HANDLE file = INVALID_HANDLE_VALUE;
	struct error cause;
	enum status status;
	char *folder;

	status = open_lines(path, OPEN_EXISTING, &file, error);
	if (status == STATUS_OK)
		(void)CloseHandle(file);
	if (status != STATUS_NOT_FOUND)
		return status;
	folder = folder_of(path);
	if (folder == NULL)
		return error_no_memory(error);
	status = open_folder(folder, FILE_ADD_FILE, &file, &cause);
	if (status == STATUS_OK)
		(void)CloseHandle(file);
	else
		status = error_set(error, STATUS_REFUSED, "could not make '%s' in its folder: %s", path, cause.what);
	memory_free(folder);
	return status;
}

enum status file_lines_open(const char *path, struct file_lines **lines_out, struct error *error)
{
	HANDLE file = INVALID_HANDLE_VALUE;
	struct file_lines *lines = NULL;
	enum status status;

	status = open_lines(path, OPEN_ALWAYS, &file, error);
	if (status != STATUS_OK)
		return status;
	lines = memory_new(sizeof(*lines));
	if (lines != NULL)
		lines->path = memory_copy_text(path);
	if (lines == NULL || lines->path == NULL) {
		memory_free(lines);
		(void)CloseHandle(file);
		return error_no_memory(error);
	}
	lines->file = file;
	atomic_init(&lines->is_torn, false);
	*lines_out = lines;
	return STATUS_OK;
}

/* `bytes` begin with a line end, for the case that one is owed. */
static enum status write_bytes(struct file_lines *lines, const char *bytes, size_t length, struct error *error)
{
	bool was_torn;
	size_t skipped;
	DWORD written = 0;

	if (length > MAXLONG)
		return error_set(error, STATUS_INVALID, "a line for '%s' is too long", lines->path);
	was_torn = atomic_exchange(&lines->is_torn, false);
	skipped = was_torn ? 0 : 1;
	if (WriteFile(lines->file, bytes + skipped, (DWORD)(length - skipped), &written, NULL) &&
	    written == length - skipped)
		return STATUS_OK;
	if (was_torn || written > 0)
		atomic_store(&lines->is_torn, true);
	if (written == 0)
		return error_system(error, STATUS_UNREACHABLE, (int)GetLastError(), "could not write to '%s'",
				    lines->path);
	return error_set(error, STATUS_UNREACHABLE, "could write only a part of a line to '%s'", lines->path);
}

/* One write takes one block of memory, so the line and its ends are put together first. */
static enum status write_line(struct file_lines *lines, const char *line, struct error *error)
{
	const size_t length = strlen(line);
	char small[SMALL_LINE_BYTES];
	char *bytes = length <= sizeof(small) - 2 ? small : memory_new(length + 2);
	enum status status;

	if (bytes == NULL)
		return error_no_memory(error);
	bytes[0] = '\n';
	memcpy(bytes + 1, line, length);
	bytes[length + 1] = '\n';
	status = write_bytes(lines, bytes, length + 2, error);
	if (bytes != small)
		memory_free(bytes);
	return status;
}

enum status file_lines_write(struct file_lines *lines, const char *line, struct error *error)
{
	if (strchr(line, '\n') != NULL)
		return error_set(error, STATUS_INVALID, "a line for '%s' holds a line end", lines->path);
	return write_line(lines, line, error);
}

void file_lines_close(struct file_lines **lines)
{
	if (*lines == NULL)
		return;
	(void)CloseHandle((*lines)->file);
	memory_free((*lines)->path);
	memory_free(*lines);
	*lines = NULL;
}
