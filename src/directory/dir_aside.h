/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A call of the platform that may not come back in time, on a thread of its own.
 *
 * Windows has many that know no deadline, and cannot be ended from outside: the resolution of a name, a bind through the local
 * security authority, a TLS handshake with a server that says nothing. The caller waits until its deadline; then the thread is left to
 * itself, with all that it uses, and ends when its call returns. Until then it holds a reference on the module that its code is in, so
 * that nobody unloads that under it (design.md, invariant 7): whoever frees the plug-in meanwhile has freed it when the last such
 * thread has ended.
 *
 * Threads: any.
 * Sources: Microsoft, FreeLibraryAndExitThread.
 */
#ifndef WSMAUTHZ_DIRECTORY_DIR_ASIDE_H
#define WSMAUTHZ_DIRECTORY_DIR_ASIDE_H

#include <base/compiler.h>
#include <base/error.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Calls of this process that were left to themselves and have not returned. More, and no call is made: whatever hangs so often would
 * eat all the memory of the host.
 */
#define DIR_ASIDE_MAX_LEFT 32

struct dir_aside {
	void (*run)(void *context); /* on the other thread */
	/* On the caller's thread, once the deadline has passed, while `run` has not returned: the last look at `context`. NULL: none. */
	void (*leave)(void *context);
	/* On the other thread, when `run` has returned after that: `context` is its own now. NULL: none. */
	void (*inherit)(void *context);
	void *context;
	bool (*is_over)(void *over_context); /* looked at meanwhile: true ends the wait like the deadline. NULL: none */
	void *over_context;
};

/**
 * @return STATUS_OK: `run` has returned; STATUS_TIMEOUT: `context` is no longer the caller's; STATUS_LIMIT, STATUS_NO_MEMORY: `run` was not
 *         called. The error is set unless STATUS_OK.
 */
NODISCARD enum status dir_aside_run(const struct dir_aside *aside, uint64_t deadline_ms, struct error *error);

#endif
