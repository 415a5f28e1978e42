/* SPDX-License-Identifier: Apache-2.0 */
#include <base/memory.h>
#include <cli/bench_load.h>
#include <cli/bench_warm_private.h>
#include <cli/machine.h>
#include <cli/sender_units.h>
#include <os/clock.h>

#define NS_PER_MS UINT64_C(1000000)
/* What an entry point may take where no engine is at hand to say its time-out: a policy's largest, and the plug-in's grace. */
#define ENTRY_POINT_MS 61000

static enum status fill_probe(struct warm *warm, struct error *error)
{
	for (size_t i = 0; i < warm->subject.set_count; i++)
		if (!digest_map_put(&warm->probe, warm_digest(warm->subject.senders, warm->subject.set[i]),
				    (uint32_t)i))
			return error_no_memory(error);
	return STATUS_OK;
}

enum status warm_open(const struct warm_subject *subject, struct warm **warm_out, struct error *error)
{
	struct warm *warm = memory_new(sizeof(*warm));
	enum status status;

	if (warm == NULL)
		return error_no_memory(error);
	warm->subject = *subject;
	digest_map_init(&warm->probe);
	atomic_init(&warm->cursor, 0);
	mutex_init(&warm->lock);
	condition_init(&warm->ended);
	warm->mechanism = sender_units_of(LOAD_MECHANISM);
	warm->url = sender_units_of(LOAD_URL);
	status = warm->mechanism != NULL && warm->url != NULL ? fill_probe(warm, error) : error_no_memory(error);
	if (status != STATUS_OK)
		warm_close(&warm);
	else
		*warm_out = warm;
	return status;
}

static void free_thread(struct warm_thread *thread)
{
	condition_done(&thread->answered);
	mutex_done(&thread->lock);
	memory_free(thread);
}

void warm_close(struct warm **reference)
{
	struct warm *warm = *reference;
	struct warm_thread *next;

	*reference = NULL;
	if (warm == NULL)
		return;
	for (struct warm_thread *thread = warm->threads; thread != NULL; thread = next) {
		next = thread->next;
		free_thread(thread);
	}
	memory_free(warm->mechanism);
	memory_free(warm->url);
	digest_map_done(&warm->probe);
	condition_done(&warm->ended);
	mutex_done(&warm->lock);
	memory_free(warm);
}

/* xorshift64*: Marsaglia, "Xorshift RNGs" (2003); Vigna's multiplier. The high bits scaled to the set. */
static size_t pick(struct warm_thread *thread)
{
	const struct warm_subject *subject = &thread->warm->subject;
	uint64_t state = thread->random;

	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	thread->random = state;
	return subject->set[((state * UINT64_C(0x2545F4914F6CDD1D)) >> 32) * (uint64_t)subject->set_count >> 32];
}

static void ask_all(struct warm_thread *thread)
{
	struct warm *warm = thread->warm;
	size_t number;

	while (!thread->is_stuck && machine_ns() < warm->end_ns) {
		number = atomic_fetch_add_explicit(&warm->cursor, 1, memory_order_relaxed);
		if (number >= warm->subject.set_count)
			return;
		warm_ask(thread, warm->subject.set[number]);
	}
}

/* Until a look at the clock is due. */
static void ask_some(struct warm_thread *thread)
{
	thread->has_waited = false;
	for (unsigned i = 1; i < WARM_SAMPLE && !thread->has_waited; i++)
		warm_ask(thread, pick(thread));
}

static void ask_on(struct warm_thread *thread)
{
	uint64_t end_ns = thread->warm->end_ns, before_ns = machine_ns(), after_ns;

	while (!thread->is_stuck && before_ns < end_ns) {
		size_t sender = pick(thread);

		before_ns = machine_ns();
		warm_ask(thread, sender);
		after_ns = machine_ns();
		histogram_add(&thread->result.latency, after_ns - before_ns);
		if (!thread->is_stuck && after_ns < end_ns)
			ask_some(thread);
		before_ns = machine_ns();
	}
}

static void run_thread(void *context)
{
	struct warm_thread *thread = context;
	struct warm *warm = thread->warm;

	if (warm->plan.once)
		ask_all(thread);
	else
		ask_on(thread);
	mutex_lock(&warm->lock);
	warm->running--;
	warm->is_stuck = warm->is_stuck || thread->is_stuck;
	condition_signal(&warm->ended);
	mutex_unlock(&warm->lock);
}

static enum status start_thread(struct warm *warm, unsigned number, struct error *error)
{
	struct warm_thread *thread = memory_new(sizeof(*thread));
	enum status status;

	if (thread == NULL)
		return error_no_memory(error);
	thread->warm = warm;
	thread->random = UINT64_C(0x9E3779B97F4A7C15) * (number + 1);
	atomic_init(&thread->is_answered, false);
	atomic_init(&thread->is_waiting, false);
	mutex_init(&thread->lock);
	condition_init(&thread->answered);
	thread->next = warm->threads;
	warm->threads = thread;
	mutex_lock(&warm->lock);
	warm->running++;
	mutex_unlock(&warm->lock);
	status = thread_start(&thread->thread, "wsmauthz-bench", run_thread, thread, error);
	if (status != STATUS_OK) {
		mutex_lock(&warm->lock);
		warm->running--;
		mutex_unlock(&warm->lock);
	}
	return status;
}

static void wait_for_threads(struct warm *warm, const struct progress *progress)
{
	mutex_lock(&warm->lock);
	while (warm->running > 0) {
		(void)condition_wait_until(&warm->ended, &warm->lock, clock_monotonic_ms() + PROGRESS_STEP_MS);
		mutex_unlock(&warm->lock);
		progress_show(progress);
		mutex_lock(&warm->lock);
	}
	mutex_unlock(&warm->lock);
}

static void add_result(struct warm_result *to, const struct warm_result *from)
{
	histogram_merge(&to->latency, &from->latency);
	to->calls += from->calls;
	to->authorized += from->authorized;
	to->denied += from->denied;
	to->failed += from->failed;
	to->missed += from->missed;
}

static void collect(struct warm *warm, struct warm_result *result)
{
	for (struct warm_thread *thread = warm->threads; thread != NULL && !thread->is_counted; thread = thread->next) {
		thread_join(&thread->thread);
		thread->is_counted = true;
		if (!thread->is_stuck)
			add_result(result, &thread->result);
	}
}

enum status warm_run(struct warm *warm, const struct warm_plan *plan, const struct progress *progress,
		     struct warm_result *result, struct error *error)
{
	uint64_t begin_ns = machine_ns(), timeout_ms = ENTRY_POINT_MS;
	enum status status = STATUS_OK;

	if (warm->subject.engine != NULL)
		timeout_ms = wa_engine_timeout_ms(warm->subject.engine);
	warm->plan = *plan;
	atomic_store(&warm->cursor, 0);
	warm->end_ns = begin_ns + plan->duration_ms * NS_PER_MS;
	warm->patience_ms = timeout_ms + LOAD_GRACE_MS;
	for (unsigned i = 0; i < plan->threads && status == STATUS_OK; i++)
		status = start_thread(warm, i, error);
	wait_for_threads(warm, progress);
	collect(warm, result);
	result->elapsed_ns += machine_ns() - begin_ns;
	if (status == STATUS_OK && warm->is_stuck)
		return error_set(error, STATUS_TIMEOUT, "a question was not answered %u ms after the policy's timeout",
				 (unsigned)LOAD_GRACE_MS);
	return status;
}
