/* SPDX-License-Identifier: Apache-2.0 */
/* What an explanation shows, and that its decision is the one of wa_engine_decide. */
#include "engine_rig.h"

#include <support/memory_failing.h>
#include <wsmauthz/explanation.h>

#define TOP  "cn=top,ou=groups,dc=x"
#define MID  "cn=mid,ou=groups,dc=x"
#define GONE "cn=gone,ou=groups,dc=x"
#define LEFT "cn=leavers,ou=groups,dc=x"

static const struct rig_policy policy_nested = {
    .cache = "<cache unwatched-ttl=\"5s\" max-entries=\"64\"/>",
    .rules = "<deny group=\"" LEFT "\"/><allow group=\"" TOP "\" max-shells=\"3\"/><allow group=\"" GONE
	     "\"/><allow group=\"" OPS "\" administrator=\"true\"/>"
	     "<redirect attribute=\"l\" here=\"AMER\"><site name=\"EMEA\" uri=\"https://e:5986/wsman\"/>"
	     "<site group=\"" DEVS "\" uri=\"https://h:443/wsman\"/></redirect>"};

/* What a test looks at, told as text so that it stays. */
struct told {
	unsigned count;
	enum wa_verdict verdict;
	enum wa_reason reason;
	bool cached, is_incomplete;
	unsigned searches, extra_searches;
	size_t steps;
	enum wa_form form;
	enum wa_cache_state cache;
	bool is_kept;
	enum wa_watch_state watch;
	enum wa_strategy strategy;
	enum wa_place place;
	bool is_already_there, is_too_late, account_too_late;
	enum wa_check_state disabled, expired;
	bool expired_decided;
	char rules[512], path[512], purposes[256], groups[512], filter[256], uri[64], evidence[256];
};

static void append(char *out, size_t size, const char *format, ...) PRINTF_LIKE(3, 4);

static void append(char *out, size_t size, const char *format, ...)
{
	const size_t length = strlen(out);
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(out + length, size - length, format, arguments);
	va_end(arguments);
}

#define APPEND(array, ...) append((array), sizeof(array), __VA_ARGS__)

/* "cn=mid,ou=groups,dc=x" is "mid". */
static const char *short_name(const char *dn)
{
	static char name[64];

	(void)snprintf(name, sizeof(name), "%s", strchr(dn, '=') + 1);
	*strchr(name, ',') = '\0';
	return name;
}

static void tell_paths(struct told *told, const struct wa_explanation *explanation,
		       const struct wa_explained_paths *paths)
{
	for (size_t i = 0; i < paths->count; i++) {
		APPEND(told->rules, "%s", i == 0 ? ":" : "|");
		for (size_t k = 0; k < paths->paths[i].count; k++)
			APPEND(told->rules, "%s%s", k == 0 ? "" : ">",
			       short_name(explanation->groups[paths->paths[i].groups[k]].dn));
	}
	if (paths->more > 0)
		APPEND(told->rules, "+%u", (unsigned)paths->more);
}

/* "no yes*:ops>top missing yes:ops " */
static void tell_rules(struct told *told, const struct wa_explanation *explanation)
{
	static const char *const holdings[] = {"unasked", "no", "yes", "unknown", "missing"};
	static const char *const parts[] = {"", "*", "+", "!"};

	for (size_t i = 0; i < explanation->rule_count; i++) {
		const struct wa_explained_rule *rule = &explanation->rules[i];

		APPEND(told->rules, "%s%s", holdings[rule->holding], parts[rule->part]);
		tell_paths(told, explanation, &rule->paths);
		APPEND(told->rules, " ");
	}
}

static void tell_rest(struct told *told, const struct wa_explanation *explanation)
{
	const struct wa_explained_account *account = &explanation->account;

	for (size_t i = 0; i < explanation->group_count; i++)
		APPEND(told->groups, "%s%s%s ", short_name(explanation->groups[i].dn),
		       explanation->groups[i].is_direct ? "!" : "", explanation->groups[i].ring != 0 ? "@" : "");
	for (size_t i = 0; i < explanation->step_count; i++) {
		APPEND(told->purposes, "%u", (unsigned)explanation->steps[i].kind);
		for (size_t k = 0; k < explanation->steps[i].search_count; k++)
			APPEND(told->purposes, "%s=%s:%u,", explanation->steps[i].searches[k].purpose,
			       explanation->steps[i].searches[k].outcome,
			       (unsigned)explanation->steps[i].searches[k].entries);
		APPEND(told->purposes, "%s ", explanation->steps[i].is_extra ? "extra" : "");
	}
	for (size_t i = 0; i < account->evidence_count; i++)
		APPEND(told->evidence, "%s;", account->evidence[i]);
	told->disabled = account->checks[0].state;
	told->expired = account->checks[1].state;
	told->expired_decided = account->checks[1].decided;
	told->account_too_late = account->is_too_late;
	APPEND(told->filter, "%s", or_none(explanation->identity.filter));
	APPEND(told->uri, "%s", or_none(explanation->redirect.uri));
}

