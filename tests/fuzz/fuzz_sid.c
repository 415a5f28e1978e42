/* SPDX-License-Identifier: Apache-2.0 */
/* SIDs: what is read has one text and one binary form, which are read as the same again. */
#include "fuzz.h"

#include <base/ascii.h>
#include <base/sid.h>
#include <string.h>

static void check_forms(const struct sid *sid, char text[SID_TEXT_BYTES])
{
	uint8_t binary[SID_BINARY_BYTES];
	struct sid again;

	sid_format(sid, text);
	fuzz_check(sid_parse_text(text, strlen(text), &again) && sid_is_equal(sid, &again));
	fuzz_check(sid_parse_binary(binary, sid_encode(sid, binary), &again) && sid_is_equal(sid, &again));
}

void fuzz_one(const uint8_t *data, size_t size)
{
	char text[SID_TEXT_BYTES];
	struct sid sid;

	if (sid_parse_binary(data, size, &sid))
		check_forms(&sid, text);
	if (!sid_parse_text((const char *)data, size, &sid))
		return;
	check_forms(&sid, text);
	fuzz_check(strlen(text) == size && ascii_equal_nocase_n(text, size, (const char *)data, size));
}
