/* SPDX-License-Identifier: Apache-2.0 */
#include <base/memory.h>
#include <directory/dir_mark.h>
#include <membership/closure_concern.h>
#include <membership/closure_csn.h>
#include <membership/closure_patch.h>
#include <membership/membership_private.h>
#include <os/clock.h>
#include <string.h>

static void apply_pending(struct membership *membership);
static void settle(struct membership *membership);

bool membership_is_watched(const struct membership *membership)
{
	return membership->watched.up && membership->watched.covers && !membership->watched.is_behind;
}

bool membership_is_pending(const struct membership *membership)
{
	return membership->pending.since_us != 0;
}

static void touch_everything(struct membership *membership)
{
	membership->listener.everything_touched(membership->listener.context);
}

void membership_watch_use(const struct membership *membership)
{
	dir_watch_use(membership->watched.watch);
}

/* The pool has seen more than the watch has told */

static void forget_awaited(struct membership *membership)
{
	executor_timer_clear(membership->executor, &membership->watched.doubt);
	memory_free(membership->watched.awaited);
	membership->watched.awaited = NULL;
	membership_wake(&membership->mark_waiters);
}

static void doubt(void *context)
{
	struct membership *membership = context;

	membership->watched.is_behind = true;
	log_warning(membership->log,
		    "the directory's notifications are behind the servers that answer: each decision is "
		    "asked for until they have caught up");
	membership_wake(&membership->mark_waiters);
}

void membership_watch_await(struct membership *membership, const char *mark, uint64_t asked_us)
{
	struct watched *watched = &membership->watched;

	dir_watch_hurry(watched->watch);
	if (watched->awaited != NULL)
		return;
	watched->awaited = memory_copy_text(mark);
	watched->awaited_asked_us = asked_us;
	if (watched->awaited == NULL || executor_timer_set(membership->executor, &watched->doubt,
							   clock_monotonic_ms() + MEMBERSHIP_DOUBT_MS) != STATUS_OK)
		doubt(membership);
}

void membership_watch_catch_up(struct membership *membership)
{
	membership->watched.is_behind = false;
	log_info(membership->log, "the directory's notifications have caught up");
	touch_everything(membership);
}

/* `mark` has moved. */
static void told_more(struct membership *membership)
{
	struct watched *watched = &membership->watched;

	watched->serial++;
	if (watched->awaited == NULL ? !watched->is_behind : !closure_csn_covers(watched->mark, watched->awaited))
		return;
	if (watched->is_behind)
		membership_watch_catch_up(membership);
	else
		membership_grant_lease(membership, watched->awaited_asked_us);
	forget_awaited(membership);
}

/* Coming and going */

/* A patch that is under way goes on; nobody wants it. */
static void forget_pending(struct membership *membership)
{
	memset(&membership->pending.concern, 0, sizeof(membership->pending.concern));
	membership->pending.since_us = 0;
}

void membership_watch_uncover(struct membership *membership)
{
	membership->watched.covers = false;
	forget_pending(membership);
}

static void go_down(struct membership *membership)
{
	membership->watched.up = false;
	membership->watched.is_behind = false;
	membership_watch_uncover(membership);
	membership_unmarked_go_down(membership);
	membership_lag_lose(membership);
	forget_awaited(membership);
	membership_wake(&membership->waiters);
}

static void load_or_try_later(struct membership *membership)
{
	if (membership_load(membership) == STATUS_OK)
		return;
	/* Without even a timer the next lookup has it loaded. */
	(void)!executor_timer_set(membership->executor, &membership->reload,
				  clock_monotonic_ms() + MEMBERSHIP_RELOAD_LAST_MS);
}

static void come_up(struct membership *membership, const struct dir_watch_event *event)
{
	struct watched *watched = &membership->watched;
	const char *mark = event->server != NULL ? event->server : event->mark;

	go_down(membership);
	touch_everything(membership);
	watched->serial++;
	if (!membership_replace_text(&watched->mark, mark) || watched->mark == NULL)
		return;
	watched->up = true;
	watched->means = event->means;
	watched->trouble.status = STATUS_OK;
	watched->seen_us = clock_monotonic_us();
	watched->is_unmarked = event->server != NULL;
	if (watched->is_unmarked)
		membership_unmarked_come_up(membership);
	if (membership->loading) {
		if (!watched->is_unmarked)
			membership_watch_load_begins(membership);
	} else if (!watched->is_unmarked && membership->csn != NULL && closure_csn_covers(membership->csn, mark)) {
		watched->covers = true;
	} else {
		load_or_try_later(membership);
	}
}

/* No CSN of more than was told must stand for the closure, so a mark that cannot be kept ends the watch's use. */
static void advance(struct membership *membership, const char *mark)
{
	if (mark == NULL || !membership->watched.up)
		return;
	if (closure_csn_advance(&membership->watched.mark, mark) != STATUS_OK) {
		go_down(membership);
		return;
	}
	membership_lag_number(membership);
	told_more(membership);
}

