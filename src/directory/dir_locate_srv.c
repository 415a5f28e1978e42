/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_locate_srv.h>

#include <base/ascii.h>
#include <base/memory.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* RFC 1035 4.1.1, 4.1.2, 3.2.1. */
#define HEADER_BYTES        12
#define QUESTION_TAIL_BYTES 4
#define RECORD_FIXED_BYTES  10
#define FLAG_IS_ANSWER      0x8000
#define FLAG_IS_TRUNCATED   0x0200
#define CLASS_IN            1
/* RFC 2782. */
#define TYPE_SRV        33
#define SRV_FIXED_BYTES 6
/* RFC 2181 section 8: a TTL with the highest bit set counts as 0. */
#define TTL_IS_NONE 0x80000000U
/* "A very small chance of being selected" beside those that have a weight. */
#define WEIGHT_OF_WEIGHTLESS 0.001

struct reader {
	const uint8_t *message;
	size_t length, at;
};

static bool has(const struct reader *reader, size_t bytes)
{
	return reader->length - reader->at >= bytes;
}

/* Behind the header and the questions. */
static bool skip_questions(struct reader *reader, unsigned *answers_out)
{
	char name[DIR_DNS_NAME_BYTES];
	unsigned questions;
	unsigned flags;

	if (!has(reader, HEADER_BYTES))
		return false;
	/* Truncated even by TCP: what is missing must not pass for what is not there (RFC 2181 section 9). */
	flags = dir_dns_u16(reader->message + 2);
	if ((flags & FLAG_IS_ANSWER) == 0 || (flags & FLAG_IS_TRUNCATED) != 0)
		return false;
	questions = dir_dns_u16(reader->message + 4);
	*answers_out = dir_dns_u16(reader->message + 6);
	reader->at = HEADER_BYTES;
	for (; questions > 0; questions--) {
		if (!dir_dns_read_name(reader->message, reader->length, &reader->at, name) ||
		    !has(reader, QUESTION_TAIL_BYTES))
			return false;
		reader->at += QUESTION_TAIL_BYTES;
	}
	return true;
}

enum status dir_srv_add(struct dir_srv_list *list, const struct dir_srv *record)
{
	if (record->target[0] == '\0') {
		list->is_denied = true;
		return STATUS_OK;
	}
	if (record->port == 0 || !dir_dns_is_host(record->target)) {
		list->strange++;
		return STATUS_OK;
	}
	if (list->count >= DIR_SRV_MAX_RECORDS)
		return STATUS_LIMIT;
	if (!ARRAY_RESERVE(&list->records, &list->capacity, list->count + 1))
		return STATUS_NO_MEMORY;
	list->records[list->count++] = *record;
	return STATUS_OK;
}

/* The data of an SRV record, `end` being behind it. A name may point to before the data, never go beyond. */
static enum status take_srv(const struct reader *reader, size_t end, uint32_t ttl_s, struct dir_srv_list *list)
{
	const uint8_t *data = reader->message + reader->at;
	struct dir_srv record = {.ttl_s = ttl_s >= TTL_IS_NONE ? 0 : ttl_s};
	size_t at = reader->at + SRV_FIXED_BYTES;

	if (end - reader->at < SRV_FIXED_BYTES)
		return STATUS_INVALID;
	record.priority = dir_dns_u16(data);
	record.weight = dir_dns_u16(data + 2);
	record.port = dir_dns_u16(data + 4);
	if (!dir_dns_read_name(reader->message, end, &at, record.target) || at != end)
		return STATUS_INVALID;
	return dir_srv_add(list, &record);
}

static enum status take_record(struct reader *reader, struct dir_srv_list *list)
{
	enum status status = STATUS_OK;
	char owner[DIR_DNS_NAME_BYTES];
	const uint8_t *fixed;
	size_t size;

	if (!dir_dns_read_name(reader->message, reader->length, &reader->at, owner) || !has(reader, RECORD_FIXED_BYTES))
		return STATUS_INVALID;
	fixed = reader->message + reader->at;
	size = dir_dns_u16(fixed + 8);
	reader->at += RECORD_FIXED_BYTES;
	if (!has(reader, size))
		return STATUS_INVALID;
	if (dir_dns_u16(fixed) == TYPE_SRV && dir_dns_u16(fixed + 2) == CLASS_IN)
		status = take_srv(reader, reader->at + size, dir_dns_u32(fixed + 4), list);
	reader->at += size;
	return status;
}

enum status dir_srv_parse(const uint8_t *message, size_t length, struct dir_srv_list *list)
{
	struct reader reader = {.message = message, .length = length};
	enum status status = STATUS_OK;
	unsigned answers = 0;

