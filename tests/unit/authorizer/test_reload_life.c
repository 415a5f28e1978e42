/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A policy that is replaced goes, whatever it was in the middle of; the engine ends, whatever policy is on its way; and
 * memory runs out.
 */
#include <unit/authorizer/engine_rig.h>

#include <support/memory_failing.h>

/* What the old one was in the middle of */

/* A proof of freshness is asked for without a question that holds the policy. */
static void engine_take_policy__a_lease_is_asked_for__the_old_one_goes_all_the_same(void **state)
{
	struct rig *rig = *state;
	const struct wa_question question = question_of(WA_KIND_OPERATION, "alice");
	struct answer answer = {.count = 0};

	dir_watch_fake_enable();
	open_engine(rig, &policy_ops);
	pass(100);
	assert_lets_in(rig, "alice");
	pass(MEMBERSHIP_LEASE_MS * 3 / 4);
	dir_pool_fake_set_latency(SLOW_MS);
	assert_true(wa_engine_decide_cached(rig->engine, &question, keep_answer, &answer));
	(void)executor_manual_run_all();
	assert_int_equal(dir_pool_fake_in_flight(), 1);
	dir_pool_fake_set_latency(LATENCY_MS);
	take_policy(rig, &policy_devs);
	pass(500);
	assert_int_equal(count_regimes(rig), 1);
	assert_int_equal(dir_pool_fake_in_flight(), 0);
	assert_int_equal(dir_watch_fake_count(), 1);
	pass(SLOW_MS);
	assert_lets_in(rig, "bob");
}

/* A caller on another thread, in the last moment of the old policy: what it posts stands in the queue before the old one's end. */
static void ask_cache_when_groups_are_read(struct rig *rig, const char *line)
{
	const struct wa_question question = question_of(WA_KIND_OPERATION, "alice");
	struct answer answer = {.count = 0};

	if (strncmp(line, "read ", 5) != 0)
		return;
	assert_true(wa_engine_decide_cached(rig->engine, &question, keep_answer, &answer));
	assert_true(atomic_load(&engine_regime(rig->engine)->renewing));
	rig->on_line = NULL;
}

static void engine_take_policy__a_renewal_is_queued__it_runs_for_nobody(void **state)
{
	struct rig *rig = *state;

	dir_watch_fake_enable();
	open_engine(rig, &policy_ops);
	pass(100);
	assert_lets_in(rig, "alice");
	pass(MEMBERSHIP_LEASE_MS * 3 / 4);
	rig->on_line = ask_cache_when_groups_are_read;
	take_policy(rig, &policy_devs);
	pass(200);
	assert_null(rig->on_line);
	assert_int_equal(count_lines(rig, IN_FORCE), 1);
	assert_int_equal(count_regimes(rig), 1);
	assert_lets_in(rig, "bob");
}

/* Its groups alone stand there, so that a fault can be of the old policy's load. */
static const struct rig_policy policy_near = {.groups = "<groups base=\"ou=groups,dc=x\"/>",
					      .rules = "<allow group=\"" OPS "\"/>"};

/* The old policy is to read its groups again in a while: nobody waits for that any more. */
static void engine_take_policy__the_old_one_waits_to_read_its_groups_again__goes_without(void **state)
{
	static char when[] = "ou=groups";
	const struct fake_fault fault = {.kind = FAKE_FAULT_CODE, .code = 50, .when = when};
	struct rig *rig = *state;
	uint64_t searches;

	dir_watch_fake_enable();
	open_engine(rig, &policy_near);
	pass(100);
	assert_lets_in(rig, "alice");
	fake_directory_add_fault(rig->directory, &fault);
	assert_true(fake_directory_rename(rig->directory, "ou=people,dc=x", "ou=staff,dc=x"));
	pass(200);
	assert_true(count_lines(rig, "no decision can be made") > 0);
	take_policy(rig, &policy_far);
	pass(200);
	assert_int_equal(count_lines(rig, IN_FORCE), 1);
	assert_int_equal(count_regimes(rig), 1);
	searches = dir_pool_fake_requests();
	pass(PATIENCE_MS);
	assert_int_equal(dir_pool_fake_requests(), searches);
}

