/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A search and its answer: what travels between those who ask and the connection that carries it.
 *
 * The asker fills the upper part and owns everything; the connection fills the lower part. Entries
 * live in the search's arena, or go one by one to `on_entry` while they arrive (for answers too
 * large to keep), on the connection's thread.
 *
 * Sources: RFC 4511 section 4.5; RFC 2696 (paging).
 */
#ifndef WSMAUTHZ_DIRECTORY_DIR_SEARCH_H
#define WSMAUTHZ_DIRECTORY_DIR_SEARCH_H

#include <base/arena.h>
#include <base/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum dir_scope { DIR_SCOPE_BASE = 0, DIR_SCOPE_ONE, DIR_SCOPE_SUBTREE };

/*
 * What became of a search, in our words. Zero is "no answer": nothing may be concluded from it.
 * Only OK and NO_SUCH_OBJECT say something about the directory's content; every other value is
 * "unknown", never "no".
 */
enum dir_outcome {
	DIR_OUTCOME_NONE = 0,       /* not answered (yet) */
	DIR_OUTCOME_OK,             /* complete: all entries that match and that we may see */
	DIR_OUTCOME_NO_SUCH_OBJECT, /* the search base does not exist, or is hidden from us */
	DIR_OUTCOME_LIMIT, /* a size, time or administrative limit of the server, or ours: entries may be missing */
	DIR_OUTCOME_INCOMPLETE, /* an entry changed or vanished while its values were read, or nobody knows what is missing */
	DIR_OUTCOME_BUSY,       /* the server is busy, unavailable or unwilling: try another */
	DIR_OUTCOME_NOT_PERMITTED,  /* the bound account may not ask this */
	DIR_OUTCOME_REFERRAL,       /* the answer is elsewhere; we do not chase */
	DIR_OUTCOME_REFUSED,        /* the server does not understand or accept the search: trying again is useless */
	DIR_OUTCOME_BAD_CONNECTION, /* the connection broke, or said something that is not LDAP */
	DIR_OUTCOME_TIMEOUT,        /* the deadline passed */
	DIR_OUTCOME_UNAVAILABLE,    /* no server could be asked (all in back-off, or shutting down) */
	DIR_OUTCOME_NO_MEMORY,
};

/** "ok", "no-such-object", ... Never NULL. */
const char *dir_outcome_word(enum dir_outcome outcome);

/** The outcome for an LDAP result code (RFC 4511 section 4.1.9) or a negative code of libldap. */
enum dir_outcome dir_outcome_of_code(int code);

struct dir_value {
	const char *data; /* any bytes; a NUL stands behind the last */
	size_t length;
};

struct dir_attribute {
	/* As the server spelled it, options included, but never "member;range=0-1499": the connection reads all ranges (dir_range.h). */
	const char *name;
	struct dir_value *values;
	size_t value_count;
};

struct dir_entry {
	const char *dn; /* NUL-terminated; the entry's own DN */
	/*
	 * What stays the entry's own when it is renamed, and never becomes another's: its entryUUID, nsUniqueId, or objectSid
	 * ("S-1-5-..."), the first of these that it shows with a single value. NULL: none.
	 */
	const char *id;
	struct dir_attribute *attributes;
	size_t attribute_count;
	struct dir_entry *next; /* of the same search, in the order in which they were whole */
};

/** The attribute of that name (without case), or NULL. */
const struct dir_attribute *dir_entry_attribute(const struct dir_entry *entry, const char *name);

/** Its only value; NULL when it has none or several. */
const struct dir_value *dir_entry_single(const struct dir_entry *entry, const char *name);

/** Set entry->id from the attributes. @param arena  the entry's. @return STATUS_OK, STATUS_NO_MEMORY (it is full, or memory ran out). */
NODISCARD enum status dir_entry_identify(struct dir_entry *entry, struct arena *arena);

/**
 * A whole number with or without a sign, of 64 bits: RFC 4517 section 3.3.16, and AD's LargeInteger.
 *
 * @param there_out   the attribute has a value.
 * @param number_out  set when it has one.
 * @return false: several values, or one that is no such number.
 */
NODISCARD bool dir_entry_number(const struct dir_entry *entry, const char *name, bool *there_out, int64_t *number_out);

