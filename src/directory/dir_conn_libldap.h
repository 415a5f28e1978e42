/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files dir_conn_libldap*.c share: dir_conn.h on top of OpenLDAP's libldap 2.5 or later.
 *
 *	dir_conn_libldap.c              opening and closing: connect -> secure -> bind
 *	dir_conn_libldap_options.c      every option of a handle, through typed setters
 *	dir_conn_libldap_bind.c         simple and SASL binds
 *	dir_tickets_krb5.c              Kerberos tickets for a bind
 *	dir_conn_libldap_turn.c         a turn: the searches in flight (dir_turn.h names its other files)
 *	dir_conn_libldap_controls.c     what a search asks beside its filter
 *	dir_conn_libldap_entry.c        a message of the library -> struct dir_entry
 *	dir_conn_libldap_certificate.c  why a certificate was not accepted, in words
 *	dir_steps_libldap.c             how far an opening came
 *	dir_io_posix.c                  the socket, below the library
 *
 * How we use the library, and why:
 *  - The socket and its deadlines are ours (dir_io.h): the library never waits for the network on its own.
 *  - A handle has one connection, given to it (ldap_init_fd); LDAP_OPT_KEEPCONN stays on, so that after an
 *    error the library cannot quietly open another one, in clear text and not bound.
 *  - Every answer is taken by ldap_result() without waiting (the library measures its waits with the wall clock); we
 *    wait on the socket.
 *
 * Threads: the one that owns the connection.
 */
#ifndef WSMAUTHZ_DIRECTORY_DIR_CONN_LIBLDAP_H
#define WSMAUTHZ_DIRECTORY_DIR_CONN_LIBLDAP_H

#include <base/compiler.h>
#include <base/error.h>
#include <directory/dir_conn.h>
#include <directory/dir_io.h>
#include <directory/dir_steps.h>
#include <directory/dir_tickets.h>
#include <ldap.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The library remembers the number of every search that was abandoned and never answered, in a sorted array. A
 * connection that has so many is closed between two turns; the next one begins anew.
 */
#define DIR_CONN_MAX_ABANDONED 4096

/*
 * Pages without an entry that may follow one another. AD sends some when a filter is costly; a server
 * that sends nothing else does not get on.
 */
#define DIR_CONN_MAX_EMPTY_PAGES 256

struct dir_conn {
	const struct config_directory *directory; /* borrowed */
	char *uri;                                /* owned */
	LDAP *ld;                                 /* owned */
	bool is_tls;                              /* TLS is in place, and must stay so */
	bool has_refused_server;                  /* the handshake failed, neither for want of time nor of TLS */
	bool is_broken;
	bool has_given_credential;   /* of `tickets`, to the mechanism */
	struct dir_tickets *tickets; /* owned; NULL: the bind is not by Kerberos */
	enum dir_step step;          /* of opening it */
	uint64_t step_began_us[DIR_STEP_DONE + 1];
	size_t abandoned;
	const struct dir_conn_interrupt *interrupt; /* borrowed; NULL: none */
	struct dir_io io;
};

/** libldap takes some strings as not const that it does not change. */
static inline char *dir_conn_unconst(const char *text)
{
	const union {
		const char *given;
		char *taken;
	} same = {.given = text};

	return same.taken;
}

/* What a message of the server was; see dir_conn_next. */
enum dir_arrival { DIR_ARRIVAL_NOTHING = 0, DIR_ARRIVAL_MESSAGE, DIR_ARRIVAL_BROKEN };

/** What has arrived, without waiting. The message is the caller's (ldap_msgfree). */
enum dir_arrival dir_conn_take(struct dir_conn *conn, uint64_t deadline_ms, LDAPMessage **message_out);

/** Wait for bytes, a turn's deadline, or what interrupts the connection. @return false: the deadline came. */
bool dir_conn_wait(struct dir_conn *conn, uint64_t deadline_ms);

/**
 * Wait for the answer to the one operation in flight (StartTLS, bind).
 * @return STATUS_OK; STATUS_TIMEOUT; STATUS_UNREACHABLE.
 */
NODISCARD enum status dir_conn_await(struct dir_conn *conn, int message_id, uint64_t deadline_ms, const char *what,
				     LDAPMessage **message_out, struct error *error);

