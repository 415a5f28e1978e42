/* SPDX-License-Identifier: Apache-2.0 */
#include <os/clock.h>
#include <plugin/plugin_guard.h>
#include <stddef.h>
#include <support/assertions.h>
#include <support/executor_manual.h>
#include <support/memory_failing.h>

#define ENTRIES 4

struct watched {
	struct guard_entry entry;
	unsigned expired;
	uint64_t expired_ms;
};

struct fixture {
	struct executor *executor;
	struct plugin_guard guard;
	struct watched watched[ENTRIES];
};

static void expired(struct guard_entry *entry)
{
	struct watched *watched = CONTAINER_OF(entry, struct watched, entry);

	watched->expired++;
	watched->expired_ms = clock_monotonic_ms();
}

static void begin(struct fixture *f)
{
	*f = (struct fixture){.executor = NULL};
	assert_status(executor_open("guard", &f->executor, NULL), STATUS_OK, NULL);
	guard_init(&f->guard, f->executor, expired);
}

static void end(struct fixture *f)
{
	guard_end(&f->guard);
	executor_close(&f->executor);
	guard_done(&f->guard);
}

static void guard__nobody_forgets__each_expires_at_its_own_moment(void **state)
{
	struct fixture f;
	uint64_t now = clock_monotonic_ms();

	(void)state;
	begin(&f);
	for (size_t i = 0; i < 3; i++)
		guard_watch(&f.guard, &f.watched[i].entry, now + 100 * (i + 1));
	executor_manual_advance(f.executor, 1000);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(f.watched[i].expired, 1);
		assert_int_equal(f.watched[i].expired_ms, now + 100 * (i + 1));
		assert_false(guard_forget(&f.guard, &f.watched[i].entry));
	}
	end(&f);
}

static void guard_watch__an_earlier_moment_behind_a_later_one__is_kept(void **state)
{
	struct fixture f;
	uint64_t now = clock_monotonic_ms();

	(void)state;
	begin(&f);
	guard_watch(&f.guard, &f.watched[0].entry, now + 500);
	guard_watch(&f.guard, &f.watched[1].entry, now + 900);
	executor_manual_run(f.executor);
	guard_watch(&f.guard, &f.watched[2].entry, now + 600);
	guard_watch(&f.guard, &f.watched[3].entry, now + 100);
	executor_manual_advance(f.executor, 1000);
	assert_int_equal(f.watched[3].expired_ms, now + 100);
	assert_int_equal(f.watched[0].expired_ms, now + 500);
	assert_int_equal(f.watched[2].expired_ms, now + 600);
	assert_int_equal(f.watched[1].expired_ms, now + 900);
	end(&f);
}

static void guard_forget__any_place_in_the_list__leaves_the_others(void **state)
{
	(void)state;
	for (size_t forgotten = 0; forgotten < ENTRIES; forgotten++) {
		struct fixture f;
		uint64_t now = clock_monotonic_ms();

		begin(&f);
		for (size_t i = 0; i < ENTRIES; i++)
			guard_watch(&f.guard, &f.watched[i].entry, now + 100);
		executor_manual_run(f.executor);
		assert_true(guard_forget(&f.guard, &f.watched[forgotten].entry));
		assert_false(guard_forget(&f.guard, &f.watched[forgotten].entry));
		executor_manual_advance(f.executor, 200);
		for (size_t i = 0; i < ENTRIES; i++)
			assert_int_equal(f.watched[i].expired, i == forgotten ? 0 : 1);
		end(&f);
	}
}

static void guard_watch__after_the_list_was_empty__sets_the_timer_again(void **state)
{
	struct fixture f;
	uint64_t now = clock_monotonic_ms();

	(void)state;
	begin(&f);
	guard_watch(&f.guard, &f.watched[0].entry, now + 100);
	executor_manual_run(f.executor);
	assert_true(guard_forget(&f.guard, &f.watched[0].entry));
	executor_manual_advance(f.executor, 300);
	guard_watch(&f.guard, &f.watched[1].entry, now + 400);
	executor_manual_advance(f.executor, 300);
	assert_int_equal(f.watched[0].expired, 0);
	assert_int_equal(f.watched[1].expired_ms, now + 400);
	end(&f);
}

static void guard__no_memory_for_the_timer__expires_at_once(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	guard_watch(&f.guard, &f.watched[0].entry, clock_monotonic_ms() + 5000);
	memory_fail_at(1);
	executor_manual_run(f.executor);
	assert_int_equal(memory_fail_count(), 1);
	memory_fail_at(0);
	assert_int_equal(f.watched[0].expired, 1);
	end(&f);
}

static void guard_end__entries_are_watched__expires_them_all(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	guard_watch(&f.guard, &f.watched[0].entry, clock_monotonic_ms() + 5000);
	guard_watch(&f.guard, &f.watched[1].entry, clock_monotonic_ms() + 5000);
	end(&f);
	assert_int_equal(f.watched[0].expired, 1);
	assert_int_equal(f.watched[1].expired, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(guard__nobody_forgets__each_expires_at_its_own_moment),
	    cmocka_unit_test(guard_watch__an_earlier_moment_behind_a_later_one__is_kept),
	    cmocka_unit_test(guard_forget__any_place_in_the_list__leaves_the_others),
	    cmocka_unit_test(guard_watch__after_the_list_was_empty__sets_the_timer_again),
	    cmocka_unit_test(guard__no_memory_for_the_timer__expires_at_once),
	    cmocka_unit_test(guard_end__entries_are_watched__expires_them_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
