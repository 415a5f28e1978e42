/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DNS through Windows' own resolver. It knows no deadline (its own patience is 10 s and more), so each question is asked aside
 * (dir_aside.h), one after another: answers of a healthy server take milliseconds.
 */
#include <directory/dir_locate_resolver.h>

#include <base/memory.h>
#include <base/utf.h>
#include <directory/dir_aside.h>
#include <os/clock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <windows.h>

#include <windns.h>

#define VERSION_2_2 0x0202

const char dir_resolver_place[] = "the settings of its network adapters";
const char dir_resolver_command[] = "nslookup -type=SRV";

struct dir_resolver {
	const struct dir_locate_wait *wait; /* borrowed */
	DWORD server;                       /* IPv4, in network order; 0: the system's */
};

/* "127.0.0.1": a test's name server. It must be an address of IPv4 with DNS's own port; more cannot be said here. */
static enum status take_server(const struct dir_locate_options *options, struct dir_resolver *resolver,
			       struct error *error)
{
	struct in_addr address;

	if (options == NULL || options->resolvers == NULL)
		return STATUS_OK;
	if (inet_pton(AF_INET, options->resolvers, &address) != 1)
		return error_set(error, STATUS_INVALID, "DNS cannot be asked: '%s' is no address of IPv4",
				 options->resolvers);
	resolver->server = address.s_addr;
	return STATUS_OK;
}

enum status dir_resolver_open(const struct dir_locate_options *options, const struct dir_locate_wait *wait,
			      struct dir_resolver **resolver_out, struct error *error)
{
	struct dir_resolver *resolver = memory_new(sizeof(*resolver));
	enum status status;

	if (resolver == NULL)
		return error_no_memory(error);
	resolver->wait = wait;
	status = take_server(options, resolver, error);
	if (status == STATUS_OK)
		*resolver_out = resolver;
	else
		memory_free(resolver);
	return status;
}

void dir_resolver_close(struct dir_resolver **resolver)
{
	memory_free(*resolver);
	*resolver = NULL;
}

/* Asking, aside */

/* A question under way; it owns all that it holds. */
struct job {
	uint16_t *name;
	DWORD server;
	DNS_STATUS outcome;
	DNS_RECORD *records;
	/* for hosts */
	char *host;
	uint16_t port;
	struct sockaddr_storage address;
	int length;
};

static void free_job(void *context)
{
	struct job *job = context;

	if (job->records != NULL)
		DnsRecordListFree(job->records, DnsFreeRecordList);
	memory_free(job->name);
	memory_free(job->host);
	memory_free(job);
}

static void ask_srv(void *context)
{
	struct job *job = context;
	IP4_ARRAY servers = {.AddrCount = 1, .AddrArray = {job->server}};

	job->outcome = DnsQuery_W(job->name, DNS_TYPE_SRV,
				  DNS_QUERY_TREAT_AS_FQDN | (job->server != 0 ? DNS_QUERY_BYPASS_CACHE : 0),
				  job->server != 0 ? &servers : NULL, &job->records, NULL);
}

static void ask_host(void *context)
{
	const struct addrinfo wanted = {.ai_socktype = SOCK_DGRAM};
	struct job *job = context;
	struct addrinfo *found = NULL;
	char service[sizeof("65535")];
	WSADATA data;

	if (WSAStartup(VERSION_2_2, &data) != 0)
		return;
	(void)snprintf(service, sizeof(service), "%u", (unsigned)job->port);
	if (getaddrinfo(job->host, service, &wanted, &found) == 0) {
		if (found->ai_addrlen <= sizeof(job->address)) {
			memcpy(&job->address, found->ai_addr, found->ai_addrlen);
			job->length = (int)found->ai_addrlen;
		}
		freeaddrinfo(found);
	}
	(void)WSACleanup();
}

/* @return STATUS_OK: it has come back; else the job is gone. */
static enum status run(const struct dir_resolver *resolver, void (*ask)(void *job), struct job *job,
		       uint64_t deadline_ms)
{
	const struct dir_aside aside = {.run = ask,
					.inherit = free_job,
					.context = job,
					.is_over = resolver->wait->is_over,
					.over_context = resolver->wait->context};
	const enum status status = dir_aside_run(&aside, deadline_ms, NULL);

	if (status != STATUS_OK && status != STATUS_TIMEOUT)
		free_job(job);
	return status;
}

/* SRV */

struct outcome {
	DNS_STATUS code;
	enum status status;
	const char *said;
};

static const struct outcome outcomes[] = {
    {0, STATUS_OK, "an answer"},
    {DNS_INFO_NO_RECORDS, STATUS_NOT_FOUND, "no such record"},
    {DNS_ERROR_RCODE_NAME_ERROR, STATUS_NOT_FOUND, "no such name"},
    {DNS_ERROR_NO_DNS_SERVERS, STATUS_UNREACHABLE, "no DNS server could be asked"},
    {WSAECONNREFUSED, STATUS_UNREACHABLE, "no DNS server could be asked"},
    {ERROR_TIMEOUT, STATUS_TIMEOUT, "no answer in time"},
    {DNS_ERROR_RCODE_SERVER_FAILURE, STATUS_REFUSED, "SERVFAIL"},
    {DNS_ERROR_RCODE_REFUSED, STATUS_REFUSED, "REFUSED"},
    {DNS_ERROR_RCODE_NOT_IMPLEMENTED, STATUS_REFUSED, "NOTIMP"},
    {DNS_ERROR_RCODE_FORMAT_ERROR, STATUS_REFUSED, "FORMERR"},
    {ERROR_OUTOFMEMORY, STATUS_NO_MEMORY, "no memory"},
};

