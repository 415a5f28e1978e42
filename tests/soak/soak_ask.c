/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <soak/soak_ask.h>
#include <time.h>

#define NS_PER_S UINT64_C(1000000000)
/* Of what could not be asked in time so much is made up for: an outage does not end in a flood. */
#define CATCH_UP_NS     (NS_PER_S / 2)
#define MAX_THREADS     64
#define APPLICATIONS    2
#define USER_PERCENT    45
#define OPERATION_BELOW 90

struct asker {
	pthread_t thread;
	struct application *application;
	uint64_t random;
};

static struct ask_plan plan;
static struct asker askers[APPLICATIONS * MAX_THREADS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards: what follows */
static pthread_cond_t resumed = PTHREAD_COND_INITIALIZER;
static bool is_paused;
static uint64_t asked, next_ns;

static uint64_t now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* The number of the next request, and when it is due. False: there are no more. */
static bool take_turn(uint64_t *number_out, uint64_t *due_ns_out)
{
	uint64_t now;
	bool is_left;

	(void)pthread_mutex_lock(&lock);
	while (is_paused)
		(void)pthread_cond_wait(&resumed, &lock);
	now = now_ns();
	if (next_ns + CATCH_UP_NS < now)
		next_ns = now - CATCH_UP_NS;
	*due_ns_out = next_ns;
	is_left = asked < plan.requests;
	if (is_left) {
		*number_out = plan.first + asked++;
		next_ns += NS_PER_S / plan.rate;
	}
	(void)pthread_mutex_unlock(&lock);
	return is_left;
}

static void sleep_until(uint64_t due_ns)
{
	const struct timespec due = {.tv_sec = (time_t)(due_ns / NS_PER_S), .tv_nsec = (long)(due_ns % NS_PER_S)};

	if (due_ns > now_ns())
		(void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
}

static enum call_kind pick_kind(uint64_t *random)
{
	uint64_t share = soak_random(random) % 100;

	if (share < USER_PERCENT)
		return CALL_USER;
	return share < OPERATION_BELOW ? CALL_OPERATION : CALL_QUOTA;
}

static void *run(void *argument)
{
	struct asker *asker = argument;
	uint64_t number, due_ns;

	while (take_turn(&number, &due_ns)) {
		enum call_kind kind = pick_kind(&asker->random);
		uint32_t sender = soak_senders_pick(&asker->random);

		sleep_until(due_ns);
		calls_ask(asker->application, kind, sender, number);
	}
	return NULL;
}

void ask_start(const struct ask_plan *wanted, struct application applications[2])
{
	expect(wanted->threads <= MAX_THREADS && wanted->threads > 0 && wanted->rate > 0);
	plan = *wanted;
	asked = 0;
	next_ns = now_ns();
	for (size_t i = 0; i < APPLICATIONS * (size_t)plan.threads; i++) {
		askers[i].application = &applications[i % APPLICATIONS];
		askers[i].random =
		    (plan.seed + 1) * UINT64_C(0x9E3779B97F4A7C15) + (i + 1) * UINT64_C(0xD1342543DE82EF95);
		for (int stirred = 0; stirred < 8; stirred++)
			(void)soak_random(&askers[i].random);
		expect(pthread_create(&askers[i].thread, NULL, run, &askers[i]) == 0);
	}
}

void ask_pause(void)
{
	(void)pthread_mutex_lock(&lock);
	is_paused = true;
	(void)pthread_mutex_unlock(&lock);
}

void ask_resume(void)
{
	(void)pthread_mutex_lock(&lock);
	is_paused = false;
	(void)pthread_cond_broadcast(&resumed);
	(void)pthread_mutex_unlock(&lock);
}

uint64_t ask_count(void)
{
	uint64_t count;

	(void)pthread_mutex_lock(&lock);
	count = asked;
	(void)pthread_mutex_unlock(&lock);
	return count;
}

void ask_join(void)
{
	for (size_t i = 0; i < APPLICATIONS * (size_t)plan.threads; i++)
		expect(pthread_join(askers[i].thread, NULL) == 0);
}
