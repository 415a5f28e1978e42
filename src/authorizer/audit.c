/* SPDX-License-Identifier: Apache-2.0 */
#include <authorizer/audit.h>
#include <base/json.h>
#include <base/memory.h>
#include <os/clock.h>
#include <os/file.h>
#include <os/log_sink.h>

struct audit {
	const struct log *log;
	struct file_lines *file; /* NULL: the system's security log */
	struct text line;
	struct audit_counts *counts;
	uint64_t lost; /* since a line was written */
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

enum status audit_open(const struct config *config, const struct log *log, struct audit_counts *counts,
		       struct audit **audit_out, struct error *error)
{
	struct audit *audit = memory_new(sizeof(*audit));
	enum status status = STATUS_OK;

	if (audit == NULL)
		return error_no_memory(error);
	audit->log = log;
	audit->counts = counts;
	text_init(&audit->line);
	if (config->audit.sink == CONFIG_AUDIT_FILE)
		status = blame(config, file_lines_open(config->audit.file, &audit->file, error), error);
	if (status != STATUS_OK) {
		audit_close(&audit);
		return status;
	}
	*audit_out = audit;
	return STATUS_OK;
}

void audit_close(struct audit **reference)
{
	struct audit *audit = *reference;

	*reference = NULL;
	if (audit == NULL)
		return;
	if (audit->lost > 0)
		log_error(audit->log, "%llu audit lines could not be written", (unsigned long long)audit->lost);
	file_lines_close(&audit->file);
	text_done(&audit->line);
	memory_free(audit);
}

static void format(struct text *line, const struct wa_question *question, const struct wa_decision *decision)
{
	char stamp[CLOCK_STAMP_BYTES];

	clock_wall_stamp(stamp);
	text_clear(line);
	json_begin(line);
	json_text(line, "time", stamp);
	json_bytes(line, "sender", question->sender, question->sender_length);
	json_text(line, "mechanism", question->mechanism);
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
	json_end(line);
}

static void count(_Atomic uint64_t *counter)
{
	atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

static void write_to_file(struct audit *audit)
{
	struct error error;

	if (file_lines_write(audit->file, text_string(&audit->line), &error) != STATUS_OK) {
		count(&audit->counts->lost);
		if (audit->lost++ == 0)
			log_failure(audit->log, LOG_LEVEL_ERROR, "audit lines are being lost", &error);
		return;
	}
	count(&audit->counts->lines);
	if (audit->lost > 0)
		log_error(audit->log, "%llu audit lines were lost; writing works again",
			  (unsigned long long)audit->lost);
	audit->lost = 0;
}

static void write_line(struct audit *audit, enum log_event event)
{
	if (audit->file != NULL && !text_failed(&audit->line)) {
		write_to_file(audit);
	} else if (text_failed(&audit->line) || !log_sink_audit(event, text_string(&audit->line))) {
		count(&audit->counts->lost);
		audit->lost++;
	} else {
		count(&audit->counts->lines);
	}
}

void audit_write_repeats(struct audit *audit, uint64_t count)
{
	char stamp[CLOCK_STAMP_BYTES];

	clock_wall_stamp(stamp);
	text_clear(&audit->line);
	json_begin(&audit->line);
	json_text(&audit->line, "time", stamp);
	json_text(&audit->line, "kind", "repeats");
	json_text(&audit->line, "verdict", wa_verdict_word(WA_AUTHORIZE));
	json_number(&audit->line, "count", count);
	json_end(&audit->line);
	write_line(audit, LOG_EVENT_AUTHORIZED_AGAIN);
}

void audit_write(struct audit *audit, const struct wa_question *question, const struct wa_decision *decision)
{
	format(&audit->line, question, decision);
	write_line(audit, event_of(decision->verdict));
}
