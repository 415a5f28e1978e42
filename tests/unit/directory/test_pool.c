/* SPDX-License-Identifier: Apache-2.0 */
#include "pool_rig.h"

/* How late a thread of a loaded machine may be. */
#define SLACK_MS 4000 /* of a busy machine, under Wine */

static void submit__working_server__answers_once(void **state)
{
	struct rig rig;
	struct ask ask;

	(void)state;
	rig_init(&rig, 1, 2);
	rig_open(&rig);

	ask_submit(&rig, &ask, 5000);
	ask_await(&ask);

	assert_int_equal(ask.searches[0].outcome, DIR_OUTCOME_OK);
	assert_string_equal(ask.searches[0].entries->dn, "dc=example");
	rig_done(&rig);
	assert_int_equal(ask.done, 1);
	ask_done(&ask);
}

static void open__nobody_asks__connects_at_once(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 2, 3);
	rig_open(&rig);

	await(rig_stats(&rig).connected == 3);

	assert_string_equal(rig_stats(&rig).server_uri, SERVER_A);
	assert_int_equal(dir_conn_fake_counts(SERVER_B).opens, 0);
	rig_done(&rig);
}

static void open__no_server__is_invalid(void **state)
{
	struct rig rig;
	struct error error;

	(void)state;
	rig_init(&rig, 0, 1);

	assert_status(dir_pool_open(&rig.directory, rig.executor, &rig.log, &rig.pool, &error), STATUS_INVALID, &error);

	assert_null(rig.pool);
	rig_done(&rig);
}

static void submit__several_searches__travel_in_one_turn(void **state)
{
	struct rig rig;
	struct ask ask;
	size_t i;

	(void)state;
	rig_init(&rig, 1, 1);
	rig_open(&rig);

	ask_init(&ask, ASK_SEARCHES_MAX, 5000, DIR_PRIORITY_DECISION);
	dir_pool_submit(rig.pool, &ask.request);
	ask_await(&ask);

	for (i = 0; i < ASK_SEARCHES_MAX; i++)
		assert_int_equal(ask.searches[i].outcome, DIR_OUTCOME_OK);
	assert_int_equal(dir_conn_fake_counts(SERVER_A).exchanges, 1);
	assert_int_equal(dir_conn_fake_counts(SERVER_A).most_searches, ASK_SEARCHES_MAX);
	ask_done(&ask);
	rig_done(&rig);
}

static void submit__many_wait__next_turn_takes_a_window_full(void **state)
{
	struct rig rig;
	static struct ask asks[DIR_CONN_WINDOW + 11];
	size_t i;

	(void)state;
	rig_init(&rig, 1, 1);
	dir_conn_fake_script(SERVER_A, FAKE_OPEN_WORKS, FAKE_HOLDS);
	rig_open(&rig);
	ask_submit(&rig, &asks[0], 5000);
	await(dir_conn_fake_counts(SERVER_A).exchanges == 1);

	for (i = 1; i < COUNT_OF(asks); i++)
		ask_submit(&rig, &asks[i], 5000);
	dir_conn_fake_script(SERVER_A, FAKE_OPEN_WORKS, FAKE_ANSWERS);
	for (i = 0; i < COUNT_OF(asks); i++)
		ask_await(&asks[i]);

	assert_int_equal(dir_conn_fake_counts(SERVER_A).exchanges, 3);
	assert_int_equal(dir_conn_fake_counts(SERVER_A).most_searches, DIR_CONN_WINDOW);
	for (i = 0; i < COUNT_OF(asks); i++)
		ask_done(&asks[i]);
	rig_done(&rig);
}

static void submit__more_than_may_wait__is_busy_at_once(void **state)
{
	struct rig rig;
	struct ask first;
	struct ask second;
	struct ask third;

	(void)state;
	rig_init(&rig, 1, 1);
	rig.tuning.max_waiting = 1;
	dir_conn_fake_script(SERVER_A, FAKE_OPEN_WORKS, FAKE_HOLDS);
	rig_open(&rig);
	ask_submit(&rig, &first, 5000);
	await(dir_conn_fake_counts(SERVER_A).exchanges == 1);
	ask_submit(&rig, &second, 5000);

	ask_submit(&rig, &third, 5000);
	ask_await(&third);

	assert_int_equal(third.searches[0].outcome, DIR_OUTCOME_BUSY);
	assert_int_equal(second.done, 0);
	dir_conn_fake_script(SERVER_A, FAKE_OPEN_WORKS, FAKE_ANSWERS);
	ask_await(&second);
	rig_done(&rig);
	ask_done(&first);
	ask_done(&second);
	ask_done(&third);
}

