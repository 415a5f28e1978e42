/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include <authorizer/audit_queue.h>
#include <base/memory.h>
#include <os/thread.h>
#include <stdio.h>
#include <string.h>
#include <support/memory_failing.h>

/* A disk that hangs until it is let go. */
struct disk {
	struct mutex lock;
	struct condition changed;
	bool is_open, is_reached;
	unsigned written, out_of_order;
};

static void disk_init(struct disk *disk, bool is_open)
{
	memset(disk, 0, sizeof(*disk));
	mutex_init(&disk->lock);
	condition_init(&disk->changed);
	disk->is_open = is_open;
}

static void disk_done(struct disk *disk)
{
	condition_done(&disk->changed);
	mutex_done(&disk->lock);
}

static void let_go(struct disk *disk)
{
	mutex_lock(&disk->lock);
	disk->is_open = true;
	condition_broadcast(&disk->changed);
	mutex_unlock(&disk->lock);
}

static void await_reached(struct disk *disk)
{
	mutex_lock(&disk->lock);
	while (!disk->is_reached)
		condition_wait(&disk->changed, &disk->lock);
	mutex_unlock(&disk->lock);
}

static void write_to_disk(void *context, enum log_event event, const char *line, const char *fields)
{
	struct disk *disk = context;
	char wanted[32];

	mutex_lock(&disk->lock);
	disk->is_reached = true;
	condition_broadcast(&disk->changed);
	while (!disk->is_open)
		condition_wait(&disk->changed, &disk->lock);
	(void)snprintf(wanted, sizeof(wanted), "%u", disk->written++);
	if (strcmp(line, wanted) != 0 || fields[0] != 'f' || event != LOG_EVENT_DENIED)
		disk->out_of_order++;
	mutex_unlock(&disk->lock);
}

static bool put_number(struct audit_queue *queue, unsigned number)
{
	char line[32];

	(void)snprintf(line, sizeof(line), "%u", number);
	return audit_queue_put(queue, LOG_EVENT_DENIED, line, "f");
}

static struct audit_queue *open_queue(struct disk *disk)
{
	struct audit_queue *queue = NULL;
	struct error error = {.status = STATUS_OK};

	assert_status(audit_queue_open(write_to_disk, disk, &queue, &error), STATUS_OK, &error);
	return queue;
}

static void audit_queue_close__records_wait__are_written_in_order(void **state)
{
	struct disk disk;
	struct audit_queue *queue;

	(void)state;
	disk_init(&disk, true);
	queue = open_queue(&disk);
	for (unsigned i = 0; i < 5000; i++)
		assert_true(put_number(queue, i));
	audit_queue_drain(queue);
	assert_int_equal(disk.written, 5000);
	assert_true(put_number(queue, 5000));
	audit_queue_close(&queue);
	assert_int_equal(disk.written, 5001);
	assert_int_equal(disk.out_of_order, 0);
	assert_null(queue);
	audit_queue_close(&queue);
	disk_done(&disk);
}

static void audit_queue_put__the_disk_hangs__does_not_wait_and_is_bounded(void **state)
{
	struct disk disk;
	struct audit_queue *queue;
	unsigned taken = 0;

	(void)state;
	disk_init(&disk, false);
	queue = open_queue(&disk);
	assert_true(put_number(queue, taken++));
	await_reached(&disk);
	while (put_number(queue, taken))
		taken++;
	assert_true(taken > 10000);
	assert_true((size_t)taken * 40 < AUDIT_QUEUE_BYTES * 2);
	assert_false(put_number(queue, taken));
	let_go(&disk);
	audit_queue_drain(queue);
	assert_int_equal(disk.written, taken);
	assert_true(put_number(queue, taken));
	audit_queue_close(&queue);
	assert_int_equal(disk.out_of_order, 0);
	disk_done(&disk);
}

static void audit_queue__no_memory__fails_and_leaks_nothing(void **state)
{
	const size_t live = memory_live_count();
	struct audit_queue *queue = NULL;
	struct disk disk;
	size_t n = 0;

	(void)state;
	disk_init(&disk, true);
	while (queue == NULL) {
		memory_fail_at(++n);
		if (audit_queue_open(write_to_disk, &disk, &queue, NULL) != STATUS_OK)
			assert_null(queue);
		memory_fail_at(0);
	}
	assert_true(n > 1);
	memory_fail_at(1);
	assert_false(put_number(queue, 0));
	memory_fail_at(0);
	audit_queue_close(&queue);
	assert_int_equal(memory_live_count(), live);
	disk_done(&disk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(audit_queue_close__records_wait__are_written_in_order),
	    cmocka_unit_test(audit_queue_put__the_disk_hangs__does_not_wait_and_is_bounded),
	    cmocka_unit_test(audit_queue__no_memory__fails_and_leaks_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
