/* SPDX-License-Identifier: Apache-2.0 */
/* Servers that fail, hang, are busy and come back. */
#include "pool_rig.h"

/* How late a thread of a loaded machine may be. */
#define SLACK_MS 2000 /* of a busy machine, under Wine */

static void submit__first_server_dead__second_answers(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 2, 2);
	dir_conn_fake_script(SERVER_A, FAKE_OPEN_FAILS, FAKE_ANSWERS);
	rig_open(&rig);

	assert_int_equal(ask_once(&rig, 5000), DIR_OUTCOME_OK);

	assert_string_equal(rig_stats(&rig).server_uri, SERVER_B);
	rig_done(&rig);
}

static void submit__first_server_hangs_in_connect__second_answers_within_the_hedge(void **state)
{
	struct rig rig;
	const uint64_t began_ms = clock_monotonic_ms();

	(void)state;
	rig_init(&rig, 2, 2);
	rig.tuning.connect_ms = 3000;
	dir_conn_fake_script(SERVER_A, FAKE_OPEN_HANGS, FAKE_ANSWERS);
	rig_open(&rig);

	assert_int_equal(ask_once(&rig, 5000), DIR_OUTCOME_OK);

	assert_true(clock_monotonic_ms() - began_ms < rig.tuning.hedge_ms + SLACK_MS);
	dir_conn_fake_script(SERVER_A, FAKE_OPEN_FAILS, FAKE_ANSWERS);
	rig_done(&rig);
}

static void submit__all_servers_in_backoff__fails_at_once(void **state)
{
	struct rig rig;
	struct ask ask;

	(void)state;
	rig_init(&rig, 2, 2);
	rig.tuning.backoff_first_ms = rig.tuning.backoff_last_ms = 3000;
	dir_conn_fake_script(SERVER_A, FAKE_OPEN_FAILS, FAKE_ANSWERS);
	dir_conn_fake_script(SERVER_B, FAKE_OPEN_FAILS, FAKE_ANSWERS);
	rig_open(&rig);
	await(rig_stats(&rig).connect_failures == 2);
	sleep_ms(20);

	ask_submit(&rig, &ask, 5000);
	ask_await(&ask);

	assert_int_equal(ask.searches[0].outcome, DIR_OUTCOME_UNAVAILABLE);
	assert_true(ask.done_ms + 4000 < ask.request.deadline_ms);
	ask_done(&ask);
	rig_done(&rig);
}

static void submit__last_hope_fails_while_it_waits__fails_at_once(void **state)
{
	struct rig rig;
	struct ask ask;

	(void)state;
	rig_init(&rig, 1, 2);
	rig.tuning.backoff_first_ms = rig.tuning.backoff_last_ms = 3000;
	dir_conn_fake_script(SERVER_A, FAKE_OPEN_HANGS, FAKE_ANSWERS);
	rig_open(&rig);

	ask_submit(&rig, &ask, 5000);
	dir_conn_fake_script(SERVER_A, FAKE_OPEN_FAILS, FAKE_ANSWERS);
	ask_await(&ask);

	assert_int_equal(ask.searches[0].outcome, DIR_OUTCOME_UNAVAILABLE);
	assert_true(ask.done_ms + 4000 < ask.request.deadline_ms);
	ask_done(&ask);
	rig_done(&rig);
}

static void backoff__server_comes_back__idle_worker_connects(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 1, 2);
	dir_conn_fake_script(SERVER_A, FAKE_OPEN_FAILS, FAKE_ANSWERS);
	rig_open(&rig);
	await(dir_conn_fake_counts(SERVER_A).opens >= 2);

	dir_conn_fake_script(SERVER_A, FAKE_OPEN_WORKS, FAKE_ANSWERS);

	await(rig_stats(&rig).connected == 2);
	assert_int_equal(ask_once(&rig, 5000), DIR_OUTCOME_OK);
	rig_done(&rig);
}

