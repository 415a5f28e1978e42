/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What LDAP content synchronization puts into controls and intermediate responses, and what OpenLDAP puts into its cookies. Pure.
 *
 * Decoding is strict (dir_ber.h): every element has the type, the order and the extent that RFC 4533 says, nothing stands behind the
 * last one. It copies nothing: spans point into the value that was decoded.
 *
 * Threads: any.
 * Sources: RFC 4533 sections 2.2 to 2.5 and appendix (IMPLICIT TAGS); X.690; slapd's syncrepl cookies, as slap_compose_sync_cookie()
 * of OpenLDAP 2.4 to 2.6 writes them.
 */
#ifndef WSMAUTHZ_DIRECTORY_DIR_SYNC_H
#define WSMAUTHZ_DIRECTORY_DIR_SYNC_H

#include <base/compiler.h>
#include <base/error.h>
#include <base/text.h>
#include <directory/dir_ber.h>
#include <directory/dir_search.h>
#include <stdbool.h>
#include <stddef.h>

#define DIR_SYNC_REQUEST_OID "1.3.6.1.4.1.4203.1.9.1.1"
#define DIR_SYNC_STATE_OID   "1.3.6.1.4.1.4203.1.9.1.2"
#define DIR_SYNC_DONE_OID    "1.3.6.1.4.1.4203.1.9.1.3"
#define DIR_SYNC_INFO_OID    "1.3.6.1.4.1.4203.1.9.1.4"

/* "8-4-4-4-12", with the NUL. */
#define DIR_SYNC_ID_BYTES 37
/* Values of contextCSN: one a server id, and slapd has 4096 of them. */
#define DIR_SYNC_MAX_VALUES 4096

/* The numbers are the protocol's. */
enum dir_sync_state { DIR_SYNC_PRESENT = 0, DIR_SYNC_ADD, DIR_SYNC_MODIFY, DIR_SYNC_DELETE };

/* The Sync State control of an entry. */
struct dir_sync_entry {
	enum dir_sync_state state;
	char id[DIR_SYNC_ID_BYTES]; /* entryUUID as its attribute shows it, lower case */
	struct dir_span cookie;
};

/* The Sync Done control of the result. */
struct dir_sync_done {
	struct dir_span cookie;
	bool refresh_deletes;
};

enum dir_sync_info_kind {
	DIR_SYNC_NEW_COOKIE = 0,
	DIR_SYNC_REFRESH_DELETE,
	DIR_SYNC_REFRESH_PRESENT,
	DIR_SYNC_ID_SET,
};

/* A Sync Info message. */
struct dir_sync_info {
	enum dir_sync_info_kind kind;
	struct dir_span cookie;
	bool refresh_done;    /* REFRESH_DELETE, REFRESH_PRESENT */
	bool refresh_deletes; /* ID_SET: those entries are gone; else they are there, unchanged */
	struct dir_span ids;  /* ID_SET: for dir_sync_next_id */
};

/**
 * The value of a Sync Request control: refreshAndPersist, without a reload hint.
 *
 * @param value  replaced; NULs are among its bytes.
 * @return STATUS_OK, STATUS_NO_MEMORY.
 */
NODISCARD enum status dir_sync_encode_request(const char *cookie, struct text *value);

/* Each returns false, and leaves its output as it was, when the value is not what the RFC says. */
NODISCARD bool dir_sync_decode_entry(const char *data, size_t length, struct dir_sync_entry *entry_out);
NODISCARD bool dir_sync_decode_done(const char *data, size_t length, struct dir_sync_done *done_out);
NODISCARD bool dir_sync_decode_info(const char *data, size_t length, struct dir_sync_info *info_out);

/** The next id of an ID_SET, taken from `info->ids`; false: there is none. */
NODISCARD bool dir_sync_next_id(struct dir_sync_info *info, char id_out[DIR_SYNC_ID_BYTES]);

/**
 * Values of contextCSN as one text: sorted (they come in no order), joined by blanks.
 *
 * @param mark  replaced.
 * @return STATUS_OK; STATUS_NOT_FOUND: no values; STATUS_INVALID: one is no CSN; STATUS_LIMIT; STATUS_NO_MEMORY.
 */
NODISCARD enum status dir_sync_join_values(const struct dir_value *values, size_t count, struct text *mark);

/** The CSNs of a cookie ("rid=000,sid=001,csn=a;b"), likewise. STATUS_NOT_FOUND: it has none. */
NODISCARD enum status dir_sync_mark_of_cookie(struct dir_span cookie, struct text *mark);

/** The cookie that asks for everything since such a mark. @return STATUS_OK, STATUS_NO_MEMORY. */
NODISCARD enum status dir_sync_cookie_of_mark(const char *mark, struct text *cookie);

#endif
