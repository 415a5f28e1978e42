/* SPDX-License-Identifier: Apache-2.0 */
#include <membership/closure_nest.h>

#include <stdio.h>
#include <string.h>
#include <support/assertions.h>
#include <support/entry_builder.h>
#include <support/memory_failing.h>

/* entry_builder parts values at ';', so components end in ',' here: both are good. Ids are given as they would be read. */
#define SID(rid)     "S-1-5-21-1-2-3-" rid
#define HELD_BY(rid) "memberOf=<GUID=2092dd8c-1f4d-4cd5-a2b8-6a3c0ad6e8a7>,<SID=" SID(rid) ">,cn=g" rid ",dc=x;"
#define ID(rid)      "entryUUID=" SID(rid) ";"
#define SECURITY     "objectClass=top; objectClass=group; groupType=-2147483646;"
#define ARENA_BYTES  ((size_t)4 * 1024 * 1024)

struct fixture {
	struct arena *arena;
	struct closure_builder *builder;
	struct closure_nest nest;
	struct closure *closure;
};

static int set_up(void **state)
{
	static const struct digest_key key = {5, 6};
	static struct fixture fixture;

	memset(&fixture, 0, sizeof(fixture));
	fixture.arena = arena_new(ARENA_BYTES);
	fixture.builder = closure_builder_new(1, &key, 4096);
	assert_non_null(fixture.arena);
	assert_non_null(fixture.builder);
	closure_builder_set_by_sid(fixture.builder);
	*state = &fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	closure_unref(&fixture->closure);
	closure_builder_free(&fixture->builder);
	closure_nest_done(&fixture->nest);
	arena_free(&fixture->arena);
	return 0;
}

static enum status take(struct fixture *fixture, const char *dn, const char *attributes)
{
	return closure_nest_take(&fixture->nest, fixture->builder, build_entry(fixture->arena, dn, attributes));
}

static void close_at(struct fixture *fixture, const char *dn, const char *id)
{
	assert_int_equal(closure_builder_set_root(fixture->builder, 0, dn, id), STATUS_OK);
	assert_int_equal(closure_nest_close(&fixture->nest, fixture->builder), STATUS_OK);
	assert_int_equal(closure_builder_finish(fixture->builder, &fixture->closure), STATUS_OK);
}

/* How many hops up to the root; -1: it is not beneath it. */
static int distance(const struct fixture *fixture, const char *id)
{
	uint32_t group = closure_find_id(fixture->closure, id, strlen(id)), hops;

	if (group == CLOSURE_NONE)
		return -1;
	hops = closure_distance(fixture->closure, 0, group);
	return hops == CLOSURE_NONE ? -1 : (int)hops;
}

