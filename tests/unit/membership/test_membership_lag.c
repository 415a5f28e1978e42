/* SPDX-License-Identifier: Apache-2.0 */
/* What is remembered of a domain controller, and whom it concerns once another one answers. */
#include <support/assertions.h>

#include <base/memory.h>
#include <membership/membership_private.h>
#include <stdio.h>
#include <string.h>
#include <support/domain_stage.h>
#include <support/executor_manual.h>
#include <support/memory_failing.h>

#define ALICE     FAKE_DOMAIN_SID "-2001"
#define BOB       FAKE_DOMAIN_SID "-2002"
#define QUESTION  4711
#define V1_HEADER 16
#define V1_CURSOR 24

struct rig {
	struct domain_stage stage;
	struct membership membership;
	struct log log;
	unsigned begun, ended, given_up, blind; /* as told to the log */
	uint8_t vector[V1_HEADER + V1_CURSOR];
};

static void write_line(void *context, enum log_level level, const char *line)
{
	struct rig *rig = context;

	(void)level;
	rig->begun += strstr(line, "until they have replicated") != NULL ? 1 : 0;
	rig->ended += strstr(line, "has got what another") != NULL ? 1 : 0;
	rig->given_up += strstr(line, "counts again") != NULL ? 1 : 0;
	rig->blind += strstr(line, "cannot be told") != NULL ? 1 : 0;
}

static char *mark_at(const char *dc, uint64_t usn)
{
	char mark[128];

	(void)snprintf(mark, sizeof(mark), "%020llu#0#CN=%s#usn", (unsigned long long)usn, dc);
	return memory_copy_text(mark);
}

static void watch(struct rig *rig, const char *dc, uint64_t usn)
{
	memory_free(rig->membership.watched.mark);
	rig->membership.watched.mark = mark_at(dc, usn);
	rig->membership.watched.up = true;
}

struct taking {
	struct rig *rig;
	const struct closure_loaded *loaded;
};

/* Timers are the executor's thread's. */
static void take(void *context)
{
	const struct taking *taking = context;

	membership_lag_take_load(&taking->rig->membership, taking->loaded);
}

static void take_load(struct rig *rig, const char *dc, uint64_t usn, const struct closure_loaded *loaded)
{
	struct taking taking = {rig, loaded};

	memory_free(rig->membership.csn);
	rig->membership.csn = mark_at(dc, usn);
	executor_manual_call(rig->stage.executor, take, &taking);
}

static void stop(void *context)
{
	membership_lag_stop(context);
}

/* A closure of a controller, whose cursor for the first one is that; 0: it shows no vector. */
static void load(struct rig *rig, const char *dc, uint64_t usn, uint64_t cursor)
{
	struct closure_loaded loaded = {.origin = {.has_id = true, .has_vector = cursor > 0}};

	memcpy(loaded.origin.id, dc, strlen(dc));
	memset(rig->vector, 0, sizeof(rig->vector));
	rig->vector[0] = rig->vector[8] = 1;
	memcpy(rig->vector + V1_HEADER, "DC1", 3);
	for (size_t i = 0; i < sizeof(cursor); i++)
		rig->vector[V1_HEADER + DIR_VECTOR_ID_BYTES + i] = (uint8_t)(cursor >> (8 * i));
	assert_true(dir_vector_parse(rig->vector, sizeof(rig->vector), &loaded.origin.vector));
	take_load(rig, dc, usn, &loaded);
}

static void load_blind(struct rig *rig)
{
	const struct closure_loaded loaded = {.closure = NULL};

	take_load(rig, "DC2", 10, &loaded);
}

