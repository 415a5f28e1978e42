/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pool whose servers DNS names, driven by lines of its standard input:
 *
 *	seeker URI DOMAIN
 *
 *	ask MS      a question with this deadline       ANSWER <outcome> <milliseconds> <server, or ->
 *	steady MS   questions, one behind the other     STEADY <asked> <failed> <the slowest, ms>
 *	list        the servers that were found         SERVERS <uri>... | NONE failed | NONE locating
 *	hurry       look again
 *
 * In the environment: LOCATE_RESOLVERS, LOCATE_PING_PORT, LOCATE_PASS_MS, LOCATE_SITE, LOCATE_REFRESH_MS, LOCATE_CONNECTIONS, LOCATE_LDAPS. The log is on
 * standard error.
 */
#include <directory/dir_conn.h>
#include <directory/dir_locator.h>
#include <directory/dir_pool_private.h>
#include <os/clock.h>
#include <os/executor.h>
#include <os/thread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct question {
	struct dir_request request;
	struct dir_search search;
	struct mutex lock; /* guards: is_done */
	struct condition done;
	bool is_done;
};

static void write_log(void *context, enum log_level level, const char *line)
{
	(void)context;
	(void)fprintf(stderr, "%s: %s\n", log_level_word(level), line);
}

static uint64_t number_of(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text != NULL ? strtoull(text, NULL, 10) : otherwise;
}

static struct dir_pool_tuning tuning_of_environment(void)
{
	struct dir_pool_tuning tuning = dir_pool_defaults;
	const uint64_t refresh_ms = number_of("LOCATE_REFRESH_MS", 0);

	tuning.locator.options.resolvers = getenv("LOCATE_RESOLVERS");
	tuning.locator.options.ping_port = (uint16_t)number_of("LOCATE_PING_PORT", 0);
	tuning.locator.options.pass_ms = number_of("LOCATE_PASS_MS", 0);
	tuning.failback_ms = 300;
	tuning.locator.backoff_last_ms = 500;
	if (refresh_ms > 0) {
		tuning.locator.refresh_least_ms = refresh_ms;
		tuning.locator.refresh_most_ms = refresh_ms;
		tuning.locator.hurry_ms = refresh_ms < tuning.locator.hurry_ms ? refresh_ms : tuning.locator.hurry_ms;
	}
	return tuning;
}

static void is_answered(struct dir_request *request)
{
	struct question *question = request->context;

	mutex_lock(&question->lock);
	question->is_done = true;
	condition_signal(&question->done);
	mutex_unlock(&question->lock);
}

/* @return how long it took. */
static uint64_t ask(struct dir_pool *pool, uint64_t timeout_ms, enum dir_outcome *outcome_out, uint64_t *connection_out)
{
	static const char *const nothing[] = {"1.1", NULL};
	const uint64_t began_ms = clock_monotonic_ms();
	struct question question = {.is_done = false};

	mutex_init(&question.lock);
	condition_init(&question.done);
	if (dir_search_init(&question.search, NULL) != STATUS_OK)
		abort();
	question.search.base = "";
	question.search.scope = DIR_SCOPE_BASE;
	question.search.filter = "(objectClass=*)";
	question.search.attributes = nothing;
	question.request = (struct dir_request){
	    .searches = &question.search,
	    .search_count = 1,
	    .deadline_ms = began_ms + timeout_ms,
	    .done = is_answered,
	    .context = &question,
	};
	dir_pool_submit(pool, &question.request);
	mutex_lock(&question.lock);
	while (!question.is_done)
		condition_wait(&question.done, &question.lock);
	mutex_unlock(&question.lock);
	*outcome_out = question.search.outcome;
	if (connection_out != NULL)
		*connection_out = question.request.connection;
	dir_search_done(&question.search);
	condition_done(&question.done);
	mutex_done(&question.lock);
	return clock_monotonic_ms() - began_ms;
}

