/* SPDX-License-Identifier: Apache-2.0 */
/* What travels along with the search for a user, and what becomes of it when there is no memory. */
#include <support/assertions.h>

#include <os/clock.h>
#include <string.h>
#include <support/executor_manual.h>
#include <support/finder_stage.h>
#include <support/memory_failing.h>

#define PATIENCE_MS 1000
#define LONG_MS     100000
#define STAFF       "(employeeType=staff)"

static struct finder_stage stage;

static void people(const char *account_filter)
{
	static const char *const names[] = {"alice", "bob"};
	char long_value[4096]; /* does not fit into what an arena has at hand */

	memset(long_value, 'x', sizeof(long_value) - 1);
	long_value[sizeof(long_value) - 1] = '\0';
	finder_stage_open(&stage, account_filter);
	for (size_t i = 0; i < 2; i++)
		assert_true(fake_directory_gain(stage.directory, finder_stage_add(&stage, names[i], NULL, NULL), "cn",
						long_value));
	assert_true(fake_directory_gain(stage.directory, "uid=alice,dc=x", "employeeType", "staff"));
}

static int set_up_plain(void **state)
{
	(void)state;
	people("");
	return 0;
}

static int set_up_staff(void **state)
{
	(void)state;
	people(STAFF);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	finder_stage_close(&stage);
	return 0;
}

static void fill_window(void)
{
	while (stage.pool.count < FINDER_WINDOW)
		(void)finder_stage_seek(&stage, "nobody", LONG_MS);
}

static struct dir_request *last_held(void)
{
	return stage.pool.held[stage.pool.count - 1];
}

static void answer_last(void)
{
	finder_stage_answer(&stage, stage.pool.count - 1);
}

static struct staged *seek(const char *name)
{
	return finder_stage_seek(&stage, name, PATIENCE_MS);
}

static struct staged *seek_with_mark(const char *name, const char *base)
{
	struct staged *staged = finder_stage_seeker(&stage, name, PATIENCE_MS);

	staged->seeker.mark_base = base;
	assert_int_equal(finder_stage_ask(staged), STATUS_OK);
	return staged;
}

static void finder_seek__account_filter__tells_who_passes(void **state)
{
	struct staged *alone = seek("alice"), *alice, *bob, *nobody;

	(void)state;
	assert_int_equal(stage.pool.held[0]->search_count, 2);
	assert_string_equal(stage.pool.held[0]->searches[1].filter,
			    "(&(objectClass=inetOrgPerson)(uid=alice)" STAFF ")");
	assert_string_equal(stage.pool.held[0]->searches[1].attributes[0], "1.1");
	finder_stage_answer(&stage, 0);
	assert_true(alone->seeker.passes_account_filter);
	assert_int_equal(alone->seeker.filter_outcome, DIR_OUTCOME_OK);

	fill_window();
	alice = seek("alice");
	bob = seek("bob");
	nobody = seek("nobody");
	finder_stage_answer(&stage, 0);
	assert_string_equal(last_held()->searches[1].filter,
			    "(&(objectClass=inetOrgPerson)(|(uid=alice)(uid=bob)(uid=nobody))" STAFF ")");
	answer_last();
	assert_true(alice->seeker.passes_account_filter);
	assert_false(bob->seeker.passes_account_filter);
	assert_int_equal(finder_stage_entries_of(bob, "bob"), 1);
	assert_int_equal(bob->seeker.filter_outcome, DIR_OUTCOME_OK);
	assert_false(nobody->seeker.passes_account_filter);
}

