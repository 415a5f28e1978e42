/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One started plug-in: what WinRM's pluginContext points to. A process has one for each application
 * that it hosts; they share nothing.
 *
 * Every call comes in through the gate, which nobody waits at. What the cache answers (plugin_instant.h) is answered inside it and goes
 * away again; it is not counted, for the counts and their lock are one place for all processors. Any other call is
 * counted before it leaves the gate:
 *
 *	plugin_enter       calls goes up, and starting unless Shutdown has begun: then the call is refused
 *	plugin_started     starting goes down: the engine knows the call, or the call is settled
 *	plugin_leave       calls goes down, behind the completion: the plug-in is not touched any more
 *
 * So a call is at each moment inside the gate or counted. Shutdown says that it has begun, waits until the gate was empty (whoever did
 * not see it has been answered, or is counted) and for starting to be 0, closes the engine (which answers all that it was asked), ends
 * the completion thread, waits for the gate and for calls to be 0 (those that it refused), frees.
 */
#ifndef WSMAUTHZ_PLUGIN_PLUGIN_CONTEXT_H
#define WSMAUTHZ_PLUGIN_PLUGIN_CONTEXT_H

#include <base/log.h>
#include <base/sid.h>
#include <os/executor.h>
#include <os/gate.h>
#include <os/thread.h>
#include <plugin/plugin.h>
#include <plugin/plugin_guard.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct plugin {
	/* What every call reads, and nobody writes while calls come; the gate keeps it apart from the rest. */
	struct wa_engine *engine;    /* owned */
	struct executor *completer;  /* owned; NULL: completion is synchronous */
	plugin_observer_fn *observe; /* may be NULL */
	void *observe_context;
	bool reads_tokens;      /* the senders' tokens are some */
	atomic_bool is_closing; /* written under the lock */
	struct gate gate;

	struct plugin_guard guard; /* used when there is a completer */
	struct log log;            /* our own lines; leads to `sink` */
	struct wa_log sink;        /* where the lines go when `log` was given */
	struct mutex lock;         /* guards: calls, starting, stoppers, is_closed */
	struct condition changed;
	size_t calls, starting, stoppers;
	bool is_closed;
};

/**
 * Whose token a sender came with, where it may matter.
 *
 * @param sid_out  "" where it does not matter, or there is no token.
 * @return false: the token cannot be read.
 */
NODISCARD bool plugin_sender_sid(const struct plugin *plugin, HANDLE token, char sid_out[SID_TEXT_BYTES]);

/**
 * Count a call in, inside the gate; the caller leaves the gate then.
 *
 * @return true: plugin_started and plugin_leave are owed, in this order; false: Shutdown has begun, and plugin_leave alone is owed,
 *         behind the completion.
 */
NODISCARD bool plugin_enter(struct plugin *plugin);
void plugin_started(struct plugin *plugin);
void plugin_leave(struct plugin *plugin);

/**
 * End the plug-in. Running calls get an answer each; those that come while this runs are refused. It returns when all have left, so it
 * must not be called from inside a completion. A second caller, while the first is still here, waits with it.
 *
 * @return STATUS_OK; STATUS_INVALID on the plug-in's own completion thread, which cannot wait for itself (nothing happened).
 */
enum status plugin_stop(struct plugin *plugin);

#endif
