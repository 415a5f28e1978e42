/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the programs of this folder share: the servers that dir_conn.py started (by the environment), policies for
 * them, and a watch on time and CPU.
 */
#ifndef WSMAUTHZ_TESTS_INTEGRATION_DIRECTORY_BENCH_H
#define WSMAUTHZ_TESTS_INTEGRATION_DIRECTORY_BENCH_H

#include <support/assertions.h>

#include <directory/dir_conn.h>
#include <dirent.h>
#include <fcntl.h>
#include <os/clock.h>
#include <os/secret.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Far more than any healthy server needs. */
#define PLENTY_MS 10000
/* The promise of dir_conn.h: not later than this after the deadline, and no CPU meanwhile. */
#define LATENESS_MS 250
#define CPU_MS      50

static inline const char *bench_value(const char *name)
{
	const char *value = getenv(name);

	if (value == NULL)
		fail_msg("%s is not set: start this program by dir_conn.py", name);
	return value;
}

/* A policy for one server: simple bind of the service account, StartTLS, the CA of the test bed. */
struct bench_policy {
	struct config_directory directory;
};

static inline void bench_set_secret(struct bench_policy *policy, const char *secret)
{
	secret_free(&policy->directory.bind_secret);
	policy->directory.bind_secret = secret_new(secret, strlen(secret));
	assert_non_null(policy->directory.bind_secret);
}

static inline void bench_policy_init(struct bench_policy *policy)
{
	memset(policy, 0, sizeof(*policy));
	policy->directory.bind = CONFIG_BIND_SIMPLE;
	policy->directory.bind_dn = bench_value("BENCH_SERVICE_DN");
	policy->directory.tls = CONFIG_TLS_STARTTLS;
	policy->directory.tls_ca_file = bench_value("BENCH_CA_FILE");
	policy->directory.tls_minimum = 12;
	bench_set_secret(policy, bench_value("BENCH_SERVICE_SECRET"));
}

/* The same, anonymous and in clear text: for raw servers. */
static inline void bench_policy_init_raw(struct bench_policy *policy)
{
	bench_policy_init(policy);
	policy->directory.bind = CONFIG_BIND_ANONYMOUS;
	policy->directory.tls = CONFIG_TLS_NONE;
}

static inline void bench_policy_done(struct bench_policy *policy)
{
	secret_free(&policy->directory.bind_secret);
}

static inline void bench_sasl(struct bench_policy *policy, const char *mechanism, const char *user)
{
	policy->directory.bind = CONFIG_BIND_SASL;
	policy->directory.bind_mechanism = mechanism;
	policy->directory.bind_user = user;
}

static inline enum status bench_open(struct bench_policy *policy, const char *uri, uint64_t timeout_ms,
				     struct dir_conn **conn_out, struct error *error)
{
	return dir_conn_open(&policy->directory, uri, clock_monotonic_ms() + timeout_ms, conn_out, error);
}

/* A connection that must work. */
static inline struct dir_conn *bench_connect(struct bench_policy *policy, const char *uri)
{
	struct dir_conn *conn = NULL;
	struct error error;

	assert_status(bench_open(policy, uri, PLENTY_MS, &conn, &error), STATUS_OK, &error);
	assert_non_null(conn);
	return conn;
}

/* It does not open, for this reason, in these words. */
static inline void bench_check_fails(struct bench_policy *policy, const char *uri, enum status status, const char *what,
				     const char *hint)
{
	struct dir_conn *conn = NULL;
	struct error error = {0};

	assert_status(bench_open(policy, uri, PLENTY_MS, &conn, &error), status, &error);
	assert_null(conn);
	assert_int_equal(error.status, status);
	assert_contains(error.what, what);
	assert_contains(error.hint, hint);
}

