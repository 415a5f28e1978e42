/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Directories that change at random, and closures that follow what they are told: concern, then a patch, or a load where that is
 * said. Whenever everything has been told and applied, the closure answers as one does that was just loaded.
 *
 * Two kinds of seeds. Prompt: each change is told and applied before the next one is made; then a patch has to be the rule.
 * Hasty: changes are made all the time, also while a patch or a load is under way, and told some time later, one by one.
 */
#include <membership/closure_patch.h>

#include <base/arena.h>
#include <base/compiler.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support/assertions.h>
#include <support/closure_stage.h>
#include <support/fake_directory_private.h>
#include <support/fake_text.h>

#define SEEDS  24
#define EDITS  250
#define ROOTS  4
#define NAMES  18 /* that groups (and, now and then, people) have */
#define PEOPLE 10
#define MAX_DN 64
/* Changes made in one patch or load; a load gives up when groups change in each of its attempts. */
#define MAX_MEANWHILE 4

static const char *const roots[ROOTS] = {"cn=n0,ou=groups,dc=x", "cn=n1,ou=groups,dc=x", "cn=n2,ou=groups,dc=x",
					 "cn=n3,ou=groups,dc=x"};

/* A change that was made and not told yet. */
struct word {
	enum dir_change change;
	char id[64], dn[MAX_DN];
	char attributes[128]; /* as they were then */
	char mark[64];
	struct word *next;
};

struct world {
	struct closure_stage stage;
	uint64_t random;
	bool is_hasty, hides_subordinates;
	bool tells_late; /* an entry is told as it is when it is told, not as it was when it changed */
	unsigned meanwhile;
	struct word *words, **end;
	struct closure_concern concern;
	char told[64];

	unsigned concerns, patches, loads, comparisons;
};

static unsigned below(struct world *world, unsigned limit)
{
	/* Knuth's MMIX generator; the high bits are good enough. */
	world->random = world->random * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)((world->random >> 33) % limit);
}

static struct fake_directory *directory_of(struct world *world)
{
	return world->stage.directory;
}

/* Names */

static void group_dn(struct world *world, char *dn)
{
	unsigned number = below(world, NAMES);
	/* A few lie where no groups are listed. */
	const char *unit = below(world, 12) == 0 ? "else" : "groups";

	(void)snprintf(dn, MAX_DN, "cn=n%u,ou=%s,dc=x", number, unit);
}

static void person_dn(struct world *world, char *dn)
{
	(void)snprintf(dn, MAX_DN, "uid=u%u,ou=people,dc=x", below(world, PEOPLE));
}

static bool has_class(const struct fake_entry *entry, const char *object_class)
{
	const struct fake_attribute *classes = fake_entry_attribute(entry, "objectClass");

	for (size_t i = 0; classes != NULL && i < classes->count; i++)
		if (strcmp(classes->values[i].data, object_class) == 0)
			return true;
	return false;
}

static const char *member_attribute(const struct fake_entry *entry)
{
	if (has_class(entry, "groupOfNames") || has_class(entry, "groupOfMembers"))
		return "member";
	if (has_class(entry, "groupOfUniqueNames"))
		return "uniqueMember";
	return has_class(entry, "posixGroup") ? "memberUid" : NULL;
}

/* A group that exists; NULL after some fruitless tries. */
static const struct fake_entry *some_group(struct world *world, char *dn)
{
	for (unsigned i = 0; i < 8; i++) {
		const struct fake_entry *entry;

		group_dn(world, dn);
		entry = fake_directory_entry(directory_of(world), dn);
		if (entry != NULL && member_attribute(entry) != NULL)
			return entry;
	}
	return NULL;
}

/* Telling */

static void describe(const struct world *world, const struct fake_entry *entry, struct word *word)
{
	const struct fake_attribute *classes = fake_entry_attribute(entry, "objectClass");
	size_t length = 0;

	(void)snprintf(word->dn, sizeof(word->dn), "%s", entry->dn);
	word->attributes[0] = '\0';
	for (size_t i = 0; classes != NULL && i < classes->count; i++)
		length += (size_t)snprintf(word->attributes + length, sizeof(word->attributes) - length,
					   "objectClass=%s;", classes->values[i].data);
	if (!world->hides_subordinates)
		(void)snprintf(word->attributes + length, sizeof(word->attributes) - length, "hasSubordinates=%s;",
			       has_class(entry, "organizationalUnit") ? "TRUE" : "FALSE");
}

