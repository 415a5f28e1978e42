/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands in for the host's own library (WsmSvc.dll on Windows): it has the three completion functions that the
 * plug-in wants, and hands each call on to whoever set it up. In the program it is a part of the program; for `host`
 * on Windows, and for the contract tests, it is a library of its own, loaded before the plug-in.
 *
 * As the host's own functions do, they refuse a call without a key or with flags, and hand it on to nobody.
 */
#ifndef WSMAUTHZ_CLI_WSMSVC_STANDIN_H
#define WSMAUTHZ_CLI_WSMSVC_STANDIN_H

#include <wsmauthz/wsman.h>

enum standin_function { STANDIN_USER = 0, STANDIN_OPERATION, STANDIN_QUOTA };

/* One completion, as the plug-in made it; borrowed for the time of the call. */
struct standin_completion {
	enum standin_function function;
	WSMAN_SENDER_DETAILS *details; /* the key; never NULL */
	DWORD flags;
	PVOID user_context;
	HANDLE token;
	BOOL administrator;
	const WSMAN_AUTHZ_QUOTA *quota; /* may be NULL */
	DWORD code;
	PCWSTR extended; /* may be NULL */
};

typedef void standin_completed_fn(const struct standin_completion *completion);

/** Where completions go; set before the plug-in is loaded. They come on any thread, several at once. */
WSMAUTHZ_EXPORT void standin_set(standin_completed_fn *completed);

#endif
