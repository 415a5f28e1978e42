/* SPDX-License-Identifier: Apache-2.0 */
/* How a patch ends when it is not let to: servers that break, are behind, or go; the end; no memory. */
#include <membership/closure_patch.h>

#include <stdio.h>
#include <string.h>
#include <support/assertions.h>
#include <support/closure_stage.h>
#include <support/dir_pool_fake.h>
#include <support/executor_manual.h>
#include <support/fake_directory_private.h>
#include <support/memory_failing.h>

#define OPS   "cn=ops,ou=groups,dc=x"
#define TEAM  "cn=team,ou=groups,dc=x"
#define INNER "cn=inner,ou=groups,dc=x"
#define DEEP  "cn=deep,ou=groups,dc=x"
#define FREE  "cn=free,ou=groups,dc=x"
#define ALICE "uid=alice,ou=people,dc=x"
#define BOB   "uid=bob,ou=people,dc=x"
#define CAROL "uid=carol,ou=people,dc=x"
#define DAVE  "uid=dave,ou=people,dc=x"
/* Greater than every mark that the directory will show. */
#define LATER "20270101000000.000000Z#000000#000#000000"

static const char *const names[] = {OPS};
static struct closure_concern concern;

/* alice is in ops, bob in team, carol in free, dave in deep. ops lists team; free lists inner, which lists deep and, in a cycle, free. */
static int set_up(void **state)
{
	static struct closure_stage stage;

	memset(&concern, 0, sizeof(concern));
	closure_stage_open(&stage, names, COUNT_OF(names), "ou=groups,dc=x");
	closure_stage_add(&stage, ALICE, "inetOrgPerson", NULL, NULL);
	closure_stage_add(&stage, OPS, "groupOfNames", "member", ALICE);
	closure_stage_gain(&stage, OPS, "member", TEAM);
	closure_stage_add(&stage, TEAM, "groupOfNames", "member", BOB);
	closure_stage_add(&stage, FREE, "groupOfNames", "member", CAROL);
	closure_stage_gain(&stage, FREE, "member", INNER);
	closure_stage_add(&stage, INNER, "groupOfNames", "member", DEEP);
	closure_stage_gain(&stage, INNER, "member", FREE);
	closure_stage_add(&stage, DEEP, "groupOfUniqueNames", "uniqueMember", DAVE);
	assert_int_equal(closure_stage_load(&stage), STATUS_OK);
	*state = &stage;
	return 0;
}

static int tear_down(void **state)
{
	closure_stage_close(*state);
	return 0;
}

static bool holds(const struct closure_stage *stage, const char *dn)
{
	return closure_stage_holds(stage->closure, 0, dn, NULL);
}

static void nest(struct closure_stage *stage, const char *group)
{
	closure_stage_gain(stage, OPS, "member", group);
	closure_stage_tell(stage, &concern, DIR_CHANGE_MODIFY, OPS);
}

/* The next search about `when` loses its connection behind the first entry. */
static void break_once(struct closure_stage *stage, char *when)
{
	const struct fake_fault drop = {.kind = FAKE_FAULT_DROP, .entries = 1, .times = 1, .when = when};

	fake_directory_add_fault(stage->directory, &drop);
}

/* Another server may have answered half of it. */
static void closure_patch__the_connection_breaks__is_for_a_load(void **state)
{
	struct closure_stage *stage = *state;
	char when[] = "cn=ops";

	closure_stage_lose(stage, OPS, "member", ALICE);
	closure_stage_tell(stage, &concern, DIR_CHANGE_MODIFY, OPS);
	break_once(stage, when);
	closure_stage_patch(stage, &concern, closure_stage_mark(stage));
	assert_int_equal(stage->patched.status, STATUS_OK);
	assert_true(stage->patched.whole);
}

static void closure_patch__no_server_answers__fails(void **state)
{
	struct closure_stage *stage = *state;
	const struct fake_fault down = {.kind = FAKE_FAULT_DOWN};
	const struct closure *before = stage->closure;

	closure_stage_tell(stage, &concern, DIR_CHANGE_MODIFY, OPS);
	fake_directory_add_fault(stage->directory, &down);
	closure_stage_patch(stage, &concern, closure_stage_mark(stage));
	assert_int_equal(stage->patched.status, STATUS_UNREACHABLE);
	assert_ptr_equal(stage->closure, before);
}

