/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <authorizer/finder_private.h>
#include <base/memory.h>
#include <os/clock.h>

void finder_append(struct finder_list *list, struct finder_seeker *seeker)
{
	seeker->list = list;
	seeker->next = NULL;
	seeker->before = list->last;
	if (list->last != NULL)
		list->last->next = seeker;
	else
		list->first = seeker;
	list->last = seeker;
	list->count++;
}

void finder_prepend(struct finder_list *list, struct finder_seeker *seeker)
{
	seeker->list = list;
	seeker->before = NULL;
	seeker->next = list->first;
	if (list->first != NULL)
		list->first->before = seeker;
	else
		list->last = seeker;
	list->first = seeker;
	list->count++;
}

void finder_unlink(struct finder_seeker *seeker)
{
	struct finder_list *list = seeker->list;

	if (seeker->before != NULL)
		seeker->before->next = seeker->next;
	else
		list->first = seeker->next;
	if (seeker->next != NULL)
		seeker->next->before = seeker->before;
	else
		list->last = seeker->before;
	list->count--;
	seeker->before = seeker->next = NULL;
	seeker->list = NULL;
}

/* The callbacks may seek again, or free their seekers: each leaves the list first. */
static void tell(struct finder *finder, struct finder_list *told)
{
	struct finder_seeker *seeker;

	while ((seeker = told->first) != NULL) {
		finder_unlink(seeker);
		executor_timer_clear(finder->executor, &seeker->patience);
		seeker->found(seeker);
	}
}

static void patience_is_over(void *context)
{
	struct finder_seeker *seeker = context;

	finder_unlink(seeker);
	finder_time_out(seeker);
	seeker->found(seeker);
}

static void landed(struct dir_request *request);

static void submit(struct finder_flight *flight)
{
	struct finder *finder = flight->finder;

	/* Alone, his deadline is the request's, and what is his may be in use until the pool gives it back. */
	if (!flight->is_merged)
		executor_timer_clear(finder->executor, &flight->aboard.first->patience);
	flight->request.done = landed;
	finder->under_way++;
	dir_pool_submit(finder->pool, &flight->request);
}

/* Those aboard wait again, before all others, and are asked for alone; not who is late. */
static void ask_again(struct finder_flight *flight)
{
	struct finder_seeker *seeker = flight->aboard.last, *before;
	const uint64_t now_ms = clock_monotonic_ms();

	for (; seeker != NULL; seeker = before) {
		before = seeker->before;
		if (seeker->deadline_ms <= now_ms)
			continue;
		finder_unlink(seeker);
		seeker->alone = true;
		finder_prepend(&flight->finder->waiting, seeker);
	}
}

static void move_all(struct finder_list *from, struct finder_list *to)
{
	struct finder_seeker *seeker;

	while ((seeker = from->first) != NULL) {
		finder_unlink(seeker);
		finder_append(to, seeker);
	}
}

static void fail_all(struct finder_list *list, void (*fail)(struct finder_seeker *seeker), struct finder_list *told)
{
	for (struct finder_seeker *seeker = list->first; seeker != NULL; seeker = seeker->next)
		fail(seeker);
	move_all(list, told);
}

/* There is no memory for a search for so many; perhaps there is for one by one. */
static void stay(struct finder_flight *flight, struct finder_list *told)
{
	if (flight->is_merged) {
		ask_again(flight);
		fail_all(&flight->aboard, finder_time_out, told);
	} else {
		fail_all(&flight->aboard, finder_run_out, told);
	}
	finder_flight_free(&flight);
}

/* The first of those who wait, and who goes with him. Who cannot go is told later. */
static void depart(struct finder *finder, struct finder_list *told)
{
	struct finder_seeker *first = finder->waiting.first;
	struct finder_flight *flight = finder_flight_new(finder);

	if (flight == NULL) {
		finder_unlink(first);
		finder_run_out(first);
		finder_append(told, first);
	} else if (finder_flight_prepare(flight) != STATUS_OK) {
		stay(flight, told);
	} else {
		submit(flight);
	}
}

/* Few go in small company; more only when they are full. */
static bool may_depart(const struct finder *finder)
{
	if (finder->under_way < FINDER_WINDOW)
		return finder->waiting.first != NULL;
	return finder->under_way < FINDER_FULL_WINDOW && finder->waiting.count >= FINDER_BATCH;
}

