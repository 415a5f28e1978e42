/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's side in the process of a unit test: the three completion functions, which write down
 * what they were told. Each call of the plug-in has a `struct host_call` whose details are the key.
 *
 *	host_call_init(&call, "CORP\\alice");
 *	WSManPluginAuthzUser(context, &call.details, 0);
 *	host_call_wait(&call, 1000);
 *	assert_int_equal(call.completions, 1);
 */
#ifndef WSMAUTHZ_TESTS_SUPPORT_HOST_RECORDER_H
#define WSMAUTHZ_TESTS_SUPPORT_HOST_RECORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wsmauthz/wsman.h>

#define HOST_NAME_UNITS 512

enum host_function { HOST_NOTHING = 0, HOST_USER_COMPLETE, HOST_OPERATION_COMPLETE, HOST_QUOTA_COMPLETE };

struct host_call {
	WSMAN_SENDER_DETAILS details; /* first: the key leads back to the call */
	WCHAR name[HOST_NAME_UNITS];
	/* What the completion said. */
	unsigned completions; /* how many times; read it after host_call_wait */
	enum host_function function;
	DWORD flags, code;
	PVOID user_context;
	HANDLE token;
	BOOL administrator;
	bool has_quota, has_extended;
	WSMAN_AUTHZ_QUOTA quota;
	char extended[256];          /* ASCII of the extended information */
	bool was_inside;             /* the completion came on the thread that made the call, inside it */
	uintptr_t calling_thread;    /* set by host_call_init */
	void (*then)(void *context); /* called from inside the completion, when not NULL */
	void *then_context;
};

/** A call of sender `name` (ASCII; NULL gives a NULL name), by Negotiate, with a token. */
void host_call_init(struct host_call *call, const char *name);

/** Wait for the completion. False when it did not come in time. */
bool host_call_wait(struct host_call *call, uint64_t timeout_ms);

/** ASCII to a constant that stays; for the other strings of the details. `room` units. */
PCWSTR host_text(WCHAR *out, size_t room, const char *text);

#endif