static void closure_nest_is_group__what_is_shown__is_a_security_group_or_none(void **state)
{
	static const struct {
		const char *attributes;
		bool is_group;
	} rows[] = {
	    {"objectClass=top; objectClass=group; groupType=-2147483646", true}, /* global */
	    {"objectClass=group; groupType=-2147483644", true},                  /* domain local */
	    {"objectClass=group; groupType=-2147483640", true},                  /* universal */
	    {"objectClass=group; groupType=-2147483643", true},                  /* built in */
	    {"objectClass=GROUP; groupType=-2147483646", true},
	    {"objectClass=group; groupType=-2147483648", true}, /* INT32_MIN */
	    {"objectClass=group; groupType=-1", true},
	    {"objectClass=group; groupType=2147483650", true}, /* the same bits without a sign */
	    {"objectClass=group; groupType=4294967295", true},
	    {"objectClass=group; groupType=2", false}, /* distribution groups */
	    {"objectClass=group; groupType=8", false},
	    {"objectClass=group; groupType=0", false},
	    {"objectClass=group; groupType=2147483647", false},
	    {"objectClass=group", false},
	    {"objectClass=group; groupType=", false},
	    {"objectClass=group; groupType=-", false},
	    {"objectClass=group; groupType=--2147483646", false},
	    {"objectClass=group; groupType=-2147483646x", false},
	    {"objectClass=group; groupType=+2147483650", false},
	    {"objectClass=group; groupType=0x80000002", false},
	    {"objectClass=group; groupType=-2147483649", false},
	    {"objectClass=group; groupType=4294967296", false},
	    {"objectClass=group; groupType=6442450946", false}, /* the bit is set, but there are others above */
	    {"objectClass=group; groupType=9223372036854775807", false},
	    {"objectClass=group; groupType=99999999999999999999999999", false},
	    {"objectClass=group; groupType=-99999999999999999999999999", false},
	    {"objectClass=group; groupType=-2147483646; groupType=2", false},
	    {"objectClass=user; groupType=-2147483646", false},
	    {"objectClass=groupOfNames; groupType=-2147483646", false},
	    {"groupType=-2147483646", false},
	    {"", false},
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_row(rows[i].attributes,
			   closure_nest_is_group(build_entry(fixture->arena, "cn=g,dc=x", rows[i].attributes)) ==
			       rows[i].is_group);
}

static void closure_nest_is_group__a_blank_or_a_nul_in_the_number__is_none(void **state)
{
	static const struct {
		const char *what, *data;
		size_t length;
	} rows[] = {
	    {"blank before", " -2147483646", 12}, {"blank behind", "-2147483646 ", 12}, {"NUL", "-2147483646\0", 12}};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct dir_entry *entry = build_entry(fixture->arena, "cn=g,dc=x", SECURITY);

		assert_true(closure_nest_is_group(entry));
		for (size_t k = 0; k < entry->attribute_count; k++)
			if (strcmp(entry->attributes[k].name, "groupType") == 0)
				entry->attributes[k].values[0] = (struct dir_value){rows[i].data, rows[i].length};
		assert_row(rows[i].what, !closure_nest_is_group(entry));
	}
}

/* root <- 1 <- 2 <- 3 and root <- 3: a diamond; 4 lies beneath somebody else; 5 beneath itself and nobody. */
static void closure_nest_close__diamonds_and_strangers__have_shortest_ways(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(take(fixture, "cn=g3,dc=x", SECURITY ID("3") HELD_BY("2") HELD_BY("9")), STATUS_OK);
	assert_int_equal(take(fixture, "cn=g2,dc=x", SECURITY ID("2") HELD_BY("1")), STATUS_OK);
	assert_int_equal(take(fixture, "cn=g1,dc=x", SECURITY ID("1") HELD_BY("9") HELD_BY("8")), STATUS_OK);
	assert_int_equal(take(fixture, "cn=g4,dc=x", SECURITY ID("4") HELD_BY("8")), STATUS_OK);
	assert_int_equal(take(fixture, "cn=g5,dc=x", SECURITY ID("5") HELD_BY("5")), STATUS_OK);
	close_at(fixture, "cn=g9,dc=x", SID("9"));
	assert_int_equal(distance(fixture, SID("9")), 0);
	assert_int_equal(distance(fixture, SID("1")), 1);
	assert_int_equal(distance(fixture, SID("2")), 2);
	assert_int_equal(distance(fixture, SID("3")), 1);
	assert_int_equal(distance(fixture, SID("4")), -1);
	assert_int_equal(distance(fixture, SID("5")), -1);
	assert_int_equal(closure_group_count(fixture->closure), 4);
	assert_true(closure_is_by_sid(fixture->closure));
	assert_null(closure_index(fixture->closure));
}

/* The root is nested too, and the ring goes through it; and one group holds itself. */
static void closure_nest_close__rings__end(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(take(fixture, "cn=g9,dc=x", SECURITY ID("9") HELD_BY("2") HELD_BY("9")), STATUS_OK);
	assert_int_equal(take(fixture, "cn=g1,dc=x", SECURITY ID("1") HELD_BY("9") HELD_BY("1")), STATUS_OK);
	assert_int_equal(take(fixture, "cn=g2,dc=x", SECURITY ID("2") HELD_BY("1")), STATUS_OK);
	close_at(fixture, "cn=g9,dc=x", SID("9"));
	assert_int_equal(closure_group_count(fixture->closure), 3);
	assert_int_equal(distance(fixture, SID("2")), 2);
	assert_int_equal(distance(fixture, SID("9")), 0);
}

