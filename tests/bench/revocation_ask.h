/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The threads that ask for the same people again and again, as hosts do, and what they see of a change.
 *
 *	victim_expect(victim, false)     from now on a deny is wanted
 *	    ... the change is made in the directory
 *	victim_changed(victim)           the directory has said so
 *	victim_wait(victim, timeout_ms)  until somebody was told what is wanted
 *
 * A question that was asked after the change, and is answered as before it, is counted; an authorize that was asked LATE_MS after a
 * revocation is a breach. Questions that a change overtook count for nothing.
 */
#ifndef REVOCATION_ASK_H
#define REVOCATION_ASK_H

#include <base/compiler.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wsmauthz/engine.h>

#define LATE_MS    1000
#define NEVER_NS   UINT64_MAX
#define NAME_BYTES 64

/* Somebody whose standing changes, or who is there to be asked for beside them (and whose standing must not change). */
struct victim {
	char name[NAME_BYTES]; /* of the user; the sender is CORP\name */
	char sender[NAME_BYTES + 8];
	_Atomic uint64_t epoch;      /* counts the changes */
	atomic_bool is_wanted;       /* an authorize is wanted */
	_Atomic uint64_t changed_ns; /* when the directory had said so; 0: it has not */
	_Atomic uint64_t first_ns;   /* when somebody was first told what is wanted; 0: nobody was */
	_Atomic uint64_t longest_ns; /* from a change to the last question after it that was answered as before */
	_Atomic uint64_t late;       /* authorizes LATE_MS after a revocation */
	_Atomic uint64_t errors, answers;
};

struct askers;

/** Start so many threads. Ends the program when it cannot. `victims` must live until askers_stop. */
struct askers *askers_start(struct wa_engine *engine, struct victim *victims, size_t count, unsigned threads);
/** End them and free. */
void askers_stop(struct askers *askers);

void victim_expect(struct victim *victim, bool is_wanted);
void victim_changed(struct victim *victim);
/** @return nanoseconds from the change to the first answer that is wanted (0: it came before the directory's); NEVER_NS. */
uint64_t victim_wait(const struct victim *victim, uint64_t timeout_ms);

uint64_t now_ns(void);
void sleep_us(unsigned us);

#endif
