/* SPDX-License-Identifier: Apache-2.0 */
/* Turns on connections to a real server, also one that hangs. */
#include "bench.h"

#include <base/memory.h>
#include <support/memory_failing.h>

/* The service account on the good server. */
struct fixture {
	struct bench_policy policy;
	struct dir_conn *conn;
};

static int setup(void **state)
{
	static struct fixture fixture;

	bench_policy_init(&fixture.policy);
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

static void exchange__entry_with_any_bytes__is_copied_whole(void **state)
{
	struct fixture *fixture = *state;
	struct dir_search search;
	const struct dir_value *photo;

	bench_search_people(&search, "(uid=alice)");
	bench_check_outcome(fixture->conn, &search, DIR_OUTCOME_OK);

	assert_int_equal(search.entry_count, 1);
	assert_null(search.entries->next);
	assert_string_equal(search.entries->dn, bench_value("BENCH_ALICE_DN"));
	assert_string_equal(dir_entry_single(search.entries, "UID")->data, "alice");
	photo = dir_entry_single(search.entries, "jpegPhoto");
	assert_non_null(photo);
	assert_int_equal(photo->length, 8);
	assert_memory_equal(photo->data, "\xff\x00\x01\x0a\x00\xfe\x80\x00", 9);
	dir_search_done(&search);
}

static void exchange__more_than_a_window__deals_the_answers_right(void **state)
{
	enum { COUNT = 300 };
	static struct dir_search searches[COUNT];
	static struct dir_turn turns[COUNT];
	static char filters[COUNT][32];
	struct fixture *fixture = *state;
	char uid[16];
	size_t i;

	for (i = 0; i < COUNT; i++) {
		(void)snprintf(filters[i], sizeof(filters[i]), "(uid=user%04zu)", i);
		bench_search_people(&searches[i], filters[i]);
		turns[i] = (struct dir_turn){.search = &searches[i], .deadline_ms = clock_monotonic_ms() + PLENTY_MS};
	}

	assert_int_equal(dir_conn_exchange(fixture->conn, turns, COUNT, NULL), STATUS_OK);

	for (i = 0; i < COUNT; i++) {
		assert_int_equal(searches[i].outcome, DIR_OUTCOME_OK);
		assert_int_equal(searches[i].entry_count, 1);
		(void)snprintf(uid, sizeof(uid), "user%04zu", i);
		assert_string_equal(dir_entry_single(searches[i].entries, "uid")->data, uid);
		dir_search_done(&searches[i]);
	}
}

/* slapd knows none of AD's controls: it refuses the critical ones and overlooks the others, also beside a page. */
static void exchange__controls_of_ad__critical_ones_are_refused(void **state)
{
	static const struct {
		unsigned flags;
		enum dir_outcome outcome;
	} rows[] = {
	    {DIR_SEARCH_DOMAIN_SCOPE, DIR_OUTCOME_OK},
	    {DIR_SEARCH_DOMAIN_SCOPE | DIR_SEARCH_LINK_TTL, DIR_OUTCOME_OK},
	    {DIR_SEARCH_EXTENDED_DN, DIR_OUTCOME_REFUSED},
	    {DIR_SEARCH_SHOW_DELETED, DIR_OUTCOME_REFUSED},
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < 2 * COUNT_OF(rows); i++) {
		struct dir_search search;

		bench_search_people(&search, "(uid=alice)");
		search.flags = rows[i / 2].flags;
		search.page_size = i % 2 == 0 ? 0 : 10;
		bench_check_outcome(fixture->conn, &search, rows[i / 2].outcome);
		assert_int_equal(search.code, rows[i / 2].outcome == DIR_OUTCOME_OK ? 0 : 12);
		assert_int_equal(search.entry_count, rows[i / 2].outcome == DIR_OUTCOME_OK ? 1 : 0);
		dir_search_done(&search);
	}
}

static void exchange__pages__are_fetched_to_the_end(void **state)
{
	struct fixture *fixture = *state;
	struct dir_search search;
	const struct dir_entry *entry;
	size_t count = 0;

	bench_search_people(&search, "(uid=user*)");
	search.page_size = 100;
	bench_check_outcome(fixture->conn, &search, DIR_OUTCOME_OK);

	for (entry = search.entries; entry != NULL; entry = entry->next)
		count++;
	assert_int_equal(count, 1200);
	assert_int_equal(search.entry_count, 1200);
	assert_in_range(search.pages, 12, 13);
	dir_search_done(&search);
}

static void exchange__size_limit__is_a_limit_and_no_answer(void **state)
{
	struct fixture *fixture = *state;
	struct dir_search search;

	bench_search_people(&search, "(uid=user*)");
	search.size_limit = 10;
	bench_check_outcome(fixture->conn, &search, DIR_OUTCOME_LIMIT);
	assert_int_equal(search.code, 4);
	assert_int_equal(search.entry_count, 10);
	dir_search_reset(&search);
	search.size_limit = 150;
	search.page_size = 100;
	bench_check_outcome(fixture->conn, &search, DIR_OUTCOME_LIMIT);
	assert_true(search.entry_count <= 150);
	dir_search_reset(&search);
	search.size_limit = 1200;
	search.page_size = 0;
	bench_check_outcome(fixture->conn, &search, DIR_OUTCOME_OK);
	dir_search_done(&search);
}

/* slapd applies its size limit to pages too. */
static void exchange__server_has_a_limit__is_a_limit(void **state)
{
	struct bench_policy policy;
	struct dir_conn *conn;
	struct dir_search search;

	(void)state;
	bench_policy_init(&policy);
	conn = bench_connect(&policy, bench_value("BENCH_LIMITED_URI"));
	bench_search_people(&search, "(uid=user*)");
	bench_check_outcome(conn, &search, DIR_OUTCOME_LIMIT);
	assert_true(search.entry_count < 20);
	dir_search_reset(&search);
	search.page_size = 5;
	bench_check_outcome(conn, &search, DIR_OUTCOME_LIMIT);
	dir_search_done(&search);
	dir_conn_close(&conn);
	bench_policy_done(&policy);
}

static void exchange__arena_is_full__is_a_limit_and_the_rest_goes_on(void **state)
{
	struct fixture *fixture = *state;
	struct dir_search searches[2];
	struct dir_turn turns[2];
	size_t i;

	bench_search_people(&searches[0], "(uid=user*)");
	bench_search_people(&searches[1], "(uid=alice)");
	arena_free(&searches[0].arena);
	searches[0].arena = arena_new(4096);
	for (i = 0; i < 2; i++)
		turns[i] = (struct dir_turn){.search = &searches[i], .deadline_ms = clock_monotonic_ms() + PLENTY_MS};

	assert_int_equal(dir_conn_exchange(fixture->conn, turns, 2, NULL), STATUS_OK);

	assert_int_equal(searches[0].outcome, DIR_OUTCOME_LIMIT);
	assert_int_equal(searches[1].outcome, DIR_OUTCOME_OK);
	for (i = 0; i < 2; i++)
		dir_search_done(&searches[i]);
	bench_search_people(&searches[0], "(uid=user0001)");
	bench_check_outcome(fixture->conn, &searches[0], DIR_OUTCOME_OK);
	assert_int_equal(searches[0].entry_count, 1);
	dir_search_done(&searches[0]);
}

struct taking {
	size_t taken, enough;
	enum status then;
};

static enum status take(void *context, const struct dir_entry *entry)
{
	struct taking *taking = context;

	assert_non_null(dir_entry_single(entry, "uid"));
	return ++taking->taken == taking->enough ? taking->then : STATUS_OK;
}

static void exchange__entries_one_by_one__are_handed_over(void **state)
{
	static const struct {
		struct taking taking;
		enum dir_outcome outcome;
		size_t taken;
	} rows[] = {
	    {{0, 0, STATUS_OK}, DIR_OUTCOME_OK, 1200},
	    {{0, 7, STATUS_LIMIT}, DIR_OUTCOME_LIMIT, 7},
	    {{0, 7, STATUS_NO_MEMORY}, DIR_OUTCOME_NO_MEMORY, 7},
	    {{0, 7, STATUS_UNREACHABLE}, DIR_OUTCOME_NO_MEMORY, 7},
	};
	struct fixture *fixture = *state;
	struct dir_search search;
	struct taking taking;
	size_t i;

	for (i = 0; i < COUNT_OF(rows); i++) {
		taking = rows[i].taking;
		bench_search_people(&search, "(uid=user*)");
		search.on_entry = take;
		search.on_entry_context = &taking;
		bench_check_outcome(fixture->conn, &search, rows[i].outcome);
		assert_int_equal(taking.taken, rows[i].taken);
		assert_null(search.entries);
		dir_search_done(&search);
	}
}

static void exchange__referrals__are_not_chased(void **state)
{
	struct fixture *fixture = *state;
	struct dir_search search;

	/* A reference among entries is skipped. */
	bench_search_init(&search, bench_value("BENCH_REFERRAL_PARENT"), DIR_SCOPE_SUBTREE, "(objectClass=*)");
	bench_check_outcome(fixture->conn, &search, DIR_OUTCOME_OK);
	assert_true(search.entry_count >= 1);
	dir_search_done(&search);
	bench_search_init(&search, bench_value("BENCH_REFERRAL_DN"), DIR_SCOPE_BASE, "(objectClass=*)");
	bench_check_outcome(fixture->conn, &search, DIR_OUTCOME_REFERRAL);
	assert_int_equal(search.entry_count, 0);
	dir_search_done(&search);
}

static void exchange__questions_that_cannot_be_asked__do_not_hurt_the_others(void **state)
{
	static const struct {
		const char *base, *filter;
		enum dir_outcome outcome;
	} rows[] = {
	    {"dc=x,dc=missing", "(objectClass=*)", DIR_OUTCOME_NO_SUCH_OBJECT},
	    {NULL, "((uid=a)", DIR_OUTCOME_REFUSED},
	    {NULL, "", DIR_OUTCOME_REFUSED},
	    {NULL, "(uid=a))", DIR_OUTCOME_REFUSED},
	    {NULL, "uid=a)(", DIR_OUTCOME_REFUSED},
	    {NULL, "(", DIR_OUTCOME_REFUSED},
	    {NULL, "()", DIR_OUTCOME_REFUSED},
	    {NULL, "(uid=\\zz)", DIR_OUTCOME_REFUSED},
	    {"no dn at all", "(objectClass=*)", DIR_OUTCOME_REFUSED},
	    {NULL, "(uid=alice)", DIR_OUTCOME_OK},
	};
	static const char *too_many[DIR_SEARCH_MAX_ATTRIBUTES + 2];
	struct fixture *fixture = *state;
	struct dir_search searches[COUNT_OF(rows) + 1] = {0};
	struct dir_turn turns[COUNT_OF(rows) + 1];
	size_t i;

	for (i = 0; i < DIR_SEARCH_MAX_ATTRIBUTES + 1; i++)
		too_many[i] = "uid";
	for (i = 0; i < COUNT_OF(turns); i++) {
		bench_search_people(&searches[i], "(uid=alice)");
		turns[i] = (struct dir_turn){.search = &searches[i], .deadline_ms = clock_monotonic_ms() + PLENTY_MS};
		if (i == COUNT_OF(rows)) {
			searches[i].attributes = too_many;
			continue;
		}
		searches[i].filter = rows[i].filter;
		if (rows[i].base != NULL)
			searches[i].base = rows[i].base;
	}

	assert_int_equal(dir_conn_exchange(fixture->conn, turns, COUNT_OF(turns), NULL), STATUS_OK);

	for (i = 0; i < COUNT_OF(rows); i++) {
		assert_row(rows[i].filter, searches[i].outcome == rows[i].outcome);
	}
	assert_int_equal(searches[COUNT_OF(rows)].outcome, DIR_OUTCOME_REFUSED);
	for (i = 0; i < COUNT_OF(turns); i++)
		dir_search_done(&searches[i]);
}

static void exchange__deadline_is_past__sends_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct dir_search search;

	bench_search_people(&search, "(uid=alice)");
	(void)bench_exchange(fixture->conn, &search, 0);

	assert_int_equal(search.outcome, DIR_OUTCOME_TIMEOUT);
	assert_int_equal(search.pages, 0);
	dir_search_done(&search);
}