/* @param usn  0: not shown. */
static void change(struct rig *rig, const char *id, uint64_t usn)
{
	char number[32];
	const int length = snprintf(number, sizeof(number), "%llu", (unsigned long long)usn);
	struct dir_value classes = {"person", 6}, usns = {number, (size_t)length};
	struct dir_attribute attributes[] = {{"objectClass", &classes, 1}, {"uSNChanged", &usns, 1}};
	const struct dir_entry entry = {
	    .dn = "cn=x,dc=x", .attributes = attributes, .attribute_count = usn == 0 ? 1 : 2};
	const struct dir_watch_event event = {.kind = DIR_WATCH_CHANGE, .id = id, .entry = &entry};

	membership_lag_see_change(&rig->membership, &event);
}

static bool concerns(const struct rig *rig, const char *id)
{
	const struct dir_entry user = {.dn = "cn=x,dc=x", .id = id};

	const struct membership_lookup lookup = {.question = QUESTION};

	return membership_lag_concerns(&rig->membership, &lookup, &user);
}

static int set_up(void **state)
{
	static struct rig rig;
	struct error error;

	memset(&rig, 0, sizeof(rig));
	domain_stage_open(&rig.stage);
	domain_stage_load_well(&rig.stage);
	rig.log = (struct log){.level = LOG_LEVEL_INFO, .write = write_line, .context = &rig};
	rig.membership.log = &rig.log;
	rig.membership.executor = rig.stage.executor;
	rig.membership.closure = rig.stage.closure;
	rig.membership.loading = true; /* what is asked for anew is under way */
	assert_status(membership_lag_open(&rig.membership, &error), STATUS_OK, &error);
	watch(&rig, "DC1", 100);
	load(&rig, "DC1", 100, 0);
	*state = &rig;
	return 0;
}

static int tear_down(void **state)
{
	struct rig *rig = *state;

	executor_manual_call(rig->stage.executor, stop, &rig->membership);
	membership_lag_done(&rig->membership);
	memory_free(rig->membership.csn);
	memory_free(rig->membership.watched.mark);
	domain_stage_close(&rig->stage);
	return 0;
}

static void lag__a_user_changed__only_he_is_concerned_until_it_has_replicated(void **state)
{
	struct rig *rig = *state;

	change(rig, ALICE, 101);
	assert_false(concerns(rig, ALICE)); /* the one that told it has it */
	load(rig, "DC2", 5000, 100);
	assert_true(concerns(rig, ALICE));
	assert_true(concerns(rig, NULL));
	assert_false(concerns(rig, BOB));
	load(rig, "DC2", 5001, 100);
	assert_true(concerns(rig, ALICE));
	load(rig, "DC2", 5002, 101);
	assert_false(concerns(rig, ALICE));
	assert_false(concerns(rig, NULL));
	assert_int_equal(rig->begun, 1);
	assert_int_equal(rig->ended, 1);
}

static void lag__the_other_one_has_it_already__nobody_is_concerned(void **state)
{
	struct rig *rig = *state;

	change(rig, ALICE, 101);
	load(rig, "DC2", 50, 101);
	assert_false(concerns(rig, ALICE));
	assert_int_equal(rig->begun + rig->ended, 0);
}

static void lag__a_group_of_the_closure_or_what_nobody_saw__everybody(void **state)
{
	struct rig *rig = *state;

	change(rig, DOMAIN_STAGE_INNER_SID, 101);
	load(rig, "DC2", 50, 100);
	assert_true(concerns(rig, BOB));
	load(rig, "DC2", 50, 101);
	assert_false(concerns(rig, BOB));
	watch(rig, "DC1", 101);
	load(rig, "DC1", 101, 0);
	membership_lag_see_unseen(&rig->membership);
	watch(rig, "DC1", 107);
	membership_lag_number(&rig->membership);
	load(rig, "DC2", 50, 106);
	assert_true(concerns(rig, BOB));
	load(rig, "DC2", 50, 107);
	assert_false(concerns(rig, BOB));
	change(rig, "", 0);
	assert_int_equal(rig->membership.lag.count,
			 2); /* nothing is remembered of a controller whose closure is not used */
}

static void lag__a_group_that_nobody_lists__concerns_nobody(void **state)
{
	struct rig *rig = *state;

	change(rig, DOMAIN_STAGE_FREE_SID, 101);
	load(rig, "DC2", 50, 100);
	assert_false(concerns(rig, BOB));
}

