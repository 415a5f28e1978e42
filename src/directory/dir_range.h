/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values that come in parts: AD answers with at most 1,500 values of an attribute (MaxValRange) under a name that says which,
 * "member;range=0-1499", beside a plain "member" without any, and expects to be asked for the rest, "member;range=1500-*",
 * until the part's name ends in "-*". Pure: whoever has a connection sends the searches.
 *
 *	dir_range_begin    an entry as it came -> the same with plain names; or a set: something is still to come
 *	dir_range_wanted   the attributes to ask for, of the same entry (base search)
 *	dir_range_take     the answer; until dir_range_is_whole: then the entry has plain names only
 *
 * Parts are numbered from the first value, so when a value is removed between two requests, those behind it move up and one is
 * never seen: a deny rule's group, maybe. Nothing on the entry tells (removing a link does not touch the entry that shows the
 * back link). So each request asks for the last value of the part before once more, and goes on only if it is that
 * value still; else the attribute is read again from its beginning. A list that is whole holds every value that was there from
 * the first request to the last, and none that never was.
 *
 * Sources: MS-ADTS 3.1.1.3.1.3.3 (range retrieval), 3.1.1.3.4.6 (MaxValRange); measured: Samba 4.17 sends all values at once,
 * and for a range past the end an attribute without values.
 */
#ifndef WSMAUTHZ_DIRECTORY_DIR_RANGE_H
#define WSMAUTHZ_DIRECTORY_DIR_RANGE_H

#include <base/arena.h>
#include <base/compiler.h>
#include <base/error.h>
#include <directory/dir_search.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Requests for one entry. At AD's 1,500 values that is six million, and a server that gives fewer does not get on. */
#define DIR_RANGE_MAX_REQUESTS 4096
/* How often one attribute is read anew because its values moved. One that changes faster than it can be read is not known. */
#define DIR_RANGE_MAX_RESTARTS 3

enum dir_range_form {
	DIR_RANGE_NONE = 0, /* no range in it: all values there are */
	DIR_RANGE_PART,
	DIR_RANGE_BAD, /* the option is there, and is not what MS-ADTS says */
};

/* "member;range=1500-2999": member, 1500, 2999. */
struct dir_range {
	size_t name_length;   /* of the attribute's name, in front of the option */
	uint32_t first, last; /* numbers of the values, from 0 */
	bool is_end;          /* "*": these are the last there are; `last` is 0 then */
};

/** Take an attribute's name as a server wrote it apart. @param range_out  untouched unless DIR_RANGE_PART. */
enum dir_range_form dir_range_parse(const char *name, struct dir_range *range_out);

/* The attributes of one entry that are not whole yet; in the arena. */
struct dir_range_set;

/**
 * Give an entry plain names, as far as it is whole.
 *
 * @param entry    changed in place, now or when the set is whole; other attributes stay as they came.
 * @param arena    the entry's; gets the set and, later, the values.
 * @param set_out  NULL: the entry is whole. Untouched unless STATUS_OK.
 * @return STATUS_OK; STATUS_INVALID: not as MS-ADTS says (a first part that does not begin with the first value, a number of
 *         values that is not the name's, one attribute twice), so that nobody knows what is missing; STATUS_LIMIT or
 *         STATUS_NO_MEMORY: of the arena.
 */
NODISCARD enum status dir_range_begin(struct dir_entry *entry, struct arena *arena, struct dir_range_set **set_out,
				      struct error *error);

/** What to ask for next: NULL-terminated; at least one until the set is whole. Valid until the next dir_range_take. */
const char *const *dir_range_wanted(const struct dir_range_set *set);

/**
 * Take an answer to what was wanted.
 *
 * @param answer  the same entry, with its values in the set's arena; only these are used.
 * @return STATUS_OK; STATUS_INVALID: not as MS-ADTS says, or the values changed too often (DIR_RANGE_MAX_RESTARTS);
 *         STATUS_LIMIT (DIR_RANGE_MAX_REQUESTS, or of the arena); STATUS_NO_MEMORY. After a failure the entry is of no use.
 */
NODISCARD enum status dir_range_take(struct dir_range_set *set, const struct dir_entry *answer, struct error *error);

/** The entry has all its values, under plain names. */
bool dir_range_is_whole(const struct dir_range_set *set);

#endif