static void depart_all(struct finder *finder, struct finder_list *told)
{
	while (may_depart(finder))
		depart(finder, told);
}

static bool is_final(const struct dir_search *search)
{
	switch (search->outcome) {
	case DIR_OUTCOME_OK:
	case DIR_OUTCOME_NO_SUCH_OBJECT:
	/* To ask again would be refused again, or be too late. */
	case DIR_OUTCOME_TIMEOUT:
	case DIR_OUTCOME_UNAVAILABLE:
		return true;
	case DIR_OUTCOME_NONE:
	case DIR_OUTCOME_LIMIT:
	case DIR_OUTCOME_INCOMPLETE:
	case DIR_OUTCOME_BUSY:
	case DIR_OUTCOME_NOT_PERMITTED:
	case DIR_OUTCOME_REFERRAL:
	case DIR_OUTCOME_REFUSED:
	case DIR_OUTCOME_BAD_CONNECTION:
	case DIR_OUTCOME_NO_MEMORY:
		break;
	}
	return false;
}

/* What came back says nothing about its users: one of them may be why. */
static bool is_in_doubt(const struct finder_flight *flight)
{
	if (!flight->is_merged)
		return false;
	for (size_t i = 0; i < flight->request.search_count; i++)
		if (!is_final(&flight->searches[i]))
			return true;
	return false;
}

static void landed(struct dir_request *request)
{
	struct finder_flight *flight = request->context;
	struct finder *finder = flight->finder;
	const bool in_doubt = is_in_doubt(flight);
	struct finder_list told = {NULL, NULL, 0};

	finder->under_way--;
	if (in_doubt)
		ask_again(flight);
	/* First send, then deal: the directory need not wait for that. */
	depart_all(finder, &told);
	if (in_doubt) {
		fail_all(&flight->aboard, finder_time_out, &told);
	} else {
		finder_deal(flight);
		move_all(&flight->aboard, &told);
	}
	finder_flight_free(&flight);
	tell(finder, &told);
}

static void depart_now(void *context)
{
	struct finder *finder = context;
	struct finder_list told = {NULL, NULL, 0};

	finder->departs = false;
	depart_all(finder, &told);
	tell(finder, &told);
}

struct finder *finder_open(const struct config *config, const char *const *attributes, struct dir_pool *pool,
			   struct executor *executor)
{
	struct finder *finder = memory_new(sizeof(*finder));

	if (finder == NULL)
		return NULL;
	finder->config = config;
	finder->directory = &config->directories[0];
	finder->attributes = attributes;
	finder->pool = pool;
	finder->executor = executor;
	finder->departure = (struct task){.run = depart_now, .context = finder};
	return finder;
}

void finder_set_directory(struct finder *finder, const struct config_directory *directory,
			  const struct dir_forest *forest, unsigned search_flags, const char *const *attributes)
{
	finder->directory = directory;
	finder->forest = forest;
	finder->search_flags = search_flags;
	finder->attributes = attributes;
}

void finder_close(struct finder **finder)
{
	assert(*finder == NULL || ((*finder)->under_way == 0 && (*finder)->waiting.first == NULL));
	memory_free(*finder);
	*finder = NULL;
}

/* At once: it is he alone who is first. */
static enum status go(struct finder *finder, struct finder_seeker *seeker)
{
	struct finder_list told = {NULL, NULL, 0};

	finder_append(&finder->waiting, seeker);
	depart(finder, &told);
	if (told.first == NULL)
		return STATUS_OK;
	finder_unlink(seeker);
	return STATUS_NO_MEMORY;
}

enum status finder_seek(struct finder *finder, struct finder_seeker *seeker)
{
	finder_clear(seeker);
	seeker->patience = (struct timer){.run = patience_is_over, .context = seeker};
	seeker->alone = seeker->extra_count > 0;
	if (finder->under_way < FINDER_WINDOW) {
		assert(finder->waiting.first == NULL);
		return go(finder, seeker);
	}
	if (executor_timer_set(finder->executor, &seeker->patience, seeker->deadline_ms) != STATUS_OK)
		return STATUS_NO_MEMORY;
	finder_append(&finder->waiting, seeker);
	if (may_depart(finder) && !finder->departs) {
		finder->departs = true;
		executor_post(finder->executor, &finder->departure);
	}
	return STATUS_OK;
}
