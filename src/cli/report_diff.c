/* SPDX-License-Identifier: Apache-2.0 */
#include <base/digest_map.h>
#include <base/json.h>
#include <base/memory.h>
#include <cli/report_csv_read.h>
#include <cli/report_diff.h>
#include <cli/shown.h>
#include <os/random.h>
#include <string.h>

/* What is collected before it is written. */
#define OUTPUT_BYTES   32768
#define SENDER_COLUMNS 24

enum column { COLUMN_SENDER = 0, COLUMN_DN, COLUMN_VERDICT, COLUMN_RULE, COLUMN_SITE, COLUMN_TARGET };

/* Somebody who was let in. */
struct before {
	struct digest state; /* of what may have become otherwise */
	uint64_t position;   /* of his row */
	bool is_seen;        /* he is let in now */
};

struct diff {
	struct csv_reader old, new;
	bool is_json;
	struct digest_key key;
	struct digest_map map; /* of names, to `people` */
	struct before *people; /* owned */
	size_t count, capacity;
	struct text output;
	enum status (*write)(void *context, struct text *lines, struct error *error);
	void *context;
	struct diff_counts counts;
};

static bool is_in(const struct csv_reader *reader)
{
	const char *verdict = reader->fields[COLUMN_VERDICT];

	return strcmp(verdict, "authorize") == 0 || strcmp(verdict, "redirect") == 0;
}

static const char *name_of(const struct csv_reader *reader)
{
	const char *sender = reader->fields[COLUMN_SENDER];

	return sender[0] != '\0' ? sender : reader->fields[COLUMN_DN];
}

static struct digest digest_name(const struct diff *diff, const struct csv_reader *reader)
{
	return digest_of(&diff->key, name_of(reader), strlen(name_of(reader)));
}

/* Verdict, rule, site and target, which follow one another, each with its NUL. */
static struct digest digest_state(const struct diff *diff, const struct csv_reader *reader)
{
	const char *first = reader->fields[COLUMN_VERDICT], *last = reader->fields[COLUMN_TARGET];

	return digest_of(&diff->key, first, (size_t)(last - first) + strlen(last));
}

/* Lines */

static enum status flush(struct diff *diff, struct error *error)
{
	enum status status;

	if (text_failed(&diff->output))
		return error_no_memory(error);
	status = diff->write(diff->context, &diff->output, error);
	text_clear(&diff->output);
	return status;
}

static void add_place(struct text *out, const struct csv_reader *reader)
{
	static const enum column columns[] = {COLUMN_SITE, COLUMN_TARGET, COLUMN_RULE};

	text_add(out, reader->fields[COLUMN_VERDICT]);
	for (size_t i = 0; i < COUNT_OF(columns); i++) {
		const char *field = reader->fields[columns[i]];

		if (field[0] == '\0')
			continue;
		text_add(out, i == 1 ? " at " : ", ");
		shown_add(out, field, strlen(field));
	}
}

static void add_object(struct text *out, const char *name, const struct csv_reader *reader)
{
	text_printf(out, ",\"%s\":", name);
	if (reader == NULL) {
		text_add(out, "null");
		return;
	}
	json_begin(out);
	json_text(out, "dn", reader->fields[COLUMN_DN]);
	json_text(out, "verdict", reader->fields[COLUMN_VERDICT]);
	json_text(out, "rule", reader->fields[COLUMN_RULE]);
	json_text(out, "site", reader->fields[COLUMN_SITE]);
	json_text(out, "target", reader->fields[COLUMN_TARGET]);
	json_end(out);
}

/* @param before, after  NULL: he was not, or is not, let in. `one` is one of them that is not. */
static enum status tell(struct diff *diff, const char *what, const struct csv_reader *one,
			const struct csv_reader *before, const struct csv_reader *after, struct error *error)
{
	struct text *out = &diff->output;

	if (diff->is_json) {
		json_begin(out);
		json_text(out, "type", what);
		json_text(out, "sender", name_of(one));
		add_object(out, "before", before);
		add_object(out, "after", after);
		json_end(out);
	} else {
		size_t used = shown_columns(name_of(one), strlen(name_of(one)));

		text_printf(out, "%-6s  ", what);
		shown_add(out, name_of(one), strlen(name_of(one)));
		text_printf(out, "%*s  ", used < SENDER_COLUMNS ? (int)(SENDER_COLUMNS - used) : 0, "");
		add_place(out, before != NULL ? before : one);
		if (before != NULL && after != NULL) {
			text_add(out, "  =>  ");
			add_place(out, after);
		}
	}
	text_add_char(out, '\n');
	return out->length < OUTPUT_BYTES ? STATUS_OK : flush(diff, error);
}

static enum status tell_counts(struct diff *diff, struct error *error)
{
	const struct diff_counts *counts = &diff->counts;
	struct text *out = &diff->output;

