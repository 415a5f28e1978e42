/* SPDX-License-Identifier: Apache-2.0 */
/* What who looks a policy over is told beyond the decision, and that the decision is the same. */
#include "engine_rig.h"

#include <authorizer/review.h>
#include <support/memory_failing.h>

static const struct rig_policy policy_sites = {
    .rules = "<allow group=\"" OPS "\"/><allow group=\"" DEVS "\" administrator=\"true\"/>"
	     "<account disabled=\"allow\" expired=\"allow\"/>"
	     "<redirect attribute=\"l\" here=\"AMER\"><site name=\"EMEA\" uri=\"https://e:5986/wsman\"/></redirect>",
};

struct seen {
	unsigned count;
	enum wa_verdict verdict;
	enum wa_reason reason;
	bool has_facts, has_account, is_disabled, is_here;
	size_t site, site_values, direct_count;
	char site_value[32], first_group[64];
};

static void look(void *context, const struct review *review)
{
	struct seen *seen = context;

	seen->count++;
	seen->verdict = review->decision->verdict;
	seen->reason = review->decision->reason;
	seen->has_facts = review->facts != NULL;
	seen->has_account = review->has_account;
	seen->is_disabled = review->account.expired;
	seen->is_here = review->is_here;
	seen->site = review->site;
	seen->site_values = review->site_values;
	seen->direct_count = review->direct_count;
	(void)snprintf(seen->site_value, sizeof(seen->site_value), "%s", or_none(review->site_value));
	if (review->direct_count > 0)
		(void)snprintf(seen->first_group, sizeof(seen->first_group), "%s",
			       closure_group_dn(review->closure, review->direct[0]));
}

static void await_seen(const struct seen *seen)
{
	for (unsigned ms = 0; ms < PATIENCE_MS && seen->count == 0; ms++)
		pass(1);
	assert_int_equal(seen->count, 1);
}

static struct seen review(const struct rig *rig, const char *sender)
{
	const struct wa_question question = question_of(WA_KIND_USER, sender);
	struct seen seen = {.count = 0};

	assert_true(review_user(rig->engine, &question, look, &seen));
	await_seen(&seen);
	return seen;
}

static void review_user__member_with_a_site__tells_groups_and_place(void **state)
{
	struct rig *rig = *state;
	struct seen seen;

	gain(rig, ALICE, "l", "emea");
	open_engine(rig, &policy_sites);
	seen = review(rig, "alice");

	assert_int_equal(seen.verdict, WA_REDIRECT);
	assert_true(seen.has_facts && seen.has_account);
	assert_int_equal(seen.site, 0);
	assert_string_equal(seen.site_value, "emea");
	assert_int_equal(seen.direct_count, 1);
	assert_string_equal(seen.first_group, OPS);
}

static void review_user__place_of_this_host_or_of_nobody__are_told_apart(void **state)
{
	struct rig *rig = *state;
	struct seen here, nowhere, untold;

	gain(rig, ALICE, "l", "AMER");
	gain(rig, BOB, "l", "Moon");
	gain(rig, BOB, "l", "Mars");
	open_engine(rig, &policy_sites);
	here = review(rig, "alice");
	nowhere = review(rig, "bob");
	untold = review(rig, "dora");

	assert_true(here.is_here);
	assert_false(nowhere.is_here);
	assert_int_equal(nowhere.site, POLICY_NO_SITE);
	assert_int_equal(nowhere.site_values, 2);
	assert_false(untold.is_here);
	assert_int_equal(untold.site_values, 0);
}

static void review_user__expired_but_allowed__state_is_told(void **state)
{
	struct rig *rig = *state;
	struct seen seen;

	gain(rig, ALICE, "pwdEndTime", "20200101000000Z");
	open_engine(rig, &policy_sites);
	seen = review(rig, "alice");

	assert_int_equal(seen.verdict, WA_AUTHORIZE);
	assert_true(seen.is_disabled);
}

static void review_user__nobody_or_no_name__has_no_facts(void **state)
{
	struct rig *rig = *state;
	struct seen nobody, no_name;

	open_engine(rig, &policy_sites);
	nobody = review(rig, "zoe");
	no_name = review(rig, "a\tb");

	assert_int_equal(nobody.reason, WA_REASON_NO_SUCH_USER);
	assert_false(nobody.has_facts);
	assert_int_equal(no_name.reason, WA_REASON_BAD_SENDER_NAME);
	assert_false(no_name.has_facts);
}

