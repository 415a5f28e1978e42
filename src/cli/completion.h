/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's side of the plug-in, in our own process: the three completion functions that WinRM has
 * otherwise. A command embeds a `struct completion` in whatever it keeps of a call, and asks with its details:
 *
 *	call->completion.done = answered;
 *	WSManPluginAuthzUser(plugin, &call->completion.details, 0);
 *	    ... answered(&call->completion, code)
 *
 * The context that comes with a success is released at once: a record of users is not kept here.
 */
#ifndef WSMAUTHZ_CLI_COMPLETION_H
#define WSMAUTHZ_CLI_COMPLETION_H

#include <wsmauthz/wsman.h>

struct completion {
	WSMAN_SENDER_DETAILS details; /* first: its address is the key */
	/* Called once, with what WinRM would be told; on the plug-in's completion thread, or inside the entry point. */
	void (*done)(struct completion *completion, DWORD code);
};

#endif
