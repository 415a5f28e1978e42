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
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * The mark in an answer (directory/dir_mark.h), as one string.
 * @return in the search's arena; NULL when there is none of a form that is known, or memory ran out.
 */
const char *closure_csn_of(const struct dir_search *search);

enum closure_csn_order {
	CLOSURE_CSN_UNRELATED = 0, /* older, or of another database: another server has answered */
	CLOSURE_CSN_SAME,
	CLOSURE_CSN_LATER,
};

/**
 * Whether the mark `now` (a text of closure_csn_of) can follow the mark `before`. A value is "time#count#server#mod"; each
 * server's value only grows, and no server is forgotten or comes to it unseen.
 *
 * @param since_out   for CLOSURE_CSN_LATER: all that changed in between has an entryCSN greater than this; points into `before`,
 *                    not terminated.
 * @param length_out  its bytes.
 */
enum closure_csn_order closure_csn_compare(const char *before, const char *now, const char **since_out,
					   size_t *length_out);

/** Whether a server that shows the mark `now` has all that one with the mark `before` had; servers may have come to it. */
bool closure_csn_covers(const char *now, const char *before);

/** Where one server stands: its number (CLOSURE_CSN_SERVERS of them), and the time of its last change, which only grows. */
#define CLOSURE_CSN_SERVERS 4096
struct closure_csn_place {
	unsigned server;
	uint64_t time; /* the digits of it, from the year's last two on */
};

/** The newest value of a mark. @return false: it has none of OpenLDAP's form. */
NODISCARD bool closure_csn_newest(const char *mark, struct closure_csn_place *place_out);
/** Whether a mark has that server's change, or a later one of it. */
bool closure_csn_reaches(const char *mark, const struct closure_csn_place *place);

/**
 * Move a mark on: each value of `news` (one or more, joined by blanks) takes the place of the same server's when it is greater, or is
 * added.
 *
 * @param mark  owned (memory_free); replaced.
 * @return STATUS_OK, also when nothing was new; STATUS_NO_MEMORY: unchanged.
 */
NODISCARD enum status closure_csn_advance(char **mark, const char *news);

/** Whether an entry's entryCSN is greater than every value of a mark: then the mark does not move with the changes. */
bool closure_csn_is_behind(const char *mark, const char *entry_csn);

/**
 * The naming context whose mark moves with every change of any group: all of them lie in it, and in no
 * database below it, which would have a mark of its own.
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
