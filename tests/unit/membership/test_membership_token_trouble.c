/* SPDX-License-Identifier: Apache-2.0 */
/* The cross-check with tokenGroups when it is stopped, has no memory, or has its hands full. */
#include "token_rig.h"

static void membership_stop__while_it_asks_or_waits__ends_without_a_word(void **state)
{
	/* The fourth: while he is asked about for the third time. */
	static const uint64_t at_ms[] = {0, DOMAIN_STAGE_LATENCY_MS / 2, AGAIN_MS / 2,
					 2 * AGAIN_MS + DOMAIN_STAGE_LATENCY_MS * 5 / 2, TRIES_MS + 10};
	static const bool is_asking[] = {true, true, false, true, false};

	for (size_t i = 0; i < COUNT_OF(at_ms); i++) {
		struct rig *rig = *state;
		unsigned alarms;

		rig_hide(rig, ALICE);
		assert_int_equal(rig_decide(rig, ALICE, ALICE_SID), MEMBERSHIP_DONE);
		rig_advance(rig, at_ms[i]);
		alarms = rig->alarms;
		executor_manual_call(rig->stage.executor, rig_stop, rig->membership);
		assert_int_equal(membership_has_ended(rig->membership), !is_asking[i]);
		rig->questions = rig->touched = 0;
		rig_advance(rig, MEMBERSHIP_TOKEN_PATIENCE_MS);
		assert_true(membership_has_ended(rig->membership));
		assert_int_equal(rig->alarms, alarms);
		assert_int_equal(rig->touched, 0);
		/* Only what had been sent off before. */
		assert_true(rig->questions <= (i == 0 ? 1U : 0U));
		assert_int_equal(executor_manual_timer_count(rig->stage.executor), 0);
		(void)rig_tear_down(state);
		(void)rig_set_up(state);
	}
}

/* Whatever could not be had at one time: the next time it goes on, and nobody is wrongly suspected, or forgotten. */
static bool survive(void **state, size_t n)
{
	struct rig *rig = *state;
	size_t count;

	rig_hide(rig, ALICE);
	rig->fail_at = n;
	assert_int_equal(rig_decide(rig, ALICE, ALICE_SID), MEMBERSHIP_DONE);
	rig_advance(rig, TRIES_MS + TURN_MS / 2);
	count = memory_fail_count();
	memory_fail_at(0);
	rig_advance(rig, NEXT_MS);
	if (rig->alarms == 0)
		rig_suspect(rig, ALICE, ALICE_SID);
	assert_int_equal(rig->alarms, 1);
	assert_int_equal(rig_decide(rig, ALICE, ALICE_SID), MEMBERSHIP_UNKNOWN);
	fake_domain_nest(rig->stage.directory, ALICE, DOMAIN_STAGE_INNER);
	rig_advance(rig, NEXT_MS);
	assert_int_equal(rig->cleared, 1);
	assert_int_equal(rig_decide(rig, ALICE, ALICE_SID), MEMBERSHIP_DONE);
	rig_advance(rig, 100);
	return count >= n;
}

static void membership_token_check__no_memory__goes_on_later(void **state)
{
	size_t n = 0, before;
	bool has_failed = true;

	(void)rig_tear_down(state);
	before = memory_live_count();
	while (has_failed) {
		(void)rig_set_up(state);
		has_failed = survive(state, ++n);
		(void)rig_tear_down(state);
		assert_int_equal(memory_live_count(), before);
	}
	(void)rig_set_up(state);
	assert_true(n > 10);
}

