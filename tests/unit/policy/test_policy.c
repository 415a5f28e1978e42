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

#define EMEA  "https://emea.example:5986/wsman"
#define APAC1 "https://apac-1.example:5986/wsman"
#define APAC2 "https://apac-2.example:5986/wsman"

static const char *emea_uris[] = {EMEA};
static const char *apac_uris[] = {APAC1, APAC2};
static struct config_site sites[] = {
    {.name = "EMEA", .uris = emea_uris, .uri_count = 1},
    {.name = "APAC", .uris = apac_uris, .uri_count = 2},
};

static struct config policy(void)
{
	return (struct config){
	    .rules = rules,
	    .rule_count = COUNT_OF(rules),
	    .redirect = {.present = true, .attribute = "l", .sites = sites, .site_count = COUNT_OF(sites)},
	    .account = {.deny_disabled = true, .deny_expired = true, .deny_locked = true},
	};
}

/* What a question of that kind is told, and what the user is said to be. */
struct told {
	enum wa_verdict verdict;
	enum wa_reason reason;
	const char *redirect_uri;
	size_t rule, site;
	bool administrator, fresh;
	struct wa_quota quota;
	int64_t until_s;
};

/* The rules by number that hold the user, and whose groups are missing; as letters from 'a' those that nobody can tell about. */
static struct told judge(const struct config *config, const char *attributes, const char *member, const char *missing,
			 enum wa_kind kind)
{
	static const bool no_sites[COUNT_OF(sites)] = {false};
	bool in[COUNT_OF(rules)] = {false}, gone[COUNT_OF(rules)] = {false}, unclear[COUNT_OF(rules)] = {false};
	struct arena *arena = arena_new(65536);
	const struct policy_question question = {.may_redirect = kind == WA_KIND_USER};
	struct policy_judgement judgement;
	struct policy_standing standing;
	struct policy_facts facts = {
	    .user = build_entry(arena, "uid=alice", attributes),
	    .user_id = "id",
	    .rule_member = in,
	    .rule_uncertain = unclear,
	    .rule_missing = gone,
	    .site_member = no_sites,
	    .now_s = 1795500000,
	};