static void review_user__everybody__verdicts_are_those_of_decide(void **state)
{
	static const char *const senders[] = {"alice", "bob", "dora", "zoe", "CORP\\alice", "ELSEWHERE\\alice", "a\tb"};
	struct rig *rig = *state;

	open_engine(rig, &policy_ops);
	for (size_t i = 0; i < COUNT_OF(senders); i++) {
		const struct answer answer = ask_and_wait(rig, senders[i]);
		const struct seen seen = review(rig, senders[i]);

		assert_int_equal(seen.verdict, answer.verdict);
		assert_int_equal(seen.reason, answer.reason);
	}
}

/* The ground */

struct ground {
	unsigned count;
	enum wa_reason reason;
	bool has_closure, has_forest;
	char detail[256], name[32];
};

static void look_around(void *context, const struct review_ground *told)
{
	struct ground *ground = context;

	ground->count++;
	ground->reason = told->reason;
	ground->has_closure = told->closure != NULL;
	ground->has_forest = told->forest != NULL;
	(void)snprintf(ground->detail, sizeof(ground->detail), "%s", or_none(told->detail));
	(void)snprintf(ground->name, sizeof(ground->name), "%s", or_none(told->directory->user_name_attribute));
}

static struct ground survey(const struct rig *rig)
{
	struct ground ground = {.count = 0};

	assert_true(review_ground(rig->engine, look_around, &ground));
	for (unsigned ms = 0; ms < PATIENCE_MS && ground.count == 0; ms++)
		pass(1);
	assert_int_equal(ground.count, 1);
	return ground;
}

static void review_ground__groups_are_being_read__waits_for_them(void **state)
{
	struct rig *rig = *state;
	struct ground ground;

	open_engine(rig, &policy_ops);
	ground = survey(rig);

	assert_int_equal(ground.reason, WA_REASON_NONE);
	assert_true(ground.has_closure);
	assert_false(ground.has_forest);
	assert_string_equal(ground.name, "uid");
}

static void review_ground__groups_cannot_be_read__says_why(void **state)
{
	struct rig *rig = *state;
	struct ground ground;

	fail_load(rig, FAKE_FAULT_CODE);
	open_engine(rig, &policy_far);
	ground = survey(rig);

	assert_int_not_equal(ground.reason, WA_REASON_NONE);
	assert_false(ground.has_closure);
	assert_true(ground.detail[0] != '\0');
}

static void review_ground__engine_closes__is_told(void **state)
{
	struct rig *rig = *state;
	struct ground ground = {.count = 0};

	open_engine(rig, &policy_ops);
	assert_true(review_ground(rig->engine, look_around, &ground));
	wa_engine_close(&rig->engine);

	assert_int_equal(ground.count, 1);
}

static void review_user__nth_allocation_fails__answers_or_does_not_begin(void **state)
{
	const struct wa_question question = question_of(WA_KIND_USER, "alice");
	struct rig *rig = *state;
	size_t n = 1, before;
	bool is_over = false;

	rig->no_cache = true;
	open_engine(rig, &policy_ops);
	(void)review(rig, "alice");
	before = memory_live_count();
	for (; !is_over; n++) {
		struct seen seen = {.count = 0};

		memory_fail_at(n);
		if (review_user(rig->engine, &question, look, &seen))
			await_seen(&seen);
		is_over = memory_fail_count() < n;
		memory_fail_at(0);
		if (seen.count > 0)
			assert_true(seen.verdict == WA_ERROR || seen.verdict == WA_AUTHORIZE);
		assert_true(!is_over || seen.verdict == WA_AUTHORIZE);
		assert_int_equal(memory_live_count(), before);
	}
	assert_true(n > 5);
}

static void review_ground__no_memory__is_not_begun(void **state)
{
	struct rig *rig = *state;
	struct ground ground = {.count = 0};

	open_engine(rig, &policy_ops);
	memory_fail_at(1);
	assert_false(review_ground(rig->engine, look_around, &ground));
	memory_fail_at(0);

	assert_int_equal(ground.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    RIGGED(review_user__member_with_a_site__tells_groups_and_place),
	    RIGGED(review_user__place_of_this_host_or_of_nobody__are_told_apart),
	    RIGGED(review_user__expired_but_allowed__state_is_told),
	    RIGGED(review_user__nobody_or_no_name__has_no_facts),
	    RIGGED(review_user__everybody__verdicts_are_those_of_decide),
	    RIGGED(review_ground__groups_are_being_read__waits_for_them),
	    RIGGED(review_ground__groups_cannot_be_read__says_why),
	    RIGGED(review_ground__engine_closes__is_told),
	    RIGGED(review_user__nth_allocation_fails__answers_or_does_not_begin),
	    RIGGED(review_ground__no_memory__is_not_begun),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
