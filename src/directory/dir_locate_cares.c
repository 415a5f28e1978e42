/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_locate_resolver.h>

#include <ares.h>
#include <base/memory.h>
#include <errno.h>
#include <netinet/in.h>
#include <os/clock.h>
#include <poll.h>
#include <string.h>
#include <sys/time.h>

/* RFC 1035 3.2.4, RFC 2782. */
#define CLASS_IN 1
#define TYPE_SRV 33
/* RFC 1035 4.1.1. */
#define FLAGS_END         4
#define FLAG_IS_TRUNCATED 0x0200
/* RFC 9715: what passes through every network unfragmented; larger answers come by TCP. */
#define EDNS_BYTES 1232
/* is_over is asked at least this often, should a wake-up be lost on the way. */
#define LOOK_MS 500

const char dir_resolver_place[] = "/etc/resolv.conf";
const char dir_resolver_command[] = "dig SRV";

struct dir_resolver {
	ares_channel channel;                     /* the one in use */
	const struct dir_locate_options *options; /* borrowed, as is the next */
	const struct dir_locate_wait *wait;
	size_t pending;
};

/* @param more_flags  beside those that are always wanted. */
static int set_up(const struct dir_locate_options *options, int more_flags, ares_channel *channel_out)
{
	struct ares_options cares = {
	    .flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES | ARES_FLAG_EDNS | more_flags,
	    .timeout = DIR_LOCATE_TRY_MS,
	    .tries = DIR_LOCATE_TRIES,
	    .ednspsz = EDNS_BYTES,
	};
	/* (ares_library_init does nothing but count on POSIX systems, without a lock.) */
	int code = ares_init_options(channel_out, &cares,
				     ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_EDNSPSZ);

	if (code != ARES_SUCCESS)
		return code;
	if (options != NULL && options->resolvers != NULL)
		code = ares_set_servers_ports_csv(*channel_out, options->resolvers);
	if (code != ARES_SUCCESS)
		ares_destroy(*channel_out);
	return code;
}

enum status dir_resolver_open(const struct dir_locate_options *options, const struct dir_locate_wait *wait,
			      struct dir_resolver **resolver_out, struct error *error)
{
	struct dir_resolver *resolver = memory_new(sizeof(*resolver));
	int code;

	if (resolver == NULL)
		return error_no_memory(error);
	resolver->options = options;
	resolver->wait = wait;
	code = set_up(options, 0, &resolver->channel);
	if (code != ARES_SUCCESS) {
		memory_free(resolver);
		if (code == ARES_ENOMEM)
			return error_no_memory(error);
		return error_set(error, STATUS_INVALID, "DNS cannot be asked: %s", ares_strerror(code));
	}
	*resolver_out = resolver;
	return STATUS_OK;
}

void dir_resolver_close(struct dir_resolver **reference)
{
	struct dir_resolver *resolver = *reference;

	*reference = NULL;
	if (resolver == NULL)
		return;
	ares_destroy(resolver->channel);
	memory_free(resolver);
}

/* Waiting */

struct sockets {
	struct pollfd polled[ARES_GETSOCK_MAXNUM + 1]; /* and whoever ends the wait */
	nfds_t count;
};

static void collect(const struct dir_resolver *resolver, struct sockets *sockets)
{
	ares_socket_t found[ARES_GETSOCK_MAXNUM];
	const unsigned wanted = (unsigned)ares_getsock(resolver->channel, found, ARES_GETSOCK_MAXNUM);

	memset(sockets, 0, sizeof(*sockets));
	/* (The macros ARES_GETSOCK_... of 1.18 shift a 1 into the sign.) */
	for (unsigned i = 0; i < ARES_GETSOCK_MAXNUM; i++) {
		const bool reads = (wanted >> i & 1) != 0;
		const bool writes = (wanted >> (i + ARES_GETSOCK_MAXNUM) & 1) != 0;

		if (!reads && !writes)
			continue;
		sockets->polled[sockets->count].fd = found[i];
		sockets->polled[sockets->count].events = (short)((reads ? POLLIN : 0) | (writes ? POLLOUT : 0));
		sockets->count++;
	}
	sockets->polled[sockets->count].fd = resolver->wait->wake->fds[0];
	sockets->polled[sockets->count].events = POLLIN;
}

