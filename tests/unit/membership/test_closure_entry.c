/* SPDX-License-Identifier: Apache-2.0 */
#include <membership/closure_entry.h>

#include <base/arena.h>
#include <stdio.h>
#include <string.h>
#include <support/assertions.h>
#include <support/entry_builder.h>

#define ARENA_BYTES 65536

static const struct digest_key key = {3, 4};

/* The members as one text: "d" a DN, "u" a uid, "f" foreign, in the order in which they come. */
struct taken {
	char kinds[32];
	size_t count;
	struct digest last;
	size_t fail_at; /* 1: the first; 0: none */
};

static enum status take(void *context, const struct closure_member *member)
{
	static const char letters[] = {
	    [CLOSURE_MEMBER_DN] = 'd', [CLOSURE_MEMBER_UID] = 'u', [CLOSURE_MEMBER_FOREIGN] = 'f'};
	struct taken *taken = context;

	assert_true(taken->count + 1 < sizeof(taken->kinds));
	taken->kinds[taken->count++] = letters[member->kind];
	taken->last = member->digest;
	return taken->count == taken->fail_at ? STATUS_LIMIT : STATUS_OK;
}

static enum status read_entry(const char *attributes, bool demands, struct taken *taken, unsigned *kinds,
			      size_t *invalid)
{
	struct closure *closure = closure_new(1, &key);
	struct arena *arena = arena_new(ARENA_BYTES);
	struct text scratch;
	enum status status;

	if (demands)
		closure_demand_members(closure);
	text_init(&scratch);
	status = closure_entry_members(closure, build_entry(arena, "cn=g,dc=x", attributes), &scratch, kinds, invalid,
				       take, taken);
	text_done(&scratch);
	arena_free(&arena);
	closure_unref(&closure);
	return status;
}