static void say(struct world *world, enum dir_change change, const char *dn)
{
	struct word *word = fake_new(1, sizeof(*word));

	word->change = change;
	(void)snprintf(word->id, sizeof(word->id), "%s", closure_stage_id(&world->stage, dn));
	(void)snprintf(word->mark, sizeof(word->mark), "%s", closure_stage_mark(&world->stage));
	describe(world, fake_directory_entry(directory_of(world), dn), word);
	*world->end = word;
	world->end = &word->next;
}

/* The entry as it is now. @return false: it is gone. */
static bool look_again(const struct world *world, struct word *word)
{
	const struct fake_directory *directory = world->stage.directory;

	for (size_t i = 0; i < directory->count; i++) {
		const struct fake_entry *entry = &directory->entries[i];

		if (strcmp(fake_entry_attribute(entry, "entryUUID")->values[0].data, word->id) != 0)
			continue;
		describe(world, entry, word);
		return true;
	}
	return false;
}

static bool hear(struct world *world)
{
	struct word *word = world->words;

	if (word == NULL)
		return false;
	if (word->change == DIR_CHANGE_DELETE)
		closure_stage_tell_of(&world->stage, &world->concern, word->change, word->id, word->dn, "");
	else if (!world->tells_late || look_again(world, word))
		closure_stage_tell_of(&world->stage, &world->concern, word->change, word->id, word->dn,
				      word->attributes);
	(void)snprintf(world->told, sizeof(world->told), "%s", word->mark);
	world->words = word->next;
	if (world->words == NULL)
		world->end = &world->words;
	free(word);
	return true;
}

/* Changes */

static void gain(struct world *world, const char *dn, const char *attribute, const char *value)
{
	if (fake_directory_gain(directory_of(world), dn, attribute, value))
		say(world, DIR_CHANGE_MODIFY, dn);
}

static void lose(struct world *world, const char *dn, const char *attribute, const char *value)
{
	if (fake_directory_lose(directory_of(world), dn, attribute, value))
		say(world, DIR_CHANGE_MODIFY, dn);
}

static void change_person_in_group(struct world *world)
{
	char group[MAX_DN], person[MAX_DN], uid[16];
	const struct fake_entry *entry = some_group(world, group);
	const char *attribute, *value = person;

	if (entry == NULL)
		return;
	attribute = member_attribute(entry);
	person_dn(world, person);
	if (strcmp(attribute, "memberUid") == 0) {
		(void)snprintf(uid, sizeof(uid), "u%u", below(world, PEOPLE));
		value = uid;
	}
	if (below(world, 2) == 0)
		gain(world, group, attribute, value);
	else
		lose(world, group, attribute, value);
}

/* Of a group that need not exist; cycles and groups that hold themselves are among them. */
static void change_nesting(struct world *world)
{
	char group[MAX_DN], other[MAX_DN];
	const struct fake_entry *entry = some_group(world, group);

	if (entry == NULL || strcmp(member_attribute(entry), "memberUid") == 0)
		return;
	group_dn(world, other);
	if (below(world, 5) < 3)
		gain(world, group, member_attribute(entry), other);
	else
		lose(world, group, member_attribute(entry), other);
}

static void make_group(struct world *world, const char *dn)
{
	static const char *const classes[] = {"groupOfNames", "groupOfMembers", "groupOfUniqueNames", "posixGroup"};
	const char *object_class = classes[below(world, 8) < 5 ? 0 : below(world, COUNT_OF(classes))];
	char member[MAX_DN];
	const struct fake_entry *entry;

	if (!fake_directory_add(directory_of(world), dn))
		return;
	(void)fake_directory_gain(directory_of(world), dn, "objectClass", object_class);
	entry = fake_directory_entry(directory_of(world), dn);
	/* Whose class demands a member has one that nobody takes away. */
	if (strcmp(member_attribute(entry), "memberUid") != 0)
		(void)fake_directory_gain(directory_of(world), dn, member_attribute(entry), "cn=keeper,dc=x");
	for (unsigned i = below(world, 3); i > 0; i--) {
		person_dn(world, member);
		if (strcmp(member_attribute(entry), "memberUid") != 0)
			(void)fake_directory_gain(directory_of(world), dn, member_attribute(entry), member);
	}
	say(world, DIR_CHANGE_ADD, dn);
}

