/* SPDX-License-Identifier: Apache-2.0 */
/* Values that come in parts, from a scripted domain controller (dir_ranges.py): what becomes of them in a turn. */
#include "bench.h"

#include <base/memory.h>
#include <support/memory_failing.h>

#define PEOPLE 3200

struct fixture {
	struct bench_policy policy;
	struct dir_conn *conn;
};

static int setup(void **state)
{
	static struct fixture fixture;

	bench_policy_init(&fixture.policy);
	fixture.policy.directory.tls = CONFIG_TLS_NONE;
	fixture.conn = bench_connect(&fixture.policy, bench_value("BENCH_URI"));
	*state = &fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	dir_conn_close(&fixture->conn);
	bench_policy_done(&fixture->policy);
	return 0;
}

static void search_init(struct dir_search *search, const char *filter)
{
	static const char *const names[] = {"cn", "member", "memberOf", NULL};

	bench_search_people(search, filter);
	search->attributes = names;
}

static size_t count_of(const struct dir_entry *entry, const char *name)
{
	const struct dir_attribute *attribute = dir_entry_attribute(entry, name);

	return attribute == NULL ? 0 : attribute->value_count;
}

static int compare(const void *one, const void *other)
{
	const struct dir_value *a = one;
	const struct dir_value *b = other;

	return strcmp(a->data, b->data);
}

/* So many values, none twice, and no name with a range. */
static void check_values(const struct dir_entry *entry, const char *name, size_t count)
{
	const struct dir_attribute *attribute = dir_entry_attribute(entry, name);

	assert_non_null(attribute);
	assert_int_equal(attribute->value_count, count);
	qsort(attribute->values, count, sizeof(*attribute->values), compare);
	for (size_t i = 1; i < count; i++)
		assert_string_not_equal(attribute->values[i - 1].data, attribute->values[i].data);
	for (size_t i = 0; i < entry->attribute_count; i++)
		assert_null(strchr(entry->attributes[i].name, ';'));
}

static void exchange__more_values_than_a_range__all_are_there(void **state)
{
	static const struct {
		const char *filter;
		size_t members;
		uint32_t pages;
	} rows[] = {
	    {"(cn=g-n1500)", 1500, 1}, {"(cn=g-n1501)", 1501, 2}, {"(cn=g-n2999)", 2999, 2},
	    {"(cn=g-n3000)", 3000, 3}, {"(cn=g-big)", PEOPLE, 3},
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct dir_search search;

		search_init(&search, rows[i].filter);
		bench_check_outcome(fixture->conn, &search, DIR_OUTCOME_OK);
		assert_int_equal(search.entry_count, 1);
		check_values(search.entries, "member", rows[i].members);
		assert_non_null(dir_entry_single(search.entries, "cn"));
		assert_row(rows[i].filter, search.pages == rows[i].pages);
		dir_search_done(&search);
	}
}

/* member and memberOf, with GUIDs: both in the same further requests, of the GUID. */
static void exchange__two_attributes_at_once__share_the_requests(void **state)
{
	struct fixture *fixture = *state;
	struct dir_search search;

	search_init(&search, "(cn=g-big)");
	search.flags = DIR_SEARCH_EXTENDED_DN | DIR_SEARCH_LINK_TTL | DIR_SEARCH_DOMAIN_SCOPE;
	search.size_limit = 1;
	bench_check_outcome(fixture->conn, &search, DIR_OUTCOME_OK);

	check_values(search.entries, "member", PEOPLE);
	check_values(search.entries, "memberOf", 1600);
	assert_int_equal(strncmp(search.entries->dn, "CN=g-big,", 9), 0);
	assert_int_equal(strncmp(dir_entry_attribute(search.entries, "memberOf")->values[1599].data, "<GUID=", 6), 0);
	assert_int_equal(search.pages, 3);
	dir_search_done(&search);
}

struct seen {
	size_t entries, values;
	enum status status; /* what it says from the third entry on */
};

