/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Content synchronization: what is taken apart lies inside the value; a set of ids has an end; a mark made of any cookie is one that
 * comes back from the cookie made of it.
 */
#include "fuzz.h"

#include <directory/dir_sync.h>
#include <string.h>

static void check_within(struct dir_span span, const char *value, size_t size)
{
	if (span.data == NULL)
		fuzz_check(span.length == 0);
	else
		fuzz_check(span.data >= value && span.length <= (size_t)(value + size - span.data));
}

static void check_id(const char id[DIR_SYNC_ID_BYTES])
{
	fuzz_check(strnlen(id, DIR_SYNC_ID_BYTES) == DIR_SYNC_ID_BYTES - 1);
	fuzz_check(strspn(id, "0123456789abcdef-") == DIR_SYNC_ID_BYTES - 1);
}

static void read_entry(const char *value, size_t size)
{
	struct dir_sync_entry entry;

	if (!dir_sync_decode_entry(value, size, &entry))
		return;
	fuzz_check(entry.state == DIR_SYNC_PRESENT || entry.state == DIR_SYNC_ADD || entry.state == DIR_SYNC_MODIFY ||
		   entry.state == DIR_SYNC_DELETE);
	check_id(entry.id);
	check_within(entry.cookie, value, size);
}

static void read_info(const char *value, size_t size)
{
	char id[DIR_SYNC_ID_BYTES];
	struct dir_sync_info info;
	size_t count = 0;

	if (!dir_sync_decode_info(value, size, &info))
		return;
	check_within(info.cookie, value, size);
	check_within(info.ids, value, size);
	while (info.kind == DIR_SYNC_ID_SET && dir_sync_next_id(&info, id)) {
		check_id(id);
		fuzz_check(++count <= size);
	}
}

static void read_cookie(const char *value, size_t size)
{
	const struct dir_span cookie = {.data = value, .length = size};
	struct text mark, made, again;

	text_init(&mark);
	text_init(&made);
	text_init(&again);
	if (dir_sync_mark_of_cookie(cookie, &mark) == STATUS_OK &&
	    dir_sync_cookie_of_mark(text_string(&mark), &made) == STATUS_OK &&
	    dir_sync_mark_of_cookie((struct dir_span){.data = text_string(&made), .length = made.length}, &again) ==
		STATUS_OK)
		fuzz_check(strcmp(text_string(&mark), text_string(&again)) == 0);
	text_done(&mark);
	text_done(&made);
	text_done(&again);
}

void fuzz_one(const uint8_t *data, size_t size)
{
	const char *value = (const char *)data;
	struct dir_sync_done done;

	read_entry(value, size);
	read_info(value, size);
	if (dir_sync_decode_done(value, size, &done))
		check_within(done.cookie, value, size);
	read_cookie(value, size);
}
