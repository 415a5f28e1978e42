/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One call of the host's that is owed a completion, and gets exactly one.
 *
 *	WAITING ──claim──> SETTLING ──answer made, observer told──> ANSWERED
 *
 * Whoever claims the call decides what the host is told: the engine with its decision, the edge with a
 * refusal, or, when the time is over, the one who waits (synchronous) or the guard (asynchronous).
 * A decision that comes later finds the call claimed and is dropped.
 *
 * The record is counted: the entry point, the engine, the guard and the completion hold a reference each.
 */
#ifndef WSMAUTHZ_PLUGIN_PLUGIN_CALL_H
#define WSMAUTHZ_PLUGIN_PLUGIN_CALL_H

#include <base/compiler.h>
#include <plugin/plugin_context.h>

struct plugin_call;

/**
 * A record for a call that plugin_enter let in; it takes over the entry and will leave.
 *
 * @param sender_details  the host's key. Its content is read only for the token, here.
 * @return NULL when memory ran out: complete at once and leave.
 */
NODISCARD struct plugin_call *plugin_call_new(struct plugin *plugin, enum wa_kind kind,
					      WSMAN_SENDER_DETAILS *sender_details);

/** Settle the call here at the edge. Either this or plugin_call_ask, once. */
void plugin_call_refuse(struct plugin_call *call, const struct wa_decision *decision);

/** Settle the call by the engine. The question is copied. */
void plugin_call_ask(struct plugin_call *call, const struct wa_question *question);

/**
 * Give the record up. Synchronous: wait until it is settled, at most the policy's timeout and
 * PLUGIN_GRACE_MS, and complete on this thread. Asynchronous: return at once.
 */
void plugin_call_finish(struct plugin_call *call);

/** The guard's: the time of an asynchronous call is over. */
void plugin_call_expired(struct guard_entry *entry);

#endif