/* A name server that hangs holds the worker beyond every deadline; who asks is answered all the same. */
static void submit__connect_is_stuck__times_out_at_the_deadline(void **state)
{
	struct rig rig;
	struct ask ask;

	(void)state;
	rig_init(&rig, 1, 2);
	dir_conn_fake_script(SERVER_A, FAKE_OPEN_STUCK, FAKE_ANSWERS);
	rig_open(&rig);

	ask_submit(&rig, &ask, 100);
	ask_await(&ask);

	assert_int_equal(ask.searches[0].outcome, DIR_OUTCOME_TIMEOUT);
	assert_true(ask.done_ms >= ask.request.deadline_ms);
	assert_true(ask.done_ms <= ask.request.deadline_ms + SLACK_MS);
	dir_conn_fake_script(SERVER_A, FAKE_OPEN_FAILS, FAKE_ANSWERS);
	ask_done(&ask);
	rig_done(&rig);
}

static void submit__earlier_deadline_behind_a_later_one__is_kept(void **state)
{
	struct rig rig;
	struct ask slow;
	struct ask quick;

	(void)state;
	rig_init(&rig, 1, 1);
	dir_conn_fake_script(SERVER_A, FAKE_OPEN_STUCK, FAKE_ANSWERS);
	rig_open(&rig);

	ask_submit(&rig, &slow, 600);
	ask_submit(&rig, &quick, 100);
	ask_await(&quick);

	assert_int_equal(slow.done, 0);
	assert_int_equal(quick.searches[0].outcome, DIR_OUTCOME_TIMEOUT);
	ask_await(&slow);
	dir_conn_fake_script(SERVER_A, FAKE_OPEN_FAILS, FAKE_ANSWERS);
	rig_done(&rig);
	ask_done(&slow);
	ask_done(&quick);
}

/* An idle connection that the server closed is no outage. */
static void bulk__is_under_way__decisions_are_answered(void **state)
{
	struct rig rig;
	struct ask bulk;
	struct ask more;
	unsigned i;

	(void)state;
	rig_init(&rig, 1, 2);
	rig_open(&rig);
	await(rig_stats(&rig).connected == 2);
	dir_conn_fake_script(SERVER_A, FAKE_OPEN_WORKS, FAKE_HOLDS_BASE);
	ask_init(&bulk, 1, 10000, DIR_PRIORITY_BULK);
	ask_init(&more, 1, 10000, DIR_PRIORITY_BULK);
	bulk.searches[0].base = more.searches[0].base = "hold";
	dir_pool_submit(rig.pool, &bulk.request);
	await(dir_conn_fake_counts(SERVER_A).exchanges == 1);
	dir_pool_submit(rig.pool, &more.request);

	for (i = 0; i < 10; i++)
		assert_int_equal(ask_once(&rig, 5000), DIR_OUTCOME_OK);

	assert_int_equal(bulk.done, 0);
	assert_int_equal(more.done, 0);
	dir_conn_fake_script(SERVER_A, FAKE_OPEN_WORKS, FAKE_ANSWERS);
	ask_await(&bulk);
	ask_await(&more);
	rig_done(&rig);
	ask_done(&bulk);
	ask_done(&more);
}

static void bulk__one_connection__both_are_answered(void **state)
{
	struct rig rig;
	struct ask held;
	struct ask bulk;
	struct ask decision;

	(void)state;
	rig_init(&rig, 1, 1);
	dir_conn_fake_script(SERVER_A, FAKE_OPEN_WORKS, FAKE_HOLDS);
	rig_open(&rig);
	ask_submit(&rig, &held, 5000);
	await(dir_conn_fake_counts(SERVER_A).exchanges == 1);
	ask_init(&bulk, 1, 5000, DIR_PRIORITY_BULK);
	dir_pool_submit(rig.pool, &bulk.request);
	ask_submit(&rig, &decision, 5000);

	dir_conn_fake_script(SERVER_A, FAKE_OPEN_WORKS, FAKE_ANSWERS);
	ask_await(&bulk);
	ask_await(&decision);

	assert_true(decision.done_ms <= bulk.done_ms);
	rig_done(&rig);
	ask_done(&held);
	ask_done(&bulk);
	ask_done(&decision);
}

static void ping__silence__is_broken_by_a_ping(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 1, 2);
	rig.tuning.ping_ms = 50;
	rig_open(&rig);

	await(dir_conn_fake_counts(SERVER_A).pings >= 4);

	assert_int_equal(dir_conn_fake_counts(SERVER_A).opens, 2);
	rig_done(&rig);
}

