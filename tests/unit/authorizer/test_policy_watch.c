/* SPDX-License-Identifier: Apache-2.0 */
/* With files, threads and an executor that are real; the engine is the test. */
#include <support/assertions.h>

#include <authorizer/policy_watch.h>
#include <os/clock.h>
#include <os/thread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support/memory_failing.h>
#include <sys/stat.h>
#include <unistd.h>
#include <unit/config/policies.h>
#include <unit/config/policy_folder.h>

/* Long enough for any machine; no test waits so long but to fail. */
#define PATIENCE_MS       10000

#define POLICY(name)      HEAD DIRECTORY "<allow group=\"cn=" name ",dc=example\"/>\n" TAIL
#define WITH_SECRET(file) WITH_CHILD("<bind mechanism=\"simple\" dn=\"cn=svc,dc=example\" password-file=\"" file "\"/>")

struct rig {
	struct policy_folder folder;
	struct executor *executor;
	struct policy_watch *watch;
	struct log log;

	struct mutex lock; /* guards what follows */
	struct condition changed;
	size_t policies, errors;     /* heard */
	size_t again;                /* lines of the log that say so */
	size_t tasks;                /* of the executor */
	const struct config *config; /* heard last */
	struct error error;          /* heard last */
};

/* Files */

static const char *in(const struct rig *rig, const char *name)
{
	static char paths[4][128];
	static unsigned next;
	char *path = paths[next++ % COUNT_OF(paths)];

	(void)snprintf(path, sizeof(paths[0]), "%s/%s", rig->folder.path, name);
	return path;
}

static void write_file(const struct rig *rig, const char *name, const char *text, unsigned mode)
{
	policy_folder_write(&rig->folder, name, text, strlen(text), mode);
}

/* In place: on a busy machine it may be read half-written, which is an error that is heard. */
static void write_policy(const struct rig *rig, const char *text)
{
	write_file(rig, "policy.xml", text, 0644);
}

static void replace(const struct rig *rig, const char *name, const char *text, unsigned mode)
{
	write_file(rig, "new", text, mode);
	assert_int_equal(rename(in(rig, "new"), in(rig, name)), 0);
}

static void replace_policy(const struct rig *rig, const char *text)
{
	replace(rig, "policy.xml", text, 0644);
}

/* What is heard */

static void hear(void *context, const struct config *config, const struct error *error)
{
	struct rig *rig = context;

	if ((config == NULL) == (error == NULL) || !executor_is_current(rig->executor))
		abort();
	mutex_lock(&rig->lock);
	if (config != NULL) {
		rig->policies++;
		config_unref(&rig->config);
		rig->config = config;
	} else {
		rig->errors++;
		rig->error = *error;
	}
	condition_broadcast(&rig->changed);
	mutex_unlock(&rig->lock);
}

static void take_line(void *context, enum log_level level, const char *line)
{
	struct rig *rig = context;

	(void)level;
	if (strstr(line, "again what it was before") == NULL)
		return;
	mutex_lock(&rig->lock);
	rig->again++;
	condition_broadcast(&rig->changed);
	mutex_unlock(&rig->lock);
}

static void wait_for(struct rig *rig, const size_t *count, size_t wanted)
{
	const uint64_t due_ms = clock_monotonic_ms() + PATIENCE_MS;
	bool is_there;

	mutex_lock(&rig->lock);
	while (*count < wanted && condition_wait_until(&rig->changed, &rig->lock, due_ms))
		;
	is_there = *count >= wanted;
	mutex_unlock(&rig->lock);
	assert_true(is_there);
}

static size_t count_of(struct rig *rig, const size_t *count)
{
	size_t value;

	mutex_lock(&rig->lock);
	value = *count;
	mutex_unlock(&rig->lock);
	return value;
}

/* A reference of the caller's own to what was heard last. */
static const struct config *heard(struct rig *rig)
{
	const struct config *config;

	mutex_lock(&rig->lock);
	config = rig->config != NULL ? config_ref(rig->config) : NULL;
	mutex_unlock(&rig->lock);
	assert_non_null(config);
	return config;
}

