/* SPDX-License-Identifier: Apache-2.0 */
#include <base/memory.h>
#include <cli/bench_load.h>
#include <cli/machine.h>
#include <os/clock.h>
#include <os/thread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S  (1000 * NS_PER_MS)

struct asker;

/* A question under way, or room for one. */
struct slot {
	struct asker *asker;
	struct slot *next; /* while it is free */
	size_t sender;
	uint64_t asked_ns; /* or when it was due */
};

/* One thread's part of a run. It lives until load_close: answers may come as late as that. */
struct asker {
	struct load *load;
	struct asker *next;
	struct thread thread;
	struct slot *slots; /* owned */
	size_t slot_count;
	uint64_t first_due_ns, interval_ns; /* open loop */

	struct mutex lock; /* guards what follows */
	struct condition freed;
	struct slot *free;
	size_t under_way;
	uint64_t heard_ms; /* of the last answer, or the beginning (clock_monotonic_ms()) */
	struct load_result result;
};

struct load {
	struct wa_engine *engine;
	const struct senders *senders;
	struct asker *askers; /* owned; of all runs that left questions behind, and of the one under way */
	struct load_plan plan;
	uint64_t begin_ns, end_ns, patience_ms; /* patience: for any answer */
	atomic_size_t cursor;                   /* the next sender */
	struct mutex lock;                      /* guards: running */
	struct condition ended;
	unsigned running; /* threads */
};

struct load *load_open(struct wa_engine *engine, const struct senders *senders)
{
	struct load *load = memory_new(sizeof(*load));

	if (load == NULL)
		return NULL;
	load->engine = engine;
	load->senders = senders;
	atomic_init(&load->cursor, 0);
	mutex_init(&load->lock);
	condition_init(&load->ended);
	return load;
}

static void free_asker(struct asker *asker)
{
	condition_done(&asker->freed);
	mutex_done(&asker->lock);
	memory_free(asker->slots);
	memory_free(asker);
}

void load_close(struct load **reference)
{
	struct load *load = *reference;
	struct asker *next;

	*reference = NULL;
	if (load == NULL)
		return;
	for (struct asker *asker = load->askers; asker != NULL; asker = next) {
		next = asker->next;
		free_asker(asker);
	}
	condition_done(&load->ended);
	mutex_done(&load->lock);
	memory_free(load);
}

struct wa_question load_question(const struct senders *senders, size_t index)
{
	struct wa_question question = {
	    .kind = WA_KIND_OPERATION, .mechanism = LOAD_MECHANISM, .http_url = LOAD_URL, .allow_sid = true};

	question.sender = senders_text(senders, index, &question.sender_length);
	return question;
}

static void count_locked(struct asker *asker, const struct slot *slot, const struct wa_decision *decision,
			 uint64_t now_ns) REQUIRES(asker->lock)
{
	struct load_result *result = &asker->result;

	histogram_add(&result->latency, now_ns > slot->asked_ns ? now_ns - slot->asked_ns : 0);
	if (asker->load->plan.limit > 0 || now_ns <= asker->load->end_ns)
		result->answered++;
	result->verdicts[decision->verdict]++;
	result->waited_for += decision->searches;
	result->cached += decision->cached ? 1 : 0;
	if (decision->verdict == WA_ERROR && result->first_error[0] == '\0')
		(void)snprintf(result->first_error, sizeof(result->first_error), "%s%s%s",
			       wa_reason_word(decision->reason), decision->detail != NULL ? ": " : "",
			       decision->detail != NULL ? decision->detail : "");
}

static void free_slot_locked(struct asker *asker, struct slot *slot) REQUIRES(asker->lock)
{
	slot->next = asker->free;
	asker->free = slot;
	asker->under_way--;
	if (slot->next == NULL || asker->under_way == 0)
		condition_signal(&asker->freed);
}

static bool ask_next(struct slot *slot, uint64_t now_ns);

/*
 * On the engine's thread. In a closed loop the next question is asked here and now: a thread that has to be woken for each answer would
 * be measured along with the engine.
 */
static void decided(void *context, const struct wa_decision *decision)
{
	struct slot *slot = context;
	struct asker *asker = slot->asker;
	unsigned char *authorized = asker->load->plan.authorized;
	uint64_t now_ns = machine_ns();

	if (authorized != NULL && decision->verdict == WA_AUTHORIZE)
		authorized[slot->sender] = 1;
	mutex_lock(&asker->lock);
	count_locked(asker, slot, decision, now_ns);
	asker->heard_ms = now_ns / NS_PER_MS;
	mutex_unlock(&asker->lock);
	if (decision->reason != WA_REASON_OVERLOAD && ask_next(slot, now_ns))
		return;
	mutex_lock(&asker->lock);
	free_slot_locked(asker, slot);
	mutex_unlock(&asker->lock);
}