/* Nor does it stand still for want of a timer: between the tries, or once somebody is suspected. */
static void membership_token_check__no_memory_for_a_timer__goes_on_later(void **state)
{
	static const uint64_t moments_ms[] = {0, AGAIN_MS + AGAIN_MS / 2, 2 * AGAIN_MS + AGAIN_MS / 2,
					      TRIES_MS + TURN_MS / 2};

	for (size_t i = 0; i < COUNT_OF(moments_ms); i++) {
		struct rig *rig = *state;

		rig_hide(rig, ALICE);
		assert_int_equal(rig_decide(rig, ALICE, ALICE_SID), MEMBERSHIP_DONE);
		rig_advance(rig, moments_ms[i]);
		executor_manual_refuse_timer(&rig->membership->token.timer);
		rig_advance(rig, NEXT_MS);
		executor_manual_refuse_timer(NULL);
		if (rig->alarms == 0)
			rig_suspect(rig, ALICE, ALICE_SID);
		assert_int_equal(rig->alarms, 1);
		assert_int_equal(rig_decide(rig, ALICE, ALICE_SID), MEMBERSHIP_UNKNOWN);
		fake_domain_nest(rig->stage.directory, ALICE, DOMAIN_STAGE_INNER);
		rig_advance(rig, NEXT_MS);
		assert_int_equal(rig->cleared, 1);
		assert_int_equal(rig_decide(rig, ALICE, ALICE_SID), MEMBERSHIP_DONE);
		(void)rig_tear_down(state);
		(void)rig_set_up(state);
	}
}

/* The groups cannot be read again: nobody is suspected for what may have changed, nor is the directory asked for ever. */
static void membership_token_check__the_groups_cannot_be_read_again__is_left_alone(void **state)
{
	char when[] = DOMAIN_STAGE_LISTING;
	const struct fake_fault refuse = {.kind = FAKE_FAULT_CODE, .code = 50, .when = when};
	struct rig *rig = *state;

	rig_hide(rig, ALICE);
	fake_directory_add_fault(rig->stage.directory, &refuse);
	assert_int_equal(rig_decide(rig, ALICE, ALICE_SID), MEMBERSHIP_DONE);
	rig_advance(rig, MEMBERSHIP_TOKEN_EVERY_MS / 2);
	assert_int_equal(rig->alarms, 0);
	assert_int_equal(rig->questions, 2);
	fake_directory_clear_faults(rig->stage.directory);
	rig_advance(rig, NEXT_MS);
	rig_suspect(rig, ALICE, ALICE_SID);
	assert_int_equal(rig->alarms, 1);
}

/* A suspect's turn that comes while somebody else is asked about is not lost. */
static void membership_token_check__a_turn_comes_while_it_asks__is_made_up_for(void **state)
{
	const struct fake_fault hang = {.kind = FAKE_FAULT_HANG, .times = 1};
	struct rig *rig = *state;
	unsigned before;

	rig_hide(rig, ALICE);
	rig_suspect(rig, ALICE, ALICE_SID);
	rig_advance(rig, NEXT_MS);
	before = rig->questions;
	while (rig->questions == before)
		rig_advance(rig, 1000);
	rig_advance(rig, TURN_MS - 5000);
	fake_directory_add_fault(rig->stage.directory, &hang);
	assert_int_equal(rig_decide(rig, BOB, BOB_SID), MEMBERSHIP_DONE);
	rig_advance(rig, 8000);
	assert_true(rig->membership->token.asking);
	fake_domain_nest(rig->stage.directory, ALICE, DOMAIN_STAGE_INNER);
	rig_advance(rig, 2 * TURN_MS);
	assert_int_equal(rig->cleared, 1);
	assert_int_equal(rig_decide(rig, ALICE, ALICE_SID), MEMBERSHIP_DONE);
}

#define TOKEN_TEST(function) cmocka_unit_test_setup_teardown(function, rig_set_up, rig_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TOKEN_TEST(membership_stop__while_it_asks_or_waits__ends_without_a_word),
	    TOKEN_TEST(membership_token_check__no_memory__goes_on_later),
	    TOKEN_TEST(membership_token_check__no_memory_for_a_timer__goes_on_later),
	    TOKEN_TEST(membership_token_check__the_groups_cannot_be_read_again__is_left_alone),
	    TOKEN_TEST(membership_token_check__a_turn_comes_while_it_asks__is_made_up_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