/* Windows puts no distribution group into a token, nor what is nested beneath one only. */
static void closure_nest_close__a_distribution_group_between__is_no_way(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(take(fixture, "cn=g1,dc=x", "objectClass=group; groupType=2;" ID("1") HELD_BY("9")),
			 STATUS_OK);
	assert_int_equal(take(fixture, "cn=g2,dc=x", SECURITY ID("2") HELD_BY("1")), STATUS_OK);
	assert_int_equal(take(fixture, "cn=g3,dc=x", SECURITY ID("3") HELD_BY("1") HELD_BY("9")), STATUS_OK);
	close_at(fixture, "cn=g9,dc=x", SID("9"));
	assert_int_equal(distance(fixture, SID("1")), -1);
	assert_int_equal(distance(fixture, SID("2")), -1);
	assert_int_equal(distance(fixture, SID("3")), 1);
}

/* SIDs count, not names: one that has another domain's group for a holder, or two groups of one name. */
static void closure_nest_close__names_do_not_count__sids_do(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(take(fixture, "cn=g1,dc=x", SECURITY ID("1") "memberOf=<SID=" SID("9") ">,cn=other,dc=y"),
			 STATUS_OK);
	assert_int_equal(take(fixture, "cn=g2,dc=x", SECURITY ID("2") "memberOf=<SID=" SID("8") ">,cn=g9,dc=x"),
			 STATUS_OK);
	assert_int_equal(take(fixture, "cn=g3,dc=x", SECURITY ID("3") "memberOf=cn=g9,dc=x"), STATUS_OK);
	close_at(fixture, "cn=g9,dc=x", SID("9"));
	assert_int_equal(distance(fixture, SID("1")), 1);
	assert_int_equal(distance(fixture, SID("2")), -1);
	assert_int_equal(distance(fixture, SID("3")), -1);
}

static void closure_nest_take__what_cannot_be_understood__is_refused(void **state)
{
	static const struct {
		const char *what, *attributes;
		enum status expected;
	} rows[] = {
	    {"no SID", SECURITY HELD_BY("9"), STATUS_INVALID},
	    {"a holder without a SID",
	     SECURITY ID("1") "memberOf=<GUID=2092dd8c-1f4d-4cd5-a2b8-6a3c0ad6e8a7>,cn=g9,dc=x", STATUS_OK},
	    {"not nested", SECURITY ID("1"), STATUS_OK},
	    {"a bad SID", SECURITY ID("1") "memberOf=<SID=S-1-5-21-1-2-3->,cn=g9,dc=x", STATUS_INVALID},
	    {"a SID of too many parts",
	     SECURITY ID("1") "memberOf=<SID=S-1-5-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15-16>,cn=g9,dc=x", STATUS_INVALID},
	    {"a number too large", SECURITY ID("1") "memberOf=<SID=S-1-5-21-4294967296>,cn=g9,dc=x", STATUS_INVALID},
	    {"two SIDs", SECURITY ID("1") "memberOf=<SID=" SID("8") ">,<SID=" SID("9") ">,cn=g9,dc=x", STATUS_INVALID},
	    {"no end", SECURITY ID("1") "memberOf=<SID=" SID("9"), STATUS_INVALID},
	    {"no DN behind it", SECURITY ID("1") "memberOf=<SID=" SID("9") ">,", STATUS_INVALID},
	    {"nothing", SECURITY ID("1") "memberOf=", STATUS_INVALID},
	    {"the second of two", SECURITY ID("1") HELD_BY("9") "memberOf=<SID=>,cn=g9,dc=x", STATUS_INVALID},
	    {"no security group, and nothing of it is looked at", "objectClass=group; groupType=2; memberOf=<SID=>",
	     STATUS_OK},
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		enum status status = take(fixture, "cn=g1,dc=x", rows[i].attributes);

		assert_row(rows[i].what, status == rows[i].expected);
	}
}

