/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include <directory/dir_watch_private.h>
#include <stdio.h>
#include <string.h>
#include <support/executor_manual.h>
#include <support/memory_failing.h>

#define MAX_BYTES ((size_t)1024 * 1024)

struct rig {
	struct executor *executor;
	struct dir_watch_queue queue;
	char heard[4096]; /* what was told, a word each */
	struct error *lose_inside;
};

static const char *word_of(const struct dir_watch_event *event)
{
	switch (event->kind) {
	case DIR_WATCH_UP:
		return event->server != NULL ? event->server : dir_watch_means_text(event->means);
	case DIR_WATCH_MARK:
		return event->mark != NULL ? event->mark : event->server;
	case DIR_WATCH_CURRENT:
		return event->proof == 7 ? "current 7" : "current";
	case DIR_WATCH_CHANGE:
		return event->entry->dn;
	case DIR_WATCH_LOST:
	case DIR_WATCH_UNSUPPORTED:
		return event->error->what;
	case DIR_WATCH_UNSEEN:
		return "unseen";
	}
	return "?";
}

static void hear(void *context, const struct dir_watch_event *event)
{
	struct rig *rig = context;
	const size_t length = strlen(rig->heard);

	if (rig->lose_inside != NULL) {
		struct error *error = rig->lose_inside;

		rig->lose_inside = NULL;
		dir_watch_queue_tell_lost(&rig->queue, error, false);
	}
	(void)snprintf(rig->heard + length, sizeof(rig->heard) - length, "%s%s", length > 0 ? " " : "", word_of(event));
}

static int set_up(void **state)
{
	static struct rig rig;

	memset(&rig, 0, sizeof(rig));
	assert_status(executor_open("test", &rig.executor, NULL), STATUS_OK, NULL);
	dir_watch_queue_init(&rig.queue, rig.executor, hear, &rig, 1000, MAX_BYTES);
	*state = &rig;
	return 0;
}

static int tear_down(void **state)
{
	struct rig *rig = *state;

	(void)executor_manual_run(rig->executor);
	dir_watch_queue_done(&rig->queue);
	executor_close(&rig->executor);
	return memory_live_count() == 0 ? 0 : 1;
}

static enum status tell_mark(struct rig *rig, const char *mark)
{
	const struct dir_watch_event event = {.kind = DIR_WATCH_MARK, .mark = mark};

	return dir_watch_queue_tell(&rig->queue, &event);
}

static void tell_lost(struct rig *rig, const char *what, bool drop)
{
	struct error error = {0};

	(void)error_set(&error, STATUS_UNREACHABLE, "%s", what);
	dir_watch_queue_tell_lost(&rig->queue, &error, drop);
}

static void check_heard(struct rig *rig, const char *expected)
{
	(void)executor_manual_run(rig->executor);
	assert_string_equal(rig->heard, expected);
}

static void tell__events__are_heard_later_in_order(void **state)
{
	struct rig *rig = *state;

	assert_status(tell_mark(rig, "a"), STATUS_OK, NULL);
	assert_status(tell_mark(rig, "b"), STATUS_OK, NULL);
	assert_string_equal(rig->heard, "");
	check_heard(rig, "a b");
	assert_status(tell_mark(rig, "c"), STATUS_OK, NULL);
	check_heard(rig, "a b c");
}

static void tell__up__says_what_the_watch_rests_on(void **state)
{
	static const enum dir_watch_means means[] = {DIR_WATCH_BY_SYNC, DIR_WATCH_BY_PSEARCH, DIR_WATCH_BY_USN,
						     DIR_WATCH_BY_CSN};
	struct rig *rig = *state;

	for (size_t i = 0; i < COUNT_OF(means); i++) {
		const struct dir_watch_event up = {.kind = DIR_WATCH_UP, .mark = "m", .means = means[i]};

		rig->heard[0] = '\0';
		assert_status(dir_watch_queue_tell(&rig->queue, &up), STATUS_OK, NULL);
		check_heard(rig, dir_watch_means_text(means[i]));
	}
	assert_string_not_equal(dir_watch_means_text(means[0]), dir_watch_means_text(means[1]));
}

static struct {
	bool is_good;
	size_t calls;
} change_check;

