/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Directories that change at random, and closures that follow what they are told: concern, then a patch, or a load where that is
 * said. Whenever everything has been told and applied, the closure answers as one does that was just loaded.
 *
 * Two kinds of seeds. Prompt: each change is told and applied before the next one is made; then a patch has to be the rule.
 * Hasty: changes are made all the time, also while a patch or a load is under way, and told some time later, one by one.
 */
#include <membership/closure_patch.h>

#include <base/compiler.h>
#include <stdio.h>
#include <string.h>
#include <support/assertions.h>
#include <support/closure_world.h>

#define SEEDS 20
#define EDITS 200
/* Changes made in one patch or load; a load gives up when groups change in each of its attempts. */
#define MAX_MEANWHILE 4

#define MEMBERS       (2 * CLOSURE_WORLD_PEOPLE + CLOSURE_WORLD_NAMES)

struct run {
	struct closure_world world;
	bool is_hasty;
	unsigned meanwhile;
	unsigned concerns, patches;
};

static void meddle(struct closure_stage *stage)
{
	struct run *run = stage->context;

	if (run->meanwhile < MAX_MEANWHILE && closure_world_below(&run->world, 6) == 0) {
		run->meanwhile++;
		closure_world_edit(&run->world);
	}
}

/* Changes go on while it runs, or not. */
static void meddle_with(struct run *run, bool meddles)
{
	run->meanwhile = 0;
	run->world.stage.on_step = meddles ? meddle : NULL;
}

static void load(struct run *run)
{
	meddle_with(run, run->is_hasty);
	if (closure_stage_load(&run->world.stage) != STATUS_OK) {
		meddle_with(run, false);
		assert_int_equal(closure_stage_load(&run->world.stage), STATUS_OK);
	}
	meddle_with(run, false);
}

/* Names that people may be held by: as DNs, and as uids. */
static struct digest name_number(const struct closure *closure, unsigned number)
{
	char name[CLOSURE_WORLD_MAX_DN];

	if (number < CLOSURE_WORLD_PEOPLE) {
		(void)snprintf(name, sizeof(name), "u%u", number);
		return closure_digest_uid(closure, name, strlen(name));
	}
	if (number < 2 * CLOSURE_WORLD_PEOPLE)
		(void)snprintf(name, sizeof(name), "uid=u%u,ou=people,dc=x", number - CLOSURE_WORLD_PEOPLE);
	else
		(void)snprintf(name, sizeof(name), "cn=n%u,ou=groups,dc=x", number - 2 * CLOSURE_WORLD_PEOPLE);
	return closure_stage_digest(closure, name);
}

/* Who is held by which roots; a patch has to say whose answer is another one. */
static void look(const struct closure *closure, bool held[MEMBERS][CLOSURE_WORLD_ROOTS])
{
	for (unsigned number = 0; number < MEMBERS; number++)
		for (size_t root = 0; root < CLOSURE_WORLD_ROOTS; root++)
			held[number][root] = closure_stage_holds_digest(closure, root, name_number(closure, number));
}

static bool was_touched(const struct closure_stage_patched *patched, struct digest name)
{
	assert_true(patched->touched_count <= COUNT_OF(patched->touched));
	for (size_t i = 0; i < patched->touched_count; i++)
		if (digest_compare(&patched->touched[i], &name) == 0)
			return true;
	return patched->everything;
}

static void assert_touched(const struct closure_stage *stage, bool before[MEMBERS][CLOSURE_WORLD_ROOTS])
{
	bool after[MEMBERS][CLOSURE_WORLD_ROOTS];

	look(stage->closure, after);
	for (unsigned number = 0; number < MEMBERS; number++)
		if (memcmp(before[number], after[number], sizeof(after[number])) != 0)
			assert_true(was_touched(&stage->patched, name_number(stage->closure, number)));
}

static void patch(struct run *run, const struct closure_concern *concern)
{
	bool before[MEMBERS][CLOSURE_WORLD_ROOTS];

	look(run->world.stage.closure, before);
	meddle_with(run, run->is_hasty);
	closure_stage_patch(&run->world.stage, concern, run->world.told);
	meddle_with(run, false);
	assert_int_equal(run->world.stage.patched.status, STATUS_OK);
	if (run->world.stage.patched.whole)
		load(run);
	else {
		assert_touched(&run->world.stage, before);
		run->patches++;
	}
}

/* What was told is applied. */
static void apply(struct run *run)
{
	struct closure_concern concern = run->world.concern;

	if (closure_concern_is_nothing(&concern))
		return;
	memset(&run->world.concern, 0, sizeof(run->world.concern));
	run->concerns++;
	if (concern.everything)
		load(run);
	else
		patch(run, &concern);
	if (closure_wants_rebuild(run->world.stage.closure))
		load(run);
}

static void settle(struct run *run)
{
	run->is_hasty = false;
	while (closure_world_hear(&run->world))
		apply(run);
	apply(run);
}

static void assert_same(const struct closure *followed, const struct closure *loaded, const char *dn, const char *uid)
{
	for (size_t root = 0; root < CLOSURE_WORLD_ROOTS; root++)
		if (closure_stage_holds(followed, root, dn, uid) != closure_stage_holds(loaded, root, dn, uid))
			fail_msg("root %zu and %s: held is %d, and must not be", root, dn,
				 closure_stage_holds(followed, root, dn, uid));
}