static bool unmake(struct world *world, const char *dn)
{
	if (fake_directory_entry(directory_of(world), dn) == NULL)
		return false;
	say(world, DIR_CHANGE_DELETE, dn);
	(void)fake_directory_delete(directory_of(world), dn);
	/* Nothing is told before it has happened: the mark of the word is that of the change. */
	for (struct word *word = world->words; word != NULL; word = word->next)
		if (word->next == NULL)
			(void)snprintf(word->mark, sizeof(word->mark), "%s", closure_stage_mark(&world->stage));
	return true;
}

static void rename_to(struct world *world, const char *dn, const char *new_dn)
{
	if (fake_directory_rename(directory_of(world), dn, new_dn))
		say(world, DIR_CHANGE_MODIFY, new_dn);
}

/* A group that no policy names; those it names change their names seldom. */
static bool pick(struct world *world, char *dn)
{
	if (some_group(world, dn) == NULL)
		return false;
	for (size_t i = 0; i < ROOTS; i++)
		if (strcmp(dn, roots[i]) == 0)
			return below(world, 40) == 0;
	return true;
}

static void rename_group(struct world *world)
{
	char dn[MAX_DN], new_dn[MAX_DN];

	if (!pick(world, dn))
		return;
	group_dn(world, new_dn);
	rename_to(world, dn, new_dn);
}

static void swap_groups(struct world *world)
{
	char one[MAX_DN], other[MAX_DN];

	if (!pick(world, one) || !pick(world, other) || strcmp(one, other) == 0)
		return;
	rename_to(world, one, "cn=between,ou=groups,dc=x");
	rename_to(world, other, one);
	rename_to(world, "cn=between,ou=groups,dc=x", other);
}

static void delete_group(struct world *world)
{
	char dn[MAX_DN];

	if (pick(world, dn))
		(void)unmake(world, dn);
}

static void remake_group(struct world *world)
{
	char dn[MAX_DN];

	if (pick(world, dn) && unmake(world, dn))
		make_group(world, dn);
}

static void new_group(struct world *world)
{
	char dn[MAX_DN];

	group_dn(world, dn);
	make_group(world, dn);
}

static void make_person(struct world *world, const char *dn)
{
	if (!fake_directory_add(directory_of(world), dn))
		return;
	(void)fake_directory_gain(directory_of(world), dn, "objectClass", "inetOrgPerson");
	say(world, DIR_CHANGE_ADD, dn);
}

static void change_person(struct world *world)
{
	char dn[MAX_DN], new_dn[MAX_DN];

	person_dn(world, dn);
	if (fake_directory_entry(directory_of(world), dn) == NULL)
		make_person(world, dn);
	else if (below(world, 2) == 0)
		(void)unmake(world, dn);
	else {
		person_dn(world, new_dn);
		rename_to(world, dn, new_dn);
	}
}

/* Somebody has a name that groups have. */
static void person_for_group(struct world *world)
{
	char dn[MAX_DN];

	group_dn(world, dn);
	if (fake_directory_entry(directory_of(world), dn) == NULL)
		make_person(world, dn);
	else if (pick(world, dn) && unmake(world, dn))
		make_person(world, dn);
}

/* An entry that was a group is none, or the other way round. */
static void change_class(struct world *world)
{
	char dn[MAX_DN];
	const struct fake_entry *entry;

	group_dn(world, dn);
	entry = fake_directory_entry(directory_of(world), dn);
	if (entry == NULL || below(world, 4) != 0)
		return;
	if (has_class(entry, "groupOfNames")) {
		(void)fake_directory_gain(directory_of(world), dn, "objectClass", "device");
		lose(world, dn, "objectClass", "groupOfNames");
	} else if (has_class(entry, "device")) {
		(void)fake_directory_lose(directory_of(world), dn, "objectClass", "device");
		gain(world, dn, "objectClass", "groupOfNames");
	}
}