/* The watch owes the old policy what the pool has seen, when that goes. */
static void engine_take_policy__the_watch_is_behind__the_old_one_goes_all_the_same(void **state)
{
	struct rig *rig = *state;
	const struct wa_question question = question_of(WA_KIND_OPERATION, "alice");
	struct answer answer = {.count = 0};

	dir_watch_fake_enable();
	open_engine(rig, &policy_ops);
	pass(100);
	assert_lets_in(rig, "alice");
	pass(MEMBERSHIP_LEASE_MS * 3 / 4);
	dir_watch_fake_freeze();
	gain(rig, OPS, "description", "other");
	assert_true(wa_engine_decide_cached(rig->engine, &question, keep_answer, &answer));
	pass(LATENCY_MS + 1);
	take_policy(rig, &policy_devs);
	pass(MEMBERSHIP_DOUBT_MS / 2);
	assert_int_equal(count_lines(rig, IN_FORCE), 1);
	assert_int_equal(count_regimes(rig), 1);
	pass((uint64_t)4 * MEMBERSHIP_DOUBT_MS);
	assert_int_equal(count_lines(rig, "notifications are behind"), 0);
	dir_watch_fake_thaw();
	pass(100);
	assert_lets_in(rig, "bob");
}

/* A group of the old policy is being read again, as its change was told. */
static void engine_take_policy__a_change_is_being_applied__the_old_one_goes_all_the_same(void **state)
{
	struct rig *rig = *state;

	for (unsigned ms = 0; ms < 6 * LATENCY_MS; ms++) {
		dir_watch_fake_use(rig->directory);
		dir_watch_fake_enable();
		open_engine(rig, &policy_ops);
		pass(100);
		assert_lets_in(rig, "alice");
		take_policy(rig, &policy_devs);
		pass(ms);
		gain(rig, OPS, "member", BOB);
		pass(1000);
		assert_int_equal(count_regimes(rig), 1);
		assert_lets_in(rig, "bob");
		assert_true(fake_directory_lose(rig->directory, OPS, "member", BOB));
		wa_engine_close(&rig->engine);
	}
}

static void engine_take_policy__a_hundred_times__leaves_nothing_behind(void **state)
{
	struct rig *rig = *state;
	struct answer answers[100];
	size_t before;

	open_engine(rig, &policy_ops);
	for (size_t i = 0; i < 2; i++) {
		before = memory_live_count();
		for (size_t k = 0; k < COUNT_OF(answers); k++) {
			assert_true(ask(rig, k % 3 == 0 ? "alice" : "bob", &answers[k]));
			take_policy(rig, k % 2 == 0 ? &policy_devs : &policy_ops);
			pass(k);
		}
		take_policy(rig, &policy_ops);
		pass(PATIENCE_MS);
		for (size_t k = 0; k < COUNT_OF(answers); k++) {
			assert_int_equal(answers[k].count, 1);
			assert_int_not_equal(answers[k].verdict, WA_ERROR);
		}
		assert_int_equal(count_regimes(rig), 1);
		assert_lets_in(rig, "alice");
	}
	/* The first round has made what stays, such as the cache's pages. */
	assert_int_equal(memory_live_count(), before);
}

/* The end */

/* Closed at each moment: while the groups are read, while it is tried again, when it has just come, when the old one goes. */
static void wa_engine_close__at_any_moment_of_a_change__answers_everything(void **state)
{
	struct rig *rig = *state;
	size_t errors;

	for (unsigned row = 0; row < 4; row++) {
		for (unsigned ms = 0; ms < 14 * LATENCY_MS; ms += LATENCY_MS / 2 - 1) {
			const size_t before = memory_live_count();
			struct answer answers[4];

			fake_directory_clear_faults(rig->directory);
			errors = count_lines(rig, "error: ");
			open_engine(rig, &policy_ops);
			if (row > 0)
				assert_lets_in(rig, "alice");
			if (row == 2)
				fail_load(rig, FAKE_FAULT_CODE);
			assert_true(ask(rig, "alice", &answers[0]));
			take_policy(rig, &policy_far);
			assert_true(ask(rig, "bob", &answers[1]));
			pass(ms);
			assert_true(ask(rig, "dora", &answers[2]));
			if (row == 3)
				take_policy(rig, &policy_devs);
			assert_true(ask(rig, "alice", &answers[3]));
			wa_engine_close(&rig->engine);
			for (size_t i = 0; i < COUNT_OF(answers); i++) {
				assert_int_equal(answers[i].count, 1);
				if (answers[i].verdict == WA_ERROR)
					assert_int_equal(answers[i].reason, WA_REASON_SHUTTING_DOWN);
			}
			assert_int_not_equal(answers[2].verdict, WA_AUTHORIZE);
			assert_int_equal(dir_pool_fake_in_flight(), 0);
			assert_int_equal(dir_watch_fake_count(), 0);
			assert_int_equal(memory_live_count(), before);
			if (row != 2)
				assert_int_equal(count_lines(rig, "error: "), errors);
		}
	}
}

