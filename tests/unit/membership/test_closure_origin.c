/* SPDX-License-Identifier: Apache-2.0 */
/* Which domain controller a closure is of, and how far that one is with the changes of others. */
#include <support/assertions.h>

#include <stdio.h>
#include <string.h>
#include <support/dir_pool_fake.h>
#include <support/domain_stage.h>
#include <support/memory_failing.h>

#define SETTINGS(dc) "CN=NTDS Settings,CN=" dc ",CN=Servers,cn=configuration," FAKE_DOMAIN_DN
#define MY_ID        "iiiiiiiiiiiiiiii"
#define OTHER_ID     "oooooooooooooooo"
#define VECTOR       "\1\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0" OTHER_ID "\7\0\0\0\0\0\0\0"

static int set_up(void **state)
{
	static struct domain_stage stage;

	domain_stage_open(&stage);
	fake_domain_add(stage.directory, "CN=Servers,cn=configuration," FAKE_DOMAIN_DN, "container", NULL);
	fake_domain_add(stage.directory, "CN=DC1,CN=Servers,cn=configuration," FAKE_DOMAIN_DN, "server", NULL);
	fake_domain_add(stage.directory, SETTINGS("DC1"), "nTDSDSA", NULL);
	*state = &stage;
	return 0;
}

static int tear_down(void **state)
{
	domain_stage_close(*state);
	return 0;
}

static void show_origin(struct domain_stage *stage)
{
	assert_true(fake_directory_show(stage->directory, SETTINGS("DC1"), "invocationId", MY_ID, sizeof(MY_ID) - 1));
	assert_true(
	    fake_directory_show(stage->directory, FAKE_DOMAIN_DN, "replUpToDateVector", VECTOR, sizeof(VECTOR) - 1));
}

static void closure_load__it_shows_who_it_is_and_how_far__both_are_told(void **state)
{
	struct domain_stage *stage = *state;

	show_origin(stage);
	domain_stage_load_well(stage);
	assert_true(stage->origin.has_id);
	assert_memory_equal(stage->origin.id, MY_ID, sizeof(stage->origin.id));
	assert_true(stage->origin.has_vector);
	assert_int_equal(stage->origin_cursors, 1);
	assert_int_equal(stage->round_trips, 5); /* nothing is asked for its own sake */
}

static void closure_load__it_shows_neither__loads_all_the_same(void **state)
{
	struct domain_stage *stage = *state;

	domain_stage_load_well(stage);
	assert_false(stage->origin.has_id);
	assert_false(stage->origin.has_vector);
	assert_true(fake_directory_delete(stage->directory, SETTINGS("DC1")));
	domain_stage_load_well(stage);
	assert_false(stage->origin.has_id);
}

static void closure_load__what_it_shows_is_no_vector__none(void **state)
{
	struct domain_stage *stage = *state;

	assert_true(fake_directory_show(stage->directory, SETTINGS("DC1"), "invocationId", "short", 5));
	assert_true(
	    fake_directory_show(stage->directory, FAKE_DOMAIN_DN, "replUpToDateVector", VECTOR, sizeof(VECTOR) - 2));
	domain_stage_load_well(stage);
	assert_false(stage->origin.has_id);
	assert_false(stage->origin.has_vector);
}

/* Another controller takes over, before the domains are asked about, or before the groups are. */
static const char *moment;

static void take_over(struct domain_stage *stage, const struct dir_search *search)
{
	if (moment == NULL || search->attributes == NULL || strcmp(search->attributes[0], moment) != 0)
		return;
	moment = NULL;
	fake_directory_root_lose(stage->directory, "dsServiceName", NULL);
	fake_directory_root(stage->directory, "dsServiceName", SETTINGS("DC2"));
	assert_true(fake_directory_unshow(stage->directory, FAKE_DOMAIN_DN, "replUpToDateVector", NULL, 0));
}

static void closure_load__another_one_takes_over_meanwhile__is_of_that_one_alone(void **state)
{
	static const char *const moments[] = {"objectSid", "contextCSN"};
	struct domain_stage *stage = *state;

	fake_domain_add(stage->directory, "CN=DC2,CN=Servers,cn=configuration," FAKE_DOMAIN_DN, "server", NULL);
	fake_domain_add(stage->directory, SETTINGS("DC2"), "nTDSDSA", NULL);
	for (size_t i = 0; i < COUNT_OF(moments); i++) {
		fake_directory_root_lose(stage->directory, "dsServiceName", NULL);
		fake_directory_root(stage->directory, "dsServiceName", SETTINGS("DC1"));
		(void)fake_directory_unshow(stage->directory, SETTINGS("DC1"), "invocationId", NULL, 0);
		show_origin(stage);
		moment = moments[i];
		stage->on_search = take_over;
		domain_stage_load_well(stage);
		assert_null(moment);
		assert_non_null(strstr(stage->csn, "DC2"));
		assert_false(stage->origin.has_id);
		assert_false(stage->origin.has_vector);
	}
}

static void closure_load__no_memory__fails_or_tells_all(void **state)
{
	struct domain_stage *stage = *state;
	enum status status;
	size_t n = 0, count;

	show_origin(stage);
	do {
		memory_fail_at(++n);
		status = domain_stage_load(stage);
		count = memory_fail_count();
		memory_fail_at(0);
		if (status == STATUS_OK)
			assert_true(stage->origin.has_id && stage->origin.has_vector);
	} while (count >= n);
	assert_true(n > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(closure_load__it_shows_who_it_is_and_how_far__both_are_told, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(closure_load__it_shows_neither__loads_all_the_same, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(closure_load__what_it_shows_is_no_vector__none, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(closure_load__another_one_takes_over_meanwhile__is_of_that_one_alone,
					    set_up, tear_down),
	    cmocka_unit_test_setup_teardown(closure_load__no_memory__fails_or_tells_all, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("closure_origin", tests, NULL, NULL);
}