static void lag__the_watch_went_before_it_told_the_mark__nothing_shows_that_it_is_there(void **state)
{
	struct rig *rig = *state;

	change(rig, ALICE, 0);
	membership_lag_lose(&rig->membership);
	watch(rig, "DC1", 200);
	membership_lag_number(&rig->membership);
	load(rig, "DC2", 50, INT64_MAX);
	assert_true(concerns(rig, ALICE));
	assert_false(concerns(rig, BOB));
}

static void deny(struct rig *rig, const char *id, const char *dc, uint64_t usn, bool watched)
{
	const struct dir_entry user = {.dn = "cn=x,dc=x", .id = id};
	char *mark = mark_at(dc, usn);
	const struct membership_lookup lookup = {.mark = mark, .watched = watched};

	membership_show_denied(&rig->membership, &lookup, &user);
	memory_free(mark);
}

static void lag__denied_while_nothing_is_watched__he_is_concerned(void **state)
{
	struct rig *rig = *state;

	rig->membership.watched.up = false;
	deny(rig, ALICE, "DC1", 101, false);
	deny(rig, BOB, "DC1", 102, true);  /* the watch tells */
	deny(rig, BOB, "DC3", 103, false); /* the closure is of another one */
	load(rig, "DC2", 50, 100);
	assert_true(concerns(rig, ALICE));
	assert_false(concerns(rig, BOB));
	load(rig, "DC2", 50, 101);
	assert_false(concerns(rig, ALICE));
	load(rig, "DC2", 50, 100);
	(void)executor_manual_advance(rig->stage.executor, MEMBERSHIP_LAG_LIMIT_MS + MEMBERSHIP_LAG_LAST_MS);
	assert_false(concerns(rig, ALICE));
	assert_int_equal(rig->membership.lag.missing, 0);
}

static void lag__nobody_was_there_while_nothing_is_watched__the_question_is_concerned(void **state)
{
	struct rig *rig = *state;

	const struct membership_lookup lookup = {.question = QUESTION, .mark = rig->membership.csn};

	membership_show_denied(&rig->membership, &lookup, NULL);
	load(rig, "DC2", 50, 99);
	assert_true(concerns(rig, ALICE));
	load(rig, "DC2", 50, 100);
	assert_false(concerns(rig, ALICE));
}

/* DC1's numbers go back: a restored copy of it answers. */
static void lag__the_same_one_with_older_data__lacks_what_it_had_shown(void **state)
{
	struct rig *rig = *state;

	change(rig, ALICE, 101);
	rig->membership.watched.up = false;
	load(rig, "DC1", 100, 0);
	assert_true(concerns(rig, ALICE));
	load(rig, "DC1", 101, 0);
	assert_false(concerns(rig, ALICE));
}

static void lag__it_never_comes__is_given_up_and_told(void **state)
{
	struct rig *rig = *state;

	change(rig, ALICE, 101);
	load(rig, "DC2", 50, 100);
	assert_int_equal(executor_manual_timer_count(rig->stage.executor), 1);
	(void)executor_manual_advance(rig->stage.executor, MEMBERSHIP_LAG_LIMIT_MS - 1);
	assert_true(concerns(rig, ALICE));
	assert_int_equal(rig->given_up, 0);
	(void)executor_manual_advance(rig->stage.executor, 1);
	assert_false(concerns(rig, ALICE));
	(void)executor_manual_advance(rig->stage.executor, MEMBERSHIP_LAG_LAST_MS);
	assert_int_equal(rig->given_up, 1);
	assert_int_equal(executor_manual_timer_count(rig->stage.executor), 0);
}

static void lag__what_was_not_seen__is_waited_for_less(void **state)
{
	struct rig *rig = *state;

	membership_lag_see_unseen(&rig->membership);
	load(rig, "DC2", 50, 100);
	assert_true(concerns(rig, BOB));
	(void)executor_manual_advance(rig->stage.executor, MEMBERSHIP_LAG_UNSEEN_MS);
	assert_false(concerns(rig, BOB));
}

