/* SPDX-License-Identifier: Apache-2.0 */
/* The entry points with asynchronous completion. */
#include <os/clock.h>
#include <plugin/plugin.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <support/assertions.h>
#include <support/engine_fake.h>
#include <support/host_recorder.h>

#define SCRIPT                                                                                                         \
	"script:timeout 200\n"                                                                                         \
	"asynchronous\n"                                                                                               \
	"answer alice authorize member\n"                                                                              \
	"answer slow authorize member delay=100\n"                                                                     \
	"answer bob redirect site-elsewhere uri=https://emea.corp.example:5986/wsman\n"                                \
	"answer never authorize member never\n"                                                                        \
	"answer lost authorize member lost\n"                                                                          \
	"answer refuse authorize member refuse\n"
#define WAIT_MS 5000
#define MANY    2000

static void discard(void *context, enum wa_log_level level, const char *line)
{
	(void)context;
	(void)level;
	(void)line;
}

static const struct wa_log quiet = {WA_LOG_DEBUG, discard, NULL};

static PVOID start(const char *script)
{
	const struct plugin_options options = {.log = &quiet};
	struct error error;
	PVOID context = NULL;

	assert_status(plugin_start(script, &options, &context, &error), STATUS_OK, &error);
	return context;
}

static void entry_points__whatever_the_outcome__complete_once_and_never_inside_the_call(void **state)
{
	static const struct {
		const char *sender;
		DWORD flags, expected;
	} rows[] = {
	    {"alice", 0, 0},  {"slow", 0, 0}, {"bob", 0, 0x80338199}, {"mallory", 0, 5}, {"refuse", 0, 0x80338083},
	    {"alice", 1, 87}, {"", 0, 5},
	};
	PVOID context = start(SCRIPT);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct host_call call;

		host_call_init(&call, rows[i].sender);
		WSManPluginAuthzUser(context, &call.details, rows[i].flags);
		assert_row(rows[i].sender, host_call_wait(&call, WAIT_MS));
		assert_row(rows[i].sender, call.completions == 1 && !call.was_inside);
		assert_row(rows[i].sender, call.code == rows[i].expected);
		WSManPluginAuthzReleaseContext(call.user_context);
	}
	assert_int_equal(WSManPluginShutdown(context, 0, 3), 0);
}

static void entry_points__the_engine_does_not_answer__are_given_up_by_the_guard(void **state)
{
	static const char *const senders[] = {"never", "lost"};
	struct host_call calls[COUNT_OF(senders)];
	PVOID context = start(SCRIPT);
	uint64_t begin_ms = clock_monotonic_ms();

	(void)state;
	for (size_t i = 0; i < COUNT_OF(senders); i++) {
		host_call_init(&calls[i], senders[i]);
		WSManPluginAuthzQueryQuota(context, &calls[i].details, 0);
	}
	for (size_t i = 0; i < COUNT_OF(senders); i++) {
		assert_row(senders[i], host_call_wait(&calls[i], WAIT_MS));
		assert_row(senders[i], calls[i].code == 0x80338083 && !calls[i].has_quota);
	}
	assert_true(clock_monotonic_ms() - begin_ms >= 200 + PLUGIN_GRACE_MS);
	assert_int_equal(WSManPluginShutdown(context, 0, 3), 0);
	assert_int_equal(engine_fake_answer_lost(), 1);
	for (size_t i = 0; i < COUNT_OF(senders); i++)
		assert_int_equal(calls[i].completions, 1);
}

static void shutdown__calls_wait_in_the_engine__answers_each_before_it_returns(void **state)
{
	static const char *const senders[] = {"never", "slow", "lost", "alice"};
	struct host_call calls[COUNT_OF(senders)];
	PVOID context = start("script:timeout 60000\nasynchronous\n"
			      "answer never authorize member never\n"
			      "answer lost authorize member lost\n"
			      "answer slow authorize member delay=50000\n");
	uint64_t begin_ms = clock_monotonic_ms();

	(void)state;
	for (size_t i = 0; i < COUNT_OF(senders); i++) {
		host_call_init(&calls[i], senders[i]);
		WSManPluginAuthzOperation(context, &calls[i].details, 0, 0, NULL, NULL);
	}
	assert_int_equal(WSManPluginShutdown(context, 0, 3), 0);
	assert_true(clock_monotonic_ms() - begin_ms < WAIT_MS);
	for (size_t i = 0; i < COUNT_OF(senders); i++) {
		assert_row(senders[i], calls[i].completions == 1);
		assert_row(senders[i], calls[i].code == (i == 3 ? 5u : 0x80338083u));
	}
	assert_int_equal(engine_fake_answer_lost(), 1);
	assert_int_equal(calls[2].completions, 1);
}

