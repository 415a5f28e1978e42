/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The finder against a model, at random: people with names that are alike, seekers with little patience, answers in any order, searches
 * and allocations that fail. Whoever seeks is told exactly once and in time, and gets exactly the entries that carry his name.
 */
#include <support/assertions.h>

#include <base/ascii.h>
#include <os/clock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support/executor_manual.h>
#include <support/finder_stage.h>
#include <support/memory_failing.h>

#define STEPS       4000
#define PATIENCE_MS 40
#define STAFF       "(employeeType=staff)"

struct person {
	const char *dn;
	const char *uids[2];
	const char *mail;
	bool staff;
};

/* To the server the full-width names are the same as the plain ones. */
static const struct person people[] = {
    {"cn=1,dc=x", {"ann"}, "ann@corp.example", true},
    {"cn=2,dc=x", {"ben", "benny"}, NULL, false},
    {"cn=3,dc=x", {"\xEF\xBD\x81nn"}, "a.nn@corp.example", true},
    {"cn=4,dc=x", {"Benny"}, "ben@corp.example", false},
    {"cn=5,dc=x", {"cid"}, "ann", true},
    {"cn=6,dc=x", {"dan", "daniel"}, "dan@corp.example", false},
    {"cn=7,dc=x", {"eva"}, "dan@corp.example", true},
    {"cn=8,dc=x", {"f*(a)"}, NULL, true},
};

static const char *const names[] = {
    "ann", "CORP\\ANN",        "ann@corp.example", "Ben", "benny", "ben@corp.example", "\xEF\xBD\x81nn",  "cid",
    "dan", "dan@corp.example", "eva@corp.example", "EVA", "f*(a)", "nobody",           "no@corp.example",
};

static struct finder_stage stage;
static bool faults;
static size_t told_well;

static size_t draw(size_t below)
{
	static uint64_t state = 88172645463325252u;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (size_t)(state % below);
}

static void populate(void)
{
	for (size_t i = 0; i < COUNT_OF(people); i++) {
		const struct person *person = &people[i];

		finder_stage_add(&stage, person->uids[0], person->mail, person->dn);
		if (person->uids[1] != NULL)
			assert_true(fake_directory_gain(stage.directory, person->dn, "uid", person->uids[1]));
		if (person->staff)
			assert_true(fake_directory_gain(stage.directory, person->dn, "employeeType", "staff"));
	}
}

/* The model's own idea of who is who: all names here differ by the case of ASCII letters at most. */
static bool is_meant(const struct person *person, const struct sender *sender)
{
	if (sender->form == SENDER_UPN && person->mail != NULL && ascii_equal_nocase(person->mail, sender->name))
		return true;
	return ascii_equal_nocase(person->uids[0], sender->user) ||
	       (person->uids[1] != NULL && ascii_equal_nocase(person->uids[1], sender->user));
}

static const struct person *person_of(const struct dir_entry *entry)
{
	for (size_t i = 0; i < COUNT_OF(people); i++)
		if (strcmp(people[i].dn, entry->dn) == 0)
			return &people[i];
	fail_msg("an entry that does not exist: %s", entry->dn);
	return NULL;
}

static void check_entries(const struct staged *staged)
{
	const struct finder_seeker *seeker = &staged->seeker;
	size_t expected = 0, count = 0;

	for (size_t i = 0; i < COUNT_OF(people); i++)
		expected += is_meant(&people[i], &staged->sender);
	for (const struct dir_entry *entry = seeker->entries; entry != NULL; entry = entry->next, count++)
		if (!is_meant(person_of(entry), &staged->sender))
			fail_msg("'%s' got '%s'", staged->sender.name, entry->dn);
	if (seeker->outcome == DIR_OUTCOME_OK)
		assert_row(staged->sender.name, count == expected);
	else
		assert_row(staged->sender.name,
			   count == 0 || (seeker->outcome == DIR_OUTCOME_LIMIT && count <= expected));
}

