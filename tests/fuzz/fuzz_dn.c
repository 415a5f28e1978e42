/* SPDX-License-Identifier: Apache-2.0 */
/* Distinguished names: a plain one has the key that it has as an entry's own, and that key is its own key. */
#include <identity/dn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *dn = (const char *)data;
	struct text plain, own, again;

	text_init(&plain);
	text_init(&own);
	text_init(&again);
	dn_own_key(dn, size, &own);
	if (dn_classify(dn, size, &plain) == DN_PLAIN) {
		if (strcmp(text_string(&plain), text_string(&own)) != 0)
			abort();
		dn_own_key(text_string(&own), own.length, &again);
		if (strcmp(text_string(&again), text_string(&own)) != 0)
			abort();
	}
	text_done(&plain);
	text_done(&own);
	text_done(&again);
	return 0;
}
