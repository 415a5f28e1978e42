/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A gate: lets the one who takes something away wait until nobody uses it any more, at next to no cost for those who do.
 *
 *	ticket = gate_enter(gate); p = atomic_load(&shared); ... use *p ...; gate_leave(gate, ticket);    (sequentially consistent)
 *	old = atomic_exchange(&shared, new); gate_wait(gate); free(old);
 *
 * Readers count themselves in and out on one of several counters, each with a cache line of its own, so that threads
 * on different processors do not slow each other down. It needs no thread-local memory, which a DLL must not leave behind.
 * gate_wait ends although new readers enter all the time: it waits for those that entered before it. What a reader did before it
 * left has happened before gate_wait returns.
 *
 * Threads: gate_enter, gate_leave any, also nested; a ticket is left by the thread that entered or by another. gate_wait: one at
 * a time (the caller sees to it), never between one's own enter and leave.
 */
#ifndef WSMAUTHZ_OS_GATE_H
#define WSMAUTHZ_OS_GATE_H

#include <stdatomic.h>
#include <stdint.h>

#define GATE_STRIPES 16
/* Two cache lines: wherever the gate lies in memory, no line has two counters. */
#define GATE_STRIPE_BYTES 128

struct gate_stripe {
	atomic_size_t inside[2]; /* by phase */
	char padding[GATE_STRIPE_BYTES - 2 * sizeof(atomic_size_t)];
};

/* The phase is read by all and hardly ever written: it keeps company with what stands before the gate, not with a counter. */
struct gate {
	atomic_uint phase;
	char padding[GATE_STRIPE_BYTES - sizeof(atomic_uint)];
	struct gate_stripe stripes[GATE_STRIPES];
};

void gate_init(struct gate *gate);

/** @return what gate_leave wants; ticket / 2 is the number of the stripe, for counters of the caller's that are striped alike. */
unsigned gate_enter(struct gate *gate);
void gate_leave(struct gate *gate, unsigned ticket);

/** Return when everybody who had entered before this call has left. Yields, then sleeps in short steps. */
void gate_wait(struct gate *gate);

#endif
