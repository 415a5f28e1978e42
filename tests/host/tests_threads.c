/* SPDX-License-Identifier: Apache-2.0 */
/* Many threads of the host in the plug-in at once. */
#include <host/host.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

enum { THREADS = 12, ROUNDS = 200 };

struct worker {
	pthread_t thread;
	const struct scenario *scenario;
	const struct plugin_file *file;
	PVOID context;
	size_t number;
	PVOID kept[ROUNDS]; /* contexts that outlive Shutdown */
	struct call call;
};

static void *work(void *argument)
{
	struct worker *worker = argument;
	const struct scenario *scenario = worker->scenario;

	for (size_t i = 0; i < ROUNDS; i++) {
		const struct expectation *expected =
		    &scenario->expected[(worker->number + i) % scenario->expected_count];
		enum call_kind kind = (enum call_kind)((worker->number + i) % CALL_KINDS);
		struct call call;

		call_init(&call, expected->sender);
		call_make(worker->file, worker->context, kind, &call, 0);
		call_wait(&call);
		call_verify(&call, kind, scenario->is_asynchronous);
		expect(call.code == (kind == CALL_USER ? expected->user_code : expected->operation_code));
		worker->kept[i] = call.user_context;
	}
	return NULL;
}

static void start_workers(struct worker *workers, const struct scenario *scenario, const struct plugin_file *file,
			  PVOID context, void *(*run)(void *argument))
{
	for (size_t i = 0; i < THREADS; i++) {
		workers[i].scenario = scenario;
		workers[i].file = file;
		workers[i].context = context;
		workers[i].number = i;
		expect(pthread_create(&workers[i].thread, NULL, run, &workers[i]) == 0);
	}
}

void test_threads(const struct scenario *scenario)
{
	static struct worker workers[THREADS];
	struct plugin_file file;
	PVOID context = NULL;
	size_t threads;

	host_load(scenario, &file);
	threads = host_threads();
	expect(host_start(&file, scenario->policy, &context) == 0);
	start_workers(workers, scenario, &file, context, work);
	for (size_t i = 0; i < THREADS; i++)
		expect(pthread_join(workers[i].thread, NULL) == 0);
	expect(file.shutdown(context, 0, 3) == 0);
	for (size_t i = 0; i < THREADS; i++)
		for (size_t j = 0; j < ROUNDS; j++)
			file.release_context(workers[i].kept[j]);
	host_expect_quiet(threads);
	expect(host_completions() == (size_t)THREADS * ROUNDS);
}

static atomic_size_t entered;

static void *wait_inside(void *argument)
{
	struct worker *worker = argument;

	call_init(&worker->call, worker->scenario->expected[0].sender);
	atomic_fetch_add(&entered, 1);
	call_make(worker->file, worker->context, CALL_USER, &worker->call, 0);
	return NULL;
}

/* Calls that nobody answers yet wait on other threads: Shutdown answers each, soon, and ends. */
void test_shutdown_running(const struct scenario *scenario)
{
	static struct worker workers[THREADS];
	struct plugin_file file;
	PVOID context = NULL;
	uint64_t begin_ms;
	size_t threads;

	host_load(scenario, &file);
	threads = host_threads();
	expect(host_start(&file, scenario->policy, &context) == 0);
	start_workers(workers, scenario, &file, context, wait_inside);
	while (atomic_load(&entered) < THREADS)
		host_sleep_ms(1);
	host_sleep_ms(50);
	begin_ms = host_now_ms();
	expect(file.shutdown(context, 0, 3) == 0);
	/* The policy of this test would wait for a minute. */
	expect(host_now_ms() - begin_ms < 10000);
	for (size_t i = 0; i < THREADS; i++) {
		expect(pthread_join(workers[i].thread, NULL) == 0);
		call_verify(&workers[i].call, CALL_USER, scenario->is_asynchronous);
		expect(workers[i].call.code == WSMAUTHZ_PLUGIN_FAILED);
	}
	host_expect_quiet(threads);
}
