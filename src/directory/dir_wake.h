/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waking a thread that waits for a socket.
 *
 *	the thread    if (is_over()) return;  dir_wake_wait(&wake, fd, deadline_ms);  ... look again
 *	another one   set_over();  dir_wake_up(&wake);
 *
 * A wake-up that comes while nobody waits is kept for the next wait.
 *
 * Threads: dir_wake_up any; dir_wake_wait one.
 */
#ifndef WSMAUTHZ_DIRECTORY_DIR_WAKE_H
#define WSMAUTHZ_DIRECTORY_DIR_WAKE_H

#include <base/compiler.h>
#include <base/error.h>
#include <stdint.h>

struct dir_wake {
	int fds[2];  /* owned: to wait on, to write to; POSIX */
	void *event; /* owned; Windows */
};

/** @return STATUS_OK; STATUS_LIMIT: no descriptors. */
NODISCARD enum status dir_wake_init(struct dir_wake *wake, struct error *error);
void dir_wake_done(struct dir_wake *wake);

void dir_wake_up(struct dir_wake *wake);

/** Wait until `fd` (-1: none; on Windows always) has something to read or is broken, a wake-up, or the deadline (UINT64_MAX: never). May return for nothing. */
void dir_wake_wait(struct dir_wake *wake, int fd, uint64_t deadline_ms);

#endif