static void take_told(void *context, const struct wa_decision *decision, const struct wa_explanation *explanation)
{
	struct told *told = context;

	told->count++;
	told->verdict = decision->verdict;
	told->reason = decision->reason;
	told->cached = decision->cached;
	told->searches = decision->searches;
	told->extra_searches = explanation->extra_searches;
	told->is_incomplete = explanation->is_incomplete;
	told->form = explanation->identity.form;
	told->cache = explanation->cache.state;
	told->is_kept = explanation->cache.is_kept;
	told->watch = explanation->watch.state;
	told->strategy = explanation->strategy;
	told->place = explanation->redirect.place;
	told->is_already_there = explanation->redirect.is_already_there;
	told->is_too_late = explanation->redirect.is_too_late;
	told->steps = explanation->step_count;
	for (size_t i = 0; i < decision->path_count; i++)
		APPEND(told->path, "%s ", short_name(decision->path[i]));
	tell_rules(told, explanation);
	tell_rest(told, explanation);
}

static void await_told(const struct told *told)
{
	for (unsigned ms = 0; ms < PATIENCE_MS && told->count == 0; ms++)
		pass(1);
	assert_int_equal(told->count, 1);
}

static struct told explain(const struct rig *rig, const char *sender)
{
	const struct wa_question question = question_of(WA_KIND_USER, sender);
	struct told told = {.count = 0};

	assert_true(wa_engine_explain(rig->engine, &question, take_told, &told));
	await_told(&told);
	return told;
}

/* alice is in ops, which is in top and, by mid, once more. */
static void nest(const struct rig *rig)
{
	add(rig, TOP, "groupOfNames");
	add(rig, MID, "groupOfNames");
	add(rig, LEFT, "groupOfNames");
	gain(rig, TOP, "member", OPS);
	gain(rig, TOP, "member", MID);
	gain(rig, MID, "member", OPS);
	gain(rig, MID, "member", MID);
	gain(rig, LEFT, "member", DORA);
}

static void wa_engine_explain__member__shows_rules_paths_and_searches(void **state)
{
	struct rig *rig = *state;
	struct told told;

	nest(rig);
	gain(rig, ALICE, "l", "emea");
	open_engine(rig, &policy_nested);
	told = explain(rig, "alice");

	assert_int_equal(told.verdict, WA_REDIRECT);
	assert_false(told.is_incomplete);
	assert_string_equal(told.rules, "no yes*:ops>top|ops>mid>top missing yes+:ops ");
	assert_string_equal(told.path, "alice ops top ");
	assert_int_equal(told.form, WA_FORM_PLAIN);
	assert_non_null(strstr(told.filter, "(uid=alice)"));
	assert_non_null(strstr(told.groups, "ops! "));
	assert_non_null(strstr(told.groups, "mid@ "));
	assert_non_null(strstr(told.groups, "leavers "));
	assert_int_equal(told.strategy, WA_STRATEGY_INDEX);
	assert_int_equal(told.place, WA_PLACE_SITE);
	assert_string_equal(told.uri, "https://e:5986/wsman");
	assert_false(told.is_already_there);
	assert_int_equal(told.searches, 1);
	assert_int_equal(told.extra_searches, 0);
	if (strstr(told.purposes, "user=ok:1,") == NULL)
		fail_msg("%s", told.purposes);
	assert_int_equal(told.cache, WA_CACHE_ABSENT);
	assert_true(told.is_kept);
}

static void wa_engine_explain__already_there__says_so(void **state)
{
	struct rig *rig = *state;
	struct told told;

	nest(rig);
	gain(rig, DEVS, "member", ALICE);
	open_engine(rig, &policy_nested);
	told = explain(rig, "alice"); /* comes to https://h/wsman, which is the site of devs */

	assert_int_equal(told.verdict, WA_AUTHORIZE);
	assert_int_equal(told.place, WA_PLACE_SITE);
	assert_true(told.is_already_there);
}

