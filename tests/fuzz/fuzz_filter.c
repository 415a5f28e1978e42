/* SPDX-License-Identifier: Apache-2.0 */
/* Filters: whatever is put into one by us leaves it well-formed; a policy's own is judged without harm. */
#include "fuzz.h"

#include <base/memory.h>
#include <identity/filter.h>

void fuzz_one(const uint8_t *data, size_t size)
{
	char *given = memory_copy_bytes(data, size);
	struct text filter;

	text_init(&filter);
	filter_add_equality(&filter, "uid", data, size);
	fuzz_check(text_failed(&filter) || filter_check(text_string(&filter), NULL) == STATUS_OK);
	if (given != NULL)
		(void)!filter_check(given, NULL);
	memory_free(given);
	text_done(&filter);
}
