/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Allocation. Everything on the heap comes from here, so that a test can replace this one file
 * and make the n-th allocation fail (tests/support/memory_failing.c).
 *
 * Threads: any.
 */
#ifndef WSMAUTHZ_BASE_MEMORY_H
#define WSMAUTHZ_BASE_MEMORY_H

#include <base/compiler.h>
#include <stddef.h>

/** Zeroed memory of `size` bytes, or NULL. A size of 0 gives a pointer that may be freed. */
NODISCARD void *memory_new(size_t size);

/** Zeroed memory for `count` things of `size` bytes, or NULL, also when the product overflows. */
NODISCARD void *memory_new_array(size_t count, size_t size);

/** As realloc(3) for `count` things of `size` bytes; NULL (and the old block kept) on failure or overflow. */
NODISCARD void *memory_resize(void *block, size_t count, size_t size);

/** A copy of a NUL-terminated string, or NULL. */
NODISCARD char *memory_copy_text(const char *text);

/** A copy of `length` bytes with a NUL behind, or NULL. */
NODISCARD char *memory_copy_bytes(const void *data, size_t length);

/** Free; NULL is allowed. */
void memory_free(void *block);

/** Overwrite with zeros in a way the compiler keeps. */
void memory_wipe(void *block, size_t size);

/**
 * Make room for at least `needed` elements in a growing array; capacity doubles.
 *
 * @param array     address of the array's pointer (moved when it grows).
 * @param capacity  address of its capacity in elements.
 * @return true when there is room, false (nothing changed) when memory ran out or sizes overflow.
 */
#define ARRAY_RESERVE(array, capacity, needed)                                                                         \
	memory_reserve((void **)(void *)(array), (capacity), (needed),                                                 \
		       sizeof(**(array))) /* NOLINT(bugprone-sizeof-expression) */
NODISCARD int memory_reserve(void **array, size_t *capacity, size_t needed, size_t size);

#endif
