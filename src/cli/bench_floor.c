/* SPDX-License-Identifier: Apache-2.0 */
#include <base/memory.h>
#include <cli/bench_floor.h>
#include <cli/bench_floor_filter.h>
#include <cli/machine.h>
#include <config/config.h>
#include <directory/dir_conn.h>
#include <directory/dir_locator.h>
#include <os/clock.h>
#include <os/thread.h>
#include <string.h>

#define NS_PER_MS UINT64_C(1000000)
/*
 * Searches of one turn: so many that the moments at its two ends, when fewer than a window are in flight, do not count, unless the
 * server is so slow that a turn would not end in time.
 */
#define TURN_FIRST    DIR_CONN_WINDOW
#define TURN_MAX      ((size_t)16 * DIR_CONN_WINDOW)
#define TURN_LIMIT_MS 50
/* As the engine: one entry is the user, the others are look-alikes. */
#define SIZE_LIMIT 8

struct lane {
	struct floor *floor;
	struct thread thread;
	struct dir_conn *conn;
	struct dir_search *searches; /* owned: [TURN_MAX] */
	struct dir_turn turns[TURN_MAX];
	size_t cursor; /* the next filter */
	bool is_single;
	uint64_t end_ns;
	struct floor_result result;
	enum status status;
	struct error error;
};

struct floor {
	const struct config *config;
	const char **attributes;     /* owned; the names are borrowed */
	struct dir_servers *servers; /* a reference */
	char **filters;              /* owned: [filter_count] */
	size_t filter_count;
	struct lane *lanes; /* owned: [lane_count], those that were opened */
	unsigned lane_count;
	struct mutex lock; /* guards: running */
	struct condition ended;
	unsigned running;
};

static const struct config_directory *directory_of(const struct floor *floor)
{
	return &floor->config->directories[0];
}

static enum status write_filters(struct floor *floor, const struct senders *senders, struct error *error)
{
	size_t count = senders->count < FLOOR_MAX_SENDERS ? senders->count : FLOOR_MAX_SENDERS;
	size_t length;

	floor->filters = memory_new_array(count, sizeof(*floor->filters));
	if (floor->filters == NULL)
		return error_no_memory(error);
	for (size_t i = 0; i < count; i++) {
		const char *name = senders_text(senders, i, &length);
		enum status status =
		    floor_filter(floor->config, name, length, &floor->filters[floor->filter_count], error);

		if (status == STATUS_OK)
			floor->filter_count++;
		else if (status != STATUS_INVALID)
			return status;
	}
	if (floor->filter_count == 0)
		return error_set(error, STATUS_INVALID, "none of the senders is one that the policy would look up");
	return STATUS_OK;
}

/* The first of its servers that can be had, as the pool would. */
static enum status connect_lane(struct lane *lane, struct error *error)
{
	const struct config_directory *directory = directory_of(lane->floor);
	const struct dir_servers *servers = lane->floor->servers;
	enum status status = STATUS_UNREACHABLE;

	for (size_t i = 0; i < dir_servers_count(servers) && status != STATUS_OK; i++)
		status = dir_conn_open(directory, dir_servers_uri(servers, i),
				       clock_monotonic_ms() + directory->timeout_ms, &lane->conn, error);
	return status;
}

static enum status open_searches(struct lane *lane, struct error *error)
{
	lane->searches = memory_new_array(TURN_MAX, sizeof(*lane->searches));
	if (lane->searches == NULL)
		return error_no_memory(error);
	for (size_t i = 0; i < TURN_MAX; i++) {
		struct dir_search *search = &lane->searches[i];
		enum status status = dir_search_init(search, error);

		if (status != STATUS_OK)
			return status;
		search->base = directory_of(lane->floor)->base;
		search->scope = DIR_SCOPE_SUBTREE;
		search->attributes = lane->floor->attributes;
		search->size_limit = SIZE_LIMIT;
		lane->turns[i].search = search;
	}
	return STATUS_OK;
}

