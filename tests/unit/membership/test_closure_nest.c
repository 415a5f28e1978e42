/* SPDX-License-Identifier: Apache-2.0 */
/* Groups of Active Directory that show what holds them, as SIDs: what becomes the closure, and until when. */
#include <support/assertions.h>

#include <membership/closure_nest.h>
#include <string.h>
#include <support/memory_failing.h>

static const struct digest_key key = {5, 6};

#define SID(number) "S-1-5-21-1-2-3-" #number

struct fixture {
	struct closure_builder *builder;
	struct closure_nest nest;
};

/* The root is SID(1). */
static int setup(void **state)
{
	static struct fixture fixture;

	fixture = (struct fixture){.builder = closure_builder_new(1, &key, 0)};
	assert_non_null(fixture.builder);
	closure_builder_set_by_sid(fixture.builder);
	assert_int_equal(closure_builder_set_root(fixture.builder, 0, "CN=g1,DC=x", SID(1)), STATUS_OK);
	*state = &fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	closure_nest_done(&fixture->nest);
	closure_builder_free(&fixture->builder);
	return 0;
}

/* A group with what it is in; "" for none. */
static enum status take_typed(struct fixture *fixture, const char *sid, const char *type, const char *one,
			      const char *other)
{
	struct dir_value class = {"group", 5}, kind = {type, strlen(type)};
	struct dir_value holders[] = {{one, strlen(one)}, {other, strlen(other)}};
	struct dir_attribute attributes[] = {
	    {"objectClass", &class, 1},
	    {"groupType", &kind, 1},
	    {"memberOf", holders, *other != '\0' ? 2 : 1},
	};
	const struct dir_entry entry = {
	    .dn = sid, .id = sid, .attributes = attributes, .attribute_count = COUNT_OF(attributes)};

	return closure_nest_take(&fixture->nest, fixture->builder, &entry);
}

static void take(struct fixture *fixture, const char *sid, const char *one, const char *other)
{
	assert_int_equal(take_typed(fixture, sid, "-2147483646", one, other), STATUS_OK);
}

static void close_nest(struct fixture *fixture)
{
	assert_int_equal(closure_nest_close(&fixture->nest, fixture->builder), STATUS_OK);
}

static void nest_close__links_that_last__says_so(void **state)
{
	struct fixture *fixture = *state;

	take(fixture, SID(2), "<GUID=00000000-0000-0000-0000-000000000001>;<SID=" SID(1) ">;CN=g1", "");
	take(fixture, SID(3), "<SID=" SID(2) ">;CN=g2", "<SID=" SID(1) ">;CN=g1");
	close_nest(fixture);

	assert_int_equal(fixture->nest.ttl_s, CLOSURE_LINK_LASTS);
	assert_true(closure_builder_holds_id(fixture->builder, SID(2)));
	assert_true(closure_builder_holds_id(fixture->builder, SID(3)));
}

static void nest_close__links_that_end__says_when_the_first_does(void **state)
{
	struct fixture *fixture = *state;

	take(fixture, SID(2), "<TTL=500>,<SID=" SID(1) ">;CN=g1", "");
	take(fixture, SID(3), "<TTL=30>,<SID=" SID(2) ">;CN=g2", "<TTL=31>,<SID=" SID(1) ">;CN=g1");
	close_nest(fixture);

	assert_int_equal(fixture->nest.ttl_s, 30);
	assert_true(closure_builder_holds_id(fixture->builder, SID(3)));
}

static void nest_close__a_link_that_has_just_ended__counts_as_that(void **state)
{
	struct fixture *fixture = *state;

	take(fixture, SID(2), "<TTL=0>,<SID=" SID(1) ">;CN=g1", "");
	close_nest(fixture);

	assert_int_equal(fixture->nest.ttl_s, 0);
}

static void nest_close__a_link_elsewhere_ends__is_no_matter(void **state)
{
	struct fixture *fixture = *state;

	take(fixture, SID(2), "<SID=" SID(1) ">;CN=g1", "<TTL=3>,<SID=" SID(9) ">;CN=g9");
	take(fixture, SID(8), "<TTL=2>,<SID=" SID(9) ">;CN=g9", "");
	close_nest(fixture);

	assert_int_equal(fixture->nest.ttl_s, CLOSURE_LINK_LASTS);
	assert_false(closure_builder_holds_id(fixture->builder, SID(8)));
}

static void nest_take__a_mailing_list__is_passed_over_with_what_is_in_it(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(take_typed(fixture, SID(2), "2", "<SID=" SID(1) ">;CN=g1", ""), STATUS_OK);
	take(fixture, SID(3), "<SID=" SID(2) ">;CN=g2", "");
	close_nest(fixture);

	assert_false(closure_builder_holds_id(fixture->builder, SID(2)));
	assert_false(closure_builder_holds_id(fixture->builder, SID(3)));
}