static void backoff__dead_server__is_asked_once_a_step_and_told_once_a_step(void **state)
{
	struct rig rig;
	unsigned opens;

	(void)state;
	rig_init(&rig, 1, 8);
	dir_conn_fake_script(SERVER_A, FAKE_OPEN_FAILS, FAKE_ANSWERS);
	rig_open(&rig);

	sleep_ms(1000);

	/* Steps of 100, 200, 400, 400 ms and more, each at least half of it: at most 6 in a second. */
	opens = dir_conn_fake_counts(SERVER_A).opens;
	assert_in_range(opens, 2, 7);
	rig_done(&rig);
	assert_in_range(rig.warnings, 2 * opens - 2, 2 * opens + 2);
	assert_int_equal(rig.backoffs_ms, rig.warnings / 2);
	assert_int_equal(rig.backoffs_s, 0);
}

static void backoff__bad_password__waits_long(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 1, 8);
	rig.tuning.refused_ms = 60000;
	dir_conn_fake_script(SERVER_A, FAKE_OPEN_REFUSES, FAKE_ANSWERS);
	rig_open(&rig);

	sleep_ms(800);

	assert_int_equal(dir_conn_fake_counts(SERVER_A).opens, 1);
	rig_done(&rig);
	assert_int_equal(rig.backoffs_s, 1);
	assert_int_equal(rig.backoffs_ms, 0);
}

struct restarts {
	unsigned entries, entries_since, restarts;
};

static enum status count_entry(void *context, const struct dir_entry *entry)
{
	struct restarts *restarts = context;

	(void)entry;
	restarts->entries++;
	restarts->entries_since++;
	return STATUS_OK;
}

static void count_restart(void *context)
{
	struct restarts *restarts = context;

	restarts->restarts++;
	restarts->entries_since = 0;
}

static void exchange__breaks_once__is_repeated_whole(void **state)
{
	struct rig rig;
	struct ask ask;
	struct restarts restarts = {0};

	(void)state;
	rig_init(&rig, 2, 1);
	dir_conn_fake_script(SERVER_A, FAKE_OPEN_WORKS, FAKE_BREAKS);
	rig_open(&rig);

	ask_init(&ask, 2, 5000, DIR_PRIORITY_DECISION);
	ask.searches[0].on_entry = count_entry;
	ask.searches[0].on_restart = count_restart;
	ask.searches[0].on_entry_context = &restarts;
	dir_pool_submit(rig.pool, &ask.request);
	ask_await(&ask);

	/* The connection had never worked, so its server went into back-off, and B answered. */
	assert_int_equal(ask.searches[0].outcome, DIR_OUTCOME_OK);
	assert_int_equal(ask.searches[1].outcome, DIR_OUTCOME_OK);
	assert_int_equal(ask.searches[1].entry_count, 1);
	assert_int_equal(restarts.restarts, 1);
	assert_int_equal(restarts.entries, 2);
	assert_int_equal(restarts.entries_since, 1);
	assert_int_equal(dir_conn_fake_counts(SERVER_B).searches, 2);
	assert_int_equal(rig_stats(&rig).failovers, 1);
	rig_done(&rig);
	assert_int_equal(ask.done, 1);
	ask_done(&ask);
}

static void exchange__breaks_twice__is_given_up(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 2, 1);
	dir_conn_fake_script(SERVER_A, FAKE_OPEN_WORKS, FAKE_BREAKS);
	dir_conn_fake_script(SERVER_B, FAKE_OPEN_WORKS, FAKE_BREAKS);
	rig_open(&rig);

	assert_int_equal(ask_once(&rig, 5000), DIR_OUTCOME_BAD_CONNECTION);

	assert_int_equal(dir_conn_fake_counts(SERVER_A).exchanges + dir_conn_fake_counts(SERVER_B).exchanges, 2);
	rig_done(&rig);
}

static void exchange__proven_connection_breaks__same_server_is_used_at_once(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 1, 1);
	rig.tuning.backoff_first_ms = rig.tuning.backoff_last_ms = 10000;
	rig_open(&rig);
	assert_int_equal(ask_once(&rig, 5000), DIR_OUTCOME_OK);
	dir_conn_fake_script(SERVER_A, FAKE_OPEN_WORKS, FAKE_BREAKS);

	/* The second try breaks as well, on a connection that has not worked: that is the server's fault. */
	assert_int_equal(ask_once(&rig, 5000), DIR_OUTCOME_BAD_CONNECTION);

	assert_int_equal(dir_conn_fake_counts(SERVER_A).opens, 2);
	assert_int_equal(ask_once(&rig, 5000), DIR_OUTCOME_UNAVAILABLE);
	rig_done(&rig);
}

