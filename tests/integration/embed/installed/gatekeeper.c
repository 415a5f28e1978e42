/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program that asks who may in: gatekeeper POLICY USER...
 *
 * One line a user: "alice authorize member". Ends with 0 when all of them may, 1 when somebody may not, 2 when the policy cannot be used.
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <wsmauthz/engine.h>

struct waiting {
	pthread_mutex_t lock;
	pthread_cond_t told;
	int is_told;
	enum wa_verdict verdict;
	enum wa_reason reason;
};

/* On the engine's thread: what is told is copied, and the asker is woken. */
static void decided(void *context, const struct wa_decision *decision)
{
	struct waiting *waiting = context;

	pthread_mutex_lock(&waiting->lock);
	waiting->is_told = 1;
	waiting->verdict = decision->verdict;
	waiting->reason = decision->reason;
	pthread_cond_signal(&waiting->told);
	pthread_mutex_unlock(&waiting->lock);
}

/* Whether this user may in. */
static int ask(struct wa_engine *engine, const char *user)
{
	const struct wa_question question = {
	    .kind = WA_KIND_USER, .sender = user, .sender_length = strlen(user), .mechanism = "Negotiate"};
	struct waiting waiting = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, WA_ERROR, WA_REASON_OVERLOAD};

	if (!wa_engine_decide_cached(engine, &question, decided, &waiting) &&
	    wa_engine_decide(engine, &question, decided, &waiting)) {
		pthread_mutex_lock(&waiting.lock);
		while (!waiting.is_told)
			pthread_cond_wait(&waiting.told, &waiting.lock);
		pthread_mutex_unlock(&waiting.lock);
	}
	printf("%s %s %s\n", user, wa_verdict_word(waiting.verdict), wa_reason_word(waiting.reason));
	return waiting.verdict == WA_AUTHORIZE;
}

int main(int argc, char **argv)
{
	struct wa_engine *engine = NULL;
	struct wa_error error;
	int all_may = 1;

	if (argc < 2 || !wa_engine_open(argv[1], NULL, &engine, &error)) {
		fprintf(stderr, "gatekeeper: %s\n", argc < 2 ? "no policy" : error.what);
		return 2;
	}
	for (int i = 2; i < argc; i++)
		all_may = ask(engine, argv[i]) && all_may;
	wa_engine_close(&engine);
	return all_may ? 0 : 1;
}
