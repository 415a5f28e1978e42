/* SPDX-License-Identifier: Apache-2.0 */
/* What `host` needs of the system: a plug-in's file in this process, a token of a user, a name for a thread. */
#ifndef WSMAUTHZ_CLI_HOST_SYSTEM_H
#define WSMAUTHZ_CLI_HOST_SYSTEM_H

#include <base/error.h>
#include <cli/wsmsvc_standin.h>
#include <stdbool.h>
#include <stdint.h>

struct host_library;

/**
 * Load a plug-in, with every symbol bound at once; the host's three functions are there before it.
 *
 * @param path       the file; a name without a folder is a file of the working directory, never of a search path.
 * @param completed  where its completions go.
 * @return STATUS_OK, STATUS_NOT_FOUND (no such file), STATUS_INVALID (it cannot be loaded), STATUS_NO_MEMORY.
 */
NODISCARD enum status host_library_open(const char *path, standin_completed_fn *completed,
					struct host_library **library_out, struct error *error);

/** Unload it; sets the pointer to NULL. After the plug-in's Shutdown. */
void host_library_close(struct host_library **library);

/**
 * One of its functions.
 * @param function_out  address of a pointer to a function.
 * @return STATUS_OK, STATUS_INVALID (it has none of this name).
 */
NODISCARD enum status host_library_find(const struct host_library *library, const char *name, void *function_out,
					struct error *error);

/**
 * A token as WinRM would have one of a user who has signed in: on Windows this process's own, elsewhere something that
 * is not NULL and that nothing looks into.
 * @return STATUS_OK, STATUS_REFUSED.
 */
NODISCARD enum status host_token_open(HANDLE *token_out, struct error *error);
void host_token_close(HANDLE token);

/** What tells this thread from others that run. Threads: any. */
uintptr_t host_thread_id(void);

/** Whether somebody types our standard input and reads standard error. */
bool host_is_typed(void);

#endif
