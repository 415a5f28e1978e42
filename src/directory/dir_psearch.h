/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Persistent search, as 389 Directory Server has it, and how such a server is known again. Pure.
 *
 * It tells of every change, but has no mark of how far it has told. So whoever relies on it has to know that the server that answers is
 * the one that tells: 389's root DSE shows its host and port, and the time when it was started.
 *
 * Decoding is strict (dir_ber.h).
 *
 * Threads: any.
 * Sources: draft-ietf-ldapext-psearch-03; 389-ds-base 2.3.1, src psearch.c, rootdse.c (netscapemdsuffix, dataversion).
 */
#ifndef WSMAUTHZ_DIRECTORY_DIR_PSEARCH_H
#define WSMAUTHZ_DIRECTORY_DIR_PSEARCH_H

#include <base/compiler.h>
#include <base/error.h>
#include <base/text.h>
#include <directory/dir_ber.h>
#include <directory/dir_search.h>
#include <stdbool.h>
#include <stddef.h>

#define DIR_PSEARCH_REQUEST_OID "2.16.840.1.113730.3.4.3"
#define DIR_PSEARCH_NOTICE_OID  "2.16.840.1.113730.3.4.7"

/* The numbers are the protocol's. */
enum dir_psearch_change {
	DIR_PSEARCH_ADD = 1,
	DIR_PSEARCH_DELETE = 2,
	DIR_PSEARCH_MODIFY = 4,
	DIR_PSEARCH_RENAME = 8,
};

/* The Entry Change Notification control of an entry. */
struct dir_psearch_notice {
	enum dir_psearch_change change;
	struct dir_span previous_dn;   /* RENAME; `data` NULL: not said */
	struct dir_span change_number; /* its octets (X.690 8.3); `data` NULL: not said */
};

/** The value of a Persistent Search control: all kinds of changes, changes only, each with its notice. Static. */
struct dir_span dir_psearch_request(void);

/** False, and `notice_out` as it was, when the value is not what the draft says. */
NODISCARD bool dir_psearch_decode_notice(const char *data, size_t length, struct dir_psearch_notice *notice_out);

/** What to ask the root DSE for to know a server again. NULL-terminated. */
extern const char *const dir_psearch_server_attributes[];

/** Whether a text is one that dir_psearch_server makes. */
bool dir_psearch_is_server(const char *text);

/**
 * The server that shows this root DSE, as a text: two servers have two texts, and one has another one when it was started anew.
 *
 * @param server  replaced.
 * @return STATUS_OK; STATUS_NOT_FOUND: it does not show who it is; STATUS_NO_MEMORY.
 */
NODISCARD enum status dir_psearch_server(const struct dir_entry *dse, struct text *server);

#endif
