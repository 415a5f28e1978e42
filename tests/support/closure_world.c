/* SPDX-License-Identifier: Apache-2.0 */
#include <support/closure_world.h>

#include <base/compiler.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support/assertions.h>
#include <support/fake_directory_private.h>
#include <support/fake_text.h>

static const char *const roots[CLOSURE_WORLD_ROOTS] = {"cn=n0,ou=groups,dc=x", "cn=n1,ou=groups,dc=x",
						       "cn=n2,ou=groups,dc=x", "cn=n3,ou=groups,dc=x"};

/* A change that was made and not told yet. */
struct closure_word {
	enum dir_change change;
	char id[64], dn[CLOSURE_WORLD_MAX_DN];
	char attributes[128]; /* as they were then */
	char mark[64];
	struct closure_word *next;
};

unsigned closure_world_below(struct closure_world *world, unsigned limit)
{
	/* Knuth's MMIX generator; the high bits are good enough. */
	world->random = world->random * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)((world->random >> 33) % limit);
}

static struct fake_directory *directory_of(struct closure_world *world)
{
	return world->stage.directory;
}

/* Names */

static void group_dn(struct closure_world *world, char *dn)
{
	unsigned number = closure_world_below(world, CLOSURE_WORLD_NAMES);
	/* A few lie where no groups are listed. */
	const char *unit = closure_world_below(world, 12) == 0 ? "else" : "groups";

	(void)snprintf(dn, CLOSURE_WORLD_MAX_DN, "cn=n%u,ou=%s,dc=x", number, unit);
}

