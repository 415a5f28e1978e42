/* SPDX-License-Identifier: Apache-2.0 */
#include <os/journal.h>

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

/* An entry travels as one datagram: this is more than any of ours has. */
#define BUFFER_BYTES (1 << 20)

bool journal_send(const char *path, const char *entry, size_t length)
{
	const struct timeval patience = {.tv_sec = JOURNAL_PATIENCE_MS / 1000,
					 .tv_usec = (suseconds_t)(JOURNAL_PATIENCE_MS % 1000) * 1000};
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const int size = BUFFER_BYTES;
	const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ssize_t sent = -1;

	if (fd < 0)
		return false;
	if (strlen(path) < sizeof(address.sun_path) &&
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) == 0) {
		memcpy(address.sun_path, path, strlen(path) + 1);
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
		do {
			sent =
			    sendto(fd, entry, length, MSG_NOSIGNAL, (const struct sockaddr *)&address, sizeof(address));
		} while (sent < 0 && errno == EINTR);
	}
	(void)close(fd);
	return sent >= 0 && (size_t)sent == length;
}