static void wa_engine_explain__denied_by_a_group__allow_rules_are_overruled(void **state)
{
	struct rig *rig = *state;
	struct told told;

	nest(rig);
	open_engine(rig, &policy_nested);
	told = explain(rig, "dora");

	assert_int_equal(told.reason, WA_REASON_DENIED_GROUP);
	assert_string_equal(told.rules, "yes*:leavers yes!:ops>top|ops>mid>top missing yes!:ops ");
	assert_true(told.account_too_late && told.is_too_late);
	assert_string_equal(told.uri, "");
}

static void wa_engine_explain__expired_account__shows_what_says_so(void **state)
{
	struct rig *rig = *state;
	struct told told;

	nest(rig);
	gain(rig, ALICE, "pwdEndTime", "20200101000000Z");
	open_engine(rig, &policy_nested);
	told = explain(rig, "alice");

	assert_int_equal(told.reason, WA_REASON_ACCOUNT_EXPIRED);
	assert_int_equal(told.disabled, WA_CHECK_PASSED);
	assert_int_equal(told.expired, WA_CHECK_FAILED);
	assert_true(told.expired_decided);
	assert_string_equal(told.evidence, "pwdEndTime: 20200101000000Z;");
	assert_string_equal(told.rules, "no yes!:ops>top|ops>mid>top missing yes!:ops ");
}

static void wa_engine_explain__nobody__shows_what_was_asked(void **state)
{
	struct rig *rig = *state;
	struct told told;

	nest(rig);
	open_engine(rig, &policy_nested);
	told = explain(rig, "zoe");

	assert_int_equal(told.reason, WA_REASON_NO_SUCH_USER);
	assert_string_equal(told.rules, "unasked unasked missing unasked ");
	assert_non_null(strstr(told.purposes, "user=ok:0,"));
	assert_int_equal(told.disabled, WA_CHECK_UNASKED);
	assert_int_equal(told.place, WA_PLACE_UNASKED);
}

static void wa_engine_explain__no_name__says_how_it_was_taken(void **state)
{
	struct rig *rig = *state;
	struct told bad, foreign;

	open_engine(rig, &policy_ops);
	bad = explain(rig, "a\tb");
	foreign = explain(rig, "ELSEWHERE\\alice");

	assert_int_equal(bad.form, WA_FORM_NONE);
	assert_int_equal(bad.cache, WA_CACHE_UNASKED);
	assert_int_equal(foreign.form, WA_FORM_DOMAIN_USER);
	assert_int_equal(foreign.reason, WA_REASON_FOREIGN_DOMAIN);
	assert_string_equal(foreign.filter, "");
}

static void wa_engine_explain__cached__decision_is_the_caches_and_the_rest_is_extra(void **state)
{
	struct rig *rig = *state;
	struct told told;

	nest(rig);
	open_engine(rig, &policy_nested);
	(void)explain(rig, "alice");
	told = explain(rig, "alice");

	assert_true(told.cached);
	assert_int_equal(told.cache, WA_CACHE_SERVED);
	assert_int_equal(told.searches, 0);
	assert_int_equal(told.extra_searches, 1);
	assert_non_null(strstr(told.purposes, "extra"));
	assert_string_equal(told.path, "alice ops top ");
	assert_string_equal(told.rules, "no yes*:ops>top|ops>mid>top missing yes+:ops ");
}

/* What is asked behind the decision shows another state; the decision stands. */
static void wa_engine_explain__cached_and_directory_gone__decision_stands(void **state)
{
	static char when[] = "uid=alice";
	const struct fake_fault fault = {.kind = FAKE_FAULT_CODE, .code = 50, .when = when};
	struct rig *rig = *state;
	struct told told;

	nest(rig);
	open_engine(rig, &policy_nested);
	(void)explain(rig, "alice");
	fake_directory_add_fault(rig->directory, &fault);
	told = explain(rig, "alice");

	assert_int_equal(told.verdict, WA_AUTHORIZE);
	assert_true(told.cached);
	assert_string_equal(told.rules, "unasked unasked missing unasked ");
	assert_int_equal(told.extra_searches, 1);
}

static void wa_engine_explain__directory_fails__shows_the_outcome(void **state)
{
	static char when[] = "uid=alice";
	const struct fake_fault fault = {.kind = FAKE_FAULT_CODE, .code = 50, .when = when};
	struct rig *rig = *state;
	struct told told;

	nest(rig);
	fake_directory_add_fault(rig->directory, &fault);
	open_engine(rig, &policy_nested);
	told = explain(rig, "alice");

	assert_int_equal(told.verdict, WA_ERROR);
	assert_non_null(strstr(told.purposes, "user=not-permitted:0,"));
	assert_false(told.is_kept);
}

