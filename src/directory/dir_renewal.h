/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When a connection is replaced by a new one, because the Kerberos ticket that it was bound with ends (dir_conn_end_ms) and the
 * server ends the connection with it.
 *
 * Threads: any.
 */
#ifndef WSMAUTHZ_DIRECTORY_DIR_RENEWAL_H
#define WSMAUTHZ_DIRECTORY_DIR_RENEWAL_H

#include <stdint.h>

/**
 * A fifth of what is left of the ticket before its end, at most `ahead_ms`; and a random part of that, up to its half, earlier
 * still, so that hosts that started together do not ask together.
 *
 * @param end_ms    of the ticket, on the monotonic clock; UINT64_MAX: none.
 * @param again_ms  a ticket that has ended already: so long after now.
 * @return on the monotonic clock; UINT64_MAX: never.
 */
uint64_t dir_renewal_due_ms(uint64_t end_ms, uint64_t now_ms, uint64_t ahead_ms, uint64_t again_ms);

#endif