static enum status see(void *context, const struct dir_entry *entry)
{
	struct seen *seen = context;

	seen->entries++;
	seen->values += count_of(entry, "member");
	return seen->entries < 3 ? STATUS_OK : seen->status;
}

static void exchange__pages_of_held_entries__are_handed_over_whole(void **state)
{
	struct fixture *fixture = *state;
	struct seen seen = {0};
	struct dir_search search;

	search_init(&search, "(|(cn=g-many-*)(cn=o0*))");
	search.page_size = 7;
	search.on_entry = see;
	search.on_entry_context = &seen;
	bench_check_outcome(fixture->conn, &search, DIR_OUTCOME_OK);

	assert_int_equal(seen.entries, 30 + 1000);
	assert_int_equal(search.entry_count, seen.entries);
	assert_int_equal(seen.values, 30 * 1600 + 1000);
	assert_null(search.entries);
	assert_int_equal(search.pages, 30 + (30 + 1000 + 6) / 7);
	dir_search_done(&search);
}

static void exchange__asker_has_enough__ends(void **state)
{
	static const struct {
		enum status status;
		enum dir_outcome outcome;
	} rows[] = {
	    {STATUS_LIMIT, DIR_OUTCOME_LIMIT},
	    {STATUS_INVALID, DIR_OUTCOME_NO_MEMORY},
	    {STATUS_UNREACHABLE, DIR_OUTCOME_NO_MEMORY},
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct seen seen = {.status = rows[i].status};
		struct dir_search search;

		search_init(&search, "(cn=g-many-*)");
		search.on_entry = see;
		search.on_entry_context = &seen;
		bench_check_outcome(fixture->conn, &search, rows[i].outcome);
		assert_int_equal(seen.entries, 3);
		dir_search_done(&search);
	}
}

static void exchange__more_entries_than_wanted__is_a_limit(void **state)
{
	struct fixture *fixture = *state;
	struct dir_search search;

	search_init(&search, "(cn=g-many-*)");
	search.size_limit = 5;
	bench_check_outcome(fixture->conn, &search, DIR_OUTCOME_LIMIT);

	for (const struct dir_entry *entry = search.entries; entry != NULL; entry = entry->next)
		check_values(entry, "member", 1600);
	dir_search_done(&search);
}

/* All in one turn, more than the window has room for, beside searches that have nothing to do with it. */
static void exchange__a_turn_full_of_ranges__deals_them_right(void **state)
{
	enum { COUNT = 100 };
	static struct dir_search searches[COUNT];
	static struct dir_turn turns[COUNT];
	static char filters[COUNT][32];
	struct fixture *fixture = *state;

	for (size_t i = 0; i < COUNT; i++) {
		(void)snprintf(filters[i], sizeof(filters[i]), i % 2 == 0 ? "(cn=g-many-%02zu)" : "(cn=o00%02zu)",
			       i % 30);
		search_init(&searches[i], filters[i]);
		turns[i] = (struct dir_turn){.search = &searches[i],
					     .deadline_ms = clock_monotonic_ms() + (uint64_t)6 * PLENTY_MS};
	}
	assert_int_equal(dir_conn_exchange(fixture->conn, turns, COUNT, NULL), STATUS_OK);

	for (size_t i = 0; i < COUNT; i++) {
		assert_int_equal(searches[i].outcome, DIR_OUTCOME_OK);
		assert_int_equal(searches[i].entry_count, 1);
		check_values(searches[i].entries, "member", i % 2 == 0 ? 1600 : 1);
		assert_int_equal(strncmp(searches[i].entries->dn + 3, filters[i] + 4, strlen(filters[i]) - 5), 0);
		dir_search_done(&searches[i]);
	}
}

