/* SPDX-License-Identifier: Apache-2.0 */
/* Domain controllers that work, and say that their data are not whole. */
#include "pool_rig.h"

static void submit__first_is_unsynchronized__second_answers_and_first_nothing(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 2, 2);
	dir_conn_fake_script(SERVER_A, FAKE_OPEN_UNSYNCHRONIZED, FAKE_ANSWERS);
	rig_open(&rig);
	await(rig_stats(&rig).connected == 2);

	for (unsigned i = 0; i < 50; i++)
		assert_int_equal(ask_once(&rig, 5000), DIR_OUTCOME_OK);

	assert_string_equal(rig_stats(&rig).server_uri, SERVER_B);
	assert_int_equal(dir_conn_fake_counts(SERVER_A).searches, 0);
	await(dir_conn_fake_counts(SERVER_A).live == 0);
	rig_done(&rig);
}

static void submit__all_are_unsynchronized__fails_and_says_so(void **state)
{
	struct rig rig;
	struct ask waiting, late;

	(void)state;
	rig_init(&rig, 2, 2);
	rig.tuning.backoff_first_ms = rig.tuning.backoff_last_ms = 3000;
	dir_conn_fake_script(SERVER_A, FAKE_OPEN_UNSYNCHRONIZED, FAKE_ANSWERS);
	dir_conn_fake_script(SERVER_B, FAKE_OPEN_HANGS, FAKE_ANSWERS);
	rig_open(&rig);

	ask_submit(&rig, &waiting, 5000);
	await(rig_stats(&rig).connect_failures == 1);
	dir_conn_fake_script(SERVER_B, FAKE_OPEN_UNSYNCHRONIZED, FAKE_ANSWERS);
	ask_await(&waiting);
	ask_submit(&rig, &late, 5000);
	ask_await(&late);

	assert_int_equal(waiting.searches[0].outcome, DIR_OUTCOME_UNAVAILABLE);
	assert_non_null(strstr(waiting.searches[0].server_text, "isSynchronized"));
	assert_int_equal(late.searches[0].outcome, DIR_OUTCOME_UNAVAILABLE);
	assert_non_null(strstr(late.searches[0].server_text, "isSynchronized"));
	ask_done(&waiting);
	ask_done(&late);
	rig_done(&rig);
}

static void submit__all_are_dead__says_nothing_of_replication(void **state)
{
	struct rig rig;
	struct ask ask;

	(void)state;
	rig_init(&rig, 1, 1);
	rig.tuning.backoff_first_ms = rig.tuning.backoff_last_ms = 3000;
	dir_conn_fake_script(SERVER_A, FAKE_OPEN_FAILS, FAKE_ANSWERS);
	rig_open(&rig);

	ask_submit(&rig, &ask, 5000);
	ask_await(&ask);

	assert_int_equal(ask.searches[0].outcome, DIR_OUTCOME_UNAVAILABLE);
	assert_null(ask.searches[0].server_text);
	ask_done(&ask);
	rig_done(&rig);
}

static void backoff__unsynchronized_for_long__is_told_when_it_begins_and_when_it_ends(void **state)
{
	struct rig rig;
	unsigned infos;

	(void)state;
	rig_init(&rig, 1, 2);
	dir_conn_fake_script(SERVER_A, FAKE_OPEN_UNSYNCHRONIZED, FAKE_ANSWERS);
	rig_open(&rig);
	await(dir_conn_fake_counts(SERVER_A).opens >= 4);
	infos = atomic_load(&rig.infos);

	/* It is down, then back without having replicated: that is news again. */
	dir_conn_fake_script(SERVER_A, FAKE_OPEN_FAILS, FAKE_ANSWERS);
	await(atomic_load(&rig.warnings) >= 4);
	dir_conn_fake_script(SERVER_A, FAKE_OPEN_UNSYNCHRONIZED, FAKE_ANSWERS);
	await(rig_stats(&rig).connect_failures >= 8);
	dir_conn_fake_script(SERVER_A, FAKE_OPEN_WORKS, FAKE_ANSWERS);
	await(rig_stats(&rig).connected == 2);

	assert_int_equal(ask_once(&rig, 5000), DIR_OUTCOME_OK);
	rig_done(&rig);
	assert_int_equal(atomic_load(&rig.infos) - infos, 1);
}

