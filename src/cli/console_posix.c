/* SPDX-License-Identifier: Apache-2.0 */
#include <base/log.h>
#include <cli/console.h>
#include <errno.h>
#include <fcntl.h>
#include <os/log_sink.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

/* Those below are open, so the lowest that is free is this one. */
static enum status fill(int descriptor, int flags, struct error *error)
{
	if (fcntl(descriptor, F_GETFD) >= 0)
		return STATUS_OK;
	if (open("/dev/null", flags) != descriptor)
		return error_system(error, STATUS_UNREACHABLE, errno,
				    "descriptor %d is closed, and could not be opened on /dev/null", descriptor);
	return STATUS_OK;
}

enum status console_prepare(struct error *error)
{
	/* Nobody can read an answer there: better that writing it fails. Log lines may be lost. */
	static const int flags[] = {[STDIN_FILENO] = O_RDONLY, [STDOUT_FILENO] = O_RDONLY, [STDERR_FILENO] = O_WRONLY};
	enum status status = STATUS_OK;

	(void)signal(SIGPIPE, SIG_IGN);
	for (int descriptor = STDIN_FILENO; status == STATUS_OK && descriptor <= STDERR_FILENO; descriptor++)
		status = fill(descriptor, flags[descriptor], error);
	return status;
}

/* Someone may have handed us descriptors that do not block. */
static void wait_for(int descriptor, short events)
{
	struct pollfd wanted = {.fd = descriptor, .events = events};

	(void)poll(&wanted, 1, -1);
}

enum status console_write(const char *data, size_t length, struct error *error)
{
	while (length > 0) {
		ssize_t written = write(STDOUT_FILENO, data, length);

		if (written >= 0) {
			data += written;
			length -= (size_t)written;
		} else if (errno == EAGAIN) {
			wait_for(STDOUT_FILENO, POLLOUT);
		} else if (errno == EPIPE) {
			return error_set(error, STATUS_CANCELLED, "nobody reads standard output any more");
		} else if (errno != EINTR) {
			return error_system(error, STATUS_UNREACHABLE, errno, "could not write to standard output");
		}
	}
	return STATUS_OK;
}

/* False when standard output is of no use any more: no answer would be read. */
static bool wait_for_input(void)
{
	/* A pipe without a reader shows as an error that need not be asked for. */
	struct pollfd wanted[] = {{.fd = STDIN_FILENO, .events = POLLIN}, {.fd = STDOUT_FILENO}};

	/* Interrupted, it says nothing of the descriptors: the read that follows finds out. */
	if (poll(wanted, 2, -1) < 0)
		return true;
	return (wanted[1].revents & (POLLERR | POLLHUP | POLLNVAL)) == 0;
}

enum status console_read(char *buffer, size_t size, size_t *length_out, struct error *error)
{
	ssize_t length;

	do {
		if (!wait_for_input())
			return error_set(error, STATUS_CANCELLED, "nobody reads standard output any more");
		length = read(STDIN_FILENO, buffer, size);
	} while (length < 0 && (errno == EINTR || errno == EAGAIN));
	if (length < 0)
		return error_system(error, STATUS_UNREACHABLE, errno, "could not read standard input");
	*length_out = (size_t)length;
	return STATUS_OK;
}

void console_complain(const struct error *error)
{
	const struct log log = {.level = LOG_LEVEL_ERROR, .write = log_sink_stderr};

	log_error(&log, "%s%s%s", error->what, error->hint[0] != '\0' ? "; " : "", error->hint);
}
