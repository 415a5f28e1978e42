/* SPDX-License-Identifier: Apache-2.0 */
/* Rows come out in the order of the list, whatever the order of the answers, and only whole. The engine is the test's own. */
#include "report_rig.h"

#include <authorizer/review.h>
#include <base/memory.h>
#include <cli/report_ask.h>
#include <os/clock.h>
#include <os/thread.h>
#include <stdatomic.h>
#include <support/memory_failing.h>

#define MAX_QUESTIONS (REPORT_SLOTS * 3)

struct question {
	char sender[64];
	review_fn *reviewed;
	void *context;
};

static struct question questions[MAX_QUESTIONS];
static atomic_size_t asked;

bool review_user(struct wa_engine *engine, const struct wa_question *question, review_fn *reviewed, void *context)
{
	struct question *to = &questions[atomic_load(&asked)];
	void *block = memory_new(1); /* the engine wants memory too */

	(void)engine;
	if (block == NULL)
		return false;
	memory_free(block);
	assert_true(atomic_load(&asked) < MAX_QUESTIONS);
	(void)snprintf(to->sender, sizeof(to->sender), "%.*s", (int)question->sender_length, question->sender);
	to->reviewed = reviewed;
	to->context = context;
	atomic_fetch_add(&asked, 1); /* one thread asks at a time */
	return true;
}

bool review_ground(struct wa_engine *engine, review_ground_fn *told, void *context)
{
	(void)engine;
	(void)told;
	(void)context;
	return false;
}

struct fixture {
	const struct config *config;
	struct report_ask *ask;
};

static int set_up(void **state)
{
	static struct fixture fixture;

	asked = 0;
	fixture.config = rig_policy();
	fixture.ask = report_ask_open(NULL, fixture.config, NULL);
	assert_non_null(fixture.ask);
	*state = &fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	report_ask_break(fixture->ask);
	report_ask_close(&fixture->ask);
	config_unref(&fixture->config);
	return 0;
}

static enum status list(const struct fixture *fixture, const char *name, const char *other)
{
	struct report_names names = {.count = other == NULL ? 1 : 2};
	struct arena *arena = arena_new(REPORT_MAX_ROW_BYTES);

	assert_non_null(arena);
	names.names[0] = (struct report_name){.sender = name, .length = strlen(name)};
	if (other != NULL)
		names.names[1] = (struct report_name){.sender = other, .length = strlen(other)};
	return report_ask_user(fixture->ask, arena, &names, "uid=x,dc=x");
}

static void answer(const struct fixture *fixture, size_t number, enum wa_verdict verdict, enum wa_reason reason)
{
	const struct wa_decision decision = {
	    .verdict = verdict, .reason = reason, .rule = "allow", .detail = "in words"};
	const struct review review = {.decision = &decision, .config = fixture->config, .site = POLICY_NO_SITE};

	assert_true(number < asked);
	questions[number].reviewed(questions[number].context, &review);
}

static void end(const struct fixture *fixture)
{
	const struct error fine = {.status = STATUS_OK};

	report_ask_end(fixture->ask, &fine);
}

/* The next row's sender, or NULL where there is none. */
static const char *next(const struct fixture *fixture, enum report_next *next_out)
{
	const struct report_row *row = NULL;
	struct error error;

	*next_out = report_ask_next(fixture->ask, &row, &error);
	return *next_out == REPORT_ROW ? row->sender : NULL;
}

static void assert_next(const struct fixture *fixture, const char *sender)
{
	enum report_next is;
	const char *got = next(fixture, &is);

	assert_int_equal(is, REPORT_ROW);
	assert_string_equal(got, sender);
	report_ask_taken(fixture->ask);
}

static void report_ask_next__answers_in_any_order__rows_in_that_of_the_list(void **state)
{
	const struct fixture *fixture = *state;
	enum report_next is;

	assert_int_equal(list(fixture, "a", NULL), STATUS_OK);
	assert_int_equal(list(fixture, "b", NULL), STATUS_OK);
	answer(fixture, 1, WA_AUTHORIZE, WA_REASON_MEMBER);
	(void)next(fixture, &is);
	assert_int_equal(is, REPORT_WAIT);
	answer(fixture, 0, WA_DENY, WA_REASON_NOT_A_MEMBER);
	assert_next(fixture, "a");
	assert_next(fixture, "b");
	end(fixture);
	(void)next(fixture, &is);
	assert_int_equal(is, REPORT_END);
}

