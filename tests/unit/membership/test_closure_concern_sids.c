/* SPDX-License-Identifier: Apache-2.0 */
/* What changes mean for a closure of Active Directory. */
#include <support/assertions.h>

#include <membership/closure_concern.h>
#include <string.h>
#include <support/domain_stage.h>
#include <support/entry_builder.h>
#include <support/memory_failing.h>

#define GROUP        "objectClass=top; objectClass=group; groupType=-2147483646; "
#define DISTRIBUTION "objectClass=group; groupType=2; "
#define PERSON       "objectClass=top; objectClass=person; objectClass=user; "
#define UNIT         "objectClass=organizationalUnit; "
#define GUID         "2092dd8c-1f4d-4cd5-a2b8-6a3c0ad6e8a7"
#define OTHER_SID    FAKE_DOMAIN_SID "-3001"
#define PINNED_SID   FAKE_DOMAIN_SID "-3002"

/* The group that is missing is named second: NULL, there is none. */
static int set_up(void **state)
{
	static struct domain_stage stage;

	domain_stage_open(&stage);
	stage.root_count = 2;
	domain_stage_load_well(&stage);
	*state = &stage;
	return 0;
}

static int tear_down(void **state)
{
	domain_stage_close(*state);
	return 0;
}

static struct closure_plan plan_of(struct domain_stage *stage)
{
	return (struct closure_plan){.directory = &stage->config->directories[0],
				     .names = stage->names,
				     .pins = stage->pins,
				     .root_count = stage->root_count};
}

static enum status add(struct domain_stage *stage, struct closure_concern *concern, enum dir_change change,
		       const char *id, const struct dir_entry *entry)
{
	const struct closure_plan plan = plan_of(stage);
	const struct dir_watch_event event = {.kind = DIR_WATCH_CHANGE, .change = change, .id = id, .entry = entry};

	return closure_concern_add(concern, stage->closure, &plan, &event);
}

static void concern_of(struct domain_stage *stage, struct closure_concern *concern, enum dir_change change,
		       const char *id, const char *dn, const char *attributes)
{
	struct arena *arena = arena_new(65536);

	memset(concern, 0, sizeof(*concern));
	assert_int_equal(add(stage, concern, change, id, build_entry(arena, dn, attributes)), STATUS_OK);
	arena_free(&arena);
}

static void closure_concern_add__by_sid__a_group_of_the_closure_concerns(void **state)
{
	static const struct {
		const char *what, *id, *dn, *attributes;
		enum dir_change change;
		bool concerns;
	} rows[] = {
	    {"the configured group changes", DOMAIN_STAGE_OPS_SID, DOMAIN_STAGE_OPS, GROUP, DIR_CHANGE_MODIFY, true},
	    {"a nested one changes", DOMAIN_STAGE_INNER_SID, DOMAIN_STAGE_INNER, GROUP, DIR_CHANGE_MODIFY, true},
	    {"one is renamed", DOMAIN_STAGE_INNER_SID, "cn=x," FAKE_DOMAIN_DN, GROUP, DIR_CHANGE_MODIFY, true},
	    {"one is a distribution group now", DOMAIN_STAGE_TEAM_SID, DOMAIN_STAGE_TEAM, DISTRIBUTION,
	     DIR_CHANGE_MODIFY, true},
	    {"one goes, and shows nothing", DOMAIN_STAGE_TEAM_SID, "", "", DIR_CHANGE_DELETE, true},
	    {"a person changes", OTHER_SID, DOMAIN_STAGE_USER("alice"), PERSON, DIR_CHANGE_MODIFY, false},
	    {"a person goes", OTHER_SID, "", "", DIR_CHANGE_DELETE, false},
	    {"a unit changes", GUID, "ou=groups," FAKE_DOMAIN_DN, UNIT, DIR_CHANGE_MODIFY, false},
	    {"a distribution group changes", OTHER_SID, DOMAIN_STAGE_GROUP("posts"), DISTRIBUTION, DIR_CHANGE_MODIFY,
	     false},
	    {"an unknown group goes", OTHER_SID, "", "", DIR_CHANGE_DELETE, false},
	    {"a principal of another forest changes", "S-1-5-21-9-9-9-1000", "cn=S-1-5-21-9-9-9-1000,cn=x",
	     "objectClass=foreignSecurityPrincipal", DIR_CHANGE_MODIFY, true},
	    {"one goes", "S-1-5-21-9-9-9-1000", "", "", DIR_CHANGE_DELETE, false},
	    {"what shows no SID goes", GUID, "", "", DIR_CHANGE_DELETE, false},
	    {"a group of that name, not that SID", OTHER_SID, DOMAIN_STAGE_INNER, DISTRIBUTION, DIR_CHANGE_MODIFY,
	     false},
	};
	struct domain_stage *stage = *state;

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		static struct closure_concern concern;

		concern_of(stage, &concern, rows[i].change, rows[i].id, rows[i].dn, rows[i].attributes);
		assert_row(rows[i].what, closure_concern_is_nothing(&concern) == !rows[i].concerns);
	}
}

