/* SPDX-License-Identifier: Apache-2.0 */
#include <authorizer/review.h>
#include <base/memory.h>
#include <cli/report_ask.h>
#include <cli/report_row_fill.h>
#include <os/clock.h>
#include <os/thread.h>
#include <string.h>

/* How often the main thread is let look after other things. */
#define TICK_MS 100

enum slot_state { SLOT_ASKED = 0, SLOT_AGAIN, SLOT_DONE };

struct slot {
	struct report_ask *ask;
	struct arena *arena;
	struct report_names names;
	size_t name; /* asked for */
	unsigned tries;
	struct report_row row;
	enum slot_state state; /* guarded by the lock */
	uint64_t again_ms;
};

struct report_ask {
	struct wa_engine *engine;
	const struct config *config;
	const char *url;
	struct mutex lock;     /* guards what follows, but slots that are asked */
	struct condition done; /* the first row is there, or something has ended */
	struct condition room; /* for the list */
	struct slot slots[REPORT_SLOTS];
	size_t first, count;
	size_t asked;       /* of these, about whom somebody is being asked */
	size_t limit;       /* ... at most */
	size_t answers;     /* since the limit was changed */
	bool is_late;       /* somebody was not answered in time */
	uint64_t halved_ms; /* when the limit was halved */
	bool is_ended, is_broken;
	struct error error; /* of the end, or of what broke it */
};

struct report_ask *report_ask_open(struct wa_engine *engine, const struct config *config, const char *url)
{
	struct report_ask *ask = memory_new(sizeof(*ask));

	if (ask == NULL)
		return NULL;
	ask->engine = engine;
	ask->config = config_ref(config);
	ask->url = url;
	ask->limit = REPORT_FIRST_SLOTS;
	mutex_init(&ask->lock);
	condition_init(&ask->done);
	condition_init(&ask->room);
	return ask;
}

static void empty(struct slot *slot)
{
	closure_unref(&slot->row.closure);
	arena_free(&slot->arena);
	*slot = (struct slot){.ask = NULL};
}

void report_ask_close(struct report_ask **reference)
{
	struct report_ask *ask = *reference;

	*reference = NULL;
	if (ask == NULL)
		return;
	for (size_t i = 0; i < REPORT_SLOTS; i++)
		empty(&ask->slots[i]);
	condition_done(&ask->done);
	condition_done(&ask->room);
	mutex_done(&ask->lock);
	config_unref(&ask->config);
	memory_free(ask);
}

/* Keeps the first reason. */
static void break_with(struct report_ask *ask, const struct error *error)
{
	mutex_lock(&ask->lock);
	if (!ask->is_broken)
		ask->error = *error;
	ask->is_broken = true;
	condition_broadcast(&ask->done);
	condition_broadcast(&ask->room);
	mutex_unlock(&ask->lock);
}

void report_ask_break(struct report_ask *ask)
{
	struct error error;

	(void)error_set(&error, STATUS_CANCELLED, "given up");
	break_with(ask, &error);
}

/* The directory keeps up: one more for each answer, or, once it was too many, for as many answers as are asked for. */
static void grow_locked(struct report_ask *ask) REQUIRES(ask->lock);

static void grow_locked(struct report_ask *ask)
{
	if (ask->limit == REPORT_SLOTS || (++ask->answers < ask->limit && ask->is_late))
		return;
	ask->answers = 0;
	ask->limit++;
}

/* Those who were asked about together are late together: that is once too many, not often. */
static void shrink_locked(struct report_ask *ask) REQUIRES(ask->lock);

static void shrink_locked(struct report_ask *ask)
{
	const uint64_t now_ms = clock_monotonic_ms();

	if (ask->is_late && now_ms < ask->halved_ms + REPORT_RETRY_MS)
		return;
	ask->is_late = true;
	ask->halved_ms = now_ms;
	ask->answers = 0;
	ask->limit = ask->limit / 2 > REPORT_LEAST_SLOTS ? ask->limit / 2 : REPORT_LEAST_SLOTS;
}

/* Not for each: the two threads would wake each other all the time. */
static bool has_room_locked(const struct report_ask *ask, bool is_waiting) REQUIRES(ask->lock);

