/* SPDX-License-Identifier: Apache-2.0 */
/* Who is asked for when, with whom, and what he is told. */
#include <support/assertions.h>

#include <authorizer/question.h>
#include <os/clock.h>
#include <stdio.h>
#include <string.h>
#include <support/clock_manual.h>
#include <support/executor_manual.h>
#include <support/finder_stage.h>

#define PATIENCE_MS 1000
#define LONG_MS     100000

static struct finder_stage stage;

static int set_up(void **state)
{
	(void)state;
	finder_stage_open(&stage, "");
	finder_stage_add(&stage, "alice", "alice@corp.example", NULL);
	finder_stage_add(&stage, "bob", NULL, NULL);
	finder_stage_add(&stage, "carol", "carol@corp.example", NULL);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	finder_stage_close(&stage);
	return 0;
}

/* As many under way as may be: who seeks now waits. */
static void fill_window(void)
{
	while (stage.pool.count < FINDER_WINDOW)
		(void)finder_stage_seek(&stage, "CORP\\nobody", LONG_MS);
}

static struct staged *seek(const char *name)
{
	return finder_stage_seek(&stage, name, PATIENCE_MS);
}

static struct dir_request *last_held(void)
{
	return stage.pool.held[stage.pool.count - 1];
}

/* The window is full but for one search, which is merged: those of the names. */
static void merge(struct staged **staged, const char *const *names)
{
	fill_window();
	for (size_t i = 0; names[i] != NULL; i++)
		staged[i] = seek(names[i]);
	finder_stage_answer(&stage, 0);
	assert_int_equal(stage.pool.count, FINDER_WINDOW);
}

static void answer_last(void)
{
	finder_stage_answer(&stage, stage.pool.count - 1);
}

static void finder_seek__nobody_else__is_asked_for_at_once(void **state)
{
	struct staged *alice = seek("CORP\\Alice");
	const struct dir_search *search = &stage.pool.held[0]->searches[0];

	(void)state;
	assert_int_equal(stage.pool.count, 1);
	assert_int_equal(stage.pool.held[0]->search_count, 1);
	assert_int_equal(stage.pool.held[0]->deadline_ms, alice->seeker.deadline_ms);
	assert_string_equal(search->base, FINDER_STAGE_BASE);
	assert_string_equal(search->filter, "(&(objectClass=inetOrgPerson)(uid=Alice))");
	assert_int_equal(search->size_limit, QUESTION_MAX_MATCHES);

	finder_stage_answer(&stage, 0);

	assert_int_equal(alice->told, 1);
	assert_int_equal(alice->seeker.outcome, DIR_OUTCOME_OK);
	assert_int_equal(alice->seeker.error.status, STATUS_OK);
	assert_int_equal(finder_stage_entries_of(alice, "alice"), 1);
	assert_int_equal(alice->seeker.connection, 7);
	assert_int_equal(alice->seeker.filter_outcome, DIR_OUTCOME_OK);
	assert_true(alice->seeker.passes_account_filter);
	assert_null(alice->seeker.mark);
}

static void finder_seek__window_is_full__those_who_wait_go_together(void **state)
{
	static const char *const names[] = {"alice", "CORP\\bob", "carol@corp.example", "nobody", NULL};
	struct staged *staged[4];
	const struct dir_search *search;

	(void)state;
	merge(staged, names);
	search = &last_held()->searches[0];
	assert_string_equal(
	    search->filter,
	    "(&(objectClass=inetOrgPerson)(|(uid=alice)(uid=bob)(|(mail=carol\\40corp\\2eexample)(uid=carol))"
	    "(uid=nobody)))");
	assert_in_range(search->size_limit, 4 + QUESTION_MAX_MATCHES, 500);

	answer_last();

	assert_int_equal(finder_stage_entries_of(staged[0], "alice"), 1);
	assert_int_equal(finder_stage_entries_of(staged[1], "bob"), 1);
	assert_int_equal(finder_stage_entries_of(staged[2], "carol"), 1);
	assert_null(staged[3]->seeker.entries);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(staged[i]->told, 1);
		assert_int_equal(staged[i]->seeker.outcome, DIR_OUTCOME_OK);
		assert_int_equal(staged[i]->seeker.connection, 7);
	}
}