static inline void bench_search_init(struct dir_search *search, const char *base, enum dir_scope scope,
				     const char *filter)
{
	static const char *const names[] = {"uid", "jpegPhoto", NULL};
	struct error error;

	assert_status(dir_search_init(search, &error), STATUS_OK, &error);
	search->base = base;
	search->scope = scope;
	search->filter = filter;
	search->attributes = names;
}

static inline void bench_search_people(struct dir_search *search, const char *filter)
{
	bench_search_init(search, bench_value("BENCH_SUFFIX"), DIR_SCOPE_SUBTREE, filter);
}

static inline enum status bench_exchange(struct dir_conn *conn, struct dir_search *search, uint64_t timeout_ms)
{
	struct dir_turn turn = {.search = search, .deadline_ms = clock_monotonic_ms() + timeout_ms};

	return dir_conn_exchange(conn, &turn, 1, NULL);
}

static inline void bench_check_outcome(struct dir_conn *conn, struct dir_search *search, enum dir_outcome outcome)
{
	assert_int_equal(bench_exchange(conn, search, PLENTY_MS), STATUS_OK);
	if (search->outcome != outcome)
		fail_msg("outcome '%s' (%d), expected '%s'", dir_outcome_word(search->outcome), search->code,
			 dir_outcome_word(outcome));
}

static inline pid_t bench_pid(void)
{
	return (pid_t)strtol(bench_value("BENCH_PID"), NULL, 10);
}

/* True when the thread of that name below /proc/PID/task is stopped. */
static inline bool bench_is_stopped(int tasks, const char *name)
{
	char path[300];
	char stat[512] = "";
	const char *state;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/stat", name);
	fd = openat(tasks, path, O_RDONLY | O_CLOEXEC);
	/* A thread that has ended is not running. */
	if (fd < 0)
		return true;
	if (read(fd, stat, sizeof(stat) - 1) < 0)
		stat[0] = '\0';
	(void)close(fd);
	/* pid (name) state */
	state = strrchr(stat, ')');
	return state == NULL || (state[1] == ' ' && state[2] == 'T');
}

/* Stop the good server; all its threads have stopped when this returns. */
static inline void bench_suspend(void)
{
	const struct timespec pause = {.tv_nsec = 1000000};
	char path[64];
	const struct dirent *task;
	bool are_stopped;
	DIR *tasks;

	assert_int_equal(kill(bench_pid(), SIGSTOP), 0);
	(void)snprintf(path, sizeof(path), "/proc/%ld/task", (long)bench_pid());
	do {
		(void)nanosleep(&pause, NULL);
		tasks = opendir(path);
		assert_non_null(tasks);
		for (are_stopped = true; are_stopped && (task = readdir(tasks)) != NULL;)
			are_stopped = task->d_name[0] == '.' || bench_is_stopped(dirfd(tasks), task->d_name);
		(void)closedir(tasks);
	} while (!are_stopped);
}

static inline void bench_resume(void)
{
	assert_int_equal(kill(bench_pid(), SIGCONT), 0);
}

static inline uint64_t bench_cpu_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

struct bench_watch {
	uint64_t began_ms, cpu_ms;
};

static inline struct bench_watch bench_watch_start(void)
{
	return (struct bench_watch){.began_ms = clock_monotonic_ms(), .cpu_ms = bench_cpu_ms()};
}

/* It took the time-out and no more, and slept meanwhile. */
static inline void bench_watch_check(const struct bench_watch *watch, uint64_t timeout_ms)
{
	const uint64_t took_ms = clock_monotonic_ms() - watch->began_ms;
	const uint64_t cpu_ms = bench_cpu_ms() - watch->cpu_ms;

	if (took_ms + 5 < timeout_ms || took_ms > timeout_ms + LATENESS_MS || cpu_ms > CPU_MS)
		fail_msg("took %llu ms (time-out %llu), and %llu ms of CPU", (unsigned long long)took_ms,
			 (unsigned long long)timeout_ms, (unsigned long long)cpu_ms);
}

#endif
