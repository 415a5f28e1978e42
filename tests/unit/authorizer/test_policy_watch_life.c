/* SPDX-License-Identifier: Apache-2.0 */
/* Tasks of the thread, its end, and memory that runs out. */
#include <unit/authorizer/policy_watch_rig.h>

#include <base/memory.h>
#include <base/text.h>
#include <support/memory_failing.h>
#include <unistd.h>

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
	struct text text;
	char *policy;

	text_init(&text);
	text_add(&text, HEAD DIRECTORY);
	for (unsigned i = 0; i < CONFIG_MAX_RULES; i++)
		text_printf(&text, "<allow group=\"cn=group number %u,dc=example\"/>\n", i);
	text_add(&text, TAIL);
	policy = text_take(&text);
	assert_non_null(policy);
	return policy;
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
	memory_free(big);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
	    RIGGED(policy_watch_run__several_tasks__run_in_order_elsewhere),
	    RIGGED(policy_watch_stop__tasks_are_queued__they_run_first),
	    RIGGED(policy_watch__bad_and_good_again_before_it_is_heard__is_not_told),
	    RIGGED(policy_watch_stop__not_heard_yet__is_dropped),
	    RIGGED(policy_watch_stop__while_it_reads__ends),
	    RIGGED(policy_watch_close__never_opened__does_nothing),
	    RIGGED(policy_watch_open__each_allocation_failing__leaks_nothing),
	    RIGGED(policy_watch__allocations_failing__the_policy_is_told_in_the_end),
	};

	return cmocka_run_group_tests_name("authorizer/policy_watch_life", tests, NULL, NULL);
}
