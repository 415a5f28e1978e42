/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Kerberos tickets of one connection, in a cache of its own in memory: a ticket-granting ticket, the ticket for the
 * LDAP service of one server, and the credential that hands them to the mechanism.
 *
 * Where they come from
 *	bind/@keytab            asked of the KDC with the key
 *	bind/@credential-cache  copied from a file that another program keeps fresh
 *	neither                 copied from the process's own cache, else asked with its client keytab; when it has neither, the
 *	                        mechanism is left to find credentials by itself (gssproxy, say)
 *	Each file is read anew each time. Nothing is ever written to a cache that is not ours, and no environment variable is set.
 *	Only ticket-granting tickets are copied: an old ticket for the service may name a key that the server has changed.
 *
 * Why each connection has its own, instead of one set for the pool: no lock is held, and no connection waits for another, while
 * a KDC hangs; and a new connection never inherits a ticket that has grown old or wrong. It costs the KDC two exchanges for a
 * connection.
 *
 * The Kerberos library asks the KDC on the calling thread and knows no deadline. By MIT Kerberos 1.20 (sendto_kdc.c) a KDC that
 * never answers costs at most 14 s and up to 6 s for each address of the realm's KDCs, for each of the two exchanges.
 *
 * Sources: RFC 4120; the credential store of MIT Kerberos (gss_acquire_cred_from). On Windows the system does all this.
 * Threads: one at a time; different tickets by different threads at will.
 */
#ifndef WSMAUTHZ_DIRECTORY_DIR_TICKETS_H
#define WSMAUTHZ_DIRECTORY_DIR_TICKETS_H

#include <base/compiler.h>
#include <base/error.h>
#include <config/config.h>
#include <stdbool.h>
#include <stdint.h>

struct dir_tickets;

/** Whether the policy's bind is by Kerberos: GSSAPI or GSS-SPNEGO. */
bool dir_tickets_are_wanted(const struct config_directory *directory);

/**
 * Get the tickets for a bind. May take long, see above.
 *
 * @param directory    how to bind; read in this call only.
 * @param host         of the server, as the URI names it; NULL: only the ticket-granting ticket.
 * @param tickets_out  dir_tickets_free.
 * @return STATUS_OK; STATUS_UNREACHABLE, STATUS_REFUSED (do not try again soon, see dir_bind_trouble_status),
 *         STATUS_INVALID (a principal that is not one, a file that others may read); STATUS_NO_MEMORY. The error says
 *         what is to blame.
 */
NODISCARD enum status dir_tickets_get(const struct config_directory *directory, const char *host,
				      struct dir_tickets **tickets_out, struct error *error);

/** A gss_cred_id_t; NULL: the mechanism finds its own. Borrowed. */
void *dir_tickets_credential(const struct dir_tickets *tickets);

/** When the first of them ends, in clock_monotonic_ms(); UINT64_MAX: not known. */
uint64_t dir_tickets_end_ms(const struct dir_tickets *tickets);

/** NULL-safe; sets the pointer to NULL. Not before the connection that uses them is closed. */
void dir_tickets_free(struct dir_tickets **tickets);

#endif