static void check_answer(struct staged *staged)
{
	const struct finder_seeker *seeker = &staged->seeker;
	const bool is_ok = seeker->outcome == DIR_OUTCOME_OK;

	assert_int_equal(staged->told, staged->asked);
	check_entries(staged);
	assert_int_equal(seeker->error.status == STATUS_OK, is_ok && seeker->filter_outcome == DIR_OUTCOME_OK);
	if (is_ok && seeker->filter_outcome == DIR_OUTCOME_OK && seeker->entries != NULL)
		assert_int_equal(seeker->passes_account_filter,
				 stage.config.account.filter[0] == '\0' || person_of(seeker->entries)->staff);
	assert_true(seeker->mark == NULL || seeker->mark_base != NULL);
	if (!faults) {
		assert_true(is_ok || seeker->outcome == DIR_OUTCOME_TIMEOUT);
		assert_true(!is_ok || (seeker->mark != NULL) == (seeker->mark_base != NULL));
	}
	told_well += is_ok;
	if (draw(10) == 0) {
		staged->seeker.deadline_ms = clock_monotonic_ms() + 1 + draw(PATIENCE_MS);
		(void)!finder_stage_ask(staged);
	}
}

/* Now and then one of the next allocations fails. */
static void perhaps_fail(void)
{
	memory_fail_at(faults && draw(8) == 0 ? 1 + draw(40) : 0);
}

static void seek_somebody(void)
{
	struct staged *staged = finder_stage_seeker(&stage, names[draw(COUNT_OF(names))], 1 + draw(PATIENCE_MS));

	staged->then = check_answer;
	staged->seeker.mark_base = draw(2) == 0 ? FINDER_STAGE_BASE : NULL;
	perhaps_fail();
	(void)!finder_stage_ask(staged);
	memory_fail_at(0);
	assert_true(faults || staged->status == STATUS_OK);
}

static void answer_something(void)
{
	const size_t i = stage.pool.count == 0 ? 0 : draw(stage.pool.count);

	if (stage.pool.count == 0)
		return;
	if (faults && draw(4) == 0) {
		/* Anything but OK. */
		const enum dir_outcome outcome =
		    (enum dir_outcome)(DIR_OUTCOME_NO_SUCH_OBJECT + draw(DIR_OUTCOME_NO_MEMORY - DIR_OUTCOME_OK));

		if (draw(2) == 0)
			finder_stage_lose(&stage, i, outcome);
		else
			finder_stage_answer_but(&stage, i, draw(stage.pool.held[i]->search_count), outcome);
		return;
	}
	finder_stage_fill(&stage, i);
	perhaps_fail();
	finder_stage_release(&stage, i);
	executor_manual_run(stage.executor);
	memory_fail_at(0);
}

/* What the pool promises: at the deadline a request is done. */
static void lose_what_is_late(void)
{
	for (size_t i = 0; i < stage.pool.count;) {
		if (stage.pool.held[i]->deadline_ms > clock_monotonic_ms()) {
			i++;
			continue;
		}
		finder_stage_lose(&stage, i, DIR_OUTCOME_TIMEOUT);
		i = 0; /* others may have gone meanwhile */
	}
}

static void let_time_pass(void)
{
	executor_manual_advance(stage.executor, 1 + draw(4));
	lose_what_is_late();
	for (const struct staged *staged = stage.seekers; staged != NULL; staged = staged->next)
		assert_true(staged->told == staged->asked || staged->seeker.deadline_ms > clock_monotonic_ms());
}

static void play(const char *account_filter)
{
	size_t seekers = 0;

	finder_stage_open(&stage, account_filter);
	populate();
	told_well = 0;
	for (size_t step = 0; step < STEPS; step++) {
		const size_t what = draw(100);

		/* At times there is a crowd, at times nobody. */
		if (what < (step % 1000 < 500 ? 80u : 30u)) {
			seek_somebody();
			seekers++;
		} else if (what < 95) {
			answer_something();
		} else {
			let_time_pass();
		}
		assert_true(stage.pool.count <= FINDER_FULL_WINDOW);
	}
	assert_true(told_well > seekers / 4);
	while (!faults && stage.pool.count > 0)
		answer_something();
	finder_stage_close(&stage);
}

static void finder__nothing_fails__everybody_gets_what_is_his(void **state)
{
	(void)state;
	faults = false;
	play("");
	play(STAFF);
}

static void finder__much_fails__everybody_is_told_once_and_nobody_gets_anothers(void **state)
{
	(void)state;
	faults = true;
	for (size_t round = 0; round < 4; round++)
		play(round % 2 == 0 ? "" : STAFF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(finder__nothing_fails__everybody_gets_what_is_his),
	    cmocka_unit_test(finder__much_fails__everybody_is_told_once_and_nobody_gets_anothers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
