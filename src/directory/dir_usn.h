/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a domain controller's update sequence numbers tell of changes. Pure.
 *
 *	                        a poll
 *	 mark N   ...........   reads highestCommittedUSN: M
 *	                        searches (uSNChanged>=dir_usn_lowest()): each object goes to dir_usn_see()
 *	 N+1 .. M               steps. One is explained by an object that shows it as its uSNChanged; the others are missing:
 *	                        of an object that has changed again since, of one that the account may not see, of another
 *	                        naming context. dir_usn_missing()
 *	 mark M                 dir_usn_advance()
 *
 * M is read before the search, so what changes meanwhile is found by the next poll, or by this one, and then not again. An object that
 * was seen explains the one number that it shows.
 *
 * Late ones. Microsoft's account of polling by uSNChanged knows of no number that becomes visible after a higher one was told as
 * committed, but does not exclude it; transactions of one controller run side by side. So a step that was missing is asked for again
 * for `overlap_ms`. Samba has one writer at a time, and a change is there, number and all, when the transaction ends: no overlap.
 *
 * Threads: one.
 * Sources: MS-ADTS 3.1.1.3.2.20 (highestCommittedUSN), 3.1.1.1.9 (USN); Microsoft's "Polling for Changes Using USNChanged".
 */
#ifndef WSMAUTHZ_DIRECTORY_DIR_USN_H
#define WSMAUTHZ_DIRECTORY_DIR_USN_H

#include <base/compiler.h>
#include <base/error.h>
#include <base/text.h>
#include <directory/dir_search.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DIR_USN_GUID_BYTES 16
/* "8-4-4-4-12", with the NUL. */
#define DIR_USN_GUID_TEXT_BYTES 37
/* Polls with missing steps that are asked for again at one time; more, and the last ones are taken as one. */
#define DIR_USN_MAX_GAPS 32

/* An object in the state that has this number. */
struct dir_usn_state {
	uint64_t usn;
	uint8_t guid[DIR_USN_GUID_BYTES]; /* zeros: not shown */
};

/* A poll that had missing steps. */
struct dir_usn_gap {
	uint64_t first; /* of the poll's steps */
	uint64_t at_ms;
};

struct dir_usn {
	uint64_t mark;
	uint64_t overlap_ms;
	size_t max_seen;
	struct dir_usn_state *seen; /* owned; of the steps behind the mark, or in a gap */
	size_t count, room;
	size_t sorted; /* so many of them are in order */
	struct dir_usn_gap gaps[DIR_USN_MAX_GAPS];
	size_t gap_count;
};

/** @param max_seen  states that are remembered at one time. */
void dir_usn_init(struct dir_usn *usn, uint64_t mark, uint64_t overlap_ms, size_t max_seen);
void dir_usn_done(struct dir_usn *usn);

/** The lowest uSNChanged to ask for. */
uint64_t dir_usn_lowest(const struct dir_usn *usn);

/** True: something is to be asked for again although the mark has not moved. */
bool dir_usn_has_gap(const struct dir_usn *usn);

/**
 * An object was found.
 *
 * @param is_new_out  false: this state of it was seen by a poll before.
 * @return STATUS_OK; STATUS_LIMIT (max_seen); STATUS_NO_MEMORY. An object that shows no number explains nothing and is always new.
 */
NODISCARD enum status dir_usn_see(struct dir_usn *usn, const struct dir_entry *entry, bool *is_new_out);

/** How many of the steps behind the mark, up to `upto`, nothing explains. */
uint64_t dir_usn_missing(struct dir_usn *usn, uint64_t upto);

/** The poll is over. @param upto  not less than the mark. */
void dir_usn_advance(struct dir_usn *usn, uint64_t upto, uint64_t now_ms);

/** "(uSNChanged>=lowest)". @param filter  replaced. @return STATUS_OK, STATUS_NO_MEMORY. */
NODISCARD enum status dir_usn_filter(const struct dir_usn *usn, struct text *filter);

/** isDeleted: a tombstone, deleted or recycled object (MS-ADTS 3.1.1.5.5). */
bool dir_usn_is_deleted(const struct dir_entry *entry);

/** objectGUID as text, in the form of an entryUUID; "": it is not shown. */
void dir_usn_guid_text(const struct dir_entry *entry, char text_out[DIR_USN_GUID_TEXT_BYTES]);

#endif