static void nest_take__no_extended_dn__is_refused(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(take_typed(fixture, SID(2), "-2147483646", "<TTL=x>,<SID=" SID(1) ">;CN=g1", ""),
			 STATUS_INVALID);
	assert_int_equal(take_typed(fixture, SID(2), "-2147483646", "<SID=S-1-x>;CN=g1", ""), STATUS_INVALID);
	assert_int_equal(take_typed(fixture, NULL, "-2147483646", "CN=g1", ""), STATUS_INVALID);
}

/* A foreign security principal that is in some group. */
static enum status take_principal(struct fixture *fixture, const char *sid, const char *holder)
{
	struct dir_value class = {"foreignSecurityPrincipal", 24}, held = {holder, strlen(holder)};
	struct dir_attribute attributes[] = {{"objectClass", &class, 1}, {"memberOf", &held, 1}};
	const struct dir_entry entry = {
	    .dn = "cn=principal", .id = sid, .attributes = attributes, .attribute_count = COUNT_OF(attributes)};

	return closure_nest_take_principal(&fixture->nest, fixture->builder, &entry);
}

static void nest_close__principals__mark_the_groups_that_hold_them(void **state)
{
	struct fixture *fixture = *state;
	struct closure *closure = NULL;
	uint32_t inner;

	take(fixture, SID(2), "<SID=" SID(1) ">;CN=g1", "");
	assert_int_equal(take_principal(fixture, "S-1-5-11", "<SID=" SID(2) ">;CN=g2"), STATUS_OK);
	assert_int_equal(take_principal(fixture, "S-1-5-21-9-9-9-1000", "<TTL=7>,<SID=" SID(1) ">;CN=g1"), STATUS_OK);
	assert_int_equal(take_principal(fixture, "S-1-5-64-10", "<TTL=3>,<SID=" SID(9) ">;CN=g9"), STATUS_OK);
	assert_int_equal(take_principal(fixture, "S-1-5-7", "<TTL=2>,<SID=" SID(1) ">;CN=g1"), STATUS_OK);
	close_nest(fixture);
	assert_int_equal(fixture->nest.ttl_s, 7);

	assert_int_equal(closure_builder_finish(fixture->builder, &closure), STATUS_OK);
	inner = closure_find_id(closure, SID(2), strlen(SID(2)));
	assert_int_equal(closure_group_count(closure), 2);
	assert_int_equal(closure_find_holder(closure, 0, CLOSURE_HOLDS_EVERYBODY), inner);
	assert_int_equal(closure_find_holder(closure, 0, CLOSURE_HOLDS_FOREIGN), closure_root_group(closure, 0));
	assert_int_equal(closure_find_holder(closure, 0, CLOSURE_HOLDS_UNTOLD), CLOSURE_NONE);
	assert_int_equal(closure_holding(closure, inner), CLOSURE_HOLDS_EVERYBODY);
	closure_unref(&closure);
}

static void nest_take_principal__no_extended_dn__is_refused(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(take_principal(fixture, "S-1-5-11", "<SID=S-1-x>;CN=g1"), STATUS_INVALID);
	assert_int_equal(take_principal(fixture, "S-1-5-11", "CN=a group that shows no SID"), STATUS_OK);
}

static void nest_take__memory_runs_out__says_so(void **state)
{
	size_t count, n = 1;

	do {
		struct fixture *fixture;
		enum status status;

		(void)teardown(state);
		(void)setup(state);
		fixture = *state;
		memory_fail_at(n);
		status = take_typed(fixture, SID(2), "-2147483646", "<SID=" SID(1) ">;CN=g1", "");
		if (status == STATUS_OK)
			status = take_principal(fixture, "S-1-5-11", "<SID=" SID(1) ">;CN=g1");
		if (status == STATUS_OK)
			status = closure_nest_close(&fixture->nest, fixture->builder);
		count = memory_fail_count();
		memory_fail_at(0);
		assert_int_equal(status, count < n ? STATUS_OK : STATUS_NO_MEMORY);
	} while (count >= n++);
	assert_true(n > 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(nest_close__links_that_last__says_so, setup, teardown),
	    cmocka_unit_test_setup_teardown(nest_close__links_that_end__says_when_the_first_does, setup, teardown),
	    cmocka_unit_test_setup_teardown(nest_close__a_link_that_has_just_ended__counts_as_that, setup, teardown),
	    cmocka_unit_test_setup_teardown(nest_close__a_link_elsewhere_ends__is_no_matter, setup, teardown),
	    cmocka_unit_test_setup_teardown(nest_take__a_mailing_list__is_passed_over_with_what_is_in_it, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(nest_take__no_extended_dn__is_refused, setup, teardown),
	    cmocka_unit_test_setup_teardown(nest_close__principals__mark_the_groups_that_hold_them, setup, teardown),
	    cmocka_unit_test_setup_teardown(nest_take_principal__no_extended_dn__is_refused, setup, teardown),
	    cmocka_unit_test_setup_teardown(nest_take__memory_runs_out__says_so, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
