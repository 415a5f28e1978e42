/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/memory.h with allocations that fail when a test says so. Linked as an object, it replaces
 * memory.c of the library:
 *
 *	for (n = 1; ; n++) {
 *		memory_fail_at(n);
 *		status = thing_new(&thing, &error);
 *		if (memory_fail_count() < n)
 *			break;                          the whole path needs fewer allocations than n
 *		assert_status(status, STATUS_NO_MEMORY, &error);
 *		assert_null(thing);
 *		assert_int_equal(memory_live_count(), before);
 *	}
 *
 * Threads: any.
 */
#ifndef WSMAUTHZ_TESTS_SUPPORT_MEMORY_FAILING_H
#define WSMAUTHZ_TESTS_SUPPORT_MEMORY_FAILING_H

#include <stddef.h>

/** The n-th allocation from now, counted from 1, fails, and no other; 0: none. Starts the count anew. */
void memory_fail_at(size_t n);

/** The n-th allocation from now, counted from 1, fails, and all behind it; 0: none. Starts the count anew. */
void memory_fail_from(size_t n);

/** Allocations asked for (failed ones too) since the last of these two calls. A block that is resized counts. */
size_t memory_fail_count(void);

/** Blocks that were given out and not freed. */
size_t memory_live_count(void);

#endif
