/* SPDX-License-Identifier: Apache-2.0 */
#include <membership/membership_private.h>

#include <base/memory.h>
#include <directory/dir_mark.h>
#include <membership/closure_csn.h>
#include <membership/closure_entry.h>
#include <os/clock.h>
#include <string.h>

#define FIRST_ROOM 64
/* Where a change stands: not told yet; and nobody will tell, so that no other controller can ever show that it has it. */
#define UNNUMBERED UINT64_MAX
#define NEVER      (UINT64_MAX - 1)

struct lag_change {
	uint64_t hash; /* of whom it concerns, unless it is everybody */
	uint64_t usn;
	uint64_t until_ms;
	uint8_t id[DIR_VECTOR_ID_BYTES]; /* whose counting it is */
	bool is_past;                    /* of a watch that is over */
	bool is_everybody;
	bool is_missing; /* the closure's controller lacks it */
};

/* Remembering */

/* What concerns two may be told apart no longer. */
static void fold(struct lag_change *into, const struct lag_change *change)
{
	into->is_everybody = true;
	into->is_missing |= change->is_missing;
	into->is_past |= change->is_past;
	if (into->usn == NEVER || change->usn == NEVER || memcmp(into->id, change->id, sizeof(into->id)) != 0)
		into->usn = NEVER;
	else if (into->usn < change->usn)
		into->usn = change->usn;
	if (into->until_ms < change->until_ms)
		into->until_ms = change->until_ms;
}

static void sweep(struct lag *lag)
{
	const uint64_t now_ms = clock_monotonic_ms();
	size_t kept = 0;

	lag->missing = lag->unnumbered = 0;
	for (size_t i = 0; i < MEMBERSHIP_LAG_DENIED; i++) {
		if (lag->denied[i].until_ms <= now_ms)
			lag->denied[i] = (struct lag_change){.until_ms = 0};
		lag->missing += lag->denied[i].is_missing ? 1 : 0;
	}
	for (size_t i = 0; i < lag->count; i++) {
		if (lag->changes[i].until_ms <= now_ms)
			continue;
		lag->changes[kept] = lag->changes[i];
		lag->missing += lag->changes[kept].is_missing ? 1 : 0;
		lag->unnumbered += lag->changes[kept].usn == UNNUMBERED ? 1 : 0;
		kept++;
	}
	lag->count = kept;
}

/* The oldest quarter becomes one that concerns everybody. */
static void fold_oldest(struct lag *lag)
{
	const size_t folded = lag->count / 4;

	for (size_t i = 1; i < folded; i++)
		fold(&lag->changes[0], &lag->changes[i]);
	memmove(&lag->changes[1], &lag->changes[folded], (lag->count - folded) * sizeof(lag->changes[0]));
	lag->count -= folded - 1;
	sweep(lag);
}

static void make_room(struct lag *lag)
{
	if (lag->count < lag->room)
		return;
	sweep(lag);
	if (lag->count < lag->room / 4 * 3)
		return;
	if (lag->room < MEMBERSHIP_LAG_MAX && ARRAY_RESERVE(&lag->changes, &lag->room, lag->room + 1))
		return;
	fold_oldest(lag);
}

/* Only what the answers come from is remembered: the closure's controller is the watched one. */
static bool is_watched_here(const struct membership *membership)
{
	const struct watched *watched = &membership->watched;
	const struct lag *lag = &membership->lag;

	return watched->up && !watched->is_unmarked && watched->mark != NULL && lag->mark != NULL &&
	       !dir_mark_is_of_other(lag->mark, watched->mark);
}

/* One place for several, of whom the last is remembered. */
static struct lag_change *denied_of(const struct lag *lag, uint64_t hash)
{
	return &lag->denied[hash % MEMBERSHIP_LAG_DENIED];
}

/* An account that is written to again and again. */
static bool takes_the_place(const struct lag_change *change, const struct lag_change *last)
{
	return last->usn != UNNUMBERED && change->usn != UNNUMBERED && !last->is_missing &&
	       last->is_past == change->is_past && last->is_everybody == change->is_everybody &&
	       last->hash == change->hash && memcmp(last->id, change->id, sizeof(change->id)) == 0;
}

/* A mark of OpenLDAP as a place in somebody's counting. False: it is not to be told. */
static bool csn_place(const char *mark, uint8_t id[DIR_VECTOR_ID_BYTES], uint64_t *at)
{
	struct closure_csn_place place;

	if (mark == NULL || !closure_csn_newest(mark, &place))
		return false;
	memset(id, 0, DIR_VECTOR_ID_BYTES);
	id[0] = (uint8_t)(place.server >> 8);
	id[1] = (uint8_t)place.server;
	*at = place.time;
	return true;
}