/* Far deeper than a stack could hold. */
static void closure_nest_close__a_long_chain__is_walked(void **state)
{
	enum { LENGTH = 20000 };
	struct fixture *fixture = *state;
	char deepest[32];

	for (unsigned i = 1; i < LENGTH; i++) {
		struct arena *arena = arena_new(ARENA_BYTES);
		char dn[64], attributes[256];

		(void)snprintf(dn, sizeof(dn), "cn=n%u,dc=x", i);
		(void)snprintf(attributes, sizeof(attributes),
			       SECURITY "entryUUID=S-1-5-21-1-2-3-%u; memberOf=<SID=S-1-5-21-1-2-3-%u>,cn=n%u,dc=x", i,
			       i - 1, i - 1);
		assert_int_equal(
		    closure_nest_take(&fixture->nest, fixture->builder, build_entry(arena, dn, attributes)), STATUS_OK);
		arena_free(&arena);
	}
	close_at(fixture, "cn=n0,dc=x", SID("0"));
	(void)snprintf(deepest, sizeof(deepest), "S-1-5-21-1-2-3-%u", LENGTH - 1U);
	assert_int_equal(closure_group_count(fixture->closure), LENGTH);
	assert_int_equal(distance(fixture, deepest), LENGTH - 1);
}

static enum status build(struct fixture *fixture, struct dir_entry *const *entries, size_t count)
{
	enum status status = STATUS_OK;

	for (size_t i = 0; i < count && status == STATUS_OK; i++)
		status = closure_nest_take(&fixture->nest, fixture->builder, entries[i]);
	if (status == STATUS_OK)
		status = closure_builder_set_root(fixture->builder, 0, "cn=g9,dc=x", SID("9"));
	if (status == STATUS_OK)
		status = closure_nest_close(&fixture->nest, fixture->builder);
	if (status == STATUS_OK)
		status = closure_builder_finish(fixture->builder, &fixture->closure);
	return status;
}

static void closure_nest__no_memory__is_told(void **state)
{
	struct fixture *fixture = *state;
	struct dir_entry *entries[] = {
	    build_entry(fixture->arena, "cn=g1,dc=x", SECURITY ID("1") HELD_BY("9")),
	    build_entry(fixture->arena, "cn=g2,dc=x", SECURITY ID("2") HELD_BY("1") HELD_BY("2")),
	};
	struct arena *arena = fixture->arena;
	size_t n = 1;

	for (;; n++) {
		enum status status;
		size_t count;

		fixture->arena = NULL;
		(void)tear_down(state);
		(void)set_up(state);
		arena_free(&fixture->arena);
		memory_fail_at(n);
		status = build(fixture, entries, COUNT_OF(entries));
		count = memory_fail_count();
		memory_fail_at(0);
		fixture->arena = NULL;
		if (count < n) {
			assert_int_equal(status, STATUS_OK);
			break;
		}
		assert_int_equal(status, STATUS_NO_MEMORY);
		assert_null(fixture->closure);
	}
	fixture->arena = arena;
	assert_true(n > 10);
	assert_int_equal(distance(fixture, SID("2")), 2);
}

#define NEST_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    NEST_TEST(closure_nest_is_group__what_is_shown__is_a_security_group_or_none),
	    NEST_TEST(closure_nest_is_group__a_blank_or_a_nul_in_the_number__is_none),
	    NEST_TEST(closure_nest_close__diamonds_and_strangers__have_shortest_ways),
	    NEST_TEST(closure_nest_close__rings__end),
	    NEST_TEST(closure_nest_close__a_distribution_group_between__is_no_way),
	    NEST_TEST(closure_nest_close__names_do_not_count__sids_do),
	    NEST_TEST(closure_nest_take__what_cannot_be_understood__is_refused),
	    NEST_TEST(closure_nest_close__a_long_chain__is_walked),
	    NEST_TEST(closure_nest__no_memory__is_told),
	};

	return cmocka_run_group_tests_name("closure_nest", tests, NULL, NULL);
}