static void hear_change(void *context, const struct dir_watch_event *event)
{
	const struct dir_attribute *photo = dir_entry_attribute(event->entry, "photo");
	const struct dir_value *uid = dir_entry_single(event->entry, "UID");

	(void)context;
	change_check.calls++;
	change_check.is_good =
	    event->kind == DIR_WATCH_CHANGE && event->change == DIR_CHANGE_ADD && event->error == NULL &&
	    strcmp(event->id, "id") == 0 && strcmp(event->entry->id, "entry-id") == 0 &&
	    strcmp(event->mark, "m") == 0 && strcmp(event->entry->dn, "cn=a") == 0 &&
	    event->entry->attribute_count == 3 && event->entry->next == NULL && uid != NULL && uid->length == 5 &&
	    strcmp(uid->data, "alice") == 0 && photo->value_count == 2 && photo->values[1].length == 3 &&
	    memcmp(photo->values[1].data, "x\0y", 4) == 0 && photo->values[0].length == 0 &&
	    photo->values[0].data[0] == '\0' && event->entry->attributes[2].value_count == 0;
}

static void tell__a_change__is_copied_with_all_it_shows(void **state)
{
	struct rig *rig = *state;
	char dn[] = "cn=a", uid[] = "alice", photo[] = "x\0y", id[] = "id", mark[] = "m", name[] = "uid",
	     entry_id[] = "entry-id";
	struct dir_value uids[] = {{uid, 5}}, photos[] = {{photo, 0}, {photo, 3}};
	struct dir_attribute attributes[] = {{name, uids, 1}, {"photo", photos, 2}, {"empty", NULL, 0}};
	struct dir_entry entry = {
	    .dn = dn, .id = entry_id, .attributes = attributes, .attribute_count = 3, .next = &entry};
	const struct dir_watch_event event = {
	    .kind = DIR_WATCH_CHANGE, .change = DIR_CHANGE_ADD, .entry = &entry, .id = id, .mark = mark};

	rig->queue.heard = hear_change;
	assert_status(dir_watch_queue_tell(&rig->queue, &event), STATUS_OK, NULL);
	dn[0] = uid[0] = photo[0] = id[0] = mark[0] = name[0] = entry_id[0] = '?';
	attributes[0].value_count = photos[1].length = 0;
	(void)executor_manual_run(rig->executor);

	assert_int_equal(change_check.calls, 1);
	assert_true(change_check.is_good);
}

static void tell__without_marks__server_and_proof_are_copied(void **state)
{
	struct rig *rig = *state;
	char server[] = "server";
	const struct dir_watch_event up = {.kind = DIR_WATCH_UP, .server = server};
	const struct dir_watch_event current = {.kind = DIR_WATCH_CURRENT, .proof = 7};

	assert_status(dir_watch_queue_tell(&rig->queue, &up), STATUS_OK, NULL);
	assert_status(dir_watch_queue_tell(&rig->queue, &current), STATUS_OK, NULL);
	server[0] = '?';
	check_heard(rig, "server current 7");
}

static void tell__more_than_fits__limit_and_nothing_is_lost_silently(void **state)
{
	struct rig *rig = *state;

	rig->queue.max_count = 2;
	assert_status(tell_mark(rig, "a"), STATUS_OK, NULL);
	assert_status(tell_mark(rig, "b"), STATUS_OK, NULL);
	assert_status(tell_mark(rig, "c"), STATUS_LIMIT, NULL);
	tell_lost(rig, "lost", true);
	check_heard(rig, "lost");
}

static void tell__more_bytes_than_fit__limit(void **state)
{
	struct rig *rig = *state;
	static char big[MAX_BYTES / 2 + 1];

	memset(big, 'x', sizeof(big) - 1);
	assert_status(tell_mark(rig, big), STATUS_OK, NULL);
	assert_status(tell_mark(rig, "a"), STATUS_OK, NULL);
	assert_status(tell_mark(rig, big), STATUS_LIMIT, NULL);
	dir_watch_queue_close(&rig->queue);
}