/* It may be any group that changes, and any below a container that was renamed. */
static void closure_concern_add__by_sid_while_a_root_is_missing__what_may_be_it_is_everything(void **state)
{
	static const char missing[] = "CN=No, OU=Lab,OU=Groups," FAKE_DOMAIN_DN;
	static const struct {
		const char *what, *name, *pin, *dn, *attributes;
		bool is_everything;
	} rows[] = {
	    {"a group", missing, NULL, DOMAIN_STAGE_FREE, GROUP, true},
	    {"a group, pinned", missing, PINNED_SID, DOMAIN_STAGE_FREE, GROUP, true},
	    {"a group, by its account", "CORP\\no", NULL, DOMAIN_STAGE_FREE, GROUP, true},
	    {"a distribution group", missing, NULL, DOMAIN_STAGE_FREE, DISTRIBUTION, false},
	    {"a person", missing, NULL, DOMAIN_STAGE_USER("alice"), PERSON, false},
	    {"its container", missing, NULL, "ou=lab,ou=groups," FAKE_DOMAIN_DN, UNIT, true},
	    {"the one above", missing, NULL, "OU=groups," FAKE_DOMAIN_DN, UNIT, true},
	    {"the domain", missing, NULL, FAKE_DOMAIN_DN, "objectClass=domainDNS", true},
	    {"another container", missing, NULL, "ou=people," FAKE_DOMAIN_DN, UNIT, false},
	    {"one whose name it only ends like", missing, NULL, "ou=ab,ou=groups," FAKE_DOMAIN_DN, UNIT, false},
	    {"something of its own name", missing, NULL, missing, UNIT, false},
	    {"its container, but it is pinned", missing, PINNED_SID, "ou=lab,ou=groups," FAKE_DOMAIN_DN, UNIT, false},
	    {"a container, and it is not named by a DN", "CORP\\no", NULL, "ou=groups," FAKE_DOMAIN_DN, UNIT, false},
	    {"a container, and the name is the server's to compare", "cn=J\xc3\xbcrgen,ou=lab," FAKE_DOMAIN_DN, NULL,
	     "ou=people," FAKE_DOMAIN_DN, UNIT, true},
	};
	struct domain_stage *stage = *state;

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		static struct closure_concern concern;
		char pin[] = PINNED_SID;

		stage->names[1] = rows[i].name;
		stage->pins[1] = rows[i].pin == NULL ? NULL : pin;
		concern_of(stage, &concern, DIR_CHANGE_MODIFY, OTHER_SID, rows[i].dn, rows[i].attributes);
		stage->pins[1] = NULL;
		assert_row(rows[i].what, concern.everything == rows[i].is_everything);
	}
}

/* A group of another domain is not missing because it is not here. */
static void closure_concern_add__by_sid_a_root_elsewhere__is_not_missing(void **state)
{
	static struct closure_concern concern;
	struct domain_stage *stage = *state;

	fake_domain_add_domain(stage->directory, "dc=emea," FAKE_DOMAIN_DN, "emea.corp.example", "EMEA",
			       "S-1-5-21-7-7-7");
	stage->names[1] = "S-1-5-21-7-7-7-1104";
	domain_stage_load_well(stage);
	assert_int_equal(stage->roots[1], ROOT_ELSEWHERE);
	concern_of(stage, &concern, DIR_CHANGE_MODIFY, OTHER_SID, DOMAIN_STAGE_FREE, GROUP);
	assert_false(concern.everything);
}

static void closure_concern_add__by_sid_no_memory__is_everything(void **state)
{
	struct domain_stage *stage = *state;
	struct arena *arena = arena_new(65536);
	const struct dir_entry *unit = build_entry(arena, "ou=people," FAKE_DOMAIN_DN, UNIT);
	size_t n = 1;

	stage->names[1] = DOMAIN_STAGE_GROUP("no");
	for (;; n++) {
		static struct closure_concern concern;
		size_t count;

		memset(&concern, 0, sizeof(concern));
		memory_fail_at(n);
		(void)!add(stage, &concern, DIR_CHANGE_MODIFY, GUID, unit);
		count = memory_fail_count();
		memory_fail_at(0);
		assert_int_equal(concern.everything, count >= n);
		if (count < n)
			break;
	}
	arena_free(&arena);
	assert_true(n > 1);
}

#define ON_STAGE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    ON_STAGE(closure_concern_add__by_sid__a_group_of_the_closure_concerns),
	    ON_STAGE(closure_concern_add__by_sid_while_a_root_is_missing__what_may_be_it_is_everything),
	    ON_STAGE(closure_concern_add__by_sid_a_root_elsewhere__is_not_missing),
	    ON_STAGE(closure_concern_add__by_sid_no_memory__is_everything),
	};

	return cmocka_run_group_tests_name("closure_concern_sids", tests, NULL, NULL);
}
