/* SPDX-License-Identifier: Apache-2.0 */
#include <support/dir_locate_fake.h>

#include <assert.h>
#include <base/memory.h>
#include <os/clock.h>
#include <os/thread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MAX_DOMAINS 4
#define MAX_SERVERS 8

struct fake_domain {
	char name[64];
	enum status status;
	bool hangs;
	uint32_t ttl_s;
	char uris[MAX_SERVERS][64];
	size_t count;
	char site[DIR_DNS_LABEL_BYTES], known_site[DIR_DNS_LABEL_BYTES];
	bool is_site_doubtful;
	unsigned asked;
};

static struct mutex lock; /* guards what follows */
static bool has_lock;
static struct fake_domain domains[MAX_DOMAINS];

static struct fake_domain *find(const char *name)
{
	size_t i = 0;

	while (i < MAX_DOMAINS && domains[i].name[0] != '\0' && strcmp(domains[i].name, name) != 0)
		i++;
	assert(i < MAX_DOMAINS);
	if (domains[i].name[0] == '\0') {
		(void)snprintf(domains[i].name, sizeof(domains[i].name), "%s", name);
		domains[i].status = STATUS_NOT_FOUND;
	}
	return &domains[i];
}

void dir_locate_fake_reset(void)
{
	if (!has_lock)
		mutex_init(&lock);
	has_lock = true;
	memset(domains, 0, sizeof(domains));
}

void dir_locate_fake_answer(const char *domain, uint32_t ttl_s, const char *first, ...)
{
	struct fake_domain *fake;
	va_list more;

	mutex_lock(&lock);
	fake = find(domain);
	fake->status = STATUS_OK;
	fake->hangs = false;
	fake->ttl_s = ttl_s;
	fake->count = 0;
	va_start(more, first);
	for (const char *uri = first; uri != NULL; uri = va_arg(more, const char *)) {
		assert(fake->count < MAX_SERVERS);
		(void)snprintf(fake->uris[fake->count++], sizeof(fake->uris[0]), "%s", uri);
	}
	va_end(more);
	mutex_unlock(&lock);
}

void dir_locate_fake_site(const char *domain, const char *site, bool is_doubtful)
{
	struct fake_domain *fake;

	mutex_lock(&lock);
	fake = find(domain);
	(void)snprintf(fake->site, sizeof(fake->site), "%s", site);
	fake->is_site_doubtful = is_doubtful;
	mutex_unlock(&lock);
}

void dir_locate_fake_fail(const char *domain, enum status status)
{
	struct fake_domain *fake;

	mutex_lock(&lock);
	fake = find(domain);
	fake->status = status;
	fake->hangs = false;
	mutex_unlock(&lock);
}

void dir_locate_fake_hang(const char *domain)
{
	mutex_lock(&lock);
	find(domain)->hangs = true;
	mutex_unlock(&lock);
}

unsigned dir_locate_fake_count(const char *domain)
{
	unsigned asked;

	mutex_lock(&lock);
	asked = find(domain)->asked;
	mutex_unlock(&lock);
	return asked;
}

const char *dir_locate_fake_known_site(const char *domain)
{
	return find(domain)->known_site;
}

static struct fake_domain ask(const struct dir_locate_query *query)
{
	struct fake_domain *fake;
	struct fake_domain copy;

	mutex_lock(&lock);
	fake = find(query->domain);
	fake->asked++;
	(void)snprintf(fake->known_site, sizeof(fake->known_site), "%s", query->known_site);
	copy = *fake;
	mutex_unlock(&lock);
	return copy;
}

enum status dir_locate_domain(const struct dir_locate_query *query, struct dir_located *located, struct error *error)
{
	const struct fake_domain fake = ask(query);

	while (fake.hangs && !query->wait->is_over(query->wait->context))
		dir_wake_wait(query->wait->wake, -1, UINT64_MAX);
	if (fake.hangs)
		return error_set(error, STATUS_CANCELLED, "given up");
	if (fake.status != STATUS_OK)
		return error_set(error, fake.status, "the test says that '%s' has none", query->domain);
	for (; located->count < fake.count; located->count++) {
		located->uris[located->count] = memory_copy_text(fake.uris[located->count]);
		if (located->uris[located->count] == NULL) {
			dir_located_done(located);
			return error_no_memory(error);
		}
	}
	located->found = fake.count;
	located->ttl_s = fake.ttl_s;
	located->is_site_doubtful = fake.is_site_doubtful;
	memcpy(located->site, fake.site, sizeof(located->site));
	return STATUS_OK;
}

void dir_located_done(struct dir_located *located)
{
	for (size_t i = 0; i < located->count; i++)
		memory_free(located->uris[i]);
	*located = (struct dir_located){.count = 0};
}