static void exchange__entry_changes_meanwhile__is_read_anew(void **state)
{
	struct fixture *fixture = *state;
	struct dir_search search;

	search_init(&search, "(cn=g-moves-once)");
	bench_check_outcome(fixture->conn, &search, DIR_OUTCOME_OK);
	check_values(search.entries, "member", PEOPLE - 1);
	dir_search_done(&search);

	search_init(&search, "(cn=g-shrinks)");
	bench_check_outcome(fixture->conn, &search, DIR_OUTCOME_OK);
	check_values(search.entries, "member", 1000);
	dir_search_done(&search);
}

/* By its GUID it is found under its new name; everything else is as it was read first. */
static void exchange__entry_is_renamed_meanwhile__is_found_by_its_guid(void **state)
{
	struct fixture *fixture = *state;
	struct dir_search search;

	search_init(&search, "(cn=g-renamed)");
	search.flags = DIR_SEARCH_EXTENDED_DN;
	bench_check_outcome(fixture->conn, &search, DIR_OUTCOME_OK);

	check_values(search.entries, "member", PEOPLE);
	assert_int_equal(strncmp(search.entries->dn, "CN=g-renamed,", 13), 0);
	dir_search_done(&search);
}

/* Whatever goes wrong: no entry, no "no", and the connection goes on. */
static void exchange__values_cannot_be_had__is_no_answer(void **state)
{
	static const struct {
		const char *filter;
		enum dir_outcome outcome;
		const char *text;
	} rows[] = {
	    {"(cn=g-moves-always)", DIR_OUTCOME_INCOMPLETE, "changed while"},
	    {"(cn=g-vanishes)", DIR_OUTCOME_INCOMPLETE, "vanished"},
	    {"(cn=g-nobody)", DIR_OUTCOME_INCOMPLETE, "vanished"},
	    {"(cn=g-two)", DIR_OUTCOME_INCOMPLETE, "two entries"},
	    {"(cn=g-gap)", DIR_OUTCOME_INCOMPLETE, "not asked for"},
	    {"(cn=g-stuck)", DIR_OUTCOME_INCOMPLETE, "no further"},
	    {"(cn=g-lies)", DIR_OUTCOME_INCOMPLETE, "as the first values"},
	    {"(cn=g-busy)", DIR_OUTCOME_BUSY, "by script"},
	    {"(cn=g-refused)", DIR_OUTCOME_REFUSED, "by script"},
	    {"(cn=g-endless)", DIR_OUTCOME_LIMIT, "do not end"},
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		for (size_t j = 0; j < 2; j++) {
			struct dir_search search;
			struct seen seen = {0};
			struct error error = {0};

			/* The second time the entry is gone, or the same is so. */
			if (j == 1 && i < 2)
				continue;
			search_init(&search, rows[i].filter);
			if (j == 1) {
				search.on_entry = see;
				search.on_entry_context = &seen;
			}
			assert_row(rows[i].filter, bench_exchange(fixture->conn, &search, PLENTY_MS) == STATUS_OK);
			assert_row(rows[i].filter, search.outcome == rows[i].outcome);
			assert_row(rows[i].filter, search.entries == NULL && search.entry_count == 0);
			assert_row(rows[i].filter, seen.entries == 0);
			assert_row(rows[i].filter, dir_search_failure(&search, &error) != STATUS_OK);
			assert_contains(error.what, rows[i].text);
			dir_search_done(&search);
		}
}

static void exchange__range_is_late__ends_at_the_deadline(void **state)
{
	struct fixture *fixture = *state;
	struct bench_watch watch = bench_watch_start();
	struct dir_search search;

	search_init(&search, "(cn=g-late)");
	assert_int_equal(bench_exchange(fixture->conn, &search, 1000), STATUS_OK);
	bench_watch_check(&watch, 1000);
	assert_int_equal(search.outcome, DIR_OUTCOME_TIMEOUT);
	assert_null(search.entries);

	/* The late answer is nobody's. */
	dir_search_reset(&search);
	bench_check_outcome(fixture->conn, &search, DIR_OUTCOME_OK);
	check_values(search.entries, "member", PEOPLE);
	dir_search_done(&search);
}

static void exchange__connection_breaks_between_ranges__tells(void **state)
{
	static const char *const filters[] = {"(cn=g-closes)", "(cn=g-notice)"};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < COUNT_OF(filters); i++) {
		struct dir_search searches[2];
		struct dir_turn turns[2];

		for (size_t j = 0; j < 2; j++) {
			search_init(&searches[j], j == 0 ? filters[i] : "(cn=g-many-*)");
			turns[j] =
			    (struct dir_turn){.search = &searches[j], .deadline_ms = clock_monotonic_ms() + PLENTY_MS};
		}
		assert_int_equal(dir_conn_exchange(fixture->conn, turns, 2, NULL), STATUS_UNREACHABLE);
		assert_int_equal(searches[0].outcome, DIR_OUTCOME_BAD_CONNECTION);
		assert_null(searches[0].entries);
		for (size_t j = 0; j < 2; j++)
			dir_search_done(&searches[j]);
		dir_conn_close(&fixture->conn);
		fixture->conn = bench_connect(&fixture->policy, bench_value("BENCH_URI"));
	}
}

