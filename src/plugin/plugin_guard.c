/* SPDX-License-Identifier: Apache-2.0 */
#include <os/clock.h>
#include <plugin/plugin_guard.h>
#include <string.h>

/* Nearly always at the end: a due moment is earlier than its predecessor's only by a race or a new policy. */
static void insert_locked(struct plugin_guard *guard, struct guard_entry *entry) REQUIRES(guard->lock)
{
	struct guard_entry *before = guard->last;

	while (before != NULL && before->due_ms > entry->due_ms)
		before = before->previous;
	entry->previous = before;
	entry->next = before != NULL ? before->next : guard->first;
	if (entry->next != NULL)
		entry->next->previous = entry;
	else
		guard->last = entry;
	if (before != NULL)
		before->next = entry;
	else
		guard->first = entry;
	entry->is_watched = true;
}

static void unlink_locked(struct plugin_guard *guard, struct guard_entry *entry) REQUIRES(guard->lock)
{
	if (entry->previous != NULL)
		entry->previous->next = entry->next;
	else
		guard->first = entry->next;
	if (entry->next != NULL)
		entry->next->previous = entry->previous;
	else
		guard->last = entry->previous;
	entry->next = NULL;
	entry->previous = NULL;
	entry->is_watched = false;
}

static struct guard_entry *take_due(struct plugin_guard *guard, uint64_t now_ms)
{
	struct guard_entry *entry;

	mutex_lock(&guard->lock);
	entry = guard->first;
	if (entry != NULL && (entry->due_ms <= now_ms || guard->is_over))
		unlink_locked(guard, entry);
	else
		entry = NULL;
	mutex_unlock(&guard->lock);
	return entry;
}

static void expire_until(struct plugin_guard *guard, uint64_t now_ms)
{
	struct guard_entry *entry;

	while ((entry = take_due(guard, now_ms)) != NULL)
		guard->expired(entry);
}

static void look(struct plugin_guard *guard)
{
	uint64_t next_ms = 0;

	expire_until(guard, clock_monotonic_ms());
	mutex_lock(&guard->lock);
	if (guard->first != NULL)
		next_ms = guard->first->due_ms;
	mutex_unlock(&guard->lock);
	/* Without a timer nobody would look again: answer with an error now rather than perhaps never. */
	if (next_ms != 0 && executor_timer_set(guard->executor, &guard->timer, next_ms) != STATUS_OK)
		expire_until(guard, UINT64_MAX);
}

static void run_task(void *context)
{
	struct plugin_guard *guard = context;

	mutex_lock(&guard->lock);
	guard->is_posted = false;
	mutex_unlock(&guard->lock);
	look(guard);
}

static void run_timer(void *context)
{
	look(context);
}

void guard_init(struct plugin_guard *guard, struct executor *executor, void (*expired)(struct guard_entry *entry))
{
	memset(guard, 0, sizeof(*guard));
	guard->executor = executor;
	guard->expired = expired;
	guard->task.run = run_task;
	guard->task.context = guard;
	guard->timer.run = run_timer;
	guard->timer.context = guard;
	mutex_init(&guard->lock);
}

void guard_done(struct plugin_guard *guard)
{
	mutex_done(&guard->lock);
}

static bool claim_post_locked(struct plugin_guard *guard) REQUIRES(guard->lock)
{
	bool claimed = !guard->is_posted;

	guard->is_posted = true;
	return claimed;
}

void guard_watch(struct plugin_guard *guard, struct guard_entry *entry, uint64_t due_ms)
{
	bool post;

	mutex_lock(&guard->lock);
	entry->due_ms = due_ms;
	insert_locked(guard, entry);
	/* Behind another entry the timer is set already, for a moment that comes earlier. */
	post = entry->previous == NULL && claim_post_locked(guard);
	mutex_unlock(&guard->lock);
	if (post)
		executor_post(guard->executor, &guard->task);
}

bool guard_forget(struct plugin_guard *guard, struct guard_entry *entry)
{
	bool was_watched;

	mutex_lock(&guard->lock);
	was_watched = entry->is_watched;
	if (was_watched)
		unlink_locked(guard, entry);
	mutex_unlock(&guard->lock);
	return was_watched;
}

void guard_end(struct plugin_guard *guard)
{
	bool post;

	mutex_lock(&guard->lock);
	guard->is_over = true;
	post = claim_post_locked(guard);
	mutex_unlock(&guard->lock);
	if (post)
		executor_post(guard->executor, &guard->task);
}
