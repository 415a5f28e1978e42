/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads of the C library, so that what it keeps for each is given back at its end; and no pool of threads: a host must be able to
 * unload us once the last of our threads was waited for.
 *
 * Sources: learn.microsoft.com/windows/win32/sync/slim-reader-writer--srw--locks, .../condition-variables,
 * .../api/synchapi/nf-synchapi-createwaitabletimerexw.
 */
#include <os/thread.h>

#include <base/memory.h>
#include <errno.h>
#include <os/clock.h>
#include <process.h>
#include <stddef.h>
#include <stdio.h>
#include <windows.h>

/* As on the other systems, with the NUL. */
#define NAME_BYTES 16
/* Longer waits are made of several. */
#define WAIT_MAX_MS 0x7FFFFFFF
/* 100 ns: the unit of a timer. */
#define TICKS_A_MICROSECOND 10
/* CREATE_WAITABLE_TIMER_HIGH_RESOLUTION, since Windows 10 1803; others refuse it. */
#define TIMER_OF_HIGH_RESOLUTION 0x2

_Static_assert(sizeof(SRWLOCK) == sizeof(os_mutex), "os_types.h");
_Static_assert(sizeof(CONDITION_VARIABLE) == sizeof(os_condition), "os_types.h");
_Static_assert(sizeof(HANDLE) == sizeof(os_thread), "os_types.h");

/* What a new thread is told; it frees it. */
struct start {
	void (*run)(void *context);
	void *context;
	char name[NAME_BYTES];
};

/* os_types.h has these without <windows.h>: both are a struct of one pointer. */
static SRWLOCK *lock_of(struct mutex *mutex)
{
	return (SRWLOCK *)&mutex->handle;
}

static CONDITION_VARIABLE *variable_of(struct condition *condition)
{
	return (CONDITION_VARIABLE *)&condition->handle;
}

void mutex_init(struct mutex *mutex)
{
	InitializeSRWLock(lock_of(mutex));
}

void mutex_done(struct mutex *mutex)
{
	(void)mutex; /* it holds nothing */
}

void mutex_lock(struct mutex *mutex) NO_LOCK_ANALYSIS
{
	AcquireSRWLockExclusive(lock_of(mutex));
}

void mutex_unlock(struct mutex *mutex) NO_LOCK_ANALYSIS
{
	ReleaseSRWLockExclusive(lock_of(mutex));
}

void condition_init(struct condition *condition)
{
	InitializeConditionVariable(variable_of(condition));
}

void condition_done(struct condition *condition)
{
	(void)condition; /* it holds nothing */
}

void condition_signal(struct condition *condition)
{
	WakeConditionVariable(variable_of(condition));
}

void condition_broadcast(struct condition *condition)
{
	WakeAllConditionVariable(variable_of(condition));
}

void condition_wait(struct condition *condition, struct mutex *mutex)
{
	(void)SleepConditionVariableSRW(variable_of(condition), lock_of(mutex), INFINITE, 0);
}

bool condition_wait_until(struct condition *condition, struct mutex *mutex, uint64_t due_ms)
{
	const uint64_t now_ms = clock_monotonic_ms();
	const uint64_t left_ms = due_ms > now_ms ? due_ms - now_ms : 0;

	if (SleepConditionVariableSRW(variable_of(condition), lock_of(mutex),
				      left_ms < WAIT_MAX_MS ? (DWORD)left_ms : WAIT_MAX_MS, 0))
		return true;
	/* It counts in the system's ticks, and may come back before our clock is there. */
	return clock_monotonic_ms() < due_ms;
}

/* Debuggers show it. Since Windows 10 1607; a name that is cut within a character has none. */
static void name_current_thread(const char *name)
{
	typedef HRESULT(WINAPI * describe_fn)(HANDLE thread, PCWSTR description);
	const describe_fn describe =
	    (describe_fn)(void (*)(void))GetProcAddress(GetModuleHandleW(L"kernel32.dll"), "SetThreadDescription");
	WCHAR units[NAME_BYTES];

	/* Nothing is allocated: it happens beside whatever whoever started the thread does next. */
	if (describe == NULL || MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, name, -1, units, NAME_BYTES) == 0)
		return;
	(void)describe(GetCurrentThread(), units);
}

static unsigned __stdcall run_thread(void *argument)
{
	struct start start = *(struct start *)argument;

	memory_free(argument);
	name_current_thread(start.name);
	start.run(start.context);
	return 0;
}

enum status thread_start(struct thread *thread, const char *name, void (*run)(void *context), void *context,
			 struct error *error)
{
	struct start *start = memory_new(sizeof(*start));
	int number;

	if (start == NULL)
		return error_no_memory(error);
	start->run = run;
	start->context = context;
	(void)snprintf(start->name, sizeof(start->name), "%s", name);
	/* The C library numbers its failures itself: EAGAIN (too many), EACCES (no resources). */
	errno = 0;
	thread->handle = (HANDLE)_beginthreadex(NULL, 0, run_thread, start, 0, NULL);
	if (thread->handle == NULL) {
		number = errno;
		memory_free(start);
		return error_set(error, number == EACCES || number == ENOMEM ? STATUS_NO_MEMORY : STATUS_LIMIT,
				 "could not start thread '%s' (errno %d)", name, number);
	}
	thread->started = true;
	return STATUS_OK;
}

void thread_join(struct thread *thread)
{
	if (!thread->started)
		return;
	(void)WaitForSingleObject(thread->handle, INFINITE);
	(void)CloseHandle(thread->handle);
	thread->started = false;
}

void thread_pause(unsigned ms)
{
	if (ms == 0)
		(void)SwitchToThread();
	else
		Sleep(ms);
}

/* Sleep() takes as long as the system's tick, up to 16 ms. False: this Windows has no finer timer. */
static bool nap_by_timer(unsigned us)
{
	const LARGE_INTEGER from_now = {.QuadPart = -(LONGLONG)us * TICKS_A_MICROSECOND};
	HANDLE timer = CreateWaitableTimerExW(NULL, NULL, TIMER_OF_HIGH_RESOLUTION, SYNCHRONIZE | TIMER_MODIFY_STATE);
	bool is_set;

	if (timer == NULL)
		return false;
	is_set = SetWaitableTimer(timer, &from_now, 0, NULL, NULL, FALSE) != 0;
	if (is_set)
		(void)WaitForSingleObject(timer, INFINITE);
	(void)CloseHandle(timer);
	return is_set;
}

void thread_nap(unsigned us)
{
	const uint64_t due_us = clock_monotonic_us() + us;

	if (nap_by_timer(us))
		return;
	/* Older systems: others are let run until the time has come. */
	while (clock_monotonic_us() < due_us)
		(void)SwitchToThread();
}

bool thread_is_current(const struct thread *thread)
{
	return GetThreadId(thread->handle) == GetCurrentThreadId();
}
