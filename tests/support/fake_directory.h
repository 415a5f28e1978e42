/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A directory in memory, which answers a dir_search as a server would: scopes, filters, the rules by
 * which names are equal, operational attributes only when asked for, size limits, hidden values, and
 * whatever goes wrong when a test says so. It knows no time and no connections: dir_pool_fake.h has those.
 *
 *	directory = fake_directory_new("dc=x");
 *	fake_directory_add(directory, "uid=alice,ou=people,dc=x");
 *	fake_directory_gain(directory, "uid=alice,ou=people,dc=x", "objectClass", "inetOrgPerson");
 *	fake_directory_answer(directory, &search);      search.outcome, search.entries
 *
 * Every change moves the suffix entry's contextCSN. An entry keeps its entryUUID when it is renamed
 * or changed; one that is made anew under an old name has a new one. A domain controller (fake_domain.h has what goes with
 * one) shows neither: its changes move uSNChanged and highestCommittedUSN.
 */
#ifndef TESTS_SUPPORT_FAKE_DIRECTORY_H
#define TESTS_SUPPORT_FAKE_DIRECTORY_H

#include <directory/dir_search.h>
#include <stdbool.h>
#include <stddef.h>

struct fake_value {
	char *data;
	size_t length;
	char *key; /* what equality compares, by the attribute's rule */
};

struct fake_attribute {
	char *name; /* as first written */
	bool hidden;
	struct fake_value *values;
	size_t count, capacity;
};

struct fake_entry {
	char *dn;  /* pretty */
	char *key; /* fake_dn_key */
	bool hidden;
	struct fake_attribute *attributes;
	size_t count, capacity;
};

enum fake_fault_kind {
	FAKE_FAULT_NONE = 0,
	FAKE_FAULT_CODE,  /* a result code instead of an answer */
	FAKE_FAULT_HANG,  /* no answer, ever */
	FAKE_FAULT_DROP,  /* the connection breaks */
	FAKE_FAULT_DOWN,  /* no server can be asked: refused at once */
	FAKE_FAULT_LIMIT, /* at most `entries` entries, then sizeLimitExceeded, paged or not */
	FAKE_FAULT_CUT,   /* `entries` entries, then the result code */
};

struct fake_fault {
	enum fake_fault_kind kind;
	int code;
	size_t entries;
	char *when;     /* only searches whose base or filter contains this; NULL: all. Owned by the directory. */
	unsigned times; /* how often it strikes; 0: until it is cleared */
};

struct fake_directory;

/** A directory with one entry: the suffix. Never NULL. */
struct fake_directory *fake_directory_new(const char *suffix);
/** The same, as a domain controller of Active Directory. */
struct fake_directory *fake_directory_new_controller(const char *suffix);
void fake_directory_free(struct fake_directory **directory);

/*
 * Changes. Each returns false, and changes nothing, when it makes no sense: a DN that is none or does not exist (or, for
 * _add, exists), a value that is there already or is not.
 */
bool fake_directory_add(struct fake_directory *directory, const char *dn);
bool fake_directory_gain(struct fake_directory *directory, const char *dn, const char *attribute, const char *value);
/** `value` NULL: all of them. */
bool fake_directory_lose(struct fake_directory *directory, const char *dn, const char *attribute, const char *value);
/** The entry and everything beneath it. */
bool fake_directory_delete(struct fake_directory *directory, const char *dn);
/** The entry and everything beneath it get new names; values that name them stay as they are. */
bool fake_directory_rename(struct fake_directory *directory, const char *dn, const char *new_dn);
/** An access rule: the account that asks does not see the attribute (NULL: the entry) any more, or again. */
bool fake_directory_hide(struct fake_directory *directory, const char *dn, const char *attribute, bool hidden);
/** A value of the root DSE. */
void fake_directory_root(struct fake_directory *directory, const char *attribute, const char *value);
/** No value of the root DSE any more. */
void fake_directory_root_lose(struct fake_directory *directory, const char *attribute, const char *value);
/** A value of any bytes that nobody wrote: the server computes it, so nothing has changed. False likewise. */
bool fake_directory_show(struct fake_directory *directory, const char *dn, const char *attribute, const void *data,
			 size_t length);
/** `data` NULL: all of them. */
bool fake_directory_unshow(struct fake_directory *directory, const char *dn, const char *attribute, const void *data,
			   size_t length);

/** A server that offers persistent searches, and shows who it is; another name: another server answers from now on. */
void fake_directory_name_server(struct fake_directory *directory, const char *name);

enum fake_change { FAKE_CHANGE_ADD, FAKE_CHANGE_MODIFY, FAKE_CHANGE_DELETE };

/**
 * See every change just after it was made; a deletion just before, leaves first. A rename with what lies beneath is one
 * change, of the entry on top; access rules (_hide) are none. NULL: nobody looks.
 */
void fake_directory_observe(struct fake_directory *directory,
			    void (*seen)(void *context, enum fake_change change, const struct fake_entry *entry),
			    void *context);

/* Faults strike in the order in which they were added; the first that concerns a search counts. */
void fake_directory_add_fault(struct fake_directory *directory, const struct fake_fault *fault);
void fake_directory_clear_faults(struct fake_directory *directory);
/** The fault that strikes this search, used up by one when it is counted. A copy; `when` borrowed. */
struct fake_fault fake_directory_strike(struct fake_directory *directory, const struct dir_search *search);

/**
 * Fill in the answer: outcome, code, entries in the search's arena. `fault` may be LIMIT, CUT or CODE; the
 * others are the connection's affair. `on_entry` is not called: see dir_pool_fake.h.
 */
void fake_directory_answer(const struct fake_directory *directory, const struct fake_fault *fault,
			   struct dir_search *search);

/** The entry of that name, hidden or not; NULL. Borrowed until the next change. */
const struct fake_entry *fake_directory_entry(const struct fake_directory *directory, const char *dn);
/** The attribute of an entry; NULL. */
const struct fake_attribute *fake_entry_attribute(const struct fake_entry *entry, const char *name);

#endif
