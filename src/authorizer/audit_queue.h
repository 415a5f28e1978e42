/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Audit records on their way to the disk or the system's log, by a thread of their own: whoever puts one in never waits, so that a disk
 * that is full, slow or hung costs records and not decisions. What waits is bounded.
 */
#ifndef WSMAUTHZ_AUTHORIZER_AUDIT_QUEUE_H
#define WSMAUTHZ_AUTHORIZER_AUDIT_QUEUE_H

#include <base/compiler.h>
#include <base/error.h>
#include <base/log_event.h>
#include <stdbool.h>

/* Some ten thousand records: what a busy host decides in the seconds that a disk may be away. */
#define AUDIT_QUEUE_BYTES ((size_t)4 << 20)

struct audit_queue;

/* A record, as it was put in. Runs on the queue's thread. */
typedef void audit_write_fn(void *context, enum log_event event, const char *line, const char *fields);

/** @return STATUS_OK, STATUS_NO_MEMORY, STATUS_LIMIT (no thread). */
NODISCARD enum status audit_queue_open(audit_write_fn *write, void *context, struct audit_queue **queue_out,
				       struct error *error);

/** Both strings are copied. @return false: there is no room, or no memory. Threads: one at a time. */
NODISCARD bool audit_queue_put(struct audit_queue *queue, enum log_event event, const char *line, const char *fields);

/** Wait until all that was put in before is written. Threads: any other than the queue's. */
void audit_queue_drain(struct audit_queue *queue);

/** audit_queue_drain, then end the thread, free. NULL-safe; sets the pointer to NULL. */
void audit_queue_close(struct audit_queue **queue);

#endif
