/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_watch_private.h>

#include <base/ascii.h>
#include <base/memory.h>
#include <directory/dir_mark.h>
#include <directory/dir_pool.h>
#include <directory/dir_watch_controller.h>
#include <os/clock.h>
#include <os/random.h>
#include <string.h>

/* A watch that is lost again and again fills no log. */
#define LOG_LOSS_EVERY_MS 1000

/*
 * Microsoft documents no bound for a change that becomes visible behind a higher USN (dir_usn.h); transactions of a controller take
 * milliseconds.
 */
#define OVERLAP_MS 2000

const struct dir_watch_tuning dir_watch_defaults = {
    .backoff_first_ms = DIR_POOL_BACKOFF_FIRST_MS,
    .backoff_last_ms = DIR_POOL_BACKOFF_LAST_MS,
    .refused_ms = DIR_POOL_BACKOFF_REFUSED_MS,
    .ask_again_ms = DIR_WATCH_ASK_AGAIN_MS,
    .connect_ms = DIR_POOL_CONNECT_MS,
    .refresh_ms = DIR_WATCH_REFRESH_MS,
    .ping_ms = DIR_POOL_PING_MS,
    .steady_ms = DIR_WATCH_STEADY_MS,
    .poll_ms = DIR_WATCH_POLL_MS,
    .linger_ms = DIR_WATCH_LINGER_MS,
    .poll_rest = DIR_WATCH_POLL_REST,
    .renew_ahead_ms = DIR_POOL_RENEW_AHEAD_MS,
    .renew_again_ms = DIR_POOL_RENEW_AGAIN_MS,
    .hurry_ms = DIR_WATCH_HURRY_MS,
    .overlap_ms = OVERLAP_MS,
    .max_steps = DIR_WATCH_MAX_STEPS,
    .settle_ms = DIR_WATCH_SETTLE_MS,
    .max_queued = DIR_WATCH_MAX_QUEUED,
    .max_queued_bytes = DIR_WATCH_MAX_QUEUED_BYTES,
};

bool dir_watch_is_stopping(struct dir_watch *watch)
{
	bool is_stopping;

	mutex_lock(&watch->lock);
	is_stopping = watch->is_stopping;
	mutex_unlock(&watch->lock);
	return is_stopping;
}

uint64_t dir_watch_take_proof(struct dir_watch *watch)
{
	uint64_t number;

	mutex_lock(&watch->lock);
	number = watch->wanted_proof;
	watch->wanted_proof = 0;
	mutex_unlock(&watch->lock);
	return number;
}

static bool has_begun(struct dir_watch *watch)
{
	bool has_base;

	mutex_lock(&watch->lock);
	has_base = watch->base != NULL;
	mutex_unlock(&watch->lock);
	return has_base;
}

bool dir_watch_is_used(struct dir_watch *watch, uint64_t now_ms)
{
	bool is_used = now_ms < atomic_load(&watch->used_ms) + watch->tuning.linger_ms;

	if (!is_used) {
		atomic_store(&watch->is_asleep, true);
		is_used = now_ms < atomic_load(&watch->used_ms) + watch->tuning.linger_ms;
	}
	if (is_used)
		atomic_store(&watch->is_asleep, false);
	return is_used;
}

static unsigned count_orders(struct dir_watch *watch)
{
	unsigned orders;

	mutex_lock(&watch->lock);
	orders = watch->orders;
	mutex_unlock(&watch->lock);
	return orders;
}

bool dir_watch_is_ordered_away(struct dir_watch *watch, const char *uri)
{
	const size_t preferred = dir_watch_preferred(watch);

	return count_orders(watch) != watch->obeyed && preferred != DIR_WATCH_NO_SERVER &&
	       !ascii_equal_nocase(dir_servers_uri(watch->list, preferred), uri) &&
	       watch->servers[preferred].not_before_ms <= clock_monotonic_ms();
}

/*
 * The preferred one, or the first in their order, that is not in back-off; or DIR_WATCH_NO_SERVER, and when there will be
 * one.
 */
static size_t choose_server(struct dir_watch *watch, uint64_t now_ms, uint64_t *again_ms_out)
{
	const size_t preferred = dir_watch_preferred(watch);
	uint64_t again_ms = UINT64_MAX;

	if (preferred != DIR_WATCH_NO_SERVER && watch->servers[preferred].not_before_ms <= now_ms)
		return preferred;
	for (size_t i = 0; watch->list != NULL && i < dir_servers_count(watch->list); i++) {
		const uint64_t not_before_ms = watch->servers[i].not_before_ms;

		if (not_before_ms <= now_ms)
			return i;
		if (not_before_ms < again_ms)
			again_ms = not_before_ms;
	}
	*again_ms_out = again_ms;
	return DIR_WATCH_NO_SERVER;
}