static void close_lane(struct lane *lane)
{
	dir_conn_close(&lane->conn);
	for (size_t i = 0; lane->searches != NULL && i < TURN_MAX; i++)
		dir_search_done(&lane->searches[i]);
	memory_free(lane->searches);
}

static enum status open_lanes(struct floor *floor, struct error *error)
{
	unsigned count = directory_of(floor)->connections;

	floor->lanes = memory_new_array(count, sizeof(*floor->lanes));
	if (floor->lanes == NULL)
		return error_no_memory(error);
	for (unsigned i = 0; i < count; i++) {
		struct lane *lane = &floor->lanes[floor->lane_count++];
		enum status status;

		lane->floor = floor;
		lane->cursor = floor->filter_count / count * i;
		status = open_searches(lane, error);
		if (status == STATUS_OK)
			status = connect_lane(lane, error);
		if (status != STATUS_OK)
			return status;
	}
	return STATUS_OK;
}

enum status floor_open(const char *policy_path, const struct senders *senders, struct floor **floor_out,
		       struct error *error)
{
	struct floor *floor = memory_new(sizeof(*floor));
	enum status status;

	if (floor == NULL)
		return error_no_memory(error);
	mutex_init(&floor->lock);
	condition_init(&floor->ended);
	dir_conn_prepare_process();
	status = config_load(policy_path, &floor->config, error);
	if (status == STATUS_OK)
		status = floor_attributes(floor->config, &floor->attributes, error);
	if (status == STATUS_OK)
		status = write_filters(floor, senders, error);
	if (status == STATUS_OK)
		status =
		    dir_locator_find(directory_of(floor), NULL, clock_monotonic_ms() + directory_of(floor)->timeout_ms,
				     &floor->servers, error);
	if (status == STATUS_OK)
		status = open_lanes(floor, error);
	if (status != STATUS_OK)
		floor_close(&floor);
	else
		*floor_out = floor;
	return status;
}

void floor_close(struct floor **reference)
{
	struct floor *floor = *reference;

	*reference = NULL;
	if (floor == NULL)
		return;
	for (unsigned i = 0; i < floor->lane_count; i++)
		close_lane(&floor->lanes[i]);
	memory_free(floor->lanes);
	for (size_t i = 0; i < floor->filter_count; i++)
		memory_free(floor->filters[i]);
	memory_free(floor->filters);
	memory_free(floor->attributes);
	dir_servers_unref(&floor->servers);
	config_unref(&floor->config);
	condition_done(&floor->ended);
	mutex_done(&floor->lock);
	memory_free(floor);
}

unsigned floor_connections(const struct floor *floor)
{
	return floor->lane_count;
}

static enum status check_answers(struct lane *lane, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct dir_search *search = &lane->searches[i];

		if (search->outcome != DIR_OUTCOME_OK) {
			(void)dir_search_failure(search, &lane->error);
			return STATUS_REFUSED;
		}
		lane->result.searches++;
		lane->result.found += search->entry_count > 0 ? 1 : 0;
	}
	return STATUS_OK;
}

static enum status exchange(struct lane *lane, size_t count)
{
	struct floor *floor = lane->floor;
	uint64_t deadline_ms = clock_monotonic_ms() + directory_of(floor)->timeout_ms;
	enum status status;

	for (size_t i = 0; i < count; i++) {
		dir_search_reset(&lane->searches[i]);
		lane->searches[i].filter = floor->filters[lane->cursor++ % floor->filter_count];
		lane->turns[i].deadline_ms = deadline_ms;
	}
	status = dir_conn_exchange(lane->conn, lane->turns, count, &lane->error);
	return status == STATUS_OK ? check_answers(lane, count) : status;
}

static void run_single(struct lane *lane)
{
	uint64_t before_ns = machine_ns();

	while (lane->status == STATUS_OK && before_ns < lane->end_ns) {
		lane->status = exchange(lane, 1);
		histogram_add(&lane->result.latency, machine_ns() - before_ns);
		before_ns = machine_ns();
	}
}

