/* SPDX-License-Identifier: Apache-2.0 */
#include <authorizer/epochs.h>

#include <base/memory.h>

struct epochs *epochs_new(void)
{
	return memory_new(sizeof(struct epochs));
}

/*
 * The place first, `now` second: whoever reads `now` in between has a number below the place's, and what he learns counts as out
 * of date. The other way round he could hold the new number while the place still shows the old one.
 */
static void touch(struct epochs *epochs, _Atomic uint64_t *place)
{
	uint64_t number = atomic_load_explicit(&epochs->now, memory_order_relaxed) + 1;

	atomic_store_explicit(place, number, memory_order_release);
	atomic_store_explicit(&epochs->now, number, memory_order_release);
}

void epochs_touch(struct epochs *epochs, uint64_t hash)
{
	touch(epochs, &epochs->last[epochs_bucket(hash)]);
}

void epochs_touch_everything(struct epochs *epochs)
{
	touch(epochs, &epochs->everything);
}
