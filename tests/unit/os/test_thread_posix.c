/* SPDX-License-Identifier: Apache-2.0 */
/* Threads as POSIX has them: their signals and names. */
#include <support/assertions.h>

#include <os/thread.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>

struct inside {
	sigset_t mask;
	char name[16];
};

static void look_around(void *context)
{
	struct inside *inside = context;

	(void)pthread_sigmask(SIG_BLOCK, NULL, &inside->mask);
	(void)prctl(PR_GET_NAME, inside->name);
}

static void run_look_around(struct inside *inside)
{
	struct thread thread = {0};

	assert_status(thread_start(&thread, "a-name-that-is-too-long", look_around, inside, NULL), STATUS_OK, NULL);
	thread_join(&thread);
}

static void thread_start__inside__signals_are_blocked_but_faults(void **state)
{
	static const int blocked[] = {SIGPIPE, SIGTERM, SIGINT, SIGHUP, SIGCHLD, SIGALRM, SIGUSR1, SIGUSR2, SIGPROF};
	static const int open[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL};
	struct inside inside = {0};
	size_t i;

	(void)state;
	run_look_around(&inside);
	for (i = 0; i < COUNT_OF(blocked); i++)
		assert_int_equal(sigismember(&inside.mask, blocked[i]), 1);
	for (i = 0; i < COUNT_OF(open); i++)
		assert_int_equal(sigismember(&inside.mask, open[i]), 0);
}

static void thread_start__caller__keeps_its_signals(void **state)
{
	struct inside inside = {0};
	sigset_t before, after;
	int number;

	(void)state;
	(void)pthread_sigmask(SIG_BLOCK, NULL, &before);
	run_look_around(&inside);
	(void)pthread_sigmask(SIG_BLOCK, NULL, &after);
	for (number = 1; number < 32; number++)
		assert_int_equal(sigismember(&before, number), sigismember(&after, number));
}

static void thread_start__inside__has_its_name(void **state)
{
	struct inside inside = {0};

	(void)state;
	run_look_around(&inside);
	assert_string_equal(inside.name, "a-name-that-is-");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(thread_start__inside__signals_are_blocked_but_faults),
	    cmocka_unit_test(thread_start__caller__keeps_its_signals),
	    cmocka_unit_test(thread_start__inside__has_its_name),
	};

	return cmocka_run_group_tests_name("os/thread_posix", tests, NULL, NULL);
}