static void heard(void *context, const struct dir_watch_event *event)
{
	struct membership *membership = context;

	if (membership->stopped)
		return;
	switch (event->kind) {
	case DIR_WATCH_UP:
		come_up(membership, event);
		return;
	case DIR_WATCH_CURRENT:
		membership_unmarked_current(membership, event->proof);
		return;
	case DIR_WATCH_LOST:
	case DIR_WATCH_UNSUPPORTED:
		if (membership->watched.up)
			go_down(membership);
		membership->watched.is_unsupported = event->kind == DIR_WATCH_UNSUPPORTED;
		if (event->error != NULL)
			membership->watched.trouble = *event->error;
		return;
	case DIR_WATCH_CHANGE:
		if (membership->watched.up)
			membership_heed_change(membership, event);
		break;
	case DIR_WATCH_UNSEEN:
		if (membership->watched.up)
			membership_heed_gap(membership);
		break;
	case DIR_WATCH_MARK:
		break;
	}
	advance(membership, event->mark);
	settle(membership);
}

/* Applying them */

/* The closure is what the directory had at the watch's mark, or is on the way to it. */
static void settle(struct membership *membership)
{
	if (membership->stopped || !membership->watched.up || !membership->watched.covers)
		return;
	if (membership_is_pending(membership)) {
		apply_pending(membership);
		return;
	}
	if (membership->watched.is_unmarked)
		return;
	/* Without its mark a closure is not usable once the watch is lost: it is loaded then. */
	if (!membership_replace_text(&membership->csn, membership->watched.mark))
		(void)!membership_replace_text(&membership->csn, NULL);
}

static void take_patch(struct membership *membership, const struct closure_patched *patched)
{
	closure_unref(&membership->closure);
	membership->closure = closure_ref(patched->closure);
	membership->closure_marked_us = patched->began_us;
	if (patched->everything)
		touch_everything(membership);
	for (size_t i = 0; i < patched->touched_count; i++)
		membership->listener.touched(membership->listener.context, patched->touched[i].high);
	/* What was heard meanwhile was judged by the old one: its numbers still stand, but for groups that may have other names now. */
	forget_pending(membership);
	if (closure_wants_rebuild(membership->closure))
		(void)!membership_load(membership);
}

static void patch_ended(void *context, const struct closure_patched *patched)
{
	struct membership *membership = context;

	membership->pending.patch = NULL;
	if (membership->stopped || !membership->watched.covers || patched->base != membership->closure) {
		membership_forget_heard(membership);
		settle(membership); /* a load came first, or the watch went: the patch is of no use */
		return;
	}
	if (patched->status != STATUS_OK || patched->whole) {
		if (patched->status != STATUS_OK)
			log_failure(membership->log, LOG_LEVEL_INFO, "reading the whole closure again", patched->error);
		membership->pending.concern.everything = true;
	} else {
		take_patch(membership, patched);
		membership_replay(membership);
	}
	membership_forget_heard(membership);
	settle(membership);
	if (!membership_is_pending(membership))
		membership_wake(&membership->waiters);
}

static bool start_patch(struct membership *membership)
{
	struct pending *pending = &membership->pending;
	const struct closure_patch_plan plan = {
	    .plan = &membership->plan,
	    .base = membership->closure,
	    .concern = &pending->concern,
	    .mark_base = membership_mark_base(membership),
	    .at_least = membership->watched.mark,
	    .domain_base = membership->forest == NULL ? NULL : membership->forest->home->naming_context,
	    .search_flags = membership->search_flags,
	};

	if (closure_patch_start(membership->pool, membership->executor, &plan, patch_ended, membership,
				&pending->patch) != STATUS_OK)
		return false;
	membership_listen(membership);
	memset(&pending->concern, 0, sizeof(pending->concern));
	return true;
}

static void apply_pending(struct membership *membership)
{
	struct pending *pending = &membership->pending;

	if (pending->patch != NULL || membership->loading)
		return; /* comes back when that has ended */
	if (!pending->concern.everything && start_patch(membership))
		return;
	load_or_try_later(membership);
}

/* Loads */

void membership_watch_load_begins(struct membership *membership)
{
	(void)!membership_replace_text(&membership->load_told, NULL);
	if (!membership->watched.up)
		return;
	membership_listen(membership);
	if (!membership_replace_text(&membership->load_told, membership->watched.mark))
		membership->heard_too_much = true;
}

/* The server that was read from had not reached what the watch had told. */
void membership_watch_load_later(struct membership *membership)
{
	uint64_t delay_ms = membership->reload_delay_ms;

	if (membership->stopped)
		return;
	if (delay_ms == 0)
		delay_ms = MEMBERSHIP_RELOAD_FIRST_MS;
	membership->reload_delay_ms =
	    delay_ms * 2 < MEMBERSHIP_RELOAD_LAST_MS ? delay_ms * 2 : MEMBERSHIP_RELOAD_LAST_MS;
	(void)!executor_timer_set(membership->executor, &membership->reload, clock_monotonic_ms() + delay_ms);
}

