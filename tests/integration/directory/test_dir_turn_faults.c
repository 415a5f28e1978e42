/* SPDX-License-Identifier: Apache-2.0 */
/* Turns on connections to servers that break off, are late or lie. */
#include "bench.h"
#include "raw_server.h"

/* Raw servers: what follows after a bind that works. */

struct raw {
	struct bench_policy policy;
	struct raw_server server;
	struct dir_conn *conn;
};

static void raw_open(struct raw *raw, const struct raw_step *steps, size_t count)
{
	memset(raw, 0, sizeof(*raw));
	bench_policy_init_raw(&raw->policy);
	assert_true(raw_server_start(&raw->server, steps, count));
	raw->conn = bench_connect(&raw->policy, raw->server.uri);
}

static void raw_close(struct raw *raw)
{
	dir_conn_close(&raw->conn);
	raw_server_stop(&raw->server);
	bench_policy_done(&raw->policy);
}

#define NOTICE_OF_DISCONNECTION                                                                                        \
	"\x30\x24\x02\x01\x00\x78\x1f\x0a\x01\x34\x04\x00\x04\x00\x8a\x16"                                             \
	"1.3.6.1.4.1.1466.20036"

static void exchange__connection_breaks__tells_and_lives(void **state)
{
	static const struct raw_step closed[] = {RAW_HEAR, RAW_SAY(RAW_BIND_OK), RAW_HEAR, RAW_CLOSE};
	static const struct raw_step middle[] = {
	    RAW_HEAR, RAW_SAY(RAW_BIND_OK), RAW_HEAR, RAW_SAY(RAW_ENTRY), RAW_SAY("\x30\x10\x02\x01\x02\x64\x0b"),
	    RAW_CLOSE};
	static const struct raw_step reset[] = {RAW_HEAR, RAW_SAY(RAW_BIND_OK), RAW_HEAR, RAW_SAY(RAW_ENTRY),
						RAW_RESET};
	static const struct raw_step notice[] = {RAW_HEAR, RAW_SAY(RAW_BIND_OK), RAW_HEAR,
						 RAW_SAY(NOTICE_OF_DISCONNECTION), RAW_HEAR};
	static const struct raw_step garbage[] = {RAW_HEAR, RAW_SAY(RAW_BIND_OK), RAW_HEAR,
						  RAW_SAY("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
						  RAW_HEAR};
	static const struct raw_step bad_entry[] = {RAW_HEAR, RAW_SAY(RAW_BIND_OK), RAW_HEAR,
						    RAW_SAY("\x30\x10\x02\x01\x02\x64\x0b\x04\x7f"
							    "cn=a,cn"
							    "\x30\x00"),
						    RAW_HEAR};
	static const struct raw_step bad_attributes[] = {RAW_HEAR, RAW_SAY(RAW_BIND_OK), RAW_HEAR,
							 RAW_SAY("\x30\x10\x02\x01\x02\x64\x0b\x04\x02"
								 "a="
								 "\x30\x05\x30\x7f\x04\x01"
								 "x"),
							 RAW_HEAR};
	static const struct raw_step huge[] = {RAW_HEAR, RAW_SAY(RAW_BIND_OK), RAW_HEAR,
					       RAW_SAY("\x30\x84\x7f\xff\xff\xff\x02\x01\x02\x64"), RAW_HEAR};
	static const struct {
		const char *row;
		const struct raw_step *steps;
		size_t count;
	} rows[] = {
	    {"closed", closed, COUNT_OF(closed)},
	    {"in the middle", middle, COUNT_OF(middle)},
	    {"reset", reset, COUNT_OF(reset)},
	    {"notice", notice, COUNT_OF(notice)},
	    {"garbage", garbage, COUNT_OF(garbage)},
	    {"bad entry", bad_entry, COUNT_OF(bad_entry)},
	    {"bad attributes", bad_attributes, COUNT_OF(bad_attributes)},
	    {"huge", huge, COUNT_OF(huge)},
	};
	struct dir_search search;
	struct raw raw;
	enum status status;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT_OF(rows); i++) {
		raw_open(&raw, rows[i].steps, rows[i].count);
		bench_search_people(&search, "(uid=a)");
		status = bench_exchange(raw.conn, &search, PLENTY_MS);
		assert_row(rows[i].row, status == STATUS_UNREACHABLE);
		assert_row(rows[i].row, search.outcome == DIR_OUTCOME_BAD_CONNECTION);
		/* SIGPIPE is as a host leaves it; what is sent now meets a closed socket. */
		dir_search_reset(&search);
		assert_row(rows[i].row, bench_exchange(raw.conn, &search, PLENTY_MS) == STATUS_UNREACHABLE);
		dir_search_done(&search);
		raw_close(&raw);
	}
}

