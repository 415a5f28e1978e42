/* SPDX-License-Identifier: Apache-2.0 */
/* What a file with a secret may hold: the part of file_read_secret that is the same on every system. Used within os. */
#ifndef WSMAUTHZ_OS_FILE_SECRET_H
#define WSMAUTHZ_OS_FILE_SECRET_H

#include <base/compiler.h>
#include <base/error.h>
#include <os/secret.h>
#include <stddef.h>

/**
 * The secret that a file's bytes are. The caller wipes them.
 * @return STATUS_OK, STATUS_INVALID (see file_read_secret), STATUS_NO_MEMORY.
 */
NODISCARD enum status file_secret_take(const char *data, size_t length, const char *path, struct secret **secret_out,
				       struct error *error);

#endif
