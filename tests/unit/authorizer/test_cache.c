/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include "cache_rig.h"
#include <support/memory_failing.h>

static int open_roomy(void **state)
{
	static struct rig rig;

	rig_open(&rig, 1000, RIG_ROOMY);
	*state = &rig;
	return 0;
}

static int close_roomy(void **state)
{
	struct rig *rig = *state;

	rig_close(rig);
	return rig->cache == NULL && memory_live_count() == 0 ? 0 : -1;
}

static void assert_standing(const struct policy_standing *found, const struct policy_standing *expected)
{
	assert_int_equal(found->verdict, expected->verdict);
	assert_int_equal(found->reason, expected->reason);
	assert_true(found->rule == expected->rule);
	assert_int_equal(found->administrator, expected->administrator);
	assert_int_equal(found->fresh, expected->fresh);
	assert_memory_equal(&found->quota, &expected->quota, sizeof(found->quota));
	assert_true(found->site == expected->site);
	assert_true(found->uri == expected->uri);
	assert_true(found->until_s == expected->until_s);
	assert_null(found->malformed);
}

static void cache_find__empty__finds_nothing(void **state)
{
	static const struct digest extremes[] = {
	    {0, 0}, {0, UINT64_MAX}, {UINT64_MAX, 0}, {UINT64_MAX, UINT64_MAX}, {1, 0}};
	struct rig *rig = *state;
	struct cache_hit hit;

	for (size_t i = 0; i < COUNT_OF(extremes); i++)
		assert_false(cache_find(rig->cache, extremes[i], &hit));
	assert_int_equal(cache_count(rig->cache), 0);
}

static void cache_find__extreme_digests__are_told_apart(void **state)
{
	static const struct digest extremes[] = {
	    {2, 0}, {2, UINT64_MAX}, {UINT64_MAX, 0}, {UINT64_MAX, UINT64_MAX}, {0, 7}};
	struct rig *rig = *state;
	struct cache_hit hit;

	for (size_t i = 0; i < COUNT_OF(extremes); i++) {
		struct cache_entry entry = rig_entry(i, 0);

		entry.id = extremes[i];
		cache_put(rig->cache, extremes[i], &entry);
	}
	for (size_t i = 0; i < COUNT_OF(extremes); i++) {
		if (!cache_find(rig->cache, extremes[i], &hit))
			continue; /* one tag has one slot: the later of two has it */
		assert_int_equal(hit.standing.rule, i);
	}
	assert_int_equal(cache_count(rig->cache), COUNT_OF(extremes));
	assert_true(cache_find(rig->cache, extremes[4], &hit));
	assert_false(cache_find(rig->cache, (struct digest){2, 1}, &hit));
	assert_false(cache_find(rig->cache, (struct digest){3, 0}, &hit));
}

static void cache_find__what_was_put__is_found_as_it_was(void **state)
{
	static const struct policy_standing standings[] = {
	    {.verdict = WA_AUTHORIZE, .reason = WA_REASON_MEMBER, .rule = 0, .site = POLICY_NO_SITE},
	    {.verdict = WA_AUTHORIZE,
	     .reason = WA_REASON_MEMBER,
	     .rule = RIG_RULES - 1,
	     .administrator = true,
	     .quota = {1, 2, 3, 4},
	     .site = 0,
	     .uri = RIG_URIS - 1,
	     .until_s = INT64_MAX},
	    {.verdict = WA_AUTHORIZE,
	     .reason = WA_REASON_MEMBER,
	     .rule = 5,
	     .fresh = true,
	     .site = 2,
	     .uri = 1,
	     .until_s = -1},
	    {.verdict = WA_DENY, .reason = WA_REASON_NO_SUCH_USER, .rule = POLICY_NO_RULE, .site = POLICY_NO_SITE},
	    {.verdict = WA_DENY,
	     .reason = WA_REASON_ACCOUNT_LOCKED,
	     .rule = POLICY_NO_RULE,
	     .quota = {UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX},
	     .site = POLICY_NO_SITE,
	     .until_s = INT64_MIN},
	    {.verdict = WA_DENY, .reason = WA_REASON_COUNT - 1, .rule = 512, .site = 1, .until_s = 1784000000},
	};
	struct rig *rig = *state;
	struct cache_hit hit;

	for (size_t i = 0; i < COUNT_OF(standings); i++) {
		struct cache_entry entry = rig_entry(i, 0);

		entry.standing = standings[i];
		entry.asked_ms = UINT64_MAX - i;
		cache_put(rig->cache, rig_form(i), &entry);
	}
	for (size_t i = 0; i < COUNT_OF(standings); i++) {
		assert_true(cache_find(rig->cache, rig_form(i), &hit));
		assert_standing(&hit.standing, &standings[i]);
		assert_true(hit.asked_ms == UINT64_MAX - i);
		assert_true(hit.is_unchanged);
	}
}

