/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_io.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <os/clock.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* One poll() waits this long at most, then looks at the clock again. */
#define POLL_MAX_MS 60000

/*
 * Reads in a row that found nothing, before one waits. libldap asks once, then waits on the socket; GnuTLS's layer
 * (2.5.13, renegotiation in tlsg_sb_read) asks for ever.
 */
#define EMPTY_READS_MAX 8

/* A silent peer is noticed below the idle limits of firewalls; bytes that nobody acknowledges, within seconds. */
#define KEEPALIVE_IDLE_S     30
#define KEEPALIVE_INTERVAL_S 5
#define KEEPALIVE_PROBES     3
#define UNACKNOWLEDGED_MS    10000

void dir_io_init(struct dir_io *io)
{
	*io = (struct dir_io){.fd = -1, .first_byte = -1};
}

void dir_io_done(struct dir_io *io)
{
	if (io->fd >= 0)
		(void)close(io->fd);
	io->fd = -1;
}

/* 1: ready, or broken (the next call will say so); 0: the deadline came. */
static int wait_for(int fd, short events, uint64_t deadline_ms)
{
	struct pollfd poller = {.fd = fd, .events = events};
	uint64_t now_ms;
	uint64_t left_ms;
	int ready;

	for (;;) {
		now_ms = clock_monotonic_ms();
		left_ms = now_ms < deadline_ms ? deadline_ms - now_ms : 0;
		ready = poll(&poller, 1, left_ms < POLL_MAX_MS ? (int)left_ms : POLL_MAX_MS);
		if (ready > 0 || (ready < 0 && errno != EINTR))
			return 1;
		if (left_ms == 0)
			return 0;
	}
}

static void set_option(int fd, int level, int name, int value)
{
	/* A kernel that does not know one of them leaves a connection that works and notices trouble later. */
	(void)setsockopt(fd, level, name, &value, sizeof(value));
}

static void set_tcp_options(int fd)
{
	set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S);
	set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S);
	set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_PROBES);
	set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS);
}

/* A connected socket, or -1 with errno. */
static int connect_within(int family, const struct sockaddr *address, socklen_t length, uint64_t deadline_ms)
{
	const int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	socklen_t size = sizeof(int);
	int failure = 0;

	if (fd < 0)
		return -1;
	if (connect(fd, address, length) != 0) {
		failure = errno;
		if (failure == EINPROGRESS || failure == EINTR) {
			failure = ETIMEDOUT;
			if (wait_for(fd, POLLOUT, deadline_ms) != 0 &&
			    getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &size) != 0)
				failure = errno;
		}
	}
	if (failure == 0)
		return fd;
	(void)close(fd);
	errno = failure;
	return -1;
}

/* Remember an address that is tried. */
static void note_address(struct dir_io *io, const struct sockaddr *address)
{
	const void *number = NULL;

	io->is_loopback = false;
	if (address->sa_family == AF_INET) {
		const struct sockaddr_in *four = (const struct sockaddr_in *)(const void *)address;

		number = &four->sin_addr;
		io->is_loopback = (ntohl(four->sin_addr.s_addr) >> 24) == IN_LOOPBACKNET;
	} else if (address->sa_family == AF_INET6) {
		const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)address;

		number = &six->sin6_addr;
		io->is_loopback = IN6_IS_ADDR_LOOPBACK(&six->sin6_addr);
	}
	io->address[0] = '\0';
	if (number != NULL)
		(void)inet_ntop(address->sa_family, number, io->address, sizeof(io->address));
}

/* Each of the addresses that are left gets its share of the time, so that a black hole does not use it up. */
static int connect_any(struct dir_io *io, const struct addrinfo *first, uint64_t deadline_ms)
{
	const struct addrinfo *address;
	uint64_t now_ms;
	uint64_t left = 0;
	int failure = EHOSTUNREACH;
	int fd = -1;

	for (address = first; address != NULL; address = address->ai_next)
		left++;
	io->address_count = left;
	for (address = first; address != NULL && fd < 0; address = address->ai_next, left--) {
		now_ms = clock_monotonic_ms();
		if (now_ms >= deadline_ms) {
			failure = ETIMEDOUT;
			break;
		}
		note_address(io, address->ai_addr);
		fd = connect_within(address->ai_family, address->ai_addr, address->ai_addrlen,
				    now_ms + (deadline_ms - now_ms) / left);
		if (fd < 0)
			failure = errno;
	}
	errno = failure;
	return fd;
}

static enum status hint_connect(int failure, struct error *error)
{
	const enum status status = failure == ETIMEDOUT ? STATUS_TIMEOUT : STATUS_UNREACHABLE;

	if (failure == ECONNREFUSED)
		return error_hint(error, status, "is the server running, is the port right, does a firewall answer?");
	if (failure == ETIMEDOUT)
		return error_hint(error, status,
				  "is the server running, and does a firewall let this machine through?");
	return status;
}

enum status dir_io_connect(struct dir_io *io, const char *host, unsigned port, uint64_t deadline_ms,
			   struct error *error)
{
	const struct addrinfo wanted = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV};
	struct addrinfo *addresses = NULL;
	char service[sizeof("4294967295")];
	int failure;

	(void)snprintf(service, sizeof(service), "%u", port);
	failure = getaddrinfo(host, service, &wanted, &addresses);
	if (failure != 0) {
		(void)error_set(error, STATUS_UNREACHABLE, "could not find the address of '%s': %s", host,
				gai_strerror(failure));
		return error_hint(error, STATUS_UNREACHABLE,
				  "check the host name in directory/@uri, and this machine's DNS");
	}
	io->resolved_us = clock_monotonic_us();
	io->fd = connect_any(io, addresses, deadline_ms);
	failure = errno;
	freeaddrinfo(addresses);
	if (io->fd < 0) {
		(void)error_system(error, failure == ETIMEDOUT ? STATUS_TIMEOUT : STATUS_UNREACHABLE, failure,
				   "could not connect to '%s' port %u", host, port);
		return hint_connect(failure, error);
	}
	set_tcp_options(io->fd);
	return STATUS_OK;
}

