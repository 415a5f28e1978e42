/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls of the plug-in that are owed a completion, and what came of them.
 *
 * A call has a slot, whose sender details are the key that the completion comes with. The texts of the details are wiped
 * and freed, and the details emptied, as soon as the call is completed and the entry point has returned: a plug-in that
 * looks at them later finds nothing. Slots themselves stay until the end, and a slot that was used is used again only
 * behind HOST_CALLS_REST others, so that a second completion is noticed, not obeyed; so is one that never comes.
 *
 * Threads: any.
 */
#ifndef WSMAUTHZ_CLI_HOST_CALLS_H
#define WSMAUTHZ_CLI_HOST_CALLS_H

#include <cli/host_plugin.h>
#include <cli/host_trace.h>
#include <os/thread.h>

/* How many slots there are at most, at 2 KB each and less: far more than threads that call. */
#define HOST_CALLS_MAX  65536
#define HOST_CALLS_REST 1024

/* The address that a redirect leads to: what the plug-in's policy takes at most is half of it. */
#define HOST_REDIRECT_BYTES 2048

/* Who calls, and by what. */
struct host_sender {
	const char *name;
	const char *mechanism;
	const char *url;   /* NULL: the host does not say */
	bool has_no_token; /* as of somebody whom Windows does not know */
	/* Of a client certificate; all NULL: there is none. */
	const char *subject, *issuer, *thumbprint, *subject_name;
};

/* What one call came to. */
struct host_answer {
	bool is_completed; /* false: it was not, in all the time that it had; the rest means nothing then */
	bool is_refused;   /* the completion was not of the form that WinRM takes; told in the trace */
	bool was_inside;   /* it came on the calling thread, inside the entry point */
	DWORD code;
	bool administrator;
	bool has_quota;
	WSMAN_AUTHZ_QUOTA quota;
	PVOID user_context; /* the host's to release */
	uint64_t elapsed_us;
	char redirect[HOST_REDIRECT_BYTES]; /* UTF-8; "" */
};

struct host_slot;

struct host_calls {
	struct mutex lock; /* guards all that is below `token` */
	const struct host_plugin *plugin;
	struct host_trace *trace;
	uint64_t patience_ms; /* how long a completion may take */
	HANDLE token;
	struct condition changed;
	struct host_slot **slots; /* owned */
	size_t slot_count, slot_capacity;
	struct host_slot *first_free, *last_free; /* a queue */
	size_t free_count;
	size_t made, completed, twice, strange, missing, malformed;
};

/** There is one at a time in a process: completions come without a context. @return STATUS_OK, STATUS_REFUSED (no token). */
NODISCARD enum status host_calls_init(struct host_calls *calls, const struct host_plugin *plugin,
				      struct host_trace *trace, uint64_t patience_ms, struct error *error);
/** When the plug-in is unloaded. */
void host_calls_done(struct host_calls *calls);

/** What completions are handed to. */
void host_calls_completed(const struct standin_completion *completion);

/**
 * Make a call and wait for its completion, at most the patience.
 *
 * @param action, resource  of an operation.
 * @return STATUS_OK; STATUS_NO_MEMORY, STATUS_LIMIT: the call was not made.
 */
NODISCARD enum status host_calls_ask(struct host_calls *calls, enum standin_function function,
				     const struct host_sender *sender, const char *action, const char *resource,
				     struct host_answer *answer_out, struct error *error);

/** Whether each call that was made has been completed exactly once so far, as WinRM takes it. */
bool host_calls_are_clean(struct host_calls *calls);

#endif
