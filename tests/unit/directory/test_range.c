/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include <directory/dir_range.h>
#include <stdio.h>
#include <string.h>
#include <support/memory_failing.h>

#define ATTRIBUTES 8

struct fixture {
	struct arena *arena;
	struct dir_entry *entry; /* as it came */
	struct dir_range_set *set;
	struct error error;
};

static int setup(void **state)
{
	static struct fixture fixture;

	fixture = (struct fixture){.arena = arena_new(DIR_SEARCH_MAX_BYTES)};
	assert_non_null(fixture.arena);
	fixture.entry = arena_alloc(fixture.arena, sizeof(*fixture.entry));
	fixture.entry->dn = "cn=g";
	fixture.entry->attributes = arena_alloc_array(fixture.arena, ATTRIBUTES, sizeof(struct dir_attribute));
	*state = &fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	arena_free(&fixture->arena);
	return 0;
}

static void renew(void **state)
{
	(void)teardown(state);
	(void)setup(state);
}

static struct dir_entry *answer(struct fixture *fixture)
{
	struct dir_entry *entry = arena_alloc(fixture->arena, sizeof(*entry));

	entry->attributes = arena_alloc_array(fixture->arena, ATTRIBUTES, sizeof(struct dir_attribute));
	return entry;
}

/* `count` values "<prefix><first>", ... */
static void add(struct fixture *fixture, struct dir_entry *entry, const char *name, const char *prefix, size_t first,
		size_t count)
{
	struct dir_attribute *attribute = &entry->attributes[entry->attribute_count++];

	assert_true(entry->attribute_count <= ATTRIBUTES);
	attribute->name = name;
	attribute->values = arena_alloc_array(fixture->arena, count + 1, sizeof(*attribute->values));
	for (size_t i = 0; i < count; i++) {
		attribute->values[i].data = arena_printf(fixture->arena, "%s%zu", prefix, first + i);
		attribute->values[i].length = strlen(attribute->values[i].data);
	}
	attribute->value_count = count;
}

static enum status begin(struct fixture *fixture)
{
	return dir_range_begin(fixture->entry, fixture->arena, &fixture->set, &fixture->error);
}

/* Begin with v0..v2 of member, more to come. */
static void begin_with_three(struct fixture *fixture)
{
	add(fixture, fixture->entry, "member;range=0-2", "v", 0, 3);
	assert_status(begin(fixture), STATUS_OK, &fixture->error);
	assert_non_null(fixture->set);
}

/* Take one part and say how it went. */
static enum status take(struct fixture *fixture, const char *name, const char *prefix, size_t first, size_t count)
{
	struct dir_entry *entry = answer(fixture);

	if (name != NULL)
		add(fixture, entry, name, prefix, first, count);
	return dir_range_take(fixture->set, entry, &fixture->error);
}

static void assert_values(const struct fixture *fixture, const char *name, const char *prefix, size_t count)
{
	const struct dir_attribute *attribute = dir_entry_attribute(fixture->entry, name);
	char value[32];

	assert_non_null(attribute);
	assert_int_equal(attribute->value_count, count);
	for (size_t i = 0; i < count; i++) {
		(void)snprintf(value, sizeof(value), "%s%zu", prefix, i);
		assert_string_equal(attribute->values[i].data, value);
	}
}