static void report_ask_user__name_that_does_not_do__next_one_is_asked_for(void **state)
{
	const struct fixture *fixture = *state;

	assert_int_equal(list(fixture, "a b", "a@x"), STATUS_OK);
	answer(fixture, 0, WA_DENY, WA_REASON_BAD_SENDER_NAME);
	assert_int_equal(asked, 2);
	assert_string_equal(questions[1].sender, "a@x");
	answer(fixture, 1, WA_AUTHORIZE, WA_REASON_MEMBER);
	assert_next(fixture, "a@x");
}

static void report_ask_user__no_name_does__first_refusal_is_told(void **state)
{
	const struct fixture *fixture = *state;
	const struct report_row *row = NULL;
	struct error error;

	assert_int_equal(list(fixture, "a", "b"), STATUS_OK);
	answer(fixture, 0, WA_DENY, WA_REASON_AMBIGUOUS_USER);
	answer(fixture, 1, WA_DENY, WA_REASON_NO_SUCH_USER);
	assert_int_equal(report_ask_next(fixture->ask, &row, &error), REPORT_ROW);
	assert_string_equal(row->sender, "a");
	assert_int_equal(row->reason, WA_REASON_AMBIGUOUS_USER);
	report_ask_taken(fixture->ask);
}

static void report_ask_user__no_name_at_all__is_a_row_without_a_question(void **state)
{
	const struct report_names none = {.count = 0};
	const struct fixture *fixture = *state;
	struct arena *arena = arena_new(REPORT_MAX_ROW_BYTES);

	assert_int_equal(report_ask_user(fixture->ask, arena, &none, "cn=x,dc=x"), STATUS_OK);
	assert_int_equal(asked, 0);
	assert_next(fixture, "");
}

static void report_ask_next__no_server_for_a_moment__asks_again(void **state)
{
	const struct fixture *fixture = *state;
	const uint64_t until_ms = clock_monotonic_ms() + 30000;
	enum report_next is = REPORT_WAIT;

	assert_int_equal(list(fixture, "a", NULL), STATUS_OK);
	answer(fixture, 0, WA_ERROR, WA_REASON_DIRECTORY_UNAVAILABLE);
	while (asked < 2 && clock_monotonic_ms() < until_ms)
		(void)next(fixture, &is);
	assert_int_equal(asked, 2);
	answer(fixture, 1, WA_AUTHORIZE, WA_REASON_MEMBER);
	assert_next(fixture, "a");
}

static void report_ask_next__no_server_at_all__is_broken(void **state)
{
	const struct fixture *fixture = *state;
	const uint64_t until_ms = clock_monotonic_ms() + 60000;
	const struct report_row *row = NULL;
	enum report_next is = REPORT_WAIT;
	struct error error;

	assert_int_equal(list(fixture, "a", NULL), STATUS_OK);
	for (size_t i = 0; i < REPORT_TRIES; i++) {
		while (asked <= i && clock_monotonic_ms() < until_ms)
			(void)next(fixture, &is);
		answer(fixture, i, WA_ERROR, WA_REASON_DEADLINE_EXCEEDED);
	}
	assert_int_equal(report_ask_next(fixture->ask, &row, &error), REPORT_BROKEN);
	assert_non_null(strstr(error.what, "'uid=x,dc=x': deadline-exceeded: in words"));
	assert_int_equal(list(fixture, "b", NULL), STATUS_CANCELLED);
}

static void report_ask_next__error_that_stays__is_a_row(void **state)
{
	const struct fixture *fixture = *state;

	assert_int_equal(list(fixture, "a", NULL), STATUS_OK);
	answer(fixture, 0, WA_ERROR, WA_REASON_INCOMPLETE_DATA);
	assert_next(fixture, "a");
}

static void report_ask_next__another_policy__is_broken(void **state)
{
	const struct fixture *fixture = *state;
	const struct wa_decision decision = {.verdict = WA_AUTHORIZE, .reason = WA_REASON_MEMBER};
	const struct review review = {.decision = &decision, .config = NULL};
	const struct report_row *row = NULL;
	struct error error;

	assert_int_equal(list(fixture, "a", NULL), STATUS_OK);
	questions[0].reviewed(questions[0].context, &review);
	assert_int_equal(report_ask_next(fixture->ask, &row, &error), REPORT_BROKEN);
	assert_non_null(strstr(error.what, "the policy was changed"));
}

static void report_ask_next__list_breaks_off__is_broken_also_behind_rows(void **state)
{
	const struct fixture *fixture = *state;
	const struct report_row *row = NULL;
	struct error error;

	assert_int_equal(list(fixture, "a", NULL), STATUS_OK);
	answer(fixture, 0, WA_AUTHORIZE, WA_REASON_MEMBER);
	(void)error_set(&error, STATUS_LIMIT, "size limit exceeded");
	report_ask_end(fixture->ask, &error);
	assert_int_equal(report_ask_next(fixture->ask, &row, &error), REPORT_BROKEN);
	assert_int_equal(error.status, STATUS_LIMIT);
}

