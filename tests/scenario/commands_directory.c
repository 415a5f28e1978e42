/* SPDX-License-Identifier: Apache-2.0 */
#include <scenario/commands.h>

#include <base/ascii.h>
#include <stdlib.h>
#include <string.h>
#include <support/dir_pool_fake.h>
#include <support/dir_watch_fake.h>
#include <support/fake_text.h>

#define PEOPLE "ou=people,dc=x"

/* Group classes and the attribute that names their members. */
static const struct {
	const char *class, *attribute;
} group_kinds[] = {
    {"groupOfNames", "member"},
    {"groupOfMembers", "member"},
    {"groupOfUniqueNames", "uniqueMember"},
    {"posixGroup", "memberUid"},
};

static const struct {
	const char *word;
	int code;
} codes[] = {
    {"operations-error", 1}, {"time-limit", 3}, {"size-limit", 4}, {"referral", 10},    {"admin-limit", 11},
    {"no-such-object", 32},  {"denied", 50},    {"busy", 51},      {"unavailable", 52}, {"unwilling", 53},
};

static void must(struct stage *stage, bool done, const char *what, const char *dn)
{
	if (!done)
		stage_fail(stage, "the directory does not take it: %s '%s'", what, dn);
}

/* "name=value" of a word: the name, and the value borrowed from the word. The name is the caller's. */
static char *split_pair(struct stage *stage, const char *word, const char **value_out)
{
	const char *equals = strchr(word, '=');

	if (equals == NULL) {
		stage_fail(stage, "'%s' is not attribute=value", word);
		return NULL;
	}
	*value_out = equals + 1;
	return fake_copy(word, (size_t)(equals - word));
}

static void gain_pairs(struct stage *stage, const char *dn, const struct command *command, size_t from, bool replace)
{
	for (size_t i = from; i < command->count; i++) {
		const char *value = NULL;
		char *name = split_pair(stage, command->words[i].text, &value);

		if (name == NULL)
			return;
		if (replace)
			(void)fake_directory_lose(stage->directory, dn, name, NULL);
		if (!fake_directory_gain(stage->directory, dn, name, value) && replace)
			stage_fail(stage, "'%s' does not take '%s'", dn, command->words[i].text);
		free(name);
	}
}

static void add_entry(struct stage *stage, const struct command *command)
{
	const char *dn = command->words[1].text;

	must(stage, fake_directory_add(stage->directory, dn), "new entry", dn);
	gain_pairs(stage, dn, command, 2, false);
}

/* A person, short: an inetOrgPerson beneath ou=people. */
static void add_user(struct stage *stage, const struct command *command)
{
	char *dn = fake_format("uid=%s,%s", command->words[1].text, PEOPLE);

	must(stage, fake_directory_add(stage->directory, dn), "new user", dn);
	(void)fake_directory_gain(stage->directory, dn, "objectClass", "inetOrgPerson");
	gain_pairs(stage, dn, command, 2, false);
	free(dn);
}

static void add_users(struct stage *stage, const struct command *command)
{
	unsigned long count = command_number(stage, command->words[1].text);

	for (unsigned long i = 1; i <= count; i++) {
		char *dn = fake_format("uid=%s%lu,%s", command->words[2].text, i, PEOPLE);

		must(stage, fake_directory_add(stage->directory, dn), "new user", dn);
		(void)fake_directory_gain(stage->directory, dn, "objectClass", "inetOrgPerson");
		gain_pairs(stage, dn, command, 3, false);
		free(dn);
	}
}

static const char *member_attribute(struct stage *stage, const char *dn)
{
	const struct fake_entry *entry = fake_directory_entry(stage->directory, dn);
	const struct fake_attribute *classes = entry != NULL ? fake_entry_attribute(entry, "objectClass") : NULL;

	for (size_t i = 0; classes != NULL && i < COUNT_OF(group_kinds); i++) {
		if (ascii_equal_nocase(classes->values[0].data, group_kinds[i].class))
			return group_kinds[i].attribute;
	}
	stage_fail(stage, "'%s' is not a group", dn);
	return "member";
}

