/* SPDX-License-Identifier: Apache-2.0 */
/* Entry change notifications: what is taken apart lies inside the value, one behind the other, and nothing is left over. */
#include "fuzz.h"

#include <directory/dir_psearch.h>

/* Tag and shortest length. */
#define HEADER_BYTES 2

static bool is_within(struct dir_span span, const char *from, const char *to)
{
	return span.data == NULL ? span.length == 0 : span.data >= from && span.length <= (size_t)(to - span.data);
}

void fuzz_one(const uint8_t *data, size_t size)
{
	const char *value = (const char *)data, *end = value + size;
	struct dir_psearch_notice notice;

	if (!dir_psearch_decode_notice(value, size, &notice))
		return;
	if (notice.change != DIR_PSEARCH_ADD && notice.change != DIR_PSEARCH_DELETE &&
	    notice.change != DIR_PSEARCH_MODIFY && notice.change != DIR_PSEARCH_RENAME)
		abort();
	if (notice.previous_dn.data != NULL && notice.change != DIR_PSEARCH_RENAME)
		abort();
	/* The sequence, and the change in it, come before. */
	if (!is_within(notice.previous_dn, value + 2 * HEADER_BYTES + 1, end) ||
	    !is_within(notice.change_number, value + 2 * HEADER_BYTES + 1, end))
		abort();
	if (notice.change_number.data != NULL && notice.change_number.data + notice.change_number.length != end)
		abort();
	if (notice.change_number.data != NULL && notice.previous_dn.data != NULL &&
	    notice.previous_dn.data + notice.previous_dn.length + HEADER_BYTES > notice.change_number.data)
		abort();
}
