/* SPDX-License-Identifier: Apache-2.0 */
#include <cli/host_expect.h>
#include <cli/host_trace_format.h>
#include <string.h>

static bool is_same_quota(const WSMAN_AUTHZ_QUOTA *a, const WSMAN_AUTHZ_QUOTA *b)
{
	/* Without a limit the length of the slot means nothing. */
	return a->maxAllowedConcurrentShells == b->maxAllowedConcurrentShells &&
	       a->maxAllowedConcurrentOperations == b->maxAllowedConcurrentOperations &&
	       a->maxAllowedOperationsPerTimeslot == b->maxAllowedOperationsPerTimeslot &&
	       (a->maxAllowedOperationsPerTimeslot == MAXDWORD || a->timeslotSize == b->timeslotSize);
}

static bool is_authorize_met(const struct host_expectation *expected, const struct host_outcome *outcome)
{
	return outcome->code == WSMAUTHZ_NO_ERROR && (!expected->administrator || outcome->administrator) &&
	       (!expected->remembered || outcome->is_remembered);
}

bool host_expect_is_met(const struct host_expectation *expected, const struct host_outcome *outcome)
{
	enum host_verdict verdict = host_verdict_of(outcome->code);

	if (!outcome->is_answered)
		return false;
	switch (expected->what) {
	case HOST_EXPECT_AUTHORIZE:
		return is_authorize_met(expected, outcome);
	case HOST_EXPECT_DENY:
		return verdict == HOST_DENY;
	case HOST_EXPECT_REDIRECT:
		return verdict == HOST_REDIRECT &&
		       (expected->redirect == NULL || strcmp(expected->redirect, outcome->redirect) == 0);
	case HOST_EXPECT_ERROR:
		return verdict == HOST_ERROR && (!expected->has_code || expected->code == outcome->code);
	case HOST_EXPECT_QUOTA:
		return verdict == HOST_AUTHORIZE && outcome->has_quota &&
		       is_same_quota(&expected->quota, &outcome->quota);
	}
	return false;
}

void host_expect_add(struct text *out, const struct host_expectation *expected)
{
	switch (expected->what) {
	case HOST_EXPECT_AUTHORIZE:
		text_printf(out, "authorize%s%s", expected->administrator ? " as administrator" : "",
			    expected->remembered ? " by the user record" : "");
		break;
	case HOST_EXPECT_DENY:
		text_add(out, "deny");
		break;
	case HOST_EXPECT_REDIRECT:
		text_printf(out, "redirect%s%s", expected->redirect != NULL ? " to " : "",
			    expected->redirect != NULL ? expected->redirect : "");
		break;
	case HOST_EXPECT_ERROR:
		text_add(out, "error");
		if (expected->has_code)
			text_printf(out, " 0x%08lx", (unsigned long)expected->code);
		break;
	case HOST_EXPECT_QUOTA:
		host_add_quota(out, &expected->quota);
		break;
	}
}

void host_outcome_add(struct text *out, const struct host_outcome *outcome)
{
	if (!outcome->is_answered) {
		text_add(out, "no answer");
		return;
	}
	host_add_verdict(out, outcome->code, outcome->redirect);
	if (outcome->administrator)
		text_add(out, " as administrator");
	if (outcome->is_remembered)
		text_add(out, " by the user record");
	if (outcome->has_quota) {
		text_add(out, ", ");
		host_add_quota(out, &outcome->quota);
	}
}

bool host_outcome_equals(const struct host_outcome *a, const struct host_outcome *b)
{
	return a->is_answered == b->is_answered && a->is_remembered == b->is_remembered && a->code == b->code &&
	       a->administrator == b->administrator && a->has_quota == b->has_quota &&
	       (!a->has_quota || is_same_quota(&a->quota, &b->quota)) && strcmp(a->redirect, b->redirect) == 0;
}
