/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plug-in asks for the host's functions by the name wsmsvc.dll. A library that is loaded already is taken before any that
 * would have to be looked for, so the stand-in of this name, in the folder `host` beside the program, is loaded first.
 * Sources: learn.microsoft.com/windows/win32/dlls/dynamic-link-library-search-order (a module that is loaded already).
 */
#include <base/memory.h>
#include <base/utf.h>
#include <cli/host_system.h>
#include <cli/wide_text.h>
#include <io.h>
#include <string.h>
#include <windows.h>

#define STANDIN L"host\\wsmsvc.dll"
/* Far more than the system takes. */
#define MAX_PATH_UNITS 32768

struct host_library {
	HMODULE standin, plugin;
};

static wchar_t *path_units(const char *path)
{
	uint16_t *units = NULL;

	return utf8_to_utf16(path, strlen(path), &units, NULL) == 0 ? (wchar_t *)units : NULL;
}

/* The full path of a file: what is loaded is never looked for. NULL: it has none. */
static wchar_t *full_path(const char *path)
{
	wchar_t *given = path_units(path);
	wchar_t *full = memory_new_array(MAX_PATH_UNITS, sizeof(*full));
	DWORD length = 0;

	if (given != NULL && full != NULL)
		length = GetFullPathNameW(given, MAX_PATH_UNITS, full, NULL);
	memory_free(given);
	if (length == 0 || length >= MAX_PATH_UNITS) {
		memory_free(full);
		return NULL;
	}
	return full;
}

/* The stand-in's, beside the program's own file. NULL: it cannot be told. */
static wchar_t *standin_path(void)
{
	wchar_t *path = memory_new_array(MAX_PATH_UNITS, sizeof(*path));
	DWORD length = path != NULL ? GetModuleFileNameW(NULL, path, MAX_PATH_UNITS - (DWORD)COUNT_OF(STANDIN)) : 0;

	while (length > 0 && path[length - 1] != L'\\')
		length--;
	if (length == 0) {
		memory_free(path);
		return NULL;
	}
	memcpy(path + length, STANDIN, sizeof(STANDIN));
	return path;
}

static enum status load(const wchar_t *path, const char *what, HMODULE *module_out, struct error *error)
{
	/* Libraries that it needs are the system's, or stand beside it. */
	HMODULE module = path != NULL ? LoadLibraryExW(path, NULL, LOAD_WITH_ALTERED_SEARCH_PATH) : NULL;
	DWORD number = GetLastError();

	if (module == NULL)
		return error_system(error, number == ERROR_FILE_NOT_FOUND ? STATUS_NOT_FOUND : STATUS_INVALID,
				    (int)number, "could not load %s", what);
	*module_out = module;
	return STATUS_OK;
}

static enum status set_completions(HMODULE standin, standin_completed_fn *completed, struct error *error)
{
	union {
		FARPROC found;
		void (*call)(standin_completed_fn *completed);
	} set;

	set.found = GetProcAddress(standin, "standin_set");
	if (set.found == NULL)
		return error_set(error, STATUS_INVALID,
				 "the wsmsvc.dll in the folder 'host' beside the program is not the "
				 "program's own");
	set.call(completed);
	return STATUS_OK;
}

static enum status load_standin(struct host_library *library, standin_completed_fn *completed, struct error *error)
{
	wchar_t *path = standin_path();
	enum status status =
	    load(path, "the stand-in for the host, host\\wsmsvc.dll beside the program", &library->standin, error);

	memory_free(path);
	return status == STATUS_OK ? set_completions(library->standin, completed, error) : status;
}

static enum status load_plugin(struct host_library *library, const char *path, struct error *error)
{
	wchar_t *full = full_path(path);
	enum status status = load(full, "the plug-in", &library->plugin, error);

	memory_free(full);
	return status;
}

enum status host_library_open(const char *path, standin_completed_fn *completed, struct host_library **library_out,
			      struct error *error)
{
	struct host_library *library = memory_new(sizeof(*library));
	enum status status;

	if (library == NULL)
		return error_no_memory(error);
	status = load_standin(library, completed, error);
	if (status == STATUS_OK)
		status = load_plugin(library, path, error);
	if (status != STATUS_OK) {
		host_library_close(&library);
		return status;
	}
	*library_out = library;
	return STATUS_OK;
}

/* In the order in which the system would: the plug-in is bound to the stand-in. */
void host_library_close(struct host_library **library)
{
	if (*library == NULL)
		return;
	if ((*library)->plugin != NULL)
		(void)FreeLibrary((*library)->plugin);
	if ((*library)->standin != NULL)
		(void)FreeLibrary((*library)->standin);
	memory_free(*library);
	*library = NULL;
}

enum status host_library_find(const struct host_library *library, const char *name, void *function_out,
			      struct error *error)
{
	FARPROC found = GetProcAddress(library->plugin, name);

	if (found == NULL)
		return error_set(error, STATUS_INVALID, "it has no %s: it is no WinRM authorization plug-in", name);
	memcpy(function_out, &found, sizeof(found));
	return STATUS_OK;
}

/* What IIS hands over is an impersonation token; that of the process, duplicated, is the same kind of thing. */
enum status host_token_open(HANDLE *token_out, struct error *error)
{
	HANDLE own = NULL, token = NULL;
	BOOL is_there = OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY | TOKEN_DUPLICATE, &own);

	if (is_there)
		is_there = DuplicateTokenEx(own, TOKEN_QUERY | TOKEN_DUPLICATE | TOKEN_IMPERSONATE, NULL,
					    SecurityImpersonation, TokenImpersonation, &token);
	if (!is_there)
		error_system(error, STATUS_REFUSED, (int)GetLastError(), "could not open a token of this process");
	if (own != NULL)
		(void)CloseHandle(own);
	if (!is_there)
		return STATUS_REFUSED;
	*token_out = token;
	return STATUS_OK;
}

void host_token_close(HANDLE token)
{
	(void)CloseHandle(token);
}

uintptr_t host_thread_id(void)
{
	return GetCurrentThreadId();
}

bool host_is_typed(void)
{
	return _isatty(0) != 0 && _isatty(2) != 0;
}
