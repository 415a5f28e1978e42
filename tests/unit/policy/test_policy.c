/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include <policy/policy.h>
#include <string.h>
#include <support/entry_builder.h>

#define U CONFIG_UNLIMITED

static struct config_rule rules[] = {
    {.effect = CONFIG_DENY, .group = "cn=leavers"},
    {.effect = CONFIG_ALLOW,
     .group = "cn=users",
     .max_shells = 5,
     .max_operations = 15,
     .timeslot_s = 60,
     .max_operations_per_timeslot = 100},
    {.effect = CONFIG_DENY, .group = "cn=guests", .ignore_if_missing = true},
    {.effect = CONFIG_ALLOW,
     .group = "cn=tier0",
     .administrator = true,
     .max_shells = 2,
     .max_operations = U,
     .timeslot_s = 10,
     .max_operations_per_timeslot = 200},
};

static const char *uris[] = {"https://emea.example:5986/wsman"};
static struct config_site sites[] = {{.name = "EMEA", .uris = uris, .uri_count = 1}};

static struct config policy(void)
{
	return (struct config){
	    .rules = rules,
	    .rule_count = COUNT_OF(rules),
	    .redirect = {.present = true, .attribute = "l", .sites = sites, .site_count = 1},
	    .account = {.deny_disabled = true, .deny_expired = true, .deny_locked = true},
	};
}

/* What a question of that kind is told, and what the user is said to be. */
struct told {
	enum wa_verdict verdict;
	enum wa_reason reason;
	const char *redirect_uri;
	size_t rule;
	bool administrator, fresh;
	struct wa_quota quota;
	int64_t until_s;
};

/* The letters name the rules by number that hold the user (m) and whose groups are missing (x). */
static struct told judge(const struct config *config, const char *attributes, const char *member, const char *missing,
			 enum wa_kind kind)
{
	static const bool no_sites[1] = {false};
	bool in[COUNT_OF(rules)] = {false}, gone[COUNT_OF(rules)] = {false};
	struct arena *arena = arena_new(65536);
	const struct policy_question question = {.may_redirect = kind == WA_KIND_USER};
	struct policy_judgement judgement;
	struct policy_standing standing;
	struct policy_facts facts = {
	    .user = build_entry(arena, "uid=alice", attributes),
	    .user_id = "id",
	    .rule_member = in,
	    .rule_missing = gone,
	    .site_member = no_sites,
	    .now_s = 1795500000,
	};

	for (; *member != '\0'; member++)
		in[*member - '0'] = true;
	for (; *missing != '\0'; missing++)
		gone[*missing - '0'] = true;
	policy_rate(config, &facts, &standing);
	policy_judge(config, &standing, &question, &judgement);
	arena_free(&arena);
	return (struct told){
	    .verdict = judgement.verdict,
	    .reason = judgement.reason,
	    .redirect_uri = judgement.redirect_uri,
	    .rule = standing.rule,
	    .administrator = standing.administrator,
	    .fresh = standing.fresh,
	    .quota = standing.quota,
	    .until_s = standing.until_s,
	};
}

