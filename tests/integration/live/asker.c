/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asks the engine about a few users without a pause, from several threads, as a busy host would, and tells whenever the answer about one
 * of them is another than the last one.
 *
 *	asker POLICY THREADS USER...      until standard input ends
 *
 * It leaves no audit record and no metrics, unless the environment has WSMAUTHZ_ASKER_RECORDS.
 *
 * Lines of output: "ready"; then "<clock> <user> <verdict> <reason>", the clock being CLOCK_MONOTONIC in microseconds at which the
 * question was asked; for each byte of input and each user "<clock> <user> last authorize": when the last question was asked that let
 * him in, 0 for none; at the end "asked N cached N errors N".
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <os/clock.h>
#include <os/thread.h>
#include <wsmauthz/engine.h>

#define MAX_THREADS 32
#define MAX_USERS   64

struct user {
	const char *name;
	struct mutex lock; /* guards the last answer */
	enum wa_verdict verdict;
	enum wa_reason reason;
	bool has_answer;
	uint64_t last_authorize_us;
};

static struct wa_engine *engine;
static struct user users[MAX_USERS];
static size_t user_count;
static atomic_bool is_over;
static atomic_ulong asked, cached, errors;

/* One question of one thread, which waits for the answer. */
struct question {
	struct mutex lock;
	struct condition answered;
	struct user *user;
	uint64_t asked_us;
	bool has_answer;
};

static void note(struct user *user, uint64_t asked_us, const struct wa_decision *decision)
{
	atomic_fetch_add(&asked, 1);
	if (decision->cached)
		atomic_fetch_add(&cached, 1);
	if (decision->verdict == WA_ERROR)
		atomic_fetch_add(&errors, 1);
	mutex_lock(&user->lock);
	if (decision->verdict == WA_AUTHORIZE && asked_us > user->last_authorize_us)
		user->last_authorize_us = asked_us;
	if (!user->has_answer || user->verdict != decision->verdict || user->reason != decision->reason) {
		user->has_answer = true;
		user->verdict = decision->verdict;
		user->reason = decision->reason;
		printf("%llu %s %s %s\n", (unsigned long long)asked_us, user->name, wa_verdict_word(decision->verdict),
		       wa_reason_word(decision->reason));
	}
	mutex_unlock(&user->lock);
}

static void decided(void *context, const struct wa_decision *decision)
{
	struct question *question = context;

	note(question->user, question->asked_us, decision);
	mutex_lock(&question->lock);
	question->has_answer = true;
	condition_signal(&question->answered);
	mutex_unlock(&question->lock);
}

static void ask(struct question *question)
{
	const struct wa_question asking = {
	    .kind = WA_KIND_OPERATION,
	    .sender = question->user->name,
	    .sender_length = strlen(question->user->name),
	};

	question->has_answer = false;
	question->asked_us = clock_monotonic_us();
	if (wa_engine_decide_cached(engine, &asking, decided, question) ||
	    !wa_engine_decide(engine, &asking, decided, question))
		return;
	mutex_lock(&question->lock);
	while (!question->has_answer)
		condition_wait(&question->answered, &question->lock);
	mutex_unlock(&question->lock);
}

static void keep_asking(void *context)
{
	size_t next = (size_t)(uintptr_t)context;
	struct question question = {.asked_us = 0};

	mutex_init(&question.lock);
	condition_init(&question.answered);
	while (!atomic_load(&is_over)) {
		question.user = &users[next++ % user_count];
		ask(&question);
	}
	condition_done(&question.answered);
	mutex_done(&question.lock);
}

static void write_log(void *context, enum wa_log_level level, const char *line)
{
	(void)context;
	(void)level;
	(void)fprintf(stderr, "%llu %s\n", (unsigned long long)clock_monotonic_us(), line);
}

static void report(void)
{
	for (size_t i = 0; i < user_count; i++) {
		mutex_lock(&users[i].lock);
		printf("%llu %s last authorize\n", (unsigned long long)users[i].last_authorize_us, users[i].name);
		mutex_unlock(&users[i].lock);
	}
}

static void serve_until_the_end(void)
{
	char byte;

	while (read(STDIN_FILENO, &byte, 1) > 0)
		report();
}

int main(int count, char **arguments)
{
	const struct wa_options options = {.log = {WA_LOG_INFO, write_log, NULL},
					   .dry_run = getenv("WSMAUTHZ_ASKER_RECORDS") == NULL};
	struct thread threads[MAX_THREADS] = {0};
	struct wa_error error = {.what = ""};
	size_t thread_count = count > 3 ? strtoul(arguments[2], NULL, 10) : 0;

	if (thread_count == 0 || thread_count > MAX_THREADS || count - 3 > MAX_USERS) {
		(void)fprintf(stderr, "usage: asker POLICY THREADS USER...\n");
		return 2;
	}
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	for (; user_count < (size_t)(count - 3); user_count++) {
		users[user_count].name = arguments[3 + user_count];
		mutex_init(&users[user_count].lock);
	}
	if (!wa_engine_open(arguments[1], &options, &engine, &error)) {
		(void)fprintf(stderr, "%s\n%s\n", error.what, error.hint);
		return 2;
	}
	puts("ready");
	for (size_t i = 0; i < thread_count; i++)
		if (thread_start(&threads[i], "asker", keep_asking, (void *)(uintptr_t)i, NULL) != STATUS_OK)
			return 2;
	serve_until_the_end();
	atomic_store(&is_over, true);
	for (size_t i = 0; i < thread_count; i++)
		thread_join(&threads[i]);
	wa_engine_close(&engine);
	printf("asked %lu cached %lu errors %lu\n", atomic_load(&asked), atomic_load(&cached), atomic_load(&errors));
	return 0;
}
