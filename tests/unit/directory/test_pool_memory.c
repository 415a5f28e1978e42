/* SPDX-License-Identifier: Apache-2.0 */
#include "pool_rig.h"

#include <support/memory_failing.h>

static void raise_flag(void *context)
{
	atomic_store((atomic_bool *)context, true);
}

/* The executor's thread frees a block of its own when it begins. */
static void await_executor(struct rig *rig)
{
	atomic_bool has_run = false;
	struct task task = {.run = raise_flag, .context = &has_run};

	executor_post(rig->executor, &task);
	await(atomic_load(&has_run));
}

static void open__an_allocation_fails__is_undone(void **state)
{
	struct rig rig;
	struct error error;
	enum status status;
	size_t before;
	size_t n;

	(void)state;
	rig_init(&rig, 2, 3);
	await_executor(&rig);
	for (n = 1;; n++) {
		before = memory_live_count();
		memory_fail_at(n);
		status = dir_pool_open_tuned(&rig.directory, rig.executor, &rig.log, &rig.tuning, &rig.pool, &error);
		if (status == STATUS_OK)
			break;
		memory_fail_at(0);
		assert_status(status, STATUS_NO_MEMORY, &error);
		assert_null(rig.pool);
		assert_int_equal(memory_live_count(), before);
		assert_true(n < 100);
	}
	memory_fail_at(0);
	assert_true(n > 3);
	rig_done(&rig);
}

static void serve__no_memory_for_the_turn__says_so_and_recovers(void **state)
{
	struct rig rig;
	struct ask ask;

	(void)state;
	rig_init(&rig, 1, 1);
	rig_open(&rig);
	await(rig_stats(&rig).connected == 1);
	ask_init(&ask, 1, 5000, DIR_PRIORITY_DECISION);

	memory_fail_from(1);
	dir_pool_submit(rig.pool, &ask.request);
	ask_await(&ask);
	memory_fail_from(0);

	assert_int_equal(ask.searches[0].outcome, DIR_OUTCOME_NO_MEMORY);
	ask_done(&ask);
	assert_int_equal(ask_once(&rig, 5000), DIR_OUTCOME_OK);
	rig_done(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(open__an_allocation_fails__is_undone),
	    cmocka_unit_test(serve__no_memory_for_the_turn__says_so_and_recovers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
