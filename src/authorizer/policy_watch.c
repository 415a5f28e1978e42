/* SPDX-License-Identifier: Apache-2.0 */
#include <authorizer/policy_watch.h>

#include <assert.h>
#include <base/memory.h>
#include <os/file_watch.h>
#include <os/thread.h>
#include <stdbool.h>
#include <string.h>

/* The policy, a secret, CA and CRL files. */
#define MAX_FILES 4

/* What is to be heard: a policy, then an error, or one of them. */
struct news {
	const struct config *config; /* owned; NULL: none */
	struct error error;          /* of a later look; STATUS_OK: none */
	bool is_as_before;           /* a later look found again what was told last */
};

struct policy_watch {
	struct executor *executor;
	const struct log *log;
	policy_watch_fn *heard;
	void *context;
	char *path; /* owned */
	struct thread thread;

	struct mutex lock; /* guards: is_stopping, first, last, files (who only waits: see there), news, is_posted */
	bool is_stopping;
	struct task *first, *last;
	struct file_watch *files; /* only the thread changes it, and waits on it without the lock */
	struct news news;
	bool is_posted; /* `telling` waits on the executor */
	struct task telling;

	/* The thread's own. */
	const struct config *told;
	bool is_followed;       /* `files` are those of `told` */
	bool is_good;           /* what was read last is usable */
	bool has_warned;        /* that the files could not be followed */
	struct error complaint; /* why not */
};

/* On the executor. */
static void tell_news(void *context)
{
	struct policy_watch *watch = context;
	struct news news;
	bool is_stopping;

	mutex_lock(&watch->lock);
	news = watch->news;
	watch->news.config = NULL;
	watch->news.error.status = STATUS_OK;
	watch->news.is_as_before = false;
	watch->is_posted = false;
	is_stopping = watch->is_stopping;
	mutex_unlock(&watch->lock);
	if (is_stopping) {
		config_unref(&news.config);
		return;
	}
	if (news.config != NULL)
		watch->heard(watch->context, news.config, NULL);
	if (news.error.status != STATUS_OK)
		watch->heard(watch->context, NULL, &news.error);
	else if (news.is_as_before)
		watch->heard(watch->context, NULL, NULL);
}

static void post_news_locked(struct policy_watch *watch) REQUIRES(watch->lock);

static void post_news_locked(struct policy_watch *watch)
{
	if (watch->is_posted)
		return;
	watch->is_posted = true;
	executor_post(watch->executor, &watch->telling);
}

/* Takes the reference. What nobody has heard yet is of yesterday. */
static void tell_policy(struct policy_watch *watch, const struct config *config)
{
	const struct config *stale;

	mutex_lock(&watch->lock);
	stale = watch->news.config;
	watch->news.config = config;
	watch->news.error.status = STATUS_OK;
	post_news_locked(watch);
	mutex_unlock(&watch->lock);
	config_unref(&stale);
}

static void tell_error(struct policy_watch *watch, const struct error *error)
{
	mutex_lock(&watch->lock);
	watch->news.error = *error;
	watch->news.is_as_before = false;
	post_news_locked(watch);
	mutex_unlock(&watch->lock);
}

/* What was wrong is right again, before anybody has heard of it perhaps. */
static void tell_as_before(struct policy_watch *watch)
{
	mutex_lock(&watch->lock);
	watch->news.error.status = STATUS_OK;
	watch->news.is_as_before = true;
	post_news_locked(watch);
	mutex_unlock(&watch->lock);
}

static void complain(struct policy_watch *watch, const struct error *error)
{
	const bool is_known = !watch->is_good && strcmp(watch->complaint.what, error->what) == 0;

	watch->is_good = false;
	watch->complaint = *error;
	if (!is_known)
		tell_error(watch, error);
}

static void take(struct policy_watch *watch, const struct config *config)
{
	const bool is_news = !config_is_same(config, watch->told);

	if (!watch->is_good && !is_news) {
		tell_as_before(watch);
		log_info(watch->log, "%s: the policy is again what it was before", watch->path);
	}
	watch->is_good = true;
	if (!is_news)
		return;
	config_unref(&watch->told);
	watch->told = config_ref(config);
	watch->is_followed = false;
	tell_policy(watch, config_ref(config));
}

static void look(struct policy_watch *watch)
{
	const struct config *config = NULL;
	struct error error = {.status = STATUS_OK};

	if (config_load(watch->path, &config, &error) == STATUS_OK)
		take(watch, config);
	else
		complain(watch, &error);
	config_unref(&config);
}

static size_t list_files(const struct config *config, const char *path, const char *files[MAX_FILES])
{
	const struct config_directory *directory = &config->directories[0];
	const char *const named[] = {directory->bind_secret_file, directory->tls_ca_file, directory->tls_crl_file};
	size_t count = 0;

	files[count++] = path;
	for (size_t i = 0; i < COUNT_OF(named); i++)
		if (named[i] != NULL)
			files[count++] = named[i];
	return count;
}

