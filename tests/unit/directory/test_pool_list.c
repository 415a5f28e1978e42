/* SPDX-License-Identifier: Apache-2.0 */
/* Servers that come and go while the pool is open. */
#include "pool_rig.h"

#include <support/dir_locate_fake.h>
#include <support/memory_failing.h>

#define DOMAIN   "corp.example"
#define SERVER_C "ldap://c.example"

static const char *const domain_uri = "ldap:///";
static const char *const domain = DOMAIN;

static void located_init(struct rig *rig, unsigned connections)
{
	rig_init(rig, 1, connections);
	dir_locate_fake_reset();
	rig->uris[0] = domain_uri;
	rig->directory.uri_domains = (const char **)(uintptr_t)&domain;
	rig->tuning.locator = (struct dir_locator_tuning){
	    .refresh_least_ms = 20, .refresh_most_ms = 20, .backoff_first_ms = 5, .backoff_last_ms = 20, .hurry_ms = 5};
}

static void located_done(struct rig *rig)
{
	rig_done(rig);
	assert_int_equal(dir_conn_fake_counts(SERVER_C).live, 0);
}

static void submit__servers_are_being_looked_for__waits_for_them(void **state)
{
	struct rig rig;
	struct ask ask;

	(void)state;
	located_init(&rig, 2);
	dir_locate_fake_hang(DOMAIN);
	rig_open(&rig);
	ask_submit(&rig, &ask, 300);
	sleep_ms(50);
	assert_int_equal(atomic_load(&ask.done), 0);

	ask_await(&ask);

	assert_int_equal(ask.searches[0].outcome, DIR_OUTCOME_TIMEOUT);
	ask_done(&ask);
	located_done(&rig);
}

static void submit__there_are_no_servers__fails_at_once_and_works_when_there_are(void **state)
{
	struct rig rig;
	struct ask ask;

	(void)state;
	located_init(&rig, 2);
	dir_locate_fake_fail(DOMAIN, STATUS_TIMEOUT);
	rig_open(&rig);
	ask_submit(&rig, &ask, 15000);
	ask_await(&ask);
	assert_int_equal(ask.searches[0].outcome, DIR_OUTCOME_UNAVAILABLE);
	assert_true(ask.done_ms + 10000 < ask.request.deadline_ms);
	ask_done(&ask);

	dir_locate_fake_answer(DOMAIN, 0, SERVER_A, NULL);

	await(rig_stats(&rig).connected == 2);
	assert_int_equal(ask_once(&rig, 5000), DIR_OUTCOME_OK);
	located_done(&rig);
}

static void list__a_better_server_comes__all_move_there_one_by_one(void **state)
{
	struct rig rig;

	(void)state;
	located_init(&rig, 3);
	dir_locate_fake_answer(DOMAIN, 0, SERVER_B, NULL);
	rig_open(&rig);
	await(dir_conn_fake_counts(SERVER_B).live == 3);

	dir_locate_fake_answer(DOMAIN, 0, SERVER_A, SERVER_B, NULL);

	await(dir_conn_fake_counts(SERVER_A).live == 3);
	await(dir_conn_fake_counts(SERVER_B).live == 0);
	assert_int_equal(rig_stats(&rig).failovers, 0);
	located_done(&rig);
}

/* Questions go on all the time, and none of them fails. */
static void list__server_vanishes_under_load__is_drained_and_nobody_notices(void **state)
{
	struct rig rig;

	(void)state;
	located_init(&rig, 2);
	dir_locate_fake_answer(DOMAIN, 0, SERVER_A, NULL);
	rig_open(&rig);
	await(dir_conn_fake_counts(SERVER_A).live == 2);
	dir_conn_fake_delay(2);
	for (unsigned round = 0; round < 10; round++) {
		const char *to = round % 2 == 0 ? SERVER_B : SERVER_A;

		dir_locate_fake_answer(DOMAIN, 0, to, NULL);
		do
			assert_int_equal(ask_once(&rig, 5000), DIR_OUTCOME_OK);
		while (dir_conn_fake_counts(to).live < 2);
		await(dir_conn_fake_counts(round % 2 == 0 ? SERVER_A : SERVER_B).live == 0);
	}
	assert_int_equal(rig_stats(&rig).failovers, 0);
	located_done(&rig);
}