static void lag__it_cannot_be_told__is_said_once_and_believed(void **state)
{
	struct rig *rig = *state;

	load(rig, "DC2", 50, 0);
	assert_int_equal(rig->blind, 0); /* nobody wants to know */
	load(rig, "DC1", 100, 0);
	change(rig, ALICE, 101);
	load(rig, "DC2", 50, 0);
	assert_false(concerns(rig, ALICE));
	load_blind(rig);
	assert_false(concerns(rig, ALICE));
	assert_int_equal(rig->blind, 1);
}

static void lag__more_than_is_remembered__the_oldest_concern_everybody(void **state)
{
	struct rig *rig = *state;
	char id[64];

	for (unsigned i = 0; i < MEMBERSHIP_LAG_MAX + 1; i++) {
		(void)snprintf(id, sizeof(id), FAKE_DOMAIN_SID "-%u", 10000 + i);
		change(rig, id, 101 + i);
	}
	assert_true(rig->membership.lag.count < MEMBERSHIP_LAG_MAX);
	load(rig, "DC2", 50, 100);
	assert_true(concerns(rig, BOB));
	/* The oldest have replicated: of the others only they are concerned. */
	load(rig, "DC2", 50, MEMBERSHIP_LAG_MAX);
	assert_false(concerns(rig, BOB));
	assert_true(concerns(rig, id));
}

static void lag__no_memory__nobody_is_forgotten(void **state)
{
	struct rig *rig = *state;
	char id[64];

	memory_fail_from(1);
	for (unsigned i = 0; i < 200; i++) {
		(void)snprintf(id, sizeof(id), FAKE_DOMAIN_SID "-%u", 10000 + i);
		change(rig, id, 101 + i);
	}
	memory_fail_at(0);
	load(rig, "DC2", 50, 100);
	for (unsigned i = 0; i < 200; i++) {
		(void)snprintf(id, sizeof(id), FAKE_DOMAIN_SID "-%u", 10000 + i);
		assert_true(concerns(rig, id));
	}
}

/* OpenLDAP: marks of all servers can be compared. */

static char *csn_at(unsigned time, const char *server)
{
	char mark[128];

	(void)snprintf(mark, sizeof(mark), "20261124160300.%06uZ#000000#%s#000000", time, server);
	return memory_copy_text(mark);
}

static void number(void *context)
{
	membership_lag_number(context);
}

static void watch_csn(struct rig *rig, unsigned time)
{
	memory_free(rig->membership.watched.mark);
	rig->membership.watched.mark = csn_at(time, "001");
	rig->membership.watched.up = true;
	/* Timers are the executor's thread's. */
	executor_manual_call(rig->stage.executor, number, &rig->membership);
}

static void load_csn(struct rig *rig, unsigned time)
{
	const struct closure_loaded loaded = {.closure = NULL};
	struct taking taking = {rig, &loaded};

	memory_free(rig->membership.csn);
	rig->membership.csn = csn_at(time, "001");
	executor_manual_call(rig->stage.executor, take, &taking);
}

static void lose(struct rig *rig)
{
	rig->membership.watched.up = false;
	membership_lag_lose(&rig->membership);
}

static void lag__a_replica_lacks_what_was_told__only_he_is_concerned_until_it_has_it(void **state)
{
	struct rig *rig = *state;

	watch_csn(rig, 100);
	load_csn(rig, 100);
	change(rig, ALICE, 0);
	watch_csn(rig, 101);
	load_csn(rig, 100); /* begun before, and what was told meanwhile is applied to it */
	assert_false(concerns(rig, ALICE));
	lose(rig);
	load_csn(rig, 100);
	assert_true(concerns(rig, ALICE));
	assert_false(concerns(rig, BOB));
	watch_csn(rig, 100);
	assert_true(concerns(rig, ALICE));
	load_csn(rig, 101);
	assert_false(concerns(rig, ALICE));
	assert_int_equal(rig->begun, 1);
	assert_int_equal(rig->ended, 1);
}

