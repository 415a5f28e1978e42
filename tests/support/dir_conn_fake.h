/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stands in for src/directory/dir_conn_libldap*.c and dir_conn_ping.c at link time: servers that do what a test says, by their URI.
 *
 *	dir_conn_fake_reset();
 *	dir_conn_fake_script("ldap://a", FAKE_OPEN_HANGS, FAKE_ANSWERS);
 *	... dir_pool_open ...
 *	dir_conn_fake_script("ldap://a", FAKE_OPEN_WORKS, FAKE_ANSWERS);      what hangs looks again
 *
 * A server that was never named works. The first ping of a connection belongs to its opening: it is answered as that, at once, and not counted. Every wait ends at its deadline, or when the script changes.
 *
 * Threads: any; a connection belongs to one at a time, which is checked.
 */
#ifndef WSMAUTHZ_TESTS_SUPPORT_DIR_CONN_FAKE_H
#define WSMAUTHZ_TESTS_SUPPORT_DIR_CONN_FAKE_H

#include <directory/dir_conn.h>
#include <stdint.h>

enum fake_open {
	FAKE_OPEN_WORKS = 0,
	FAKE_OPEN_FAILS,          /* at once: nobody listens */
	FAKE_OPEN_REFUSES,        /* at once: a wrong password */
	FAKE_OPEN_HANGS,          /* until its deadline */
	FAKE_OPEN_UNSYNCHRONIZED, /* it works, and says that its data are not whole */
	FAKE_OPEN_STUCK,          /* until the script changes, whatever the deadline: a name server that hangs */
};

enum fake_exchange {
	FAKE_ANSWERS = 0, /* one entry each, whose DN is the search's base */
	FAKE_BREAKS,      /* after the entries of the first search */
	FAKE_BREAKS_SOME, /* one turn of seven breaks */
	FAKE_BREAKS_BASE, /* breaks when a search has the base "poison" */
	FAKE_IS_BUSY,
	FAKE_HANGS,      /* until the deadlines */
	FAKE_HOLDS_BASE, /* as FAKE_HOLDS when a search has the base "hold", else answers */
	FAKE_HOLDS,      /* until the script changes, then looks again; deadlines count */
};

/** All servers work, all counters are 0. Not while a pool is open. */
void dir_conn_fake_reset(void);

void dir_conn_fake_script(const char *uri, enum fake_open open, enum fake_exchange exchange);

/** Each turn takes this long. */
void dir_conn_fake_delay(uint64_t delay_ms);

/** Connections of this server that are opened from now on have a ticket that ends after so long; 0: none. */
void dir_conn_fake_ticket(const char *uri, uint64_t ticket_ms);

/* Counters since dir_conn_fake_reset, of one server. */
struct fake_counts {
	unsigned opens;     /* attempts */
	unsigned live;      /* connections now */
	unsigned exchanges; /* begun */
	unsigned searches;
	unsigned pings;
	unsigned most_searches; /* of one turn */
};
struct fake_counts dir_conn_fake_counts(const char *uri);

#endif
