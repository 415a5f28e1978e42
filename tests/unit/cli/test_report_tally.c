/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of users, sites and groups, and what looks wrong. */
#include "report_rig.h"

#include <support/memory_failing.h>

struct rig {
	const struct config *config;
	struct tally tally;
};

static void open_rig(struct rig *rig, bool has_circle)
{
	struct closure *closure = rig_closure(has_circle);

	rig->config = rig_policy();
	assert_int_equal(tally_init(&rig->tally, rig->config, closure, 1), STATUS_OK);
	closure_unref(&closure);
}

static void close_rig(struct rig *rig)
{
	tally_done(&rig->tally);
	config_unref(&rig->config);
}

static void take(struct rig *rig, const struct report_row *row)
{
	assert_int_equal(tally_take(&rig->tally, row), STATUS_OK);
}

static void take_in(struct rig *rig, struct closure *closure, const uint32_t *groups, size_t count, bool is_in)
{
	struct report_row row = rig_row("CORP\\x");

	row.verdict = is_in ? WA_AUTHORIZE : WA_DENY;
	row.closure = closure;
	row.direct = groups;
	row.direct_count = count;
	take(rig, &row);
}

static const struct report_group *group_at(const struct rig *rig, uint32_t group)
{
	return report_groups_at(rig->tally.groups, group);
}

static void tally_take__verdicts_and_places__are_counted(void **state)
{
	struct report_row row = rig_row("CORP\\alice");
	struct rig rig;

	(void)state;
	open_rig(&rig, false);
	take(&rig, &row);
	row.verdict = WA_REDIRECT;
	row.place = REPORT_PLACE_SITE;
	row.site_number = 1;
	row.administrator = true;
	take(&rig, &row);
	row.verdict = WA_DENY;
	take(&rig, &row);
	row.place = REPORT_PLACE_UNKNOWN;
	take(&rig, &row);

	assert_int_equal(rig.tally.users, 4);
	assert_int_equal(tally_in(&rig.tally), 2);
	assert_int_equal(rig.tally.administrators, 1);
	assert_int_equal(rig.tally.places[1][WA_REDIRECT], 1);
	assert_int_equal(rig.tally.places[1][WA_DENY], 1);
	assert_int_equal(rig.tally.places[2 + REPORT_AT_HERE][WA_AUTHORIZE], 1);
	assert_int_equal(rig.tally.places[2 + REPORT_AT_UNKNOWN][WA_DENY], 1);
	assert_string_equal(tally_place_name(&rig.tally, 0), "cn=lab,dc=x");
	assert_string_equal(tally_place_name(&rig.tally, 1), "EMEA");
	close_rig(&rig);
}

static void tally_findings_of__rows__are_what_looks_wrong(void **state)
{
	const struct {
		enum finding_kind kind;
		struct report_row row;
	} rows[] = {
	    {FINDING_NOT_KNOWN, {.sender = "a", .verdict = WA_ERROR, .reason = WA_REASON_INCOMPLETE_DATA}},
	    {FINDING_NAMELESS, {.sender = "", .verdict = WA_DENY}},
	    {FINDING_AMBIGUOUS, {.sender = "a", .verdict = WA_DENY, .reason = WA_REASON_AMBIGUOUS_USER}},
	    {FINDING_STATE, {.sender = "a", .verdict = WA_AUTHORIZE, .states = REPORT_LOCKED}},
	    {FINDING_WAYS, {.sender = "a", .verdict = WA_AUTHORIZE, .ways = 2}},
	    {FINDING_UNMAPPED, {.sender = "a", .verdict = WA_AUTHORIZE, .place = REPORT_PLACE_UNMAPPED}},
	    {FINDING_SEVERAL_SITES, {.sender = "a", .verdict = WA_REDIRECT, .site_values = 2}},
	    {FINDING_ADMINISTRATOR, {.sender = "a", .verdict = WA_AUTHORIZE, .administrator = true}},
	};
	struct report_row denied = {.sender = "a",
				    .verdict = WA_DENY,
				    .states = REPORT_DISABLED,
				    .ways = 9,
				    .place = REPORT_PLACE_UNMAPPED,
				    .site_values = 3,
				    .administrator = true};
	struct rig rig;

	(void)state;
	open_rig(&rig, false);
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_int_equal(tally_findings_of(&rig.tally, &rows[i].row), 1U << (unsigned)rows[i].kind);
	assert_int_equal(tally_findings_of(&rig.tally, &denied), 0);
	close_rig(&rig);
}

static void tally_take__many_of_a_kind__all_are_counted_and_some_kept(void **state)
{
	struct report_row row = rig_row("CORP\\alice");
	struct rig rig;

	(void)state;
	open_rig(&rig, false);
	row.states = REPORT_DISABLED | REPORT_PASSWORD_EXPIRED;
	for (size_t i = 0; i < REPORT_SAMPLES + 7; i++)
		take(&rig, &row);

	assert_int_equal(rig.tally.findings[FINDING_STATE].count, REPORT_SAMPLES + 7);
	assert_int_equal(rig.tally.findings[FINDING_STATE].sample_count, REPORT_SAMPLES);
	assert_string_equal(rig.tally.findings[FINDING_STATE].samples[0].what, "disabled, password-expired");
	assert_true(tally_looks_wrong(&rig.tally));
	close_rig(&rig);
}

