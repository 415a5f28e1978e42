/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands in for the host's own library (WsmSvc.dll on Windows): it has the three completion functions that the
 * plug-in wants, and hands each call on to whoever loaded it.
 */
#ifndef WSMAUTHZ_TESTS_HOST_WSMSVC_STANDIN_H
#define WSMAUTHZ_TESTS_HOST_WSMSVC_STANDIN_H

#include <wsmauthz/wsman.h>

enum standin_function { STANDIN_USER = 0, STANDIN_OPERATION, STANDIN_QUOTA };

struct standin_completion {
	enum standin_function function;
	WSMAN_SENDER_DETAILS *details;
	DWORD flags;
	PVOID user_context;
	HANDLE token;
	BOOL administrator;
	const WSMAN_AUTHZ_QUOTA *quota;
	DWORD code;
	PCWSTR extended;
};

typedef void standin_completed_fn(const struct standin_completion *completion);

/** Where completions go; set before the plug-in is loaded. */
WSMAUTHZ_EXPORT void standin_set(standin_completed_fn *completed);

#endif