static void wait_for_policy(struct rig *rig, size_t wanted, const char *group)
{
	const struct config *config;

	wait_for(rig, &rig->policies, wanted);
	assert_int_equal(count_of(rig, &rig->policies), wanted);
	config = heard(rig);
	assert_string_equal(config->rules[0].group, group);
	config_unref(&config);
}

static void wait_for_error(struct rig *rig, size_t wanted, enum status status, const char *what)
{
	struct error error;

	wait_for(rig, &rig->errors, wanted);
	assert_int_equal(count_of(rig, &rig->errors), wanted);
	mutex_lock(&rig->lock);
	error = rig->error;
	mutex_unlock(&rig->lock);
	assert_status(error.status, status, &error);
	assert_contains(error.what, what);
}

/* Life */

static void count_task(void *context)
{
	struct rig *rig = context;

	mutex_lock(&rig->lock);
	rig->tasks++;
	condition_broadcast(&rig->changed);
	mutex_unlock(&rig->lock);
}

/* And wait until its thread runs: what it was started with is freed then, and blocks of memory can be counted. */
static void open_executor(struct rig *rig)
{
	struct task task = {.run = count_task, .context = rig};
	const size_t before = rig->tasks;

	assert_status(executor_open("test", &rig->executor, NULL), STATUS_OK, NULL);
	executor_post(rig->executor, &task);
	wait_for(rig, &rig->tasks, before + 1);
}

static int make_rig(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	assert_non_null(rig);
	policy_folder_make(&rig->folder);
	mutex_init(&rig->lock);
	condition_init(&rig->changed);
	rig->log = (struct log){LOG_LEVEL_INFO, take_line, rig};
	open_executor(rig);
	*state = rig;
	return 0;
}

static const struct config *load(const struct rig *rig)
{
	const struct config *config = NULL;
	struct error error = {.status = STATUS_OK};

	assert_status(config_load(rig->folder.policy, &config, &error), STATUS_OK, &error);
	return config;
}

static enum status open_watch(struct rig *rig, const struct config *config, struct error *error)
{
	return policy_watch_open(config, rig->executor, &rig->log, hear, rig, &rig->watch, error);
}

static void watch(struct rig *rig, const char *text)
{
	const struct config *config;

	write_policy(rig, text);
	config = load(rig);
	assert_status(open_watch(rig, config, NULL), STATUS_OK, NULL);
	config_unref(&config);
}

/* As the engine does. */
static void close_watch(struct rig *rig)
{
	if (rig->watch != NULL)
		policy_watch_stop(rig->watch);
	executor_close(&rig->executor);
	policy_watch_close(&rig->watch);
}

static int remove_rig(void **state)
{
	struct rig *rig = *state;
	char command[128];

	close_watch(rig);
	config_unref(&rig->config);
	condition_done(&rig->changed);
	mutex_done(&rig->lock);
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", rig->folder.path);
	free(rig);
	return system(command); /* NOLINT(cert-env33-c) */
}

/* Changes of the policy */

static void policy_watch__written_in_place__is_told(void **state)
{
	struct rig *rig = *state;

	watch(rig, POLICY("a"));
	write_policy(rig, POLICY("b"));
	wait_for_policy(rig, 1, "cn=b,dc=example");
	write_policy(rig, POLICY("a"));
	wait_for_policy(rig, 2, "cn=a,dc=example");
}

static void policy_watch__another_renamed_over__is_told(void **state)
{
	struct rig *rig = *state;

	watch(rig, POLICY("a"));
	replace_policy(rig, POLICY("b"));
	wait_for_policy(rig, 1, "cn=b,dc=example");
	replace_policy(rig, POLICY("c"));
	wait_for_policy(rig, 2, "cn=c,dc=example");
	assert_int_equal(count_of(rig, &rig->errors), 0);
}

static void policy_watch__a_link_is_swapped__is_told(void **state)
{
	struct rig *rig = *state;

	write_file(rig, "a.xml", POLICY("a"), 0644);
	write_file(rig, "b.xml", POLICY("b"), 0644);
	assert_int_equal(symlink("a.xml", rig->folder.policy), 0);
	watch(rig, POLICY("a"));
	assert_int_equal(symlink("b.xml", in(rig, "new")), 0);
	assert_int_equal(rename(in(rig, "new"), rig->folder.policy), 0);
	wait_for_policy(rig, 1, "cn=b,dc=example");
	assert_int_equal(count_of(rig, &rig->errors), 0);
}