static const char bad_answer[] = "an answer that is not well-formed";

static enum status take_record(const DNS_RECORD *record, struct dir_srv_list *list)
{
	struct dir_srv srv = {.priority = record->Data.SRV.wPriority,
			      .weight = record->Data.SRV.wWeight,
			      .port = record->Data.SRV.wPort,
			      .ttl_s = record->dwTtl > INT32_MAX ? 0 : record->dwTtl};
	const uint16_t *target = (const uint16_t *)record->Data.SRV.pNameTarget;
	size_t count = wcslen(target);
	char utf8[3 * DIR_DNS_NAME_BYTES];
	size_t length = 0;

	/* The root, and a name's end, may be written with a dot. */
	if (count > 0 && target[count - 1] == L'.')
		count--;
	if (count >= DIR_DNS_NAME_BYTES || !utf16_to_utf8_into(target, count, utf8, &length) ||
	    length >= sizeof(srv.target)) {
		list->strange++;
		return STATUS_OK;
	}
	memcpy(srv.target, utf8, length);
	return dir_srv_add(list, &srv);
}

static enum status take_records(const DNS_RECORD *record, struct dir_srv_list *list)
{
	enum status status = STATUS_OK;

	for (; record != NULL && status == STATUS_OK; record = record->pNext)
		if (record->wType == DNS_TYPE_SRV && record->Flags.S.Section == DnsSectionAnswer &&
		    record->Data.SRV.pNameTarget != NULL)
			status = take_record(record, list);
	return status;
}

static void conclude(struct dir_resolver_srv *question, const struct job *job)
{
	question->status = STATUS_INVALID;
	question->said = bad_answer;
	for (size_t i = 0; i < COUNT_OF(outcomes); i++) {
		if (outcomes[i].code == job->outcome) {
			question->status = outcomes[i].status;
			question->said = outcomes[i].said;
		}
	}
	if (question->status == STATUS_OK)
		question->status = take_records(job->records, &question->list);
	if (question->status == STATUS_OK && question->list.count == 0) {
		question->status = STATUS_NOT_FOUND;
		question->said = "no such record";
		if (question->list.is_denied)
			question->said = "the record '.', which says that there is no such service";
		else if (question->list.strange > 0)
			question->said = "records without a usable host";
	}
	if (question->status != STATUS_OK)
		dir_srv_list_done(&question->list);
}

static void ask(const struct dir_resolver *resolver, struct dir_resolver_srv *question, uint64_t deadline_ms)
{
	struct job *job = memory_new(sizeof(*job));
	size_t count;

	question->status = STATUS_NO_MEMORY;
	question->said = "no memory";
	if (job == NULL)
		return;
	job->server = resolver->server;
	if (utf8_to_utf16(question->name, strlen(question->name), &job->name, &count) != 0) {
		free_job(job);
		return;
	}
	question->status = run(resolver, ask_srv, job, deadline_ms);
	question->said = question->status == STATUS_TIMEOUT ? "no answer in time" : "no thread to ask";
	if (question->status != STATUS_OK)
		return;
	conclude(question, job);
	free_job(job);
}

/* What is left of the time, shared by those that were not asked yet. */
static uint64_t share(uint64_t deadline_ms, size_t left)
{
	const uint64_t now_ms = clock_monotonic_ms();

	return now_ms < deadline_ms ? now_ms + (deadline_ms - now_ms) / left : now_ms;
}

void dir_resolver_ask_srv(struct dir_resolver *resolver, struct dir_resolver_srv *questions, size_t count,
			  uint64_t deadline_ms)
{
	for (size_t i = 0; i < count; i++)
		ask(resolver, &questions[i], share(deadline_ms, count - i));
}

/* Hosts */

static void ask_one_host(const struct dir_resolver *resolver, struct dir_resolver_host *host, uint64_t deadline_ms)
{
	struct job *job = memory_new(sizeof(*job));

	if (job == NULL)
		return;
	job->port = host->port;
	job->host = memory_copy_text(host->name);
	if (job->host == NULL) {
		free_job(job);
		return;
	}
	if (run(resolver, ask_host, job, deadline_ms) != STATUS_OK)
		return;
	memcpy(&host->address, &job->address, sizeof(host->address));
	host->length = (socklen_t)job->length;
	free_job(job);
}

void dir_resolver_ask_hosts(struct dir_resolver *resolver, struct dir_resolver_host *hosts, size_t count,
			    uint64_t deadline_ms)
{
	for (size_t i = 0; i < count; i++)
		ask_one_host(resolver, &hosts[i], share(deadline_ms, count - i));
}