/** Whether its objectClass names this class. */
bool dir_entry_has_class(const struct dir_entry *entry, const char *name);

/** A copy of an entry and all that it holds, without a next one. NULL when memory ran out. */
struct dir_entry *dir_entry_copy(const struct dir_entry *entry, struct arena *arena);

/*
 * How AD and Samba shall answer: request controls, for servers that offer them (struct dir_facts).
 *
 * EXTENDED_DN   DNs in attributes come as "<GUID=...>;<SID=S-1-...>;CN=..." (identity/extended_dn.h): memberOf shows the
 *               SIDs of the groups. An entry's own DN is made plain again. Critical: who counts on the SIDs must not get
 *               names instead.
 * DOMAIN_SCOPE  no continuation references to other naming contexts. We follow none anyway; it saves their bytes.
 * LINK_TTL      values of links that expire come as "<TTL=seconds>,<...>". Not critical: where a server does not
 *               know it, the forest cannot have such links.
 * SHOW_DELETED  deleted objects too, to who may see them. Critical: without it, nothing would look deleted.
 *
 * Sources: MS-ADTS 3.1.1.3.4.1.4 (DOMAIN_SCOPE), .5 (EXTENDED_DN; string form, flag 1), .14 (SHOW_DELETED), and
 * LDAP_SERVER_LINK_TTL_OID of 3.1.1.3.4.1; what Samba 4.17 answers was measured.
 */
#define DIR_SEARCH_EXTENDED_DN  0x1U
#define DIR_SEARCH_DOMAIN_SCOPE 0x2U
#define DIR_SEARCH_LINK_TTL     0x4U
#define DIR_SEARCH_SHOW_DELETED 0x8U

/** What stands behind the components of an extended DN: the plain one. Points into `dn`; a plain DN is its own. */
const char *dir_search_plain_dn(const char *dn);

/* What one search may put into its arena. A single entry with 100,000 member values is 10 MB. */
#define DIR_SEARCH_MAX_BYTES ((size_t)64 * 1024 * 1024)
/* Attributes of one search; ours ask for at most a dozen. */
#define DIR_SEARCH_MAX_ATTRIBUTES 32

struct dir_search {
	/* the question: borrowed, must live until the answer was delivered */
	const char *base;
	enum dir_scope scope;
	const char *filter;
	const char *const *attributes; /* NULL-terminated; {"1.1", NULL} for none */
	uint32_t size_limit;           /* entries; 0: none of ours */
	uint32_t page_size;            /* 0: not paged; else pages are fetched to the end */
	unsigned flags;                /* DIR_SEARCH_EXTENDED_DN, ...: 0 for other servers than AD and Samba */

	/*
	 * Where entries go; NULL: to `entries`. Called on the connection's thread, for one search of a
	 * request at a time; the entry is gone afterwards. Anything but STATUS_OK ends the search
	 * with DIR_OUTCOME_LIMIT (STATUS_LIMIT) or DIR_OUTCOME_NO_MEMORY (others).
	 */
	enum status (*on_entry)(void *context, const struct dir_entry *entry);
	/* Called before anything is delivered a second time (after a fail-over): forget what came. May be NULL when on_entry is. */
	void (*on_restart)(void *context);
	void *on_entry_context;

	/* the answer: filled by the connection */
	enum dir_outcome outcome;
	int code;                  /* the server's result code, or libldap's; for messages */
	const char *server_text;   /* the server's diagnostic message, or a constant of ours, or NULL; in the arena */
	struct arena *arena;       /* made by the asker (dir_search_init); entries live here */
	struct dir_entry *entries; /* a list; NULL when none */
	size_t entry_count;
	uint32_t pages; /* requests sent for it: 1, or the number of pages, and those for further ranges of entries */
};

/** Clear the struct and give it an arena. @return STATUS_OK or STATUS_NO_MEMORY. */
NODISCARD enum status dir_search_init(struct dir_search *search, struct error *error);

/** Forget an answer (for a second try) but keep the question. */
void dir_search_reset(struct dir_search *search);

/** Free the answer. NULL-safe. */
void dir_search_done(struct dir_search *search);

/** Fill an error from a search that was not OK: "search below 'base' (filter): time limit exceeded (3): server text". */
enum status dir_search_failure(const struct dir_search *search, struct error *error);

#endif
