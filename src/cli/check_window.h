/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `check` keeps of the questions under way: a ring of slots, filled by the thread that reads
 * senders and emptied, in the same order, by whichever thread gives the answer that was waited for.
 *
 *	main thread        window_claim -> slot, the question is asked with the slot's details
 *	plug-in's thread   window_complete(slot): writes the slots at the ring's beginning that are complete
 *
 * An answer is written as soon as it and those before it are there. When nobody reads any more, or
 * writing fails, the window is broken: claims are refused and nothing more is written.
 */
#ifndef WSMAUTHZ_CLI_CHECK_WINDOW_H
#define WSMAUTHZ_CLI_CHECK_WINDOW_H

#include <base/error.h>
#include <base/text.h>
#include <cli/completion.h>
#include <os/thread.h>
#include <stdbool.h>
#include <stddef.h>
#include <wsmauthz/engine.h>

/*
 * Questions under way at a time: enough to keep the directory's connections busy with full batches,
 * far below what the engine takes before it refuses, and a few MB at the worst.
 */
#define WINDOW_SLOTS 1024

struct window;

struct window_slot {
	struct completion completion; /* first: the key that the plug-in is asked with */
	struct window *window;
	WCHAR *name;      /* owned: what details.senderName points to */
	char *sender;     /* owned: the sender as given */
	size_t length;    /* bytes */
	bool is_cut;      /* the sender was longer than is kept */
	struct text line; /* set by the observer */
	enum wa_verdict verdict;
	uint32_t code;    /* the observer's; must be the completion's */
	bool is_complete; /* guarded by the window's lock */
};

struct window {
	struct mutex lock; /* guards what follows, except slots that are under way */
	struct condition changed;
	struct window_slot *slots; /* owned */
	size_t first, count;
	bool is_writing; /* one thread writes at a time, without the lock */
	bool is_broken;
	struct error error; /* why it is broken */
	size_t denied, failed;
};

/** @return STATUS_OK, STATUS_NO_MEMORY. */
NODISCARD enum status window_init(struct window *window, struct error *error);
/** After the plug-in was shut down. */
void window_done(struct window *window);

/** The next slot, empty, when there is room; NULL when the window is broken. Threads: the one that reads. */
struct window_slot *window_claim(struct window *window);

/** The slot's answer is there. Threads: any. */
void window_complete(struct window_slot *slot);

/** Wait until everything asked has been written, or the window is broken. @return STATUS_OK or why it is broken. */
enum status window_wait(struct window *window, struct error *error);

/** Nothing more is to be written. Keeps the first error. */
void window_break(struct window *window, const struct error *error);

#endif