static void policy_watch__changed_before_it_began__is_told(void **state)
{
	struct rig *rig = *state;
	const struct config *config;

	write_policy(rig, POLICY("a"));
	config = load(rig);
	write_policy(rig, POLICY("b"));
	assert_status(open_watch(rig, config, NULL), STATUS_OK, NULL);
	config_unref(&config);
	wait_for_policy(rig, 1, "cn=b,dc=example");
}

static void policy_watch__the_same_again__is_no_news(void **state)
{
	struct rig *rig = *state;

	watch(rig, POLICY("a"));
	replace_policy(rig, POLICY("a"));
	replace(rig, "policy.xml", POLICY("a"), 0600);
	replace_policy(rig, POLICY("b"));
	wait_for_policy(rig, 1, "cn=b,dc=example");
	replace_policy(rig, POLICY("b"));
	replace_policy(rig, POLICY("c"));
	wait_for_policy(rig, 2, "cn=c,dc=example");
}

static void policy_watch__quick_changes__the_last_one_is_told_last(void **state)
{
	struct rig *rig = *state;
	const uint64_t due_ms = clock_monotonic_ms() + PATIENCE_MS;
	bool is_last = false;
	int i;

	watch(rig, POLICY("a"));
	for (i = 0; i < 50; i++)
		replace_policy(rig, i % 2 == 0 ? POLICY("b") : POLICY("c"));
	replace_policy(rig, POLICY("last"));
	mutex_lock(&rig->lock);
	do
		is_last = rig->config != NULL && strcmp(rig->config->rules[0].group, "cn=last,dc=example") == 0;
	while (!is_last && condition_wait_until(&rig->changed, &rig->lock, due_ms));
	mutex_unlock(&rig->lock);
	assert_true(is_last);
}

/* Unusable policies */

static void policy_watch__bad_then_good__both_are_told(void **state)
{
	struct rig *rig = *state;

	watch(rig, POLICY("a"));
	replace_policy(rig, HEAD DIRECTORY ALLOW "<nonsense/>\n" TAIL);
	wait_for_error(rig, 1, STATUS_INVALID, ":4: ");
	assert_int_equal(count_of(rig, &rig->policies), 0);
	replace_policy(rig, POLICY("b"));
	wait_for_policy(rig, 1, "cn=b,dc=example");
	assert_int_equal(count_of(rig, &rig->errors), 1);
}

static void policy_watch__bad_for_long__is_told_once_for_each_reason(void **state)
{
	struct rig *rig = *state;

	watch(rig, POLICY("a"));
	replace_policy(rig, HEAD DIRECTORY ALLOW "<nonsense/>\n" TAIL);
	wait_for_error(rig, 1, STATUS_INVALID, ":4: ");
	replace(rig, "policy.xml", HEAD DIRECTORY ALLOW "<nonsense/>\n" TAIL, 0600);
	replace_policy(rig, HEAD DIRECTORY ALLOW "\n\n<nonsense/>\n" TAIL);
	wait_for_error(rig, 2, STATUS_INVALID, ":6: ");
	replace_policy(rig, POLICY("a"));
	wait_for(rig, &rig->again, 1);
	replace_policy(rig, HEAD DIRECTORY ALLOW "\n\n<nonsense/>\n" TAIL);
	wait_for_error(rig, 3, STATUS_INVALID, ":6: ");
	assert_int_equal(count_of(rig, &rig->policies), 0);
}

static void policy_watch__permissions__are_told_and_their_repair_is_logged(void **state)
{
	struct rig *rig = *state;

	watch(rig, POLICY("a"));
	assert_int_equal(chmod(rig->folder.policy, 0666), 0);
	wait_for_error(rig, 1, STATUS_REFUSED, "0666");
	assert_int_equal(chmod(rig->folder.policy, 0644), 0);
	wait_for(rig, &rig->again, 1);
	assert_int_equal(count_of(rig, &rig->policies), 0);
}