static void exchange__server_dies_under_all_connections__second_answers(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 2, 2);
	rig_open(&rig);
	await(dir_conn_fake_counts(SERVER_A).live == 2);
	dir_conn_fake_script(SERVER_A, FAKE_OPEN_FAILS, FAKE_BREAKS);

	/* The first connection breaks; the second, as dead as the first, must not cost the request its second try. */
	assert_int_equal(ask_once(&rig, 5000), DIR_OUTCOME_OK);

	assert_int_equal(dir_conn_fake_counts(SERVER_A).exchanges, 1);
	rig_done(&rig);
}

static void exchange__one_request_breaks_connections__others_are_answered(void **state)
{
	static struct ask asks[20];
	struct rig rig;
	size_t i;

	(void)state;
	rig_init(&rig, 1, 1);
	rig.tuning.backoff_first_ms = 1;
	rig_open(&rig);
	assert_int_equal(ask_once(&rig, 5000), DIR_OUTCOME_OK);
	dir_conn_fake_script(SERVER_A, FAKE_OPEN_WORKS, FAKE_HOLDS);
	ask_submit(&rig, &asks[0], 5000);
	await(dir_conn_fake_counts(SERVER_A).exchanges == 2);

	for (i = 1; i < COUNT_OF(asks); i++) {
		ask_init(&asks[i], 1, 5000, DIR_PRIORITY_DECISION);
		asks[i].searches[0].base = i == 10 ? "poison" : "dc=example";
		dir_pool_submit(rig.pool, &asks[i].request);
	}
	dir_conn_fake_script(SERVER_A, FAKE_OPEN_WORKS, FAKE_BREAKS_BASE);
	for (i = 0; i < COUNT_OF(asks); i++)
		ask_await(&asks[i]);

	for (i = 0; i < COUNT_OF(asks); i++)
		assert_int_equal(asks[i].searches[0].outcome, i == 10 ? DIR_OUTCOME_BAD_CONNECTION : DIR_OUTCOME_OK);
	for (i = 0; i < COUNT_OF(asks); i++)
		ask_done(&asks[i]);
	rig_done(&rig);
}

static void exchange__server_hangs__next_request_goes_elsewhere(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 2, 1);
	rig_open(&rig);
	assert_int_equal(ask_once(&rig, 5000), DIR_OUTCOME_OK);
	dir_conn_fake_script(SERVER_A, FAKE_OPEN_HANGS, FAKE_HANGS);

	assert_int_equal(ask_once(&rig, 100), DIR_OUTCOME_TIMEOUT);
	assert_int_equal(ask_once(&rig, 1000), DIR_OUTCOME_OK);

	assert_string_equal(rig_stats(&rig).server_uri, SERVER_B);
	rig_done(&rig);
}

static void exchange__server_is_busy__another_one_is_asked_once(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 2, 2);
	dir_conn_fake_script(SERVER_A, FAKE_OPEN_WORKS, FAKE_IS_BUSY);
	rig_open(&rig);
	await(rig_stats(&rig).connected == 2);

	assert_int_equal(ask_once(&rig, 5000), DIR_OUTCOME_OK);

	assert_int_equal(dir_conn_fake_counts(SERVER_A).exchanges, 1);
	assert_int_equal(dir_conn_fake_counts(SERVER_B).exchanges, 1);
	rig_done(&rig);
}

static void exchange__all_servers_are_busy__says_so(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 2, 2);
	dir_conn_fake_script(SERVER_A, FAKE_OPEN_WORKS, FAKE_IS_BUSY);
	dir_conn_fake_script(SERVER_B, FAKE_OPEN_WORKS, FAKE_IS_BUSY);
	rig_open(&rig);
	await(rig_stats(&rig).connected == 2);

	assert_int_equal(ask_once(&rig, 5000), DIR_OUTCOME_BUSY);
	rig_done(&rig);
}

