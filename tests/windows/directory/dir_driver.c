/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection to a directory, driven by lines of standard input; each is answered by one line or, where several are said to come, by those.
 *
 *	dir_driver URI
 *
 *	open MS                                   OPEN ok <address> | OPEN <status> <step> <milliseconds> <words>
 *	search MS SCOPE BASE|FILTER|ATTRIBUTES|SIZE|PAGE|FLAGS
 *	                                          SEARCH <outcome> <code> <entries> <pages> <status of the turn> <milliseconds>
 *	show                                      the entries of the last search: ENTRY <dn>, ATTRIBUTE <name> <values>, VALUE <hexadecimal>...; END
 *	batch MS COUNT BASE                       COUNT searches for (uid=userNNNN) in one turn: BATCH <ok> <entries> <status> <milliseconds>
 *	ping MS                                   PING <status> <synchronized>
 *	close                                     CLOSED <milliseconds>
 *	sleep MS                                  SLEPT
 *	memory MS BASE                            opens, searches and closes again and again, and the first, second, ... allocation fails: MEMORY <allocations> ok |
 *	                                          MEMORY <which> <words>
 *
 * The environment: DRIVER_BIND (anonymous, simple, negotiate, or a mechanism), DRIVER_DN, DRIVER_SECRET, DRIVER_TLS (none, starttls, ldaps),
 * DRIVER_CA_FILE, DRIVER_CRL_FILE, DRIVER_TLS_MINIMUM.
 */
#include <directory/dir_conn.h>
#include <directory/dir_steps.h>
#include <os/clock.h>
#include <os/secret.h>
#include <os/thread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support/memory_failing.h>

#define MAX_BATCH       256
#define MAX_ALLOCATIONS 2000

struct driver {
	struct config_directory directory;
	const char *uri;
	struct dir_conn *conn;
	struct dir_search last; /* of "search" */
};

static const char *text_or(const char *text, const char *otherwise)
{
	return text != NULL ? text : otherwise;
}

static enum config_tls tls_of(const char *word)
{
	if (strcmp(word, "starttls") == 0)
		return CONFIG_TLS_STARTTLS;
	return strcmp(word, "ldaps") == 0 ? CONFIG_TLS_LDAPS : CONFIG_TLS_NONE;
}

static enum config_bind bind_of(const char *word)
{
	if (strcmp(word, "simple") == 0)
		return CONFIG_BIND_SIMPLE;
	return strcmp(word, "anonymous") == 0 ? CONFIG_BIND_ANONYMOUS : CONFIG_BIND_SASL;
}

static struct config_directory directory_of_environment(const char **uri)
{
	const char *bind = text_or(getenv("DRIVER_BIND"), "anonymous");
	const char *secret = getenv("DRIVER_SECRET");

	return (struct config_directory){
	    .uris = uri,
	    .uri_count = 1,
	    .bind = bind_of(bind),
	    .bind_mechanism = bind_of(bind) == CONFIG_BIND_SASL ? bind : NULL,
	    .bind_dn = getenv("DRIVER_DN"),
	    .bind_secret = secret != NULL ? secret_new(secret, strlen(secret)) : NULL,
	    .tls = tls_of(text_or(getenv("DRIVER_TLS"), "none")),
	    .tls_ca_file = getenv("DRIVER_CA_FILE"),
	    .tls_crl_file = getenv("DRIVER_CRL_FILE"),
	    .tls_minimum = atoi(text_or(getenv("DRIVER_TLS_MINIMUM"), "12")),
	};
}

static unsigned long long since(uint64_t began_ms)
{
	return (unsigned long long)(clock_monotonic_ms() - began_ms);
}

static void run_open(struct driver *driver, const char *rest)
{
	const uint64_t began_ms = clock_monotonic_ms();
	struct dir_steps steps;
	struct error error = {0};
	enum status status;

	dir_conn_close(&driver->conn);
	status = dir_steps_open(&driver->directory, driver->uri, began_ms + strtoull(rest, NULL, 10), &steps,
				&driver->conn, &error);
	if (status == STATUS_OK)
		printf("OPEN ok %s %llu %s\n", steps.address, since(began_ms), steps.tls_version);
	else
		printf("OPEN %s %d %llu %s [%s]\n", status_word(status), (int)steps.reached, since(began_ms),
		       error.what, error.hint);
}

/* The next part of a line that '|' parts. */
static char *part(char **rest)
{
	char *begin = *rest;
	char *end = begin + strcspn(begin, "|");

	*rest = *end == '|' ? end + 1 : end;
	*end = '\0';
	return begin;
}