/* The engine has not even taken the question. */
static void decline(struct slot *slot)
{
	static const struct wa_decision refused = {
	    .verdict = WA_ERROR, .reason = WA_REASON_OVERLOAD, .detail = "the engine did not take the question"};

	decided(slot, &refused);
}

/* The next sender; false: the limit was reached. */
static bool take_sender(struct load *load, size_t *sender_out)
{
	size_t number = atomic_fetch_add_explicit(&load->cursor, 1, memory_order_relaxed);

	if (load->plan.limit > 0 && number >= load->plan.limit)
		return false;
	*sender_out = number % load->senders->count;
	return true;
}

static bool ask(struct asker *asker, struct slot *slot, uint64_t asked_ns)
{
	struct load *load = asker->load;
	struct wa_question question;

	if (!take_sender(load, &slot->sender))
		return false;
	slot->asked_ns = asked_ns;
	question = load_question(load->senders, slot->sender);
	if (!wa_engine_decide(load->engine, &question, decided, slot))
		decline(slot);
	return true;
}

/* False: it is over, or the loop is open. */
static bool ask_next(struct slot *slot, uint64_t now_ns)
{
	struct load *load = slot->asker->load;

	return load->plan.rate == 0 && now_ns < load->end_ns && ask(slot->asker, slot, now_ns);
}

/* Wait for slots to be freed. False: it is `until_ms`, or no answer at all has come for too long; in a closed loop slots come free at its end only. */
static bool wait_freed_locked(struct asker *asker, uint64_t until_ms) REQUIRES(asker->lock)
{
	uint64_t give_up_ms = asker->heard_ms + asker->load->patience_ms;

	if (condition_wait_until(&asker->freed, &asker->lock, until_ms < give_up_ms ? until_ms : give_up_ms))
		return true;
	return clock_monotonic_ms() < until_ms && asker->heard_ms + asker->load->patience_ms > give_up_ms;
}

/* All free slots at once, or NULL at the end of the run, and when no answer has come for too long. They count as under way. */
static struct slot *take_free(struct asker *asker)
{
	uint64_t end_ms = asker->load->end_ns / NS_PER_MS;
	struct slot *taken;

	mutex_lock(&asker->lock);
	while (asker->free == NULL && wait_freed_locked(asker, end_ms))
		continue;
	taken = asker->free;
	asker->free = NULL;
	for (struct slot *slot = taken; slot != NULL; slot = slot->next)
		asker->under_way++;
	mutex_unlock(&asker->lock);
	return taken;
}

static void give_back(struct asker *asker, struct slot *slots)
{
	mutex_lock(&asker->lock);
	while (slots != NULL) {
		struct slot *slot = slots;

		slots = slot->next;
		slot->next = asker->free;
		asker->free = slot;
		asker->under_way--;
	}
	mutex_unlock(&asker->lock);
}

static void ask_closed(struct asker *asker)
{
	uint64_t end_ns = asker->load->end_ns, now_ns = machine_ns();
	struct slot *slots, *slot;
	bool is_over = false;

	while (!is_over && now_ns < end_ns && (slots = take_free(asker)) != NULL) {
		while (slots != NULL && !is_over) {
			slot = slots;
			/* Once it is asked, it may be free again, and hang elsewhere. */
			slots = slot->next;
			now_ns = machine_ns();
			if (now_ns < end_ns && ask(asker, slot, now_ns))
				continue;
			slot->next = slots;
			slots = slot;
			is_over = true;
		}
		give_back(asker, slots);
	}
}

/* Wait until then; to the millisecond, which is what due times are rounded up to. */
static void wait_until(struct asker *asker, uint64_t due_ns)
{
	mutex_lock(&asker->lock);
	while (machine_ns() < due_ns)
		(void)condition_wait_until(&asker->freed, &asker->lock, (due_ns + NS_PER_MS - 1) / NS_PER_MS);
	mutex_unlock(&asker->lock);
}

static void ask_open(struct asker *asker)
{
	uint64_t end_ns = asker->load->end_ns, number = 0;
	struct slot *slots = NULL, *slot;

	for (;; number++) {
		uint64_t due_ns = asker->first_due_ns + number * asker->interval_ns;

		due_ns = (due_ns + NS_PER_MS - 1) / NS_PER_MS * NS_PER_MS;
		if (due_ns >= end_ns)
			break;
		wait_until(asker, due_ns);
		if (slots == NULL)
			slots = take_free(asker);
		if (slots == NULL || machine_ns() >= end_ns)
			break;
		slot = slots;
		slots = slot->next;
		(void)ask(asker, slot, due_ns);
	}
	give_back(asker, slots);
	for (; asker->first_due_ns + number * asker->interval_ns + NS_PER_MS <= end_ns; number++)
		asker->result.missed++;
}

static void wait_for_answers(struct asker *asker)
{
	mutex_lock(&asker->lock);
	while (asker->under_way > 0 && wait_freed_locked(asker, UINT64_MAX))
		continue;
	mutex_unlock(&asker->lock);
}

