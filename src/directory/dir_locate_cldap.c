/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_locate_cldap.h>

#include <errno.h>
#include <os/clock.h>
#include <os/random.h>
#include <poll.h>
#include <unistd.h>

struct round {
	const char *domain;
	int32_t id; /* of the message: random, as the ports are */
	uint8_t question[DIR_CLDAP_MAX_QUESTION];
	size_t question_length;
	struct pollfd polled[DIR_CLDAP_MAX_TARGETS + 1]; /* and whoever ends the wait */
	nfds_t count;
};

/* Connected, so that nobody else's packets arrive. */
static void open_socket(struct round *round, const struct dir_resolver_host *host)
{
	int fd;

	if (host->length == 0 || round->count == DIR_CLDAP_MAX_TARGETS)
		return;
	fd = socket(host->address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return;
	if (connect(fd, (const struct sockaddr *)&host->address, host->length) != 0) {
		(void)close(fd);
		return;
	}
	round->polled[round->count].fd = fd;
	round->polled[round->count].events = POLLIN;
	round->count++;
}

/* One that cannot be sent is as good as lost. */
static void ask_all(const struct round *round)
{
	for (nfds_t i = 0; i < round->count; i++)
		(void)!send(round->polled[i].fd, round->question, round->question_length, MSG_NOSIGNAL);
}

static bool take_answer(const struct round *round, struct dir_cldap_answer *answer_out)
{
	uint8_t message[DIR_CLDAP_MAX_ANSWER];
	ssize_t length;

	for (nfds_t i = 0; i < round->count; i++) {
		if (round->polled[i].revents == 0)
			continue;
		length = recv(round->polled[i].fd, message, sizeof(message), 0);
		if (length > 0 && dir_cldap_read(message, (size_t)length, round->id, round->domain, answer_out))
			return true;
	}
	return false;
}

static bool wait_for_answer(struct round *round, const struct dir_locate_wait *wait, uint64_t until_ms,
			    struct dir_cldap_answer *answer_out)
{
	for (;;) {
		const uint64_t now_ms = clock_monotonic_ms();

		if (now_ms >= until_ms || wait->is_over(wait->context))
			return false;
		if (poll(round->polled, round->count + 1, (int)(until_ms - now_ms)) < 0 && errno != EINTR)
			return false;
		if (round->polled[round->count].revents != 0)
			dir_wake_wait(wait->wake, -1, 0);
		if (take_answer(round, answer_out))
			return true;
	}
}

bool dir_cldap_ping(const struct dir_resolver_host *hosts, size_t count, const char *domain,
		    const struct dir_locate_wait *wait, uint64_t deadline_ms, struct dir_cldap_answer *answer_out)
{
	struct round round = {.domain = domain, .id = 1 + (int32_t)random_below(INT32_MAX - 1)};
	const uint64_t now_ms = clock_monotonic_ms();
	bool is_answered = false;

	round.question_length = dir_cldap_write(round.id, domain, round.question);
	for (size_t i = 0; i < count; i++)
		open_socket(&round, &hosts[i]);
	round.polled[round.count].fd = wait->wake->fds[0];
	round.polled[round.count].events = POLLIN;
	if (round.question_length > 0 && round.count > 0 && now_ms < deadline_ms) {
		ask_all(&round);
		is_answered = wait_for_answer(&round, wait, now_ms + (deadline_ms - now_ms) / 2, answer_out);
		if (!is_answered) {
			ask_all(&round); /* UDP loses */
			is_answered = wait_for_answer(&round, wait, deadline_ms, answer_out);
		}
	}
	for (nfds_t i = 0; i < round.count; i++)
		(void)close(round.polled[i].fd);
	return is_answered;
}
