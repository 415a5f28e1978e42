/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stands in for src/directory/dir_watch*.c at link time: tells what changes in a fake directory, on the executor, after a
 * delay of the clock that the test sets, as slapd does. An entry is told as it is when the delay is over; what
 * the account may not see, or what is gone by then, moves the mark only. Renaming an entry says nothing of those beneath it.
 *
 *	dir_watch_fake_use(directory)        before dir_watch_open; no watch is offered: UNSUPPORTED
 *	dir_watch_fake_enable()              it is; without marks where the account sees no contextCSN, and the root DSE offers
 *	                                     persistent searches
 *	dir_watch_fake_cut(), _restore()     LOST, and UP again
 *	dir_watch_fake_freeze(), _thaw()     a black hole: what was to be told is told when it is over
 *
 * Threads: all on the test's own.
 */
#ifndef TESTS_SUPPORT_DIR_WATCH_FAKE_H
#define TESTS_SUPPORT_DIR_WATCH_FAKE_H

#include <directory/dir_watch.h>
#include <stdint.h>
#include <support/fake_directory.h>

#define DIR_WATCH_FAKE_DELAY_MS 2

/**
 * What watches opened from now on look at, and forget all that was set before. Not while a watch is open.
 * @param directory  borrowed until the next call; it has no other observer. NULL: none.
 */
void dir_watch_fake_use(struct fake_directory *directory);

/** A watch is offered: those that were told UNSUPPORTED come up (the true ones ask again after a minute). */
void dir_watch_fake_enable(void);

/** Between a change, or the beginning, and the word of it. */
void dir_watch_fake_set_delay(uint64_t delay_ms);

/** The connection breaks, and none can be made until dir_watch_fake_restore. What was not told yet never will be. */
void dir_watch_fake_cut(void);
void dir_watch_fake_restore(void);

/** Nothing is told any more (but that the watch is cut), until dir_watch_fake_thaw. */
void dir_watch_fake_freeze(void);
void dir_watch_fake_thaw(void);

/** Watches that are open and not stopped. */
size_t dir_watch_fake_count(void);

#endif
