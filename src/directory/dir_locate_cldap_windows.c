/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_locate_cldap.h>

#include <os/clock.h>
#include <os/random.h>

#define VERSION_2_2 0x0202
/* is_over is asked this often: nothing else ends a wait for sockets. */
#define LOOK_MS 50

struct round {
	const char *domain;
	int32_t id; /* of the message: random, as the ports are */
	uint8_t question[DIR_CLDAP_MAX_QUESTION];
	size_t question_length;
	SOCKET sockets[DIR_CLDAP_MAX_TARGETS];
	size_t count;
};

/* Connected, so that nobody else's packets arrive. */
static void open_socket(struct round *round, const struct dir_resolver_host *host)
{
	u_long is_not_blocking = 1;
	SOCKET fd;

	if (host->length == 0 || round->count == DIR_CLDAP_MAX_TARGETS)
		return;
	fd = socket(host->address.ss_family, SOCK_DGRAM, IPPROTO_UDP);
	if (fd == INVALID_SOCKET)
		return;
	if (ioctlsocket(fd, (long)FIONBIO, &is_not_blocking) != 0 ||
	    connect(fd, (const struct sockaddr *)&host->address, (int)host->length) != 0) {
		(void)closesocket(fd);
		return;
	}
	round->sockets[round->count++] = fd;
}

/* One that cannot be sent is as good as lost. */
static void ask_all(const struct round *round)
{
	for (size_t i = 0; i < round->count; i++)
		(void)!send(round->sockets[i], (const char *)round->question, (int)round->question_length, 0);
}

static bool take_answer(const struct round *round, struct dir_cldap_answer *answer_out)
{
	uint8_t message[DIR_CLDAP_MAX_ANSWER];

	for (size_t i = 0; i < round->count; i++) {
		const int length = recv(round->sockets[i], (char *)message, sizeof(message), 0);

		if (length > 0 && dir_cldap_read(message, (size_t)length, round->id, round->domain, answer_out))
			return true;
	}
	return false;
}

static bool wait_for_answer(const struct round *round, const struct dir_locate_wait *wait, uint64_t until_ms,
			    struct dir_cldap_answer *answer_out)
{
	uint64_t now_ms;

	while ((now_ms = clock_monotonic_ms()) < until_ms && !wait->is_over(wait->context)) {
		const uint64_t left_ms = until_ms - now_ms < LOOK_MS ? until_ms - now_ms : LOOK_MS;
		struct timeval left = {.tv_usec = (long)left_ms * 1000};
		fd_set readable;

		FD_ZERO(&readable);
		for (size_t i = 0; i < round->count; i++)
			readable.fd_array[readable.fd_count++] = round->sockets[i];
		if (select(0, &readable, NULL, NULL, &left) < 0)
			return false;
		if (take_answer(round, answer_out))
			return true;
	}
	return false;
}

static bool ask_and_wait(struct round *round, const struct dir_locate_wait *wait, uint64_t deadline_ms,
			 struct dir_cldap_answer *answer_out)
{
	const uint64_t now_ms = clock_monotonic_ms();

	if (round->question_length == 0 || round->count == 0 || now_ms >= deadline_ms)
		return false;
	ask_all(round);
	if (wait_for_answer(round, wait, now_ms + (deadline_ms - now_ms) / 2, answer_out))
		return true;
	ask_all(round); /* UDP loses */
	return wait_for_answer(round, wait, deadline_ms, answer_out);
}

bool dir_cldap_ping(const struct dir_resolver_host *hosts, size_t count, const char *domain,
		    const struct dir_locate_wait *wait, uint64_t deadline_ms, struct dir_cldap_answer *answer_out)
{
	struct round round = {.domain = domain, .id = 1 + (int32_t)random_below(INT32_MAX - 1)};
	bool is_answered;
	WSADATA data;

	if (WSAStartup(VERSION_2_2, &data) != 0)
		return false;
	round.question_length = dir_cldap_write(round.id, domain, round.question);
	for (size_t i = 0; i < count; i++)
		open_socket(&round, &hosts[i]);
	is_answered = ask_and_wait(&round, wait, deadline_ms, answer_out);
	for (size_t i = 0; i < round.count; i++)
		(void)closesocket(round.sockets[i]);
	(void)WSACleanup();
	return is_answered;
}
