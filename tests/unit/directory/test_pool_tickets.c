/* SPDX-License-Identifier: Apache-2.0 */
/* Connections whose tickets end: replaced before, one at a time, and kept where that fails. */
#include "pool_rig.h"

static void ticket__nears_its_end__connections_are_replaced_without_a_gap(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 1, 2);
	dir_conn_fake_ticket(SERVER_A, 200);
	rig_open(&rig);
	await(dir_conn_fake_counts(SERVER_A).live == 2);

	while (dir_conn_fake_counts(SERVER_A).opens < 8)
		assert_int_equal(ask_once(&rig, 5000), DIR_OUTCOME_OK);

	assert_int_equal(rig_stats(&rig).failovers, 0);
	assert_int_equal(atomic_load(&rig.warnings), 0);
	rig_done(&rig);
}

static void ticket__idle_pool__is_replaced_too(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 1, 1);
	dir_conn_fake_ticket(SERVER_A, 200);
	rig_open(&rig);

	await(dir_conn_fake_counts(SERVER_A).opens >= 3);

	await(dir_conn_fake_counts(SERVER_A).live == 1);
	rig_done(&rig);
}

static void ticket__kdc_hangs__the_others_answer(void **state)
{
	struct rig rig;
	size_t i;

	(void)state;
	rig_init(&rig, 1, 2);
	dir_conn_fake_ticket(SERVER_A, 300);
	rig_open(&rig);
	await(dir_conn_fake_counts(SERVER_A).live == 2);
	dir_conn_fake_script(SERVER_A, FAKE_OPEN_STUCK, FAKE_ANSWERS);
	await(dir_conn_fake_counts(SERVER_A).opens == 3);

	/* Long after the second ticket was due. */
	for (i = 0; i < 50; i++) {
		assert_int_equal(ask_once(&rig, 5000), DIR_OUTCOME_OK);
		sleep_ms(10);
	}

	assert_int_equal(dir_conn_fake_counts(SERVER_A).opens, 3);
	dir_conn_fake_script(SERVER_A, FAKE_OPEN_WORKS, FAKE_ANSWERS);
	rig_done(&rig);
}

static void ticket__new_one_is_refused__old_connections_go_on_and_it_is_tried_once(void **state)
{
	struct rig rig;
	size_t i;

	(void)state;
	rig_init(&rig, 1, 2);
	rig.tuning.refused_ms = 60000;
	dir_conn_fake_ticket(SERVER_A, 200);
	rig_open(&rig);
	await(dir_conn_fake_counts(SERVER_A).live == 2);
	dir_conn_fake_script(SERVER_A, FAKE_OPEN_REFUSES, FAKE_ANSWERS);
	await(rig_stats(&rig).connect_failures == 1);

	for (i = 0; i < 30; i++) {
		assert_int_equal(ask_once(&rig, 5000), DIR_OUTCOME_OK);
		sleep_ms(10);
	}

	assert_int_equal(rig_stats(&rig).connect_failures, 1);
	assert_int_equal(dir_conn_fake_counts(SERVER_A).live, 2);
	rig_done(&rig);
}

static void ticket__new_one_fails_once__is_tried_again(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 1, 1);
	dir_conn_fake_ticket(SERVER_A, 200);
	rig_open(&rig);
	await(dir_conn_fake_counts(SERVER_A).live == 1);
	dir_conn_fake_script(SERVER_A, FAKE_OPEN_FAILS, FAKE_ANSWERS);
	await(rig_stats(&rig).connect_failures >= 2);
	dir_conn_fake_script(SERVER_A, FAKE_OPEN_WORKS, FAKE_ANSWERS);

	await(rig_stats(&rig).connects >= 2);

	assert_int_equal(ask_once(&rig, 5000), DIR_OUTCOME_OK);
	rig_done(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(ticket__nears_its_end__connections_are_replaced_without_a_gap),
	    cmocka_unit_test(ticket__idle_pool__is_replaced_too),
	    cmocka_unit_test(ticket__kdc_hangs__the_others_answer),
	    cmocka_unit_test(ticket__new_one_is_refused__old_connections_go_on_and_it_is_tried_once),
	    cmocka_unit_test(ticket__new_one_fails_once__is_tried_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
