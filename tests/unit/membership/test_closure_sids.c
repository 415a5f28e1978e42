/* SPDX-License-Identifier: Apache-2.0 */
/* Loading a closure from a domain controller: what it is asked, what its answers become, what is refused. */
#include <support/assertions.h>

#include <os/clock.h>
#include <stdio.h>
#include <string.h>
#include <support/domain_stage.h>
#include <support/memory_failing.h>

#define OPS        DOMAIN_STAGE_OPS
#define INNER      DOMAIN_STAGE_INNER
#define OPS_SID    DOMAIN_STAGE_OPS_SID
#define TEAM_SID   DOMAIN_STAGE_TEAM_SID
#define INNER_SID  DOMAIN_STAGE_INNER_SID
#define FREE_SID   DOMAIN_STAGE_FREE_SID
#define NOBODY_SID FAKE_DOMAIN_SID "-9999"
#define EMEA_SID   "S-1-5-21-7-7-7"

static int set_up(void **state)
{
	static struct domain_stage stage;

	domain_stage_open(&stage);
	*state = &stage;
	return 0;
}

static int tear_down(void **state)
{
	domain_stage_close(*state);
	return 0;
}

static void closure_load__a_domain_controller__is_asked_for_nested_groups_once(void **state)
{
	struct domain_stage *stage = *state;

	domain_stage_load_well(stage);
	assert_int_equal(domain_stage_distance(stage, 0, OPS_SID), 0);
	assert_int_equal(domain_stage_distance(stage, 0, TEAM_SID), 1);
	assert_int_equal(domain_stage_distance(stage, 0, INNER_SID), 2);
	assert_int_equal(domain_stage_distance(stage, 0, FREE_SID), -1);
	assert_true(closure_is_by_sid(stage->closure));
	assert_null(closure_index(stage->closure));
	assert_int_equal(stage->round_trips, 5); /* PROBE, FOREST, MARK, LIST, CHECK */
	assert_int_equal(stage->lists, 1);
	assert_false(stage->asked_plain);
	assert_non_null(stage->forest);
	assert_int_equal(stage->forest->domain_count, 1);
	assert_contains(stage->csn, "#usn");
	assert_false(stage->csn_is_doubtful);
}

/* Roots */

static void assert_root(struct domain_stage *stage, const char *what, enum root_state expected, const char *sid)
{
	uint32_t group;

	domain_stage_load_well(stage);
	group = closure_root_group(stage->closure, 0);
	assert_row(what, stage->roots[0] == expected);
	assert_row(what, (group == CLOSURE_NONE) == (sid == NULL));
	if (sid != NULL)
		assert_row(what, strcmp(closure_group_id(stage->closure, group), sid) == 0);
}