static void list__new_servers_are_dead__the_old_connection_is_kept(void **state)
{
	struct rig rig;

	(void)state;
	located_init(&rig, 2);
	dir_conn_fake_script(SERVER_B, FAKE_OPEN_FAILS, FAKE_ANSWERS);
	dir_conn_fake_script(SERVER_C, FAKE_OPEN_HANGS, FAKE_ANSWERS);
	dir_locate_fake_answer(DOMAIN, 0, SERVER_A, NULL);
	rig_open(&rig);
	await(dir_conn_fake_counts(SERVER_A).live == 2);

	dir_locate_fake_answer(DOMAIN, 0, SERVER_B, SERVER_C, NULL);
	await(dir_conn_fake_counts(SERVER_B).opens > 0 && dir_conn_fake_counts(SERVER_C).opens > 0);
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(ask_once(&rig, 5000), DIR_OUTCOME_OK);
	assert_int_equal(dir_conn_fake_counts(SERVER_A).live, 2);

	dir_conn_fake_script(SERVER_C, FAKE_OPEN_WORKS, FAKE_ANSWERS);
	await(dir_conn_fake_counts(SERVER_C).live == 2 && dir_conn_fake_counts(SERVER_A).live == 0);
	located_done(&rig);
}

/* It vanished while a worker was connecting to it: that connection is used for want of another, and left. */
static void list__server_vanishes_while_it_is_connected_to__is_left(void **state)
{
	struct rig rig;

	(void)state;
	located_init(&rig, 1);
	rig.tuning.connect_ms = 20000;
	dir_conn_fake_script(SERVER_A, FAKE_OPEN_STUCK, FAKE_ANSWERS);
	dir_locate_fake_answer(DOMAIN, 0, SERVER_A, NULL);
	rig_open(&rig);
	await(dir_conn_fake_counts(SERVER_A).opens == 1);

	dir_locate_fake_answer(DOMAIN, 0, SERVER_B, NULL);
	const unsigned asked = dir_locate_fake_count(DOMAIN);

	await(dir_locate_fake_count(DOMAIN) > asked + 1);
	dir_conn_fake_script(SERVER_A, FAKE_OPEN_WORKS, FAKE_ANSWERS);

	await(dir_conn_fake_counts(SERVER_B).live == 1 && dir_conn_fake_counts(SERVER_A).live == 0);
	assert_int_equal(ask_once(&rig, 5000), DIR_OUTCOME_OK);
	located_done(&rig);
}

static void list__read_again__keeps_what_is_known_of_a_server(void **state)
{
	struct rig rig;

	(void)state;
	located_init(&rig, 1);
	rig.tuning.backoff_first_ms = rig.tuning.backoff_last_ms = 60000;
	dir_conn_fake_script(SERVER_A, FAKE_OPEN_FAILS, FAKE_ANSWERS);
	dir_locate_fake_answer(DOMAIN, 0, SERVER_A, SERVER_B, NULL);
	rig_open(&rig);
	await(dir_conn_fake_counts(SERVER_B).live == 1);

	for (unsigned i = 0; i < 5; i++) {
		const unsigned asked = dir_locate_fake_count(DOMAIN);

		if (i % 2 == 0)
			dir_locate_fake_answer(DOMAIN, 0, SERVER_C, SERVER_A, SERVER_B, NULL);
		else
			dir_locate_fake_answer(DOMAIN, 0, SERVER_A, SERVER_C, SERVER_B, NULL);
		await(dir_locate_fake_count(DOMAIN) > asked + 1);
	}
	await(dir_conn_fake_counts(SERVER_C).live == 1);
	assert_int_equal(dir_conn_fake_counts(SERVER_A).opens, 1); /* its back-off goes on */
	located_done(&rig);
}