static void tally_take__users_in_groups__count_once_in_each_above(void **state)
{
	static const uint32_t night_and_ops[] = {RIG_NIGHT, RIG_OPS}, empty[] = {RIG_EMPTY};
	struct closure *closure = rig_closure(true);
	struct rig rig;

	(void)state;
	open_rig(&rig, true);
	take_in(&rig, closure, night_and_ops, 2, true);
	take_in(&rig, closure, empty, 1, false);

	assert_int_equal(group_at(&rig, RIG_OPS)->users, 2);
	assert_int_equal(group_at(&rig, RIG_OPS)->in, 1);
	assert_int_equal(group_at(&rig, RIG_OPS)->direct, 1);
	assert_int_equal(group_at(&rig, RIG_ADMINS)->users, 2);
	assert_int_equal(group_at(&rig, RIG_ADMINS)->direct, 0);
	assert_int_equal(group_at(&rig, RIG_EMPTY)->users, 2); /* ops lies in it */
	assert_int_equal(group_at(&rig, RIG_LAB)->users, 0);
	closure_unref(&closure);
	close_rig(&rig);
}

static void tally_end__groups__missing_empty_and_circles_are_found(void **state)
{
	static const uint32_t night[] = {RIG_NIGHT};
	struct closure *closure = rig_closure(true);
	struct rig rig;

	(void)state;
	open_rig(&rig, true);
	take_in(&rig, closure, night, 1, true);
	assert_int_equal(tally_end(&rig.tally), STATUS_OK);

	assert_int_equal(rig.tally.findings[FINDING_GROUP_MISSING].count, 1);
	assert_string_equal(rig.tally.findings[FINDING_GROUP_MISSING].samples[0].name, "allow cn=gone,dc=x");
	assert_int_equal(rig.tally.findings[FINDING_GROUP_EMPTY].count, 1);
	assert_string_equal(rig.tally.findings[FINDING_GROUP_EMPTY].samples[0].name, "cn=lab,dc=x");
	assert_int_equal(rig.tally.findings[FINDING_CYCLE].count, 1);
	assert_string_equal(rig.tally.findings[FINDING_CYCLE].samples[0].what, "cn=ops > cn=night > cn=empty > cn=ops");
	closure_unref(&closure);
	close_rig(&rig);
}

static void tally_end__chain_without_a_circle__finds_none(void **state)
{
	struct rig rig;

	(void)state;
	open_rig(&rig, false);
	assert_int_equal(tally_end(&rig.tally), STATUS_OK);
	assert_int_equal(rig.tally.findings[FINDING_CYCLE].count, 0);
	close_rig(&rig);
}

static void tally_take__groups_change_in_between__counts_go_along(void **state)
{
	static const uint32_t night[] = {RIG_NIGHT}, newcomer[] = {1};
	struct closure *closure = rig_closure(false), *other = closure_new(5, &rig_key);
	struct rig rig;
	uint32_t ops, fresh;

	(void)state;
	assert_int_equal(closure_add_group(other, "cn=renamed,dc=x", "id-ops", &ops), STATUS_OK);
	assert_int_equal(closure_add_group(other, "cn=fresh,dc=x", "id-fresh", &fresh), STATUS_OK);
	rig_edge(other, fresh, ops);
	closure_set_root(other, 0, ops);
	assert_int_equal(closure_finish(other), STATUS_OK);
	open_rig(&rig, false);
	take_in(&rig, closure, night, 1, true);
	take_in(&rig, other, newcomer, 1, true);

	assert_ptr_equal(report_groups_closure(rig.tally.groups), other);
	assert_int_equal(group_at(&rig, ops)->users, 2);
	assert_int_equal(group_at(&rig, fresh)->users, 1);
	closure_unref(&other);
	closure_unref(&closure);
	close_rig(&rig);
}

static enum status try_all(struct closure *closure, const struct config *config)
{
	static const uint32_t night[] = {RIG_NIGHT};
	struct report_row row = rig_row("CORP\\alice");
	enum status status;
	struct tally tally;

	row.states = REPORT_DISABLED;
	row.closure = closure;
	row.direct = night;
	row.direct_count = 1;
	if (tally_init(&tally, config, closure, 1) != STATUS_OK)
		return STATUS_NO_MEMORY;
	status = tally_take(&tally, &row);
	if (status == STATUS_OK)
		status = tally_end(&tally);
	tally_done(&tally);
	return status;
}

static void tally__nth_allocation_fails__fails_and_leaks_nothing(void **state)
{
	struct closure *closure = rig_closure(true);
	const struct config *config = rig_policy();
	const size_t before = memory_live_count();
	enum status status = STATUS_NO_MEMORY;
	size_t nth;

	(void)state;
	for (nth = 1; status == STATUS_NO_MEMORY; nth++) {
		memory_fail_at(nth);
		status = try_all(closure, config);
		memory_fail_at(0);
		assert_int_equal(memory_live_count(), before);
	}
	assert_int_equal(status, STATUS_OK);
	assert_true(nth > 10);
	config_unref(&config);
	closure_unref(&closure);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(tally_take__verdicts_and_places__are_counted),
	    cmocka_unit_test(tally_findings_of__rows__are_what_looks_wrong),
	    cmocka_unit_test(tally_take__many_of_a_kind__all_are_counted_and_some_kept),
	    cmocka_unit_test(tally_take__users_in_groups__count_once_in_each_above),
	    cmocka_unit_test(tally_end__groups__missing_empty_and_circles_are_found),
	    cmocka_unit_test(tally_end__chain_without_a_circle__finds_none),
	    cmocka_unit_test(tally_take__groups_change_in_between__counts_go_along),
	    cmocka_unit_test(tally__nth_allocation_fails__fails_and_leaks_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
