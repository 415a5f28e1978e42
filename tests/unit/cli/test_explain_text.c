/* SPDX-License-Identifier: Apache-2.0 */
#include "explain_sample.h"

#include <support/assertions.h>

#include <cli/explain_text.h>
#include <cli/explain_words.h>
#include <cli/shown.h>
#include <stdio.h>
#include <string.h>
#include <support/memory_failing.h>

static const struct check_sender alice = {"CORP\\alice", 10, false};

static void assert_text(const struct wa_decision *decision, const struct wa_explanation *explanation,
			const char *expected)
{
	struct text out;

	text_init(&out);
	explain_text(&out, &alice, decision, explanation);
	assert_false(text_failed(&out));
	assert_string_equal(text_string(&out), expected);
	text_done(&out);
}

static void explain_text__everything__is_one_tree(void **state)
{
	(void)state;
	assert_text(
	    &sample_decision, &sample_explanation,
	    "CORP\\alice  redirect  site-elsewhere  to https://emea.x:5986/wsman  as administrator\n"
	    "├─ who: user 'alice' of domain 'CORP'\n"
	    "│  ├─ looked up by (&(objectClass=user)(uid=alice)) below dc=x\n"
	    "│  └─ entry uid=alice,ou=People,dc=x  id S-1-5-21-1-2-3-1104\n"
	    "├─ judged, in this order, by /etc/policy.xml\n"
	    "│  ├─   deny   cn=Leavers                does not hold the user  (line 9)\n"
	    "│  ├─   account                          nothing against the user\n"
	    "│  │     ├─ disabled: no, expired: no, locked: no, password-expired: yes (which the policy allows)\n"
	    "│  │     ├─ matches (department=IT)\n"
	    "│  │     ├─ userAccountControl: 512\n"
	    "│  │     └─ accountExpires: 0\n"
	    "│  ├─ ▶ allow  cn=WinRM Users            lets the user in, max-shells 5, max-operations 15  (line 10)\n"
	    "│  │     ├─ uid=alice → cn=ops,ou=Groups,dc=x → cn=WinRM Users\n"
	    "│  │     ├─ uid=alice → cn=ops,ou=Groups,dc=x → cn=<b>\xEF\xBF\xBD[31m\xEF\xBF\xBDgro\"up& ↺ → cn=b ↺ → "
	    "cn=WinRM Users\n"
	    "│  │     └─ and 3 more ways\n"
	    "│  ├─   allow  cn=ops,ou=Elsewhere,dc=x  holds the user, too, as administrator  (line 11)\n"
	    "│  │     └─ uid=alice → cn=Domain Users (primary group) → cn=ops,ou=Elsewhere,dc=x\n"
	    "│  ├─   allow  cn=gone                   no such group  (line 12)\n"
	    "│  └─ ▶ place                            l 'EMEA', '\xEF\xBF\xBD]0;title\xEF\xBF\xBD': site EMEA (line "
	    "14) → "
	    "https://emea.x:5986/wsman\n"
	    "├─ asked: 1 round trip, decided in 13.2 ms; 1 more behind the decision, for this explanation alone\n"
	    "│  ├─ 12.3 ms: the configured groups were being read\n"
	    "│  ├─ 0.8 ms: 2 searches to ldaps://dc1.x:636\n"
	    "│  │  ├─ mark: 1 entry  (objectClass=*) of dc=x\n"
	    "│  │  └─ user: 1 entry  (&(objectClass=user)(uid=alice)) below dc=x\n"
	    "│  ├─ 1.5 s: 0 searches, no server answered  (behind the decision)\n"
	    "│  └─ the user's own groups were found by the entry's memberOf and primary group\n"
	    "├─ cache: the sender was not in it; it is kept now, for 5 min at most\n"
	    "└─ watch: behind: the servers that answer have shown more than was told, at ldaps://dc1.x:636; something "
	    "that was told is not applied yet\n"
	    "   ├─ polled\n"
	    "   └─ 30 groups with 98 memberships, read in 12.3 ms, 61 s ago\n");
}

static void explain_text__denied_by_a_group__says_what_was_overruled(void **state)
{
	struct wa_explanation explanation = sample_explanation;
	struct wa_decision decision = {.verdict = WA_DENY, .reason = WA_REASON_DENIED_GROUP, .code = 5};

	(void)state;
	decision.dn = "uid=alice,ou=People,dc=x";
	explanation.rules = sample_denied_rules;
	explanation.rule_count = COUNT_OF(sample_denied_rules);
	explanation.account = (struct wa_explained_account){.is_too_late = true, .until_s = INT64_MAX};
	explanation.account.checks[0].state = WA_CHECK_PASSED;
	for (size_t i = 0; i < WA_EXPLAIN_CHECKS; i++)
		explanation.account.checks[i].name = sample_explanation.account.checks[i].name;
	explanation.redirect.is_too_late = true;
	explanation.redirect.uri = NULL;
	explanation.redirect.value_count = 1;
	explanation.steps = NULL;
	explanation.step_count = 0;
	explanation.extra_searches = 0;
	explanation.strategy = WA_STRATEGY_UNKNOWN;
	explanation.cache = (struct wa_explained_cache){.state = WA_CACHE_UNASKED};
	explanation.watch = (struct wa_explained_watch){.state = WA_WATCH_LOST, .trouble = "could not connect\n"};
	assert_text(
	    &decision, &explanation,
	    "CORP\\alice  deny  denied-group\n"
	    "├─ who: user 'alice' of domain 'CORP'\n"
	    "│  ├─ looked up by (&(objectClass=user)(uid=alice)) below dc=x\n"
	    "│  └─ entry uid=alice,ou=People,dc=x  id S-1-5-21-1-2-3-1104\n"
	    "├─ judged, in this order, by /etc/policy.xml\n"
	    "│  ├─ ▶ deny   cn=Leavers      denies the user  (line 9)\n"
	    "│  │     └─ uid=alice → cn=Leavers\n"
	    "│  ├─   account                a deny rule had decided before\n"
	    "│  │     └─ disabled: no, expired: not looked at, locked: not looked at, password-expired: not looked "
	    "at\n"
	    "│  ├─   allow  cn=WinRM Users  holds the user, but a deny rule does, too  (line 10)\n"
	    "│  │     ├─ uid=alice → cn=ops,ou=Groups,dc=x → cn=WinRM Users\n"
	    "│  │     └─ and more ways than can be counted\n"
	    "│  └─   place                  l 'EMEA': site EMEA (line 14), but who is not let in is not redirected\n"
	    "├─ asked: 0 round trips, decided in 0.0 ms\n"
	    "├─ cache: not asked\n"
	    "└─ watch: lost: changes are not told now\n"
	    "   └─ could not connect\xEF\xBF\xBD\n");
}

