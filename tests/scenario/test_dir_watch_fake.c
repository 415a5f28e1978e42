/* SPDX-License-Identifier: Apache-2.0 */
/* The fake watch tells what dir_watch.h says, when the test lets it. */
#include <support/assertions.h>

#include <config/config.h>
#include <stdlib.h>
#include <string.h>
#include <support/dir_watch_fake.h>
#include <support/executor_manual.h>
#include <support/fake_text.h>

#define ALICE  "uid=alice,ou=people,dc=x"
#define CSN(n) "20260101000000.00000" n "Z#000000#000#000000"

struct rig {
	struct fake_directory *directory;
	struct config_directory config;
	struct executor *executor;
	struct dir_watch *watch;
	char *heard;
};

static void hear(void *context, const struct dir_watch_event *event)
{
	static const char *const kinds[] = {
	    [DIR_WATCH_UP] = "up",     [DIR_WATCH_CHANGE] = "change", [DIR_WATCH_UNSEEN] = "unseen",
	    [DIR_WATCH_MARK] = "mark", [DIR_WATCH_LOST] = "lost",     [DIR_WATCH_UNSUPPORTED] = "unsupported",
	};
	static const char *const changes[] = {"modify ", "add ", "delete "};
	struct rig *rig = context;
	const bool is_change = event->kind == DIR_WATCH_CHANGE;
	const struct dir_value *uid = is_change ? dir_entry_single(event->entry, "uid") : NULL;
	char *longer = fake_format("%s%s%s%s%s%s;", rig->heard, kinds[event->kind], is_change ? " " : "",
				   is_change ? changes[event->change] : "", is_change ? event->entry->dn : "",
				   uid != NULL ? "+" : "");

	assert_true(executor_is_current(rig->executor));
	assert_true((event->error != NULL) == (event->kind == DIR_WATCH_LOST || event->kind == DIR_WATCH_UNSUPPORTED));
	assert_true(!is_change || strlen(event->id) == 36);
	assert_true(event->error != NULL || strlen(event->mark) == strlen(CSN("1")));
	free(rig->heard);
	rig->heard = longer;
}

static void check_heard(struct rig *rig, const char *expected)
{
	assert_string_equal(rig->heard, expected);
	rig->heard[0] = '\0';
}

static void pass(struct rig *rig, uint64_t ms)
{
	(void)executor_manual_advance(rig->executor, ms);
}

static void open_watch(struct rig *rig)
{
	static const char *const attributes[] = {"objectClass", "uid", NULL};

	assert_status(dir_watch_open(&rig->config, attributes, rig->executor, NULL, hear, rig, &rig->watch, NULL),
		      STATUS_OK, NULL);
}

static int set_up(void **state)
{
	struct rig *rig = fake_new(1, sizeof(*rig));

	rig->heard = fake_copy("", 0);
	rig->directory = fake_directory_new("dc=x");
	assert_true(fake_directory_add(rig->directory, "ou=people,dc=x"));
	assert_true(fake_directory_add(rig->directory, ALICE));
	assert_true(fake_directory_gain(rig->directory, ALICE, "objectClass", "inetOrgPerson"));
	dir_watch_fake_use(rig->directory);
	assert_status(executor_open("test", &rig->executor, NULL), STATUS_OK, NULL);
	open_watch(rig);
	*state = rig;
	return 0;
}

static int tear_down(void **state)
{
	struct rig *rig = *state;

	dir_watch_close(&rig->watch);
	executor_close(&rig->executor);
	dir_watch_fake_use(NULL);
	fake_directory_free(&rig->directory);
	free(rig->heard);
	free(rig);
	return 0;
}

static void start(struct rig *rig)
{
	dir_watch_fake_enable();
	assert_status(dir_watch_begin(rig->watch, "dc=x"), STATUS_OK, NULL);
	pass(rig, DIR_WATCH_FAKE_DELAY_MS);
	check_heard(rig, "up;");
}

