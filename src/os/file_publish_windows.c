/* SPDX-License-Identifier: Apache-2.0 */
#include <os/file_publish.h>

#include <base/memory.h>
#include <base/text.h>
#include <base/utf.h>
#include <stdint.h>
#include <string.h>
#include <windows.h>

/* Readers that are at it may hold the old file for a moment. */
#define RENAME_TRIES   10
#define RENAME_WAIT_MS 20

struct file_publish {
	char *path;                          /* owned; for messages */
	wchar_t *wide_path, *wide_temporary; /* owned */
	bool is_written;
	DWORD volume, index_high, index_low; /* of what was written last */
};

static wchar_t *widen(const char *text)
{
	uint16_t *units = NULL;
	size_t count = 0;

	/* UTF-16 units and the NUL behind them: what wchar_t holds here. */
	return utf8_to_utf16(text, strlen(text), &units, &count) == 0 ? (wchar_t *)units : NULL;
}

static wchar_t *name_temporary(const char *path)
{
	wchar_t *wide = NULL;
	struct text name;

	text_init(&name);
	text_printf(&name, "%s.%lu.tmp", path, (unsigned long)GetCurrentProcessId());
	if (!text_failed(&name))
		wide = widen(text_string(&name));
	text_done(&name);
	return wide;
}

enum status file_publish_open(const char *path, struct file_publish **publish_out, struct error *error)
{
	struct file_publish *publish = memory_new(sizeof(*publish));

	if (publish == NULL)
		return error_no_memory(error);
	publish->path = memory_copy_text(path);
	publish->wide_path = widen(path);
	publish->wide_temporary = name_temporary(path);
	if (publish->path == NULL || publish->wide_path == NULL || publish->wide_temporary == NULL) {
		file_publish_close(&publish);
		return error_no_memory(error);
	}
	*publish_out = publish;
	return STATUS_OK;
}

static enum status status_of(DWORD number)
{
	if (number == ERROR_FILE_NOT_FOUND || number == ERROR_PATH_NOT_FOUND)
		return STATUS_NOT_FOUND;
	return number == ERROR_ACCESS_DENIED ? STATUS_REFUSED : STATUS_UNREACHABLE;
}

static enum status failure(DWORD number, const char *what, const char *path, struct error *error)
{
	const enum status status = status_of(number);

	(void)error_system(error, status, (int)number, "could not %s '%s'", what, path);
	if (status == STATUS_NOT_FOUND || status == STATUS_REFUSED)
		return error_hint(error, status, "make the folder, and let the service's account write there");
	return status;
}

/* @return 0, or the system's number. */
static DWORD write_all(HANDLE file, const char *data, size_t length)
{
	while (length > 0) {
		const DWORD part = length > 65536 ? 65536 : (DWORD)length;
		DWORD written = 0;

		if (!WriteFile(file, data, part, &written, NULL))
			return GetLastError();
		data += written;
		length -= written;
	}
	return 0;
}

static DWORD replace(const struct file_publish *publish)
{
	DWORD number = 0;

	for (int i = 0; i < RENAME_TRIES; i++) {
		if (MoveFileExW(publish->wide_temporary, publish->wide_path,
				MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH))
			return 0;
		number = GetLastError();
		if (number != ERROR_ACCESS_DENIED && number != ERROR_SHARING_VIOLATION)
			return number;
		Sleep(RENAME_WAIT_MS);
	}
	return number;
}

enum status file_publish_write(struct file_publish *publish, const char *data, size_t length, struct error *error)
{
	BY_HANDLE_FILE_INFORMATION info = {.nFileIndexLow = 0};
	HANDLE file = CreateFileW(publish->wide_temporary, GENERIC_WRITE, 0, NULL, CREATE_ALWAYS,
				  FILE_ATTRIBUTE_NORMAL | FILE_FLAG_OPEN_REPARSE_POINT, NULL);
	DWORD number;

