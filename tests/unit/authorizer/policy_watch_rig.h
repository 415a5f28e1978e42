/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of the policy watch share: a folder with a policy, an executor, and an ear that keeps what was told. Files,
 * threads and the executor are real; the engine is the test.
 */
#ifndef WSMAUTHZ_TESTS_UNIT_AUTHORIZER_POLICY_WATCH_RIG_H
#define WSMAUTHZ_TESTS_UNIT_AUTHORIZER_POLICY_WATCH_RIG_H

#include <support/assertions.h>

#include <authorizer/policy_watch.h>
#include <os/clock.h>
#include <os/thread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
	size_t policies, errors, as_before; /* heard */
	size_t again;                       /* lines of the log that say so */
	size_t tasks;                       /* of the executor */
	const struct config *config;        /* heard last */
	struct error error;                 /* heard last */
};

/* Files */

static inline const char *in(const struct rig *rig, const char *name)
{
	static char paths[4][128];
	static unsigned next;
	char *path = paths[next++ % COUNT_OF(paths)];

	(void)snprintf(path, sizeof(paths[0]), "%s/%s", rig->folder.path, name);
	return path;
}

static inline void write_file(const struct rig *rig, const char *name, const char *text, unsigned mode)
{
	policy_folder_write(&rig->folder, name, text, strlen(text), mode);
}

/* In place: on a busy machine it may be read half-written, which is an error that is heard. */
static inline void write_policy(const struct rig *rig, const char *text)
{
	write_file(rig, "policy.xml", text, 0644);
}

static inline void replace(const struct rig *rig, const char *name, const char *text, unsigned mode)
{
	write_file(rig, "new", text, mode);
	assert_int_equal(rename(in(rig, "new"), in(rig, name)), 0);
}

static inline void replace_policy(const struct rig *rig, const char *text)
{
	replace(rig, "policy.xml", text, 0644);
}

/* What is heard */

static inline void hear(void *context, const struct config *config, const struct error *error)
{
	struct rig *rig = context;

	if ((config != NULL && error != NULL) || !executor_is_current(rig->executor))
		abort();
	mutex_lock(&rig->lock);
	if (config != NULL) {
		rig->policies++;
		config_unref(&rig->config);
		rig->config = config;
	} else if (error == NULL) {
		rig->as_before++;
	} else {
		rig->errors++;
		rig->error = *error;
	}
	condition_broadcast(&rig->changed);
	mutex_unlock(&rig->lock);
}

static inline void take_line(void *context, enum log_level level, const char *line)
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

static inline void wait_for(struct rig *rig, const size_t *count, size_t wanted)
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

static inline size_t count_of(struct rig *rig, const size_t *count)
{
	size_t value;

	mutex_lock(&rig->lock);
	value = *count;
	mutex_unlock(&rig->lock);
	return value;
}

/* A reference of the caller's own to what was heard last. */
static inline const struct config *heard(struct rig *rig)
{
	const struct config *config;

	mutex_lock(&rig->lock);
	config = rig->config != NULL ? config_ref(rig->config) : NULL;
	mutex_unlock(&rig->lock);
	assert_non_null(config);
	return config;
}

static inline void wait_for_policy(struct rig *rig, size_t wanted, const char *group)
{
	const struct config *config;

	wait_for(rig, &rig->policies, wanted);
	assert_int_equal(count_of(rig, &rig->policies), wanted);
	config = heard(rig);
	assert_string_equal(config->rules[0].group, group);
	config_unref(&config);
}

static inline void wait_for_error(struct rig *rig, size_t wanted, enum status status, const char *what)
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

static inline void count_task(void *context)
{
	struct rig *rig = context;

	mutex_lock(&rig->lock);
	rig->tasks++;
	condition_broadcast(&rig->changed);
	mutex_unlock(&rig->lock);
}

/* And wait until its thread runs: what it was started with is freed then, and blocks of memory can be counted. */
static inline void open_executor(struct rig *rig)
{
	struct task task = {.run = count_task, .context = rig};
	const size_t before = rig->tasks;

	assert_status(executor_open("test", &rig->executor, NULL), STATUS_OK, NULL);
	executor_post(rig->executor, &task);
	wait_for(rig, &rig->tasks, before + 1);
}

/* The thread runs a task, and then, if the policy is unusable, looks at it again. */
static inline void nudge(struct rig *rig)
{
	struct task task = {.run = count_task, .context = rig};
	const size_t before = count_of(rig, &rig->tasks);

	policy_watch_run(rig->watch, &task);
	wait_for(rig, &rig->tasks, before + 1);
}

static inline int make_rig(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	assert_non_null(rig);
	policy_folder_make(&rig->folder);
	mutex_init(&rig->lock);
	condition_init(&rig->changed);
	rig->log = (struct log){.level = LOG_LEVEL_INFO, .write = take_line, .context = rig};
	open_executor(rig);
	*state = rig;
	return 0;
}

static inline const struct config *load(const struct rig *rig)
{
	const struct config *config = NULL;
	struct error error = {.status = STATUS_OK};

	assert_status(config_load(rig->folder.policy, &config, &error), STATUS_OK, &error);
	return config;
}

static inline enum status open_watch(struct rig *rig, const struct config *config, struct error *error)
{
	return policy_watch_open(config, rig->executor, &rig->log, hear, rig, &rig->watch, error);
}

static inline void watch(struct rig *rig, const char *text)
{
	const struct config *config;

	write_policy(rig, text);
	config = load(rig);
	assert_status(open_watch(rig, config, NULL), STATUS_OK, NULL);
	config_unref(&config);
}

/* As the engine does. */
static inline void close_watch(struct rig *rig)
{
	if (rig->watch != NULL)
		policy_watch_stop(rig->watch);
	executor_close(&rig->executor);
	policy_watch_close(&rig->watch);
}

static inline int remove_rig(void **state)
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

#define RIGGED(test) cmocka_unit_test_setup_teardown(test, make_rig, remove_rig)

#endif
