/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plug-in from the inside: what the CLI and the tests need beyond the six exported functions.
 *
 * A host calls WSManPluginStartup, which is told nothing but strings and may return nothing but a
 * number. The CLI starts the same plug-in here, so that it gets the words of an error, chooses
 * where log lines go, and sees each decision with its path and rule beside the number that the
 * completion carries:
 *
 *	plugin_start(path, &options, &context, &error)
 *	WSManPluginAuthzUser(context, details, 0)
 *	    ... options.observe(context, details, decision), then WSManPluginAuthzUserComplete(details, ...)
 *	WSManPluginShutdown(context, 0, 0)
 */
#ifndef WSMAUTHZ_PLUGIN_PLUGIN_H
#define WSMAUTHZ_PLUGIN_PLUGIN_H

#include <base/error.h>
#include <plugin_default.h>
#include <stdbool.h>
#include <wsmauthz/engine.h>
#include <wsmauthz/wsman.h>

/*
 * What is read of the host's strings at most, in UTF-16 units. What is longer is refused without
 * reading on: no honest sender comes near.
 */
#define PLUGIN_MAX_NAME_UNITS        2048  /* a UPN has 1024 at most; a certificate's subject may be longer */
#define PLUGIN_MAX_MECHANISM_UNITS   256   /* "Negotiate", "ClientCertificate", ... */
#define PLUGIN_MAX_URL_UNITS         16384 /* HTTP.sys takes 16 KB of request line and headers by default */
#define PLUGIN_MAX_CERTIFICATE_UNITS 4096  /* one distinguished name */
#define PLUGIN_MAX_EXTRA_UNITS       65536 /* the host's own configuration fragment */

/*
 * How long after the policy's timeout the plug-in still waits for the engine's answer. The engine answers at
 * the timeout and a moment; when it does not, the sender is told an error rather than left to hang: not later than 250 ms after
 * the timeout, of which a busy machine may want some to wake us.
 */
#define PLUGIN_GRACE_MS 200

/**
 * Called before each completion that the plug-in makes for a valid context, once: the decision is
 * what the host is about to be told. Its strings live until this returns. Must not block or call
 * the plug-in. Runs on the engine's thread, the completion thread, or inside the entry point.
 */
typedef void plugin_observer_fn(void *context, WSMAN_SENDER_DETAILS *sender_details,
				const struct wa_decision *decision);

struct plugin_options {
	const struct wa_log *log;     /* copied; NULL: the system's log, warnings and above */
	bool dry_run;                 /* leave no audit record; the senders are names, and their tokens none */
	bool asynchronous;            /* complete asynchronously, whatever the policy says */
	plugin_observer_fn *observer; /* NULL: none */
	void *observer_context;
};

/**
 * Start the plug-in on a policy file, as WSManPluginStartup does.
 *
 * @param options      NULL: as a host gets it.
 * @param context_out  what the entry points take; ended by WSManPluginShutdown.
 * @return STATUS_OK, STATUS_NO_MEMORY, STATUS_LIMIT (no thread), STATUS_INVALID (the policy is unusable; the words are in *error).
 *
 * Threads: as wa_engine_open.
 */
NODISCARD enum status plugin_start(const char *policy_path, const struct plugin_options *options, PVOID *context_out,
				   struct error *error);

#endif