static void parse__names__are_taken_apart(void **state)
{
	static const struct {
		const char *name;
		enum dir_range_form form;
		struct dir_range range;
	} rows[] = {
	    {"member", DIR_RANGE_NONE, {0}},
	    {"userCertificate;binary", DIR_RANGE_NONE, {0}},
	    {"range=0-1", DIR_RANGE_NONE, {0}},
	    {"member;ranges", DIR_RANGE_NONE, {0}},
	    {"member;range", DIR_RANGE_NONE, {0}},
	    {"", DIR_RANGE_NONE, {0}},
	    {";", DIR_RANGE_NONE, {0}},
	    {"member;range=0-1499", DIR_RANGE_PART, {6, 0, 1499, false}},
	    {"memberOf;Range=1500-*", DIR_RANGE_PART, {8, 1500, 0, true}},
	    {"a;range=7-7", DIR_RANGE_PART, {1, 7, 7, false}},
	    {"a;binary;range=0-*", DIR_RANGE_PART, {8, 0, 0, true}},
	    {"a;range=4294967295-4294967295", DIR_RANGE_PART, {1, UINT32_MAX, UINT32_MAX, false}},
	    {";range=0-*", DIR_RANGE_BAD, {0}},
	    {"a;range=", DIR_RANGE_BAD, {0}},
	    {"a;range=0", DIR_RANGE_BAD, {0}},
	    {"a;range=0-", DIR_RANGE_BAD, {0}},
	    {"a;range=-1", DIR_RANGE_BAD, {0}},
	    {"a;range=*-*", DIR_RANGE_BAD, {0}},
	    {"a;range=0-**", DIR_RANGE_BAD, {0}},
	    {"a;range=0-1 ", DIR_RANGE_BAD, {0}},
	    {"a;range= 0-1", DIR_RANGE_BAD, {0}},
	    {"a;range=+0-1", DIR_RANGE_BAD, {0}},
	    {"a;range=0x0-1", DIR_RANGE_BAD, {0}},
	    {"a;range=2-1", DIR_RANGE_BAD, {0}},
	    {"a;range=0-4294967296", DIR_RANGE_BAD, {0}},
	    {"a;range=99999999999999999999-*", DIR_RANGE_BAD, {0}},
	    {"a;range=0-1;binary", DIR_RANGE_BAD, {0}},
	    {"a;range=0-1;range=0-1", DIR_RANGE_BAD, {0}},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct dir_range range = {0};

		assert_row(rows[i].name, dir_range_parse(rows[i].name, &range) == rows[i].form);
		assert_row(rows[i].name, range.name_length == rows[i].range.name_length);
		assert_row(rows[i].name, range.first == rows[i].range.first && range.last == rows[i].range.last);
		assert_row(rows[i].name, range.is_end == rows[i].range.is_end);
	}
}

static void begin__no_range__leaves_the_entry(void **state)
{
	struct fixture *fixture = *state;

	add(fixture, fixture->entry, "member", "v", 0, 2);
	add(fixture, fixture->entry, "empty", "v", 0, 0);
	fixture->set = (struct dir_range_set *)fixture;

	assert_status(begin(fixture), STATUS_OK, &fixture->error);

	assert_null(fixture->set);
	assert_values(fixture, "member", "v", 2);
	assert_int_equal(fixture->entry->attribute_count, 2);
}

static void begin__range_that_is_all__is_plain_at_once(void **state)
{
	struct fixture *fixture = *state;

	add(fixture, fixture->entry, "cn", "x", 0, 1);
	add(fixture, fixture->entry, "member", "v", 0, 0);
	add(fixture, fixture->entry, "member;range=0-*", "v", 0, 3);
	add(fixture, fixture->entry, "memberOf;range=0-*", "v", 0, 0);

	assert_status(begin(fixture), STATUS_OK, &fixture->error);

	assert_null(fixture->set);
	assert_int_equal(fixture->entry->attribute_count, 3);
	assert_values(fixture, "member", "v", 3);
	assert_values(fixture, "memberOf", "v", 0);
	assert_values(fixture, "cn", "x", 1);
}

static void take__ranges_to_the_end__are_one_attribute(void **state)
{
	struct fixture *fixture = *state;

	add(fixture, fixture->entry, "member", "v", 0, 0);
	add(fixture, fixture->entry, "cn", "x", 0, 1);
	begin_with_three(fixture);
	assert_false(dir_range_is_whole(fixture->set));
	assert_string_equal(dir_range_wanted(fixture->set)[0], "member;range=2-*");
	assert_null(dir_range_wanted(fixture->set)[1]);
	assert_status(take(fixture, "member;range=2-4", "v", 2, 3), STATUS_OK, &fixture->error);
	assert_string_equal(dir_range_wanted(fixture->set)[0], "member;range=4-*");

	assert_status(take(fixture, "MEMBER;Range=4-*", "v", 4, 2), STATUS_OK, &fixture->error);

	assert_true(dir_range_is_whole(fixture->set));
	assert_values(fixture, "member", "v", 6);
	assert_values(fixture, "cn", "x", 1);
	assert_int_equal(fixture->entry->attribute_count, 2);
}

