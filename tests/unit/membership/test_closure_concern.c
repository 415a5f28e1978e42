/* SPDX-License-Identifier: Apache-2.0 */
#include <membership/closure_concern.h>

#include <stdio.h>
#include <string.h>
#include <support/assertions.h>
#include <support/closure_stage.h>
#include <support/memory_failing.h>

#define OPS     "cn=ops,ou=groups,dc=x"
#define NO      "cn=no,ou=groups,dc=x"
#define TEAM    "cn=team,ou=groups,dc=x"
#define INNER   "cn=inner,ou=groups,dc=x"
#define FREE    "cn=free,ou=groups,dc=x"
#define DANGLES "cn=dangles,ou=groups,dc=x"
#define ALICE   "uid=alice,ou=people,dc=x"
#define BOB     "uid=bob,ou=people,dc=x"

/* The second does not exist. */
static const char *const names[] = {OPS, NO};

/* ops lists team and alice; team lists inner, alice and a name that is nobody's; inner lists bob; nobody lists free. */
static int set_up(void **state)
{
	static struct closure_stage stage;

	closure_stage_open(&stage, names, COUNT_OF(names), "dc=x");
	closure_stage_add(&stage, ALICE, "inetOrgPerson", NULL, NULL);
	closure_stage_add(&stage, BOB, "inetOrgPerson", NULL, NULL);
	closure_stage_add(&stage, OPS, "groupOfNames", "member", ALICE);
	closure_stage_gain(&stage, OPS, "member", TEAM);
	closure_stage_add(&stage, TEAM, "groupOfNames", "member", ALICE);
	closure_stage_gain(&stage, TEAM, "member", INNER);
	closure_stage_gain(&stage, TEAM, "member", DANGLES);
	closure_stage_add(&stage, INNER, "groupOfNames", "member", BOB);
	closure_stage_add(&stage, FREE, "groupOfNames", "member", BOB);
	assert_int_equal(closure_stage_load(&stage), STATUS_OK);
	*state = &stage;
	return 0;
}

static int tear_down(void **state)
{
	closure_stage_close(*state);
	return 0;
}

/* "read ops team suspect inner names 1", "everything ...", or "nothing". */
static void describe(const struct closure_stage *stage, const struct closure_concern *concern, char *text, size_t size)
{
	static const char *const short_names[] = {"ops", "team", "inner", "free"};
	static const char *const dns[] = {OPS, TEAM, INNER, FREE};
	const struct closure *closure = stage->closure;

	text[0] = '\0';
	if (concern->everything) {
		(void)snprintf(text, size, "everything");
		return;
	}
	for (size_t i = 0; i < COUNT_OF(dns); i++)
		for (size_t k = 0; k < concern->group_count; k++)
			if (strcmp(closure_group_dn(closure, concern->groups[k]), dns[i]) == 0)
				(void)snprintf(text + strlen(text), size - strlen(text), "%s ", short_names[i]);
	for (size_t k = 0; k < concern->suspect_count; k++)
		(void)snprintf(text + strlen(text), size - strlen(text), "suspect %.*s ", 5,
			       closure_group_dn(closure, concern->suspects[k]) + 3);
	if (concern->name_count > 0)
		(void)snprintf(text + strlen(text), size - strlen(text), "names %zu", concern->name_count);
	if (text[0] == '\0')
		(void)snprintf(text, size, "nothing");
}

static void assert_concern(const struct closure_stage *stage, const char *what, const struct closure_concern *concern,
			   const char *expected)
{
	char text[128];

	describe(stage, concern, text, sizeof(text));
	if (strcmp(text, expected) != 0)
		fail_msg("%s: '%s', expected '%s'", what, text, expected);
	assert_row(what, closure_concern_is_nothing(concern) == (strcmp(expected, "nothing") == 0));
}

#define GROUP  "objectClass=groupOfNames"
#define PERSON "objectClass=inetOrgPerson"
#define UNIT   "objectClass=organizationalUnit"
#define LEAF   "; hasSubordinates=FALSE"
#define BRANCH "; hasSubordinates=TRUE"