/* Every allocation of a turn fails in turn, for entries that are kept and for those that are handed over. */
static void check_memory(struct dir_conn *conn, bool is_handed_over)
{
	size_t count, failures = 0, n = 0;

	do {
		struct seen seen = {0};
		struct dir_search search;
		enum status status;

		search_init(&search, "(cn=g-n3000)");
		if (is_handed_over) {
			search.on_entry = see;
			search.on_entry_context = &seen;
		}
		memory_fail_at(++n);
		status = bench_exchange(conn, &search, PLENTY_MS);
		count = memory_fail_count();
		memory_fail_at(0);
		assert_int_equal(status, STATUS_OK);
		if (search.outcome == DIR_OUTCOME_OK) {
			assert_int_equal(is_handed_over ? seen.values : count_of(search.entries, "member"), 3000);
		} else {
			assert_int_equal(search.outcome, DIR_OUTCOME_NO_MEMORY);
			assert_int_equal(seen.entries, 0);
			failures++;
		}
		dir_search_done(&search);
	} while (count >= n);
	assert_int_equal(failures, n - 1);
	assert_true(failures >= 3);
}

static void exchange__memory_runs_out__says_so(void **state)
{
	struct fixture *fixture = *state;

	check_memory(fixture->conn, false);
	check_memory(fixture->conn, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(exchange__more_values_than_a_range__all_are_there, setup, teardown),
	    cmocka_unit_test_setup_teardown(exchange__two_attributes_at_once__share_the_requests, setup, teardown),
	    cmocka_unit_test_setup_teardown(exchange__pages_of_held_entries__are_handed_over_whole, setup, teardown),
	    cmocka_unit_test_setup_teardown(exchange__asker_has_enough__ends, setup, teardown),
	    cmocka_unit_test_setup_teardown(exchange__more_entries_than_wanted__is_a_limit, setup, teardown),
	    cmocka_unit_test_setup_teardown(exchange__a_turn_full_of_ranges__deals_them_right, setup, teardown),
	    cmocka_unit_test_setup_teardown(exchange__entry_changes_meanwhile__is_read_anew, setup, teardown),
	    cmocka_unit_test_setup_teardown(exchange__entry_is_renamed_meanwhile__is_found_by_its_guid, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(exchange__values_cannot_be_had__is_no_answer, setup, teardown),
	    cmocka_unit_test_setup_teardown(exchange__range_is_late__ends_at_the_deadline, setup, teardown),
	    cmocka_unit_test_setup_teardown(exchange__connection_breaks_between_ranges__tells, setup, teardown),
	    cmocka_unit_test_setup_teardown(exchange__memory_runs_out__says_so, setup, teardown),
	};

	dir_conn_prepare_process();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
