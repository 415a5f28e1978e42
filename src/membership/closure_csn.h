/* SPDX-License-Identifier: Apache-2.0 */
/*
 * contextCSN: the mark that a database carries of its last change, and that moves with every one.
 * Equal marks mean that nothing changed in between. Pure.
 *
 * Sources: RFC 4533 (the idea); OpenLDAP's slapo-syncprov(5), which keeps contextCSN in the entry of the suffix.
 */
#ifndef WSMAUTHZ_MEMBERSHIP_CLOSURE_CSN_H
#define WSMAUTHZ_MEMBERSHIP_CLOSURE_CSN_H

#include <base/compiler.h>
#include <base/error.h>
#include <directory/dir_search.h>
#include <stddef.h>

/**
 * The value of contextCSN in an answer, as one string (values sorted, joined by blanks).
 * @return in the search's arena; NULL when there is none, or memory ran out.
 */
const char *closure_csn_of(const struct dir_search *search);

/**
 * The naming context whose mark moves with every change of any group: all of them lie in it.
 *
 * @param dse         the root DSE with namingContexts; NULL: it is hidden.
 * @param group_base  where groups are listed.
 * @param names       the configured groups' DNs; NULL: slot not used.
 * @param base_out    owned by the caller (memory_free); NULL when there is no such context.
 * @return STATUS_OK, STATUS_NO_MEMORY.
 */
NODISCARD enum status closure_csn_base(const struct dir_entry *dse, const char *group_base, const char *const *names,
				       size_t name_count, char **base_out);

#endif