static void closure_load__each_form_of_a_name__finds_its_group(void **state)
{
	static const struct {
		const char *name;
		enum root_state expected;
		const char *sid;
	} rows[] = {
	    {OPS, ROOT_FOUND, OPS_SID},
	    {"CN=Ops , OU=Groups,DC=Corp,DC=Example", ROOT_FOUND, OPS_SID},
	    {OPS_SID, ROOT_FOUND, OPS_SID},
	    {"s-1-5-21-1-2-3-1101", ROOT_FOUND, OPS_SID},
	    {"CORP\\ops", ROOT_FOUND, OPS_SID},
	    {"corp.example\\OPS", ROOT_FOUND, OPS_SID},
	    {"BUILTIN\\Administrators", ROOT_FOUND, "S-1-5-32-544"},
	    {"S-1-5-32-544", ROOT_FOUND, "S-1-5-32-544"},
	    {"CORP\\Administrators", ROOT_MISSING, NULL}, /* it is BUILTIN's */
	    {"BUILTIN\\ops", ROOT_MISSING, NULL},
	    {"CORP\\nobody", ROOT_MISSING, NULL},
	    {"CORP\\alice", ROOT_MISSING, NULL}, /* a user */
	    {"ELSEWHERE\\ops", ROOT_MISSING, NULL},
	    {DOMAIN_STAGE_GROUP("nobody"), ROOT_MISSING, NULL},
	    {"cn=ops,dc=elsewhere", ROOT_MISSING, NULL},
	    {NOBODY_SID, ROOT_MISSING, NULL},
	    {FAKE_DOMAIN_SID, ROOT_NO_GROUP, NULL}, /* the domain itself */
	    {"CORP\\posts", ROOT_NO_GROUP, NULL},
	    {DOMAIN_STAGE_GROUP("posts"), ROOT_NO_GROUP, NULL},
	    {FAKE_DOMAIN_SID "-1105", ROOT_NO_GROUP, NULL},
	    {"cn=alice,ou=people," FAKE_DOMAIN_DN, ROOT_NO_GROUP, NULL},
	    {"S-1-5-21-9-9-9-1", ROOT_NO_GROUP, NULL}, /* a foreign security principal */
	    {DOMAIN_STAGE_GROUP("nosid"), ROOT_NO_GROUP, NULL},
	};
	struct domain_stage *stage = *state;
	struct fake_directory *directory = stage->directory;

	fake_domain_add_group(directory, "cn=administrators,cn=system," FAKE_DOMAIN_DN, "S-1-5-32-544", "-2147483643");
	fake_domain_add_group(directory, DOMAIN_STAGE_GROUP("posts"), FAKE_DOMAIN_SID "-1105",
			      FAKE_DOMAIN_DISTRIBUTION);
	fake_domain_add_group(directory, DOMAIN_STAGE_GROUP("nosid"), NULL, FAKE_DOMAIN_GLOBAL);
	fake_domain_add(directory, "cn=alice,ou=people," FAKE_DOMAIN_DN, "user", FAKE_DOMAIN_SID "-1000");
	assert_true(fake_directory_gain(directory, "cn=alice,ou=people," FAKE_DOMAIN_DN, "sAMAccountName", "alice"));
	fake_domain_add(directory, "cn=far,cn=system," FAKE_DOMAIN_DN, "foreignSecurityPrincipal", "S-1-5-21-9-9-9-1");
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		stage->names[0] = rows[i].name;
		assert_root(stage, rows[i].name, rows[i].expected, rows[i].sid);
	}
}

/* Whatever takes its name: the group that was meant at first counts, and none when that is gone. */
static void closure_load__a_pinned_group__is_followed_by_its_sid(void **state)
{
	static const char *const names[] = {OPS, OPS_SID, "CORP\\ops"};
	static const enum root_state renamed[] = {ROOT_RENAMED, ROOT_FOUND, ROOT_RENAMED};
	struct domain_stage *stage = *state;
	struct fake_directory *directory = stage->directory;

	domain_stage_pin(stage, 0, OPS_SID);
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		stage->names[0] = names[i];
		assert_root(stage, names[i], ROOT_FOUND, OPS_SID);
	}
	assert_true(fake_directory_rename(directory, OPS, DOMAIN_STAGE_GROUP("new")));
	assert_true(fake_directory_lose(directory, DOMAIN_STAGE_GROUP("new"), "sAMAccountName", NULL));
	assert_true(fake_directory_gain(directory, DOMAIN_STAGE_GROUP("new"), "sAMAccountName", "new"));
	fake_domain_add_group(directory, OPS, FAKE_DOMAIN_SID "-1201", FAKE_DOMAIN_GLOBAL);
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		stage->names[0] = names[i];
		assert_root(stage, names[i], renamed[i], OPS_SID);
		assert_int_equal(domain_stage_distance(stage, 0, INNER_SID), 2);
	}
	assert_true(fake_directory_delete(directory, DOMAIN_STAGE_GROUP("new")));
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		stage->names[0] = names[i];
		assert_root(stage, names[i], ROOT_MISSING, NULL);
	}
	domain_stage_pin(stage, 0, FAKE_DOMAIN_SID "-1201");
	assert_root(stage, "pinned anew", ROOT_FOUND, FAKE_DOMAIN_SID "-1201");
}

