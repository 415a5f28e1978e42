/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An arena: many small allocations that live together and are freed by one call.
 * Every decision, search answer and policy file has one.
 *
 * An arena has a limit in bytes; what would go over it fails like memory that ran out, so that
 * nothing the directory sends can grow without bound. All functions return NULL on failure.
 *
 * Threads: one at a time.
 */
#ifndef WSMAUTHZ_BASE_ARENA_H
#define WSMAUTHZ_BASE_ARENA_H

#include <base/compiler.h>
#include <stdbool.h>
#include <stddef.h>

struct arena;

/** A new arena that gives out at most `limit_bytes` in all. NULL when memory ran out. */
NODISCARD struct arena *arena_new(size_t limit_bytes);

/** Free the arena and all that came from it; NULL-safe; sets the pointer to NULL. */
void arena_free(struct arena **arena);

/** Zeroed memory, aligned for any type. */
NODISCARD void *arena_alloc(struct arena *arena, size_t size);

/** Zeroed memory for `count` things of `size` bytes; NULL also on overflow. */
NODISCARD void *arena_alloc_array(struct arena *arena, size_t count, size_t size);

/** A copy of a NUL-terminated string. */
NODISCARD char *arena_copy_text(struct arena *arena, const char *text);

/** A copy of `length` bytes with a NUL behind. */
NODISCARD char *arena_copy_bytes(struct arena *arena, const void *data, size_t length);

/** A formatted string. */
NODISCARD char *arena_printf(struct arena *arena, const char *format, ...) PRINTF_LIKE(2, 3);

/** True when an allocation was refused because of the limit (and not because memory ran out). */
bool arena_hit_limit(const struct arena *arena);

/** Bytes given out so far. */
size_t arena_used_bytes(const struct arena *arena);

#endif
