/* SPDX-License-Identifier: Apache-2.0 */
/*
 * After something was changed, gate_wait sees each of the 2 * GATE_STRIPES counters at 0 once. Why that is enough: all that is done to
 * the counters and to what is shared is sequentially consistent, so it has one order. Take a reader, and the moment when
 * gate_wait saw the very counter at 0 on which the reader counted itself.
 *
 *	The reader came before that moment: at 0, whoever had counted himself in had counted himself out. It has left.
 *	It came after: it read what is shared after that, so after the change. It has what is new.
 *
 * So the phase has no part in the proof: a reader that read it long ago may count itself on either counter, and the order of its load
 * does not matter. It is there so that gate_wait ends: turned over, it leads those who come to the other counter, and
 * the one that is waited for runs empty. Both have to be seen, so it turns over twice; what comes between stands on a counter that the
 * second turn waits for. A reader leaves by the counter by which it entered (the ticket says which), so no counter shows less than
 * is inside, and each can be looked at by itself; SRCU, whose readers may change processors, has to sum up.
 */
#include <os/gate.h>

#include <os/thread.h>

/* A reader is inside for less than a microsecond, unless it calls out: look so often before sleeping. */
#define SPINS 64

void gate_init(struct gate *gate)
{
	for (unsigned i = 0; i < GATE_STRIPES; i++) {
		atomic_init(&gate->stripes[i].inside[0], 0);
		atomic_init(&gate->stripes[i].inside[1], 0);
	}
	atomic_init(&gate->phase, 0);
}

/* Stacks lie at least this far apart: the step in which Windows hands out addresses. */
#define STACK_STEP_BITS 16
#define STRIPE_BITS     4

_Static_assert(GATE_STRIPES == 1 << STRIPE_BITS, "a stripe for each value of so many bits");

/*
 * Threads have stacks of their own: the address of a local variable tells them apart well enough. Stacks often lie at equal
 * distances; a multiple of the golden ratio spreads those evenly (Knuth, The Art of Computer Programming 3, 6.4).
 */
static unsigned stripe_of_this_thread(void)
{
	const char local = 0;
	const uint64_t mixed = ((uint64_t)(uintptr_t)&local >> STACK_STEP_BITS) * UINT64_C(0x9E3779B97F4A7C15);

	return (unsigned)(mixed >> (64 - STRIPE_BITS));
}

unsigned gate_enter(struct gate *gate)
{
	const unsigned phase = atomic_load_explicit(&gate->phase, memory_order_relaxed) & 1;
	const unsigned stripe = stripe_of_this_thread();

	atomic_fetch_add(&gate->stripes[stripe].inside[phase], 1);
	return stripe * 2 + phase;
}

void gate_leave(struct gate *gate, unsigned ticket)
{
	atomic_fetch_sub(&gate->stripes[ticket / 2].inside[ticket & 1], 1);
}

static void wait_for_phase(struct gate *gate, unsigned phase)
{
	for (unsigned i = 0; i < GATE_STRIPES; i++)
		for (unsigned spins = 0; atomic_load(&gate->stripes[i].inside[phase]) != 0; spins++)
			thread_pause(spins < SPINS ? 0 : 1);
}

void gate_wait(struct gate *gate)
{
	for (int turn = 0; turn < 2; turn++)
		wait_for_phase(gate, atomic_fetch_add(&gate->phase, 1) & 1);
}