/* What the watch has told stands in the executor's queue when the engine is closed. */
static void wa_engine_close__a_policy_is_queued__it_is_not_taken_and_nobody_complains(void **state)
{
	struct rig *rig = *state;
	const size_t before = memory_live_count();
	struct taking taking;
	struct task task = {.run = take, .context = &taking};

	open_engine(rig, &policy_ops);
	assert_lets_in(rig, "alice");
	taking = (struct taking){rig->engine, parse(&policy_devs)};
	executor_post(rig->engine->executor, &task);
	wa_engine_close(&rig->engine);
	config_unref(&taking.config);
	assert_int_equal(count_lines(rig, "error: "), 0);
	assert_int_equal(count_lines(rig, IN_FORCE), 0);
	assert_int_equal(memory_live_count(), before);
}

/* Memory */

/* Whatever fails, either the new policy is in force in the end, or it was said that it is not. */
static void take_with_failures(struct rig *rig, bool for_good)
{
	size_t refusals = 0, later = 0;

	for (size_t n = 1;; n++) {
		const size_t before = memory_live_count();
		const struct config *config = parse(&policy_devs);
		struct answer alice;
		bool is_taken, is_in_force;
		size_t asked;

		rig->log[rig->log_length = 0] = '\0';
		open_engine(rig, &policy_ops);
		assert_lets_in(rig, "alice");
		if (for_good)
			memory_fail_from(n);
		else
			memory_fail_at(n);
		take_config(rig, config);
		is_taken = ask(rig, "alice", &alice);
		pass(2 * TRY_AGAIN_MS);
		asked = memory_fail_count();
		memory_fail_at(0);
		config_unref(&config);
		pass(PATIENCE_MS);
		is_in_force = count_lines(rig, IN_FORCE) > 0;
		assert_int_equal(alice.count, is_taken ? 1 : 0);
		if (alice.count > 0 && alice.verdict != WA_ERROR)
			assert_int_equal(alice.verdict, WA_AUTHORIZE);
		if (!is_in_force)
			assert_true(count_lines(rig, "the new policy cannot be used") + count_lines(rig, NOT_READ) > 0);
		assert_null(rig->engine->coming);
		assert_int_equal(count_regimes(rig), 1);
		assert_lets_in(rig, is_in_force ? "bob" : "alice");
		refusals += !is_in_force;
		later += count_lines(rig, NOT_READ) > 0 && is_in_force;
		/* And the next time it works. */
		take_policy(rig, &policy_far);
		pass(1000);
		assert_lets_in(rig, "bob");
		wa_engine_close(&rig->engine);
		assert_int_equal(memory_live_count(), before);
		if (asked < n)
			break;
	}
	assert_true(refusals >= 5);
	assert_true(for_good || later >= 5);
}

static void engine_take_policy__no_memory_once__is_in_force_later_or_refused(void **state)
{
	take_with_failures(*state, false);
}

static void engine_take_policy__no_memory_for_a_while__is_in_force_later_or_refused(void **state)
{
	take_with_failures(*state, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    RIGGED(engine_take_policy__a_lease_is_asked_for__the_old_one_goes_all_the_same),
	    RIGGED(engine_take_policy__a_renewal_is_queued__it_runs_for_nobody),
	    RIGGED(engine_take_policy__the_old_one_waits_to_read_its_groups_again__goes_without),
	    RIGGED(engine_take_policy__the_watch_is_behind__the_old_one_goes_all_the_same),
	    RIGGED(engine_take_policy__a_change_is_being_applied__the_old_one_goes_all_the_same),
	    RIGGED(engine_take_policy__a_hundred_times__leaves_nothing_behind),
	    RIGGED(wa_engine_close__at_any_moment_of_a_change__answers_everything),
	    RIGGED(wa_engine_close__a_policy_is_queued__it_is_not_taken_and_nobody_complains),
	    RIGGED(engine_take_policy__no_memory_once__is_in_force_later_or_refused),
	    RIGGED(engine_take_policy__no_memory_for_a_while__is_in_force_later_or_refused),
	};

	return cmocka_run_group_tests_name("authorizer/reload_life", tests, NULL, NULL);
}