static void policy_watch__deleted_and_made_again__both_are_told(void **state)
{
	struct rig *rig = *state;

	watch(rig, POLICY("a"));
	assert_int_equal(unlink(rig->folder.policy), 0);
	wait_for_error(rig, 1, STATUS_NOT_FOUND, "policy.xml");
	replace_policy(rig, POLICY("b"));
	wait_for_policy(rig, 1, "cn=b,dc=example");
}

/* The files that a policy names */

static void wait_for_secret(struct rig *rig, size_t wanted, const char *text)
{
	const struct config *config;
	const struct secret *secret;

	wait_for(rig, &rig->policies, wanted);
	assert_int_equal(count_of(rig, &rig->policies), wanted);
	config = heard(rig);
	secret = config->directories[0].bind_secret;
	assert_int_equal(secret_length(secret), strlen(text));
	assert_memory_equal(secret_bytes(secret), text, strlen(text));
	config_unref(&config);
}

static void policy_watch__another_password__is_told(void **state)
{
	struct rig *rig = *state;

	watch(rig, WITH_SECRET("bind.secret"));
	replace(rig, "bind.secret", "s3cret", 0600); /* without the line end: the same secret */
	replace(rig, "bind.secret", "s4cret\n", 0600);
	wait_for_secret(rig, 1, "s4cret");
	assert_int_equal(chmod(in(rig, "bind.secret"), 0644), 0);
	wait_for_error(rig, 1, STATUS_REFUSED, "0644");
	assert_int_equal(count_of(rig, &rig->policies), 1);
}

static void policy_watch__other_certificates__are_told(void **state)
{
	struct rig *rig = *state;

	watch(rig, WITH_CHILD(BIND "<tls ca-file=\"ca.pem\" crl-file=\"ca.crl\"/>"));
	replace(rig, "ca.pem", "-----BEGIN CERTIFICATE-----\nother\n", 0644);
	wait_for(rig, &rig->policies, 1);
	replace(rig, "ca.crl", "-----BEGIN X509 CRL-----\nother\n", 0644);
	wait_for(rig, &rig->policies, 2);
	assert_int_equal(count_of(rig, &rig->policies), 2);
	assert_int_equal(count_of(rig, &rig->errors), 0);
}

static void policy_watch__a_new_policy_names_another_file__it_is_followed(void **state)
{
	struct rig *rig = *state;

	assert_int_equal(mkdir(in(rig, "far"), 0700), 0);
	write_file(rig, "far/bind.secret", "one", 0600);
	watch(rig, WITH_SECRET("bind.secret"));
	replace_policy(rig, WITH_SECRET("far/bind.secret"));
	wait_for_secret(rig, 1, "one");
	replace(rig, "bind.secret", "nobody's now", 0600);
	replace(rig, "far/bind.secret", "two", 0600);
	wait_for_secret(rig, 2, "two");
	assert_int_equal(count_of(rig, &rig->policies), 2);
}

static void policy_watch__what_an_unusable_policy_lacks_comes__it_is_told(void **state)
{
	struct rig *rig = *state;

	watch(rig, WITH_SECRET("bind.secret"));
	replace_policy(rig, WITH_SECRET("far/bind.secret"));
	wait_for_error(rig, 1, STATUS_NOT_FOUND, "far/bind.secret");
	assert_int_equal(mkdir(in(rig, "far"), 0700), 0);
	write_file(rig, "far/bind.secret", "one", 0600);
	wait_for_secret(rig, 1, "one");
}

/* Tasks and the end */

#define TASKS 5

struct job {
	struct rig *rig;
	struct task task;
	size_t *done; /* guarded by rig->lock */
	size_t number;
};

static void run_job(void *context)
{
	struct job *job = context;
	struct rig *rig = job->rig;
	bool is_in_order;

	mutex_lock(&rig->lock);
	is_in_order = job->number == *job->done;
	*job->done += 1;
	condition_broadcast(&rig->changed);
	mutex_unlock(&rig->lock);
	if (!is_in_order || executor_is_current(rig->executor))
		abort();
}

static void policy_watch_run__several_tasks__run_in_order_elsewhere(void **state)
{
	struct rig *rig = *state;
	struct job jobs[TASKS];
	size_t done = 0, i;

	watch(rig, POLICY("a"));
	for (i = 0; i < TASKS; i++) {
		jobs[i] = (struct job){.rig = rig, .done = &done, .number = i};
		jobs[i].task = (struct task){.run = run_job, .context = &jobs[i]};
		policy_watch_run(rig->watch, &jobs[i].task);
	}
	wait_for(rig, &done, TASKS);
	/* And the watch goes on. */
	replace_policy(rig, POLICY("b"));
	wait_for_policy(rig, 1, "cn=b,dc=example");
}