	for (; *member != '\0'; member++)
		in[*member - '0'] = true;
	for (; *missing != '\0'; missing++)
		*(*missing >= 'a' ? &unclear[*missing - 'a'] : &gone[*missing - '0']) = true;
	policy_rate(config, &facts, &standing);
	policy_judge(config, &standing, &question, &judgement);
	arena_free(&arena);
	return (struct told){
	    .verdict = judgement.verdict,
	    .reason = judgement.reason,
	    .redirect_uri = judgement.redirect_uri,
	    .rule = standing.rule,
	    .site = standing.site,
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
	    {"a deny group may hold him", "uid=a", "1", "a", WA_ERROR, WA_REASON_DENY_GROUP_UNKNOWN, 0},
	    {"a later deny group may", "uid=a", "1", "c", WA_ERROR, WA_REASON_DENY_GROUP_UNKNOWN, 2},
	    {"it may, and one does", "uid=a", "12", "a", WA_DENY, WA_REASON_DENIED_GROUP, 2},
	    {"it may, and one is missing", "uid=a", "1", "0c", WA_ERROR, WA_REASON_DENY_GROUP_MISSING, 0},
	    {"it may, and his account is disabled", "pwdAccountLockedTime=000001010000Z", "1", "a", WA_DENY,
	     WA_REASON_ACCOUNT_DISABLED, POLICY_NO_RULE},
	    {"it may, and nothing lets him in", "uid=a", "", "a", WA_DENY, WA_REASON_NOT_A_MEMBER, POLICY_NO_RULE},
	    {"it may, and he belongs elsewhere", "l=EMEA", "1", "a", WA_ERROR, WA_REASON_DENY_GROUP_UNKNOWN, 0},
	    {"an allow group may hold him", "uid=a", "1", "d", WA_AUTHORIZE, WA_REASON_MEMBER, 1},
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
	assert_false(judge(&config, "uid=a", "3", "a", WA_KIND_USER).administrator);
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
	/* A deny rule does not look at the account. */
	assert_true(judge(&config, "pwdEndTime=20261124070000Z", "01", "", WA_KIND_USER).until_s == INT64_MAX);
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
	assert_true(judge(&config, "uid=a", "3", "", WA_KIND_USER).fresh);
	assert_true(judge(&config, "uid=a", "13", "", WA_KIND_USER).fresh);
	assert_false(judge(&config, "uid=a", "", "", WA_KIND_USER).fresh);
	fresh[1].fresh = true;
	fresh[3].fresh = false;
	assert_true(judge(&config, "uid=a", "13", "", WA_KIND_USER).fresh);
}

static void policy_judge__standing__redirects_only_who_is_let_in_and_elsewhere(void **state)
{
	static const struct {
		const char *name;
		enum wa_verdict verdict;
		bool may_redirect;
		size_t site, uri;
		const char *http_url, *redirect_uri; /* redirect_uri NULL: the standing's own verdict */
	} rows[] = {
	    {"of a site", WA_AUTHORIZE, true, 0, 0, NULL, EMEA},
	    {"of a site, operates", WA_AUTHORIZE, false, 0, 0, NULL, NULL},
	    {"came here", WA_AUTHORIZE, true, 0, 0, "https://amer.example:5986/wsman", EMEA},
	    {"came to another port", WA_AUTHORIZE, true, 0, 0, "https://emea.example:5985/wsman", EMEA},
	    {"came to no URL", WA_AUTHORIZE, true, 0, 0, "nonsense", EMEA},
	    {"came to another site", WA_AUTHORIZE, true, 0, 0, APAC1, EMEA},
	    {"is there", WA_AUTHORIZE, true, 0, 0, EMEA, NULL},
	    {"is there, another path", WA_AUTHORIZE, true, 0, 0, "https://EMEA.example:5986/x?y", NULL},
	    {"his URI is the second", WA_AUTHORIZE, true, 1, 1, NULL, APAC2},
	    {"his URI is the first", WA_AUTHORIZE, true, 1, 0, NULL, APAC1},
	    {"is there by the other URI", WA_AUTHORIZE, true, 1, 1, APAC1, NULL},
	    {"of no site", WA_AUTHORIZE, true, POLICY_NO_SITE, 0, NULL, NULL},
	    {"of no site, operates", WA_AUTHORIZE, false, POLICY_NO_SITE, 0, EMEA, NULL},
	    {"denied", WA_DENY, true, POLICY_NO_SITE, 0, NULL, NULL},
	    {"denied, of a site", WA_DENY, true, 0, 0, NULL, NULL},
	    {"denied, is there", WA_DENY, true, 0, 0, EMEA, NULL},
	    {"not known, of a site", WA_ERROR, true, 0, 0, NULL, NULL},
	    {"not known, operates", WA_ERROR, false, POLICY_NO_SITE, 0, NULL, NULL},
	};
	const struct config config = policy();

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct policy_standing standing = {.verdict = rows[i].verdict,
							 .reason = WA_REASON_MEMBER,
							 .rule = 1,
							 .site = rows[i].site,
							 .uri = rows[i].uri};
		const struct policy_question question = {rows[i].may_redirect, rows[i].http_url};
		const bool goes = rows[i].redirect_uri != NULL;
		struct policy_judgement judgement;

		policy_judge(&config, &standing, &question, &judgement);
		assert_row(rows[i].name, judgement.verdict == (goes ? WA_REDIRECT : rows[i].verdict));
		assert_row(rows[i].name, judgement.reason == (goes ? WA_REASON_SITE_ELSEWHERE : WA_REASON_MEMBER));
		assert_row(rows[i].name, (judgement.redirect_uri != NULL) == goes);
		if (goes)
			assert_string_equal(judgement.redirect_uri, rows[i].redirect_uri);
	}
}

/* What a cache keeps of him says where he belongs only while he is let in. */
static void policy_rate__user__is_placed_only_when_let_in(void **state)
{
	static const struct {
		const char *attributes, *member;
		size_t site;
	} rows[] = {
	    {"l=EMEA", "1", 0},
	    {"l=APAC", "1", 1},
	    {"l=MARS", "1", POLICY_NO_SITE},
	    {"l=EMEA", "", POLICY_NO_SITE},
	    {"l=EMEA", "01", POLICY_NO_SITE},
	    {"l=EMEA; pwdAccountLockedTime=20261124000000Z", "1", POLICY_NO_SITE},
	    {"l=EMEA; pwdEndTime=soon", "1", POLICY_NO_SITE},
	};
	const struct config config = policy();

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_row(rows[i].attributes,
			   judge(&config, rows[i].attributes, rows[i].member, "", WA_KIND_USER).site == rows[i].site);
}