static void wa_engine_explain__groups_cannot_be_read__is_told_at_once(void **state)
{
	struct rig *rig = *state;
	struct told told;

	fail_load(rig, FAKE_FAULT_CODE);
	open_engine(rig, &policy_far);
	told = explain(rig, "bob");

	assert_int_equal(told.verdict, WA_ERROR);
	assert_string_equal(told.rules, "unasked ");
	assert_string_equal(told.groups, "");
	assert_int_equal(told.watch, WA_WATCH_STARTING);
}

static void wa_engine_explain__watch_is_up__says_so(void **state)
{
	struct rig *rig = *state;
	struct told told;

	nest(rig);
	gain(rig, "dc=x", "contextCSN", "20260101000000.000000Z#000000#000#000000");
	dir_watch_fake_enable();
	open_engine(rig, &policy_nested);
	told = explain(rig, "alice");

	assert_int_equal(told.watch, WA_WATCH_UP);
}

static void wa_engine_explain__engine_closes__is_told(void **state)
{
	const struct wa_question question = question_of(WA_KIND_USER, "alice");
	struct rig *rig = *state;
	struct told told[2] = {{.count = 0}, {.count = 0}};

	open_engine(rig, &policy_ops);
	assert_true(wa_engine_explain(rig->engine, &question, take_told, &told[0]));
	pass(5 * LATENCY_MS); /* decided, and perhaps waiting for the watch */
	assert_true(wa_engine_explain(rig->engine, &question, take_told, &told[1]));
	wa_engine_close(&rig->engine);

	assert_int_equal(told[0].count, 1);
	assert_int_equal(told[1].count, 1);
}

static void wa_engine_explain__everybody__decisions_are_those_of_decide(void **state)
{
	static const char *const senders[] = {"alice", "bob", "dora", "zoe", "CORP\\alice", "ELSEWHERE\\alice", "a\tb"};
	struct rig *rig = *state;

	rig->no_cache = true;
	nest(rig);
	open_engine(rig, &policy_nested);
	for (size_t i = 0; i < COUNT_OF(senders); i++) {
		const struct answer answer = ask_and_wait(rig, senders[i]);
		const struct told told = explain(rig, senders[i]);

		assert_int_equal(told.verdict, answer.verdict);
		assert_int_equal(told.reason, answer.reason);
	}
}

static void wa_engine_explain__nth_allocation_fails__answers_or_does_not_begin(void **state)
{
	const struct wa_question question = question_of(WA_KIND_USER, "alice");
	struct rig *rig = *state;
	size_t n = 1, before, incomplete = 0;
	bool is_over = false;

	rig->no_cache = true;
	nest(rig);
	open_engine(rig, &policy_nested);
	(void)explain(rig, "alice");
	before = memory_live_count();
	for (; !is_over; n++) {
		struct told told = {.count = 0};

		memory_fail_at(n);
		if (wa_engine_explain(rig->engine, &question, take_told, &told))
			await_told(&told);
		is_over = memory_fail_count() < n;
		memory_fail_at(0);
		incomplete += told.is_incomplete;
		if (told.count > 0)
			assert_true(told.verdict == WA_ERROR || told.verdict == WA_AUTHORIZE);
		assert_true(!is_over || (told.verdict == WA_AUTHORIZE && !told.is_incomplete));
		assert_int_equal(memory_live_count(), before);
	}
	assert_true(n > 10);
	assert_true(incomplete > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    RIGGED(wa_engine_explain__member__shows_rules_paths_and_searches),
	    RIGGED(wa_engine_explain__already_there__says_so),
	    RIGGED(wa_engine_explain__denied_by_a_group__allow_rules_are_overruled),
	    RIGGED(wa_engine_explain__expired_account__shows_what_says_so),
	    RIGGED(wa_engine_explain__nobody__shows_what_was_asked),
	    RIGGED(wa_engine_explain__no_name__says_how_it_was_taken),
	    RIGGED(wa_engine_explain__cached__decision_is_the_caches_and_the_rest_is_extra),
	    RIGGED(wa_engine_explain__cached_and_directory_gone__decision_stands),
	    RIGGED(wa_engine_explain__directory_fails__shows_the_outcome),
	    RIGGED(wa_engine_explain__groups_cannot_be_read__is_told_at_once),
	    RIGGED(wa_engine_explain__watch_is_up__says_so),
	    RIGGED(wa_engine_explain__engine_closes__is_told),
	    RIGGED(wa_engine_explain__everybody__decisions_are_those_of_decide),
	    RIGGED(wa_engine_explain__nth_allocation_fails__answers_or_does_not_begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
