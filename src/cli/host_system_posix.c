/* SPDX-License-Identifier: Apache-2.0 */
#include <base/memory.h>
#include <cli/host_system.h>
#include <dlfcn.h>
#include <os/file.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

struct host_library {
	void *handle;
};

/* dlopen looks for a name without a slash in the system's folders; this one names a file. */
static char *path_of_file(const char *path)
{
	return strchr(path, '/') != NULL ? memory_copy_text(path) : file_path_beside("./", path);
}

static void *load(const char *path, struct error *error)
{
	void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);

	if (handle == NULL)
		error_set(error, STATUS_INVALID, "could not load the plug-in: %s", dlerror());
	return handle;
}

static enum status open_file(const char *file, struct host_library *library, struct error *error)
{
	enum status status = file_check_readable(file, error);

	if (status == STATUS_OK) {
		library->handle = load(file, error);
		status = library->handle != NULL ? STATUS_OK : STATUS_INVALID;
	}
	return status;
}

/* The host's functions are the program's own: the plug-in is bound to them when it is loaded. */
enum status host_library_open(const char *path, standin_completed_fn *completed, struct host_library **library_out,
			      struct error *error)
{
	struct host_library *library = memory_new(sizeof(*library));
	char *file = path_of_file(path);
	enum status status = STATUS_NO_MEMORY;

	if (library == NULL || file == NULL) {
		error_no_memory(error);
	} else {
		standin_set(completed);
		status = open_file(file, library, error);
	}
	if (status == STATUS_OK) {
		*library_out = library;
		library = NULL;
	}
	memory_free(file);
	memory_free(library);
	return status;
}

void host_library_close(struct host_library **library)
{
	if (*library == NULL)
		return;
	(void)dlclose((*library)->handle);
	memory_free(*library);
	*library = NULL;
}

/* A function pointer and an object pointer have one size here (POSIX says so for dlsym). */
enum status host_library_find(const struct host_library *library, const char *name, void *function_out,
			      struct error *error)
{
	void *symbol = dlsym(library->handle, name);

	if (symbol == NULL)
		return error_set(error, STATUS_INVALID, "it has no %s: it is no WinRM authorization plug-in", name);
	memcpy(function_out, &symbol, sizeof(symbol));
	return STATUS_OK;
}

enum status host_token_open(HANDLE *token_out, struct error *error)
{
	static char some_token;

	(void)error;
	*token_out = &some_token;
	return STATUS_OK;
}

void host_token_close(HANDLE token)
{
	(void)token;
}

uintptr_t host_thread_id(void)
{
	return (uintptr_t)pthread_self();
}

bool host_is_typed(void)
{
	return isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1;
}