static void finder_seek__account_filter_failed__is_not_passed(void **state)
{
	struct staged *alice = seek("alice");

	(void)state;
	finder_stage_answer_but(&stage, 0, 1, DIR_OUTCOME_BUSY);
	assert_int_equal(alice->seeker.outcome, DIR_OUTCOME_OK);
	assert_int_equal(finder_stage_entries_of(alice, "alice"), 1);
	assert_int_equal(alice->seeker.filter_outcome, DIR_OUTCOME_BUSY);
	assert_false(alice->seeker.passes_account_filter);
	assert_int_equal(alice->seeker.error.status, STATUS_UNREACHABLE);

	fill_window();
	alice = seek("alice");
	(void)seek("bob");
	finder_stage_answer(&stage, 0);
	finder_stage_answer_but(&stage, stage.pool.count - 1, 1, DIR_OUTCOME_LIMIT);
	assert_int_equal(alice->told, 0);
	answer_last();
	assert_true(alice->seeker.passes_account_filter);
	assert_int_equal(alice->seeker.error.status, STATUS_OK);
}

static void finder_seek__mark_is_wanted__comes_along_for_those_who_want_it(void **state)
{
	struct staged *alice, *bob;

	(void)state;
	fill_window();
	bob = seek("bob");
	alice = seek_with_mark("alice", FINDER_STAGE_BASE);
	finder_stage_answer(&stage, 0);
	assert_int_equal(last_held()->search_count, 2);
	assert_int_equal(last_held()->searches[0].scope, DIR_SCOPE_BASE);
	assert_string_equal(last_held()->searches[0].base, FINDER_STAGE_BASE);
	answer_last();
	assert_non_null(alice->seeker.mark);
	assert_non_null(strchr(alice->seeker.mark, '#'));
	assert_null(bob->seeker.mark);
}

static void finder_seek__other_marks__do_not_go_together(void **state)
{
	struct staged *alice, *bob;

	(void)state;
	fill_window();
	alice = seek_with_mark("alice", FINDER_STAGE_BASE);
	bob = seek_with_mark("bob", "dc=other");
	finder_stage_answer(&stage, 0);
	assert_string_equal(last_held()->searches[1].filter, "(&(objectClass=inetOrgPerson)(uid=alice))");
	answer_last();
	assert_non_null(alice->seeker.mark);
	assert_string_equal(last_held()->searches[0].base, "dc=other");
	answer_last();
	assert_int_equal(bob->seeker.outcome, DIR_OUTCOME_OK);
	assert_null(bob->seeker.mark);
}

static void finder_seek__mark_failed__alone_it_is_only_not_known(void **state)
{
	struct staged *alice, *bob;

	(void)state;
	fill_window();
	alice = seek_with_mark("alice", FINDER_STAGE_BASE);
	bob = seek("bob");
	finder_stage_answer(&stage, 0);
	finder_stage_answer_but(&stage, stage.pool.count - 1, 0, DIR_OUTCOME_NOT_PERMITTED);
	assert_int_equal(alice->told + bob->told, 0);
	finder_stage_answer_but(&stage, stage.pool.count - 1, 0, DIR_OUTCOME_NOT_PERMITTED);
	assert_int_equal(alice->seeker.outcome, DIR_OUTCOME_OK);
	assert_int_equal(alice->seeker.error.status, STATUS_OK);
	assert_null(alice->seeker.mark);
	answer_last();
	assert_int_equal(finder_stage_entries_of(bob, "bob"), 1);
}

/* One who has a search of his own: the groups of the base. */
static struct staged *seek_with_extra(const char *name, struct dir_search *extra)
{
	struct staged *staged = finder_stage_seeker(&stage, name, PATIENCE_MS);

	assert_int_equal(dir_search_init(extra, NULL), STATUS_OK);
	extra->base = FINDER_STAGE_BASE;
	extra->scope = DIR_SCOPE_SUBTREE;
	extra->filter = "(objectClass=*)";
	staged->seeker.extra = extra;
	staged->seeker.extra_count = 1;
	assert_int_equal(finder_stage_ask(staged), STATUS_OK);
	return staged;
}