/* The last part ends with the value that was the last of the one before. */
static void take__nothing_more__is_whole(void **state)
{
	struct fixture *fixture = *state;

	begin_with_three(fixture);

	assert_status(take(fixture, "member;range=2-*", "v", 2, 1), STATUS_OK, &fixture->error);

	assert_true(dir_range_is_whole(fixture->set));
	assert_values(fixture, "member", "v", 3);
}

static void take__several_attributes__each_has_its_own_end(void **state)
{
	struct fixture *fixture = *state;
	struct dir_entry *entry = answer(fixture);

	add(fixture, fixture->entry, "memberOf;range=0-1", "m", 0, 2);
	add(fixture, fixture->entry, "member", "v", 0, 0);
	add(fixture, fixture->entry, "url;range=0-*", "u", 0, 4);
	begin_with_three(fixture);
	assert_string_equal(dir_range_wanted(fixture->set)[0], "memberOf;range=1-*");
	assert_string_equal(dir_range_wanted(fixture->set)[1], "member;range=2-*");
	assert_null(dir_range_wanted(fixture->set)[2]);
	add(fixture, entry, "member;range=2-*", "v", 2, 3);
	add(fixture, entry, "memberOf;range=1-2", "m", 1, 2);
	assert_status(dir_range_take(fixture->set, entry, &fixture->error), STATUS_OK, &fixture->error);
	assert_false(dir_range_is_whole(fixture->set));
	assert_string_equal(dir_range_wanted(fixture->set)[0], "memberOf;range=2-*");
	assert_null(dir_range_wanted(fixture->set)[1]);

	assert_status(take(fixture, "memberOf;range=2-*", "m", 2, 2), STATUS_OK, &fixture->error);

	assert_true(dir_range_is_whole(fixture->set));
	assert_values(fixture, "member", "v", 5);
	assert_values(fixture, "memberOf", "m", 4);
	assert_values(fixture, "url", "u", 4);
	assert_int_equal(fixture->entry->attribute_count, 3);
}

/* A value in front was removed: v3 stands where v2 stood, and nobody has seen v3 when the rest is asked for. */
static void take__values_moved__begins_anew(void **state)
{
	struct fixture *fixture = *state;

	begin_with_three(fixture);
	assert_status(take(fixture, "member;range=2-*", "v", 3, 3), STATUS_OK, &fixture->error);
	assert_false(dir_range_is_whole(fixture->set));
	assert_string_equal(dir_range_wanted(fixture->set)[0], "member;range=0-*");

	assert_status(take(fixture, "member;range=0-*", "w", 0, 2), STATUS_OK, &fixture->error);

	assert_true(dir_range_is_whole(fixture->set));
	assert_values(fixture, "member", "w", 2);
}

/* What says that the values moved: another value, none, an attribute past its end, or no attribute at all. */
static void take__values_keep_moving__is_no_answer(void **state)
{
	static const struct {
		const char *row, *name, *prefix;
		size_t count;
	} rows[] = {
	    {"another value", "member;range=2-*", "w", 2},
	    {"past the end", "member;range=2-*", "v", 0},
	    {"no attribute", NULL, "v", 0},
	    {"empty", "member", "v", 0},
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct fixture *fixture;

		renew(state);
		fixture = *state;
		begin_with_three(fixture);
		for (size_t n = 0; n < DIR_RANGE_MAX_RESTARTS; n++) {
			assert_row(rows[i].row,
				   take(fixture, rows[i].name, rows[i].prefix, 2, rows[i].count) == STATUS_OK);
			assert_row(rows[i].row, !dir_range_is_whole(fixture->set));
			assert_row(rows[i].row, take(fixture, "member;range=0-2", "v", 0, 3) == STATUS_OK);
		}
		assert_row(rows[i].row,
			   take(fixture, rows[i].name, rows[i].prefix, 2, rows[i].count) == STATUS_INVALID);
		assert_contains(fixture->error.what, "changed while");
		assert_row(rows[i].row, !dir_range_is_whole(fixture->set));
	}
}