static void finder_seek__many_wait__first_come_first_served(void **state)
{
	struct staged *staged[2 * FINDER_BATCH + 1];

	(void)state;
	fill_window();
	for (size_t i = 0; i < COUNT_OF(staged); i++)
		staged[i] = seek(i % 2 == 0 ? "alice" : "bob");
	/* Two companies are full and gone; who is left goes when there is room again. */
	(void)executor_manual_advance(stage.executor, 0);
	assert_int_equal(stage.pool.count, FINDER_WINDOW + 2);
	finder_stage_answer(&stage, 0);
	assert_int_equal(stage.pool.count, FINDER_WINDOW + 1);
	while (stage.pool.count > 0)
		finder_stage_answer(&stage, 0);
	for (size_t i = 0; i < COUNT_OF(staged); i++) {
		assert_int_equal(finder_stage_entries_of(staged[i], i % 2 == 0 ? "alice" : "bob"), 1);
		assert_true(i == 0 || staged[i]->place == staged[i - 1]->place + 1);
	}
	assert_int_equal(stage.pool.requests, FINDER_WINDOW + 3);
}

static void finder_seek__names_are_long__fewer_go_together(void **state)
{
	char name[SENDER_MAX_USER_UNITS * 3 + 1];

	(void)state;
	for (size_t i = 0; i + 3 < sizeof(name); i += 3)
		memcpy(name + i, "\xE4\xB8\x80", 4);
	fill_window();
	for (size_t i = 0; i < FINDER_BATCH; i++)
		(void)seek(name);
	finder_stage_answer(&stage, 0);
	assert_in_range(strlen(last_held()->searches[0].filter), FINDER_MAX_NAMES_BYTES,
			FINDER_MAX_NAMES_BYTES + 3 * sizeof(name) + 64);
}

static void finder_deal__server_matches_more_than_was_meant__nobody_gets_anothers(void **state)
{
	static const char *const names[] = {"alice", "\xEF\xBD\x81lice", "bob", NULL};
	struct staged *staged[3];

	(void)state;
	finder_stage_add(&stage, "\xEF\xBD\x81lice", NULL, "cn=wide,dc=x"); /* full-width a */
	merge(staged, names);
	finder_stage_fill(&stage, stage.pool.count - 1);
	assert_int_equal(last_held()->searches[0].entry_count, 3);
	finder_stage_release(&stage, stage.pool.count - 1);
	executor_manual_run(stage.executor);
	assert_int_equal(finder_stage_entries_of(staged[0], "alice"), 1);
	assert_int_equal(finder_stage_entries_of(staged[1], "\xEF\xBD\x81lice"), 1);
	assert_int_equal(finder_stage_entries_of(staged[2], "bob"), 1);
}

static void finder_deal__names_are_shared__each_gets_copies_once(void **state)
{
	static const char *const names[] = {"dave", "DAVE", "davy", "dave@corp.example", "CORP\\dave", NULL};
	static const size_t counts[] = {2, 2, 1, 3, 2};
	struct staged *staged[5];

	(void)state;
	/* One with several names, his twin, and somebody who has his address. */
	finder_stage_add(&stage, "dave", "dave@corp.example", NULL);
	assert_true(fake_directory_gain(stage.directory, "uid=dave,dc=x", "uid", "davy"));
	assert_true(fake_directory_gain(stage.directory, "uid=dave,dc=x", "mail", "dave"));
	finder_stage_add(&stage, "Dave", NULL, "cn=twin,dc=x");
	finder_stage_add(&stage, "eve", "Dave@corp.example", NULL);
	merge(staged, names);
	answer_last();
	for (size_t i = 0; i < COUNT_OF(staged); i++) {
		size_t count = 0;

		for (const struct dir_entry *entry = staged[i]->seeker.entries; entry != NULL; entry = entry->next)
			count++;
		assert_row(names[i], count == counts[i]);
	}
	assert_ptr_not_equal(staged[0]->seeker.entries, staged[1]->seeker.entries);
}

static void finder_deal__sids__only_the_very_sid_counts(void **state)
{
	static const char *const names[] = {"S-1-5-21-1-2-3-1000", "S-1-5-21-1-2-3-1001", NULL};
	struct staged *staged[2];
	struct dir_search *search;
	uint8_t sid[SID_BINARY_BYTES];
	struct dir_value value = {.data = (const char *)sid};
	struct dir_attribute attribute = {.name = "objectSid", .values = &value, .value_count = 1};
	struct dir_entry entry = {.dn = "cn=a", .attributes = &attribute, .attribute_count = 1};

	(void)state;
	merge(staged, names);
	value.length = sid_encode(&staged[1]->sender.sid, sid);
	search = &last_held()->searches[0];
	search->outcome = DIR_OUTCOME_OK;
	search->entries = &entry;
	finder_stage_release(&stage, stage.pool.count - 1);
	executor_manual_run(stage.executor);
	assert_null(staged[0]->seeker.entries);
	assert_string_equal(staged[1]->seeker.entries->dn, "cn=a");
}