static void cache_put__no_verdict__keeps_what_was_known(void **state)
{
	static const enum wa_verdict verdicts[] = {WA_ERROR, WA_REDIRECT, (enum wa_verdict)7};
	struct rig *rig = *state;

	for (size_t i = 0; i < COUNT_OF(verdicts); i++) {
		struct cache_entry entry = rig_entry(1, 0);

		entry.standing.verdict = verdicts[i];
		cache_put(rig->cache, rig_form(1), &entry);
		assert_false(rig_is_known(rig, 1));
		rig_put(rig, 2, 2);
		cache_put(rig->cache, rig_form(2), &entry);
		assert_true(rig_is_usable(rig, 2));
	}
	assert_int_equal(cache_count(rig->cache), 1);
}

static void cache_put__what_no_policy_says__is_not_kept(void **state)
{
	struct rig *rig = *state;
	struct cache_entry rows[6];

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		rows[i] = rig_entry(i, 0);
	rows[0].standing.rule = RIG_RULES;
	rows[1].standing.rule = POLICY_NO_RULE - 1;
	rows[2].standing.site = RIG_SITES;
	rows[3].standing.site = 2;
	rows[3].standing.uri = 2;
	rows[4].standing.reason = WA_REASON_COUNT;
	rows[5].as_of = UINT64_C(1) << 40;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		cache_put(rig->cache, rig_form(i), &rows[i]);
		assert_false(rig_is_known(rig, i));
	}
	assert_int_equal(cache_count(rig->cache), 0);
}

static void cache_put__cannot_be_kept__what_it_supersedes_is_forgotten(void **state)
{
	struct rig *rig = *state;
	struct cache_entry entry = rig_entry(1, 0);

	rig_put(rig, 1, 1);
	rig_put(rig, 2, 1); /* another form of the user */
	rig_put(rig, 3, 3);
	entry.standing.rule = RIG_RULES;
	cache_put(rig->cache, rig_form(1), &entry);
	assert_false(rig_is_known(rig, 1));
	assert_false(rig_is_known(rig, 2));
	assert_true(rig_is_usable(rig, 3));
	assert_int_equal(cache_count(rig->cache), 1);
}

static void cache_put__more_quotas_than_are_kept__the_known_ones_go_on(void **state)
{
	struct rig *rig = *state;
	struct cache_entry entry = rig_entry(1, 0);
	struct cache_hit hit;

	for (uint32_t i = 0; i < CACHE_MAX_QUOTAS + 10; i++) {
		entry.standing.quota.max_shells = i;
		cache_put(rig->cache, rig_form(1), &entry);
		assert_int_equal(cache_find(rig->cache, rig_form(1), &hit), i < CACHE_MAX_QUOTAS);
		if (i < CACHE_MAX_QUOTAS)
			assert_int_equal(hit.standing.quota.max_shells, i);
	}
	entry.standing.quota.max_shells = 17;
	cache_put(rig->cache, rig_form(1), &entry);
	assert_true(cache_find(rig->cache, rig_form(1), &hit));
	assert_int_equal(hit.standing.quota.max_shells, 17);
}