	if (!skip_questions(&reader, &answers))
		return STATUS_INVALID;
	for (; answers > 0 && status == STATUS_OK; answers--)
		status = take_record(&reader, list);
	return status;
}

void dir_srv_list_done(struct dir_srv_list *list)
{
	memory_free(list->records);
	*list = (struct dir_srv_list){.records = NULL};
}

/*
 * The order of -ln(lot)/weight, the smallest first, is the order of RFC 2782's repeated drawing by weight: each is an exponential
 * time whose rate is the weight, and who of several is first has a chance in proportion to its rate.
 */
static double rank_of(const struct dir_srv *record, const struct dir_srv_lots *lots)
{
	const uint64_t drawn = lots->draw(lots->context, record->target, record->port);
	const double lot = ((double)(drawn >> 11) + 1.0) / 9007199254740993.0; /* in (0, 1): 53 bits */

	return -log(lot) / (record->weight > 0 ? (double)record->weight : WEIGHT_OF_WEIGHTLESS);
}

static int compare_names(const struct dir_srv *a, const struct dir_srv *b)
{
	const char *x = a->target;
	const char *y = b->target;

	while (*x != '\0' && ascii_lower(*x) == ascii_lower(*y)) {
		x++;
		y++;
	}
	if (*x != '\0' || *y != '\0')
		return (unsigned char)ascii_lower(*x) < (unsigned char)ascii_lower(*y) ? -1 : 1;
	return a->port < b->port ? -1 : a->port > b->port;
}

static int compare_ranks(const void *a, const void *b)
{
	const struct dir_srv *x = a;
	const struct dir_srv *y = b;

	if (x->priority != y->priority)
		return x->priority < y->priority ? -1 : 1;
	if (x->rank < y->rank || x->rank > y->rank)
		return x->rank < y->rank ? -1 : 1;
	return compare_names(x, y);
}

static int compare_servers(const void *a, const void *b)
{
	const int order = compare_names(a, b);

	return order != 0 ? order : compare_ranks(a, b);
}

void dir_srv_sort(struct dir_srv_list *list, const struct dir_srv_lots *lots)
{
	size_t kept = 0;

	if (list->count == 0)
		return;
	for (size_t i = 0; i < list->count; i++)
		list->records[i].rank = rank_of(&list->records[i], lots);
	qsort(list->records, list->count, sizeof(*list->records), compare_servers);
	for (size_t i = 0; i < list->count; i++)
		if (kept == 0 || compare_names(&list->records[kept - 1], &list->records[i]) != 0)
			list->records[kept++] = list->records[i];
	list->count = kept;
	qsort(list->records, list->count, sizeof(*list->records), compare_ranks);
}

static bool is_within_any(const char *target, const char *const *domains, size_t domain_count)
{
	for (size_t i = 0; i < domain_count; i++)
		if (dir_dns_is_within(target, domains[i]))
			return true;
	return false;
}

size_t dir_srv_keep_within(struct dir_srv_list *list, const char *const *domains, size_t domain_count)
{
	const size_t before = list->count;
	size_t kept = 0;

	for (size_t i = 0; i < before; i++)
		if (is_within_any(list->records[i].target, domains, domain_count))
			list->records[kept++] = list->records[i];
	list->count = kept;
	return before - kept;
}

uint32_t dir_srv_ttl(const struct dir_srv_list *list)
{
	uint32_t ttl_s = UINT32_MAX;

	for (size_t i = 0; i < list->count; i++)
		if (list->records[i].ttl_s < ttl_s)
			ttl_s = list->records[i].ttl_s;
	return ttl_s;
}

bool dir_srv_name(enum dir_srv_kind kind, const char *site, const char *domain, char out[DIR_DNS_NAME_BYTES])
{
	int length = -1;

	switch (kind) {
	case DIR_SRV_SITE:
		length = snprintf(out, DIR_DNS_NAME_BYTES, "_ldap._tcp.%s._sites.dc._msdcs.%s", site, domain);
		break;
	case DIR_SRV_CONTROLLERS:
		length = snprintf(out, DIR_DNS_NAME_BYTES, "_ldap._tcp.dc._msdcs.%s", domain);
		break;
	case DIR_SRV_PLAIN:
		length = snprintf(out, DIR_DNS_NAME_BYTES, "_ldap._tcp.%s", domain);
		break;
	case DIR_SRV_TLS:
		length = snprintf(out, DIR_DNS_NAME_BYTES, "_ldaps._tcp.%s", domain);
		break;
	}
	return length > 0 && length < DIR_DNS_NAME_BYTES;
}
