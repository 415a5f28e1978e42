/* SPDX-License-Identifier: Apache-2.0 */
#include <cli/bench_load.h>
#include <cli/bench_warm_private.h>
#include <os/clock.h>
#include <stddef.h>
#include <string.h>

_Static_assert(offsetof(struct warm_thread, completion) == 0, "the key leads back to the thread");

/* WinRM's token of a user. Nothing looks into it; it is given back with a success. */
static char some_token;

static void count(struct warm_result *result, enum wa_verdict verdict)
{
	switch (verdict) {
	case WA_AUTHORIZE:
		result->authorized++;
		break;
	case WA_DENY:
	case WA_REDIRECT:
		result->denied++;
		break;
	case WA_ERROR:
		result->failed++;
		break;
	}
}

/* The last thing that whoever answers does with the thread, unless it waits. */
static void tell(struct warm_thread *thread)
{
	atomic_store(&thread->is_answered, true);
	if (!atomic_load(&thread->is_waiting))
		return;
	mutex_lock(&thread->lock);
	condition_signal(&thread->answered);
	mutex_unlock(&thread->lock);
}

static void wait_for_answer(struct warm_thread *thread)
{
	uint64_t give_up_ms;

	if (atomic_load(&thread->is_answered))
		return;
	thread->has_waited = true;
	give_up_ms = clock_monotonic_ms() + thread->warm->patience_ms;
	atomic_store(&thread->is_waiting, true);
	mutex_lock(&thread->lock);
	while (!atomic_load(&thread->is_answered) && condition_wait_until(&thread->answered, &thread->lock, give_up_ms))
		continue;
	mutex_unlock(&thread->lock);
	atomic_store(&thread->is_waiting, false);
	thread->is_stuck = !atomic_load(&thread->is_answered);
}

/* Inside wa_engine_decide_cached. */
static void decided_at_once(void *context, const struct wa_decision *decision)
{
	struct warm_thread *thread = context;

	count(&thread->result, decision->verdict);
}

/* On the engine's thread; the asker waits. */
static void decided(void *context, const struct wa_decision *decision)
{
	struct warm_thread *thread = context;

	count(&thread->result, decision->verdict);
	tell(thread);
}

static void ask_api(struct warm_thread *thread, size_t sender)
{
	struct wa_engine *engine = thread->warm->subject.engine;
	const struct wa_question question = load_question(thread->warm->subject.senders, sender);

	if (wa_engine_decide_cached(engine, &question, decided_at_once, thread))
		return;
	thread->result.missed++;
	atomic_store(&thread->is_answered, false);
	if (!wa_engine_decide(engine, &question, decided, thread)) {
		count(&thread->result, WA_ERROR);
		return;
	}
	wait_for_answer(thread);
}

/* Inside the entry point, or on the plug-in's thread. */
static void completed(struct completion *completion, DWORD code)
{
	struct warm_thread *thread = CONTAINER_OF(completion, struct warm_thread, completion);

	if (code == WSMAUTHZ_NO_ERROR)
		count(&thread->result, WA_AUTHORIZE);
	else
		count(&thread->result, code == WSMAUTHZ_ACCESS_DENIED ? WA_DENY : WA_ERROR);
	tell(thread);
}

static void ask_entry_point(struct warm_thread *thread, size_t sender)
{
	struct warm *warm = thread->warm;

	thread->completion.done = completed;
	thread->completion.details = (WSMAN_SENDER_DETAILS){
	    .senderName = senders_units(warm->subject.senders, sender),
	    .authenticationMechanism = warm->mechanism,
	    .clientToken = &some_token,
	    .httpURL = warm->url,
	};
	atomic_store_explicit(&thread->is_answered, false, memory_order_relaxed);
	WSManPluginAuthzOperation(warm->subject.plugin, &thread->completion.details, 0, 0, NULL, NULL);
	wait_for_answer(thread);
}

struct digest warm_digest(const struct senders *senders, size_t sender)
{
	static const struct digest_key key = {UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)};
	size_t length;
	const char *name = senders_text(senders, sender, &length);

	return digest_of(&key, name, length);
}

static void ask_probe(struct warm_thread *thread, size_t sender)
{
	struct warm *warm = thread->warm;

	if (digest_map_get(&warm->probe, warm_digest(warm->subject.senders, sender)) == DIGEST_MAP_NONE)
		thread->result.failed++;
	else
		thread->result.authorized++;
}

static void ask_copy(struct warm_thread *thread, size_t sender)
{
	const WCHAR *units = senders_units(thread->warm->subject.senders, sender);
	size_t count = 0;

	while (count < PLUGIN_MAX_NAME_UNITS && units[count] != 0)
		count++;
	memcpy(thread->copy, units, count * sizeof(*units));
	thread->copy[count] = 0;
	thread->result.authorized++;
}

void warm_ask(struct warm_thread *thread, size_t sender)
{
	thread->result.calls++;
	switch (thread->warm->plan.kind) {
	case WARM_API:
		ask_api(thread, sender);
		break;
	case WARM_ENTRY_POINTS:
		ask_entry_point(thread, sender);
		break;
	case WARM_PROBE:
		ask_probe(thread, sender);
		break;
	case WARM_COPY:
		ask_copy(thread, sender);
		break;
	}
}