static void set_place(struct rig *rig, const char *place)
{
	assert_true(fake_directory_gain(rig->directory, ALICE, "l", place));
}

static void begin__not_offered__unsupported_once_until_it_is(void **state)
{
	struct rig *rig = *state;

	pass(rig, 10);
	check_heard(rig, "");
	assert_status(dir_watch_begin(rig->watch, "dc=x"), STATUS_OK, NULL);
	check_heard(rig, "");
	pass(rig, 100);
	set_place(rig, "A");
	pass(rig, 100);
	check_heard(rig, "unsupported;");
	dir_watch_fake_enable();
	pass(rig, DIR_WATCH_FAKE_DELAY_MS);
	check_heard(rig, "up;");
}

static void begin__contextcsn_hidden__unsupported(void **state)
{
	struct rig *rig = *state;

	dir_watch_fake_enable();
	assert_true(fake_directory_hide(rig->directory, "dc=x", "contextCSN", true));
	assert_status(dir_watch_begin(rig->watch, "dc=x"), STATUS_OK, NULL);
	pass(rig, 10);
	check_heard(rig, "unsupported;");
}

static void change__each_kind__told_after_the_delay(void **state)
{
	struct rig *rig = *state;

	dir_watch_fake_set_delay(5);
	dir_watch_fake_enable();
	assert_status(dir_watch_begin(rig->watch, "dc=x"), STATUS_OK, NULL);
	pass(rig, 5);
	check_heard(rig, "up;");
	set_place(rig, "A");
	pass(rig, 4);
	check_heard(rig, "");
	pass(rig, 1);
	check_heard(rig, "change modify " ALICE "+;");
	assert_true(fake_directory_add(rig->directory, "uid=bob,ou=people,dc=x"));
	assert_true(fake_directory_gain(rig->directory, "uid=bob,ou=people,dc=x", "objectClass", "person"));
	pass(rig, 5);
	check_heard(rig, "change add uid=bob,ou=people,dc=x+;change modify uid=bob,ou=people,dc=x+;");
	assert_true(fake_directory_rename(rig->directory, "ou=people,dc=x", "ou=staff,dc=x"));
	pass(rig, 5);
	check_heard(rig, "change modify ou=staff,dc=x;");
	assert_true(fake_directory_delete(rig->directory, "ou=staff,dc=x"));
	pass(rig, 5);
	check_heard(rig, "change delete uid=bob,ou=staff,dc=x;change delete uid=alice,ou=staff,dc=x;"
			 "change delete ou=staff,dc=x;");
}

static void change__of_what_is_hidden_or_gone__moves_the_mark(void **state)
{
	struct rig *rig = *state;

	start(rig);
	set_place(rig, "A");
	assert_true(fake_directory_delete(rig->directory, ALICE));
	pass(rig, 10);
	check_heard(rig, "mark;change delete " ALICE ";");
	assert_true(fake_directory_hide(rig->directory, "ou=people,dc=x", NULL, true));
	assert_true(fake_directory_gain(rig->directory, "ou=people,dc=x", "l", "A"));
	pass(rig, 10);
	check_heard(rig, "mark;");
}

static void cut__with_a_change_under_way__lost_and_up_when_restored(void **state)
{
	struct rig *rig = *state;

	start(rig);
	set_place(rig, "A");
	dir_watch_fake_cut();
	set_place(rig, "B");
	pass(rig, 1000);
	check_heard(rig, "lost;");
	dir_watch_fake_restore();
	pass(rig, 10);
	check_heard(rig, "up;");
	set_place(rig, "C");
	pass(rig, 10);
	check_heard(rig, "change modify " ALICE "+;");
}

