/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A host: it loads the plug-in file, makes the calls that WinRM makes, and writes down every completion
 * under the key it comes with. A completion for a key that is owed none, or a second one, ends the test.
 *
 * The process leaves SIGPIPE at its default action on purpose: a plug-in that lets one through kills it.
 */
#ifndef WSMAUTHZ_TESTS_HOST_HOST_H
#define WSMAUTHZ_TESTS_HOST_HOST_H

#include <cli/wsmsvc_standin.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wsmauthz/wsman.h>

/* How long a completion may take, whatever happens: far more than any policy of the tests waits. */
#define HOST_PATIENCE_MS 20000
/* How long nothing more may come after the last answer. */
#define HOST_QUIET_MS 300

#define expect(condition)                                                                                              \
	do {                                                                                                           \
		if (!(condition))                                                                                      \
			host_fail(__FILE__, __LINE__, #condition);                                                     \
	} while (0)

/** Says where and ends the process with status 1. */
void host_fail(const char *file, int line, const char *what) __attribute__((noreturn));

/* The six entry points of a loaded plug-in. */
struct plugin_file {
	void *handle;
	DWORD (*startup)(DWORD flags, PCWSTR application, PCWSTR extra_info, PVOID *context);
	DWORD (*shutdown)(PVOID context, DWORD flags, DWORD reason);
	VOID (*authz_user)(PVOID context, WSMAN_SENDER_DETAILS *details, DWORD flags);
	VOID(*authz_operation)
	(PVOID context, WSMAN_SENDER_DETAILS *details, DWORD flags, DWORD operation, PCWSTR action,
	 PCWSTR resource_uri);
	VOID (*authz_query_quota)(PVOID context, WSMAN_SENDER_DETAILS *details, DWORD flags);
	VOID (*release_context)(PVOID user_context);
};

enum call_kind { CALL_USER = 0, CALL_OPERATION, CALL_QUOTA, CALL_KINDS };

/* One call that is owed a completion. */
struct call {
	WSMAN_SENDER_DETAILS details; /* first: the key */
	WCHAR name[256];
	uintptr_t thread;
	/* Under the host's lock. */
	unsigned completions;
	bool was_inside; /* on the thread that called, before the entry point returned */
	bool has_returned;
	enum standin_function function;
	DWORD code;
	PVOID user_context;
	HANDLE token;
	BOOL administrator;
	bool has_quota;
	WSMAN_AUTHZ_QUOTA quota;
	char redirect[1024];
};

/* What a sender of the test is to be told. */
struct expectation {
	const char *sender;
	DWORD user_code, operation_code;
};

/* What the command line said. */
struct scenario {
	const char *plugin_path, *standin_path, *policy;
	bool is_asynchronous; /* what the policy says of completion */
	const struct expectation *expected;
	size_t expected_count;
};

uint64_t host_now_ms(void);
void host_sleep_ms(unsigned ms);

/** Load the stand-in, then the plug-in: by full path, every symbol bound at once. */
void host_load(const struct scenario *scenario, struct plugin_file *file);
void host_unload(struct plugin_file *file);

/** Start with a ConfigFile parameter; what Startup returned. */
DWORD host_start(const struct plugin_file *file, const char *policy, PVOID *context_out);

void call_init(struct call *call, const char *sender);
/** Make the call; returns when the entry point does. */
void call_make(const struct plugin_file *file, PVOID context, enum call_kind kind, struct call *call, DWORD flags);
/** Wait for its completion. */
void call_wait(struct call *call);
/** Both, and the context that came is released. @return the code. */
DWORD call_ask(const struct plugin_file *file, PVOID context, enum call_kind kind, const char *sender);
/** All that must hold of any completed call: one completion, by the right function, nothing given without success. */
void call_verify(const struct call *call, enum call_kind kind, bool is_asynchronous);

/** What the stand-in calls. */
void host_completed(const struct standin_completion *completion);
/** Completions so far, of all calls. */
size_t host_completions(void);
/** Nothing comes any more: neither a completion nor, when `threads` is not 0, more threads than that are left. */
void host_expect_quiet(size_t threads);
/** Threads of this process. */
size_t host_threads(void);

/* The tests; each is one run of the program. */
void test_calls(const struct scenario *scenario);
void test_matrix(const struct scenario *scenario);
void test_records(const struct scenario *scenario);
void test_exports(const struct scenario *scenario);
void test_startup_fails(const struct scenario *scenario);
void test_two_applications(const struct scenario *scenario);
void test_reload(const struct scenario *scenario);
void test_threads(const struct scenario *scenario);
void test_signals(const struct scenario *scenario);
void test_shutdown_running(const struct scenario *scenario);
void test_long(const struct scenario *scenario);

#endif
