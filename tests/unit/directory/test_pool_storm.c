/* SPDX-License-Identifier: Apache-2.0 */
/* Many threads, many requests, servers that break and come back: each request ends once. */
#include "pool_rig.h"

#include <os/thread.h>
#include <stdlib.h>

#define THREADS  8
#define REQUESTS 2000
/* Requests that one thread has under way at a time. */
#define DEPTH 50

struct storm {
	struct rig *rig;
	struct thread thread;
	atomic_uint done, answered, doubled;
};

/* A request of the storm. */
struct drop {
	struct dir_request request;
	struct dir_search search;
	struct storm *storm;
	atomic_uint done;
};

static void drop_is_done(struct dir_request *request)
{
	struct drop *drop = request->context;
	struct storm *storm = drop->storm;

	if (atomic_fetch_add(&drop->done, 1) != 0)
		atomic_fetch_add(&storm->doubled, 1);
	if (drop->search.outcome == DIR_OUTCOME_OK)
		atomic_fetch_add(&storm->answered, 1);
	atomic_fetch_add(&storm->done, 1);
}

static bool fill_drop(struct drop *drop, struct storm *storm, unsigned i)
{
	*drop = (struct drop){.storm = storm};
	if (dir_search_init(&drop->search, NULL) != STATUS_OK)
		return false;
	drop->search.base = "dc=example";
	drop->search.filter = "(objectClass=*)";
	drop->request.searches = &drop->search;
	drop->request.search_count = 1;
	drop->request.deadline_ms = clock_monotonic_ms() + (i % 10 == 0 ? 1 : 3000);
	drop->request.priority = i % 16 == 0 ? DIR_PRIORITY_BULK : DIR_PRIORITY_DECISION;
	drop->request.done = drop_is_done;
	drop->request.context = drop;
	return true;
}

static void rain(void *context)
{
	struct storm *storm = context;
	struct drop *drops = calloc(REQUESTS, sizeof(*drops));
	unsigned i;

	for (i = 0; drops != NULL && i < REQUESTS; i++) {
		if (!fill_drop(&drops[i], storm, i))
			break;
		dir_pool_submit(storm->rig->pool, &drops[i].request);
		while (i - atomic_load(&storm->done) > DEPTH && i > atomic_load(&storm->done))
			sleep_ms(1);
	}
	while (atomic_load(&storm->done) < i)
		sleep_ms(1);
	for (; i > 0; i--)
		dir_search_done(&drops[i - 1].search);
	free(drops);
}

static void storm_run(struct rig *rig, unsigned *answered_out)
{
	struct storm storms[THREADS];
	struct error error;
	unsigned answered = 0;
	size_t i;

	memset(storms, 0, sizeof(storms));
	for (i = 0; i < THREADS; i++) {
		storms[i].rig = rig;
		assert_status(thread_start(&storms[i].thread, "storm", rain, &storms[i], &error), STATUS_OK, &error);
	}
	for (i = 0; i < THREADS; i++) {
		thread_join(&storms[i].thread);
		assert_int_equal(storms[i].done, REQUESTS);
		assert_int_equal(storms[i].doubled, 0);
		answered += storms[i].answered;
	}
	*answered_out = answered;
}

static void storm__servers_break_at_random__each_request_is_done_once(void **state)
{
	struct rig rig;
	unsigned answered = 0;

	(void)state;
	rig_init(&rig, 2, 4);
	rig.tuning.backoff_first_ms = 1;
	rig.tuning.backoff_last_ms = 4;
	rig.tuning.failback_ms = 5;
	rig.tuning.ping_ms = 5;
	rig.tuning.max_waiting = 200;
	dir_conn_fake_script(SERVER_A, FAKE_OPEN_WORKS, FAKE_BREAKS_SOME);
	dir_conn_fake_script(SERVER_B, FAKE_OPEN_WORKS, FAKE_BREAKS_SOME);
	rig_open(&rig);

	storm_run(&rig, &answered);

	assert_true(answered > THREADS * REQUESTS / 4);
	rig_done(&rig);
}

/* The weather: what the servers do changes all the time. */
struct weather {
	struct thread thread;
	atomic_bool is_over;
};

static void change_weather(void *context)
{
	static const struct {
		enum fake_open open;
		enum fake_exchange exchange;
	} skies[] = {
	    {FAKE_OPEN_WORKS, FAKE_ANSWERS},     {FAKE_OPEN_FAILS, FAKE_BREAKS}, {FAKE_OPEN_WORKS, FAKE_IS_BUSY},
	    {FAKE_OPEN_WORKS, FAKE_BREAKS_SOME}, {FAKE_OPEN_HANGS, FAKE_HANGS},  {FAKE_OPEN_REFUSES, FAKE_HOLDS},
	};
	struct weather *weather = context;
	unsigned i;

	for (i = 0; !atomic_load(&weather->is_over); i++) {
		dir_conn_fake_script(SERVER_A, skies[i % COUNT_OF(skies)].open, skies[i % COUNT_OF(skies)].exchange);
		dir_conn_fake_script(SERVER_B, skies[i / 2 % COUNT_OF(skies)].open,
				     skies[i / 2 % COUNT_OF(skies)].exchange);
		sleep_ms(3);
	}
}

static void storm__servers_change_all_the_time__each_request_is_done_once(void **state)
{
	struct weather weather = {0};
	struct rig rig;
	struct error error;
	unsigned answered = 0;

	(void)state;
	rig_init(&rig, 2, 3);
	rig.tuning.backoff_first_ms = 1;
	rig.tuning.backoff_last_ms = 4;
	rig.tuning.refused_ms = 4;
	rig.tuning.failback_ms = 5;
	rig.tuning.ping_ms = 5;
	rig_open(&rig);
	assert_status(thread_start(&weather.thread, "weather", change_weather, &weather, &error), STATUS_OK, &error);

	storm_run(&rig, &answered);

	atomic_store(&weather.is_over, true);
	thread_join(&weather.thread);
	rig_done(&rig);
}

/* Close while others still submit what was theirs to submit before: all of it comes back. */
static void close__in_the_middle_of_a_storm__each_request_is_done_once(void **state)
{
	enum { COUNT = 500 };
	struct storm storm = {0};
	struct rig rig;
	struct drop *drops = calloc(COUNT, sizeof(*drops));
	unsigned i;

	(void)state;
	assert_non_null(drops);
	rig_init(&rig, 2, 4);
	dir_conn_fake_delay(1);
	dir_conn_fake_script(SERVER_A, FAKE_OPEN_WORKS, FAKE_BREAKS_SOME);
	rig_open(&rig);
	storm.rig = &rig;
	for (i = 0; i < COUNT; i++) {
		assert_true(fill_drop(&drops[i], &storm, i));
		dir_pool_submit(rig.pool, &drops[i].request);
	}

	dir_pool_close(&rig.pool);
	executor_close(&rig.executor);

	assert_int_equal(storm.done, COUNT);
	assert_int_equal(storm.doubled, 0);
	for (i = 0; i < COUNT; i++)
		dir_search_done(&drops[i].search);
	free(drops);
	rig_done(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(storm__servers_break_at_random__each_request_is_done_once),
	    cmocka_unit_test(storm__servers_change_all_the_time__each_request_is_done_once),
	    cmocka_unit_test(close__in_the_middle_of_a_storm__each_request_is_done_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
