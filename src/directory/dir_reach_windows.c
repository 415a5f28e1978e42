/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_reach.h>

#include <dir_socket.h>
#include <os/clock.h>
#include <stdio.h>

/* One wait is this long at most, then the clock is looked at again. */
#define WAIT_MAX_MS 60000

#define VERSION_2_2 0x0202

/* 0: connected, or failed (the socket knows); else WSAETIMEDOUT. */
static int wait_until_connected(SOCKET fd, uint64_t deadline_ms)
{
	uint64_t now_ms;

	while ((now_ms = clock_monotonic_ms()) < deadline_ms) {
		const uint64_t left_ms = deadline_ms - now_ms < WAIT_MAX_MS ? deadline_ms - now_ms : WAIT_MAX_MS;
		struct timeval left = {.tv_sec = (long)(left_ms / 1000), .tv_usec = (long)(left_ms % 1000) * 1000};
		fd_set writable, failed;

		/* Not WSAPoll, which Windows before 10 does not tell of a connection that failed. */
		FD_ZERO(&writable);
		FD_ZERO(&failed);
		writable.fd_array[writable.fd_count++] = fd;
		failed.fd_array[failed.fd_count++] = fd;
		if (select(0, NULL, &writable, &failed, &left) != 0)
			return 0;
	}
	return WSAETIMEDOUT;
}

/* 0, or what is wrong. */
static int connect_within(const struct addrinfo *address, uint64_t deadline_ms)
{
	const SOCKET fd = socket(address->ai_family, SOCK_STREAM, IPPROTO_TCP);
	u_long is_not_blocking = 1;
	int failure = 0;
	int size = sizeof(failure);

	if (fd == INVALID_SOCKET)
		return WSAGetLastError();
	if (ioctlsocket(fd, (long)FIONBIO, &is_not_blocking) != 0 ||
	    connect(fd, address->ai_addr, (int)address->ai_addrlen) != 0)
		failure = WSAGetLastError();
	if (failure == WSAEWOULDBLOCK) {
		failure = wait_until_connected(fd, deadline_ms);
		if (failure == 0 && getsockopt(fd, SOL_SOCKET, SO_ERROR, (char *)&failure, &size) != 0)
			failure = WSAGetLastError();
	}
	(void)closesocket(fd);
	return failure;
}

/* Remember an address that is tried. */
static void note_address(struct dir_reach *reach, const struct addrinfo *address)
{
	const void *number = NULL;

	reach->is_loopback = false;
	if (address->ai_family == AF_INET) {
		const struct sockaddr_in *four = (const struct sockaddr_in *)(const void *)address->ai_addr;

		number = &four->sin_addr;
		reach->is_loopback = (ntohl(four->sin_addr.s_addr) >> 24) == 127;
	} else if (address->ai_family == AF_INET6) {
		const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)address->ai_addr;

		number = &six->sin6_addr;
		reach->is_loopback = IN6_IS_ADDR_LOOPBACK(&six->sin6_addr) != 0;
	}
	reach->address[0] = '\0';
	if (number != NULL)
		(void)inet_ntop(address->ai_family, number, reach->address, sizeof(reach->address));
}

/* Each of the addresses that are left gets its share of the time, so that a black hole does not use it up. */
static int connect_any(struct dir_reach *reach, const struct addrinfo *first, uint64_t deadline_ms)
{
	const struct addrinfo *address;
	uint64_t left = 0;
	int failure = WSAEHOSTUNREACH;

	for (address = first; address != NULL; address = address->ai_next)
		left++;
	reach->address_count = (size_t)left;
	for (address = first; address != NULL && failure != 0; address = address->ai_next, left--) {
		const uint64_t now_ms = clock_monotonic_ms();

		if (now_ms >= deadline_ms)
			return WSAETIMEDOUT;
		note_address(reach, address);
		failure = connect_within(address, now_ms + (deadline_ms - now_ms) / left);
	}
	return failure;
}

static enum status hint_connect(int failure, struct error *error)
{
	const enum status status = failure == WSAETIMEDOUT ? STATUS_TIMEOUT : STATUS_UNREACHABLE;

	if (failure == WSAECONNREFUSED)
		return error_hint(error, status, "is the server running, is the port right, does a firewall answer?");
	if (failure == WSAETIMEDOUT)
		return error_hint(error, status,
				  "is the server running, and does a firewall let this machine through?");
	return status;
}

static enum status find_and_connect(const char *host, unsigned port, uint64_t deadline_ms, struct dir_reach *reach,
				    struct error *error)
{
	const struct addrinfo wanted = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *addresses = NULL;
	char service[sizeof("4294967295")];
	int failure;

	(void)snprintf(service, sizeof(service), "%u", port);
	failure = getaddrinfo(host, service, &wanted, &addresses);
	if (failure != 0) {
		(void)error_system(error, STATUS_UNREACHABLE, failure, "could not find the address of '%s'", host);
		return error_hint(error, STATUS_UNREACHABLE,
				  "check the host name in directory/@uri, and this machine's DNS");
	}
	reach->resolved_us = clock_monotonic_us();
	failure = connect_any(reach, addresses, deadline_ms);
	freeaddrinfo(addresses);
	if (failure == 0)
		return STATUS_OK;
	(void)error_system(error, failure == WSAETIMEDOUT ? STATUS_TIMEOUT : STATUS_UNREACHABLE, failure,
			   "could not connect to '%s' port %u", host, port);
	return hint_connect(failure, error);
}

enum status dir_reach(const char *host, unsigned port, uint64_t deadline_ms, struct dir_reach *reach_out,
		      struct error *error)
{
	WSADATA data;
	enum status status;
	const int failure = WSAStartup(VERSION_2_2, &data);

	*reach_out = (struct dir_reach){.address_count = 0};
	if (failure != 0)
		return error_system(error, STATUS_UNREACHABLE, failure, "this system has no sockets");
	status = find_and_connect(host, port, deadline_ms, reach_out, error);
	(void)WSACleanup();
	return status;
}