static void split_names(char *text, const char *names[DIR_SEARCH_MAX_ATTRIBUTES + 1])
{
	size_t count = 0;

	for (char *name = strtok(text, ","); name != NULL && count < DIR_SEARCH_MAX_ATTRIBUTES;
	     name = strtok(NULL, ","))
		names[count++] = name;
	names[count] = NULL;
}

static void run_search(struct driver *driver, char *rest)
{
	const uint64_t began_ms = clock_monotonic_ms();
	const char *names[DIR_SEARCH_MAX_ATTRIBUTES + 1];
	struct dir_turn turn = {.search = &driver->last, .deadline_ms = began_ms + strtoull(rest, &rest, 10)};
	const unsigned long scope = strtoul(rest, &rest, 10);
	struct error error = {0};
	enum status status;

	dir_search_done(&driver->last);
	if (dir_search_init(&driver->last, NULL) != STATUS_OK)
		return;
	rest += strspn(rest, " ");
	driver->last.scope = (enum dir_scope)scope;
	driver->last.base = part(&rest);
	driver->last.filter = part(&rest);
	split_names(part(&rest), names);
	driver->last.attributes = names;
	driver->last.size_limit = (uint32_t)strtoul(part(&rest), NULL, 10);
	driver->last.page_size = (uint32_t)strtoul(part(&rest), NULL, 10);
	driver->last.flags = (unsigned)strtoul(part(&rest), NULL, 10);
	status = dir_conn_exchange(driver->conn, &turn, 1, &error);
	printf("SEARCH %s %d %zu %u %s %llu %s\n", dir_outcome_word(driver->last.outcome), driver->last.code,
	       driver->last.entry_count, driver->last.pages, status_word(status), since(began_ms),
	       text_or(driver->last.server_text, "-"));
}

static void show_attribute(const struct dir_attribute *attribute)
{
	printf("ATTRIBUTE %s %zu\n", attribute->name, attribute->value_count);
	for (size_t i = 0; i < attribute->value_count; i++) {
		printf("VALUE ");
		for (size_t k = 0; k < attribute->values[i].length; k++)
			printf("%02x", (unsigned char)attribute->values[i].data[k]);
		printf("\n");
	}
}

static void run_show(const struct driver *driver)
{
	for (const struct dir_entry *entry = driver->last.entries; entry != NULL; entry = entry->next) {
		printf("ENTRY %s\n", entry->dn);
		for (size_t i = 0; i < entry->attribute_count; i++)
			show_attribute(&entry->attributes[i]);
	}
	printf("END\n");
}

static void run_batch(struct driver *driver, char *rest)
{
	static const char *const names[] = {"uid", NULL};
	static struct dir_search searches[MAX_BATCH];
	static struct dir_turn turns[MAX_BATCH];
	static char filters[MAX_BATCH][32];
	const uint64_t began_ms = clock_monotonic_ms();
	const uint64_t deadline_ms = began_ms + strtoull(rest, &rest, 10);
	const size_t count = strtoul(rest, &rest, 10);
	const char *base = rest + strspn(rest, " ");
	struct error error = {0};
	enum status status;
	size_t ok = 0;
	size_t entries = 0;

	for (size_t i = 0; i < count && i < MAX_BATCH; i++) {
		(void)snprintf(filters[i], sizeof(filters[i]), "(uid=user%04zu)", i);
		if (dir_search_init(&searches[i], NULL) != STATUS_OK)
			return;
		searches[i].base = base;
		searches[i].scope = DIR_SCOPE_SUBTREE;
		searches[i].filter = filters[i];
		searches[i].attributes = names;
		turns[i] = (struct dir_turn){.search = &searches[i], .deadline_ms = deadline_ms};
	}
	status = dir_conn_exchange(driver->conn, turns, count, &error);
	for (size_t i = 0; i < count; i++) {
		const struct dir_value *uid =
		    searches[i].entries != NULL ? dir_entry_single(searches[i].entries, "uid") : NULL;

		ok += searches[i].outcome == DIR_OUTCOME_OK;
		entries += uid != NULL && strstr(filters[i], uid->data) != NULL;
		dir_search_done(&searches[i]);
	}
	printf("BATCH %zu %zu %s %llu\n", ok, entries, status_word(status), since(began_ms));
}

static void run_ping(struct driver *driver, const char *rest)
{
	const uint64_t began_ms = clock_monotonic_ms();
	bool is_synchronized = false;
	struct error error = {0};
	const enum status status =
	    dir_conn_ping(driver->conn, began_ms + strtoull(rest, NULL, 10), &is_synchronized, &error);

	printf("PING %s %d %llu\n", status_word(status), is_synchronized, since(began_ms));
}

