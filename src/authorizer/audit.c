/* SPDX-License-Identifier: Apache-2.0 */
#include <authorizer/audit.h>
#include <authorizer/audit_queue.h>
#include <authorizer/audit_repeats.h>
#include <base/json.h>
#include <base/memory.h>
#include <base/utf.h>
#include <os/clock.h>
#include <os/file.h>
#include <os/log_sink.h>
#include <string.h>

struct audit {
	struct executor *executor;
	const struct log *log;
	struct audit_counts *counts;
	struct file_lines *file; /* NULL: the system's security log; the queue's thread writes to it */
	struct audit_queue *queue;
	struct audit_repeats *repeats;
	struct timer counted; /* to write what is counted */
	struct text line, fields;
	_Atomic uint64_t lost; /* since a line was written */
};

static const char *kind_word(enum wa_kind kind)
{
	switch (kind) {
	case WA_KIND_USER:
		return "user";
	case WA_KIND_OPERATION:
		return "operation";
	case WA_KIND_QUOTA:
		return "quota";
	}
	return "user";
}

static enum log_event event_of(enum wa_verdict verdict)
{
	switch (verdict) {
	case WA_AUTHORIZE:
		return LOG_EVENT_AUTHORIZED;
	case WA_REDIRECT:
		return LOG_EVENT_REDIRECTED;
	case WA_DENY:
		return LOG_EVENT_DENIED;
	case WA_ERROR:
		return LOG_EVENT_UNKNOWN;
	}
	return LOG_EVENT_UNKNOWN;
}

/* Where it is said, and what to do. */
static enum status blame(const struct config *config, enum status status, struct error *error)
{
	if (status == STATUS_OK)
		return STATUS_OK;
	error_prefix(error, "%s: audit/@file", config->path);
	return error_hint(error, status, "make the folder, and let the service's user write there");
}

enum status audit_check(const struct config *config, struct error *error)
{
	if (config->audit.sink != CONFIG_AUDIT_FILE)
		return STATUS_OK;
	return blame(config, file_lines_check(config->audit.file, error), error);
}

/* Writing, on the queue's thread */

