/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_guard.h>

#include <os/clock.h>

static void cut_locked(struct dir_guard *guard) REQUIRES(guard->lock);

static void cut_locked(struct dir_guard *guard)
{
	guard->due_ms = UINT64_MAX;
	mutex_unlock(&guard->lock);
	guard->cut(guard->context);
	mutex_lock(&guard->lock);
}

static void watch(void *context)
{
	struct dir_guard *guard = context;

	mutex_lock(&guard->lock);
	while (!guard->is_ending) {
		guard->looks_ms = guard->due_ms;
		if (guard->due_ms == UINT64_MAX)
			condition_wait(&guard->changed, &guard->lock);
		else if (clock_monotonic_ms() >= guard->due_ms)
			cut_locked(guard);
		else /* perhaps for one that was disarmed: so the next one need not wake us */
			(void)condition_wait_until(&guard->changed, &guard->lock, guard->due_ms);
	}
	mutex_unlock(&guard->lock);
}

enum status dir_guard_start(struct dir_guard *guard, void (*cut)(void *context), void *context, struct error *error)
{
	enum status status;

	*guard = (struct dir_guard){.cut = cut, .context = context, .due_ms = UINT64_MAX, .looks_ms = UINT64_MAX};
	mutex_init(&guard->lock);
	condition_init(&guard->changed);
	status = thread_start(&guard->thread, "wa-dir-guard", watch, guard, error);
	guard->is_started = status == STATUS_OK;
	if (status != STATUS_OK) {
		condition_done(&guard->changed);
		mutex_done(&guard->lock);
	}
	return status;
}

void dir_guard_end(struct dir_guard *guard)
{
	if (!guard->is_started)
		return;
	mutex_lock(&guard->lock);
	guard->is_ending = true;
	condition_signal(&guard->changed);
	mutex_unlock(&guard->lock);
	thread_join(&guard->thread);
	condition_done(&guard->changed);
	mutex_done(&guard->lock);
	guard->is_started = false;
}

void dir_guard_arm(struct dir_guard *guard, uint64_t due_ms)
{
	mutex_lock(&guard->lock);
	guard->due_ms = due_ms;
	if (due_ms < guard->looks_ms)
		condition_signal(&guard->changed);
	mutex_unlock(&guard->lock);
}

void dir_guard_disarm(struct dir_guard *guard)
{
	mutex_lock(&guard->lock);
	guard->due_ms = UINT64_MAX;
	mutex_unlock(&guard->lock);
}