enum status dir_io_connect_local(struct dir_io *io, const char *path, uint64_t deadline_ms, struct error *error)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const size_t length = strlen(path);

	if (length >= sizeof(address.sun_path))
		return error_set(error, STATUS_INVALID, "the path of the socket '%s' is too long", path);
	memcpy(address.sun_path, path, length + 1);
	io->is_local = true;
	io->resolved_us = clock_monotonic_us();
	io->fd = connect_within(AF_UNIX, (const struct sockaddr *)&address, sizeof(address), deadline_ms);
	if (io->fd < 0)
		return error_system(error, errno == ETIMEDOUT ? STATUS_TIMEOUT : STATUS_UNREACHABLE, errno,
				    "could not connect to the socket '%s'", path);
	return STATUS_OK;
}

/* The functions of a Sockbuf_IO. All report by errno, as read(2) and write(2) do. */

static int io_setup(Sockbuf_IO_Desc *layer, void *io)
{
	layer->sbiod_pvt = io;
	return 0;
}

static int io_remove(Sockbuf_IO_Desc *layer)
{
	layer->sbiod_pvt = NULL;
	return 0;
}

static int io_control(Sockbuf_IO_Desc *layer, int option, void *argument)
{
	const struct dir_io *io = layer->sbiod_pvt;

	(void)argument;
	return option == LBER_SB_OPT_DATA_READY && io->start < io->end ? 1 : 0;
}

/* Called when a read found nothing. True: try again. */
static bool may_wait_to_read(struct dir_io *io)
{
	if (!io->is_patient && ++io->empty_reads <= EMPTY_READS_MAX) {
		errno = EAGAIN;
		return false;
	}
	if (wait_for(io->fd, POLLIN, io->deadline_ms) != 0)
		return true;
	io->timed_out = true;
	errno = ETIMEDOUT;
	return false;
}

static ssize_t receive(struct dir_io *io, void *out, size_t size)
{
	ssize_t length;

	for (;;) {
		length = recv(io->fd, out, size, MSG_DONTWAIT);
		if (length >= 0) {
			io->received += (uint64_t)length;
			if (length > 0 && io->first_byte < 0)
				io->first_byte = *(const unsigned char *)out;
			io->empty_reads = 0;
			return length;
		}
		if (errno == EINTR)
			continue;
		if ((errno != EAGAIN && errno != EWOULDBLOCK) || !may_wait_to_read(io))
			return -1;
	}
}

static ber_slen_t io_read(Sockbuf_IO_Desc *layer, void *out, ber_len_t size)
{
	struct dir_io *io = layer->sbiod_pvt;
	ssize_t length;

	if (io->is_dead || io->timed_out) {
		errno = ECONNRESET;
		return -1;
	}
	if (io->start == io->end) {
		if (size >= sizeof(io->buffer))
			return receive(io, out, size);
		length = receive(io, io->buffer, sizeof(io->buffer));
		if (length <= 0)
			return length;
		io->start = 0;
		io->end = (size_t)length;
	}
	if (size > io->end - io->start)
		size = io->end - io->start;
	memcpy(out, io->buffer + io->start, size);
	io->start += size;
	return (ber_slen_t)size;
}

static ber_slen_t io_write(Sockbuf_IO_Desc *layer, void *data, ber_len_t size)
{
	struct dir_io *io = layer->sbiod_pvt;
	ssize_t length;

	if (io->is_dead || io->timed_out) {
		errno = EPIPE;
		return -1;
	}
	for (;;) {
		length = send(io->fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (length >= 0)
			return length;
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN && errno != EWOULDBLOCK)
			return -1;
		if (wait_for(io->fd, POLLOUT, io->deadline_ms) == 0) {
			io->timed_out = true;
			errno = ETIMEDOUT;
			return -1;
		}
	}
}

static int io_close(Sockbuf_IO_Desc *layer)
{
	struct dir_io *io = layer->sbiod_pvt;

	if (io != NULL)
		dir_io_done(io);
	return 0;
}

/* liblber takes it as not const, and does not change it. */
static Sockbuf_IO layer_functions = {
    .sbi_setup = io_setup,
    .sbi_remove = io_remove,
    .sbi_ctrl = io_control,
    .sbi_read = io_read,
    .sbi_write = io_write,
    .sbi_close = io_close,
};

int dir_io_attach(struct dir_io *io, Sockbuf *sockbuf)
{
	return ber_sockbuf_add_io(sockbuf, &layer_functions, LBER_SBIOD_LEVEL_PROVIDER, io);
}

void dir_io_patient(struct dir_io *io, uint64_t deadline_ms)
{
	io->is_patient = true;
	io->first_byte = -1;
	io->deadline_ms = deadline_ms;
}

void dir_io_prompt(struct dir_io *io, uint64_t deadline_ms)
{
	io->is_patient = false;
	io->deadline_ms = deadline_ms;
	io->empty_reads = 0;
}

bool dir_io_wait(struct dir_io *io, uint64_t deadline_ms)
{
	io->empty_reads = 0;
	return io->fd < 0 || wait_for(io->fd, POLLIN, deadline_ms) != 0;
}

bool dir_io_is_writable(const struct dir_io *io)
{
	return io->fd < 0 || wait_for(io->fd, POLLOUT, 0) != 0;
}
