/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_locator.h>

#include <os/thread.h>

struct waiting {
	struct mutex lock; /* guards: has_passed */
	struct condition passed;
	bool has_passed;
};

static void note_pass(void *context)
{
	struct waiting *waiting = context;

	mutex_lock(&waiting->lock);
	waiting->has_passed = true;
	condition_signal(&waiting->passed);
	mutex_unlock(&waiting->lock);
}

static struct dir_servers *wait_for_servers(struct dir_locator *locator, uint64_t deadline_ms, bool *has_failed_out)
{
	struct waiting waiting = {.has_passed = false};
	struct dir_locator_listener listener = {.passed = note_pass, .context = &waiting};
	bool is_in_time = true;
	struct dir_servers *servers;

	mutex_init(&waiting.lock);
	condition_init(&waiting.passed);
	dir_locator_listen(locator, &listener);
	servers = dir_locator_servers(locator, has_failed_out);
	mutex_lock(&waiting.lock);
	while (servers == NULL && !*has_failed_out && !waiting.has_passed && is_in_time)
		is_in_time = condition_wait_until(&waiting.passed, &waiting.lock, deadline_ms);
	mutex_unlock(&waiting.lock);
	dir_locator_unlisten(locator, &listener);
	if (servers == NULL)
		servers = dir_locator_servers(locator, has_failed_out);
	condition_done(&waiting.passed);
	mutex_done(&waiting.lock);
	return servers;
}

/* Also when it has found nothing for want of memory, which no failure tells of. */
static enum status fail(struct dir_locator *locator, bool has_failed, struct error *error)
{
	struct error failure = {.status = STATUS_OK};

	if (!has_failed)
		return error_set(error, STATUS_TIMEOUT, "the directory's servers were not found in time");
	dir_locator_failure(locator, &failure);
	if (failure.status == STATUS_OK)
		return error_no_memory(error);
	if (error != NULL)
		*error = failure;
	return failure.status;
}

enum status dir_locator_find(const struct config_directory *directory, const struct log *log, uint64_t deadline_ms,
			     struct dir_servers **servers_out, struct error *error)
{
	const struct dir_locator_tuning tuning = DIR_LOCATOR_DEFAULTS;
	struct dir_locator *locator = NULL;
	struct dir_servers *servers;
	bool has_failed = false;
	enum status status;

	if (dir_locator_is_needed(directory)) {
		status = dir_locator_open(directory, log, &tuning, &locator, error);
		if (status != STATUS_OK)
			return status;
		servers = wait_for_servers(locator, deadline_ms, &has_failed);
		if (servers == NULL)
			status = fail(locator, has_failed, error);
		dir_locator_close(&locator);
		if (servers == NULL)
			return status;
	} else {
		servers = dir_servers_of_policy(directory);
		if (servers == NULL)
			return error_no_memory(error);
	}
	*servers_out = servers;
	return STATUS_OK;
}
