/* SPDX-License-Identifier: Apache-2.0 */
#include "raw_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define TICK_MS    5
#define TRICKLE_MS 20

struct talk {
	struct raw_server *server;
	int fd;
	unsigned message_id; /* of the message that was heard last */
	unsigned char heard[65536];
	size_t length;   /* of what was heard and not understood yet */
	char last[1024]; /* the message that was heard last */
	size_t last_length;
};

static bool wait_readable(struct talk *talk)
{
	struct pollfd poller = {.fd = talk->fd, .events = POLLIN};

	while (!atomic_load(&talk->server->is_stopping))
		if (poll(&poller, 1, TICK_MS) > 0)
			return true;
	return false;
}

static bool hear_bytes(struct talk *talk)
{
	ssize_t length;

	if (talk->length == sizeof(talk->heard) || !wait_readable(talk))
		return false;
	length = recv(talk->fd, talk->heard + talk->length, sizeof(talk->heard) - talk->length, 0);
	if (length <= 0)
		return false;
	talk->length += (size_t)length;
	atomic_fetch_add(&talk->server->heard_bytes, (unsigned)length);
	return true;
}

/* The bytes of the first message's header; 0: it is not there yet. */
static size_t header_length(const struct talk *talk)
{
	const size_t length = talk->length < 2 || talk->heard[1] < 0x80 ? 2 : 2 + (size_t)(talk->heard[1] & 0x7f);

	return talk->length >= length ? length : 0;
}

/* The bytes of the first message with its header. */
static size_t message_length(const struct talk *talk, size_t header)
{
	size_t length = 0;
	size_t i;

	if (header == 2)
		return header + talk->heard[1];
	for (i = 2; i < header; i++)
		length = length << 8 | talk->heard[i];
	return header + length;
}

/* LDAPMessage ::= SEQUENCE { messageID INTEGER, ... } */
static unsigned read_message_id(const unsigned char *integer)
{
	unsigned value = 0;
	unsigned i;

	for (i = 0; i < integer[1]; i++)
		value = value << 8 | integer[2 + i];
	return value;
}

static bool hear(struct talk *talk)
{
	size_t header;
	size_t length;

	while ((header = header_length(talk)) == 0 || talk->length < message_length(talk, header))
		if (!hear_bytes(talk))
			return false;
	length = message_length(talk, header);
	talk->message_id = read_message_id(talk->heard + header);
	talk->last_length = length < sizeof(talk->last) ? length : sizeof(talk->last) - 1;
	memcpy(talk->last, talk->heard, talk->last_length);
	talk->length -= length;
	memmove(talk->heard, talk->heard + length, talk->length);
	return true;
}

static bool say(struct talk *talk, const struct raw_step *step)
{
	char buffer[512];
	size_t i;

	memcpy(buffer, step->bytes, step->length);
	for (i = 0; step->message_id_at > 0 && i < 4; i++)
		buffer[step->message_id_at + i] = (char)(talk->message_id >> (8 * (3 - i)));
	return send(talk->fd, buffer, step->length, MSG_NOSIGNAL) == (ssize_t)step->length;
}

/*
 * RFC 5802 7: the client's first message ends with "r=<its nonce>". BindResponse ::= { success, "", "",
 * serverSaslCreds [7] "r=<its nonce and ours>,s=<salt>,i=<count>" }.
 */
static bool say_scram(struct talk *talk)
{
	static const char head[16] = {0x30, 0, 2, 1, 1, 0x61, 0, 0x0a, 1, 0, 4, 0, 4, 0, (char)0x87, 0};
	const char *nonce = NULL;
	char creds[120];
	char message[160];
	size_t i;
	int length;

	for (i = 0; i + 1 < talk->last_length; i++)
		if (talk->last[i] == 'r' && talk->last[i + 1] == '=')
			nonce = talk->last + i + 2;
	if (nonce == NULL)
		return false;
	length = snprintf(creds, sizeof(creds), "r=%.*sabc,s=c2FsdHNhbHQ=,i=4096",
			  (int)(talk->last + talk->last_length - nonce), nonce);
	if (length < 0 || length > 100)
		return false;
	memcpy(message, head, sizeof(head));
	message[1] = (char)(length + 14);
	message[6] = (char)(length + 9);
	message[15] = (char)length;
	memcpy(message + 16, creds, (size_t)length);
	return send(talk->fd, message, (size_t)length + 16, MSG_NOSIGNAL) == length + 16;
}