static bool csn_has(const char *mark, const struct lag_change *change)
{
	const struct closure_csn_place place = {.server = (unsigned)change->id[0] << 8 | change->id[1],
						.time = change->usn};

	return mark != NULL && closure_csn_reaches(mark, &place);
}

static void remember(struct membership *membership, struct lag_change change, uint64_t limit_ms)
{
	struct lag *lag = &membership->lag;

	if ((!lag->has_id && !lag->is_csn) || !is_watched_here(membership))
		return;
	memcpy(change.id, lag->id, sizeof(change.id));
	if (lag->is_csn && change.is_everybody)
		limit_ms = MEMBERSHIP_LAG_UNSEEN_MS;
	change.until_ms = clock_monotonic_ms() + limit_ms;
	if (lag->count > 0 && takes_the_place(&change, &lag->changes[lag->count - 1])) {
		lag->changes[lag->count - 1] = change;
		return;
	}
	make_room(lag);
	lag->changes[lag->count++] = change;
	lag->unnumbered += change.usn == UNNUMBERED ? 1 : 0;
}

static uint64_t usn_of(const struct dir_entry *entry)
{
	int64_t usn = 0;
	bool is_there = false;

	return dir_entry_number(entry, "uSNChanged", &is_there, &usn) && is_there && usn > 0 ? (uint64_t)usn
											     : UNNUMBERED;
}

static bool is_of_closure(const struct membership *membership, const char *id)
{
	return membership->closure != NULL && closure_find_id(membership->closure, id, strlen(id)) != CLOSURE_NONE;
}

void membership_lag_see_change(struct membership *membership, const struct dir_watch_event *event)
{
	/* Nobody is told who entered a group, or left it. What has the closure read anew may be a group that was missing. */
	const bool is_everybody = event->id[0] == '\0' || is_of_closure(membership, event->id) ||
				  (membership->pending.concern.everything && !closure_entry_is_person(event->entry));
	const struct lag_change change = {
	    .hash = is_everybody ? 0 : membership_id_hash(membership, event->id),
	    .usn = usn_of(event->entry),
	    .is_everybody = is_everybody,
	};

	remember(membership, change, MEMBERSHIP_LAG_LIMIT_MS);
}

void membership_lag_see_unseen(struct membership *membership)
{
	const struct lag_change change = {.usn = UNNUMBERED, .is_everybody = true};

	remember(membership, change, MEMBERSHIP_LAG_UNSEEN_MS);
}

/* Where in its controller's counting the answer stood; 0: not known. */
static uint64_t shown_at(const struct membership *membership, const struct membership_lookup *lookup,
			 uint8_t id[DIR_VECTOR_ID_BYTES])
{
	const char *own = membership->lag.mark;
	uint64_t usn;

	if (membership->lag.is_csn)
		return csn_place(lookup->mark, id, &usn) ? usn : 0;
	memcpy(id, membership->lag.id, DIR_VECTOR_ID_BYTES);
	return lookup->mark != NULL && own != NULL && !dir_mark_is_of_other(lookup->mark, own) &&
		       dir_mark_usn(lookup->mark, &usn)
		   ? usn
		   : 0;
}

/* Who was not found is known by the question alone. */
static uint64_t denied_hash(const struct membership *membership, const struct membership_lookup *lookup,
			    const struct dir_entry *user)
{
	return user == NULL || user->id == NULL ? lookup->question : membership_id_hash(membership, user->id);
}

void membership_show_denied(struct membership *membership, const struct membership_lookup *lookup,
			    const struct dir_entry *user)
{
	struct lag *lag = &membership->lag;
	struct lag_change denied = {
	    .hash = denied_hash(membership, lookup, user),
	    .until_ms = clock_monotonic_ms() + MEMBERSHIP_LAG_LIMIT_MS,
	    .is_past = true,
	};

	denied.usn = shown_at(membership, lookup, denied.id);
	if (lookup->watched || (!lag->has_id && !lag->is_csn) || denied.usn == 0)
		return;
	*denied_of(lag, denied.hash) = denied;
}

static void number(struct lag *lag, uint64_t usn, const uint8_t id[DIR_VECTOR_ID_BYTES])
{
	for (size_t i = lag->count; i > 0 && lag->unnumbered > 0; i--) {
		if (lag->changes[i - 1].usn != UNNUMBERED)
			continue;
		lag->changes[i - 1].usn = usn;
		memcpy(lag->changes[i - 1].id, id, DIR_VECTOR_ID_BYTES);
		lag->unnumbered--;
	}
}

/* The watch of a replica has told more: what it has now, it lacks no longer. */
static void catch_up(struct membership *membership);

