/* SPDX-License-Identifier: Apache-2.0 */
#include <membership/membership_private.h>

#include <base/compiler.h>
#include <membership/closure_entry.h>
#include <os/clock.h>
#include <string.h>

static void begin_pending(struct membership *membership)
{
	struct pending *pending = &membership->pending;

	if (pending->since_us != 0)
		return;
	pending->since_us = clock_monotonic_us();
	membership_cut_lease(membership, pending->since_us + (uint64_t)MEMBERSHIP_PENDING_MS * 1000);
}

/* What a change means for the closure in use. */
void membership_heed(struct membership *membership, const struct dir_watch_event *event)
{
	struct closure_concern *concern = &membership->pending.concern;

	(void)closure_concern_add(concern, membership->closure, &membership->plan, event);
	if (!closure_concern_is_nothing(concern))
		begin_pending(membership);
}

/* The server builds anew what follows from such an entry after it has told of it: what is read at once may show the old state. */
void membership_ripple(void *context)
{
	static const uint64_t waits_ms[] = MEMBERSHIP_RIPPLES_MS;
	struct membership *membership = context;
	uint64_t again_ms;

	membership->listener.everything_touched(membership->listener.context);
	if (membership->ripple_count == COUNT_OF(waits_ms))
		return;
	again_ms = clock_monotonic_ms() + waits_ms[membership->ripple_count++];
	if (executor_timer_set(membership->executor, &membership->ripple, again_ms) == STATUS_OK)
		return;
	/* Without a timer the whole closure is read, which touches everything at its end. */
	begin_pending(membership);
	membership->pending.concern.everything = true;
}

void membership_heed_governor(struct membership *membership, const struct dir_watch_event *event)
{
	const bool may_be_anything =
	    membership->watched.is_unmarked && dir_entry_attribute(event->entry, "objectClass") == NULL;

	if (!may_be_anything && !closure_entry_governs_others(event->entry))
		return;
	membership->ripple_count = 0;
	membership_ripple(membership);
}

/* Something changed that was not seen. */
void membership_heed_unseen(struct membership *membership)
{
	membership->pending.concern.unseen = true;
	begin_pending(membership);
}

/* While the closure is loaded: to be applied to the new one. */
void membership_remember(struct membership *membership, const struct dir_watch_event *event)
{
	struct heard *heard = NULL;

	if (membership->heard_arena != NULL && membership->heard_count < MEMBERSHIP_MAX_HEARD)
		heard = arena_alloc(membership->heard_arena, sizeof(*heard));
	if (heard != NULL) {
		heard->change = event->change;
		heard->id = arena_copy_text(membership->heard_arena, event->id);
		heard->entry = dir_entry_copy(event->entry, membership->heard_arena);
		heard->next = NULL;
	}
	if (heard == NULL || heard->id == NULL || heard->entry == NULL) {
		membership->heard_too_much = true;
		return;
	}
	*membership->heard_end = heard;
	membership->heard_end = &heard->next;
	membership->heard_count++;
}

/* Begin to remember what is heard; not anew while that is under way for another closure. */
void membership_listen(struct membership *membership)
{
	if (membership->heard_arena != NULL)
		return;
	membership->heard_arena = arena_new(MEMBERSHIP_MAX_HEARD_BYTES);
	membership->heard = NULL;
	membership->heard_end = &membership->heard;
	membership->heard_count = 0;
	membership->heard_too_much = membership->heard_arena == NULL;
	membership->heard_unseen = false;
}

/* What was remembered is of no more use, unless another closure is still being read. */
void membership_forget_heard(struct membership *membership)
{
	if (membership->loading || membership->pending.patch != NULL)
		return;
	arena_free(&membership->heard_arena);
	membership->heard = NULL;
}

/* What was heard meanwhile, judged by the new closure: what nobody listed before, somebody may list now. */
void membership_replay(struct membership *membership)
{
	for (const struct heard *heard = membership->heard; heard != NULL; heard = heard->next) {
		const struct dir_watch_event event = {
		    .kind = DIR_WATCH_CHANGE,
		    .change = heard->change,
		    .entry = heard->entry,
		    .id = heard->id,
		};

		membership_heed(membership, &event);
	}
	if (membership->heard_unseen)
		membership_heed_unseen(membership);
	if (membership->heard_too_much) {
		begin_pending(membership);
		membership->pending.concern.everything = true;
	}
}

/* Telling who may be touched */

static void touch(struct membership *membership, uint64_t hash)
{
	membership->listener.touched(membership->listener.context, hash);
}

/* The entry itself, and everybody who is looked up by a name that it shows. */
static void touch_entry(struct membership *membership, const struct dir_watch_event *event)
{
	const struct config_directory *directory =
	    membership->forest == NULL ? membership->directory : membership->adapted;
	const char *const names[] = {directory->user_name_attribute, directory->user_upn_attribute};

	touch(membership, membership_id_hash(membership, event->id));
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		const struct dir_attribute *values =
		    names[i] == NULL ? NULL : dir_entry_attribute(event->entry, names[i]);

		for (size_t k = 0; values != NULL && k < values->value_count; k++)
			touch(membership,
			      membership_name_hash(membership, values->values[k].data, values->values[k].length));
	}
}

void membership_heed_change(struct membership *membership, const struct dir_watch_event *event)
{
	touch_entry(membership, event);
	membership_heed_governor(membership, event);
	/* Nobody is told who entered the group, or left it. */
	if (membership->closure != NULL && closure_is_by_sid(membership->closure) &&
	    closure_find_id(membership->closure, event->id, strlen(event->id)) != CLOSURE_NONE)
		membership->listener.everything_touched(membership->listener.context);
	if (membership->loading || membership->pending.patch != NULL)
		membership_remember(membership, event);
	if (membership->watched.covers)
		membership_heed(membership, event);
	membership_lag_see_change(membership, event);
}

/* Anybody may be gone, and any group. */
void membership_heed_gap(struct membership *membership)
{
	membership->listener.everything_touched(membership->listener.context);
	if (membership->loading || membership->pending.patch != NULL)
		membership->heard_unseen = true;
	if (membership->watched.covers)
		membership_heed_unseen(membership);
	membership_lag_see_unseen(membership);
}