static bool has_room_locked(const struct report_ask *ask, bool is_waiting)
{
	const size_t room = is_waiting ? REPORT_SLOTS / 2 : REPORT_SLOTS;
	const size_t limit = is_waiting && ask->limit > REPORT_LEAST_SLOTS ? ask->limit / 4 * 3 : ask->limit;

	return ask->count < room && ask->asked < limit;
}

/* It is answered, one way or the other. */
static void answered(struct slot *slot, enum slot_state state)
{
	struct report_ask *ask = slot->ask;

	mutex_lock(&ask->lock);
	slot->state = state;
	ask->asked--;
	if (state == SLOT_DONE)
		grow_locked(ask);
	else
		shrink_locked(ask);
	if (slot == &ask->slots[ask->first])
		condition_signal(&ask->done);
	if (has_room_locked(ask, true))
		condition_signal(&ask->room);
	mutex_unlock(&ask->lock);
}

static bool is_broken(struct report_ask *ask)
{
	bool is;

	mutex_lock(&ask->lock);
	is = ask->is_broken;
	mutex_unlock(&ask->lock);
	return is;
}

static void reviewed(void *context, const struct review *review);

/* Nothing is asked of an engine that is about to be closed. */
static void put_question(struct slot *slot)
{
	const struct report_name *name = &slot->names.names[slot->name];
	const struct wa_question question = {
	    .kind = WA_KIND_USER,
	    .sender = name->sender,
	    .sender_length = name->length,
	    .mechanism = "Negotiate",
	    .http_url = slot->ask->url,
	    .allow_sid = name->is_sid,
	    .token_sid = name->token_sid,
	};
	struct error error;

	if (is_broken(slot->ask) || review_user(slot->ask->engine, &question, reviewed, slot))
		return;
	(void)error_no_memory(&error);
	break_with(slot->ask, &error);
}

/* Nobody knows at the moment: later, perhaps. */
static bool is_passing(enum wa_reason reason)
{
	return reason == WA_REASON_DIRECTORY_UNAVAILABLE || reason == WA_REASON_DEADLINE_EXCEEDED ||
	       reason == WA_REASON_OVERLOAD || reason == WA_REASON_DIRECTORY_LIMIT || reason == WA_REASON_NO_MEMORY ||
	       reason == WA_REASON_SHUTTING_DOWN;
}

/* It is this name that does not do; the user may have another. */
static bool is_of_the_name(enum wa_reason reason)
{
	return reason == WA_REASON_BAD_SENDER_NAME || reason == WA_REASON_FOREIGN_DOMAIN ||
	       reason == WA_REASON_AMBIGUOUS_USER || reason == WA_REASON_NO_SUCH_USER;
}

static void give_up(const struct slot *slot, const struct wa_decision *decision)
{
	struct error error;

	(void)error_set(&error, STATUS_UNREACHABLE, "nobody can say what becomes of '%s': %s%s%s", slot->row.dn,
			wa_reason_word(decision->reason), decision->detail != NULL ? ": " : "",
			decision->detail != NULL ? decision->detail : "");
	break_with(slot->ask, &error);
}

static void take_answer(struct slot *slot, const struct review *review)
{
	const bool is_first = slot->row.reason == WA_REASON_NONE;
	struct error error;

	/* The first name's refusal is the one that is told, unless another name does. */
	if (is_first || !is_of_the_name(review->decision->reason)) {
		if (report_row_fill(&slot->row, &slot->names.names[slot->name], review, slot->arena) != STATUS_OK) {
			(void)error_no_memory(&error);
			break_with(slot->ask, &error);
			return;
		}
	}
	answered(slot, SLOT_DONE);
}

/* On the engine's thread. */
static void reviewed(void *context, const struct review *review)
{
	struct slot *slot = context;
	const struct wa_decision *decision = review->decision;
	struct error error;

	if (review->config != slot->ask->config) {
		(void)error_set(&error, STATUS_INVALID, "the policy was changed in between");
		(void)error_hint(&error, STATUS_INVALID, "run it again");
		break_with(slot->ask, &error);
	} else if (decision->verdict == WA_ERROR && is_passing(decision->reason)) {
		if (++slot->tries >= REPORT_TRIES) {
			give_up(slot, decision);
			return;
		}
		slot->again_ms = clock_monotonic_ms() + REPORT_RETRY_MS;
		answered(slot, SLOT_AGAIN);
	} else if (is_of_the_name(decision->reason) && slot->name + 1 < slot->names.count) {
		if (slot->row.reason == WA_REASON_NONE &&
		    report_row_fill(&slot->row, &slot->names.names[slot->name], review, slot->arena) != STATUS_OK) {
			(void)error_no_memory(&error);
			break_with(slot->ask, &error);
			return;
		}
		slot->name++;
		put_question(slot);
	} else {
		take_answer(slot, review);
	}
}