static void count(_Atomic uint64_t *counter)
{
	atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

/* The first one is told at once. */
static void lose(struct audit *audit, const struct error *error)
{
	count(&audit->counts->lost);
	if (atomic_fetch_add_explicit(&audit->lost, 1, memory_order_relaxed) == 0)
		log_failure(audit->log, LOG_LEVEL_ERROR, "audit lines are being lost", error);
}

static enum status write_somewhere(const struct audit *audit, enum log_event event, const char *line,
				   const char *fields, struct error *error)
{
	if (audit->file != NULL)
		return file_lines_write(audit->file, line, error);
	if (log_sink_audit(event, line, fields))
		return STATUS_OK;
	return error_set(error, STATUS_UNREACHABLE, "the system's log does not take them");
}

static void write_record(void *context, enum log_event event, const char *line, const char *fields)
{
	struct audit *audit = context;
	struct error error = {.status = STATUS_OK};
	uint64_t lost;

	if (write_somewhere(audit, event, line, fields, &error) != STATUS_OK) {
		lose(audit, &error);
		return;
	}
	count(&audit->counts->lines);
	lost = atomic_exchange_explicit(&audit->lost, 0, memory_order_relaxed);
	if (lost > 0)
		log_error(audit->log, "%llu audit lines were lost; writing works again", (unsigned long long)lost);
}

/* Making records, on the executor */

/* "NAME=value" for the journal, on one line whatever the value is. */
static void add_field(struct text *fields, const char *name, const char *value, size_t length)
{
	const char *at = value, *end;
	char bytes[4];

	if (value == NULL)
		return;
	end = value + length;
	text_printf(fields, "WSMAUTHZ_%s=", name);
	while (at < end) {
		uint32_t code_point = utf8_next(&at, end);

		if (code_point == UTF_INVALID)
			code_point = 0xFFFD;
		else if (utf_is_control(code_point))
			code_point = '?';
		text_add_bytes(fields, bytes, utf8_put(code_point, bytes));
	}
	text_add_char(fields, '\n');
}

static void add_word(struct text *fields, const char *name, const char *value)
{
	add_field(fields, name, value, value == NULL ? 0 : strlen(value));
}

static void begin(struct audit *audit)
{
	char stamp[CLOCK_STAMP_BYTES];

	clock_wall_stamp(stamp);
	text_clear(&audit->line);
	text_clear(&audit->fields);
	json_begin(&audit->line);
	json_text(&audit->line, "time", stamp);
}

static void put(struct audit *audit, enum log_event event)
{
	struct error error = {.status = STATUS_OK};

	json_end(&audit->line);
	if (text_failed(&audit->line) || text_failed(&audit->fields)) {
		(void)error_no_memory(&error);
		lose(audit, &error);
	} else if (!audit_queue_put(audit->queue, event, text_string(&audit->line), text_string(&audit->fields))) {
		(void)error_set(&error, STATUS_LIMIT,
				"no memory, or too many wait to be written already: is the disk there?");
		lose(audit, &error);
	}
}

static void format(struct text *line, const struct wa_question *question, const struct wa_decision *decision)
{
	json_bytes(line, "sender", question->sender, question->sender_length);
	json_text(line, "mechanism", question->mechanism);
	json_text(line, "url", question->http_url);
	json_text(line, "sid", question->token_sid);
	json_text(line, "kind", kind_word(question->kind));
	json_text(line, "verdict", wa_verdict_word(decision->verdict));
	json_text(line, "reason", wa_reason_word(decision->reason));
	json_number(line, "code", decision->code);
	json_text(line, "dn", decision->dn);
	json_text(line, "rule", decision->rule);
	json_text(line, "redirect_uri", decision->redirect_uri);
	json_bool(line, "administrator", decision->administrator);
	json_number(line, "searches", decision->searches);
	json_bool(line, "cached", decision->cached);
	json_number(line, "elapsed_us", decision->elapsed_us);
	json_text(line, "detail", decision->detail);
}

static void format_fields(struct text *fields, const struct wa_question *question, const struct wa_decision *decision)
{
	add_field(fields, "SENDER", question->sender, question->sender_length);
	add_word(fields, "KIND", kind_word(question->kind));
	add_word(fields, "VERDICT", wa_verdict_word(decision->verdict));
	add_word(fields, "REASON", wa_reason_word(decision->reason));
	add_word(fields, "DN", decision->dn);
	add_word(fields, "RULE", decision->rule);
	add_word(fields, "REDIRECT_URI", decision->redirect_uri);
}

/* What was the same as what had been written before. */
static void write_count(struct audit *audit, const struct audit_repeat *repeat)
{
	const uint64_t now_ms = clock_monotonic_ms();

	begin(audit);
	json_text(&audit->line, "kind", "repeats");
	json_text(&audit->line, "sender", repeat->sender);
	json_text(&audit->line, "of", kind_word(repeat->kind));
	json_text(&audit->line, "verdict", wa_verdict_word(repeat->verdict));
	json_text(&audit->line, "reason", wa_reason_word(repeat->reason));
	json_number(&audit->line, "count", repeat->count);
	json_number(&audit->line, "seconds", now_ms > repeat->since_ms ? (now_ms - repeat->since_ms) / 1000 : 0);
	if (audit->file == NULL) {
		add_word(&audit->fields, "SENDER", repeat->sender);
		add_word(&audit->fields, "KIND", "repeats");
		add_word(&audit->fields, "VERDICT", wa_verdict_word(repeat->verdict));
		add_word(&audit->fields, "REASON", wa_reason_word(repeat->reason));
	}
	put(audit, event_of(repeat->verdict));
}

static void write_counts(struct audit *audit)
{
	const struct audit_repeat *repeat;

	while ((repeat = audit_repeats_next(audit->repeats)) != NULL)
		write_count(audit, repeat);
}

static void counts_are_due(void *context)
{
	write_counts(context);
}

void audit_write(struct audit *audit, const struct wa_question *question, const struct wa_decision *decision)
{
	const uint64_t now_ms = clock_monotonic_ms();
	const bool was_counting = audit_repeats_has_counts(audit->repeats);
	const struct audit_repeat *told = NULL;

	if (audit_repeats_take(audit->repeats, question, decision, now_ms, &told)) {
		if (told != NULL)
			write_count(audit, told);
		begin(audit);
		format(&audit->line, question, decision);
		if (audit->file == NULL)
			format_fields(&audit->fields, question, decision);
		put(audit, event_of(decision->verdict));
	} else if (!was_counting &&
		   executor_timer_set(audit->executor, &audit->counted, now_ms + AUDIT_REPEATS_MS) != STATUS_OK) {
		write_counts(audit); /* of one */
	}
}

void audit_write_repeats(struct audit *audit, uint64_t count_of_them)
{
	begin(audit);
	json_text(&audit->line, "kind", "repeats");
	json_text(&audit->line, "verdict", wa_verdict_word(WA_AUTHORIZE));
	json_number(&audit->line, "count", count_of_them);
	if (audit->file == NULL) {
		add_word(&audit->fields, "KIND", "repeats");
		add_word(&audit->fields, "VERDICT", wa_verdict_word(WA_AUTHORIZE));
	}
	put(audit, LOG_EVENT_AUTHORIZED_AGAIN);
}

/* Life */

static enum status open_parts(const struct config *config, struct audit *audit, struct error *error)
{
	enum status status = STATUS_OK;

	audit->repeats = audit_repeats_new();
	if (audit->repeats == NULL)
		return error_no_memory(error);
	if (config->audit.sink == CONFIG_AUDIT_FILE)
		status = blame(config, file_lines_open(config->audit.file, &audit->file, error), error);
	if (status == STATUS_OK)
		status = audit_queue_open(write_record, audit, &audit->queue, error);
	return status;
}

enum status audit_open(const struct config *config, struct executor *executor, const struct log *log,
		       struct audit_counts *counts, struct audit **audit_out, struct error *error)
{
	struct audit *audit = memory_new(sizeof(*audit));
	enum status status;

	if (audit == NULL)
		return error_no_memory(error);
	audit->executor = executor;
	audit->log = log;
	audit->counts = counts;
	audit->counted = (struct timer){.run = counts_are_due, .context = audit};
	text_init(&audit->line);
	text_init(&audit->fields);
	status = open_parts(config, audit, error);
	if (status != STATUS_OK)
		audit_close(&audit);
	else
		*audit_out = audit;
	return status;
}

void audit_end(struct audit *audit)
{
	if (audit == NULL)
		return;
	executor_timer_clear(audit->executor, &audit->counted);
	write_counts(audit);
}

void audit_drain(struct audit *audit)
{
	if (audit != NULL)
		audit_queue_drain(audit->queue);
}

void audit_close(struct audit **reference)
{
	struct audit *audit = *reference;
	uint64_t lost;

	*reference = NULL;
	if (audit == NULL)
		return;
	if (audit->queue != NULL)
		write_counts(audit);
	audit_queue_close(&audit->queue);
	lost = atomic_load_explicit(&audit->lost, memory_order_relaxed);
	if (lost > 0)
		log_error(audit->log, "%llu audit lines could not be written", (unsigned long long)lost);
	file_lines_close(&audit->file);
	audit_repeats_free(&audit->repeats);
	text_done(&audit->line);
	text_done(&audit->fields);
	memory_free(audit);
}
