/* SPDX-License-Identifier: Apache-2.0 */
/* A DLL that calls what does not come back in time (dir_aside.h); aside_host.c loads and unloads it. */
#include <directory/dir_aside.h>
#include <os/clock.h>
#include <os/thread.h>
#include <stdatomic.h>

__declspec(dllexport) int call_aside(unsigned takes_ms, unsigned patience_ms);
__declspec(dllexport) unsigned count_inherited(void);
__declspec(dllexport) int call_until_over(unsigned takes_ms);

static atomic_uint inherited;

static void take_time(void *context)
{
	thread_pause(*(const unsigned *)context);
}

static void inherit(void *context)
{
	(void)context;
	atomic_fetch_add(&inherited, 1);
}

static bool is_over(void *context)
{
	(void)context;
	return true;
}

/* The job has it after this call has returned. */
static unsigned time_of_job;

int call_aside(unsigned takes_ms, unsigned patience_ms)
{
	const struct dir_aside aside = {.run = take_time, .inherit = inherit, .context = &time_of_job};

	time_of_job = takes_ms;
	return (int)dir_aside_run(&aside, clock_monotonic_ms() + patience_ms, NULL);
}

int call_until_over(unsigned takes_ms)
{
	const struct dir_aside aside = {
	    .run = take_time, .inherit = inherit, .context = &time_of_job, .is_over = is_over};

	time_of_job = takes_ms;
	return (int)dir_aside_run(&aside, UINT64_MAX, NULL);
}

unsigned count_inherited(void)
{
	return atomic_load(&inherited);
}
