/* SPDX-License-Identifier: Apache-2.0 */
#include <membership/closure_csn.h>

#include <base/compiler.h>
#include <base/memory.h>
#include <string.h>
#include <support/assertions.h>
#include <support/entry_builder.h>
#include <support/memory_failing.h>

#define T1 "20260101000001.000000Z#000000#000#000000"
#define T2 "20260101000002.000000Z#000000#000#000000"
#define A1 "20260101000001.000000Z#000000#001#000000"
#define A2 "20260101000002.000000Z#000000#001#000000"
#define A3 "20260101000003.000000Z#000000#001#000000"
#define B1 "20260101000001.000000Z#000000#002#000000"
#define B2 "20260101000002.000000Z#000000#002#000000"
#define B4 "20260101000004.000000Z#000000#002#000000"

static void closure_csn_compare__marks__tell_what_follows(void **state)
{
	static const struct {
		const char *before, *now;
		enum closure_csn_order expected;
		const char *since;
	} rows[] = {
	    {T1, T1, CLOSURE_CSN_SAME, NULL},
	    {T1, T2, CLOSURE_CSN_LATER, T1},
	    {T2, T1, CLOSURE_CSN_UNRELATED, NULL},
	    {A1 " " B2, A1 " " B2, CLOSURE_CSN_SAME, NULL},
	    /* One of two servers has written: what it wrote before is the limit, however old the other one's is. */
	    {A1 " " B2, A1 " " B4, CLOSURE_CSN_LATER, B2},
	    {A1 " " B2, B2 " " A3, CLOSURE_CSN_LATER, A1},
	    {A2 " " B1, A3 " " B4, CLOSURE_CSN_LATER, B1},
	    /* One is ahead and the other behind: another server of a group of equals has answered. */
	    {A1 " " B2, A2 " " B1, CLOSURE_CSN_UNRELATED, NULL},
	    {A1, A1 " " B1, CLOSURE_CSN_UNRELATED, NULL},
	    {A1 " " B1, A1, CLOSURE_CSN_UNRELATED, NULL},
	    {A1, B2, CLOSURE_CSN_UNRELATED, NULL},
	    {"", T1, CLOSURE_CSN_UNRELATED, NULL},
	    {"today", "tomorrow", CLOSURE_CSN_UNRELATED, NULL},
	    {"20260101#1", "20260102#1", CLOSURE_CSN_UNRELATED, NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const char *since = NULL;
		size_t length = 0;

		assert_row(rows[i].before,
			   closure_csn_compare(rows[i].before, rows[i].now, &since, &length) == rows[i].expected);
		assert_row(rows[i].before, (rows[i].since == NULL) == (since == NULL));
		if (since != NULL)
			assert_row(rows[i].since, rows[i].since != NULL && length == strlen(rows[i].since) &&
						      memcmp(since, rows[i].since, length) == 0);
	}
}

static void closure_csn_is_behind__entries__tell_a_mark_that_stands_still(void **state)
{
	static const struct {
		const char *mark, *entry;
		bool expected;
	} rows[] = {
	    {T1, T1, false},       {T2, T1, false},
	    {T1, T2, true},        {A1 " " B4, A3, false}, /* of another server, perhaps under an earlier number */
	    {A1 " " B2, A3, true}, {T1, "tomorrow", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_row(rows[i].mark, closure_csn_is_behind(rows[i].mark, rows[i].entry) == rows[i].expected);
}

static void closure_csn_of__values_in_any_order__give_one_text(void **state)
{
	static const struct {
		enum dir_outcome outcome;
		const char *attributes, *expected;
	} rows[] = {
	    {DIR_OUTCOME_OK, "contextCSN=" T1, T1},
	    {DIR_OUTCOME_OK, "contextCSN=" B2 "; contextCSN=" A1, A1 " " B2},
	    {DIR_OUTCOME_OK, "contextCSN=" A1 "; contextCSN=" B2, A1 " " B2},
	    {DIR_OUTCOME_OK, "cn=x", NULL},
	    {DIR_OUTCOME_NONE, "contextCSN=" T1, NULL},
	    {DIR_OUTCOME_LIMIT, "contextCSN=" T1, NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct dir_search search;
		const char *found;

		assert_int_equal(dir_search_init(&search, NULL), STATUS_OK);
		search.outcome = rows[i].outcome;
		search.entries = build_entry(search.arena, "dc=x", rows[i].attributes);
		found = closure_csn_of(&search);
		assert_row(rows[i].attributes, (found == NULL) == (rows[i].expected == NULL));
		assert_row(rows[i].attributes,
			   found == NULL || (rows[i].expected != NULL && strcmp(found, rows[i].expected) == 0));
		dir_search_done(&search);
	}
}

static const char *const names[] = {"cn=Ops,ou=groups,dc=x", NULL, "cn=leavers,ou=hr,dc=x"};

static void closure_csn_base__contexts__the_one_that_sees_every_change(void **state)
{
	static const struct {
		const char *contexts, *group_base;
		size_t name_count;
		const char *expected;
	} rows[] = {
	    {"namingContexts=dc=x", "ou=groups,dc=x", 3, "dc=x"},
	    {"namingContexts=DC=X", "ou=groups,dc=x", 3, "DC=X"},
	    {"namingContexts=dc=y; namingContexts=dc=x", "dc=x", 3, "dc=x"},
	    {"namingContexts=dc=y", "dc=x", 3, NULL},
	    {"namingContexts=c=x", "dc=x", 3, NULL},
	    {"cn=hidden", "dc=x", 3, NULL},
	    /* A database within the other has a mark of its own. */
	    {"namingContexts=ou=groups,dc=x; namingContexts=dc=x", "ou=groups,dc=x", 1, "ou=groups,dc=x"},
	    {"namingContexts=dc=x; namingContexts=ou=groups,dc=x", "ou=groups,dc=x", 1, "ou=groups,dc=x"},
	    {"namingContexts=dc=x; namingContexts=ou=groups,dc=x", "dc=x", 1, NULL},
	    {"namingContexts=dc=x; namingContexts=ou=hr,dc=x", "ou=groups,dc=x", 3, NULL},
	    {"namingContexts=dc=x; namingContexts=ou=hr,dc=x", "ou=groups,dc=x", 1, "dc=x"},
	    {"namingContexts=dc=x; namingContexts=ou=people,dc=x", "ou=groups,dc=x", 3, "dc=x"},
	    {"namingContexts=dc=x; namingContexts=ou=deep,ou=groups,dc=x", "ou=groups,dc=x", 3, NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct arena *arena = arena_new(65536);
		char *base = NULL;

		assert_row(rows[i].contexts,
			   closure_csn_base(build_entry(arena, "", rows[i].contexts), rows[i].group_base, names,
					    rows[i].name_count, &base) == STATUS_OK);
		assert_row(rows[i].contexts, (base == NULL) == (rows[i].expected == NULL));
		assert_row(rows[i].contexts,
			   base == NULL || (rows[i].expected != NULL && strcmp(base, rows[i].expected) == 0));
		memory_free(base);
		arena_free(&arena);
	}
}

static void closure_csn_base__no_root_dse__gives_none(void **state)
{
	char *base = NULL;

	(void)state;
	assert_int_equal(closure_csn_base(NULL, "dc=x", names, COUNT_OF(names), &base), STATUS_OK);
	assert_null(base);
}

/* Without memory there is a failure, or a context that is none: never the one whose mark misses changes. */
static void closure_csn_base__no_memory__never_gives_the_wrong_one(void **state)
{
	struct arena *arena = arena_new(65536);
	const struct dir_entry *dse =
	    build_entry(arena, "", "namingContexts=dc=x; namingContexts=ou=hr,dc=x; namingContexts=dc=y");
	size_t before = memory_live_count();
	size_t failures = 0;

	(void)state;
	for (size_t n = 1;; n++) {
		char *base = NULL;
		enum status status;

		memory_fail_at(n);
		status = closure_csn_base(dse, "ou=groups,dc=x", names, COUNT_OF(names), &base);
		if (memory_fail_count() < n)
			break;
		failures += status == STATUS_NO_MEMORY;
		assert_null(base);
		assert_int_equal(memory_live_count(), before);
	}
	memory_fail_at(0);
	assert_true(failures > 0);
	arena_free(&arena);
}

#define CSN(time, server) "2026112416030" time "Z#000000#" server "#000000"

static void closure_csn_newest__marks__tell_whose_change_was_last(void **state)
{
	static const struct {
		const char *mark;
		bool expected;
		unsigned server;
		uint64_t time;
	} rows[] = {
	    {CSN("0.000001", "001"), true, 1, UINT64_C(261124160300000001)},
	    {CSN("2.000000", "001") " " CSN("1.999999", "002"), true, 1, UINT64_C(261124160302000000)},
	    {CSN("1.000000", "001") " " CSN("1.000001", "0ff"), true, 255, UINT64_C(261124160301000001)},
	    {"00000000000000000100#0#CN=DC1#usn", false, 0, 0},
	    {"20261124160300.000001Z#000000#xyz#000000", false, 0, 0},
	    {"20261124160300Z#000000#001#000000", false, 0, 0},
	    {"", false, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct closure_csn_place place = {0};

		assert_row(rows[i].mark, closure_csn_newest(rows[i].mark, &place) == rows[i].expected);
		assert_row(rows[i].mark, place.server == rows[i].server && place.time == rows[i].time);
	}
}

static void closure_csn_reaches__marks__that_writers_changes_count(void **state)
{
	const struct closure_csn_place place = {.server = 1, .time = UINT64_C(261124160301000000)};

	(void)state;
	assert_true(closure_csn_reaches(CSN("1.000000", "001"), &place));
	assert_true(closure_csn_reaches(CSN("0.000000", "000") " " CSN("2.000000", "001"), &place));
	assert_false(closure_csn_reaches(CSN("0.999999", "001"), &place));
	assert_false(closure_csn_reaches(CSN("2.000000", "002"), &place));
	assert_false(closure_csn_reaches("", &place));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(closure_csn_compare__marks__tell_what_follows),
	    cmocka_unit_test(closure_csn_is_behind__entries__tell_a_mark_that_stands_still),
	    cmocka_unit_test(closure_csn_of__values_in_any_order__give_one_text),
	    cmocka_unit_test(closure_csn_base__contexts__the_one_that_sees_every_change),
	    cmocka_unit_test(closure_csn_base__no_root_dse__gives_none),
	    cmocka_unit_test(closure_csn_newest__marks__tell_whose_change_was_last),
	    cmocka_unit_test(closure_csn_reaches__marks__that_writers_changes_count),
	    cmocka_unit_test(closure_csn_base__no_memory__never_gives_the_wrong_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