static void add_group(struct stage *stage, const struct command *command)
{
	const char *dn = command->words[1].text, *class = "groupOfNames";
	size_t next = 2;

	if (next + 1 < command->count && strcmp(command->words[next].text, "class") == 0) {
		class = command->words[next + 1].text;
		next += 2;
	}
	must(stage, fake_directory_add(stage->directory, dn), "new group", dn);
	(void)fake_directory_gain(stage->directory, dn, "objectClass", class);
	if (next < command->count && strcmp(command->words[next].text, "member") == 0)
		next++;
	for (; next < command->count; next++)
		must(stage,
		     fake_directory_gain(stage->directory, dn, member_attribute(stage, dn), command->words[next].text),
		     "member", command->words[next].text);
}

/* chain 1000 link below DN holds DN: groups link1 in DN, link2 in link1, ..., and the last holds the member. */
static void add_chain(struct stage *stage, const struct command *command)
{
	unsigned long depth = command_number(stage, command->words[1].text);
	char *above = fake_copy(command->words[4].text, command->words[4].length);

	for (unsigned long i = 1; i <= depth; i++) {
		char *dn = fake_format("cn=%s%lu,ou=groups,dc=x", command->words[2].text, i);

		must(stage, fake_directory_add(stage->directory, dn), "new group", dn);
		(void)fake_directory_gain(stage->directory, dn, "objectClass", "groupOfNames");
		must(stage, fake_directory_gain(stage->directory, above, "member", dn), "member", dn);
		free(above);
		above = dn;
	}
	must(stage, fake_directory_gain(stage->directory, above, "member", command->words[6].text), "member",
	     command->words[6].text);
	free(above);
}

/* enrol DN 300 u: users u1 to u300 become members. */
static void enrol_users(struct stage *stage, const struct command *command)
{
	const char *group = command->words[1].text;
	unsigned long count = command_number(stage, command->words[2].text);

	for (unsigned long i = 1; i <= count; i++) {
		char *dn = fake_format("uid=%s%lu,%s", command->words[3].text, i, PEOPLE);

		must(stage, fake_directory_gain(stage->directory, group, "member", dn), "member", dn);
		free(dn);
	}
}

static size_t member_count(const struct stage *stage, const char *dn, const char *attribute)
{
	const struct fake_entry *entry = fake_directory_entry(stage->directory, dn);
	const struct fake_attribute *members = entry != NULL ? fake_entry_attribute(entry, attribute) : NULL;

	return members != NULL ? members->count : 0;
}

static void change_members(struct stage *stage, const struct command *command)
{
	const char *dn = command->words[1].text, *verb = command->words[2].text;
	const char *attribute = member_attribute(stage, dn);

	for (size_t i = 3; i < command->count; i++) {
		const char *member = command->words[i].text;

		/* objectClassViolation: what no server lets happen must not be what a scenario shows. */
		if (strcmp(verb, "drops") == 0 && strcmp(attribute, "memberUid") != 0)
			must(stage, member_count(stage, dn, attribute) > 1, "the last member drops", member);
		if (strcmp(verb, "gains") == 0)
			must(stage, fake_directory_gain(stage->directory, dn, attribute, member), "gains", member);
		else if (strcmp(verb, "drops") == 0)
			must(stage, fake_directory_lose(stage->directory, dn, attribute, member), "drops", member);
		else
			stage_fail(stage, "a group 'gains' or 'drops', it does not '%s'", verb);
	}
}

static void set_values(struct stage *stage, const struct command *command)
{
	gain_pairs(stage, command->words[1].text, command, 2, true);
}

static void add_values(struct stage *stage, const struct command *command)
{
	gain_pairs(stage, command->words[1].text, command, 2, false);
}

static void unset_value(struct stage *stage, const struct command *command)
{
	must(stage, fake_directory_lose(stage->directory, command->words[1].text, command->words[2].text, NULL),
	     "unset", command->words[2].text);
}

static void delete_entry(struct stage *stage, const struct command *command)
{
	must(stage, fake_directory_delete(stage->directory, command->words[1].text), "delete", command->words[1].text);
}

static void rename_entry(struct stage *stage, const struct command *command)
{
	must(stage,
	     fake_directory_rename(stage->directory, command->words[1].text, command->words[command->count - 1].text),
	     "rename", command->words[1].text);
}

static void hide(struct stage *stage, const struct command *command)
{
	bool hidden = strcmp(command->words[0].text, "hide") == 0;

	must(stage,
	     fake_directory_hide(stage->directory, command->words[1].text,
				 command->count > 2 ? command->words[2].text : NULL, hidden),
	     command->words[0].text, command->words[1].text);
}

