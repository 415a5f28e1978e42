/* SPDX-License-Identifier: Apache-2.0 */
#include <base/memory.h>
#include <cli/host_records.h>
#include <string.h>

struct host_record {
	struct host_record *next;
	char *name, *mechanism; /* owned */
	PVOID context;
	uint64_t authorized_ms, used_ms;
	struct host_record_facts facts; /* but for is_old */
};

void host_records_init(struct host_records *records, uint64_t idle_ms, uint64_t refresh_ms)
{
	memset(records, 0, sizeof(*records));
	mutex_init(&records->lock);
	records->idle_ms = idle_ms;
	records->refresh_ms = refresh_ms;
}

void host_records_done(struct host_records *records)
{
	mutex_done(&records->lock);
}

/* FNV-1a. Who fills one bucket on purpose slows nobody but a program that is tried. */
static size_t bucket_of(const struct host_sender *sender)
{
	uint64_t hash = 14695981039346656037u;

	for (const char *at = sender->name; *at != '\0'; at++)
		hash = (hash ^ (unsigned char)*at) * 1099511628211u;
	return (size_t)(hash % HOST_RECORDS_BUCKETS);
}

/* Where the user's record is linked, or would be. */
static struct host_record **find(struct host_records *records, const struct host_sender *sender) REQUIRES(records->lock)
{
	struct host_record **link = &records->buckets[bucket_of(sender)];

	while (*link != NULL &&
	       (strcmp((*link)->name, sender->name) != 0 || strcmp((*link)->mechanism, sender->mechanism) != 0))
		link = &(*link)->next;
	return link;
}

static bool is_expired(const struct host_records *records, const struct host_record *record, uint64_t now_ms)
{
	return now_ms >= record->used_ms && now_ms - record->used_ms >= records->idle_ms;
}

bool host_records_use(struct host_records *records, const struct host_sender *sender, uint64_t now_ms,
		      struct host_record_facts *facts_out)
{
	struct host_record *record;
	bool is_alive;

	mutex_lock(&records->lock);
	record = *find(records, sender);
	is_alive = record != NULL && !is_expired(records, record, now_ms);
	if (is_alive) {
		record->used_ms = now_ms;
		*facts_out = record->facts;
		facts_out->is_old =
		    now_ms >= record->authorized_ms && now_ms - record->authorized_ms >= records->refresh_ms;
	}
	mutex_unlock(&records->lock);
	return is_alive;
}

static void free_record(struct host_record *record)
{
	if (record == NULL)
		return;
	memory_free(record->name);
	memory_free(record->mechanism);
	memory_free(record);
}

/* NULL: there is no memory. */
static struct host_record *new_record(const struct host_sender *sender)
{
	struct host_record *record = memory_new(sizeof(*record));

	if (record != NULL) {
		record->name = memory_copy_text(sender->name);
		record->mechanism = memory_copy_text(sender->mechanism);
	}
	if (record == NULL || record->name == NULL || record->mechanism == NULL) {
		free_record(record);
		return NULL;
	}
	return record;
}

/* The new record goes in; what was there for the user comes out. */
static enum status put(struct host_records *records, const struct host_sender *sender, struct host_record *record,
		       struct host_record **old_out, struct error *error) REQUIRES(records->lock)
{
	struct host_record **link = find(records, sender);
	struct host_record *old = *link;

	if (old == NULL && records->count == HOST_RECORDS_MAX)
		return error_set(error, STATUS_LIMIT, "more than %d users have records", HOST_RECORDS_MAX);
	if (old == NULL)
		records->count++;
	record->next = old != NULL ? old->next : NULL;
	*link = record;
	*old_out = old;
	return STATUS_OK;
}

enum status host_records_keep(struct host_records *records, const struct host_sender *sender,
			      const struct host_answer *answer, uint64_t now_ms, PVOID *old_out, struct error *error)
{
	struct host_record *record = new_record(sender), *old = NULL;
	enum status status;

	if (record == NULL)
		return error_no_memory(error);
	record->context = answer->user_context;
	record->authorized_ms = record->used_ms = now_ms;
	record->facts.administrator = answer->administrator;
	mutex_lock(&records->lock);
	status = put(records, sender, record, &old, error);
	mutex_unlock(&records->lock);
	if (status != STATUS_OK) {
		free_record(record);
		return status;
	}
	*old_out = old != NULL ? old->context : NULL;
	free_record(old);
	return STATUS_OK;
}

void host_records_keep_quota(struct host_records *records, const struct host_sender *sender,
			     const WSMAN_AUTHZ_QUOTA *quota)
{
	struct host_record *record;

	mutex_lock(&records->lock);
	record = *find(records, sender);
	if (record != NULL) {
		record->facts.has_quota = true;
		record->facts.quota = *quota;
	}
	mutex_unlock(&records->lock);
}

static struct host_record *unlink_record(struct host_records *records, struct host_record **link)
    REQUIRES(records->lock)
{
	struct host_record *record = *link;

	if (record != NULL) {
		*link = record->next;
		records->count--;
	}
	return record;
}

bool host_records_drop(struct host_records *records, const struct host_sender *sender, PVOID *context_out)
{
	struct host_record *record;

	mutex_lock(&records->lock);
	record = unlink_record(records, find(records, sender));
	mutex_unlock(&records->lock);
	if (record == NULL)
		return false;
	*context_out = record->context;
	free_record(record);
	return true;
}

/* The first of which it is true that its time is over, or any. */
static struct host_record *take(struct host_records *records, bool is_any, uint64_t now_ms) REQUIRES(records->lock)
{
	for (size_t i = 0; records->count > 0 && i < HOST_RECORDS_BUCKETS; i++)
		for (struct host_record **link = &records->buckets[i]; *link != NULL; link = &(*link)->next)
			if (is_any || is_expired(records, *link, now_ms))
				return unlink_record(records, link);
	return NULL;
}

static bool take_out(struct host_records *records, bool is_any, uint64_t now_ms, char **name_out, PVOID *context_out)
{
	struct host_record *record;

	mutex_lock(&records->lock);
	record = take(records, is_any, now_ms);
	mutex_unlock(&records->lock);
	if (record == NULL)
		return false;
	*name_out = record->name;
	record->name = NULL;
	*context_out = record->context;
	free_record(record);
	return true;
}

bool host_records_take_expired(struct host_records *records, uint64_t now_ms, char **name_out, PVOID *context_out)
{
	return take_out(records, false, now_ms, name_out, context_out);
}

bool host_records_take_any(struct host_records *records, char **name_out, PVOID *context_out)
{
	return take_out(records, true, 0, name_out, context_out);
}