/** The result code and text of an answer. @return STATUS_OK: `code_out` was read; STATUS_UNREACHABLE: not LDAP. */
NODISCARD enum status dir_conn_result(struct dir_conn *conn, LDAPMessage *message, const char *what, int *code_out,
				      struct error *error);

/**
 * Fill an error for an operation that ended with a code other than success: "could not bind as 'x' to 'ldap://...': invalid
 * credentials (49): <what the server or the library says>".
 */
enum status dir_conn_failure(struct dir_conn *conn, int code, const char *what, struct error *error);

/** The library's or the server's own words about what failed last; free with ldap_memfree. NULL: none. */
char *dir_conn_diagnostic(LDAP *ld);

/* Controls of one search: a page, and those of its flags. */
#define DIR_CONN_MAX_CONTROLS 5

struct dir_conn_controls {
	LDAPControl *list[DIR_CONN_MAX_CONTROLS + 1]; /* NULL-terminated */
	LDAPControl *page;                            /* owned; the others are constants */
};

/**
 * The controls of a search: its flags, and RFC 2696 where it is paged.
 *
 * @param cookie        of the page before; NULL: the first page.
 * @param controls_out  end with dir_conn_controls_done, also after a failure.
 * @return the library's code.
 */
NODISCARD int dir_conn_controls_init(LDAP *ld, const struct dir_search *search, struct berval *cookie,
				     struct dir_conn_controls *controls_out);

void dir_conn_controls_done(struct dir_conn_controls *controls);

/** How a connection of this URI is to be secured. */
enum dir_security { DIR_SECURITY_CLEAR = 0, DIR_SECURITY_STARTTLS, DIR_SECURITY_TLS };

/**
 * Set every option of the handle, whatever configuration files, the environment or the host said.
 *
 * @param verify  false only to look at a certificate that was already refused; nothing is ever sent then.
 * @return STATUS_OK; STATUS_INVALID: one that the library does not take (the CA file, say).
 */
NODISCARD enum status dir_conn_set_options(LDAP *ld, const struct config_directory *directory,
					   enum dir_security security, bool verify, struct error *error);

/** The file of certificates that is believed: the policy's, or the system's. Never NULL. */
const char *dir_conn_ca_file(const struct config_directory *directory);

/** What the layer of a Kerberos bind must count where there is no TLS (RFC 4422 3.7). */
unsigned dir_conn_least_ssf(const struct config_directory *directory);

/** Bind as the policy says. Getting Kerberos tickets may take longer than the deadline. @return as dir_conn_open. */
NODISCARD enum status dir_conn_bind(struct dir_conn *conn, const LDAPURLDesc *url, enum dir_security security,
				    uint64_t deadline_ms, struct error *error);

/** A connected socket and a handle on it, neither secured nor bound. */
NODISCARD enum status dir_conn_attach(struct dir_conn *conn, const LDAPURLDesc *url, uint64_t deadline_ms,
				      struct error *error);

/** StartTLS where it is needed, and the handshake. */
NODISCARD enum status dir_conn_secure(struct dir_conn *conn, enum dir_security security, uint64_t deadline_ms,
				      struct error *error);

/**
 * Say why the handshake failed: asks for the certificate again on a connection of its own, on which
 * nothing is sent, and looks at it. Adds what it finds to `error`, which is set.
 */
void dir_conn_explain_certificate(struct dir_conn *conn, const LDAPURLDesc *url, enum dir_security security,
				  uint64_t deadline_ms, struct error *error);

/** A step of the opening begins; DIR_STEP_DONE: the last one is over. That of connecting is noted by the socket. */
void dir_conn_note_step(struct dir_conn *conn, enum dir_step step);

/** What an opening met, when it is over; `host`: whose name the certificate should have, NULL when the URI has none. */
void dir_conn_tell_steps(struct dir_conn *conn, const char *host, struct dir_steps *steps);

/**
 * Copy an entry out of a message.
 *
 * @param entry_out  lives in `arena`.
 * @return STATUS_OK; STATUS_LIMIT: over the arena's limit; STATUS_NO_MEMORY; STATUS_UNREACHABLE: not LDAP.
 */
NODISCARD enum status dir_conn_read_entry(struct dir_conn *conn, LDAPMessage *message, struct arena *arena,
					  struct dir_entry **entry_out);

#endif