static void policy_judge__facts__verdict_in_the_order_of_judgement(void **state)
{
	static const struct {
		const char *name, *attributes, *member, *missing;
		enum wa_verdict verdict;
		enum wa_reason reason;
		size_t rule;
	} rows[] = {
	    {"nothing", "uid=a", "", "", WA_DENY, WA_REASON_NOT_A_MEMBER, POLICY_NO_RULE},
	    {"member", "uid=a", "1", "", WA_AUTHORIZE, WA_REASON_MEMBER, 1},
	    {"both allow rules: the first names it", "uid=a", "13", "", WA_AUTHORIZE, WA_REASON_MEMBER, 1},
	    {"deny wins", "uid=a", "013", "", WA_DENY, WA_REASON_DENIED_GROUP, 0},
	    {"a later deny wins too", "uid=a", "123", "", WA_DENY, WA_REASON_DENIED_GROUP, 2},
	    {"deny before account state", "pwdAccountLockedTime=000001010000Z", "01", "", WA_DENY,
	     WA_REASON_DENIED_GROUP, 0},
	    {"disabled", "pwdAccountLockedTime=000001010000Z", "1", "", WA_DENY, WA_REASON_ACCOUNT_DISABLED,
	     POLICY_NO_RULE},
	    {"locked", "pwdAccountLockedTime=20261124000000Z", "1", "", WA_DENY, WA_REASON_ACCOUNT_LOCKED,
	     POLICY_NO_RULE},
	    {"expired", "pwdEndTime=20261124000000Z", "1", "", WA_DENY, WA_REASON_ACCOUNT_EXPIRED, POLICY_NO_RULE},
	    {"state before allow", "pwdEndTime=20261124000000Z", "", "", WA_DENY, WA_REASON_ACCOUNT_EXPIRED,
	     POLICY_NO_RULE},
	    {"an expired password is allowed here", "pwdReset=TRUE", "1", "", WA_AUTHORIZE, WA_REASON_MEMBER, 1},
	    {"malformed state", "pwdEndTime=soon", "1", "", WA_ERROR, WA_REASON_INCOMPLETE_DATA, POLICY_NO_RULE},
	    {"redirect", "l=EMEA", "1", "", WA_REDIRECT, WA_REASON_SITE_ELSEWHERE, 1},
	    {"nobody who is not allowed is redirected", "l=EMEA", "", "", WA_DENY, WA_REASON_NOT_A_MEMBER,
	     POLICY_NO_RULE},
	    {"nobody who is denied is redirected", "l=EMEA", "01", "", WA_DENY, WA_REASON_DENIED_GROUP, 0},
	    {"deny group missing", "uid=a", "1", "0", WA_ERROR, WA_REASON_DENY_GROUP_MISSING, 0},
	    {"deny group missing beats another deny", "uid=a", "2", "0", WA_ERROR, WA_REASON_DENY_GROUP_MISSING, 0},
	    {"deny group missing, ignored", "uid=a", "1", "2", WA_AUTHORIZE, WA_REASON_MEMBER, 1},
	    {"allow group missing", "uid=a", "3", "1", WA_AUTHORIZE, WA_REASON_MEMBER, 3},
	};
	struct config config = policy();

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct told judgement =
		    judge(&config, rows[i].attributes, rows[i].member, rows[i].missing, WA_KIND_USER);

		assert_row(rows[i].name, judgement.verdict == rows[i].verdict);
		assert_row(rows[i].name, judgement.reason == rows[i].reason);
		assert_row(rows[i].name, judgement.rule == rows[i].rule);
	}
}

static void policy_judge__administrator__only_where_a_matching_rule_says_so(void **state)
{
	struct config config = policy();

	(void)state;
	assert_false(judge(&config, "uid=a", "1", "", WA_KIND_USER).administrator);
	assert_true(judge(&config, "uid=a", "3", "", WA_KIND_USER).administrator);
	assert_true(judge(&config, "uid=a", "13", "", WA_KIND_USER).administrator);
	assert_false(judge(&config, "uid=a", "03", "", WA_KIND_USER).administrator);
	assert_false(judge(&config, "uid=a", "", "", WA_KIND_USER).administrator);
}

static void policy_judge__quotas__are_the_largest_of_the_matching_rules(void **state)
{
	struct config config = policy();
	struct wa_quota one = judge(&config, "uid=a", "1", "", WA_KIND_QUOTA).quota;
	struct wa_quota both = judge(&config, "uid=a", "13", "", WA_KIND_QUOTA).quota;
	struct wa_quota none = judge(&config, "uid=a", "", "", WA_KIND_QUOTA).quota;

	(void)state;
	assert_int_equal(one.max_shells, 5);
	assert_int_equal(one.max_operations, 15);
	assert_int_equal(one.timeslot_s, 60);
	assert_int_equal(one.max_operations_per_timeslot, 100);
	assert_int_equal(both.max_shells, 5);
	assert_int_equal(both.max_operations, U);
	assert_int_equal(both.timeslot_s, 10);
	assert_int_equal(both.max_operations_per_timeslot, 200);
	assert_int_equal(none.max_shells, U);
	assert_int_equal(none.max_operations_per_timeslot, U);
}

static void policy_judge__operation__is_never_redirected(void **state)
{
	struct config config = policy();
	struct told judgement = judge(&config, "l=EMEA", "1", "", WA_KIND_OPERATION);

	(void)state;
	assert_int_equal(judgement.verdict, WA_AUTHORIZE);
	assert_int_equal(judgement.reason, WA_REASON_MEMBER);
}

static void policy_judge__unmapped_denied__is_not_administrator(void **state)
{
	struct config config = policy();
	struct told judgement;

	(void)state;
	config.redirect.deny_unmapped = true;
	judgement = judge(&config, "l=MARS", "3", "", WA_KIND_USER);
	assert_int_equal(judgement.verdict, WA_DENY);
	assert_int_equal(judgement.reason, WA_REASON_SITE_UNMAPPED);
	assert_false(judgement.administrator);
}

