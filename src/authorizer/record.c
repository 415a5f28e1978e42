/* SPDX-License-Identifier: Apache-2.0 */
/* Audit records of answers that the engine was not asked for: written on the executor, as all others are. */
#include <authorizer/engine_private.h>
#include <authorizer/question.h>
#include <base/memory.h>

/* The question's strings (their sizes are bounded by the edge), and a line of detail. */
#define RECORD_MAX_BYTES ((size_t)1024 * 1024)

struct record {
	struct wa_engine *engine;
	struct arena *arena;
	const struct wa_question *question;
	struct wa_decision decision;
	struct task task;
};

static void record_free(struct record *record)
{
	arena_free(&record->arena);
	memory_free(record);
}

static void write_record(void *context)
{
	struct record *record = context;

	struct audit *audit = engine_regime(record->engine)->audit;

	if (audit != NULL)
		audit_write(audit, record->question, &record->decision);
	record_free(record);
}

static bool fill(struct record *record, const struct wa_question *question, const struct wa_decision *decision)
{
	record->arena = arena_new(RECORD_MAX_BYTES);
	if (record->arena == NULL)
		return false;
	record->question = question_copy(question, record->arena);
	record->decision.verdict = decision->verdict;
	record->decision.reason = decision->reason;
	record->decision.code = decision->code;
	if (decision->detail != NULL)
		record->decision.detail = arena_copy_text(record->arena, decision->detail);
	return record->question != NULL && (decision->detail == NULL || record->decision.detail != NULL);
}

void wa_engine_record(struct wa_engine *engine, const struct wa_question *question, const struct wa_decision *decision)
{
	struct record *record;

	engine_count_decision(engine, decision);
	if (engine->dry_run)
		return;
	record = memory_new(sizeof(*record));
	if (record == NULL || !fill(record, question, decision)) {
		log_error(&engine->log, "no memory for an audit record: %s, %s", wa_verdict_word(decision->verdict),
			  wa_reason_word(decision->reason));
		if (record != NULL)
			record_free(record);
		return;
	}
	record->engine = engine;
	record->task = (struct task){.run = write_record, .context = record};
	executor_post(engine->executor, &record->task);
}
