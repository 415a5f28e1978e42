/* SPDX-License-Identifier: Apache-2.0 */
/* Distinguished names: a plain one has the key that it has as an entry's own, and that key is its own key. */
#include "fuzz.h"

#include <identity/dn.h>
#include <string.h>

static bool has_failed(const struct text *one, const struct text *other)
{
	return text_failed(one) || text_failed(other);
}

void fuzz_one(const uint8_t *data, size_t size)
{
	const char *dn = (const char *)data;
	struct text plain, own, again;

	text_init(&plain);
	text_init(&own);
	text_init(&again);
	dn_own_key(dn, size, &own);
	if (dn_classify(dn, size, &plain) == DN_PLAIN && !has_failed(&plain, &own)) {
		fuzz_check(strcmp(text_string(&plain), text_string(&own)) == 0);
		dn_own_key(text_string(&own), own.length, &again);
		fuzz_check(text_failed(&again) || strcmp(text_string(&again), text_string(&own)) == 0);
	}
	text_done(&plain);
	text_done(&own);
	text_done(&again);
}