static void policy_watch_stop__tasks_are_queued__they_run_first(void **state)
{
	struct rig *rig = *state;
	struct job jobs[TASKS];
	size_t done = 0, i;

	watch(rig, POLICY("a"));
	for (i = 0; i < TASKS; i++) {
		jobs[i] = (struct job){.rig = rig, .done = &done, .number = i};
		jobs[i].task = (struct task){.run = run_job, .context = &jobs[i]};
		policy_watch_run(rig->watch, &jobs[i].task);
	}
	policy_watch_stop(rig->watch);
	assert_int_equal(done, TASKS);
	policy_watch_stop(rig->watch);
}

struct blockade {
	struct rig *rig;
	struct task task;
	bool is_up, is_met; /* guarded by rig->lock */
};

static void be_blocked(void *context)
{
	struct blockade *blockade = context;
	struct rig *rig = blockade->rig;

	mutex_lock(&rig->lock);
	blockade->is_met = true;
	condition_broadcast(&rig->changed);
	while (blockade->is_up)
		condition_wait(&rig->changed, &rig->lock);
	mutex_unlock(&rig->lock);
}

static void lift(struct blockade *blockade)
{
	mutex_lock(&blockade->rig->lock);
	blockade->is_up = false;
	condition_broadcast(&blockade->rig->changed);
	mutex_unlock(&blockade->rig->lock);
}

/* What has passed before the executor had the time to hear of it is not told. */
static void policy_watch__bad_and_good_again_before_it_is_heard__is_not_told(void **state)
{
	struct rig *rig = *state;
	struct blockade blockade = {.rig = rig, .is_up = true};
	size_t again = 0;
	int i;

	watch(rig, POLICY("a"));
	blockade.task = (struct task){.run = be_blocked, .context = &blockade};
	executor_post(rig->executor, &blockade.task);
	for (i = 0; i < 100 && again == 0; i++) {
		replace_policy(rig, HEAD DIRECTORY ALLOW "<nonsense/>\n" TAIL);
		(void)usleep(50000); /* until it is read, perhaps; the log will show it */
		replace_policy(rig, POLICY("a"));
		(void)usleep(50000);
		again = count_of(rig, &rig->again);
	}
	assert_true(again > 0);
	lift(&blockade);
	replace_policy(rig, POLICY("b"));
	wait_for_policy(rig, 1, "cn=b,dc=example");
	assert_int_equal(count_of(rig, &rig->errors), 0);
}

static void policy_watch_stop__not_heard_yet__is_dropped(void **state)
{
	struct rig *rig = *state;
	struct blockade blockade = {.rig = rig, .is_up = true};

	watch(rig, POLICY("a"));
	blockade.task = (struct task){.run = be_blocked, .context = &blockade};
	executor_post(rig->executor, &blockade.task);
	replace_policy(rig, POLICY("b"));
	(void)usleep(100000); /* so that it is read, most of the time; nothing is heard in either case */
	policy_watch_stop(rig->watch);
	lift(&blockade);
	close_watch(rig);
	assert_int_equal(rig->policies + rig->errors, 0);
}

/* A policy that takes a while to read: as many rules as it may have. */
static char *big_policy(void)
{
	char *text = calloc(1, CONFIG_MAX_RULES * 64 + 1024);
	size_t at, i;

	assert_non_null(text);
	at = (size_t)sprintf(text, "%s%s", HEAD, DIRECTORY);
	for (i = 0; i < CONFIG_MAX_RULES; i++)
		at += (size_t)sprintf(text + at, "<allow group=\"cn=group number %zu,dc=example\"/>\n", i);
	(void)strcpy(text + at, TAIL);
	return text;
}

