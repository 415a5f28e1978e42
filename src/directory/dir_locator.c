/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_locator.h>

#include <base/ascii.h>
#include <base/digest.h>
#include <base/memory.h>
#include <directory/dir_wake.h>
#include <os/clock.h>
#include <os/random.h>
#include <os/thread.h>
#include <stdio.h>
#include <string.h>

/* One URI of the policy, and what it stands for. */
struct source {
	const char *uri, *domain;  /* borrowed; domain NULL: it is a server */
	struct dir_servers *found; /* a reference; NULL: none yet */
	bool is_host;              /* `found` is the host of the URI, for want of anything better */
	char site[DIR_DNS_LABEL_BYTES];
	uint64_t told_ms; /* when a failure was last told; 0: none since the last success */
};

struct dir_locator {
	const struct config_directory *directory; /* borrowed */
	const struct log *log;                    /* borrowed */
	struct dir_locator_tuning tuning;
	struct digest_key lots;
	struct dir_wake wake; /* is_stopping or is_hurried was set */
	struct thread thread;

	struct mutex lock; /* guards: what follows, up to the thread's own */
	struct condition told;
	bool is_stopping, is_hurried, is_telling, has_failed;
	struct dir_servers *servers; /* a reference */
	struct error failure;        /* the last one; STATUS_OK: none */
	struct dir_locator_listener *listeners;

	/* the thread's own */
	struct source sources[CONFIG_MAX_URIS];
	size_t source_count;
	unsigned failures; /* passes in a row */
};

bool dir_locator_is_needed(const struct config_directory *directory)
{
	for (size_t i = 0; i < directory->uri_count; i++)
		if (directory->uri_domains != NULL && directory->uri_domains[i] != NULL)
			return true;
	return false;
}

static bool is_stopping(void *context)
{
	struct dir_locator *locator = context;
	bool stopping;

	mutex_lock(&locator->lock);
	stopping = locator->is_stopping;
	mutex_unlock(&locator->lock);
	return stopping;
}

/* One URI */

static uint64_t draw(const void *context, const char *target, uint16_t port)
{
	char name[DIR_DNS_NAME_BYTES + 8];
	const int length = snprintf(name, sizeof(name), "%s:%u", target, port);

	for (char *at = name; *at != '\0'; at++)
		*at = ascii_lower(*at);
	return digest_of(context, name, (size_t)length).high;
}

static void log_found(const struct dir_locator *locator, const struct source *source, const struct dir_located *located)
{
	char list[512] = "";
	size_t used = 0;

	for (size_t i = 0; i < located->count && used < sizeof(list); i++)
		used +=
		    (size_t)snprintf(list + used, sizeof(list) - used, "%s'%s'", i > 0 ? ", " : "", located->uris[i]);
	if (used >= sizeof(list))
		memcpy(list + sizeof(list) - sizeof("..."), "...", sizeof("..."));
	log_info(locator->log, "DNS names %zu servers of the domain '%s'%s%s%s: %s", located->count, source->domain,
		 source->site[0] != '\0' ? ", those of the site '" : "", source->site,
		 source->site[0] != '\0' ? "' first" : "", list);
	if (located->found > located->count)
		log_warning(locator->log, "DNS names %zu servers of the domain '%s': only %zu of them are used",
			    located->found, source->domain, located->count);
	if (located->foreign > 0)
		log_warning(
		    locator->log,
		    "DNS names %zu servers of the domain '%s' that are not within it, as '%s': they are not used; "
		    "DNS is not secured, so name them in directory/@uri if they are right",
		    located->foreign, source->domain, located->a_foreign);
}

static enum status take_found(const struct dir_locator *locator, struct source *source,
			      const struct dir_located *located)
{
	struct dir_servers *found = dir_servers_new((const char *const *)located->uris, located->count);
	bool is_news;

	if (found == NULL)
		return STATUS_NO_MEMORY;
	is_news = source->told_ms != 0 || source->is_host || !dir_servers_is_same(found, source->found) ||
		  strcmp(source->site, located->site) != 0;
	dir_servers_unref(&source->found);
	source->found = found;
	source->is_host = false;
	source->told_ms = 0;
	memcpy(source->site, located->site, sizeof(source->site));
	if (is_news)
		log_found(locator, source, located);
	return STATUS_OK;
}

/* Whether the host of the URI may stand in; a URI without one has none. */
static bool may_be_host(const struct source *source, enum status why)
{
	return source->found == NULL && (why == STATUS_NOT_FOUND || why == STATUS_UNREACHABLE) &&
	       strstr(source->uri, ":///") == NULL;
}

static void take_failure(struct dir_locator *locator, struct source *source, enum status why, const struct error *error)
{
	const uint64_t now_ms = clock_monotonic_ms();

	if (may_be_host(source, why)) {
		source->found = dir_servers_new(&source->uri, 1);
		source->is_host = source->found != NULL;
	}
	mutex_lock(&locator->lock);
	locator->failure = *error;
	mutex_unlock(&locator->lock);
	if (why == STATUS_CANCELLED || (source->told_ms != 0 && now_ms < source->told_ms + DIR_LOCATOR_TELL_MS))
		return;
	source->told_ms = now_ms;
	if (source->is_host)
		log_failure(locator->log, LOG_LEVEL_WARNING, "the domain's name is taken for the server's", error);
	else if (source->found != NULL)
		log_failure(locator->log, LOG_LEVEL_WARNING, "keeping the servers that were found before", error);
	else
		log_failure(locator->log, LOG_LEVEL_WARNING, "the directory's servers cannot be found, trying again",
			    error);
}