static void closure_load__a_pinned_group_is_a_distribution_group_now__is_none(void **state)
{
	struct domain_stage *stage = *state;

	domain_stage_pin(stage, 0, OPS_SID);
	assert_true(fake_directory_lose(stage->directory, OPS, "groupType", NULL));
	assert_true(fake_directory_gain(stage->directory, OPS, "groupType", FAKE_DOMAIN_DISTRIBUTION));
	assert_root(stage, "distribution", ROOT_NO_GROUP, NULL);
}

static void closure_load__several_names__have_each_their_own_state(void **state)
{
	struct domain_stage *stage = *state;

	stage->names[0] = OPS;
	stage->names[1] = NULL;
	stage->names[2] = TEAM_SID;
	stage->names[3] = "CORP\\nobody";
	stage->names[4] = "CORP\\ops";
	stage->root_count = 5;
	domain_stage_load_well(stage);
	assert_int_equal(stage->roots[0], ROOT_FOUND);
	assert_int_equal(stage->roots[1], ROOT_UNUSED);
	assert_int_equal(stage->roots[2], ROOT_FOUND);
	assert_int_equal(stage->roots[3], ROOT_MISSING);
	assert_int_equal(stage->roots[4], ROOT_FOUND);
	assert_int_equal(domain_stage_distance(stage, 0, INNER_SID), 2);
	assert_int_equal(domain_stage_distance(stage, 2, INNER_SID), 1);
	assert_int_equal(domain_stage_distance(stage, 2, OPS_SID), -1);
	assert_int_equal(domain_stage_distance(stage, 4, INNER_SID), 2);
}

/* Two groups answer to one SID, or one name: nobody knows which is meant. */
static void closure_load__two_of_a_name__are_none(void **state)
{
	struct domain_stage *stage = *state;

	fake_domain_add_group(stage->directory, "cn=ops,ou=people," FAKE_DOMAIN_DN, FAKE_DOMAIN_SID "-1202",
			      FAKE_DOMAIN_GLOBAL);
	stage->names[0] = "CORP\\ops";
	assert_root(stage, "two of a name", ROOT_NO_GROUP, NULL);
}

/* Several domains */

static void add_emea(struct domain_stage *stage)
{
	fake_domain_add_domain(stage->directory, "dc=emea," FAKE_DOMAIN_DN, "emea.corp.example", "EMEA", EMEA_SID);
}

static void closure_load__several_domains__a_sid_of_another_is_elsewhere(void **state)
{
	static const struct {
		const char *name;
		enum root_state expected;
		const char *sid;
	} rows[] = {
	    {EMEA_SID "-1104", ROOT_ELSEWHERE, EMEA_SID "-1104"},
	    {"S-1-5-21-9-9-9-1104", ROOT_ELSEWHERE, "S-1-5-21-9-9-9-1104"}, /* of a forest that is trusted, perhaps */
	    {OPS_SID, ROOT_FOUND, OPS_SID},
	    {NOBODY_SID, ROOT_MISSING, NULL},
	    {"S-1-5-32-544", ROOT_MISSING, NULL}, /* each domain has its own */
	    {"EMEA\\ops", ROOT_MISSING, NULL},    /* not asked for: another domain's names are not here */
	    {"emea.corp.example\\ops", ROOT_MISSING, NULL},
	    {"CORP\\ops", ROOT_FOUND, OPS_SID},
	    {"cn=ops,dc=emea," FAKE_DOMAIN_DN, ROOT_MISSING, NULL},
	};
	struct domain_stage *stage = *state;

	add_emea(stage);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		stage->names[0] = rows[i].name;
		assert_root(stage, rows[i].name, rows[i].expected, rows[i].sid);
	}
}

static void closure_load__several_domains__of_a_group_of_another_forest_foreigners_may_be(void **state)
{
	static const struct {
		const char *name;
		uint32_t holder; /* the root is the only group */
	} rows[] = {{EMEA_SID "-1104", CLOSURE_NONE}, {"S-1-5-21-9-9-9-1104", 0}};
	struct domain_stage *stage = *state;

	add_emea(stage);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		stage->names[0] = rows[i].name;
		domain_stage_load_well(stage);
		assert_row(rows[i].name,
			   closure_find_holder(stage->closure, 0, CLOSURE_HOLDS_FOREIGN) == rows[i].holder);
	}
}

