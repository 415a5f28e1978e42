/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_wake.h>

#include <errno.h>
#include <os/clock.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

/* One poll() waits this long at most, then the caller looks at its clock again. */
#define POLL_MAX_MS 60000

/* Wake-ups that came together are one. */
#define DRAIN_BYTES 64
#define WAKE_TRIES  16

enum status dir_wake_init(struct dir_wake *wake, struct error *error)
{
	/* Not a pipe: POSIX.1-2008 has none that a child of the host does not inherit. */
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, wake->fds) == 0)
		return STATUS_OK;
	return error_system(error, STATUS_LIMIT, errno, "could not make a pair of sockets");
}

void dir_wake_done(struct dir_wake *wake)
{
	(void)close(wake->fds[0]);
	(void)close(wake->fds[1]);
}

void dir_wake_up(struct dir_wake *wake)
{
	/*
	 * When there is no room, it will wake all the same. What else it fails for, a signal or the kernel's memory, does not last; a wake
	 * that is lost would let whoever closes the pool wait for a minute.
	 */
	for (unsigned tries = 0; tries < WAKE_TRIES && send(wake->fds[1], "", 1, MSG_NOSIGNAL) < 0 && errno != EAGAIN;
	     tries++)
		continue;
}

static void drain(struct dir_wake *wake)
{
	char bytes[DRAIN_BYTES];

	while (recv(wake->fds[0], bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
}

void dir_wake_wait(struct dir_wake *wake, int fd, uint64_t deadline_ms)
{
	/* poll() passes over a descriptor below 0. */
	struct pollfd pollers[2] = {{.fd = wake->fds[0], .events = POLLIN}, {.fd = fd, .events = POLLIN}};
	const uint64_t now_ms = clock_monotonic_ms();
	const uint64_t left_ms = now_ms < deadline_ms ? deadline_ms - now_ms : 0;

	if (poll(pollers, 2, left_ms < POLL_MAX_MS ? (int)left_ms : POLL_MAX_MS) > 0 && pollers[0].revents != 0)
		drain(wake);
}