static void finder_seek__alone__any_outcome_is_final_and_in_words(void **state)
{
	(void)state;
	for (int outcome = DIR_OUTCOME_NO_SUCH_OBJECT; outcome <= DIR_OUTCOME_NO_MEMORY; outcome++) {
		struct staged *alice = seek("alice");

		finder_stage_lose(&stage, 0, (enum dir_outcome)outcome);
		assert_int_equal(alice->told, 1);
		assert_int_equal(alice->seeker.outcome, outcome);
		assert_int_not_equal(alice->seeker.error.status, STATUS_OK);
		assert_string_not_equal(alice->seeker.error.what, "");
		assert_null(alice->seeker.entries);
	}
}

static void finder_seek__alone_and_cut__entries_come_along(void **state)
{
	struct staged *alice = seek("alice");

	(void)state;
	finder_stage_fill(&stage, 0);
	stage.pool.held[0]->searches[0].outcome = DIR_OUTCOME_LIMIT;
	finder_stage_release(&stage, 0);
	executor_manual_run(stage.executor);
	assert_int_equal(alice->seeker.outcome, DIR_OUTCOME_LIMIT);
	assert_int_equal(alice->seeker.error.status, STATUS_LIMIT);
	assert_int_equal(finder_stage_entries_of(alice, "alice"), 1);
}

static bool is_asked_again(enum dir_outcome outcome)
{
	return outcome != DIR_OUTCOME_OK && outcome != DIR_OUTCOME_NO_SUCH_OBJECT && outcome != DIR_OUTCOME_TIMEOUT &&
	       outcome != DIR_OUTCOME_UNAVAILABLE;
}

static void finder_seek__merged_and_failed__each_is_asked_for_again_alone(void **state)
{
	static const char *const names[] = {"alice", "bob", NULL};

	(void)state;
	for (int outcome = DIR_OUTCOME_NONE; outcome <= DIR_OUTCOME_NO_MEMORY; outcome++) {
		struct staged *staged[2];

		merge(staged, names);
		finder_stage_answer_but(&stage, stage.pool.count - 1, 0, (enum dir_outcome)outcome);
		if (!is_asked_again((enum dir_outcome)outcome)) {
			assert_int_equal(staged[0]->told + staged[1]->told, 2);
			assert_int_equal(staged[0]->seeker.outcome, outcome);
			continue;
		}
		assert_int_equal(staged[0]->told + staged[1]->told, 0);
		assert_string_equal(last_held()->searches[0].filter, "(&(objectClass=inetOrgPerson)(uid=alice))");
		answer_last();
		assert_int_equal(finder_stage_entries_of(staged[0], "alice"), 1);
		assert_string_equal(last_held()->searches[0].filter, "(&(objectClass=inetOrgPerson)(uid=bob))");
		/* Once: what comes of that is what he is told. */
		finder_stage_answer_but(&stage, stage.pool.count - 1, 0, (enum dir_outcome)outcome);
		assert_int_equal(staged[1]->told, 1);
		assert_int_equal(staged[1]->seeker.outcome, outcome);
	}
}

static void finder_seek__merged_failed_and_late__is_told_that_time_is_over(void **state)
{
	static const char *const names[] = {"alice", "bob", NULL};
	struct staged *staged[2];

	(void)state;
	merge(staged, names);
	clock_manual_advance_us((uint64_t)PATIENCE_MS * 1000);
	finder_stage_answer_but(&stage, stage.pool.count - 1, 0, DIR_OUTCOME_BUSY);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(staged[i]->told, 1);
		assert_int_equal(staged[i]->seeker.outcome, DIR_OUTCOME_TIMEOUT);
		assert_int_equal(staged[i]->seeker.error.status, STATUS_TIMEOUT);
	}
}

