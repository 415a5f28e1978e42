/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes of a file or pipe go through as they are: UTF-8, lines that end with LF. A console shows UTF-8 while we run, and what is
 * typed there is read as UTF-16, for ReadFile gives only ASCII of it on older systems.
 *
 * Sources: learn.microsoft.com/windows/console (ReadConsole, SetConsoleOutputCP), .../win32/api/fileapi (ReadFile, WriteFile).
 */
#include <base/log.h>
#include <cli/console.h>
#include <cli/wide_text.h>
#include <os/log_sink.h>
#include <stdbool.h>
#include <stdlib.h>
#include <windows.h>

/* What is read of a console at once; the caller's buffers are far larger than their bytes. */
#define CONSOLE_UNITS 512
/* Older consoles refuse more at once. */
#define CONSOLE_BYTES 8192

/* The end of input, typed at the beginning of a line. */
#define CTRL_Z 0x1A

static UINT code_page_before;

static void restore_code_page(void)
{
	(void)SetConsoleOutputCP(code_page_before);
}

enum status console_prepare(struct error *error)
{
	(void)error;
	/* No console: 0, and there is nothing to be done. Handles that were not given are told apart where they are used. */
	code_page_before = GetConsoleOutputCP();
	if (code_page_before != 0 && code_page_before != CP_UTF8 && SetConsoleOutputCP(CP_UTF8))
		(void)atexit(restore_code_page);
	return STATUS_OK;
}

static bool is_given(HANDLE handle)
{
	return handle != NULL && handle != INVALID_HANDLE_VALUE;
}

static bool is_console(HANDLE handle)
{
	DWORD mode;

	return GetConsoleMode(handle, &mode) != 0;
}

static enum status fail_writing(DWORD number, struct error *error)
{
	if (number == ERROR_BROKEN_PIPE || number == ERROR_NO_DATA)
		return error_set(error, STATUS_CANCELLED, "nobody reads standard output any more");
	return error_system(error, STATUS_UNREACHABLE, (int)number, "could not write to standard output");
}

enum status console_write(const char *data, size_t length, struct error *error)
{
	const HANDLE output = GetStdHandle(STD_OUTPUT_HANDLE);

	if (!is_given(output))
		return fail_writing(ERROR_INVALID_HANDLE, error);
	while (length > 0) {
		DWORD written = 0;

		if (!WriteFile(output, data, length < CONSOLE_BYTES ? (DWORD)length : CONSOLE_BYTES, &written, NULL))
			return fail_writing(GetLastError(), error);
		data += written;
		length -= written;
	}
	return STATUS_OK;
}

static enum status fail_reading(struct error *error)
{
	return error_system(error, STATUS_UNREACHABLE, (int)GetLastError(), "could not read standard input");
}

static enum status read_console(HANDLE input, char *buffer, size_t size, size_t *length_out, struct error *error)
{
	WCHAR units[CONSOLE_UNITS];
	DWORD wanted = CONSOLE_UNITS, count = 0;

	if (size / WIDE_TEXT_UNIT_BYTES < wanted)
		wanted = (DWORD)(size / WIDE_TEXT_UNIT_BYTES);
	if (!ReadConsoleW(input, units, wanted, &count, NULL))
		return fail_reading(error);
	if (count > 0 && units[0] == CTRL_Z)
		count = 0;
	*length_out = wide_text_into(units, count, buffer);
	return STATUS_OK;
}

enum status console_read(char *buffer, size_t size, size_t *length_out, struct error *error)
{
	const HANDLE input = GetStdHandle(STD_INPUT_HANDLE);
	DWORD count = 0;

	*length_out = 0;
	if (!is_given(input))
		return STATUS_OK;
	if (is_console(input))
		return read_console(input, buffer, size, length_out, error);
	if (size > MAXDWORD)
		size = MAXDWORD;
	if (!ReadFile(input, buffer, (DWORD)size, &count, NULL) && GetLastError() != ERROR_BROKEN_PIPE &&
	    GetLastError() != ERROR_HANDLE_EOF)
		return fail_reading(error);
	*length_out = count;
	return STATUS_OK;
}

void console_complain(const struct error *error)
{
	const struct log log = {.level = LOG_LEVEL_ERROR, .write = log_sink_stderr};

	log_error(&log, "%s%s%s", error->what, error->hint[0] != '\0' ? "; " : "", error->hint);
}