static void person_dn(struct closure_world *world, char *dn)
{
	(void)snprintf(dn, CLOSURE_WORLD_MAX_DN, "uid=u%u,ou=people,dc=x",
		       closure_world_below(world, CLOSURE_WORLD_PEOPLE));
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
static const struct fake_entry *some_group(struct closure_world *world, char *dn)
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

static void describe(const struct closure_world *world, const struct fake_entry *entry, struct closure_word *word)
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

static void say(struct closure_world *world, enum dir_change change, const char *dn)
{
	struct closure_word *word = fake_new(1, sizeof(*word));

	word->change = change;
	(void)snprintf(word->id, sizeof(word->id), "%s", closure_stage_id(&world->stage, dn));
	(void)snprintf(word->mark, sizeof(word->mark), "%s", closure_stage_mark(&world->stage));
	describe(world, fake_directory_entry(directory_of(world), dn), word);
	*world->end = word;
	world->end = &word->next;
}

/* The entry as it is now. @return false: it is gone. */
static bool look_again(const struct closure_world *world, struct closure_word *word)
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

bool closure_world_hear(struct closure_world *world)
{
	struct closure_word *word = world->words;

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

static void gain(struct closure_world *world, const char *dn, const char *attribute, const char *value)
{
	if (fake_directory_gain(directory_of(world), dn, attribute, value))
		say(world, DIR_CHANGE_MODIFY, dn);
}

static void lose(struct closure_world *world, const char *dn, const char *attribute, const char *value)
{
	if (fake_directory_lose(directory_of(world), dn, attribute, value))
		say(world, DIR_CHANGE_MODIFY, dn);
}

static void change_person_in_group(struct closure_world *world)
{
	char group[CLOSURE_WORLD_MAX_DN], person[CLOSURE_WORLD_MAX_DN], uid[16];
	const struct fake_entry *entry = some_group(world, group);
	const char *attribute, *value = person;

	if (entry == NULL)
		return;
	attribute = member_attribute(entry);
	person_dn(world, person);
	if (strcmp(attribute, "memberUid") == 0) {
		(void)snprintf(uid, sizeof(uid), "u%u", closure_world_below(world, CLOSURE_WORLD_PEOPLE));
		value = uid;
	}
	if (closure_world_below(world, 2) == 0)
		gain(world, group, attribute, value);
	else
		lose(world, group, attribute, value);
}

/* Of a group that need not exist; cycles and groups that hold themselves are among them. */
static void change_nesting(struct closure_world *world)
{
	char group[CLOSURE_WORLD_MAX_DN], other[CLOSURE_WORLD_MAX_DN];
	const struct fake_entry *entry = some_group(world, group);

	if (entry == NULL || strcmp(member_attribute(entry), "memberUid") == 0)
		return;
	group_dn(world, other);
	if (closure_world_below(world, 5) < 3)
		gain(world, group, member_attribute(entry), other);
	else
		lose(world, group, member_attribute(entry), other);
}

static void make_group(struct closure_world *world, const char *dn)
{
	static const char *const classes[] = {"groupOfNames", "groupOfMembers", "groupOfUniqueNames", "posixGroup"};
	const char *object_class =
	    classes[closure_world_below(world, 8) < 5 ? 0 : closure_world_below(world, COUNT_OF(classes))];
	char member[CLOSURE_WORLD_MAX_DN];
	const struct fake_entry *entry;

	if (!fake_directory_add(directory_of(world), dn))
		return;
	(void)fake_directory_gain(directory_of(world), dn, "objectClass", object_class);
	entry = fake_directory_entry(directory_of(world), dn);
	/* Whose class demands a member has one that nobody takes away. */
	if (strcmp(member_attribute(entry), "memberUid") != 0)
		(void)fake_directory_gain(directory_of(world), dn, member_attribute(entry), "cn=keeper,dc=x");
	for (unsigned i = closure_world_below(world, 3); i > 0; i--) {
		person_dn(world, member);
		if (strcmp(member_attribute(entry), "memberUid") != 0)
			(void)fake_directory_gain(directory_of(world), dn, member_attribute(entry), member);
	}
	say(world, DIR_CHANGE_ADD, dn);
}

static bool unmake(struct closure_world *world, const char *dn)
{
	if (fake_directory_entry(directory_of(world), dn) == NULL)
		return false;
	say(world, DIR_CHANGE_DELETE, dn);
	(void)fake_directory_delete(directory_of(world), dn);
	/* Nothing is told before it has happened: the mark of the word is that of the change. */
	for (struct closure_word *word = world->words; word != NULL; word = word->next)
		if (word->next == NULL)
			(void)snprintf(word->mark, sizeof(word->mark), "%s", closure_stage_mark(&world->stage));
	return true;
}

static void rename_to(struct closure_world *world, const char *dn, const char *new_dn)
{
	if (fake_directory_rename(directory_of(world), dn, new_dn))
		say(world, DIR_CHANGE_MODIFY, new_dn);
}

/* A group that no policy names; those it names change their names seldom. */
static bool pick(struct closure_world *world, char *dn)
{
	if (some_group(world, dn) == NULL)
		return false;
	for (size_t i = 0; i < CLOSURE_WORLD_ROOTS; i++)
		if (strcmp(dn, roots[i]) == 0)
			return closure_world_below(world, 40) == 0;
	return true;
}

static void rename_group(struct closure_world *world)
{
	char dn[CLOSURE_WORLD_MAX_DN], new_dn[CLOSURE_WORLD_MAX_DN];

	if (!pick(world, dn))
		return;
	group_dn(world, new_dn);
	rename_to(world, dn, new_dn);
}

static void swap_groups(struct closure_world *world)
{
	char one[CLOSURE_WORLD_MAX_DN], other[CLOSURE_WORLD_MAX_DN];

	if (!pick(world, one) || !pick(world, other) || strcmp(one, other) == 0)
		return;
	rename_to(world, one, "cn=between,ou=groups,dc=x");
	rename_to(world, other, one);
	rename_to(world, "cn=between,ou=groups,dc=x", other);
}

static void delete_group(struct closure_world *world)
{
	char dn[CLOSURE_WORLD_MAX_DN];

	if (pick(world, dn))
		(void)unmake(world, dn);
}

static void remake_group(struct closure_world *world)
{
	char dn[CLOSURE_WORLD_MAX_DN];

	if (pick(world, dn) && unmake(world, dn))
		make_group(world, dn);
}

static void new_group(struct closure_world *world)
{
	char dn[CLOSURE_WORLD_MAX_DN];

	group_dn(world, dn);
	make_group(world, dn);
}

static void make_person(struct closure_world *world, const char *dn)
{
	if (!fake_directory_add(directory_of(world), dn))
		return;
	(void)fake_directory_gain(directory_of(world), dn, "objectClass", "inetOrgPerson");
	say(world, DIR_CHANGE_ADD, dn);
}

static void change_person(struct closure_world *world)
{
	char dn[CLOSURE_WORLD_MAX_DN], new_dn[CLOSURE_WORLD_MAX_DN];

	person_dn(world, dn);
	if (fake_directory_entry(directory_of(world), dn) == NULL)
		make_person(world, dn);
	else if (closure_world_below(world, 2) == 0)
		(void)unmake(world, dn);
	else {
		person_dn(world, new_dn);
		rename_to(world, dn, new_dn);
	}
}

/* Somebody has a name that groups have. */
static void person_for_group(struct closure_world *world)
{
	char dn[CLOSURE_WORLD_MAX_DN];

	group_dn(world, dn);
	if (fake_directory_entry(directory_of(world), dn) == NULL || (pick(world, dn) && unmake(world, dn)))
		make_person(world, dn);
}

/* An entry that was a group is none, or the other way round. */
static void change_class(struct closure_world *world)
{
	char dn[CLOSURE_WORLD_MAX_DN];
	const struct fake_entry *entry;

	group_dn(world, dn);
	entry = fake_directory_entry(directory_of(world), dn);
	if (entry == NULL || closure_world_below(world, 4) != 0)
		return;
	if (has_class(entry, "groupOfNames")) {
		(void)fake_directory_gain(directory_of(world), dn, "objectClass", "device");
		lose(world, dn, "objectClass", "groupOfNames");
	} else if (has_class(entry, "device")) {
		(void)fake_directory_lose(directory_of(world), dn, "objectClass", "device");
		gain(world, dn, "objectClass", "groupOfNames");
	}
}

void closure_world_edit(struct closure_world *world)
{
	static const struct {
		unsigned weight;
		void (*make)(struct closure_world *world);
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
	at = closure_world_below(world, total);
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		if (at < kinds[i].weight) {
			kinds[i].make(world);
			return;
		}
		at -= kinds[i].weight;
	}
}

/* Life */

void closure_world_open(struct closure_world *world, unsigned seed, const char *group_base)
{
	memset(world, 0, sizeof(*world));
	world->random = seed;
	world->end = &world->words;
	closure_stage_open(&world->stage, roots, CLOSURE_WORLD_ROOTS, group_base);
	world->stage.context = world;
	for (size_t i = 0; i < CLOSURE_WORLD_ROOTS; i++)
		make_group(world, roots[i]);
}

void closure_world_close(struct closure_world *world)
{
	while (world->words != NULL) {
		struct closure_word *word = world->words;

		world->words = word->next;
		free(word);
	}
	closure_stage_close(&world->stage);
}