static void policy_judge__switches_of_the_account_element__are_obeyed(void **state)
{
	struct config config = policy();

	(void)state;
	config.account = (struct config_account){.deny_password_expired = true};
	assert_int_equal(judge(&config, "pwdAccountLockedTime=000001010000Z", "1", "", WA_KIND_USER).verdict,
			 WA_AUTHORIZE);
	assert_int_equal(judge(&config, "pwdEndTime=20261124000000Z", "1", "", WA_KIND_USER).verdict, WA_AUTHORIZE);
	assert_int_equal(judge(&config, "pwdReset=TRUE", "1", "", WA_KIND_USER).reason, WA_REASON_PASSWORD_EXPIRED);
}

static void policy_rate__what_changes_by_itself__is_told(void **state)
{
	struct config config = policy();

	(void)state;
	assert_true(judge(&config, "uid=a", "1", "", WA_KIND_USER).until_s == INT64_MAX);
	/* An hour from now. */
	assert_int_equal(judge(&config, "pwdEndTime=20261124070000Z", "1", "", WA_KIND_USER).until_s, 1795503600);
	assert_int_equal(judge(&config, "pwdStartTime=20261124070000Z", "1", "", WA_KIND_USER).until_s, 1795503600);
	assert_true(judge(&config, "pwdEndTime=20261124050000Z", "1", "", WA_KIND_USER).until_s == INT64_MAX);
}

static void policy_rate__fresh_rule__is_told(void **state)
{
	struct config config = policy();
	struct config_rule fresh[COUNT_OF(rules)];

	(void)state;
	memcpy(fresh, rules, sizeof(fresh));
	fresh[3].fresh = true;
	config.rules = fresh;
	assert_false(judge(&config, "uid=a", "1", "", WA_KIND_USER).fresh);
	assert_true(judge(&config, "uid=a", "13", "", WA_KIND_USER).fresh);
}

static void policy_judge__standing__redirects_only_who_is_let_in_and_elsewhere(void **state)
{
	const struct config config = policy();
	struct policy_standing standing = {.verdict = WA_AUTHORIZE, .reason = WA_REASON_MEMBER, .rule = 1};
	struct policy_question question = {.may_redirect = true};
	struct policy_judgement judgement;

	(void)state;
	policy_judge(&config, &standing, &question, &judgement);
	assert_int_equal(judgement.verdict, WA_REDIRECT);
	assert_string_equal(judgement.redirect_uri, sites[0].uris[0]);
	question.http_url = sites[0].uris[0];
	policy_judge(&config, &standing, &question, &judgement);
	assert_int_equal(judgement.verdict, WA_AUTHORIZE);
	assert_null(judgement.redirect_uri);
	question.http_url = NULL;
	standing.verdict = WA_DENY;
	standing.reason = WA_REASON_NOT_A_MEMBER;
	policy_judge(&config, &standing, &question, &judgement);
	assert_int_equal(judgement.verdict, WA_DENY);
	assert_int_equal(judgement.reason, WA_REASON_NOT_A_MEMBER);
	assert_null(judgement.redirect_uri);
}

static void policy_judgement__zeroed__denies(void **state)
{
	const struct config config = policy();
	const struct policy_question question = {.may_redirect = true};
	struct policy_standing standing;
	struct policy_judgement judgement;
	struct wa_decision decision;

	(void)state;
	memset(&standing, 0, sizeof(standing));
	policy_judge(&config, &standing, &question, &judgement);
	memset(&decision, 0, sizeof(decision));
	assert_int_equal(judgement.verdict, WA_DENY);
	assert_int_equal(decision.verdict, WA_DENY);
	assert_false(decision.administrator);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(policy_judge__facts__verdict_in_the_order_of_judgement),
	    cmocka_unit_test(policy_judge__administrator__only_where_a_matching_rule_says_so),
	    cmocka_unit_test(policy_judge__quotas__are_the_largest_of_the_matching_rules),
	    cmocka_unit_test(policy_judge__operation__is_never_redirected),
	    cmocka_unit_test(policy_judge__unmapped_denied__is_not_administrator),
	    cmocka_unit_test(policy_judge__switches_of_the_account_element__are_obeyed),
	    cmocka_unit_test(policy_rate__what_changes_by_itself__is_told),
	    cmocka_unit_test(policy_rate__fresh_rule__is_told),
	    cmocka_unit_test(policy_judge__standing__redirects_only_who_is_let_in_and_elsewhere),
	    cmocka_unit_test(policy_judgement__zeroed__denies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
