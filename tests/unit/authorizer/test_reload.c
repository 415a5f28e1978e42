/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Another policy while the engine runs: it comes into force whole, once its groups are read, and not before; whoever asked under the
 * old one is answered by it; nothing of it stays behind.
 */
#include <unit/authorizer/engine_rig.h>

#include <membership/membership_private.h>

/* Coming into force */

static void engine_take_policy__its_groups_are_read__is_in_force_and_the_old_one_gone(void **state)
{
	struct rig *rig = *state;

	open_engine(rig, &policy_ops);
	assert_lets_in(rig, "alice");
	take_policy(rig, &policy_devs);
	assert_int_equal(count_regimes(rig), 2);
	pass(1000);
	assert_int_equal(count_lines(rig, IN_FORCE), 1);
	assert_int_equal(count_regimes(rig), 1);
	assert_null(rig->engine->coming);
	assert_lets_in(rig, "bob");
}

static void engine_take_policy__its_groups_are_not_read_yet__the_old_one_answers(void **state)
{
	struct rig *rig = *state;

	open_engine(rig, &policy_ops);
	assert_lets_in(rig, "alice");
	fail_load(rig, FAKE_FAULT_HANG);
	take_policy(rig, &policy_far);
	pass(100);
	assert_lets_in(rig, "alice");
	assert_int_equal(count_lines(rig, IN_FORCE), 0);
	fake_directory_clear_faults(rig->directory);
	pass(PATIENCE_MS);
	assert_lets_in(rig, "bob");
	assert_int_equal(count_regimes(rig), 1);
}

/* What callers' threads ask of the policy is that of the one in force; how the host is told is settled at Startup. */
static void engine_take_policy__what_callers_see__is_of_the_policy_in_force(void **state)
{
	static const struct rig_policy other = {
	    .attributes = "timeout=\"7s\"",
	    .rules = "<allow group=\"" OPS "\"/><plugin completion=\"asynchronous\" allow-null-token=\"true\"/>",
	};
	struct rig *rig = *state;

	open_engine(rig, &policy_ops);
	pass(1000);
	assert_false(wa_engine_allows_null_token(rig->engine));
	take_policy(rig, &other);
	assert_int_not_equal(wa_engine_timeout_ms(rig->engine), 7000);
	assert_false(wa_engine_allows_null_token(rig->engine));
	pass(1000);
	assert_int_equal(wa_engine_timeout_ms(rig->engine), 7000);
	assert_true(wa_engine_allows_null_token(rig->engine));
	assert_false(wa_engine_is_asynchronous(rig->engine));
	take_policy(rig, &policy_ops);
	pass(1000);
	assert_false(wa_engine_allows_null_token(rig->engine));
}

/* What is counted */

static struct wa_stats stats_of(const struct rig *rig)
{
	struct wa_stats stats;

	wa_engine_stats(rig->engine, &stats);
	return stats;
}

static void engine_take_policy__again_and_again__counters_do_not_go_back(void **state)
{
	struct rig *rig = *state;
	struct wa_stats before, now;
	struct measures measures;

	open_engine(rig, &policy_ops);
	assert_lets_in(rig, "alice");
	before = stats_of(rig);
	assert_true(before.decisions == 2 && before.searches > 0 && before.round_trips > 0);
	for (unsigned i = 0; i < 4; i++) {
		take_policy(rig, i % 2 == 0 ? &policy_devs : &policy_ops);
		for (unsigned ms = 0; ms < 1000; ms += 5) {
			pass(5);
			now = stats_of(rig);
			assert_true(now.decisions >= before.decisions && now.searches >= before.searches &&
				    now.round_trips >= before.round_trips && now.bytes_in >= before.bytes_in);
			before = now;
		}
		assert_int_equal(count_regimes(rig), 1);
		assert_lets_in(rig, i % 2 == 0 ? "bob" : "alice");
	}
	engine_measure(rig->engine, &measures);
	assert_int_equal(measures.policies_taken, 4);
	assert_int_equal(measures.closure_loads, 5);
	assert_int_equal(measures.policy_is_current, 1);
	assert_int_equal(measures.outcomes[WA_AUTHORIZE][WA_REASON_MEMBER], 5);
	assert_int_equal(measures.outcomes[WA_DENY][WA_REASON_NOT_A_MEMBER], 5);
	assert_int_equal(measures.searches, stats_of(rig).searches);
	assert_true(measures.searches > 5 * 2);
}

