/* SPDX-License-Identifier: Apache-2.0 */
/* The cross-check with tokenGroups: beside decisions, of somebody now and then, and what comes of a difference. */
#include "token_rig.h"

static void membership_token_check__they_agree__nothing_comes_of_it(void **state)
{
	struct rig *rig = *state;

	assert_int_equal(rig_decide(rig, ALICE, ALICE_SID), MEMBERSHIP_DONE);
	rig_advance(rig, 100);
	assert_int_equal(rig->questions, 1);
	assert_string_equal(rig->last_base, "<SID=" ALICE_SID ">");
	assert_int_equal(rig_decide(rig, BOB, BOB_SID), MEMBERSHIP_DONE);
	rig_advance(rig, MEMBERSHIP_TOKEN_EVERY_MS - 1000);
	assert_int_equal(rig_decide(rig, BOB, BOB_SID), MEMBERSHIP_DONE);
	rig_advance(rig, NEXT_MS - MEMBERSHIP_TOKEN_EVERY_MS + 1000);
	assert_int_equal(rig->questions, 1);
	assert_int_equal(rig_decide(rig, BOB, BOB_SID), MEMBERSHIP_DONE);
	rig_advance(rig, 100);
	assert_int_equal(rig->questions, 2);
	assert_string_equal(rig->last_base, "<SID=" BOB_SID ">");
	assert_int_equal(rig->alarms + rig->touched + rig->unreadable, 0);
}

/* The token knows of less than what can be read. */
static void shorten_token(struct rig *rig, const char *dn)
{
	fake_domain_untoken(rig->stage.directory, dn, DOMAIN_STAGE_OPS_SID);
}

static void membership_token_check__they_differ_thrice__he_is_unknown_until_they_agree(void **state)
{
	static void (*const differences[])(struct rig *, const char *) = {rig_hide, shorten_token};
	static void (*const repairs[])(struct fake_directory *, const char *, const char *) = {fake_domain_nest, NULL};

	for (size_t i = 0; i < COUNT_OF(differences); i++) {
		struct rig *rig = *state;

		differences[i](rig, ALICE);
		assert_int_equal(rig_decide(rig, ALICE, ALICE_SID), MEMBERSHIP_DONE);
		rig_advance(rig, AGAIN_MS / 2);
		assert_int_equal(rig->questions, 1);
		assert_int_equal(rig_decide(rig, ALICE, ALICE_SID), MEMBERSHIP_DONE);
		rig_advance(rig, TRIES_MS);
		assert_int_equal(rig->questions, MEMBERSHIP_TOKEN_TRIES);
		assert_int_equal(rig->alarms, 1);
		assert_int_equal(rig->touched, 1);
		assert_int_equal(rig->last_touched, membership_id_hash(rig->membership, ALICE_SID));
		assert_int_equal(rig_decide(rig, ALICE, ALICE_SID), MEMBERSHIP_UNKNOWN);
		assert_int_equal(rig_decide(rig, BOB, BOB_SID), MEMBERSHIP_DONE);
		/* He is asked about again and again, and told of once. */
		rig_advance(rig, 5 * TURN_MS);
		assert_in_range(rig->questions, MEMBERSHIP_TOKEN_TRIES + 4, MEMBERSHIP_TOKEN_TRIES + 5);
		assert_int_equal(rig->alarms, 1);
		assert_int_equal(rig_decide(rig, ALICE, ALICE_SID), MEMBERSHIP_UNKNOWN);
		if (repairs[i] != NULL)
			repairs[i](rig->stage.directory, ALICE, DOMAIN_STAGE_INNER);
		else
			fake_domain_token(rig->stage.directory, ALICE, DOMAIN_STAGE_OPS_SID);
		rig_advance(rig, 2 * TURN_MS);
		assert_int_equal(rig->cleared, 1);
		assert_int_equal(rig->touched, 2);
		assert_int_equal(rig->last_touched, membership_id_hash(rig->membership, ALICE_SID));
		assert_int_equal(rig_decide(rig, ALICE, ALICE_SID), MEMBERSHIP_DONE);
		rig->questions = 0;
		rig_advance(rig, 5 * TURN_MS);
		assert_int_equal(rig->questions, 0);
		(void)rig_tear_down(state);
		(void)rig_set_up(state);
	}
}

