/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_watch_private.h>

#include <base/memory.h>
#include <string.h>

/* So many are told in a row, then others on the executor have their turn. */
#define TELL_AT_ONCE 256

/* Copying: once over everything to know the size, once more to fill the block. */

struct block {
	char *at; /* NULL: only count */
	size_t used;
};

static size_t padded(size_t size)
{
	const size_t unit = _Alignof(max_align_t);

	return (size + unit - 1) / unit * unit;
}

static void *put(struct block *block, const void *data, size_t size)
{
	void *place = block->at != NULL ? block->at + block->used : NULL;

	block->used += padded(size);
	if (place != NULL && size > 0)
		memcpy(place, data, size);
	return place;
}

static const char *put_bytes(struct block *block, const char *data, size_t length)
{
	char *place = put(block, data, length);

	/* Blocks are made of zeros: what follows is a NUL. */
	block->used += padded(length + 1) - padded(length);
	return place;
}

static const char *put_text(struct block *block, const char *text)
{
	return text == NULL ? NULL : put_bytes(block, text, strlen(text));
}

static void put_attribute(struct block *block, const struct dir_attribute *from, struct dir_attribute *to)
{
	struct dir_value *values = put(block, from->values, from->value_count * sizeof(*from->values));
	const char *name = put_text(block, from->name);

	if (to != NULL)
		*to = (struct dir_attribute){name, values, from->value_count};
	for (size_t i = 0; i < from->value_count; i++) {
		const char *data = put_bytes(block, from->values[i].data, from->values[i].length);

		if (values != NULL)
			values[i].data = data;
	}
}

static const struct dir_entry *put_entry(struct block *block, const struct dir_entry *from)
{
	struct dir_entry *entry = put(block, from, sizeof(*from));
	struct dir_attribute *attributes =
	    put(block, from->attributes, from->attribute_count * sizeof(*from->attributes));
	const char *dn = put_text(block, from->dn);
	const char *id = put_text(block, from->id);

	for (size_t i = 0; i < from->attribute_count; i++)
		put_attribute(block, &from->attributes[i], attributes != NULL ? &attributes[i] : NULL);
	if (entry != NULL)
		*entry = (struct dir_entry){
		    .dn = dn, .id = id, .attributes = attributes, .attribute_count = from->attribute_count};
	return entry;
}

static struct dir_heard *put_event(struct block *block, const struct dir_watch_event *event)
{
	const struct dir_heard empty = {.next = NULL};
	struct dir_heard *heard = put(block, &empty, sizeof(empty));
	const struct dir_watch_event copy = {
	    .kind = event->kind,
	    .change = event->change,
	    .entry = event->entry != NULL ? put_entry(block, event->entry) : NULL,
	    .id = put_text(block, event->id),
	    .mark = put_text(block, event->mark),
	    .server = put_text(block, event->server),
	    .proof = event->proof,
	    .error = event->error != NULL ? put(block, event->error, sizeof(*event->error)) : NULL,
	    .means = event->means,
	};

	if (heard != NULL)
		heard->event = copy;
	return heard;
}

/* Sizes cannot overflow: all of it lies in memory already. */
static struct dir_heard *heard_new(const struct dir_watch_event *event)
{
	struct block block = {NULL, 0};
	struct dir_heard *heard;

	(void)put_event(&block, event);
	block.at = memory_new(block.used);
	if (block.at == NULL)
		return NULL;
	block.used = 0;
	(void)put_event(&block, event);
	heard = (struct dir_heard *)(void *)block.at; /* it stands first */
	heard->bytes = block.used;
	return heard;
}

/* Lists */

static void append(struct dir_heard_list *list, struct dir_heard *heard)
{
	heard->next = NULL;
	if (list->last != NULL)
		list->last->next = heard;
	else
		list->first = heard;
	list->last = heard;
	list->count++;
	list->bytes += heard->bytes;
}

static struct dir_heard *pop(struct dir_heard_list *list)
{
	struct dir_heard *heard = list->first;

	if (heard == NULL)
		return NULL;
	list->first = heard->next;
	if (list->first == NULL)
		list->last = NULL;
	list->count--;
	list->bytes -= heard->bytes;
	return heard;
}

static void move(struct dir_heard_list *from, struct dir_heard_list *to)
{
	if (from->first == NULL)
		return;
	if (to->last != NULL)
		to->last->next = from->first;
	else
		to->first = from->first;
	to->last = from->last;
	to->count += from->count;
	to->bytes += from->bytes;
	*from = (struct dir_heard_list){NULL, NULL, 0, 0};
}

static void heard_free(struct dir_heard *heard)
{
	/* LOST is the queue's own. */
	if (heard->event.kind != DIR_WATCH_LOST)
		memory_free(heard);
}

void dir_heard_list_clear(struct dir_heard_list *list)
{
	struct dir_heard *heard;

	while ((heard = pop(list)) != NULL)
		heard_free(heard);
}

static bool has_room(const struct dir_watch_queue *queue, const struct dir_heard_list *list, size_t count, size_t bytes)
{
	return count <= queue->max_count && list->count <= queue->max_count - count && bytes <= queue->max_bytes &&
	       list->bytes <= queue->max_bytes - bytes;
}