static void exchange__busy_and_the_other_is_dead__same_one_is_asked_again(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 2, 2);
	dir_conn_fake_script(SERVER_A, FAKE_OPEN_WORKS, FAKE_IS_BUSY);
	dir_conn_fake_script(SERVER_B, FAKE_OPEN_FAILS, FAKE_ANSWERS);
	rig_open(&rig);
	await(rig_stats(&rig).connected == 2);

	assert_int_equal(ask_once(&rig, 5000), DIR_OUTCOME_BUSY);

	assert_int_equal(dir_conn_fake_counts(SERVER_A).exchanges, 2);
	rig_done(&rig);
}

static void failback__first_server_returns__all_move_back(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 2, 3);
	dir_conn_fake_script(SERVER_A, FAKE_OPEN_FAILS, FAKE_ANSWERS);
	rig_open(&rig);
	await(dir_conn_fake_counts(SERVER_B).live == 3);

	dir_conn_fake_script(SERVER_A, FAKE_OPEN_WORKS, FAKE_ANSWERS);

	await(dir_conn_fake_counts(SERVER_A).live == 3);
	await(dir_conn_fake_counts(SERVER_B).live == 0);
	assert_int_equal(ask_once(&rig, 5000), DIR_OUTCOME_OK);
	rig_done(&rig);
}

static void failback__first_server_still_hangs__others_serve_meanwhile(void **state)
{
	struct rig rig;
	uint64_t began_ms;
	unsigned i;

	(void)state;
	rig_init(&rig, 2, 2);
	rig.tuning.failback_connect_ms = 1500;
	dir_conn_fake_script(SERVER_A, FAKE_OPEN_FAILS, FAKE_ANSWERS);
	rig_open(&rig);
	await(dir_conn_fake_counts(SERVER_B).live == 2);
	dir_conn_fake_script(SERVER_A, FAKE_OPEN_HANGS, FAKE_ANSWERS);
	i = dir_conn_fake_counts(SERVER_A).opens;
	await(dir_conn_fake_counts(SERVER_A).opens > i);

	began_ms = clock_monotonic_ms();
	for (i = 0; i < 20; i++)
		assert_int_equal(ask_once(&rig, 5000), DIR_OUTCOME_OK);

	assert_true(clock_monotonic_ms() - began_ms < 1000);
	dir_conn_fake_script(SERVER_A, FAKE_OPEN_FAILS, FAKE_ANSWERS);
	rig_done(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(submit__first_server_dead__second_answers),
	    cmocka_unit_test(submit__first_server_hangs_in_connect__second_answers_within_the_hedge),
	    cmocka_unit_test(submit__all_servers_in_backoff__fails_at_once),
	    cmocka_unit_test(submit__last_hope_fails_while_it_waits__fails_at_once),
	    cmocka_unit_test(backoff__server_comes_back__idle_worker_connects),
	    cmocka_unit_test(backoff__dead_server__is_asked_once_a_step_and_told_once_a_step),
	    cmocka_unit_test(backoff__bad_password__waits_long),
	    cmocka_unit_test(exchange__breaks_once__is_repeated_whole),
	    cmocka_unit_test(exchange__breaks_twice__is_given_up),
	    cmocka_unit_test(exchange__proven_connection_breaks__same_server_is_used_at_once),
	    cmocka_unit_test(exchange__server_dies_under_all_connections__second_answers),
	    cmocka_unit_test(exchange__one_request_breaks_connections__others_are_answered),
	    cmocka_unit_test(exchange__server_hangs__next_request_goes_elsewhere),
	    cmocka_unit_test(exchange__server_is_busy__another_one_is_asked_once),
	    cmocka_unit_test(exchange__all_servers_are_busy__says_so),
	    cmocka_unit_test(exchange__busy_and_the_other_is_dead__same_one_is_asked_again),
	    cmocka_unit_test(failback__first_server_returns__all_move_back),
	    cmocka_unit_test(failback__first_server_still_hangs__others_serve_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