static int code_of(struct stage *stage, const char *word)
{
	for (size_t i = 0; i < COUNT_OF(codes); i++) {
		if (strcmp(word, codes[i].word) == 0)
			return codes[i].code;
	}
	return (int)command_number(stage, word);
}

/* The end of a fault: [to TEXT] [times N]. */
static void add_fault(struct stage *stage, struct fake_fault fault, const struct command *command, size_t next)
{
	for (; next + 1 < command->count; next += 2) {
		const char *name = command->words[next].text, *value = command->words[next + 1].text;

		if (strcmp(name, "to") == 0)
			fault.when = command->words[next + 1].text;
		else if (strcmp(name, "times") == 0)
			fault.times = (unsigned)command_number(stage, value);
		else if (strcmp(name, "after") == 0)
			fault.entries = command_number(stage, value);
		else
			stage_fail(stage, "'%s' is nothing a fault has", name);
	}
	if (next < command->count)
		stage_fail(stage, "'%s' has no value", command->words[next].text);
	fake_directory_add_fault(stage->directory, &fault);
}

static void serve(struct stage *stage, const struct command *command)
{
	const char *verb = command->words[1].text;
	const char *what = command->count > 2 ? command->words[2].text : "";
	struct fake_fault fault = {.kind = FAKE_FAULT_NONE};

	if (strcmp(verb, "is") == 0 && strcmp(what, "back") == 0) {
		fake_directory_clear_faults(stage->directory);
	} else if (strcmp(verb, "is") == 0 && strcmp(what, "down") == 0) {
		fault.kind = FAKE_FAULT_DOWN;
		add_fault(stage, fault, command, 3);
	} else if (strcmp(verb, "answers") == 0) {
		fault.kind = FAKE_FAULT_CODE;
		fault.code = code_of(stage, what);
		add_fault(stage, fault, command, 3);
	} else if (strcmp(verb, "cuts") == 0) {
		fault.kind = FAKE_FAULT_CUT;
		fault.code = code_of(stage, what);
		add_fault(stage, fault, command, 3);
	} else if (strcmp(verb, "hangs") == 0) {
		fault.kind = FAKE_FAULT_HANG;
		add_fault(stage, fault, command, 2);
	} else if (strcmp(verb, "drops") == 0) {
		fault.kind = FAKE_FAULT_DROP;
		add_fault(stage, fault, command, 2);
	} else if (strcmp(verb, "limits") == 0) {
		fault.kind = FAKE_FAULT_LIMIT;
		fault.entries = command_number(stage, what);
		add_fault(stage, fault, command, 3);
	} else if (strcmp(verb, "named") == 0) {
		fake_directory_name_server(stage->directory, what);
	} else if (strcmp(verb, "latency") == 0) {
		dir_pool_fake_set_latency(command_duration(stage, what));
	} else {
		stage_fail(stage, "a server does not '%s %s'", verb, what);
	}
}

static void watch(struct stage *stage, const struct command *command)
{
	const char *verb = command->words[1].text;
	const char *what = command->count > 2 ? command->words[2].text : "";

	if (strcmp(verb, "offered") == 0)
		dir_watch_fake_enable();
	else if (strcmp(verb, "delay") == 0)
		dir_watch_fake_set_delay(command_duration(stage, what));
	else if (strcmp(verb, "freezes") == 0)
		dir_watch_fake_freeze();
	else if (strcmp(verb, "thaws") == 0)
		dir_watch_fake_thaw();
	else if (strcmp(verb, "is") == 0 && strcmp(what, "cut") == 0)
		dir_watch_fake_cut();
	else if (strcmp(verb, "is") == 0 && strcmp(what, "back") == 0)
		dir_watch_fake_restore();
	else
		stage_fail(stage, "a watch does not '%s %s'", verb, what);
}

const struct command_kind directory_commands[] = {
    {"entry", 2, add_entry}, {"user", 2, add_user},     {"users", 3, add_users},       {"group", 2, add_group},
    {"chain", 7, add_chain}, {"enrol", 4, enrol_users}, {"change", 4, change_members}, {"set", 3, set_values},
    {"add", 3, add_values},  {"unset", 3, unset_value}, {"delete", 2, delete_entry},   {"rename", 3, rename_entry},
    {"hide", 2, hide},       {"show", 2, hide},         {"server", 2, serve},          {"watch", 2, watch},
    {NULL, 0, NULL},
};