static void edit(struct world *world)
{
	static const struct {
		unsigned weight;
		void (*make)(struct world *world);
	} kinds[] = {
	    {30, change_person_in_group},
	    {25, change_nesting},
	    {6, rename_group},
	    {4, delete_group},
	    {3, remake_group},
	    {8, new_group},
	    {8, change_person},
	    {3, swap_groups},
	    {2, change_class},
	    {1, person_for_group},
	};
	unsigned total = 0, at;

	for (size_t i = 0; i < COUNT_OF(kinds); i++)
		total += kinds[i].weight;
	at = below(world, total);
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		if (at < kinds[i].weight) {
			kinds[i].make(world);
			return;
		}
		at -= kinds[i].weight;
	}
}

/* Following */

static void meddle(struct closure_stage *stage)
{
	struct world *world = stage->context;

	if (world->meanwhile < MAX_MEANWHILE && below(world, 6) == 0) {
		world->meanwhile++;
		edit(world);
	}
}

/* Changes go on while it runs, or not. */
static void meddle_with(struct world *world, bool meddles)
{
	world->meanwhile = 0;
	world->stage.on_step = meddles ? meddle : NULL;
}

static void load(struct world *world)
{
	world->loads++;
	meddle_with(world, world->is_hasty);
	if (closure_stage_load(&world->stage) != STATUS_OK) {
		meddle_with(world, false);
		assert_int_equal(closure_stage_load(&world->stage), STATUS_OK);
	}
	meddle_with(world, false);
}

/* Names that people may be held by: as DNs, and as uids. */
static struct digest name_number(const struct closure *closure, unsigned number)
{
	char name[MAX_DN];

	if (number < PEOPLE) {
		(void)snprintf(name, sizeof(name), "u%u", number);
		return closure_digest_uid(closure, name, strlen(name));
	}
	if (number < 2 * PEOPLE)
		(void)snprintf(name, sizeof(name), "uid=u%u,ou=people,dc=x", number - PEOPLE);
	else
		(void)snprintf(name, sizeof(name), "cn=n%u,ou=groups,dc=x", number - 2 * PEOPLE);
	return closure_stage_digest(closure, name);
}