static void closure_patch__busy_while_names_are_asked_about__fails(void **state)
{
	struct closure_stage *stage = *state;
	char when[] = "cn=free";
	const struct fake_fault busy = {.kind = FAKE_FAULT_CODE, .code = 51, .when = when};

	nest(stage, FREE);
	fake_directory_add_fault(stage->directory, &busy);
	closure_stage_patch(stage, &concern, closure_stage_mark(stage));
	assert_int_not_equal(stage->patched.status, STATUS_OK);
	assert_false(stage->patched.whole);
}

static void count_searches(void *context, const struct dir_search *search)
{
	unsigned *count = context;

	*count += strcmp(search->base, OPS) == 0;
}

static unsigned steps_until_it_catches_up;

static void catch_up(struct closure_stage *stage)
{
	if (steps_until_it_catches_up > 0 && --steps_until_it_catches_up == 0)
		closure_stage_lose(stage, OPS, "member", ALICE);
}

/* The server has not got the change yet; what it showed before it had is not used. */
static void closure_patch__the_server_is_behind__asks_again_until_it_has_caught_up(void **state)
{
	struct closure_stage *stage = *state;
	char at_least[64];
	unsigned reads = 0;

	(void)snprintf(at_least, sizeof(at_least), "20260101000000.%06lluZ#000000#000#000000",
		       stage->directory->changes + 1);
	closure_stage_tell(stage, &concern, DIR_CHANGE_MODIFY, OPS);
	dir_pool_fake_observe(count_searches, &reads);
	steps_until_it_catches_up = 3 * CLOSURE_PATCH_LAG_MS;
	stage->on_step = catch_up;
	closure_stage_patch(stage, &concern, at_least);
	dir_pool_fake_observe(NULL, NULL);
	assert_int_equal(stage->patched.status, STATUS_OK);
	assert_true(reads >= 3);
	assert_true(closure_stage_touched(stage, 1, ALICE));
	assert_false(holds(stage, ALICE));
	assert_true(holds(stage, BOB));
}

static void closure_patch__the_server_stays_behind__fails_in_time(void **state)
{
	struct closure_stage *stage = *state;

	nest(stage, FREE);
	closure_stage_patch(stage, &concern, LATER);
	assert_int_equal(stage->patched.status, STATUS_TIMEOUT);
	assert_contains(stage->patched.error, "has not got the changes");
	assert_false(holds(stage, CAROL));
	assert_int_equal(executor_manual_timer_count(stage->executor), 0);
}

static void closure_patch__the_mark_is_hidden__fails_in_time(void **state)
{
	struct closure_stage *stage = *state;
	char mark[64];

	(void)snprintf(mark, sizeof(mark), "%s", closure_stage_mark(stage));
	closure_stage_tell(stage, &concern, DIR_CHANGE_MODIFY, OPS);
	assert_true(fake_directory_hide(stage->directory, "dc=x", "contextCSN", true));
	closure_stage_patch(stage, &concern, mark);
	assert_int_equal(stage->patched.status, STATUS_TIMEOUT);
}

static void stop(void *context)
{
	struct closure_stage *stage = context;

	if (stage->patch != NULL)
		closure_patch_stop(stage->patch);
}

static void closure_patch_stop__while_it_rests__ends_at_once(void **state)
{
	struct closure_stage *stage = *state;

	closure_stage_tell(stage, &concern, DIR_CHANGE_MODIFY, OPS);
	assert_int_equal(closure_stage_begin_patch(stage, &concern, LATER), STATUS_OK);
	(void)executor_manual_advance(stage->executor, 3 * CLOSURE_STAGE_LATENCY_MS);
	assert_int_equal(stage->patched.times, 0);
	assert_int_equal(dir_pool_fake_in_flight(), 0);
	executor_manual_call(stage->executor, stop, stage);
	assert_int_equal(stage->patched.times, 1);
	assert_int_equal(stage->patched.status, STATUS_CANCELLED);
	assert_int_equal(executor_manual_timer_count(stage->executor), 0);
}