static uint64_t refresh_of(const struct dir_locator *locator, const struct dir_located *located)
{
	uint64_t refresh_ms = (uint64_t)located->ttl_s * 1000;

	if (refresh_ms > locator->tuning.refresh_most_ms)
		refresh_ms = locator->tuning.refresh_most_ms;
	return refresh_ms < locator->tuning.refresh_least_ms || located->is_site_doubtful
		   ? locator->tuning.refresh_least_ms
		   : refresh_ms;
}

/* @param refresh_ms_out  on success: when it is to be found again. */
static enum status locate(struct dir_locator *locator, struct source *source, uint64_t *refresh_ms_out)
{
	const struct dir_locate_wait wait = {&locator->wake, is_stopping, locator};
	const struct dir_srv_lots lots = {draw, &locator->lots};
	const struct dir_locate_query query = {
	    .domain = source->domain,
	    .site = locator->directory->site,
	    .known_site = source->site,
	    .is_tls = locator->directory->tls == CONFIG_TLS_LDAPS,
	    .within = locator->directory->domains,
	    .within_count = locator->directory->domain_count,
	    .lots = &lots,
	    .options = &locator->tuning.options,
	    .wait = &wait,
	};
	struct dir_located located = {.count = 0};
	struct error error = {.status = STATUS_OK};
	enum status status = dir_locate_domain(&query, &located, &error);

	if (status == STATUS_OK) {
		*refresh_ms_out = refresh_of(locator, &located);
		status = take_found(locator, source, &located);
		dir_located_done(&located);
		if (status != STATUS_OK)
			(void)error_no_memory(&error);
	}
	if (status != STATUS_OK)
		take_failure(locator, source, status, &error);
	return status;
}

/* A pass: all of them */

/* The lists, one behind the other. NULL: no memory. */
static struct dir_servers *join(const struct dir_locator *locator)
{
	const char **uris = memory_new_array((size_t)CONFIG_MAX_URIS * DIR_SERVERS_MAX, sizeof(*uris));
	struct dir_servers *servers;
	size_t count = 0;

	if (uris == NULL)
		return NULL;
	for (size_t i = 0; i < locator->source_count; i++) {
		const struct source *source = &locator->sources[i];

		if (source->domain == NULL)
			uris[count++] = source->uri;
		for (size_t j = 0; source->found != NULL && j < dir_servers_count(source->found); j++)
			uris[count++] = dir_servers_uri(source->found, j);
	}
	servers = dir_servers_new(uris, count);
	memory_free(uris);
	return servers;
}

/* An empty list is none. */
static bool publish(struct dir_locator *locator)
{
	struct dir_servers *servers = join(locator);
	const bool has_memory = servers != NULL;

	if (servers != NULL && dir_servers_count(servers) == 0)
		dir_servers_unref(&servers);
	mutex_lock(&locator->lock);
	if (servers != NULL && !dir_servers_is_same(servers, locator->servers)) {
		struct dir_servers *before = locator->servers;

		locator->servers = servers;
		servers = before;
	}
	locator->has_failed = locator->servers == NULL;
	mutex_unlock(&locator->lock);
	dir_servers_unref(&servers);
	return has_memory;
}

static void tell(struct dir_locator *locator)
{
	struct dir_locator_listener *listener;

	mutex_lock(&locator->lock);
	locator->is_telling = true;
	for (listener = locator->listeners; listener != NULL; listener = listener->next) {
		mutex_unlock(&locator->lock);
		listener->passed(listener->context);
		mutex_lock(&locator->lock);
	}
	locator->is_telling = false;
	condition_broadcast(&locator->told);
	mutex_unlock(&locator->lock);
}

/* Hosts that began together do not stay together. */
static uint64_t with_jitter(uint64_t ms)
{
	return ms - random_below((uint32_t)(ms / 4) + 1);
}

static uint64_t step_of(const struct dir_locator *locator)
{
	uint64_t step_ms = locator->tuning.backoff_first_ms;

	for (unsigned i = 1; i < locator->failures && step_ms < locator->tuning.backoff_last_ms; i++)
		step_ms *= 2;
	return step_ms < locator->tuning.backoff_last_ms ? step_ms : locator->tuning.backoff_last_ms;
}

/* @return how long it is good for. */
static uint64_t pass(struct dir_locator *locator)
{
	uint64_t refresh_ms = locator->tuning.refresh_most_ms;
	bool is_good = true;

	for (size_t i = 0; i < locator->source_count && !is_stopping(locator); i++) {
		struct source *source = &locator->sources[i];
		uint64_t own_ms = refresh_ms;

		if (source->domain != NULL && locate(locator, source, &own_ms) != STATUS_OK)
			is_good = false;
		if (own_ms < refresh_ms)
			refresh_ms = own_ms;
	}
	if (is_stopping(locator))
		return 0;
	is_good = publish(locator) && is_good;
	tell(locator);
	locator->failures = is_good ? 0 : locator->failures + 1;
	return with_jitter(is_good ? refresh_ms : step_of(locator));
}