static struct slot *claim(struct report_ask *ask)
{
	struct slot *slot = NULL;
	bool is_waiting = false;

	mutex_lock(&ask->lock);
	while (!has_room_locked(ask, is_waiting) && !ask->is_broken) {
		is_waiting = true;
		condition_wait(&ask->room, &ask->lock);
	}
	if (!ask->is_broken) {
		slot = &ask->slots[(ask->first + ask->count++) % REPORT_SLOTS];
		slot->ask = ask;
		ask->asked++;
	}
	mutex_unlock(&ask->lock);
	return slot;
}

enum status report_ask_user(struct report_ask *ask, struct arena *arena, const struct report_names *names,
			    const char *dn)
{
	struct slot *slot = claim(ask);

	if (slot == NULL) {
		arena_free(&arena);
		return STATUS_CANCELLED;
	}
	slot->arena = arena;
	slot->names = *names;
	if (report_row_begin(&slot->row, dn, arena) != STATUS_OK)
		return STATUS_NO_MEMORY;
	if (names->count > 0)
		put_question(slot);
	else
		answered(slot, SLOT_DONE);
	return STATUS_OK;
}

void report_ask_end(struct report_ask *ask, const struct error *error)
{
	if (error->status != STATUS_OK) {
		break_with(ask, error);
		return;
	}
	mutex_lock(&ask->lock);
	ask->is_ended = true;
	condition_signal(&ask->done);
	mutex_unlock(&ask->lock);
}

/* Those whose time has come, the first first, and no more than may be. Without the lock, for asking takes others. */
static void ask_again(struct report_ask *ask)
{
	const uint64_t now_ms = clock_monotonic_ms();

	for (size_t i = 0; i < REPORT_SLOTS; i++) {
		struct slot *slot;
		bool is_due;

		mutex_lock(&ask->lock);
		slot = &ask->slots[(ask->first + i) % REPORT_SLOTS];
		is_due =
		    i < ask->count && slot->state == SLOT_AGAIN && slot->again_ms <= now_ms && ask->asked < ask->limit;
		if (is_due) {
			slot->state = SLOT_ASKED;
			ask->asked++;
		}
		mutex_unlock(&ask->lock);
		if (is_due)
			put_question(slot);
	}
}

static enum report_next look_locked(const struct report_ask *ask, const struct report_row **row_out,
				    struct error *error) REQUIRES(ask->lock);

static enum report_next look_locked(const struct report_ask *ask, const struct report_row **row_out,
				    struct error *error)
{
	const struct slot *slot = &ask->slots[ask->first];

	if (ask->is_broken) {
		*error = ask->error;
		return REPORT_BROKEN;
	}
	if (ask->count == 0)
		return ask->is_ended ? REPORT_END : REPORT_WAIT;
	if (slot->state != SLOT_DONE)
		return REPORT_WAIT;
	*row_out = &slot->row;
	return REPORT_ROW;
}

enum report_next report_ask_next(struct report_ask *ask, const struct report_row **row_out, struct error *error)
{
	const uint64_t due_ms = clock_monotonic_ms() + TICK_MS;
	enum report_next next;

	mutex_lock(&ask->lock);
	do
		next = look_locked(ask, row_out, error);
	while (next == REPORT_WAIT && condition_wait_until(&ask->done, &ask->lock, due_ms));
	mutex_unlock(&ask->lock);
	if (next == REPORT_WAIT)
		ask_again(ask);
	return next;
}

void report_ask_taken(struct report_ask *ask)
{
	/* Nobody else looks at it: it is the first. */
	empty(&ask->slots[ask->first]);
	mutex_lock(&ask->lock);
	ask->first = (ask->first + 1) % REPORT_SLOTS;
	ask->count--;
	if (has_room_locked(ask, true))
		condition_signal(&ask->room);
	mutex_unlock(&ask->lock);
}