/* The server went away while nobody looked: the first that is sent finds out. */
static void exchange__connection_was_reset_meanwhile__raises_no_signal(void **state)
{
	static const struct raw_step reset[] = {RAW_HEAR, RAW_SAY(RAW_BIND_OK), RAW_RESET};
	static const struct raw_step closed[] = {RAW_HEAR, RAW_SAY(RAW_BIND_OK), RAW_CLOSE};
	static const struct {
		const struct raw_step *steps;
		size_t count;
	} rows[] = {{reset, COUNT_OF(reset)}, {closed, COUNT_OF(closed)}};
	const struct timespec pause = {.tv_nsec = 50000000};
	struct dir_search searches[3];
	struct dir_turn turns[3];
	struct raw raw;
	size_t i;
	size_t j;

	(void)state;
	assert_true(signal(SIGPIPE, SIG_DFL) != SIG_ERR);
	for (i = 0; i < COUNT_OF(rows); i++) {
		raw_open(&raw, rows[i].steps, rows[i].count);
		(void)nanosleep(&pause, NULL);
		for (j = 0; j < 3; j++) {
			bench_search_people(&searches[j], "(uid=a)");
			turns[j].search = &searches[j];
			turns[j].deadline_ms = clock_monotonic_ms() + PLENTY_MS;
		}
		assert_int_equal(dir_conn_exchange(raw.conn, turns, 3, NULL), STATUS_UNREACHABLE);
		for (j = 0; j < 3; j++) {
			assert_int_equal(searches[j].outcome, DIR_OUTCOME_BAD_CONNECTION);
			dir_search_done(&searches[j]);
		}
		raw_close(&raw);
	}
}

/* The first search is answered, the second is not: it alone is late, and its answer is nobody's. */
static void exchange__one_is_late__the_others_and_the_connection_are_good(void **state)
{
	static const struct raw_step steps[] = {
	    RAW_HEAR, RAW_SAY(RAW_BIND_OK), RAW_HEAR, RAW_HEAR, RAW_SAY(RAW_ENTRY RAW_SEARCH_DONE),
	    /* the abandon; then the next search, answered behind the late answer */
	    RAW_HEAR, RAW_HEAR, RAW_SAY(RAW_SEARCH_DONE_3), RAW_ANSWER(RAW_ANSWER_DONE), RAW_HEAR};
	const struct timespec pause = {.tv_nsec = 50000000};
	struct dir_search searches[2];
	struct dir_turn turns[2];
	struct raw raw;
	size_t i;

	(void)state;
	raw_open(&raw, steps, COUNT_OF(steps));
	for (i = 0; i < 2; i++) {
		bench_search_people(&searches[i], "(uid=a)");
		turns[i].search = &searches[i];
		turns[i].deadline_ms = clock_monotonic_ms() + 300;
	}
	assert_int_equal(dir_conn_exchange(raw.conn, turns, 2, NULL), STATUS_OK);
	assert_int_equal(searches[0].outcome, DIR_OUTCOME_OK);
	assert_int_equal(searches[0].entry_count, 1);
	assert_int_equal(searches[1].outcome, DIR_OUTCOME_TIMEOUT);
	(void)nanosleep(&pause, NULL);

	dir_search_reset(&searches[1]);
	bench_check_outcome(raw.conn, &searches[1], DIR_OUTCOME_OK);

	assert_int_equal(searches[1].entry_count, 0);
	for (i = 0; i < 2; i++)
		dir_search_done(&searches[i]);
	raw_close(&raw);
}

/* RFC 2696 control with the cookie "c", in a search result without entries. */
#define DONE_WITH_COOKIE                                                                                               \
	"\x30\x39\x02\x04\x00\x00\x00\x02\x65\x07\x0a\x01\x00\x04\x00\x04\x00\xa0\x28\x30\x26\x04\x16"                 \
	"1.2.840.113556.1.4.319"                                                                                       \
	"\x04\x0c\x30\x0a\x02\x01\x00\x04\x05"                                                                         \
	"c0000"

static void exchange__cookies_without_end__are_a_limit(void **state)
{
	static const struct raw_step steps[] = {RAW_HEAR, RAW_SAY(RAW_BIND_OK), RAW_HEAR, RAW_ANSWER(DONE_WITH_COOKIE),
						RAW_REPEAT(2)};
	struct dir_search search;
	struct raw raw;

	(void)state;
	raw_open(&raw, steps, COUNT_OF(steps));
	bench_search_people(&search, "(uid=a)");
	search.page_size = 100;
	bench_check_outcome(raw.conn, &search, DIR_OUTCOME_LIMIT);
	assert_in_range(search.pages, 200, 300);
	dir_search_done(&search);
	raw_close(&raw);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(exchange__connection_breaks__tells_and_lives),
	    cmocka_unit_test(exchange__connection_was_reset_meanwhile__raises_no_signal),
	    cmocka_unit_test(exchange__one_is_late__the_others_and_the_connection_are_good),
	    cmocka_unit_test(exchange__cookies_without_end__are_a_limit),
	};

	dir_conn_prepare_process();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
