/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What IIS-hosted WinRM does with its users, by the documented order of calls:
 *
 *	connect   a living user record lets the user in; else AuthzUser, and after a success a record is kept and
 *	          AuthzQueryQuota asked (where the host wants quotas)
 *	operate   as connect, then AuthzOperation; the context that it gives is released behind the operation
 *	quota     AuthzQueryQuota alone
 *	refresh   AuthzUser though there is a record, as when the refresh interval is over
 *	leave     the record is dropped, as when the idle time-out is over, and its context released
 *
 * Of a user whose new authorization fails nothing is kept, and the old context is released all the same.
 * Threads: any, several users or connections at a time.
 */
#ifndef WSMAUTHZ_CLI_HOST_SESSION_H
#define WSMAUTHZ_CLI_HOST_SESSION_H

#include <cli/host_calls.h>
#include <cli/host_plugin.h>
#include <cli/host_records.h>
#include <cli/host_trace.h>

struct host_session {
	struct host_plugin plugin;
	struct host_trace trace;
	struct host_calls calls;
	struct host_records records;
	bool wants_quota;
};

struct host_session_options {
	const char *plugin_path;
	const char *application;
	const char *policy; /* NULL: the plug-in's own choice */
	uint64_t idle_ms, refresh_ms, patience_ms;
	bool wants_quota, is_json, is_quiet;
};

/* What a user's step came to. */
struct host_outcome {
	bool is_answered;   /* false: a call was not completed, and nothing else here is set */
	bool is_remembered; /* a user record did it: no call was made for the user */
	DWORD code;
	bool administrator;
	bool has_quota;
	WSMAN_AUTHZ_QUOTA quota;
	char redirect[HOST_REDIRECT_BYTES]; /* "" */
};

/**
 * Load the plug-in and start it.
 * @return STATUS_OK; STATUS_INVALID (no plug-in, or it does not start), STATUS_NO_MEMORY and what host_library_open returns.
 */
NODISCARD enum status host_session_open(struct host_session *session, const struct host_session_options *options,
					struct error *error);

/**
 * Release every record, call Shutdown, unload.
 * @return whether all was as it must be: each call was completed once, and Shutdown succeeded.
 */
bool host_session_close(struct host_session *session);

/** @return STATUS_OK; STATUS_NO_MEMORY, STATUS_LIMIT: there is no outcome. */
NODISCARD enum status host_session_connect(struct host_session *session, const struct host_sender *sender,
					   struct host_outcome *outcome_out, struct error *error);
NODISCARD enum status host_session_refresh(struct host_session *session, const struct host_sender *sender,
					   struct host_outcome *outcome_out, struct error *error);
/** @param action, resource  URIs; NULL: those of a Get of Win32_OperatingSystem. */
NODISCARD enum status host_session_operate(struct host_session *session, const struct host_sender *sender,
					   const char *action, const char *resource, struct host_outcome *outcome_out,
					   struct error *error);
NODISCARD enum status host_session_quota(struct host_session *session, const struct host_sender *sender,
					 struct host_outcome *outcome_out, struct error *error);
void host_session_leave(struct host_session *session, const struct host_sender *sender);

/** Records whose time is over go; to be called now and then. */
void host_session_expire(struct host_session *session);

#endif
