/* SPDX-License-Identifier: Apache-2.0 */
#include <authorizer/metrics.h>

#include <base/memory.h>
#include <os/clock.h>
#include <os/file_publish.h>
#include <os/thread.h>
#include <stdbool.h>

struct metrics {
	struct executor *executor;
	const struct log *log;
	struct metrics_source source;

	struct mutex lock; /* guards: thread, is_stopping, config, is_asked, is_fresh */
	struct condition changed;
	struct thread thread; /* joined without the lock: nobody starts it once is_stopping is set */
	bool is_stopping;
	const struct config *config; /* whose file it is to be; NULL: none */
	bool is_asked;               /* `asking` is posted */
	bool is_fresh;               /* ... and has run since it was last waited for */
	struct task asking;

	/* The thread's own. */
	const struct config *followed;
	struct file_publish *file; /* of `followed`; NULL: none */
	struct text text;
	uint64_t failures;
	bool is_failing, has_told_other;
};

/* On the executor. */
static void refresh(void *context)
{
	struct metrics *metrics = context;

	metrics->source.refresh(metrics->source.context);
	mutex_lock(&metrics->lock);
	metrics->is_asked = false;
	metrics->is_fresh = true;
	condition_broadcast(&metrics->changed);
	mutex_unlock(&metrics->lock);
}

/* An executor that is busy may be late: the figures are then those of before. */
static void ask(struct metrics *metrics)
{
	const uint64_t patience_ms = clock_monotonic_ms() + METRICS_PATIENCE_MS;
	bool is_in_time = true;

	mutex_lock(&metrics->lock);
	metrics->is_fresh = false;
	if (!metrics->is_asked) {
		metrics->is_asked = true;
		executor_post(metrics->executor, &metrics->asking);
	}
	while (!metrics->is_fresh && !metrics->is_stopping && is_in_time)
		is_in_time = condition_wait_until(&metrics->changed, &metrics->lock, patience_ms);
	mutex_unlock(&metrics->lock);
}

static enum status open_file(struct metrics *metrics, struct error *error)
{
	if (metrics->file != NULL || metrics->followed->metrics_file == NULL)
		return STATUS_OK;
	return file_publish_open(metrics->followed->metrics_file, &metrics->file, error);
}

static enum status write_file(struct metrics *metrics, struct error *error)
{
	const enum status status = open_file(metrics, error);

	if (status != STATUS_OK || metrics->file == NULL)
		return status;
	text_clear(&metrics->text);
	metrics->source.format(metrics->source.context, metrics->failures, metrics->followed->metrics_interval_ms,
			       &metrics->text);
	if (text_failed(&metrics->text))
		return error_no_memory(error);
	return file_publish_write(metrics->file, text_string(&metrics->text), metrics->text.length, error);
}

static void look_for_others(struct metrics *metrics)
{
	if (metrics->has_told_other || metrics->file == NULL || !file_publish_is_replaced(metrics->file))
		return;
	log_warning(metrics->log,
		    "%s: another process writes '%s' too: the figures are now of the one, now of the other (give each "
		    "a policy with a file of its own)",
		    metrics->followed->path, metrics->followed->metrics_file);
	metrics->has_told_other = true;
}

static void publish(struct metrics *metrics)
{
	struct error error = {.status = STATUS_OK};

	look_for_others(metrics);
	if (write_file(metrics, &error) != STATUS_OK) {
		metrics->failures++;
		if (!metrics->is_failing)
			log_failure(metrics->log, LOG_LEVEL_WARNING, "the metrics are not written", &error);
		metrics->is_failing = true;
	} else if (metrics->is_failing) {
		log_warning(metrics->log, "the metrics are written again");
		metrics->is_failing = false;
	}
}

/* Until the next time, or something else is wanted. False when it is time to end. */
static bool wait(struct metrics *metrics, uint64_t due_ms)
{
	const struct config *before = NULL;
	bool is_stopping;

	mutex_lock(&metrics->lock);
	while (!metrics->is_stopping && metrics->config == metrics->followed &&
	       condition_wait_until(&metrics->changed, &metrics->lock, due_ms)) {
	}
	is_stopping = metrics->is_stopping;
	if (!is_stopping && metrics->config != metrics->followed) {
		before = metrics->followed;
		metrics->followed = config_ref(metrics->config);
	}
	mutex_unlock(&metrics->lock);
	if (before != NULL) {
		file_publish_close(&metrics->file);
		metrics->is_failing = metrics->has_told_other = false;
		config_unref(&before);
	}
	return !is_stopping;
}

static void run(void *context)
{
	struct metrics *metrics = context;
	uint64_t due_ms;

	do {
		due_ms = clock_monotonic_ms() + metrics->followed->metrics_interval_ms;
		if (metrics->followed->metrics_file != NULL) {
			ask(metrics);
			publish(metrics);
		}
	} while (wait(metrics, due_ms));
	file_publish_close(&metrics->file);
}

struct metrics *metrics_open(struct executor *executor, const struct log *log, const struct metrics_source *source)
{
	struct metrics *metrics = memory_new(sizeof(*metrics));

	if (metrics == NULL)
		return NULL;
	metrics->executor = executor;
	metrics->log = log;
	metrics->source = *source;
	metrics->asking = (struct task){.run = refresh, .context = metrics};
	mutex_init(&metrics->lock);
	condition_init(&metrics->changed);
	text_init(&metrics->text);
	return metrics;
}

static enum status start_locked(struct metrics *metrics, struct error *error) REQUIRES(metrics->lock);

static enum status start_locked(struct metrics *metrics, struct error *error)
{
	enum status status;

	if (metrics->thread.started || metrics->is_stopping || metrics->config->metrics_file == NULL)
		return STATUS_OK;
	metrics->followed = config_ref(metrics->config);
	status = thread_start(&metrics->thread, "wa-metrics", run, metrics, error);
	if (status != STATUS_OK)
		config_unref(&metrics->followed);
	return status;
}

void metrics_follow(struct metrics *metrics, const struct config *config)
{
	struct error error = {.status = STATUS_OK};
	const struct config *before;
	enum status status;

	mutex_lock(&metrics->lock);
	before = metrics->config;
	metrics->config = config_ref(config);
	status = start_locked(metrics, &error);
	condition_broadcast(&metrics->changed);
	mutex_unlock(&metrics->lock);
	config_unref(&before);
	if (status != STATUS_OK)
		log_failure(metrics->log, LOG_LEVEL_WARNING, "the metrics are not written", &error);
}

void metrics_stop(struct metrics *metrics)
{
	mutex_lock(&metrics->lock);
	metrics->is_stopping = true;
	condition_broadcast(&metrics->changed);
	mutex_unlock(&metrics->lock);
	thread_join(&metrics->thread);
}

void metrics_close(struct metrics **reference)
{
	struct metrics *metrics = *reference;

	*reference = NULL;
	if (metrics == NULL)
		return;
	metrics_stop(metrics);
	config_unref(&metrics->config);
	config_unref(&metrics->followed);
	text_done(&metrics->text);
	condition_done(&metrics->changed);
	mutex_done(&metrics->lock);
	memory_free(metrics);
}
