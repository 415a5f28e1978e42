/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Marks: how far a server has got with the changes of its directory, as one text. Pure.
 *
 *	OpenLDAP           contextCSN of a database's suffix: a value for each server that writes, "time#count#server#mod"
 *	Active Directory   highestCommittedUSN of the root DSE, which counts the writes of this one domain controller, its own and
 *	                   replicated ones: "usn#0#name of the controller#usn", the number with leading zeros
 *
 * So all values have one form: what stands before the first '#' only grows, with each server between the second and the third. Values are
 * sorted and joined by blanks; equal texts mean that nothing has changed in between. Marks of two domain controllers cannot be compared.
 *
 * Sources: RFC 4533, slapo-syncprov(5); MS-ADTS 3.1.1.3.2 (highestCommittedUSN, dsServiceName).
 */
#ifndef WSMAUTHZ_DIRECTORY_DIR_MARK_H
#define WSMAUTHZ_DIRECTORY_DIR_MARK_H

#include <base/compiler.h>
#include <base/error.h>
#include <base/text.h>
#include <directory/dir_search.h>
#include <stdbool.h>
#include <stdint.h>

/* The base to read a mark from, where it is the controller's. */
#define DIR_MARK_CONTROLLER ""

/** What to ask for, at the suffix of a database or at DIR_MARK_CONTROLLER. */
extern const char *const dir_mark_attributes[];

/**
 * The mark that an entry shows.
 *
 * @param mark  replaced.
 * @return STATUS_OK; STATUS_NOT_FOUND: it shows none; STATUS_INVALID: its values have no form that is known;
 *         STATUS_LIMIT (DIR_SYNC_MAX_VALUES); STATUS_NO_MEMORY.
 */
NODISCARD enum status dir_mark_of(const struct dir_entry *entry, struct text *mark);

/** The number in a domain controller's mark. False: it is no such mark. */
NODISCARD bool dir_mark_usn(const char *mark, uint64_t *usn_out);

/** Whether these are marks of two different domain controllers: they say nothing of each other. */
bool dir_mark_is_of_other(const char *one, const char *other);

#endif