static void ping__connection_is_dead__is_made_anew_before_anybody_asks(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 1, 1);
	rig.tuning.ping_ms = 50;
	rig_open(&rig);
	await(dir_conn_fake_counts(SERVER_A).pings >= 1);

	dir_conn_fake_script(SERVER_A, FAKE_OPEN_WORKS, FAKE_BREAKS);
	await(dir_conn_fake_counts(SERVER_A).opens >= 2);
	dir_conn_fake_script(SERVER_A, FAKE_OPEN_WORKS, FAKE_ANSWERS);

	assert_int_equal(ask_once(&rig, 5000), DIR_OUTCOME_OK);
	rig_done(&rig);
}

static void close__some_wait_and_some_are_in_flight__each_is_done_once(void **state)
{
	static struct ask asks[100];
	struct rig rig;
	size_t i;

	(void)state;
	rig_init(&rig, 1, 2);
	dir_conn_fake_script(SERVER_A, FAKE_OPEN_WORKS, FAKE_HOLDS);
	rig_open(&rig);
	for (i = 0; i < COUNT_OF(asks); i++)
		ask_submit(&rig, &asks[i], 300);
	await(dir_conn_fake_counts(SERVER_A).exchanges >= 1);

	dir_pool_close(&rig.pool);
	executor_close(&rig.executor); /* runs what was posted, and nothing is posted later */

	for (i = 0; i < COUNT_OF(asks); i++) {
		assert_int_equal(asks[i].done, 1);
		assert_true(asks[i].searches[0].outcome == DIR_OUTCOME_UNAVAILABLE ||
			    asks[i].searches[0].outcome == DIR_OUTCOME_TIMEOUT);
	}
	sleep_ms(400);
	for (i = 0; i < COUNT_OF(asks); i++) {
		assert_int_equal(asks[i].done, 1);
		ask_done(&asks[i]);
	}
	rig_done(&rig);
}

static void close__workers_connect__ends_within_the_connect_timeout(void **state)
{
	struct rig rig;
	const uint64_t began_ms = clock_monotonic_ms();

	(void)state;
	rig_init(&rig, 2, 4);
	dir_conn_fake_script(SERVER_A, FAKE_OPEN_HANGS, FAKE_ANSWERS);
	dir_conn_fake_script(SERVER_B, FAKE_OPEN_HANGS, FAKE_ANSWERS);
	rig_open(&rig);
	sleep_ms(100);

	rig_done(&rig);

	assert_true(clock_monotonic_ms() - began_ms < 100 + rig.tuning.connect_ms + SLACK_MS);
}

static void close__null__is_nothing(void **state)
{
	struct dir_pool *pool = NULL;

	(void)state;
	dir_pool_close(&pool);
	assert_null(pool);
}

static void stats__after_work__count_it(void **state)
{
	struct rig rig;
	struct dir_pool_stats stats;

	(void)state;
	rig_init(&rig, 1, 1);
	rig_open(&rig);
	assert_int_equal(ask_once(&rig, 5000), DIR_OUTCOME_OK);
	assert_int_equal(ask_once(&rig, 5000), DIR_OUTCOME_OK);

	stats = rig_stats(&rig);

	assert_int_equal(stats.requests, 2);
	assert_int_equal(stats.searches, 2);
	assert_int_equal(stats.turns, 2);
	assert_int_equal(stats.connects, 1);
	assert_int_equal(stats.connect_failures, 0);
	rig_done(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(submit__working_server__answers_once),
	    cmocka_unit_test(open__nobody_asks__connects_at_once),
	    cmocka_unit_test(open__no_server__is_invalid),
	    cmocka_unit_test(submit__several_searches__travel_in_one_turn),
	    cmocka_unit_test(submit__many_wait__next_turn_takes_a_window_full),
	    cmocka_unit_test(submit__more_than_may_wait__is_busy_at_once),
	    cmocka_unit_test(submit__connect_is_stuck__times_out_at_the_deadline),
	    cmocka_unit_test(submit__earlier_deadline_behind_a_later_one__is_kept),
	    cmocka_unit_test(bulk__is_under_way__decisions_are_answered),
	    cmocka_unit_test(bulk__one_connection__both_are_answered),
	    cmocka_unit_test(ping__silence__is_broken_by_a_ping),
	    cmocka_unit_test(ping__connection_is_dead__is_made_anew_before_anybody_asks),
	    cmocka_unit_test(close__some_wait_and_some_are_in_flight__each_is_done_once),
	    cmocka_unit_test(close__workers_connect__ends_within_the_connect_timeout),
	    cmocka_unit_test(close__null__is_nothing),
	    cmocka_unit_test(stats__after_work__count_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