	if (diff->is_json) {
		json_begin(out);
		json_text(out, "type", "summary");
		json_number(out, "before", counts->before);
		json_number(out, "after", counts->after);
		json_number(out, "gained", counts->gained);
		json_number(out, "lost", counts->lost);
		json_number(out, "moved", counts->moved);
		json_end(out);
		text_add_char(out, '\n');
	} else {
		text_printf(out, "%llu let in before, %llu now: ", (unsigned long long)counts->before,
			    (unsigned long long)counts->after);
		text_printf(out, "%llu gained, %llu lost, %llu moved\n", (unsigned long long)counts->gained,
			    (unsigned long long)counts->lost, (unsigned long long)counts->moved);
	}
	return flush(diff, error);
}

/* The old file */

static enum status fail_twice(const struct csv_reader *reader, struct error *error)
{
	return error_set(error, STATUS_INVALID, "'%s' has more than one row of '%s' who is let in", reader->path,
			 name_of(reader));
}

static enum status remember(struct diff *diff, struct error *error)
{
	const struct digest name = digest_name(diff, &diff->old);

	if (digest_map_get(&diff->map, name) != DIGEST_MAP_NONE)
		return fail_twice(&diff->old, error);
	if (diff->count == DIFF_MAX_ROWS)
		return error_set(error, STATUS_LIMIT, "'%s' has more than %u rows", diff->old.path, DIFF_MAX_ROWS);
	if (!ARRAY_RESERVE(&diff->people, &diff->capacity, diff->count + 1) ||
	    !digest_map_put(&diff->map, name, (uint32_t)diff->count))
		return error_no_memory(error);
	diff->people[diff->count++] =
	    (struct before){.state = digest_state(diff, &diff->old), .position = diff->old.began};
	return STATUS_OK;
}

static enum status read_old(struct diff *diff, struct error *error)
{
	enum status status = STATUS_OK;
	bool is_there = true;

	while (status == STATUS_OK && is_there) {
		status = csv_reader_next(&diff->old, &is_there, error);
		if (status == STATUS_OK && is_there && is_in(&diff->old))
			status = remember(diff, error);
	}
	diff->counts.before = diff->count;
	return status;
}

/* The new one */

static enum status compare(struct diff *diff, struct before *before, struct error *error)
{
	const struct digest state = digest_state(diff, &diff->new);
	enum status status;

	if (before->is_seen)
		return fail_twice(&diff->new, error);
	before->is_seen = true;
	if (digest_compare(&state, &before->state) == 0)
		return STATUS_OK;
	diff->counts.moved++;
	status = csv_reader_at(&diff->old, before->position, error);
	return status == STATUS_OK ? tell(diff, "moved", &diff->new, &diff->old, &diff->new, error) : status;
}

static enum status take_new(struct diff *diff, struct error *error)
{
	const struct digest name = digest_name(diff, &diff->new);
	const uint32_t number = digest_map_get(&diff->map, name);

	diff->counts.after++;
	if (number < diff->count)
		return compare(diff, &diff->people[number], error);
	/* So that a second row of his is found out. */
	if (number != DIGEST_MAP_NONE)
		return fail_twice(&diff->new, error);
	if (!digest_map_put(&diff->map, name, DIGEST_MAP_NONE - 1))
		return error_no_memory(error);
	diff->counts.gained++;
	return tell(diff, "gained", &diff->new, NULL, &diff->new, error);
}

static enum status read_new(struct diff *diff, struct error *error)
{
	enum status status = STATUS_OK;
	bool is_there = true;

	while (status == STATUS_OK && is_there) {
		status = csv_reader_next(&diff->new, &is_there, error);
		if (status == STATUS_OK && is_there && is_in(&diff->new))
			status = take_new(diff, error);
	}
	return status;
}

static enum status tell_lost(struct diff *diff, struct error *error)
{
	enum status status = STATUS_OK;

	for (size_t i = 0; i < diff->count && status == STATUS_OK; i++) {
		if (diff->people[i].is_seen)
			continue;
		diff->counts.lost++;
		status = csv_reader_at(&diff->old, diff->people[i].position, error);
		if (status == STATUS_OK)
			status = tell(diff, "lost", &diff->old, &diff->old, NULL, error);
	}
	return status;
}

static enum status compare_all(struct diff *diff, struct error *error)
{
	enum status status = random_fill(&diff->key, sizeof(diff->key), error);

	if (status == STATUS_OK)
		status = read_old(diff, error);
	if (status == STATUS_OK)
		status = read_new(diff, error);
	if (status == STATUS_OK)
		status = tell_lost(diff, error);
	return status == STATUS_OK ? tell_counts(diff, error) : status;
}

enum status report_diff(const char *before, const char *after, bool is_json,
			enum status (*write)(void *context, struct text *lines, struct error *error), void *context,
			struct diff_counts *counts_out, struct error *error)
{
	struct diff diff = {.is_json = is_json, .write = write, .context = context};
	enum status status = csv_reader_open(&diff.old, before, error);

	if (status != STATUS_OK)
		return status;
	text_init(&diff.output);
	digest_map_init(&diff.map);
	status = csv_reader_open(&diff.new, after, error);
	if (status == STATUS_OK) {
		status = compare_all(&diff, error);
		csv_reader_close(&diff.new);
	}
	csv_reader_close(&diff.old);
	digest_map_done(&diff.map);
	memory_free(diff.people);
	text_done(&diff.output);
	if (status == STATUS_OK)
		*counts_out = diff.counts;
	return status;
}
