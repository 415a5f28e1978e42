/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stands in for src/directory/dir_pool.c at link time: every request goes to a fake directory, and comes
 * back on the executor after a latency of the clock that the test sets. A server reads its data
 * halfway between the question and the answer, so a change can overtake an answer that is under way.
 *
 *	dir_pool_fake_use(directory, 2)      before dir_pool_open
 *
 * Faults of the directory that are the connection's affair: HANG is a timeout at the request's deadline, DOWN is
 * refused at once, DROP breaks the connection after `entries` entries; as the true pool does, a broken
 * request is sent once more (with on_restart before) and then given up.
 *
 * Threads: all on the test's own.
 */
#ifndef TESTS_SUPPORT_DIR_POOL_FAKE_H
#define TESTS_SUPPORT_DIR_POOL_FAKE_H

#include <directory/dir_pool.h>
#include <stdint.h>
#include <support/fake_directory.h>

/** What pools opened from now on ask; borrowed until they are closed. */
void dir_pool_fake_use(struct fake_directory *directory, uint64_t latency_ms);

void dir_pool_fake_set_latency(uint64_t latency_ms);

/** See every search as it is sent. NULL: nobody looks. */
void dir_pool_fake_observe(void (*seen)(void *context, const struct dir_search *search), void *context);

/** Requests (round trips) and searches since dir_pool_fake_use. */
uint64_t dir_pool_fake_requests(void);
uint64_t dir_pool_fake_searches(void);

/** Requests that have no answer yet. */
size_t dir_pool_fake_in_flight(void);

#endif
