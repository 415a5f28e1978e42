/* SPDX-License-Identifier: Apache-2.0 */
#include <base/memory.h>
#include <cli/report_ask.h>
#include <cli/report_run.h>
#include <cli/report_users.h>
#include <os/clock.h>
#include <os/log_sink.h>
#include <os/thread.h>
#include <string.h>

#define TICK_MS 100
/* What is kept of the engine's reason. */
#define REASON_BYTES ERROR_TEXT_BYTES

struct run {
	const struct report_plan *plan;
	struct log log;
	struct wa_engine *engine;
	struct report_ask *ask;
	struct users *users;

	struct mutex lock; /* guards what follows, until it is told */
	struct condition told;
	bool is_told;
	enum wa_reason reason;
	char detail[REASON_BYTES];
	const struct config *config; /* a reference */
	struct config_directory directory;
	const struct dir_forest *forest; /* a reference */
	struct closure *closure;         /* a reference */
};

static void write_log(void *context, enum wa_log_level level, const char *line)
{
	log_sink_stderr(context, (enum log_level)level, line);
}

static enum status open_engine(struct run *run, bool *is_usage_out, struct error *error)
{
	const struct wa_options options = {
	    .log = {.level = (enum wa_log_level)run->plan->level, .write = write_log},
	    .dry_run = true,
	    .no_cache = true, /* nobody is asked about twice */
	};
	struct wa_error reason;

	if (wa_engine_open(run->plan->policy, &options, &run->engine, &reason))
		return STATUS_OK;
	*is_usage_out = true;
	(void)error_set(error, STATUS_INVALID, "%s", reason.what);
	return reason.hint[0] == '\0' ? STATUS_INVALID : error_hint(error, STATUS_INVALID, "%s", reason.hint);
}

/* On the engine's thread. */
static void ground_is_known(void *context, const struct review_ground *ground)
{
	struct run *run = context;

	mutex_lock(&run->lock);
	run->is_told = true;
	run->reason = ground->reason;
	if (ground->detail != NULL)
		(void)strncpy(run->detail, ground->detail, sizeof(run->detail) - 1);
	run->config = config_ref(ground->config);
	run->directory = *ground->directory;
	run->forest = ground->forest == NULL ? NULL : dir_forest_ref(ground->forest);
	run->closure = ground->closure == NULL ? NULL : closure_ref(ground->closure);
	condition_signal(&run->told);
	mutex_unlock(&run->lock);
}

static enum status tick(struct run *run, struct error *error)
{
	const struct report_handler *handler = &run->plan->handler;

	if (run->users != NULL)
		users_tick(run->users);
	return handler->tick(handler->context, error);
}

/* Also when it is to be ended: the engine answers, and closing it answers at the latest. */
static enum status await_ground(struct run *run, struct error *error)
{
	enum status status = STATUS_OK;
	bool is_told = false;

	while (status == STATUS_OK && !is_told) {
		mutex_lock(&run->lock);
		if (!run->is_told)
			(void)condition_wait_until(&run->told, &run->lock, clock_monotonic_ms() + TICK_MS);
		is_told = run->is_told;
		mutex_unlock(&run->lock);
		status = tick(run, error);
	}
	if (status != STATUS_OK || run->reason == WA_REASON_NONE)
		return status;
	(void)error_set(error, STATUS_UNREACHABLE, "the groups of the policy cannot be read: %s%s%s",
			wa_reason_word(run->reason), run->detail[0] != '\0' ? ": " : "", run->detail);
	return error_hint(error, STATUS_UNREACHABLE, "see 'wsmauthz doctor'");
}

static enum status take_user(void *context, const struct dir_entry *user)
{
	struct run *run = context;
	struct arena *arena = arena_new(REPORT_MAX_ROW_BYTES);
	struct report_names names = {.count = 0};
	enum status status = STATUS_NO_MEMORY;

	if (arena != NULL)
		status = report_names_of(run->config, &run->directory, run->forest, user, arena, &names);
	if (status != STATUS_OK || names.is_no_user) {
		arena_free(&arena);
		return status;
	}
	return report_ask_user(run->ask, arena, &names, user->dn);
}

static void list_has_ended(void *context, const struct error *error)
{
	struct run *run = context;

	report_ask_end(run->ask, error);
}

static enum status list_users(struct run *run, struct error *error)
{
	const struct report_handler *handler = &run->plan->handler;
	const struct users_plan plan = {
	    .directory = &run->directory,
	    .forest = run->forest,
	    .log = &run->log,
	    .take = take_user,
	    .ended = list_has_ended,
	    .context = run,
	};
	enum status status = handler->begin(handler->context, run->config, run->closure, error);

	if (status != STATUS_OK)
		return status;
	run->ask = report_ask_open(run->engine, run->config, run->plan->url);
	return run->ask == NULL ? error_no_memory(error) : users_open(&plan, &run->users, error);
}

static enum status take_rows(struct run *run, struct error *error)
{
	const struct report_handler *handler = &run->plan->handler;
	const struct report_row *row = NULL;
	uint64_t ticked_ms = 0;
	enum status status = STATUS_OK;
	enum report_next next;

	while (status == STATUS_OK && (next = report_ask_next(run->ask, &row, error)) != REPORT_END) {
		const uint64_t now_ms = clock_monotonic_ms();

		if (next == REPORT_BROKEN)
			return error->status;
		if (next == REPORT_ROW) {
			status = handler->row(handler->context, row, error);
			report_ask_taken(run->ask);
		}
		if (status == STATUS_OK && now_ms >= ticked_ms + TICK_MS) {
			ticked_ms = now_ms;
			status = tick(run, error);
		}
	}
	return status;
}

/* The list waits for room, so it is let go first; its questions are answered by the engine's end. */
static void close_all(struct run *run)
{
	if (run->ask != NULL)
		report_ask_break(run->ask);
	users_close(&run->users);
	wa_engine_close(&run->engine);
	report_ask_close(&run->ask);
	closure_unref(&run->closure);
	dir_forest_unref(&run->forest);
	config_unref(&run->config);
	condition_done(&run->told);
	mutex_done(&run->lock);
}

enum status report_run(const struct report_plan *plan, bool *is_usage_out, struct error *error)
{
	struct run run = {.plan = plan, .log = {.level = plan->level, .write = log_sink_stderr}};
	enum status status;

	*is_usage_out = false;
	mutex_init(&run.lock);
	condition_init(&run.told);
	status = open_engine(&run, is_usage_out, error);
	if (status == STATUS_OK && !review_ground(run.engine, ground_is_known, &run))
		status = error_no_memory(error);
	if (status == STATUS_OK)
		status = await_ground(&run, error);
	if (status == STATUS_OK)
		status = list_users(&run, error);
	if (status == STATUS_OK)
		status = take_rows(&run, error);
	close_all(&run);
	return status;
}