static void tell_lost__without_dropping__comes_behind_the_rest(void **state)
{
	struct rig *rig = *state;

	assert_status(tell_mark(rig, "a"), STATUS_OK, NULL);
	tell_lost(rig, "lost", false);
	assert_status(tell_mark(rig, "up"), STATUS_OK, NULL);
	check_heard(rig, "a lost up");
}

static void tell_lost__again_before_the_first_was_heard__nothing_in_between(void **state)
{
	struct rig *rig = *state;

	assert_status(tell_mark(rig, "a"), STATUS_OK, NULL);
	tell_lost(rig, "lost1", false);
	assert_status(tell_mark(rig, "up"), STATUS_OK, NULL);
	tell_lost(rig, "lost2", false);
	assert_status(tell_mark(rig, "up2"), STATUS_OK, NULL);
	check_heard(rig, "a lost2 up2");
	assert_int_equal(rig->queue.waiting.bytes, 0);
}

static void tell_lost__while_one_is_heard__is_heard_too(void **state)
{
	struct rig *rig = *state;
	struct error error = {0};

	(void)error_set(&error, STATUS_TIMEOUT, "lost2");
	rig->lose_inside = &error;
	tell_lost(rig, "lost1", false);
	check_heard(rig, "lost1 lost2");
}

static void tell__many__others_on_the_executor_have_their_turn(void **state)
{
	struct rig *rig = *state;

	for (size_t i = 0; i < 700; i++)
		assert_status(tell_mark(rig, "a"), STATUS_OK, NULL);
	/* One task each, since they tell 256 at once; the last finds nothing more. */
	assert_int_equal(executor_manual_run(rig->executor), 3);
	assert_int_equal(strlen(rig->heard), 700 * 2 - 1);
}

static void close__with_events_waiting__nothing_is_heard(void **state)
{
	struct rig *rig = *state;

	assert_status(tell_mark(rig, "a"), STATUS_OK, NULL);
	tell_lost(rig, "lost", false);
	dir_watch_queue_close(&rig->queue);
	assert_status(tell_mark(rig, "b"), STATUS_OK, NULL);
	tell_lost(rig, "lost", true);
	check_heard(rig, "");
}

static void tell__no_memory__is_said_and_lost_needs_none(void **state)
{
	struct rig *rig = *state;

	memory_fail_from(1);
	assert_status(tell_mark(rig, "a"), STATUS_NO_MEMORY, NULL);
	tell_lost(rig, "lost", true);
	check_heard(rig, "lost");
	memory_fail_at(0);
}

static void tell_list__that_does_not_fit__is_freed(void **state)
{
	struct rig *rig = *state;
	struct dir_heard_list list = {NULL, NULL, 0, 0};
	const struct dir_watch_event event = {.kind = DIR_WATCH_MARK, .mark = "b"};

	rig->queue.max_count = 2;
	assert_status(tell_mark(rig, "a"), STATUS_OK, NULL);
	assert_status(dir_heard_list_add(&list, &rig->queue, &event), STATUS_OK, NULL);
	assert_status(dir_heard_list_add(&list, &rig->queue, &event), STATUS_OK, NULL);
	assert_status(dir_heard_list_add(&list, &rig->queue, &event), STATUS_LIMIT, NULL);
	assert_status(dir_watch_queue_tell_list(&rig->queue, &list), STATUS_LIMIT, NULL);
	assert_null(list.first);
	check_heard(rig, "a");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(tell__events__are_heard_later_in_order),
	    TEST(tell__up__says_what_the_watch_rests_on),
	    TEST(tell__a_change__is_copied_with_all_it_shows),
	    TEST(tell__without_marks__server_and_proof_are_copied),
	    TEST(tell__more_than_fits__limit_and_nothing_is_lost_silently),
	    TEST(tell__more_bytes_than_fit__limit),
	    TEST(tell_lost__without_dropping__comes_behind_the_rest),
	    TEST(tell_lost__again_before_the_first_was_heard__nothing_in_between),
	    TEST(tell_lost__while_one_is_heard__is_heard_too),
	    TEST(tell__many__others_on_the_executor_have_their_turn),
	    TEST(close__with_events_waiting__nothing_is_heard),
	    TEST(tell__no_memory__is_said_and_lost_needs_none),
	    TEST(tell_list__that_does_not_fit__is_freed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