/* Half of the step at least, so that hosts that lost the same server do not come back together. */
static uint64_t with_jitter(uint64_t step_ms)
{
	return step_ms - random_below((uint32_t)(step_ms / 2) + 1);
}

static void back_off(struct dir_watch *watch, struct dir_watch_server *server, uint64_t least_ms)
{
	uint64_t step_ms = watch->tuning.backoff_first_ms;

	for (unsigned i = 0; i < server->failures && step_ms < watch->tuning.backoff_last_ms; i++)
		step_ms *= 2;
	if (step_ms > watch->tuning.backoff_last_ms)
		step_ms = watch->tuning.backoff_last_ms;
	if (step_ms < least_ms)
		step_ms = least_ms;
	server->failures++;
	server->not_before_ms = clock_monotonic_ms() + with_jitter(step_ms);
}

static void rest_all(struct dir_watch *watch, uint64_t rest_ms)
{
	const uint64_t until_ms = clock_monotonic_ms() + rest_ms;

	for (size_t i = 0; watch->list != NULL && i < dir_servers_count(watch->list); i++)
		watch->servers[i] = (struct dir_watch_server){.not_before_ms = until_ms};
}

static void log_loss(struct dir_watch *watch, const char *what, const struct error *error)
{
	const uint64_t now_ms = clock_monotonic_ms();

	if (watch->logged_ms != 0 && now_ms < watch->logged_ms + LOG_LOSS_EVERY_MS)
		return;
	watch->logged_ms = now_ms;
	log_event_failure(watch->log, LOG_EVENT_WATCH_LOST, what, error);
}

static void tell_lost(struct dir_watch *watch, const struct error *error, bool drop)
{
	if (watch->told == DIR_WATCH_TOLD_LOST)
		return;
	log_loss(watch,
		 watch->told == DIR_WATCH_TOLD_UP ? "the directory's changes are no longer told, trying again"
						  : "the directory's changes are not told yet, trying again",
		 error);
	dir_watch_queue_tell_lost(&watch->queue, error, drop);
	watch->told = DIR_WATCH_TOLD_LOST;
}

static void tell_unsupported(struct dir_watch *watch, const struct error *error)
{
	const struct dir_watch_event event = {.kind = DIR_WATCH_UNSUPPORTED, .error = error};

	if (watch->told == DIR_WATCH_TOLD_UNSUPPORTED)
		return;
	log_failure(watch->log, LOG_LEVEL_INFO, "the directory's changes are not told", error);
	if (dir_watch_queue_tell(&watch->queue, &event) == STATUS_OK)
		watch->told = DIR_WATCH_TOLD_UNSUPPORTED;
	else
		tell_lost(watch, error, true);
}

/* One that worked for a while is tried again at once; when that fails too, it is put off. */
static void note_loss(struct dir_watch *watch, struct dir_watch_server *server, uint64_t up_since_ms)
{
	if (up_since_ms != 0 && clock_monotonic_ms() >= up_since_ms + watch->tuning.steady_ms)
		*server = (struct dir_watch_server){.failures = 0};
	else
		back_off(watch, server, 0);
}

static void note_watched(struct dir_watch *watch, const char *uri)
{
	mutex_lock(&watch->lock);
	watch->watched = uri;
	mutex_unlock(&watch->lock);
}

/* The base was set, and no longer changes. */
static enum dir_session_end watch_server(struct dir_watch *watch, const char *uri, uint64_t *up_since_ms_out,
					 struct error *error)
{
	enum dir_session_end end;

	if (strcmp(watch->base, DIR_MARK_CONTROLLER) != 0)
		return dir_watch_session(watch, uri, up_since_ms_out, error);
	note_watched(watch, uri);
	end = dir_watch_controller_session(watch, uri, up_since_ms_out, error);
	note_watched(watch, NULL);
	return end;
}

static void try_server(struct dir_watch *watch, size_t number)
{
	struct dir_servers *list = dir_servers_ref(watch->list); /* another one may take its place meanwhile */
	const char *uri = dir_servers_uri(list, number);
	struct error error = {0};
	uint64_t up_since_ms = 0;
	struct dir_watch_server gone = {.failures = 0};
	struct dir_watch_server *server = &gone;
	enum dir_session_end end;
	size_t number_now;

	dir_watch_note_server(watch, uri);
	end = watch_server(watch, uri, &up_since_ms, &error);
	dir_watch_note_server(watch, NULL);
	number_now = dir_watch_find(watch, uri);
	if (number_now != DIR_WATCH_NO_SERVER)
		server = &watch->servers[number_now];
	dir_servers_unref(&list);

	if (up_since_ms != 0)
		watch->told = DIR_WATCH_TOLD_UP;
	switch (end) {
	case DIR_SESSION_STOPPED:
		break;
	case DIR_SESSION_UNSUPPORTED:
		tell_unsupported(watch, &error);
		rest_all(watch, watch->tuning.ask_again_ms);
		break;
	case DIR_SESSION_REFUSED:
		/* Trying again cures no wrong password, and locks the account. */
		tell_lost(watch, &error, false);
		back_off(watch, server, watch->tuning.refused_ms);
		break;
	case DIR_SESSION_BROKEN:
	case DIR_SESSION_OVERRUN:
		tell_lost(watch, &error, end == DIR_SESSION_OVERRUN);
		note_loss(watch, server, up_since_ms);
		break;
	case DIR_SESSION_MOVED:
		tell_lost(watch, &error, false);
		break;
	}
}

