/* SPDX-License-Identifier: Apache-2.0 */
/* Filters: whatever is put into one by us leaves it well-formed; a policy's own is judged without harm. */
#include <base/memory.h>
#include <identity/filter.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *given = memory_copy_bytes(data, size);
	struct text filter;

	text_init(&filter);
	filter_add_equality(&filter, "uid", data, size);
	if (filter_check(text_string(&filter), NULL) != STATUS_OK)
		abort();
	if (given != NULL)
		(void)!filter_check(given, NULL);
	memory_free(given);
	text_done(&filter);
	return 0;
}
