/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session of the watch on a libldap connection:
 *
 *	stage        what is awaited                                     next
 *	READING      the answer to the read of contextCSN                REFRESHING, or IDENTIFYING where there is none
 *	REFRESHING   what changed since that read, and the word that     PERSISTING
 *	             there is no more of it
 *	PERSISTING   changes, as they happen
 *	IDENTIFYING  the server's root DSE                               SETTLING
 *	SETTLING     that a persistent search is under way               PERSISTING
 *
 *	dir_watch_libldap.c       asking, waiting, the read of contextCSN
 *	dir_watch_libldap_sync.c  the messages of the search for changes
 *	dir_watch_libldap_psearch.c  the same of a persistent search, and its proofs
 *
 * dir_conn_open() makes the connection; from then on the messages are taken here, since dir_conn_exchange() passes over
 * those that it does not wait for. Whatever is not as RFC 4533, or the draft, says ends the session.
 *
 * All functions return STATUS_OK to go on. Anything else ends the session, with the error set: STATUS_NOT_FOUND: the server does not
 * offer it; STATUS_CANCELLED: we are to stop; STATUS_NO_MEMORY, STATUS_LIMIT: something could not be told.
 *
 * Threads: the watch's own.
 */
#ifndef WSMAUTHZ_DIRECTORY_DIR_WATCH_LIBLDAP_H
#define WSMAUTHZ_DIRECTORY_DIR_WATCH_LIBLDAP_H

#include <base/compiler.h>
#include <base/error.h>
#include <base/text.h>
#include <directory/dir_conn_libldap.h>
#include <directory/dir_watch_private.h>
#include <ldap.h>
#include <stdbool.h>
#include <stdint.h>

#define DIR_SESSION_NEVER UINT64_MAX

enum dir_session_stage {
	DIR_SESSION_READING = 0,
	DIR_SESSION_REFRESHING,
	DIR_SESSION_PERSISTING,
	DIR_SESSION_IDENTIFYING,
	DIR_SESSION_SETTLING,
};

/* One at a time. */
struct dir_proof {
	uint64_t number;     /* of dir_watch_prove */
	int ping_id;         /* 0: none is asked */
	uint64_t settled_ms; /* it was answered, and then what was on its way has come; 0: not answered */
};

struct dir_session {
	struct dir_watch *watch;
	struct dir_conn *conn;
	enum dir_session_stage stage;
	int read_id, search_id;      /* messages of these operations */
	bool has_pinged;             /* and nothing was heard since */
	uint64_t heard_ms;           /* when the server last said something */
	uint64_t due_ms;             /* the server must have answered by then; or DIR_SESSION_NEVER */
	bool is_psearch;             /* the search is a persistent one: no marks */
	struct dir_proof proof;      /* is_psearch */
	struct text mark;            /* contextCSN, as it was read; is_psearch: who the server is */
	struct text later;           /* the last mark of the refresh stage; it counts when that is over */
	struct text scratch;         /* the mark of a message */
	struct dir_heard_list early; /* told in the refresh stage */
	uint64_t up_since_ms;        /* 0: it is not up */
	struct error *error;         /* the caller's */
};

/** "'ldap://...' <what>" */
enum status dir_session_fail(struct dir_session *session, enum status status, const char *what);
/** An operation ended with this code. */
enum status dir_session_fail_code(struct dir_session *session, enum status status, int code, const char *what);
/** dir_conn_read_entry failed. */
enum status dir_session_fail_entry(struct dir_session *session, enum status status);
/** An event could not be told, or there was no memory for it. */
enum status dir_session_fail_telling(struct dir_session *session, enum status status);
/** STATUS_NOT_FOUND: that code says that the server has no such thing. */
enum status dir_session_not_offered(struct dir_session *session, int code);

/** STATUS_NOT_FOUND: there is no contextCSN, and no persistent search to do without. */
enum status dir_session_no_marks(struct dir_session *session);

/** Send a search. @param attributes  NULL-terminated. @param control  NULL: none. */
NODISCARD enum status dir_session_ask(struct dir_session *session, const char *base, int scope, const char *filter,
				      const char *const *attributes, LDAPControl *control, int *id_out);
/** Ask for nothing, to see that the server is there. */
NODISCARD enum status dir_session_ping(struct dir_session *session, int *id_out);

/** Without contextCSN: begin with IDENTIFYING. */
NODISCARD enum status dir_session_identify(struct dir_session *session);
/** A message, from IDENTIFYING on. */
NODISCARD enum status dir_session_psearch_take(struct dir_session *session, LDAPMessage *message);
/** Nothing is there to take: what is due then. @return false: nothing was, go and wait. */
bool dir_session_psearch_rest(struct dir_session *session, uint64_t now_ms, enum status *status_out);

/** A message of the search for changes. */
NODISCARD enum status dir_session_take_change(struct dir_session *session, LDAPMessage *message);

#endif