/* Until c-ares wants to be called, in milliseconds; never more than `most`. */
static int patience(const struct dir_resolver *resolver, uint64_t most_ms)
{
	struct timeval most = {.tv_sec = (time_t)(most_ms / 1000), .tv_usec = (suseconds_t)(most_ms % 1000) * 1000};
	struct timeval next;
	const struct timeval *until = ares_timeout(resolver->channel, &most, &next);

	/* Rounded up: a moment too early would be a turn for nothing. */
	return (int)(until->tv_sec * 1000 + (until->tv_usec + 999) / 1000);
}

static void process(const struct dir_resolver *resolver, const struct sockets *sockets)
{
	for (nfds_t i = 0; i < sockets->count; i++) {
		const short events = sockets->polled[i].revents;
		const ares_socket_t fd = sockets->polled[i].fd;

		if (events != 0)
			ares_process_fd(resolver->channel, (events & ~POLLOUT) != 0 ? fd : ARES_SOCKET_BAD,
					(events & (POLLOUT | POLLERR)) != 0 ? fd : ARES_SOCKET_BAD);
	}
	ares_process_fd(resolver->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

static bool is_over(const struct dir_resolver *resolver)
{
	return resolver->wait->is_over(resolver->wait->context);
}

/* Until every question has been answered; what has not at the deadline is given up. */
static void run(struct dir_resolver *resolver, uint64_t deadline_ms)
{
	struct sockets sockets;

	while (resolver->pending > 0 && !is_over(resolver)) {
		const uint64_t now_ms = clock_monotonic_ms();

		if (now_ms >= deadline_ms)
			break;
		collect(resolver, &sockets);
		if (poll(sockets.polled, sockets.count + 1,
			 patience(resolver, deadline_ms - now_ms < LOOK_MS ? deadline_ms - now_ms : LOOK_MS)) < 0 &&
		    errno != EINTR)
			break;
		if (sockets.polled[sockets.count].revents != 0) /* taken, so that it does not wake us again and again */
			dir_wake_wait(resolver->wait->wake, -1, 0);
		process(resolver, &sockets);
	}
	if (resolver->pending > 0)
		ares_cancel(resolver->channel);
}

/* SRV */

struct outcome {
	int code;
	enum status status;
	const char *said;
};

static const struct outcome outcomes[] = {
    {ARES_SUCCESS, STATUS_OK, "an answer"},
    {ARES_ENODATA, STATUS_NOT_FOUND, "no such record"},
    {ARES_ENOTFOUND, STATUS_NOT_FOUND, "no such name"},
    {ARES_ECONNREFUSED, STATUS_UNREACHABLE, "no DNS server could be asked"},
    {ARES_ETIMEOUT, STATUS_TIMEOUT, "no answer in time"},
    {ARES_ECANCELLED, STATUS_TIMEOUT, "no answer in time"},
    {ARES_ESERVFAIL, STATUS_REFUSED, "SERVFAIL"},
    {ARES_EREFUSED, STATUS_REFUSED, "REFUSED"},
    {ARES_ENOTIMP, STATUS_REFUSED, "NOTIMP"},
    {ARES_EFORMERR, STATUS_REFUSED, "FORMERR"},
    {ARES_ENOMEM, STATUS_NO_MEMORY, "no memory"},
};

static const char bad_answer[] = "an answer that is not well-formed";

static void srv_is_there(void *argument, int code, int timeouts, unsigned char *message, int length)
{
	struct dir_resolver_srv *question = argument;

	(void)timeouts;
	question->resolver->pending--;
	question->status = STATUS_INVALID;
	question->said = bad_answer;
	for (size_t i = 0; i < COUNT_OF(outcomes); i++) {
		if (outcomes[i].code == code) {
			question->status = outcomes[i].status;
			question->said = outcomes[i].said;
		}
	}
	/* Truncated even by TCP: "no record" is what is missing of it. */
	if (question->status == STATUS_NOT_FOUND && message != NULL && length >= FLAGS_END &&
	    (dir_dns_u16(message + 2) & FLAG_IS_TRUNCATED) != 0) {
		question->status = STATUS_INVALID;
		question->said = bad_answer;
	}
	if (code != ARES_SUCCESS)
		return;
	question->status = dir_srv_parse(message, (size_t)length, &question->list);
	if (question->status == STATUS_INVALID)
		question->said = bad_answer;
	else if (question->status == STATUS_OK && question->list.is_denied && question->list.count == 0)
		question->said = "the record '.', which says that there is no such service";
	else if (question->status == STATUS_OK && question->list.count == 0)
		question->said = question->list.strange > 0 ? "records without a usable host" : "no such record";
	if (question->status == STATUS_OK && question->list.count == 0)
		question->status = STATUS_NOT_FOUND;
	if (question->status != STATUS_OK)
		dir_srv_list_done(&question->list);
}

static void ask(struct dir_resolver *resolver, struct dir_resolver_srv *question)
{
	question->resolver = resolver;
	resolver->pending++;
	ares_query(resolver->channel, question->name, CLASS_IN, TYPE_SRV, srv_is_there, question);
}

/*
 * c-ares (1.18) goes on to the next server when one answers with a failure, as it should, and when none is left it says that it could connect to none. So
 * what seems to be that is asked once more in a way that shows the failure: SERVFAIL tells of the domain's servers, a refused connection of ours.
 */
static void ask_bluntly(struct dir_resolver *resolver, struct dir_resolver_srv *questions, size_t count,
			uint64_t deadline_ms)
{
	ares_channel usual = resolver->channel;

	if (set_up(resolver->options, ARES_FLAG_NOCHECKRESP, &resolver->channel) != ARES_SUCCESS) {
		resolver->channel = usual;
		return;
	}
	for (size_t i = 0; i < count; i++)
		if (questions[i].status == STATUS_UNREACHABLE)
			ask(resolver, &questions[i]);
	run(resolver, deadline_ms);
	ares_destroy(resolver->channel);
	resolver->channel = usual;
}

void dir_resolver_ask_srv(struct dir_resolver *resolver, struct dir_resolver_srv *questions, size_t count,
			  uint64_t deadline_ms)
{
	bool is_any_unreachable = false;

	for (size_t i = 0; i < count; i++)
		ask(resolver, &questions[i]);
	run(resolver, deadline_ms);
	for (size_t i = 0; i < count; i++)
		is_any_unreachable = is_any_unreachable || questions[i].status == STATUS_UNREACHABLE;
	if (is_any_unreachable)
		ask_bluntly(resolver, questions, count, deadline_ms);
}

/* Hosts */

static void host_is_there(void *argument, int code, int timeouts, struct ares_addrinfo *found)
{
	struct dir_resolver_host *host = argument;

	(void)timeouts;
	host->resolver->pending--;
	if (code != ARES_SUCCESS)
		return;
	if (found->nodes != NULL && (size_t)found->nodes->ai_addrlen <= sizeof(host->address)) {
		memcpy(&host->address, found->nodes->ai_addr, (size_t)found->nodes->ai_addrlen);
		host->length = found->nodes->ai_addrlen;
	}
	ares_freeaddrinfo(found);
}

static void set_port(struct dir_resolver_host *host)
{
	/* Both have the port at the same place, but say so, each for itself. */
	if (host->length > 0 && host->address.ss_family == AF_INET6)
		((struct sockaddr_in6 *)(void *)&host->address)->sin6_port = htons(host->port);
	else if (host->length > 0)
		((struct sockaddr_in *)(void *)&host->address)->sin_port = htons(host->port);
}

void dir_resolver_ask_hosts(struct dir_resolver *resolver, struct dir_resolver_host *hosts, size_t count,
			    uint64_t deadline_ms)
{
	const struct ares_addrinfo_hints hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM};

	resolver->pending = count;
	for (size_t i = 0; i < count; i++) {
		hosts[i].resolver = resolver;
		ares_getaddrinfo(resolver->channel, hosts[i].name, NULL, &hints, host_is_there, &hosts[i]);
	}
	run(resolver, deadline_ms);
	for (size_t i = 0; i < count; i++)
		set_port(&hosts[i]);
}
