/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads, locks and conditions. Our threads block every signal but those of a fault of their own, such as
 * SIGSEGV, which the host may report (a library call on a broken connection must not kill the host, and its
 * handlers must not run on our threads), and have no thread-locals of ours.
 */
#ifndef WSMAUTHZ_OS_THREAD_H
#define WSMAUTHZ_OS_THREAD_H

#include <base/compiler.h>
#include <base/error.h>
#include <os_types.h>
#include <stdbool.h>
#include <stdint.h>

struct CAPABILITY("mutex") mutex {
	os_mutex handle;
};

struct condition {
	os_condition handle;
};

struct thread {
	os_thread handle;
	bool started;
};

void mutex_init(struct mutex *mutex);
void mutex_done(struct mutex *mutex);
void mutex_lock(struct mutex *mutex) ACQUIRES(mutex);
void mutex_unlock(struct mutex *mutex) RELEASES(mutex);

/* Conditions wait on the monotonic clock. */
void condition_init(struct condition *condition);
void condition_done(struct condition *condition);
void condition_signal(struct condition *condition);
void condition_broadcast(struct condition *condition);
void condition_wait(struct condition *condition, struct mutex *mutex) REQUIRES(mutex);

/** Wait until `due_ms` of clock_monotonic_ms() at most; false when that time has come. May wake for nothing. */
bool condition_wait_until(struct condition *condition, struct mutex *mutex, uint64_t due_ms) REQUIRES(mutex);

/**
 * Start a thread.
 *
 * @param name  at most 15 bytes are shown by the system.
 * @return STATUS_OK; STATUS_NO_MEMORY or STATUS_LIMIT when the system refuses.
 */
NODISCARD enum status thread_start(struct thread *thread, const char *name, void (*run)(void *context), void *context,
				   struct error *error);

/** Wait for its end. Nothing when it was never started. */
void thread_join(struct thread *thread);

/** Let others run: 0: the processor is offered to whoever waits for it; else sleep for about so many milliseconds. */
void thread_pause(unsigned ms);

/** Sleep for about so many microseconds, at most some hundred more. */
void thread_nap(unsigned us);

/** Whether the caller runs on this thread, which must have been started. */
bool thread_is_current(const struct thread *thread);

#endif
