/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One started plug-in: what WinRM's pluginContext points to. A process has one for each application
 * that it hosts; they share nothing.
 *
 * Life of a call, as the counts see it:
 *
 *	plugin_enter       calls and starting go up; refused once Shutdown has begun
 *	plugin_started     starting goes down: the engine knows the call, or the call is settled
 *	plugin_leave       calls goes down, behind the completion: the plug-in is not touched any more
 *
 * A call that the cache answers (plugin_instant.h) only passes the gate, between plugin_pass and plugin_passed, and is not counted:
 * the counts and their lock are one place for all processors.
 *
 * Shutdown waits for the gate and for starting to be 0, closes the engine (which answers all that it was asked), ends
 * the completion thread, waits for calls to be 0, frees.
 */
#ifndef WSMAUTHZ_PLUGIN_PLUGIN_CONTEXT_H
#define WSMAUTHZ_PLUGIN_PLUGIN_CONTEXT_H

#include <base/log.h>
#include <os/executor.h>
#include <os/gate.h>
#include <os/thread.h>
#include <plugin/plugin.h>
#include <plugin/plugin_guard.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct plugin {
	struct wa_engine *engine;    /* owned */
	struct executor *completer;  /* owned; NULL: completion is synchronous */
	struct plugin_guard guard;   /* used when there is a completer */
	struct log log;              /* our own lines; leads to `sink` */
	struct wa_log sink;          /* where the lines go when `log` was given */
	plugin_observer_fn *observe; /* may be NULL */
	void *observe_context;

	struct gate gate;
	atomic_bool is_closing; /* written under the lock */

	struct mutex lock; /* guards: calls, starting, stoppers, is_closed */
	struct condition changed;
	size_t calls, starting, stoppers;
	bool is_closed;
};

/** Pass the gate. False when Shutdown has begun: nothing was passed. */
NODISCARD bool plugin_pass(struct plugin *plugin, unsigned *ticket_out);
void plugin_passed(struct plugin *plugin, unsigned ticket);

/** Count a call in. False when Shutdown has begun: nothing was counted. */
NODISCARD bool plugin_enter(struct plugin *plugin);
void plugin_started(struct plugin *plugin);
void plugin_leave(struct plugin *plugin);

/**
 * End the plug-in. Running calls get an answer each. A second caller, while the first is still here, waits with it.
 *
 * @return STATUS_OK; STATUS_INVALID on the plug-in's own completion thread, which cannot wait for itself (nothing happened).
 */
enum status plugin_stop(struct plugin *plugin);

#endif