/* Who is held by which roots; a patch has to say whose answer is another one. */
static void look(const struct closure *closure, bool held[2 * PEOPLE + NAMES][ROOTS])
{
	for (unsigned number = 0; number < 2 * PEOPLE + NAMES; number++)
		for (size_t root = 0; root < ROOTS; root++)
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

static void assert_touched(const struct closure_stage *stage, bool before[2 * PEOPLE + NAMES][ROOTS])
{
	bool after[2 * PEOPLE + NAMES][ROOTS];

	look(stage->closure, after);
	for (unsigned number = 0; number < 2 * PEOPLE + NAMES; number++)
		if (memcmp(before[number], after[number], sizeof(after[number])) != 0)
			assert_true(was_touched(&stage->patched, name_number(stage->closure, number)));
}

static void patch(struct world *world, const struct closure_concern *concern)
{
	bool before[2 * PEOPLE + NAMES][ROOTS];

	look(world->stage.closure, before);
	meddle_with(world, world->is_hasty);
	closure_stage_patch(&world->stage, concern, world->told);
	meddle_with(world, false);
	assert_int_equal(world->stage.patched.status, STATUS_OK);
	if (world->stage.patched.whole)
		load(world);
	else {
		assert_touched(&world->stage, before);
		world->patches++;
	}
}

/* What was told is applied. */
static void apply(struct world *world)
{
	struct closure_concern concern = world->concern;

	if (closure_concern_is_nothing(&concern))
		return;
	memset(&world->concern, 0, sizeof(world->concern));
	world->concerns++;
	if (concern.everything)
		load(world);
	else
		patch(world, &concern);
	if (closure_wants_rebuild(world->stage.closure))
		load(world);
}

static void settle(struct world *world)
{
	world->is_hasty = false;
	while (hear(world))
		apply(world);
	apply(world);
}

static void assert_same(const struct closure *followed, const struct closure *loaded, const char *dn, const char *uid)
{
	for (size_t root = 0; root < ROOTS; root++)
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
	for (size_t root = 0; root < ROOTS; root++)
		if (distance_of(followed, root, dn) != distance_of(loaded, root, dn))
			fail_msg("root %zu and %s: the distance is %u, and must be %u", root, dn,
				 distance_of(followed, root, dn), distance_of(loaded, root, dn));
}

static void compare(struct world *world)
{
	struct closure *followed = closure_ref(world->stage.closure);
	char dn[MAX_DN], uid[16];

	world->comparisons++;
	assert_int_equal(closure_stage_load(&world->stage), STATUS_OK);
	for (size_t root = 0; root < ROOTS; root++)
		assert_int_equal(closure_root_group(followed, root) == CLOSURE_NONE,
				 closure_root_group(world->stage.closure, root) == CLOSURE_NONE);
	for (unsigned i = 0; i < PEOPLE; i++) {
		(void)snprintf(dn, sizeof(dn), "uid=u%u,ou=people,dc=x", i);
		(void)snprintf(uid, sizeof(uid), "u%u", i);
		assert_same(followed, world->stage.closure, dn, uid);
	}
	/* People who have names that groups have, groups that are listed as if they were people. */
	for (unsigned i = 0; i < NAMES; i++) {
		(void)snprintf(dn, sizeof(dn), "cn=n%u,ou=groups,dc=x", i);
		assert_same_group(followed, world->stage.closure, dn);
		(void)snprintf(dn, sizeof(dn), "cn=n%u,ou=else,dc=x", i);
		assert_same_group(followed, world->stage.closure, dn);
	}
	closure_unref(&world->stage.closure);
	world->stage.closure = followed;
}

static void begin(struct world *world, unsigned seed)
{
	memset(world, 0, sizeof(*world));
	world->random = seed;
	world->end = &world->words;
	closure_stage_open(&world->stage, roots, ROOTS, seed % 4 < 2 ? "dc=x" : "ou=groups,dc=x");
	world->stage.context = world;
	world->hides_subordinates = seed % 8 == 7;
	world->tells_late = seed % 3 == 0;
	if (seed % 10 == 5)
		world->stage.plan.index_budget_bytes = 0;
	for (size_t i = 0; i < ROOTS; i++)
		make_group(world, roots[i]);
	for (unsigned i = 0; i < 60; i++)
		edit(world);
	load(world);
	while (hear(world))
		continue; /* of what the load has seen */
	memset(&world->concern, 0, sizeof(world->concern));
	world->loads = 0;
}

static void run(struct world *world, unsigned seed, bool is_hasty)
{
	begin(world, seed);
	for (unsigned i = 0; i < EDITS; i++) {
		world->is_hasty = is_hasty;
		edit(world);
		/* Several are told before any is applied, and some are still on their way. */
		for (unsigned words = is_hasty ? below(world, 3) : EDITS; words > 0 && hear(world); words--)
			if (below(world, 2) == 0)
				apply(world);
		apply(world);
		if (is_hasty && below(world, 8) != 0)
			continue;
		settle(world);
		compare(world);
	}
	settle(world);
	compare(world);
	closure_stage_close(&world->stage);
}

static void closure_patch__changes_told_one_by_one__is_as_a_load_and_the_rule(void **state)
{
	static struct world world;
	unsigned concerns = 0, patches = 0;

	(void)state;
	for (unsigned seed = 1; seed <= SEEDS; seed++) {
		run(&world, seed, false);
		concerns += world.concerns;
		patches += world.patches;
	}
	print_message("%u of %u changes that mattered were patches\n", patches, concerns);
	assert_true(concerns > SEEDS * EDITS / 10);
	assert_true(patches * 5 > concerns * 4);
}

static void closure_patch__changes_all_the_time__is_as_a_load_when_all_is_told(void **state)
{
	static struct world world;
	unsigned patches = 0;

	(void)state;
	for (unsigned seed = 1; seed <= SEEDS; seed++) {
		run(&world, seed + 1000, true);
		patches += world.patches;
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
