/* SPDX-License-Identifier: Apache-2.0 */
/* What it means that a group holds this foreign security principal. */
#include <support/assertions.h>

#include <membership/closure_principal.h>
#include <support/entry_builder.h>

#define FOREIGN   CLOSURE_HOLDS_FOREIGN
#define EVERYBODY CLOSURE_HOLDS_EVERYBODY
#define UNTOLD    CLOSURE_HOLDS_UNTOLD

static void principal_holding__each_kind__is_what_windows_makes_of_it(void **state)
{
	static const struct {
		const char *sid;
		unsigned holding;
	} rows[] = {
	    {"S-1-5-21-4100000001-4200000002-4294967295-2500", FOREIGN},
	    {"S-1-5-21-0-0-1-500", FOREIGN},
	    {"S-1-1-0", EVERYBODY},
	    {"S-1-5-2", EVERYBODY},
	    {"S-1-5-11", EVERYBODY},
	    {"S-1-5-15", EVERYBODY},
	    {"S-1-5-7", 0},
	    {"S-1-5-10", 0},
	    {"S-1-5-17", 0},
	    {"S-1-5-18", 0},
	    {"S-1-5-19", 0},
	    {"S-1-5-20", 0},
	    {"S-1-5-3", UNTOLD},
	    {"S-1-5-4", UNTOLD},
	    {"S-1-5-9", UNTOLD},
	    {"S-1-5-1000", UNTOLD},
	    {"S-1-5-64-10", UNTOLD},
	    {"S-1-5-32-545", UNTOLD},
	    {"S-1-18-1", UNTOLD},
	    {"S-1-16-8192", UNTOLD},
	    {"S-1-5-11-7", UNTOLD},
	    {"S-1-5-21-0-0-0-497", UNTOLD},
	    {"S-1-5-21-1-2-3", UNTOLD}, /* of a domain itself */
	    {"no SID", UNTOLD | FOREIGN},
	    {NULL, UNTOLD | FOREIGN},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct dir_entry entry = {.id = rows[i].sid};

		assert_row(rows[i].sid != NULL ? rows[i].sid : "not shown",
			   closure_principal_holding(&entry) == rows[i].holding);
	}
}

static void principal_is__classes__that_one_only(void **state)
{
	struct arena *arena = arena_new(65536);

	(void)state;
	assert_true(
	    closure_principal_is(build_entry(arena, "cn=x", "objectClass=top; objectClass=foreignSecurityPrincipal")));
	assert_true(closure_principal_is(build_entry(arena, "cn=x", "objectClass=FOREIGNSECURITYPRINCIPAL")));
	assert_false(closure_principal_is(build_entry(arena, "cn=x", "objectClass=user")));
	assert_false(closure_principal_is(build_entry(arena, "cn=x", "cn=foreignSecurityPrincipal")));
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(principal_holding__each_kind__is_what_windows_makes_of_it),
	    cmocka_unit_test(principal_is__classes__that_one_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
