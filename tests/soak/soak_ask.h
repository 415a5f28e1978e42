/* SPDX-License-Identifier: Apache-2.0 */
/* The threads that ask, at a common pace, until as many requests as wanted were made. */
#ifndef SOAK_ASK_H
#define SOAK_ASK_H

#include <soak/soak_calls.h>
#include <stdint.h>

struct ask_plan {
	uint64_t requests, first; /* `first`: the number of the first of them in the log */
	unsigned rate;    /* requests a second, over all threads; when askers were held up they catch up a little */
	unsigned threads; /* of each application */
	uint64_t seed;
};

/** Start the threads; both applications must live until ask_join. */
void ask_start(const struct ask_plan *plan, struct application applications[2]);
/** Nobody asks any more until ask_resume; what is owed comes later. */
void ask_pause(void);
void ask_resume(void);
/** Requests made so far. */
uint64_t ask_count(void);
/** Wait for the end of the threads. */
void ask_join(void);

#endif