/* Sleep, unless something is the matter. */
static void rest(struct dir_locator *locator, uint64_t until_ms, uint64_t hurried_ms)
{
	for (;;) {
		uint64_t now_ms;
		bool is_over;
		bool is_hurried;

		mutex_lock(&locator->lock);
		now_ms = clock_monotonic_ms();
		is_hurried = locator->is_hurried;
		is_over = locator->is_stopping || now_ms >= until_ms || (is_hurried && now_ms >= hurried_ms);
		if (is_over)
			locator->is_hurried = false;
		mutex_unlock(&locator->lock);
		if (is_over)
			return;
		dir_wake_wait(&locator->wake, -1, is_hurried && hurried_ms < until_ms ? hurried_ms : until_ms);
	}
}

static void run(void *context)
{
	struct dir_locator *locator = context;

	while (!is_stopping(locator)) {
		const uint64_t good_ms = pass(locator);
		const uint64_t now_ms = clock_monotonic_ms();

		rest(locator, now_ms + good_ms, now_ms + locator->tuning.hurry_ms);
	}
}

/* Life */

static void fill_sources(struct dir_locator *locator)
{
	const struct config_directory *directory = locator->directory;

	for (size_t i = 0; i < directory->uri_count && i < CONFIG_MAX_URIS; i++) {
		locator->sources[i].uri = directory->uris[i];
		locator->sources[i].domain = directory->uri_domains[i];
		locator->source_count++;
	}
}

static void free_locator(struct dir_locator *locator)
{
	for (size_t i = 0; i < locator->source_count; i++)
		dir_servers_unref(&locator->sources[i].found);
	dir_servers_unref(&locator->servers);
	condition_done(&locator->told);
	mutex_done(&locator->lock);
	dir_wake_done(&locator->wake);
	memory_free(locator);
}

enum status dir_locator_open(const struct config_directory *directory, const struct log *log,
			     const struct dir_locator_tuning *tuning, struct dir_locator **locator_out,
			     struct error *error)
{
	struct dir_locator *locator = memory_new(sizeof(*locator));
	enum status status;

	if (locator == NULL)
		return error_no_memory(error);
	locator->directory = directory;
	locator->log = log;
	locator->tuning = *tuning;
	if ((status = random_fill(&locator->lots, sizeof(locator->lots), error)) != STATUS_OK ||
	    (status = dir_wake_init(&locator->wake, error)) != STATUS_OK) {
		memory_free(locator);
		return status;
	}
	mutex_init(&locator->lock);
	condition_init(&locator->told);
	fill_sources(locator);
	status = thread_start(&locator->thread, "wa-dir-locate", run, locator, error);
	if (status == STATUS_OK)
		*locator_out = locator;
	else
		free_locator(locator);
	return status;
}

void dir_locator_stop(struct dir_locator *locator)
{
	mutex_lock(&locator->lock);
	locator->is_stopping = true;
	mutex_unlock(&locator->lock);
	dir_wake_up(&locator->wake);
	thread_join(&locator->thread);
}

void dir_locator_close(struct dir_locator **reference)
{
	struct dir_locator *locator = *reference;

	*reference = NULL;
	if (locator == NULL)
		return;
	dir_locator_stop(locator);
	free_locator(locator);
}

struct dir_servers *dir_locator_servers(struct dir_locator *locator, bool *has_failed_out)
{
	struct dir_servers *servers;

	mutex_lock(&locator->lock);
	servers = locator->servers != NULL ? dir_servers_ref(locator->servers) : NULL;
	*has_failed_out = locator->has_failed;
	mutex_unlock(&locator->lock);
	return servers;
}

void dir_locator_failure(struct dir_locator *locator, struct error *error_out)
{
	mutex_lock(&locator->lock);
	if (locator->failure.status != STATUS_OK)
		*error_out = locator->failure;
	mutex_unlock(&locator->lock);
}

void dir_locator_hurry(struct dir_locator *locator)
{
	mutex_lock(&locator->lock);
	locator->is_hurried = true;
	mutex_unlock(&locator->lock);
	dir_wake_up(&locator->wake);
}

void dir_locator_listen(struct dir_locator *locator, struct dir_locator_listener *listener)
{
	mutex_lock(&locator->lock);
	listener->next = locator->listeners;
	locator->listeners = listener;
	mutex_unlock(&locator->lock);
}

void dir_locator_unlisten(struct dir_locator *locator, struct dir_locator_listener *listener)
{
	struct dir_locator_listener **link = &locator->listeners;

	mutex_lock(&locator->lock);
	while (locator->is_telling)
		condition_wait(&locator->told, &locator->lock);
	while (*link != NULL && *link != listener)
		link = &(*link)->next;
	if (*link != NULL)
		*link = listener->next;
	mutex_unlock(&locator->lock);
}
