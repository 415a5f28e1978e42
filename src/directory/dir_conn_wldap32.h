/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files dir_conn_wldap32*.c share: dir_conn.h on top of Windows' wldap32 (and Wine's, for tests).
 *
 *	dir_conn_wldap32.c              opening and closing: connect -> secure -> bind
 *	dir_conn_wldap32_options.c      every option of a handle, through typed setters
 *	dir_conn_wldap32_bind.c         simple binds, and the service's own identity
 *	dir_tickets_sspi.c              Kerberos tickets are the system's affair
 *	dir_conn_wldap32_turn.c         a turn: the searches in flight (dir_turn.h names its other files)
 *	dir_conn_wldap32_controls.c     what a search asks beside its filter
 *	dir_conn_wldap32_entry.c        a message of the library -> struct dir_entry
 *	dir_conn_wldap32_certificate.c  the library asks whether a certificate is to be believed (dir_trust.h decides)
 *	dir_conn_wldap32_text.c         UTF-8 and UTF-16
 *	dir_steps_wldap32.c             how far an opening came
 *	dir_reach_windows.c             whether the server is there, before the library is asked
 *
 * How we use the library, and why:
 *  - The socket is the library's, and most of its calls that open a connection know no deadline. So all of the opening runs aside
 *    (dir_aside.h): who waits gets a connection or, at the deadline, leaves it. What runs there uses nothing but the connection, which holds
 *    copies of all that it needs: the policy may be gone by then.
 *  - Searches are sent and waited for by the thread that owns the connection. Waiting has a deadline in the library; should a
 *    call not come back all the same (Wine's waits for the rest of a message for ever), a guard (dir_guard.h) shuts the socket down, which
 *    ends it (measured).
 *  - Each answer is awaited by the number of its search, the oldest first: LDAP_RES_ANY is not implemented by Wine. What comes for others
 *    meanwhile is kept by the library.
 *  - No automatic reconnect: the library would send searches on a connection that is neither checked nor bound as ours is.
 *  - The library shows neither controls of entries nor intermediate responses, so OpenLDAP is watched by polling (dir_watch_polled.c).
 *
 * Threads: the one that owns the connection; while it is opened, the one aside.
 */
#ifndef WSMAUTHZ_DIRECTORY_DIR_CONN_WLDAP32_H
#define WSMAUTHZ_DIRECTORY_DIR_CONN_WLDAP32_H

/* The sockets first: <windows.h> alone would declare those of another age. */
#include <dir_socket.h>

#include <windows.h>

#include <winldap.h>

#include <winber.h>

#include <base/compiler.h>
#include <base/error.h>
#include <directory/dir_conn.h>
#include <directory/dir_guard.h>
#include <directory/dir_reach.h>
#include <directory/dir_steps.h>
#include <directory/dir_trust.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Searches that were given up on one connection. A connection that has so many is closed between two turns; the next one begins anew, and the
 * library with it.
 */
#define DIR_CONN_MAX_ABANDONED 4096

/*
 * Pages without an entry that may follow one another. AD sends some when a filter is costly; a server
 * that sends nothing else does not get on.
 */
#define DIR_CONN_MAX_EMPTY_PAGES 256

/* A call that is this late does not come back by itself. */
#define DIR_CONN_GRACE_MS 500

/** How a connection of this URI is to be secured. */
enum dir_security { DIR_SECURITY_CLEAR = 0, DIR_SECURITY_STARTTLS, DIR_SECURITY_TLS };

/* A copy of what the policy says of the bind. */
struct dir_conn_credential {
	enum config_bind kind;
	WCHAR *dn;       /* owned; simple */
	WCHAR *password; /* owned, wiped; simple */
	char *shown_dn;  /* owned; for messages */
};

/* Both ends of a connection by TCP: no two have the same. */
struct dir_conn_ends {
	struct sockaddr_storage own, peer;
	int own_length, peer_length;
};

struct dir_conn {
	char *uri;        /* owned */
	char *host;       /* owned; without brackets */
	WCHAR *wide_host; /* owned */
	unsigned port;
	enum dir_security security;
	int tls_minimum;                       /* 12 or 13 */
	struct dir_trust *trust;               /* owned; NULL: no TLS */
	char *ca_file;                         /* owned; for messages; NULL: the system's authorities */
	struct dir_conn_credential credential; /* owned */
	uint64_t deadline_ms;                  /* of the opening */
	struct dir_steps *late_steps;   /* the caller's, to be filled when it leaves the opening; NULL: not wanted */
	DWORD opened_by;                /* the thread aside */
	struct dir_conn *next_expected; /* guarded by the list's lock (dir_conn_wldap32_certificate.c) */

	LDAP *ld;    /* owned */
	bool is_tls; /* TLS is in place, and the certificate was checked */
	bool is_broken;
	size_t abandoned;
	const struct dir_conn_interrupt *interrupt; /* borrowed; NULL: none */
	struct dir_guard guard;                     /* of turns */
	atomic_bool is_cut;                         /* by the guard */
	atomic_uintptr_t socket;                    /* the library's; INVALID_SOCKET: not known */
	struct dir_conn_ends ends;                  /* of the socket; written before `socket`, once */

	/* The opening, as the thread aside leaves it behind. */
	enum status status;
	struct error error;
	enum status trust_status; /* of the certificate; STATUS_NOT_FOUND: none was shown */
	struct error trust_error;
	bool has_certificate;
	struct dir_certificate certificate;
	char tls_version[DIR_STEPS_WORD_BYTES], tls_cipher[DIR_STEPS_WORD_BYTES];
	struct dir_reach reach;
	/* ... and what may be looked at while it runs. */
	atomic_int step; /* enum dir_step */
	atomic_uint_least64_t step_began_us[DIR_STEP_DONE + 1];
};

/* UTF-8 and UTF-16: dir_conn_wldap32_text.c */

/** NUL-terminated; owned by the caller (memory_free). @return STATUS_OK; STATUS_NO_MEMORY; STATUS_INVALID: not UTF-8, or NULs in it. */
NODISCARD enum status dir_conn_widen(const char *text, WCHAR **wide_out);
/** The same back; it may hold anything. */
NODISCARD enum status dir_conn_narrow(const WCHAR *wide, char **text_out);

/**
 * What has arrived for one operation, waiting for it until `deadline_ms` at most (or what interrupts the connection).
 *
 * @param message_out  the caller's (ldap_msgfree); NULL: nothing came.
 * @return its type (LDAP_RES_SEARCH_ENTRY, ...; Wine does not write it into the message), DIR_CONN_NOTHING, or DIR_CONN_LOST: the
 *         connection is broken, and marked as such.
 */
ULONG dir_conn_take(struct dir_conn *conn, ULONG message_id, uint64_t deadline_ms, LDAPMessage **message_out);

#define DIR_CONN_NOTHING 0U
#define DIR_CONN_LOST    ((ULONG)-1)

/**
 * Fill an error for an operation that ended with a code other than success: "could not bind to 'ldap://...': invalid
 * credentials (49): <what the server or the library says>".
 *
 * @param text  the server's words; NULL: none.
 */
enum status dir_conn_failure(struct dir_conn *conn, ULONG code, const char *text, const char *what,
			     struct error *error);

/** The library has a socket now, perhaps: note it. */
void dir_conn_note_socket(struct dir_conn *conn);

/* Controls of one search: a page, and those of its flags. */
#define DIR_CONN_MAX_CONTROLS 5

struct dir_conn_controls {
	LDAPControlW *list[DIR_CONN_MAX_CONTROLS + 1]; /* NULL-terminated */
	LDAPControlW *page;                            /* owned; the others are constants */
};

/**
 * The controls of a search: its flags, and RFC 2696 where it is paged.
 *
 * @param cookie        of the page before; NULL: the first page.
 * @param controls_out  end with dir_conn_controls_done, also after a failure.
 * @return the library's code.
 */
NODISCARD ULONG dir_conn_controls_init(LDAP *ld, const struct dir_search *search, struct berval *cookie,
				       struct dir_conn_controls *controls_out);

void dir_conn_controls_done(struct dir_conn_controls *controls);

/**
 * Set every option of the handle, before it is connected.
 * @return STATUS_OK; STATUS_INVALID: one that the policy's security needs, and that the library does not take.
 */
NODISCARD enum status dir_conn_set_options(struct dir_conn *conn, struct error *error);

/** The library calls this with the server's certificate. It is given as LDAP_OPT_SERVER_CERTIFICATE. */
BOOLEAN LDAPAPI dir_conn_verify(PLDAP ld, PCCERT_CONTEXT certificate);
/** From now on dir_conn_verify knows the handle; until dir_conn_forget. */
void dir_conn_expect(struct dir_conn *conn);
void dir_conn_forget(struct dir_conn *conn);

/** TLS is up: was the certificate checked, and is the protocol new enough? @return STATUS_OK; STATUS_UNREACHABLE; STATUS_INVALID (it cannot be told). */
NODISCARD enum status dir_conn_check_tls(struct dir_conn *conn, struct error *error);

/** Copy what the policy says of the bind. @return STATUS_OK; STATUS_INVALID: not with this library; STATUS_NO_MEMORY. */
NODISCARD enum status dir_conn_credential_init(struct dir_conn_credential *credential,
					       const struct config_directory *directory, struct error *error);
void dir_conn_credential_done(struct dir_conn_credential *credential);

/** Bind. Aside. @return as dir_conn_open. */
NODISCARD enum status dir_conn_bind(struct dir_conn *conn, struct error *error);

/** A step of the opening begins; DIR_STEP_DONE: the last one is over. */
void dir_conn_note_step(struct dir_conn *conn, enum dir_step step);

/** What an opening met. @param is_over  false: the thread aside is in it still. */
void dir_conn_tell_steps(const struct dir_conn *conn, bool is_over, struct dir_steps *steps);

/**
 * Copy an entry out of a message.
 *
 * @param entry_out  lives in `arena`.
 * @return STATUS_OK; STATUS_LIMIT: over the arena's limit; STATUS_NO_MEMORY; STATUS_UNREACHABLE: not LDAP; STATUS_INVALID: it
 *         has an attribute twice, and the library shows the first part only (dir_conn_wldap32_entry.c).
 */
NODISCARD enum status dir_conn_read_entry(struct dir_conn *conn, LDAPMessage *message, struct arena *arena,
					  struct dir_entry **entry_out);

#endif
