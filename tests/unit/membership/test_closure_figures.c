/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include <membership/closure_figures.h>
#include <stdio.h>
#include <support/memory_failing.h>

static const struct digest_key key = {7, 8};

/* g0 is the root. Each edge is "child in parent"; each member is "person in group". */
struct drawing {
	const char *line;
	uint32_t groups;
	uint32_t edges[12][2];
	size_t edge_count;
	uint32_t members[8][2];
	size_t member_count;
	struct closure_figures expected;
	size_t cycle_length; /* of closure_survey_cycle, the first group twice */
};

static const struct drawing drawings[] = {
    {"alone", 1, {{0}}, 0, {{0}}, 0, {1, 0, 0, CLOSURE_NONE, true, 0}, 0},
    {"chain", 3, {{1, 0}, {2, 1}}, 2, {{1, 2}, {2, 0}}, 2, {3, 2, 0, CLOSURE_NONE, true, 2}, 0},
    {"one person in two groups",
     3,
     {{1, 0}, {2, 0}},
     2,
     {{1, 1}, {1, 2}, {2, 2}},
     3,
     {3, 1, 0, CLOSURE_NONE, true, 2},
     0},
    {"diamond", 4, {{1, 0}, {2, 0}, {3, 1}, {3, 2}}, 4, {{9, 3}}, 1, {4, 2, 0, CLOSURE_NONE, true, 1}, 0},
    {"in itself", 1, {{0, 0}}, 1, {{0}}, 0, {1, 0, 1, 0, true, 0}, 2},
    {"round through the root", 3, {{1, 0}, {2, 1}, {0, 2}}, 3, {{5, 2}}, 1, {3, 2, 3, 0, true, 1}, 4},
    {"a circle beneath, and what hangs on it",
     5,
     {{1, 0}, {2, 1}, {3, 2}, {2, 3}, {4, 3}},
     5,
     {{5, 4}},
     1,
     {5, 4, 2, 2, true, 1},
     3},
    {"two circles with a bridge between",
     6,
     {{1, 0}, {2, 1}, {1, 2}, {3, 2}, {4, 3}, {5, 4}, {4, 5}},
     7,
     {{0}},
     0,
     {6, 5, 4, 1, true, 0},
     3},
    {"not beneath the root", 3, {{1, 2}, {2, 1}}, 2, {{4, 1}}, 1, {1, 0, 0, CLOSURE_NONE, true, 0}, 0},
};

static enum status build(const struct drawing *drawing, bool has_index, struct closure **closure_out)
{
	struct closure *closure = closure_new(2, &key);
	struct member_index *index = has_index ? member_index_new(UINT64_MAX) : NULL;
	enum status status = closure == NULL || (has_index && index == NULL) ? STATUS_NO_MEMORY : STATUS_OK;

	for (uint32_t i = 0; status == STATUS_OK && i < drawing->groups; i++) {
		char dn[32], id[32];
		uint32_t group = CLOSURE_NONE;

		(void)snprintf(dn, sizeof(dn), "cn=g%u,dc=x", (unsigned)i);
		(void)snprintf(id, sizeof(id), "id-%u", (unsigned)i);
		status = closure_add_group(closure, dn, id, &group);
	}
	for (size_t i = 0; status == STATUS_OK && i < drawing->edge_count; i++)
		status = closure_add_edge(closure, drawing->edges[i][0], drawing->edges[i][1]);
	for (size_t i = 0; has_index && status == STATUS_OK && i < drawing->member_count; i++)
		status = member_index_add(index, (struct digest){.high = drawing->members[i][0], .low = 1},
					  drawing->members[i][1]);
	if (status == STATUS_OK && has_index)
		status = member_index_seal(index);
	if (status == STATUS_OK) {
		closure_give_index(closure, index);
		index = NULL;
		closure_set_root(closure, 0, 0);
		status = closure_finish(closure);
	}
	if (index != NULL)
		member_index_free(&index);
	if (status != STATUS_OK && closure != NULL)
		closure_unref(&closure);
	*closure_out = closure;
	return status;
}