static void run_close(struct driver *driver)
{
	const uint64_t began_ms = clock_monotonic_ms();

	dir_conn_close(&driver->conn);
	printf("CLOSED %llu\n", since(began_ms));
}

/* One connection and one search. @return NULL: all is as it should be when memory runs out; else what is not. */
static const char *live_once(struct driver *driver, const char *base, uint64_t deadline_ms)
{
	static const char *const names[] = {"uid", "cn", NULL};
	struct dir_turn turn = {.search = &driver->last, .deadline_ms = deadline_ms};
	struct error error = {0};
	enum status status;

	status = dir_conn_open(&driver->directory, driver->uri, deadline_ms, &driver->conn, &error);
	if (status != STATUS_OK)
		return driver->conn != NULL    ? "a connection came with a failure"
		       : error.what[0] == '\0' ? "it does not say why"
					       : NULL;
	if (dir_search_init(&driver->last, NULL) != STATUS_OK)
		return NULL;
	driver->last.base = base;
	driver->last.scope = DIR_SCOPE_SUBTREE;
	driver->last.filter = "(|(uid=user0001)(uid=user0002)(uid=user0003))";
	driver->last.attributes = names;
	driver->last.page_size = 2;
	status = dir_conn_exchange(driver->conn, &turn, 1, &error);
	if (driver->last.outcome == DIR_OUTCOME_NONE)
		return "a search has no outcome";
	if (driver->last.outcome == DIR_OUTCOME_OK && driver->last.entry_count != 3)
		return "an entry is missing";
	return status == STATUS_OK || status == STATUS_UNREACHABLE || status == STATUS_NO_MEMORY ? NULL
												 : "another status";
}

static void run_memory(struct driver *driver, char *rest)
{
	const uint64_t patience_ms = strtoull(rest, &rest, 10);
	const char *base = rest + strspn(rest, " ");
	const char *wrong = NULL;
	size_t allocations = 0;
	size_t before;
	size_t i;

	dir_conn_close(&driver->conn);
	dir_search_done(&driver->last);
	before = memory_live_count();
	for (i = 1; wrong == NULL && i < MAX_ALLOCATIONS && (i == 1 || i <= allocations + 1); i++) {
		memory_fail_at(i);
		wrong = live_once(driver, base, clock_monotonic_ms() + patience_ms);
		allocations = memory_fail_count();
		memory_fail_at(0);
		dir_search_done(&driver->last);
		dir_conn_close(&driver->conn);
		if (wrong == NULL && memory_live_count() != before)
			wrong = "memory is left over";
	}
	if (wrong == NULL)
		printf("MEMORY %zu ok\n", allocations);
	else
		printf("MEMORY %zu %s\n", i - 1, wrong);
}

static void obey(struct driver *driver, char *line)
{
	line[strcspn(line, "\r\n")] = '\0';
	if (strncmp(line, "open ", 5) == 0) {
		run_open(driver, line + 5);
	} else if (strncmp(line, "sleep ", 6) == 0) {
		thread_pause((unsigned)strtoul(line + 6, NULL, 10));
		printf("SLEPT\n");
	} else if (strncmp(line, "memory ", 7) == 0) {
		run_memory(driver, line + 7);
	} else if (driver->conn == NULL) {
		printf("NO CONNECTION\n");
	} else if (strncmp(line, "search ", 7) == 0) {
		run_search(driver, line + 7);
	} else if (strcmp(line, "show") == 0) {
		run_show(driver);
	} else if (strncmp(line, "batch ", 6) == 0) {
		run_batch(driver, line + 6);
	} else if (strncmp(line, "ping ", 5) == 0) {
		run_ping(driver, line + 5);
	} else if (strcmp(line, "close") == 0) {
		run_close(driver);
	} else {
		printf("WHAT\n");
	}
}

int main(int count, char **arguments)
{
	static char line[16384];
	const char *uri = count == 2 ? arguments[1] : NULL;
	struct driver driver = {.uri = uri};

	if (uri == NULL) {
		(void)fprintf(stderr, "usage: dir_driver URI\n");
		return 2;
	}
	(void)setvbuf(stdout, NULL, _IONBF, 0);
	driver.directory = directory_of_environment(&uri);
	dir_conn_prepare_process();
	while (fgets(line, sizeof(line), stdin) != NULL)
		obey(&driver, line);
	dir_search_done(&driver.last);
	dir_conn_close(&driver.conn);
	secret_free(&driver.directory.bind_secret);
	printf("BYE\n");
	return 0;
}