static void run(void *context)
{
	struct dir_watch *watch = context;
	uint64_t again_ms = UINT64_MAX;
	size_t number;

	while (!dir_watch_is_stopping(watch)) {
		again_ms = UINT64_MAX;
		watch->obeyed = count_orders(watch);
		dir_watch_refresh_list(watch);
		number = has_begun(watch) ? choose_server(watch, clock_monotonic_ms(), &again_ms) : DIR_WATCH_NO_SERVER;
		if (number == DIR_WATCH_NO_SERVER)
			dir_wake_wait(&watch->wake, -1, again_ms);
		else
			try_server(watch, number);
	}
}

static void free_watch(struct dir_watch *watch)
{
	dir_watch_queue_done(&watch->queue);
	dir_wake_done(&watch->wake);
	mutex_done(&watch->lock);
	dir_servers_unref(&watch->list);
	memory_free(watch->preferred);
	memory_free(watch->base);
	memory_free(watch);
}

enum status dir_watch_open(const struct config_directory *directory, const char *const *attributes,
			   struct executor *executor, const struct log *log, dir_watch_fn *heard, void *context,
			   struct dir_watch **watch_out, struct error *error)
{
	const struct dir_watch_plan plan = {
	    .directory = directory,
	    .attributes = attributes,
	    .executor = executor,
	    .log = log,
	    .tuning = dir_watch_defaults,
	    .heard = heard,
	    .context = context,
	};

	return dir_watch_open_tuned(&plan, watch_out, error);
}

enum status dir_watch_open_tuned(const struct dir_watch_plan *plan, struct dir_watch **watch_out, struct error *error)
{
	struct dir_watch *watch = memory_new(sizeof(*watch));
	enum status status;

	if (watch == NULL)
		return error_no_memory(error);
	watch->directory = plan->directory;
	watch->attributes = plan->attributes;
	watch->log = plan->log;
	watch->tuning = plan->tuning;
	atomic_init(&watch->used_ms, clock_monotonic_ms());
	atomic_init(&watch->is_asleep, false);
	atomic_init(&watch->is_hurried, false);
	watch->list = dir_servers_of_policy(plan->directory);
	status = watch->list != NULL ? dir_wake_init(&watch->wake, error) : error_no_memory(error);
	if (status != STATUS_OK) {
		dir_servers_unref(&watch->list);
		memory_free(watch);
		return status;
	}
	mutex_init(&watch->lock);
	dir_watch_queue_init(&watch->queue, plan->executor, plan->heard, plan->context, plan->tuning.max_queued,
			     plan->tuning.max_queued_bytes);
	status = thread_start(&watch->thread, "wa-dir-watch", run, watch, error);
	if (status == STATUS_OK)
		*watch_out = watch;
	else
		free_watch(watch);
	return status;
}

enum status dir_watch_begin(struct dir_watch *watch, const char *base)
{
	char *copy = memory_copy_text(base);

	if (copy == NULL)
		return STATUS_NO_MEMORY;
	mutex_lock(&watch->lock);
	if (watch->base == NULL) {
		watch->base = copy;
		copy = NULL;
	}
	mutex_unlock(&watch->lock);
	memory_free(copy);
	dir_watch_use(watch);
	dir_wake_up(&watch->wake);
	return STATUS_OK;
}

void dir_watch_use(struct dir_watch *watch)
{
	atomic_store(&watch->used_ms, clock_monotonic_ms());
	if (atomic_load(&watch->is_asleep) && atomic_exchange(&watch->is_asleep, false))
		dir_wake_up(&watch->wake);
}

void dir_watch_hurry(struct dir_watch *watch)
{
	dir_watch_use(watch);
	if (!atomic_exchange(&watch->is_hurried, true))
		dir_wake_up(&watch->wake);
}

void dir_watch_stop(struct dir_watch *watch)
{
	if (watch->locator != NULL)
		dir_locator_unlisten(watch->locator, &watch->listener);
	mutex_lock(&watch->lock);
	watch->is_stopping = true;
	mutex_unlock(&watch->lock);
	dir_wake_up(&watch->wake);
	thread_join(&watch->thread);
	dir_watch_queue_close(&watch->queue);
}

void dir_watch_close(struct dir_watch **watch)
{
	struct dir_watch *old = *watch;

	*watch = NULL;
	if (old == NULL)
		return;
	dir_watch_stop(old);
	free_watch(old);
}
