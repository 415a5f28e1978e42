/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One LDAP connection, owned by one thread.
 *
 * A libldap or wldap32 handle that two threads use stalls the second for as long as the first
 * waits for an answer (measured on both). So a connection works in turns: its thread calls
 * dir_conn_exchange() with everything that waits, which sends all of it, pipelined, and collects every
 * answer. What arrives meanwhile forms the next turn.
 *
 *	dir_conn_open       connect, StartTLS, bind: all of it within the deadline
 *	dir_conn_exchange   a turn
 *	dir_conn_ping       a cheap question, to keep the connection alive and know that it is, and whether the server is of use
 *	dir_conn_end_ms     when it must be made anew
 *	dir_conn_close
 *
 * A connection that answered STATUS_UNREACHABLE or STATUS_TIMEOUT is broken: close it.
 *
 * Implemented by dir_conn_libldap.c (and dir_conn_wldap32.c on Windows); by tests/support/dir_conn_fake.c
 * in tests of the pool.
 *
 * Sources: RFC 4511 (4.2 bind, 4.5 search, 4.11 abandon, 4.14 StartTLS), RFC 4513 (5.1.2: an
 * empty password is an unauthenticated bind, so it is never sent).
 */
#ifndef WSMAUTHZ_DIRECTORY_DIR_CONN_H
#define WSMAUTHZ_DIRECTORY_DIR_CONN_H

#include <base/compiler.h>
#include <base/error.h>
#include <base/log.h>
#include <config/config.h>
#include <directory/dir_search.h>
#include <directory/dir_wake.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Searches in flight on one connection. slapd closes a connection with more than 1000 pending. */
#define DIR_CONN_WINDOW 64

struct dir_conn;

/**
 * Prepare the process for the library: once, before the first connection and before threads of
 * ours exist. Makes libldap ignore ldap.conf, ldaprc and LDAP* variables (it reads them at its first call).
 * Threads: only from the engine's opening, which serialises it.
 */
void dir_conn_prepare_process(void);

/**
 * Connect, secure and bind.
 *
 * The certificate and its name are verified always; StartTLS that fails is a failure, never clear text; an
 * anonymous bind happens only for CONFIG_BIND_ANONYMOUS. Costs at most until `deadline_ms` and
 * no CPU while it waits, also when the server accepts and then says nothing, stops in the middle, or sends a
 * byte at a time. Two things inside have time-outs of their own, which may be longer: the system's name
 * resolution, and a Kerberos library that asks its KDC (dir_tickets.h); what the latter takes is put on top of the deadline.
 *
 * @param directory   the security settings; borrowed for the life of the connection.
 * @param uri         which of its servers.
 * @param deadline_ms clock_monotonic_ms().
 * @return STATUS_OK; STATUS_TIMEOUT; STATUS_UNREACHABLE (refused, reset, TLS failure: `what` says
 *         which certificate check); STATUS_REFUSED (the server rejected the bind, or offers no StartTLS);
 *         STATUS_INVALID (an option the library does not take); STATUS_NO_MEMORY.
 */
NODISCARD enum status dir_conn_open(const struct config_directory *directory, const char *uri, uint64_t deadline_ms,
				    struct dir_conn **conn_out, struct error *error);

/** NULL-safe; sets the pointer to NULL; does not wait for the server. */
void dir_conn_close(struct dir_conn **conn);

/**
 * When the server will end the connection because the ticket that it was bound with ends, in clock_monotonic_ms();
 * UINT64_MAX: never, or not known. (Active Directory and Samba do; MIT's and OpenLDAP's servers do not.)
 */
uint64_t dir_conn_end_ms(const struct dir_conn *conn);

/** Bytes that came from the server, as they were on the wire, since it was opened: a connection that is not closed only counts up. */
uint64_t dir_conn_received(const struct dir_conn *conn);

/** One search of a turn and its own deadline. */
struct dir_turn {
	struct dir_search *search;
	uint64_t deadline_ms; /* clock_monotonic_ms(); a search that is late is abandoned with DIR_OUTCOME_TIMEOUT */
};

/**
 * Send every search (at most DIR_CONN_WINDOW in flight) and collect every answer.
 * On return each search has an outcome other than DIR_OUTCOME_NONE. Referrals and continuation references
 * are not chased: a referral result is DIR_OUTCOME_REFERRAL, references among entries are skipped.
 *
 * @return STATUS_OK when the connection is still good; STATUS_UNREACHABLE when it is not (what was
 *         not answered has DIR_OUTCOME_BAD_CONNECTION); STATUS_TIMEOUT when all that was left timed
 *         out and the server answered nothing in this turn (treat the connection as dead).
 */
NODISCARD enum status dir_conn_exchange(struct dir_conn *conn, struct dir_turn *turns, size_t count,
					struct error *error);

/* What ends a wait of dir_conn_exchange before its time. */
struct dir_conn_interrupt {
	struct dir_wake *wake;            /* looked at while it waits */
	bool (*is_wanted)(void *context); /* after each wait: true breaks the connection */
	void *context;
};

/** @param interrupt  borrowed for the life of the connection. Threads: the one that owns the connection. */
void dir_conn_interrupt_by(struct dir_conn *conn, const struct dir_conn_interrupt *interrupt);

/**
 * Between two turns: wait for the deadline, or for what interrupts the connection (dir_conn_interrupt_by was called). May return for
 * nothing. @return STATUS_OK; STATUS_UNREACHABLE: the connection has ended.
 */
NODISCARD enum status dir_conn_listen(struct dir_conn *conn, uint64_t deadline_ms, struct error *error);

/**
 * Ask the root DSE whether the server's data are whole (dir_conn_ping.c, for every library).
 *
 * @param is_synchronized_out  on STATUS_OK: false when it says isSynchronized: FALSE, as a domain controller does that was just promoted,
 *                             restored or started and has not replicated since: it may answer with what was true long ago.
 *                             True where the server does not tell (OpenLDAP, 389 Directory Server, and what hides its root DSE).
 * @return STATUS_OK; STATUS_UNREACHABLE (broken, or too busy to say); STATUS_TIMEOUT; STATUS_NO_MEMORY: ours, the connection is good.
 * Sources: MS-ADTS 3.1.1.3.2 (isSynchronized).
 */
NODISCARD enum status dir_conn_ping(struct dir_conn *conn, uint64_t deadline_ms, bool *is_synchronized_out,
				    struct error *error);

#endif