static void finder_seek__time_is_over_while_he_waits__is_told_so(void **state)
{
	struct staged *alice, *bob;

	(void)state;
	fill_window();
	alice = finder_stage_seek(&stage, "alice", 10);
	bob = finder_stage_seek(&stage, "bob", 20);
	executor_manual_advance(stage.executor, 10);
	assert_int_equal(alice->told, 1);
	assert_int_equal(alice->seeker.outcome, DIR_OUTCOME_TIMEOUT);
	assert_int_equal(bob->told, 0);
	finder_stage_answer(&stage, 0);
	assert_string_equal(last_held()->searches[0].filter, "(&(objectClass=inetOrgPerson)(uid=bob))");
}

static void finder_seek__time_is_over_while_others_have_more__is_told_so(void **state)
{
	struct staged *alice, *bob;

	(void)state;
	fill_window();
	alice = finder_stage_seek(&stage, "alice", 10);
	bob = finder_stage_seek(&stage, "bob", 20);
	finder_stage_answer(&stage, 0);
	assert_int_equal(last_held()->deadline_ms, bob->seeker.deadline_ms);
	executor_manual_advance(stage.executor, 10);
	assert_int_equal(alice->seeker.outcome, DIR_OUTCOME_TIMEOUT);
	assert_int_equal(alice->seeker.error.status, STATUS_TIMEOUT);
	answer_last();
	assert_int_equal(alice->told, 1);
	assert_null(alice->seeker.entries);
	assert_int_equal(finder_stage_entries_of(bob, "bob"), 1);
}

static void finder_seek__all_have_left__the_answer_goes_to_nobody(void **state)
{
	static const char *const names[] = {"alice", "bob", NULL};
	struct staged *staged[2];

	(void)state;
	merge(staged, names);
	executor_manual_advance(stage.executor, PATIENCE_MS);
	assert_int_equal(staged[0]->told + staged[1]->told, 2);
	assert_int_equal(stage.pool.count, FINDER_WINDOW);
	answer_last();
	assert_int_equal(staged[0]->told + staged[1]->told, 2);
}

static void finder_seek__pool_is_stopped__all_are_told(void **state)
{
	struct staged *staged[3 * FINDER_BATCH];

	(void)state;
	fill_window();
	for (size_t i = 0; i < COUNT_OF(staged); i++)
		staged[i] = seek("alice");
	finder_stage_stop(&stage);
	for (size_t i = 0; i < COUNT_OF(staged); i++) {
		assert_int_equal(staged[i]->told, 1);
		assert_int_equal(staged[i]->seeker.outcome, DIR_OUTCOME_UNAVAILABLE);
	}
}

static void ask_anew(struct staged *staged)
{
	if (staged->told == 1)
		assert_int_equal(finder_stage_ask(staged), STATUS_OK);
}

static void finder_seek__from_found__is_a_new_question(void **state)
{
	static const char *const names[] = {"alice", "bob", NULL};
	struct staged *staged[2];

	(void)state;
	merge(staged, names);
	staged[0]->then = staged[1]->then = ask_anew;
	answer_last();
	assert_int_equal(staged[0]->told + staged[1]->told, 2);
	assert_int_equal(stage.pool.count, FINDER_WINDOW); /* he went at once, the other waits */
	while (stage.pool.count > 0)
		finder_stage_answer(&stage, 0);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(staged[i]->told, 2);
		assert_int_equal(finder_stage_entries_of(staged[i], names[i]), 1);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(finder_seek__nobody_else__is_asked_for_at_once),
	    TEST(finder_seek__window_is_full__those_who_wait_go_together),
	    TEST(finder_seek__many_wait__first_come_first_served),
	    TEST(finder_seek__names_are_long__fewer_go_together),
	    TEST(finder_deal__server_matches_more_than_was_meant__nobody_gets_anothers),
	    TEST(finder_deal__names_are_shared__each_gets_copies_once),
	    TEST(finder_deal__sids__only_the_very_sid_counts),
	    TEST(finder_seek__alone__any_outcome_is_final_and_in_words),
	    TEST(finder_seek__alone_and_cut__entries_come_along),
	    TEST(finder_seek__merged_and_failed__each_is_asked_for_again_alone),
	    TEST(finder_seek__merged_failed_and_late__is_told_that_time_is_over),
	    TEST(finder_seek__time_is_over_while_he_waits__is_told_so),
	    TEST(finder_seek__time_is_over_while_others_have_more__is_told_so),
	    TEST(finder_seek__all_have_left__the_answer_goes_to_nobody),
	    TEST(finder_seek__pool_is_stopped__all_are_told),
	    TEST(finder_seek__from_found__is_a_new_question),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