/* What the domain controller shows of it counts all the same: a group here that is held by one elsewhere. */
static void closure_load__a_group_elsewhere__holds_what_shows_it(void **state)
{
	static const char link[] = "<SID=" EMEA_SID "-1104>;cn=far,dc=emea," FAKE_DOMAIN_DN;
	struct domain_stage *stage = *state;

	add_emea(stage);
	assert_true(fake_directory_show(stage->directory, OPS, "memberOf", link, strlen(link)));
	stage->names[0] = EMEA_SID "-1104";
	domain_stage_pin(stage, 0, EMEA_SID "-1104");
	domain_stage_load_well(stage);
	assert_int_equal(stage->roots[0], ROOT_ELSEWHERE);
	assert_int_equal(domain_stage_distance(stage, 0, OPS_SID), 1);
	assert_int_equal(domain_stage_distance(stage, 0, INNER_SID), 3);
}

/* In a forest of one domain such a SID is looked for, and is nobody's. */
static void closure_load__one_domain__a_sid_of_another_is_missing(void **state)
{
	struct domain_stage *stage = *state;

	stage->names[0] = EMEA_SID "-1104";
	assert_root(stage, "single", ROOT_MISSING, NULL);
}

/* What ends a load */

static void assert_failure(struct domain_stage *stage, enum status expected, const char *says)
{
	enum status status = domain_stage_load(stage);

	assert_status(status, expected, &stage->error);
	assert_contains(stage->error.what, says);
}

static void closure_load__extended_dns_are_not_offered__is_refused(void **state)
{
	struct domain_stage *stage = *state;

	fake_directory_root_lose(stage->directory, "supportedControl", "1.2.840.113556.1.4.529");
	assert_failure(stage, STATUS_REFUSED, "extended DNs");
	assert_int_equal(stage->lists, 0);
}

static void closure_load__a_group_that_cannot_be_understood__is_invalid(void **state)
{
	static const char *const links[] = {"<SID=S-1-5-21-1-2-3->;cn=x", "<SID=" OPS_SID, "<SID=" OPS_SID ">;",
					    "<SID=" OPS_SID ">;<SID=" OPS_SID ">;cn=x",
					    "<SID=S-1-5-21-4294967296>;cn=x"};
	struct domain_stage *stage = *state;

	for (size_t i = 0; i < COUNT_OF(links); i++) {
		assert_true(fake_directory_show(stage->directory, INNER, "memberOf", links[i], strlen(links[i])));
		assert_failure(stage, STATUS_INVALID, "held by what is no DN");
		assert_true(fake_directory_unshow(stage->directory, INNER, "memberOf", links[i], strlen(links[i])));
	}
	domain_stage_load_well(stage);
	assert_true(fake_directory_hide(stage->directory, INNER, "objectSid", true));
	assert_failure(stage, STATUS_INVALID, "shows no SID");
}

static void closure_load__a_question_that_gets_no_answer__fails(void **state)
{
	static const struct {
		const char *when;
		enum fake_fault_kind kind;
		enum status expected;
	} rows[] = {
	    {"crossRef", FAKE_FAULT_HANG, STATUS_TIMEOUT},
	    {"crossRef", FAKE_FAULT_CODE, STATUS_REFUSED},
	    {DOMAIN_STAGE_LISTING, FAKE_FAULT_HANG, STATUS_TIMEOUT},
	    {DOMAIN_STAGE_LISTING, FAKE_FAULT_LIMIT, STATUS_LIMIT},
	    {DOMAIN_STAGE_LISTING, FAKE_FAULT_CODE, STATUS_REFUSED},
	    {DOMAIN_STAGE_LISTING, FAKE_FAULT_DOWN, STATUS_UNREACHABLE},
	};
	struct domain_stage *stage = *state;

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char when[32];
		struct fake_fault fault = {.kind = rows[i].kind, .code = 50, .entries = 1, .when = when};

		(void)snprintf(when, sizeof(when), "%s", rows[i].when);
		fake_directory_add_fault(stage->directory, &fault);
		assert_row(rows[i].when, domain_stage_load(stage) == rows[i].expected);
		fake_directory_clear_faults(stage->directory);
	}
	domain_stage_load_well(stage);
}