static void run_turns(struct lane *lane)
{
	size_t count = TURN_FIRST;

	while (lane->status == STATUS_OK && machine_ns() < lane->end_ns) {
		uint64_t before_ns = machine_ns();

		lane->status = exchange(lane, count);
		if (machine_ns() - before_ns < TURN_LIMIT_MS * NS_PER_MS / 2 && count < TURN_MAX)
			count *= 2;
	}
}

static void run_lane(void *context)
{
	struct lane *lane = context;
	struct floor *floor = lane->floor;
	uint64_t begin_ns = machine_ns();

	if (lane->is_single)
		run_single(lane);
	else
		run_turns(lane);
	lane->result.elapsed_ns = machine_ns() - begin_ns;
	mutex_lock(&floor->lock);
	floor->running--;
	condition_signal(&floor->ended);
	mutex_unlock(&floor->lock);
}

static enum status start_lane(struct lane *lane, bool is_single, uint64_t duration_ms, struct error *error)
{
	struct floor *floor = lane->floor;
	enum status status;

	memset(&lane->result, 0, sizeof(lane->result));
	lane->status = STATUS_OK;
	lane->is_single = is_single;
	lane->end_ns = machine_ns() + duration_ms * NS_PER_MS;
	mutex_lock(&floor->lock);
	floor->running++;
	mutex_unlock(&floor->lock);
	status = thread_start(&lane->thread, "wsmauthz-floor", run_lane, lane, error);
	if (status != STATUS_OK) {
		mutex_lock(&floor->lock);
		floor->running--;
		mutex_unlock(&floor->lock);
	}
	return status;
}

static void wait_for_lanes(struct floor *floor, const struct progress *progress)
{
	mutex_lock(&floor->lock);
	while (floor->running > 0) {
		(void)condition_wait_until(&floor->ended, &floor->lock, clock_monotonic_ms() + PROGRESS_STEP_MS);
		mutex_unlock(&floor->lock);
		progress_show(progress);
		mutex_lock(&floor->lock);
	}
	mutex_unlock(&floor->lock);
}

/* Lanes end a little apart: the time of all is that of the slowest. */
static enum status run_lanes(struct floor *floor, unsigned count, uint64_t duration_ms, const struct progress *progress,
			     struct floor_result *result, struct error *error)
{
	bool is_single = count == 0;
	unsigned lanes = is_single ? 1 : count, started = 0;
	enum status status = STATUS_OK;
	uint64_t elapsed_ns = 0;

	while (started < lanes && status == STATUS_OK) {
		status = start_lane(&floor->lanes[started], is_single, duration_ms, error);
		started += status == STATUS_OK ? 1 : 0;
	}
	wait_for_lanes(floor, progress);
	for (unsigned i = 0; i < started; i++) {
		struct lane *lane = &floor->lanes[i];

		thread_join(&lane->thread);
		histogram_merge(&result->latency, &lane->result.latency);
		result->searches += lane->result.searches;
		result->found += lane->result.found;
		if (lane->result.elapsed_ns > elapsed_ns)
			elapsed_ns = lane->result.elapsed_ns;
		if (status == STATUS_OK && lane->status != STATUS_OK) {
			status = lane->status;
			if (error != NULL)
				*error = lane->error;
		}
	}
	result->elapsed_ns += elapsed_ns;
	return status;
}

enum status floor_run_single(struct floor *floor, uint64_t duration_ms, const struct progress *progress,
			     struct floor_result *result, struct error *error)
{
	return run_lanes(floor, 0, duration_ms, progress, result, error);
}

enum status floor_run_pipelined(struct floor *floor, uint64_t duration_ms, const struct progress *progress,
				struct floor_result *result, struct error *error)
{
	return run_lanes(floor, floor->lane_count, duration_ms, progress, result, error);
}