static void exchange__server_hangs__times_out_without_cpu(void **state)
{
	const uint64_t timeout_ms = 400;
	struct fixture *fixture = *state;
	struct dir_search search;
	struct bench_watch watch;
	enum status status;

	bench_search_people(&search, "(uid=alice)");
	bench_suspend();
	watch = bench_watch_start();
	status = bench_exchange(fixture->conn, &search, timeout_ms);
	bench_resume();

	assert_int_equal(status, STATUS_TIMEOUT);
	assert_int_equal(search.outcome, DIR_OUTCOME_TIMEOUT);
	bench_watch_check(&watch, timeout_ms);
	/* What is broken stays broken: nothing is sent on it any more. */
	dir_search_reset(&search);
	assert_int_equal(bench_exchange(fixture->conn, &search, timeout_ms), STATUS_UNREACHABLE);
	assert_int_equal(search.outcome, DIR_OUTCOME_BAD_CONNECTION);
	dir_search_done(&search);
}

/* More than the socket takes: a write that blocks has the same deadline. */
static void exchange__server_reads_nothing__times_out(void **state)
{
	enum { COUNT = 64, FILTER_BYTES = 400000 };
	static struct dir_search searches[COUNT];
	static struct dir_turn turns[COUNT];
	const uint64_t timeout_ms = 800;
	struct fixture *fixture = *state;
	struct bench_watch watch;
	char *filter = memory_new(FILTER_BYTES);
	enum status status;
	size_t i;

	assert_non_null(filter);
	memset(filter, 'a', FILTER_BYTES - 1);
	filter[0] = '(';
	filter[4] = '=';
	filter[FILTER_BYTES - 2] = ')';
	for (i = 0; i < COUNT; i++) {
		bench_search_people(&searches[i], filter);
		turns[i].search = &searches[i];
		turns[i].deadline_ms = clock_monotonic_ms() + timeout_ms;
	}
	bench_suspend();
	watch = bench_watch_start();
	status = dir_conn_exchange(fixture->conn, turns, COUNT, NULL);
	bench_resume();

	assert_int_equal(status, STATUS_TIMEOUT);
	assert_true(clock_monotonic_ms() - watch.began_ms < timeout_ms + LATENESS_MS + LATENESS_MS);
	for (i = 0; i < COUNT; i++) {
		assert_true(searches[i].outcome == DIR_OUTCOME_TIMEOUT ||
			    searches[i].outcome == DIR_OUTCOME_BAD_CONNECTION);
		dir_search_done(&searches[i]);
	}
	memory_free(filter);
}

