/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The policy watch: a thread that notices when the policy file, or a file that it names (bind secret, CA and CRL files),
 * has changed, reads the policy anew and tells the outcome on the executor. No file is touched on the executor.
 *
 *	a file changes -> read the policy -> good, and other than before   -> heard(config)
 *				          -> good, with the same content   -> nothing; after an error heard(), with neither
 *				          -> unusable                      -> heard(error), once for each different message
 *
 * "Before" is the policy that was told last (at first, the one given to policy_watch_open); it is its files that are watched.
 * When the watch begins, and each time that it moves to the files of another policy, the policy is read once more, so that
 * nothing falls between reading and watching. An unusable policy is looked at again every POLICY_WATCH_RETRY_MS: what cures it
 * may be a file that only the unusable policy names. Telling allocates nothing; what was not heard yet gives way to what is newer.
 *
 * The thread has a second duty: it runs what must not run on the executor because it waits (policy_watch_run).
 *
 * A file system that hangs (a network file system without its server) hangs this thread, and whoever stops it: keep policies local.
 *
 * Locks: one, in the watch; nothing is told, read or run under it. It may be taken under any lock of the caller's.
 */
#ifndef WSMAUTHZ_AUTHORIZER_POLICY_WATCH_H
#define WSMAUTHZ_AUTHORIZER_POLICY_WATCH_H

#include <base/compiler.h>
#include <base/error.h>
#include <base/log.h>
#include <config/config.h>
#include <os/executor.h>

#define POLICY_WATCH_RETRY_MS 1000

struct policy_watch;

/**
 * The outcome of reading a changed policy. Runs on the executor.
 *
 * @param config  one reference, now the receiver's; NULL: the policy is unusable, and what was told before stays valid.
 * @param error   why; until the return. NULL when there is a config. Both NULL: what was told before is in the file again.
 */
typedef void policy_watch_fn(void *context, const struct config *config, const struct error *error);

/**
 * Start the thread.
 *
 * @param config    what was read from its path last; a reference of its own is taken.
 * @param executor  where `heard` runs; outlives policy_watch_stop.
 * @param log       borrowed until policy_watch_close.
 * @param watch_out set before anything is heard.
 * @return STATUS_OK, STATUS_NO_MEMORY, STATUS_LIMIT (no thread, no descriptor).
 */
NODISCARD enum status policy_watch_open(const struct config *config, struct executor *executor, const struct log *log,
					policy_watch_fn *heard, void *context, struct policy_watch **watch_out,
					struct error *error);

/**
 * Run `task` on the watch's thread: later, exactly once, in the order of these calls, never inside one. It must live until
 * it runs. While it runs changes of the policy are not noticed; they are afterwards.
 * Never fails. Not after policy_watch_stop was called. Threads: any.
 */
void policy_watch_run(struct policy_watch *watch, struct task *task);

/**
 * Run the tasks that are queued, end the thread, join it. What was read but not heard yet is dropped: nothing is heard
 * any more, but for what the executor is in the middle of. Not from the executor or a task of the watch. Twice is allowed.
 */
void policy_watch_stop(struct policy_watch *watch);

/** policy_watch_stop, then free. The executor has run what was posted. NULL-safe; sets the pointer to NULL. */
void policy_watch_close(struct policy_watch **watch);

#endif
