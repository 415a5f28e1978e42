/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a server can be reached: a connection by TCP that is closed again.
 *
 * wldap32 says "server down" of a name that nobody knows, of a port that nobody listens at and of a firewall alike, and Wine's connects
 * without any deadline. So it is tried before: with a deadline, and with the system's own word for what is wrong.
 *
 * Threads: any. May take longer than the deadline in name resolution (dir_aside.h).
 */
#ifndef WSMAUTHZ_DIRECTORY_DIR_REACH_H
#define WSMAUTHZ_DIRECTORY_DIR_REACH_H

#include <base/compiler.h>
#include <base/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An address as people write it. */
#define DIR_REACH_ADDRESS_BYTES 64

struct dir_reach {
	uint64_t resolved_us; /* when the host's addresses were known (clock_monotonic_us()); 0: they are not */
	size_t address_count;
	char address[DIR_REACH_ADDRESS_BYTES]; /* the one that was tried last */
	bool is_loopback;                      /* ... is this machine's own */
};

/**
 * @param host       a name, or an address without brackets.
 * @param reach_out  filled as far as it came, also on failure.
 * @return STATUS_OK, STATUS_TIMEOUT, STATUS_UNREACHABLE.
 */
NODISCARD enum status dir_reach(const char *host, unsigned port, uint64_t deadline_ms, struct dir_reach *reach_out,
				struct error *error);

#endif