static void take__time_to_live_of_a_link_goes_on__is_the_same_value(void **state)
{
	struct fixture *fixture = *state;

	add(fixture, fixture->entry, "member;range=0-0", "<TTL=100>,<SID=S-1-5>;cn=v", 0, 1);
	assert_status(begin(fixture), STATUS_OK, &fixture->error);

	assert_status(take(fixture, "member;range=0-*", "<TTL=99>,<SID=S-1-5>;cn=v", 0, 2), STATUS_OK, &fixture->error);

	assert_true(dir_range_is_whole(fixture->set));
	assert_int_equal(dir_entry_attribute(fixture->entry, "member")->value_count, 2);
}

/* The link stopped expiring, or began to: it is the same member. A TTL that is not closed is none. */
static void take__time_to_live_comes_or_is_broken__compares_what_is_behind(void **state)
{
	struct fixture *fixture = *state;

	add(fixture, fixture->entry, "member;range=0-0", "<TTL=1>,cn=v", 0, 1);
	assert_status(begin(fixture), STATUS_OK, &fixture->error);
	assert_status(take(fixture, "member;range=0-*", "<TTL=1,cn=v", 0, 2), STATUS_OK, &fixture->error);

	assert_false(dir_range_is_whole(fixture->set));
}

static void begin__parts_that_are_no_beginning__are_refused(void **state)
{
	static const struct {
		const char *names[3]; /* three values each */
	} rows[] = {
	    {{"member;range=1-3"}},
	    {{"member;range=1-*"}},
	    {{"member;range=0-3"}},
	    {{"member;range=0-1"}},
	    {{"member;range=x"}},
	    {{"member;range=0-2", "Member;range=0-2"}},
	    {{"member;range=0-2", "member;range=3-5"}},
	    {{"member;range=0-2", "member"}},
	    {{"member", "member;range=0-*"}},
	    {{"cn", "url;range=0-*", "member;range=2-0"}},
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct fixture *fixture;

		renew(state);
		fixture = *state;
		for (size_t n = 0; n < COUNT_OF(rows[i].names) && rows[i].names[n] != NULL; n++)
			add(fixture, fixture->entry, rows[i].names[n], "v", 0, 3);
		assert_row(rows[i].names[0], begin(fixture) == STATUS_INVALID);
		assert_row(rows[i].names[0], fixture->set == NULL);
	}
}

static void take__parts_that_do_not_continue__are_refused(void **state)
{
	static const struct {
		const char *name;
		size_t first, count;
	} rows[] = {
	    {"member;range=3-5", 3, 3},     {"member;range=3-*", 3, 3}, {"member;range=1-*", 1, 3},
	    {"member;range=0-2", 0, 3},     {"member;range=2-5", 2, 3}, {"member;range=2-3", 2, 3},
	    {"member;range=2-2", 2, 1},     {"member;range=2-", 2, 1},  {"member", 2, 3},
	    {"member;range=0002-x", 2, 10},
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct fixture *fixture;

		renew(state);
		fixture = *state;
		begin_with_three(fixture);
		assert_row(rows[i].name,
			   take(fixture, rows[i].name, "v", rows[i].first, rows[i].count) == STATUS_INVALID);
		assert_row(rows[i].name, !dir_range_is_whole(fixture->set));
	}
}

static void take__two_parts_of_one_attribute__are_refused(void **state)
{
	struct fixture *fixture = *state;
	struct dir_entry *entry = answer(fixture);

	begin_with_three(fixture);
	add(fixture, entry, "member;range=2-4", "v", 2, 3);
	add(fixture, entry, "member;range=2-*", "v", 2, 3);

	assert_int_equal(dir_range_take(fixture->set, entry, &fixture->error), STATUS_INVALID);
}