static void engine_take_policy__its_groups_cannot_be_read__is_counted(void **state)
{
	struct rig *rig = *state;
	struct measures measures;

	open_engine(rig, &policy_ops);
	pass(1000);
	fail_load(rig, FAKE_FAULT_CODE);
	take_policy(rig, &policy_far);
	pass(500);
	engine_measure(rig->engine, &measures);
	assert_int_equal(measures.policy_is_current, 0);
	assert_int_equal(measures.policies_taken, 0);
	take_policy(rig, &policy_ops);
	pass(1000);
	engine_measure(rig->engine, &measures);
	assert_int_equal(measures.policy_is_current, 1);
	assert_int_equal(measures.policies_taken, 1);
}

/* Questions under way */

static void engine_take_policy__a_question_is_under_way__is_answered_by_its_own_policy(void **state)
{
	struct rig *rig = *state;
	struct answer alice, bob;

	open_engine(rig, &policy_ops);
	pass(1000);
	dir_pool_fake_set_latency(SLOW_MS);
	assert_true(ask(rig, "alice", &alice));
	assert_true(ask(rig, "bob", &bob));
	(void)executor_manual_run_all(); /* they are on their way, slowly */
	dir_pool_fake_set_latency(LATENCY_MS);
	take_policy(rig, &policy_devs);
	pass(1000);
	assert_int_equal(count_lines(rig, IN_FORCE), 1);
	assert_int_equal(count_regimes(rig), 2);
	assert_lets_in(rig, "bob");
	assert_int_equal(alice.count + bob.count, 0);
	pass(SLOW_MS);
	assert_int_equal(alice.count, 1);
	assert_int_equal(alice.verdict, WA_AUTHORIZE);
	assert_string_equal(alice.rule, "allow " OPS);
	assert_int_equal(bob.count, 1);
	assert_int_equal(bob.reason, WA_REASON_NOT_A_MEMBER);
	assert_int_equal(count_regimes(rig), 1);
	/* And what the old one has learned meanwhile is not the new one's. */
	assert_lets_in(rig, "bob");
}

/* The old policy's own groups are still being read when the new one's are there. */
static void engine_take_policy__questions_wait_for_the_old_groups__are_answered_by_the_old_policy(void **state)
{
	struct rig *rig = *state;
	struct answer alice;

	dir_pool_fake_set_latency(SLOW_MS / 5);
	open_engine(rig, &policy_ops);
	assert_true(ask(rig, "alice", &alice));
	(void)executor_manual_run_all();
	dir_pool_fake_set_latency(LATENCY_MS);
	take_policy(rig, &policy_devs);
	pass(SLOW_MS / 5 - 10);
	assert_int_equal(count_lines(rig, IN_FORCE), 1);
	assert_int_equal(alice.count, 0);
	assert_int_equal(count_regimes(rig), 2);
	await(&alice);
	assert_int_equal(alice.verdict, WA_AUTHORIZE);
	pass(1);
	assert_int_equal(count_regimes(rig), 1);
	assert_lets_in(rig, "bob");
}

/* A policy that cannot be read */

static void engine_take_policy__its_load_fails__the_old_one_stays_and_it_is_tried_again(void **state)
{
	static const enum fake_fault_kind faults[] = {FAKE_FAULT_CODE, FAKE_FAULT_DOWN, FAKE_FAULT_DROP,
						      FAKE_FAULT_HANG, FAKE_FAULT_LIMIT};
	struct rig *rig = *state;

	for (size_t i = 0; i < COUNT_OF(faults); i++) {
		const size_t in_force = count_lines(rig, IN_FORCE), not_read = count_lines(rig, NOT_READ);

		open_engine(rig, &policy_ops);
		assert_lets_in(rig, "alice");
		fail_load(rig, faults[i]);
		take_policy(rig, &policy_far);
		pass(4 * PATIENCE_MS);
		assert_int_equal(count_lines(rig, IN_FORCE), in_force);
		assert_true(count_lines(rig, NOT_READ) > not_read + 3);
		assert_lets_in(rig, "alice");
		fake_directory_clear_faults(rig->directory);
		pass(PATIENCE_MS);
		assert_int_equal(count_lines(rig, IN_FORCE), in_force + 1);
		assert_lets_in(rig, "bob");
		assert_int_equal(count_regimes(rig), 1);
		wa_engine_close(&rig->engine);
	}
}

/* What cannot even be opened leaves nothing behind, however often it is tried. */
static void engine_take_policy__it_cannot_be_opened__the_old_one_stays(void **state)
{
	static const struct rig_policy no_folder = {
	    .rules = "<allow group=\"" DEVS "\"/><audit to=\"file\" file=\"/nonexistent/folder/audit.log\"/>"};
	struct rig *rig = *state;

	open_engine(rig, &policy_ops);
	assert_lets_in(rig, "alice");
	for (int i = 0; i < 3; i++) {
		take_policy(rig, &no_folder);
		pass(1000);
		assert_null(rig->engine->coming);
		assert_int_equal(count_regimes(rig), 1);
		assert_lets_in(rig, "alice");
	}
	assert_int_equal(count_lines(rig, "error: the new policy cannot be used, the old one stays in force: "), 3);
	assert_contains(rig->log, "/nonexistent/folder");
	take_policy(rig, &policy_devs);
	pass(1000);
	assert_lets_in(rig, "bob");
}

