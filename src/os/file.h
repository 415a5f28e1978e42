/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that decide who gets in: the policy, the bind secret, the CA certificates. They are read
 * whole, through one descriptor that was checked after it was opened, so that nobody can swap the
 * file between the check and the read.
 */
#ifndef WSMAUTHZ_OS_FILE_H
#define WSMAUTHZ_OS_FILE_H

#include <base/compiler.h>
#include <base/error.h>
#include <os/secret.h>
#include <stddef.h>

/* No policy needs more; a larger file is a mistake (or an attack). */
#define FILE_POLICY_MAX_BYTES ((size_t)4 * 1024 * 1024)
/* A password, and the line end behind it. */
#define FILE_SECRET_MAX_BYTES 1024

/**
 * Read a file that only administrators may change.
 *
 * Refused: not a regular file, owner neither root nor the effective user, writable by group or
 * others, larger than `limit_bytes`. On Windows: owner or writers other than SYSTEM,
 * Administrators, TrustedInstaller and the process's own user.
 *
 * @param data_out   NUL-terminated; owned by the caller (memory_free).
 * @param length_out bytes, without the terminator.
 * @return STATUS_OK, STATUS_NOT_FOUND, STATUS_REFUSED (permissions; the hint has the chmod),
 *         STATUS_LIMIT, STATUS_INVALID (not a regular file), STATUS_UNREACHABLE (other I/O errors),
 *         STATUS_NO_MEMORY.
 */
NODISCARD enum status file_read_trusted(const char *path, size_t limit_bytes, char **data_out, size_t *length_out,
					struct error *error);

/**
 * Read a secret: as above, and others may not read it either (root:service 0640 is fine). One line
 * end at its end is not part of it; an empty secret, or one with a NUL or a line end (CR or LF) inside
 * or a byte order mark in front, is STATUS_INVALID.
 */
NODISCARD enum status file_read_secret(const char *path, struct secret **secret_out, struct error *error);

/** Whether a file may be read by us at all (for a CA or CRL file that a library opens itself). */
NODISCARD enum status file_check_readable(const char *path, struct error *error);

/** The same, and only administrators may change it: the checks of file_read_trusted without the reading. */
NODISCARD enum status file_check_trusted(const char *path, struct error *error);

/** The same for a secret that a library reads itself (a keytab): the checks of file_read_secret without the reading. */
NODISCARD enum status file_check_secret(const char *path, struct error *error);

/**
 * Whether somebody else could put another file in this one's place: the folder that it is in must belong to root or the effective
 * user, and nobody else may write it (but for folders such as /tmp, where a file stays its owner's). The folders above are not looked at.
 * @return as file_check_trusted.
 */
NODISCARD enum status file_check_folder(const char *path, struct error *error);

/**
 * A path as written in a policy: absolute as it is; relative ones stand beside `beside` (the policy file).
 * @return owned by the caller (memory_free); NULL when memory ran out.
 */
NODISCARD char *file_path_beside(const char *beside, const char *path);

/**
 * A file that grows by lines (the audit file). Opened for appending, created 0640; a pipe or a terminal
 * will do, but is never waited for. On Windows created for the process's user, SYSTEM and Administrators, and nothing but
 * a file will do.
 * file_lines_write appends `line` and a line end by one write; STATUS_UNREACHABLE when it could not,
 * STATUS_INVALID for a line with a line end inside, STATUS_NO_MEMORY (Windows, a long line). What a full disk cut is ended before the next line.
 * On POSIX: where the file has been renamed or removed (logrotate), the next line goes to a new one of its name; what cannot be made is tried
 * again with the next line, and lines go to the old file meanwhile.
 * Threads: any; one at a time of one file.
 */
struct file_lines;
/** Whether file_lines_open would do, without making the file: the same errors, but STATUS_NO_MEMORY. */
NODISCARD enum status file_lines_check(const char *path, struct error *error);
NODISCARD enum status file_lines_open(const char *path, struct file_lines **lines_out, struct error *error);
NODISCARD enum status file_lines_write(struct file_lines *lines, const char *line, struct error *error);
void file_lines_close(struct file_lines **lines);

#endif