static void closure_entry_members__many_forms__are_what_they_are(void **state)
{
	static const struct {
		const char *attributes, *taken;
		unsigned kinds;
		size_t invalid;
	} rows[] = {
	    {"objectClass=groupOfNames; member=uid=a,dc=x; member=uid=b,dc=x", "dd", CLOSURE_KIND_MEMBER, 0},
	    {"objectClass=groupOfNames; member=; member=uid=b,dc=x", "d", CLOSURE_KIND_MEMBER, 0},
	    {"objectClass=groupOfNames; member=cn=M\xc3\xbcller,dc=x", "f", CLOSURE_KIND_MEMBER, 0},
	    {"objectClass=groupOfNames; member=nobody", "f", CLOSURE_KIND_MEMBER, 0},
	    {"objectClass=groupOfUniqueNames; uniqueMember=uid=a,dc=x", "d", CLOSURE_KIND_UNIQUE_MEMBER, 0},
	    {"objectClass=groupOfUniqueNames; uniqueMember=uid=a,dc=x#'01'B; uniqueMember=uid=a,dc=x#''B", "",
	     CLOSURE_KIND_UNIQUE_MEMBER, 0},
	    {"objectClass=posixGroup; memberUid=alice; memberUid=uid=a,dc=x", "uu", CLOSURE_KIND_MEMBER_UID, 0},
	    {"objectClass=posixGroup; objectClass=groupOfNames; memberUid=a; member=uid=a,dc=x", "du",
	     CLOSURE_KIND_MEMBER_UID | CLOSURE_KIND_MEMBER, 0},
	    {"objectClass=GROUPOFNAMES; Member=uid=a,dc=x", "d", CLOSURE_KIND_MEMBER, 0},
	    {"objectClass=groupOfMembers", "", CLOSURE_KIND_MEMBER, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct taken taken = {.count = 0};
		unsigned kinds = 0;
		size_t invalid = 0;

		assert_int_equal(read_entry(rows[i].attributes, true, &taken, &kinds, &invalid), STATUS_OK);
		assert_row(rows[i].attributes, strcmp(taken.kinds, rows[i].taken) == 0);
		assert_row(rows[i].attributes, kinds == rows[i].kinds);
		assert_row(rows[i].attributes, invalid == rows[i].invalid);
	}
}

static void closure_entry_members__none_shown__is_refused_where_the_class_demands_some(void **state)
{
	static const struct {
		const char *attributes;
		bool demands;
		enum status status;
	} rows[] = {
	    {"objectClass=groupOfNames", true, STATUS_REFUSED},
	    {"objectClass=groupOfUniqueNames", true, STATUS_REFUSED},
	    {"objectClass=groupOfUniqueNames; objectClass=posixGroup", true, STATUS_REFUSED},
	    {"objectClass=groupOfNames", false, STATUS_OK},
	    {"objectClass=groupOfMembers", true, STATUS_OK},
	    {"objectClass=posixGroup", true, STATUS_OK},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct taken taken = {.count = 0};
		unsigned kinds = 0;
		size_t invalid = 0;

		assert_row(rows[i].attributes,
			   read_entry(rows[i].attributes, rows[i].demands, &taken, &kinds, &invalid) == rows[i].status);
		assert_row(rows[i].attributes, taken.count == 0);
	}
}

static void closure_entry_members__a_foreign_value_too_long_to_ask_about__is_counted(void **state)
{
	static char attributes[9100];
	struct taken taken = {.count = 0};
	unsigned kinds = 0;
	size_t invalid = 0;

	(void)state;
	(void)snprintf(attributes, sizeof(attributes), "objectClass=groupOfNames; member=cn=\xc3\xbc%08990d", 0);
	assert_int_equal(read_entry(attributes, true, &taken, &kinds, &invalid), STATUS_OK);
	assert_int_equal(taken.count, 0);
	assert_int_equal(invalid, 1);
}

static void closure_entry_members__who_takes_them_fails__ends_with_that(void **state)
{
	struct taken taken = {.fail_at = 2};
	unsigned kinds = 0;
	size_t invalid = 0;

	(void)state;
	assert_int_equal(
	    read_entry("objectClass=posixGroup; memberUid=a; memberUid=b; memberUid=c", true, &taken, &kinds, &invalid),
	    STATUS_LIMIT);
	assert_int_equal(taken.count, 2);
}

static void closure_entry__classes_and_ids__are_told_apart(void **state)
{
	static const struct {
		const char *attributes, *id;
		bool is_group, is_person, governs_others;
	} rows[] = {
	    {"objectClass=top; objectClass=ldapsubentry; objectClass=nsRoleDefinition", NULL, false, false, true},
	    {"objectClass=costemplate; objectClass=extensibleObject", NULL, false, false, true},
	    {"objectClass=subentry; cn=person", NULL, false, false, true},
	    {"objectClass=top; objectClass=groupofnames; entryUUID=u-1", "u-1", true, false, false},
	    {"objectClass=posixGroup; nsUniqueId=n-1", "n-1", true, false, false},
	    {"objectClass=groupOfMembers; nsUniqueId=n-1; entryUUID=u-1", "u-1", true, false, false},
	    {"objectClass=groupOfUniqueNames", NULL, true, false, false},
	    {"objectClass=inetOrgPerson; entryUUID=u-1; entryUUID=u-2", NULL, false, true, false},
	    {"objectClass=ACCOUNT", NULL, false, true, false},
	    {"objectClass=organizationalUnit", NULL, false, false, false},
	    {"cn=x", NULL, false, false, false},
	};
	struct arena *arena = arena_new(ARENA_BYTES);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct dir_entry *entry = build_entry(arena, "cn=g,dc=x", rows[i].attributes);
		const char *id = entry->id;

		assert_row(rows[i].attributes, closure_entry_is_group(entry) == rows[i].is_group);
		assert_row(rows[i].attributes, closure_entry_is_person(entry) == rows[i].is_person);
		assert_row(rows[i].attributes, closure_entry_governs_others(entry) == rows[i].governs_others);
		assert_row(rows[i].attributes,
			   rows[i].id == NULL ? id == NULL : id != NULL && strcmp(id, rows[i].id) == 0);
	}
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(closure_entry_members__many_forms__are_what_they_are),
	    cmocka_unit_test(closure_entry_members__none_shown__is_refused_where_the_class_demands_some),
	    cmocka_unit_test(closure_entry_members__a_foreign_value_too_long_to_ask_about__is_counted),
	    cmocka_unit_test(closure_entry_members__who_takes_them_fails__ends_with_that),
	    cmocka_unit_test(closure_entry__classes_and_ids__are_told_apart),
	};

	return cmocka_run_group_tests_name("closure_entry", tests, NULL, NULL);
}
