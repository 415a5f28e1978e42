/* SPDX-License-Identifier: Apache-2.0 */
#include <authorizer/audit_queue.h>

#include <base/memory.h>
#include <os/thread.h>
#include <string.h>

struct record {
	struct record *next;
	enum log_event event;
	size_t size; /* of all of it */
	const char *line, *fields;
	char strings[];
};

struct audit_queue {
	audit_write_fn *write;
	void *context;
	struct thread thread;

	struct mutex lock; /* guards all below */
	struct condition changed;
	struct record *first, *last;
	size_t waiting_bytes; /* what is being written included */
	bool is_busy;         /* something is being written */
	bool is_closing;
};

static void write_all(struct audit_queue *queue, struct record *record)
{
	struct record *next;

	for (; record != NULL; record = next) {
		const size_t size = record->size;

		next = record->next;
		queue->write(queue->context, record->event, record->line, record->fields);
		memory_free(record);
		mutex_lock(&queue->lock);
		queue->waiting_bytes -= size;
		mutex_unlock(&queue->lock);
	}
}

/* @return NULL when it is time to end; then nothing waits. */
static struct record *take(struct audit_queue *queue)
{
	struct record *record;

	mutex_lock(&queue->lock);
	queue->is_busy = false;
	condition_broadcast(&queue->changed);
	while (queue->first == NULL && !queue->is_closing)
		condition_wait(&queue->changed, &queue->lock);
	record = queue->first;
	queue->first = queue->last = NULL;
	queue->is_busy = record != NULL;
	mutex_unlock(&queue->lock);
	return record;
}

static void run(void *context)
{
	struct audit_queue *queue = context;
	struct record *record;

	while ((record = take(queue)) != NULL)
		write_all(queue, record);
}

enum status audit_queue_open(audit_write_fn *write, void *context, struct audit_queue **queue_out, struct error *error)
{
	struct audit_queue *queue = memory_new(sizeof(*queue));
	enum status status;

	if (queue == NULL)
		return error_no_memory(error);
	queue->write = write;
	queue->context = context;
	mutex_init(&queue->lock);
	condition_init(&queue->changed);
	status = thread_start(&queue->thread, "wa-audit", run, queue, error);
	if (status != STATUS_OK)
		audit_queue_close(&queue);
	else
		*queue_out = queue;
	return status;
}

static struct record *record_new(enum log_event event, const char *line, const char *fields)
{
	const size_t line_size = strlen(line) + 1, fields_size = strlen(fields) + 1;
	const size_t size = sizeof(struct record) + line_size + fields_size;
	struct record *record = memory_new(size);

	if (record == NULL)
		return NULL;
	record->event = event;
	record->size = size;
	record->line = record->strings;
	record->fields = record->strings + line_size;
	memcpy(record->strings, line, line_size);
	memcpy(record->strings + line_size, fields, fields_size);
	return record;
}

/* False: there is no room. */
static bool append(struct audit_queue *queue, struct record *record)
{
	bool has_room;

	mutex_lock(&queue->lock);
	has_room = record->size <= AUDIT_QUEUE_BYTES - queue->waiting_bytes;
	if (has_room) {
		queue->waiting_bytes += record->size;
		if (queue->last != NULL)
			queue->last->next = record;
		else
			queue->first = record;
		queue->last = record;
		condition_broadcast(&queue->changed);
	}
	mutex_unlock(&queue->lock);
	return has_room;
}

bool audit_queue_put(struct audit_queue *queue, enum log_event event, const char *line, const char *fields)
{
	struct record *record = record_new(event, line, fields);

	if (record == NULL)
		return false;
	if (append(queue, record))
		return true;
	memory_free(record);
	return false;
}

void audit_queue_drain(struct audit_queue *queue)
{
	mutex_lock(&queue->lock);
	while (queue->first != NULL || queue->is_busy)
		condition_wait(&queue->changed, &queue->lock);
	mutex_unlock(&queue->lock);
}

void audit_queue_close(struct audit_queue **reference)
{
	struct audit_queue *queue = *reference;

	*reference = NULL;
	if (queue == NULL)
		return;
	mutex_lock(&queue->lock);
	queue->is_closing = true;
	condition_broadcast(&queue->changed);
	mutex_unlock(&queue->lock);
	thread_join(&queue->thread);
	condition_done(&queue->changed);
	mutex_done(&queue->lock);
	memory_free(queue);
}
