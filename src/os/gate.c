/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Readers count themselves on the counter of the phase that they saw. gate_wait turns the phase over, so that those who come later count
 * on the other counter, and waits for the old one to run empty: twice, because a reader that read the phase and was then
 * held up may count itself on either. A reader that counts itself only after its counter was seen empty does so after the change
 * that is waited for, and reads what is new.
 *
 * "Counts itself, then reads what is shared" against "changes what is shared, then reads the counters" is Dekker's pattern: all four
 * are sequentially consistent, or each could miss the other.
 */
#include <os/gate.h>

#include <os/thread.h>

/* Yield so often before sleeping. */
#define SPINS 64

void gate_init(struct gate *gate)
{
	for (unsigned i = 0; i < GATE_STRIPES; i++) {
		atomic_init(&gate->stripes[i].inside[0], 0);
		atomic_init(&gate->stripes[i].inside[1], 0);
	}
	atomic_init(&gate->phase, 0);
}

/* Threads have stacks of their own, far apart: the address of a local variable tells them apart well enough. */
static unsigned stripe_of_this_thread(void)
{
	const char local = 0;
	const uint64_t mixed = ((uint64_t)(uintptr_t)&local >> 16) * UINT64_C(0x9E3779B97F4A7C15);

	return (unsigned)(mixed >> 60);
}

_Static_assert(GATE_STRIPES == 16, "four bits of the hash");

unsigned gate_enter(struct gate *gate)
{
	const unsigned phase = atomic_load_explicit(&gate->phase, memory_order_relaxed) & 1;
	const unsigned stripe = stripe_of_this_thread();

	atomic_fetch_add(&gate->stripes[stripe].inside[phase], 1);
	return stripe * 2 + phase;
}

void gate_leave(struct gate *gate, unsigned ticket)
{
	atomic_fetch_sub_explicit(&gate->stripes[ticket / 2].inside[ticket & 1], 1, memory_order_release);
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
