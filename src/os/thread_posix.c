/* SPDX-License-Identifier: Apache-2.0 */
#include <os/thread.h>

#include <base/memory.h>
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <time.h>

/* The kernel's, with the NUL. */
#define NAME_BYTES 16
/* Longer waits are cut to this many seconds (some 68 years), which every time_t holds. */
#define WAIT_MAX_S INT32_MAX

/* What a new thread is told; it frees it. */
struct start {
	void (*run)(void *context);
	void *context;
	char name[NAME_BYTES];
};

void mutex_init(struct mutex *mutex)
{
	(void)pthread_mutex_init(&mutex->handle, NULL);
}

void mutex_done(struct mutex *mutex)
{
	(void)pthread_mutex_destroy(&mutex->handle);
}

void mutex_lock(struct mutex *mutex) NO_LOCK_ANALYSIS
{
	(void)pthread_mutex_lock(&mutex->handle);
}

void mutex_unlock(struct mutex *mutex) NO_LOCK_ANALYSIS
{
	(void)pthread_mutex_unlock(&mutex->handle);
}

void condition_init(struct condition *condition)
{
	pthread_condattr_t attributes;

	(void)pthread_condattr_init(&attributes);
	(void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&condition->handle, &attributes);
	(void)pthread_condattr_destroy(&attributes);
}

void condition_done(struct condition *condition)
{
	(void)pthread_cond_destroy(&condition->handle);
}

void condition_signal(struct condition *condition)
{
	(void)pthread_cond_signal(&condition->handle);
}

void condition_broadcast(struct condition *condition)
{
	(void)pthread_cond_broadcast(&condition->handle);
}

void condition_wait(struct condition *condition, struct mutex *mutex)
{
	(void)pthread_cond_wait(&condition->handle, &mutex->handle);
}

bool condition_wait_until(struct condition *condition, struct mutex *mutex, uint64_t due_ms)
{
	const uint64_t due_s = due_ms / 1000;
	struct timespec due = {
	    .tv_sec = due_s < WAIT_MAX_S ? (time_t)due_s : WAIT_MAX_S,
	    .tv_nsec = (long)(due_ms % 1000) * 1000000,
	};

	return pthread_cond_timedwait(&condition->handle, &mutex->handle, &due) != ETIMEDOUT;
}

static void *run_thread(void *argument)
{
	struct start start = *(struct start *)argument;

	memory_free(argument);
	(void)prctl(PR_SET_NAME, start.name);
	start.run(start.context);
	return NULL;
}

/* Every signal but those that a thread raises by a fault of its own. */
static void fill_blocked(sigset_t *blocked)
{
	static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS};
	size_t i;

	(void)sigfillset(blocked);
	for (i = 0; i < COUNT_OF(faults); i++)
		(void)sigdelset(blocked, faults[i]);
}

enum status thread_start(struct thread *thread, const char *name, void (*run)(void *context), void *context,
			 struct error *error)
{
	struct start *start = memory_new(sizeof(*start));
	sigset_t blocked, before;
	int failure;

	if (start == NULL)
		return error_no_memory(error);
	start->run = run;
	start->context = context;
	(void)snprintf(start->name, sizeof(start->name), "%s", name);
	/* A new thread inherits the mask, so there is no moment at which it would take a signal. */
	fill_blocked(&blocked);
	(void)pthread_sigmask(SIG_SETMASK, &blocked, &before);
	failure = pthread_create(&thread->handle, NULL, run_thread, start);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (failure != 0) {
		memory_free(start);
		return error_system(error, failure == ENOMEM ? STATUS_NO_MEMORY : STATUS_LIMIT, failure,
				    "could not start thread '%s'", name);
	}
	thread->started = true;
	return STATUS_OK;
}

void thread_join(struct thread *thread)
{
	if (!thread->started)
		return;
	(void)pthread_join(thread->handle, NULL);
	thread->started = false;
}

void thread_pause(unsigned ms)
{
	const struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};

	if (ms == 0)
		(void)sched_yield();
	else
		(void)nanosleep(&pause, NULL);
}

void thread_nap(unsigned us)
{
	const struct timespec nap = {.tv_sec = us / 1000000, .tv_nsec = (long)(us % 1000000) * 1000};

	(void)nanosleep(&nap, NULL);
}

bool thread_is_current(const struct thread *thread)
{
	return pthread_equal(thread->handle, pthread_self()) != 0;
}
