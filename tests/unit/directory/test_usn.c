/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include <directory/dir_usn.h>
#include <stdio.h>
#include <string.h>
#include <support/entry_builder.h>
#include <support/memory_failing.h>

#define MAX_SEEN   100
#define OVERLAP_MS 2000

#define ALICE      "objectGUID=alice-alice-alic; "
#define BOB        "objectGUID=bob-bob-bob-bob-; "

struct rig {
	struct arena *arena;
	struct dir_usn usn;
};

static int set_up(void **state)
{
	static struct rig rig;

	rig.arena = arena_new(1024 * 1024);
	assert_non_null(rig.arena);
	dir_usn_init(&rig.usn, 10, 0, MAX_SEEN);
	*state = &rig;
	return 0;
}

static int tear_down(void **state)
{
	struct rig *rig = *state;

	dir_usn_done(&rig->usn);
	arena_free(&rig->arena);
	return memory_live_count() == 0 ? 0 : 1;
}

/* True: this state of it was not seen before. */
static bool see(struct rig *rig, const char *guid, unsigned number)
{
	char attributes[128];
	bool is_new = false;

	(void)snprintf(attributes, sizeof(attributes), "%suSNChanged=%u", guid, number);
	assert_status(dir_usn_see(&rig->usn, build_entry(rig->arena, "cn=x", attributes), &is_new), STATUS_OK, NULL);
	return is_new;
}

static void check_filter(struct rig *rig, const char *expected)
{
	struct text filter;

	text_init(&filter);
	assert_status(dir_usn_filter(&rig->usn, &filter), STATUS_OK, NULL);
	assert_string_equal(text_string(&filter), expected);
	text_done(&filter);
}

static void missing__each_step_shown__none(void **state)
{
	struct rig *rig = *state;

	assert_true(see(rig, BOB, 12));
	assert_true(see(rig, ALICE, 11));
	assert_int_equal(dir_usn_missing(&rig->usn, 12), 0);
	assert_int_equal(dir_usn_missing(&rig->usn, 14), 2);
}

static void missing__an_object_that_changed_twice__the_first_step_is(void **state)
{
	struct rig *rig = *state;

	assert_true(see(rig, ALICE, 12));
	assert_int_equal(dir_usn_missing(&rig->usn, 12), 1);
}

static void missing__two_objects_of_one_number__explain_one_step(void **state)
{
	struct rig *rig = *state;

	assert_true(see(rig, ALICE, 11));
	assert_true(see(rig, BOB, 11));
	assert_int_equal(dir_usn_missing(&rig->usn, 12), 1);
}

static void missing__objects_before_the_mark_or_without_number__explain_nothing(void **state)
{
	struct rig *rig = *state;
	bool is_new = false;

	assert_true(see(rig, ALICE, 10));
	for (size_t i = 0; i < 2; i++) {
		assert_status(dir_usn_see(&rig->usn, build_entry(rig->arena, "cn=x", ALICE), &is_new), STATUS_OK, NULL);
		assert_true(is_new);
	}
	assert_status(dir_usn_see(&rig->usn, build_entry(rig->arena, "cn=x", ALICE "uSNChanged=1x"), &is_new),
		      STATUS_OK, NULL);
	assert_status(
	    dir_usn_see(&rig->usn, build_entry(rig->arena, "cn=x", ALICE "uSNChanged=99999999999999999999"), &is_new),
	    STATUS_OK, NULL);
	assert_int_equal(dir_usn_missing(&rig->usn, 11), 1);
}

static void see__what_changed_while_the_poll_searched__is_new_once_and_explains_the_next(void **state)
{
	struct rig *rig = *state;

	assert_true(see(rig, ALICE, 11));
	assert_true(see(rig, BOB, 13)); /* behind the mark that was read */
	dir_usn_advance(&rig->usn, 12, 0);
	check_filter(rig, "(uSNChanged>=13)");
	assert_false(see(rig, BOB, 13));
	assert_int_equal(dir_usn_missing(&rig->usn, 13), 0);
	assert_true(see(rig, BOB, 14));
	assert_int_equal(dir_usn_missing(&rig->usn, 14), 0);
}

static void advance__no_overlap__missing_steps_are_not_asked_for_again(void **state)
{
	struct rig *rig = *state;

	assert_true(see(rig, ALICE, 12));
	dir_usn_advance(&rig->usn, 12, 0);
	assert_false(dir_usn_has_gap(&rig->usn));
	check_filter(rig, "(uSNChanged>=13)");
	assert_int_equal(rig->usn.count, 0);
}

static void advance__overlap__a_late_change_is_found_and_others_are_not_told_again(void **state)
{
	struct rig *rig = *state;

	rig->usn.overlap_ms = OVERLAP_MS;
	assert_true(see(rig, ALICE, 12));
	dir_usn_advance(&rig->usn, 12, 1000);
	assert_true(dir_usn_has_gap(&rig->usn));
	check_filter(rig, "(uSNChanged>=11)");

	assert_false(see(rig, ALICE, 12));
	assert_true(see(rig, BOB, 11));
	dir_usn_advance(&rig->usn, 12, 1250);
	assert_false(see(rig, BOB, 11));
	assert_false(see(rig, ALICE, 12));
	dir_usn_advance(&rig->usn, 12, 1000 + OVERLAP_MS);
	assert_false(dir_usn_has_gap(&rig->usn));
	check_filter(rig, "(uSNChanged>=13)");
	assert_int_equal(rig->usn.count, 0);
}