static void closure_concern_add__a_change_of_something__concerns_what_lists_it(void **state)
{
	/* `of` NULL: an entry that nobody knows. */
	static const struct {
		const char *what;
		enum dir_change change;
		const char *of, *dn, *attributes, *expected;
	} rows[] = {
	    {"a person changes", DIR_CHANGE_MODIFY, ALICE, ALICE, PERSON LEAF, "nothing"},
	    {"a person without hasSubordinates", DIR_CHANGE_MODIFY, ALICE, ALICE, PERSON, "nothing"},
	    {"a person with entries beneath", DIR_CHANGE_MODIFY, ALICE, ALICE, PERSON BRANCH, "everything"},
	    {"a person comes", DIR_CHANGE_ADD, NULL, "uid=new,ou=people,dc=x", PERSON LEAF, "nothing"},
	    {"a person comes under a name that is listed", DIR_CHANGE_ADD, NULL, DANGLES, PERSON LEAF, "nothing"},
	    {"a person goes", DIR_CHANGE_DELETE, ALICE, ALICE, "", "nothing"},
	    {"another leaf changes", DIR_CHANGE_MODIFY, NULL, "cn=printer,dc=x", "objectClass=device" LEAF, "nothing"},
	    {"what may be no leaf changes", DIR_CHANGE_MODIFY, NULL, "cn=printer,dc=x", "objectClass=device",
	     "everything"},
	    {"a unit changes", DIR_CHANGE_MODIFY, NULL, "ou=groups,dc=x", UNIT BRANCH, "everything"},
	    {"a unit comes", DIR_CHANGE_ADD, NULL, "ou=new,dc=x", UNIT, "nothing"},
	    {"an empty unit changes", DIR_CHANGE_MODIFY, NULL, "ou=new,dc=x", UNIT LEAF, "nothing"},
	    {"an unknown entry goes", DIR_CHANGE_DELETE, NULL, "ou=new,dc=x", "", "nothing"},
	    {"an unknown entry goes, its name is not told", DIR_CHANGE_DELETE, NULL, "", "", "nothing"},

	    {"a configured group changes", DIR_CHANGE_MODIFY, OPS, OPS, GROUP, "ops "},
	    {"a configured group is renamed", DIR_CHANGE_MODIFY, OPS, "cn=new,ou=groups,dc=x", GROUP, "everything"},
	    {"a configured group goes", DIR_CHANGE_DELETE, OPS, OPS, "", "everything"},
	    {"a configured group goes, its name is not told", DIR_CHANGE_DELETE, OPS, "", "", "everything"},
	    {"a configured group is none any more", DIR_CHANGE_MODIFY, OPS, OPS, "objectClass=device" LEAF,
	     "everything"},
	    {"another entry has a configured group's name", DIR_CHANGE_ADD, NULL, OPS, GROUP, "everything"},
	    {"a configured group that was missing comes", DIR_CHANGE_ADD, NULL, NO, GROUP, "everything"},
	    {"the same, spelled otherwise", DIR_CHANGE_ADD, NULL, "CN=No,OU=Groups,DC=x", GROUP, "everything"},
	    {"a person has the name of a missing group", DIR_CHANGE_ADD, NULL, NO, PERSON LEAF, "nothing"},
	    {"a nested group gets the name of a missing one", DIR_CHANGE_MODIFY, TEAM, NO, GROUP, "everything"},

	    {"a nested group changes", DIR_CHANGE_MODIFY, TEAM, TEAM, GROUP, "team "},
	    {"the same, spelled otherwise", DIR_CHANGE_MODIFY, TEAM, "CN=Team, OU=groups, DC=x", GROUP, "team "},
	    {"a nested group with entries beneath changes", DIR_CHANGE_MODIFY, TEAM, TEAM, GROUP BRANCH, "team "},
	    {"a nested group is renamed", DIR_CHANGE_MODIFY, TEAM, "cn=new,ou=groups,dc=x", GROUP LEAF,
	     "ops suspect team, names 1"},
	    {"a nested group with entries beneath is renamed", DIR_CHANGE_MODIFY, TEAM, "cn=new,ou=groups,dc=x",
	     GROUP BRANCH, "everything"},
	    {"a nested group is renamed to a name that is listed", DIR_CHANGE_MODIFY, INNER, DANGLES, GROUP,
	     "team suspect inner names 2"},
	    {"a nested group goes", DIR_CHANGE_DELETE, INNER, INNER, "", "team suspect inner names 1"},
	    {"a nested group goes, its name is not told", DIR_CHANGE_DELETE, INNER, "", "",
	     "team suspect inner names 1"},
	    {"a nested group is none any more", DIR_CHANGE_MODIFY, INNER, INNER, "objectClass=device" LEAF,
	     "team suspect inner names 1"},
	    {"a nested group is none any more, and may have been renamed", DIR_CHANGE_MODIFY, INNER, "cn=new,dc=x",
	     "objectClass=device" BRANCH, "everything"},
	    {"another group has a nested group's name", DIR_CHANGE_ADD, NULL, INNER, GROUP,
	     "team suspect inner names 1"},
	    {"a person has a nested group's name", DIR_CHANGE_ADD, NULL, INNER, PERSON LEAF,
	     "team suspect inner names 1"},
	    {"who is not known had a nested group's name", DIR_CHANGE_DELETE, NULL, INNER, "",
	     "team suspect inner names 1"},

	    {"a group that nobody lists changes", DIR_CHANGE_MODIFY, FREE, FREE, GROUP, "nothing"},
	    {"a group that nobody lists goes", DIR_CHANGE_DELETE, FREE, FREE, "", "nothing"},
	    {"a group that nobody lists has entries beneath", DIR_CHANGE_MODIFY, FREE, FREE, GROUP BRANCH,
	     "everything"},
	    {"a group comes that nobody lists", DIR_CHANGE_ADD, NULL, "cn=new,dc=x", GROUP, "nothing"},
	    {"a group comes under a name that is listed", DIR_CHANGE_ADD, NULL, DANGLES, GROUP, "team names 1"},
	    {"a group is renamed to a name that is listed", DIR_CHANGE_MODIFY, FREE, DANGLES, GROUP LEAF,
	     "team names 1"},
	    {"a person who is listed becomes a group", DIR_CHANGE_MODIFY, ALICE, ALICE, PERSON "; " GROUP LEAF,
	     "ops team names 1"},
	};
	struct closure_stage *stage = *state;

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		static struct closure_concern concern;
		const char *id = rows[i].of == NULL ? "5eed-unknown" : closure_stage_id(stage, rows[i].of);

		memset(&concern, 0, sizeof(concern));
		closure_stage_tell_of(stage, &concern, rows[i].change, id, rows[i].dn, rows[i].attributes);
		assert_concern(stage, rows[i].what, &concern, rows[i].expected);
	}
}