static void policy_watch_stop__while_it_reads__ends(void **state)
{
	struct rig *rig = *state;
	char *big = big_policy();
	int i;

	for (i = 0; i < 40; i++) {
		watch(rig, POLICY("a"));
		replace_policy(rig, big);
		(void)usleep((unsigned)i * 1000); /* it settles, is read, is told */
		close_watch(rig);
		open_executor(rig);
	}
	free(big);
	assert_int_equal(count_of(rig, &rig->errors), 0);
}

static void policy_watch_close__never_opened__does_nothing(void **state)
{
	struct policy_watch *none = NULL;

	(void)state;
	policy_watch_close(&none);
	assert_null(none);
}

/* Memory */

static void policy_watch_open__each_allocation_failing__leaks_nothing(void **state)
{
	struct rig *rig = *state;
	const struct config *config;
	enum status status = STATUS_NO_MEMORY;
	struct error error;
	size_t before, n;

	write_policy(rig, WITH_SECRET("bind.secret"));
	config = load(rig);
	before = memory_live_count();
	for (n = 1; status != STATUS_OK; n++) {
		memory_fail_at(n);
		status = open_watch(rig, config, &error);
		memory_fail_at(0);
		if (status == STATUS_OK)
			break;
		assert_status(status, STATUS_NO_MEMORY, &error);
		assert_null(rig->watch);
		assert_int_equal(memory_live_count(), before);
	}
	/* The watch, its path, a file watch with two files, the thread. */
	assert_in_range(n, 6, 50);
	config_unref(&config);
}

/* Whatever fails, a changed policy is heard of, if need be the next time that it is looked at. */
static void policy_watch__allocations_failing__the_policy_is_told_in_the_end(void **state)
{
	static const size_t failing[] = {1, 6, 30};
	struct rig *rig = *state;
	const size_t before = memory_live_count();
	size_t i;

	for (i = 0; i < COUNT_OF(failing); i++) {
		watch(rig, WITH_SECRET("bind.secret"));
		memory_fail_at(failing[i]);
		replace_policy(rig, POLICY("b"));
		wait_for(rig, &rig->policies, i + 1);
		memory_fail_at(0);
		close_watch(rig);
		assert_string_equal(rig->config->rules[0].group, "cn=b,dc=example");
		config_unref(&rig->config);
		open_executor(rig);
		assert_int_equal(memory_live_count(), before);
	}
	assert_true(rig->errors > 0);
	assert_status(rig->error.status, STATUS_NO_MEMORY, &rig->error);
}

#define RIGGED(test) cmocka_unit_test_setup_teardown(test, make_rig, remove_rig)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    RIGGED(policy_watch__written_in_place__is_told),
	    RIGGED(policy_watch__another_renamed_over__is_told),
	    RIGGED(policy_watch__a_link_is_swapped__is_told),
	    RIGGED(policy_watch__changed_before_it_began__is_told),
	    RIGGED(policy_watch__the_same_again__is_no_news),
	    RIGGED(policy_watch__quick_changes__the_last_one_is_told_last),
	    RIGGED(policy_watch__bad_then_good__both_are_told),
	    RIGGED(policy_watch__bad_for_long__is_told_once_for_each_reason),
	    RIGGED(policy_watch__permissions__are_told_and_their_repair_is_logged),
	    RIGGED(policy_watch__deleted_and_made_again__both_are_told),
	    RIGGED(policy_watch__another_password__is_told),
	    RIGGED(policy_watch__other_certificates__are_told),
	    RIGGED(policy_watch__a_new_policy_names_another_file__it_is_followed),
	    RIGGED(policy_watch__what_an_unusable_policy_lacks_comes__it_is_told),
	    RIGGED(policy_watch_run__several_tasks__run_in_order_elsewhere),
	    RIGGED(policy_watch_stop__tasks_are_queued__they_run_first),
	    RIGGED(policy_watch__bad_and_good_again_before_it_is_heard__is_not_told),
	    RIGGED(policy_watch_stop__not_heard_yet__is_dropped),
	    RIGGED(policy_watch_stop__while_it_reads__ends),
	    RIGGED(policy_watch_close__never_opened__does_nothing),
	    RIGGED(policy_watch_open__each_allocation_failing__leaks_nothing),
	    RIGGED(policy_watch__allocations_failing__the_policy_is_told_in_the_end),
	};

	return cmocka_run_group_tests_name("authorizer/policy_watch", tests, NULL, NULL);
}
