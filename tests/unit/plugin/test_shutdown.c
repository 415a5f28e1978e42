/* SPDX-License-Identifier: Apache-2.0 */
/* Shutdown while other threads are in the entry points. */
#include <os/clock.h>
#include <os/thread.h>
#include <plugin/plugin.h>
#include <stdatomic.h>
#include <support/assertions.h>
#include <support/engine_fake.h>
#include <support/host_recorder.h>

#define THREADS 8

static void discard(void *context, enum wa_log_level level, const char *line)
{
	(void)context;
	(void)level;
	(void)line;
}

static const struct wa_log quiet = {WA_LOG_ERROR, discard, NULL};

struct caller {
	struct thread thread;
	PVOID context;
	struct host_call call;
	const char *sender;
	DWORD result;
};

static PVOID start(const char *script)
{
	const struct plugin_options options = {.log = &quiet};
	PVOID context = NULL;

	assert_status(plugin_start(script, &options, &context, NULL), STATUS_OK, NULL);
	return context;
}

static void call_user(void *context)
{
	struct caller *caller = context;

	host_call_init(&caller->call, caller->sender);
	WSManPluginAuthzUser(caller->context, &caller->call.details, 0);
	WSManPluginAuthzReleaseContext(caller->call.user_context);
}

static void call_shutdown(void *context)
{
	struct caller *caller = context;

	caller->result = WSManPluginShutdown(caller->context, 0, 3);
}

static void start_callers(struct caller *callers, size_t count, PVOID context, const char *sender)
{
	size_t before = engine_fake_asked();

	for (size_t i = 0; i < count; i++) {
		callers[i].context = context;
		callers[i].sender = sender;
		assert_status(thread_start(&callers[i].thread, "caller", call_user, &callers[i], NULL), STATUS_OK,
			      NULL);
	}
	/* A host calls nothing that races with Shutdown's beginning: wait until all are inside. */
	while (engine_fake_asked() < before + count)
		continue;
}

static void shutdown__calls_wait_on_other_threads__answers_each_and_returns_soon(void **state)
{
	struct caller callers[THREADS] = {{.result = 0}};
	PVOID context = start("script:timeout 60000\nanswer never authorize member never\n");
	uint64_t begin_ms = clock_monotonic_ms();

	(void)state;
	start_callers(callers, THREADS, context, "never");
	assert_int_equal(WSManPluginShutdown(context, 0, 3), 0);
	/* When it returns, each has had its completion. */
	for (size_t i = 0; i < THREADS; i++) {
		assert_int_equal(callers[i].call.completions, 1);
		assert_int_equal(callers[i].call.code, 0x80338083);
	}
	assert_true(clock_monotonic_ms() - begin_ms < 5000);
	for (size_t i = 0; i < THREADS; i++)
		thread_join(&callers[i].thread);
	assert_int_equal(engine_fake_open(), 0);
}

static void shutdown__the_engine_loses_a_question__waits_for_the_caller_who_gives_it_up(void **state)
{
	struct caller caller = {.result = 0};
	PVOID context = start("script:timeout 100\nanswer lost authorize member lost\n");

	(void)state;
	start_callers(&caller, 1, context, "lost");
	assert_int_equal(WSManPluginShutdown(context, 0, 3), 0);
	assert_int_equal(caller.call.completions, 1);
	assert_int_equal(caller.call.code, 0x80338083);
	thread_join(&caller.thread);
	assert_int_equal(engine_fake_answer_lost(), 1);
	assert_int_equal(caller.call.completions, 1);
}

/* The completion of a call waits until the test lets it go on, so that a Shutdown is surely still under way. */
static void hold(void *context)
{
	atomic_bool *go_on = context;

	while (!atomic_load(go_on))
		continue;
}

static void call_and_hold(void *context)
{
	struct caller *caller = context;

	WSManPluginAuthzUser(caller->context, &caller->call.details, 0);
}

static void shutdown__a_second_one_while_the_first_waits__waits_with_it(void **state)
{
	atomic_bool go_on = false;
	PVOID context = start("script:answer alice deny not-a-member\n");
	struct caller held = {.context = context},
		      stoppers[2] = {{.context = context, .result = 99}, {.context = context, .result = 99}};
	struct host_call late;

	(void)state;
	host_call_init(&held.call, "alice");
	held.call.then = hold;
	held.call.then_context = &go_on;
	assert_status(thread_start(&held.thread, "held", call_and_hold, &held, NULL), STATUS_OK, NULL);
	assert_true(host_call_wait(&held.call, 5000));
	for (size_t i = 0; i < 2; i++)
		assert_status(thread_start(&stoppers[i].thread, "stopper", call_shutdown, &stoppers[i], NULL),
			      STATUS_OK, NULL);
	/* Shutdown has begun when the engine is closed; what comes then is answered, with an error. */
	while (engine_fake_open() > 0)
		continue;
	host_call_init(&late, "alice");
	WSManPluginAuthzUser(context, &late.details, 0);
	assert_int_equal(late.completions, 1);
	assert_int_equal(late.code, 0x80338083);
	atomic_store(&go_on, true);
	for (size_t i = 0; i < 2; i++) {
		thread_join(&stoppers[i].thread);
		assert_int_equal(stoppers[i].result, 0);
	}
	thread_join(&held.thread);
	assert_int_equal(held.call.completions, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(shutdown__calls_wait_on_other_threads__answers_each_and_returns_soon),
	    cmocka_unit_test(shutdown__the_engine_loses_a_question__waits_for_the_caller_who_gives_it_up),
	    cmocka_unit_test(shutdown__a_second_one_while_the_first_waits__waits_with_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
