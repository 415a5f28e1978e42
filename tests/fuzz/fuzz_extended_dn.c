/* SPDX-License-Identifier: Apache-2.0 */
/* Extended DNs: what is taken apart lies inside the value, and its plain part stands for itself. */
#include "fuzz.h"

#include <identity/extended_dn.h>
#include <string.h>

void fuzz_one(const uint8_t *data, size_t size)
{
	const char *value = (const char *)data;
	struct extended_dn extended, again;

	if (!extended_dn_parse(value, size, &extended))
		return;
	if (extended.dn < value || extended.dn + extended.dn_length != value + size || extended.dn_length == 0)
		abort();
	if (extended.has_sid != (extended.sid.sub_count > 0))
		abort();
	if (extended.guid[0] != '\0' && strlen(extended.guid) != EXTENDED_DN_GUID_BYTES - 1)
		abort();
	if (!extended_dn_parse(extended.dn, extended.dn_length, &again) || again.has_sid || again.has_ttl ||
	    again.guid[0] != '\0' || again.dn != extended.dn)
		abort();
}