static void closure_survey_root__drawings__counts(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(drawings); i++) {
		const struct drawing *drawing = &drawings[i];
		struct closure *closure = NULL;
		struct closure_survey *survey;
		struct closure_figures got = {.groups = 99};
		uint32_t path[8] = {0};

		print_message("%s\n", drawing->line);
		assert_int_equal(build(drawing, true, &closure), STATUS_OK);
		survey = closure_survey_new(closure);
		assert_non_null(survey);
		assert_int_equal(closure_survey_root(survey, 0, &got), STATUS_OK);
		assert_int_equal(got.groups, drawing->expected.groups);
		assert_int_equal(got.depth, drawing->expected.depth);
		assert_int_equal(got.in_cycles, drawing->expected.in_cycles);
		assert_int_equal(got.a_cycle, drawing->expected.a_cycle);
		assert_true(got.members_counted);
		assert_int_equal(got.members, drawing->expected.members);
		if (drawing->cycle_length > 0) {
			assert_int_equal(closure_survey_cycle(survey, got.a_cycle, path, COUNT_OF(path)),
					 drawing->cycle_length);
			assert_int_equal(path[0], got.a_cycle);
			assert_int_equal(path[drawing->cycle_length - 1], got.a_cycle);
			assert_int_equal(closure_survey_cycle(survey, got.a_cycle, path, drawing->cycle_length - 1), 0);
		}
		closure_survey_free(&survey);
		closure_unref(&closure);
	}
}

/* Each group of the way holds the one before it. */
static void closure_survey_cycle__longer_circle__is_a_way_down(void **state)
{
	const struct drawing *drawing = &drawings[5];
	struct closure *closure = NULL;
	struct closure_survey *survey;
	uint32_t path[8];

	(void)state;
	assert_int_equal(build(drawing, true, &closure), STATUS_OK);
	survey = closure_survey_new(closure);
	assert_non_null(survey);
	assert_int_equal(closure_survey_cycle(survey, 0, path, COUNT_OF(path)), 4);
	for (size_t i = 0; i + 1 < 4; i++) {
		size_t count = 0;
		const uint32_t *children = closure_children(closure, path[i], &count);

		assert_int_equal(count, 1);
		assert_int_equal(children[0], path[i + 1]);
	}
	closure_survey_free(&survey);
	closure_unref(&closure);
}

static void closure_survey_root__missing_group_or_no_index__says_so(void **state)
{
	struct closure *closure = NULL;
	struct closure_survey *survey;
	struct closure_figures got;

	(void)state;
	assert_int_equal(build(&drawings[1], false, &closure), STATUS_OK);
	survey = closure_survey_new(closure);
	assert_non_null(survey);
	assert_int_equal(closure_survey_root(survey, 0, &got), STATUS_OK);
	assert_false(got.members_counted);
	assert_int_equal(got.groups, 3);
	assert_int_equal(closure_survey_root(survey, 1, &got), STATUS_OK);
	assert_int_equal(got.groups, 0);
	closure_survey_free(&survey);
	closure_unref(&closure);
}

static void closure_survey__no_memory__says_so(void **state)
{
	struct closure *closure = NULL;
	bool is_done = false;

	(void)state;
	assert_int_equal(build(&drawings[2], true, &closure), STATUS_OK);
	for (size_t nth = 1; !is_done; nth++) {
		struct closure_survey *survey;
		struct closure_figures got = {.groups = 99};
		enum status status = STATUS_NO_MEMORY;

		assert_true(nth < 1000);
		memory_fail_at(nth);
		survey = closure_survey_new(closure);
		if (survey != NULL)
			status = closure_survey_root(survey, 0, &got);
		is_done = memory_fail_count() < nth;
		memory_fail_at(0);
		if (is_done)
			assert_int_equal(status, STATUS_OK);
		else
			assert_int_equal(status, STATUS_NO_MEMORY);
		assert_int_equal(got.groups, status == STATUS_OK ? 3 : 99);
		closure_survey_free(&survey);
	}
	closure_unref(&closure);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(closure_survey_root__drawings__counts),
	    cmocka_unit_test(closure_survey_cycle__longer_circle__is_a_way_down),
	    cmocka_unit_test(closure_survey_root__missing_group_or_no_index__says_so),
	    cmocka_unit_test(closure_survey__no_memory__says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
