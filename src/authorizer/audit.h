/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The audit record: one line of JSON for every denial, redirect and error, and for every authorization that the directory was
 * asked for; those that the cache gave are counted, and the count is a line of its own once in a while. It goes to the system's security log or to a file.
 *
 *	{"time":"2026-11-24T06:00:00.123Z","sender":"CORP\\alice","mechanism":"Negotiate","url":null,"sid":null,"kind":"user",
 *	 "verdict":"deny","reason":"denied-group","code":5,"dn":"uid=alice,...","rule":"deny cn=Leavers,...",
 *	 "redirect_uri":null,"administrator":false,"searches":1,"cached":false,"elapsed_us":812,"detail":null}
 *
 * The fields are explained in conf/doc/audit.md. Nothing from outside can break the line: see base/json.h. What says the same again and again
 * is counted too (audit_repeats.h). Lines are written by a thread of their own (audit_queue.h); one that could not be written is
 * counted, and told to the log at once, and when writing works again.
 *
 * Life: audit_open, ..., audit_end (on the executor), audit_drain (elsewhere), audit_close.
 *
 * Threads: the engine's executor, unless a function says otherwise.
 */
#ifndef WSMAUTHZ_AUTHORIZER_AUDIT_H
#define WSMAUTHZ_AUTHORIZER_AUDIT_H

#include <base/compiler.h>
#include <base/error.h>
#include <base/log.h>
#include <config/config.h>
#include <os/executor.h>
#include <stdatomic.h>
#include <stdint.h>
#include <wsmauthz/engine.h>

struct audit;

/* Since the engine was opened; whoever writes adds to it, and anybody reads. */
struct audit_counts {
	_Atomic uint64_t lines, lost;
};

/**
 * @param executor, log, counts  borrowed until audit_close.
 * @return STATUS_OK; what file_lines_open says; STATUS_NO_MEMORY, STATUS_LIMIT (no thread).
 * Threads: any, before the engine is open; then the executor.
 */
NODISCARD enum status audit_open(const struct config *config, struct executor *executor, const struct log *log,
				 struct audit_counts *counts, struct audit **audit_out, struct error *error);

/** Write what is counted; nothing is set on the executor any more, unless more is written. NULL-safe. */
void audit_end(struct audit *audit);

/** Wait until everything is written that was given so far. NULL-safe. Threads: any. */
void audit_drain(struct audit *audit);

/**
 * Write what is counted, wait until all is written, free. NULL-safe; sets the pointer to NULL.
 * Threads: the executor, after audit_end and audit_drain, so that there is nothing to wait for; or any, once the executor is closed.
 */
void audit_close(struct audit **audit);

/** Whether audit_open would do, for a dry run, which leaves no trace. The same errors. */
NODISCARD enum status audit_check(const struct config *config, struct error *error);

void audit_write(struct audit *audit, const struct wa_question *question, const struct wa_decision *decision);

/** So many authorizations from the cache since the last such line: "kind":"repeats". */
void audit_write_repeats(struct audit *audit, uint64_t count);

#endif