static void policy_rate__a_lock__lasts_as_long_as_is_known(void **state)
{
	const struct config config = policy();
	struct arena *arena = arena_new(65536);
	struct policy_standing standing;
	struct policy_facts facts = {
	    .user_id = "id",
	    .rule_member = (const bool[COUNT_OF(rules)]){false, true},
	    .rule_uncertain = (const bool[COUNT_OF(rules)]){false},
	    .rule_missing = (const bool[COUNT_OF(rules)]){false},
	    .site_member = (const bool[COUNT_OF(sites)]){false},
	    .now_s = 1795500000,
	    .lockout_s = ACCOUNT_LOCKED_UNTIL_LIFTED,
	};

	(void)state;
	facts.user = build_entry(arena, "uid=a", "pwdAccountLockedTime=20261124055900Z");
	policy_rate(&config, &facts, &standing);
	assert_int_equal(standing.reason, WA_REASON_ACCOUNT_LOCKED);
	assert_true(standing.until_s == INT64_MAX);
	facts.lockout_s = 90;
	policy_rate(&config, &facts, &standing);
	assert_int_equal(standing.reason, WA_REASON_ACCOUNT_LOCKED);
	assert_int_equal(standing.until_s, facts.now_s + 30);
	facts.now_s = standing.until_s;
	policy_rate(&config, &facts, &standing);
	assert_int_equal(standing.verdict, WA_AUTHORIZE);
	arena_free(&arena);
}

/* Each word of <account> switches one; what is hidden switches nothing off. */
static void policy_rate__account_of_ad__counts_as_the_policy_says(void **state)
{
	static const struct {
		const char *attributes;
		enum wa_reason with, without;
	} rows[] = {
	    {"userAccountControl=512", WA_REASON_MEMBER, WA_REASON_MEMBER},
	    {"userAccountControl=514", WA_REASON_ACCOUNT_DISABLED, WA_REASON_MEMBER},
	    {"userAccountControl=512; accountExpires=1", WA_REASON_ACCOUNT_EXPIRED, WA_REASON_MEMBER},
	    {"userAccountControl=512; msDS-User-Account-Control-Computed=16", WA_REASON_ACCOUNT_LOCKED,
	     WA_REASON_MEMBER},
	    {"userAccountControl=512; pwdLastSet=0", WA_REASON_PASSWORD_EXPIRED, WA_REASON_MEMBER},
	    {"userAccountControl=512; nsAccountLock=TRUE; shadowExpire=0", WA_REASON_MEMBER, WA_REASON_MEMBER},
	    {"cn=hidden", WA_REASON_INCOMPLETE_DATA, WA_REASON_INCOMPLETE_DATA},
	};
	struct policy_facts facts = {
	    .user_id = "id",
	    .rule_member = (const bool[COUNT_OF(rules)]){false, true},
	    .rule_uncertain = (const bool[COUNT_OF(rules)]){false},
	    .rule_missing = (const bool[COUNT_OF(rules)]){false},
	    .site_member = (const bool[COUNT_OF(sites)]){false},
	    .now_s = 1795500000,
	    .is_active_directory = true,
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct arena *arena = arena_new(65536);
		struct config config = policy();
		struct policy_standing standing;

		facts.user = build_entry(arena, "CN=a", rows[i].attributes);
		config.account = (struct config_account){true, true, true, true, ""};
		policy_rate(&config, &facts, &standing);
		assert_row(rows[i].attributes, standing.reason == rows[i].with);
		config.account = (struct config_account){false, false, false, false, ""};
		policy_rate(&config, &facts, &standing);
		assert_row(rows[i].attributes, standing.reason == rows[i].without);
		arena_free(&arena);
	}
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
	    cmocka_unit_test(policy_rate__user__is_placed_only_when_let_in),
	    cmocka_unit_test(policy_rate__a_lock__lasts_as_long_as_is_known),
	    cmocka_unit_test(policy_rate__account_of_ad__counts_as_the_policy_says),
	    cmocka_unit_test(policy_judgement__zeroed__denies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
