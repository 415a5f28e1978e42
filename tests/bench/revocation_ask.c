/* SPDX-License-Identifier: Apache-2.0 */
#include <bench/revocation_ask.h>
#include <os/thread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NS_PER_S  UINT64_C(1000000000)
#define NS_PER_MS UINT64_C(1000000)
#define POLL_US   200
/* An engine that answers nothing for so long has lost a question. */
#define LOST_MS 90000

struct asker {
	struct askers *askers;
	struct thread thread;
	uint64_t random;
	struct mutex lock; /* guards: is_answered, verdict */
	struct condition answered;
	bool is_answered;
	enum wa_verdict verdict;
};

struct askers {
	struct wa_engine *engine;
	struct victim *victims;
	size_t count;
	atomic_bool is_over;
	unsigned thread_count;
	struct asker *threads;
};

uint64_t now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

void sleep_us(unsigned us)
{
	const struct timespec pause = {.tv_sec = us / 1000000, .tv_nsec = (long)(us % 1000000) * 1000};

	(void)nanosleep(&pause, NULL);
}

void victim_expect(struct victim *victim, bool is_wanted)
{
	atomic_store(&victim->changed_ns, 0);
	atomic_store(&victim->first_ns, 0);
	atomic_store(&victim->is_wanted, is_wanted);
	atomic_fetch_add(&victim->epoch, 1);
}

void victim_changed(struct victim *victim)
{
	atomic_store(&victim->changed_ns, now_ns());
}

uint64_t victim_wait(const struct victim *victim, uint64_t timeout_ms)
{
	uint64_t changed_ns = atomic_load(&victim->changed_ns), first_ns;

	while ((first_ns = atomic_load(&victim->first_ns)) == 0) {
		if (now_ns() > changed_ns + timeout_ms * NS_PER_MS)
			return NEVER_NS;
		sleep_us(POLL_US);
	}
	return first_ns > changed_ns ? first_ns - changed_ns : 0;
}

/* Inside wa_engine_decide_cached, or on the engine's thread. */
static void decided(void *context, const struct wa_decision *decision)
{
	struct asker *asker = context;

	mutex_lock(&asker->lock);
	asker->verdict = decision->verdict;
	asker->is_answered = true;
	condition_signal(&asker->answered);
	mutex_unlock(&asker->lock);
}

static void wait_for_answer(struct asker *asker)
{
	uint64_t give_up_ms = now_ns() / NS_PER_MS + LOST_MS;

	mutex_lock(&asker->lock);
	while (!asker->is_answered && condition_wait_until(&asker->answered, &asker->lock, give_up_ms))
		continue;
	if (!asker->is_answered) {
		(void)fprintf(stderr, "revocation: a question was never answered\n");
		exit(1);
	}
	mutex_unlock(&asker->lock);
}

static enum wa_verdict ask(struct asker *asker, const struct victim *victim)
{
	const struct wa_question question = {.kind = WA_KIND_OPERATION,
					     .sender = victim->sender,
					     .sender_length = strlen(victim->sender),
					     .mechanism = "Negotiate",
					     .http_url = "https://localhost:5986/wsman",
					     .allow_sid = true};

	asker->is_answered = false;
	if (wa_engine_decide_cached(asker->askers->engine, &question, decided, asker))
		return asker->verdict;
	if (!wa_engine_decide(asker->askers->engine, &question, decided, asker))
		return WA_ERROR;
	wait_for_answer(asker);
	return asker->verdict;
}

static void keep_longest(struct victim *victim, uint64_t ns)
{
	uint64_t longest_ns = atomic_load(&victim->longest_ns);

	while (ns > longest_ns && !atomic_compare_exchange_weak(&victim->longest_ns, &longest_ns, ns))
		continue;
}

/* An answer to a question that no change overtook. */
static void judge(struct victim *victim, enum wa_verdict verdict, uint64_t asked_ns, uint64_t answered_ns)
{
	bool is_wanted = atomic_load(&victim->is_wanted);
	uint64_t changed_ns = atomic_load(&victim->changed_ns), none = 0;

	if ((verdict == WA_AUTHORIZE) == is_wanted) {
		(void)atomic_compare_exchange_strong(&victim->first_ns, &none, answered_ns);
		return;
	}
	if (changed_ns == 0 || asked_ns <= changed_ns)
		return;
	keep_longest(victim, asked_ns - changed_ns);
	if (!is_wanted && asked_ns - changed_ns > LATE_MS * NS_PER_MS)
		atomic_fetch_add(&victim->late, 1);
}

static void ask_once(struct asker *asker, struct victim *victim)
{
	uint64_t epoch = atomic_load(&victim->epoch), asked_ns = now_ns();
	enum wa_verdict verdict = ask(asker, victim);
	uint64_t answered_ns = now_ns();

	atomic_fetch_add(&victim->answers, 1);
	if (verdict == WA_ERROR)
		atomic_fetch_add(&victim->errors, 1);
	else if (atomic_load(&victim->epoch) == epoch)
		judge(victim, verdict, asked_ns, answered_ns);
}

/* xorshift64 (Marsaglia 2003): cheap, and each thread its own. */
static size_t pick(struct asker *asker)
{
	asker->random ^= asker->random << 13;
	asker->random ^= asker->random >> 7;
	asker->random ^= asker->random << 17;
	return (size_t)((asker->random >> 33) % asker->askers->count);
}

static void run(void *context)
{
	struct asker *asker = context;

	while (!atomic_load(&asker->askers->is_over))
		ask_once(asker, &asker->askers->victims[pick(asker)]);
}

struct askers *askers_start(struct wa_engine *engine, struct victim *victims, size_t count, unsigned threads)
{
	struct askers *askers = calloc(1, sizeof(*askers));
	struct asker *all = calloc(threads, sizeof(*all));

	if (askers == NULL || all == NULL)
		abort();
	askers->engine = engine;
	askers->victims = victims;
	askers->count = count;
	askers->threads = all;
	askers->thread_count = threads;
	for (unsigned i = 0; i < threads; i++) {
		all[i].askers = askers;
		all[i].random = UINT64_C(0x9E3779B97F4A7C15) * (i + 1);
		mutex_init(&all[i].lock);
		condition_init(&all[i].answered);
		if (thread_start(&all[i].thread, "asker", run, &all[i], NULL) != STATUS_OK)
			abort();
	}
	return askers;
}

void askers_stop(struct askers *askers)
{
	atomic_store(&askers->is_over, true);
	for (unsigned i = 0; i < askers->thread_count; i++)
		thread_join(&askers->threads[i].thread);
	for (unsigned i = 0; i < askers->thread_count; i++) {
		condition_done(&askers->threads[i].answered);
		mutex_done(&askers->threads[i].lock);
	}
	free(askers->threads);
	free(askers);
}
