/* SPDX-License-Identifier: Apache-2.0 */
#include <os/file_new.h>

#include <base/memory.h>
#include <base/utf.h>
#include <os/random.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <windows.h>

#define BUFFER_BYTES 65536
/* ".new-", eight digits, NUL. */
#define SUFFIX_BYTES 16

struct file_new {
	char *path;               /* owned: whose place it takes */
	WCHAR *place, *temporary; /* owned */
	HANDLE handle;
	size_t used;
	char buffer[BUFFER_BYTES];
};

static enum status status_of(DWORD number)
{
	switch (number) {
	case ERROR_FILE_NOT_FOUND:
	case ERROR_PATH_NOT_FOUND:
		return STATUS_NOT_FOUND;
	case ERROR_ACCESS_DENIED:
	case ERROR_WRITE_PROTECT:
		return STATUS_REFUSED;
	case ERROR_NOT_ENOUGH_MEMORY:
		return STATUS_NO_MEMORY;
	default:
		return STATUS_UNREACHABLE;
	}
}

static enum status fail(struct error *error, const char *words, const char *path)
{
	const DWORD number = GetLastError();

	return error_system(error, status_of(number), (int)number, "could not %s '%s'", words, path);
}

static void release(struct file_new **reference)
{
	struct file_new *file = *reference;

	*reference = NULL;
	if (file->handle != INVALID_HANDLE_VALUE)
		(void)CloseHandle(file->handle);
	memory_free(file->path);
	memory_free(file->place);
	memory_free(file->temporary);
	memory_free(file);
}

static enum status to_units(const char *text, WCHAR **units_out, struct error *error)
{
	uint16_t *units = NULL;
	const int code = utf8_to_utf16(text, strlen(text), &units, NULL);

	if (code == -2)
		return error_no_memory(error);
	if (code != 0)
		return error_set(error, STATUS_INVALID, "the name of the file is not UTF-8");
	*units_out = (WCHAR *)units;
	return STATUS_OK;
}

static enum status find_place(struct file_new *file, const char *path, struct error *error)
{
	enum status status = to_units(path, &file->place, error);
	DWORD attributes;

	if (status != STATUS_OK)
		return status;
	file->path = memory_copy_text(path);
	if (file->path == NULL)
		return error_no_memory(error);
	attributes = GetFileAttributesW(file->place);
	if (attributes != INVALID_FILE_ATTRIBUTES &&
	    (attributes & (FILE_ATTRIBUTE_DIRECTORY | FILE_ATTRIBUTE_DEVICE)) != 0)
		return error_set(error, STATUS_INVALID, "'%s' is no regular file", path);
	return STATUS_OK;
}

static enum status make_temporary(struct file_new *file, struct error *error)
{
	const size_t room = strlen(file->path) + SUFFIX_BYTES;
	uint32_t number = 0;
	enum status status = random_fill(&number, sizeof(number), error);
	char *name;

	if (status != STATUS_OK)
		return status;
	name = memory_new(room);
	if (name == NULL)
		return error_no_memory(error);
	(void)snprintf(name, room, "%s.new-%08lx", file->path, (unsigned long)number);
	status = to_units(name, &file->temporary, error);
	memory_free(name);
	if (status != STATUS_OK)
		return status;
	file->handle =
	    CreateFileW(file->temporary, GENERIC_WRITE, FILE_SHARE_READ, NULL, CREATE_NEW, FILE_ATTRIBUTE_NORMAL, NULL);
	return file->handle == INVALID_HANDLE_VALUE ? fail(error, "make a file beside", file->path) : STATUS_OK;
}

enum status file_new_open(const char *path, struct file_new **file_out, struct error *error)
{
	struct file_new *file = memory_new(sizeof(*file));
	enum status status;

	if (file == NULL)
		return error_no_memory(error);
	file->handle = INVALID_HANDLE_VALUE;
	status = find_place(file, path, error);
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
	DWORD done = 0, written;

	for (; done < (DWORD)file->used; done += written)
		if (!WriteFile(file->handle, file->buffer + done, (DWORD)file->used - done, &written, NULL))
			return fail(error, "write", file->path);
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
	const enum status status = flush(file, error);

	if (status != STATUS_OK)
		return status;
	if (!FlushFileBuffers(file->handle))
		return fail(error, "write", file->path);
	(void)CloseHandle(file->handle);
	file->handle = INVALID_HANDLE_VALUE;
	if (!MoveFileExW(file->temporary, file->place, MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH))
		return fail(error, "put into place", file->path);
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
	if ((*file)->handle != INVALID_HANDLE_VALUE) {
		(void)CloseHandle((*file)->handle);
		(*file)->handle = INVALID_HANDLE_VALUE;
	}
	(void)DeleteFileW((*file)->temporary);
	release(file);
}
