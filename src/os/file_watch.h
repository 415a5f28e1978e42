/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Notices that one of a few files may have changed: written in place, replaced by another (editors and configuration
 * management rename a new file over the old one; Kubernetes swaps a link that leads to all of them), created, deleted,
 * or given other permissions or another owner.
 *
 *	watch = file_watch_open(...);
 *	read the files;
 *	for (;;)
 *		if (file_watch_wait(watch, ...))
 *			read the files again;
 *
 * What has changed since the last report (or the opening) is never lost: it is the state of the files that is compared, at
 * each sign from the system, and every FILE_WATCH_POLL_MS without one. So file systems that give no sign work as well
 * (network file systems, mounts over the file, links far up in the path), only later. Reports are to be taken as hints: there
 * may be one without a change. Reading the files gives none.
 *
 * A report comes when nothing has happened for FILE_WATCH_SETTLE_MS, so that a file is rarely read when it is half written.
 * What does not come to rest is reported after FILE_WATCH_SETTLE_MAX_MS, and again later.
 *
 * Threads: one that opens, waits and closes, or several one after the other; file_watch_wake any.
 * Sources: inotify(7), "Limitations and caveats": no events of network file systems; stat(2).
 */
#ifndef WSMAUTHZ_OS_FILE_WATCH_H
#define WSMAUTHZ_OS_FILE_WATCH_H

#include <base/compiler.h>
#include <base/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Two stat(2) a file each time: nothing to a host, and soon enough for whoever has changed a file and waits. */
#define FILE_WATCH_POLL_MS 1000
/* Longer than the step of a file system's clock (4 ms at most), so that the next write shows in the times of the file. */
#define FILE_WATCH_SETTLE_MS     10
#define FILE_WATCH_SETTLE_MAX_MS 100
/* Each costs the system up to three of its watches. */
#define FILE_WATCH_MAX_FILES 64

/* To file_watch_wait: until something happens. */
#define FILE_WATCH_FOREVER UINT64_MAX

struct file_watch;

/**
 * Begin to watch. A file (or its folder) that is not there is not an error: its creation is a change.
 * Where the system refuses to tell (limits), the files are looked at every FILE_WATCH_POLL_MS alone.
 *
 * @param paths  copied; relative ones are taken from the working directory each time.
 * @return STATUS_OK; STATUS_NO_MEMORY; STATUS_LIMIT (more than FILE_WATCH_MAX_FILES, or no descriptor to be had).
 */
NODISCARD enum status file_watch_open(const char *const paths[], size_t count, struct file_watch **watch_out,
				      struct error *error);

/**
 * Wait for a change.
 *
 * @return true: something about one of the files may have changed. Whoever reads them now sees that change or a later one.
 *         False: file_watch_wake was called since the last false one, or `timeout_ms` has passed. A change that was noticed
 *         meanwhile is reported the next time.
 */
bool file_watch_wait(struct file_watch *watch, uint64_t timeout_ms);

/** Let file_watch_wait return, now or the next time that it is called. Several calls may count as one. Never waits. */
void file_watch_wake(struct file_watch *watch);

/** NULL-safe; sets the pointer to NULL. Nobody waits or wakes any more. */
void file_watch_close(struct file_watch **watch);

#endif