enum status dir_heard_list_add(struct dir_heard_list *list, const struct dir_watch_queue *queue,
			       const struct dir_watch_event *event)
{
	struct dir_heard *heard = heard_new(event);

	if (heard == NULL)
		return STATUS_NO_MEMORY;
	if (!has_room(queue, list, 1, heard->bytes)) {
		heard_free(heard);
		return STATUS_LIMIT;
	}
	append(list, heard);
	return STATUS_OK;
}

/* Telling */

static struct dir_heard *next_locked(struct dir_watch_queue *queue, struct error *lost_error_out) REQUIRES(queue->lock);

static struct dir_heard *next_locked(struct dir_watch_queue *queue, struct error *lost_error_out)
{
	struct dir_heard *heard = pop(&queue->waiting);

	if (heard == NULL) {
		queue->is_posted = false;
	} else if (heard == &queue->lost) {
		/* Another one may come to wait while this one is told. */
		*lost_error_out = queue->lost_error;
		queue->lost_waits = false;
	}
	return heard;
}

/* @return false: nothing waits. */
static bool tell_next(struct dir_watch_queue *queue)
{
	struct error lost_error = {0};
	const struct dir_watch_event lost = {.kind = DIR_WATCH_LOST, .error = &lost_error};
	struct dir_heard *heard;

	mutex_lock(&queue->lock);
	heard = next_locked(queue, &lost_error);
	mutex_unlock(&queue->lock);
	if (heard == NULL)
		return false;
	if (heard == &queue->lost) {
		queue->heard(queue->context, &lost);
	} else {
		queue->heard(queue->context, &heard->event);
		heard_free(heard);
	}
	return true;
}

static void tell_some(void *context)
{
	struct dir_watch_queue *queue = context;

	for (size_t i = 0; i < TELL_AT_ONCE; i++)
		if (!tell_next(queue))
			return;
	mutex_lock(&queue->lock);
	queue->is_posted = queue->waiting.count > 0;
	/* Under the lock: once the queue is closed, nothing is posted any more. */
	if (queue->is_posted)
		executor_post(queue->executor, &queue->task);
	mutex_unlock(&queue->lock);
}

void dir_watch_queue_init(struct dir_watch_queue *queue, struct executor *executor, dir_watch_fn *heard, void *context,
			  size_t max_count, size_t max_bytes)
{
	*queue = (struct dir_watch_queue){
	    .executor = executor,
	    .heard = heard,
	    .context = context,
	    .max_count = max_count,
	    .max_bytes = max_bytes,
	    .task = {.run = tell_some, .context = queue},
	    .lost = {.event = {.kind = DIR_WATCH_LOST}},
	};
	mutex_init(&queue->lock);
}

static void drop_locked(struct dir_watch_queue *queue) REQUIRES(queue->lock);

static void drop_locked(struct dir_watch_queue *queue)
{
	dir_heard_list_clear(&queue->waiting);
	queue->lost_waits = false;
}

static void post_locked(struct dir_watch_queue *queue) REQUIRES(queue->lock);

static void post_locked(struct dir_watch_queue *queue)
{
	if (queue->is_posted)
		return;
	queue->is_posted = true;
	executor_post(queue->executor, &queue->task);
}

void dir_watch_queue_close(struct dir_watch_queue *queue)
{
	mutex_lock(&queue->lock);
	queue->is_closed = true;
	drop_locked(queue);
	mutex_unlock(&queue->lock);
}

void dir_watch_queue_done(struct dir_watch_queue *queue)
{
	dir_watch_queue_close(queue);
	mutex_done(&queue->lock);
}

enum status dir_watch_queue_tell_list(struct dir_watch_queue *queue, struct dir_heard_list *list)
{
	enum status status = STATUS_LIMIT;

	mutex_lock(&queue->lock);
	if (queue->is_closed) {
		status = STATUS_OK;
	} else if (has_room(queue, &queue->waiting, list->count, list->bytes)) {
		status = STATUS_OK;
		if (list->count > 0)
			post_locked(queue);
		move(list, &queue->waiting);
	}
	mutex_unlock(&queue->lock);
	dir_heard_list_clear(list);
	return status;
}

enum status dir_watch_queue_tell(struct dir_watch_queue *queue, const struct dir_watch_event *event)
{
	struct dir_heard_list list = {NULL, NULL, 0, 0};
	const enum status status = dir_heard_list_add(&list, queue, event);

	return status != STATUS_OK ? status : dir_watch_queue_tell_list(queue, &list);
}

/* What came after a LOST that was not heard yet is of no use to anybody: it will be LOST again. */
static void drop_behind_lost_locked(struct dir_watch_queue *queue) REQUIRES(queue->lock);

static void drop_behind_lost_locked(struct dir_watch_queue *queue)
{
	struct dir_heard_list kept = {NULL, NULL, 0, 0};
	struct dir_heard *heard;

	while ((heard = pop(&queue->waiting)) != NULL && heard != &queue->lost)
		append(&kept, heard);
	dir_heard_list_clear(&queue->waiting);
	move(&kept, &queue->waiting);
}

void dir_watch_queue_tell_lost(struct dir_watch_queue *queue, const struct error *error, bool drop)
{
	mutex_lock(&queue->lock);
	if (!queue->is_closed) {
		if (drop)
			drop_locked(queue);
		else if (queue->lost_waits)
			drop_behind_lost_locked(queue);
		queue->lost_error = *error;
		queue->lost_waits = true;
		append(&queue->waiting, &queue->lost);
		post_locked(queue);
	}
	mutex_unlock(&queue->lock);
}