static void begin__while_cut__lost_then_up(void **state)
{
	struct rig *rig = *state;

	dir_watch_fake_enable();
	dir_watch_fake_cut();
	assert_status(dir_watch_begin(rig->watch, "dc=x"), STATUS_OK, NULL);
	pass(rig, 10);
	check_heard(rig, "lost;");
	dir_watch_fake_restore();
	pass(rig, 10);
	check_heard(rig, "up;");
}

static void freeze__changes__are_told_when_it_thaws(void **state)
{
	struct rig *rig = *state;

	start(rig);
	set_place(rig, "A");
	dir_watch_fake_freeze();
	pass(rig, 1000);
	assert_true(fake_directory_delete(rig->directory, ALICE));
	pass(rig, 1000);
	check_heard(rig, "");
	dir_watch_fake_thaw();
	pass(rig, 0);
	check_heard(rig, "change modify " ALICE "+;change delete " ALICE ";");
}

static void freeze__then_cut__lost_is_told(void **state)
{
	struct rig *rig = *state;

	start(rig);
	dir_watch_fake_freeze();
	set_place(rig, "A");
	pass(rig, 10);
	dir_watch_fake_cut();
	pass(rig, 10);
	check_heard(rig, "lost;");
	dir_watch_fake_restore();
	pass(rig, 10);
	check_heard(rig, "");
	dir_watch_fake_thaw();
	pass(rig, 10);
	check_heard(rig, "up;");
}

static void stop__with_a_change_under_way__nothing_is_told(void **state)
{
	struct rig *rig = *state;

	start(rig);
	set_place(rig, "A");
	assert_int_equal(dir_watch_fake_count(), 1);
	dir_watch_stop(rig->watch);
	dir_watch_stop(rig->watch);
	assert_int_equal(dir_watch_fake_count(), 0);
	set_place(rig, "B");
	pass(rig, 100);
	check_heard(rig, "");
}

static void hear_and_stop(void *context, const struct dir_watch_event *event)
{
	struct rig *rig = context;

	hear(context, event);
	dir_watch_stop(rig->watch);
}

static void stop__inside_the_listener__nothing_more_is_told(void **state)
{
	static const char *const attributes[] = {"uid", NULL};
	struct rig *rig = *state;

	dir_watch_close(&rig->watch);
	dir_watch_fake_enable();
	assert_status(
	    dir_watch_open(&rig->config, attributes, rig->executor, NULL, hear_and_stop, rig, &rig->watch, NULL),
	    STATUS_OK, NULL);
	assert_status(dir_watch_begin(rig->watch, "dc=x"), STATUS_OK, NULL);
	set_place(rig, "A");
	pass(rig, 100);
	check_heard(rig, "up;");
}

static void two_watches__one_change__each_is_told(void **state)
{
	struct rig *rig = *state;
	struct dir_watch *first = rig->watch;

	start(rig);
	open_watch(rig);
	assert_status(dir_watch_begin(rig->watch, "dc=x"), STATUS_OK, NULL);
	pass(rig, 10);
	check_heard(rig, "up;");
	set_place(rig, "A");
	pass(rig, 10);
	check_heard(rig, "change modify " ALICE "+;change modify " ALICE "+;");
	dir_watch_close(&first);
	set_place(rig, "B");
	pass(rig, 10);
	check_heard(rig, "change modify " ALICE "+;");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(begin__not_offered__unsupported_once_until_it_is),
	    TEST(begin__contextcsn_hidden__unsupported),
	    TEST(change__each_kind__told_after_the_delay),
	    TEST(change__of_what_is_hidden_or_gone__moves_the_mark),
	    TEST(cut__with_a_change_under_way__lost_and_up_when_restored),
	    TEST(begin__while_cut__lost_then_up),
	    TEST(freeze__changes__are_told_when_it_thaws),
	    TEST(freeze__then_cut__lost_is_told),
	    TEST(stop__with_a_change_under_way__nothing_is_told),
	    TEST(stop__inside_the_listener__nothing_more_is_told),
	    TEST(two_watches__one_change__each_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
