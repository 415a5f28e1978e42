/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls and their completions. Each call is a record under its own key; a completion for a record that is owed none is counted, and so is one
 * that is not as the contract has it. Records are used again only after CALLS_ROOM others, so that a late second completion is seen.
 */
#ifndef SOAK_CALLS_H
#define SOAK_CALLS_H

#include <host/host.h>
#include <soak/soak_senders.h>
#include <stdbool.h>
#include <stdint.h>

#define CALLS_ROOM 2048

/* One plug-in context: an application of the host. */
struct application {
	const struct plugin_file *file;
	PVOID context;
	bool is_asynchronous;
	uint8_t number;
};

struct calls_figures {
	uint64_t made, completed, extra, off_contract;
};

/**
 * Make a call and write its record; waits for the completion where the application is synchronous, and where as many calls wait as there
 * may be.
 */
void calls_ask(struct application *application, enum call_kind kind, uint32_t sender, uint64_t number);
/** Wait until nothing is owed, or the time is over. */
bool calls_wait_all(unsigned timeout_ms);
/** Release every context that is still held. Nothing may be owed. */
void calls_release(void);
struct calls_figures calls_figures(void);

#endif
