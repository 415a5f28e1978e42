/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A secret: kept out of core dumps where the system can, wiped when it is freed, and of a type
 * that no format string takes.
 */
#ifndef WSMAUTHZ_OS_SECRET_H
#define WSMAUTHZ_OS_SECRET_H

#include <base/compiler.h>
#include <stddef.h>

struct secret;

/** A copy of `length` bytes; NULL when memory ran out. The caller wipes its own copy. */
NODISCARD struct secret *secret_new(const void *data, size_t length);

/** NULL-safe; wipes; sets the pointer to NULL. */
void secret_free(struct secret **secret);

/** The bytes, NUL-terminated; borrowed for the life of the secret. Name each use at its line. */
const char *secret_bytes(const struct secret *secret);
size_t secret_length(const struct secret *secret);

#endif