static void backoff__unsynchronized__fills_no_log(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 1, 2);
	dir_conn_fake_script(SERVER_A, FAKE_OPEN_UNSYNCHRONIZED, FAKE_ANSWERS);
	rig_open(&rig);

	await(dir_conn_fake_counts(SERVER_A).opens >= 5);

	rig_done(&rig);
	assert_int_equal(atomic_load(&rig.warnings), 2); /* the failure, and the back-off */
}

static void failback__first_has_synchronized__all_move_back(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 2, 2);
	dir_conn_fake_script(SERVER_A, FAKE_OPEN_UNSYNCHRONIZED, FAKE_ANSWERS);
	rig_open(&rig);
	await(dir_conn_fake_counts(SERVER_B).live == 2);
	await(dir_conn_fake_counts(SERVER_A).opens >= 3);

	dir_conn_fake_script(SERVER_A, FAKE_OPEN_WORKS, FAKE_ANSWERS);

	await(dir_conn_fake_counts(SERVER_A).live == 2 && dir_conn_fake_counts(SERVER_B).live == 0);
	assert_int_equal(ask_once(&rig, 5000), DIR_OUTCOME_OK);
	assert_string_equal(rig_stats(&rig).server_uri, SERVER_A);
	rig_done(&rig);
}

static void ping__says_unsynchronized__connection_is_left(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 2, 2);
	rig.tuning.ping_ms = 50;
	rig_open(&rig);
	await(dir_conn_fake_counts(SERVER_A).live == 2);

	dir_conn_fake_script(SERVER_A, FAKE_OPEN_UNSYNCHRONIZED, FAKE_ANSWERS);

	await(dir_conn_fake_counts(SERVER_A).live == 0 && dir_conn_fake_counts(SERVER_B).live == 2);
	assert_int_equal(ask_once(&rig, 5000), DIR_OUTCOME_OK);
	rig_done(&rig);
}

/* A new connection finds it out; the old ones are asked before they serve again. */
static void open__says_unsynchronized__other_connections_are_doubted(void **state)
{
	struct rig rig;
	unsigned searches;

	(void)state;
	rig_init(&rig, 2, 2);
	dir_conn_fake_ticket(SERVER_A, 0);
	rig_open(&rig);
	await(dir_conn_fake_counts(SERVER_A).live == 2);
	assert_int_equal(ask_once(&rig, 5000), DIR_OUTCOME_OK);

	/* One of them breaks, and is made anew. */
	dir_conn_fake_script(SERVER_A, FAKE_OPEN_UNSYNCHRONIZED, FAKE_BREAKS);
	assert_int_equal(ask_once(&rig, 5000), DIR_OUTCOME_OK);
	searches = dir_conn_fake_counts(SERVER_A).searches;
	await(dir_conn_fake_counts(SERVER_A).live == 0);

	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(ask_once(&rig, 5000), DIR_OUTCOME_OK);
	assert_int_equal(dir_conn_fake_counts(SERVER_A).searches, searches);
	rig_done(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(submit__first_is_unsynchronized__second_answers_and_first_nothing),
	    cmocka_unit_test(submit__all_are_unsynchronized__fails_and_says_so),
	    cmocka_unit_test(submit__all_are_dead__says_nothing_of_replication),
	    cmocka_unit_test(backoff__unsynchronized_for_long__is_told_when_it_begins_and_when_it_ends),
	    cmocka_unit_test(backoff__unsynchronized__fills_no_log),
	    cmocka_unit_test(failback__first_has_synchronized__all_move_back),
	    cmocka_unit_test(ping__says_unsynchronized__connection_is_left),
	    cmocka_unit_test(open__says_unsynchronized__other_connections_are_doubted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
