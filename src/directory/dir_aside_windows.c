/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_aside.h>

#include <base/memory.h>
#include <os/clock.h>
#include <os/thread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <windows.h>

/* How often it is looked whether the wait is over. */
#define LOOK_MS 50

struct job {
	struct dir_aside aside;
	HMODULE module;    /* a reference, the thread's */
	struct mutex lock; /* guards what follows */
	struct condition ended;
	bool has_ended;
	bool is_left;
};

static atomic_int left_count;

/* Something that lies in this module. */
static const WCHAR in_this_module[] = L"";

static void free_job(struct job *job)
{
	condition_done(&job->ended);
	mutex_done(&job->lock);
	memory_free(job);
}

static DWORD WINAPI run(void *context)
{
	struct job *job = context;
	const HMODULE module = job->module;
	bool is_left;

	job->aside.run(job->aside.context);
	mutex_lock(&job->lock);
	is_left = job->is_left;
	job->has_ended = true;
	condition_signal(&job->ended);
	mutex_unlock(&job->lock);
	if (is_left) {
		if (job->aside.inherit != NULL)
			job->aside.inherit(job->aside.context);
		free_job(job);
		atomic_fetch_sub(&left_count, 1);
	}
	FreeLibraryAndExitThread(module, 0);
}

static bool hold_module(HMODULE *module_out)
{
	return GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS, in_this_module, module_out) != FALSE;
}

/* NULL: there is no memory, or no thread; the error is set, as `status_out`. */
static struct job *start(const struct dir_aside *aside, HANDLE *thread_out, enum status *status_out,
			 struct error *error)
{
	struct job *job = memory_new(sizeof(*job));
	DWORD failure;

	if (job == NULL) {
		*status_out = error_no_memory(error);
		return NULL;
	}
	job->aside = *aside;
	mutex_init(&job->lock);
	condition_init(&job->ended);
	if (hold_module(&job->module)) {
		*thread_out = CreateThread(NULL, 0, run, job, 0, NULL);
		if (*thread_out != NULL)
			return job;
		failure = GetLastError();
		(void)FreeLibrary(job->module);
	} else {
		failure = GetLastError();
	}
	free_job(job);
	*status_out = error_system(error, STATUS_LIMIT, (int)failure, "could not start a thread");
	return NULL;
}

static bool is_over(const struct dir_aside *aside)
{
	return aside->is_over != NULL && aside->is_over(aside->over_context);
}

static uint64_t until(const struct dir_aside *aside, uint64_t deadline_ms)
{
	const uint64_t look_ms = clock_monotonic_ms() + LOOK_MS;

	return aside->is_over != NULL && look_ms < deadline_ms ? look_ms : deadline_ms;
}

/* @return false: the deadline came first, and the job is the thread's. */
static bool wait_for(struct job *job, uint64_t deadline_ms)
{
	bool has_ended;

	mutex_lock(&job->lock);
	while (!job->has_ended && clock_monotonic_ms() < deadline_ms && !is_over(&job->aside))
		(void)condition_wait_until(&job->ended, &job->lock, until(&job->aside, deadline_ms));
	has_ended = job->has_ended;
	if (!has_ended) {
		/* Under the lock, for the thread takes it before it frees anything. It is a look, not a call to anybody. */
		if (job->aside.leave != NULL)
			job->aside.leave(job->aside.context);
		job->is_left = true;
		atomic_fetch_add(&left_count, 1);
	}
	mutex_unlock(&job->lock);
	return has_ended;
}

enum status dir_aside_run(const struct dir_aside *aside, uint64_t deadline_ms, struct error *error)
{
	enum status status = STATUS_OK;
	HANDLE thread = NULL;
	struct job *job;

	if (atomic_load(&left_count) >= DIR_ASIDE_MAX_LEFT)
		return error_set(error, STATUS_LIMIT, "%d earlier calls to the system have not come back",
				 DIR_ASIDE_MAX_LEFT);
	job = start(aside, &thread, &status, error);
	if (job == NULL)
		return status;
	if (wait_for(job, deadline_ms)) {
		(void)WaitForSingleObject(thread, INFINITE);
		free_job(job);
	} else {
		status = error_set(error, STATUS_TIMEOUT, "the system did not answer in time");
	}
	(void)CloseHandle(thread);
	return status;
}