static struct task *next_task(struct policy_watch *watch, bool *is_stopping_out)
{
	struct task *task;

	mutex_lock(&watch->lock);
	task = watch->first;
	if (task != NULL)
		watch->first = task->next;
	if (watch->first == NULL)
		watch->last = NULL;
	*is_stopping_out = watch->is_stopping;
	mutex_unlock(&watch->lock);
	return task;
}

/* False when it is time to end. */
static bool run_tasks(struct policy_watch *watch)
{
	bool is_stopping;
	struct task *task;

	while ((task = next_task(watch, &is_stopping)) != NULL)
		task->run(task->context);
	return !is_stopping;
}

static void set_files(struct policy_watch *watch, struct file_watch *files)
{
	struct file_watch *before;

	mutex_lock(&watch->lock);
	before = watch->files;
	watch->files = files;
	mutex_unlock(&watch->lock);
	file_watch_close(&before);
}

/* Watch the files of the policy that was told last. False: those of before are watched on, and it is to be tried again. */
static bool follow(struct policy_watch *watch)
{
	const char *paths[MAX_FILES];
	const size_t count = list_files(watch->told, watch->path, paths);
	struct file_watch *files = NULL;
	struct error error = {.status = STATUS_OK};

	watch->is_followed = file_watch_open(paths, count, &files, &error) == STATUS_OK;
	if (watch->is_followed)
		set_files(watch, files);
	else if (!watch->has_warned)
		log_failure(watch->log, LOG_LEVEL_WARNING, "the files that the new policy names are not watched yet",
			    &error);
	watch->has_warned = !watch->is_followed;
	return watch->is_followed;
}

static void run_watch(void *context)
{
	struct policy_watch *watch = context;
	bool is_due = true; /* for what changed before the watch began */
	bool is_settled;

	while (run_tasks(watch)) {
		if (is_due)
			look(watch);
		if (!watch->is_followed && follow(watch)) {
			is_due = true; /* likewise */
			continue;
		}
		is_settled = watch->is_good && watch->is_followed;
		is_due = file_watch_wait(watch->files, is_settled ? FILE_WATCH_FOREVER : POLICY_WATCH_RETRY_MS) ||
			 !is_settled;
	}
}

/* A watch without a thread. NULL: no memory. */
static struct policy_watch *new_watch(const struct config *config)
{
	struct policy_watch *watch = memory_new(sizeof(*watch));

	if (watch == NULL)
		return NULL;
	mutex_init(&watch->lock);
	watch->path = memory_copy_text(config->path);
	watch->told = config_ref(config);
	watch->is_good = watch->is_followed = true;
	watch->telling = (struct task){.run = tell_news, .context = watch};
	if (watch->path == NULL)
		policy_watch_close(&watch);
	return watch;
}

static enum status start(struct policy_watch *watch, struct policy_watch **watch_out, struct error *error)
{
	enum status status;

	/* The new thread waits for the lock: what it tells comes when the watch is known to whoever opened it. */
	mutex_lock(&watch->lock);
	status = thread_start(&watch->thread, "wa-policy", run_watch, watch, error);
	if (status == STATUS_OK)
		*watch_out = watch;
	mutex_unlock(&watch->lock);
	return status;
}

enum status policy_watch_open(const struct config *config, struct executor *executor, const struct log *log,
			      policy_watch_fn *heard, void *context, struct policy_watch **watch_out,
			      struct error *error)
{
	struct policy_watch *watch = new_watch(config);
	const char *paths[MAX_FILES];
	enum status status;

	if (watch == NULL)
		return error_no_memory(error);
	watch->executor = executor;
	watch->log = log;
	watch->heard = heard;
	watch->context = context;
	status = file_watch_open(paths, list_files(config, watch->path, paths), &watch->files, error);
	if (status == STATUS_OK)
		status = start(watch, watch_out, error);
	if (status != STATUS_OK)
		policy_watch_close(&watch);
	return status;
}

void policy_watch_run(struct policy_watch *watch, struct task *task)
{
	mutex_lock(&watch->lock);
	assert(!watch->is_stopping);
	task->next = NULL;
	if (watch->last != NULL)
		watch->last->next = task;
	else
		watch->first = task;
	watch->last = task;
	file_watch_wake(watch->files);
	mutex_unlock(&watch->lock);
}

void policy_watch_stop(struct policy_watch *watch)
{
	mutex_lock(&watch->lock);
	watch->is_stopping = true;
	if (watch->files != NULL)
		file_watch_wake(watch->files);
	mutex_unlock(&watch->lock);
	thread_join(&watch->thread);
}

void policy_watch_close(struct policy_watch **reference)
{
	struct policy_watch *watch = *reference;

	*reference = NULL;
	if (watch == NULL)
		return;
	policy_watch_stop(watch);
	file_watch_close(&watch->files);
	config_unref(&watch->told);
	memory_free(watch->path);
	mutex_done(&watch->lock);
	memory_free(watch);
}