/* A change came between the two: it is asked again a second later, and that is that. */
static void membership_token_check__they_differ_for_a_moment__nothing_comes_of_it(void **state)
{
	struct rig *rig = *state;

	rig_hide(rig, ALICE);
	assert_int_equal(rig_decide(rig, ALICE, ALICE_SID), MEMBERSHIP_DONE);
	rig_advance(rig, AGAIN_MS / 2);
	fake_domain_nest(rig->stage.directory, ALICE, DOMAIN_STAGE_INNER);
	rig_advance(rig, TRIES_MS);
	assert_int_equal(rig->questions, 2);
	assert_int_equal(rig->alarms + rig->touched + rig->cleared, 0);
	/* His tries do not count for the next one. */
	rig_hide(rig, BOB);
	rig_advance(rig, NEXT_MS);
	assert_int_equal(rig_decide(rig, BOB, BOB_SID), MEMBERSHIP_DONE);
	rig_advance(rig, TRIES_MS);
	assert_int_equal(rig->questions, 2 + MEMBERSHIP_TOKEN_TRIES);
	assert_int_equal(rig->alarms, 1);
}

/* Nobody is told of changes, and nobody else is decided about: the closure is as old as the decision. */
static void membership_token_check__a_group_changes_meanwhile__is_no_difference(void **state)
{
	static const uint64_t moments_ms[] = {0, DOMAIN_STAGE_LATENCY_MS + 5, AGAIN_MS + DOMAIN_STAGE_LATENCY_MS + 5};

	for (size_t i = 0; i < COUNT_OF(moments_ms); i++) {
		struct rig *rig = *state;

		assert_int_equal(rig_decide(rig, ALICE, ALICE_SID), MEMBERSHIP_DONE);
		fake_domain_unnest(rig->stage.directory, DOMAIN_STAGE_TEAM, DOMAIN_STAGE_OPS);
		fake_domain_untoken(rig->stage.directory, ALICE, DOMAIN_STAGE_OPS_SID);
		rig_advance(rig, moments_ms[i]);
		if (i > 0) { /* and back again */
			fake_domain_nest(rig->stage.directory, DOMAIN_STAGE_TEAM, DOMAIN_STAGE_OPS);
			fake_domain_token(rig->stage.directory, ALICE, DOMAIN_STAGE_OPS_SID);
		}
		rig_advance(rig, 2 * TRIES_MS);
		assert_int_equal(rig->alarms, 0);
		assert_true(rig->questions >= 2);
		assert_int_equal(rig_decide(rig, ALICE, ALICE_SID), MEMBERSHIP_DONE);
		(void)rig_tear_down(state);
		(void)rig_set_up(state);
	}
}

/* Under the watch, what was heard of and is not in the closure yet may be the difference. */
static void membership_token_check__a_change_is_pending__is_waited_for(void **state)
{
	struct rig *rig = *state;
	struct membership *membership = rig->membership;

	membership->watched.up = membership->watched.covers = true;
	membership->pending.since_us = 1;
	rig_hide(rig, ALICE);
	assert_int_equal(rig_decide(rig, ALICE, ALICE_SID), MEMBERSHIP_DONE);
	rig_advance(rig, 3 * TRIES_MS);
	assert_true(rig->questions > MEMBERSHIP_TOKEN_TRIES);
	assert_int_equal(rig->alarms, 0);
	membership->pending.since_us = 0;
	rig_advance(rig, TRIES_MS);
	assert_int_equal(rig->alarms, 1);
	assert_false(membership->loading);
	membership->watched.up = membership->watched.covers = false;
}

static void membership_token_check__the_token_is_not_shown__is_told_once(void **state)
{
	static const char *const dns[] = {ALICE, BOB}, *const sids[] = {ALICE_SID, BOB_SID};
	struct rig *rig = *state;

	for (size_t i = 0; i < COUNT_OF(dns); i++) {
		fake_domain_untoken(rig->stage.directory, dns[i], NULL);
		assert_int_equal(rig_decide(rig, dns[i], sids[i]), MEMBERSHIP_DONE);
		rig_advance(rig, NEXT_MS);
		assert_int_equal(rig_decide(rig, dns[i], sids[i]), MEMBERSHIP_DONE);
		rig_advance(rig, NEXT_MS);
	}
	assert_int_equal(rig->questions, 4);
	assert_int_equal(rig->unreadable, 1);
	assert_int_equal(rig->alarms + rig->touched, 0);
}