/* More than there is room for: the list's thread waits, and goes on. */

struct lister {
	const struct fixture *fixture;
	size_t count;
	enum status status;
};

static void list_many(void *context)
{
	struct lister *lister = context;

	for (size_t i = 0; i < lister->count && lister->status == STATUS_OK; i++)
		lister->status = list(lister->fixture, "a", NULL);
	end(lister->fixture);
}

static void answer_all_until_now(const struct fixture *fixture, size_t *answered)
{
	for (; *answered < asked; (*answered)++)
		answer(fixture, *answered, WA_AUTHORIZE, WA_REASON_MEMBER);
}

static void report_ask_user__more_than_fit__all_come(void **state)
{
	const struct fixture *fixture = *state;
	struct lister lister = {.fixture = fixture, .count = REPORT_SLOTS * 2 + 3};
	struct thread thread = {.started = false};
	struct error error;
	size_t answered = 0, rows = 0;

	/* Nobody answers while it lists: it must stop by itself at the number of slots. */
	assert_int_equal(thread_start(&thread, "lister", list_many, &lister, &error), STATUS_OK);
	for (;;) {
		enum report_next is;

		(void)next(fixture, &is);
		if (is == REPORT_END)
			break;
		assert_int_not_equal(is, REPORT_BROKEN);
		if (is == REPORT_ROW) {
			report_ask_taken(fixture->ask);
			rows++;
		} else { /* a moment has passed, and it has stopped asking */
			answer_all_until_now(fixture, &answered);
		}
	}
	thread_join(&thread);
	assert_int_equal(lister.status, STATUS_OK);
	assert_int_equal(rows, lister.count);
}

static void report_ask_break__list_waits_for_room__is_let_go(void **state)
{
	const struct fixture *fixture = *state;
	struct lister lister = {.fixture = fixture, .count = REPORT_SLOTS + 1};
	struct thread thread = {.started = false};
	struct error error;

	assert_int_equal(thread_start(&thread, "lister", list_many, &lister, &error), STATUS_OK);
	report_ask_break(fixture->ask);
	thread_join(&thread);
	assert_int_equal(lister.status, STATUS_CANCELLED);
}

static void report_ask_user__nth_allocation_fails__breaks_or_is_a_row(void **state)
{
	struct fixture *fixture = *state;
	bool is_over = false;

	for (size_t nth = 1; !is_over; nth++) {
		struct report_ask *ask = report_ask_open(NULL, fixture->config, NULL);
		const struct fixture own = {fixture->config, ask};
		const struct report_names names = {.names = {{.sender = "a", .length = 1}}, .count = 1};
		struct arena *arena = arena_new(REPORT_MAX_ROW_BYTES);
		enum report_next is = REPORT_BROKEN;
		enum status status;

		asked = 0;
		memory_fail_at(nth);
		status = report_ask_user(ask, arena, &names, "uid=x,dc=x");
		if (asked > 0)
			answer(&own, 0, WA_AUTHORIZE, WA_REASON_MEMBER);
		is_over = memory_fail_count() < nth;
		memory_fail_at(0);
		if (status == STATUS_OK)
			(void)next(&own, &is);
		assert_true(is == REPORT_ROW || is == REPORT_BROKEN);
		assert_true(!is_over || is == REPORT_ROW);
		report_ask_break(ask);
		report_ask_close(&ask);
	}
}

#define ASKED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    ASKED(report_ask_next__answers_in_any_order__rows_in_that_of_the_list),
	    ASKED(report_ask_user__name_that_does_not_do__next_one_is_asked_for),
	    ASKED(report_ask_user__no_name_does__first_refusal_is_told),
	    ASKED(report_ask_user__no_name_at_all__is_a_row_without_a_question),
	    ASKED(report_ask_next__no_server_for_a_moment__asks_again),
	    ASKED(report_ask_next__no_server_at_all__is_broken),
	    ASKED(report_ask_next__error_that_stays__is_a_row),
	    ASKED(report_ask_next__another_policy__is_broken),
	    ASKED(report_ask_next__list_breaks_off__is_broken_also_behind_rows),
	    ASKED(report_ask_user__more_than_fit__all_come),
	    ASKED(report_ask_break__list_waits_for_room__is_let_go),
	    ASKED(report_ask_user__nth_allocation_fails__breaks_or_is_a_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