static void lag__the_watch_of_a_replica_tells_that_it_is_as_far__he_is_answered_at_once(void **state)
{
	struct rig *rig = *state;

	watch_csn(rig, 100);
	load_csn(rig, 100);
	change(rig, ALICE, 0);
	watch_csn(rig, 102);
	lose(rig);
	watch_csn(rig, 100);
	load_csn(rig, 100);
	rig->membership.watched.covers = true;
	watch_csn(rig, 101);
	assert_true(concerns(rig, ALICE));
	watch_csn(rig, 102);
	assert_false(concerns(rig, ALICE));
	assert_int_equal(rig->ended, 1);
}

static void lag__a_group_that_a_replica_lacks__everybody_for_a_shorter_time(void **state)
{
	struct rig *rig = *state;

	watch_csn(rig, 100);
	load_csn(rig, 100);
	change(rig, DOMAIN_STAGE_INNER_SID, 0);
	watch_csn(rig, 101);
	lose(rig);
	load_csn(rig, 100);
	assert_true(concerns(rig, BOB));
	(void)executor_manual_advance(rig->stage.executor, MEMBERSHIP_LAG_UNSEEN_MS + MEMBERSHIP_LAG_LAST_MS);
	assert_false(concerns(rig, BOB));
	assert_int_equal(rig->given_up, 1);
}

static void lag__denied_by_a_server_while_nothing_is_watched__a_replica_lets_him_in_when_it_is_as_far(void **state)
{
	struct rig *rig = *state;
	const struct dir_entry alice = {.dn = "cn=x,dc=x", .id = ALICE};
	char *mark = csn_at(105, "001");
	const struct membership_lookup lookup = {.mark = mark};

	load_csn(rig, 100);
	membership_show_denied(&rig->membership, &lookup, &alice);
	memory_free(mark);
	load_csn(rig, 104);
	assert_true(concerns(rig, ALICE));
	assert_false(concerns(rig, BOB));
	load_csn(rig, 105);
	assert_false(concerns(rig, ALICE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(lag__a_user_changed__only_he_is_concerned_until_it_has_replicated, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(lag__the_other_one_has_it_already__nobody_is_concerned, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(lag__a_group_of_the_closure_or_what_nobody_saw__everybody, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(lag__a_group_that_nobody_lists__concerns_nobody, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(lag__the_watch_went_before_it_told_the_mark__nothing_shows_that_it_is_there,
					    set_up, tear_down),
	    cmocka_unit_test_setup_teardown(lag__denied_while_nothing_is_watched__he_is_concerned, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(lag__nobody_was_there_while_nothing_is_watched__the_question_is_concerned,
					    set_up, tear_down),
	    cmocka_unit_test_setup_teardown(lag__the_same_one_with_older_data__lacks_what_it_had_shown, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(lag__it_never_comes__is_given_up_and_told, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(lag__what_was_not_seen__is_waited_for_less, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(lag__it_cannot_be_told__is_said_once_and_believed, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(lag__more_than_is_remembered__the_oldest_concern_everybody, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(lag__no_memory__nobody_is_forgotten, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(lag__a_replica_lacks_what_was_told__only_he_is_concerned_until_it_has_it,
					    set_up, tear_down),
	    cmocka_unit_test_setup_teardown(lag__the_watch_of_a_replica_tells_that_it_is_as_far__he_is_answered_at_once,
					    set_up, tear_down),
	    cmocka_unit_test_setup_teardown(lag__a_group_that_a_replica_lacks__everybody_for_a_shorter_time, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(
		lag__denied_by_a_server_while_nothing_is_watched__a_replica_lets_him_in_when_it_is_as_far, set_up,
		tear_down),
	};

	return cmocka_run_group_tests_name("membership_lag", tests, NULL, NULL);
}