bool membership_watch_is_ahead(const struct membership *membership, const char *csn)
{
	return membership->watched.up && csn != NULL && membership->load_told != NULL &&
	       !dir_mark_is_of_other(csn, membership->load_told) && !closure_csn_covers(csn, membership->load_told);
}

static void take_load(struct membership *membership)
{
	struct watched *watched = &membership->watched;
	/*
	 * The old one was kept up to date all the while, and the new one has nothing that was not told: it only has a new index. What
	 * is told later and is in it already would touch nobody.
	 */
	bool is_same = !closure_is_by_sid(membership->closure) && watched->up && watched->covers &&
		       !membership_is_pending(membership) && membership->csn != NULL &&
		       closure_csn_covers(watched->mark, membership->csn);

	forget_pending(membership);
	watched->covers = false;
	if (!is_same)
		touch_everything(membership);
	if (!watched->up)
		return;
	if (watched->is_unmarked) {
		membership_unmarked_take_load(membership);
		return;
	}
	if (membership->csn == NULL || membership->load_told == NULL) {
		membership_watch_load_later(membership);
		return;
	}
	/* It is used as without a watch, until the watch has gone there too. */
	if (membership_is_of_other(membership, membership->csn)) {
		membership_look_who_answers(membership);
		return;
	}
	membership->reload_delay_ms = 0;
	watched->covers = true;
	membership_replay(membership);
}

void membership_watch_load_ended(struct membership *membership, bool well)
{
	struct watched *watched = &membership->watched;

	if (well)
		take_load(membership);
	membership_forget_heard(membership);
	if (membership->stopped)
		return;
	if (well && !watched->is_open && membership->csn_base != NULL &&
	    (membership->csn != NULL || membership->server != NULL)) {
		watched->is_open = dir_watch_begin(watched->watch, membership->csn_base) == STATUS_OK;
	}
	if (well)
		settle(membership);
	else if (watched->up)
		membership_watch_load_later(membership);
}

static void reload(void *context)
{
	struct membership *membership = context;

	if (!membership->stopped && membership->watched.up)
		load_or_try_later(membership);
}

static void nudge(void *context)
{
	struct membership *membership = context;

	membership->nudging = false;
	membership_wake(&membership->mark_waiters);
}

/* Life */

void membership_watch_stop(struct membership *membership)
{
	executor_timer_clear(membership->executor, &membership->watched.doubt);
	executor_timer_clear(membership->executor, &membership->nudge);
	executor_timer_clear(membership->executor, &membership->ripple);
	executor_timer_clear(membership->executor, &membership->reload);
	if (membership->pending.patch != NULL)
		closure_patch_stop(membership->pending.patch);
	membership_wake(&membership->mark_waiters);
	membership_wake(&membership->waiters);
}

void membership_watch_init(struct membership *membership)
{
	const struct config_directory *given = membership->directory, *adapted = membership->adapted;
	const char *const wanted[] = {"objectClass",
				      "entryUUID",
				      "nsUniqueId",
				      "objectSid",
				      "groupType",
				      "hasSubordinates",
				      "uid",
				      given->user_name_attribute,
				      given->user_upn_attribute,
				      adapted->user_name_attribute,
				      adapted->user_upn_attribute};
	size_t count = 0;

	_Static_assert(COUNT_OF(wanted) < COUNT_OF(((struct membership *)0)->watch_attributes),
		       "with a NULL behind them");
	for (size_t i = 0; i < COUNT_OF(wanted); i++)
		if (wanted[i] != NULL)
			membership->watch_attributes[count++] = wanted[i];
	membership->watched.doubt = (struct timer){.run = doubt, .context = membership};
	membership->ripple = (struct timer){.run = membership_ripple, .context = membership};
	membership->nudge = (struct timer){.run = nudge, .context = membership};
	membership->reload = (struct timer){.run = reload, .context = membership};
	membership->heard_end = &membership->heard;
}

enum status membership_watch_open(struct membership *membership, struct error *error)
{
	enum status status = dir_watch_open(membership->directory, membership->watch_attributes, membership->executor,
					    membership->log, heard, membership, &membership->watched.watch, error);

	if (status == STATUS_OK)
		dir_watch_follow(membership->watched.watch, dir_pool_locator(membership->pool));
	return status;
}

void membership_watch_done(struct membership *membership)
{
	dir_watch_close(&membership->watched.watch);
	memory_free(membership->watched.mark);
	memory_free(membership->watched.awaited);
	memory_free(membership->load_told);
	arena_free(&membership->heard_arena);
}
