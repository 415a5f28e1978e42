/* SPDX-License-Identifier: Apache-2.0 */
#include <base/memory.h>
#include <cli/host_records.h>
#include <string.h>
#include <support/assertions.h>
#include <support/memory_failing.h>

#define IDLE_MS    100
#define REFRESH_MS 250

static struct host_records records;
static char contexts[3];
static const struct host_sender alice = {.name = "alice", .mechanism = "Basic"};

static int set_up(void **state)
{
	(void)state;
	host_records_init(&records, IDLE_MS, REFRESH_MS);
	return 0;
}

static int tear_down(void **state)
{
	char *name = NULL;
	PVOID context = NULL;

	(void)state;
	while (host_records_take_any(&records, &name, &context))
		memory_free(name);
	host_records_done(&records);
	return 0;
}

/* What keeping gives back of the record before. */
static PVOID keep(const struct host_sender *sender, PVOID context, uint64_t now_ms)
{
	struct host_answer answer;
	PVOID old = NULL;

	memset(&answer, 0, sizeof(answer));
	answer.user_context = context;
	answer.administrator = true;
	assert_status(host_records_keep(&records, sender, &answer, now_ms, &old, NULL), STATUS_OK, NULL);
	return old;
}

static void host_records_use__a_living_record__is_there_until_its_idle_time_is_over(void **state)
{
	struct host_record_facts facts;

	(void)state;
	keep(&alice, &contexts[0], 1000);
	assert_true(host_records_use(&records, &alice, 1000 + IDLE_MS - 1, &facts));
	assert_true(facts.administrator);
	assert_false(facts.is_old);
	/* Use keeps it alive. */
	assert_true(host_records_use(&records, &alice, 1000 + 2 * IDLE_MS - 2, &facts));
	assert_false(host_records_use(&records, &alice, 1000 + 3 * IDLE_MS - 2, &facts));
}

static void host_records_use__a_record_in_use_for_long__is_due_to_be_refreshed(void **state)
{
	struct host_record_facts facts;

	(void)state;
	keep(&alice, &contexts[0], 1000);
	for (uint64_t at_ms = 1050; at_ms < 1000 + REFRESH_MS; at_ms += 50)
		assert_true(host_records_use(&records, &alice, at_ms, &facts) && !facts.is_old);
	assert_true(host_records_use(&records, &alice, 1000 + REFRESH_MS, &facts) && facts.is_old);
}

static void host_records_use__another_mechanism_or_spelling__is_another_user(void **state)
{
	const struct host_sender kerberos = {.name = "alice", .mechanism = "Kerberos"};
	const struct host_sender upper = {.name = "Alice", .mechanism = "Basic"};
	struct host_record_facts facts;

	(void)state;
	keep(&alice, &contexts[0], 1000);
	assert_false(host_records_use(&records, &kerberos, 1000, &facts));
	assert_false(host_records_use(&records, &upper, 1000, &facts));
}

static void host_records_keep__a_user_who_has_one__gives_the_old_context_back(void **state)
{
	PVOID context = NULL;

	(void)state;
	assert_null(keep(&alice, &contexts[0], 1000));
	assert_ptr_equal(keep(&alice, &contexts[1], 1001), &contexts[0]);
	assert_true(host_records_drop(&records, &alice, &context));
	assert_ptr_equal(context, &contexts[1]);
	assert_false(host_records_drop(&records, &alice, &context));
}

static void host_records_take_expired__gives_those_alone_whose_time_is_over(void **state)
{
	const struct host_sender bob = {.name = "bob", .mechanism = "Basic"};
	char *name = NULL;
	PVOID context = NULL;

	(void)state;
	keep(&alice, &contexts[0], 1000);
	keep(&bob, &contexts[1], 1050);
	assert_false(host_records_take_expired(&records, 1000 + IDLE_MS - 1, &name, &context));
	assert_true(host_records_take_expired(&records, 1000 + IDLE_MS, &name, &context));
	assert_string_equal(name, "alice");
	assert_ptr_equal(context, &contexts[0]);
	memory_free(name);
	assert_false(host_records_take_expired(&records, 1000 + IDLE_MS, &name, &context));
}

static void host_records_keep__no_memory__keeps_what_was(void **state)
{
	struct host_answer answer;
	struct error error = {.status = STATUS_OK};
	PVOID old = &contexts[2], context = NULL;

	(void)state;
	memset(&answer, 0, sizeof(answer));
	keep(&alice, &contexts[0], 1000);
	for (size_t n = 1; n <= 3; n++) {
		memory_fail_at(n);
		assert_status(host_records_keep(&records, &alice, &answer, 1001, &old, &error), STATUS_NO_MEMORY,
			      &error);
		memory_fail_at(0);
		assert_ptr_equal(old, &contexts[2]);
	}
	assert_true(host_records_drop(&records, &alice, &context));
	assert_ptr_equal(context, &contexts[0]);
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    test(host_records_use__a_living_record__is_there_until_its_idle_time_is_over),
	    test(host_records_use__a_record_in_use_for_long__is_due_to_be_refreshed),
	    test(host_records_use__another_mechanism_or_spelling__is_another_user),
	    test(host_records_keep__a_user_who_has_one__gives_the_old_context_back),
	    test(host_records_take_expired__gives_those_alone_whose_time_is_over),
	    test(host_records_keep__no_memory__keeps_what_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