static void ask_once(struct dir_pool *pool, uint64_t timeout_ms)
{
	enum dir_outcome outcome = DIR_OUTCOME_NONE;
	char uri[DIR_POOL_SHOWN_BYTES] = "-";
	uint64_t connection = 0;
	const uint64_t took_ms = ask(pool, timeout_ms, &outcome, &connection);

	if (!dir_pool_server_of(pool, connection, uri))
		strcpy(uri, "-");
	printf("ANSWER %s %llu %s\n",
	       outcome == DIR_OUTCOME_OK            ? "ok"
	       : outcome == DIR_OUTCOME_UNAVAILABLE ? "unavailable"
	       : outcome == DIR_OUTCOME_TIMEOUT     ? "timeout"
						    : "other",
	       (unsigned long long)took_ms, uri);
}

static void ask_steadily(struct dir_pool *pool, uint64_t for_ms)
{
	const uint64_t end_ms = clock_monotonic_ms() + for_ms;
	unsigned asked = 0;
	unsigned failed = 0;
	uint64_t slowest_ms = 0;

	while (clock_monotonic_ms() < end_ms) {
		enum dir_outcome outcome = DIR_OUTCOME_NONE;
		const uint64_t took_ms = ask(pool, 3000, &outcome, NULL);

		asked++;
		failed += outcome != DIR_OUTCOME_OK;
		if (took_ms > slowest_ms)
			slowest_ms = took_ms;
		thread_pause(2);
	}
	printf("STEADY %u %u %llu\n", asked, failed, (unsigned long long)slowest_ms);
}

static void list(struct dir_pool *pool)
{
	bool has_failed = false;
	struct dir_servers *servers = dir_locator_servers(dir_pool_locator(pool), &has_failed);

	if (servers == NULL) {
		printf("NONE %s\n", has_failed ? "failed" : "locating");
		return;
	}
	printf("SERVERS");
	for (size_t i = 0; i < dir_servers_count(servers); i++)
		printf(" %s", dir_servers_uri(servers, i));
	printf("\n");
	dir_servers_unref(&servers);
}

static void obey(struct dir_pool *pool)
{
	char line[128];

	while (fgets(line, sizeof(line), stdin) != NULL) {
		if (strncmp(line, "ask ", 4) == 0)
			ask_once(pool, strtoul(line + 4, NULL, 10));
		else if (strncmp(line, "steady ", 7) == 0)
			ask_steadily(pool, strtoul(line + 7, NULL, 10));
		else if (strcmp(line, "list\n") == 0)
			list(pool);
		else if (strcmp(line, "hurry\n") == 0)
			dir_locator_hurry(dir_pool_locator(pool));
		else
			printf("WHAT %s", line);
	}
}

int main(int count, char **arguments)
{
	const char *uri = arguments[1];
	const char *domain = count == 3 ? arguments[2] : NULL;
	const struct log log = {.level = LOG_LEVEL_DEBUG, .write = write_log};
	const struct dir_pool_tuning tuning = tuning_of_environment();
	const struct config_directory directory = {
	    .uris = &uri,
	    .uri_count = 1,
	    .uri_domains = &domain,
	    .site = getenv("LOCATE_SITE"),
	    .bind = CONFIG_BIND_ANONYMOUS,
	    .tls = getenv("LOCATE_LDAPS") != NULL ? CONFIG_TLS_LDAPS : CONFIG_TLS_NONE,
	    .tls_ca_file = getenv("LOCATE_LDAPS"),
	    .tls_minimum = 12,
	    .connections = (unsigned)number_of("LOCATE_CONNECTIONS", 2),
	};
	struct executor *executor = NULL;
	struct dir_pool *pool = NULL;
	struct error error;
	uint64_t began_ms;

	if (domain == NULL) {
		(void)fprintf(stderr, "usage: seeker URI DOMAIN\n");
		return 2;
	}
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	dir_conn_prepare_process();
	if (executor_open("seeker", &executor, &error) != STATUS_OK ||
	    dir_pool_open_tuned(&directory, executor, &log, &tuning, &pool, &error) != STATUS_OK) {
		(void)fprintf(stderr, "it does not open: %s\n", error.what);
		return 2;
	}
	obey(pool);
	began_ms = clock_monotonic_ms();
	dir_pool_close(&pool);
	executor_close(&executor);
	printf("BYE %llu\n", (unsigned long long)(clock_monotonic_ms() - began_ms));
	return 0;
}