static void cache_find__something_it_depends_on_changed__is_told_but_not_usable(void **state)
{
	static const uint16_t depends_on[] = {1, 2, 3, 4, 11, 12};
	struct rig *rig = *state;
	struct cache_hit hit;

	for (size_t i = 0; i < COUNT_OF(depends_on); i++) {
		rig_put(rig, 1, 1);
		epochs_touch(rig->epochs, rig_hash(5));
		assert_true(rig_is_usable(rig, 1));
		epochs_touch(rig->epochs, rig_hash(depends_on[i]));
		assert_true(cache_find(rig->cache, rig_form(1), &hit));
		assert_false(hit.is_unchanged);
		assert_int_equal(hit.standing.verdict, WA_AUTHORIZE);
	}
	rig_put(rig, 1, 1);
	assert_true(rig_is_usable(rig, 1));
	epochs_touch_everything(rig->epochs);
	assert_true(rig_is_known(rig, 1));
	assert_false(rig_is_usable(rig, 1));
}

static void cache_put__looked_up_before_the_change__is_never_usable(void **state)
{
	struct rig *rig = *state;
	struct cache_entry entry = rig_entry(1, epochs_now(rig->epochs));

	epochs_touch(rig->epochs, rig_hash(2));
	cache_put(rig->cache, rig_form(1), &entry);
	assert_true(rig_is_known(rig, 1));
	assert_false(rig_is_usable(rig, 1));
}

static void cache_find__user_asked_again_by_another_form__both_have_the_new_standing(void **state)
{
	struct rig *rig = *state;
	struct cache_entry entry = rig_entry(1, 0);
	struct cache_hit hit;

	rig_put(rig, 1, 1);
	entry.standing.verdict = WA_DENY;
	entry.standing.reason = WA_REASON_NOT_A_MEMBER;
	entry.asked_ms = 5000;
	cache_put(rig->cache, rig_form(2), &entry);
	for (uint64_t form = 1; form <= 2; form++) {
		assert_true(cache_find(rig->cache, rig_form(form), &hit));
		assert_int_equal(hit.standing.verdict, WA_DENY);
		assert_int_equal(hit.asked_ms, 5000);
	}
	assert_int_equal(cache_count(rig->cache), 1);
}

static void cache_find__user_refreshed_by_another_form__a_changed_form_stays_changed(void **state)
{
	struct rig *rig = *state;
	struct cache_entry entry;

	rig_put(rig, 1, 1);
	epochs_touch(rig->epochs, rig_hash(11));
	entry = rig_entry(1, epochs_now(rig->epochs));
	entry.form_buckets[0] = entry.form_buckets[1] = 20;
	cache_put(rig->cache, rig_form(2), &entry);
	assert_true(rig_is_usable(rig, 2));
	assert_false(rig_is_usable(rig, 1));
	rig_put(rig, 1, 1);
	assert_true(rig_is_usable(rig, 1));
}

static void cache_find__form_names_somebody_else_now__finds_him(void **state)
{
	struct rig *rig = *state;
	struct cache_entry entry = rig_entry(2, 0);
	struct cache_hit hit;

	rig_put(rig, 1, 1);
	rig_put(rig, 2, 1);
	entry.dn = "uid=bob,dc=example";
	cache_put(rig->cache, rig_form(1), &entry);
	assert_true(cache_find(rig->cache, rig_form(1), &hit));
	assert_int_equal(hit.standing.rule, 2);
	assert_string_equal(cache_dn(rig->cache, &hit), "uid=bob,dc=example");
	assert_true(cache_find(rig->cache, rig_form(2), &hit));
	assert_int_equal(hit.standing.rule, 1);
}