static void ping__server_hangs__times_out_without_cpu(void **state)
{
	const uint64_t timeout_ms = 400;
	struct fixture *fixture = *state;
	bool is_synchronized = false;
	struct error error = {0};
	struct bench_watch watch;
	enum status status;

	assert_status(dir_conn_ping(fixture->conn, clock_monotonic_ms() + PLENTY_MS, &is_synchronized, &error),
		      STATUS_OK, &error);
	bench_suspend();
	watch = bench_watch_start();
	status = dir_conn_ping(fixture->conn, clock_monotonic_ms() + timeout_ms, &is_synchronized, &error);
	bench_resume();

	assert_status(status, STATUS_TIMEOUT, &error);
	bench_watch_check(&watch, timeout_ms);
}

static void exchange__an_allocation_fails__is_no_answer(void **state)
{
	struct fixture *fixture = *state;
	struct taking taking;
	struct dir_search searches[2];
	struct dir_turn turns[2];
	size_t before;
	size_t count;
	size_t n;
	size_t i;

	before = memory_live_count();
	for (n = 1, count = 0; count + 1 >= n; n++) {
		taking = (struct taking){0};
		for (i = 0; i < 2; i++) {
			bench_search_people(&searches[i], "(uid=user000*)");
			turns[i].search = &searches[i];
			turns[i].deadline_ms = clock_monotonic_ms() + PLENTY_MS;
		}
		searches[1].on_entry = take;
		searches[1].on_entry_context = &taking;
		memory_fail_at(n);
		assert_int_equal(dir_conn_exchange(fixture->conn, turns, 2, NULL), STATUS_OK);
		count = memory_fail_count();
		memory_fail_at(0);
		for (i = 0; i < 2; i++) {
			if (searches[i].outcome == DIR_OUTCOME_OK)
				assert_int_equal(searches[i].entry_count, 10);
			else
				assert_int_equal(searches[i].outcome, DIR_OUTCOME_NO_MEMORY);
			dir_search_done(&searches[i]);
		}
		assert_int_equal(memory_live_count(), before);
	}
	assert_true(n > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(exchange__entry_with_any_bytes__is_copied_whole, setup, teardown),
	    cmocka_unit_test_setup_teardown(exchange__more_than_a_window__deals_the_answers_right, setup, teardown),
	    cmocka_unit_test_setup_teardown(exchange__controls_of_ad__critical_ones_are_refused, setup, teardown),
	    cmocka_unit_test_setup_teardown(exchange__pages__are_fetched_to_the_end, setup, teardown),
	    cmocka_unit_test_setup_teardown(exchange__size_limit__is_a_limit_and_no_answer, setup, teardown),
	    cmocka_unit_test(exchange__server_has_a_limit__is_a_limit),
	    cmocka_unit_test_setup_teardown(exchange__arena_is_full__is_a_limit_and_the_rest_goes_on, setup, teardown),
	    cmocka_unit_test_setup_teardown(exchange__entries_one_by_one__are_handed_over, setup, teardown),
	    cmocka_unit_test_setup_teardown(exchange__referrals__are_not_chased, setup, teardown),
	    cmocka_unit_test_setup_teardown(exchange__questions_that_cannot_be_asked__do_not_hurt_the_others, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(exchange__deadline_is_past__sends_nothing, setup, teardown),
	    cmocka_unit_test_setup_teardown(exchange__server_hangs__times_out_without_cpu, setup, teardown),
	    cmocka_unit_test_setup_teardown(exchange__server_reads_nothing__times_out, setup, teardown),
	    cmocka_unit_test_setup_teardown(ping__server_hangs__times_out_without_cpu, setup, teardown),
	    cmocka_unit_test_setup_teardown(exchange__an_allocation_fails__is_no_answer, setup, teardown),
	};

	dir_conn_prepare_process();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
