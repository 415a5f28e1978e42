/* SPDX-License-Identifier: Apache-2.0 */
/* Shutdown while other threads are in the entry points. */
#include <os/clock.h>
#include <os/thread.h>
#include <plugin/plugin.h>
#include <plugin/plugin_context.h>
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

/* Once the first has ended the plug-in, a second call of Shutdown would be the host's mistake. */
static void wait_for_second_stopper(struct plugin *plugin)
{
	size_t stoppers = 0;

	while (stoppers == 0) {
		mutex_lock(&plugin->lock);
		stoppers = plugin->stoppers;
		mutex_unlock(&plugin->lock);
	}
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
	wait_for_second_stopper(context);
	atomic_store(&go_on, true);
	for (size_t i = 0; i < 2; i++) {
		thread_join(&stoppers[i].thread);
		assert_int_equal(stoppers[i].result, 0);
	}
	thread_join(&held.thread);
	assert_int_equal(held.call.completions, 1);
}

/* Threads that call, by the short way and by the long one, until one of their calls is refused. */
struct storm {
	PVOID context;
	atomic_bool go_on; /* the held call may end: all have been refused */
	atomic_size_t calls, refused, wrong, engines_at_the_end;
};

#define CODE_REFUSED 0x80338083

static void call_until_refused(void *context)
{
	static const struct {
		const char *sender;
		DWORD expected;
	} rows[] = {{"quick", 0}, {"alice", 5}, {"quick", 0}, {"slow", 0}};
	struct storm *storm = context;
	struct host_call call = {.code = 0};

	for (size_t i = 0; call.code != CODE_REFUSED; i++) {
		const size_t row = i % COUNT_OF(rows);

		host_call_init(&call, rows[row].sender);
		WSManPluginAuthzOperation(storm->context, &call.details, 0, 1, NULL, NULL);
		if (call.completions != 1 || !call.was_inside ||
		    (call.code != rows[row].expected && call.code != CODE_REFUSED))
			atomic_fetch_add(&storm->wrong, 1);
		atomic_fetch_add(&storm->calls, 1);
	}
	/* Until the held call goes on, Shutdown cannot end, and the plug-in cannot be gone. */
	if (atomic_fetch_add(&storm->refused, 1) + 1 < THREADS)
		return;
	/* Time for a Shutdown that would go too far. */
	thread_pause(50);
	atomic_store(&storm->engines_at_the_end, engine_fake_open());
	atomic_store(&storm->go_on, true);
}

static void shut_down_in_a_storm(const char *held_sender, size_t expected_engines)
{
	struct storm storm = {.context = start("script:answer quick authorize member instant\n"
					       "answer slow authorize member delay=1\n"
					       "answer alice deny not-a-member\n")};
	struct caller held = {.context = storm.context};
	struct thread threads[THREADS] = {{.started = false}};

	host_call_init(&held.call, held_sender);
	held.call.then = hold;
	held.call.then_context = &storm.go_on;
	assert_status(thread_start(&held.thread, "held", call_and_hold, &held, NULL), STATUS_OK, NULL);
	assert_true(host_call_wait(&held.call, 5000));
	for (size_t i = 0; i < THREADS; i++)
		assert_status(thread_start(&threads[i], "storm", call_until_refused, &storm, NULL), STATUS_OK, NULL);
	while (atomic_load(&storm.calls) < 50 * (size_t)THREADS)
		thread_pause(0);
	assert_int_equal(WSManPluginShutdown(storm.context, 0, 3), 0);
	/* It has returned: nobody is inside any more. */
	assert_int_equal(atomic_load(&storm.refused), THREADS);
	assert_int_equal(held.call.completions, 1);
	for (size_t i = 0; i < THREADS; i++)
		thread_join(&threads[i]);
	thread_join(&held.thread);
	assert_int_equal(atomic_load(&storm.wrong), 0);
	assert_int_equal(engine_fake_open(), 0);
	if (expected_engines > 0)
		assert_int_equal(atomic_load(&storm.engines_at_the_end), expected_engines);
}

/* Shutdown gets as far as the gate: while somebody is told what the cache had, the engine stays. */
static void shutdown__calls_on_many_threads_and_one_is_told_by_the_cache__answers_each_and_outlives_them(void **state)
{
	(void)state;
	shut_down_in_a_storm("quick", 1);
}

/* Shutdown closes the engine and waits for the counted calls, those that it refused among them. */
static void shutdown__calls_on_many_threads_and_one_is_told_by_the_engine__answers_each_and_outlives_them(void **state)
{
	(void)state;
	shut_down_in_a_storm("alice", 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(shutdown__calls_wait_on_other_threads__answers_each_and_returns_soon),
	    cmocka_unit_test(shutdown__the_engine_loses_a_question__waits_for_the_caller_who_gives_it_up),
	    cmocka_unit_test(shutdown__a_second_one_while_the_first_waits__waits_with_it),
	    cmocka_unit_test(
		shutdown__calls_on_many_threads_and_one_is_told_by_the_cache__answers_each_and_outlives_them),
	    cmocka_unit_test(
		shutdown__calls_on_many_threads_and_one_is_told_by_the_engine__answers_each_and_outlives_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
