/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_usn.h>

#include <base/ascii.h>
#include <base/memory.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Digits of 2^63 - 1. */
#define USN_DIGITS 19
#define FIRST_ROOM 64

void dir_usn_init(struct dir_usn *usn, uint64_t mark, uint64_t overlap_ms, size_t max_seen)
{
	*usn = (struct dir_usn){.mark = mark, .overlap_ms = overlap_ms, .max_seen = max_seen};
}

void dir_usn_done(struct dir_usn *usn)
{
	memory_free(usn->seen);
	usn->seen = NULL;
	usn->count = usn->room = usn->sorted = 0;
}

bool dir_usn_has_gap(const struct dir_usn *usn)
{
	return usn->gap_count > 0;
}

uint64_t dir_usn_lowest(const struct dir_usn *usn)
{
	return usn->gap_count > 0 ? usn->gaps[0].first : usn->mark + 1;
}

/* The number that an object shows; 0: none. */
static uint64_t number_of(const struct dir_entry *entry)
{
	const struct dir_value *value = dir_entry_single(entry, "uSNChanged");
	uint64_t number = 0;

	if (value == NULL || value->length == 0 || value->length > USN_DIGITS)
		return 0;
	for (size_t i = 0; i < value->length; i++) {
		if (!ascii_is_digit(value->data[i]))
			return 0;
		number = number * 10 + (uint64_t)(value->data[i] - '0');
	}
	return number;
}

static const uint8_t *guid_of(const struct dir_entry *entry)
{
	const struct dir_value *value = dir_entry_single(entry, "objectGUID");

	return value != NULL && value->length == DIR_USN_GUID_BYTES ? (const uint8_t *)value->data : NULL;
}

static int compare(const void *left, const void *right)
{
	const struct dir_usn_state *a = left, *b = right;

	if (a->usn != b->usn)
		return a->usn < b->usn ? -1 : 1;
	return memcmp(a->guid, b->guid, sizeof(a->guid));
}

static void sort(struct dir_usn *usn)
{
	if (usn->sorted < usn->count)
		qsort(usn->seen, usn->count, sizeof(*usn->seen), compare);
	usn->sorted = usn->count;
}

static enum status make_room(struct dir_usn *usn)
{
	size_t room = usn->room == 0 ? FIRST_ROOM : usn->room * 2;
	struct dir_usn_state *seen;

	if (usn->count < usn->room)
		return STATUS_OK;
	if (usn->count >= usn->max_seen)
		return STATUS_LIMIT;
	if (room > usn->max_seen)
		room = usn->max_seen;
	seen = memory_new_array(room, sizeof(*seen));
	if (seen == NULL)
		return STATUS_NO_MEMORY;
	if (usn->count > 0)
		memcpy(seen, usn->seen, usn->count * sizeof(*seen));
	memory_free(usn->seen);
	usn->seen = seen;
	usn->room = room;
	return STATUS_OK;
}

enum status dir_usn_see(struct dir_usn *usn, const struct dir_entry *entry, bool *is_new_out)
{
	struct dir_usn_state state = {.usn = number_of(entry)};
	const uint8_t *guid = guid_of(entry);
	enum status status;

	if (guid != NULL)
		memcpy(state.guid, guid, sizeof(state.guid));
	/* Without a GUID two objects of one number would be one. */
	if (state.usn == 0 || (guid != NULL && usn->sorted > 0 &&
			       bsearch(&state, usn->seen, usn->sorted, sizeof(state), compare) != NULL)) {
		*is_new_out = state.usn == 0;
		return STATUS_OK;
	}
	if ((status = make_room(usn)) != STATUS_OK)
		return status;
	usn->seen[usn->count++] = state;
	*is_new_out = true;
	return STATUS_OK;
}

uint64_t dir_usn_missing(struct dir_usn *usn, uint64_t upto)
{
	uint64_t explained = 0, last = usn->mark;

	sort(usn);
	for (size_t i = 0; i < usn->count && usn->seen[i].usn <= upto; i++) {
		if (usn->seen[i].usn <= last)
			continue;
		last = usn->seen[i].usn;
		explained++;
	}
	return upto - usn->mark - explained;
}

static void add_gap(struct dir_usn *usn, uint64_t now_ms)
{
	if (usn->gap_count < DIR_USN_MAX_GAPS)
		usn->gaps[usn->gap_count++].first = usn->mark + 1;
	usn->gaps[usn->gap_count - 1].at_ms = now_ms;
}

static void forget_gaps(struct dir_usn *usn, uint64_t now_ms)
{
	size_t old = 0;

	while (old < usn->gap_count && now_ms - usn->gaps[old].at_ms >= usn->overlap_ms)
		old++;
	usn->gap_count -= old;
	memmove(usn->gaps, usn->gaps + old, usn->gap_count * sizeof(*usn->gaps));
}

static void forget_seen(struct dir_usn *usn)
{
	const uint64_t lowest = dir_usn_lowest(usn);
	size_t old = 0;

	sort(usn);
	while (old < usn->count && usn->seen[old].usn < lowest)
		old++;
	usn->count -= old;
	if (usn->count > 0)
		memmove(usn->seen, usn->seen + old, usn->count * sizeof(*usn->seen));
	usn->sorted = usn->count;
}

void dir_usn_advance(struct dir_usn *usn, uint64_t upto, uint64_t now_ms)
{
	/* First, so that a gap is asked for again at least once, however long the polls take. */
	forget_gaps(usn, now_ms);
	if (usn->overlap_ms > 0 && dir_usn_missing(usn, upto) > 0)
		add_gap(usn, now_ms);
	usn->mark = upto;
	forget_seen(usn);
}

enum status dir_usn_filter(const struct dir_usn *usn, struct text *filter)
{
	text_clear(filter);
	text_printf(filter, "(uSNChanged>=%" PRIu64 ")", dir_usn_lowest(usn));
	return text_failed(filter) ? STATUS_NO_MEMORY : STATUS_OK;
}

bool dir_usn_is_deleted(const struct dir_entry *entry)
{
	const struct dir_value *value = dir_entry_single(entry, "isDeleted");

	return value != NULL && ascii_equal_nocase_n(value->data, value->length, "TRUE", 4);
}

/* MS-DTYP 2.3.4.2: the first three fields are little-endian. */
void dir_usn_guid_text(const struct dir_entry *entry, char text_out[DIR_USN_GUID_TEXT_BYTES])
{
	static const uint8_t order[DIR_USN_GUID_BYTES] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
	static const char digits[] = "0123456789abcdef";
	const uint8_t *guid = guid_of(entry);
	char *at = text_out;

	for (size_t i = 0; guid != NULL && i < DIR_USN_GUID_BYTES; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*at++ = '-';
		*at++ = digits[guid[order[i]] >> 4];
		*at++ = digits[guid[order[i]] & 0xF];
	}
	*at = '\0';
}