static void advance__polls_slower_than_the_overlap__a_gap_is_asked_for_once_all_the_same(void **state)
{
	struct rig *rig = *state;

	rig->usn.overlap_ms = OVERLAP_MS;
	dir_usn_advance(&rig->usn, 11, 1000);
	check_filter(rig, "(uSNChanged>=11)");
	dir_usn_advance(&rig->usn, 12, 1000 + 2 * OVERLAP_MS);
	check_filter(rig, "(uSNChanged>=12)");
}

static void advance__more_gaps_than_are_kept__the_last_are_one(void **state)
{
	struct rig *rig = *state;

	rig->usn.overlap_ms = OVERLAP_MS;
	for (unsigned i = 0; i < DIR_USN_MAX_GAPS + 5; i++)
		dir_usn_advance(&rig->usn, 11 + i, 1000 + i);
	assert_int_equal(rig->usn.gap_count, DIR_USN_MAX_GAPS);
	check_filter(rig, "(uSNChanged>=11)");
	dir_usn_advance(&rig->usn, rig->usn.mark, 1000 + OVERLAP_MS + DIR_USN_MAX_GAPS + 3);
	/* The last one is as young as the last poll that it stands for. */
	assert_int_equal(dir_usn_lowest(&rig->usn), 10 + DIR_USN_MAX_GAPS);
	dir_usn_advance(&rig->usn, rig->usn.mark, 1000 + OVERLAP_MS + DIR_USN_MAX_GAPS + 4);
	assert_false(dir_usn_has_gap(&rig->usn));
}

static void see__more_than_are_remembered__limit(void **state)
{
	struct rig *rig = *state;
	bool is_new = false;

	for (unsigned i = 0; i < MAX_SEEN; i++)
		assert_true(see(rig, ALICE, 11 + i));
	assert_status(dir_usn_see(&rig->usn, build_entry(rig->arena, "cn=x", ALICE "uSNChanged=500"), &is_new),
		      STATUS_LIMIT, NULL);
	assert_int_equal(dir_usn_missing(&rig->usn, 10 + MAX_SEEN), 0);
}

static void see__no_memory__is_said(void **state)
{
	struct rig *rig = *state;
	const struct dir_entry *entry = build_entry(rig->arena, "cn=x", ALICE "uSNChanged=11");
	bool is_new = false;

	memory_fail_at(1);
	assert_status(dir_usn_see(&rig->usn, entry, &is_new), STATUS_NO_MEMORY, NULL);
	memory_fail_at(0);
	assert_false(is_new);
	assert_int_equal(dir_usn_missing(&rig->usn, 11), 1);
	assert_true(see(rig, ALICE, 11));
}

static void is_deleted__entries__as_the_attribute_says(void **state)
{
	struct rig *rig = *state;

	assert_true(dir_usn_is_deleted(build_entry(rig->arena, "cn=x", "isDeleted=TRUE")));
	assert_false(dir_usn_is_deleted(build_entry(rig->arena, "cn=x", "isDeleted=FALSE")));
	assert_false(dir_usn_is_deleted(build_entry(rig->arena, "cn=x", "cn=x")));
}

static void guid_text__objects__as_an_entry_uuid(void **state)
{
	struct dir_value value = {"\x33\x22\x11\x00\x55\x44\x77\x66\x88\x99\xaa\xbb\xcc\xdd\xee\xff", 16};
	struct dir_attribute attribute = {"objectGUID", &value, 1};
	const struct dir_entry entry = {.dn = "cn=x", .attributes = &attribute, .attribute_count = 1};
	char text[DIR_USN_GUID_TEXT_BYTES];

	(void)state;
	dir_usn_guid_text(&entry, text);
	assert_string_equal(text, "00112233-4455-6677-8899-aabbccddeeff");
	value.length = 15;
	dir_usn_guid_text(&entry, text);
	assert_string_equal(text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(missing__each_step_shown__none, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(missing__an_object_that_changed_twice__the_first_step_is, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(missing__two_objects_of_one_number__explain_one_step, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(missing__objects_before_the_mark_or_without_number__explain_nothing, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(
		see__what_changed_while_the_poll_searched__is_new_once_and_explains_the_next, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(advance__no_overlap__missing_steps_are_not_asked_for_again, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(advance__overlap__a_late_change_is_found_and_others_are_not_told_again,
					    set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		advance__polls_slower_than_the_overlap__a_gap_is_asked_for_once_all_the_same, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(advance__more_gaps_than_are_kept__the_last_are_one, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(see__more_than_are_remembered__limit, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(see__no_memory__is_said, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(is_deleted__entries__as_the_attribute_says, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(guid_text__objects__as_an_entry_uuid, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
