/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of the pool share: a directory of fake servers, an executor, a log that counts, and
 * questions that know when they were answered.
 */
#ifndef WSMAUTHZ_TESTS_UNIT_DIRECTORY_POOL_RIG_H
#define WSMAUTHZ_TESTS_UNIT_DIRECTORY_POOL_RIG_H

#include <support/assertions.h>

#include <directory/dir_pool_private.h>
#include <os/clock.h>
#include <os/executor.h>
#include <os/thread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <support/dir_conn_fake.h>

#define SERVER_A "ldap://a.example"
#define SERVER_B "ldap://b.example"

/* What no test should ever wait for. */
#define PATIENCE_MS 20000

struct rig {
	const char *uris[2];
	struct config_directory directory;
	struct dir_pool_tuning tuning;
	struct executor *executor;
	struct log log;
	atomic_uint warnings, infos;
	atomic_uint backoffs_s, backoffs_ms; /* told in this unit */
	struct dir_pool *pool;
};

static inline void rig_log(void *context, enum log_level level, const char *line)
{
	struct rig *rig = context;

	if (strstr(line, "is not asked again for ") != NULL)
		atomic_fetch_add(strstr(line, " ms") != NULL ? &rig->backoffs_ms : &rig->backoffs_s, 1);
	if (level == LOG_LEVEL_WARNING)
		atomic_fetch_add(&rig->warnings, 1);
	if (level == LOG_LEVEL_INFO)
		atomic_fetch_add(&rig->infos, 1);
}

/* `servers` 1: only A; 2: A, then B. The pool is not open yet, so that the script can be written. */
static inline void rig_init(struct rig *rig, size_t servers, unsigned connections)
{
	struct error error;

	memset(rig, 0, sizeof(*rig));
	dir_conn_fake_reset();
	rig->uris[0] = SERVER_A;
	rig->uris[1] = SERVER_B;
	rig->directory.uris = rig->uris;
	rig->directory.uri_count = servers;
	rig->directory.connections = connections;
	rig->log = (struct log){.level = LOG_LEVEL_INFO, .write = rig_log, .context = rig};
	rig->tuning = (struct dir_pool_tuning){
	    .backoff_first_ms = 100,
	    .backoff_last_ms = 400,
	    .refused_ms = 100,
	    .failback_ms = 100,
	    .failback_connect_ms = 100,
	    .ping_ms = 60000,
	    .connect_ms = 400,
	    .hedge_ms = 50,
	    .renew_ahead_ms = 60000,
	    .renew_again_ms = 50,
	    .max_waiting = 1000,
	};
	assert_status(executor_open("test", &rig->executor, &error), STATUS_OK, &error);
}

static inline void rig_open(struct rig *rig)
{
	struct error error;

	assert_status(dir_pool_open_tuned(&rig->directory, rig->executor, &rig->log, &rig->tuning, &rig->pool, &error),
		      STATUS_OK, &error);
}

static inline void rig_done(struct rig *rig)
{
	dir_pool_close(&rig->pool);
	executor_close(&rig->executor);
	assert_int_equal(dir_conn_fake_counts(SERVER_A).live, 0);
	assert_int_equal(dir_conn_fake_counts(SERVER_B).live, 0);
}

static inline void sleep_ms(uint64_t ms)
{
	thread_pause((unsigned)ms);
}

/* Wait until it holds; the expression is looked at again and again. */
#define await(condition)                                                                                               \
	do {                                                                                                           \
		const uint64_t await_end = clock_monotonic_ms() + PATIENCE_MS;                                         \
		while (!(condition) && clock_monotonic_ms() < await_end)                                               \
			sleep_ms(1);                                                                                   \
		assert_true(condition);                                                                                \
	} while (0)

static inline struct dir_pool_stats rig_stats(struct rig *rig)
{
	struct dir_pool_stats stats;

	dir_pool_stats(rig->pool, &stats);
	return stats;
}

#define ASK_SEARCHES_MAX 200

/* A request that counts its ends. */
struct ask {
	struct dir_request request;
	struct dir_search searches[ASK_SEARCHES_MAX];
	atomic_uint done;
	_Atomic uint64_t done_ms;
};

static inline void ask_is_done(struct dir_request *request)
{
	struct ask *ask = request->context;

	ask->done_ms = clock_monotonic_ms();
	atomic_fetch_add(&ask->done, 1);
}

static inline void ask_init(struct ask *ask, size_t count, uint64_t timeout_ms, enum dir_priority priority)
{
	struct error error;
	size_t i;

	memset(ask, 0, sizeof(*ask));
	for (i = 0; i < count; i++) {
		assert_status(dir_search_init(&ask->searches[i], &error), STATUS_OK, &error);
		ask->searches[i].base = "dc=example";
		ask->searches[i].filter = "(objectClass=*)";
	}
	ask->request.searches = ask->searches;
	ask->request.search_count = count;
	ask->request.deadline_ms = clock_monotonic_ms() + timeout_ms;
	ask->request.priority = priority;
	ask->request.done = ask_is_done;
	ask->request.context = ask;
}

static inline void ask_done(struct ask *ask)
{
	size_t i;

	for (i = 0; i < ask->request.search_count; i++)
		dir_search_done(&ask->searches[i]);
}

/* Ask for a decision. */
static inline void ask_submit(struct rig *rig, struct ask *ask, uint64_t timeout_ms)
{
	ask_init(ask, 1, timeout_ms, DIR_PRIORITY_DECISION);
	dir_pool_submit(rig->pool, &ask->request);
}

static inline void ask_await(struct ask *ask)
{
	await(atomic_load(&ask->done) > 0);
}

/* Ask, wait, and give back what became of it. */
static inline enum dir_outcome ask_once(struct rig *rig, uint64_t timeout_ms)
{
	struct ask ask;
	enum dir_outcome outcome;

	ask_submit(rig, &ask, timeout_ms);
	ask_await(&ask);
	outcome = ask.searches[0].outcome;
	ask_done(&ask);
	return outcome;
}

#endif