static void finder_seek__extra__goes_alone_and_in_his_turn(void **state)
{
	struct dir_search extra;
	struct staged *first, *alice, *last;

	(void)state;
	fill_window();
	first = seek("bob");
	alice = seek_with_extra("alice", &extra);
	last = seek("bob");
	finder_stage_answer(&stage, 0);
	assert_string_equal(last_held()->searches[0].filter, "(&(objectClass=inetOrgPerson)(uid=bob))");
	answer_last();
	assert_int_equal(first->told, 1);
	assert_string_equal(last_held()->searches[0].filter, "(&(objectClass=inetOrgPerson)(uid=alice))");
	assert_int_equal(last_held()->search_count, 2);
	assert_int_equal(last_held()->deadline_ms, alice->seeker.deadline_ms);
	assert_int_equal(extra.outcome, DIR_OUTCOME_NONE);
	answer_last();
	assert_int_equal(finder_stage_entries_of(alice, "alice"), 1);
	assert_int_equal(extra.outcome, DIR_OUTCOME_OK);
	assert_int_equal(extra.entry_count, 3);
	answer_last();
	assert_int_equal(last->told, 1);
	dir_search_done(&extra);
}

static void finder_seek__extra_under_way__only_the_pool_says_that_time_is_over(void **state)
{
	struct dir_search extra;
	struct staged *alice;

	(void)state;
	fill_window();
	alice = seek_with_extra("alice", &extra);
	finder_stage_answer(&stage, 0);
	executor_manual_advance(stage.executor, PATIENCE_MS);
	assert_int_equal(alice->told, 0); /* the pool may still write to his search */
	finder_stage_lose(&stage, stage.pool.count - 1, DIR_OUTCOME_TIMEOUT);
	assert_int_equal(alice->told, 1);
	assert_int_equal(alice->seeker.outcome, DIR_OUTCOME_TIMEOUT);
	assert_int_equal(extra.outcome, DIR_OUTCOME_TIMEOUT);
	dir_search_done(&extra);
}

static void finder_seek__extra_still_waits__time_is_over_and_it_was_not_sent(void **state)
{
	struct dir_search extra;
	struct staged *alice;

	(void)state;
	fill_window();
	alice = seek_with_extra("alice", &extra);
	executor_manual_advance(stage.executor, PATIENCE_MS);
	assert_int_equal(alice->seeker.outcome, DIR_OUTCOME_TIMEOUT);
	assert_int_equal(extra.outcome, DIR_OUTCOME_NONE);
	dir_search_done(&extra);
}

static void finder_deal__his_arena_is_full__he_alone_is_told(void **state)
{
	struct staged *alice, *bob;

	(void)state;
	fill_window();
	alice = finder_stage_seeker(&stage, "alice", PATIENCE_MS);
	while (arena_alloc(alice->arena, 1) != NULL)
		;
	assert_int_equal(finder_stage_ask(alice), STATUS_OK);
	bob = seek("bob");
	finder_stage_answer(&stage, 0);
	answer_last();
	assert_int_equal(alice->seeker.outcome, DIR_OUTCOME_LIMIT);
	assert_int_equal(alice->seeker.error.status, STATUS_LIMIT);
	assert_null(alice->seeker.entries);
	assert_int_equal(finder_stage_entries_of(bob, "bob"), 1);
}

static void finder_open__no_memory__gives_null(void **state)
{
	(void)state;
	memory_fail_at(1);
	assert_null(finder_open(&stage.config, NULL, &stage.pool, stage.executor));
	memory_fail_at(0);
}

static void finder_seek__no_memory__is_refused_or_told(void **state)
{
	size_t n = 0, before;
	bool failed;

	(void)state;
	do {
		struct staged *alice = finder_stage_seeker(&stage, "alice", PATIENCE_MS);
		struct dir_search extra;

		before = memory_live_count();
		assert_int_equal(dir_search_init(&extra, NULL), STATUS_OK);
		extra.base = FINDER_STAGE_BASE;
		extra.filter = "(objectClass=*)";
		alice->seeker.mark_base = FINDER_STAGE_BASE;
		alice->seeker.extra = &extra;
		alice->seeker.extra_count = 1;
		memory_fail_at(++n);
		(void)!finder_stage_ask(alice);
		failed = memory_fail_count() >= n;
		memory_fail_at(0);
		assert_int_equal(alice->status, failed ? STATUS_NO_MEMORY : STATUS_OK);
		assert_int_equal(stage.pool.count, failed ? 0 : 1);
		if (!failed)
			finder_stage_answer(&stage, 0);
		dir_search_done(&extra);
		if (failed)
			assert_int_equal(memory_live_count(), before);
	} while (failed);
	assert_true(n > 5);
}