/* The small questions show within the ordinary timeout that a server hangs. */
static void closure_load__the_domains_are_not_told__waits_no_longer_than_for_any_answer(void **state)
{
	char when[] = "crossRef";
	const struct fake_fault hang = {.kind = FAKE_FAULT_HANG, .when = when};
	struct domain_stage *stage = *state;
	const uint64_t began_ms = clock_monotonic_ms();

	fake_directory_add_fault(stage->directory, &hang);
	assert_int_equal(domain_stage_load(stage), STATUS_TIMEOUT);
	assert_in_range(clock_monotonic_ms() - began_ms, 3000, 3500);
}

/* A configured group that could not be asked about is not missing. */
static void closure_load__a_root_may_not_be_asked_about__fails(void **state)
{
	char when[] = "=ops";
	const struct fake_fault fault = {.kind = FAKE_FAULT_CODE, .code = 50, .when = when};
	struct domain_stage *stage = *state;

	stage->names[0] = "CORP\\ops";
	fake_directory_add_fault(stage->directory, &fault);
	assert_int_equal(domain_stage_load(stage), STATUS_REFUSED);
}

static void closure_load__no_memory__fails_without_a_closure(void **state)
{
	struct domain_stage *stage = *state;
	size_t failures = 0;

	stage->names[1] = "CORP\\team";
	stage->names[2] = INNER_SID;
	stage->root_count = 3;
	for (size_t n = 1;; n++) {
		size_t before, count;
		enum status status;

		domain_stage_forget(stage);
		before = memory_live_count();
		memory_fail_at(n);
		status = domain_stage_load(stage);
		count = memory_fail_count();
		memory_fail_at(0);
		if (count < n)
			break;
		failures += status == STATUS_NO_MEMORY;
		if (status == STATUS_OK) { /* nothing is wrong in it */
			assert_int_equal(domain_stage_distance(stage, 0, INNER_SID), 2);
			assert_int_equal(domain_stage_distance(stage, 1, INNER_SID), 1);
			assert_int_equal(domain_stage_distance(stage, 2, INNER_SID), 0);
		}
		domain_stage_forget(stage);
		/* The executor's own list of timers may have grown. */
		assert_in_range(memory_live_count(), before, before + 1);
	}
	assert_true(failures > 40);
	assert_int_equal(domain_stage_distance(stage, 0, INNER_SID), 2);
}

#define LOAD_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    LOAD_TEST(closure_load__a_domain_controller__is_asked_for_nested_groups_once),
	    LOAD_TEST(closure_load__each_form_of_a_name__finds_its_group),
	    LOAD_TEST(closure_load__a_pinned_group__is_followed_by_its_sid),
	    LOAD_TEST(closure_load__a_pinned_group_is_a_distribution_group_now__is_none),
	    LOAD_TEST(closure_load__several_names__have_each_their_own_state),
	    LOAD_TEST(closure_load__two_of_a_name__are_none),
	    LOAD_TEST(closure_load__several_domains__a_sid_of_another_is_elsewhere),
	    LOAD_TEST(closure_load__several_domains__of_a_group_of_another_forest_foreigners_may_be),
	    LOAD_TEST(closure_load__a_group_elsewhere__holds_what_shows_it),
	    LOAD_TEST(closure_load__one_domain__a_sid_of_another_is_missing),
	    LOAD_TEST(closure_load__extended_dns_are_not_offered__is_refused),
	    LOAD_TEST(closure_load__a_group_that_cannot_be_understood__is_invalid),
	    LOAD_TEST(closure_load__a_question_that_gets_no_answer__fails),
	    LOAD_TEST(closure_load__the_domains_are_not_told__waits_no_longer_than_for_any_answer),
	    LOAD_TEST(closure_load__a_root_may_not_be_asked_about__fails),
	    LOAD_TEST(closure_load__no_memory__fails_without_a_closure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