static void stop_inside(void *context)
{
	assert_int_equal(WSManPluginShutdown(context, 0, 3), 87);
}

static void shutdown__from_inside_a_completion__is_refused_and_does_not_hang(void **state)
{
	PVOID context = start(SCRIPT);
	struct host_call call;

	(void)state;
	host_call_init(&call, "mallory");
	call.then = stop_inside;
	call.then_context = context;
	WSManPluginAuthzUser(context, &call.details, 0);
	assert_true(host_call_wait(&call, WAIT_MS));
	assert_int_equal(WSManPluginShutdown(context, 0, 3), 0);
	assert_int_equal(call.completions, 1);
}

static void ask_more(void *context)
{
	struct host_call *next = context;

	WSManPluginAuthzUser(next->then_context, &next->details, 0);
}

static void authz_user__the_host_calls_back_from_its_completion__is_served(void **state)
{
	PVOID context = start(SCRIPT);
	struct host_call first, second;

	(void)state;
	host_call_init(&second, "alice");
	second.then_context = context;
	host_call_init(&first, "alice");
	first.then = ask_more;
	first.then_context = &second;
	WSManPluginAuthzUser(context, &first.details, 0);
	assert_true(host_call_wait(&first, WAIT_MS));
	assert_true(host_call_wait(&second, WAIT_MS));
	assert_int_equal(WSManPluginShutdown(context, 0, 3), 0);
	assert_int_equal(first.completions, 1);
	assert_int_equal(second.completions, 1);
	WSManPluginAuthzReleaseContext(first.user_context);
	WSManPluginAuthzReleaseContext(second.user_context);
}

/* Only the pointer is the key: its content may go as soon as the entry point has returned. */
static void authz_user__the_details_are_wiped_after_the_call__is_answered_all_the_same(void **state)
{
	struct host_call *calls = calloc(MANY, sizeof(*calls));
	PVOID context = start(SCRIPT);

	(void)state;
	assert_non_null(calls);
	for (size_t i = 0; i < MANY; i++) {
		host_call_init(&calls[i], i % 2 == 0 ? "alice" : "mallory");
		WSManPluginAuthzUser(context, &calls[i].details, 0);
		memset(&calls[i].details, 0x5A, sizeof(calls[i].details));
		memset(calls[i].name, 0x5A, sizeof(calls[i].name));
	}
	for (size_t i = 0; i < MANY; i++)
		assert_true(host_call_wait(&calls[i], WAIT_MS));
	assert_int_equal(WSManPluginShutdown(context, 0, 3), 0);
	for (size_t i = 0; i < MANY; i++) {
		assert_int_equal(calls[i].completions, 1);
		assert_int_equal(calls[i].code, i % 2 == 0 ? 0 : 5);
		WSManPluginAuthzReleaseContext(calls[i].user_context);
	}
	free(calls);
}

static void plugin_start__asynchronous_by_option__does_not_ask_the_policy(void **state)
{
	const struct plugin_options options = {.log = &quiet, .asynchronous = true};
	struct host_call call;
	PVOID context = NULL;

	(void)state;
	assert_status(plugin_start("script:answer alice authorize member", &options, &context, NULL), STATUS_OK, NULL);
	host_call_init(&call, "alice");
	WSManPluginAuthzUser(context, &call.details, 0);
	assert_true(host_call_wait(&call, WAIT_MS));
	assert_false(call.was_inside);
	assert_int_equal(WSManPluginShutdown(context, 0, 3), 0);
	WSManPluginAuthzReleaseContext(call.user_context);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(entry_points__whatever_the_outcome__complete_once_and_never_inside_the_call),
	    cmocka_unit_test(entry_points__the_engine_does_not_answer__are_given_up_by_the_guard),
	    cmocka_unit_test(shutdown__calls_wait_in_the_engine__answers_each_before_it_returns),
	    cmocka_unit_test(shutdown__from_inside_a_completion__is_refused_and_does_not_hang),
	    cmocka_unit_test(authz_user__the_host_calls_back_from_its_completion__is_served),
	    cmocka_unit_test(authz_user__the_details_are_wiped_after_the_call__is_answered_all_the_same),
	    cmocka_unit_test(plugin_start__asynchronous_by_option__does_not_ask_the_policy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
