/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Watches a directory and says what it is told, a line each:
 *
 *	watcher BASE URI...
 *
 * ("" as BASE: the servers are domain controllers.)
 *
 *	UP <mark, or server where there are none>   CHANGE add|modify|delete <id> <mark or -> <dn>|<uid values>   MARK <mark>
 *	LOST <words>   UNSUPPORTED <words>   UNSEEN   CURRENT <number>
 *
 * Lines of standard input: "stop": ends the watch, says STOPPED and the milliseconds that it took; "use": somebody decides; "hurry";
 * "prefer URI"; "prove N": asks for CURRENT; "sleep MS": whoever
 * is told sleeps so long from the next event on, each time; "fail N": the N-th allocation from now fails, says FAILING. At its end all is
 * closed, and BYE said when no memory is left over.
 *
 * The environment: WATCH_BIND_DN, WATCH_SECRET (none: anonymous), WATCH_CA_FILE, WATCH_TLS (none, starttls), and the numbers of
 * struct dir_watch_tuning: WATCH_CONNECT_MS, WATCH_PING_MS, WATCH_ASK_AGAIN_MS, WATCH_REFRESH_MS, WATCH_STEADY_MS, WATCH_MAX_QUEUED,
 * WATCH_BACKOFF_FIRST_MS, WATCH_BACKOFF_LAST_MS, WATCH_POLL_MS, WATCH_LINGER_MS, WATCH_OVERLAP_MS, WATCH_MAX_STEPS,
 * WATCH_SETTLE_MS.
 * WATCH_FAIL_AT: as "fail", when it begins.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <directory/dir_conn.h>
#include <directory/dir_watch_private.h>
#include <os/clock.h>
#include <os/secret.h>
#include <os/thread.h>
#include <support/memory_failing.h>

static atomic_ulong pause_ms;

static const char *text_or(const char *text, const char *otherwise)
{
	return text != NULL ? text : otherwise;
}

static void print_change(const struct dir_watch_event *event)
{
	static const char *const words[] = {"modify", "add", "delete"};
	const struct dir_attribute *uid = dir_entry_attribute(event->entry, "uid");

	if (uid == NULL)
		uid = dir_entry_attribute(event->entry, "sAMAccountName");

	printf("CHANGE %s %s %s %s|", words[event->change], event->id, text_or(event->mark, "-"), event->entry->dn);
	for (size_t i = 0; uid != NULL && i < uid->value_count; i++)
		printf("%s%s", i > 0 ? " " : "", uid->values[i].data);
	printf("\n");
}

static void hear(void *context, const struct dir_watch_event *event)
{
	const unsigned long ms = atomic_load(&pause_ms);

	(void)context;
	switch (event->kind) {
	case DIR_WATCH_UP:
		printf("UP %s\n", text_or(event->server, event->mark));
		break;
	case DIR_WATCH_CHANGE:
		print_change(event);
		break;
	case DIR_WATCH_MARK:
		printf("MARK %s\n", event->mark);
		break;
	case DIR_WATCH_UNSEEN:
		printf("UNSEEN\n");
		break;
	case DIR_WATCH_CURRENT:
		printf("CURRENT %llu\n", (unsigned long long)event->proof);
		break;
	case DIR_WATCH_LOST:
		printf("LOST %s\n", event->error->what);
		break;
	case DIR_WATCH_UNSUPPORTED:
		printf("UNSUPPORTED %s\n", event->error->what);
		break;
	}
	if (ms > 0)
		thread_pause((unsigned)ms);
}

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

static struct dir_watch_tuning tuning_of_environment(void)
{
	struct dir_watch_tuning tuning = dir_watch_defaults;

	tuning.connect_ms = number_of("WATCH_CONNECT_MS", tuning.connect_ms);
	tuning.ping_ms = number_of("WATCH_PING_MS", tuning.ping_ms);
	tuning.ask_again_ms = number_of("WATCH_ASK_AGAIN_MS", tuning.ask_again_ms);
	tuning.refresh_ms = number_of("WATCH_REFRESH_MS", tuning.refresh_ms);
	tuning.steady_ms = number_of("WATCH_STEADY_MS", tuning.steady_ms);
	tuning.settle_ms = number_of("WATCH_SETTLE_MS", tuning.settle_ms);
	tuning.max_queued = number_of("WATCH_MAX_QUEUED", tuning.max_queued);
	tuning.backoff_first_ms = number_of("WATCH_BACKOFF_FIRST_MS", tuning.backoff_first_ms);
	tuning.backoff_last_ms = number_of("WATCH_BACKOFF_LAST_MS", tuning.backoff_last_ms);
	tuning.poll_ms = number_of("WATCH_POLL_MS", tuning.poll_ms);
	tuning.linger_ms = number_of("WATCH_LINGER_MS", tuning.linger_ms);
	tuning.overlap_ms = number_of("WATCH_OVERLAP_MS", tuning.overlap_ms);
	tuning.max_steps = number_of("WATCH_MAX_STEPS", tuning.max_steps);
	return tuning;
}