static void closure_concern_add__a_missing_group_shows_its_id__is_everything(void **state)
{
	static struct closure_concern concern;
	struct closure_stage *stage = *state;
	char pin[] = "5eed-pinned";

	memset(&concern, 0, sizeof(concern));
	assert_null(stage->pins[1]);
	stage->pins[1] = pin;
	closure_stage_tell_of(stage, &concern, DIR_CHANGE_MODIFY, pin, "cn=elsewhere,dc=x", GROUP LEAF);
	stage->pins[1] = NULL;
	assert_true(concern.everything);
}

/* Nobody can tell without the server which entry such a member value means. */
static void closure_concern_add__dead_foreign_names__what_only_the_server_can_name_is_everything(void **state)
{
	static struct closure_concern concern;
	struct closure_stage *stage = *state;

	memset(&concern, 0, sizeof(concern));
	closure_stage_tell_of(stage, &concern, DIR_CHANGE_ADD, "5eed-1", "cn=J\xc3\xbcrgen,dc=x", PERSON LEAF);
	assert_concern(stage, "no dead names", &concern, "nothing");
	closure_stage_gain(stage, TEAM, "member", "cn=M\xc3\xbcller,dc=x");
	assert_int_equal(closure_stage_load(stage), STATUS_OK);
	closure_stage_tell_of(stage, &concern, DIR_CHANGE_DELETE, "5eed-1", "cn=J\xc3\xbcrgen,dc=x", "");
	assert_concern(stage, "one goes", &concern, "nothing");
	closure_stage_tell_of(stage, &concern, DIR_CHANGE_ADD, "5eed-1", "cn=Miller,dc=x", PERSON LEAF);
	assert_concern(stage, "a plain one comes", &concern, "nothing");
	closure_stage_tell_of(stage, &concern, DIR_CHANGE_ADD, "5eed-1", "cn=J\xc3\xbcrgen,dc=x", PERSON LEAF);
	assert_concern(stage, "one comes", &concern, "everything");
}

static void closure_concern_add__several__adds_up_each_once(void **state)
{
	static struct closure_concern concern;
	struct closure_stage *stage = *state;

	memset(&concern, 0, sizeof(concern));
	closure_stage_tell(stage, &concern, DIR_CHANGE_MODIFY, TEAM);
	closure_stage_tell(stage, &concern, DIR_CHANGE_DELETE, INNER);
	closure_stage_tell(stage, &concern, DIR_CHANGE_MODIFY, ALICE);
	closure_stage_tell(stage, &concern, DIR_CHANGE_DELETE, INNER);
	closure_stage_tell(stage, &concern, DIR_CHANGE_MODIFY, OPS);
	assert_concern(stage, "a sum", &concern, "ops team suspect inner names 1");
	closure_stage_tell(stage, &concern, DIR_CHANGE_DELETE, OPS);
	assert_concern(stage, "and everything", &concern, "everything");
}