void membership_lag_number(struct membership *membership)
{
	struct lag *lag = &membership->lag;
	uint8_t id[DIR_VECTOR_ID_BYTES];
	uint64_t usn;

	if (lag->is_csn && lag->missing > 0)
		catch_up(membership);
	if (lag->unnumbered == 0)
		return;
	if (lag->is_csn && csn_place(membership->watched.mark, id, &usn))
		number(lag, usn, id);
	else if (!lag->is_csn && dir_mark_usn(membership->watched.mark, &usn))
		number(lag, usn, lag->id);
}

/* OpenLDAP tells the mark with each change: what stands without one was on its way, and is not after the last. */
void membership_lag_lose(struct membership *membership)
{
	struct lag *lag = &membership->lag;

	if (lag->is_csn)
		membership_lag_number(membership);
	number(lag, NEVER, lag->id);
	for (size_t i = 0; i < lag->count; i++)
		lag->changes[i].is_past = true;
}

/* What a controller lacks */

/* What the closure's controller has shown of itself. */
struct view {
	const char *csn; /* OpenLDAP's; NULL: it is a domain controller */
	const struct closure_origin *origin;
	bool is_watched; /* its changes are told by itself: it has them */
	bool has_usn;
	uint64_t usn;
	bool is_blind;        /* something could not be told */
	const uint8_t *found; /* the last one that was looked for in the vector; NULL: none */
	uint64_t found_usn;   /* 0: it has no cursor */
};

static bool has(struct view *view, const struct lag_change *change)
{
	const struct closure_origin *origin = view->origin;

	if (view->csn != NULL) /* what the watch has told since it came up was loaded, or heard meanwhile */
		return !change->is_past || csn_has(view->csn, change);
	if (origin->has_id && memcmp(origin->id, change->id, sizeof(change->id)) == 0)
		return view->is_watched || (view->has_usn && view->usn >= change->usn);
	if (!origin->has_id || !origin->has_vector) {
		view->is_blind = true;
		return true;
	}
	/* Nearly all are of one controller. */
	if (view->found == NULL || memcmp(view->found, change->id, sizeof(change->id)) != 0) {
		view->found = change->id;
		if (!dir_vector_find(&origin->vector, change->id, &view->found_usn))
			view->found_usn = 0;
	}
	return view->found_usn >= change->usn;
}

static void look_at(struct lag *lag, struct view *view, struct lag_change *change)
{
	change->is_missing = !has(view, change);
	lag->missing += change->is_missing ? 1 : 0;
}

static void look_again_later(struct membership *membership)
{
	struct lag *lag = &membership->lag;

	if (lag->missing == 0 || membership->stopped)
		return;
	lag->delay_ms = lag->delay_ms * 2 < MEMBERSHIP_LAG_LAST_MS ? lag->delay_ms * 2 : MEMBERSHIP_LAG_LAST_MS;
	if (lag->delay_ms < MEMBERSHIP_LAG_FIRST_MS)
		lag->delay_ms = MEMBERSHIP_LAG_FIRST_MS;
	/* Without memory for a timer it is over when all that is remembered is too old. */
	(void)!executor_timer_set(membership->executor, &lag->again, clock_monotonic_ms() + lag->delay_ms);
}

static size_t missing_for_all(const struct lag *lag)
{
	size_t count = 0;

	for (size_t i = 0; i < lag->count; i++)
		count += lag->changes[i].is_missing && lag->changes[i].is_everybody ? 1 : 0;
	return count;
}

static void tell_begin(const struct membership *membership)
{
	log_warning(
	    membership->log,
	    "the server that answers now lacks %zu changes that another one had shown: decisions about %s are refused "
	    "until they have replicated, for %d s at most",
	    membership->lag.missing, missing_for_all(&membership->lag) > 0 ? "everybody" : "whom they concern",
	    MEMBERSHIP_LAG_LIMIT_MS / 1000);
}

static void tell_end(struct membership *membership)
{
	executor_timer_clear(membership->executor, &membership->lag.again);
	log_info(membership->log, "the server that answers has got what another one had shown");
}

static void tell_blind(struct membership *membership)
{
	if (membership->lag.told_blind)
		return;
	membership->lag.told_blind = true;
	log_warning(membership->log,
		    "whether the domain controller that answers now has got the last changes of the one before cannot "
		    "be told: it "
		    "shows no replUpToDateVector of its domain, or no invocationId (let the bound account read them)");
}

/* What is too old is forgotten; @return whether nothing is missing any more. */
static bool expire(struct membership *membership)
{
	struct lag *lag = &membership->lag;
	const bool was_missing = lag->missing > 0;

	sweep(lag);
	if (was_missing && lag->missing == 0)
		log_warning(membership->log, "the server that answers now still lacks changes that another one had "
					     "shown; they are too old to "
					     "wait for, perhaps lost with that one: what it says counts again");
	return lag->missing == 0;
}

