/* SPDX-License-Identifier: Apache-2.0 */
/* The lines of the trace about calls of the plug-in and their completions, and the words for what came of them. */
#ifndef WSMAUTHZ_CLI_HOST_TRACE_FORMAT_H
#define WSMAUTHZ_CLI_HOST_TRACE_FORMAT_H

#include <cli/host_calls.h>
#include <cli/host_trace.h>

/* What a number that the plug-in completed with means. */
enum host_verdict { HOST_ERROR = 0, HOST_DENY, HOST_AUTHORIZE, HOST_REDIRECT };

enum host_verdict host_verdict_of(DWORD code);
const char *host_verdict_word(enum host_verdict verdict);

/** "AuthzUser" and "AuthzUserComplete". */
const char *host_function_name(enum standin_function function);
const char *host_function_complete_name(enum standin_function function);

/** "deny", "redirect to https://...", "error 0x80338083", for people. */
void host_add_verdict(struct text *out, DWORD code, const char *redirect);

/** "shells 5, operations 15, 100 in 60 s". */
void host_add_quota(struct text *out, const WSMAN_AUTHZ_QUOTA *quota);

/** JSON members verdict, code, redirect_uri, administrator. */
void host_add_members(struct text *members, DWORD code, const char *redirect, bool administrator);

void host_trace_call(struct host_trace *trace, enum standin_function function, const struct host_sender *sender,
		     const char *action);

/** @param end_us, thread  when and where the completion came. */
void host_trace_answer(struct host_trace *trace, enum standin_function function, const char *sender,
		       const struct host_answer *answer, uint64_t end_us, uintptr_t thread);

#endif