/* How far a group is beneath a root; without an index there is nothing else to compare. */
static uint32_t distance_of(const struct closure *closure, size_t root, const char *dn)
{
	uint32_t group = closure_find_digest(closure, closure_stage_digest(closure, dn));

	return group == CLOSURE_NONE ? CLOSURE_NONE : closure_distance(closure, root, group);
}

static void assert_same_group(const struct closure *followed, const struct closure *loaded, const char *dn)
{
	assert_same(followed, loaded, dn, NULL);
	for (size_t root = 0; root < CLOSURE_WORLD_ROOTS; root++)
		if (distance_of(followed, root, dn) != distance_of(loaded, root, dn))
			fail_msg("root %zu and %s: the distance is %u, and must be %u", root, dn,
				 distance_of(followed, root, dn), distance_of(loaded, root, dn));
}

static void compare(struct run *run)
{
	struct closure *followed = closure_ref(run->world.stage.closure);
	char dn[CLOSURE_WORLD_MAX_DN], uid[16];

	assert_int_equal(closure_stage_load(&run->world.stage), STATUS_OK);
	for (size_t root = 0; root < CLOSURE_WORLD_ROOTS; root++)
		assert_int_equal(closure_root_group(followed, root) == CLOSURE_NONE,
				 closure_root_group(run->world.stage.closure, root) == CLOSURE_NONE);
	for (unsigned i = 0; i < CLOSURE_WORLD_PEOPLE; i++) {
		(void)snprintf(dn, sizeof(dn), "uid=u%u,ou=people,dc=x", i);
		(void)snprintf(uid, sizeof(uid), "u%u", i);
		assert_same(followed, run->world.stage.closure, dn, uid);
	}
	/* People who have names that groups have, groups that are listed as if they were people. */
	for (unsigned i = 0; i < CLOSURE_WORLD_NAMES; i++) {
		(void)snprintf(dn, sizeof(dn), "cn=n%u,ou=groups,dc=x", i);
		assert_same_group(followed, run->world.stage.closure, dn);
		(void)snprintf(dn, sizeof(dn), "cn=n%u,ou=else,dc=x", i);
		assert_same_group(followed, run->world.stage.closure, dn);
	}
	closure_unref(&run->world.stage.closure);
	run->world.stage.closure = followed;
}

static void begin(struct run *run, unsigned seed)
{
	memset(run, 0, sizeof(*run));
	closure_world_open(&run->world, seed, seed % 4 < 2 ? "dc=x" : "ou=groups,dc=x");
	run->world.stage.context = run;
	run->world.hides_subordinates = seed % 8 == 7;
	run->world.tells_late = seed % 3 == 0;
	if (seed % 10 == 5)
		run->world.stage.plan.index_budget_bytes = 0;
	for (unsigned i = 0; i < 60; i++)
		closure_world_edit(&run->world);
	load(run);
	while (closure_world_hear(&run->world))
		continue; /* of what the load has seen */
	memset(&run->world.concern, 0, sizeof(run->world.concern));
}

static void play(struct run *run, unsigned seed, bool is_hasty)
{
	begin(run, seed);
	for (unsigned i = 0; i < EDITS; i++) {
		run->is_hasty = is_hasty;
		closure_world_edit(&run->world);
		/* Several are told before any is applied, and some are still on their way. */
		for (unsigned words = is_hasty ? closure_world_below(&run->world, 3) : EDITS;
		     words > 0 && closure_world_hear(&run->world); words--)
			if (closure_world_below(&run->world, 2) == 0)
				apply(run);
		apply(run);
		if (is_hasty && closure_world_below(&run->world, 8) != 0)
			continue;
		settle(run);
		compare(run);
	}
	settle(run);
	compare(run);
	closure_world_close(&run->world);
}

static void closure_patch__changes_told_one_by_one__is_as_a_load_and_the_rule(void **state)
{
	static struct run run;
	unsigned concerns = 0, patches = 0;

	(void)state;
	for (unsigned seed = 1; seed <= SEEDS; seed++) {
		play(&run, seed, false);
		concerns += run.concerns;
		patches += run.patches;
	}
	print_message("%u of %u changes that mattered were patches\n", patches, concerns);
	assert_true(concerns > SEEDS * EDITS / 10);
	assert_true(patches * 5 > concerns * 4);
}

static void closure_patch__changes_all_the_time__is_as_a_load_when_all_is_told(void **state)
{
	static struct run run;
	unsigned patches = 0;

	(void)state;
	for (unsigned seed = 1; seed <= SEEDS; seed++) {
		play(&run, seed + 1000, true);
		patches += run.patches;
	}
	print_message("%u patches\n", patches);
	assert_true(patches > SEEDS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(closure_patch__changes_told_one_by_one__is_as_a_load_and_the_rule),
	    cmocka_unit_test(closure_patch__changes_all_the_time__is_as_a_load_when_all_is_told),
	};

	return cmocka_run_group_tests_name("closure_random", tests, NULL, NULL);
}