static void hopeless__all_in_back_off__dns_is_asked_again(void **state)
{
	struct rig rig;

	(void)state;
	located_init(&rig, 2);
	rig.tuning.backoff_first_ms = rig.tuning.backoff_last_ms = 60000;
	rig.tuning.locator.refresh_least_ms = rig.tuning.locator.refresh_most_ms = 600000;
	dir_conn_fake_script(SERVER_A, FAKE_OPEN_STUCK, FAKE_ANSWERS);
	dir_locate_fake_answer(DOMAIN, 0, SERVER_A, NULL);
	rig_open(&rig);
	await(dir_conn_fake_counts(SERVER_A).opens == 1);
	dir_locate_fake_answer(DOMAIN, 0, SERVER_B, NULL);

	dir_conn_fake_script(SERVER_A, FAKE_OPEN_FAILS, FAKE_ANSWERS);

	await(dir_conn_fake_counts(SERVER_B).live == 2);
	assert_int_equal(ask_once(&rig, 5000), DIR_OUTCOME_OK);
	located_done(&rig);
}

static void list__no_memory__the_one_before_stays_until_there_is(void **state)
{
	struct rig rig;
	unsigned asked;

	(void)state;
	located_init(&rig, 2);
	dir_locate_fake_answer(DOMAIN, 0, SERVER_A, NULL);
	rig_open(&rig);
	await(dir_conn_fake_counts(SERVER_A).live == 2);

	memory_fail_from(1);
	dir_locate_fake_answer(DOMAIN, 0, SERVER_B, NULL);
	asked = dir_locate_fake_count(DOMAIN);
	await(dir_locate_fake_count(DOMAIN) > asked + 2);
	assert_int_equal(dir_conn_fake_counts(SERVER_A).live, 2);
	memory_fail_from(0);

	await(dir_conn_fake_counts(SERVER_B).live == 2 && dir_conn_fake_counts(SERVER_A).live == 0);
	located_done(&rig);
}

/* The list itself, the n-th allocation failing: all or nothing, and nothing is lost. */
static void take_list__each_allocation_failing__changes_nothing(void **state)
{
	static const char *const uris[] = {SERVER_C, SERVER_A, "ldap://d.example"};
	struct rig rig;
	struct error error;
	enum status status = STATUS_NO_MEMORY;

	(void)state;
	rig_init(&rig, 2, 1);
	rig_open(&rig);
	await(rig_stats(&rig).connected == 1);
	for (size_t n = 1; status == STATUS_NO_MEMORY; n++) {
		struct dir_servers *list = dir_servers_new(uris, COUNT_OF(uris));
		const size_t before = memory_live_count();

		assert_true(n < 20);
		memory_fail_at(n);
		mutex_lock(&rig.pool->lock);
		status = dir_pool_take_list_locked(rig.pool, list);
		memory_fail_at(0);
		if (status != STATUS_OK) {
			assert_int_equal(rig.pool->server_count, 2);
			assert_string_equal(rig.pool->servers[0]->uri, SERVER_A);
			assert_true(memory_live_count() < before); /* the list is gone, and nothing else is there */
		}
		mutex_unlock(&rig.pool->lock);
	}
	assert_status(status, STATUS_OK, &error);
	assert_int_equal(rig.pool->server_count, 3);
	await(dir_conn_fake_counts(SERVER_C).live == 1);
	located_done(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(submit__servers_are_being_looked_for__waits_for_them),
	    cmocka_unit_test(submit__there_are_no_servers__fails_at_once_and_works_when_there_are),
	    cmocka_unit_test(list__a_better_server_comes__all_move_there_one_by_one),
	    cmocka_unit_test(list__server_vanishes_under_load__is_drained_and_nobody_notices),
	    cmocka_unit_test(list__new_servers_are_dead__the_old_connection_is_kept),
	    cmocka_unit_test(list__server_vanishes_while_it_is_connected_to__is_left),
	    cmocka_unit_test(list__read_again__keeps_what_is_known_of_a_server),
	    cmocka_unit_test(hopeless__all_in_back_off__dns_is_asked_again),
	    cmocka_unit_test(list__no_memory__the_one_before_stays_until_there_is),
	    cmocka_unit_test(take_list__each_allocation_failing__changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
