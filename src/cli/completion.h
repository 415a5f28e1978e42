/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's side of the plug-in that is a part of this program: what becomes of its completions, which come
 * through the stand-in for WinRM's own functions. A command embeds a `struct completion` in whatever it keeps of a call, and asks with its details:
 *
 *	call->completion.done = answered;
 *	WSManPluginAuthzUser(plugin, &call->completion.details, 0);
 *	    ... answered(&call->completion, code)
 *
 * The context that comes with a success is released at once: a record of users is not kept here.
 */
#ifndef WSMAUTHZ_CLI_COMPLETION_H
#define WSMAUTHZ_CLI_COMPLETION_H

#include <cli/wsmsvc_standin.h>
#include <wsmauthz/wsman.h>

struct completion {
	WSMAN_SENDER_DETAILS details; /* first: its address is the key */
	/* Called once, with what WinRM would be told; on the plug-in's completion thread, or inside the entry point. */
	void (*done)(struct completion *completion, DWORD code);
};

/** What the stand-in hands completions to, unless a command that has another plug-in says otherwise. */
void completion_take(const struct standin_completion *told);

#endif