static bool trickle(struct talk *talk, const struct raw_step *step)
{
	const struct timespec pause = {.tv_nsec = TRICKLE_MS * 1000000L};
	size_t i;

	for (i = 0; i < step->length && !atomic_load(&talk->server->is_stopping); i++) {
		if (send(talk->fd, step->bytes + i, 1, MSG_NOSIGNAL) != 1)
			return false;
		(void)nanosleep(&pause, NULL);
	}
	return true;
}

static void reset_on_close(int fd)
{
	const struct linger linger = {.l_onoff = 1};

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

static void stay_silent(const struct talk *talk)
{
	const struct timespec pause = {.tv_nsec = TICK_MS * 1000000L};
	struct pollfd poller = {.fd = talk->fd, .events = 0};

	while (!atomic_load(&talk->server->is_stopping) && poll(&poller, 1, 0) == 0)
		(void)nanosleep(&pause, NULL);
}

/* False: the talk is over. */
static bool take_step(struct talk *talk, const struct raw_step *step, size_t *next)
{
	switch (step->action) {
	case RAW_ACTION_HEAR:
		return hear(talk);
	case RAW_ACTION_HEAR_BYTES:
		return hear_bytes(talk);
	case RAW_ACTION_SAY:
		return say(talk, step);
	case RAW_ACTION_SCRAM:
		return say_scram(talk);
	case RAW_ACTION_TRICKLE:
		return trickle(talk, step);
	case RAW_ACTION_RESET:
		reset_on_close(talk->fd);
		return false;
	case RAW_ACTION_REPEAT:
		*next = step->length;
		return true;
	case RAW_ACTION_SILENCE:
		stay_silent(talk);
		return false;
	case RAW_ACTION_CLOSE:
		return false;
	}
	return false;
}

static void serve(struct raw_server *server, int fd)
{
	struct talk talk = {0};
	size_t next = 0;
	const struct raw_step *step;

	talk.server = server;
	talk.fd = fd;
	atomic_fetch_add(&server->connections, 1);
	while (next < server->step_count && !atomic_load(&server->is_stopping)) {
		step = &server->steps[next++];
		if (!take_step(&talk, step, &next))
			break;
	}
	(void)close(fd);
}

static void run(void *context)
{
	struct raw_server *server = context;
	struct pollfd poller = {.fd = server->listener, .events = POLLIN};
	int fd;

	while (!atomic_load(&server->is_stopping)) {
		if (poll(&poller, 1, TICK_MS) <= 0)
			continue;
		fd = accept(server->listener, NULL, NULL);
		if (fd >= 0)
			serve(server, fd);
	}
}

int raw_server_start(struct raw_server *server, const struct raw_step *steps, size_t step_count)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t length = sizeof(address);

	memset(server, 0, sizeof(*server));
	server->steps = steps;
	server->step_count = step_count;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (server->listener < 0 || bind(server->listener, (struct sockaddr *)&address, sizeof(address)) != 0 ||
	    listen(server->listener, 16) != 0 ||
	    getsockname(server->listener, (struct sockaddr *)&address, &length) != 0)
		return 0;
	server->port = ntohs(address.sin_port);
	(void)snprintf(server->uri, sizeof(server->uri), "ldap://127.0.0.1:%u", server->port);
	return thread_start(&server->thread, "raw-server", run, server, NULL) == STATUS_OK;
}

void raw_server_stop(struct raw_server *server)
{
	atomic_store(&server->is_stopping, true);
	thread_join(&server->thread);
	(void)close(server->listener);
}
