/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small file that others read while it is written again and again (the metrics): each state takes the place of the one before
 * as a whole, by a temporary file beside it and a rename, so that no reader sees a half one.
 *
 *	file_publish_open("/run/wsmauthz/wsmauthz.prom", &publish, &error)
 *	file_publish_write(publish, data, length, &error)     again and again
 *	file_publish_close(&publish)                          the file goes, if it is still ours
 *
 * The file may be read by everybody (mode 0644; on Windows as its folder says). The temporary one has the process's number in its
 * name, so that two processes with one path do not write into one file; the last one's stands then.
 *
 * Threads: one at a time. Does file I/O.
 */
#ifndef WSMAUTHZ_OS_FILE_PUBLISH_H
#define WSMAUTHZ_OS_FILE_PUBLISH_H

#include <base/compiler.h>
#include <base/error.h>
#include <stdbool.h>
#include <stddef.h>

struct file_publish;

/** Touches no file. @return STATUS_OK, STATUS_NO_MEMORY. */
NODISCARD enum status file_publish_open(const char *path, struct file_publish **publish_out, struct error *error);

/**
 * What stood there before stays when this fails, and no temporary file is left.
 * @return STATUS_OK; STATUS_NOT_FOUND (no such folder), STATUS_REFUSED (permissions), STATUS_UNREACHABLE (all other I/O errors, a full disk).
 */
NODISCARD enum status file_publish_write(struct file_publish *publish, const char *data, size_t length,
					 struct error *error);

/** Whether, since the last write, somebody else has put another file in its place. False before the first write. */
bool file_publish_is_replaced(const struct file_publish *publish);

/** Free, and remove the file unless it is somebody else's by now. NULL-safe; sets the pointer to NULL. */
void file_publish_close(struct file_publish **publish);

/**
 * Read what somebody publishes, whoever that is: nothing in it is to be believed.
 *
 * @param data_out  NUL-terminated; owned by the caller (memory_free).
 * @return STATUS_OK, STATUS_NOT_FOUND, STATUS_REFUSED (permissions), STATUS_INVALID (not a regular file), STATUS_LIMIT (larger than
 *         `limit_bytes`), STATUS_UNREACHABLE (other I/O errors), STATUS_NO_MEMORY.
 */
NODISCARD enum status file_publish_read(const char *path, size_t limit_bytes, char **data_out, size_t *length_out,
					struct error *error);

#endif
