/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program's entry on Windows: arguments in UTF-8, and libraries from the system's own folder only.
 * Sources: learn.microsoft.com/windows/win32/dlls/dynamic-link-library-security.
 */
#include <base/error.h>
#include <base/memory.h>
#include <cli/command.h>
#include <cli/console.h>
#include <cli/program.h>
#include <cli/wide_text.h>
#include <windows.h>

/* LOAD_LIBRARY_SEARCH_SYSTEM32 of later headers. */
#define SEARCH_SYSTEM_FOLDER 0x00000800

typedef BOOL WINAPI set_directories_fn(DWORD flags);

/* What is loaded later (security packages, crypto providers) is not looked for where we were started. */
static void search_system_folder_only(void)
{
	union {
		FARPROC found;
		set_directories_fn *call;
	} set_directories;

	(void)SetDllDirectoryW(L"");
	/* Windows 7 has it since an update of 2011. */
	set_directories.found = GetProcAddress(GetModuleHandleW(L"kernel32.dll"), "SetDefaultDllDirectories");
	if (set_directories.found != NULL)
		(void)set_directories.call(SEARCH_SYSTEM_FOLDER);
}

static int fail_for_memory(void)
{
	struct error error = {.status = STATUS_OK};

	(void)error_no_memory(&error);
	console_complain(&error);
	return EXIT_FAILED;
}

static void free_all(int count, char **texts)
{
	for (int i = 0; texts != NULL && i < count; i++)
		memory_free(texts[i]);
	memory_free(texts);
}

/* NULL: no memory. */
static char **convert_all(int count, wchar_t **arguments)
{
	char **texts = memory_new_array((size_t)count + 1, sizeof(*texts));

	for (int i = 0; texts != NULL && i < count; i++) {
		texts[i] = wide_text(arguments[i]);
		if (texts[i] == NULL) {
			free_all(count, texts);
			return NULL;
		}
	}
	return texts;
}

/* The C library calls it by this name; no header has it. */
int wmain(int argc, wchar_t **argv);

int wmain(int argc, wchar_t **argv)
{
	char **texts = convert_all(argc, argv);
	int exit_status;

	search_system_folder_only();
	if (texts == NULL)
		return fail_for_memory();
	exit_status = program_run(argc, texts);
	free_all(argc, texts);
	return exit_status;
}