static void membership_token_check__who_cannot_be_looked_at__is_left_alone(void **state)
{
	struct rig *rig = *state;
	const struct fake_fault faults[] = {{.kind = FAKE_FAULT_HANG},
					    {.kind = FAKE_FAULT_DOWN},
					    {.kind = FAKE_FAULT_CODE, .code = 50},
					    {.kind = FAKE_FAULT_DROP}};

	rig_hide(rig, ALICE);
	for (size_t i = 0; i < COUNT_OF(faults); i++) {
		fake_directory_add_fault(rig->stage.directory, &faults[i]);
		assert_int_equal(rig_decide(rig, ALICE, ALICE_SID), MEMBERSHIP_DONE);
		rig_advance(rig, NEXT_MS);
		fake_directory_clear_faults(rig->stage.directory);
	}
	assert_int_equal(rig_decide(rig, "cn=gone,dc=x", FAKE_DOMAIN_SID "-9999"), MEMBERSHIP_DONE);
	rig_advance(rig, NEXT_MS);
	assert_int_equal(rig->alarms + rig->touched + rig->unreadable, 0);
	assert_int_equal(rig_decide(rig, ALICE, ALICE_SID), MEMBERSHIP_DONE);
	rig_advance(rig, TRIES_MS);
	assert_int_equal(rig->alarms, 1);
}

/* No domain controller counts the groups of another forest's users; and no name that is no SID is asked about. */
static void membership_token_check__a_foreign_security_principal__is_not_asked_about(void **state)
{
	struct rig *rig = *state;

	assert_int_equal(rig_decide_about(rig, "foreignSecurityPrincipal", "cn=far,dc=x", "S-1-5-21-7-7-7-1104"),
			 MEMBERSHIP_DONE);
	rig_advance(rig, NEXT_MS);
	assert_int_equal(rig->questions, 0);
	assert_int_equal(rig_decide(rig, ALICE, ALICE_SID), MEMBERSHIP_DONE);
	rig_advance(rig, 100);
	assert_int_equal(rig->questions, 1);
}

static void name_suspect(unsigned number, char dn[64], char sid[64])
{
	(void)snprintf(dn, 64, "cn=s%u,ou=people," FAKE_DOMAIN_DN, number);
	(void)snprintf(sid, 64, FAKE_DOMAIN_SID "-%u", 5000 + number);
}

/* They are remembered in a place of a fixed size: when it is full nobody else is looked at until one of them agrees. */
static void membership_token_check__as_many_suspects_as_fit__nobody_else_is_looked_at(void **state)
{
	struct rig *rig = *state;
	char dn[64], sid[64];

	for (unsigned i = 0; i < MEMBERSHIP_TOKEN_MAX_SUSPECTS; i++) {
		name_suspect(i, dn, sid);
		rig_add_user(rig, dn, sid);
		rig_hide(rig, dn);
		rig_suspect(rig, dn, sid);
		assert_int_equal(rig->alarms, i + 1);
		rig_advance(rig, NEXT_MS);
	}
	rig_hide(rig, ALICE);
	rig_suspect(rig, ALICE, ALICE_SID);
	assert_int_equal(rig->alarms, MEMBERSHIP_TOKEN_MAX_SUSPECTS);
	assert_int_equal(rig_decide(rig, ALICE, ALICE_SID), MEMBERSHIP_DONE);
	for (unsigned i = 0; i < MEMBERSHIP_TOKEN_MAX_SUSPECTS; i++) {
		name_suspect(i, dn, sid);
		assert_int_equal(rig_decide(rig, dn, sid), MEMBERSHIP_UNKNOWN);
	}
	/* Each has his turn within as many minutes. */
	fake_domain_nest(rig->stage.directory, dn, DOMAIN_STAGE_INNER);
	rig_advance(rig, (MEMBERSHIP_TOKEN_MAX_SUSPECTS + 1) * (TURN_MS + TRIES_MS));
	assert_int_equal(rig->cleared, 1);
	assert_int_equal(rig_decide(rig, dn, sid), MEMBERSHIP_DONE);
	rig_advance(rig, NEXT_MS);
	rig_suspect(rig, ALICE, ALICE_SID);
	assert_int_equal(rig_decide(rig, ALICE, ALICE_SID), MEMBERSHIP_UNKNOWN);
}

#define TOKEN_TEST(function) cmocka_unit_test_setup_teardown(function, rig_set_up, rig_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TOKEN_TEST(membership_token_check__they_agree__nothing_comes_of_it),
	    TOKEN_TEST(membership_token_check__they_differ_thrice__he_is_unknown_until_they_agree),
	    TOKEN_TEST(membership_token_check__they_differ_for_a_moment__nothing_comes_of_it),
	    TOKEN_TEST(membership_token_check__a_group_changes_meanwhile__is_no_difference),
	    TOKEN_TEST(membership_token_check__a_change_is_pending__is_waited_for),
	    TOKEN_TEST(membership_token_check__the_token_is_not_shown__is_told_once),
	    TOKEN_TEST(membership_token_check__who_cannot_be_looked_at__is_left_alone),
	    TOKEN_TEST(membership_token_check__a_foreign_security_principal__is_not_asked_about),
	    TOKEN_TEST(membership_token_check__as_many_suspects_as_fit__nobody_else_is_looked_at),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