/* Before it has begun, and while it is under way: it ends when the pool has answered, and does not rest first. */
static void closure_patch_stop__while_it_asks__ends_when_that_is_answered(void **state)
{
	struct closure_stage *stage = *state;

	closure_stage_tell(stage, &concern, DIR_CHANGE_MODIFY, OPS);
	for (unsigned ms = 0; ms <= CLOSURE_STAGE_LATENCY_MS / 2; ms += CLOSURE_STAGE_LATENCY_MS / 2) {
		assert_int_equal(closure_stage_begin_patch(stage, &concern, LATER), STATUS_OK);
		if (ms > 0)
			(void)executor_manual_advance(stage->executor, ms);
		executor_manual_call(stage->executor, stop, stage);
		assert_int_equal(stage->patched.times, 0);
		(void)executor_manual_advance(stage->executor, CLOSURE_STAGE_LATENCY_MS + 1);
		assert_int_equal(stage->patched.times, 1);
		assert_int_not_equal(stage->patched.status, STATUS_OK);
	}
}

/* The pool goes while it is under way. */
static void closure_patch__the_pool_stops__ends(void **state)
{
	struct closure_stage *stage = *state;

	closure_stage_tell(stage, &concern, DIR_CHANGE_MODIFY, OPS);
	assert_int_equal(closure_stage_begin_patch(stage, &concern, closure_stage_mark(stage)), STATUS_OK);
	(void)executor_manual_advance(stage->executor, 1);
	dir_pool_stop(stage->pool);
	(void)executor_manual_run(stage->executor);
	assert_int_equal(stage->patched.times, 1);
	assert_int_equal(stage->patched.status, STATUS_UNREACHABLE);
}

/* A group enters with others beneath it, one is renamed, one goes. */
static void closure_patch__no_memory__fails_and_leaves_nothing(void **state)
{
	struct closure_stage *stage = *state;
	struct closure *base;
	size_t before, n = 1;

	nest(stage, FREE);
	closure_stage_tell(stage, &concern, DIR_CHANGE_DELETE, TEAM);
	assert_true(fake_directory_delete(stage->directory, TEAM));
	base = closure_ref(stage->closure);
	before = memory_live_count();
	for (;; n++) {
		enum status status;
		size_t count;

		memory_fail_at(n);
		status = closure_stage_begin_patch(stage, &concern, closure_stage_mark(stage));
		if (status == STATUS_OK)
			closure_stage_end_patch(stage);
		count = memory_fail_count();
		memory_fail_at(0);
		if (count < n)
			break;
		if (status == STATUS_OK && stage->patched.status == STATUS_OK)
			assert_true(stage->patched.whole || holds(stage, DAVE)); /* nobody needed it */
		else if (status != STATUS_OK)
			assert_int_equal(status, STATUS_NO_MEMORY);
		closure_unref(&stage->closure);
		stage->closure = closure_ref(base);
		assert_int_equal(memory_live_count(), before);
	}
	assert_true(n > 60);
	assert_int_equal(stage->patched.status, STATUS_OK);
	assert_true(holds(stage, DAVE));
	assert_false(holds(stage, BOB));
	closure_unref(&base);
}

#define ON_STAGE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    ON_STAGE(closure_patch__the_connection_breaks__is_for_a_load),
	    ON_STAGE(closure_patch__no_server_answers__fails),
	    ON_STAGE(closure_patch__busy_while_names_are_asked_about__fails),
	    ON_STAGE(closure_patch__the_server_is_behind__asks_again_until_it_has_caught_up),
	    ON_STAGE(closure_patch__the_server_stays_behind__fails_in_time),
	    ON_STAGE(closure_patch__the_mark_is_hidden__fails_in_time),
	    ON_STAGE(closure_patch_stop__while_it_rests__ends_at_once),
	    ON_STAGE(closure_patch_stop__while_it_asks__ends_when_that_is_answered),
	    ON_STAGE(closure_patch__the_pool_stops__ends),
	    ON_STAGE(closure_patch__no_memory__fails_and_leaves_nothing),
	};

	return cmocka_run_group_tests_name("closure_patch_ends", tests, NULL, NULL);
}