static void take__ranges_without_end__are_a_limit(void **state)
{
	struct fixture *fixture = *state;
	enum status status = STATUS_OK;
	size_t n;

	begin_with_three(fixture);
	for (n = 0; n <= DIR_RANGE_MAX_REQUESTS && status == STATUS_OK; n++) {
		const char *name = arena_printf(fixture->arena, "member;range=%zu-%zu", 2 + n, 3 + n);

		status = take(fixture, name, "v", 2 + n, 2);
	}

	assert_int_equal(status, STATUS_LIMIT);
	assert_int_equal(n, DIR_RANGE_MAX_REQUESTS + 1);
}

static void take__more_than_the_arena_may_hold__is_a_limit(void **state)
{
	struct fixture *fixture = *state;
	struct arena *small = arena_new(2000);
	struct dir_entry *entry = answer(fixture);

	add(fixture, fixture->entry, "member;range=0-2", "v", 0, 3);
	assert_status(dir_range_begin(fixture->entry, small, &fixture->set, &fixture->error), STATUS_OK,
		      &fixture->error);
	add(fixture, entry, "member;range=2-*", "v", 2, 200);

	assert_int_equal(dir_range_take(fixture->set, entry, &fixture->error), STATUS_LIMIT);

	arena_free(&small);
}

/* Every allocation fails in turn: it is said, and the entry is whole only when all went well. */
static void begin_and_take__memory_runs_out__says_so(void **state)
{
	struct fixture *fixture;
	size_t count;
	size_t n = 1;

	do {
		struct dir_entry *entry;
		struct arena *own;
		enum status status;

		renew(state);
		fixture = *state;
		add(fixture, fixture->entry, "member;range=0-2", "v", 0, 3);
		entry = answer(fixture);
		add(fixture, entry, "member;range=2-*", "v", 2, 10000);
		own = arena_new(DIR_SEARCH_MAX_BYTES);
		assert_non_null(own);
		memory_fail_at(n);
		status = dir_range_begin(fixture->entry, own, &fixture->set, &fixture->error);
		if (status == STATUS_OK)
			status = dir_range_take(fixture->set, entry, &fixture->error);
		count = memory_fail_count();
		memory_fail_at(0);
		assert_status(status, count < n ? STATUS_OK : STATUS_NO_MEMORY, &fixture->error);
		if (status == STATUS_OK)
			assert_values(fixture, "member", "v", 10002);
		arena_free(&own);
	} while (count >= n++);
	assert_true(n > 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(parse__names__are_taken_apart),
	    cmocka_unit_test_setup_teardown(begin__no_range__leaves_the_entry, setup, teardown),
	    cmocka_unit_test_setup_teardown(begin__range_that_is_all__is_plain_at_once, setup, teardown),
	    cmocka_unit_test_setup_teardown(begin__parts_that_are_no_beginning__are_refused, setup, teardown),
	    cmocka_unit_test_setup_teardown(take__ranges_to_the_end__are_one_attribute, setup, teardown),
	    cmocka_unit_test_setup_teardown(take__nothing_more__is_whole, setup, teardown),
	    cmocka_unit_test_setup_teardown(take__several_attributes__each_has_its_own_end, setup, teardown),
	    cmocka_unit_test_setup_teardown(take__values_moved__begins_anew, setup, teardown),
	    cmocka_unit_test_setup_teardown(take__values_keep_moving__is_no_answer, setup, teardown),
	    cmocka_unit_test_setup_teardown(take__time_to_live_of_a_link_goes_on__is_the_same_value, setup, teardown),
	    cmocka_unit_test_setup_teardown(take__time_to_live_comes_or_is_broken__compares_what_is_behind, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(take__parts_that_do_not_continue__are_refused, setup, teardown),
	    cmocka_unit_test_setup_teardown(take__two_parts_of_one_attribute__are_refused, setup, teardown),
	    cmocka_unit_test_setup_teardown(take__ranges_without_end__are_a_limit, setup, teardown),
	    cmocka_unit_test_setup_teardown(take__more_than_the_arena_may_hold__is_a_limit, setup, teardown),
	    cmocka_unit_test_setup_teardown(begin_and_take__memory_runs_out__says_so, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