	if (file == INVALID_HANDLE_VALUE)
		return failure(GetLastError(), "make a file beside", publish->path, error);
	number = GetFileInformationByHandle(file, &info) ? write_all(file, data, length) : GetLastError();
	(void)CloseHandle(file);
	if (number == 0)
		number = replace(publish);
	if (number != 0) {
		(void)DeleteFileW(publish->wide_temporary);
		return failure(number, "write", publish->path, error);
	}
	publish->is_written = true;
	publish->volume = info.dwVolumeSerialNumber;
	publish->index_high = info.nFileIndexHigh;
	publish->index_low = info.nFileIndexLow;
	return STATUS_OK;
}

/* False: there is none, or it cannot be looked at. */
static bool look(const struct file_publish *publish, BY_HANDLE_FILE_INFORMATION *info_out)
{
	HANDLE file = CreateFileW(publish->wide_path, 0, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
				  OPEN_EXISTING, FILE_FLAG_OPEN_REPARSE_POINT, NULL);
	BOOL done;

	if (file == INVALID_HANDLE_VALUE)
		return false;
	done = GetFileInformationByHandle(file, info_out);
	(void)CloseHandle(file);
	return done;
}

static bool is_same(const struct file_publish *publish, const BY_HANDLE_FILE_INFORMATION *info)
{
	return info->dwVolumeSerialNumber == publish->volume && info->nFileIndexHigh == publish->index_high &&
	       info->nFileIndexLow == publish->index_low;
}

bool file_publish_is_replaced(const struct file_publish *publish)
{
	BY_HANDLE_FILE_INFORMATION info;

	return publish->is_written && look(publish, &info) && !is_same(publish, &info);
}

void file_publish_close(struct file_publish **reference)
{
	struct file_publish *publish = *reference;
	BY_HANDLE_FILE_INFORMATION info;

	*reference = NULL;
	if (publish == NULL)
		return;
	if (publish->is_written && look(publish, &info) && is_same(publish, &info))
		(void)DeleteFileW(publish->wide_path);
	memory_free(publish->path);
	memory_free(publish->wide_path);
	memory_free(publish->wide_temporary);
	memory_free(publish);
}

/* One byte more than there may be shows a file that is too large. */
static enum status read_all(HANDLE file, char *data, size_t size, size_t *length_out, const char *path,
			    struct error *error)
{
	size_t length = 0;
	DWORD got = 1;

	while (length < size && got != 0) {
		const DWORD part = size - length > 65536 ? 65536 : (DWORD)(size - length);

		if (!ReadFile(file, data + length, part, &got, NULL))
			return error_system(error, STATUS_UNREACHABLE, (int)GetLastError(), "could not read '%s'",
					    path);
		length += got;
	}
	if (length == size)
		return error_set(error, STATUS_LIMIT, "'%s' is larger than %zu bytes", path, size - 1);
	data[length] = '\0';
	*length_out = length;
	return STATUS_OK;
}

static enum status open_to_read(const char *path, HANDLE *file_out, struct error *error)
{
	wchar_t *wide = widen(path);
	HANDLE file;

	if (wide == NULL)
		return error_no_memory(error);
	file = CreateFileW(wide, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
			   OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, NULL);
	memory_free(wide);
	if (file == INVALID_HANDLE_VALUE) {
		const DWORD number = GetLastError();

		return error_system(error, status_of(number), (int)number, "could not open '%s'", path);
	}
	*file_out = file;
	return STATUS_OK;
}

enum status file_publish_read(const char *path, size_t limit_bytes, char **data_out, size_t *length_out,
			      struct error *error)
{
	HANDLE file = INVALID_HANDLE_VALUE;
	enum status status = open_to_read(path, &file, error);
	char *data = NULL;

	if (status != STATUS_OK)
		return status;
	if (GetFileType(file) != FILE_TYPE_DISK)
		status = error_set(error, STATUS_INVALID, "'%s' is not a regular file", path);
	else if ((data = memory_new(limit_bytes + 1)) == NULL)
		status = error_no_memory(error);
	if (status == STATUS_OK)
		status = read_all(file, data, limit_bytes + 1, length_out, path, error);
	(void)CloseHandle(file);
	if (status == STATUS_OK)
		*data_out = data;
	else
		memory_free(data);
	return status;
}