/* Lines that would be too long go on below. */
static void explain_text__long_path__is_wrapped_between_groups(void **state)
{
	static struct wa_explained_group groups[30];
	static char dns[30][48];
	uint32_t numbers[30];
	const struct wa_explained_path path = {numbers, 30};
	struct wa_explained_rule rule = sample_rules[1];
	struct wa_explanation explanation = sample_explanation;
	struct text out;
	const char *line;

	(void)state;
	for (uint32_t i = 0; i < 30; i++) {
		(void)snprintf(dns[i], sizeof(dns[i]), "cn=group number %u,dc=x", i);
		groups[i] = (struct wa_explained_group){.dn = dns[i], .id = dns[i]};
		numbers[i] = i;
	}
	rule.paths = (struct wa_explained_paths){&path, 1, 0, false};
	rule.group = 29;
	explanation.groups = groups;
	explanation.group_count = 30;
	explanation.rules = &rule;
	explanation.rule_count = 1;
	text_init(&out);
	explain_text(&out, &alice, &sample_decision, &explanation);
	assert_false(text_failed(&out));
	for (uint32_t i = 0; i < 30; i++)
		assert_non_null(strstr(text_string(&out), strtok(dns[i], ",")));
	for (line = strtok(out.data, "\n"); line != NULL; line = strtok(NULL, "\n"))
		if (strstr(line, "group number") != NULL && strstr(line, "lets the user in") == NULL)
			assert_true(shown_columns(line, strlen(line)) <= EXPLAIN_TEXT_COLUMNS);
	text_done(&out);
}

static void explain_text__many_idle_rules__are_counted(void **state)
{
	struct wa_explained_rule rules[EXPLAIN_TEXT_MAX_IDLE + 7];
	struct wa_explanation explanation = sample_explanation;
	struct text out;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rules); i++)
		rules[i] = (struct wa_explained_rule){
		    .label = "allow cn=idle,dc=x", .holding = WA_HOLDING_NO, .group = WA_NO_GROUP};
	explanation.rules = rules;
	explanation.rule_count = COUNT_OF(rules);
	text_init(&out);
	explain_text(&out, &alice, &sample_decision, &explanation);
	assert_non_null(strstr(text_string(&out), "7 more rules that do not hold the user\n"));
	text_done(&out);
}

static void explain_add__times__in_units_of_people(void **state)
{
	static const struct {
		uint64_t ms;
		const char *expected;
	} rows[] = {{0, "0 ms"},      {999, "999 ms"},  {1000, "1 s"},      {1500, "1500 ms"},
		    {5000, "5 s"},    {60000, "1 min"}, {90000, "90 s"},    {300000, "5 min"},
		    {3600000, "1 h"}, {7200000, "2 h"}, {86400000, "24 h"}, {172800000, "2 days"}};
	struct text out;

	(void)state;
	text_init(&out);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		text_clear(&out);
		explain_add_ms(&out, rows[i].ms);
		assert_string_equal(text_string(&out), rows[i].expected);
	}
	text_clear(&out);
	explain_add_us(&out, 999);
	explain_add_us(&out, 12345678);
	assert_string_equal(text_string(&out), "0.9 ms12.3 s");
	text_done(&out);
}

static void explain_text__nth_allocation_fails__says_so(void **state)
{
	size_t n = 1, before = memory_live_count();
	bool is_over = false;

	(void)state;
	for (; !is_over; n++) {
		struct text out;

		memory_fail_at(n);
		text_init(&out);
		explain_text(&out, &alice, &sample_decision, &sample_explanation);
		is_over = memory_fail_count() < n;
		assert_true(text_failed(&out) != is_over);
		memory_fail_at(0);
		text_done(&out);
		assert_int_equal(memory_live_count(), before);
	}
	assert_true(n > 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(explain_text__everything__is_one_tree),
	    cmocka_unit_test(explain_text__denied_by_a_group__says_what_was_overruled),
	    cmocka_unit_test(explain_text__long_path__is_wrapped_between_groups),
	    cmocka_unit_test(explain_text__many_idle_rules__are_counted),
	    cmocka_unit_test(explain_add__times__in_units_of_people),
	    cmocka_unit_test(explain_text__nth_allocation_fails__says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
