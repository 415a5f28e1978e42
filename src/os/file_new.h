/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file that takes its name only when it is whole: it is written beside that name, and put in its place at the end. Who
 * reads the name sees the old file, or all of the new one, whatever happens in between.
 *
 *	file_new_open     "report.csv": writes "report.csv.new-1a2b3c4d"
 *	file_new_write    as often as wanted; buffered
 *	file_new_commit   it is on the disk, and is "report.csv" now; or
 *	file_new_abandon  it never was
 *
 * Only its owner may read a file that was not there before; one that takes another's place has that one's permissions.
 * A link is followed: what it names is replaced.
 *
 * Threads: one at a time.
 */
#ifndef WSMAUTHZ_OS_FILE_NEW_H
#define WSMAUTHZ_OS_FILE_NEW_H

#include <base/compiler.h>
#include <base/error.h>
#include <stddef.h>

struct file_new;

/**
 * @return STATUS_OK; STATUS_INVALID (there is something of that name that is no regular file); STATUS_NOT_FOUND (its folder),
 *         STATUS_REFUSED, STATUS_UNREACHABLE; STATUS_NO_MEMORY; STATUS_INTERNAL (no random numbers).
 */
NODISCARD enum status file_new_open(const char *path, struct file_new **file_out, struct error *error);

/** @return STATUS_OK, STATUS_UNREACHABLE (a full disk, for one). */
NODISCARD enum status file_new_write(struct file_new *file, const void *data, size_t length, struct error *error);

/** It is closed in any case, and the pointer set to NULL. @return STATUS_OK; as above: what was there before still is. */
NODISCARD enum status file_new_commit(struct file_new **file, struct error *error);

/** NULL-safe; sets the pointer to NULL. */
void file_new_abandon(struct file_new **file);

#endif