/* Two are merged while an allocation fails: on the way out, on the way back. Whoever is let down is told so, and nobody else. */
static bool merge_failing(size_t n)
{
	static const char *const names[] = {"alice", "bob"};
	struct staged *staged[2];
	bool failed;

	fill_window();
	for (size_t i = 0; i < 2; i++)
		staged[i] = seek_with_mark(names[i], FINDER_STAGE_BASE);
	finder_stage_fill(&stage, 0);
	memory_fail_at(n);
	finder_stage_release(&stage, 0);
	executor_manual_run(stage.executor);
	while (staged[0]->told + staged[1]->told < 2) {
		finder_stage_fill(&stage, stage.pool.count - 1);
		finder_stage_release(&stage, stage.pool.count - 1);
		executor_manual_run(stage.executor);
	}
	failed = memory_fail_count() >= n;
	memory_fail_at(0);
	for (size_t i = 0; i < 2; i++) {
		if (staged[i]->seeker.outcome == DIR_OUTCOME_OK)
			assert_int_equal(finder_stage_entries_of(staged[i], names[i]), 1);
		else
			assert_int_equal(staged[i]->seeker.error.status, STATUS_NO_MEMORY);
	}
	assert_true(staged[0]->seeker.outcome == DIR_OUTCOME_OK || staged[1]->seeker.outcome == DIR_OUTCOME_OK);
	return failed;
}

static void finder_seek__no_memory_for_many__one_at_most_is_let_down(void **state)
{
	size_t n = 1;

	(void)state;
	while (merge_failing(n))
		n++;
	assert_true(n > 20);
}

static void finder_seek__no_memory_at_all__all_are_told(void **state)
{
	struct staged *staged[FINDER_BATCH + 2];

	(void)state;
	fill_window();
	for (size_t i = 0; i < COUNT_OF(staged); i++)
		staged[i] = seek("alice");
	finder_stage_fill(&stage, 0);
	memory_fail_from(1);
	finder_stage_release(&stage, 0);
	executor_manual_run(stage.executor);
	memory_fail_at(0);
	for (size_t i = 0; i < COUNT_OF(staged); i++) {
		assert_int_equal(staged[i]->told, 1);
		assert_int_equal(staged[i]->seeker.outcome, DIR_OUTCOME_NO_MEMORY);
	}
	assert_int_equal(stage.pool.count, FINDER_WINDOW - 1);
}

int main(void)
{
#define PLAIN(name)   cmocka_unit_test_setup_teardown(name, set_up_plain, tear_down)
#define STAFFED(name) cmocka_unit_test_setup_teardown(name, set_up_staff, tear_down)
	const struct CMUnitTest tests[] = {
	    STAFFED(finder_seek__account_filter__tells_who_passes),
	    STAFFED(finder_seek__account_filter_failed__is_not_passed),
	    PLAIN(finder_seek__mark_is_wanted__comes_along_for_those_who_want_it),
	    PLAIN(finder_seek__other_marks__do_not_go_together),
	    PLAIN(finder_seek__mark_failed__alone_it_is_only_not_known),
	    PLAIN(finder_seek__extra__goes_alone_and_in_his_turn),
	    PLAIN(finder_seek__extra_under_way__only_the_pool_says_that_time_is_over),
	    PLAIN(finder_seek__extra_still_waits__time_is_over_and_it_was_not_sent),
	    PLAIN(finder_deal__his_arena_is_full__he_alone_is_told),
	    PLAIN(finder_open__no_memory__gives_null),
	    STAFFED(finder_seek__no_memory__is_refused_or_told),
	    STAFFED(finder_seek__no_memory_for_many__one_at_most_is_let_down),
	    PLAIN(finder_seek__no_memory_at_all__all_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