static struct config_directory directory_of_environment(const char **uris, size_t uri_count)
{
	const char *secret = getenv("WATCH_SECRET");
	const char *tls = text_or(getenv("WATCH_TLS"), "none");

	return (struct config_directory){
	    .uris = uris,
	    .uri_count = uri_count,
	    .bind = secret != NULL ? CONFIG_BIND_SIMPLE : CONFIG_BIND_ANONYMOUS,
	    .bind_dn = getenv("WATCH_BIND_DN"),
	    .bind_secret = secret != NULL ? secret_new(secret, strlen(secret)) : NULL,
	    .tls = strcmp(tls, "starttls") == 0 ? CONFIG_TLS_STARTTLS : CONFIG_TLS_NONE,
	    .tls_ca_file = getenv("WATCH_CA_FILE"),
	    .tls_minimum = 12,
	};
}

static void obey(struct dir_watch *watch)
{
	char line[128];
	uint64_t began_ms;

	while (fgets(line, sizeof(line), stdin) != NULL) {
		if (strcmp(line, "stop\n") == 0) {
			began_ms = clock_monotonic_ms();
			dir_watch_stop(watch);
			printf("STOPPED %llu\n", (unsigned long long)(clock_monotonic_ms() - began_ms));
		} else if (strncmp(line, "prove ", 6) == 0) {
			dir_watch_prove(watch, strtoull(line + 6, NULL, 10));
		} else if (strncmp(line, "sleep ", 6) == 0) {
			atomic_store(&pause_ms, strtoul(line + 6, NULL, 10));
		} else if (strcmp(line, "use\n") == 0) {
			dir_watch_use(watch);
		} else if (strcmp(line, "hurry\n") == 0) {
			dir_watch_hurry(watch);
		} else if (strncmp(line, "prefer ", 7) == 0) {
			line[strcspn(line, "\n")] = '\0';
			dir_watch_prefer(watch, line + 7);
		} else if (strncmp(line, "fail ", 5) == 0) {
			puts("FAILING");
			memory_fail_at(strtoul(line + 5, NULL, 10));
		}
	}
}

int main(int count, char **arguments)
{
	static const char *const attributes[] = {"objectClass", "uid", "entryUUID", "nsUniqueId", NULL};
	const struct log log = {.level = LOG_LEVEL_DEBUG, .write = write_log};
	struct dir_watch_plan plan = {
	    .attributes = attributes,
	    .log = &log,
	    .tuning = tuning_of_environment(),
	    .heard = hear,
	};
	const char *uris[CONFIG_MAX_URIS];
	struct config_directory directory;
	struct executor *executor = NULL;
	struct dir_watch *watch = NULL;
	struct error error;

	if (count < 3 || count - 2 > CONFIG_MAX_URIS) {
		(void)fprintf(stderr, "usage: watcher BASE URI...\n");
		return 2;
	}
	for (int i = 2; i < count; i++)
		uris[i - 2] = arguments[i];
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	dir_conn_prepare_process();
	directory = directory_of_environment(uris, (size_t)count - 2);
	if (executor_open("watcher", &executor, &error) != STATUS_OK)
		return 2;
	plan.directory = &directory;
	plan.executor = executor;
	if (dir_watch_open_tuned(&plan, &watch, &error) != STATUS_OK) {
		(void)fprintf(stderr, "it does not open\n");
		return 2;
	}
	memory_fail_at((unsigned long)number_of("WATCH_FAIL_AT", 0));
	while (dir_watch_begin(watch, arguments[1]) != STATUS_OK)
		puts("AGAIN");
	obey(watch);
	dir_watch_stop(watch);
	executor_close(&executor);
	dir_watch_close(&watch);
	secret_free(&directory.bind_secret);
	puts(memory_live_count() == 0 ? "BYE" : "LEAKED");
	return 0;
}