static void look_again(void *context)
{
	struct membership *membership = context;

	if (membership->stopped || expire(membership))
		return;
	/* What it answers is looked at when it comes; when there is no memory for it now, the next time. */
	(void)!membership_load(membership);
	look_again_later(membership);
}

void membership_lag_take_load(struct membership *membership, const struct closure_loaded *loaded)
{
	struct lag *lag = &membership->lag;
	struct view view = {.origin = &loaded->origin};
	size_t before;

	(void)expire(membership);
	before = lag->missing;
	if (!membership_replace_text(&lag->mark, membership->csn))
		(void)!membership_replace_text(&lag->mark, NULL);
	lag->has_id = loaded->origin.has_id;
	lag->is_csn = !lag->has_id && lag->mark != NULL && !dir_mark_usn(lag->mark, &view.usn);
	view.csn = lag->is_csn ? lag->mark : NULL;
	memcpy(lag->id, loaded->origin.id, sizeof(lag->id));
	view.is_watched = is_watched_here(membership);
	view.has_usn = lag->mark != NULL && dir_mark_usn(lag->mark, &view.usn);
	lag->missing = 0;
	for (size_t i = 0; i < lag->count; i++)
		look_at(lag, &view, &lag->changes[i]);
	for (size_t i = 0; i < MEMBERSHIP_LAG_DENIED; i++)
		if (lag->denied[i].until_ms > 0)
			look_at(lag, &view, &lag->denied[i]);
	if (view.is_blind)
		tell_blind(membership);
	if (before == 0 && lag->missing > 0) {
		lag->delay_ms = 0;
		tell_begin(membership);
		look_again_later(membership);
	} else if (before > 0 && lag->missing == 0) {
		tell_end(membership);
	}
}

static void catch_up(struct membership *membership)
{
	struct lag *lag = &membership->lag;
	struct view view = {.csn = membership->watched.mark};

	if (!membership->watched.up || !membership->watched.covers || view.csn == NULL)
		return;
	lag->missing = 0;
	for (size_t i = 0; i < lag->count; i++)
		if (lag->changes[i].is_missing)
			look_at(lag, &view, &lag->changes[i]);
	for (size_t i = 0; i < MEMBERSHIP_LAG_DENIED; i++)
		if (lag->denied[i].is_missing)
			look_at(lag, &view, &lag->denied[i]);
	if (lag->missing == 0)
		tell_end(membership);
}

/* Lookups */

static bool is_meant(const struct lag_change *change, uint64_t hash, uint64_t now_ms)
{
	return change->is_missing && change->until_ms > now_ms && (change->is_everybody || change->hash == hash);
}

bool membership_lag_concerns(const struct membership *membership, const struct membership_lookup *lookup,
			     const struct dir_entry *user)
{
	const struct lag *lag = &membership->lag;
	uint64_t now_ms, hash;

	if (lag->missing == 0)
		return false;
	now_ms = clock_monotonic_ms();
	hash = user->id == NULL ? 0 : membership_id_hash(membership, user->id);
	if (user->id == NULL || is_meant(denied_of(lag, hash), hash, now_ms) ||
	    is_meant(denied_of(lag, lookup->question), lookup->question, now_ms))
		return true;
	for (size_t i = 0; i < lag->count; i++)
		if (is_meant(&lag->changes[i], hash, now_ms))
			return true;
	return false;
}

enum status membership_lag_refuse(const struct membership *membership, struct error *error)
{
	error_set(error, STATUS_UNREACHABLE,
		  "the server that answers lacks a change that another one had shown, and that may concern the user");
	return error_hint(error, STATUS_UNREACHABLE,
			  "it is asked again until the change has replicated; %s shows what keeps it",
			  membership->lag.is_csn ? "a comparison of both servers' contextCSN"
						 : "'repadmin /showrepl' (samba-tool drs showrepl)");
}

/* Life */

enum status membership_lag_open(struct membership *membership, struct error *error)
{
	membership->lag.again = (struct timer){.run = look_again, .context = membership};
	membership->lag.changes = memory_new_array(FIRST_ROOM, sizeof(*membership->lag.changes));
	membership->lag.denied = memory_new_array(MEMBERSHIP_LAG_DENIED, sizeof(*membership->lag.denied));
	if (membership->lag.changes == NULL || membership->lag.denied == NULL)
		return error_no_memory(error);
	membership->lag.room = FIRST_ROOM;
	return STATUS_OK;
}

void membership_lag_stop(struct membership *membership)
{
	executor_timer_clear(membership->executor, &membership->lag.again);
}

void membership_lag_done(struct membership *membership)
{
	memory_free(membership->lag.changes);
	memory_free(membership->lag.denied);
	memory_free(membership->lag.mark);
}