static void run_asker(void *context)
{
	struct asker *asker = context;
	struct load *load = asker->load;

	if (load->plan.rate > 0)
		ask_open(asker);
	else
		ask_closed(asker);
	wait_for_answers(asker);
	mutex_lock(&load->lock);
	load->running--;
	condition_signal(&load->ended);
	mutex_unlock(&load->lock);
}

static struct asker *new_asker(struct load *load, size_t slots)
{
	struct asker *asker = memory_new(sizeof(*asker));

	if (asker == NULL)
		return NULL;
	asker->load = load;
	asker->slots = memory_new_array(slots, sizeof(*asker->slots));
	if (asker->slots == NULL) {
		memory_free(asker);
		return NULL;
	}
	mutex_init(&asker->lock);
	condition_init(&asker->freed);
	asker->slot_count = slots;
	for (size_t i = 0; i < slots; i++) {
		asker->slots[i].asker = asker;
		asker->slots[i].next = asker->free;
		asker->free = &asker->slots[i];
	}
	return asker;
}

/* The thread's share of the outstanding questions, and of the rate. */
static enum status start_asker(struct load *load, unsigned number, unsigned threads, struct error *error)
{
	const struct load_plan *plan = &load->plan;
	size_t slots = plan->outstanding / threads + (number < plan->outstanding % threads ? 1 : 0);
	struct asker *asker = new_asker(load, slots);
	enum status status;

	if (asker == NULL)
		return error_no_memory(error);
	asker->heard_ms = clock_monotonic_ms();
	if (plan->rate > 0) {
		asker->interval_ns = NS_PER_S * threads / plan->rate;
		asker->first_due_ns = load->begin_ns + NS_PER_S * number / plan->rate;
	}
	asker->next = load->askers;
	load->askers = asker;
	mutex_lock(&load->lock);
	load->running++;
	mutex_unlock(&load->lock);
	status = thread_start(&asker->thread, "wsmauthz-bench", run_asker, asker, error);
	if (status != STATUS_OK) {
		mutex_lock(&load->lock);
		load->running--;
		mutex_unlock(&load->lock);
	}
	return status;
}

static void wait_for_askers(struct load *load, const struct progress *progress)
{
	mutex_lock(&load->lock);
	while (load->running > 0) {
		(void)condition_wait_until(&load->ended, &load->lock, clock_monotonic_ms() + PROGRESS_STEP_MS);
		mutex_unlock(&load->lock);
		progress_show(progress);
		mutex_lock(&load->lock);
	}
	mutex_unlock(&load->lock);
}

static void add_result(struct load_result *to, const struct load_result *from)
{
	histogram_merge(&to->latency, &from->latency);
	to->answered += from->answered;
	to->missed += from->missed;
	for (size_t i = 0; i < COUNT_OF(to->verdicts); i++)
		to->verdicts[i] += from->verdicts[i];
	to->waited_for += from->waited_for;
	to->cached += from->cached;
	if (to->first_error[0] == '\0')
		memcpy(to->first_error, from->first_error, sizeof(to->first_error));
}

/* Join, add up, and free those whose questions were all answered. @return how many questions were not. */
static size_t collect(struct load *load, struct load_result *result)
{
	struct asker **at = &load->askers, *asker;
	size_t unanswered = 0, own;

	while ((asker = *at) != NULL) {
		thread_join(&asker->thread);
		mutex_lock(&asker->lock);
		add_result(result, &asker->result);
		own = asker->under_way;
		mutex_unlock(&asker->lock);
		unanswered += own;
		if (own > 0) {
			at = &asker->next;
			continue;
		}
		*at = asker->next;
		free_asker(asker);
	}
	return unanswered;
}

enum status load_run(struct load *load, const struct load_plan *plan, const struct progress *progress,
		     struct load_result *result, struct error *error)
{
	unsigned threads = plan->outstanding < plan->threads ? (unsigned)plan->outstanding : plan->threads;
	enum status status = STATUS_OK;
	uint64_t ended_ns;
	size_t unanswered;

	load->plan = *plan;
	if (plan->limit > 0)
		atomic_store(&load->cursor, 0);
	load->begin_ns = machine_ns();
	load->end_ns = load->begin_ns + plan->duration_ms * NS_PER_MS;
	load->patience_ms = wa_engine_timeout_ms(load->engine) + LOAD_GRACE_MS;
	for (unsigned i = 0; i < threads && status == STATUS_OK; i++)
		status = start_asker(load, i, threads, error);
	wait_for_askers(load, progress);
	ended_ns = machine_ns();
	unanswered = collect(load, result);
	result->elapsed_ns += (plan->limit > 0 && ended_ns < load->end_ns ? ended_ns : load->end_ns) - load->begin_ns;
	if (status == STATUS_OK && unanswered > 0)
		return error_set(error, STATUS_TIMEOUT,
				 "%zu questions were not answered %u ms after the policy's timeout", unanswered,
				 (unsigned)LOAD_GRACE_MS);
	return status;
}