/* A group that lies idle: it was nested, and is not any more. */
static void closure_concern_add__nobody_lists_the_group_any_more__only_its_change_is_applied(void **state)
{
	static struct closure_concern concern;
	struct closure_stage *stage = *state;

	memset(&concern, 0, sizeof(concern));
	closure_stage_lose(stage, TEAM, "member", INNER);
	closure_stage_tell(stage, &concern, DIR_CHANGE_MODIFY, TEAM);
	closure_stage_patch(stage, &concern, closure_stage_mark(stage));
	assert_int_equal(stage->patched.status, STATUS_OK);
	memset(&concern, 0, sizeof(concern));
	closure_stage_tell(stage, &concern, DIR_CHANGE_MODIFY, INNER);
	assert_concern(stage, "it changes", &concern, "inner ");
	closure_stage_tell(stage, &concern, DIR_CHANGE_DELETE, INNER);
	assert_concern(stage, "it goes", &concern, "everything");
}

static void closure_concern_add__without_an_index__names_that_come_are_everything(void **state)
{
	static struct closure_concern concern;
	struct closure_stage *stage = *state;

	stage->plan.index_budget_bytes = 0;
	assert_int_equal(closure_stage_load(stage), STATUS_OK);
	memset(&concern, 0, sizeof(concern));
	closure_stage_tell(stage, &concern, DIR_CHANGE_MODIFY, TEAM);
	assert_concern(stage, "a nested group changes", &concern, "team ");
	closure_stage_tell_of(stage, &concern, DIR_CHANGE_ADD, "5eed-1", "uid=new,dc=x", PERSON LEAF);
	assert_concern(stage, "a person comes", &concern, "team ");
	closure_stage_tell_of(stage, &concern, DIR_CHANGE_ADD, "5eed-2", "cn=new,dc=x", GROUP);
	assert_concern(stage, "a group comes", &concern, "everything");
}

/* One more than fits. */
static void closure_concern_add__more_than_fit__is_everything(void **state)
{
	static struct closure_concern concern;
	struct closure_stage *stage = *state;
	char dn[64];

	for (unsigned i = 0; i <= CLOSURE_CONCERN_MAX; i++) {
		(void)snprintf(dn, sizeof(dn), "cn=g%u,ou=groups,dc=x", i);
		closure_stage_add(stage, dn, "groupOfNames", "member", BOB);
		closure_stage_gain(stage, INNER, "member", dn);
	}
	assert_int_equal(closure_stage_load(stage), STATUS_OK);
	memset(&concern, 0, sizeof(concern));
	for (unsigned i = 0; i <= CLOSURE_CONCERN_MAX; i++) {
		assert_false(concern.everything);
		(void)snprintf(dn, sizeof(dn), "cn=g%u,ou=groups,dc=x", i);
		closure_stage_tell(stage, &concern, DIR_CHANGE_MODIFY, dn);
	}
	assert_true(concern.everything);
	memset(&concern, 0, sizeof(concern));
	for (unsigned i = 0; i <= CLOSURE_CONCERN_MAX; i++) {
		assert_false(concern.everything);
		(void)snprintf(dn, sizeof(dn), "cn=g%u,ou=groups,dc=x", i);
		closure_stage_tell(stage, &concern, DIR_CHANGE_DELETE, dn);
	}
	assert_true(concern.everything);
}

/* What is not known is everything. */
static void closure_concern_add__no_memory__is_everything(void **state)
{
	struct closure_stage *stage = *state;
	const struct dir_entry gone = {.dn = INNER};
	const struct dir_watch_event event = {.kind = DIR_WATCH_CHANGE,
					      .change = DIR_CHANGE_DELETE,
					      .entry = &gone,
					      .id = closure_stage_id(stage, INNER)};
	size_t n = 1;

	for (;; n++) {
		static struct closure_concern concern;
		enum status status;
		size_t count;

		memset(&concern, 0, sizeof(concern));
		memory_fail_at(n);
		status = closure_concern_add(&concern, stage->closure, &stage->plan, &event);
		count = memory_fail_count();
		memory_fail_at(0);
		if (count < n) {
			assert_int_equal(status, STATUS_OK);
			assert_false(concern.everything);
			break;
		}
		assert_int_equal(status, STATUS_NO_MEMORY);
		assert_true(concern.everything);
	}
	assert_true(n > 2);
}

#define ON_STAGE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    ON_STAGE(closure_concern_add__a_change_of_something__concerns_what_lists_it),
	    ON_STAGE(closure_concern_add__a_missing_group_shows_its_id__is_everything),
	    ON_STAGE(closure_concern_add__dead_foreign_names__what_only_the_server_can_name_is_everything),
	    ON_STAGE(closure_concern_add__several__adds_up_each_once),
	    ON_STAGE(closure_concern_add__nobody_lists_the_group_any_more__only_its_change_is_applied),
	    ON_STAGE(closure_concern_add__without_an_index__names_that_come_are_everything),
	    ON_STAGE(closure_concern_add__more_than_fit__is_everything),
	    ON_STAGE(closure_concern_add__no_memory__is_everything),
	};

	return cmocka_run_group_tests_name("closure_concern", tests, NULL, NULL);
}
