/* SPDX-License-Identifier: Apache-2.0 */
#include <authorizer/policy_watch.h>
#include <base/memory.h>
#include <os/file_watch.h>
#include <os/thread.h>
#include <string.h>

/* The policy, a secret, CA and CRL files. */
#define MAX_FILES 4

/* Something to be heard on the executor. */
struct news {
	struct policy_watch *watch;
	const struct config *config; /* NULL: `error` */
	struct error error;
	struct task task;
};

struct policy_watch {
	struct executor *executor;
	const struct log *log;
	policy_watch_fn *heard;
	void *context;
	struct thread thread;

	struct mutex lock; /* guards what follows */
	bool is_stopping;
	struct task *first, *last;
	struct file_watch *files; /* to wake it; only the thread changes it */

	/* the thread's own */
	const struct config *told;
	struct error complaint; /* the last one that was told; STATUS_OK: none */
};

static void run_news(void *context)
{
	struct news *news = context;

	news->watch->heard(news->watch->context, news->config, news->config == NULL ? &news->error : NULL);
	memory_free(news);
}

/* Takes the reference. */
static void tell(struct policy_watch *watch, const struct config *config, const struct error *error)
{
	struct news *news = memory_new(sizeof(*news));

	if (news == NULL) {
		log_error(watch->log, "no memory to tell of a new policy: it is read again");
		config_unref(&config);
		config_unref(&watch->told); /* whatever is read next is new */
		return;
	}
	*news = (struct news){.watch = watch, .config = config, .task = {.run = run_news, .context = news}};
	if (error != NULL)
		news->error = *error;
	executor_post(watch->executor, &news->task);
}

static bool is_news(const struct policy_watch *watch, const struct config *config)
{
	return watch->told == NULL || digest_compare(&watch->told->content, &config->content) != 0;
}

/* Read the policy. False: it is unusable. */
static bool look(struct policy_watch *watch, const char *path)
{
	const struct config *config = NULL;
	struct error error = {.status = STATUS_OK};

	if (config_load(path, &config, &error) != STATUS_OK) {
		if (watch->complaint.status == STATUS_OK || strcmp(watch->complaint.what, error.what) != 0)
			tell(watch, NULL, &error);
		watch->complaint = error;
		return false;
	}
	watch->complaint.status = STATUS_OK;
	if (is_news(watch, config)) {
		config_unref(&watch->told);
		watch->told = config_ref(config);
		tell(watch, config_ref(config), NULL);
	}
	config_unref(&config);
	return true;
}

static size_t list_files(const struct config *config, const char *path, const char *files[MAX_FILES])
{
	const struct config_directory *directory = config == NULL ? NULL : &config->directories[0];
	const char *const named[] = {directory == NULL ? NULL : directory->bind_secret_file,
				     directory == NULL ? NULL : directory->tls_ca_file,
				     directory == NULL ? NULL : directory->tls_crl_file};
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

/* Follow the files of the policy that was told last. Without memory or descriptors those of before are followed on. */
static void follow(struct policy_watch *watch, const char *path)
{
	const char *paths[MAX_FILES];
	size_t count = list_files(watch->told, path, paths);
	struct file_watch *files = NULL;
	struct error error;

	if (file_watch_open(paths, count, &files, &error) == STATUS_OK)
		set_files(watch, files);
	else
		log_failure(watch->log, LOG_LEVEL_WARNING, "the files that the policy names are not watched", &error);
}

static void run_watch(void *context)
{
	struct policy_watch *watch = context;
	char *path = memory_copy_text(watch->told->path);
	bool is_good = true, is_due = true;

	while (run_tasks(watch)) {
		if (is_due && path != NULL) {
			const struct config *before = watch->told;

			is_good = look(watch, path);
			if (watch->told != before) {
				follow(watch, path);
				continue; /* what changed before that is seen by another look */
			}
		}
		is_due =
		    file_watch_wait(watch->files, is_good ? FILE_WATCH_FOREVER : POLICY_WATCH_RETRY_MS) || !is_good;
	}
	memory_free(path);
}

enum status policy_watch_open(const struct config *config, struct executor *executor, const struct log *log,
			      policy_watch_fn *heard, void *context, struct policy_watch **watch_out,
			      struct error *error)
{
	struct policy_watch *watch = memory_new(sizeof(*watch));
	const char *paths[MAX_FILES];
	enum status status;

	if (watch == NULL)
		return error_no_memory(error);
	watch->executor = executor;
	watch->log = log;
	watch->heard = heard;
	watch->context = context;
	watch->told = config_ref(config);
	mutex_init(&watch->lock);
	status = file_watch_open(paths, list_files(config, config->path, paths), &watch->files, error);
	/* Set first: what is heard may want it. */
	*watch_out = watch;
	if (status == STATUS_OK)
		status = thread_start(&watch->thread, "wa-policy", run_watch, watch, error);
	if (status != STATUS_OK)
		policy_watch_close(watch_out);
	return status;
}

void policy_watch_run(struct policy_watch *watch, struct task *task)
{
	mutex_lock(&watch->lock);
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
	mutex_done(&watch->lock);
	memory_free(watch);
}