/* One policy after the other */

static void engine_take_policy__another_one_while_it_is_read__never_comes_into_force(void **state)
{
	struct rig *rig = *state;

	for (unsigned ms = 0; ms < 12 * LATENCY_MS; ms += 3) {
		open_engine(rig, &policy_ops);
		assert_lets_in(rig, "alice");
		take_policy(rig, &policy_far);
		if (ms > 0) /* else it has not even begun to read */
			pass(ms);
		take_policy(rig, &policy_ops);
		if (ms > 0)
			pass(ms);
		take_policy(rig, &policy_devs);
		pass(1000);
		assert_int_equal(count_regimes(rig), 1);
		assert_string_equal(rig->engine->regime->config->rules[0].group, DEVS);
		assert_lets_in(rig, "bob");
		wa_engine_close(&rig->engine);
	}
	assert_true(count_lines(rig, IN_FORCE) > 12 * LATENCY_MS / 3);
}

/* Until just before it would be: that moment comes while the other one is being read. */
static void engine_take_policy__another_one_while_it_waits_to_be_tried_again__takes_its_place(void **state)
{
	struct rig *rig = *state;

	for (uint64_t left_ms = 1; left_ms < TRY_AGAIN_MS;
	     left_ms += left_ms < 10 * LATENCY_MS ? 3 : TRY_AGAIN_MS / 3) {
		rig->log[rig->log_length = 0] = '\0';
		open_engine(rig, &policy_ops);
		assert_lets_in(rig, "alice");
		fail_load(rig, FAKE_FAULT_CODE);
		take_policy(rig, &policy_far);
		while (count_lines(rig, NOT_READ) == 0)
			pass(1);
		pass(TRY_AGAIN_MS - left_ms - 1);
		take_policy(rig, &policy_devs);
		assert_int_equal(count_regimes(rig), 3); /* it goes, but not inside the call */
		pass(4 * TRY_AGAIN_MS);
		assert_int_equal(count_lines(rig, NOT_READ), 1);
		assert_int_equal(count_lines(rig, IN_FORCE), 1);
		assert_int_equal(count_regimes(rig), 1);
		fake_directory_clear_faults(rig->directory);
		assert_lets_in(rig, "bob");
		wa_engine_close(&rig->engine);
	}
}

/* The old one, given again while the new one waits: the file was put back. */
static void engine_take_policy__back_to_the_old_one__works(void **state)
{
	struct rig *rig = *state;

	open_engine(rig, &policy_ops);
	assert_lets_in(rig, "alice");
	fail_load(rig, FAKE_FAULT_CODE);
	take_policy(rig, &policy_far);
	pass(3 * TRY_AGAIN_MS);
	take_policy(rig, &policy_ops);
	pass(3 * TRY_AGAIN_MS);
	assert_int_equal(count_regimes(rig), 1);
	assert_lets_in(rig, "alice");
	fake_directory_clear_faults(rig->directory);
	pass(3 * TRY_AGAIN_MS);
	assert_lets_in(rig, "alice");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    RIGGED(engine_take_policy__its_groups_are_read__is_in_force_and_the_old_one_gone),
	    RIGGED(engine_take_policy__its_groups_are_not_read_yet__the_old_one_answers),
	    RIGGED(engine_take_policy__what_callers_see__is_of_the_policy_in_force),
	    RIGGED(engine_take_policy__again_and_again__counters_do_not_go_back),
	    RIGGED(engine_take_policy__its_groups_cannot_be_read__is_counted),
	    RIGGED(engine_take_policy__a_question_is_under_way__is_answered_by_its_own_policy),
	    RIGGED(engine_take_policy__questions_wait_for_the_old_groups__are_answered_by_the_old_policy),
	    RIGGED(engine_take_policy__its_load_fails__the_old_one_stays_and_it_is_tried_again),
	    RIGGED(engine_take_policy__it_cannot_be_opened__the_old_one_stays),
	    RIGGED(engine_take_policy__another_one_while_it_is_read__never_comes_into_force),
	    RIGGED(engine_take_policy__another_one_while_it_waits_to_be_tried_again__takes_its_place),
	    RIGGED(engine_take_policy__back_to_the_old_one__works),
	};

	return cmocka_run_group_tests_name("authorizer/reload", tests, NULL, NULL);
}