static void cache_put__answer_overtaken_by_a_later_question__the_later_one_stays(void **state)
{
	struct rig *rig = *state;
	struct cache_entry early = rig_entry(1, epochs_now(rig->epochs)), late;
	struct cache_hit hit;

	early.standing.administrator = true;
	epochs_touch(rig->epochs, rig_hash(1));
	late = rig_entry(1, epochs_now(rig->epochs));
	cache_put(rig->cache, rig_form(1), &late);
	cache_put(rig->cache, rig_form(1), &early);
	assert_true(cache_find(rig->cache, rig_form(1), &hit));
	assert_true(hit.is_unchanged);
	assert_false(hit.standing.administrator);

	/* Who the form names is the later question's too. */
	early.id = rig_id(3);
	cache_put(rig->cache, rig_form(1), &early);
	assert_true(cache_find(rig->cache, rig_form(1), &hit));
	assert_int_equal(hit.asked_ms, late.asked_ms);
	early.id = late.id;

	/* By another form: the user stays as the later question found him, and the form is as old as its own question. */
	epochs_touch(rig->epochs, rig_hash(11));
	cache_put(rig->cache, rig_form(2), &early);
	assert_true(cache_find(rig->cache, rig_form(2), &hit));
	assert_false(hit.standing.administrator);
	assert_int_equal(hit.asked_ms, late.asked_ms);
	assert_false(hit.is_unchanged);
}

static void cache_put__same_number_but_asked_earlier__the_later_one_stays(void **state)
{
	struct rig *rig = *state;
	struct cache_entry early = rig_entry(1, 0), late = rig_entry(1, 0);
	struct cache_hit hit;

	late.asked_ms++;
	early.standing.administrator = true;
	cache_put(rig->cache, rig_form(1), &late);
	cache_put(rig->cache, rig_form(1), &early);
	assert_true(cache_find(rig->cache, rig_form(1), &hit));
	assert_false(hit.standing.administrator);
}

static void cache_dn__users_with_and_without_entry__is_theirs(void **state)
{
	struct rig *rig = *state;
	struct cache_entry entry = rig_entry(1, 0);
	struct cache_hit hit;
	char dn[] = "uid=carol,dc=example";

	entry.dn = dn;
	cache_put(rig->cache, rig_form(1), &entry);
	dn[4] = 'x'; /* it was copied */
	assert_true(cache_find(rig->cache, rig_form(1), &hit));
	assert_string_equal(cache_dn(rig->cache, &hit), "uid=carol,dc=example");
	cache_put(rig->cache, rig_form(1), &entry); /* renamed */
	assert_string_equal(cache_dn(rig->cache, &hit), "uid=xarol,dc=example");
	entry.dn = NULL;
	entry.id = rig_form(2);
	cache_put(rig->cache, rig_form(2), &entry);
	assert_true(cache_find(rig->cache, rig_form(2), &hit));
	assert_null(cache_dn(rig->cache, &hit));
}

#define WITH_CACHE(test) cmocka_unit_test_setup_teardown(test, open_roomy, close_roomy)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH_CACHE(cache_find__empty__finds_nothing),
	    WITH_CACHE(cache_find__extreme_digests__are_told_apart),
	    WITH_CACHE(cache_find__what_was_put__is_found_as_it_was),
	    WITH_CACHE(cache_put__no_verdict__keeps_what_was_known),
	    WITH_CACHE(cache_put__what_no_policy_says__is_not_kept),
	    WITH_CACHE(cache_put__cannot_be_kept__what_it_supersedes_is_forgotten),
	    WITH_CACHE(cache_put__more_quotas_than_are_kept__the_known_ones_go_on),
	    WITH_CACHE(cache_find__something_it_depends_on_changed__is_told_but_not_usable),
	    WITH_CACHE(cache_put__looked_up_before_the_change__is_never_usable),
	    WITH_CACHE(cache_find__user_asked_again_by_another_form__both_have_the_new_standing),
	    WITH_CACHE(cache_find__user_refreshed_by_another_form__a_changed_form_stays_changed),
	    WITH_CACHE(cache_find__form_names_somebody_else_now__finds_him),
	    WITH_CACHE(cache_put__answer_overtaken_by_a_later_question__the_later_one_stays),
	    WITH_CACHE(cache_put__same_number_but_asked_earlier__the_later_one_stays),
	    WITH_CACHE(cache_dn__users_with_and_without_entry__is_theirs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
